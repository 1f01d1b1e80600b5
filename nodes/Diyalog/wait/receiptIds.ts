import { BoundedMap } from '../lib/boundedMap';
import { mayWaitForReceipt } from './resumeReference';

/*
 * Receipts name messages by the id of the sender, as all of Diyalog's examples do, or by Diyalog's own: its documentation
 * does not decide that. The sender's id finds the waiting execution by itself. Diyalog's own finds it only in the process that
 * sent the message, which knows both, and only for the newest messages.
 */

/** About 3 MB. */
const MAX_KNOWN = 10_000;

/** A 64-bit integer as text has no more. */
const MAX_ID_CHARACTERS = 20;

const messageIds = new BoundedMap<string, string>(MAX_KNOWN);

/**
 * Remembers under which id Diyalog took a message whose receipt is waited for.
 *
 * @param diyalogMessageId from the response to it
 * @param messageId its reference
 */
export function rememberReceiptId(diyalogMessageId: string, messageId: string): void {
	if (diyalogMessageId !== messageId) messageIds.set(diyalogMessageId, messageId);
}

/** The sender's id of the message that a receipt names, as far as this process knows; what it names otherwise. */
export const senderIdOf = (mid: string): string => messageIds.get(mid) ?? mid;

/**
 * Whether an execution may wait for the receipt of this message. It is asked of every id in a call, so it has to be cheap.
 *
 * @param mid unchecked: a text, a number that is exact, or no id at all
 */
export function mayAwaitReceipt(mid: unknown): boolean {
	if (typeof mid === 'number') return messageIds.has(String(mid));
	if (typeof mid !== 'string') return false;
	return mid.length > MAX_ID_CHARACTERS ? mayWaitForReceipt(mid) : messageIds.has(mid);
}
