import type { KeyObject } from 'node:crypto';
import { fingerprint } from '../lib/crypto';

/*
 * What is remembered is a set of marks, each a fact that holds until a time: "the second attempt at this was made". n8n's
 * memory can do one thing in one step: add marks and say which of them are new. So everything that is limited is a row of
 * marks, and having one is having been the first to add it. A mark is a keyed fingerprint; nothing can be read from it.
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

/**
 * The mark for some facts.
 *
 * @param key without it nobody can tell what a mark stands for
 */
export const mark = (key: KeyObject, untilMs: number, ...facts: string[]): Mark => ({
	name: fingerprint(key, ...facts)
		.toString('base64url')
		.slice(0, MARK_CHARACTERS),
	untilMs: untilMs + CLOCK_TOLERANCE_MS,
});

const count = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

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
	key: KeyObject,
	nowMs: number,
	partMs: number,
	parts: number,
	facts: string[],
): Place {
	const current = Math.floor(nowMs / partMs);
	const at = (part: number) =>
		mark(key, (part + 1) * partMs, ...facts, String(partMs), String(part));
	const [next, ...later] = count(parts).map((part) => at(current + part));
	return { take: [at(current), ...(next ? [next] : [])], keep: later };
}

/** So many of a kind in a window of time. */
export interface RateLimit {
	count: number;
	windowMinutes: number;
}

/** What a window is divided into, in milliseconds: a place becomes free when a part begins. */
export const windowPartMs = (windowMinutes: number): number =>
	(windowMinutes * MS_PER_MINUTE) / PARTS_OF_A_WINDOW;

/**
 * The places of a limit for one subject. Each is free again when its window has passed; taking one at any time takes it
 * for at least a whole window, so there are never more than `count` in any window.
 *
 * @param kind what is limited
 * @param subject for whom
 */
export function placesOf(
	key: KeyObject,
	kind: string,
	subject: string,
	{ count: places, windowMinutes }: RateLimit,
	nowMs: number,
): Place[] {
	const partMs = windowPartMs(windowMinutes);
	return count(places).map((number) =>
		place(key, nowMs, partMs, PARTS_OF_A_WINDOW, [kind, subject, String(number)]),
	);
}

const MS_PER_SECOND = 1_000;

/** Time is divided so that the first gap has this many parts. */
const PARTS_OF_THE_FIRST_GAP = 2;

/** To 512 times the first gap. */
const MAX_DOUBLINGS = 9;

/** So many parts every gap, and every window, is shorter than. */
export const MORE_PARTS_THAN_ANY = PARTS_OF_THE_FIRST_GAP * 2 ** MAX_DOUBLINGS + 2;

/** What a gap is divided into, in milliseconds: it ends when a part begins. */
export const gapPartMs = (firstGapSeconds: number): number =>
	(firstGapSeconds * MS_PER_SECOND) / PARTS_OF_THE_FIRST_GAP;

/**
 * The time after something was done in which it may not be done again, as seen at one time. It doubles with
 * each, nine times at most: a longer one would need more marks than are remembered.
 *
 * @param kind what is limited
 * @param subject for whom
 * @param firstGapSeconds how long after the first; more than 0
 * @param done how many there were, the one at this time included; at least 1
 */
export function gapAfter(
	key: KeyObject,
	kind: string,
	subject: string,
	firstGapSeconds: number,
	done: number,
	nowMs: number,
): Place {
	const partMs = gapPartMs(firstGapSeconds);
	const parts = PARTS_OF_THE_FIRST_GAP * 2 ** Math.min(done - 1, MAX_DOUBLINGS);
	return place(key, nowMs, partMs, parts, [kind, subject]);
}
