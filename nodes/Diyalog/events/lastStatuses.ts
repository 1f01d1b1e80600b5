import { BoundedMap } from '../lib/boundedMap';
import { FINGERPRINT_CHARACTERS } from './fingerprint';
import type { CallbackFingerprint } from './fingerprint';

/*
 * A status callback carries no time. One that says the same as the last one of its message and customer is a repetition, by
 * a server that got no answer. With another status in between it is new: Approved, Cancelled, Approved are three events.
 */

/** Messages whose last status is known: 105 kB of text. Those that changed longest ago are forgotten. */
const MAX_SUBJECTS = 5_000;

/** A status that was taken since the last one with which nothing was under way. */
interface Taken {
	/** of the call that brought it, by which its end finds it: others may say the same */
	of: CallbackFingerprint;
	text: string;
	/** it is not dealt with yet */
	isOpen: boolean;
}

interface Status {
	/** the fingerprint of the last one before those; undefined when there was none */
	base?: string;
	since: readonly Taken[];
	/** how many there were up to {@link base}, in all processes: what has fewer is older */
	baseCount: number;
}

/** Nobody can tell which status was the last one: whichever comes is new. */
const IN_DOUBT = '';

/** What is stored then: no fingerprint has dots. */
const STORED_IN_DOUBT = '.'.repeat(FINGERPRINT_CHARACTERS);

/** So many of one message may be under way together before nobody tells any more which was the last one. */
const MAX_SINCE = 20;

/** A count is stored as one digit. The highest one stands for all above it as well. */
const RADIX = 36;
const MAX_COUNT = RADIX - 1;

const NONE: Status = { since: [], baseCount: 0 };

const lastOf = ({ base, since }: Status): string | undefined => since.at(-1)?.text ?? base;

const countOf = ({ baseCount, since }: Status): number =>
	Math.min(baseCount + since.length, MAX_COUNT);

const isUnderWay = ({ since }: Status): boolean => since.some(({ isOpen }) => isOpen);

const oneMore = (count: number): number => Math.min(count + 1, MAX_COUNT);

const inDoubt = (count: number): Status => ({ base: IN_DOUBT, since: [], baseCount: count });

/** As it is stored; undefined when nothing of it is. */
function storedOf(status: Status): string | undefined {
	if (!isUnderWay(status)) return lastOf(status) || STORED_IN_DOUBT;
	const isAnyDone = status.base !== undefined || status.since.some(({ isOpen }) => !isOpen);
	return isAnyDone ? STORED_IN_DOUBT : undefined;
}

/**
 * The last status of each message, in bounded memory.
 *
 * As long as one of a message is under way it is stored that the last one is in doubt: n8n may be ended before it has stored that one, and
 * then an older status that comes again is new. Taken twice is better than lost.
 */
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
	merge(stored: unknown, counts = ''): void {
		if (typeof stored !== 'string') return;
		for (let at = 0; at < stored.length; at += 2 * FINGERPRINT_CHARACTERS) {
			const end = at + FINGERPRINT_CHARACTERS;
			const subject = stored.slice(at, end);
			const text = stored.slice(end, end + FINGERPRINT_CHARACTERS);
			const last = text === STORED_IN_DOUBT ? IN_DOUBT : text;
			const known = this.statuses.get(subject);
			const digit = counts.charAt(at / (2 * FINGERPRINT_CHARACTERS));
			const count = parseInt(digit, RADIX);
			const knownCount = known ? countOf(known) : 0;
			const knownLast = known && lastOf(known);
			const isSame = knownLast === last && !(count > knownCount);
			if (known && (count < knownCount || isSame)) continue;
			const next = count || knownCount;
			// What was in doubt as long as it was under way there is certain now. What both have taken at once has a higher count.
			const isOther = count === knownCount && (knownLast !== IN_DOUBT || count === MAX_COUNT);
			const isUnsure = known && (isOther || isUnderWay(known));
			const merged = isUnsure ? inDoubt(oneMore(next)) : { ...inDoubt(next), base: last };
			this.statuses.set(subject, merged);
		}
	}

	/**
	 * Remembers a callback; false when it is a repetition.
	 *
	 * @param of {@link settle} and {@link forget} know it again as this object only
	 * @param isOpen it is dealt with later, and not stored as the last one before {@link settle}
	 */
	add(of: CallbackFingerprint, isOpen = false): boolean {
		const { subject, text } = of;
		const known = this.statuses.get(subject) ?? NONE;
		const last = lastOf(known);
		if (last === text) return false;
		const added = { of, text, isOpen };
		const count = countOf(known);
		if (!isUnderWay(known))
			this.statuses.set(subject, { base: last, since: [added], baseCount: count });
		else if (known.since.length < MAX_SINCE)
			this.statuses.set(subject, { ...known, since: [...known.since, added] });
		else this.statuses.set(subject, { ...inDoubt(count), since: [added] });
		return true;
	}

	/** A callback was dealt with: from now on it may be stored as the last one. */
	settle(settled: CallbackFingerprint): void {
		const taken = this.statuses.get(settled.subject)?.since.find(({ of }) => of === settled);
		if (taken) taken.isOpen = false;
	}

	/**
	 * Forgets a callback that was not dealt with in the end, so that its repetition is taken. n8n may have failed after it was dealt with here.
	 * No other one that says the same counts as the last one any more: nobody could tell its repetition from that of this one.
	 */
	forget(forgotten: CallbackFingerprint): void {
		const { subject, text } = forgotten;
		const known = this.statuses.get(subject);
		if (!known) return;
		const others = known.since.filter(({ of }) => of !== forgotten);
		const isDoubtful = known.base === text || others.some((each) => each.text === text);
		const left: Status = {
			base: known.base === text ? IN_DOUBT : known.base,
			since: others.map((each) => (each.text === text ? { ...each, text: IN_DOUBT } : each)),
			baseCount: isDoubtful ? oneMore(known.baseCount) : known.baseCount,
		};
		if (lastOf(left) === undefined) this.statuses.delete(subject);
		else this.statuses.set(subject, left);
	}

	/** What of it may be stored. */
	toText(): string {
		return [...this.statuses]
			.map(([subject, status]) => {
				const stored = storedOf(status);
				return stored === undefined ? '' : `${subject}${stored}`;
			})
			.join('');
	}

	/** How many statuses each message in that text has had. */
	toCounts(): string {
		return [...this.statuses.values()]
			.filter((status) => storedOf(status) !== undefined)
			.map((status) => countOf(status).toString(RADIX))
			.join('');
	}
}
