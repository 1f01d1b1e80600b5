import type { PayloadSignature } from '../deviceSignature/verifier';

/*
 * The comments of fields are what people read in n8n, where they see the fields of all events as those of one item.
 */

/** What every event of the webhook tells. */
export interface WebhookEvent {
	/** the customer's number in the company's system; null where Diyalog gives none, as for employees */
	customerNo: string | null;
	/** the person's id in Diyalog */
	userId: string;
	botId: string;
	/** the id that server.conf gives to the webhook */
	webhookId: string;
	/** when it happened, ISO 8601 */
	occurredAt: string;
	/** when Diyalog sent it, ISO 8601 */
	sentAt: string;
}

/** A person pressed a button. */
export interface ButtonPressed extends WebhookEvent {
	event: 'buttonPressed';
	/** the sender's id of the message that the event is about */
	messageId: string;
	/** the button's payload; the inner one when it was signed and the signature is valid */
	payload: string;
	/** what the check of the device's signature found */
	payloadSignature: PayloadSignature;
	/** the payload as the phone sent it, with its signature; only where that is valid */
	signedPayload?: string;
	/** the last message delivered to the person by then, which may be another than the pressed one; empty when not named */
	lastDeliveredMessageId: string;
}

/** A person wrote a text. */
export interface TextReceived extends WebhookEvent {
	event: 'textReceived';
	/** what the person wrote */
	text: string;
	/** for a text, the only hint at what the person answers */
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
	/** everything until then was delivered or read, ISO 8601; null when Diyalog gives none */
	watermark: string | null;
}

/** The older status callback. It carries no time, so nobody can tell a repetition from another one that says the same. */
export interface StatusCallback {
	event: 'statusCallback';
	messageId: string;
	/** as the older status callback names it */
	status: string;
	customerNo: string;
	/** data signed by the device's private key, passed on unchecked; empty where nothing was signed */
	secretData: string;
	/** when it arrived here, ISO 8601 */
	receivedAt: string;
	/** whether the trigger has taken one before that says the same */
	mayBeRepeated: boolean;
}

/** Something that Diyalog added later. */
export interface OtherEvent extends WebhookEvent {
	event: 'other';
	/** the names of the fields that are not known here */
	types: string[];
	/** the element of `messaging` as it came, ids beyond 2^53 as text */
	raw: object;
}

/** An event of the webhook. */
export type BatchEvent = ButtonPressed | TextReceived | MessageSent | MessageReceipt | OtherEvent;

export type DiyalogEvent = BatchEvent | StatusCallback;

export type EventName = DiyalogEvent['event'];
