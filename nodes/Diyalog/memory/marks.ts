import { fingerprint } from '../codes/keys';
import type { OtpKeys } from '../codes/keys';

/*
 * What is remembered is a set of marks, each a fact that holds until a time: "the second attempt at this challenge was
 * made". n8n's memory can do one thing in one step: add marks and say which of them are new. So everything that is
 * limited is a row of marks, and having one is having been the first to add it. A mark is a keyed fingerprint; nothing can
 * be read from it.
 */

/** One fact, and how long it has to be remembered. */
export interface Mark {
	name: string;
	/** epoch milliseconds */
	untilMs: number;
}

const MARK_CHARACTERS = 22;
const MS_PER_MINUTE = 60_000;

/** n8n's processes may run on machines whose clocks differ. */
const CLOCK_TOLERANCE_MS = 2 * MS_PER_MINUTE;

const mark = (keys: OtpKeys, untilMs: number, ...facts: string[]): Mark => ({
	name: fingerprint(keys.mark, ...facts)
		.toString('base64url')
		.slice(0, MARK_CHARACTERS),
	untilMs: untilMs + CLOCK_TOLERANCE_MS,
});

const count = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

/** The challenge with this id was accepted. */
export const usedMark = (keys: OtpKeys, challengeId: string, expiresAtMs: number): Mark =>
	mark(keys, expiresAtMs, 'used', challengeId);

/** The attempts at a challenge, first to last. */
export const attemptMarks = (
	keys: OtpKeys,
	challengeId: string,
	expiresAtMs: number,
	attempts: number,
): Mark[] =>
	count(attempts).map((attempt) =>
		mark(keys, expiresAtMs, 'attempt', challengeId, String(attempt)),
	);

/**
 * One place of a limit such as "10 in an hour", as seen at one time: the marks that take it, and those that keep it taken
 * until the window has passed. Those that take it hold for the next part of the window as well, which may begin before it
 * is known whether the place is kept.
 */
export interface Place {
	take: Mark[];
	keep: Mark[];
}

/** A place is kept for whole parts of its window, and so up to a quarter longer than the window. */
const PARTS_OF_A_WINDOW = 4;

function place(
	keys: OtpKeys,
	nowMs: number,
	partMs: number,
	parts: number,
	facts: string[],
): Place {
	const current = Math.floor(nowMs / partMs);
	const at = (part: number) =>
		mark(keys, (part + 1) * partMs, ...facts, String(partMs), String(part));
	const [next, ...later] = count(parts).map((part) => at(current + part));
	return { take: [at(current), ...(next ? [next] : [])], keep: later };
}

/** So many of a kind in a window of time. */
export interface RateLimit {
	count: number;
	windowMinutes: number;
}

/**
 * The places of a limit for one customer. Each is free again when its window has passed; taking one at any time takes it
 * for at least a whole window, so there are never more than `count` in any window.
 *
 * @param kind what is limited
 * @param customer the customer's keyed fingerprint
 */
export function placesOf(
	keys: OtpKeys,
	kind: 'failure' | 'send',
	customer: Buffer,
	{ count: places, windowMinutes }: RateLimit,
	nowMs: number,
): Place[] {
	const partMs = (windowMinutes * MS_PER_MINUTE) / PARTS_OF_A_WINDOW;
	const who = customer.toString('base64url');
	return count(places).map((number) =>
		place(keys, nowMs, partMs, PARTS_OF_A_WINDOW, [kind, who, String(number)]),
	);
}

const MS_PER_SECOND = 1_000;

/** Time is divided so that the first gap has this many parts. */
const PARTS_OF_THE_FIRST_GAP = 2;

/**
 * The time in which no other code may be sent to a customer, as seen at one time. It doubles with each code.
 *
 * @param firstGapSeconds how long after the first code; more than 0
 * @param sent how many codes were sent, the one at this time included; at least 1
 */
export function gapAfter(
	keys: OtpKeys,
	customer: Buffer,
	firstGapSeconds: number,
	sent: number,
	nowMs: number,
): Place {
	const partMs = (firstGapSeconds * MS_PER_SECOND) / PARTS_OF_THE_FIRST_GAP;
	const parts = PARTS_OF_THE_FIRST_GAP * 2 ** (sent - 1);
	return place(keys, nowMs, partMs, parts, ['gap', customer.toString('base64url')]);
}
