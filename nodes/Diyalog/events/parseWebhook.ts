import { parseExactJson } from '../lib/exactJson';
import { entrySchema, envelopeSchema, messagingSchema, statusCallbackSchema } from './envelope';
import type { Messaging } from './envelope';
import type { BatchEvent, EventName, MessageReceipt, StatusCallback, WebhookEvent } from './events';
import { fingerprintOf, statusFingerprintOf } from './fingerprint';
import type { EventFingerprint, StatusFingerprint } from './fingerprint';
import { parsePress } from './press';
import { plainCopy } from './plainCopy';

/** An event as it came, and what a repetition of it has in common with it. */
export interface ReceivedEvent {
	event: BatchEvent;
	fingerprint: EventFingerprint;
}

/** A status callback as it came, and what a repetition of it has in common with it. */
export interface ReceivedCallback {
	event: StatusCallback;
	fingerprint: StatusFingerprint;
}

/** Events that were sent at the same time, by which their freshness is judged. */
export interface ParsedEntry {
	/** epoch ms at which Diyalog says it sent them */
	sentAtMs: number;
	events: ReceivedEvent[];
	/** ids of messages that were certainly sent: Diyalog has taken them, or they were delivered last */
	sentIds: string[];
}

/** What one webhook call holds, and what of it could not be read. */
export interface ParsedWebhook {
	entries: ParsedEntry[];
	/** how many parts do not fit */
	malformed: number;
	/** the names of the fields for which they do not fit, never what they hold */
	malformedFields: Set<string>;
	/** how many parts have one of their two times only, which was taken for the other as well */
	withOneTime: number;
}

/** What a body holds, or why it is none of a Diyalog webhook. */
export type WebhookReading = { ok: true; parsed: ParsedWebhook } | { ok: false; reason: string };

const KNOWN_FIELDS = new Set([
	'sender',
	'recipient',
	'timestamp',
	'messageEcho',
	'delivery',
	'reads',
]);

/** The fields of an element that tell what became of a message, and what each tells. */
const RECEIPTS: ReadonlyArray<readonly [field: string, event: EventName]> = [
	['messageEcho', 'messageSent'],
	['delivery', 'messageDelivered'],
	['reads', 'messageRead'],
];

/** Whether somebody waits for the receipt of the message with this id, which is not checked yet. */
export type IsReceiptAwaited = (mid: unknown) => boolean;

/** What stands for message ids in a receipt, unchecked. */
function midsOf(receipt: unknown): unknown[] {
	if (typeof receipt !== 'object' || receipt === null || !('mids' in receipt)) return [];
	return Array.isArray(receipt.mids) ? receipt.mids : [];
}

/** Some servers write null for a field that they leave out. */
const isGiven = (element: object, field: string): boolean =>
	(Reflect.get(element, field) ?? undefined) !== undefined;

/**
 * Whether an element tells only what nobody asks for. Most of what Diyalog sends is of that kind, and checking it is
 * most of the work.
 */
function tellsNothingOf(
	wanted: readonly EventName[],
	isAwaited: IsReceiptAwaited,
	element: unknown,
): boolean {
	if (typeof element !== 'object' || element === null || isGiven(element, 'message')) return false;
	const told = RECEIPTS.filter(([field]) => isGiven(element, field));
	if (told.length === 0 || told.some(([, event]) => wanted.includes(event))) return false;
	if ('delivery' in element && midsOf(element.delivery).some(isAwaited)) return false;
	return !('reads' in element && midsOf(element.reads).some(isAwaited));
}

function messageEvents(
	common: WebhookEvent,
	message: NonNullable<Messaging['message']>,
): BatchEvent[] {
	const { text, mid: lastDeliveredMessageId = '' } = message;
	if (text === undefined) return [];
	const press = parsePress(text);
	if (!press) return [{ event: 'textReceived', text, ...common, lastDeliveredMessageId }];
	const { messageId, payload } = press;
	return [
		{
			event: 'buttonPressed',
			messageId,
			payload,
			...common,
			payloadSignature: 'notChecked',
			lastDeliveredMessageId,
		},
	];
}

function receiptEvents(
	event: MessageReceipt['event'],
	common: WebhookEvent,
	{ mids, watermark: epochMs }: NonNullable<Messaging['delivery']>,
): BatchEvent[] {
	const watermark = epochMs === undefined ? null : new Date(epochMs).toISOString();
	const messageIds = mids.length > 0 ? mids : [null];
	return messageIds.map((messageId) => ({ event, messageId, ...common, watermark }));
}

/** The events of one checked element of `messaging`; an element can carry several kinds at once. */
function messagingEvents(raw: object, data: Messaging, common: WebhookEvent): BatchEvent[] {
	const { messageEcho, delivery, reads, message } = data;
	const events: BatchEvent[] = [
		messageEcho ? [{ event: 'messageSent' as const, messageId: messageEcho.mid, ...common }] : [],
		delivery ? receiptEvents('messageDelivered', common, delivery) : [],
		reads ? receiptEvents('messageRead', common, reads) : [],
		message ? messageEvents(common, message) : [],
	].flat();
	if (events.length > 0) return events;
	const types = Object.keys(raw).filter((name) => !KNOWN_FIELDS.has(name) && isGiven(raw, name));
	return [{ event: 'other', types, ...common, raw: plainCopy(raw) }];
}

/** Diyalog batches up to 10 events; checking very many malformed ones would keep n8n busy for seconds. */
const MAX_BATCH_EVENTS = 1_000;

/** How many events an element may become. */
function countEvents(element: unknown): number {
	if (typeof element !== 'object' || element === null) return 1;
	const delivered = 'delivery' in element ? midsOf(element.delivery) : [];
	const read = 'reads' in element ? midsOf(element.reads) : [];
	return Math.max(1, delivered.length + read.length);
}

const midOf = (told: unknown): string[] =>
	typeof told === 'object' &&
	told !== null &&
	'mid' in told &&
	(typeof told.mid === 'string' || Number.isInteger(told.mid))
		? [String(told.mid)]
		: [];

/** At most two ids; they are looked for without checking the element, as most elements tell nothing else. */
function sentIdsOf(element: unknown): string[] {
	if (typeof element !== 'object' || element === null) return [];
	return [
		...('messageEcho' in element ? midOf(element.messageEcho) : []),
		...('message' in element ? midOf(element.message) : []),
	];
}

/** Reads the entries of one body. */
class BatchReader {
	readonly parsed: ParsedWebhook = {
		entries: [],
		malformed: 0,
		malformedFields: new Set(),
		withOneTime: 0,
	};

	private counted = 0;

	constructor(
		private readonly wanted: readonly EventName[] | undefined,
		private readonly isAwaited: IsReceiptAwaited,
	) {}

	/** @returns false when the body holds more than {@link MAX_BATCH_EVENTS} */
	read(raw: unknown): boolean {
		const { data: entry, error } = entrySchema().safeParse(raw);
		if (!entry) {
			this.leaveOut('entry', error.issues[0]?.path);
			return this.mayCount(1);
		}
		// Each element counts, also one that is left out, or a body of very many would be gone through.
		if (!this.mayCount(entry.messaging.length)) return false;
		const { time } = entry;
		const all: ParsedEntry | undefined =
			time === undefined ? undefined : { sentAtMs: time, events: [], sentIds: [] };
		if (all) this.parsed.entries.push(all);
		for (const element of entry.messaging) {
			const sentIds = sentIdsOf(element);
			all?.sentIds.push(...sentIds);
			if (this.wanted && tellsNothingOf(this.wanted, this.isAwaited, element)) {
				if (!all && sentIds.length > 0) this.noteSent(element, sentIds);
				continue;
			}
			if (!this.mayCount(countEvents(element) - 1)) return false;
			const found = this.readElement(element, entry);
			if (!found) continue;
			if (all) for (const event of found.events) all.events.push(event);
			else this.parsed.entries.push({ ...found, sentIds });
		}
		return true;
	}

	/** Nobody asks for the element, but the age of the messages that it names tells whether they are taken for sent. */
	private noteSent(element: unknown, sentIds: string[]): void {
		const { data: { timestamp: sentAtMs } = {} } = messagingSchema().safeParse(element);
		if (sentAtMs !== undefined) this.parsed.entries.push({ sentAtMs, events: [], sentIds });
	}

	private readElement(
		element: unknown,
		{ id: webhookId, time }: { id: string; time?: number },
	): Omit<ParsedEntry, 'sentIds'> | undefined {
		const { data, error } = messagingSchema().safeParse(element);
		if (!data || typeof element !== 'object' || element === null) {
			this.leaveOut('messaging', error?.issues[0]?.path);
			return undefined;
		}
		const occurredAtMs = data.timestamp ?? time;
		const sentAtMs = time ?? data.timestamp;
		if (occurredAtMs === undefined || sentAtMs === undefined) {
			this.leaveOut('messaging', ['timestamp']);
			return undefined;
		}
		if (data.timestamp === undefined || time === undefined) this.parsed.withOneTime++;
		const events = messagingEvents(element, data, {
			customerNo: data.recipient.appCustomerId,
			userId: data.recipient.id,
			botId: data.sender.id,
			webhookId,
			occurredAt: new Date(occurredAtMs).toISOString(),
			sentAt: new Date(sentAtMs).toISOString(),
		});
		return {
			sentAtMs,
			events: events.map((event) => ({ event, fingerprint: fingerprintOf(event, sentAtMs) })),
		};
	}

	private leaveOut(part: string, path: ReadonlyArray<PropertyKey> = []): void {
		this.parsed.malformed++;
		const names = path.filter((name) => typeof name === 'string');
		this.parsed.malformedFields.add([part, ...names].join('.'));
	}

	private mayCount(events: number): boolean {
		this.counted += events;
		return this.counted <= MAX_BATCH_EVENTS;
	}
}

function parseJson(rawBody: Buffer): unknown {
	try {
		return parseExactJson(rawBody.toString('utf8'));
	} catch {
		return undefined;
	}
}

/**
 * Reads the body of a webhook call whose signature has been checked.
 *
 * @param rawBody the bytes as received
 * @param wanted leaves out receipts that are not among these, unchecked; presses, texts and what is unknown are never left
 *   out. Everything is read unless it is given.
 * @param isAwaited of which messages a receipt is never left out
 */
export function parseWebhook(
	rawBody: Buffer,
	wanted?: readonly EventName[],
	isAwaited: IsReceiptAwaited = () => false,
): WebhookReading {
	const json = parseJson(rawBody);
	if (json === undefined) return { ok: false, reason: 'its body is not JSON.' };
	const { data } = envelopeSchema().safeParse(json);
	if (!data) {
		const reason = 'its body is not an object with "object": "dialog" and a list "entry".';
		return { ok: false, reason };
	}
	const reader = new BatchReader(wanted, isAwaited);
	if (data.entry.every((raw) => reader.read(raw))) return { ok: true, parsed: reader.parsed };
	return { ok: false, reason: `it holds more than ${MAX_BATCH_EVENTS} events or message ids.` };
}

/**
 * Reads the body of the older status callback whose Auth-Token has been checked.
 *
 * @param rawBody the bytes as received
 * @param now when it arrived, as the callback carries no time
 * @returns the callback, or the name of the field for which this is none
 */
export function parseStatusCallback(
	rawBody: Buffer,
	now: Date,
): { ok: true; callback: ReceivedCallback } | { ok: false; reason: string } {
	const { data, error } = statusCallbackSchema().safeParse(parseJson(rawBody));
	if (!data) {
		const field = String(error.issues[0]?.path[0] ?? 'a JSON object');
		return { ok: false, reason: `its body lacks ${field}, or that is not understood.` };
	}
	const event: StatusCallback = {
		event: 'statusCallback',
		messageId: data.messageId,
		status: data.status,
		customerNo: data.customerNo,
		secretData: data.secretData ?? '',
		receivedAt: now.toISOString(),
		mayBeRepeated: false,
	};
	return { ok: true, callback: { event, fingerprint: statusFingerprintOf(event, now.getTime()) } };
}
