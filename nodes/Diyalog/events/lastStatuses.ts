import { BoundedMap } from '../lib/boundedMap';
import { FINGERPRINT_CHARACTERS } from './fingerprint';
import type { CallbackFingerprint } from './fingerprint';

/*
 * A status callback carries no time. One that says the same as the last one of its message and customer is a repetition, by
 * a server that got no answer. With another status in between it is new: Approved, Cancelled, Approved are three events.
 */

/** Messages whose last status is known: 100 kB of text. Those that changed longest ago are forgotten. */
const MAX_SUBJECTS = 5_000;

interface Status {
	/** the fingerprint of the last one */
	last: string;
	/** of the one before, for the case that the last one was not dealt with */
	before?: string;
	/** of the last one that was dealt with */
	settled?: string;
	/** what was read of it last: a call that began earlier reads the same, which is no news */
	read?: string;
}

/** The last status of each message, in bounded memory. */
export class LastStatuses {
	/** by the message and customer, the one that changed last at the end */
	private readonly statuses = new BoundedMap<string, Status>(MAX_SUBJECTS);

	/**
	 * Takes over what another process knows of the same trigger, or this one before a restart.
	 *
	 * @param stored what {@link toText} returned there; anything else is taken for nothing
	 */
	merge(stored: unknown): void {
		if (typeof stored !== 'string') return;
		for (let at = 0; at < stored.length; at += 2 * FINGERPRINT_CHARACTERS) {
			const end = at + FINGERPRINT_CHARACTERS;
			const subject = stored.slice(at, end);
			const last = stored.slice(end, end + FINGERPRINT_CHARACTERS);
			const known = this.statuses.get(subject);
			if (known?.read === last) continue;
			this.statuses.set(subject, { ...known, last, settled: last, read: last });
		}
	}

	/**
	 * Remembers a callback; false when it is a repetition.
	 *
	 * @param isOpen it is dealt with later, and not stored before {@link settle}
	 */
	add({ subject, text }: CallbackFingerprint, isOpen = false): boolean {
		const known = this.statuses.get(subject);
		const before = known?.last;
		if (before === text) return false;
		const settled = isOpen ? known?.settled : text;
		this.statuses.set(subject, { ...known, last: text, before, settled });
		return true;
	}

	/** A callback was dealt with: from now on it is stored. */
	settle({ subject, text }: CallbackFingerprint): void {
		const status = this.statuses.get(subject);
		if (!status) return;
		const { last, before, settled } = status;
		if (last === text || (before === text && settled !== last)) status.settled = text;
	}

	/** Forgets a callback that was not dealt with in the end, so that its repetition is taken. */
	forget({ subject, text }: CallbackFingerprint): void {
		const status = this.statuses.get(subject);
		if (!status) return;
		// n8n may have failed after it was dealt with here.
		if (status.settled === text) status.settled = status.last === text ? status.before : undefined;
		if (status.before === text) status.before = status.settled;
		if (status.last !== text) return;
		if (status.before === undefined) this.statuses.delete(subject);
		else this.statuses.set(subject, { ...status, last: status.before, before: undefined });
	}

	/** All of it that is dealt with, to be stored. */
	toText(): string {
		return [...this.statuses]
			.map(([subject, { settled }]) => (settled === undefined ? '' : `${subject}${settled}`))
			.join('');
	}
}
