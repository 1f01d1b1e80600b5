/*
 * The ids of messages that were certainly sent, as far as this process knows: a press names one of them, and what a person
 * types between brackets does not.
 */

/** About 1 MB. */
const MAX_KNOWN = 10_000;

/** The ids that the operation Send makes where none is given. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const known = new Set<string>();

/** Remembers that a message with this id was sent, or is about to be. */
export function rememberMessage(messageId: string): void {
	known.delete(messageId);
	known.add(messageId);
	const [oldest] = known;
	if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
}

/** Whether a message with this id was sent, as far as this process can tell. */
export const isKnownMessage = (messageId: string): boolean =>
	UUID.test(messageId) || known.has(messageId);
