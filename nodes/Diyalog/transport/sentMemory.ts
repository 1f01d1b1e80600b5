import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import type { Failure } from './failures';

/*
 * "Retry On Fail" makes n8n run the whole node again for all items, also for those that were sent. What became of each
 * message is therefore kept in the node's context, which survives the tries of one run, as part of the execution.
 */

/** Field of the node's context. */
const CONTEXT_KEY = 'sentMessages';

/** What is final about an item: its result, or a failure after which it must not be sent again. */
export type Settled = { result: IDataObject } | { failure: Failure };

/** What an earlier try of the same run has settled, by item. */
export class SentMemory {
	private constructor(private readonly settled: Map<number, Settled> | undefined) {}

	/**
	 * The memory of this run. A loop that comes back to the node is another run and begins with an empty memory, so that
	 * the same message can be sent on purpose. Without Retry On Fail there are no further tries and nothing is kept.
	 */
	static of(context: IExecuteFunctions): SentMemory {
		if (context.getNode().retryOnFail !== true) return new SentMemory(undefined);
		const runIndex: unknown = context.getWorkflowDataProxy(0).$runIndex;
		const stored = context.getContext('node');
		const kept: unknown = stored[CONTEXT_KEY];
		if (kept instanceof RunMemory && kept.runIndex === runIndex)
			return new SentMemory(kept.settled);
		const memory = new RunMemory(runIndex);
		stored[CONTEXT_KEY] = memory;
		return new SentMemory(memory.settled);
	}

	get(itemIndex: number): Settled | undefined {
		return this.settled?.get(itemIndex);
	}

	set(itemIndex: number, settled: Settled): void {
		this.settled?.set(itemIndex, settled);
	}
}

/** What is kept for one run, in memory only: between its tries n8n neither stores nor copies the context. */
class RunMemory {
	readonly settled = new Map<number, Settled>();

	constructor(readonly runIndex: unknown) {}

	/** The context is stored with the execution; of finished tries nobody needs anything any more. */
	toJSON(): null {
		return null;
	}
}
