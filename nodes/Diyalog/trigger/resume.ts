import { sleep } from 'n8n-workflow';
import type { IWebhookFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';
import type { ButtonPressed, DiyalogEvent, TextReceived } from '../events/events';
import { passOn, readReception } from '../wait/passedOnAnswer';
import type { Answer } from '../wait/passedOnAnswer';
import { fromMessageId, resumeUrlOf } from '../wait/resumeReference';
import type { ResumeReference } from '../wait/resumeReference';
import type { TriggerSecrets, TriggerSettings } from './settings';

/*
 * Answers to messages that an execution waits for are passed on to it. The messageId says which one; the address is that
 * of this instance, whatever anybody sends.
 */

/** Diyalog gets its answer within 5 seconds; this leaves 1.5 for the rest. */
const RESUME_WITHIN_MS = 3_500;

/** An answer can be faster than n8n is in putting the execution to wait. */
const RETRY_RUNNING_FOR_MS = 2_000;
const RETRY_AFTER_MS = 200;

/** Whether a text is protocol, host and port of a web server, and nothing else. */
export function isOrigin(text: string): boolean {
	if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
	const { pathname, search, hash, username, password } = new URL(text);
	return pathname === '/' && `${search}${hash}${username}${password}` === '';
}

/** An event that answers a message which an execution waits for. */
export interface WaitedForAnswer {
	event: ButtonPressed | TextReceived;
	reference: ResumeReference;
}

/** The waiting execution that an event answers, if its messageId is a genuine resume reference. */
export function waitedForAnswer(
	event: DiyalogEvent,
	{ appSecret, previousAppSecret }: TriggerSecrets,
): WaitedForAnswer | undefined {
	if (event.event !== 'buttonPressed' && event.event !== 'textReceived') return undefined;
	const messageId =
		event.event === 'buttonPressed' ? event.messageId : event.lastDeliveredMessageId;
	const reference = fromMessageId(messageId, [appSecret, previousAppSecret]);
	return reference && { event, reference };
}

/** What became of an answer that was passed on. */
export type ResumeOutcome =
	| { resumed: true }
	| {
			resumed: false;
			/** why the execution did not continue, e.g. `otherCustomer` */
			notResumedReason: string;
			/** the answer did not get through; nobody has judged it */
			failed: boolean;
	  };

const failure = (notResumedReason: string): ResumeOutcome => ({
	resumed: false,
	notResumedReason,
	failed: true,
});

const refusal = (notResumedReason: string): ResumeOutcome => ({
	resumed: false,
	notResumedReason,
	failed: false,
});

/** Why an answer did not get through, for the log. */
const FAILURES: Readonly<Record<string, string>> = {
	unreachable:
		'n8n could not reach itself. Set N8n Address in the options of the trigger, e.g. http://127.0.0.1:5678.',
	noAnswerInTime:
		'n8n did not answer itself in time. The execution goes on as soon as it does; look at it. If it never does, set N8n Address in the options of the trigger to where n8n itself listens.',
	signatureRefused:
		'n8n did not accept the signature of its own address. A proxy that changes the path breaks it: see "Behind a path prefix" in the README.',
	unexpectedAnswer:
		'what answered there does not take answers for n8n. Set N8n Address in the options of the trigger to where n8n itself listens; under a path prefix see "Behind a path prefix" in the README.',
};

function toAnswer({ event, reference: { turn, attempt } }: WaitedForAnswer): Answer {
	const { customerNo, userId, occurredAt } = event;
	const common = { turn, attempt, customerNo, userId, occurredAt };
	return event.event === 'buttonPressed'
		? { kind: 'press', text: event.payload, payloadSignature: event.payloadSignature, ...common }
		: { kind: 'text', text: event.text, payloadSignature: 'notChecked', ...common };
}

/**
 * Where this instance takes answers for waiting executions, by its base address. The expression that tells it costs a V8
 * isolate, and the answer does not change while n8n runs.
 */
const waitingBases = new Map<string, string>();

function waitingBaseOf(context: IWebhookFunctions, n8nAddress: string): string {
	const instance = context.getInstanceBaseUrl();
	let base = waitingBases.get(instance);
	if (base === undefined) {
		// It ends with an id, of which there is none here, and may carry a token.
		const url = new URL(String(context.evaluateExpression('{{ $execution.resumeUrl }}')));
		base = `${url.origin}${url.pathname.replace(/\/[^/]*$/, '')}`;
		waitingBases.set(instance, base);
	}
	return n8nAddress === '' ? base : new URL(new URL(base).pathname, n8nAddress).toString();
}

const responseSchema = z.object({ statusCode: z.number(), body: z.unknown().optional() });

/** `running` may mean that the execution is not waiting yet. */
type Attempt = ResumeOutcome | 'running';

/** What n8n says of an execution that does not wait, and the page that it shows to people. A proxy says other things. */
const NOT_WAITING = /The (workflow for )?execution |No action required/;

function readAttempt(status: number, text: string): Attempt {
	const reception = readReception(text);
	if (reception) return reception.accepted ? { resumed: true } : refusal(reception.reason);
	if ([200, 404, 409].includes(status) && NOT_WAITING.test(text)) {
		return text.includes('is running already') ? 'running' : refusal('notWaiting');
	}
	return failure(status === 401 ? 'signatureRefused' : 'unexpectedAnswer');
}

const timeoutSchema = z.object({ code: z.enum(['ECONNABORTED', 'ETIMEDOUT']) });

const isTimeout = (error: unknown): boolean => timeoutSchema.safeParse(error).success;

async function post(context: IWebhookFunctions, url: string, body: string): Promise<Attempt> {
	try {
		const response: unknown = await context.helpers.httpRequest({
			method: 'POST',
			url,
			headers: { 'Content-Type': 'application/json' },
			body,
			json: false,
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
			timeout: RESUME_WITHIN_MS,
		});
		const { statusCode, body: answer } = responseSchema.parse(response);
		return readAttempt(statusCode, typeof answer === 'string' ? answer : JSON.stringify(answer));
	} catch (error) {
		return failure(isTimeout(error) ? 'noAnswerInTime' : 'unreachable');
	}
}

async function passOnUntil(
	context: IWebhookFunctions,
	url: string,
	body: string,
): Promise<ResumeOutcome> {
	const giveUpAt = Date.now() + RETRY_RUNNING_FOR_MS;
	for (;;) {
		const attempt = await post(context, url, body);
		if (attempt !== 'running') return attempt;
		if (Date.now() > giveUpAt) return refusal('notWaiting');
		await sleep(RETRY_AFTER_MS);
	}
}

/** How many answers are passed on at the same time; n8n needs its CPU for each of them, so more would only be slower. */
const RESUMES_AT_ONCE = 4;

let underWay = 0;
const inLine: Array<() => void> = [];

/**
 * Waits for its turn before it begins: when many customers answer in the same moment, requests to n8n itself that all wait
 * at once would all run out of time, and none would get through.
 */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
	if (underWay >= RESUMES_AT_ONCE) await new Promise<void>((resolve) => inLine.push(resolve));
	else underWay++;
	try {
		return await work();
	} finally {
		const next = inLine.shift();
		if (next) next();
		else underWay--;
	}
}

/** Resolves when the time is up; holds nothing up. */
const after = async (ms: number): Promise<ResumeOutcome> =>
	await new Promise((resolve) => {
		AbortSignal.timeout(ms).addEventListener('abort', () => resolve(failure('noAnswerInTime')));
	});

const isLate = (outcome: ResumeOutcome): boolean =>
	!outcome.resumed && outcome.notResumedReason === 'noAnswerInTime';

function logFailure(context: IWebhookFunctions, executionId: string, outcome: ResumeOutcome): void {
	if (outcome.resumed || !outcome.failed) return;
	const cause = FAILURES[outcome.notResumedReason] ?? '';
	context.logger.error(
		`Diyalog Trigger: an answer did not reach execution ${executionId}: ${cause}`,
	);
}

/**
 * Passes an authenticated answer on to the execution that waits for it. When many are in line, or n8n is slow, that may
 * still happen after this has returned.
 *
 * @returns within {@link RESUME_WITHIN_MS}, whatever happens
 */
export async function resume(
	context: IWebhookFunctions,
	answer: WaitedForAnswer,
	{ authentication, options: { n8nAddress } }: TriggerSettings,
	{ appSecret }: TriggerSecrets,
): Promise<ResumeOutcome> {
	if (authentication === 'none') {
		context.logger.warn(
			'Diyalog Trigger: an answer did not continue its execution, because this trigger authenticates nothing. Choose Signature under Authentication.',
		);
		return refusal('notAuthenticated');
	}
	const { reference } = answer;
	const url = resumeUrlOf(reference, waitingBaseOf(context, n8nAddress));
	const body = JSON.stringify(passOn(toAnswer(answer), reference.executionId, appSecret));
	const { executionId } = reference;
	const passingOn = inTurn(async () => await passOnUntil(context, url, body));
	const outcome = await Promise.race([passingOn, after(RESUME_WITHIN_MS)]);
	logFailure(context, executionId, outcome);
	// Diyalog has its answer; the execution gets its own all the same, as soon as n8n has time for it.
	if (isLate(outcome)) {
		void passingOn.then((late) => {
			if (late.resumed)
				context.logger.info(`Diyalog Trigger: a late answer reached execution ${executionId}.`);
			else if (!isLate(late)) logFailure(context, executionId, late);
		});
	}
	return outcome;
}
