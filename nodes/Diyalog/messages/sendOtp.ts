import { z } from 'zod/v4';
import type { RandomBytes } from '../codes/code';
import { codeShape, withCode } from '../codes/settings';
import type { CodeSettings } from '../codes/settings';
import { addProblem } from '../input/problem';
import {
	httpUrlText,
	optionalIdentifier,
	optionalText,
	requiredIdentifier,
	requiredText,
} from '../input/schemas';
import { buttonsSchema } from './buttons';
import type { DiyalogButton } from './buttons';
import { parseMessageResponse } from './response';

/*
 * The body of Diyalog's SendOTP request.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api
 */

const inputShape = {
	customerNo: requiredIdentifier("Enter the customer's number in your company's system."),
	message: requiredText('Enter the text that the customer reads.'),
	messageId: optionalIdentifier.transform((id, context) => {
		// A press comes back as `[<messageId>]:<payload>`: with these two characters inside, nobody could tell where the id ends.
		if (!id?.includes(']:')) return id;
		return addProblem(
			context,
			'contains "]:"',
			'Use another id: Diyalog puts these characters between id and payload.',
		);
	}),
	otpValue: optionalIdentifier,
	buttons: buttonsSchema,
	additionalFields: z
		.object({
			imageUrl: optionalText.transform((url, context) =>
				url === undefined ? undefined : httpUrlText(url, context),
			),
			txCode: optionalIdentifier,
			deviceId: optionalIdentifier,
		})
		.prefault({}),
};

const inputSchema = z.object({ ...inputShape, ...codeShape });

/** A checked message, ready to be turned into a body: its empty optional fields undefined, the code in its text. */
export interface SendOtpInput
	extends Omit<z.output<typeof inputSchema>, keyof CodeSettings | 'otpValue'>,
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
	inputSchema.transform(
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
	buttonsV2?: DiyalogButton[];
}

/**
 * Turns a checked message into the body of SendOTP. Optional fields that are empty are undefined, and not sent.
 *
 * @param newMessageId gives the id of a message that has none, e.g. a UUID
 */
export function toSendOtpBody(
	{ customerNo, messageId, message, code, buttons, additionalFields }: SendOtpInput,
	newMessageId: () => string,
): SendOtpBody {
	const { imageUrl, txCode, deviceId } = additionalFields;
	return {
		customerNo,
		messageId: messageId ?? newMessageId(),
		mokMessage: message,
		mokValue: code,
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
