import { createHash } from 'node:crypto';
import { CURVES } from './curves';
import type { Curve } from './curves';
import { eachOf, isNothing, MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
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
	return { ...source, entered: json };
}

function keysIn(source: KeySource, needed: Needed): PublicKey[] {
	const { entered } = source;
	if (isNothing(entered)) throw keyMissing(source);
	if (typeof entered === 'string') {
		const { type } = needed.kind;
		const found = keysInText(entered, source, type === 'rsa' ? undefined : type);
		return found.map((each) => fitting(source, each, needed.kind));
	}
	const members = membersOfSet(entered);
	return members ? fromSet(members, source, needed) : fromJwk(source, needed);
}

/** Of all texts together: those of a list may come from the people whose devices they are, and each costs time. */
const charactersIn = (sources: readonly KeySource[]): number =>
	sources.reduce(
		(sum, { entered }) =>
			typeof entered === 'string' && !isNothing(entered) ? sum + entered.length : sum,
		0,
	);

/**
 * Reads the public keys that were entered.
 *
 * @throws SettingsProblem when one of them is no public key, not of this kind, or too weak
 */
export function publicKeysFor({ sources }: EnteredKeys, needed: Needed): readonly PublicKey[] {
	const listed = sources.flatMap((source) => eachOf(parsed(source)));
	const [first] = sources;
	if (first && listed.length > MAX_KEYS) throw tooManyKeys(first);
	if (first && charactersIn(listed) > MAX_KEY_CHARACTERS) throw keyTooLong(first);
	const keys = listed.flatMap((source) => keysIn(parsed(source), needed));
	if (first && keys.length > MAX_KEYS) throw tooManyKeys(first);
	return keys;
}

/** The length of a signature that is the bare r and s. */
export const bareBytesOf = (curve: Curve): number => 2 * CURVES[curve].bytes;
