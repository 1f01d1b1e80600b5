import type { ICredentialDataDecryptedObject, IHttpRequestOptions } from 'n8n-workflow';

/** The credential cannot be used: what is wrong, and what to do. Never holds the token. */
export class CredentialError extends Error {
	override readonly name = 'CredentialError';

	constructor(
		readonly title: string,
		readonly advice: string,
	) {
		super(`${title}. ${advice}`);
	}
}

const trimmedText = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/**
 * The server's base address from the credential, without a slash at its end; a path prefix stays.
 *
 * @throws CredentialError when it is no usable address
 */
function serverBaseUrl(credentials: ICredentialDataDecryptedObject): string {
	const text = trimmedText(credentials.serverUrl);
	const advice =
		"Enter the address of your company's Diyalog server in the Diyalog API credential, e.g. https://diyalog.example.com.";
	if (text === '') throw new CredentialError('The Server URL is empty', advice);
	if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
		throw new CredentialError('The Server URL is not a web address', advice);
	}
	const url = new URL(text);
	if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
		throw new CredentialError('The Server URL may hold only a host and a path', advice);
	}
	return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * The bot's access token from the credential.
 *
 * @throws CredentialError when there is none
 */
export function botTokenOf(credentials: ICredentialDataDecryptedObject): string {
	const botToken = trimmedText(credentials.botToken);
	const advice = "Enter the bot's access token in the Diyalog API credential.";
	if (botToken === '') throw new CredentialError('The Bot Token is empty', advice);
	// A path segment of dots would be resolved away and the request would go to another address.
	if (/^\.{1,2}$/.test(botToken)) throw new CredentialError('The Bot Token is not a token', advice);
	return botToken;
}

/**
 * Puts the bot's access token into the address: in Diyalog's API the end of the path is the whole authentication.
 * Beside the keys for challenges, which are derived from it, nothing else makes use of the token. Redirects are never
 * followed, or the address, and with it the token, would be handed on.
 *
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api
 *
 * @param credentials a decrypted Diyalog API credential
 * @param request its `url` is the API's path without server and token, e.g. `/v1/bots/sendmok`
 * @throws CredentialError when the credential cannot be used
 */
export function authenticateRequest(
	credentials: ICredentialDataDecryptedObject,
	request: IHttpRequestOptions,
): IHttpRequestOptions {
	const botToken = botTokenOf(credentials);
	return {
		...request,
		url: `${serverBaseUrl(credentials)}${request.url}/${encodeURIComponent(botToken)}`,
		disableFollowRedirect: true,
	};
}
