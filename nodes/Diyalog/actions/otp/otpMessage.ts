import { randomBytes, randomUUID } from 'node:crypto';
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { check } from '../../input/problem';
import type { Entered } from '../../input/shown';
import { lazily } from '../../lib/zod';
import { sendOtpRequest, sendOtpSchema, toSendOtpBody } from '../../messages/sendOtp';
import type { SendOtpInput } from '../../messages/sendOtp';
import type { DiyalogClient } from '../../transport/client';
import { requireValid } from '../errors';
import { buttonsField } from '../fields';
import { hintsOf, lengthHint } from '../hints';
import type { Message } from '../sending';
import { CodeIssuer } from './codeIssuer';

const schema = lazily(() => sendOtpSchema(randomBytes));

/** What surprises about a code from elsewhere, if anything does. */
function surpriseOf({ otpMode, code, message }: SendOtpInput): string | undefined {
	if (otpMode !== 'given') return undefined;
	if (code === undefined)
		return 'OTP Value is empty, so the message has no code. Enter one, or choose None or Generate under OTP.';
	if (message.includes(code)) return undefined;
	return 'The message does not show the code. Put {code} into it, unless your app fills the code in by itself.';
}

/**
 * Makes messages of SendOTP of what was entered.
 *
 * @param fields of the operation, which name what cannot be sent
 */
export function otpMessages(
	context: IExecuteFunctions,
	{ credentials }: DiyalogClient,
	fields: readonly INodeProperties[],
): (entered: Entered, itemIndex: number) => Message {
	const node = context.getNode();
	const issuer = new CodeIssuer(context, credentials);
	const labelled = [...fields, buttonsField];
	const hint = hintsOf(context);
	return (entered, itemIndex) => {
		const input = requireValid(node, check(schema(), entered, labelled), itemIndex);
		const body = toSendOtpBody(input, randomUUID);
		hint(surpriseOf(input));
		hint(lengthHint(body.mokMessage));
		const { messageId, customerNo } = body;
		return {
			messageId,
			recipient: { customerNo },
			request: sendOtpRequest(body),
			transactionBound: input.transaction.length > 0,
			text: input.code === undefined ? body.mokMessage : undefined,
			...issuer.watchOver(input, messageId, itemIndex),
		};
	};
}
