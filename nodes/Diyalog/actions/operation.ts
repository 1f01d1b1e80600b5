import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import type { Settled, SettledItems } from './settled';

/** What became of an item: something final, or what comes out of an execution that now waits, if nobody answers. */
export type ItemOutcome = Settled | { waiting: IDataObject; output: number };

/** An operation that has read what is the same for all items, ready to work on each of them. */
export interface OperationRun {
	/** how many items may be worked on at the same time, as things are now */
	concurrency(): number;
	/**
	 * Works on one input item that is not settled yet.
	 *
	 * @throws NodeOperationError or NodeApiError, made by errors.ts
	 */
	execute(itemIndex: number): Promise<ItemOutcome>;
}

/** One operation of a resource: what the editor shows of it, beside what it does. */
export interface Operation {
	/** name in the list of operations */
	name: string;
	value: string;
	/** what the node panel says, e.g. `Send an OTP` */
	action: string;
	description: string;
	/** its fields; when they are shown is added by the registry */
	fields: INodeProperties[];
	/** what is settled is kept with an execution that fails, so that a retry from the list does only what is open */
	keepsSettled?: boolean;
	/**
	 * The names of its outputs, where it decides: the first is for a yes alone. `question` stands for those of the response
	 * type. An operation without them has one output.
	 */
	branches?: readonly string[] | 'question';
	/** Begins to run the operation for all input items. */
	start(context: IExecuteFunctions, settled: SettledItems): Promise<OperationRun>;
}

/** A resource with its operations. */
export interface Resource {
	name: string;
	value: string;
	operations: [Operation, ...Operation[]];
}
