import { randomUUID } from 'node:crypto';
import { sleep } from 'n8n-workflow';
import type { IWebhookFunctions } from 'n8n-workflow';
import type { DiyalogEvent } from '../events/events';
import { SeenEvents } from '../events/seenEvents';

/*
 * What a trigger has taken already is kept twice: in n8n's database, which survives a restart, and in this process,
 * because two calls at the same time read the database before either of them has written it.
 */

/** Field of the node's static data: what was taken. */
const SEEN_KEY = 'seenEvents';
/** Field of the node's static data: which memory that is from. */
const WRITER_KEY = 'seenEventsWrittenBy';

/** Shorter than n8n takes to store an execution, so that it happens in between. */
const WRITE_AGAIN_EVERY_MS = 1;

/** What this process knows of one trigger. */
interface Memory {
	/** tells what this memory wrote, and knows, from what another process did, or this one before a restart */
	id: string;
	seen: SeenEvents;
	/** the text of it that was written to the database last; empty before */
	written: string;
}

function write(context: IWebhookFunctions, { id, written }: Memory): void {
	const staticData = context.getWorkflowStaticData('node');
	staticData[SEEN_KEY] = written;
	staticData[WRITER_KEY] = id;
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
	const memory = { id: randomUUID(), seen: new SeenEvents(), written: '' };
	memories.set(key, memory);
	return memory;
}

const memoryFor = (context: IWebhookFunctions): Memory =>
	memoryOf(`${context.getWorkflow().id ?? ''}/${context.getNode().id}`);

/**
 * Takes back that events were taken: n8n failed to store what they start (a full disk, a lost database). Diyalog may repeat
 * the call, and then it must not pass for a repetition.
 */
export function forget(context: IWebhookFunctions, events: DiyalogEvent[]): void {
	const { seen } = memoryFor(context);
	for (const event of events) seen.forget(event);
}

/**
 * The events that this trigger has not taken before, which it remembers from now on. Calls of the test URL are not
 * remembered: somebody who builds a workflow posts the same example again and again.
 */
export function onlyNew(context: IWebhookFunctions, events: DiyalogEvent[]): DiyalogEvent[] {
	if (events.length === 0 || context.getMode() === 'manual') return events;
	const memory = memoryFor(context);
	const staticData = context.getWorkflowStaticData('node');
	if (staticData[WRITER_KEY] !== memory.id) memory.seen.merge(new SeenEvents(staticData[SEEN_KEY]));
	const fresh = events.filter((event) => memory.seen.add(event));
	if (fresh.length > 0) {
		memory.written = memory.seen.toText();
		write(context, memory);
	}
	return fresh;
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
	if (memory.written === '' || context.getMode() === 'manual') return;
	while (!hasAnswered()) {
		write(context, memory);
		await sleep(WRITE_AGAIN_EVERY_MS);
	}
}
