import type { DiyalogEvent, EventName } from './events';

/** Which events start an execution. An empty list or text takes all. */
export interface EventFilters {
	events: readonly EventName[];
	messageIdPrefix: string;
	customerNumbers: readonly string[];
	payloads: readonly string[];
	webhookIds: readonly string[];
	/** only presses whose payload the device has signed validly */
	onlySigned: boolean;
}

const allows = (allowed: readonly string[], value: string | null): boolean =>
	allowed.length === 0 || (value !== null && allowed.includes(value));

/** The message that an event is about; of a typed text, the one it presumably answers. */
function messageIdOf(event: DiyalogEvent): string | null {
	if ('messageId' in event) return event.messageId;
	return event.event === 'textReceived' ? event.lastDeliveredMessageId : null;
}

/**
 * Whether an event passes the filters. A filter looks only at events that carry its value: the one for payloads lets
 * deliveries pass, because they have no payload. Only that for customer numbers lets nothing pass without a number: whose event
 * that is, nobody can tell by it.
 */
export function passesFilters(event: DiyalogEvent, filters: EventFilters): boolean {
	const { events, messageIdPrefix, customerNumbers, payloads, webhookIds, onlySigned } = filters;
	if (!events.includes(event.event)) return false;
	if (!allows(customerNumbers, event.customerNo)) return false;
	if ('webhookId' in event && !allows(webhookIds, event.webhookId)) return false;
	const messageId = messageIdOf(event);
	if (messageId !== null && !messageId.startsWith(messageIdPrefix)) return false;
	if (event.event !== 'buttonPressed') return true;
	if (onlySigned && event.payloadSignature !== 'valid') return false;
	return allows(payloads, event.payload);
}
