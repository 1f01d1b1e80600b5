import { constants, createHmac, verify } from 'node:crypto';
import { equalBytes } from '../lib/crypto';
import { ALL_CURVES } from './curves';
import type { Curve } from './curves';
import type { EnteredKeys } from './enteredKeys';
import { bareBytesOf, publicKeysFor } from './keys';
import type { PublicKey } from './keys';
import type { PublicKeyKind } from './keyStrength';
import { readSecrets } from './secrets';

/*
 * The one table of algorithms. What the editor offers, which key it asks for and how signatures are checked are made from it.
 * Sources: RFC 7518 (the algorithms of a JWS), RFC 8037 (EdDSA), RFC 9864 (Ed25519)
 */

/** One key, bound to its algorithm. */
export interface CheckingKey {
	/** by which a JWS may name it (RFC 7517, 4.5) */
	kid: string | undefined;
	/** SHA-256 of its SubjectPublicKeyInfo in lower-case hexadecimal; null for a secret */
	thumbprint: string | null;
	/**
	 * The signature as OpenSSL reads it, or undefined when these bytes do not carry it. May throw on what is none.
	 */
	check: (signed: Buffer, signature: Buffer) => Buffer | undefined;
}

/** The fields of the credential that hold keys. */
export type KeyField = 'payloadSignatureSecret' | 'payloadSignaturePublicKey';

export interface Algorithm {
	/** what the editor calls it */
	label: string;
	/** where its key is entered */
	keyField: KeyField;
	/** what the header of a JWS and a JWK call it */
	jwaNames: readonly string[];
	/**
	 * Reads keys, once, and binds them to the algorithm: no message can choose either of them.
	 *
	 * @throws SettingsProblem when one of them is not for this algorithm
	 */
	prepare: (entered: EnteredKeys) => readonly CheckingKey[];
}

/** By the values under which a credential stores them, in the order of their labels. */
export type Algorithms = ReadonlyMap<string, Algorithm>;

type Hash = 'sha256' | 'sha384' | 'sha512';

const hmac = (label: string, hash: Hash, minSecretBytes: number): Algorithm => {
	const jwaNames = [hash.replace('sha', 'HS')];
	return {
		label,
		keyField: 'payloadSignatureSecret',
		jwaNames,
		prepare: (entered) =>
			readSecrets(entered, { minBytes: minSecretBytes, jwaNames }).map(({ key, kid }) => ({
				kid,
				thumbprint: null,
				check: (signed, signature) =>
					equalBytes(signature, createHmac(hash, key).update(signed).digest())
						? signature
						: undefined,
			})),
	};
};

/** The signature as OpenSSL reads it, or undefined when it is none with this key. */
type PublicCheck = (key: PublicKey, signed: Buffer, signature: Buffer) => Buffer | undefined;

const withPublicKey = (
	label: string,
	jwaNames: readonly string[],
	kind: PublicKeyKind,
	check: PublicCheck,
): Algorithm => ({
	label,
	keyField: 'payloadSignaturePublicKey',
	jwaNames,
	prepare: (entered) =>
		publicKeysFor(entered, { kind, jwaNames }).map((key) => ({
			kid: key.kid,
			thumbprint: key.thumbprint,
			check: (signed, signature) => check(key, signed, signature),
		})),
});

/** PKCS #1 v1.5 unless another padding is given. */
const rsa = (
	label: string,
	hash: Hash,
	padding: { padding: number; saltLength?: number } = { padding: constants.RSA_PKCS1_PADDING },
): Algorithm => {
	const family = padding.padding === constants.RSA_PKCS1_PADDING ? 'RS' : 'PS';
	return withPublicKey(
		label,
		[hash.replace('sha', family)],
		{ type: 'rsa' },
		({ key }, signed, signature) =>
			verify(hash, signed, { key, ...padding }, signature) ? signature : undefined,
	);
};

/** An integer in DER: without zeros in front, but for one that keeps it from being negative. */
function derInteger(bytes: Buffer): Buffer {
	const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
	const isNegative = (digits[0] ?? 0) >= 0x80;
	return Buffer.concat([
		Buffer.from(isNegative ? [2, digits.length + 1, 0] : [2, digits.length]),
		digits,
	]);
}

/** The same signature in DER (RFC 3279, 2.2.3), from the bare r and s of one that is valid. */
function derOf(bare: Buffer): Buffer {
	const middle = bare.length / 2;
	const content = Buffer.concat([
		derInteger(bare.subarray(0, middle)),
		derInteger(bare.subarray(middle)),
	]);
	const { length } = content;
	return Buffer.concat([
		Buffer.from(length < 0x80 ? [0x30, length] : [0x30, 0x81, length]),
		content,
	]);
}

/** In a JWS the hash decides about the curve and the signature is the bare r and s; otherwise it may be DER as well. */
const ecdsa = (label: string, hash: Hash, jwsCurve?: Curve): Algorithm =>
	withPublicKey(
		label,
		[hash.replace('sha', 'ES')],
		{ type: 'ec', curves: jwsCurve ? [jwsCurve] : ALL_CURVES },
		({ key, curve }, signed, signature) => {
			if (
				curve &&
				signature.length === bareBytesOf(curve) &&
				verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
			) {
				return derOf(signature);
			}
			if (jwsCurve || !verify(hash, signed, { key, dsaEncoding: 'der' }, signature))
				return undefined;
			return signature;
		},
	);

const ed25519 = (label: string): Algorithm =>
	withPublicKey(label, ['EdDSA', 'Ed25519'], { type: 'ed25519' }, ({ key }, signed, signature) =>
		verify(null, signed, key, signature) ? signature : undefined,
	);

const PSS = {
	padding: constants.RSA_PKCS1_PSS_PADDING,
	saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};
const PSS_ANY_SALT = { ...PSS, saltLength: constants.RSA_PSS_SALTLEN_AUTO };

/** By the names that stand in the header of a JWS. */
export const JWS_ALGORITHMS: Algorithms = new Map([
	['EdDSA', ed25519('EdDSA (Ed25519)')],
	['ES256', ecdsa('ES256 (ECDSA, P-256)', 'sha256', 'prime256v1')],
	['ES384', ecdsa('ES384 (ECDSA, P-384)', 'sha384', 'secp384r1')],
	['ES512', ecdsa('ES512 (ECDSA, P-521)', 'sha512', 'secp521r1')],
	['HS256', hmac('HS256 (HMAC)', 'sha256', 32)],
	['HS384', hmac('HS384 (HMAC)', 'sha384', 48)],
	['HS512', hmac('HS512 (HMAC)', 'sha512', 64)],
	['PS256', rsa('PS256 (RSA-PSS)', 'sha256', PSS)],
	['PS384', rsa('PS384 (RSA-PSS)', 'sha384', PSS)],
	['PS512', rsa('PS512 (RSA-PSS)', 'sha512', PSS)],
	['RS256', rsa('RS256 (RSA)', 'sha256')],
	['RS384', rsa('RS384 (RSA)', 'sha384')],
	['RS512', rsa('RS512 (RSA)', 'sha512')],
]);

/** For formats that no standard rules: salts of any length, every curve and both writings of ECDSA are understood. */
export const METHODS: Algorithms = new Map([
	['ecdsaSha256', ecdsa('ECDSA, SHA-256', 'sha256')],
	['ecdsaSha384', ecdsa('ECDSA, SHA-384', 'sha384')],
	['ecdsaSha512', ecdsa('ECDSA, SHA-512', 'sha512')],
	['ed25519', ed25519('Ed25519')],
	['hmacSha256', hmac('HMAC, SHA-256', 'sha256', 1)],
	['hmacSha384', hmac('HMAC, SHA-384', 'sha384', 1)],
	['hmacSha512', hmac('HMAC, SHA-512', 'sha512', 1)],
	['rsaSha256', rsa('RSA (PKCS #1 v1.5), SHA-256', 'sha256')],
	['rsaSha384', rsa('RSA (PKCS #1 v1.5), SHA-384', 'sha384')],
	['rsaSha512', rsa('RSA (PKCS #1 v1.5), SHA-512', 'sha512')],
	['rsaPssSha256', rsa('RSA-PSS, SHA-256', 'sha256', PSS_ANY_SALT)],
	['rsaPssSha384', rsa('RSA-PSS, SHA-384', 'sha384', PSS_ANY_SALT)],
	['rsaPssSha512', rsa('RSA-PSS, SHA-512', 'sha512', PSS_ANY_SALT)],
]);
