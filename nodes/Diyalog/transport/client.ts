import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	IWebhookFunctions,
} from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { CredentialError } from './authenticate';
import { explainNoResponse, explainResponse, FORBIDDEN_ADDRESS, isSuccess } from './failures';
import type { Failure } from './failures';
import { readResponseBody } from './responseBody';
import { retryAfterMs, waitBeforeRetryMs } from './retry';

export const CREDENTIAL_TYPE = 'diyalogApi';

/** A request to the API of Diyalog's bots. */
export interface ApiRequest<T> {
	/** without server and token, which the credential adds */
	path: string;
	/** becomes JSON; what is undefined is left out */
	body: object;
	/** reads the body of a 2xx response; undefined when it is not one of Diyalog's */
	parse: (text: string) => T | undefined;
}

/** What became of a request: what Diyalog said, or why it said nothing of use. */
export type Outcome<T> = { accepted: true; response: T } | { accepted: false; failure: Failure };

/** A request in the words of n8n's helper. Refusals are told apart by their words, so that a status is not yet an error. */
export function httpRequestOf(
	{ path, body }: ApiRequest<unknown>,
	timeoutMs: number,
): IHttpRequestOptions {
	return {
		method: 'POST',
		url: path,
		headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
		body: JSON.stringify(body),
		encoding: 'stream',
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		timeout: timeoutMs,
	};
}

/**
 * Makes an outcome of a response.
 *
 * @param text the response's body
 * @param retryAfter the Retry-After header, if there is one
 */
export function readResponse<T>(
	{ parse }: ApiRequest<T>,
	status: number,
	text: string,
	retryAfter?: unknown,
): Outcome<T> {
	const response = isSuccess(status) ? parse(text) : undefined;
	if (response) return { accepted: true, response };
	const waitMs = retryAfterMs(retryAfter, new Date());
	return { accepted: false, failure: explainResponse({ status, text, retryAfterMs: waitMs }) };
}

const MAX_CAUSES = 5;

/** What was thrown, then what caused it, and so on. */
function* causesOf(thrown: unknown): Generator<object> {
	let error = thrown;
	for (let depth = 0; depth < MAX_CAUSES; depth++) {
		if (typeof error !== 'object' || error === null) return;
		yield error;
		error = 'cause' in error ? error.cause : undefined;
	}
}

/** Names of what n8n throws before it connects to an address or a name that its administrator has not allowed. */
const FORBIDDEN_ADDRESS_ERROR = /^SsrfBlocked/;

/**
 * Says what it means that n8n's request helper threw: the credential could not be used, or there was no response.
 */
export function explainThrown(thrown: unknown): Failure {
	for (const error of causesOf(thrown)) {
		if (error instanceof CredentialError) {
			return { kind: 'unusableCredential', title: error.title, advice: error.advice };
		}
		if ('name' in error && FORBIDDEN_ADDRESS_ERROR.test(String(error.name)))
			return FORBIDDEN_ADDRESS;
		// The code of the operating system or of TLS, e.g. ECONNREFUSED.
		if ('code' in error && typeof error.code === 'string') return explainNoResponse(error.code);
	}
	return explainNoResponse(undefined);
}

const responseSchema = lazily(() =>
	z.object({
		statusCode: z.number(),
		// An instance of a class, which a record would refuse.
		headers: z.object({ 'retry-after': z.unknown().optional() }).prefault({}),
		body: z.unknown().optional(),
	}),
);

/** Resolves after some milliseconds, or at once when the execution is cancelled; leaves no timer behind that holds n8n up. */
export async function pause(waitMs: number, cancelled?: AbortSignal): Promise<void> {
	if (cancelled?.aborted) return;
	await new Promise<void>((resolve) => {
		const goOn = () => {
			cancelled?.removeEventListener('abort', goOn);
			resolve();
		};
		AbortSignal.timeout(waitMs).addEventListener('abort', goOn, { once: true });
		cancelled?.addEventListener('abort', goOn, { once: true });
	});
}

/** How requests are sent. */
export interface ClientOptions {
	/** how often a request is repeated that certainly did not arrive */
	maxRetries: number;
	timeoutMs: number;
	/** a request is not repeated when that would have to wait for longer; a minute unless told otherwise */
	maxPauseMs?: number;
	/** hears when the try began that was accepted, where it was not the first */
	onRetried?: (triedAt: Date) => void;
}

/** Sends requests to the API of Diyalog's bots for one run of the node. */
export class DiyalogClient {
	private constructor(
		private readonly context: IExecuteFunctions | IWebhookFunctions,
		readonly credentials: ICredentialDataDecryptedObject,
	) {}

	/** Reads the credential, once for all requests of the run: n8n decrypts it anew for every one otherwise. */
	static async create(context: IExecuteFunctions | IWebhookFunctions): Promise<DiyalogClient> {
		return new DiyalogClient(context, await context.getCredentials(CREDENTIAL_TYPE));
	}

	/** Sends a request. It is sent again only after failures of which it is certain that nothing went out. */
	async send<T>(
		request: ApiRequest<T>,
		{ maxRetries, timeoutMs, maxPauseMs = Infinity, onRetried }: ClientOptions,
	): Promise<Outcome<T>> {
		const { context } = this;
		const cancelled =
			'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;
		for (let retry = 0; ; retry++) {
			const triedAt = new Date();
			const outcome = await this.sendOnce(request, timeoutMs);
			if (outcome.accepted && retry > 0) onRetried?.(triedAt);
			if (outcome.accepted || retry >= maxRetries) return outcome;
			const waitMs = waitBeforeRetryMs(outcome.failure, retry, Math.random);
			if (waitMs === undefined || waitMs > maxPauseMs) return outcome;
			await pause(Math.ceil(waitMs), cancelled);
			if (cancelled?.aborted) return outcome;
		}
	}

	private async sendOnce<T>(request: ApiRequest<T>, timeoutMs: number): Promise<Outcome<T>> {
		const deadline = AbortSignal.timeout(timeoutMs);
		const data = { ...this.credentials };
		try {
			const answered: unknown = await this.context.helpers.httpRequestWithAuthentication.call(
				this.context,
				CREDENTIAL_TYPE,
				httpRequestOf(request, timeoutMs),
				{ credentialsDecrypted: { id: '', name: '', type: CREDENTIAL_TYPE, data } },
			);
			const { statusCode, headers, body } = responseSchema().parse(answered);
			const text = await readResponseBody(body, deadline);
			return readResponse(request, statusCode, text, headers['retry-after']);
		} catch (error) {
			return { accepted: false, failure: explainThrown(error) };
		}
	}
}
