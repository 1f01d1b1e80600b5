import type {
	IExecuteFunctions,
	INodeExecutionData,
	NodeApiError,
	NodeOperationError,
} from 'n8n-workflow';
import { asNodeError, errorText, failureError, goesOnAfterErrors, operationError } from './errors';
import { isTool, isToolExecution } from './agentCall';
import { runConcurrently } from './concurrency';
import type { ItemOutcome, Operation, OperationRun } from './operation';
import { findOperation } from './index';
import { FAILED_OUTPUT } from './outputs';
import { storedItems } from './question/storedWait';
import { SettledItems } from './settled';
import { toolRefusal } from './toolExecution';

/** The chosen operation, if there is such a one. */
function chosenOperation(context: IExecuteFunctions): Operation | undefined {
	try {
		const resource = context.getNodeParameter('resource', 0);
		const operation = context.getNodeParameter('operation', 0);
		return findOperation(String(resource), String(operation));
	} catch {
		return undefined;
	}
}

/** An item on its way out, and through which output. */
interface Leaving {
	output: number;
	item: INodeExecutionData;
}

/** The JSON that an item becomes; what is final about it is settled, for further tries of the same run. */
async function leave(
	context: IExecuteFunctions,
	run: OperationRun,
	settled: SettledItems,
	itemIndex: number,
): Promise<Leaving> {
	const outcome: ItemOutcome = settled.get(itemIndex) ?? (await run.execute(itemIndex));
	const pairedItem = { item: itemIndex };
	if ('waiting' in outcome)
		return { output: outcome.output, item: { json: outcome.waiting, pairedItem } };
	settled.set(itemIndex, outcome);
	if ('result' in outcome)
		return { output: outcome.output ?? 0, item: { json: outcome.result, pairedItem } };
	throw failureError(context.getNode(), outcome.failure, itemIndex);
}

/** Items by output, each output in the order of the input. */
function byOutput(leaving: readonly Leaving[], hasBranches: boolean): INodeExecutionData[][] {
	if (!hasBranches) return [leaving.map(({ item }) => item)];
	const outputs: INodeExecutionData[][] = [[], []];
	for (const { output, item } of leaving) (outputs[output] ??= []).push(item);
	return outputs;
}

/** The items that n8n gave the node. What it stored for the end of a wait lies at another place than the first. */
const itemsOf = (context: IExecuteFunctions): INodeExecutionData[] => {
	const items = context.getInputData();
	return items.length > 0 ? items : storedItems(context);
};

/**
 * With Always Output Data n8n puts an empty item on the first output when nothing leaves there. Behind "Approved" or "Valid" that
 * would be taken for a yes, so the operation is refused. The error is to go on as any other: for that the setting is taken
 * away from this execution.
 */
function refuseAlwaysOutputData(context: IExecuteFunctions): NodeOperationError | undefined {
	const node = context.getNode();
	if (!node.alwaysOutputData) return undefined;
	const refusal = operationError(
		node,
		'Always Output Data would let an empty item out of the first output',
		'Turn it off in the settings of this node: what is not approved has an output of its own. Nothing was sent or verified.',
	);
	if (!goesOnAfterErrors(context)) throw refusal;
	// n8n compares with true. What is left refuses the next turn of a loop as well.
	Object.assign(context.getExecuteData().node, { alwaysOutputData: 'refused' });
	return refusal;
}

/** What is thrown with Continue On Fail makes n8n pass the input on, which may hold an earlier approval. */
async function refuseTool(
	context: IExecuteFunctions,
): Promise<NodeApiError | NodeOperationError | undefined> {
	try {
		return await toolRefusal(context);
	} catch (error) {
		return asNodeError(context.getNode(), error, 0);
	}
}

/**
 * Runs the chosen operation for every input item and gives each output's items in the order of the input. Each names its
 * input item. With Continue On Fail a failing item becomes `{ error }` and costs no other; without it no further item is
 * started after the first failure, what is under way is waited for, and the first failing item's error is thrown.
 */
export async function executeOperation(
	context: IExecuteFunctions,
): Promise<INodeExecutionData[][]> {
	const node = context.getNode();
	const goesOn = goesOnAfterErrors(context);
	// Before any parameter is read.
	const refusalOfTool = await refuseTool(context);
	const operation = chosenOperation(context);
	// What cannot be told may have been connected as a decision.
	const decides = !operation || operation.branches !== undefined;
	const hasBranches = decides && !isTool(node) && !isToolExecution(context);
	const refusal = hasBranches ? refuseAlwaysOutputData(context) : refusalOfTool;
	const items = itemsOf(context);
	if (items.length === 0) return [[]];
	const failed = (error: NodeApiError | NodeOperationError, item: number): Leaving => ({
		output: FAILED_OUTPUT,
		item: {
			// Nothing beside it: n8n would take the item for a success and let it out of the first output.
			json: { error: errorText(error) },
			// n8n adds the item named here to what leaves on an error output. Without it n8n names the item by itself, later.
			// The input may hold an earlier decision, which must not go on with a failure.
			...(!decides && { pairedItem: { item } }),
		},
	});
	let settled: SettledItems;
	let run: OperationRun;
	try {
		if (refusal) throw refusal;
		if (!operation) {
			const advice = 'Choose one of the operations that the node offers.';
			throw operationError(node, 'This operation does not exist', advice);
		}
		settled = SettledItems.of(context, operation.keepsSettled === true);
		run = await operation.start(context, settled);
	} catch (error) {
		const asError = () => asNodeError(node, error, 0);
		// What is thrown with Continue On Fail makes n8n pass the input on as if all were well.
		// Agents before version 3 tell their model nothing of what a tool throws.
		const isTold = decides && isToolExecution(context);
		if (!goesOn && !isTold) throw asError();
		const failing = items.map((_, itemIndex) => failed(asError(), itemIndex));
		return byOutput(failing, hasBranches);
	}
	const leaving = new Map<number, Leaving>();
	const failures = new Map<number, NodeApiError | NodeOperationError>();

	const work = async (itemIndex: number): Promise<void> => {
		try {
			leaving.set(itemIndex, await leave(context, run, settled, itemIndex));
		} catch (error) {
			const nodeError = asNodeError(node, error, itemIndex);
			failures.set(itemIndex, nodeError);
			leaving.set(itemIndex, failed(nodeError, itemIndex));
		}
	};
	const isCancelled = () => context.getExecutionCancelSignal()?.aborted === true;
	const mayStart = () => !isCancelled() && (goesOn || failures.size === 0);
	await runConcurrently(items.length, run.concurrency, work, mayStart);

	const [firstFailing] = [...failures.keys()].sort((a, b) => a - b);
	const failure = firstFailing === undefined ? undefined : failures.get(firstFailing);
	if (failure && firstFailing !== undefined && !goesOn) {
		if (operation?.keepsSettled) settled.keepFor(firstFailing);
		throw failure;
	}
	const inOrder = [...items.keys()].flatMap((itemIndex) => leaving.get(itemIndex) ?? []);
	return byOutput(inOrder, hasBranches);
}
