import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/* How companies' apps sign on a phone, one for each format that the package reads, made with node:crypto alone. */

export interface Phone {
	privateKey: KeyObject;
	publicKey: string;
}

/** A phone with a key that only it has. */
export function newPhone(): Phone {
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** How an app signs, and the settings of the credential for that. */
export interface Format {
	settings: Record<string, string | boolean>;
	/** @param more claims of a token */
	signed: (phone: Phone, payload: string, messageId: string, more?: object) => string;
}

/** The settings of a format that no standard rules. */
export const plain = (format: string, rest: Record<string, string | boolean> = {}) => ({
	payloadSignature: format,
	payloadSignatureMethod: 'ecdsaSha256',
	payloadSignatureEncoding: 'base64',
	payloadSignatureBinding: false,
	...rest,
});

const signature = ({ privateKey }: Phone, text: string): Buffer =>
	sign('sha256', Buffer.from(text, 'utf8'), privateKey);

const base64url = (value: unknown): string =>
	Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

function token({ privateKey: key }: Phone, claims: object): string {
	const text = `${base64url({ alg: 'ES256' })}.${base64url(claims)}`;
	const bytes = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
	return `${text}.${bytes.toString('base64url')}`;
}

/** By what is signed. */
export const FORMATS: Readonly<Record<string, Format>> = {
	'JWS that names the message': {
		settings: {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'ES256',
			payloadSignatureBinding: true,
		},
		signed: (phone, payload, messageId) => token(phone, { payload, messageId }),
	},
	'JWS of the payload alone': {
		settings: {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'ES256',
			payloadSignatureBinding: false,
		},
		signed: (phone, payload, _, more) => token(phone, { payload, ...more }),
	},
	'payload, separator, signature': {
		settings: plain('separated', { payloadSignatureSeparator: '.' }),
		signed: (phone, payload) => `${payload}.${signature(phone, payload).toString('base64')}`,
	},
	'signature alone': {
		settings: plain('signatureOnly', { payloadSignatureEncoding: 'hex' }),
		signed: (phone, payload) => signature(phone, payload).toString('hex'),
	},
	'signature alone, of message and payload': {
		settings: plain('signatureOnly', { payloadSignatureBinding: true }),
		signed: (phone, payload, messageId) =>
			signature(phone, `${messageId}:${payload}`).toString('base64'),
	},
	JSON: {
		settings: plain('json'),
		signed: (phone, payload) =>
			JSON.stringify({ payload, signature: signature(phone, payload).toString('base64') }),
	},
};

export const formatNamed = (name: string): Format => {
	const format = FORMATS[name];
	if (!format) throw new Error(`There is no format ${name}`);
	return format;
};
