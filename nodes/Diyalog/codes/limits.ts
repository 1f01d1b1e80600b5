import type { OtpKeys } from './keys';
import type { MarkBook, MarkStore } from '../memory/markBook';
import { attemptMarks, gapAfter, placesOf, usedMark } from '../memory/marks';
import type { Mark, RateLimit } from '../memory/marks';
import { attemptsLeft, checkOtp, isGuess, isRight, reasonOf } from './checks';
import type { GivenOtp, Reason } from './checks';

/*
 * Verifying and sending with a memory. What is asked of the memory is taken first and given back where it was not needed,
 * so that any number of guesses at the same time get no more than is allowed.
 * Limits on failures, not reset by a new code: NIST SP 800-63B-4, 3.2.2; OWASP ASVS 5.0, 6.6.3. Once: 6.5.1.
 */

/** What the memory and the rules of one node consist of. */
export interface OtpMemory {
	keys: OtpKeys;
	book: MarkBook;
	store: MarkStore;
}

/** How often people may be wrong. */
export interface VerifyLimits {
	/** attempts at one challenge */
	attempts: number;
	/** failures of one customer, with any number of challenges */
	failures: RateLimit;
}

/** The answer to one verification. */
export interface Verification {
	valid: boolean;
	reason: Reason;
	attemptsLeft: number;
	/** null unless the challenge was issued for this customer */
	customerNo: string | null;
	/** null when the challenge is none */
	messageId: string | null;
	/** when the code was accepted; null otherwise */
	verifiedAt: string | null;
}

/**
 * Verifies a code. It writes to the memory three times whatever the answer is.
 *
 * @param nowMs epoch milliseconds
 * @throws what the store throws; the attempt counts as made then
 */
export async function verifyOtp(
	{ keys, book, store }: OtpMemory,
	given: GivenOtp,
	{ attempts, failures }: VerifyLimits,
	nowMs: number,
): Promise<Verification> {
	const checks = checkOtp(keys, given, nowMs);
	const { authentic, challenge, sameCustomer, customerNo, expired } = checks;
	const { id, customer, expiresAtMs } = challenge;
	// Nothing is remembered of what was never issued or is over, or the memory would grow by whatever anybody sends.
	const counts = authentic && !expired;

	const attemptRow = counts ? attemptMarks(keys, id, expiresAtMs, attempts) : [];
	const places = counts ? placesOf(keys, 'failure', customer, failures, nowMs) : [];
	const placeRow = places.map(({ take }) => take);
	const [attempt, placeIndex] = await Promise.all([
		book.takeFirst(
			store,
			attemptRow.map((mark) => [mark]),
		),
		book.takeFirst(store, placeRow),
	]);
	const place = placeIndex === undefined ? undefined : places[placeIndex];

	const used = usedMark(keys, id, expiresAtMs);
	const mayBeAccepted = isRight(checks) && attempt !== undefined && place !== undefined;
	const mayHaveFailed = reasonOf(checks, {
		attempt,
		isBlocked: place === undefined,
		isUsed: false,
	});
	const keep = place && isGuess(mayHaveFailed) ? place.keep : [];
	const taken = await book.write(store, mayBeAccepted ? [used] : keep);

	const reason = reasonOf(checks, {
		attempt,
		isBlocked: place === undefined,
		isUsed: mayBeAccepted && !taken.has(used.name),
	});
	await book.write(store, [], place && !isGuess(reason) ? place.take : []);

	return {
		valid: reason === 'ok',
		reason,
		attemptsLeft: attemptsLeft(reason, attempt, attempts),
		customerNo: authentic && sameCustomer ? customerNo : null,
		messageId: authentic ? challenge.messageId : null,
		verifiedAt: reason === 'ok' ? new Date(nowMs).toISOString() : null,
	};
}

/** How often codes may be sent to one customer. */
export interface SendLimits {
	sends: RateLimit;
	/** how long after the first code the next may follow; it doubles with each; 0 for no gap */
	firstGapSeconds: number;
}

/** Whether a code may be sent to a customer now. */
export type SendPermit = { granted: true; giveBack: () => Promise<void> } | { granted: false };

/**
 * Asks for sending a code to a customer; it counts as sent unless it is given back.
 *
 * @param customer the customer's keyed fingerprint
 * @throws what the store throws
 */
export async function permitSend(
	{ keys, book, store }: OtpMemory,
	customer: Buffer,
	{ sends, firstGapSeconds }: SendLimits,
	nowMs: number,
): Promise<SendPermit> {
	if (sends.count === 0) return { granted: true, giveBack: async () => undefined };
	const places = placesOf(keys, 'send', customer, sends, nowMs);
	const gapNow =
		firstGapSeconds > 0 ? gapAfter(keys, customer, firstGapSeconds, 1, nowMs) : undefined;
	const gapRow = gapNow ? [gapNow.take] : [];
	const [placeIndex, gapIndex] = await Promise.all([
		book.takeFirst(
			store,
			places.map(({ take }) => take),
		),
		book.takeFirst(store, gapRow),
	]);
	const place = placeIndex === undefined ? undefined : places[placeIndex];
	const taken: Mark[] = [...(place?.take ?? []), ...(gapIndex === undefined ? [] : gapRow.flat())];
	if (!place || placeIndex === undefined || (gapNow && gapIndex === undefined)) {
		await book.write(store, [], taken);
		return { granted: false };
	}
	const gap = gapNow && gapAfter(keys, customer, firstGapSeconds, placeIndex + 1, nowMs);
	const keep = [...place.keep, ...(gap?.keep ?? [])];
	await book.write(store, keep);
	return {
		granted: true,
		giveBack: async () => void (await book.write(store, [], [...taken, ...keep])),
	};
}
