import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What a derived key is for. Each purpose has a key of its own, so that nothing made for one serves another. */
export type KeyPurpose =
	| 'resume reference'
	| 'passed-on answer'
	| 'passed-on call'
	| 'kept call'
	| 'known caller'
	| 'counted answers'
	| 'replies'
	| 'expected code'
	| 'OTP challenge'
	| 'OTP code'
	| 'OTP customer'
	| 'OTP transaction'
	| 'OTP mark'
	| 'question mark'
	| 'audit record';

const KEY_BYTES = 32;

/**
 * A key that only those have who hold a secret of the credential. HKDF with SHA-256 (RFC 5869). With the bytes in the place of
 * a key object, Node 24 takes five times as long for each HMAC.
 *
 * @param secret the bot token or the App Secret; must not be empty
 */
export function deriveKey(secret: string, purpose: KeyPurpose): KeyObject {
	const info = `n8n-nodes-diyalog: ${purpose}`;
	return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', info, KEY_BYTES)));
}

/** HMAC with SHA-256 (RFC 2104), 32 bytes. */
export const hmacSha256 = (key: KeyObject, data: Buffer | string): Buffer =>
	createHmac('sha256', key).update(data).digest();

/** A keyed fingerprint of some texts; where one ends and the next begins counts. */
export const fingerprint = (key: KeyObject, ...texts: string[]): Buffer =>
	hmacSha256(key, JSON.stringify(texts));

/** Compares in constant time; values of different length differ. */
export const equalBytes = (a: Buffer, b: Buffer): boolean =>
	a.length === b.length && timingSafeEqual(a, b);

/**
 * Whether a MAC was made under one of some secrets.
 *
 * @param secrets for instance the App Secret, and while it is being changed the previous one; empty ones do not count
 * @param macUnder the MAC that a secret would have made
 */
export const isUnderOneOf = (
	secrets: readonly string[],
	given: Buffer,
	macUnder: (secret: string) => Buffer,
): boolean => secrets.some((secret) => secret !== '' && equalBytes(given, macUnder(secret)));
