import { BoundedMap, BoundedSet } from '../lib/boundedMap';

/*
 * The order in which answers are passed on to the executions that wait for them.
 *
 * Answers of one person to one question form a chain: one is passed on at a time, in the order of happening, so that of
 * Decline and Approve the earlier one counts. The first answers of all chains to a question are passed on together: several
 * people may be asked, and n8n lets an execution continue with one call at a time. Questions take turns, so that one
 * impatient person delays nobody else.
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
			/** passing it on again would change nothing */
			isFinal?: true;
			/** the execution has not said so: it was running all the time, and may wait again */
			isConcluded?: true;
	  };

/**
 * What one attempt found: what became of the answer, or why it has to be tried again. `running` may mean that the execution
 * is not waiting yet, `held` that n8n holds another answer to the question back; `unsure` that n8n failed, or did not say what it did.
 */
export type Attempt = AnswerOutcome | 'running' | 'held' | 'unsure';

/** An answer that did not get through, and certainly changed nothing. */
export const lost = (notResumedReason: string) =>
	({ resumed: false, notResumedReason, isLost: true }) as const satisfies AnswerOutcome;

/** Whether an answer did not get through, and may still be carried out when it is passed on again. */
export const isOpen = (outcome: AnswerOutcome): boolean =>
	!outcome.resumed && outcome.isLost && !outcome.isFinal;

/** An answer that was judged, and not taken. */
export const refusal = (notResumedReason: string): AnswerOutcome => ({
	resumed: false,
	notResumedReason,
	isLost: false,
});

/** Nobody can tell whether the execution continued with this answer. */
const UNKNOWN = { resumed: null, notResumedReason: 'unknown', isLost: true } as const;

const NOT_WAITING = refusal('notWaiting');

/** It has run for so long that it has gone on, as far as anybody can tell. */
const NEVER_WAITED: AnswerOutcome = {
	resumed: false,
	notResumedReason: 'notWaiting',
	isLost: false,
	isConcluded: true,
};

/** It waits on after an answer that it has counted, or has gone on with one of another process. */
const STILL_RUNNING = lost('stillRunning');

/** What an execution counts, and waits on after. */
export const COUNTED: readonly string[] = ['wrongCode', 'counted'];

/** Whether the execution waits no more for an answer to this message; it may ask the next question already. */
const hasGoneOn = (found: Exclude<Attempt, 'held'>): boolean =>
	found === 'running' ||
	(found !== 'unsure' &&
		!found.resumed &&
		['notWaiting', 'earlierTurn'].includes(found.notResumedReason));

/** An answer, and how it is passed on. */
export interface QueuedAnswer<T> {
	/** the same when the same answer comes again: n8n may have failed to store the item of the trigger */
	id: string;
	/** of the question that is answered */
	turn: string;
	/** others can type an answer to a message as well: they queue for themselves */
	userId: string;
	/** ISO 8601 */
	occurredAt: string;
	/** as it is passed on */
	passedOn: T;
	characters: number;
	/** passes it on once, together with others to the same question, it being the first of them; must not reject */
	attempt: (together: ReadonlyArray<QueuedAnswer<T>>) => Promise<readonly Attempt[]>;
}

/** How much is passed on at once, and kept. */
export interface QueueLimits {
	/** n8n needs its CPU for each, so more would only be slower */
	atOnce: number;
	/** answers to one question that are passed on together */
	together: number;
	charactersTogether: number;
	/** of one person to one question */
	maxInChain: number;
	/** of all people, also of those who were not asked: they must not fill the line for other questions */
	maxInQuestion: number;
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

interface Entry<T> extends QueuedAnswer<T> {
	settle: (outcome: AnswerOutcome) => void;
	firstTriedAtMs?: number;
	tries: number;
	/** an attempt of it may have continued the execution */
	isUnsure: boolean;
}

/** The answers of one person to one question. */
interface Chain<T> {
	entries: Array<Entry<T>>;
	restsUntilMs: number;
	/** the first of them is to be tried again, and may be earlier if another is passed on anyway */
	mayJoin: boolean;
}

/** A question, and the answers to it by person. */
interface Question<T> {
	turn: string;
	chains: Map<string, Chain<T>>;
	/** answers in all chains */
	size: number;
	/** in line, or answers of it are on their way */
	isBusy: boolean;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** A chain rests so many times as long as its refused answer took n8n: n8n has most of its CPU for others. */
const REST_FACTOR = 3;

/** So many answered questions are remembered, to refuse further answers without asking n8n; some MB. */
const MAX_ANSWERED = 10_000;

/** Passes answers on: in order within a chain, fairly between questions, a few at a time. */
export class AnswerQueue<T> {
	private readonly questions = new Map<string, Question<T>>();

	private readonly ready: Array<Question<T>> = [];

	/** by turn, the id of the answer that was taken */
	private readonly answered = new BoundedMap<string, string>(MAX_ANSWERED);

	/** turns of questions that wait on: n8n may hold them back, and say meanwhile that they run */
	private readonly counted = new BoundedSet<string>(MAX_ANSWERED);

	/** what became of answers that were counted, by their id */
	private readonly countedAs = new BoundedMap<string, AnswerOutcome>(MAX_ANSWERED);

	private underWay = 0;

	private size = 0;

	constructor(
		private readonly limits: QueueLimits,
		private readonly clock: Clock,
	) {}

	/** Puts an answer into its place. It resolves when it is known what became of it; it never rejects. */
	async pass(answer: QueuedAnswer<T>): Promise<AnswerOutcome> {
		const { turn, userId } = answer;
		const taken = this.answered.get(turn);
		if (taken !== undefined) return taken === answer.id ? { resumed: true } : NOT_WAITING;
		const counted = this.countedAs.get(answer.id);
		if (counted) return counted;
		const { maxInChain, maxInQuestion, maxInAll } = this.limits;
		const { chains, size = 0 } = this.questions.get(turn) ?? {};
		const waiting = chains?.get(userId)?.entries.length ?? 0;
		if (waiting >= maxInChain) return refusal('busy');
		if (size >= maxInQuestion || this.size >= maxInAll) return lost('busy');
		return await new Promise((settle) => {
			this.insert({ ...answer, settle, tries: 0, isUnsure: false });
		});
	}

	private insert(entry: Entry<T>): void {
		const { turn, userId } = entry;
		this.size++;
		const question: Question<T> = this.questions.get(turn) ?? {
			turn,
			chains: new Map<string, Chain<T>>(),
			size: 0,
			isBusy: false,
		};
		question.size++;
		this.questions.set(turn, question);
		const chain: Chain<T> = question.chains.get(userId) ?? {
			entries: [],
			// Behind whoever is to be tried again by now, or many newcomers would keep those waiting.
			restsUntilMs: this.clock.now(),
			mayJoin: false,
		};
		question.chains.set(userId, chain);
		// What has begun keeps its place.
		const later = chain.entries.findIndex(
			({ tries, occurredAt }) => tries === 0 && occurredAt > entry.occurredAt,
		);
		chain.entries.splice(later < 0 ? chain.entries.length : later, 0, entry);
		if (chain.entries.length === 1) this.putInLine(question);
	}

	/** A question is in line from when the first of its chains has rested. */
	private putInLine(question: Question<T>): void {
		if (question.isBusy) return;
		const dueAtMs = Math.min(
			...[...question.chains.values()].map(({ restsUntilMs }) => restsUntilMs),
		);
		const restsForMs = dueAtMs - this.clock.now();
		if (restsForMs > 0 && restsForMs < Infinity) {
			void this.clock.sleep(restsForMs).then(() => this.putInLine(question));
			return;
		}
		if (question.chains.size === 0) return;
		question.isBusy = true;
		this.ready.push(question);
		// What comes in the same call is passed on together.
		queueMicrotask(() => this.work());
	}

	private work(): void {
		while (this.underWay < this.limits.atOnce) {
			const question = this.ready.shift();
			if (!question) return;
			this.underWay++;
			void this.tryFirstOf(question).finally(() => {
				this.underWay--;
				question.isBusy = false;
				if (question.chains.size === 0) this.questions.delete(question.turn);
				else this.putInLine(question);
				this.work();
			});
		}
	}

	/** The chains whose first answers are passed on now, who has waited longest first. */
	private dueOf({ chains }: Question<T>): Array<Chain<T>> {
		const nowMs = this.clock.now();
		const due = [...chains.values()]
			.filter(({ restsUntilMs, mayJoin }) => mayJoin || restsUntilMs <= nowMs)
			.sort((one, other) => one.restsUntilMs - other.restsUntilMs)
			.slice(0, this.limits.together);
		let characters = 0;
		return due.filter(({ entries: [first] }, index) => {
			characters += first?.characters ?? 0;
			return index === 0 || characters <= this.limits.charactersTogether;
		});
	}

	private async tryFirstOf(question: Question<T>): Promise<void> {
		if (this.answered.has(question.turn)) return this.end(question, NOT_WAITING);
		const beganAtMs = this.clock.now();
		const begun = this.dueOf(question).flatMap((chain) => {
			const [entry] = chain.entries;
			return entry ? [{ chain, entry }] : [];
		});
		const entries = begun.map(({ entry }) => entry);
		for (const entry of entries) {
			entry.firstTriedAtMs ??= beganAtMs;
			entry.tries++;
		}
		const found = (await entries[0]?.attempt(entries)) ?? [];
		const tookMs = this.clock.now() - beganAtMs;
		for (const [index, { chain, entry }] of begun.entries()) {
			this.goOnWith(question, chain, entry, found[index] ?? 'unsure', tookMs);
		}
		if (this.answered.has(question.turn)) this.end(question, NOT_WAITING);
	}

	/** What follows from what an attempt found for the first answer of a chain. */
	private goOnWith(
		question: Question<T>,
		chain: Chain<T>,
		entry: Entry<T>,
		found: Attempt,
		tookMs: number,
	): void {
		const nowMs = this.clock.now();
		const rest = (ms: number, mayJoin: boolean): void => {
			chain.restsUntilMs = nowMs + Math.min(ms, LONGEST_PAUSE_MS);
			chain.mayJoin = mayJoin;
		};
		const outcome = this.judge(entry, found, nowMs - (entry.firstTriedAtMs ?? nowMs));
		if (!outcome) return rest(FIRST_PAUSE_MS * 2 ** (entry.tries - 1), true);
		chain.entries.shift();
		this.settle(question, entry, outcome);
		if (outcome.resumed) this.answered.set(entry.turn, entry.id);
		else if (COUNTED.includes(outcome.notResumedReason)) {
			this.counted.add(entry.turn);
			this.countedAs.set(entry.id, outcome);
			// The same one again, which was kept as well.
			const isSame = ({ id }: Entry<T>) => id === entry.id;
			for (const same of chain.entries.filter(isSame)) this.settle(question, same, outcome);
			chain.entries = chain.entries.filter((each) => !isSame(each));
		}
		// What stands behind it would find out the same, or overtake it.
		if (isOpen(outcome)) this.endChain(question, chain, lost('withdrawn'));
		if (outcome.resumed) this.endChain(question, chain, NOT_WAITING);
		else if (outcome.notResumedReason === 'notWaiting') this.endChain(question, chain, outcome);
		if (chain.entries.length === 0) question.chains.delete(entry.userId);
		rest(REST_FACTOR * tookMs, false);
	}

	/** What is definite about an answer after an attempt; undefined when it has to be tried again. */
	private judge(entry: Entry<T>, attempt: Attempt, triedForMs: number): AnswerOutcome | undefined {
		if (attempt === 'held') this.counted.add(entry.turn);
		const found = attempt === 'held' ? 'running' : attempt;
		const { retryRunningForMs, retryUnsureForMs } = this.limits;
		const isLost = found !== 'running' && found !== 'unsure' && !found.resumed && found.isLost;
		if (found === 'unsure' || (entry.isUnsure && isLost)) {
			entry.isUnsure = true;
			return triedForMs < retryUnsureForMs ? undefined : UNKNOWN;
		}
		if (found === 'running' && triedForMs < retryRunningForMs) return undefined;
		if (found === 'running' && this.counted.has(entry.turn))
			return entry.isUnsure ? UNKNOWN : STILL_RUNNING;
		// With this answer or with one of another process: n8n refuses the slower of two as if it had failed.
		if (entry.isUnsure && hasGoneOn(found)) return { ...UNKNOWN, isFinal: true };
		return found === 'running' ? NEVER_WAITED : found;
	}

	private end(question: Question<T>, outcome: AnswerOutcome): void {
		for (const chain of question.chains.values()) this.endChain(question, chain, outcome);
		question.chains.clear();
	}

	private endChain(question: Question<T>, chain: Chain<T>, outcome: AnswerOutcome): void {
		for (const entry of chain.entries.splice(0)) {
			const isTaken = this.answered.get(entry.turn) === entry.id;
			this.settle(question, entry, isTaken ? { resumed: true } : outcome);
		}
	}

	private settle(question: Question<T>, entry: Entry<T>, outcome: AnswerOutcome): void {
		this.size--;
		question.size--;
		entry.settle(outcome);
	}
}
