import type { RandomBytes } from '../codes/code';
import { codeOptionsShape, codeShape, withCode } from '../codes/settings';
import type { CodeSettings } from '../codes/settings';
import { documentedObject, filledObject } from '../input/json';
import { addIssues, addProblem } from '../input/problem';
import {
	messageIdText,
	optionalIdentifier,
	requiredIdentifier,
	requiredText,
} from '../input/schemas';
import type { Entered } from '../input/shown';
import { lazily, z } from '../lib/zod';
import {
	buttonsFromData,
	buttonsSchema,
	buttonsV2Schema,
	optionalUrl,
	requireButtons,
} from './buttons';
import type { DiyalogButton } from './buttons';
import { parseMessageResponse } from './response';

/*
 * The body of Diyalog's SendOTP request.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api
 */

const inputShape = lazily(() => ({
	customerNo: requiredIdentifier("Enter the customer's number in your company's system."),
	message: requiredText('Enter the text that the customer reads.'),
	otpValue: optionalIdentifier(),
	/** whether the code is also handed to the company's app */
	autoFill: z.boolean().default(true),
	/** what stands below the text; undefined where that is not asked */
	below: z.enum(['nothing', 'buttons']).optional(),
	buttons: buttonsSchema(),
	buttonsJson: buttonsFromData(),
	/** of a message as JSON */
	buttonsV2: buttonsV2Schema().optional(),
	options: z
		.object({
			...codeOptionsShape(),
			messageId: messageIdText(),
			imageUrl: optionalUrl(),
			txCode: optionalIdentifier(),
			deviceId: optionalIdentifier(),
		})
		.prefault({}),
}));

const inputSchema = lazily(() =>
	z
		.object({ ...inputShape(), ...codeShape() })
		.transform(
			({ below, buttonsV2, buttonsJson, buttons: entered, options, ...input }, context) => {
				const buttons = buttonsV2 ?? buttonsJson ?? entered;
				return {
					...input,
					...options,
					transaction: input.otpMode === 'given' ? options.transaction : input.transaction,
					buttons: below === 'buttons' ? requireButtons(buttons, context) : buttons,
				};
			},
		),
);

/** A whole message as JSON, under the names that Diyalog documents. */
const documentedSchema = lazily(() =>
	filledObject().pipe(
		documentedObject({
			customerNo: inputShape().customerNo,
			messageId: messageIdText(),
			mokMessage: inputShape().message,
			mokValue: z.unknown(),
			imageUrl: z.unknown(),
			txCode: z.unknown(),
			deviceId: z.unknown(),
			buttonsV2: inputShape().buttonsV2,
		}),
	),
);

/** Puts what a message as JSON says in the place of the fields. */
const withDocumented = lazily(() =>
	z.looseObject({}).transform((entered, context): Entered => {
		if (!('messageJson' in entered)) return entered;
		const { data, error } = documentedSchema().safeParse(entered.messageJson);
		if (!data) return addIssues(context, error, 'messageJson');
		const { mokMessage: message, mokValue, customerNo, buttonsV2, ...others } = data;
		const { messageId, imageUrl, txCode, deviceId } = others;
		if (mokValue !== undefined && entered.otpMode !== undefined && entered.otpMode !== 'given') {
			return addProblem(
				context,
				'has a mokValue, but OTP is not Given',
				'Choose Given under OTP, or leave mokValue out.',
				'messageJson',
			);
		}
		return {
			...entered,
			customerNo,
			message,
			otpValue: mokValue,
			buttonsV2,
			options: { ...Object(entered.options), messageId, imageUrl, txCode, deviceId },
		};
	}),
);

/** A checked message, ready to be turned into a body: its empty optional fields undefined, the code in its text. */
export interface SendOtpInput
	extends Omit<z.output<ReturnType<typeof inputSchema>>, keyof CodeSettings | 'otpValue'>,
		CodeSettings {
	/** undefined when the message has none */
	code: string | undefined;
}

/**
 * What was entered for a message of SendOTP.
 *
 * @param randomBytes the source of randomness, for the code
 */
export const sendOtpSchema = (randomBytes: RandomBytes) =>
	withDocumented()
		.pipe(inputSchema())
		.transform(
			(input, context): SendOtpInput => ({ ...input, ...withCode(input, context, randomBytes) }),
		);

/** The JSON body of `POST /v1/bots/sendmok/<token>`, its fields in the documented order. */
export interface SendOtpBody {
	customerNo: string;
	messageId: string;
	mokMessage: string;
	mokValue?: string;
	imageUrl?: string;
	txCode?: string;
	deviceId?: string;
	buttonsV2?: readonly DiyalogButton[];
}

/**
 * Turns a checked message into the body of SendOTP. Optional fields that are empty are undefined, and not sent.
 *
 * @param newMessageId gives the id of a message that has none, e.g. a UUID
 */
export function toSendOtpBody(
	{ customerNo, message, code, autoFill, buttons, ...input }: SendOtpInput,
	newMessageId: () => string,
): SendOtpBody {
	const { messageId, imageUrl, txCode, deviceId } = input;
	return {
		customerNo,
		messageId: messageId ?? newMessageId(),
		mokMessage: message,
		mokValue: autoFill ? code : undefined,
		imageUrl,
		txCode,
		deviceId,
		buttonsV2: buttons.length > 0 ? buttons : undefined,
	};
}

/** The request that sends a message as an OTP. */
export const sendOtpRequest = (body: SendOtpBody) => ({
	path: '/v1/bots/sendmok',
	body,
	parse: parseMessageResponse,
});
