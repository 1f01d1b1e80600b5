import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IHttpRequestOptions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { authenticateRequest } from './authenticate';
import { explainThrown, httpRequestOf, readResponse } from './client';
import type { ApiRequest, Outcome } from './client';
import type { Failure } from './failures';

/** n8n shows a test as failed when it takes much longer. */
const TEST_TIMEOUT_MS = 15_000;

const responseSchema = lazily(() =>
	z.object({ statusCode: z.number(), body: z.unknown().optional() }),
);

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
	request: ApiRequest<unknown>,
): Promise<Outcome<unknown>> {
	const httpRequest = httpRequestOf(request, TEST_TIMEOUT_MS);
	try {
		const authenticated = authenticateRequest(credential.data ?? {}, httpRequest);
		const response = responseSchema().parse(await helpers.request(toLegacyRequest(authenticated)));
		const { statusCode, body } = response;
		return readResponse(request, statusCode, typeof body === 'string' ? body : '');
	} catch (error) {
		return { accepted: false, failure: explainThrown(error) };
	}
}

/**
 * Makes the test of a Diyalog API credential: one real request that can reach nobody.
 *
 * @param requestToNobody a message for a customer who cannot exist
 * @returns the test; its sentence tells apart: the token works, it is refused, this is no Diyalog server, it is unreachable
 */
export const credentialTest = (requestToNobody: () => ApiRequest<unknown>) =>
	async function (
		this: ICredentialTestFunctions,
		credential: ICredentialsDecrypted,
	): Promise<INodeCredentialTestResult> {
		const outcome = await probe(this.helpers, credential, requestToNobody());
		if (!outcome.accepted) return verdictOn(outcome.failure);
		return {
			status: 'OK',
			message: `${TOKEN_WORKS} It did not refuse a customer who cannot exist, so it may be a test server.`,
		};
	};
