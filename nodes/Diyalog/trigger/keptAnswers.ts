import type { IWebhookFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';
import { BoundedMap, BoundedSet } from '../lib/boundedMap';
import { takePassedOn } from '../wait/passedOnAnswer';
import type { Answer, PassedOnAnswer } from '../wait/passedOnAnswer';
import { fromMessageId } from '../wait/resumeReference';
import type { ResumeReference } from '../wait/resumeReference';
import { isTest } from './takenBefore';
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
/** So nobody pushes out the answers of many others with one long text. */
const MAX_CHARACTERS_EACH = 10_000;
/** With brackets and commas. */
const MAX_TEXT_CHARACTERS = MAX_CHARACTERS + MAX_KEPT + 1;
const MAX_AGE_MS = 24 * 60 * 60_000;
/** Answers of one trigger that are passed on again at the same time. */
const MAX_AT_ONCE = 10;
/** An answer rests so many times as long as it took n8n to fail again. */
const REST_FACTOR = 3;

/** What is stored of an answer. The messageId says where it belongs, and the proof that a trigger authenticated it. */
const storedSchema = z.object({
	messageId: z.string(),
	answer: z.string().max(MAX_CHARACTERS_EACH),
	proof: z.string(),
	/** epoch ms */
	keptAtMs: z.number(),
});

type Stored = z.output<typeof storedSchema>;

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
	executionId: string;
	occurredAt: string;
	isUnderWay: boolean;
	tries: number;
	restsUntilMs: number;
}

/** What this process knows of one trigger. */
interface Memory {
	/** by question and person, who was kept first first */
	answers: Map<string, Kept>;
	/** proofs of answers that are settled: another process may still write them down */
	settled: BoundedSet<string>;
	/** what was read from the static data last */
	read?: unknown;
}

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_TRIGGERS = 1_000;

/** Ten times as many as are kept. */
const MAX_SETTLED = 1_000;

const byTrigger = new BoundedMap<string, Memory>(MAX_TRIGGERS);

const memoryOf = (context: IWebhookFunctions): Memory =>
	byTrigger.getOrMake(triggerIdOf(context), () => ({
		answers: new Map<string, Kept>(),
		settled: new BoundedSet(MAX_SETTLED),
	}));

const keyOf = ({ reference: { turn }, answer: { userId } }: GenuineAnswer): string =>
	JSON.stringify([turn, userId]);

/** As they are stored. */
const charactersOf = (stored: Stored): number => JSON.stringify(stored).length;

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

function giveUp(context: IWebhookFunctions, { answers }: Memory, key: string, why: string): void {
	const executionId = answers.get(key)?.executionId;
	answers.delete(key);
	context.logger.error(
		`Diyalog Trigger: an answer that was kept for execution ${executionId} is lost: ${why}`,
	);
}

/** Gives up what is beyond the limits, the oldest first. */
function limit(context: IWebhookFunctions, memory: Memory, nowMs: number): void {
	const { answers } = memory;
	let characters = 0;
	for (const { stored } of answers.values()) characters += charactersOf(stored);
	for (const [key, { stored }] of answers) {
		const isOld = nowMs - stored.keptAtMs > MAX_AGE_MS;
		if (!isOld && answers.size <= MAX_KEPT && characters <= MAX_CHARACTERS) continue;
		characters -= charactersOf(stored);
		giveUp(context, memory, key, isOld ? 'it is a day old.' : 'too many others were kept since.');
	}
}

function add(
	context: IWebhookFunctions,
	memory: Memory,
	genuine: GenuineAnswer,
	keptAtMs: number,
): boolean {
	const { messageId, passedOn, reference, answer } = genuine;
	const key = keyOf(genuine);
	const known = memory.answers.get(key);
	if (known?.stored.proof === passedOn.proof) return true;
	if (known && known.occurredAt <= answer.occurredAt) return false;
	const stored = { messageId, ...passedOn, keptAtMs };
	if (charactersOf(stored) > MAX_CHARACTERS_EACH) return false;
	if (known) giveUp(context, memory, key, 'the person has answered something else before.');
	memory.answers.set(key, {
		stored,
		executionId: reference.executionId,
		occurredAt: answer.occurredAt,
		isUnderWay: false,
		tries: 0,
		restsUntilMs: 0,
	});
	return true;
}

/**
 * Keeps an answer that could not be passed on.
 *
 * @returns false when it is not kept: another one of this person was given before, it is too large, or this is a test
 */
export function keep(context: IWebhookFunctions, genuine: GenuineAnswer): boolean {
	if (isTest(context)) return false;
	const memory = memoryOf(context);
	const nowMs = Date.now();
	const isKept = add(context, memory, genuine, nowMs);
	limit(context, memory, nowMs);
	return isKept;
}

function parse(text: unknown): Stored[] {
	if (typeof text !== 'string' || text.length > MAX_TEXT_CHARACTERS) return [];
	try {
		const list: unknown = JSON.parse(text);
		// Checking each part of a long list would take seconds.
		if (!Array.isArray(list) || list.length > MAX_KEPT) return [];
		return list.flatMap((each) => storedSchema.safeParse(each).data ?? []);
	} catch {
		return [];
	}
}

/** Takes over what was stored before a restart, or by another process. */
function catchUp(
	context: IWebhookFunctions,
	memory: Memory,
	appSecrets: readonly string[],
	nowMs: number,
): void {
	const { [FIELD]: text } = context.getWorkflowStaticData('node');
	if (text === memory.read) return;
	memory.read = text;
	for (const stored of parse(text)) {
		const genuine = readGenuine(stored, appSecrets);
		if (!genuine || memory.settled.has(stored.proof)) continue;
		add(context, memory, genuine, Math.min(stored.keptAtMs, nowMs));
	}
}

/**
 * Passes kept answers on again, which nobody waits for. What is settled is kept no longer.
 *
 * @param passOn tells whether it is settled what became of an answer
 */
export function passOnKept(
	context: IWebhookFunctions,
	appSecrets: readonly string[],
	passOn: (genuine: GenuineAnswer) => Promise<boolean>,
): void {
	if (isTest(context)) return;
	const memory = memoryOf(context);
	const { answers, settled } = memory;
	const nowMs = Date.now();
	catchUp(context, memory, appSecrets, nowMs);
	limit(context, memory, nowMs);
	const beganAtMs = performance.now();
	const all = [...answers.entries()];
	const underWay = all.filter(([, { isUnderWay }]) => isUnderWay).length;
	const due = all
		.filter(([, { isUnderWay, restsUntilMs }]) => !isUnderWay && restsUntilMs <= beganAtMs)
		.sort(([, one], [, other]) => one.tries - other.tries)
		.slice(0, MAX_AT_ONCE - underWay);
	for (const [key, kept] of due) {
		const genuine = readGenuine(kept.stored, appSecrets);
		if (!genuine) {
			giveUp(context, memory, key, 'the credential has another App Secret now.');
			continue;
		}
		kept.isUnderWay = true;
		kept.tries++;
		const mayFail = passOn(genuine).catch(() => false);
		void mayFail.then((isSettled) => {
			const endedAtMs = performance.now();
			kept.isUnderWay = false;
			kept.restsUntilMs = endedAtMs + REST_FACTOR * (endedAtMs - beganAtMs);
			if (!isSettled) return;
			settled.add(kept.stored.proof);
			if (answers.get(key) === kept) answers.delete(key);
		});
	}
}

/** Has n8n store what is kept, if this call has read anything else. n8n saves it at the end of the call. */
export function storeKept(context: IWebhookFunctions): void {
	if (isTest(context)) return;
	const memory = memoryOf(context);
	const staticData = context.getWorkflowStaticData('node');
	const kept = [...memory.answers.values()].map(({ stored }) => stored);
	const text = kept.length > 0 ? JSON.stringify(kept) : '';
	if ((staticData[FIELD] ?? '') === text) return;
	staticData[FIELD] = text;
	memory.read = text;
}
