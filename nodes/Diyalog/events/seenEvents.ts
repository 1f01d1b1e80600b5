import { createHash } from 'node:crypto';
import type { DiyalogEvent } from './events';

/*
 * Diyalog does not document whether it repeats a call that was not answered with 2xx, so the same event may come twice.
 * The last events are remembered as fingerprints, newest last; nothing of their content can be read from them.
 */

/** How many events one trigger remembers while n8n runs: about 1 MB. */
const MAX_SEEN_EVENTS = 10_000;

/** How many of them it still knows after a restart: 16 kB of text, which n8n reads and writes for every press. */
const MAX_STORED_EVENTS = 1_000;

/** 96 bits: finding a second event with a given fingerprint is out of reach, and 16 characters are enough. */
const FINGERPRINT_CHARACTERS = 16;

/**
 * What makes two events the same: everything but the time at which Diyalog sent them, which differs in a repetition,
 * and the time at which a callback arrived.
 */
export function fingerprintOf(event: DiyalogEvent): string {
	const identity: Record<string, unknown> = { ...event };
	delete identity.sentAt;
	delete identity.receivedAt;
	return createHash('sha256')
		.update(JSON.stringify(identity))
		.digest('base64url')
		.slice(0, FINGERPRINT_CHARACTERS);
}

/** The fingerprints of the last events, in bounded memory. */
export class SeenEvents {
	private readonly fingerprints: Set<string>;

	/** what another memory may still know */
	private readonly forgotten = new Set<string>();

	/** @param stored what {@link toText} returned before; anything else is taken for nothing */
	constructor(stored: unknown = '') {
		const text = typeof stored === 'string' ? stored : '';
		this.fingerprints = new Set(text.match(/.{16}/g) ?? []);
	}

	/** Adds what another memory of the same trigger knows, but for what was forgotten here on purpose. */
	merge(other: SeenEvents): void {
		for (const fingerprint of other.fingerprints)
			if (!this.forgotten.has(fingerprint)) this.fingerprints.add(fingerprint);
		this.forgetOldest();
	}

	/** Remembers an event; false when it was known already. */
	add(event: DiyalogEvent): boolean {
		const fingerprint = fingerprintOf(event);
		if (this.fingerprints.has(fingerprint)) return false;
		this.fingerprints.add(fingerprint);
		this.forgotten.delete(fingerprint);
		this.forgetOldest();
		return true;
	}

	/** Forgets an event that was not dealt with in the end, so that its repetition is taken. */
	forget(event: DiyalogEvent): void {
		const fingerprint = fingerprintOf(event);
		this.fingerprints.delete(fingerprint);
		this.forgotten.add(fingerprint);
		const [oldest] = this.forgotten;
		if (this.forgotten.size > MAX_SEEN_EVENTS && oldest !== undefined)
			this.forgotten.delete(oldest);
	}

	/** The newest of them, to be stored. */
	toText(): string {
		return [...this.fingerprints].slice(-MAX_STORED_EVENTS).join('');
	}

	private forgetOldest(): void {
		for (const oldest of this.fingerprints) {
			if (this.fingerprints.size <= MAX_SEEN_EVENTS) return;
			this.fingerprints.delete(oldest);
		}
	}
}
