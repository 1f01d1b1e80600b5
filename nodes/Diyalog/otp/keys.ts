import { createHmac, hkdfSync } from 'node:crypto';

/** Keys for what is issued and remembered, all derived from one bot token. */
export interface OtpKeys {
	/** encrypts and authenticates challenges */
	challenge: Buffer;
	code: Buffer;
	customer: Buffer;
	transaction: Buffer;
	/** names what is remembered */
	mark: Buffer;
}

const KEY_BYTES = 32;
const SALT = 'n8n-nodes-diyalog otp 1';

/**
 * Derives the keys with HKDF (RFC 5869), each for one purpose. Another token gives other keys, so that after a change of
 * the token no old challenge is accepted.
 *
 * @param botToken the bot's access token; has to be there
 */
export function deriveKeys(botToken: string): OtpKeys {
	const key = (purpose: string) =>
		Buffer.from(hkdfSync('sha256', botToken, SALT, purpose, KEY_BYTES));
	return {
		challenge: key('challenge'),
		code: key('code'),
		customer: key('customer'),
		transaction: key('transaction'),
		mark: key('mark'),
	};
}

/** A keyed fingerprint (HMAC-SHA-256) of some texts; where one ends and the next begins counts. */
export const fingerprint = (key: Buffer, ...texts: string[]): Buffer =>
	createHmac('sha256', key).update(JSON.stringify(texts)).digest();
