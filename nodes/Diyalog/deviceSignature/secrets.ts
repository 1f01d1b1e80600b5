import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeBytes } from './encodings';
import type { EnteredKeys, KeySource, SecretEncoding } from './enteredKeys';
import { SettingsProblem } from './problem';

/** A secret, and by which name a JWS may ask for it. */
export interface Secret {
	key: KeyObject;
	kid: string | undefined;
}

interface Needed {
	minBytes: number;
	jwaNames: readonly string[];
}

function bytesOf(text: string, encoding: SecretEncoding, { name, place }: KeySource): Buffer {
	const bytes = encoding === 'text' ? Buffer.from(text, 'utf8') : decodeBytes(text, encoding);
	if (bytes) return bytes;
	throw new SettingsProblem(
		`${name} is not written in the chosen encoding`,
		`Choose under Signing Secret Encoding how it is written, or enter it so${place}.`,
	);
}

function readSecret(source: KeySource, encoding: SecretEncoding, { minBytes }: Needed): Secret {
	const { name, place, entered } = source;
	const bytes = bytesOf(typeof entered === 'string' ? entered : '', encoding, source);
	if (bytes.length === 0) {
		throw new SettingsProblem(
			`${name} is empty`,
			`Enter the secret with which your app signs payloads${place}.`,
		);
	}
	if (bytes.length < minBytes) {
		throw new SettingsProblem(
			`${name} is too short for the chosen algorithm`,
			`The algorithm needs at least ${minBytes} bytes. Let your app sign with a longer random secret and enter that one.`,
		);
	}
	return { key: createSecretKey(bytes), kid: undefined };
}

/**
 * Reads secrets.
 *
 * @throws SettingsProblem when one is shorter than the algorithm needs
 */
export const readSecrets = (
	{ sources, secretEncoding }: EnteredKeys,
	needed: Needed,
): readonly Secret[] => sources.map((source) => readSecret(source, secretEncoding, needed));
