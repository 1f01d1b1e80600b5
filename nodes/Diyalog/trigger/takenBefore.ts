import { randomUUID } from 'node:crypto';
import { sleep } from 'n8n-workflow';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { FINGERPRINT_CHARACTERS } from '../events/fingerprint';
import type { EventFingerprint, Fingerprint } from '../events/fingerprint';
import { SeenEvents } from '../events/seenEvents';
import type { Novelty } from '../events/seenEvents';
import { BoundedMap } from '../lib/boundedMap';
import { refusal } from './answerQueue';
import type { AnswerOutcome } from './answerQueue';
import { sayRarely } from './refusals';
import {
	noneTakenOver,
	readStored,
	store,
	storeOnSave,
	takeOrphaned,
	textIn,
	writingOf,
} from './stored';
import type { TakenOver } from './stored';
import { triggerIdOf } from './triggerId';

/*
 * What a trigger has taken already is kept twice: in n8n's database, which survives a restart, and in this process,
 * because two calls at the same time read the database before either of them has written it.
 */

/*
 * Fields of what is stored of a trigger: which events were taken, what became of answers, and who has written that. That is not who has
 * stored last: a process that stores the answers it keeps stores along what another one has written here.
 */
const SEEN_FIELD = 'seenEvents';
/** Older versions have stored them with the events. */
const STATUSES_FIELD = 'seenStatuses';
const OUTCOMES_FIELD = 'outcomes';
const WRITER_FIELD = 'seenEventsWrittenBy';

const FIELDS = [SEEN_FIELD, STATUSES_FIELD, OUTCOMES_FIELD, WRITER_FIELD];

/** What is stored of an answer that an execution has taken, in the place of a reason. */
const RESUMED = 'resumed';

/** Shorter than n8n takes to store an execution, so that it happens in between. */
const WRITE_AGAIN_EVERY_MS = 1;

/** An n8n that holds executions back may take minutes. What it misses then is written with the next event. */
const LONG_MS = 1_000;
const WRITE_SELDOM_EVERY_MS = 100;

/** n8n never replies for an execution that it held back and that somebody cancelled. */
const GIVE_UP_AFTER_MS = 600_000;

const MS_PER_MINUTE = 60_000;

/** A call of which n8n has not stored yet what it starts. */
interface FirstCall {
	/** by the clock of the process */
	sinceMs: number;
	/** undefined until it is over */
	isStored?: boolean;
}

/** What this process knows of one trigger. */
interface TakenBefore {
	/** tells what was written from here, and is known, from what another process wrote, or this one before a restart */
	id: string;
	seen: SeenEvents;
	/**
	 * status callbacks: they are known by the clock of n8n, and nobody checks their age. While that clock is ahead, they must not have events
	 * count as forgotten, which Diyalog's clock has dated
	 */
	statuses: SeenEvents;
	/** what executions did with answers whose items n8n has not stored yet, by the fingerprint: nobody asks them twice */
	outcomes: BoundedMap<string, AnswerOutcome>;
	/** what was written to the database last; undefined before */
	written?: IDataObject;
	/** what was read once: a call that began before this process has written reads it once more */
	takenOver: TakenOver;
	/** what is taken, and not dealt with yet: the call that brought it */
	underWay: BoundedMap<string, FirstCall>;
}

/** More than answers stand in line; so many at most are remembered as not dealt with. */
const MAX_UNDER_WAY = 25_000;

/** Few are open at a time, unless n8n fails and nobody repeats its calls. */
const MAX_OUTCOMES = 1_000;

/** A repetition waits as long for the first call, half a second less than Diyalog waits for its reply. */
const FIRST_CALL_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 50;

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_TRIGGERS = 1_000;

const byTrigger = new BoundedMap<string, TakenBefore>(MAX_TRIGGERS);

const takenBeforeBy = (context: IWebhookFunctions): TakenBefore =>
	byTrigger.getOrMake(triggerIdOf(context), () => ({
		id: randomUUID(),
		seen: new SeenEvents(),
		statuses: new SeenEvents(),
		outcomes: new BoundedMap(MAX_OUTCOMES),
		takenOver: noneTakenOver(),
		underWay: new BoundedMap(MAX_UNDER_WAY),
	}));

/** Calls of the test URL are not remembered: somebody who builds a workflow posts the same example again and again. */
export const isTest = (context: Pick<IWebhookFunctions, 'getMode'>): boolean =>
	context.getMode() === 'manual';

/** Something that a call brought, with what a repetition of it has in common with it. */
interface Fingerprinted {
	fingerprint: Fingerprint;
}

/** What a repetition has in common with it. Where that is nothing, nothing counts as one. */
const certainOf = (fingerprint: Fingerprint): EventFingerprint | undefined =>
	'isKnown' in fingerprint && !fingerprint.isOnce ? fingerprint.call : fingerprint;

const namesOf = (events: readonly Fingerprinted[]): string[] =>
	events.flatMap(({ fingerprint }) => certainOf(fingerprint)?.text ?? []);

/** Remembers an event, and whether a status callback says what one said before. */
function add<T extends Fingerprinted>(
	{ seen, statuses }: TakenBefore,
	event: T,
): { event: T; novelty: Novelty } {
	const { fingerprint } = event;
	if (!('isKnown' in fingerprint)) return { event, novelty: seen.add(fingerprint, true) };
	const { call, isOnce } = fingerprint;
	if (isOnce && statuses.has(fingerprint.text)) {
		statuses.note(fingerprint, true);
		return { event, novelty: 'repeated' };
	}
	// The clock of n8n dates it, and may have been wrong. A callback that is refused for that would be lost, or wait for ever.
	const isInDoubt = call !== undefined && statuses.mayBeForgotten(call);
	if (call && statuses.note(call, true)) return { event, novelty: 'repeated' };
	// It has the time of its arrival. So one of a time that was forgotten came while a clock was ahead, and may be new.
	const isKnown = statuses.note(fingerprint, true);
	return {
		event: { ...event, fingerprint: { ...fingerprint, isKnown, isInDoubt } },
		novelty: 'new',
	};
}

/** An event was dealt with or not. What another one said before stays known. */
function end(
	{ seen, statuses }: TakenBefore,
	fingerprint: Fingerprint,
	how: 'settle' | 'forget',
): void {
	if (!('isKnown' in fingerprint)) return seen[how](fingerprint);
	if (fingerprint.call) statuses[how](fingerprint.call);
	if (!fingerprint.isKnown) statuses[how](fingerprint);
	else if (how === 'settle') statuses.noteTaken(fingerprint);
}

/** Has n8n store what is known, if that is not what it has stored last. A repetition alone writes nothing. */
function storeTaken(context: IWebhookFunctions, takenBefore: TakenBefore): void {
	const { id, seen, statuses, outcomes, written } = takenBefore;
	const now: IDataObject = {
		[SEEN_FIELD]: seen.toText(),
		[STATUSES_FIELD]: statuses.toText(),
		[OUTCOMES_FIELD]: [...outcomes]
			.map(([name, outcome]) => name + (outcome.resumed ? RESUMED : outcome.notResumedReason))
			.join(),
		[WRITER_FIELD]: id,
	};
	if (written && Object.keys(now).every((field) => written[field] === now[field])) return;
	takenBefore.written = now;
	store(context, now);
}

/**
 * Forgets events that were not dealt with in the end, because n8n failed to store what they start (a full disk, a lost database):
 * their repetition is taken. n8n stores this if it has not replied yet, and otherwise with what the trigger takes next.
 */
export function forget(context: IWebhookFunctions, events: readonly Fingerprinted[]): void {
	if (events.length === 0 || isTest(context)) return;
	const takenBefore = takenBeforeBy(context);
	for (const { fingerprint } of events) end(takenBefore, fingerprint, 'forget');
	storeTaken(context, takenBefore);
}

/** Takes over what was stored elsewhere meanwhile, and what this trigger has taken under another id of its node. */
function catchUp(context: IWebhookFunctions, takenBefore: TakenBefore): void {
	const { id, takenOver } = takenBefore;
	const stored = readStored(context);
	const writing = writingOf(stored);
	if (stored[WRITER_FIELD] !== id && !takenOver.has(writing)) {
		if (writing !== undefined) takenOver.add(writing);
		merge(takenBefore, stored);
	}
	// One that has taken calls itself was there before, and is another one.
	const isNew = stored[WRITER_FIELD] === undefined;
	const former = takeOrphaned(context, FIELDS, (_, isOnlyTrigger) => isOnlyTrigger && isNew);
	if (former.length === 0) return;
	for (const each of former) merge(takenBefore, each);
	takenBefore.written = undefined;
	storeTaken(context, takenBefore);
}

function merge({ seen, statuses, outcomes }: TakenBefore, stored: IDataObject): void {
	seen.merge(stored[SEEN_FIELD]);
	statuses.merge(stored[STATUSES_FIELD] ?? stored[SEEN_FIELD]);
	for (const part of textIn(stored[OUTCOMES_FIELD]).split(',', MAX_OUTCOMES)) {
		const reason = part.slice(FINGERPRINT_CHARACTERS);
		if (reason === '') continue;
		outcomes.set(
			part.slice(0, FINGERPRINT_CHARACTERS),
			reason === RESUMED ? { resumed: true } : refusal(reason),
		);
	}
	for (const name of [...outcomes.keys()]) if (seen.isSettled(name)) outcomes.delete(name);
}

/** An execution has judged an answer. Until n8n has stored the item, that is what its repetition is told: the answer counts once. */
export function noteOutcome(
	context: IWebhookFunctions,
	{ fingerprint }: Fingerprinted,
	outcome: AnswerOutcome,
): void {
	if (isTest(context)) return;
	const takenBefore = takenBeforeBy(context);
	takenBefore.outcomes.set(fingerprint.text, outcome);
	storeTaken(context, takenBefore);
}

/** What an execution did with an answer whose item n8n did not store, or was ended before. */
export const outcomeBefore = (
	context: IWebhookFunctions,
	{ fingerprint }: Fingerprinted,
): AnswerOutcome | undefined =>
	isTest(context) ? undefined : takenBeforeBy(context).outcomes.get(fingerprint.text);

/** What a call repeats while the first one is under way. */
export interface Repeated {
	/** when that one is over, or time is up; never rejects */
	done: Promise<void>;
	/** whether all of it was dealt with, and nothing is refused for now: nobody has to repeat it once more */
	isSafe: () => boolean;
}

const NOTHING_REPEATED: Repeated = { done: Promise.resolve(), isSafe: () => true };

/** n8n never replies for an execution that it held back and that somebody cancelled. */
const isUnderWay = ({ isStored, sinceMs }: FirstCall): boolean =>
	isStored === undefined && performance.now() - sinceMs < GIVE_UP_AFTER_MS;

function waitFor(firstCalls: ReadonlySet<FirstCall>): Repeated {
	if (firstCalls.size === 0) return NOTHING_REPEATED;
	const all = [...firstCalls];
	const untilMs = performance.now() + FIRST_CALL_WITHIN_MS;
	// It looks now and then: what waits for a first call must not stay in memory as long as that one does.
	const wait = async (): Promise<void> => {
		while (all.some(isUnderWay) && performance.now() < untilMs) await sleep(LOOK_EVERY_MS);
	};
	const isSafe = () => !all.some((each) => isUnderWay(each) || each.isStored === false);
	return { done: wait(), isSafe };
}

/** What a call brings. */
export interface Judged<T> {
	taken: T[];
	repeated: Repeated;
}

/**
 * The events that this trigger has not taken before, which it remembers as taken from now on, unless {@link forget} is
 * given them. n8n stores them once {@link settle} is given them: what another call stores before must not say that they were taken.
 *
 * @param maxAgeMinutes how old a call may be; 0 for any age
 */
export function onlyNew<T extends Fingerprinted>(
	context: IWebhookFunctions,
	events: T[],
	maxAgeMinutes: number,
): Judged<T> {
	if (events.length === 0 || isTest(context)) return { taken: events, repeated: NOTHING_REPEATED };
	const takenBefore = takenBeforeBy(context);
	catchUp(context, takenBefore);
	const nowMs = Date.now();
	const { seen, statuses, underWay } = takenBefore;
	const aheadUntilMs = seen.noteClock(nowMs);
	const judged = events.map((event) => add(takenBefore, event));
	const maxAgeMs = maxAgeMinutes * MS_PER_MINUTE;
	// Events are taken only while the clocks of Diyalog and n8n agree, status callbacks also while that of n8n is ahead.
	if (events.some(({ fingerprint }) => !('isKnown' in fingerprint)))
		seen.forgetOld(nowMs, maxAgeMs);
	statuses.forgetOld(nowMs, maxAgeMs);
	const having = (wanted: Novelty): T[] =>
		judged.filter(({ novelty }) => novelty === wanted).map(({ event }) => event);
	const untold = having('untold').length;
	if (untold > 0) {
		const line = () =>
			` refused ${untold} event(s): the trigger does not remember all events of that time any more. So nobody can tell whether it took them before. Look for a flood of events, or set a smaller Maximum Age.`;
		sayRarely(context, 'untold', line);
	}
	const later = having('later').length;
	if (later > 0) {
		const line = () =>
			` refused ${later} event(s) for now (503): the trigger has forgotten what was sent before ${new Date(aheadUntilMs).toISOString()}, so nobody can tell whether it took them before. The clock of n8n was ahead, or is behind now. Set it right. The trigger takes what is sent after that time.`;
		sayRarely(context, 'later', line, 'error');
	}
	const firstCalls = namesOf(having('repeated')).flatMap((name) => underWay.get(name) ?? []);
	const { done, isSafe } = waitFor(new Set(firstCalls));
	const repeated = { done, isSafe: () => later === 0 && isSafe() };
	return { taken: having('new'), repeated };
}

/**
 * Events that were taken are under way until n8n has stored what they start. Whoever repeats them until then must not be told that
 * they were taken: n8n may still be ended, and then a repetition is all that is left of them.
 *
 * @param whenOver resolves with whether n8n has stored it
 */
export function underWayUntil(
	context: IWebhookFunctions,
	events: readonly Fingerprinted[],
	whenOver: Promise<boolean>,
): void {
	if (events.length === 0 || isTest(context)) return;
	const { underWay } = takenBeforeBy(context);
	const names = namesOf(events);
	const call: FirstCall = { sinceMs: performance.now() };
	for (const name of names) underWay.set(name, call);
	void whenOver.then((isStored) => {
		call.isStored = isStored;
		for (const name of names) if (underWay.get(name) === call) underWay.delete(name);
	});
}

/** Has n8n store, at the end of a call, that its events were taken. */
export function settle(context: IWebhookFunctions, events: readonly Fingerprinted[]): void {
	if (events.length === 0 || isTest(context)) return;
	const takenBefore = takenBeforeBy(context);
	for (const { fingerprint } of events) {
		end(takenBefore, fingerprint, 'settle');
		takenBefore.outcomes.delete(fingerprint.text);
	}
	storeTaken(context, takenBefore);
}

/**
 * Sees to it that n8n saves what was taken by a call that starts an execution. n8n saves static data when it replies, if it
 * is marked as changed; but since it replies only after it has stored the execution (2.41), it takes that mark away in
 * between, whenever there was static data before. So it is written until n8n has replied.
 *
 * @param events those that count as taken when n8n saves them, and not before: another call that n8n saves earlier must not say so
 * @param whenOver resolves with whether n8n has stored the execution
 * @param writeAgain writes all that is known by now: n8n saves it over what other calls have saved meanwhile
 */
export async function rememberUntilReplied(
	context: IWebhookFunctions,
	events: readonly Fingerprinted[],
	{ isOver, whenOver }: { isOver: () => boolean; whenOver: Promise<boolean> },
	writeAgain: () => void,
): Promise<void> {
	if (isTest(context)) return;
	let isSettled = false;
	const settleOnce = () => {
		if (!isSettled) settle(context, events);
		isSettled = true;
	};
	const writeAll = () => {
		settleOnce();
		writeAgain();
	};
	void whenOver.then((isStored) => {
		if (isStored) settleOnce();
		// They were forgotten, and their repetition may be under way.
		isSettled = true;
	});
	const sinceMs = performance.now();
	for (let waitedMs = 0; !isOver() && waitedMs < GIVE_UP_AFTER_MS; ) {
		storeOnSave(context, writeAll);
		waitedMs = performance.now() - sinceMs;
		await sleep(waitedMs > LONG_MS ? WRITE_SELDOM_EVERY_MS : WRITE_AGAIN_EVERY_MS);
	}
}
