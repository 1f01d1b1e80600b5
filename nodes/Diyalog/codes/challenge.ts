import { createCipheriv, createDecipheriv } from 'node:crypto';
import { fingerprint } from '../lib/crypto';
import { lazily, z } from '../lib/zod';
import type { RandomBytes } from './code';
import { normaliseCode } from './code';
import type { CodeKeys } from './keys';
import { canonicalTransaction } from './transaction';
import type { Transaction } from './transaction';

/*
 * A challenge is what the caller keeps between sending a code and verifying it: encrypted and authenticated with
 * AES-256-GCM (NIST SP 800-38D), so that it shows nothing and cannot be altered, and safe to stand in a URL.
 */

const PREFIX = 'dc1.';
const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 16;

/** What a challenge holds. Customer, code and transaction stand in it as keyed fingerprints only. */
export interface Challenge {
	/** unique to this challenge */
	id: string;
	customer: Buffer;
	code: Buffer;
	/** how many characters the code has */
	codeLength: number;
	transaction: Buffer;
	messageId: string;
	/** from when on it is not accepted any more, in epoch milliseconds */
	expiresAtMs: number;
}

/** What is kept of a code until it is verified. Its comments are what people read in n8n. */
export interface KeptChallenge {
	/** until when the code is accepted, ISO 8601 */
	expiresAt: string;
	/** for Verify; only where the message has a code */
	challenge: string;
}

/** What a code was sent for. */
export interface IssuedCode {
	code: string;
	customerNo: string;
	messageId: string;
	transaction: Transaction;
	expiresAtMs: number;
}

const bytes = lazily(() => z.string().transform((text) => Buffer.from(text, 'base64url')));

const contentSchema = lazily(() =>
	z
		.object({
			i: z.string(),
			u: bytes(),
			c: bytes(),
			l: z.number(),
			t: bytes(),
			m: z.string(),
			e: z.number(),
		})
		.transform(
			({ i, u, c, l, t, m, e }): Challenge => ({
				id: i,
				customer: u,
				code: c,
				codeLength: l,
				transaction: t,
				messageId: m,
				expiresAtMs: e,
			}),
		),
);

/** The keyed fingerprint of a customer. */
export const customerFingerprint = (keys: CodeKeys, customerNo: string): Buffer =>
	fingerprint(keys.customer, customerNo);

/** The keyed fingerprint of a code, as it was sent with one challenge. */
export const codeFingerprint = (keys: CodeKeys, challengeId: string, code: string): Buffer =>
	fingerprint(keys.code, challengeId, code);

/** The keyed fingerprint of a transaction. */
export const transactionFingerprint = (keys: CodeKeys, transaction: Transaction): Buffer =>
	fingerprint(keys.transaction, canonicalTransaction(transaction));

/**
 * Makes the challenge for a code that is being sent: about 350 characters, letters, digits, `-`, `_` and `.` only.
 *
 * @param randomBytes the source of randomness, for its id and the initialisation vector
 */
export function issueChallenge(keys: CodeKeys, sent: IssuedCode, randomBytes: RandomBytes): string {
	// Drawn at once: asking for them twice takes twice as long.
	const random = Buffer.from(randomBytes(ID_BYTES + IV_BYTES));
	const id = random.subarray(0, ID_BYTES).toString('base64url');
	const code = normaliseCode(sent.code);
	const content = JSON.stringify({
		i: id,
		u: customerFingerprint(keys, sent.customerNo).toString('base64url'),
		c: codeFingerprint(keys, id, code).toString('base64url'),
		l: code.length,
		t: transactionFingerprint(keys, sent.transaction).toString('base64url'),
		m: sent.messageId,
		e: sent.expiresAtMs,
	});
	const iv = random.subarray(ID_BYTES);
	const cipher = createCipheriv(ALGORITHM, keys.challenge, iv, { authTagLength: TAG_BYTES });
	cipher.setAAD(Buffer.from(PREFIX));
	const sealed = Buffer.concat([iv, cipher.update(content, 'utf8'), cipher.final()]);
	return PREFIX + Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url');
}

/** Longer than any challenge; more is not even looked at. */
const MAX_CHALLENGE_CHARACTERS = 4_096;

/**
 * Opens a challenge.
 *
 * @param token what came back as the challenge, from anybody
 * @returns undefined unless it was issued with these keys and not altered in a single character
 */
export function openChallenge(keys: CodeKeys, token: unknown): Challenge | undefined {
	if (typeof token !== 'string' || token.length > MAX_CHALLENGE_CHARACTERS) return undefined;
	if (!token.startsWith(PREFIX)) return undefined;
	const encoded = token.slice(PREFIX.length);
	const sealed = Buffer.from(encoded, 'base64url');
	// The last character has bits that decoding ignores, and other characters are skipped by it.
	if (sealed.toString('base64url') !== encoded) return undefined;
	if (sealed.length <= IV_BYTES + TAG_BYTES) return undefined;
	const iv = sealed.subarray(0, IV_BYTES);
	const tag = sealed.subarray(-TAG_BYTES);
	const decipher = createDecipheriv(ALGORITHM, keys.challenge, iv, { authTagLength: TAG_BYTES });
	decipher.setAAD(Buffer.from(PREFIX)).setAuthTag(tag);
	try {
		const opened = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
		const content: unknown = JSON.parse(Buffer.concat([opened, decipher.final()]).toString('utf8'));
		return contentSchema().safeParse(content).data;
	} catch {
		return undefined;
	}
}
