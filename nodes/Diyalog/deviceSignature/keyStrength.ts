import type { KeyObject } from 'node:crypto';
import { CURVES } from './curves';
import type { Curve } from './curves';
import type { FoundKey } from './foundKey';

/* Which keys fit an algorithm, and which fit and yet protect nothing. */

/** Which public keys an algorithm works with. */
export type PublicKeyKind =
	| { type: 'rsa' }
	| { type: 'ed25519' }
	| { type: 'ec'; curves: readonly Curve[] };

/** RFC 7518, 3.3 and 3.5; demanded outside of a JWS as well. */
const MIN_RSA_BITS = 2048;

/** No phone makes longer ones. A signature costs as much time as with P-521, the slowest of the others; with 16,384 bits five times that. */
const MAX_RSA_BITS = 8_192;

/** FIPS 186-5, 5.1: odd, above 2^16 and below 2^256. With 1 everybody can sign; small ones are forged where padding is read loosely. */
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 256n;

/**
 * The y-coordinates of Ed25519's points of small order, also beyond the prime, in hexadecimal without the sign: for such a
 * key signatures are made without any secret.
 */
const SMALL_ORDER_POINTS: ReadonlySet<string> = new Set([
	`00${'00'.repeat(31)}`,
	`01${'00'.repeat(31)}`,
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
	`ec${'ff'.repeat(30)}7f`,
	`ed${'ff'.repeat(30)}7f`,
	`ee${'ff'.repeat(30)}7f`,
]);

const rsaBitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0;

function describeKey({ key, curve }: FoundKey): string {
	if (key.asymmetricKeyType === 'rsa') return `an RSA key of ${rsaBitsOf(key)} bits`;
	if (key.asymmetricKeyType !== 'ec') return `a key of the type ${key.asymmetricKeyType}`;
	return `an elliptic-curve key on ${curve ? CURVES[curve].label : 'another curve'}`;
}

/** What is needed in place of this key; undefined when it fits. */
function neededInsteadOf({ key, curve }: FoundKey, kind: PublicKeyKind): string | undefined {
	switch (kind.type) {
		case 'rsa':
			if (key.asymmetricKeyType !== 'rsa' || rsaBitsOf(key) < MIN_RSA_BITS) {
				return `an RSA key of at least ${MIN_RSA_BITS} bits`;
			}
			return rsaBitsOf(key) > MAX_RSA_BITS
				? `an RSA key of at most ${MAX_RSA_BITS} bits`
				: undefined;
		case 'ed25519':
			return key.asymmetricKeyType === 'ed25519' ? undefined : 'an Ed25519 key';
		case 'ec': {
			if (curve && kind.curves.includes(curve)) return undefined;
			const labels = kind.curves.map((each) => CURVES[each].label);
			return `an elliptic-curve key on ${labels.join(', ')}`;
		}
	}
}

/** What is needed and what was found; undefined when the key fits. */
export function misfitOf(
	found: FoundKey,
	kind: PublicKeyKind,
): { needed: string; found: string } | undefined {
	const needed = neededInsteadOf(found, kind);
	return needed === undefined ? undefined : { needed, found: describeKey(found) };
}

function isWeakRsa(key: KeyObject): boolean {
	const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
	const isInRange = publicExponent >= MIN_RSA_EXPONENT && publicExponent < MAX_RSA_EXPONENT;
	return !isInRange || publicExponent % 2n === 0n;
}

function isWeakEd25519(key: KeyObject): boolean {
	const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
	// The highest bit of the last byte is the sign of the other coordinate.
	const signless = point.map((byte, index) => (index === point.length - 1 ? byte & 0x7f : byte));
	return SMALL_ORDER_POINTS.has(Buffer.from(signless).toString('hex'));
}

/** Whether checking a signature may take longer than with any key that an algorithm works with. */
export function isCostly(key: KeyObject): boolean {
	if (key.asymmetricKeyType === 'dsa') return true;
	if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return false;
	const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
	return rsaBitsOf(key) > MAX_RSA_BITS || publicExponent >= MAX_RSA_EXPONENT;
}

/** Whether anybody could sign for a key. */
export function isWeak(key: KeyObject): boolean {
	if (key.asymmetricKeyType === 'rsa') return isWeakRsa(key);
	return key.asymmetricKeyType === 'ed25519' && isWeakEd25519(key);
}
