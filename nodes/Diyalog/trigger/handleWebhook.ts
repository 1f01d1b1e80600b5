import type { IDataObject, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { z } from 'zod/v4';
import { parseStatusCallback, parseWebhook } from '../events/events';
import type { DiyalogEvent } from '../events/events';
import { passesFilters } from '../events/filters';
import { isFresh } from '../events/freshness';
import { createPayloadVerifier } from '../events/payloadSignature';
import { explainMismatch, verifyAuthToken, verifySignature } from '../events/signature';
import type { MismatchCause, SignatureVerdict } from '../events/signature';
import { withCredential } from './credential';
import type { Credential } from './credential';
import { onlyNew, rememberUntilAnswered } from './memory';
import { resume, waitedForAnswer } from './resume';
import type { ResumeOutcome, WaitedForAnswer } from './resume';
import { readTriggerSecrets, readTriggerSettings } from './settings';
import type { TriggerSecrets, TriggerSettings } from './settings';

/** A batch holds at most 10 events; a megabyte is far more than those can fill. */
const MAX_BODY_BYTES = 1_048_576;

/** A call that is answered with an error and starts nothing. */
interface Refusal {
	status: 400 | 401 | 404 | 413 | 415;
	text: string;
	/** for n8n's log, without any content of the call; undefined where a log line would help nobody */
	reason?: string;
}

/** What a phase found: the value for the next one, or the answer that ends the call. */
type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

const refuse = (status: Refusal['status'], text: string, reason?: string) => ({
	ok: false as const,
	refusal: { status, text, reason },
});

const JSON_TYPE = /^application\/json\s*(;|$)/i;

const rawRequestSchema = z.object({ rawBody: z.instanceof(Buffer).optional() });

/** Phase 1: the body's bytes, as they were received. */
async function readBody(context: IWebhookFunctions): Promise<Outcome<Buffer>> {
	const { 'content-type': contentType, 'content-length': length } = context.getHeaderData();
	if (typeof contentType === 'string' && !JSON_TYPE.test(contentType)) {
		return refuse(415, 'Send the body as Content-Type: application/json.');
	}
	const tooLarge = () => refuse(413, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
	if (Number(length) > MAX_BODY_BYTES) return tooLarge();
	const request = context.getRequestObject();
	// n8n has read the body of a call that says that it is JSON, and leaves that of others unread.
	if (rawRequestSchema.parse(request).rawBody === undefined) await request.readRawBody?.();
	const { rawBody = Buffer.alloc(0) } = rawRequestSchema.parse(request);
	return rawBody.length > MAX_BODY_BYTES ? tooLarge() : { ok: true, value: rawBody };
}

function headerOf(context: IWebhookFunctions, name: string): string | undefined {
	const value = context.getHeaderData()[name];
	return Array.isArray(value) ? value[0] : value;
}

/** The likely causes of a wrong signature, for the log. */
const SIGNATURE_PROBLEMS: Readonly<
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
	otherSecret:
		'its X-Signature was made with another secret. App Secret and app_secret in server.conf differ, or the call is forged.',
};

/** Phase 2: is it Diyalog that calls? The credential that says so. */
function authenticate(
	context: IWebhookFunctions,
	rawBody: Buffer,
	{ authentication }: TriggerSettings,
	credential: Credential,
): Outcome<Credential> {
	if (authentication === 'none') return { ok: true, value: credential };
	const { appSecret, previousAppSecret } = readTriggerSecrets(credential);
	const header = headerOf(context, 'x-signature');
	const secrets = [appSecret, previousAppSecret];
	const verdict = verifySignature(rawBody, header, secrets);
	if (verdict === 'valid') return { ok: true, value: credential };
	const cause = verdict === 'mismatch' ? explainMismatch(rawBody, header ?? '', secrets) : verdict;
	return refuse(401, 'The X-Signature header is missing or wrong.', SIGNATURE_PROBLEMS[cause]);
}

/** Phase 3: the fresh events of the batch, in the order of happening. */
function parse(
	context: IWebhookFunctions,
	rawBody: Buffer,
	{ events: wanted, options: { freshnessMinutes } }: TriggerSettings,
	now: Date,
): Outcome<DiyalogEvent[]> {
	const parsed = parseWebhook(rawBody, wanted);
	if (!parsed) return refuse(400, 'The body is not that of a Diyalog webhook.');
	const { entries, malformed } = parsed;
	if (malformed > 0) {
		context.logger.warn(`Diyalog Trigger left out ${malformed} malformed part(s) of a batch.`);
	}
	const fresh = entries.filter((entry) => isFresh(entry, now, freshnessMinutes));
	const stale = entries.length - fresh.length;
	if (stale > 0) {
		const reason = `${stale} of its entries were sent more than ${freshnessMinutes} minutes ago, or in the future. They were recorded and played again, or the clocks of n8n and Diyalog differ.`;
		if (fresh.length === 0)
			return refuse(401, 'The call is too old, or the clocks differ.', reason);
		context.logger.warn(`Diyalog Trigger left out a part of a call: ${reason}`);
	}
	const events = fresh.flatMap((entry) => entry.events);
	return { ok: true, value: events.sort((a, b) => happenedAt(a).localeCompare(happenedAt(b))) };
}

const happenedAt = (event: DiyalogEvent): string =>
	'occurredAt' in event ? event.occurredAt : event.receivedAt;

/** Phase 4: what the device signed. With settings that cannot work every signature counts as invalid. */
function checkPayloads(
	context: IWebhookFunctions,
	events: DiyalogEvent[],
	credential: Credential,
	now: Date,
): DiyalogEvent[] {
	if (!events.some(({ event }) => event === 'buttonPressed')) return events;
	const verifier = createPayloadVerifier(credential);
	if (!verifier.ok) context.logger.error(`Diyalog Trigger: ${verifier.title}. ${verifier.advice}`);
	return events.map((event) => {
		if (event.event !== 'buttonPressed') return event;
		if (!verifier.ok) return { ...event, payloadSignature: 'invalid' };
		return { ...event, ...verifier.verify(event, now) };
	});
}

/** What may still come out of the trigger: an event, and how the execution that waits for it took it. */
interface Candidate {
	event: DiyalogEvent;
	isWanted: boolean;
	waitedFor?: WaitedForAnswer;
	outcome?: ResumeOutcome;
}

/** Phase 5: the events that are wanted or waited for, and have not been taken before. */
function select(
	context: IWebhookFunctions,
	events: DiyalogEvent[],
	{ events: wanted, filters, options: { onlySigned } }: TriggerSettings,
	secrets: TriggerSecrets,
): Candidate[] {
	const candidates = events
		.map((event) => ({
			event,
			isWanted: passesFilters(event, { events: wanted, ...filters, onlySigned }),
			waitedFor: waitedForAnswer(event, secrets),
		}))
		.filter(({ isWanted, waitedFor }) => isWanted || waitedFor !== undefined);
	const fresh = new Set(
		onlyNew(
			context,
			candidates.map(({ event }) => event),
		),
	);
	return candidates.filter(({ event }) => fresh.has(event));
}

/** Phase 6: answers that an execution waits for are passed on to it. */
async function resumeWaiting(
	context: IWebhookFunctions,
	candidates: Candidate[],
	settings: TriggerSettings,
	secrets: TriggerSecrets,
): Promise<Candidate[]> {
	const passOn = async (candidate: Candidate): Promise<Candidate> => {
		if (!candidate.waitedFor) return candidate;
		const outcome = await resume(context, candidate.waitedFor, settings, secrets);
		return { ...candidate, outcome };
	};
	return await Promise.all(candidates.map(passOn));
}

/** Whether an execution has dealt with the event: it has continued, or has counted a wrong code. */
const isMatched = (outcome: ResumeOutcome | undefined): boolean =>
	outcome !== undefined && (outcome.resumed || outcome.notResumedReason === 'wrongCode');

/** An answer that did not get through comes out whatever the trigger is set to: nobody else knows of it. */
const isLost = (outcome: ResumeOutcome | undefined): boolean =>
	outcome !== undefined && !outcome.resumed && outcome.failed;

function toItem({ event, outcome }: Candidate): IDataObject {
	if (!outcome) return { ...event };
	if (outcome.resumed) return { ...event, resumed: true };
	return { ...event, resumed: false, notResumedReason: outcome.notResumedReason };
}

/** Phase 7: one item for each event; a call without one is answered and starts nothing. */
function emit(
	context: IWebhookFunctions,
	candidates: Candidate[],
	{ options: { onlyUnmatched } }: TriggerSettings,
): IWebhookResponseData {
	const items = candidates
		.filter(
			({ isWanted, outcome }) =>
				isLost(outcome) || (isWanted && !(onlyUnmatched && isMatched(outcome))),
		)
		.map((candidate) => ({ json: toItem(candidate) }));
	if (items.length === 0) return answer(context, 200, 'OK');
	void rememberUntilAnswered(context);
	return { workflowData: [items] };
}

/** An answer that starts no execution. */
function answer(context: IWebhookFunctions, status: number, text: string): IWebhookResponseData {
	context.getResponseObject().status(status).type('text/plain').send(text);
	return { noWebhookResponse: true };
}

function refuseCall(
	context: IWebhookFunctions,
	{ status, text, reason }: Refusal,
): IWebhookResponseData {
	if (reason) context.logger.warn(`Diyalog Trigger refused a call: ${reason}`);
	return answer(context, status, text);
}

const settingsOf = (context: IWebhookFunctions): TriggerSettings =>
	readTriggerSettings((name) => context.getNodeParameter(name, undefined));

/** Handles one call of Diyalog's webhook. */
export async function handleWebhook(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const settings = settingsOf(context);
	const now = new Date();

	const body = await readBody(context);
	if (!body.ok) return refuseCall(context, body.refusal);

	const authenticated = await withCredential(context, (credential) =>
		authenticate(context, body.value, settings, credential),
	);
	if (!authenticated.ok) return refuseCall(context, authenticated.refusal);
	const credential = authenticated.value;
	const secrets = readTriggerSecrets(credential);

	const parsed = parse(context, body.value, settings, now);
	if (!parsed.ok) return refuseCall(context, parsed.refusal);

	const checked = checkPayloads(context, parsed.value, credential, now);
	const selected = select(context, checked, settings, secrets);
	return emit(context, await resumeWaiting(context, selected, settings, secrets), settings);
}

function authenticateCallback(
	context: IWebhookFunctions,
	{ authentication }: TriggerSettings,
	credential: Credential,
): Outcome<Credential> {
	const { statusCallbackToken } = readTriggerSecrets(credential);
	if (
		authentication === 'none' ||
		verifyAuthToken(headerOf(context, 'auth-token'), statusCallbackToken)
	)
		return { ok: true, value: credential };
	const reason = 'its Auth-Token is not the Status Callback Token of the credential.';
	return refuse(401, 'The Auth-Token header is missing or wrong.', reason);
}

/** Handles one call of the older status callback, which is answered with the text OK. */
export async function handleStatusCallback(
	context: IWebhookFunctions,
): Promise<IWebhookResponseData> {
	const settings = settingsOf(context);
	if (!settings.events.includes('statusCallback')) {
		return answer(context, 404, 'Status callbacks are not among the events of this trigger.');
	}

	const body = await readBody(context);
	if (!body.ok) return refuseCall(context, body.refusal);

	const authenticated = await withCredential(context, (credential) =>
		authenticateCallback(context, settings, credential),
	);
	if (!authenticated.ok) return refuseCall(context, authenticated.refusal);

	const event = parseStatusCallback(body.value, new Date());
	if (!event) return answer(context, 400, 'The body is not that of a status callback.');
	const secrets = readTriggerSecrets(authenticated.value);
	return emit(context, select(context, [event], settings, secrets), settings);
}
