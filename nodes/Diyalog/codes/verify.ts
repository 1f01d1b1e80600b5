import type { OpenBook } from '../memory/markBook';
import { mark, placesOf } from '../memory/marks';
import type { Mark, RateLimit } from '../memory/marks';
import { attemptsLeft, checkCode, isGuess, reasonOf } from './checks';
import type { GivenCode, Reason } from './checks';
import type { Challenge } from './challenge';
import type { CodeKeys } from './keys';

/*
 * Verifying with a memory. What is asked of it is taken first and given back where it was not needed, so that any number of
 * guesses at the same time get no more than is allowed.
 * Limits on failures, not reset by a new code: NIST SP 800-63B-4, 3.2.2; OWASP ASVS 5.0, 6.6.3. Once: 6.5.1.
 */

/** How often people may be wrong. */
export interface VerifyLimits {
	/** attempts at one challenge */
	attempts: number;
	/** failures of one customer, with any number of challenges */
	failures: RateLimit;
}

/** The outcome of one verification, which is its item. The comments are what people read in n8n. */
export interface Verification {
	valid: boolean;
	/** ok, or why the code was not accepted */
	reason: Reason;
	/** how many more codes can be tried with this challenge */
	attemptsLeft: number;
	/** null if the challenge was not made for this customer */
	customerNo: string | null;
	/** null if the challenge cannot be read */
	messageId: string | null;
	/** when the code was accepted; null otherwise */
	verifiedAt: string | null;
}

/** The challenge was accepted. */
const usedMark = (keys: CodeKeys, { id, expiresAtMs }: Challenge): Mark =>
	mark(keys.mark, expiresAtMs, 'used', id);

/** The attempts at a challenge, first to last. */
const attemptRow = (keys: CodeKeys, { id, expiresAtMs }: Challenge, attempts: number): Mark[][] =>
	Array.from({ length: attempts }, (_, index) => [
		mark(keys.mark, expiresAtMs, 'attempt', id, String(index + 1)),
	]);

/**
 * Verifies a code. It writes to the memory twice whatever the outcome is.
 *
 * @param nowMs epoch milliseconds
 * @throws what the store throws; the attempt counts as made then
 */
export async function verifyCode(
	keys: CodeKeys,
	{ book, store }: OpenBook,
	given: GivenCode,
	{ attempts, failures }: VerifyLimits,
	nowMs: number,
): Promise<Verification> {
	const checks = checkCode(keys, given, Math.max(nowMs, book.forgottenUntilMs));
	const { authentic, challenge, sameCustomer, customerNo, expired } = checks;
	// Nothing is remembered of what was never issued or is over, or the memory would grow by whatever anybody sends.
	const counts = authentic && !expired;

	const who = challenge.customer.toString('base64url');
	const places = counts ? placesOf(keys.mark, 'failure', who, failures, nowMs) : [];
	const placeRow = places.map(({ take }) => take);
	const [attempt, placeIndex] = await Promise.all([
		book.takeFirst(store, counts ? attemptRow(keys, challenge, attempts) : []),
		book.takeFirst(store, placeRow),
	]);
	const place = placeIndex === undefined ? undefined : places[placeIndex];

	// A right code may still turn out to be used, but that is no guess either: the place is given back at the same time.
	const expected = reasonOf(checks, attempt, place === undefined);
	const used = usedMark(keys, challenge);
	const taken = isGuess(expected)
		? await book.write(store, place?.keep ?? [])
		: await book.write(store, expected === 'ok' ? [used] : [], place?.take);
	const reason = expected === 'ok' && !taken.has(used.name) ? 'used' : expected;

	return {
		valid: reason === 'ok',
		reason,
		attemptsLeft: attemptsLeft(reason, attempt, attempts),
		customerNo: authentic && sameCustomer ? customerNo : null,
		messageId: authentic ? challenge.messageId : null,
		verifiedAt: reason === 'ok' ? new Date(nowMs).toISOString() : null,
	};
}
