import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeBase64url, decodeBytes } from './encodings';
import { isNothing, MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
import type { EnteredKeys, KeySource, SecretEncoding } from './enteredKeys';
import { mayVerify, membersOfSet, readJwk } from './jwk';
import type { Jwk } from './jwk';
import { keyForbidden, keyTooLong, tooManyKeys } from './keyProblems';
import { listedKeys } from './listedKeys';
import { SettingsProblem } from './problem';
import { showsPublicKey } from './shownKeys';

/* Secrets as people enter them: read once, and refused where they are known to others or too short. */

/** A secret, and by which name a JWS may ask for it. */
export interface Secret {
	key: KeyObject;
	kid: string | undefined;
}

interface Needed {
	/** the least that the algorithm needs */
	minBytes: number;
	jwaNames: readonly string[];
}

const secretMissing = ({ name, place }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is empty`,
		`Enter the secret with which your app signs payloads${place}.`,
	);

const secretUnreadable = ({ name, place }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is not written in the chosen encoding`,
		`Choose under Signing Secret Encoding how it is written, or enter another${place}.`,
	);

const secretPublic = ({ name }: KeySource): SettingsProblem =>
	new SettingsProblem(
		`${name} is a public key, with which anybody could sign`,
		'Choose an algorithm with a public key, or let your app sign with a random secret and enter that one.',
	);

const secretTooShort = ({ name }: KeySource, minBytes: number): SettingsProblem =>
	new SettingsProblem(
		`${name} is too short for the chosen algorithm`,
		`The algorithm needs at least ${minBytes} bytes. Let your app sign with a longer random secret and enter that one.`,
	);

function fromText(text: string, source: KeySource, encoding: SecretEncoding): Buffer {
	if (text.length > MAX_KEY_CHARACTERS) throw keyTooLong(source);
	if (showsPublicKey(text)) throw secretPublic(source);
	const bytes = encoding === 'text' ? Buffer.from(text, 'utf8') : decodeBytes(text, encoding);
	if (!bytes) throw secretUnreadable(source);
	if (encoding !== 'text' && showsPublicKey(bytes.toString('utf8'))) throw secretPublic(source);
	return bytes;
}

function ofBytes(bytes: Buffer, source: KeySource, minBytes: number, kid?: string): Secret {
	if (bytes.length === 0) throw secretMissing(source);
	if (bytes.length < minBytes) throw secretTooShort(source, minBytes);
	return { key: createSecretKey(bytes), kid };
}

/** @returns undefined for anything but the JWK of a secret (RFC 7518, 6.4) */
function bytesOfJwk(jwk: Jwk | undefined): Buffer | undefined {
	return jwk?.kty === 'oct' && jwk.k !== undefined ? decodeBase64url(jwk.k) : undefined;
}

function fromJwk(source: KeySource, { minBytes, jwaNames }: Needed): Secret {
	const jwk = readJwk(source.entered);
	const bytes = bytesOfJwk(jwk);
	if (!jwk || !bytes) throw secretUnreadable(source);
	if (!mayVerify(jwk, jwaNames)) throw keyForbidden(source);
	return ofBytes(bytes, source, minBytes, jwk.kid);
}

/** A set may hold keys for something else, which are passed over (RFC 7517, 5). */
function fromSet(members: readonly unknown[], source: KeySource, needed: Needed): Secret[] {
	if (members.length > MAX_KEYS) throw tooManyKeys(source);
	const secrets = members.flatMap((member) => {
		const jwk = readJwk(member);
		const bytes = bytesOfJwk(jwk);
		if (!jwk || !bytes || !mayVerify(jwk, needed.jwaNames)) return [];
		return [ofBytes(bytes, source, needed.minBytes, jwk.kid)];
	});
	if (secrets.length === 0) throw secretUnreadable(source);
	return secrets;
}

function secretsIn(source: KeySource, encoding: SecretEncoding, needed: Needed): Secret[] {
	const { entered } = source;
	if (typeof entered === 'string' && /[^ \t\r\n]/.test(entered))
		return [ofBytes(fromText(entered, source, encoding), source, needed.minBytes)];
	if (typeof entered === 'string' || isNothing(entered)) throw secretMissing(source);
	const members = membersOfSet(entered);
	return members ? fromSet(members, source, needed) : [fromJwk(source, needed)];
}

/**
 * Reads the secrets that were entered. A text is one secret, whatever it looks like.
 *
 * @throws SettingsProblem when one is shorter than the algorithm needs, is a public key, or is none
 */
export function readSecrets(
	{ sources, secretEncoding }: EnteredKeys,
	needed: Needed,
): readonly Secret[] {
	const [first] = sources;
	const secrets = listedKeys(sources).flatMap((source) =>
		secretsIn(source, secretEncoding, needed),
	);
	if (first && secrets.length > MAX_KEYS) throw tooManyKeys(first);
	return secrets;
}
