import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import type { Failure } from '../transport/failures';
import { goesOnAfterErrors } from './errors';
import { isTool, isToolExecution, TOOL_CALL_FIELD } from './agentCall';

/*
 * "Retry On Fail" makes n8n run the whole node again for all items, also for those that were sent. What became of each
 * message is therefore kept in the node's context, which survives the tries of one run, as part of the execution.
 * The tries of an agent's tool each have a run of their own. So what may have arrived is also remembered by what was entered:
 * with Continue On Fail there are no further tries, and without it no loop comes back after an error, so that within one
 * execution the same again for the same customer is a retry, or the repetition of a model that cannot know better.
 * A retry from the list of executions does the same in another execution, with what was stored of the failed one.
 */

/** Field of the node's context. */
const CONTEXT_FIELD = 'sentMessages';

/**
 * Whether the node is the tool of an agent. Agents of version 3 have n8n run it like any other node, and a question that is
 * waited for on is run again with another item than that of the call.
 */
const isToolCall = (context: IExecuteFunctions): boolean =>
	isToolExecution(context) || isTool(context.getNode());

/** What is final about an item: its result, or a failure after which it must not be sent again. */
export type Settled =
	| {
			result: IDataObject;
			/** through which it leaves; the first unless told otherwise */
			output?: number;
	  }
	| { failure: Failure };

/** The sending of one message: what an earlier one with the same input left open. */
export interface Attempt {
	/** the failure after which the same may have reached this person, in this run or in an earlier try of a tool */
	before: Settled | undefined;
	/** Remembers that the message may have reached this person. */
	setUncertain(settled: Settled): void;
}

/** What an earlier try of the same run has settled, by item. */
export class SettledItems {
	private constructor(
		private readonly context: IExecuteFunctions,
		private readonly run: SettledRun,
	) {}

	/**
	 * What is settled of this run. A loop that comes back to the node is another run and begins with nothing, so that the
	 * same message can be sent on purpose. A retry from the list may run the node as it is now: what was sent in one way is not
	 * sent again in another, but says nothing of a question or a code.
	 *
	 * @param keepsSettled whether the operation goes on where one that failed has ended
	 */
	static of(context: IExecuteFunctions, keepsSettled: boolean): SettledItems {
		const runIndex: unknown = context.getWorkflowDataProxy(0).$runIndex;
		const stored = context.getContext('node');
		const kept: unknown = stored[CONTEXT_FIELD];
		const isCalled = isToolCall(context);
		const retried =
			keepsSettled || isCalled ? SettledRun.fromJSON(kept, isCalled, keepsSettled) : undefined;
		const before = kept instanceof SettledRun ? kept : retried;
		// Of the tools of an agent several may have the same run: one for each item that it works on at once.
		const isSameRun = before?.runIndex === runIndex && !isToolExecution(context);
		const goesOn = goesOnAfterErrors(context) && !isCalled;
		const run =
			before && isSameRun
				? before
				: new SettledRun(runIndex, isCalled, goesOn ? undefined : before?.uncertain);
		stored[CONTEXT_FIELD] = run;
		return new SettledItems(context, run);
	}

	get(itemIndex: number): Settled | undefined {
		return this.run.settled.get(itemIndex);
	}

	/** Settles an item, if that is final: what certainly did not happen may be tried again. */
	set(itemIndex: number, settled: Settled): void {
		const isFinal =
			'result' in settled || settled.failure.uncertain === true || settled.failure.partly === true;
		if (isFinal) this.run.settled.set(itemIndex, settled);
	}

	/**
	 * Keeps what was settled with the execution, which fails: when it is retried from the list, only what is open is sent.
	 *
	 * @param toldOf the item that the error is about. Whoever retries the execution knows what may have become of it, and of
	 * no other, so it alone is open again.
	 */
	keepFor(toldOf: number): void {
		this.run.toldOf = toldOf;
	}

	/** Begins to send an item's message. Of what was entered, not of what is sent: code, id and time are new in each try. */
	attempt(itemIndex: number, recipient: object): Attempt {
		const { json } = this.context.getInputData()[itemIndex] ?? {};
		const entered = { ...json, [TOOL_CALL_FIELD]: undefined };
		const text = JSON.stringify([itemIndex, recipient, entered]);
		const id = createHash('sha256').update(text).digest('base64');
		const { uncertain } = this.run;
		return {
			before: uncertain.get(id),
			setUncertain: (settled) => void uncertain.set(id, settled),
		};
	}
}

const settledSchema = lazily(() => z.custom<Settled>((value) => typeof value === 'object'));

const keptSchema = lazily(() =>
	z.object({
		runIndex: z.unknown().optional(),
		settled: z.array(z.tuple([z.number(), settledSchema()])),
		uncertain: z.array(z.tuple([z.string(), settledSchema()])).default([]),
	}),
);

/** What is kept for one run, in memory: between its tries n8n neither stores nor copies the context. */
class SettledRun {
	readonly settled = new Map<number, Settled>();

	/** the item whose failure ends the execution */
	toldOf?: number;

	constructor(
		readonly runIndex: unknown,
		/** whether a model calls the node, which may call it again after another tool has waited */
		private readonly isCalled: boolean,
		readonly uncertain = new Map<string, Settled>(),
	) {}

	/**
	 * Reads what was stored with an execution that failed, or that has waited while an agent was at work.
	 *
	 * @param keepsSettled whether what was settled counts as well
	 */
	static fromJSON(
		stored: unknown,
		isCalled: boolean,
		keepsSettled: boolean,
	): SettledRun | undefined {
		const { data } = keptSchema().safeParse(stored);
		if (!data) return undefined;
		const run = new SettledRun(data.runIndex, isCalled, new Map(data.uncertain));
		if (!keepsSettled) return run;
		for (const [itemIndex, settled] of data.settled) run.settled.set(itemIndex, settled);
		return run;
	}

	/** The context is stored with the execution; of finished tries nobody but a model needs anything any more. */
	toJSON(): unknown {
		const { runIndex, toldOf } = this;
		const uncertain = this.isCalled ? [...this.uncertain] : [];
		if (toldOf === undefined && uncertain.length === 0) return null;
		const settled = [...this.settled].filter(([itemIndex]) => itemIndex !== toldOf);
		return { runIndex, settled: toldOf === undefined ? [] : settled, uncertain };
	}
}
