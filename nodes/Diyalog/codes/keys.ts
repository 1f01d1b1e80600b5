import type { KeyObject } from 'node:crypto';
import { deriveKey } from '../lib/crypto';

/** Keys for what is issued and remembered, all derived from one bot token. */
export interface CodeKeys {
	/** encrypts and authenticates challenges */
	challenge: KeyObject;
	code: KeyObject;
	customer: KeyObject;
	transaction: KeyObject;
	/** names what is remembered */
	mark: KeyObject;
}

/**
 * Derives the keys, each for one purpose. Another token gives other keys, so that after a change of
 * the token no old challenge is accepted.
 *
 * @param botToken the bot's access token; has to be there
 */
export function deriveKeys(botToken: string): CodeKeys {
	return {
		challenge: deriveKey(botToken, 'OTP challenge'),
		code: deriveKey(botToken, 'OTP code'),
		customer: deriveKey(botToken, 'OTP customer'),
		transaction: deriveKey(botToken, 'OTP transaction'),
		mark: deriveKey(botToken, 'OTP mark'),
	};
}
