import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { BoundedMap } from '../../lib/boundedMap';
import { n8nLooksFromMs } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import type { Receptions } from '../../wait/passedOnAnswer';
import { hasEnded } from './endInTime';
import { isRunAgain } from './runAgain';

/*
 * A question is left once. For a call of the resume address n8n (2.41: waiting-webhooks.js, active-executions.js) reads the execution
 * first, then the body, then asks the node, and waits until there is room for one more execution. Only then it lets the execution go
 * on, with what it has read, if it waits: also if it waits for something else by then. That would do all that stands behind the
 * question once more. So each state of a question is left by one call of this process, and nobody may hold a call up in between.
 */

/** More questions than are answered within the longest time for which n8n holds calls up. */
const MAX_STATES = 10_000;

type Response = ReturnType<IWebhookFunctions['getResponseObject']>;

/** A call that may leave a question, or has left it. */
interface Call {
	/** undefined when it is over */
	response?: Response;
	/** the execution goes on with it, if n8n lets it */
	goesOn: boolean;
}

/** By the state that is left. */
const calls = new BoundedMap<string, Call>(MAX_STATES);

/** Each time a question is waited for on is another state, whatever was counted. */
const stateOf = ({ turn, state = '' }: Wait): string => `${turn} ${state}`;

/** Whether nothing came of a call: it decided nothing, or n8n has failed to let the execution go on. */
const isFree = ({ response, goesOn }: Call): boolean =>
	response !== undefined && response.writableEnded && (!goesOn || response.statusCode >= 400);

/** Whether a call has a body, for which n8n waits after it has read the execution. */
export function hasBody(context: IWebhookFunctions): boolean {
	const { 'content-length': length = '0', 'transfer-encoding': encoding } =
		context.getRequestObject().headers;
	return encoding !== undefined || length !== '0';
}

/**
 * n8n writes an item down when it has room for the execution, just before it lets it go on. From some time on it may be about to end
 * the wait by itself, and both would go on.
 */
function refuseWhenLate(item: object, untilMs: number): void {
	const toJSON = (): object => {
		if (Date.now() > untilMs)
			throw new Error(
				'Diyalog: n8n held a call back until the time of its question was up. So it is not carried out. Raise N8N_CONCURRENCY_PRODUCTION_LIMIT, or give people more time.',
			);
		// Copies that are made of it later are of no interest.
		Reflect.deleteProperty(item, 'toJSON');
		return item;
	};
	Object.defineProperty(item, 'toJSON', { value: toJSON, configurable: true });
}

/** Lets the execution go on. n8n does so only if it still waits, and replies when that is stored. */
type GoOn = (
	workflowData: INodeExecutionData[][],
	webhookResponse: string | Receptions,
) => IWebhookResponseData;

/**
 * Begins to judge a call. Until n8n has replied to it, no other call can leave the question as it is now.
 *
 * @returns undefined while another call may leave it, or when one has left it: what n8n has read is old then
 */
export function beginToLeave(context: IWebhookFunctions, wait: Wait): GoOn | undefined {
	const state = stateOf(wait);
	const other = calls.get(state);
	if (other && !isFree(other)) return undefined;
	const response = context.getResponseObject();
	const call: Call = { response, goesOn: false };
	calls.set(state, call);
	let waitsOn = false;
	response.once('finish', () => {
		if (isFree(call) && calls.get(state) === call) calls.delete(state);
		if (!isFree(call) && !waitsOn) hasEnded(wait);
		call.response = undefined;
	});
	return (workflowData, webhookResponse) => {
		call.goesOn = true;
		waitsOn = isRunAgain(workflowData);
		for (const item of workflowData.flat()) refuseWhenLate(item, n8nLooksFromMs(wait));
		return { webhookResponse, workflowData };
	};
}
