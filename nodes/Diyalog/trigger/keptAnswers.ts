import { sleep } from 'n8n-workflow';
import type { IWebhookFunctions } from 'n8n-workflow';
import { BoundedMap, BoundedSet } from '../lib/boundedMap';
import { lazily, z } from '../lib/zod';
import { takePassedOn } from '../wait/passedOnAnswer';
import type { Answer, PassedOnAnswer } from '../wait/passedOnAnswer';
import { fromMessageId } from '../wait/resumeReference';
import type { ResumeReference } from '../wait/resumeReference';
import { isTest } from './takenBefore';
import { goneAmong, readStored, store, takeOrphaned } from './stored';
import { triggerIdOf } from './triggerId';

/*
 * Answers that could not be passed on, because n8n was busy, failing or unreachable. They are kept in this process and in the
 * static data of the trigger, and passed on again with its next calls. Keeping decides nothing: the waiting node judges an
 * answer when it gets it, so what comes too late or twice is refused there.
 */

/** Field of the node's static data. */
const FIELD = 'keptAnswers';

const MAX_KEPT = 100;
const MAX_CHARACTERS = 100_000;
const MAX_CHARACTERS_EACH = 10_000;
/** With brackets and commas. */
const MAX_TEXT_CHARACTERS = MAX_CHARACTERS + MAX_KEPT + 1;
const MAX_AGE_MS = 24 * 60 * 60_000;
/** Answers of one trigger that are passed on again at the same time. */
const MAX_AT_ONCE = 10;
/** They rest so many times as long as it took n8n to fail again. */
const REST_FACTOR = 3;
/** Many calls while n8n cannot be reached must not keep it busy with that. */
const SHORTEST_REST_MS = 1_000;
/** n8n may have been asked for a minute, and the person has a deadline. */
const LONGEST_REST_MS = 10_000;

/** What is stored of an answer. The messageId says where it belongs, and the proof that a trigger authenticated it. */
const storedSchema = lazily(() =>
	z.object({
		messageId: z.string(),
		answer: z.string().max(MAX_CHARACTERS_EACH),
		proof: z.string(),
		/** epoch ms */
		keptAtMs: z.number(),
	}),
);

type Stored = z.output<ReturnType<typeof storedSchema>>;

/** An answer that belongs to a genuine reference and carries a genuine proof. */
export interface GenuineAnswer {
	messageId: string;
	reference: ResumeReference;
	/** under which both are genuine */
	appSecret: string;
	appSecrets: readonly string[];
	answer: Answer;
	passedOn: PassedOnAnswer;
}

interface Kept {
	stored: Stored;
	/** as it is stored */
	characters: number;
	executionId: string;
	turn: string;
	userId: string;
	occurredAt: string;
	isUnderWay: boolean;
	tries: number;
	/** it has not been tried since the latest call */
	isAwaited: boolean;
}

/** What passes kept answers on: a call, its credential, and how. */
interface Passing {
	context: IWebhookFunctions;
	appSecrets: readonly string[];
	/** tells whether it is settled what became of an answer */
	passOn: (genuine: GenuineAnswer) => Promise<boolean>;
}

/** What this process knows of one trigger. */
interface Memory {
	/** by question and person, who was kept first first */
	answers: Map<string, Kept>;
	/** how they are stored; undefined when that is to be made anew */
	text?: string;
	/** proofs of answers that are settled or given up: another process may still write them down */
	settled: BoundedSet<string>;
	/** what was read from the static data last */
	read?: unknown;
	/** the call that came last, as long as anything is kept */
	latest?: Passing;
	/** after one has failed again, nothing is tried that nobody gives anew */
	restsUntilMs: number;
	/** it goes on by itself when they have rested */
	wakes: boolean;
}

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_TRIGGERS = 1_000;

/** Ten times as many as are kept. */
const MAX_SETTLED = 1_000;

const byTrigger = new BoundedMap<string, Memory>(MAX_TRIGGERS);

const memoryOf = (context: IWebhookFunctions): Memory =>
	byTrigger.getOrMake(triggerIdOf(context), () => ({
		answers: new Map<string, Kept>(),
		text: '',
		settled: new BoundedSet(MAX_SETTLED),
		restsUntilMs: 0,
		wakes: false,
	}));

/** A person's answer to a question: one is kept of each. */
interface Place {
	turn: string;
	userId: string;
}

const keyOf = ({ turn, userId }: Place): string => JSON.stringify([turn, userId]);

/** Static data can be edited with the workflow's JSON. What nobody with the App Secret made is none. */
function readGenuine(
	{ messageId, answer: text, proof }: Stored,
	appSecrets: readonly string[],
): GenuineAnswer | undefined {
	const passedOn = { answer: text, proof };
	for (const appSecret of appSecrets) {
		const reference = fromMessageId(messageId, [appSecret]);
		if (!reference) continue;
		const body = { answers: [passedOn] };
		const [taken] = takePassedOn(body, reference.executionId, [appSecret]);
		const answer = taken?.answer;
		if (answer?.turn === reference.turn)
			return { messageId, reference, appSecret, appSecrets, answer, passedOn };
	}
	return undefined;
}

function put(memory: Memory, key: string, kept: Kept): void {
	memory.answers.set(key, kept);
	memory.text = undefined;
}

function drop(memory: Memory, key: string): void {
	memory.answers.delete(key);
	memory.text = undefined;
}

function giveUp(context: IWebhookFunctions, memory: Memory, key: string, why: string): void {
	const kept = memory.answers.get(key);
	if (!kept) return;
	drop(memory, key);
	memory.settled.add(kept.stored.proof);
	context.logger.error(
		`Diyalog Trigger: an answer that was kept for execution ${kept.executionId} is lost: ${why}`,
	);
}

/**
 * Which one goes when there are too many: the oldest of the question or the person that takes most of the room. So nobody pushes
 * out the answers of others, with the buttons of a hundred old messages or with long texts, and no crowd at one question does.
 */
function leastFair(answers: ReadonlyMap<string, Kept>): string | undefined {
	const room = new Map<string, number>();
	const roomOf = ({ turn, userId }: Kept): number =>
		Math.max(room.get(`turn ${turn}`) ?? 0, room.get(`user ${userId}`) ?? 0);
	for (const { turn, userId, characters } of answers.values())
		for (const of of [`turn ${turn}`, `user ${userId}`])
			room.set(of, (room.get(of) ?? 0) + characters);
	const most = Math.max(...[...answers.values()].map(roomOf));
	for (const [key, kept] of answers) if (roomOf(kept) === most) return key;
	return undefined;
}

/** Gives up what is too old, and what is beyond the limits. */
function limit(context: IWebhookFunctions, memory: Memory, nowMs: number): void {
	const { answers } = memory;
	let characters = 0;
	for (const [key, kept] of answers) {
		if (nowMs - kept.stored.keptAtMs > MAX_AGE_MS) giveUp(context, memory, key, 'it is a day old.');
		else characters += kept.characters;
	}
	while (answers.size > MAX_KEPT || characters > MAX_CHARACTERS) {
		const key = leastFair(answers);
		if (key === undefined) return;
		characters -= answers.get(key)?.characters ?? 0;
		giveUp(context, memory, key, 'too many others were kept since.');
	}
}

function add(
	context: IWebhookFunctions,
	memory: Memory,
	{ messageId, passedOn, reference, answer }: GenuineAnswer,
	keptAtMs: number,
): boolean {
	const { executionId, turn } = reference;
	const { userId, occurredAt } = answer;
	const key = keyOf({ turn, userId });
	const known = memory.answers.get(key);
	if (known?.stored.proof === passedOn.proof) return true;
	if (known && known.occurredAt <= occurredAt) return false;
	const stored = { messageId, ...passedOn, keptAtMs };
	const characters = JSON.stringify(stored).length;
	if (characters > MAX_CHARACTERS_EACH) return false;
	if (known) giveUp(context, memory, key, 'the person has answered something else before.');
	put(memory, key, {
		stored,
		characters,
		executionId,
		turn,
		userId,
		occurredAt,
		isUnderWay: false,
		tries: 0,
		isAwaited: false,
	});
	return true;
}

/**
 * Keeps an answer that could not be passed on.
 *
 * @param isWithdrawn it stood behind another one of this person, which did not get through either
 * @returns false when it is not kept: another one of this person was given before, it or that one is too large, there are too
 * many, or this is a test
 */
export function keep(
	context: IWebhookFunctions,
	genuine: GenuineAnswer,
	isWithdrawn: boolean,
): boolean {
	if (isTest(context)) return false;
	const memory = memoryOf(context);
	const { turn } = genuine.reference;
	const key = keyOf({ turn, userId: genuine.answer.userId });
	// The one before could not be kept, and must not be overtaken all the same.
	if (isWithdrawn && !memory.answers.has(key)) return false;
	const nowMs = Date.now();
	const isKept = add(context, memory, genuine, nowMs);
	limit(context, memory, nowMs);
	return isKept && memory.answers.has(key);
}

function parse(text: unknown): Stored[] {
	if (typeof text !== 'string' || text === '' || text.length > MAX_TEXT_CHARACTERS) return [];
	try {
		const list: unknown = JSON.parse(text);
		// Checking each part of a long list would take seconds.
		if (!Array.isArray(list) || list.length > MAX_KEPT) return [];
		return list.flatMap((each) => storedSchema().safeParse(each).data ?? []);
	} catch {
		return [];
	}
}

/** A trigger is no longer there, and may come back: what another one keeps or has settled is none of its own any more. */
function handOver(gone: Memory, { answers, settled }: Memory): void {
	for (const [key, { stored }] of [...gone.answers])
		if (settled.has(stored.proof) || answers.get(key)?.stored.proof === stored.proof)
			drop(gone, key);
}

/** Takes over what was stored before a restart, or by another process. */
function catchUp(
	context: IWebhookFunctions,
	memory: Memory,
	appSecrets: readonly string[],
	nowMs: number,
): void {
	const { [FIELD]: text } = readStored(context);
	const orphaned = takeOrphaned(
		context,
		[FIELD],
		({ [FIELD]: taken }, isOnlyTrigger) =>
			isOnlyTrigger || parse(taken).some((each) => readGenuine(each, appSecrets)),
	).map(({ [FIELD]: taken }) => taken);
	if (text === memory.read && orphaned.length === 0) return;
	memory.read = text;
	const known = new Set([...memory.answers.values()].map(({ stored }) => stored.proof));
	let strange = 0;
	for (const stored of [text, ...orphaned].flatMap(parse)) {
		if (known.has(stored.proof) || memory.settled.has(stored.proof)) continue;
		const genuine = readGenuine(stored, appSecrets);
		if (genuine) add(context, memory, genuine, Math.min(stored.keptAtMs, nowMs));
		else strange++;
	}
	for (const { remembered } of goneAmong(context, byTrigger)) handOver(remembered, memory);
	if (strange === 0) return;
	context.logger.error(
		`Diyalog Trigger: ${strange} answer(s) that were kept are lost: the credential has another App Secret now, or somebody has changed them.`,
	);
}

/** Who answers again goes first, at once; the others when they have rested, so many as may be under way. */
function dueOf({ answers, restsUntilMs }: Memory, answering: readonly Place[]) {
	const answersAgain = new Set(answering.map(keyOf));
	const all = [...answers];
	const atRest = all.filter(([, { isUnderWay }]) => !isUnderWay);
	const first = atRest.filter(([key]) => answersAgain.has(key));
	if (performance.now() < restsUntilMs) return first;
	const others = atRest
		.filter(([key, { isAwaited }]) => isAwaited && !answersAgain.has(key))
		.sort(([, one], [, other]) => one.tries - other.tries);
	const free = MAX_AT_ONCE - (all.length - atRest.length) - first.length;
	return [...first, ...others.slice(0, Math.max(0, free))];
}

async function passOnOne(memory: Memory, key: string, kept: Kept, passing: Passing): Promise<void> {
	const { context, appSecrets, passOn } = passing;
	const genuine = readGenuine(kept.stored, appSecrets);
	if (!genuine) return giveUp(context, memory, key, 'the credential has another App Secret now.');
	kept.isUnderWay = true;
	kept.isAwaited = false;
	kept.tries++;
	const beganAtMs = performance.now();
	const isSettled = await passOn(genuine).catch(() => false);
	const endedAtMs = performance.now();
	const restsForMs = Math.max(SHORTEST_REST_MS, REST_FACTOR * (endedAtMs - beganAtMs));
	kept.isUnderWay = false;
	memory.restsUntilMs = isSettled ? 0 : endedAtMs + Math.min(restsForMs, LONGEST_REST_MS);
	if (!isSettled) return;
	memory.settled.add(kept.stored.proof);
	if (memory.answers.get(key) === kept) drop(memory, key);
}

/** Passes on what has to go now, and afterwards what a call still waits for. */
function passOnDue(memory: Memory, answering: readonly Place[] = []): void {
	if (memory.answers.size === 0) memory.latest = undefined;
	const { latest } = memory;
	if (!latest) return;
	for (const [key, kept] of dueOf(memory, answering))
		void passOnOne(memory, key, kept, latest).then(() => passOnDue(memory));
	const restsForMs = memory.restsUntilMs - performance.now();
	const isAwaited = [...memory.answers.values()].some((kept) => kept.isAwaited);
	if (memory.wakes || !isAwaited || restsForMs <= 0) return;
	memory.wakes = true;
	void sleep(Math.ceil(restsForMs)).then(() => {
		memory.wakes = false;
		passOnDue(memory);
	});
}

/**
 * Passes kept answers on again, each once for this call, and nobody waits for it. What is settled is kept no longer.
 *
 * @param answering whose answers this call brings: what is kept of them comes to stand in line before this returns, so that no
 * later answer of theirs can overtake it
 */
export function passOnKept(passing: Passing, answering: readonly Place[]): void {
	const { context, appSecrets } = passing;
	if (isTest(context)) return;
	const memory = memoryOf(context);
	const nowMs = Date.now();
	catchUp(context, memory, appSecrets, nowMs);
	limit(context, memory, nowMs);
	memory.latest = passing;
	for (const kept of memory.answers.values()) kept.isAwaited = true;
	passOnDue(memory, answering);
}

/** Has n8n store what is kept, if this call has read anything else. n8n saves it at the end of the call. */
export function storeKept(context: IWebhookFunctions): void {
	if (isTest(context)) return;
	const memory = memoryOf(context);
	if (memory.text === undefined) {
		const kept = [...memory.answers.values()].map(({ stored }) => stored);
		memory.text = kept.length > 0 ? JSON.stringify(kept) : '';
	}
	if ((readStored(context)[FIELD] ?? '') === memory.text) return;
	store(context, { [FIELD]: memory.text });
	memory.read = memory.text;
}
