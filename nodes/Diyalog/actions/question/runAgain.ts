import { randomUUID } from 'node:crypto';
import { sleep } from 'n8n-workflow';
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	IWebhookFunctions,
} from 'n8n-workflow';
import { lazily, z } from '../../lib/zod';
import { invalidInputError } from '../errors';
import { n8nEndsAt } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import { outputOf } from '../../wait/decisions';
import type { Decision } from '../../wait/decisions';
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
 * What is counted, wrong codes and the answers of several people, is counted by letting the execution continue, into this
 * very node, which waits on. n8n continues an execution only if it still waits, whichever of its processes is asked, and
 * stores it anew; so of any number of answers at the same time none counts twice, also over a restart. A webhook of a
 * waiting node could store nothing otherwise.
 */

/**
 * How long the execution keeps running before it waits again. n8n reads an execution, judges the answer, and updates the
 * execution if it waits; it cannot tell that it has waited again meanwhile. An answer that another process read at the same
 * time as this one has to find it running.
 */
export const SETTLES_WITHIN_MS = 2_000;

/** Field of the item with which the node is run again. */
const AGAIN_FIELD = 'diyalogAgain';

const markSchema = lazily(() =>
	z.object({
		turn: z.string(),
		/** the proof of a wrong code */
		wrongCode: z.string().optional(),
		/** all answers that count so far, packed */
		counted: z.unknown().optional(),
	}),
);

/** What the webhook tells the node that runs again. */
export type Mark = z.output<ReturnType<typeof markSchema>>;

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** n8n marks the waiting node as disabled, so that it passes on what the webhook gives. */
const pausedSchema = lazily(() =>
	z.object({
		executeData: z.object({ node: z.custom<{ disabled?: boolean }>(isObject) }),
	}),
);

/**
 * Has n8n run the waiting node again when the execution continues.
 *
 * @param outcome the item with which the question ends if n8n does not do so; it is no approval
 * @returns for n8n: the item, at the output through which it would leave. With the older order of execution n8n runs a node
 * only if there is something at the first.
 */
export function runAgain(
	context: IWebhookFunctions,
	outcome: IDataObject & { decision: Decision },
	mark: Mark,
): INodeExecutionData[][] {
	const { data: paused } = pausedSchema().safeParse(context);
	if (paused) paused.executeData.node.disabled = false;
	const item = { json: { ...outcome, [AGAIN_FIELD]: mark }, pairedItem: { item: 0 } };
	// Some releases of n8n do not tell the order.
	const isNewOrder =
		'getWorkflowSettings' in context && context.getWorkflowSettings().executionOrder === 'v1';
	const output = paused && !isNewOrder ? 0 : outputOf(outcome.decision);
	return itemAt(context.getNode(), output, item);
}

/** Whether an execution goes on only to wait on. */
export const isRunAgain = (items: INodeExecutionData[][]): boolean =>
	items.flat().some(({ json }) => AGAIN_FIELD in json);

/** A question that was answered, and is waited for on. */
export interface QuestionAgain {
	wait: Wait;
	input: IDataObject;
	mark: Mark;
}

/**
 * Whether the node is run again because of an answer; undefined when it is run for the first time.
 *
 * @throws NodeOperationError for an item of an earlier run, or what imitates one: in a loop, or from the model of an agent,
 * it would have a question that is over asked again
 */
export function readAgain(context: IExecuteFunctions): QuestionAgain | undefined {
	const [item] = storedItems(context);
	const { data: mark } = markSchema().safeParse(item?.json[AGAIN_FIELD]);
	if (!mark) return undefined;
	const { wait, input } = readStored(context);
	if (wait?.turn !== mark.turn) return undefined;
	if (wait.expectation.kind !== 'code' && !wait.group) return undefined;
	// Answers would not find the execution that retries it: it has to ask anew.
	if (isOfAnotherExecution(context, wait)) return undefined;
	if (isStoredByThisRun(context)) return { wait, input, mark };
	const problem = {
		field: 'The input item',
		problem: 'belongs to a question that is over',
		advice: `Take the field ${AGAIN_FIELD} out of it. Nothing was sent.`,
	};
	throw invalidInputError(context.getNode(), problem, 0);
}

/**
 * Waits on. It must not fail: n8n would end the execution.
 *
 * @param meanwhile what is done after the question is stored, and before the execution waits
 * @returns what comes out when the time is up
 */
export async function waitOn(
	context: IExecuteFunctions,
	before: Wait,
	input: IDataObject,
	meanwhile: () => Promise<void>,
): Promise<ItemOutcome> {
	const wait = { ...before, state: randomUUID() };
	storeWait(context, wait, input);
	await meanwhile();
	await sleep(SETTLES_WITHIN_MS);
	await context.putExecutionToWait(n8nEndsAt(wait));
	return waitingFor(wait, input);
}
