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
			description: 'The algorithm that your app uses. Tokens with another one are invalid.',
		},
		bindingDescription:
			'Whether the token must hold a JSON object with the texts payload and messageId. Without the ID, a signature for one message fits other messages too.',
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
					'The signature without a payload. The node tries it on the payloads of the question. The Diyalog Trigger does not know these payloads and checks nothing.',
			},
		],
		algorithms: METHODS,
		chooser: {
			displayName: 'Signature Method',
			name: 'payloadSignatureMethod',
			type: 'options',
			options: optionsOf(METHODS),
			default: 'ecdsaSha256',
			description: 'The algorithm that your app uses',
		},
		bindingDescription:
			'Whether your app signs the message ID, a colon and the payload, not the payload alone. Without the ID, a signature for one message fits other messages too. It never covers the customer. Use a JWS with customerNo for that.',
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
				'You give the keys to the node that checks. The Diyalog Trigger has no keys and checks nothing.',
		},
		{ name: 'One for All, in This Credential', value: 'company' },
	],
	default: 'company',
	description: 'The app signs with one key, or each customer or phone has a key of its own',
};

const signingSecret: INodeProperties & { name: KeyField } = {
	displayName: 'Signing Secret',
	name: 'payloadSignatureSecret',
	type: 'string',
	typeOptions: { password: true },
	required: true,
	default: '',
	description:
		'Your app signs payloads with this secret. HS256, HS384 and HS512 need at least 32, 48 and 64 bytes.',
};

const previousSecret: INodeProperties = {
	displayName: 'Previous Signing Secret',
	name: 'payloadSignaturePreviousSecret',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	description: 'The old Signing Secret, accepted while you give your app a new one',
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
		'The public key of the pair that your app uses. It can be PEM, an X.509 certificate, a JWK or JWK set, or its bytes as Base64 or hexadecimal. Several keys are possible. Never enter a private key here.',
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
		'What your app puts between payload and signature. The last one counts, so a payload can hold it too.',
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
			'How your app signs the payload of a button or quick reply. It does so when Sign Payload on the Device is on. The Diyalog Trigger checks the signature, and Require Signed Payload needs this field.',
	},
	...FAMILIES.map(chooserOf),
	whoseKey,
	...FAMILIES.flatMap(keysOf),
	separator,
	signatureEncoding,
	...FAMILIES.map(bindingOf),
];
