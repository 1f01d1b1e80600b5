/*
 * What can go wrong between us and a Diyalog server, as sentences. Pure: no n8n, no network.
 *
 * The documented texts are those of SendMessage; SendOTP documents none of its own.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

/** A failed exchange: what happened, what to do, and whether the customer may have got the message all the same. */
export interface Failure {
	kind: FailureKind;
	/** one sentence: what happened */
	title: string;
	/** one or two sentences: what to do */
	advice: string;
	/** the HTTP status, when there was a response */
	status?: number;
	/** the documented words of Diyalog that were recognised in the response */
	diyalogText?: string;
	/** the message certainly did not go out and may do so later: it can be sent again without reaching anybody twice */
	repeatable?: true;
	/** nobody can tell whether the message was delivered */
	uncertain?: true;
	/** of several messages some were delivered, or may have been */
	partly?: true;
	/** how long the server asks to wait before the next attempt, in milliseconds */
	retryAfterMs?: number;
}

export type FailureKind =
	| 'wrongToken'
	| 'unknownCustomer'
	| 'malformedRequest'
	| 'botNotAlive'
	| 'refusedFile'
	| 'notDiyalog'
	| 'accessDenied'
	| 'tooManyRequests'
	| 'serverError'
	| 'unreachable'
	| 'forbiddenAddress'
	| 'insecureConnection'
	| 'noAnswer'
	| 'unusableCredential'
	/** of several people: two numbers are those of one person */
	| 'samePerson'
	/** of several people: limits did not let any message out */
	| 'notPermitted';

/** What is said of a message after an uncertain failure, in addition to the failure's own advice. */
export const PERHAPS_DELIVERED =
	'The message may or may not have been delivered, so it was not sent again. Ask for a delivery report before you repeat it.';

const CHECK_CONNECTION =
	'Check with its operators that the server runs, and that no proxy or firewall on the way breaks connections off.';

const NOT_DIYALOG: Omit<Failure, 'status'> = {
	kind: 'notDiyalog',
	title: "The server's answer is not one of Diyalog's",
	advice:
		'Check the Server URL in the credential: another service, a login page or a proxy may be answering there.',
};

/**
 * The documented texts of a refusal. "recepient" is Diyalog's own spelling; a corrected one is understood too. What is matched
 * is quoted, so nothing here may match what could be a token or a text for a customer.
 */
const DOCUMENTED_REFUSALS: ReadonlyArray<{ text: RegExp; failure: Omit<Failure, 'status'> }> = [
	{
		text: /you may be using wrong token/i,
		failure: {
			kind: 'wrongToken',
			title: 'Diyalog did not accept the bot token',
			advice:
				'Enter the current token of the bot in the Diyalog API credential. The administrator of the Diyalog server gives it to you.',
		},
	},
	{
		text: /not delivered due to rec[ei]pient not found/i,
		failure: {
			kind: 'unknownCustomer',
			title: 'Diyalog does not know this person',
			advice:
				'Check the number of the customer or employee. The person has to have opened the chat in your app at least once.',
		},
	},
	{
		text: /sender bot is not alive/i,
		failure: {
			kind: 'botNotAlive',
			title: 'The bot is not active on the Diyalog server',
			advice: 'Ask the administrator of the Diyalog server to start the bot, then send again.',
		},
	},
	{
		text: /exceeded max file size(?: of \d{1,10}(?:[.,]\d{1,3})? ?(?:bytes?|[kmg]i?b)(?![\w/-]))?/i,
		failure: {
			kind: 'refusedFile',
			title: 'The file is too large for Diyalog',
			advice: 'Send a smaller file, or a link to it.',
		},
	},
	{
		text: /file as photo cannot be parsed|file data bytes (?:not valid|is empty)/i,
		failure: {
			kind: 'refusedFile',
			title: 'Diyalog could not read the file',
			advice:
				'Check what the previous node put into it. A photo has to be a picture: send anything else as a document.',
		},
	},
	{
		text: /the request content was malformed/i,
		failure: {
			kind: 'malformedRequest',
			title: 'Diyalog could not read the message',
			advice:
				'Check the fields of this node, buttons and Additional Fields first. If they are right, the server may run another version of the API.',
		},
	},
];

/** Whether an HTTP status says that the request was accepted. */
export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Whether an HTTP status says that the server failed (RFC 9110, 15.6): nobody knows what it did. */
export const isServerError = (status: number): boolean => status >= 500;

/** What a Diyalog server, or what stands in its place, said to a request that it did not accept. */
export interface RefusingResponse {
	status: number;
	text: string;
	/** what its Retry-After header asks for, in milliseconds */
	retryAfterMs?: number;
}

/**
 * Says what a response that is not a success means. Diyalog's own texts decide before the status does, because a wrong
 * token answers 503 and an unknown customer 500. No text of the response is repeated: a proxy's error page shows the
 * address, and the token is part of it.
 */
export function explainResponse({ status, text, retryAfterMs }: RefusingResponse): Failure {
	const found = DOCUMENTED_REFUSALS.flatMap(({ text: documented, failure }) => {
		const match = documented.exec(text);
		return match ? [{ failure, at: match.index, diyalogText: match[0] }] : [];
	});
	// What comes later may be quoted from the message: what a customer wrote must not stop all others as a wrong token does.
	const [refusal] = found.sort((one, other) => one.at - other.at);
	if (refusal) return { ...refusal.failure, status, diyalogText: refusal.diyalogText };
	if (isSuccess(status)) {
		return { ...NOT_DIYALOG, status, uncertain: true };
	}
	if (status === 401 || status === 403 || status === 407) {
		return {
			kind: 'accessDenied',
			title: 'Something in front of the Diyalog server refused the request',
			advice:
				'Diyalog itself does not answer like this: ask the operators of the proxy or firewall between n8n and Diyalog to let the request pass.',
			status,
		};
	}
	// RFC 6585, 4 and RFC 9110, 15.6.4: the request was not acted on.
	if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
		return {
			kind: 'tooManyRequests',
			title: 'The server takes no more requests for the moment',
			advice:
				'The message was not delivered. Send again later, or lower Concurrency under Options.',
			status,
			repeatable: true,
			retryAfterMs,
		};
	}
	if (isServerError(status)) {
		return {
			kind: 'serverError',
			title: `The Diyalog server answered with HTTP ${status}`,
			advice: CHECK_CONNECTION,
			status,
			uncertain: true,
		};
	}
	return { ...NOT_DIYALOG, status };
}

const UNREACHABLE_ADVICE =
	'Check the Server URL in the credential, and that this n8n may connect to it (firewall, proxy, DNS). Nothing was sent.';

const unreachable = (title: string): Failure => ({
	kind: 'unreachable',
	title,
	advice: UNREACHABLE_ADVICE,
	repeatable: true,
});

const noResponse = (title: string): Failure => ({
	kind: 'noAnswer',
	title,
	advice: CHECK_CONNECTION,
	uncertain: true,
});

const TOO_SLOW = noResponse('The Diyalog server did not answer in time');

/** Repeatable are only those that can happen before a single byte of the request is written. */
const NETWORK_FAILURES: Readonly<Record<string, Failure>> = {
	ECONNREFUSED: unreachable('The Diyalog server refused the connection'),
	ENOTFOUND: unreachable('The name of the Diyalog server is not known'),
	EAI_AGAIN: unreachable('The name of the Diyalog server could not be looked up'),
	EHOSTUNREACH: noResponse('This n8n has no network path to the Diyalog server'),
	ENETUNREACH: noResponse('This n8n has no network path to the Diyalog server'),
	ETIMEDOUT: TOO_SLOW,
	ECONNABORTED: TOO_SLOW,
};

/**
 * The server's certificate was not accepted: Node's names of what OpenSSL found, and its own for a name that does not fit.
 * Node looks at the certificate when the handshake ends and destroys the connection before a byte of the request is
 * encrypted. Other failures of TLS (ERR_SSL_...) can come at any time, also when the request has arrived.
 */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_GET_CRL',
	'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
	'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
	'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'CERT_SIGNATURE_FAILURE',
	'CERT_NOT_YET_VALID',
	'CERT_HAS_EXPIRED',
	'CERT_CHAIN_TOO_LONG',
	'CERT_REVOKED',
	'CERT_UNTRUSTED',
	'CERT_REJECTED',
	'CRL_SIGNATURE_FAILURE',
	'CRL_NOT_YET_VALID',
	'CRL_HAS_EXPIRED',
	'ERROR_IN_CERT_NOT_BEFORE_FIELD',
	'ERROR_IN_CERT_NOT_AFTER_FIELD',
	'ERROR_IN_CRL_LAST_UPDATE_FIELD',
	'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'INVALID_CA',
	'INVALID_PURPOSE',
	'PATH_LENGTH_EXCEEDED',
	'HOSTNAME_MISMATCH',
	'ERR_TLS_CERT_ALTNAME_INVALID',
	'ERR_TLS_CERT_ALTNAME_FORMAT',
]);

/**
 * Says what a request without a response means.
 *
 * @param code the error code of the operating system or of TLS, e.g. `ECONNREFUSED`; undefined when there is none
 */
export function explainNoResponse(code: string | undefined): Failure {
	const known = code === undefined ? undefined : NETWORK_FAILURES[code];
	if (known) return known;
	if (code !== undefined && CERTIFICATE_CODES.has(code)) {
		return {
			kind: 'insecureConnection',
			title: 'The TLS certificate of the Diyalog server is not accepted',
			advice:
				'Nothing was sent. The certificate may be out of date, or made for another name. If it is right, ask the operators to add its certificate authority to n8n (NODE_EXTRA_CA_CERTS).',
		};
	}
	return noResponse('The connection to the Diyalog server broke off');
}

/** n8n's protection against server-side request forgery does not let workflows connect to the server's address. */
export const FORBIDDEN_ADDRESS: Failure = {
	kind: 'forbiddenAddress',
	title: 'This n8n does not let workflows connect to the Diyalog server',
	advice:
		'Check the Server URL in the credential. If it is right, ask the administrator of n8n to allow its name (N8N_SSRF_ALLOWED_HOSTNAMES) or its address (N8N_SSRF_ALLOWED_IP_RANGES). Nothing was sent.',
};
