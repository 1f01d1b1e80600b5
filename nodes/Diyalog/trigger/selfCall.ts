import type { IWebhookFunctions } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { explainThrown } from '../transport/client';
import { isServerError } from '../transport/failures';
import { bodyOf, readReceptions } from '../wait/passedOnAnswer';
import type { PassedOnAnswer, Reception } from '../wait/passedOnAnswer';
import type { Sealed } from '../wait/sealed';
import { lost, refusal } from './answerQueue';
import type { Attempt } from './answerQueue';

/* How a trigger reaches the waiting executions of its own n8n: by a call of their resume address. */

/** Whether a text is protocol, host and port of a web server, and nothing else. */
export function isOrigin(text: string): boolean {
	if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
	const { pathname, search, hash, username, password } = new URL(text);
	return pathname === '/' && `${search}${hash}${username}${password}` === '';
}

/**
 * Where this instance takes answers for waiting executions, by its base address. The expression that tells it costs a V8
 * isolate, and the answer does not change while n8n runs.
 */
const waitingBases = new Map<string, string>();

/**
 * A public address as n8n reaches it itself.
 *
 * @param n8nAddress from the trigger's options; empty for the public address
 */
export function atN8nAddress(address: string, n8nAddress: string): string {
	if (n8nAddress === '') return address;
	// Only the path is taken over: one that begins with two slashes would name another host.
	const url = new URL(n8nAddress);
	url.pathname = new URL(address).pathname;
	return url.toString();
}

/**
 * Where this n8n takes answers for waiting executions, whatever anybody sends.
 *
 * @param n8nAddress where n8n reaches itself, from the trigger's options; empty for its public address
 */
export function waitingBaseOf(context: IWebhookFunctions, n8nAddress: string): string {
	const instance = context.getInstanceBaseUrl();
	let base = waitingBases.get(instance);
	if (base === undefined) {
		// It ends with an id, of which there is none here, and may carry a token.
		const url = new URL(String(context.evaluateExpression('{{ $execution.resumeUrl }}')));
		base = `${url.origin}${url.pathname.replace(/\/[^/]*$/, '')}`;
		waitingBases.set(instance, base);
	}
	return atN8nAddress(base, n8nAddress);
}

/**
 * n8n keeps a call open while it holds executions back (N8N_CONCURRENCY_PRODUCTION_LIMIT). Asking again does no harm: a
 * question is left once.
 */
const RESPONSE_WITHIN_MS = 120_000;

const responseSchema = lazily(() =>
	z.object({
		statusCode: z.number(),
		headers: z.looseObject({}).default({}),
		body: z.unknown().optional(),
	}),
);

/** What n8n says of an execution that does not wait, and the page that it shows to people. A proxy says other things. */
const NOT_WAITING = /The (workflow for )?execution |No action required/;

function readReception(reception: Reception): Attempt {
	if (reception.accepted) return { resumed: true };
	const { reason } = reception;
	// It was held up by another one of the same call, or by another call.
	if (reason === 'running' || reason === 'held') return reason;
	// Nobody has judged an answer that the waiting node did not believe to come from a trigger.
	return reason === 'unproved' ? { ...lost(reason), isFinal: true } : refusal(reason);
}

const allOf = (attempt: Attempt, count: number) => ({
	attempts: Array.from({ length: count }, () => attempt),
});

function readAttempts(
	status: number,
	text: string,
	count: number,
): { attempts: Attempt[]; replies?: Sealed } {
	const all = (attempt: Attempt) => allOf(attempt, count);
	if (isServerError(status)) return all('unsure');
	const said = readReceptions(text, count);
	if (said) return { attempts: said.receptions.map(readReception), replies: said.replies };
	if ([200, 404, 409].includes(status) && NOT_WAITING.test(text)) {
		return all(text.includes('is running already') ? 'running' : refusal('notWaiting'));
	}
	return all(lost(status === 401 ? 'signatureRefused' : 'unexpectedAnswer'));
}

/** What is had of n8n to call it: in a webhook, and when a workflow is activated. */
export interface Caller {
	helpers: Pick<IWebhookFunctions['helpers'], 'httpRequest'>;
}

/** What was replied; the names of headers are in lower case. */
export interface SelfReply {
	status: number;
	headers: Readonly<Record<string, unknown>>;
	text: string;
}

/**
 * Calls this n8n once, and follows no redirection.
 *
 * @throws what n8n's request helper throws when there is no response; `explainThrown` reads it
 */
export async function callSelf(
	context: Caller,
	url: string,
	headers: Readonly<Record<string, string>>,
	body: string | Buffer,
	timeout: number,
): Promise<SelfReply> {
	const response: unknown = await context.helpers.httpRequest({
		method: 'POST',
		url,
		headers: { ...headers },
		body,
		json: false,
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		timeout,
	});
	const { statusCode, headers: given, body: said } = responseSchema().parse(response);
	const text = typeof said === 'string' ? said : JSON.stringify(said);
	return { status: statusCode, headers: given, text };
}

/** Calls a resume address once with so many answers. */
async function post(
	context: Caller,
	url: string,
	body: string,
	count: number,
): Promise<{ attempts: Attempt[]; replies?: Sealed }> {
	try {
		const headers = { 'Content-Type': 'application/json' };
		const { status, text } = await callSelf(context, url, headers, body, RESPONSE_WITHIN_MS);
		return readAttempts(status, text, count);
	} catch (error) {
		return allOf(explainThrown(error).uncertain ? 'unsure' : lost('unreachable'), count);
	}
}

/**
 * Passes answers to one question on once.
 *
 * @param url the resume address
 * @param tell gets what the waiting node wants people to be told
 * @returns what was found for each of them; never rejects
 */
export async function postAnswers(
	context: IWebhookFunctions,
	url: string,
	answers: readonly PassedOnAnswer[],
	tell: (replies: Sealed) => void,
): Promise<Attempt[]> {
	const { attempts, replies } = await post(context, url, bodyOf(answers), answers.length);
	if (replies) tell(replies);
	return attempts;
}

/**
 * Tells a waiting node once that its time is up.
 *
 * @param url the resume address that says so
 */
export async function postEnd(context: Caller, url: string): Promise<Attempt> {
	const { attempts } = await post(context, url, '', 1);
	return attempts[0] ?? 'unsure';
}
