import { BoundedMap } from '../lib/boundedMap';
import { FINGERPRINT_CHARACTERS } from './fingerprint';
import type { CallbackFingerprint } from './fingerprint';

/*
 * A status callback carries no time. One that says the same as the last one of its message and customer is a repetition, by
 * a server that got no answer. With another status in between it is new: Approved, Cancelled, Approved are three events.
 */

/** Messages whose last status is known: 105 kB of text. Those that changed longest ago are forgotten. */
const MAX_SUBJECTS = 5_000;

interface Status {
	/** the fingerprint of the last one */
	last: string;
	/** of the one before, for the case that the last one was not dealt with */
	before?: string;
	/** of the last one that was dealt with */
	settled?: string;
	/** how many there were, in all processes: what has fewer is older */
	count: number;
	/** how many there were up to the one that was dealt with */
	settledCount: number;
}

/** Nobody can tell which status was the last one: whichever comes is new. */
const IN_DOUBT = '';

/** A count is stored as one digit. */
const RADIX = 36;
const MAX_COUNT = RADIX - 1;

/** The highest count stands for all above it as well. */
const oneLess = (count: number): number => (count === MAX_COUNT ? count : Math.max(0, count - 1));

/** The last status of each message, in bounded memory. */
export class LastStatuses {
	/** by the message and customer, the one that changed last at the end */
	private readonly statuses = new BoundedMap<string, Status>(MAX_SUBJECTS);

	/**
	 * Takes over what another process knows of the same trigger, or this one before a restart.
	 *
	 * It may have written over what this one knows since, as it was before. Of two that had the same one before, nobody knows which is newer.
	 *
	 * @param stored what {@link toText} returned there; anything else is taken for nothing
	 * @param counts what {@link toCounts} returned there; older versions stored none
	 */
	merge(stored: unknown, counts?: unknown): void {
		if (typeof stored !== 'string') return;
		for (let at = 0; at < stored.length; at += 2 * FINGERPRINT_CHARACTERS) {
			const end = at + FINGERPRINT_CHARACTERS;
			const subject = stored.slice(at, end);
			const last = stored.slice(end, end + FINGERPRINT_CHARACTERS);
			const known = this.statuses.get(subject);
			const digit = String(counts ?? '').charAt(at / (2 * FINGERPRINT_CHARACTERS));
			const count = parseInt(digit, RADIX);
			if (known && count < known.count) continue;
			const isInDoubt = known?.count === count && known.last !== last;
			const next = count || (known?.count ?? 0);
			this.statuses.set(
				subject,
				isInDoubt
					? { ...known, last: IN_DOUBT }
					: { ...known, last, settled: last, count: next, settledCount: next },
			);
		}
	}

	/**
	 * Remembers a callback; false when it is a repetition.
	 *
	 * @param isOpen it is dealt with later, and not stored before {@link settle}
	 */
	add({ subject, text }: CallbackFingerprint, isOpen = false): boolean {
		const known = this.statuses.get(subject);
		const { last: before, settled, count = 0, settledCount = 0 } = known ?? {};
		if (before === text) return false;
		const next = Math.min(count + 1, MAX_COUNT);
		this.statuses.set(subject, {
			last: text,
			before,
			settled: isOpen ? settled : text,
			count: next,
			settledCount: isOpen ? settledCount : next,
		});
		return true;
	}

	/** A callback was dealt with: from now on it is stored. */
	settle({ subject, text }: CallbackFingerprint): void {
		const status = this.statuses.get(subject);
		if (!status) return;
		const { last, before, settled, count } = status;
		if (last !== text && (before !== text || settled === last)) return;
		status.settled = text;
		status.settledCount = last === text ? count : oneLess(count);
	}

	/** Forgets a callback that was not dealt with in the end, so that its repetition is taken. */
	forget({ subject, text }: CallbackFingerprint): void {
		const status = this.statuses.get(subject);
		if (!status) return;
		// n8n may have failed after it was dealt with here.
		if (status.settled === text) {
			status.settled = status.last === text ? status.before : undefined;
			status.settledCount = oneLess(status.settledCount);
		}
		if (status.before === text)
			status.before = status.settled === status.last ? undefined : status.settled;
		if (status.last !== text) return;
		const { before, settled, count, settledCount } = status;
		if (before === undefined) return void this.statuses.delete(subject);
		// Else it would count as newer than what another process has taken since.
		const left = before === settled ? settledCount : oneLess(count);
		this.statuses.set(subject, { ...status, last: before, before: undefined, count: left });
	}

	/** All of it that is dealt with, to be stored. */
	toText(): string {
		return [...this.statuses]
			.map(([subject, { settled }]) => (settled === undefined ? '' : `${subject}${settled}`))
			.join('');
	}

	/** How many statuses each message in that text has had. */
	toCounts(): string {
		return [...this.statuses.values()]
			.filter(({ settled }) => settled !== undefined)
			.map(({ settledCount }) => settledCount.toString(RADIX))
			.join('');
	}
}
