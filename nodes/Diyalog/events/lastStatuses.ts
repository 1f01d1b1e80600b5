import { FINGERPRINT_CHARACTERS } from './fingerprint';
import type { CallbackFingerprint } from './fingerprint';

/*
 * A status callback carries no time. One that says the same as the last one of its message and customer is a repetition, by
 * a server that got no answer. With another status in between it is new: Approved, Cancelled, Approved are three events.
 */

/** Messages whose last status is known: 100 kB of text. Those that changed longest ago are forgotten. */
const MAX_SUBJECTS = 5_000;

/** The last status of each message, in bounded memory. */
export class LastStatuses {
	/** by the message and customer, the one that changed last at the end */
	private readonly last = new Map<string, string>();

	/** what was the last status before, for the case that the last one was not dealt with */
	private readonly before = new Map<string, string | undefined>();

	/** Takes over what another memory of the same trigger has stored; anything else than such a text is nothing. */
	merge(stored: unknown): void {
		if (typeof stored !== 'string') return;
		for (let at = 0; at < stored.length; at += 2 * FINGERPRINT_CHARACTERS) {
			const end = at + FINGERPRINT_CHARACTERS;
			this.set(stored.slice(at, end), stored.slice(end, end + FINGERPRINT_CHARACTERS));
		}
	}

	/** Remembers a callback; false when it is a repetition. */
	add({ subject, text }: CallbackFingerprint): boolean {
		const former = this.last.get(subject);
		if (former === text) return false;
		this.set(subject, text);
		this.before.set(subject, former);
		return true;
	}

	/** Forgets a callback that was not dealt with in the end, so that its repetition is taken. */
	forget({ subject, text }: CallbackFingerprint): void {
		if (this.last.get(subject) !== text) return;
		const former = this.before.get(subject);
		if (former === undefined) this.last.delete(subject);
		else this.last.set(subject, former);
		this.before.delete(subject);
	}

	/** All of it, to be stored. */
	toText(): string {
		return [...this.last].flat().join('');
	}

	private set(subject: string, text: string): void {
		this.last.delete(subject);
		this.last.set(subject, text);
		const [oldest] = this.last.keys();
		if (this.last.size <= MAX_SUBJECTS || oldest === undefined) return;
		this.last.delete(oldest);
		this.before.delete(oldest);
	}
}
