import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import type { Failure } from './failures';

/*
 * "Retry On Fail" makes n8n run the whole node again for all items, also for those that were sent. What became of each
 * message is therefore kept in the node's context, which survives the tries of one run, as part of the execution.
 * The tries of an agent's tool each have a run of their own. So what may have arrived is also remembered by what was entered:
 * with Continue On Fail there are no further tries, and without it no loop comes back after an error, so that within one
 * execution the same again for the same customer is a retry, or the repetition of a model that cannot know better.
 */

/** Field of the node's context. */
const CONTEXT_KEY = 'sentMessages';

/** What is final about an item: its result, or a failure after which it must not be sent again. */
export type Settled = { result: IDataObject } | { failure: Failure };

/** What an earlier try of the same run has settled, by item. */
export class SentMemory {
	private constructor(
		private readonly context: IExecuteFunctions,
		private readonly run: RunMemory | undefined,
	) {}

	/**
	 * The memory of this run. A loop that comes back to the node is another run and begins with an empty memory, so that
	 * the same message can be sent on purpose. Without Retry On Fail there are no further tries and nothing is kept.
	 */
	static of(context: IExecuteFunctions): SentMemory {
		if (context.getNode().retryOnFail !== true) return new SentMemory(context, undefined);
		const runIndex: unknown = context.getWorkflowDataProxy(0).$runIndex;
		const stored = context.getContext('node');
		const kept: unknown = stored[CONTEXT_KEY];
		const before = kept instanceof RunMemory ? kept : undefined;
		// Of the tools of an agent several may have the same run: one for each item that it works on at once.
		const isSameRun = before?.runIndex === runIndex && !context.isToolExecution();
		if (isSameRun) return new SentMemory(context, before);
		const memory = new RunMemory(
			runIndex,
			context.continueOnFail() ? undefined : before?.uncertain,
		);
		stored[CONTEXT_KEY] = memory;
		return new SentMemory(context, memory);
	}

	get(itemIndex: number): Settled | undefined {
		return this.run?.settled.get(itemIndex);
	}

	set(itemIndex: number, settled: Settled): void {
		this.run?.settled.set(itemIndex, settled);
	}

	/** The failure after which the same may have reached this customer, in this run or in an earlier try of a tool. */
	uncertainBefore(itemIndex: number, customerNo: string): Settled | undefined {
		return this.run?.uncertain.get(this.keyOf(itemIndex, customerNo));
	}

	/** Remembers that a message may have reached this customer. */
	setUncertain(itemIndex: number, customerNo: string, settled: Settled): void {
		this.run?.uncertain.set(this.keyOf(itemIndex, customerNo), settled);
	}

	/** Of what was entered, not of what is sent: code, id and time are new in each try. */
	private keyOf(itemIndex: number, customerNo: string): string {
		const entered = this.context.getInputData()[itemIndex]?.json;
		const text = JSON.stringify([itemIndex, customerNo, entered]);
		return createHash('sha256').update(text).digest('base64');
	}
}

/** What is kept for one run, in memory only: between its tries n8n neither stores nor copies the context. */
class RunMemory {
	readonly settled = new Map<number, Settled>();

	constructor(
		readonly runIndex: unknown,
		readonly uncertain = new Map<string, Settled>(),
	) {}

	/** The context is stored with the execution; of finished tries nobody needs anything any more. */
	toJSON(): null {
		return null;
	}
}
