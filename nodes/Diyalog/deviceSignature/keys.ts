import { createHash } from 'node:crypto';
import { repeatsAnyName } from '../lib/exactJson';
import { ofDevices } from './certificates';
import type { FoundCertificate } from './certificates';
import { CURVES } from './curves';
import type { Curve } from './curves';
import { isNothing, MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
import type { EnteredKeys, KeySource } from './enteredKeys';
import { keyOfMembers } from './foundKey';
import type { FoundKey } from './foundKey';
import { hasPrivateMember, mayVerify, membersOfSet, readJwk } from './jwk';
import { keysInText } from './keyFormats';
import {
	keyForbidden,
	keyMisfit,
	keyMissing,
	keyPrivate,
	keyTooLong,
	keyUnreadable,
	keyWeak,
	tooManyKeys,
} from './keyProblems';
import { isWeak, misfitOf } from './keyStrength';
import type { PublicKeyKind } from './keyStrength';
import { listedKeys } from './listedKeys';
import { attempt } from './problem';

/* Public keys as people enter them: read once, and refused where they do not fit or protect nothing. */

/** A key that fits. */
export interface PublicKey extends FoundKey {
	kid: string | undefined;
	/** SHA-256 of its SubjectPublicKeyInfo (DER) in lower-case hexadecimal, as OpenSSL computes it */
	thumbprint: string;
}

/** What keys are needed for. */
interface Needed {
	kind: PublicKeyKind;
	jwaNames: readonly string[];
}

/** @throws SettingsProblem when the key is not of the kind that is needed, or protects nothing */
function fitting(source: KeySource, found: FoundKey, kind: PublicKeyKind, kid?: string): PublicKey {
	const misfit = misfitOf(found, kind);
	if (misfit) throw keyMisfit(source, misfit.needed, misfit.found);
	if (isWeak(found.key)) throw keyWeak(source);
	const spki = found.key.export({ type: 'spki', format: 'der' });
	return { ...found, kid, thumbprint: createHash('sha256').update(spki).digest('hex') };
}

function fromJwk(source: KeySource, { kind, jwaNames }: Needed): PublicKey[] {
	if (hasPrivateMember(source.entered)) throw keyPrivate(source);
	const jwk = readJwk(source.entered);
	const found = jwk && keyOfMembers(jwk);
	if (!found) throw keyUnreadable(source, 'neither a text nor a JWK with a public key');
	if (!mayVerify(jwk, jwaNames)) throw keyForbidden(source);
	return [fitting(source, found, kind, jwk.kid)];
}

/** A set may hold keys for something else, which are passed over (RFC 7517, 5); a private one is refused all the same. */
function fromSet(members: readonly unknown[], source: KeySource, needed: Needed): PublicKey[] {
	if (members.length > MAX_KEYS) throw tooManyKeys(source);
	const keys = members.flatMap((member) => {
		if (hasPrivateMember(member)) throw keyPrivate(source);
		const jwk = readJwk(member);
		const found = jwk && keyOfMembers(jwk);
		if (!found || !mayVerify(jwk, needed.jwaNames) || misfitOf(found, needed.kind)) return [];
		return [fitting(source, found, needed.kind, jwk.kid)];
	});
	if (keys.length > 0) return keys;
	throw keyUnreadable(source, 'a JWK set without a key for the chosen algorithm');
}

/** JSON as what it says; any other text as it is. */
function parsed(source: KeySource): KeySource {
	const { entered } = source;
	if (typeof entered !== 'string' || !/^\s*[[{]/.test(entered)) return source;
	if (entered.length > MAX_KEY_CHARACTERS) throw keyTooLong(source);
	const json: unknown = attempt(() => JSON.parse(entered));
	if (json === undefined) throw keyUnreadable(source, 'text that begins like JSON and is none');
	if (attempt(() => repeatsAnyName(entered, json)) !== false)
		throw keyUnreadable(source, 'JSON in which the same name stands twice');
	return { ...source, entered: json };
}

/** A certificate, and where it stands. */
interface EnteredCertificate extends FoundCertificate {
	source: KeySource;
}

/** Each text may hold keys and certificates. */
interface Read {
	keys: PublicKey[];
	certificates: EnteredCertificate[];
}

function readKeys(source: KeySource, needed: Needed): Read {
	const { entered } = source;
	if (isNothing(entered)) throw keyMissing(source);
	if (typeof entered === 'string') {
		const { type } = needed.kind;
		const found = keysInText(entered, source, type === 'rsa' ? undefined : type);
		return {
			keys: found.keys.map((each) => fitting(source, each, needed.kind)),
			certificates: found.certificates.map((each) => ({ ...each, source })),
		};
	}
	const members = membersOfSet(entered);
	const keys = members ? fromSet(members, source, needed) : fromJwk(source, needed);
	return { keys, certificates: [] };
}

/** A chain may also come as a list, of which each certificate is a text. */
function keysOfCertificates(
	certificates: readonly EnteredCertificate[],
	first: KeySource,
	kind: PublicKeyKind,
): PublicKey[] {
	const found = ofDevices(certificates);
	if (typeof found === 'string') throw keyUnreadable(first, found);
	return found.map(({ source, found: key }) => fitting(source, key, kind));
}

/**
 * Reads the public keys that were entered.
 *
 * @throws SettingsProblem when one of them is no public key, not of this kind, or too weak
 */
export function publicKeysFor({ sources }: EnteredKeys, needed: Needed): readonly PublicKey[] {
	const [first] = sources;
	if (!first) return [];
	const read = listedKeys(sources.map(parsed)).map((source) => readKeys(parsed(source), needed));
	const certificates = read.flatMap((each) => each.certificates);
	const keys = [
		...read.flatMap((each) => each.keys),
		...keysOfCertificates(certificates, first, needed.kind),
	];
	if (keys.length > MAX_KEYS) throw tooManyKeys(first);
	return keys;
}

/** The length of a signature that is the bare r and s. */
export const bareBytesOf = (curve: Curve): number => 2 * CURVES[curve].bytes;
