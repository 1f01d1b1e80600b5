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

/** HTTP status from which on an answer says that the server failed (RFC 9110, 15.6). */
const FIRST_SERVER_ERROR = 500;

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
 * When n8n itself fails to store an execution (a full disk, a lost database), it answers with an error after the trigger
 * has handed over the events. Diyalog may repeat such a call, and then it must not pass for a repetition.
 */
function forgetUnlessAccepted(
	context: IWebhookFunctions,
	memory: Memory,
	events: DiyalogEvent[],
): void {
	const response = context.getResponseObject();
	response.once('finish', () => {
		if (response.statusCode < FIRST_SERVER_ERROR) return;
		for (const event of events) memory.seen.forget(event);
	});
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
		forgetUnlessAccepted(context, memory, fresh);
	}
	return fresh;
}

/**
 * Sees to it that n8n saves what was taken by a call that starts an execution. n8n saves static data when it answers, if
 * it is marked as changed; but since it answers only after it has stored the execution (2.41), it takes that mark away in
 * between, whenever there was static data before. So it is written until the answer is out.
 */
export async function rememberUntilAnswered(context: IWebhookFunctions): Promise<void> {
	const memory = memoryFor(context);
	if (memory.written === '' || context.getMode() === 'manual') return;
	const response = context.getResponseObject();
	let isOpen = !response.writableEnded && !response.destroyed;
	response.once('close', () => {
		isOpen = false;
	});
	while (isOpen) {
		write(context, memory);
		await sleep(WRITE_AGAIN_EVERY_MS);
	}
}
