import { parseExactJson } from '../json/exactJson';
import { entrySchema, envelopeSchema, messagingSchema, statusCallbackSchema } from './envelope';
import type { Messaging } from './envelope';
import { isoTime } from './isoTime';
import type { PayloadSignature } from './payloadSignature';
import { parsePress } from './press';
import { plainCopy } from './plainCopy';

/** What every event of the webhook tells. */
interface WebhookEvent {
	customerNo: string;
	/** the customer's id in Diyalog */
	userId: string;
	botId: string;
	/** the id that server.conf gives to the webhook */
	webhookId: string;
	/** when it happened, ISO 8601 */
	occurredAt: string;
	/** when Diyalog sent it, ISO 8601 */
	sentAt: string;
}

/** A customer pressed a button. */
export interface ButtonPressed extends WebhookEvent {
	event: 'buttonPressed';
	/** the sender's id of the message whose button was pressed */
	messageId: string;
	/** the button's payload; the inner one when it was signed and the signature is valid */
	payload: string;
	/** what checking the device's signature found */
	payloadSignature: PayloadSignature;
	/** the last message delivered to the customer by then; not necessarily the one that was pressed */
	lastDeliveredMessageId: string;
}

/** A customer wrote a text. */
export interface TextReceived extends WebhookEvent {
	event: 'textReceived';
	text: string;
	/** the last message delivered to the customer by then: the only hint at what is being answered */
	lastDeliveredMessageId: string;
}

/** Diyalog took a message for delivery. */
export interface MessageSent extends WebhookEvent {
	event: 'messageSent';
	messageId: string;
}

/** A message reached the device, or was read; so were all earlier ones. */
export interface MessageReceipt extends WebhookEvent {
	event: 'messageDelivered' | 'messageRead';
	/** null when Diyalog names no message but only a watermark */
	messageId: string | null;
	/** everything until then was delivered or read, ISO 8601 */
	watermark: string | null;
}

/** The older status callback. It carries no time. */
export interface StatusCallback {
	event: 'statusCallback';
	messageId: string;
	status: string;
	customerNo: string;
	/** data signed by the device's private key, passed on unchecked */
	secretData: string;
	/** when it arrived here, ISO 8601 */
	receivedAt: string;
}

/** Something that Diyalog added later. */
export interface OtherEvent extends WebhookEvent {
	event: 'other';
	/** the names of the fields that are not known here */
	types: string[];
	/** the element of `messaging` as it came, ids beyond 2^53 as text */
	raw: object;
}

export type DiyalogEvent =
	| ButtonPressed
	| TextReceived
	| MessageSent
	| MessageReceipt
	| StatusCallback
	| OtherEvent;

export type EventName = DiyalogEvent['event'];

/** The events of one entry, with the time that its freshness is judged by. */
export interface ParsedEntry {
	/** epoch ms at which Diyalog says it sent the entry */
	sentAtMs: number;
	events: DiyalogEvent[];
}

/** What one webhook call holds, and how many of its parts could not be read. */
export interface ParsedWebhook {
	entries: ParsedEntry[];
	malformed: number;
}

const KNOWN_KEYS = new Set([
	'sender',
	'recipient',
	'timestamp',
	'messageEcho',
	'delivery',
	'reads',
]);

/** The keys of an element that tell what became of a message, and what each tells. */
const RECEIPTS: ReadonlyArray<readonly [key: string, event: EventName]> = [
	['messageEcho', 'messageSent'],
	['delivery', 'messageDelivered'],
	['reads', 'messageRead'],
];

/**
 * Whether an element tells only what nobody asks for. Most of what Diyalog sends is of that kind, and checking it is
 * most of the work.
 */
function tellsNothingOf(wanted: readonly EventName[], element: unknown): boolean {
	if (typeof element !== 'object' || element === null || 'message' in element) return false;
	const told = RECEIPTS.filter(([key]) => key in element);
	return told.length > 0 && told.every(([, event]) => !wanted.includes(event));
}

function messageEvents(
	common: WebhookEvent,
	message: NonNullable<Messaging['message']>,
): DiyalogEvent[] {
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
): MessageReceipt[] {
	const watermark = epochMs === undefined ? null : isoTime(epochMs);
	const messageIds = mids.length > 0 ? mids : [null];
	return messageIds.map((messageId) => ({ event, messageId, ...common, watermark }));
}

/** The events of one checked element of `messaging`; an element can carry several kinds at once. */
function messagingEvents(
	raw: object,
	data: Messaging,
	frame: Pick<WebhookEvent, 'webhookId' | 'sentAt'>,
): DiyalogEvent[] {
	const { messageEcho, delivery, reads, message } = data;
	const common: WebhookEvent = {
		customerNo: data.recipient.appCustomerId,
		userId: data.recipient.id,
		botId: data.sender.id,
		webhookId: frame.webhookId,
		occurredAt: isoTime(data.timestamp),
		sentAt: frame.sentAt,
	};
	const events: DiyalogEvent[] = [];
	if (messageEcho) events.push({ event: 'messageSent', messageId: messageEcho.mid, ...common });
	if (delivery) events.push(...receiptEvents('messageDelivered', common, delivery));
	if (reads) events.push(...receiptEvents('messageRead', common, reads));
	if (message) events.push(...messageEvents(common, message));
	if (events.length > 0) return events;
	const types = Object.keys(raw).filter((key) => !KNOWN_KEYS.has(key));
	return [{ event: 'other', types, ...common, raw: plainCopy(raw) }];
}

/** Diyalog batches up to 10 events; checking very many malformed ones would keep n8n busy for seconds. */
export const MAX_BATCH_ELEMENTS = 1_000;

interface EntryOutcome {
	/** undefined when the entry does not fit */
	entry?: ParsedEntry;
	/** how many of its parts do not fit */
	malformed: number;
	/** how many parts were looked at */
	elements: number;
}

function parseEntry(raw: unknown, wanted: readonly EventName[] | undefined): EntryOutcome {
	const { data } = entrySchema.safeParse(raw);
	if (!data) return { malformed: 1, elements: 1 };
	const elements = data.messaging.length;
	if (elements > MAX_BATCH_ELEMENTS) return { malformed: elements, elements };
	const frame = { webhookId: data.id, sentAt: isoTime(data.time) };
	let malformed = 0;
	const events: DiyalogEvent[] = [];
	for (const element of data.messaging) {
		if (wanted && tellsNothingOf(wanted, element)) continue;
		const messaging = messagingSchema.safeParse(element);
		if (messaging.success && typeof element === 'object' && element !== null) {
			events.push(...messagingEvents(element, messaging.data, frame));
		} else {
			malformed++;
		}
	}
	return { entry: { sentAtMs: data.time, events }, malformed, elements };
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
 * @returns undefined when this is not the body of a Diyalog webhook, or holds more than {@link MAX_BATCH_ELEMENTS}
 */
export function parseWebhook(
	rawBody: Buffer,
	wanted?: readonly EventName[],
): ParsedWebhook | undefined {
	const { data } = envelopeSchema.safeParse(parseJson(rawBody));
	if (!data) return undefined;
	const parsed: ParsedWebhook = { entries: [], malformed: 0 };
	let elements = 0;
	for (const raw of data.entry) {
		const { entry, malformed, elements: looked } = parseEntry(raw, wanted);
		elements += looked;
		if (elements > MAX_BATCH_ELEMENTS) return undefined;
		if (entry) parsed.entries.push(entry);
		parsed.malformed += malformed;
	}
	return parsed;
}

/**
 * Reads the body of the older status callback whose Auth-Token has been checked.
 *
 * @param rawBody the bytes as received
 * @param now when it arrived, as the callback carries no time
 * @returns undefined when this is not the body of a status callback
 */
export function parseStatusCallback(rawBody: Buffer, now: Date): StatusCallback | undefined {
	const { data } = statusCallbackSchema.safeParse(parseJson(rawBody));
	if (!data) return undefined;
	const { messageId, status, customerNo, secretData } = data;
	return {
		event: 'statusCallback',
		messageId,
		status,
		customerNo,
		secretData: secretData ?? '',
		receivedAt: now.toISOString(),
	};
}
