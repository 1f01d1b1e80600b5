import type { IExecuteFunctions } from 'n8n-workflow';
import { textRequest } from '../../messages/sendMessage';
import { sendOtpRequest } from '../../messages/sendOtp';
import { CREDENTIAL_TYPE, DiyalogClient } from '../../transport/client';
import type { Wait } from '../../wait/decide';
import { fromMessageId, toMessageId } from '../../wait/resumeReference';
import type { ItemOutcome } from '../operation';
import { sendMessage } from '../sending';
import { waitOn } from './runAgain';
import type { QuestionAgain } from './runAgain';

/* A wrong code is counted, and the person is told. */

/** A further text for the person who was asked, by the way of the question. */
const requestOf = ({ messageTo, customerNo }: Wait, messageId: string, text: string) => {
	if (messageTo) return textRequest(messageTo, messageId, text);
	return customerNo === null
		? undefined
		: sendOtpRequest({ customerNo, messageId, mokMessage: text });
};

/** Tells the person that the code was wrong. The new message carries the reference on, and how many tries there were. */
async function reply(context: IExecuteFunctions, wait: Wait): Promise<void> {
	if (wait.expectation.kind !== 'code') return;
	const { appSecret, previousAppSecret } = await context.getCredentials(CREDENTIAL_TYPE);
	for (const secret of [appSecret, previousAppSecret]) {
		const reference = fromMessageId(wait.messageId, [String(secret ?? '')]);
		if (!reference) continue;
		const answered = { ...reference, number: wait.wrongCodes };
		const messageId = toMessageId(answered, wait.messageIdPrefix, String(secret));
		if (messageId === undefined) return;
		const request = requestOf(wait, messageId, wait.expectation.wrongCodeReply);
		if (!request) return;
		// The right code may follow at once and is tried for 15 seconds, and Diyalog may ask for a minute before a retry.
		const client = await DiyalogClient.create(context);
		const options = { maxRetries: 0, timeoutMs: 10_000 };
		const outcome = await sendMessage(client, { messageId, request }, options);
		if (outcome.accepted) return;
		const { title, advice } = outcome.failure;
		context.logger.error(`Diyalog: the reply to a wrong code was not sent: ${title}. ${advice}`);
		return;
	}
}

/** Waits on after a wrong code. */
export async function waitAfterWrongCode(
	context: IExecuteFunctions,
	{ wait: before, input, mark }: QuestionAgain,
): Promise<ItemOutcome> {
	const wait = { ...before, wrongCodes: before.wrongCodes + 1, lastWrongCode: mark.wrongCode };
	return await waitOn(context, wait, input, async () => {
		await reply(context, wait).catch(() =>
			context.logger.error('Diyalog: the reply to a wrong code was not sent.'),
		);
	});
}
