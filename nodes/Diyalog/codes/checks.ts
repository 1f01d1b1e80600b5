import { equalBytes } from '../lib/crypto';
import {
	codeFingerprint,
	customerFingerprint,
	openChallenge,
	transactionFingerprint,
} from './challenge';
import type { Challenge } from './challenge';
import { normaliseCode } from './code';
import type { CodeKeys } from './keys';
import { readTransaction } from './transaction';

/*
 * Whether a code is right. All checks are always made, also for a challenge that is none, and only then is decided, so
 * that neither the time nor the way tells what was wrong.
 */

/** Why a code was accepted or not. */
export type Reason =
	| 'ok'
	| 'wrongCode'
	| 'expired'
	| 'used'
	| 'tooManyAttempts'
	| 'otherCustomer'
	| 'otherTransaction'
	| 'malformed';

/** What was given for verifying; anybody may have sent it. */
export interface GivenCode {
	challenge: unknown;
	code: unknown;
	customerNo: unknown;
	transaction: unknown;
}

/** What the checks found that need no memory. */
export interface Checks {
	/** the challenge is one of ours; {@link challenge} is a stand-in otherwise */
	authentic: boolean;
	challenge: Challenge;
	/** the customer as text; empty when what was given can be none */
	customerNo: string;
	sameCustomer: boolean;
	sameTransaction: boolean;
	rightCode: boolean;
	expired: boolean;
}

const FINGERPRINT_BYTES = 32;

/** Stands for a challenge that is none, so that the same work is done. */
const NO_CHALLENGE: Challenge = {
	id: '',
	customer: Buffer.alloc(FINGERPRINT_BYTES),
	code: Buffer.alloc(FINGERPRINT_BYTES),
	codeLength: 0,
	transaction: Buffer.alloc(FINGERPRINT_BYTES),
	messageId: '',
	expiresAtMs: 0,
};

/** A customer's number as text, as it is sent; empty for anything else. */
export function customerText(value: unknown): string {
	if (typeof value === 'string') return value.trim();
	return Number.isSafeInteger(value) ? String(value) : '';
}

/** Makes all checks that need no memory. */
export function checkCode(keys: CodeKeys, given: GivenCode, nowMs: number): Checks {
	const opened = openChallenge(keys, given.challenge);
	const challenge = opened ?? NO_CHALLENGE;
	const customerNo = customerText(given.customerNo);
	const transaction = readTransaction(given.transaction);
	const code = normaliseCode(given.code, challenge.codeLength);
	const isCode = code !== '' && challenge.codeLength > 0;
	const sameTransaction = equalBytes(
		challenge.transaction,
		transactionFingerprint(keys, transaction ?? []),
	);
	return {
		authentic: opened !== undefined,
		challenge,
		customerNo,
		sameCustomer: equalBytes(challenge.customer, customerFingerprint(keys, customerNo)),
		sameTransaction: sameTransaction && transaction !== undefined,
		rightCode: equalBytes(challenge.code, codeFingerprint(keys, challenge.id, code)) && isCode,
		expired: nowMs >= challenge.expiresAtMs,
	};
}

/**
 * Decides, but for whether the code was accepted before: 'ok' may still become 'used'. What the caller can do least about
 * comes first.
 *
 * @param attempt which attempt at this challenge it is, from 0; undefined when all were made
 * @param isBlocked the customer has failed as often as is allowed
 */
export function reasonOf(checks: Checks, attempt: number | undefined, isBlocked: boolean): Reason {
	if (!checks.authentic) return 'malformed';
	if (!checks.sameCustomer) return 'otherCustomer';
	if (!checks.sameTransaction) return 'otherTransaction';
	if (checks.expired) return 'expired';
	if (attempt === undefined || isBlocked) return 'tooManyAttempts';
	return checks.rightCode ? 'ok' : 'wrongCode';
}

/** Failures that count against the customer: somebody may be guessing. */
export const isGuess = (reason: Reason): boolean =>
	reason === 'wrongCode' || reason === 'otherCustomer' || reason === 'otherTransaction';

/** How many attempts are left after this one, at this challenge. */
export function attemptsLeft(reason: Reason, attempt: number | undefined, allowed: number): number {
	return isGuess(reason) && attempt !== undefined ? allowed - attempt - 1 : 0;
}
