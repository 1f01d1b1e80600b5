import { BoundedMap } from '../lib/boundedMap';

/*
 * The order in which answers are passed on to the executions that wait for them.
 *
 * Answers of one person to one message form a chain: one is passed on at a time, in the order of happening, so that of
 * Decline and Approve the earlier one counts. Chains take turns, so that one impatient person delays nobody else.
 */

/** What became of an answer that was to be passed on. */
export type AnswerOutcome =
	| { resumed: true }
	| {
			/** null when nobody can tell */
			resumed: false | null;
			/** why the execution did not continue, e.g. `otherPerson` */
			notResumedReason: string;
			/** the answer did not get through, or nobody can tell; nobody has judged it */
			isLost: boolean;
	  };

/**
 * What one attempt found: what became of the answer, or why it has to be tried again. `running` may mean that the execution
 * is not waiting yet; `unsure` that n8n failed, or did not say what it did.
 */
export type Attempt = AnswerOutcome | 'running' | 'unsure';

/** An answer that did not get through, and certainly changed nothing. */
export const lost = (notResumedReason: string): AnswerOutcome => ({
	resumed: false,
	notResumedReason,
	isLost: true,
});

/** An answer that was judged, and not taken. */
export const refusal = (notResumedReason: string): AnswerOutcome => ({
	resumed: false,
	notResumedReason,
	isLost: false,
});

/** Nobody can tell whether the execution continued with this answer. */
const UNKNOWN: AnswerOutcome = { resumed: null, notResumedReason: 'unknown', isLost: true };

const NOT_WAITING = refusal('notWaiting');

/** Whether the execution waits no more for an answer to this message; it may ask the next question already. */
const hasGoneOn = (found: Attempt): boolean =>
	found === 'running' ||
	(found !== 'unsure' &&
		!found.resumed &&
		['notWaiting', 'earlierTurn'].includes(found.notResumedReason));

/** An answer, and how it is passed on. */
export interface QueuedAnswer {
	/** the same when the same answer comes again: n8n may have failed to store the item of the trigger */
	id: string;
	/** of the message that is answered */
	turn: string;
	/** others can type an answer to a message as well: they queue for themselves */
	userId: string;
	/** ISO 8601 */
	occurredAt: string;
	/** passes it on once; must not reject */
	attempt: () => Promise<Attempt>;
}

/** How much is passed on at once, and kept. */
export interface QueueLimits {
	/** n8n needs its CPU for each, so more would only be slower */
	atOnce: number;
	/** of one person to one message */
	maxInChain: number;
	maxInAll: number;
	/** how long an execution that is still running may take to begin to wait */
	retryRunningForMs: number;
	/** how long n8n is asked again after it failed */
	retryUnsureForMs: number;
}

/** Time as the queue sees it. */
export interface Clock {
	/** milliseconds, never going back */
	now(): number;
	sleep(ms: number): Promise<void>;
}

interface Entry extends QueuedAnswer {
	settle: (outcome: AnswerOutcome) => void;
	firstTriedAtMs?: number;
	tries: number;
	/** an attempt of it may have continued the execution */
	isUnsure: boolean;
}

interface Chain {
	id: string;
	turn: string;
	entries: Entry[];
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** A chain rests so many times as long as its refused answer took n8n: n8n has most of its CPU for others. */
const REST_FACTOR = 3;

/** So many answered messages are remembered, to refuse further answers without asking n8n; some MB. */
const MAX_ANSWERED = 10_000;

/** Passes answers on: in order within a chain, fairly between chains, a few at a time. */
export class AnswerQueue {
	private readonly chains = new Map<string, Chain>();

	private readonly ready: Chain[] = [];

	/** by turn, the id of the answer that was taken */
	private readonly answered = new BoundedMap<string, string>(MAX_ANSWERED);

	private underWay = 0;

	private size = 0;

	constructor(
		private readonly limits: QueueLimits,
		private readonly clock: Clock,
	) {}

	/** Puts an answer into its place. It resolves when it is known what became of it; it never rejects. */
	async pass(answer: QueuedAnswer): Promise<AnswerOutcome> {
		const taken = this.answered.get(answer.turn);
		if (taken !== undefined) return taken === answer.id ? { resumed: true } : NOT_WAITING;
		const id = JSON.stringify([answer.turn, answer.userId]);
		const chain = this.chains.get(id) ?? { id, turn: answer.turn, entries: [] };
		const { maxInChain, maxInAll } = this.limits;
		if (chain.entries.length >= maxInChain) return refusal('busy');
		if (this.size >= maxInAll) return lost('busy');
		return await new Promise((settle) => {
			this.insert(chain, { ...answer, settle, tries: 0, isUnsure: false });
		});
	}

	private insert(chain: Chain, entry: Entry): void {
		this.size++;
		// What has begun keeps its place.
		const later = chain.entries.findIndex(
			({ tries, occurredAt }) => tries === 0 && occurredAt > entry.occurredAt,
		);
		chain.entries.splice(later < 0 ? chain.entries.length : later, 0, entry);
		if (this.chains.has(chain.id)) return;
		this.chains.set(chain.id, chain);
		this.ready.push(chain);
		this.work();
	}

	private work(): void {
		while (this.underWay < this.limits.atOnce) {
			const chain = this.ready.shift();
			if (!chain) return;
			this.underWay++;
			void this.tryFirstOf(chain).finally(() => {
				this.underWay--;
				this.work();
			});
		}
	}

	private async tryFirstOf(chain: Chain): Promise<void> {
		const [entry] = chain.entries;
		if (!entry) return;
		if (this.answered.has(chain.turn)) return this.end(chain, NOT_WAITING);
		entry.firstTriedAtMs ??= this.clock.now();
		entry.tries++;
		const beganAtMs = this.clock.now();
		const found = await entry.attempt();
		const endedAtMs = this.clock.now();
		const outcome = this.judge(entry, found, endedAtMs - entry.firstTriedAtMs);
		if (!outcome) return void this.goOnAfter(FIRST_PAUSE_MS * 2 ** (entry.tries - 1), chain);
		chain.entries.shift();
		this.settle(entry, outcome);
		if (outcome.resumed) this.answered.set(entry.turn, entry.id);
		// What has not begun would only find out the same.
		if (outcome.resumed === null && !hasGoneOn(found)) return this.end(chain, lost('withdrawn'));
		if (outcome.resumed || outcome.notResumedReason === 'notWaiting')
			return this.end(chain, NOT_WAITING);
		if (chain.entries.length === 0) return void this.chains.delete(chain.id);
		void this.goOnAfter(REST_FACTOR * (endedAtMs - beganAtMs), chain);
	}

	/** What is definite about an answer after an attempt; undefined when it has to be tried again. */
	private judge(entry: Entry, found: Attempt, triedForMs: number): AnswerOutcome | undefined {
		const { retryRunningForMs, retryUnsureForMs } = this.limits;
		const isLost = found !== 'running' && found !== 'unsure' && !found.resumed && found.isLost;
		if (found === 'unsure' || (entry.isUnsure && isLost)) {
			entry.isUnsure = true;
			return triedForMs < retryUnsureForMs ? undefined : UNKNOWN;
		}
		if (found === 'running' && triedForMs < retryRunningForMs) return undefined;
		// With this answer or with one of another process: n8n refuses the slower of two as if it had failed.
		if (entry.isUnsure && hasGoneOn(found)) return UNKNOWN;
		return found === 'running' ? NOT_WAITING : found;
	}

	/** The chain keeps its place in time, but nothing that others could use meanwhile. */
	private async goOnAfter(ms: number, chain: Chain): Promise<void> {
		await this.clock.sleep(Math.min(ms, LONGEST_PAUSE_MS));
		this.ready.push(chain);
		this.work();
	}

	private end(chain: Chain, outcome: AnswerOutcome): void {
		for (const entry of chain.entries.splice(0)) this.settle(entry, outcome);
		this.chains.delete(chain.id);
	}

	private settle(entry: Entry, outcome: AnswerOutcome): void {
		this.size--;
		entry.settle(outcome);
	}
}
