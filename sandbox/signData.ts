import {
	constants,
	createHmac,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	randomBytes,
	sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';

const families = ['HS', 'RS', 'PS', 'ES'] as const;
const bits = ['256', '384', '512'] as const;
const algorithms = [
	'EdDSA',
	...families.flatMap((family) => bits.map((size) => `${family}${size}` as const)),
] as const;
const curves: Record<string, string> = {
	ES256: 'prime256v1',
	ES384: 'secp384r1',
	ES512: 'secp521r1',
};
export const SHARED_BY_DEFAULT = 'sandbox-signing-secret-of-64-characters-the-length-hs512-wants--';

/** How the company's app signs the payload of a button. The format is the company's own choice. */
export const signDataSchema = z
	.object({
		/** A JWS in compact form, or `payload<separator>signature`. */
		scheme: z.enum(['jws', 'separator']).default('jws'),
		/** By its JWS name in both schemes: ES256 is ECDSA with P-256 and SHA-256. */
		algorithm: z.enum(algorithms).default('HS256'),
		/** HS: the secret. Otherwise a private key as PEM; without one a fresh pair is made. */
		key: z.string().min(1).optional(),
		separator: z.string().min(1).default('.'),
		encoding: z.enum(['hex', 'base64', 'base64url']).default('base64'),
		/** ECDSA outside of JWS: as OpenSSL writes it, or the bare r and s. */
		ecdsaEncoding: z.enum(['der', 'ieee-p1363']).default('der'),
		/** Separator scheme: sign "<messageId>:<payload>" instead of the payload alone. */
		bindMessageId: z.boolean().default(true),
	})
	.strict();

type SignDataConfig = z.output<typeof signDataSchema>;

export interface Claims {
	payload: string;
	messageId: string;
	customerNo?: string;
	/** In place of the customer's number. */
	employeeNo?: string;
	/** Seconds since the epoch. */
	iat: number;
}

/** The company's app: holds the key that is on the customer's device. */
export class CompanyApp {
	/** For whoever verifies; absent with HS, where both sides have the secret. */
	readonly publicKey?: string;
	private readonly key: KeyObject | string;
	private forgersKey?: KeyObject | string;

	constructor(private readonly config: SignDataConfig) {
		this.key = givenKey(config) ?? freshKey(config);
		if (typeof this.key === 'string') return;
		this.publicKey = createPublicKey(this.key).export({ type: 'spki', format: 'pem' }).toString();
	}

	/** `forged`: the very same text, signed by someone who has another key. */
	signData(claims: Claims, forged: boolean): string {
		const { scheme, algorithm, separator, encoding, ecdsaEncoding, bindMessageId } = this.config;
		if (scheme === 'jws') {
			const input = `${base64url({ alg: algorithm })}.${base64url(claims)}`;
			return `${input}.${this.signature(input, 'ieee-p1363', forged).toString('base64url')}`;
		}
		const input = bindMessageId ? `${claims.messageId}:${claims.payload}` : claims.payload;
		const signature = this.signature(input, ecdsaEncoding, forged).toString(encoding);
		return claims.payload + separator + signature;
	}

	private signature(input: string, dsaEncoding: 'der' | 'ieee-p1363', forged: boolean): Buffer {
		if (forged) this.forgersKey ??= freshKey(this.config, randomBytes(64).toString('hex'));
		const key = (forged ? this.forgersKey : undefined) ?? this.key;
		const hash = `sha${this.config.algorithm.slice(2)}`;
		if (typeof key === 'string') return createHmac(hash, key).update(input, 'utf8').digest();
		const bytes = Buffer.from(input, 'utf8');
		if (this.config.algorithm === 'EdDSA') return sign(null, bytes, key);
		if (!this.config.algorithm.startsWith('PS')) return sign(hash, bytes, { key, dsaEncoding });
		const padding = constants.RSA_PKCS1_PSS_PADDING;
		return sign(hash, bytes, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
	}
}

function givenKey({ algorithm, key: text }: SignDataConfig): KeyObject | string | undefined {
	if (text === undefined || algorithm.startsWith('HS')) return text;
	const key = readPrivateKey(text);
	const fits =
		key?.asymmetricKeyType === keyType(algorithm) &&
		key.asymmetricKeyDetails?.namedCurve === curves[algorithm];
	if (key && fits) return key;
	throw new Error(`signData.key is no private key for ${algorithm}. Give one as PEM, or none.`);
}

function readPrivateKey(pem: string): KeyObject | undefined {
	try {
		return createPrivateKey(pem);
	} catch {
		return undefined;
	}
}

function keyType(algorithm: SignDataConfig['algorithm']): 'ec' | 'ed25519' | 'rsa' {
	if (algorithm === 'EdDSA') return 'ed25519';
	return algorithm.startsWith('ES') ? 'ec' : 'rsa';
}

function freshKey({ algorithm }: SignDataConfig, secret = SHARED_BY_DEFAULT) {
	if (algorithm.startsWith('HS')) return secret;
	const type = keyType(algorithm);
	if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
	if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
	return generateKeyPairSync('ec', { namedCurve: curves[algorithm] ?? '' }).privateKey;
}

function base64url(value: object): string {
	return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
