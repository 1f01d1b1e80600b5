import { constants, createHmac, verify } from 'node:crypto';
import { equalBytes } from '../lib/crypto';
import { ALL_CURVES, readEcKey, readEd25519Key, readRsaKey, readSecret } from './keys';
import type { Curve } from './keys';

/*
 * The one table of algorithms. What the editor offers, which key it asks for and how signatures are checked are made from it.
 * Sources: RFC 7518 (the algorithms of a JWS), RFC 8037 (EdDSA)
 */

/** Whether these bytes carry this signature; may throw on what is none. */
export type SignatureCheck = (signed: Buffer, signature: Buffer) => boolean;

/** The fields of the credential that hold keys. */
export type KeyField = 'payloadSignatureSecret' | 'payloadSignaturePublicKey';

export interface Algorithm {
	/** what the editor calls it */
	label: string;
	/** where its key is entered */
	keyField: KeyField;
	/**
	 * Reads the key, once, and binds it to the algorithm: no message can choose either of them.
	 *
	 * @throws SettingsProblem when the key is not one for this algorithm
	 */
	prepare: (keyText: string) => SignatureCheck;
}

/** By the values under which a credential stores them, in the order of their labels. */
export type Algorithms = ReadonlyMap<string, Algorithm>;

type Hash = 'sha256' | 'sha384' | 'sha512';

const hmac = (label: string, hash: Hash, minSecretBytes: number): Algorithm => ({
	label,
	keyField: 'payloadSignatureSecret',
	prepare(keyText) {
		const secret = readSecret(keyText, minSecretBytes);
		return (signed, signature) =>
			equalBytes(signature, createHmac(hash, secret).update(signed).digest());
	},
});

/** PKCS #1 v1.5 unless another padding is given. */
const rsa = (
	label: string,
	hash: Hash,
	padding: { padding: number; saltLength?: number } = { padding: constants.RSA_PKCS1_PADDING },
): Algorithm => ({
	label,
	keyField: 'payloadSignaturePublicKey',
	prepare(keyText) {
		const key = readRsaKey(keyText);
		return (signed, signature) => verify(hash, signed, { key, ...padding }, signature);
	},
});

/** In a JWS the hash decides about the curve and the signature is the bare r and s; otherwise it may be DER as well. */
const ecdsa = (label: string, hash: Hash, jwsCurve?: Curve): Algorithm => ({
	label,
	keyField: 'payloadSignaturePublicKey',
	prepare(keyText) {
		const { key, bareBytes } = readEcKey(keyText, jwsCurve ? [jwsCurve] : ALL_CURVES);
		return (signed, signature) =>
			(signature.length === bareBytes &&
				verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) ||
			(!jwsCurve && verify(hash, signed, { key, dsaEncoding: 'der' }, signature));
	},
});

const ed25519 = (label: string): Algorithm => ({
	label,
	keyField: 'payloadSignaturePublicKey',
	prepare(keyText) {
		const key = readEd25519Key(keyText);
		return (signed, signature) => verify(null, signed, key, signature);
	},
});

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
