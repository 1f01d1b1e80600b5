import type { IDataObject, IExecuteFunctions, IWebhookFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';
import { checkSendOtpInput, toSendOtpBody } from '../../messages/sendOtp';
import { CREDENTIAL_TYPE, DiyalogClient } from '../../transport/client';
import { GRACE_MS } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import { EXPIRED, outcomeOf } from '../../wait/outcome';
import { fromMessageId, toMessageId } from '../../wait/resumeReference';
import { isOfAnotherExecution, readStored, storeWait } from './storedWait';

/*
 * A wrong code is counted by letting the execution continue, into this very node, which asks again and waits on. n8n
 * continues an execution only if it still waits, whichever of its processes is asked, and stores it anew; so of any
 * number of guesses at the same time no more count than are allowed, also over a restart. A webhook of a waiting node could
 * store nothing otherwise.
 */

/** Field of the item with which the node is run again. */
const WRONG_CODE_KEY = 'diyalogWrongCode';

const markSchema = z.object({ turn: z.string(), proof: z.string() });

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** n8n marks the waiting node as disabled, so that it passes on what the webhook gives. */
const pausedSchema = z.object({
	executeData: z.object({ node: z.custom<{ disabled?: boolean }>(isObject) }),
});

/**
 * Has n8n run the waiting node again when the execution continues, in the webhook that a wrong code came to.
 *
 * @param outcome the item with which the question ends if n8n does not do so; it is no approval
 * @param proof tells this answer from others
 * @returns the item for n8n
 */
export function countWrongCode(
	context: IWebhookFunctions,
	{ turn }: Wait,
	outcome: IDataObject,
	proof: string,
): IDataObject {
	const { data: paused } = pausedSchema.safeParse(context);
	if (paused) paused.executeData.node.disabled = false;
	return { ...outcome, [WRONG_CODE_KEY]: { turn, proof } };
}

/** A question to which a wrong code was given. */
export interface QuestionAgain {
	wait: Wait;
	input: IDataObject;
}

/** Whether the node is run again because of a wrong code; undefined when it is run for the first time. */
export function readWrongCode(context: IExecuteFunctions): QuestionAgain | undefined {
	const [item] = context.getInputData();
	const { data: mark } = markSchema.safeParse(item?.json[WRONG_CODE_KEY]);
	if (!mark) return undefined;
	const { wait, input } = readStored(context);
	if (wait?.turn !== mark.turn || wait.expectation.kind !== 'code') return undefined;
	// Answers would not find the execution that retries it: it has to ask anew.
	if (isOfAnotherExecution(context, wait)) return undefined;
	const counted = { wrongCodes: wait.wrongCodes + 1, lastWrongCode: mark.proof };
	return { wait: { ...wait, ...counted }, input };
}

/** Tells the customer that the code was wrong. The new message carries the reference on, and how many tries there were. */
async function reply(context: IExecuteFunctions, wait: Wait): Promise<void> {
	if (wait.expectation.kind !== 'code') return;
	const { appSecret, previousAppSecret } = await context.getCredentials(CREDENTIAL_TYPE);
	for (const secret of [appSecret, previousAppSecret]) {
		const reference = fromMessageId(wait.messageId, [String(secret ?? '')]);
		if (!reference) continue;
		const answered = { ...reference, attempt: wait.wrongCodes };
		const messageId = toMessageId(answered, wait.messageIdPrefix, String(secret));
		const { customerNo, expectation } = wait;
		const input = { customerNo, message: expectation.wrongCodeReply, messageId };
		const checked = checkSendOtpInput(input);
		if (messageId === undefined || !checked.valid) return;
		// Meanwhile no answer can be taken, and triggers try for seconds only.
		const options = { concurrency: 1, maxRetries: 0, timeoutMs: 10_000 };
		const client = await DiyalogClient.create(context, options);
		const outcome = await client.sendOtp(toSendOtpBody(checked.input, () => messageId));
		if (outcome.accepted) return;
		const { title, advice } = outcome.failure;
		context.logger.error(`Diyalog: the reply to a wrong code was not sent: ${title}. ${advice}`);
		return;
	}
}

/**
 * Waits on after a wrong code. It must not fail: n8n would end the execution.
 *
 * @returns what comes out when the time is up
 */
export async function waitAgain(
	context: IExecuteFunctions,
	{ wait, input }: QuestionAgain,
): Promise<IDataObject> {
	storeWait(context, wait, input);
	await reply(context, wait).catch(() =>
		context.logger.error('Diyalog: the reply to a wrong code was not sent.'),
	);
	await context.putExecutionToWait(new Date(Date.parse(wait.deadline) + GRACE_MS));
	return outcomeOf(wait, EXPIRED, input);
}
