import { createHash } from 'node:crypto';
import { BoundedSet } from '../lib/boundedMap';

/*
 * The ids of messages that were certainly sent, as far as this process knows: a press names one of them, and what a person
 * types between brackets does not.
 */

/** About 1 MB. */
const MAX_KNOWN = 10_000;

/** The ids that the operation Send makes where none is given. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Fingerprints: an id may have a megabyte. */
const known = new BoundedSet<string>(MAX_KNOWN);

const fingerprintOf = (messageId: string): string =>
	createHash('sha256').update(messageId).digest('base64url');

/** Remembers that a message with this id was sent, or is about to be. */
export const rememberMessage = (messageId: string): void =>
	void known.add(fingerprintOf(messageId));

/** Whether a message with this id was sent, as far as this process can tell. */
export const isKnownMessage = (messageId: string): boolean =>
	UUID.test(messageId) || known.has(fingerprintOf(messageId));
