import { MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
import type { KeySource } from './enteredKeys';
import { SettingsProblem } from './problem';

/* Sentences about keys: what was found, then what to do. None of them shows a key. */

export const keyMissing = ({ name, place }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is empty`,
		`Enter the public key of the pair with which your app signs${place}.`,
	);

/** @param found what it is instead; goes on with "This is" */
export const keyUnreadable = ({ name, place }: KeySource, found: string): SettingsProblem =>
	new SettingsProblem(
		`${name} cannot be read`,
		`This is ${found}. Enter a public key as PEM, beginning with -----BEGIN PUBLIC KEY-----, a certificate, a JWK or JWK set, or the bytes of the key as Base64 or hexadecimal${place}.`,
	);

// Node would derive the public key from it without a word, and the private one would stay stored here.
export const keyPrivate = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is a private key`,
		'Enter the public key of the pair instead. The private key belongs only on the device: if others could see it, replace the pair.',
	);

export const tooManyKeys = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} holds more than ${MAX_KEYS} keys`,
		'Take out those that are not used any more.',
	);

export const keyTooLong = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is longer than ${MAX_KEY_CHARACTERS} characters`,
		'Enter the keys alone, without what may stand around them.',
	);

/** Of a key that fits and yet protects nothing. */
export const keyWeak = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is too weak: signatures could be forged`,
		'Let a new pair of keys be made with the usual settings (RSA with the exponent 65537, or Ed25519) and enter its public key.',
	);

/**
 * @param needed what the algorithm needs
 * @param found what this is instead
 */
export const keyMisfit = ({ name }: KeySource, needed: string, found: string): SettingsProblem =>
	new SettingsProblem(
		`${name} does not fit the chosen algorithm`,
		`The algorithm needs ${needed}; this is ${found}. Choose the algorithm with which your app signs and enter the public key of the same pair.`,
	);

/** Of a JWK whose own members say that it is for something else. */
export const keyForbidden = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is not for checking signatures with the chosen algorithm`,
		'Its alg, use or key_ops say so. Choose the algorithm that it names, or enter the key with which your app signs.',
	);
