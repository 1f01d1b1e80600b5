import { createHash } from 'node:crypto';
import type { BatchEvent, StatusCallback } from './events';

/*
 * What a repetition has in common with the first call, in few characters; nothing of the content can be read from them.
 * Fingerprints are taken of events as they came, before a device's signature is checked: what is found out about an event
 * can differ from one call to the next, for instance when a key was changed or a signature has expired.
 */

/**
 * 60 bits. An event beside 45,000 remembered ones has the fingerprint of one of them, and is refused for it, once in 10^13
 * times: with 50 events a second, once in 16,000 years.
 */
export const FINGERPRINT_CHARACTERS = 10;

const shortHash = (value: unknown): string =>
	createHash('sha256')
		.update(JSON.stringify(value))
		.digest('base64url')
		.slice(0, FINGERPRINT_CHARACTERS);

/** What tells an event of the webhook from others. */
export interface EventFingerprint {
	text: string;
	/** epoch ms at which Diyalog says it sent the event, or another trigger passed it on; a repetition may have been sent later */
	sentAtMs: number;
	/** epoch ms; it may have been taken since then, from another trigger that does not know whether it was */
	mayBeKnownSinceMs?: number;
}

/** What tells a status callback from those that say something else. One that says the same may be a repetition or not: it carries no time. */
export interface StatusFingerprint extends EventFingerprint {
	/** whether one that says the same was taken before */
	isKnown: boolean;
	/** whether that counts as a repetition, which starts nothing */
	isOnce?: boolean;
	/** another trigger has passed it on, and this one may have taken that call and forgotten it */
	isInDoubt?: boolean;
	/** only where another trigger has passed it on: the call, which is the same when it is passed on again */
	call?: EventFingerprint;
}

export type Fingerprint = EventFingerprint | StatusFingerprint;

/**
 * The fingerprint of an event. Two events are the same if all is the same but the time at which Diyalog sent them. Where
 * `timestamp` is missing, that time stands in its place: two calls are then the same only if they were sent at the same time.
 */
export function fingerprintOf(event: BatchEvent, sentAtMs: number): EventFingerprint {
	return { text: shortHash({ ...event, sentAt: undefined }), sentAtMs };
}

/**
 * The fingerprint of a callback in a call that was passed on: the same call again is the same.
 *
 * @param takenAtMs when it was taken first, epoch ms
 */
export const callFingerprintOf = ({ text }: StatusFingerprint, takenAtMs: number): string =>
	shortHash([text, takenAtMs]);

/** The fingerprint of a status callback: all that it says. */
export const statusFingerprintOf = (
	{ messageId, customerNo, status, secretData }: Omit<StatusCallback, 'mayBeRepeated'>,
	receivedAtMs: number,
): StatusFingerprint => ({
	text: shortHash([messageId, customerNo, status, secretData]),
	sentAtMs: receivedAtMs,
	isKnown: false,
});
