import { BoundedMap } from '../lib/boundedMap';
import { FINGERPRINT_CHARACTERS } from './fingerprint';
import type { EventFingerprint } from './fingerprint';

/*
 * Diyalog does not document whether it repeats a call that was not answered with 2xx, and somebody may play a recorded call
 * again. So what was taken is remembered until the age of the call gives a repetition away, by the time at which Diyalog
 * sent it. What can no longer be told from a repetition is refused, never taken.
 *
 * The text that is stored is written anew with every event. It consists of buckets by time, and only the bucket that has
 * changed is put together again.
 */

/** Events that were sent within this time are remembered, and forgotten, together. */
const BUCKET_MS = 10_000;

/**
 * Events and buckets of one trigger, about 15 MB, and 1 MB of text: twice 15 minutes at 50 events a second, since a call may
 * come from 15 minutes ahead.
 */
const MAX_REMEMBERED = 100_000;

/** As many are remembered even if they are too old to be taken again: a server may repeat a call late, with a new time. */
const ALWAYS_REMEMBERED = 1_000;

/** Events that were not dealt with; a call in which n8n fails holds 1,000 at most. */
const MAX_TAKEN_BACK = 10_000;

/** Events in calls that are under way: more than answers stand in line. */
const MAX_OPEN = 25_000;

const RADIX = 36;

/**
 * Begins with the time until which events were forgotten, or nothing, and goes on with buckets. A time stands before them if what is from
 * before it, and forgotten, may not have been taken.
 */
const STORED = /^(-?[0-9a-z]{1,11})?(,|$)/;

/**
 * Whether an event is new, a repetition, or from a time that was forgotten; `later` it can be told, when the clock has reached a time until
 * which was forgotten while it was another.
 */
export type Novelty = 'new' | 'repeated' | 'untold' | 'later';

interface Bucket {
	members: Set<string>;
	/** as stored; undefined when it has to be put together again */
	text?: string;
}

/** From when on it may have been taken, epoch ms. */
const sinceMs = ({ sentAtMs, mayBeKnownSinceMs = sentAtMs }: EventFingerprint): number =>
	Math.min(sentAtMs, mayBeKnownSinceMs);

/** Which events were taken, in bounded memory. */
export class SeenEvents {
	/** the bucket of each fingerprint */
	private readonly bucketOf = new Map<string, number>();

	private readonly buckets = new Map<number, Bucket>();

	/**
	 * What was not dealt with in the end, and whether a text said before that it was. Whatever became of that text, another process may
	 * have read it, so no text of others proves any more that the event was taken. Where none said so, who says so has taken it.
	 */
	private readonly takenBack = new BoundedMap<string, boolean>(MAX_TAKEN_BACK);

	/** What was added, and is not dealt with yet, and whether another one has taken it meanwhile. No text says that it was taken here. */
	private readonly open = new BoundedMap<string, boolean>(MAX_OPEN);

	/** events that were sent before this may have been forgotten */
	private forgottenUntilMs = -Infinity;

	/** what is from before this, and forgotten, may not have been taken: the clock was another one when it was forgotten */
	private aheadUntilMs = -Infinity;

	/**
	 * Adds what another process knows of the same trigger, or this one before a restart, but for what was forgotten here on
	 * purpose, if it may know that from here.
	 *
	 * @param stored what {@link toText} returned there; anything else is taken for nothing
	 */
	merge(stored: unknown): void {
		if (typeof stored !== 'string' || !STORED.test(stored)) return;
		const [forgottenUntil = '', ...parts] = stored.split(',');
		const forgottenUntilMs = parseInt(forgottenUntil, RADIX);
		if (forgottenUntilMs > this.forgottenUntilMs) this.forgottenUntilMs = forgottenUntilMs;
		for (const part of parts) {
			const [name = '', members] = part.split(':');
			const number = parseInt(name, RADIX);
			if (!Number.isSafeInteger(number) || this.textOf(number) === part) continue;
			if (members === undefined) {
				this.aheadUntilMs = Math.max(this.aheadUntilMs, Math.min(number, this.forgottenUntilMs));
				continue;
			}
			for (let at = 0; at < members.length; at += FINGERPRINT_CHARACTERS) {
				const fingerprint = members.slice(at, at + FINGERPRINT_CHARACTERS);
				if (this.takenBack.get(fingerprint)) continue;
				this.noteTaken({ text: fingerprint, sentAtMs: number * BUCKET_MS });
			}
		}
	}

	/**
	 * Remembers an event, unless it cannot be told whether it is new.
	 *
	 * @param isOpen it is dealt with later, and not stored before {@link settle}
	 */
	add(event: EventFingerprint, isOpen = false): Novelty {
		if (this.mayBeForgotten(event) && !this.takenBack.has(event.text))
			return sinceMs(event) < this.aheadUntilMs ? 'later' : 'untold';
		return this.note(event, isOpen) ? 'repeated' : 'new';
	}

	/** Whether an event is from a time that was forgotten: it may have been taken. */
	mayBeForgotten(event: EventFingerprint): boolean {
		return !this.has(event.text) && sinceMs(event) < this.forgottenUntilMs;
	}

	/**
	 * Remembers an event whatever was forgotten.
	 *
	 * @returns whether it was known
	 */
	note({ text, sentAtMs }: EventFingerprint, isOpen = false): boolean {
		const isKnown = this.has(text);
		if (!isKnown && isOpen) this.open.set(text, false);
		this.remember(text, Math.floor(sentAtMs / BUCKET_MS));
		if (!isOpen) this.takenBack.delete(text);
		return isKnown;
	}

	/** Whether an event was added, dealt with or not: the latter also when it is too old by now. */
	has(text: string): boolean {
		return this.bucketOf.has(text) || this.open.has(text);
	}

	/**
	 * Looks whether what was forgotten reaches into the future: the clock was ahead then, or is behind now, and nobody can tell which. So
	 * all before that stays forgotten, but may not have been taken.
	 *
	 * @returns the latest time into which it has reached so, epoch ms
	 */
	noteClock(nowMs: number): number {
		if (this.forgottenUntilMs > nowMs) this.aheadUntilMs = this.forgottenUntilMs;
		return this.aheadUntilMs;
	}

	/** An event was dealt with: from now on it is stored. */
	settle({ text }: EventFingerprint): void {
		this.open.delete(text);
		this.takenBack.delete(text);
		this.change(text);
	}

	/** Another process, or another call that says the same, has dealt with an event: it stays known whatever becomes of it here. */
	noteTaken({ text, sentAtMs }: EventFingerprint): void {
		this.takenBack.delete(text);
		this.remember(text, Math.floor(sentAtMs / BUCKET_MS));
		if (this.open.get(text) !== false) return;
		this.open.set(text, true);
		this.change(text);
	}

	/** Whether an event was dealt with, here or in another process. */
	isSettled(text: string): boolean {
		return this.has(text) && this.open.get(text) !== false;
	}

	/** Forgets an event that was not dealt with in the end, so that its repetition is taken; unless another process has taken it. */
	forget({ text }: EventFingerprint): void {
		const isTakenElsewhere = this.open.get(text);
		this.open.delete(text);
		if (isTakenElsewhere) return;
		this.remove(text);
		this.takenBack.set(text, this.takenBack.get(text) ?? isTakenElsewhere === undefined);
	}

	/**
	 * Forgets the oldest of what is too old to be taken, or too much. What is dated further ahead than
	 * that, by a clock that was wrong, takes the place of nothing that is too old.
	 *
	 * @param maxAgeMs how old a call may be; 0 for any age
	 */
	forgetOld(nowMs: number, maxAgeMs: number): void {
		let size = this.bucketOf.size + this.buckets.size;
		if (size <= ALWAYS_REMEMBERED) return;
		const tooOldMs = maxAgeMs > 0 ? nowMs - maxAgeMs : -Infinity;
		let present = 0;
		for (const [number, { members }] of this.buckets)
			if (number * BUCKET_MS <= nowMs + maxAgeMs) present += members.size;
		for (const number of [...this.buckets.keys()].sort((one, other) => one - other)) {
			const endMs = (number + 1) * BUCKET_MS;
			const members = this.buckets.get(number)?.members ?? new Set();
			present -= members.size;
			const isTooOld = endMs <= tooOldMs && present >= ALWAYS_REMEMBERED;
			if (!isTooOld && size <= MAX_REMEMBERED) return;
			for (const fingerprint of members) this.bucketOf.delete(fingerprint);
			this.buckets.delete(number);
			size -= members.size + 1;
			this.forgottenUntilMs = Math.max(this.forgottenUntilMs, endMs);
		}
	}

	/** All of it that is dealt with, to be stored. */
	toText(): string {
		const [forgotten = '', ahead = ''] = [this.forgottenUntilMs, this.aheadUntilMs].map((ms) =>
			Number.isFinite(ms) ? ms.toString(RADIX) : '',
		);
		const parts = [forgotten, ahead];
		for (const number of this.buckets.keys()) parts.push(this.textOf(number));
		return parts.filter((part, index) => index === 0 || part !== '').join();
	}

	/** A bucket as it is stored; empty when there is nothing to be stored. */
	private textOf(number: number): string {
		const bucket = this.buckets.get(number);
		if (!bucket) return '';
		if (bucket.text === undefined) {
			const members = [...bucket.members].filter((member) => this.open.get(member) !== false);
			bucket.text = members.length === 0 ? '' : `${number.toString(RADIX)}:${members.join('')}`;
		}
		return bucket.text;
	}

	/** Puts a fingerprint into its bucket; a repetition counts from the time at which it was sent last. */
	private remember(fingerprint: string, number: number): void {
		const former = this.bucketOf.get(fingerprint);
		if (former !== undefined && former >= number) return;
		this.remove(fingerprint);
		this.bucketOf.set(fingerprint, number);
		const bucket = this.buckets.get(number) ?? { members: new Set() };
		bucket.members.add(fingerprint);
		bucket.text = undefined;
		this.buckets.set(number, bucket);
	}

	/** What is stored of it has changed. */
	private change(fingerprint: string): void {
		const bucket = this.buckets.get(this.bucketOf.get(fingerprint) ?? NaN);
		if (bucket) bucket.text = undefined;
	}

	private remove(fingerprint: string): void {
		const number = this.bucketOf.get(fingerprint);
		const bucket = number !== undefined && this.buckets.get(number);
		if (number === undefined || !bucket) return;
		this.bucketOf.delete(fingerprint);
		bucket.members.delete(fingerprint);
		bucket.text = undefined;
		if (bucket.members.size === 0) this.buckets.delete(number);
	}
}
