import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import { JWS_ALGORITHMS, METHODS } from './algorithms';
import type { Algorithms, KeyField } from './algorithms';

/** What the editor shows of one format. */
interface FormatFields {
	option: { name: string; value: string; description: string };
	algorithms: Algorithms;
	/** in which the algorithm is chosen */
	chooser: INodeProperties;
	/** what only this format needs */
	own: INodeProperties[];
	/** whether the signature covers the message id */
	binding: INodeProperties;
}

const optionsOf = (algorithms: Algorithms) =>
	[...algorithms].map(([value, { label }]) => ({ name: label, value }));

const forJws: IDisplayOptions = { show: { payloadSignature: ['jws'] } };
const forSeparated: IDisplayOptions = { show: { payloadSignature: ['separated'] } };

const FORMATS: readonly FormatFields[] = [
	{
		option: {
			name: 'JSON Web Signature (JWS)',
			value: 'jws',
			description: 'A token of three parts with dots between them',
		},
		algorithms: JWS_ALGORITHMS,
		chooser: {
			displayName: 'Signature Algorithm',
			name: 'payloadSignatureAlgorithm',
			type: 'options',
			displayOptions: forJws,
			options: optionsOf(JWS_ALGORITHMS),
			default: 'ES256',
			description: 'The algorithm with which your app signs. Tokens with any other are invalid.',
		},
		own: [],
		binding: {
			displayName: 'Signature Covers the Message ID',
			name: 'payloadSignatureBinding',
			type: 'boolean',
			displayOptions: forJws,
			default: true,
			description:
				'Whether the token has to hold a JSON object with the texts payload and messageId. Without the ID, what was signed for one message can be used again for another.',
		},
	},
	{
		option: {
			name: 'Payload, Separator, Signature',
			value: 'separated',
			description: 'The payload with its signature behind a separator',
		},
		algorithms: METHODS,
		chooser: {
			displayName: 'Signature Method',
			name: 'payloadSignatureMethod',
			type: 'options',
			displayOptions: forSeparated,
			options: optionsOf(METHODS),
			default: 'ecdsaSha256',
			description: 'The algorithm with which your app signs',
		},
		own: [
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
		],
		binding: {
			displayName: 'Signature Covers the Message ID',
			name: 'payloadSignatureBinding',
			type: 'boolean',
			displayOptions: forSeparated,
			default: true,
			description:
				'Whether your app signs the message ID, a colon and the payload, not the payload alone. Without the ID, what was signed for one message can be used again for another. The customer is never covered; use a JWS with customerNo for that.',
		},
	},
];

const withSecret = (algorithms: Algorithms): string[] =>
	[...algorithms]
		.filter(([, { keyField }]) => keyField === 'payloadSignatureSecret')
		.map(([value]) => value);

const signingSecret: INodeProperties & { name: KeyField } = {
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
const publicKey: INodeProperties & { name: KeyField } = {
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

/** The fields for keys of one format: which of them is needed depends on the format's own field for the algorithm. */
const secretOf = ({ algorithms, chooser }: FormatFields): INodeProperties => ({
	...signingSecret,
	displayOptions: {
		show: { ...chooser.displayOptions?.show, [chooser.name]: withSecret(algorithms) },
	},
});

const publicKeyOf = ({ algorithms, chooser }: FormatFields): INodeProperties => ({
	...publicKey,
	displayOptions: { ...chooser.displayOptions, hide: { [chooser.name]: withSecret(algorithms) } },
});

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
			...FORMATS.map(({ option }) => option),
		],
		default: 'none',
		description:
			'How your app signs the payload of a button or quick reply when Sign Payload on the Device is on. The Diyalog Trigger checks it, and Require Signed Payload needs it.',
	},
	...FORMATS.map(({ chooser }) => chooser),
	...FORMATS.map(secretOf),
	...FORMATS.map(publicKeyOf),
	...FORMATS.flatMap(({ own }) => own),
	...FORMATS.map(({ binding }) => binding),
];
