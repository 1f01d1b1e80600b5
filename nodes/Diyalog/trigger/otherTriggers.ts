import { createHash, randomUUID } from 'node:crypto';
import { sleep } from 'n8n-workflow';
import type { IWebhookFunctions } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { appSecretsOf } from '../transport/appSecrets';
import { verifySignature } from '../events/signature';
import { BoundedMap } from '../lib/boundedMap';
import { KeptCalls } from '../passOn/keptCalls';
import type { Call, Lost } from '../passOn/keptCalls';
import { makeMark, MARK_HEADER, TRIGGER_HEADER } from '../passOn/mark';
import type { ToldOutcomes } from '../passOn/mark';
import { keyOf, readTargets } from '../passOn/targets';
import type { CallPath, OwnAddresses, Target, TargetProblem } from '../passOn/targets';
import { explainThrown, pause } from '../transport/client';
import { sayRarely } from './refusals';
import { atN8nAddress, callSelf } from './selfCall';
import type { Caller, SelfReply } from './selfCall';
import type { TriggerSecrets, TriggerSettings } from './settings';
import { isTest } from './takenBefore';
import {
	goneAmong,
	hasOrphaned,
	readAsFound,
	readStored,
	store,
	takeOrphaned,
	textIn,
} from './stored';
import { triggerIdOf } from './triggerId';

/*
 * A bot has one webhook URL. So a trigger passes the calls that it has authenticated on to other triggers of its n8n, as they
 * came. What another trigger does not take is kept in this process and in the static data of this one, and tried again: by
 * itself, with pauses that grow, as long as the process lives, and after a restart with the next call. A trigger for which something is kept
 * gets its calls in the order in which they came, one that fails one at a time; one that takes them gets them at once. Of several
 * processes each passes on what it has kept itself.
 */

/** Field of what is stored of a trigger. */
const FIELD = 'keptCalls';

/** What became of answers is told in the mark; a waiting execution may take longer, and others shall not wait for it. */
const OUTCOMES_WITHIN_MS = 1_500;
/** Half a second before Diyalog gets its reply in any case, so that what is kept is stored by then. */
const TAKEN_WITHIN_MS = 3_000;
/** A trigger replies when n8n has stored what the call starts; unless n8n is very busy, that is at once. */
const TRY_WITHIN_MS = 10_000;
/** Calls that are on their way to one trigger at the same time. */
const MAX_AT_ONCE = 10;
/** So long the next one of a line waits for the one before, so that they arrive in order and a slow trigger is not slowed down further. */
const NEXT_IN_LINE_MS = 100;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;
/** So long another process has to say that it keeps the same calls, before they go on from here. */
const TAKEN_OVER_AFTER_MS = 3_000;
/** A process that only publishes workflows gets no calls, and so does not learn who else passes them on. */
const WITHOUT_CALLS_MS = 5 * 60_000;
/** Calls that are lost within this time have one line. */
const LOSSES_TOGETHER_MS = 2_000;
/** A call of Diyalog ends a longer rest. */
const REST_BEFORE_NEXT_CALL_MS = 5_000;

/** What the trigger replies to a status callback that it does not want. It tells from an n8n that knows no such trigger. */
export const NO_CALLBACKS = 'Status callbacks are not among the events of this trigger.';

/** With what the trigger refuses a call that it will not take the next time either (401). A proxy or n8n uses other words. */
export const REFUSED_FOR_GOOD = {
	signature: 'The X-Signature header is missing or wrong.',
	token: 'The Auth-Token header is missing or wrong.',
	age: 'The call is too old, or the clocks differ.',
} as const;

/** What is had of n8n when a trigger is called, and when it is activated. */
export type TriggerContext = Caller &
	Pick<
		IWebhookFunctions,
		| 'getInstanceBaseUrl'
		| 'getMode'
		| 'getNode'
		| 'getNodeWebhookUrl'
		| 'getWorkflow'
		| 'getWorkflowStaticData'
		| 'logger'
	>;

/** n8n says to nodes where its test URLs begin in no other way. An expression knows it neither. */
const contextSchema = lazily(() =>
	z.object({
		additionalData: z.object({ webhookBaseUrl: z.string(), webhookTestBaseUrl: z.string() }),
	}),
);

function ownAddressesOf(context: TriggerContext): OwnAddresses {
	const { webhookId: ownId } = context.getNode();
	const instanceBase = context.getInstanceBaseUrl();
	const { data } = contextSchema().safeParse(context);
	if (data) {
		const { webhookBaseUrl: productionBase, webhookTestBaseUrl: testBase } = data.additionalData;
		return { productionBase, testBase, instanceBase, ownId };
	}
	const own = context.getNodeWebhookUrl('default') ?? `${instanceBase}/webhook/id/webhook`;
	const productionBase = own.replace(/\/[^/]*\/webhook$/, '').replace(/-test$/, '');
	return { productionBase, testBase: `${productionBase}-test`, instanceBase, ownId };
}

/** Why the list cannot be used; undefined when it can. */
export const listProblemOf = (
	context: TriggerContext,
	{ options: { alsoPassOnTo } }: TriggerSettings,
): TargetProblem | undefined =>
	alsoPassOnTo.length === 0
		? undefined
		: readTargets(alsoPassOnTo, ownAddressesOf(context)).problems[0];

/** How calls go on: with what the latest call has found. */
interface Passing {
	context: TriggerContext;
	own: OwnAddresses;
	n8nAddress: string;
	secrets: TriggerSecrets;
	targets: readonly Target[];
	/** those of the list that are at another address than this n8n */
	elsewhere: readonly Target[];
	/** under which calls may be marked and kept; undefined when nobody authenticates them */
	appSecret: string | undefined;
}

/** When calls are tried again. Times are by the clock of the process. */
interface Pace {
	underWay: number;
	failures: number;
	restsUntilMs: number;
	/** it goes on by itself when it has rested */
	wakes: boolean;
}

/** How it goes with one target. */
interface TargetState extends Pace {
	/** one of the line has just begun */
	isDriving: boolean;
	failedAtMs: number;
	takenAtMs: number;
	/** why it did not take the last call; empty when it did */
	trouble: string;
	/** of calls that are stuck; others do not wait for them */
	stuck: Pace;
}

/** What this process knows of one trigger that passes on. */
interface Memory {
	calls: KeptCalls;
	states: Map<string, TargetState>;
	/** how many calls were lost since the last line, by the line */
	lost: Map<string, number>;
	/** what was read from the static data last, or written there */
	read?: unknown;
	latest?: Passing;
	/** Diyalog has called here, and not only somebody published the workflow */
	hasCalls: boolean;
	/** by the clock of the process; from then on nothing goes on by itself */
	endsAtMs: number;
}

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_TRIGGERS = 1_000;

const byTrigger = new BoundedMap<string, Memory>(MAX_TRIGGERS);

const memoryOf = (context: TriggerContext): Memory =>
	byTrigger.getOrMake(triggerIdOf(context), () => ({
		calls: new KeptCalls(randomUUID(), Date.now()),
		states: new Map<string, TargetState>(),
		lost: new Map<string, number>(),
		hasCalls: false,
		endsAtMs: -Infinity,
	}));

const newPace = (): Pace => ({ underWay: 0, failures: 0, restsUntilMs: -Infinity, wakes: false });

function stateOf({ states }: Memory, key: string): TargetState {
	const state = states.get(key) ?? {
		...newPace(),
		isDriving: false,
		failedAtMs: -Infinity,
		takenAtMs: -Infinity,
		trouble: '',
		stuck: newPace(),
	};
	states.set(key, state);
	return state;
}

function passingOf(
	context: TriggerContext,
	{ options: { alsoPassOnTo, n8nAddress }, authentication }: TriggerSettings,
	secrets: TriggerSecrets,
): Passing {
	const own = ownAddressesOf(context);
	const { targets, elsewhere, problems } = readTargets(alsoPassOnTo, own);
	// Activation refuses these. A workflow that was imported as published has not been through that.
	for (const { title, advice } of problems)
		sayRarely(
			context,
			`list ${title}`,
			() => `: ${title}, so this entry passes nothing on. ${advice}`,
		);
	const [known] = appSecretsOf(secrets);
	return {
		context,
		own,
		n8nAddress,
		secrets,
		targets,
		elsewhere,
		appSecret: authentication === 'none' ? undefined : known,
	};
}

/** What one try has found. */
type Tried =
	| { kind: 'taken' }
	/** for good */
	| { kind: 'refused'; why: string }
	/** `off` nobody can have taken it; `strange` what answered may not like what this call holds, and let others through */
	| { kind: 'failed' | 'off' | 'strange'; why: string };

const failed = (why: string): Tried => ({ kind: 'failed', why });

/** What n8n says of an address of which it knows no published workflow. A firewall that does not like a call says other things. */
const NOT_PUBLISHED = 'is not registered';

/** Statuses with which a server says that it may be otherwise later. */
const TRY_AGAIN = [404, 408, 425, 429];

function readReply({ status, headers, text }: SelfReply): Tried {
	const isTrigger = headers[TRIGGER_HEADER] !== undefined;
	if (status === 200 && text.trim() === 'OK' && isTrigger) return { kind: 'taken' };
	if (status === 404 && text === NO_CALLBACKS) return { kind: 'taken' };
	if (status === 404 && text.includes(NOT_PUBLISHED))
		return { kind: 'off', why: 'its workflow is not published (404).' };
	if (status === 400 && isTrigger)
		return {
			kind: 'refused',
			why: `it could not read the body (${status}). See its own line in the log.`,
		};
	if (status === 401 && text === REFUSED_FOR_GOOD.age)
		return {
			kind: 'refused',
			why: `they are too old for it (${status}). Its Maximum Age is less than here.`,
		};
	if (status === 401 && Object.values<string>(REFUSED_FOR_GOOD).includes(text))
		return {
			kind: 'refused',
			why: `it refused with ${status}. See its own line in the log. Compare the App Secret of its credential.`,
		};
	if (status >= 500 || TRY_AGAIN.includes(status)) return failed(`it answered with ${status}.`);
	return {
		kind: 'strange',
		why: `what answered with ${status} is no Diyalog Trigger, or its header ${TRIGGER_HEADER} was removed. Set N8n Address in the options to where n8n itself listens.`,
	};
}

function addressOf({ own, n8nAddress }: Passing, { id, isTest }: Target, path: CallPath): string {
	const address = `${isTest ? own.testBase : own.productionBase}/${id}/${path}`;
	return atN8nAddress(address, n8nAddress);
}

/** The secret that the call was signed with, because the receiver may know no other one. */
function secretFor({ appSecret, secrets }: Passing, { body, signature }: Call): string | undefined {
	if (appSecret === undefined || signature === '') return appSecret;
	const all = appSecretsOf(secrets);
	return all.find((one) => verifySignature(body, signature, [one]) === 'valid') ?? appSecret;
}

/** Passes a call on once; never rejects. */
async function post(
	passing: Passing,
	target: Target,
	call: Call,
	mayBeKnownSinceMs: number | undefined,
): Promise<Tried> {
	const { path, body, contentType, signature } = call;
	const mark = makeMark(
		{ ...call, passedOnAtMs: Date.now(), mayBeKnownSinceMs },
		{ ...target, path, body },
		secretFor(passing, call),
	);
	const headers = {
		'Content-Type': contentType,
		[MARK_HEADER]: mark,
		...(signature !== '' && { 'X-Signature': signature }),
	};
	try {
		const address = addressOf(passing, target, path);
		return readReply(await callSelf(passing.context, address, headers, body, TRY_WITHIN_MS));
	} catch (error) {
		return explainThrown(error).uncertain
			? failed('it did not answer in time, or the connection ended.')
			: {
					kind: 'off',
					why: 'n8n could not reach itself. Set N8n Address in the options, e.g. http://127.0.0.1:5678.',
				};
	}
}

const nameOf = ({ id, isTest }: Target): string => `trigger ${id}${isTest ? ' (test)' : ''}`;

const stateLine = (target: Target, trouble: string): string =>
	trouble === ''
		? `: ${nameOf(target)} takes the calls that are passed on to it again.`
		: `: ${nameOf(target)} did not take a call that was passed on: ${trouble}`;

/** Says it when it changes whether a target takes calls, and not for every call. */
function sayState({ context }: Passing, target: Target, state: TargetState, trouble: string): void {
	if (state.trouble === trouble) return;
	state.trouble = trouble;
	context.logger.warn(`Diyalog Trigger${stateLine(target, trouble)}`);
}

/** Says it of a call that may never be taken, though others are. Customers write what calls hold, so there can be many of these. */
function sayOfStuck({ context }: Passing, target: Target, trouble: string): void {
	sayRarely(context, `stuck ${keyOf(target)} ${trouble}`, () => stateLine(target, trouble));
}

/** Why calls were given up. */
const LOSSES: Readonly<Record<Lost['why'], string>> = {
	tooOld: 'nobody took it for a day.',
	tooMany: 'too many later calls are kept for it.',
	notInList: 'it is not in Also Pass On To any more.',
};

/** Says how many calls were lost, together with those that are lost some seconds later. */
function sayLost(memory: Memory, { context }: Passing, name: string, why: string): void {
	const kind = `${name} ${why}`;
	const count = memory.lost.get(kind) ?? 0;
	memory.lost.set(kind, count + 1);
	if (count > 0) return;
	void sleep(LOSSES_TOGETHER_MS).then(() => {
		const lost = memory.lost.get(kind) ?? 1;
		memory.lost.delete(kind);
		const calls = lost === 1 ? 'a call that was' : `${lost} calls that were`;
		context.logger.error(
			`Diyalog Trigger: ${calls} to be passed on to ${name} ${lost === 1 ? 'is' : 'are'} lost: ${why}`,
		);
	});
}

function rest(pace: Pace, nowMs: number): void {
	// Those that were under way at the same time fail together.
	if (nowMs < pace.restsUntilMs) return;
	pace.restsUntilMs = nowMs + Math.min(FIRST_REST_MS * 2 ** pace.failures, LONGEST_REST_MS);
	pace.failures++;
}

function goOn(pace: Pace): void {
	pace.failures = 0;
	pace.restsUntilMs = -Infinity;
}

/** Tries a call once, with what became of it. */
async function tryOnce(memory: Memory, passing: Passing, target: Target, call: Call) {
	const { calls } = memory;
	const { id } = call;
	const key = keyOf(target);
	const state = stateOf(memory, key);
	const pending = calls.pendingOf(id, key);
	const wasStuck = pending?.isStuck === true;
	const pace = wasStuck ? state.stuck : state;
	calls.update(id, key, { isUnderWay: true });
	pace.underWay++;
	const triedAtMs = Date.now();
	const tried = await post(passing, target, call, pending?.mayBeKnownSinceMs);
	const nowMs = performance.now();
	pace.underWay--;
	if (tried.kind === 'taken' || tried.kind === 'refused') {
		for (const each of [state, pace]) goOn(each);
		state.takenAtMs = nowMs;
		calls.settle(id, key);
		calls.forgive(key);
		sayState(passing, target, state, tried.kind === 'taken' ? '' : tried.why);
		if (wasStuck && tried.kind === 'taken') sayOfStuck(passing, target, '');
		if (tried.kind === 'refused') sayLost(memory, passing, nameOf(target), tried.why);
	} else {
		const {
			mayBeKnownSinceMs = triedAtMs,
			failedAtMs = Infinity,
			failures = 0,
		} = calls.pendingOf(id, key) ?? {};
		const isOff = tried.kind === 'off';
		const isAgain = wasStuck || failedAtMs < state.takenAtMs;
		const isStuck = !isOff && (isAgain || tried.kind === 'strange');
		calls.update(id, key, {
			isUnderWay: false,
			...(!isOff && { mayBeKnownSinceMs, failedAtMs: nowMs, failures: failures + 1, isStuck }),
		});
		rest(isStuck ? state.stuck : state, nowMs);
		if (!isStuck) {
			state.failedAtMs = nowMs;
			sayState(passing, target, state, tried.why);
		} else if (!isAgain) sayOfStuck(passing, target, tried.why);
		keepOrForget(memory, passing, target, call);
	}
	drive(memory, target);
}

/** Calls that nobody has authenticated are not kept, and neither are very large ones: Diyalog may repeat them. */
const mayKeep = ({ appSecret }: Passing, call: Call): boolean =>
	appSecret !== undefined && KeptCalls.hasRoomFor(call);

function keepOrForget({ calls }: Memory, passing: Passing, target: Target, call: Call): void {
	const key = keyOf(target);
	if (mayKeep(passing, call)) calls.update(call.id, key, { isKept: true });
	else if (!calls.pendingOf(call.id, key)?.isUnderWay) calls.drop(call.id, key);
}

/** Tries what stands in line for a target, a slow one gets several at once; after a failure or a restart one at a time until it takes one. */
function drive(memory: Memory, target: Target): void {
	const { latest, calls } = memory;
	const key = keyOf(target);
	const state = stateOf(memory, key);
	const call = calls.next(key, true);
	if (!latest || !call || state.isDriving) return;
	const isStuck = calls.pendingOf(call.id, key)?.isStuck === true;
	const pace = isStuck ? state.stuck : state;
	if (pace.underWay >= (pace.failures > 0 ? 1 : MAX_AT_ONCE)) return;
	if (performance.now() > memory.endsAtMs) return;
	if (!latest.targets.some((each) => keyOf(each) === key)) return;
	const restsForMs = Math.max(state.restsUntilMs, pace.restsUntilMs) - performance.now();
	if (restsForMs <= 0) {
		state.isDriving = true;
		const tried = tryOnce(memory, latest, target, call);
		void Promise.race([tried, sleep(NEXT_IN_LINE_MS)]).then(() => {
			state.isDriving = false;
			drive(memory, target);
		});
	} else if (!pace.wakes) {
		pace.wakes = true;
		void pause(Math.ceil(restsForMs)).then(() => {
			pace.wakes = false;
			if (memory.latest) limit(memory, memory.latest);
			drive(memory, target);
		});
	}
}

function limit(memory: Memory, passing: Passing): void {
	const { own, targets, elsewhere } = passing;
	const production = [...targets.filter((target) => !target.isTest), ...elsewhere].map(keyOf);
	for (const { target, why } of memory.calls.limit(Date.now(), production))
		sayLost(memory, passing, `trigger ${target}`, LOSSES[why]);
	for (const target of elsewhere) {
		if (!memory.calls.next(keyOf(target))) continue;
		const trouble = `Also Pass On To has it at another address than that of this n8n, ${own.productionBase}/. What was kept for it stays kept for a day. Set WEBHOOK_URL of n8n as it was, or enter the new Production URL.`;
		sayState(passing, target, stateOf(memory, keyOf(target)), trouble);
	}
}

/** Reads what was stored by another process, and takes over what was kept before a restart. */
function catchUp(memory: Memory, { context, secrets, appSecret, targets }: Passing): void {
	if (appSecret === undefined) return;
	const { stored, isFromOthers } = readAsFound(context);
	const { [FIELD]: text } = stored;
	const keys = targets.map(keyOf);
	const orphaned = takeOrphaned(
		context,
		[FIELD],
		({ [FIELD]: taken }, isOnlyTrigger) =>
			isOnlyTrigger || KeptCalls.isAnyFor(keys, taken, appSecretsOf(secrets)),
	).map(({ [FIELD]: taken }) => taken);
	if (text !== memory.read || orphaned.length > 0) {
		memory.read = text;
		const all = [text, ...orphaned].map(textIn).join();
		const known = appSecretsOf(secrets);
		const strange = memory.calls.merge(all, known, Date.now(), isFromOthers);
		if (strange > 0)
			context.logger.error(
				`Diyalog Trigger: ${strange} call(s) that were kept for other triggers are lost: the credential has another App Secret now, or somebody has changed them.`,
			);
	}
	for (const { remembered } of goneAmong(context, byTrigger))
		remembered.calls.handOver(memory.calls);
	if (!memory.calls.takeOver(Date.now(), orphaned.length > 0)) return;
	const nowMs = performance.now();
	for (const key of keys) {
		if (memory.calls.next(key) === undefined) continue;
		const state = stateOf(memory, key);
		state.failedAtMs = nowMs;
		// An n8n that has just begun is slow: one at a time until it takes one.
		state.failures = Math.max(state.failures, 1);
		state.restsUntilMs = Math.max(state.restsUntilMs, nowMs + TAKEN_OVER_AFTER_MS);
	}
}

/** A call of Diyalog that was authenticated. */
export interface TakenCall {
	path: CallPath;
	body: Buffer;
	/** as they came; undefined when there was none */
	contentType: string | undefined;
	signature: string | undefined;
	takenAt: Date;
}

/** A call on its way to the other triggers. */
export interface PassingOn {
	/** when they have taken it, or their time is up and it is kept; never rejects */
	done: Promise<void>;
	/** whether every published one has taken it, or it is kept: nobody has to repeat it */
	isSafe: () => boolean;
	/** something is kept that has to be stored before Diyalog gets its reply */
	isKept: () => boolean;
}

/** Nobody else is to get the call. */
export const NOTHING_TO_PASS_ON: PassingOn = {
	done: Promise.resolve(),
	isSafe: () => true,
	isKept: () => false,
};

const NOT_KNOWN: ToldOutcomes = { outcomes: new Map(), isComplete: false };

const idOf = (path: CallPath, body: Buffer): string =>
	path === 'webhook' ? createHash('sha256').update(body).digest('base64url') : randomUUID();

/** One try; that nobody listens is as it should be. */
async function tryTest(memory: Memory, passing: Passing, target: Target, call: Call) {
	const state = stateOf(memory, keyOf(target));
	if (state.underWay >= MAX_AT_ONCE) return;
	state.underWay++;
	const tried = await post(passing, target, call, undefined);
	state.underWay--;
	if (tried.kind === 'taken') return;
	passing.context.logger.debug(`Diyalog Trigger: ${nameOf(target)} took no call: ${tried.why}`);
}

/** A published target gets a call at once, or stands it in line. */
async function tryPublished(memory: Memory, passing: Passing, target: Target, call: Call) {
	const { calls } = memory;
	const key = keyOf(target);
	const state = stateOf(memory, key);
	const nowMs = performance.now();
	const first = calls.next(key);
	const isAnyDue = first !== undefined && !calls.pendingOf(first.id, key)?.isStuck;
	const hasLine = mayKeep(passing, call) && isAnyDue;
	// A repetition of what it has taken, or stands in line.
	if (!calls.add(call, key, { isKept: false, isUnderWay: false }, Date.now())) return;
	if (!hasLine && state.restsUntilMs <= nowMs && state.underWay < MAX_AT_ONCE)
		return await tryOnce(memory, passing, target, call);
	keepOrForget(memory, passing, target, call);
	if (nowMs - state.failedAtMs > REST_BEFORE_NEXT_CALL_MS) state.restsUntilMs = -Infinity;
	drive(memory, target);
}

/**
 * Passes a call on to the other triggers of the list. A call of a Test URL is not: somebody tries a workflow.
 *
 * @param told what became of the answers in it
 */
export function passOnToOthers(
	context: IWebhookFunctions,
	settings: TriggerSettings,
	secrets: TriggerSecrets,
	{ path, body, contentType = 'application/json', signature = '', takenAt }: TakenCall,
	told: Promise<ToldOutcomes>,
): PassingOn {
	if (isTest(context)) return NOTHING_TO_PASS_ON;
	if (settings.options.alsoPassOnTo.length === 0) {
		giveUpAll(context, settings, secrets);
		return NOTHING_TO_PASS_ON;
	}
	const passing = passingOf(context, settings, secrets);
	const memory = memoryOf(context);
	memory.hasCalls = true;
	memory.endsAtMs = Infinity;
	const published = passing.targets.filter((target) => !target.isTest);
	const id = idOf(path, body);
	memory.latest = passing;
	catchUp(memory, passing);
	limit(memory, passing);
	for (const target of published) drive(memory, target);

	const pendingOf = (target: Target) => memory.calls.pendingOf(id, keyOf(target));
	const lostFor = new Set<Target>();
	let isOver = false;
	const timeIsUp = pause(TAKEN_WITHIN_MS);
	const passOn = async (): Promise<void> => {
		const known = await Promise.race([told.catch(() => undefined), sleep(OUTCOMES_WITHIN_MS)]);
		const call: Call = {
			id,
			path,
			body,
			contentType,
			signature,
			takenAtMs: takenAt.getTime(),
			...(known ?? NOT_KNOWN),
		};
		for (const target of passing.targets)
			if (target.isTest) void tryTest(memory, passing, target, call);
		const mayKeep = passing.appSecret !== undefined && KeptCalls.hasRoomFor(call);
		const tries = published.map(async (target) => {
			await tryPublished(memory, passing, target, call);
		});
		await Promise.race([Promise.all(tries), timeIsUp]);
		for (const target of published) {
			if (!mayKeep && !memory.calls.wasSettled(id, keyOf(target))) lostFor.add(target);
			if (mayKeep) keepOrForget(memory, passing, target, call);
		}
		limit(memory, passing);
		isOver = true;
	};
	return {
		done: passOn(),
		isSafe: () => isOver && lostFor.size === 0,
		isKept: () => published.some((target) => pendingOf(target)?.isKept),
	};
}

/**
 * Has n8n store what is kept for other triggers, if this call has read anything else. n8n saves it at the end of the call.
 */
export function storeKeptCalls(
	context: TriggerContext,
	{ options: { alsoPassOnTo }, authentication }: TriggerSettings,
): void {
	if (isTest(context)) return;
	// Before they are written back: others may have taken them over, and passed on what they kept.
	for (const { remembered, found } of goneAmong(context, byTrigger))
		if (found[FIELD] !== remembered.read) remembered.calls.doubtAll();
	if (alsoPassOnTo.length === 0 || authentication === 'none') return;
	const memory = memoryOf(context);
	if (memory.latest?.appSecret === undefined) return;
	const text = memory.calls.toText(memory.latest.appSecret);
	if ((readStored(context)[FIELD] ?? '') === text) return;
	store(context, { [FIELD]: text });
	memory.read = text;
}

/**
 * Nothing goes on by itself any more: the trigger is unpublished. What is stored stays. n8n (2.41) calls this in the same mode when nobody
 * listens in the editor any more; its workflow for that is not active.
 */
export function stopPassingOn(context: Pick<TriggerContext, 'getNode' | 'getWorkflow'>) {
	if (byTrigger.size === 0 || !context.getWorkflow().active) return;
	const memory = byTrigger.get(triggerIdOf(context));
	if (memory) memory.endsAtMs = -Infinity;
}

/** Without a list nothing is passed on any more, and what was kept is lost. */
function giveUpAll(
	context: TriggerContext,
	settings: TriggerSettings,
	secrets: TriggerSecrets,
): void {
	const id = triggerIdOf(context);
	const { [FIELD]: kept } = readStored(context);
	if (kept === undefined && !byTrigger.has(id) && !hasOrphaned(context, FIELD)) return;
	const memory = memoryOf(context);
	const passing = passingOf(context, settings, secrets);
	if (passing.appSecret === undefined && (kept ?? '') !== '' && !memory.hasCalls)
		context.logger.error(
			'Diyalog Trigger: calls that were kept for other triggers are lost: Also Pass On To is empty, and nobody can read them without an App Secret.',
		);
	catchUp(memory, passing);
	memory.calls.takeOver(Date.now(), true);
	limit(memory, passing);
	memory.endsAtMs = -Infinity;
	byTrigger.delete(id);
	if (kept !== undefined) store(context, { [FIELD]: undefined });
}

/** When a trigger is activated, in older releases also at the start of n8n: what was kept is tried again; without a list nothing is. */
export function resumeKeptCalls(
	context: TriggerContext,
	settings: TriggerSettings,
	secrets: TriggerSecrets,
): void {
	if (isTest(context)) return;
	const { [FIELD]: kept } = readStored(context);
	if (settings.options.alsoPassOnTo.length === 0) return giveUpAll(context, settings, secrets);
	const isKnown = byTrigger.has(triggerIdOf(context));
	if (kept === undefined && !isKnown && !hasOrphaned(context, FIELD)) return;
	const memory = memoryOf(context);
	memory.latest = passingOf(context, settings, secrets);
	memory.endsAtMs = memory.hasCalls ? Infinity : performance.now() + WITHOUT_CALLS_MS;
	catchUp(memory, memory.latest);
	limit(memory, memory.latest);
	storeKeptCalls(context, settings);
	for (const target of memory.latest.targets) drive(memory, target);
}
