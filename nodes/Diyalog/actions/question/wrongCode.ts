import { sleep } from 'n8n-workflow';
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	IWebhookFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';
import { textRequest } from '../../messages/sendMessage';
import { sendOtpRequest } from '../../messages/sendOtp';
import { CREDENTIAL_TYPE, DiyalogClient } from '../../transport/client';
import { invalidInputError } from '../errors';
import { endsAtMs, outputOf } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import { fromMessageId, toMessageId } from '../../wait/resumeReference';
import { sendMessage } from '../sending';
import type { ItemOutcome } from '../operation';
import { itemAt } from '../outputs';
import {
	isOfAnotherExecution,
	isStoredByThisRun,
	readStored,
	storedItems,
	storeWait,
	waitingFor,
} from './storedWait';

/*
 * A wrong code is counted by letting the execution continue, into this very node, which asks again and waits on. n8n
 * continues an execution only if it still waits, whichever of its processes is asked, and stores it anew; so of any
 * number of guesses at the same time no more count than are allowed, also over a restart. A webhook of a waiting node could
 * store nothing otherwise.
 */

/**
 * How long the execution keeps running before it waits again. n8n reads an execution, judges the answer, and updates the
 * execution if it waits; it cannot tell that it has waited again meanwhile. A guess that another process read at the same
 * time as this one has to find it running.
 */
const SETTLES_WITHIN_MS = 2_000;

/** Field of the item with which the node is run again. */
const WRONG_CODE_FIELD = 'diyalogWrongCode';

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
 * @returns for n8n: the item, at the output through which it would leave. With the older order of execution n8n runs a node
 * only if there is something at the first.
 */
export function countWrongCode(
	context: IWebhookFunctions,
	{ turn }: Wait,
	outcome: IDataObject,
	proof: string,
): INodeExecutionData[][] {
	const { data: paused } = pausedSchema.safeParse(context);
	if (paused) paused.executeData.node.disabled = false;
	const item = {
		json: { ...outcome, [WRONG_CODE_FIELD]: { turn, proof } },
		pairedItem: { item: 0 },
	};
	// Some releases of n8n do not tell the order.
	const isNewOrder =
		'getWorkflowSettings' in context && context.getWorkflowSettings().executionOrder === 'v1';
	const output = paused && !isNewOrder ? 0 : outputOf('tooManyAttempts');
	return itemAt(context.getNode(), output, item);
}

/** A question to which a wrong code was given. */
export interface QuestionAgain {
	wait: Wait;
	input: IDataObject;
}

/**
 * Whether the node is run again because of a wrong code; undefined when it is run for the first time.
 *
 * @throws NodeOperationError for an item of an earlier run, or what imitates one: in a loop, or from the model of an agent,
 * it would have a question that is over asked again
 */
export function readWrongCode(context: IExecuteFunctions): QuestionAgain | undefined {
	const [item] = storedItems(context);
	const { data: mark } = markSchema.safeParse(item?.json[WRONG_CODE_FIELD]);
	if (!mark) return undefined;
	const { wait, input } = readStored(context);
	if (wait?.turn !== mark.turn || wait.expectation.kind !== 'code') return undefined;
	// Answers would not find the execution that retries it: it has to ask anew.
	if (isOfAnotherExecution(context, wait)) return undefined;
	if (!isStoredByThisRun(context)) {
		const problem = {
			field: 'The input item',
			problem: 'belongs to a question that is over',
			advice: `Take the field ${WRONG_CODE_FIELD} out of it. Nothing was sent.`,
		};
		throw invalidInputError(context.getNode(), problem, 0);
	}
	const counted = { wrongCodes: wait.wrongCodes + 1, lastWrongCode: mark.proof };
	return { wait: { ...wait, ...counted }, input };
}

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
		const answered = { ...reference, attempt: wait.wrongCodes };
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

/**
 * Waits on after a wrong code. It must not fail: n8n would end the execution.
 *
 * @returns what comes out when the time is up
 */
export async function waitAgain(
	context: IExecuteFunctions,
	{ wait, input }: QuestionAgain,
): Promise<ItemOutcome> {
	storeWait(context, wait, input);
	await reply(context, wait).catch(() =>
		context.logger.error('Diyalog: the reply to a wrong code was not sent.'),
	);
	await sleep(SETTLES_WITHIN_MS);
	await context.putExecutionToWait(new Date(endsAtMs(wait)));
	return waitingFor(wait, input);
}
