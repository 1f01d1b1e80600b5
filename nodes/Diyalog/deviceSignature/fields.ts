import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { JWS_ALGORITHMS, METHODS } from './algorithms';
import type { Algorithms, KeyField } from './algorithms';

/** What the editor shows of formats that share their algorithms. */
interface Family {
	formats: Array<INodePropertyOptions & { value: string }>;
	algorithms: Algorithms;
	/** in which the algorithm is chosen */
	chooser: INodeProperties;
	/** what the signature covers, besides the payload */
	bindingDescription: string;
}

const optionsOf = (algorithms: Algorithms) =>
	[...algorithms].map(([value, { label }]) => ({ name: label, value }));

const FAMILIES: readonly Family[] = [
	{
		formats: [
			{
				name: 'JSON Web Signature (JWS)',
				value: 'jws',
				description: 'A token of three parts with dots between them',
			},
		],
		algorithms: JWS_ALGORITHMS,
		chooser: {
			displayName: 'Signature Algorithm',
			name: 'payloadSignatureAlgorithm',
			type: 'options',
			options: optionsOf(JWS_ALGORITHMS),
			default: 'ES256',
			description: 'The algorithm with which your app signs. Tokens with any other are invalid.',
		},
		bindingDescription:
			'Whether the token has to hold a JSON object with the texts payload and messageId. Without the ID, what was signed for one message can be used again for another.',
	},
	{
		formats: [
			{
				name: 'JSON With Payload and Signature',
				value: 'json',
				description: 'A JSON object with the texts payload and signature',
			},
			{
				name: 'Payload, Separator, Signature',
				value: 'separated',
				description: 'The payload with its signature behind a separator',
			},
			{
				name: 'Signature Alone',
				value: 'signatureOnly',
				description:
					'Only the signature, which is tried on the payloads of the question. The Diyalog Trigger does not know them and leaves it unchecked.',
			},
		],
		algorithms: METHODS,
		chooser: {
			displayName: 'Signature Method',
			name: 'payloadSignatureMethod',
			type: 'options',
			options: optionsOf(METHODS),
			default: 'ecdsaSha256',
			description: 'The algorithm with which your app signs',
		},
		bindingDescription:
			'Whether your app signs the message ID, a colon and the payload, not the payload alone. Without the ID, what was signed for one message can be used again for another. The customer is never covered; use a JWS with customerNo for that.',
	},
];

const valuesOf = ({ formats }: Family): string[] => formats.map(({ value }) => value);

const showFor = (family: Family): IDisplayOptions => ({
	show: { payloadSignature: valuesOf(family) },
});

const chooserOf = (family: Family): INodeProperties => ({
	...family.chooser,
	displayOptions: showFor(family),
});

const bindingOf = (family: Family): INodeProperties => ({
	displayName: 'Signature Covers the Message ID',
	name: 'payloadSignatureBinding',
	type: 'boolean',
	displayOptions: showFor(family),
	default: true,
	description: family.bindingDescription,
});

const whoseKey: INodeProperties = {
	displayName: 'Whose Key',
	name: 'payloadSignatureKeys',
	type: 'options',
	displayOptions: { show: { payloadSignature: FAMILIES.flatMap(valuesOf) } },
	options: [
		{
			name: "Each Person's Own",
			value: 'person',
			description:
				'The node that checks is given the keys. The Diyalog Trigger has none and leaves payloads unchecked.',
		},
		{ name: 'One for All, in This Credential', value: 'company' },
	],
	default: 'company',
	description: 'Whose key signs: that of your app, or a key of each customer or phone',
};

const signingSecret: INodeProperties & { name: KeyField } = {
	displayName: 'Signing Secret',
	name: 'payloadSignatureSecret',
	type: 'string',
	typeOptions: { password: true },
	required: true,
	default: '',
	description:
		'The secret with which your app signs payloads. HS256, HS384 and HS512 need at least 32, 48 and 64 bytes.',
};

const previousSecret: INodeProperties = {
	displayName: 'Previous Signing Secret',
	name: 'payloadSignaturePreviousSecret',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	description: 'Accepted beside the Signing Secret while your app is being given a new one',
};

const secretEncoding: INodeProperties = {
	displayName: 'Signing Secret Encoding',
	name: 'payloadSignatureSecretEncoding',
	type: 'options',
	options: [
		{ name: 'Base64 or Base64url', value: 'base64' },
		{ name: 'Hexadecimal', value: 'hex' },
		{ name: 'Text', value: 'text' },
	],
	default: 'text',
	description: 'How the bytes of the secret are written',
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
		'The public key of the pair with which your app signs: PEM, X.509 certificate, JWK or JWK set, or its bytes as Base64 or hexadecimal. Several are possible. Never enter a private key here.',
};

const withSecret = (algorithms: Algorithms): string[] =>
	[...algorithms]
		.filter(([, { keyField }]) => keyField === 'payloadSignatureSecret')
		.map(([value]) => value);

/** Older credentials hold nothing in Whose Key, so what belongs to the company is hidden, not shown, by it. */
const UNLESS_PERSON = { payloadSignatureKeys: ['person'] };

/** The fields for keys of one family: which of them is needed depends on its algorithm. */
function keysOf(family: Family): INodeProperties[] {
	const { show } = showFor(family);
	const secretMethods = { [family.chooser.name]: withSecret(family.algorithms) };
	const forSecrets = { show: { ...show, ...secretMethods } };
	const forCompanySecrets = { ...forSecrets, hide: UNLESS_PERSON };
	return [
		{ ...signingSecret, displayOptions: forCompanySecrets },
		{ ...previousSecret, displayOptions: forCompanySecrets },
		{ ...secretEncoding, displayOptions: forSecrets },
		{ ...publicKey, displayOptions: { show, hide: { ...secretMethods, ...UNLESS_PERSON } } },
	];
}

const separator: INodeProperties = {
	displayName: 'Separator',
	name: 'payloadSignatureSeparator',
	type: 'string',
	displayOptions: { show: { payloadSignature: ['separated'] } },
	required: true,
	default: '.',
	description:
		'What your app puts between payload and signature. The last one counts, so a payload may hold it as well.',
};

const signatureEncoding: INodeProperties = {
	displayName: 'Signature Encoding',
	name: 'payloadSignatureEncoding',
	type: 'options',
	displayOptions: { show: { payloadSignature: ['json', 'separated', 'signatureOnly'] } },
	options: [
		{ name: 'Base64 or Base64url', value: 'base64' },
		{ name: 'Hexadecimal', value: 'hex' },
	],
	default: 'base64',
	description: 'How your app writes the bytes of the signature',
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
			...FAMILIES.flatMap(({ formats }) => formats),
		],
		default: 'none',
		description:
			'How your app signs the payload of a button or quick reply when Sign Payload on the Device is on. The Diyalog Trigger checks it, and Require Signed Payload needs it.',
	},
	...FAMILIES.map(chooserOf),
	whoseKey,
	...FAMILIES.flatMap(keysOf),
	separator,
	signatureEncoding,
	...FAMILIES.map(bindingOf),
];
