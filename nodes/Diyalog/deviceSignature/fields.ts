import type { INodeProperties } from 'n8n-workflow';
import { JWS_ALGORITHMS, METHODS } from './algorithms';
import type { Algorithms, KeyField } from './algorithms';

/** What the editor shows of one format. */
interface FormatFields {
	option: { name: string; value: string; description: string };
	algorithms: Algorithms;
	/** the field in which the algorithm is chosen */
	chooser: { displayName: string; name: string; default: string; description: string };
	/** what only this format needs */
	own: INodeProperties[];
	/** of Signature Covers the Message ID */
	bindingDescription: string;
}

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
			default: 'ES256',
			description: 'The algorithm with which your app signs. Tokens with any other are invalid.',
		},
		own: [],
		bindingDescription:
			'Whether the token has to hold a JSON object with the texts payload and messageId. Without the ID, what was signed for one message can be used again for another.',
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
			default: 'ecdsaSha256',
			description: 'The algorithm with which your app signs',
		},
		own: [
			{
				displayName: 'Separator',
				name: 'payloadSignatureSeparator',
				type: 'string',
				displayOptions: { show: { payloadSignature: ['separated'] } },
				required: true,
				default: '.',
				description:
					'What your app puts between payload and signature. The last one counts, so a payload may hold it as well.',
			},
			{
				displayName: 'Signature Encoding',
				name: 'payloadSignatureEncoding',
				type: 'options',
				displayOptions: { show: { payloadSignature: ['separated'] } },
				options: [
					{ name: 'Base64 or Base64url', value: 'base64' },
					{ name: 'Hexadecimal', value: 'hex' },
				],
				default: 'base64',
				description: 'How your app writes the bytes of the signature',
			},
		],
		bindingDescription:
			'Whether your app signs the message ID, a colon and the payload, not the payload alone. Without the ID, what was signed for one message can be used again for another. The customer is never covered; use a JWS with customerNo for that.',
	},
];

const chooserOf = ({ option, algorithms, chooser }: FormatFields): INodeProperties => ({
	displayName: chooser.displayName,
	name: chooser.name,
	type: 'options',
	displayOptions: { show: { payloadSignature: [option.value] } },
	options: [...algorithms].map(([value, { label }]) => ({ name: label, value })),
	default: chooser.default,
	description: chooser.description,
});

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

/*
 * Fields for keys stand in the credential once for each format, because which key is needed depends on another field in each.
 */
const secretOf = ({ option, algorithms, chooser }: FormatFields): INodeProperties => ({
	...signingSecret,
	displayOptions: {
		show: { payloadSignature: [option.value], [chooser.name]: withSecret(algorithms) },
	},
});

const publicKeyOf = ({ option, algorithms, chooser }: FormatFields): INodeProperties => ({
	...publicKey,
	displayOptions: {
		show: { payloadSignature: [option.value] },
		hide: { [chooser.name]: withSecret(algorithms) },
	},
});

const bindingOf = ({ option, bindingDescription }: FormatFields): INodeProperties => ({
	displayName: 'Signature Covers the Message ID',
	name: 'payloadSignatureBinding',
	type: 'boolean',
	displayOptions: { show: { payloadSignature: [option.value] } },
	default: true,
	description: bindingDescription,
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
			'How your app signs the payload of a button when Sign Payload on the Device is on. The Diyalog Trigger checks it, and Require Signed Payload needs it.',
	},
	...FORMATS.map(chooserOf),
	...FORMATS.map(secretOf),
	...FORMATS.map(publicKeyOf),
	...FORMATS.flatMap(({ own }) => own),
	...FORMATS.map(bindingOf),
];
