import { z } from 'zod/v4';
import { parseExactJson } from '../lib/exactJson';
import { shownText } from '../codes/placeholders';
import {
	helpOf,
	httpUrlText,
	optionalIdentifier,
	optionalText,
	refuse,
	requiredIdentifier,
	requiredText,
} from '../input/schemas';

/*
 * The body of Diyalog's SendOTP request and its answer.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api
 */

const title = requiredText('Enter the words that stand on the button, e.g. Approve.').transform(
	shownText,
);

const postbackButton = z.object({
	type: z.literal('postback'),
	title,
	payload: requiredText('Enter what the press sends back to you, e.g. approve.'),
	payloadHidden: z.boolean().optional(),
	payloadSeenByUser: optionalText.transform((text, context) =>
		text === undefined ? undefined : shownText(text, context),
	),
});

const WEB_URL_LABEL = 'Address';

const webUrlButton = z.object({
	type: z.literal('web_url'),
	title,
	payload: requiredText({
		advice: 'Enter the address that the button opens, e.g. https://www.example.com.',
		label: WEB_URL_LABEL,
	}).transform((url, context) => httpUrlText(url, context, WEB_URL_LABEL)),
});

const messageId = optionalIdentifier.transform((id, context) => {
	// A press comes back as `[<messageId>]:<payload>`: with these two characters inside, nobody could tell where the id ends.
	if (!id?.includes(']:')) return id;
	return refuse(
		context,
		'contains "]:"',
		'Use another id: Diyalog puts these characters between id and payload.',
	);
});

/** What JavaScript, and so an expression, makes of an object inside a text. */
const OBJECT_AS_TEXT = '[object Object]';

const sendOtpInputSchema = z.object({
	customerNo: requiredIdentifier("Enter the customer's number in your company's system."),
	message: requiredText('Enter the text that the customer reads.').transform((text, context) =>
		text.includes(OBJECT_AS_TEXT)
			? refuse(
					context,
					'has an object where the customer should read a text',
					'Take one of its fields in the expression, or all as JSON: {{ JSON.stringify(...) }}.',
				)
			: text,
	),
	messageId,
	otpValue: optionalIdentifier,
	buttons: z
		.object({
			button: z.array(z.discriminatedUnion('type', [postbackButton, webUrlButton])).default([]),
		})
		.prefault({}),
	additionalFields: z
		.object({
			imageUrl: optionalText.transform((url, context) =>
				url === undefined ? undefined : httpUrlText(url, context),
			),
			txCode: optionalIdentifier,
			deviceId: optionalIdentifier,
		})
		.prefault({}),
});

/** A checked OTP message, ready to be turned into a body. */
export type SendOtpInput = z.output<typeof sendOtpInputSchema>;

/** The labels under which people know the fields; a path without one is its own name. */
const FIELD_LABELS: Readonly<Record<string, string>> = {
	customerNo: 'Customer Number',
	message: 'Message',
	messageId: 'Message ID',
	otpValue: 'OTP Value',
	buttons: 'Buttons',
	additionalFields: 'Additional Fields',
	imageUrl: 'Image URL',
	txCode: 'Transaction Code',
	deviceId: 'Device ID',
	type: 'Type',
	title: 'Title',
	payload: 'Payload',
	payloadHidden: 'Sign Payload on the Device',
	payloadSeenByUser: 'Text Shown When Pressed',
	otpMode: 'OTP',
	codeLength: 'Code Length',
	codeCharacters: 'Code Characters',
	validMinutes: 'Valid for (Minutes)',
	transaction: 'Transaction',
	amount: 'Amount',
	currency: 'Currency',
	payee: 'Payee',
	otherFields: 'Other Fields',
	name: 'Name',
	value: 'Value',
	resendLimits: 'Resend Limits',
	maxCodes: 'Codes in the Window',
	windowMinutes: 'Window (Minutes)',
	firstGapSeconds: 'First Gap (Seconds)',
};

function labelOf(path: readonly PropertyKey[], given: string | undefined): string {
	const name = path.at(-1);
	const label = given ?? FIELD_LABELS[String(name)] ?? 'Input';
	const index = path.find((part) => typeof part === 'number');
	if (typeof index !== 'number') return label;
	const element = `${path[0] === 'buttons' ? 'Button' : 'Field'} ${index + 1}`;
	return typeof name === 'number' ? element : `${element}: ${label}`;
}

/**
 * Why what was entered cannot be sent: the field as the editor calls it (e.g. `Button 2: Title`), what is wrong as the
 * rest of that sentence, and what to do. Never the value: it may be a code or a customer's data.
 */
export interface InputProblem {
	field: string;
	problem: string;
	advice: string;
}

/** What checking found: the typed message, or the first field that cannot be sent. */
export type CheckedInput =
	| { valid: true; input: SendOtpInput }
	| { valid: false; problem: InputProblem };

/**
 * Checks what was entered for one OTP message.
 *
 * @param raw the node's parameters, as they came: texts, numbers from a spreadsheet, anything from an expression
 * @returns the typed message, its empty optional fields undefined, or what is wrong
 */
export function checkSendOtpInput(raw: unknown): CheckedInput {
	const parsed = sendOtpInputSchema.safeParse(raw);
	if (parsed.success) return { valid: true, input: parsed.data };
	return { valid: false, problem: problemOf(parsed.error) };
}

/** The first problem that a schema of this package found, in the words of the editor. */
export function problemOf({ issues: [issue] }: z.ZodError): InputProblem {
	const problem = issue?.code === 'custom' ? issue.message : 'has a value that is not possible';
	const { advice, label } = helpOf(issue);
	return { field: labelOf(issue?.path ?? [], label), problem, advice };
}

/** One button as SendOTP takes it. */
export interface SendOtpButton {
	type: 'postback' | 'web_url';
	title: string;
	/** postback: comes back through the webhook; web_url: the address that the device opens */
	payload: string;
	/** postback only: the payload comes back signed by the company's app */
	payloadHidden?: true;
	/** shown in the chat when pressed, instead of the payload */
	payloadSeenByUser?: string;
}

/** The JSON body of `POST /v1/bots/sendmok/<token>`, its fields in the documented order. */
export interface SendOtpBody {
	customerNo: string;
	messageId: string;
	mokMessage: string;
	mokValue?: string;
	imageUrl?: string;
	txCode?: string;
	deviceId?: string;
	buttonsV2?: SendOtpButton[];
}

function toButton(button: SendOtpInput['buttons']['button'][number]): SendOtpButton {
	if (button.type === 'web_url') return button;
	const { type, payload, payloadHidden, payloadSeenByUser } = button;
	return {
		type,
		title: button.title,
		payload,
		...(payloadHidden && { payloadHidden }),
		...(payloadSeenByUser !== undefined && { payloadSeenByUser }),
	};
}

/**
 * Turns a checked message into the body of SendOTP. Optional fields that are empty are left out.
 *
 * @param input the message
 * @param newMessageId gives the id of a message that has none, e.g. a UUID
 */
export function toSendOtpBody(input: SendOtpInput, newMessageId: () => string): SendOtpBody {
	const { customerNo, message, otpValue, additionalFields } = input;
	const { imageUrl, txCode, deviceId } = additionalFields;
	const buttons = input.buttons.button.map(toButton);
	return {
		customerNo,
		messageId: input.messageId ?? newMessageId(),
		mokMessage: message,
		...(otpValue !== undefined && { mokValue: otpValue }),
		...(imageUrl !== undefined && { imageUrl }),
		...(txCode !== undefined && { txCode }),
		...(deviceId !== undefined && { deviceId }),
		...(buttons.length > 0 && { buttonsV2: buttons }),
	};
}

const exactId = z
	.union([z.string().min(1), z.number().int()])
	.transform((id) => (typeof id === 'number' ? String(id) : id));

const sendOtpAnswerSchema = z
	.object({ recipient_id: exactId, message_id: exactId })
	.transform((answer) => ({
		recipientId: answer.recipient_id,
		diyalogMessageId: answer.message_id,
	}));

/** Diyalog's answer to an accepted message; both ids are 64-bit integers as text. */
export type SendOtpAnswer = z.output<typeof sendOtpAnswerSchema>;

/**
 * Reads Diyalog's answer to an accepted SendOTP request.
 *
 * @param text the body of a 2xx answer
 * @returns the ids, or undefined when the text is not such an answer
 */
export function parseSendOtpAnswer(text: string): SendOtpAnswer | undefined {
	try {
		return sendOtpAnswerSchema.safeParse(parseExactJson(text)).data;
	} catch {
		return undefined;
	}
}
