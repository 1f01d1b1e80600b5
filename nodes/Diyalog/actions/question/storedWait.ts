import type {
	IDataObject,
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	IWebhookFunctions,
} from 'n8n-workflow';
import type { InputProblem } from '../../input/problem';
import { escaped } from '../../lib/escaped';
import { workflowOf } from '../../lib/workflow';
import { lazily, z } from '../../lib/zod';
import { invalidInputError } from '../errors';
import { itemAt } from '../outputs';
import { isReviewTool, isToolExecution } from '../agentCall';
import { readWait } from '../../wait/decide';
import { OUTPUT_COUNT, outputOf } from '../../wait/decisions';
import type { Wait } from '../../wait/decide';
import { endingInTime } from '../../wait/outcome';
import { itemOf } from './audited';

/*
 * What n8n stores of an execution that waits: in the node's context what it waits for, and as the node's input what comes
 * out when the time is up, because n8n then passes the input on.
 */

/** Fields of the node's context. */
const WAIT_FIELD = 'diyalogWait';
const INPUT_FIELD = 'diyalogInput';
const RUN_FIELD = 'diyalogRun';

/** The items that n8n stored for this node, at whichever output they would leave. */
export const storedItems = (context: IExecuteFunctions): INodeExecutionData[] =>
	context.getExecuteData().data.main?.find((items) => items && items.length > 0) ?? [];

const refused = (context: IExecuteFunctions, problem: InputProblem) =>
	invalidInputError(context.getNode(), problem, 0);

/**
 * Refuses where n8n would not let the execution wait. There is one way of being called in which it does: as a node that
 * n8n itself has taken off the stack of an execution which it stores.
 */
export function requireWaitable(context: IExecuteFunctions): void {
	if (!isToolExecution(context) && context.getExecutionId()) return;
	throw refused(context, {
		field: 'This node',
		problem: 'cannot wait where it was called',
		advice:
			'Its caller goes on at once, so an answer would be lost. For an AI agent use an AI Agent node of version 3 or later.',
	});
}

/** A name as an expression can hold it: no character of it means anything to n8n or JavaScript. */
const quoted = (name: string): string => name.replace(/[^A-Za-z0-9 ]/g, escaped);

/** In webhook() n8n gives the node's context to expressions alone. */
const readContext = (context: IExecuteFunctions | IWebhookFunctions): unknown =>
	context.evaluateExpression(`{{ $node["${quoted(context.getNode().name)}"].context }}`, 0);

const storedSchema = lazily(() =>
	z.object({
		[WAIT_FIELD]: z.unknown().optional(),
		[INPUT_FIELD]: z.looseObject({}).catch({}),
	}),
);

/** What an execution waits for, and the item that went in. */
export interface StoredWait {
	wait: Wait | undefined;
	input: IDataObject;
}

/** Reads what is stored with an execution that waits, when its resume address is called. */
export function readStored(context: IExecuteFunctions | IWebhookFunctions): StoredWait {
	const stored = storedSchema().parse(readContext(context));
	return { wait: readWait(stored[WAIT_FIELD]), input: { ...stored[INPUT_FIELD] } as IDataObject };
}

/** Which run of the node it is: a loop or an agent makes another one, n8n lets a waiting one go on with the same. */
const runOf = (context: IExecuteFunctions): unknown => context.getWorkflowDataProxy(0).$runIndex;

/** Whether what is stored belongs to this very run of the node. */
export const isStoredByThisRun = (context: IExecuteFunctions): boolean =>
	context.getContext('node')[RUN_FIELD] === runOf(context);

const mayAsk = ({ type, parameters }: INode): boolean =>
	/\.diyalog(Hitl)?(Tool)?$/i.test(type) &&
	(isReviewTool({ type }) || parameters.operation === 'sendAndWait');

/** Whether this execution may have asked before, in this node or another one: an answer to that may still be on its way. */
export function mayHaveAskedBefore(context: IExecuteFunctions): boolean {
	if (RUN_FIELD in context.getContext('node')) return true;
	const node = context.getNode();
	const hasRun = ({ name }: INode): boolean =>
		context.evaluateExpression(`{{ $("${quoted(name)}").isExecuted }}`, 0) !== false;
	return Object.values(workflowOf(context)?.nodes ?? {}).some(
		(each) => each.name !== node.name && mayAsk(each) && hasRun(each),
	);
}

/** Some names mean something else to n8n or JavaScript, for instance `constructor`. */
function readIfPossible(context: IExecuteFunctions): Partial<StoredWait> {
	try {
		return readStored(context);
	} catch {
		return {};
	}
}

/** Whether the question was asked by another execution, whose data this one was given to begin with. */
export const isOfAnotherExecution = (context: IExecuteFunctions, { executionId }: Wait): boolean =>
	executionId !== undefined && executionId !== context.getExecutionId();

/**
 * Gives the node its input back, before any parameter is read. A retry from the list of executions begins with what was
 * stored: when n8n was killed after an answer had come, that is an outcome in the place of the input.
 */
export function restoreInput(context: IExecuteFunctions): void {
	const [item] = storedItems(context);
	const { wait, input } = readIfPossible(context);
	if (!item || !wait || !isOfAnotherExecution(context, wait)) return;
	if (item.json.messageId !== wait.messageId) return;
	item.json = input ?? {};
	context.getExecuteData().data.main = [[item]];
}

/** What comes out of a wait when the time is up. */
export const waitingFor = (wait: Wait, input: IDataObject) => {
	const ending = endingInTime(wait);
	return { waiting: itemOf(wait, ending, input), output: outputOf(ending.decision) };
};

/** Binds what is stored to those who got the message, as Diyalog names them in events. */
export function bindTo(context: IExecuteFunctions, wait: Wait, input: IDataObject): void {
	context.getContext('node')[WAIT_FIELD] = wait;
	const [item] = storedItems(context);
	if (item) item.json = waitingFor(wait, input).waiting;
}

/**
 * Stores what is waited for, and as the node's input the item that comes out when the time is up.
 *
 * @param input the JSON of the item that went in
 * @returns takes everything back, for a message that was not sent
 * @throws NodeOperationError when it could not be read again; then nothing is stored
 */
export function storeWait(context: IExecuteFunctions, wait: Wait, input: IDataObject): () => void {
	// Execute Once lets the node see a copy of its input; this is what n8n stores and passes on.
	const executeData = context.getExecuteData();
	const { data, metadata, node, source } = executeData;
	const { main } = data;
	const memory = context.getContext('node');
	const { waiting: json, output } = waitingFor(wait, input);
	data.main = itemAt(context.getNode(), output, { json, pairedItem: { item: 0 } });
	const stored = {
		// From 2.39 on n8n looks at all outputs then, and before at the first alone, through which nothing leaves.
		forwardAllOutputs: true,
		// A sub-workflow of an earlier node that ends late would put its items in place of these, and wake the execution. n8n lets
		// only those do so that are named here, and this execution is no child of its own.
		waitingChildExecutionIds: [context.getExecutionId()],
	};
	executeData.metadata = { ...metadata, ...stored };
	// n8n disables the node of the run that goes on. Other runs that stand in line share it, and would pass their input on unasked.
	executeData.node = { ...node };
	// n8n passes an output on as if it were the input of that number. Without a source for each, {{ $('Earlier').item }}
	// is empty behind No Answer and Declined.
	const [from] = source?.main ?? [];
	if (from) {
		const sources = Array.from({ length: OUTPUT_COUNT }, () => from);
		executeData.source = { ...source, main: sources };
	}
	Object.assign(memory, { [WAIT_FIELD]: wait, [INPUT_FIELD]: input, [RUN_FIELD]: runOf(context) });
	const takeBack = () => {
		if (main) data.main = main;
		executeData.metadata = metadata;
		executeData.node = node;
		executeData.source = source;
		delete memory[WAIT_FIELD];
		delete memory[INPUT_FIELD];
		delete memory[RUN_FIELD];
	};
	if (readIfPossible(context).wait?.turn === wait.turn) return takeBack;
	takeBack();
	throw refused(context, {
		field: 'The name of this node',
		problem: 'means something else to n8n, so that no answer could find the node',
		advice: 'Rename the node, e.g. to Ask the Customer.',
	});
}
