import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { EnteredKeys } from './enteredKeys';
import { attempt, SettingsProblem } from './problem';

/* Keys as people enter them: read once, and refused where they do not fit or protect nothing. */

/** RFC 7518, 3.3 and 3.5; demanded outside of a JWS as well. */
const MIN_RSA_BITS = 2048;

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

/** The curves by OpenSSL's names; bytes are those of one coordinate. */
const CURVES = {
	prime256v1: { label: 'P-256', bytes: 32 },
	secp384r1: { label: 'P-384', bytes: 48 },
	secp521r1: { label: 'P-521', bytes: 66 },
} as const;

export type Curve = keyof typeof CURVES;

export const ALL_CURVES: readonly Curve[] = ['prime256v1', 'secp384r1', 'secp521r1'];

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const PUBLIC_LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']);

/** Puts the line breaks of a PEM block where OpenSSL wants them: a masked field loses them, copying may make them `\n`. */
function rewrapPem(label: string, body: string): string {
	const lines = body.replace(/\\n|\s/g, '').match(/.{1,64}/g) ?? [];
	return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Of a certificate only the key counts; its dates and its issuer say nothing about a key that was entered by hand. */
function readPublicKey(pem: string): KeyObject {
	const advice =
		'Enter one public key as PEM, beginning with -----BEGIN PUBLIC KEY-----, or one certificate, beginning with -----BEGIN CERTIFICATE-----, in the Diyalog API credential.';
	if (pem.trim() === '') throw new SettingsProblem('The Public Key is empty', advice);
	// Node would derive the public key from it without a word, and the private one would stay stored here.
	if (/PRIVATE KEY/.test(pem)) {
		throw new SettingsProblem(
			'The Public Key is a private key',
			'Enter the public key of the pair instead. The private key belongs only on the device: if others could see it, replace the pair.',
		);
	}
	const blocks = [...pem.matchAll(PEM_BLOCK)];
	if (blocks.length > 1) throw new SettingsProblem('The Public Key holds several keys', advice);
	const [, label = '', body = ''] = blocks[0] ?? [];
	const key = PUBLIC_LABELS.has(label)
		? attempt(() => createPublicKey(rewrapPem(label, body)))
		: undefined;
	if (!key) throw new SettingsProblem('The Public Key cannot be read', advice);
	return key;
}

function curveOf(key: KeyObject): Curve | undefined {
	const name = key.asymmetricKeyDetails?.namedCurve;
	return ALL_CURVES.find((curve) => curve === name);
}

function describeKey(key: KeyObject): string {
	const { namedCurve = 'an unnamed curve', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
	if (key.asymmetricKeyType === 'rsa') return `an RSA key of ${modulusLength} bits`;
	if (key.asymmetricKeyType !== 'ec') return `a key of the type ${key.asymmetricKeyType}`;
	const curve = curveOf(key);
	return `an elliptic-curve key on ${curve ? CURVES[curve].label : namedCurve}`;
}

const misfit = (key: KeyObject, needed: string): SettingsProblem =>
	new SettingsProblem(
		'The Public Key does not fit the chosen algorithm',
		`The algorithm needs ${needed}; this is ${describeKey(key)}. Choose the algorithm with which your app signs and enter the public key of the same pair.`,
	);

/** Of a key that fits and yet protects nothing. */
const weak = (): SettingsProblem =>
	new SettingsProblem(
		'The Public Key is too weak: signatures could be forged',
		'Let a new pair of keys be made with the usual settings (RSA with the exponent 65537, or Ed25519) and enter its public key.',
	);

/** Which public keys an algorithm works with. */
export type PublicKeyKind =
	| { type: 'rsa' }
	| { type: 'ed25519' }
	| { type: 'ec'; curves: readonly Curve[] };

export interface PublicKey {
	key: KeyObject;
	kid: string | undefined;
}

function requireRsa(key: KeyObject): void {
	const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
	if (key.asymmetricKeyType !== 'rsa' || modulusLength < MIN_RSA_BITS) {
		throw misfit(key, `an RSA key of at least ${MIN_RSA_BITS} bits`);
	}
	const isInRange = publicExponent >= MIN_RSA_EXPONENT && publicExponent < MAX_RSA_EXPONENT;
	if (!isInRange || publicExponent % 2n === 0n) throw weak();
}

function requireEd25519(key: KeyObject): void {
	if (key.asymmetricKeyType !== 'ed25519') throw misfit(key, 'an Ed25519 key');
	const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
	// The highest bit of the last byte is the sign of the other coordinate.
	const signless = point.map((byte, index) => (index === point.length - 1 ? byte & 0x7f : byte));
	if (SMALL_ORDER_POINTS.has(Buffer.from(signless).toString('hex'))) throw weak();
}

function requireCurve(key: KeyObject, curves: readonly Curve[]): void {
	const curve = curveOf(key);
	if (curve && curves.includes(curve)) return;
	const labels = curves.map((each) => CURVES[each].label).join(', ');
	throw misfit(key, `an elliptic-curve key on ${labels}`);
}

function requireKind(key: KeyObject, kind: PublicKeyKind): void {
	switch (kind.type) {
		case 'rsa':
			return requireRsa(key);
		case 'ed25519':
			return requireEd25519(key);
		case 'ec':
			return requireCurve(key, kind.curves);
	}
}

/**
 * Reads the public keys that were entered.
 *
 * @throws SettingsProblem when one of them is no public key, not of this kind, or too weak
 */
export function publicKeysFor({ sources }: EnteredKeys, kind: PublicKeyKind): readonly PublicKey[] {
	return sources.map(({ entered }) => {
		const key = readPublicKey(typeof entered === 'string' ? entered : '');
		requireKind(key, kind);
		return { key, kid: undefined };
	});
}

/** SHA-256 of the SubjectPublicKeyInfo (DER) in lower-case hexadecimal, as OpenSSL computes it. */
export const thumbprintOf = (key: KeyObject): string =>
	createHash('sha256')
		.update(key.export({ type: 'spki', format: 'der' }))
		.digest('hex');

/** The length of a signature that is the bare r and s; undefined for keys on none of the curves. */
export function bareBytesOf(key: KeyObject): number | undefined {
	const curve = curveOf(key);
	return curve && 2 * CURVES[curve].bytes;
}
