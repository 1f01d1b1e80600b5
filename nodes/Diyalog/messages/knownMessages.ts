import { BoundedSet } from '../lib/boundedMap';

/*
 * The ids of messages that were certainly sent, as far as this process knows: a press names one of them, and what a person
 * types between brackets does not.
 */

/** About 1 MB. */
const MAX_KNOWN = 10_000;

/** The ids that the operation Send makes where none is given. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const known = new BoundedSet<string>(MAX_KNOWN);

/** Remembers that a message with this id was sent, or is about to be. */
export const rememberMessage = (messageId: string): void => void known.add(messageId);

/** Whether a message with this id was sent, as far as this process can tell. */
export const isKnownMessage = (messageId: string): boolean =>
	UUID.test(messageId) || known.has(messageId);
