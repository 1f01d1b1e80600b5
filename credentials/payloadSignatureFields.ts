import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';

/*
 * How the company's app signs payloads; read by events/payloadSignature.ts. The fields for keys stand here twice, because
 * which key is needed depends on one field in a JWS and on another one with a separator.
 */

const JWS_WITH_SECRET = ['HS256', 'HS384', 'HS512'];
const METHODS_WITH_SECRET = ['hmacSha256', 'hmacSha384', 'hmacSha512'];

const forJws: IDisplayOptions = { show: { payloadSignature: ['jws'] } };
const forSeparated: IDisplayOptions = { show: { payloadSignature: ['separated'] } };

const signingSecret: INodeProperties = {
	displayName: 'Signing Secret',
	name: 'payloadSignatureSecret',
	type: 'string',
	typeOptions: { password: true },
	required: true,
	default: '',
	description:
		'The secret with which your app signs payloads, as text. HS256, HS384 and HS512 need at least 32, 48 and 64 bytes.',
};

/** Masked though no secret, as n8n asks of every field for a key; the line breaks that this costs are put back on reading. */
const publicKey: INodeProperties = {
	displayName: 'Public Key',
	name: 'payloadSignaturePublicKey',
	type: 'string',
	typeOptions: { password: true },
	required: true,
	default: '',
	placeholder: 'e.g. -----BEGIN PUBLIC KEY-----',
	description:
		'The public key of the pair with which your app signs, or its X.509 certificate, as PEM. Never enter a private key here.',
};

/** The fields of the credential that say how signed payloads are checked. */
export const payloadSignatureFields: INodeProperties[] = [
	{
		displayName: 'Signed Payloads',
		name: 'payloadSignature',
		type: 'options',
		options: [
			{
				name: 'Do Not Check',
				value: 'none',
				description: 'Pass payloads through as they are',
			},
			{
				name: 'JSON Web Signature (JWS)',
				value: 'jws',
				description: 'A token of three parts with dots between them',
			},
			{
				name: 'Payload, Separator, Signature',
				value: 'separated',
				description: 'The payload with its signature behind a separator',
			},
		],
		default: 'none',
		description:
			'How your app signs the payload of a button when Sign Payload on the Device is on. The Diyalog Trigger checks it, and Require Signed Payload needs it.',
	},
	{
		displayName: 'Signature Algorithm',
		name: 'payloadSignatureAlgorithm',
		type: 'options',
		displayOptions: forJws,
		options: [
			{ name: 'EdDSA (Ed25519)', value: 'EdDSA' },
			{ name: 'ES256 (ECDSA, P-256)', value: 'ES256' },
			{ name: 'ES384 (ECDSA, P-384)', value: 'ES384' },
			{ name: 'ES512 (ECDSA, P-521)', value: 'ES512' },
			{ name: 'HS256 (HMAC)', value: 'HS256' },
			{ name: 'HS384 (HMAC)', value: 'HS384' },
			{ name: 'HS512 (HMAC)', value: 'HS512' },
			{ name: 'PS256 (RSA-PSS)', value: 'PS256' },
			{ name: 'PS384 (RSA-PSS)', value: 'PS384' },
			{ name: 'PS512 (RSA-PSS)', value: 'PS512' },
			{ name: 'RS256 (RSA)', value: 'RS256' },
			{ name: 'RS384 (RSA)', value: 'RS384' },
			{ name: 'RS512 (RSA)', value: 'RS512' },
		],
		default: 'ES256',
		description: 'The algorithm with which your app signs. Tokens with any other are invalid.',
	},
	{
		displayName: 'Signature Method',
		name: 'payloadSignatureMethod',
		type: 'options',
		displayOptions: forSeparated,
		options: [
			{ name: 'ECDSA, SHA-256', value: 'ecdsaSha256' },
			{ name: 'ECDSA, SHA-384', value: 'ecdsaSha384' },
			{ name: 'ECDSA, SHA-512', value: 'ecdsaSha512' },
			{ name: 'Ed25519', value: 'ed25519' },
			{ name: 'HMAC, SHA-256', value: 'hmacSha256' },
			{ name: 'HMAC, SHA-384', value: 'hmacSha384' },
			{ name: 'HMAC, SHA-512', value: 'hmacSha512' },
			{ name: 'RSA (PKCS #1 v1.5), SHA-256', value: 'rsaSha256' },
			{ name: 'RSA (PKCS #1 v1.5), SHA-384', value: 'rsaSha384' },
			{ name: 'RSA (PKCS #1 v1.5), SHA-512', value: 'rsaSha512' },
			{ name: 'RSA-PSS, SHA-256', value: 'rsaPssSha256' },
			{ name: 'RSA-PSS, SHA-384', value: 'rsaPssSha384' },
			{ name: 'RSA-PSS, SHA-512', value: 'rsaPssSha512' },
		],
		default: 'ecdsaSha256',
		description: 'The algorithm with which your app signs',
	},
	{
		...signingSecret,
		displayOptions: {
			show: { payloadSignature: ['jws'], payloadSignatureAlgorithm: JWS_WITH_SECRET },
		},
	},
	{
		...signingSecret,
		displayOptions: {
			show: { payloadSignature: ['separated'], payloadSignatureMethod: METHODS_WITH_SECRET },
		},
	},
	{
		...publicKey,
		displayOptions: { ...forJws, hide: { payloadSignatureAlgorithm: JWS_WITH_SECRET } },
	},
	{
		...publicKey,
		displayOptions: { ...forSeparated, hide: { payloadSignatureMethod: METHODS_WITH_SECRET } },
	},
	{
		displayName: 'Separator',
		name: 'payloadSignatureSeparator',
		type: 'string',
		displayOptions: forSeparated,
		required: true,
		default: '.',
		description:
			'What your app puts between payload and signature. The last one counts, so a payload may hold it as well.',
	},
	{
		displayName: 'Signature Encoding',
		name: 'payloadSignatureEncoding',
		type: 'options',
		displayOptions: forSeparated,
		options: [
			{ name: 'Base64 or Base64url', value: 'base64' },
			{ name: 'Hexadecimal', value: 'hex' },
		],
		default: 'base64',
		description: 'How your app writes the bytes of the signature',
	},
	{
		displayName: 'Signature Covers the Message ID',
		name: 'payloadSignatureBinding',
		type: 'boolean',
		displayOptions: forJws,
		default: true,
		description:
			'Whether the token has to hold a JSON object with the texts payload and messageId. Without the ID, what was signed for one message can be used again for another.',
	},
	{
		displayName: 'Signature Covers the Message ID',
		name: 'payloadSignatureBinding',
		type: 'boolean',
		displayOptions: forSeparated,
		default: true,
		description:
			'Whether your app signs the message ID, a colon and the payload, not the payload alone. Without the ID, what was signed for one message can be used again for another. The customer is never covered; use a JWS with customerNo for that.',
	},
];
