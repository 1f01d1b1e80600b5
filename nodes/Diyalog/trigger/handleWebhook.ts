import type { IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { appSecretsOf } from '../transport/appSecrets';
import { createPayloadVerifier } from '../deviceSignature/verifier';
import type { DiyalogEvent } from '../events/events';
import { passesFilters } from '../events/filters';
import type { Fingerprint } from '../events/fingerprint';
import { callFingerprintOf } from '../events/fingerprint';
import { isFresh } from '../events/freshness';
import { parseStatusCallback, parseWebhook } from '../events/parseWebhook';
import type { ParsedWebhook, ReceivedCallback, ReceivedEvent } from '../events/parseWebhook';
import { explainMismatch, verifyAuthToken, verifySignature } from '../events/signature';
import type { MismatchCause, SignatureVerdict } from '../events/signature';
import { rememberMessage } from '../messages/knownMessages';
import { MARK_HEADER, readMark, TRIGGER_HEADER } from '../passOn/mark';
import type { PassedOn, ToldOutcomes } from '../passOn/mark';
import type { CallPath } from '../passOn/targets';
import { COUNTED } from './answerQueue';
import type { AnswerOutcome } from './answerQueue';
import { mayAwaitReceipt } from '../wait/receiptIds';
import { passOnAnswer, passOnKeptAnswers, storeKeptAnswers, waitedForAnswer } from './answers';
import { noteCall } from './callsTaken';
import type { WaitedForAnswer } from './answers';
import { withCredential } from './credential';
import type { Credential } from './credential';
import {
	NO_CALLBACKS,
	NOTHING_TO_PASS_ON,
	passOnToOthers,
	REFUSED_FOR_GOOD,
	storeKeptCalls,
} from './otherTriggers';
import type { PassingOn, TakenCall } from './otherTriggers';
import { sayRarely, sayRefused } from './refusals';
import { NOT_TAKEN_YET, replyInTime } from './replyInTime';
import type { ReplyInTime } from './replyInTime';
import { readTriggerSecrets, readTriggerSettings } from './settings';
import type { Problem, TriggerSecrets, TriggerSettings } from './settings';
import { overwritingProblem } from './staticDataWriters';
import { forgetOrphans, storeKnown } from './stored';
import {
	forget,
	isTest,
	noteOutcome,
	onlyNew,
	outcomeBefore,
	rememberUntilReplied,
	settle,
	underWayUntil,
} from './takenBefore';
import type { Repeated } from './takenBefore';

/** A batch holds at most 10 events; a megabyte is far more than those can fill. */
const MAX_BODY_BYTES = 1_048_576;

/** A call that gets an error for a reply and starts nothing. */
interface Refusal {
	ok: false;
	status: 400 | 401 | 411 | 413 | 415 | 503;
	text: string;
	/** for n8n's log, without any content of the call; only found out when it is written */
	reason: () => string;
	kind: string;
	level?: 'error';
}

/** What a phase found: the value for the next one, or the refusal that ends the call. */
type Outcome<T> = { ok: true; value: T } | Refusal;

/** @param kind what has lines of its own in the log; those with the same reply unless told otherwise */
const refuse = (
	status: Refusal['status'],
	text: string,
	reason: () => string,
	kind = text,
): Refusal => ({ ok: false, status, text, reason, kind });

/** Refuses a call that can be taken later, when people have mended what is wrong here. */
const refuseUntilMended = (text: string, { title, advice }: Problem): Refusal => ({
	...refuse(503, text, () => `${title}. ${advice}`),
	level: 'error',
});

const JSON_TYPE = /^application\/json\s*(;|$)/i;

const rawRequestSchema = lazily(() => z.object({ rawBody: z.instanceof(Buffer).optional() }));

const tooLarge = (): Refusal =>
	refuse(
		413,
		`The body is larger than ${MAX_BODY_BYTES} bytes.`,
		() => `its body is larger than ${MAX_BODY_BYTES} bytes.`,
	);

/** Has n8n read a body that it has left unread, unless it could become larger than what is taken here. */
async function readUnread(context: IWebhookFunctions): Promise<Refusal | undefined> {
	const { 'content-length': length, 'content-encoding': encoding } = context.getHeaderData();
	if (encoding !== undefined) {
		const reason = () => 'it is compressed and has no Content-Type: application/json.';
		return refuse(415, 'Send the body as Content-Type: application/json.', reason);
	}
	if (length === undefined) {
		const reason = () => 'it has neither a Content-Type nor a Content-Length.';
		return refuse(411, 'Send the body with a Content-Length.', reason);
	}
	try {
		await context.getRequestObject().readRawBody?.();
		return undefined;
	} catch {
		return refuse(
			400,
			'The body could not be read.',
			() => 'the connection ended before the body did.',
		);
	}
}

/** Phase 0: what the trigger is set to. Nothing of the call is looked at before. */
function readSettings(context: IWebhookFunctions): Outcome<TriggerSettings> {
	const reading = readTriggerSettings(context);
	return reading.ok ? reading : refuseUntilMended('Calls cannot be taken now.', reading);
}

/** Phase 1: the body's bytes, as they were received. */
async function readBody(context: IWebhookFunctions): Promise<Outcome<Buffer>> {
	const { 'content-type': contentType, 'content-length': length } = context.getHeaderData();
	if (typeof contentType === 'string' && !JSON_TYPE.test(contentType)) {
		const reason = () => 'its Content-Type is not application/json.';
		return refuse(415, 'Send the body as Content-Type: application/json.', reason);
	}
	if (Number(length) > MAX_BODY_BYTES) return tooLarge();
	const request = context.getRequestObject();
	// n8n has read the body of a call that says that it is JSON, and leaves that of others unread.
	if (rawRequestSchema().parse(request).rawBody === undefined) {
		const refusal = await readUnread(context);
		if (refusal) return refusal;
	}
	const { rawBody = Buffer.alloc(0) } = rawRequestSchema().parse(request);
	return rawBody.length > MAX_BODY_BYTES ? tooLarge() : { ok: true, value: rawBody };
}

function headerOf(context: IWebhookFunctions, name: string): string | undefined {
	const value = context.getHeaderData()[name];
	return Array.isArray(value) ? value[0] : value;
}

/** The likely causes of a wrong signature, for the log. */
const SIGNATURE_CAUSES: Readonly<
	Record<Exclude<SignatureVerdict, 'valid' | 'mismatch'> | MismatchCause, string>
> = {
	noSecret:
		'the Diyalog API credential has no App Secret. Enter the app_secret of the webhook in server.conf.',
	noHeader:
		'it has no X-Signature header. It does not come from Diyalog, or a proxy removed the header.',
	notASignature: 'its X-Signature is no SHA-1 HMAC in hex or base64.',
	bodyAltered:
		'its X-Signature fits the body only in another layout. A proxy on the way alters the body; let it pass unchanged.',
	secretHasBlanks:
		'its X-Signature fits the App Secret only without the blanks around it. Remove them in the credential.',
	tooLarge:
		'its X-Signature does not fit the body. App Secret and app_secret in server.conf differ, a proxy alters the body, or the call is forged.',
	otherSecret:
		'its X-Signature was made with another secret. App Secret and app_secret in server.conf differ, or the call is forged.',
};

/** What says who calls, as it was when the call was found to come from Diyalog. */
interface Trusted {
	credential: Credential;
	secrets: TriggerSecrets;
}

/** Tells a trigger that passes calls on that another trigger replies; what stands in front of n8n may say OK as well. */
function sayWhoReplies(context: IWebhookFunctions): void {
	if (headerOf(context, MARK_HEADER) === undefined) return;
	context.getResponseObject().setHeader(TRIGGER_HEADER, 'authenticated');
}

/** A trigger that could not remember a call must not take it: after a restart it would take it again. */
function refusalOfWorkflow(context: IWebhookFunctions): Refusal | undefined {
	const problem = isTest(context) ? undefined : overwritingProblem(context);
	return problem && refuseUntilMended('Calls cannot be remembered now.', problem);
}

/**
 * Phase 2: is it Diyalog that calls, and may the trigger take it? If n8n cannot give the credential, nobody is who they say.
 *
 * @param refusalWith refuses a call that does not fit the secrets
 */
async function authenticate(
	context: IWebhookFunctions,
	{ authentication }: TriggerSettings,
	refusalWith: (secrets: TriggerSecrets) => Refusal | undefined,
): Promise<Outcome<Trusted>> {
	const check = (credential: Credential): Outcome<Trusted> => {
		const secrets = readTriggerSecrets(credential);
		const refusal = authentication === 'none' ? undefined : refusalWith(secrets);
		return refusal ?? { ok: true, value: { credential, secrets } };
	};
	try {
		const found = await withCredential(context, check);
		if (!found.ok) return found;
		sayWhoReplies(context);
		return refusalOfWorkflow(context) ?? found;
	} catch {
		const reason = () =>
			'the Diyalog API credential of the trigger could not be read. Open it in n8n and save it anew.';
		return refuse(503, 'Calls cannot be authenticated now.', reason);
	}
}

function checkSignature(
	context: IWebhookFunctions,
	rawBody: Buffer,
	{ appSecret, previousAppSecret }: TriggerSecrets,
): Refusal | undefined {
	const header = headerOf(context, 'x-signature');
	const secrets = [appSecret, previousAppSecret];
	const verdict = verifySignature(rawBody, header, secrets);
	if (verdict === 'valid') return undefined;
	const reason = () =>
		SIGNATURE_CAUSES[
			verdict === 'mismatch' ? explainMismatch(rawBody, header ?? '', secrets) : verdict
		];
	return refuse(401, REFUSED_FOR_GOOD.signature, reason, verdict);
}

function checkToken(
	context: IWebhookFunctions,
	{ statusCallbackToken }: TriggerSecrets,
): Refusal | undefined {
	if (verifyAuthToken(headerOf(context, 'auth-token'), statusCallbackToken)) return undefined;
	const reason = () => 'its Auth-Token is not the Status Callback Token of the credential.';
	return refuse(401, REFUSED_FOR_GOOD.token, reason);
}

/** What another trigger says of a call that it has passed on. */
interface Origin {
	/** it is passed on no more, whoever says so */
	isPassedOn: boolean;
	/** proved by the other trigger's App Secret */
	mark?: PassedOn;
}

/** Whether another trigger has passed the call on. What is not genuine is as if it were not there, unless nothing is proved here. */
function originOf(
	context: IWebhookFunctions,
	path: CallPath,
	body: Buffer,
	{ authentication }: TriggerSettings,
	secrets: TriggerSecrets,
): Origin {
	const header = headerOf(context, MARK_HEADER);
	if (header === undefined) return { isPassedOn: false };
	const { webhookId: id = '' } = context.getNode();
	const addressed = { id, isTest: isTest(context), path, body };
	const mark = readMark(header, addressed, appSecretsOf(secrets));
	return { isPassedOn: mark !== undefined || authentication === 'none', mark };
}

/** A mark that was recorded and is played again. */
function checkMark(
	{ mark }: Origin,
	{ options: { freshnessMinutes } }: TriggerSettings,
	now: Date,
): Refusal | undefined {
	if (!mark || isFresh({ sentAtMs: mark.passedOnAtMs }, now, freshnessMinutes)) return undefined;
	const reason = () =>
		`another trigger has passed it on more than ${freshnessMinutes} minutes ago. It was recorded and played again.`;
	return refuse(401, REFUSED_FOR_GOOD.age, reason);
}

/** When the call was taken first, by which all in it is judged. */
const takenAtOf = ({ mark }: Origin, now: Date): Date => (mark ? new Date(mark.takenAtMs) : now);

/** What the operator has to know of a call that was not taken as a whole, or not as it came. It can come again and again. */
function logOddities(
	context: IWebhookFunctions,
	{ malformed, malformedFields, withOneTime }: ParsedWebhook,
): void {
	if (malformed > 0) {
		const fields = [...malformedFields].join(', ');
		const line = () =>
			` left out ${malformed} malformed part(s) of a call. These fields are missing or wrong: ${fields}.`;
		sayRarely(context, 'malformed', line);
	}
	if (withOneTime > 0) {
		const line = () =>
			` took ${withOneTime} part(s) of a call in which one of entry.time and messaging.timestamp is missing. The other one was taken for both.`;
		sayRarely(context, 'oneTime', line);
	}
}

/**
 * An event that was passed on counts from then: a repetition of it can come as late. It may be known since it was sent, less the
 * time for which it was kept: what was sent long before it was taken may be a recorded call that was played again there. The clock may
 * have been set back meanwhile.
 */
function countedFrom<T extends ReceivedEvent>(received: T, { mark }: Origin): T {
	if (!mark) return received;
	const { passedOnAtMs: sentAtMs, takenAtMs, mayBeKnownSinceMs: sinceMs = sentAtMs } = mark;
	const { fingerprint } = received;
	const keptForMs = Math.max(0, sentAtMs - takenAtMs);
	const mayBeKnownSinceMs = Math.min(sinceMs, fingerprint.sentAtMs + keptForMs);
	return { ...received, fingerprint: { ...fingerprint, sentAtMs, mayBeKnownSinceMs } };
}

/** What a call holds. */
interface Parsed {
	/** the fresh ones, in the order of happening */
	events: ReceivedEvent[];
	/** a part of the call was too old */
	hasStale: boolean;
}

/** Phase 3: the fresh events of the batch. */
function parse(
	context: IWebhookFunctions,
	rawBody: Buffer,
	{ authentication, events: wanted, options: { freshnessMinutes } }: TriggerSettings,
	origin: Origin,
	takenAt: Date,
): Outcome<Parsed> {
	const reading = parseWebhook(rawBody, wanted, mayAwaitReceipt);
	if (!reading.ok) {
		return refuse(400, 'The body is not that of a Diyalog webhook.', () => reading.reason);
	}
	const { entries } = reading.parsed;
	logOddities(context, reading.parsed);
	const fresh = entries.filter((entry) => isFresh(entry, takenAt, freshnessMinutes));
	if (authentication !== 'none')
		for (const { sentIds } of fresh) for (const id of sentIds) rememberMessage(id);
	const stale = entries.length - fresh.length;
	if (stale > 0) {
		const reason = `${stale} of its entries were sent more than ${freshnessMinutes} minutes ago, or in the future. They were recorded and played again, or the clocks of n8n and Diyalog differ.`;
		if (fresh.length === 0) return refuse(401, REFUSED_FOR_GOOD.age, () => reason);
		sayRarely(context, 'partlyStale', () => ` left out a part of a call: ${reason}`);
	}
	const events = fresh.flatMap((entry) => entry.events.map((each) => countedFrom(each, origin)));
	const inOrder = (one: ReceivedEvent, other: ReceivedEvent) =>
		one.event.occurredAt.localeCompare(other.event.occurredAt);
	return { ok: true, value: { events: events.sort(inOrder), hasStale: stale > 0 } };
}

/** Phase 4: what the device signed. With settings that cannot work every signature counts as invalid. */
function checkPayloads(
	context: IWebhookFunctions,
	events: ReceivedEvent[],
	credential: Credential,
	now: Date,
): ReceivedEvent[] {
	if (!events.some(({ event }) => event.event === 'buttonPressed')) return events;
	const verifier = createPayloadVerifier(credential);
	if (!verifier.ok) {
		const { title, advice } = verifier;
		sayRarely(context, `verifier ${title}`, () => `: ${title}. ${advice}`, 'error');
	}
	return events.map((received) => {
		const { event, fingerprint } = received;
		if (event.event !== 'buttonPressed') return received;
		if (!verifier.ok) return { event: { ...event, payloadSignature: 'invalid' }, fingerprint };
		const { payloadSignature, payload } = verifier.verify(event, now);
		const signed = payloadSignature === 'valid' && { signedPayload: event.payload };
		return { event: { ...event, payload, payloadSignature, ...signed }, fingerprint };
	});
}

/** What may still come out of the trigger: an event, and how the execution that waits for it took it. */
interface Candidate {
	event: DiyalogEvent;
	fingerprint: Fingerprint;
	isWanted: boolean;
	waitedFor?: WaitedForAnswer;
	outcome?: AnswerOutcome;
}

/** What a call brings. */
interface Selection {
	candidates: Candidate[];
	/** of what was taken before */
	repeated: Repeated;
	/** answers among what was taken before; what became of them is not known any more */
	hasOldAnswers: boolean;
}

/** Of a status callback the item says whether it may be a repetition: nobody else can find that out. */
function withRepetition(candidate: Candidate): Candidate {
	const { event, fingerprint } = candidate;
	if (event.event !== 'statusCallback' || !('isKnown' in fingerprint)) return candidate;
	const { isKnown, isInDoubt = false } = fingerprint;
	return { ...candidate, event: { ...event, mayBeRepeated: isKnown || isInDoubt } };
}

const REPEATED_CALLBACK =
	': a status callback starts nothing, because one that says the same was taken before (Only New Status Callbacks).';

/** Phase 5: the events that are wanted or waited for, and have not been taken before. */
function select(
	context: IWebhookFunctions,
	events: ReadonlyArray<ReceivedEvent | ReceivedCallback>,
	{
		events: wanted,
		filters,
		options: { onlyNewStatuses, onlySigned, freshnessMinutes },
	}: TriggerSettings,
	secrets: TriggerSecrets,
): Selection {
	const all: Candidate[] = events
		.map(({ event, fingerprint }) => ({
			event,
			fingerprint,
			isWanted: passesFilters(event, { events: wanted, ...filters, onlySigned }),
			waitedFor: waitedForAnswer(event, secrets),
		}))
		.filter(({ isWanted, waitedFor }) => isWanted || waitedFor !== undefined);
	const { taken, repeated } = onlyNew(context, all, freshnessMinutes);
	if (onlyNewStatuses && all.length > taken.length && all[0]?.event.event === 'statusCallback')
		sayRarely(context, 'repeated callback', () => REPEATED_CALLBACK);
	const candidates = taken.map(withRepetition);
	return {
		candidates,
		repeated,
		hasOldAnswers: answersAmong(candidates).length < answersAmong(all).length,
	};
}

const answersAmong = (candidates: Candidate[]): WaitedForAnswer[] =>
	candidates.flatMap(({ waitedFor }) => waitedFor ?? []);

/** The trigger that has passed the call on does not say what became of the answer. */
const NOT_TOLD: AnswerOutcome = { resumed: null, notResumedReason: 'notTold', isLost: false };

/** Another trigger has passed the answers on to their executions, and says what became of them. Once is enough. */
function readOutcomes(candidates: Candidate[], { outcomes, isComplete }: ToldOutcomes) {
	return candidates.map((candidate) => {
		if (!candidate.waitedFor) return candidate;
		const told = outcomes.get(candidate.fingerprint.text);
		if (!told) return isComplete ? candidate : { ...candidate, outcome: NOT_TOLD };
		// That one has come out of the other trigger, if it was lost.
		return { ...candidate, outcome: told.resumed ? told : { ...told, isLost: false } };
	});
}

/** What other triggers are told of the answers in a call. */
function toTell(candidates: Candidate[], mayHaveOthers: boolean): ToldOutcomes {
	const outcomes = new Map(
		candidates.flatMap(({ outcome, fingerprint }) =>
			outcome ? [[fingerprint.text, outcome] as const] : [],
		),
	);
	return { outcomes, isComplete: !mayHaveOthers };
}

/** Reasons of the trigger itself: the repetition may find otherwise. */
const NOT_JUDGED = ['busy', 'notAuthenticated', 'notSigned'];

/** Whether the execution has said what it did with an answer. */
const isJudged = (outcome: AnswerOutcome): boolean =>
	outcome.resumed ||
	!(outcome.isLost || outcome.isConcluded || NOT_JUDGED.includes(outcome.notResumedReason));

/** Phase 6: answers that an execution waits for are passed on to it. */
async function passOnAnswers(
	context: IWebhookFunctions,
	candidates: Candidate[],
	settings: TriggerSettings,
	{ mark }: Origin,
): Promise<Candidate[]> {
	if (mark) return readOutcomes(candidates, mark);
	const passOn = async (candidate: Candidate): Promise<Candidate> => {
		const { event, waitedFor } = candidate;
		if (!waitedFor) return candidate;
		const outcome =
			outcomeBefore(context, candidate) ?? (await passOnAnswer(context, waitedFor, settings));
		if (isJudged(outcome)) noteOutcome(context, candidate, outcome);
		// A press that only might have been meant as a text stays an ordinary press.
		const isOrdinary = event.event === 'buttonPressed' && waitedFor.genuine?.isText;
		return isOrdinary && !outcome.resumed && !outcome.isLost
			? candidate
			: { ...candidate, outcome };
	};
	return await Promise.all(candidates.map(passOn));
}

/** Whether an execution has dealt with the event: it has continued, or has counted it. */
const isMatched = (outcome: AnswerOutcome | undefined): boolean =>
	outcome?.resumed === true ||
	(outcome !== undefined && COUNTED.includes(outcome.notResumedReason));

/**
 * An answer that did not get through comes out whatever the trigger is set to: nobody else knows of it. What cannot be told
 * from a forgery comes out whatever Events are chosen, but passes no filter: anybody can type it.
 */
function isLost(
	{ event, waitedFor, outcome }: Candidate,
	{ filters, options: { onlySigned } }: TriggerSettings,
): boolean {
	if (outcome === undefined || outcome.resumed || !outcome.isLost) return false;
	const genuine = waitedFor?.genuine;
	if (genuine && (event.event === 'textReceived' || !genuine.isText)) return true;
	return passesFilters(event, { events: [event.event], ...filters, onlySigned });
}

/** The item of an event. The comments are what people read in n8n. */
export type TriggerItem = DiyalogEvent & {
	/** whether the execution that waits has continued with this answer; null when nobody can tell */
	resumed?: boolean | null;
	/** why it did not continue, e.g. otherPerson */
	notResumedReason?: string;
};

function toItem({ event, outcome }: Candidate): TriggerItem {
	if (!outcome) return event;
	if (outcome.resumed) return { ...event, resumed: true };
	const { resumed, notResumedReason } = outcome;
	return { ...event, resumed, notResumedReason };
}

/**
 * n8n saves static data as a whole, over what other calls have saved since this one began. So what is known by now is written last,
 * also by a call that brings nothing.
 */
function storeAll(context: IWebhookFunctions, settings: TriggerSettings): void {
	if (isTest(context)) return;
	storeKeptAnswers(context, settings);
	storeKeptCalls(context, settings);
	const forgotten = forgetOrphans(context, Date.now());
	if (forgotten > 0)
		context.logger.warn(
			`Diyalog Trigger: what ${forgotten} trigger(s) had stored that were deleted from this workflow a day ago is removed.`,
		);
	storeKnown(context);
}

/** Phase 7: one item for each event; a call without one is replied to and starts nothing. */
function emit(
	context: IWebhookFunctions,
	candidates: Candidate[],
	settings: TriggerSettings,
	ownReply: ReplyInTime,
	passing: PassingOn,
	repeated: Repeated,
): IWebhookResponseData {
	const { onlyUnmatched } = settings.options;
	const comesOut = (candidate: Candidate): boolean =>
		isLost(candidate, settings) ||
		(candidate.isWanted && !(onlyUnmatched && isMatched(candidate.outcome)));
	// What comes out is dealt with when n8n has stored it.
	const out = candidates.filter(comesOut);
	const isOut = new Set(out);
	settle(
		context,
		candidates.filter((each) => !isOut.has(each)),
	);
	storeAll(context, settings);
	if (!passing.isSafe() || !repeated.isSafe()) ownReply.send(503, NOT_TAKEN_YET);
	if (out.length === 0) {
		if (ownReply.isSent()) {
			ownReply.end();
			return { noWebhookResponse: true };
		}
		// n8n stores what is kept before it replies.
		return passing.isKept() ? { webhookResponse: 'OK' } : reply(context, 200, 'OK');
	}
	void rememberUntilReplied(context, out, ownReply, () => storeAll(context, settings));
	return { workflowData: [out.map((candidate) => ({ json: { ...toItem(candidate) } }))] };
}

/** Replies to a call that starts no execution. */
function reply(context: IWebhookFunctions, status: number, text: string): IWebhookResponseData {
	context.getResponseObject().status(status).type('text/plain').send(text);
	return { noWebhookResponse: true };
}

function refuseCall(
	context: IWebhookFunctions,
	{ status, text, reason, kind, level }: Refusal,
): IWebhookResponseData {
	sayRefused(context, kind, reason, level);
	return reply(context, status, text);
}

/**
 * Diyalog gets its reply in time; what n8n could not store is not remembered as taken. The trigger that has passed a call on
 * waits, keeps it meanwhile, and passes it on again when n8n fails.
 */
const ownReplyFor = (
	context: IWebhookFunctions,
	candidates: Candidate[],
	isStored: () => boolean,
	{ mark }: Origin,
): ReplyInTime => {
	const whenNotStored = () => {
		context.logger.error(
			`Diyalog Trigger: n8n did not store the execution for ${candidates.length} event(s). They are taken when the call comes again.`,
		);
		forget(context, candidates);
	};
	const early = () => (isStored() ? 200 : 503);
	const ownReply = replyInTime(context, whenNotStored, () => (mark ? undefined : early()));
	underWayUntil(context, candidates, ownReply.whenOver);
	return ownReply;
};

/** Phases 6 and 7 to their end. */
async function end(
	context: IWebhookFunctions,
	settings: TriggerSettings,
	selected: Selection,
	answered: Promise<Candidate[]>,
	passing: PassingOn,
	origin: Origin,
): Promise<IWebhookResponseData> {
	const { candidates, repeated } = selected;
	// n8n stores what is kept for others when this call is over.
	const isStored = () => passing.isSafe() && !passing.isKept() && repeated.isSafe();
	const ownReply = ownReplyFor(context, candidates, isStored, origin);
	const withOutcomes = await answered;
	await Promise.all([passing.done, repeated.done]);
	return emit(context, withOutcomes, settings, ownReply, passing, repeated);
}

/** Whatever fails in between: what was selected was not dealt with, and its repetition is taken. */
async function orForget(
	context: IWebhookFunctions,
	{ candidates }: Selection,
	goOn: () => Promise<IWebhookResponseData>,
): Promise<IWebhookResponseData> {
	const going = goOn();
	void going.catch(() => forget(context, candidates));
	return await going;
}

/** Handles one call of Diyalog's webhook. */
export async function handleWebhook(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const read = readSettings(context);
	if (!read.ok) return refuseCall(context, read);
	const { value: settings } = read;

	const body = await readBody(context);
	if (!body.ok) return refuseCall(context, body);
	// A body can come slowly, and its age counts when it has come.
	const now = new Date();

	const authenticated = await authenticate(context, settings, (secrets) =>
		checkSignature(context, body.value, secrets),
	);
	if (!authenticated.ok) return refuseCall(context, authenticated);
	const { credential, secrets } = authenticated.value;
	if (settings.authentication === 'signature') noteCall(secrets.appSecret);

	const origin = originOf(context, 'webhook', body.value, settings, secrets);
	const replayed = checkMark(origin, settings, now);
	if (replayed) return refuseCall(context, replayed);
	const takenAt = takenAtOf(origin, now);
	const parsed = parse(context, body.value, settings, origin, takenAt);
	if (!parsed.ok) return refuseCall(context, parsed);

	const { events, hasStale } = parsed.value;
	const checked = checkPayloads(context, events, credential, takenAt);
	const selected = select(context, checked, settings, secrets);
	const { candidates } = selected;
	return await orForget(context, selected, async () => {
		// First, because what happened first counts.
		passOnKeptAnswers(context, settings, secrets, answersAmong(candidates));
		const answered = passOnAnswers(context, candidates, settings, origin);
		const told = answered.then((all) => toTell(all, selected.hasOldAnswers || hasStale));
		// Whoever awaits the answers themselves hears of it, and nobody may listen here.
		told.catch(() => undefined);
		const call = { path: 'webhook', body: body.value, takenAt } as const;
		const passing = passOn(context, settings, secrets, origin, call, told);
		return await end(context, settings, selected, answered, passing, origin);
	});
}

/** Phase 6 as well: the call goes on to other triggers, unless it comes from one. */
function passOn(
	context: IWebhookFunctions,
	settings: TriggerSettings,
	secrets: TriggerSecrets,
	{ isPassedOn }: Origin,
	call: Pick<TakenCall, 'path' | 'body' | 'takenAt'>,
	told: Promise<ToldOutcomes>,
): PassingOn {
	if (isPassedOn) return NOTHING_TO_PASS_ON;
	const contentType = headerOf(context, 'content-type');
	const signature = headerOf(context, 'x-signature');
	return passOnToOthers(context, settings, secrets, { ...call, contentType, signature }, told);
}

const NO_ANSWERS: Promise<ToldOutcomes> = Promise.resolve({
	outcomes: new Map(),
	isComplete: true,
});

/** The callback, with what a repetition has in common with it; where it was passed on, a repetition of the very call as well. */
function callbackFrom(
	{ event, fingerprint }: ReceivedCallback,
	{ onlyNewStatuses: isOnce }: TriggerSettings['options'],
	{ mark }: Origin,
): ReceivedCallback {
	if (!mark) return { event, fingerprint: { ...fingerprint, isOnce } };
	const { passedOnAtMs: sentAtMs, mayBeKnownSinceMs, takenAtMs } = mark;
	const call = { text: callFingerprintOf(fingerprint, takenAtMs), sentAtMs, mayBeKnownSinceMs };
	return { event, fingerprint: { ...fingerprint, isOnce, sentAtMs, call } };
}

/** Handles one call of the older status callback, which is replied to with the text OK. */
export async function handleStatusCallback(
	context: IWebhookFunctions,
): Promise<IWebhookResponseData> {
	const read = readSettings(context);
	if (!read.ok) return refuseCall(context, read);
	const { value: settings } = read;
	const isForOthers = settings.options.alsoPassOnTo.length > 0;
	if (!settings.events.includes('statusCallback') && !isForOthers) {
		return reply(context, 404, NO_CALLBACKS);
	}

	const path = 'updatemokstatus';
	const marked = headerOf(context, MARK_HEADER) === undefined ? undefined : await readBody(context);
	if (marked?.ok === false) return refuseCall(context, marked);
	// Another trigger proves with its mark that the call is one of Diyalog's. It tells nobody the token.
	const isMarked = (secrets: TriggerSecrets): boolean =>
		marked !== undefined &&
		originOf(context, path, marked.value, settings, secrets).mark !== undefined;
	const authenticated = await authenticate(context, settings, (secrets) =>
		isMarked(secrets) ? undefined : checkToken(context, secrets),
	);
	if (!authenticated.ok) return refuseCall(context, authenticated);

	const body = marked ?? (await readBody(context));
	if (!body.ok) return refuseCall(context, body);
	const now = new Date();

	const { secrets } = authenticated.value;
	const origin = originOf(context, path, body.value, settings, secrets);
	const replayed = checkMark(origin, settings, now);
	if (replayed) return refuseCall(context, replayed);
	const takenAt = takenAtOf(origin, now);
	const received = parseStatusCallback(body.value, takenAt);
	if (!received.ok) {
		const text = 'The body is not that of a status callback.';
		return refuseCall(
			context,
			refuse(400, text, () => received.reason),
		);
	}
	const callback = callbackFrom(received.callback, settings.options, origin);
	const selected = select(context, [callback], settings, secrets);
	return await orForget(context, selected, async () => {
		passOnKeptAnswers(context, settings, secrets, []);
		const call = { path, body: body.value, takenAt } as const;
		const passing = passOn(context, settings, secrets, origin, call, NO_ANSWERS);
		const answered = Promise.resolve(selected.candidates);
		return await end(context, settings, selected, answered, passing, origin);
	});
}
