import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	NodeApiError,
	NodeOperationError,
} from 'n8n-workflow';
import { asNodeError, errorText, failureError, operationError } from './errors';
import { isToolExecution } from './toolExecution';
import { runConcurrently } from './concurrency';
import type { ItemOutcome, Operation, OperationRun } from './operation';
import { findOperation } from './index';
import { SettledItems } from './settled';

function chosenOperation(context: IExecuteFunctions): Operation {
	const resource = context.getNodeParameter('resource', 0);
	const operation = context.getNodeParameter('operation', 0);
	const chosen = findOperation(String(resource), String(operation));
	if (chosen) return chosen;
	const advice = 'Choose one of the operations that the node offers.';
	throw operationError(context.getNode(), 'This operation does not exist', advice);
}

/** The JSON that an item becomes; what is final about it is settled, for further tries of the same run. */
async function jsonOf(
	context: IExecuteFunctions,
	run: OperationRun,
	settled: SettledItems,
	itemIndex: number,
): Promise<IDataObject> {
	const outcome: ItemOutcome = settled.get(itemIndex) ?? (await run.execute(itemIndex));
	if ('waiting' in outcome) return outcome.waiting;
	settled.set(itemIndex, outcome);
	if ('result' in outcome) return outcome.result;
	throw failureError(context.getNode(), outcome.failure, itemIndex);
}

/**
 * Runs the chosen operation for every input item and gives the output in the order of the input. Each output item names
 * its input item. With Continue On Fail a failing item becomes `{ error }` and costs no other; without it no further item
 * is started after the first failure, what is under way is waited for, and the first failing item's error is thrown.
 */
export async function executeOperation(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items = context.getInputData();
	if (items.length === 0) return [];
	const goesOn = context.continueOnFail();
	let operation: Operation | undefined;
	const failed = (error: NodeApiError | NodeOperationError, item: number): INodeExecutionData => ({
		json: { error: errorText(error) },
		// n8n adds the item named here to what leaves on an error output. Without it n8n names the item by itself, later.
		...(!operation?.decides && { pairedItem: { item } }),
	});
	let settled: SettledItems;
	let run: OperationRun;
	try {
		operation = chosenOperation(context);
		const resource = String(context.getNodeParameter('resource', 0));
		settled = SettledItems.of(context, `${resource}/${operation.value}`);
		run = await operation.start(context, settled);
	} catch (error) {
		const asError = () => asNodeError(context.getNode(), error, 0);
		// What is thrown with Continue On Fail makes n8n pass the input on as if all were well.
		// Agents before version 3 tell their model nothing of what a tool throws.
		const isTold = operation?.decides && isToolExecution(context);
		if (goesOn || isTold) return items.map((_, itemIndex) => failed(asError(), itemIndex));
		throw asError();
	}
	const output = new Map<number, INodeExecutionData>();
	const failures = new Map<number, NodeApiError | NodeOperationError>();

	const work = async (itemIndex: number): Promise<void> => {
		try {
			const json = await jsonOf(context, run, settled, itemIndex);
			output.set(itemIndex, { json, pairedItem: { item: itemIndex } });
		} catch (error) {
			const nodeError = asNodeError(context.getNode(), error, itemIndex);
			failures.set(itemIndex, nodeError);
			output.set(itemIndex, failed(nodeError, itemIndex));
		}
	};
	const isCancelled = () => context.getExecutionCancelSignal()?.aborted === true;
	const mayStart = () => !isCancelled() && (goesOn || failures.size === 0);
	await runConcurrently(items.length, run.concurrency, work, mayStart);

	const [firstFailing] = [...failures.keys()].sort((a, b) => a - b);
	const failure = firstFailing === undefined ? undefined : failures.get(firstFailing);
	if (failure && firstFailing !== undefined && !goesOn) {
		if (operation.keepsSettled) settled.keepFor(firstFailing);
		throw failure;
	}
	return [...items.keys()].flatMap((itemIndex) => output.get(itemIndex) ?? []);
}
