import { randomUUID } from 'node:crypto';
import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IHttpRequestOptions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { z } from 'zod/v4';
import { authenticateRequest } from './authenticate';
import { explainThrown, readAnswer, sendOtpRequest } from './client';
import type { SendOtpOutcome } from './client';
import type { Failure } from './failures';

/** n8n shows a test as failed when it takes much longer. */
const TEST_TIMEOUT_MS = 15_000;

const responseSchema = z.object({ statusCode: z.number(), body: z.unknown().optional() });

const TOKEN_WORKS = 'The server is reachable and accepts the bot token.';

/**
 * What each outcome says of the credential. Diyalog documents no read-only call, so a well-formed message goes to a
 * customer who cannot exist: being told that this customer is unknown is the proof that the token works.
 */
function verdictOn({ kind, title, advice, status }: Failure): INodeCredentialTestResult {
	if (kind === 'unknownCustomer')
		return { status: 'OK', message: `${TOKEN_WORKS} Nobody got a message.` };
	const answered = status === undefined ? '' : ` (HTTP ${status})`;
	return { status: 'Error', message: `${title}${answered}. ${advice}` };
}

/** The same request in the words of the older helper, the only one that n8n gives to a credential test. */
function toLegacyRequest(request: IHttpRequestOptions): object {
	const { method, url, headers, body, timeout } = request;
	return {
		method,
		url,
		headers,
		body,
		timeout,
		followRedirect: false,
		followAllRedirects: false,
		simple: false,
		resolveWithFullResponse: true,
		json: false,
	};
}

async function probe(
	helpers: ICredentialTestFunctions['helpers'],
	credential: ICredentialsDecrypted,
	request: IHttpRequestOptions,
): Promise<SendOtpOutcome> {
	let response: unknown;
	try {
		const authenticated = authenticateRequest(credential.data ?? {}, request);
		response = await helpers.request(toLegacyRequest(authenticated));
	} catch (error) {
		return { accepted: false, failure: explainThrown(error) };
	}
	const { statusCode, body } = responseSchema.parse(response);
	return readAnswer(statusCode, typeof body === 'string' ? body : '');
}

/**
 * Tests a Diyalog API credential with one real request that can reach nobody.
 *
 * @returns a sentence that tells apart: the token works, it is refused, this is no Diyalog server, it is unreachable
 */
export async function diyalogApiTest(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	// A fresh UUID is nobody's number, so that no person can ever get this message.
	const customerNo = `n8n-credential-test-${randomUUID()}`;
	const body = { customerNo, messageId: randomUUID(), mokMessage: 'n8n credential test' };
	const outcome = await probe(this.helpers, credential, sendOtpRequest(body, TEST_TIMEOUT_MS));
	if (!outcome.accepted) return verdictOn(outcome.failure);
	return {
		status: 'OK',
		message: `${TOKEN_WORKS} It did not refuse a customer who cannot exist, so it may be a test server.`,
	};
}
