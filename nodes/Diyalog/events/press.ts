/** What a press of a button says: the sender's id of the message, and the button's payload. */
export interface Press {
	messageId: string;
	payload: string;
}

/**
 * Reads `[<messageId>]:<payload>`, the text as which Diyalog delivers a press. The id ends at the first `]:`, because
 * the payload may hold anything and Diyalog's own ids hold no such pair; this package refuses to send an id with it.
 *
 * Anybody can type such a text as well: a press proves nothing by itself, it has to be bound to a message that was
 * sent to that person.
 *
 * Source: https://diyalog-im.github.io/docs/webhook
 *
 * @returns undefined when the text is no press
 */
export function parsePress(text: string): Press | undefined {
	if (!text.startsWith('[')) return undefined;
	const end = text.indexOf(']:');
	if (end <= 1) return undefined;
	return { messageId: text.slice(1, end), payload: text.slice(end + 2) };
}
