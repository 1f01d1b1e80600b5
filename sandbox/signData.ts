import {
	constants,
	createHash,
	createHmac,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	sign,
} from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { z } from 'zod';

const families = ['HS', 'RS', 'PS', 'ES'] as const;
const bits = ['256', '384', '512'] as const;
const algorithms = [
	'EdDSA',
	// The newer name of the same signature, of RFC 9864.
	'Ed25519',
	...families.flatMap((family) => bits.map((size) => `${family}${size}` as const)),
] as const;
const curves: Record<string, string> = {
	ES256: 'prime256v1',
	ES384: 'secp384r1',
	ES512: 'secp521r1',
};
/** Android's Base64.DEFAULT breaks lines here, and ends the last one too. */
const LINE_CHARACTERS = 76;

const keyText = z.string().min(1);

/** How the company's app signs the payload of a button. The format is the company's own choice. */
export const signDataSchema = z
	.object({
		/**
		 * A JWS in compact form; `payload<separator>signature`; the signature in place of the payload; or
		 * `{"payload","signature"}`.
		 */
		scheme: z.enum(['jws', 'separator', 'signatureOnly', 'json']).default('jws'),
		/** By its JWS name in all schemes: ES256 is ECDSA with P-256 and SHA-256. */
		algorithm: z.enum(algorithms).default('HS256'),
		/** One key on all phones, or each phone its own, made when it is first needed. */
		keys: z.enum(['shared', 'perPhone']).default('shared'),
		/** Of all phones. HS: the secret. Otherwise a private key as PEM; without one a fresh pair is made. */
		key: keyText.optional(),
		/** Keys of some phones, with `keys` "perPhone". One of the names is enough. */
		phoneKeys: z
			.array(
				z
					.object({
						customerNo: z.string().optional(),
						employeeNo: z.string().optional(),
						userId: z.string().optional(),
						key: keyText,
					})
					.strict(),
			)
			.default([]),
		/** JWS: the header names the key as `kid`, by its thumbprint. */
		keyId: z.boolean().default(false),
		separator: z.string().min(1).default('.'),
		/** Of the signature, outside of JWS. */
		encoding: z.enum(['hex', 'base64', 'base64url']).default('base64'),
		/** The encoded signature has lines of 76 characters, as from Android's Base64.DEFAULT. */
		lineBreaks: z.boolean().default(false),
		/** ECDSA outside of JWS: as OpenSSL writes it, or the bare r and s. */
		ecdsaEncoding: z.enum(['der', 'ieee-p1363']).default('der'),
		/** Outside of JWS: sign "<messageId>:<payload>" instead of the payload alone. */
		bindMessageId: z.boolean().default(true),
	})
	.strict()
	.refine(({ keys, key }) => keys === 'shared' || key === undefined, {
		path: ['key'],
		message: 'is for keys "shared"; give phoneKeys instead',
	})
	.refine(({ phoneKeys }) => new Set(phoneKeys.map(({ key }) => key)).size === phoneKeys.length, {
		path: ['phoneKeys'],
		message: 'two phones have the same key',
	})
	.refine(({ keys, phoneKeys }) => keys === 'perPhone' || phoneKeys.length === 0, {
		path: ['phoneKeys'],
		message: 'are for keys "perPhone"',
	});

export type SignDataConfig = z.output<typeof signDataSchema>;
type Algorithm = SignDataConfig['algorithm'];

/** A private key, or with HS the secret. */
export type SigningKey = KeyObject | string;

export interface Claims {
	payload: string;
	messageId: string;
	customerNo?: string;
	/** In place of the customer's number. */
	employeeNo?: string;
	/** Seconds since the epoch. */
	iat: number;
}

/** A public key in the forms in which a company stores it. */
export interface PublicKey {
	/** SPKI as PEM. */
	pem: string;
	/** SPKI's DER in base64, on one line: what Android's getEncoded() gives. */
	spki: string;
	/** With the thumbprint as `kid`. */
	jwk: JsonWebKey & { kid: string };
	/** SHA-256 of SPKI's DER, in lower-case hex. */
	thumbprint: string;
}

/** The payload as the webhook carries it: signed in the format of the configuration. */
export function signData(config: SignDataConfig, claims: Claims, key: SigningKey): string {
	const { payload, messageId } = claims;
	if (config.scheme === 'jws') {
		const kid = config.keyId ? publicKeyOf(key)?.thumbprint : undefined;
		const input = `${base64url({ alg: config.algorithm, kid })}.${base64url(claims)}`;
		return `${input}.${signatureOf(config, input, key, 'ieee-p1363').toString('base64url')}`;
	}
	const input = config.bindMessageId ? `${messageId}:${payload}` : payload;
	const bytes = signatureOf(config, input, key, config.ecdsaEncoding);
	const signature = inLines(bytes.toString(config.encoding), config.lineBreaks);
	if (config.scheme === 'signatureOnly') return signature;
	if (config.scheme === 'json') return JSON.stringify({ payload, signature });
	return payload + config.separator + signature;
}

/** Absent with HS, where both sides have the secret. */
export function publicKeyOf(key: SigningKey): PublicKey | undefined {
	if (typeof key === 'string') return undefined;
	const publicKey = createPublicKey(key);
	const der = publicKey.export({ type: 'spki', format: 'der' });
	const thumbprint = createHash('sha256').update(der).digest('hex');
	return {
		pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
		spki: der.toString('base64'),
		jwk: { ...publicKey.export({ format: 'jwk' }), kid: thumbprint },
		thumbprint,
	};
}

/** The key of the configuration; `field` says where it stands. Throws, without showing it, if it does not fit. */
export function readKey(algorithm: Algorithm, text: string, field: string): SigningKey {
	if (algorithm.startsWith('HS')) return text;
	const key = readPrivateKey(text);
	const fits =
		key?.asymmetricKeyType === keyType(algorithm) &&
		key.asymmetricKeyDetails?.namedCurve === curves[algorithm];
	if (key && fits) return key;
	throw new Error(`${field} is no private key for ${algorithm}. Give one as PEM, or none.`);
}

export function freshKey(algorithm: Algorithm, secret: string): SigningKey {
	if (algorithm.startsWith('HS')) return secret;
	const type = keyType(algorithm);
	if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
	if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
	return generateKeyPairSync('ec', { namedCurve: curves[algorithm] ?? '' }).privateKey;
}

function signatureOf(
	{ algorithm }: SignDataConfig,
	input: string,
	key: SigningKey,
	dsaEncoding: 'der' | 'ieee-p1363',
): Buffer {
	const hash = `sha${algorithm.slice(2)}`;
	if (typeof key === 'string') return createHmac(hash, key).update(input, 'utf8').digest();
	const bytes = Buffer.from(input, 'utf8');
	if (keyType(algorithm) === 'ed25519') return sign(null, bytes, key);
	if (!algorithm.startsWith('PS')) return sign(hash, bytes, { key, dsaEncoding });
	const padding = constants.RSA_PKCS1_PSS_PADDING;
	return sign(hash, bytes, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

function inLines(text: string, breaks: boolean): string {
	if (!breaks) return text;
	return text.replace(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g'), '$&\n');
}

function readPrivateKey(pem: string): KeyObject | undefined {
	try {
		return createPrivateKey(pem);
	} catch {
		return undefined;
	}
}

function keyType(algorithm: Algorithm): 'ec' | 'ed25519' | 'rsa' {
	if (algorithm.startsWith('Ed')) return 'ed25519';
	return algorithm.startsWith('ES') ? 'ec' : 'rsa';
}

function base64url(value: object): string {
	return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
