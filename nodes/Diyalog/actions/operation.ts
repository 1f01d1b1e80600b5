import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';

/** An operation that has read what is the same for all items, ready to work on each of them. */
export interface OperationRun {
	/** how many items may be worked on at the same time */
	concurrency: number;
	/**
	 * Works on one input item.
	 *
	 * @returns the JSON of the output item
	 * @throws NodeOperationError or NodeApiError, made by transport/errors
	 */
	execute(itemIndex: number): Promise<IDataObject>;
	/** Is told that this item's failure ends the execution, after all that was under way. */
	endsWith?(itemIndex: number): void;
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
	/** its output is a decision: the input, which may hold an earlier one, must not go on with a failure */
	decides?: boolean;
	/** Begins to run the operation for all input items. */
	start(context: IExecuteFunctions): Promise<OperationRun>;
}

/** A resource with its operations. */
export interface Resource {
	name: string;
	value: string;
	operations: [Operation, ...Operation[]];
}
