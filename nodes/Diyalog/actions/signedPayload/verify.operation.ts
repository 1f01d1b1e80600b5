import type { ICredentialDataDecryptedObject, INodeProperties } from 'n8n-workflow';
import { payloadSignatureFields } from '../../deviceSignature/fields';
import { createPayloadVerifier } from '../../deviceSignature/verifier';
import { MAX_TRIES } from '../../deviceSignature/press';
import type { CheckedPayload, InvalidReason, SignatureEvidence } from '../../deviceSignature/press';
import { addProblem, check } from '../../input/problem';
import { messageIdText, optionalIdentifier } from '../../input/schemas';
import { lazily, z } from '../../lib/zod';
import { CREDENTIAL_TYPE } from '../../transport/client';
import { enteredKeys } from '../../wait/peopleInput';
import { auditOption, recordOfPayload } from '../audit';
import { invalidInputError, requireValid } from '../errors';
import { customerNoField, shownAlso } from '../fields';
import type { Operation } from '../operation';
import { parameterReader, readFields } from '../parameters';
import { personKeysField } from '../question/people.fields';
import { sameCredential } from '../sameCredential';
import { optionsField } from '../sendOptions';

/** What came of a check. Its comments are what people read in n8n. */
export type SignedPayloadVerification = {
	valid: boolean;
	/** the payload that was signed, if it is valid; if not, the payload as it came */
	payload: string;
	/** why it is not valid */
	reason?: InvalidReason;
	/** what proves it later; only if it is valid */
	evidence?: SignatureEvidence & {
		/** the payload as the phone sent it */
		signedPayload: string;
		/** ISO 8601 */
		checkedAt: string;
	};
};

/** The fields of the credential about signatures, for those whose settings come from data. */
const formatFields = payloadSignatureFields.map((field) => ({
	...shownAlso(field, { show: { signatureSettings: ['fields'] } }),
	...(field.name === 'payloadSignature' && {
		displayName: 'Format',
		options: field.options?.filter((option) => !('value' in option && option.value === 'none')),
		default: 'jws',
		description: 'How the payload carries its signature',
	}),
}));

const fields: INodeProperties[] = [
	{
		displayName: 'Payload',
		name: 'payload',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. {{ $json.payload }}',
		description:
			'As it came from the phone, without [message ID]: in front of it. Or secretData of a status callback.',
	},
	{
		displayName: 'Message ID',
		name: 'messageId',
		type: 'string',
		default: '',
		placeholder: 'e.g. {{ $json.messageId }}',
		description:
			'The ID of the message that the payload answers. If the signature has to cover the ID, do not leave this empty.',
	},
	{
		...customerNoField,
		required: false,
		description: 'The customer who answers, for tokens that name one',
	},
	{
		displayName: 'Signed Text',
		name: 'signedText',
		type: 'string',
		default: '',
		placeholder: 'e.g. approve',
		description:
			'Only for the format Signature Alone: the payload that was sent, or a list of those',
	},
	{
		displayName: 'Signature Settings',
		name: 'signatureSettings',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'From the Credential',
				value: 'credential',
				description: 'Key and format of the Diyalog API credential',
			},
			{
				name: "From the Credential, With a Person's Keys",
				value: 'person',
				description: 'The format of the credential, and keys from your data',
			},
			{ name: 'Using Fields Below', value: 'fields', description: 'Key and format from your data' },
		],
		default: 'credential',
	},
	{
		...personKeysField,
		required: true,
		displayOptions: { show: { signatureSettings: ['person'] } },
	},
	...formatFields,
	optionsField([auditOption]),
];

/** Far more than any signed payload; reading so many brackets of JSON takes half a second, in which n8n does nothing else. */
const MAX_CHARACTERS = 1_000_000;

/** Far more than any ID has. */
const MAX_ID_CHARACTERS = 10_000;

/** More than a question has answers. Each is tried with each key. */
const MAX_SIGNED_TEXTS = 100;

/** Kept to the letter: a blank more or less is another text. */
const letters = lazily(() =>
	z.unknown().transform((value, context): string => {
		const advice = 'Give the payload as it came, as text.';
		if (typeof value !== 'string' || value === '')
			return addProblem(context, 'is not a text', advice);
		if (value.length <= MAX_CHARACTERS) return value;
		return addProblem(context, `is longer than ${MAX_CHARACTERS} characters`, advice);
	}),
);

const signedTexts = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((value, context): string[] => {
			const texts: unknown[] = Array.isArray(value)
				? value
				: [value ?? ''].filter((text) => text !== '');
			const advice = 'Give the payloads that may have been signed, as text.';
			if (texts.length > MAX_SIGNED_TEXTS)
				return addProblem(context, `has more than ${MAX_SIGNED_TEXTS} entries`, advice);
			if (!texts.every((text) => typeof text === 'string'))
				return addProblem(context, 'is neither a text nor a list of texts', advice);
			const characters = texts.reduce((sum, { length }) => sum + length, 0);
			if (characters <= MAX_CHARACTERS) return texts;
			return addProblem(context, `is longer than ${MAX_CHARACTERS} characters`, advice);
		}),
);

/** To the letter, as the phone has signed for it: trimmed it would be that of another message. */
const exactMessageId = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((value, context): unknown => {
			if (typeof value !== 'string') return value;
			if (value.length > MAX_ID_CHARACTERS)
				return addProblem(
					context,
					`is longer than ${MAX_ID_CHARACTERS} characters`,
					'Give the ID as it came with the press.',
				);
			if (value === value.trim()) return value;
			return addProblem(
				context,
				'has blanks around it',
				'Give the ID to the letter, as it came with the press.',
			);
		})
		.pipe(messageIdText()),
);

/** Where nothing came of an expression, the credential's keys must not take the place of the person's own. */
const NO_KEYS = ['is empty', "Give the public keys of the person's devices."] as const;

const schema = lazily(() =>
	z.object({
		payload: letters(),
		messageId: exactMessageId(),
		customerNo: optionalIdentifier(),
		signedText: signedTexts(),
		signatureSettings: z.enum(['credential', 'person', 'fields']).default('credential'),
		personKeys: enteredKeys(NO_KEYS),
	}),
);

const verification = (
	signedPayload: string,
	{ payloadSignature, payload, evidence, reason }: CheckedPayload,
	now: Date,
): SignedPayloadVerification => ({
	valid: payloadSignature === 'valid',
	payload,
	...(reason !== undefined && { reason }),
	...(evidence && { evidence: { signedPayload, ...evidence, checkedAt: now.toISOString() } }),
});

/** Nothing says how to check it, or with what. */
const UNCHECKABLE = {
	field: 'Signature Settings',
	problem: 'do not say enough to check a signature',
	advice:
		"Choose in the Diyalog API credential how payloads are signed. For the format Signature Alone, enter the Signed Text. If each person has keys of their own, choose From the Credential, With a Person's Keys.",
};

const TOO_MANY_TRIES = {
	field: 'Signed Text',
	problem: `has too many entries for so many keys: together they make more than ${MAX_TRIES} pairs`,
	advice: 'Give only the payloads of the message that was answered.',
};

/** Items are checked one after the other: it is only computing. */
const CONCURRENCY = 1;

/** Verifies what a customer's device has signed. A signature that is not right is an answer, not an error. */
export const verify: Operation = {
	name: 'Verify',
	value: 'verify',
	action: 'Verify a signed payload',
	description: "Check what your company's app has signed on a person's device",
	fields,
	branches: ['Valid', 'Invalid'],
	async start(context) {
		const node = context.getNode();
		const credential = await context.getCredentials(CREDENTIAL_TYPE);
		const requireSame = await sameCredential(context, credential);
		const read = parameterReader(context);
		return {
			concurrency: () => CONCURRENCY,
			async execute(itemIndex) {
				await requireSame?.(itemIndex);
				const entered = readFields(read, fields, itemIndex);
				const input = requireValid(node, check(schema(), entered, fields), itemIndex);
				const { payload, messageId = '', customerNo = null, signedText, personKeys } = input;
				const settings: ICredentialDataDecryptedObject | typeof entered =
					input.signatureSettings === 'fields' ? entered : credential;
				const verifier = createPayloadVerifier(settings, personKeys);
				if (!verifier.ok) {
					const problem = {
						field: 'The signature',
						problem: `cannot be checked: ${verifier.title}`,
					};
					throw invalidInputError(node, { ...problem, advice: verifier.advice }, itemIndex);
				}
				const now = new Date();
				const issued = signedText.length > 0 ? signedText : undefined;
				const press = { messageId, payload, customerNo, issued };
				const checked = verifier.verify(press, now);
				if (checked.payloadSignature !== 'notChecked') {
					const result = verification(payload, checked, now);
					const audited = recordOfPayload(context, credential, entered, press, checked);
					return { result: { ...result, ...audited }, output: result.valid ? 0 : 1 };
				}
				const isTooMuch = signedText.length * verifier.keys.length > MAX_TRIES;
				throw invalidInputError(node, isTooMuch ? TOO_MANY_TRIES : UNCHECKABLE, itemIndex);
			},
		};
	},
};
