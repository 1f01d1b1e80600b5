import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';
import type { Failure } from '../transport/failures';
import { isToolExecution } from './toolExecution';

/*
 * "Retry On Fail" makes n8n run the whole node again for all items, also for those that were sent. What became of each
 * message is therefore kept in the node's context, which survives the tries of one run, as part of the execution.
 * The tries of an agent's tool each have a run of their own. So what may have arrived is also remembered by what was entered:
 * with Continue On Fail there are no further tries, and without it no loop comes back after an error, so that within one
 * execution the same again for the same customer is a retry, or the repetition of a model that cannot know better.
 * A retry from the list of executions does the same in another execution, with what was stored of the failed one.
 */

/** Field of the node's context. */
const CONTEXT_KEY = 'sentMessages';

/** Field that n8n adds to what an agent calls a tool with; another one in each call. */
const TOOL_CALL_ID = 'toolCallId';

/** Whether the node is the tool of an agent. Agents of version 3 have n8n run it like any other node. */
const isToolCall = (context: IExecuteFunctions): boolean =>
	isToolExecution(context) || TOOL_CALL_ID in (context.getInputData()[0]?.json ?? {});

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
		return context.getNode().retryOnFail === true
			? SentMemory.ofSends(context)
			: new SentMemory(context, undefined);
	}

	/** The memory of a run that sends: an execution that fails can be retried from the list whatever is set. */
	static ofSends(context: IExecuteFunctions): SentMemory {
		const runIndex: unknown = context.getWorkflowDataProxy(0).$runIndex;
		const stored = context.getContext('node');
		const kept: unknown = stored[CONTEXT_KEY];
		const before = kept instanceof RunMemory ? kept : RunMemory.fromJSON(kept);
		// Of the tools of an agent several may have the same run: one for each item that it works on at once.
		if (before?.runIndex === runIndex && !isToolExecution(context)) {
			stored[CONTEXT_KEY] = before;
			return new SentMemory(context, before);
		}
		const memory = new RunMemory(
			runIndex,
			context.continueOnFail() && !isToolCall(context) ? undefined : before?.uncertain,
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

	/**
	 * Keeps what was settled with the execution, which fails: when it is retried from the list, only what is open is sent.
	 *
	 * @param toldOf the item that the error is about. Whoever retries the execution knows what may have become of it, and of
	 * no other, so it alone is open again.
	 */
	keepFor(toldOf: number): void {
		if (this.run) this.run.toldOf = toldOf;
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
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		const entered = { ...json, [TOOL_CALL_ID]: undefined };
		const text = JSON.stringify([itemIndex, customerNo, entered]);
		return createHash('sha256').update(text).digest('base64');
	}
}

const keptSchema = z.object({
	runIndex: z.unknown().optional(),
	settled: z.array(z.tuple([z.number(), z.custom<Settled>((value) => typeof value === 'object')])),
});

/** What is kept for one run, in memory: between its tries n8n neither stores nor copies the context. */
class RunMemory {
	readonly settled = new Map<number, Settled>();

	/** the item whose failure ends the execution */
	toldOf?: number;

	constructor(
		readonly runIndex: unknown,
		readonly uncertain = new Map<string, Settled>(),
	) {}

	/** Reads what was stored with an execution that failed. */
	static fromJSON(stored: unknown): RunMemory | undefined {
		const { data } = keptSchema.safeParse(stored);
		if (!data) return undefined;
		const memory = new RunMemory(data.runIndex);
		for (const [itemIndex, settled] of data.settled) memory.settled.set(itemIndex, settled);
		return memory;
	}

	/** The context is stored with the execution; of finished tries nobody needs anything any more. */
	toJSON(): unknown {
		const { runIndex, toldOf } = this;
		if (toldOf === undefined) return null;
		const settled = [...this.settled].filter(([itemIndex]) => itemIndex !== toldOf);
		return { runIndex, settled };
	}
}
