import { randomUUID } from 'node:crypto';
import { sleep } from 'n8n-workflow';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import type { Fingerprint } from '../events/fingerprint';
import { LastStatuses } from '../events/lastStatuses';
import { SeenEvents } from '../events/seenEvents';
import type { Novelty } from '../events/seenEvents';
import { triggerKeyOf } from './triggerKey';

/*
 * What a trigger has taken already is kept twice: in n8n's database, which survives a restart, and in this process,
 * because two calls at the same time read the database before either of them has written it.
 */

/** Field of the node's static data: which events were taken. */
const SEEN_KEY = 'seenEvents';
/** Field of the node's static data: the last status of messages. */
const STATUSES_KEY = 'lastStatuses';
/** Field of the node's static data: which memory those are from. */
const WRITER_KEY = 'seenEventsWrittenBy';

/** Shorter than n8n takes to store an execution, so that it happens in between. */
const WRITE_AGAIN_EVERY_MS = 1;

/** An n8n that holds executions back may take minutes. What it misses then is written with the next event. */
const LONG_MS = 1_000;
const WRITE_SELDOM_EVERY_MS = 100;

/** n8n never answers for an execution that it held back and that somebody cancelled. */
const GIVE_UP_AFTER_MS = 600_000;

const MS_PER_MINUTE = 60_000;

/** What this process knows of one trigger. */
interface Memory {
	/** tells what this memory wrote, and knows, from what another process did, or this one before a restart */
	id: string;
	seen: SeenEvents;
	statuses: LastStatuses;
	/** what was written to the database last; undefined before */
	written?: IDataObject;
}

function write(context: IWebhookFunctions, { written }: Memory): void {
	Object.assign(context.getWorkflowStaticData('node'), written);
}

/** Memories of the triggers of this process; a workflow's id and a node's id are unique in one n8n. */
const memories = new Map<string, Memory>();

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_MEMORIES = 1_000;

function memoryOf(key: string): Memory {
	const known = memories.get(key);
	if (known) return known;
	const [oldest] = memories.keys();
	if (memories.size >= MAX_MEMORIES && oldest !== undefined) memories.delete(oldest);
	const memory = { id: randomUUID(), seen: new SeenEvents(), statuses: new LastStatuses() };
	memories.set(key, memory);
	return memory;
}

const memoryFor = (context: IWebhookFunctions): Memory => memoryOf(triggerKeyOf(context));

/** Something that a call brought, with what a repetition of it has in common with it. */
interface Fingerprinted {
	fingerprint: Fingerprint;
}

function add({ seen, statuses }: Memory, fingerprint: Fingerprint): Novelty {
	if ('sentAtMs' in fingerprint) return seen.add(fingerprint);
	return statuses.add(fingerprint) ? 'new' : 'repeated';
}

/** Has n8n store what this memory knows, if that is not what it has stored last. A repetition alone writes nothing. */
function store(context: IWebhookFunctions, memory: Memory): void {
	const { id, seen, statuses, written } = memory;
	const now = { [SEEN_KEY]: seen.toText(), [STATUSES_KEY]: statuses.toText(), [WRITER_KEY]: id };
	if (written?.[SEEN_KEY] === now[SEEN_KEY] && written[STATUSES_KEY] === now[STATUSES_KEY]) return;
	memory.written = now;
	write(context, memory);
}

/**
 * Takes back the marks of events that were not dealt with in the end, because n8n failed to store what they start (a full
 * disk, a lost database): their repetition is taken. n8n stores this if it has not answered the call yet, and otherwise with
 * what the trigger takes next.
 */
export function forget(context: IWebhookFunctions, events: readonly Fingerprinted[]): void {
	if (events.length === 0 || context.getMode() === 'manual') return;
	const memory = memoryFor(context);
	for (const { fingerprint } of events) {
		if ('sentAtMs' in fingerprint) memory.seen.forget(fingerprint);
		else memory.statuses.forget(fingerprint);
	}
	store(context, memory);
}

/** Takes over what another memory has stored meanwhile. */
function catchUp(context: IWebhookFunctions, { id, seen, statuses }: Memory): void {
	const staticData = context.getWorkflowStaticData('node');
	if (staticData[WRITER_KEY] === id) return;
	seen.merge(staticData[SEEN_KEY]);
	statuses.merge(staticData[STATUSES_KEY]);
}

/**
 * The events that this trigger has not taken before, which it marks as taken from now on. What {@link forget} is given is
 * not marked any more. Calls of the test URL are not remembered: somebody who builds a workflow posts the same example again
 * and again.
 *
 * @param maxAgeMinutes how old a call may be; 0 for any age
 */
export function onlyNew<T extends Fingerprinted>(
	context: IWebhookFunctions,
	events: T[],
	maxAgeMinutes: number,
): T[] {
	if (events.length === 0 || context.getMode() === 'manual') return events;
	const memory = memoryFor(context);
	catchUp(context, memory);
	const judged = events.map((event) => ({ event, novelty: add(memory, event.fingerprint) }));
	memory.seen.forgetOld(Date.now(), maxAgeMinutes * MS_PER_MINUTE);
	const having = (wanted: Novelty): T[] =>
		judged.filter(({ novelty }) => novelty === wanted).map(({ event }) => event);
	const untold = having('untold').length;
	if (untold > 0) {
		context.logger.warn(
			`Diyalog Trigger refused ${untold} event(s): they were sent at a time of which not all events are remembered any more, so nobody can tell whether they were taken before. Look for a flood of events, or set a smaller Maximum Age.`,
		);
	}
	store(context, memory);
	return having('new');
}

/**
 * Sees to it that n8n saves what was taken by a call that starts an execution. n8n saves static data when it answers, if
 * it is marked as changed; but since it answers only after it has stored the execution (2.41), it takes that mark away in
 * between, whenever there was static data before. So it is written until n8n has answered.
 */
export async function rememberUntilAnswered(
	context: IWebhookFunctions,
	hasAnswered: () => boolean,
): Promise<void> {
	const memory = memoryFor(context);
	if (!memory.written || context.getMode() === 'manual') return;
	const sinceMs = performance.now();
	for (let waitedMs = 0; !hasAnswered() && waitedMs < GIVE_UP_AFTER_MS; ) {
		write(context, memory);
		waitedMs = performance.now() - sinceMs;
		await sleep(waitedMs > LONG_MS ? WRITE_SELDOM_EVERY_MS : WRITE_AGAIN_EVERY_MS);
	}
}
