import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	IWebhookFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';
import { rememberMessage } from '../messages/knownMessages';
import { parseSendOtpAnswer } from '../messages/sendOtp';
import type { SendOtpAnswer, SendOtpBody } from '../messages/sendOtp';
import { deriveKeys } from '../codes/keys';
import type { CodeKeys } from '../codes/keys';
import { readAnswerBody } from './answerBody';
import { CredentialError, SEND_OTP_PATH, botTokenOf } from './authenticate';
import { explainAnswer, explainNoAnswer, FORBIDDEN_ADDRESS, isSuccess } from './failures';
import type { Failure } from './failures';
import type { SendOptions } from '../actions/sendOptions';
import { retryAfterMs, waitBeforeRetryMs } from './retry';

export const CREDENTIAL_TYPE = 'diyalogApi';

/**
 * The SendOTP request without server and token, which the credential adds.
 * Refusals are told apart by their words, so that a status is not yet an error.
 */
export function sendOtpRequest(body: SendOtpBody, timeoutMs: number): IHttpRequestOptions {
	return {
		method: 'POST',
		url: SEND_OTP_PATH,
		headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
		body: JSON.stringify(body),
		encoding: 'stream',
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		timeout: timeoutMs,
	};
}

/** What became of one message: Diyalog's answer, or why there is none. */
export type SendOtpOutcome =
	| { accepted: true; answer: SendOtpAnswer }
	| { accepted: false; failure: Failure };

/**
 * Makes an outcome of an answer.
 *
 * @param text the answer's body; 64-bit ids would lose digits if it were parsed as ordinary JSON
 * @param retryAfter the Retry-After header, if there is one
 */
export function readAnswer(status: number, text: string, retryAfter?: unknown): SendOtpOutcome {
	const answer = isSuccess(status) ? parseSendOtpAnswer(text) : undefined;
	if (answer) return { accepted: true, answer };
	const waitMs = retryAfterMs(retryAfter, new Date());
	return { accepted: false, failure: explainAnswer({ status, text, retryAfterMs: waitMs }) };
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
 * Says what it means that n8n's request helper threw: the credential could not be used, or there was no answer.
 */
export function explainThrown(thrown: unknown): Failure {
	for (const error of causesOf(thrown)) {
		if (error instanceof CredentialError) {
			return { kind: 'unusableCredential', title: error.title, advice: error.advice };
		}
		if ('name' in error && FORBIDDEN_ADDRESS_ERROR.test(String(error.name)))
			return FORBIDDEN_ADDRESS;
		// The code of the operating system or of TLS, e.g. ECONNREFUSED.
		if ('code' in error && typeof error.code === 'string') return explainNoAnswer(error.code);
	}
	return explainNoAnswer(undefined);
}

const responseSchema = z.object({
	statusCode: z.number(),
	// An instance of a class, which a record would refuse.
	headers: z.object({ 'retry-after': z.unknown().optional() }).prefault({}),
	body: z.unknown().optional(),
});

/** Resolves after some milliseconds, or at once when the execution is cancelled; leaves no timer behind that holds n8n up. */
async function pause(waitMs: number, cancelled: AbortSignal | undefined): Promise<void> {
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

/** Sends OTP messages through Diyalog's SendOTP API for one run of the node. */
export class DiyalogClient {
	private keys: CodeKeys | undefined;

	private constructor(
		private readonly context: IExecuteFunctions | IWebhookFunctions,
		readonly credentials: ICredentialDataDecryptedObject,
		private readonly options: SendOptions,
	) {}

	/** Reads the credential, once for all messages of the run: n8n decrypts it anew for every request otherwise. */
	static async create(
		context: IExecuteFunctions | IWebhookFunctions,
		options: SendOptions,
	): Promise<DiyalogClient> {
		return new DiyalogClient(context, await context.getCredentials(CREDENTIAL_TYPE), options);
	}

	/**
	 * The keys for challenges, derived from the bot token.
	 *
	 * @throws CredentialError when there is no token
	 */
	otpKeys(): CodeKeys {
		this.keys ??= deriveKeys(botTokenOf(this.credentials));
		return this.keys;
	}

	/** Sends a message. It is sent again only after failures of which it is certain that nothing went out. */
	async sendOtp(body: SendOtpBody): Promise<SendOtpOutcome> {
		const { context } = this;
		const cancelled =
			'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;
		rememberMessage(body.messageId);
		for (let retry = 0; ; retry++) {
			const outcome = await this.sendOnce(body);
			if (outcome.accepted || retry >= this.options.maxRetries) return outcome;
			const waitMs = waitBeforeRetryMs(outcome.failure, retry, Math.random);
			if (waitMs === undefined) return outcome;
			await pause(Math.ceil(waitMs), cancelled);
			if (cancelled?.aborted) return outcome;
		}
	}

	private async sendOnce(body: SendOtpBody): Promise<SendOtpOutcome> {
		const { timeoutMs } = this.options;
		const deadline = AbortSignal.timeout(timeoutMs);
		try {
			const response: unknown = await this.context.helpers.httpRequestWithAuthentication.call(
				this.context,
				CREDENTIAL_TYPE,
				sendOtpRequest(body, timeoutMs),
				{
					credentialsDecrypted: {
						id: '',
						name: '',
						type: CREDENTIAL_TYPE,
						data: { ...this.credentials },
					},
				},
			);
			const { statusCode, headers, body: answer } = responseSchema.parse(response);
			return readAnswer(statusCode, await readAnswerBody(answer, deadline), headers['retry-after']);
		} catch (error) {
			return { accepted: false, failure: explainThrown(error) };
		}
	}
}
