import { createHmac } from 'node:crypto';

/** Signs a body as Diyalog does. */
export const hmacSha1 = (
	body: string | Buffer,
	secret: string,
	encoding: 'hex' | 'base64' = 'hex',
) => createHmac('sha1', secret).update(body).digest(encoding);

/** Posts a body to a webhook, signed with the secret unless other headers say otherwise. */
export async function postSigned(
	url: string,
	body: string | Buffer,
	secret: string,
	headers: Readonly<Record<string, string>> = {},
	signal?: AbortSignal,
): Promise<Response> {
	return await fetch(url, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			'x-signature': hmacSha1(body, secret),
			...headers,
		},
		body,
		signal,
	});
}

/** Posts a status callback of a message; the status of the reply is 0 where nobody answers. */
export async function postStatus(
	url: string,
	status: string,
	{ token = 'callback', ...fields }: { token?: string } & Partial<CallbackFields> = {},
): Promise<number> {
	return await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'auth-token': token },
		body: JSON.stringify({ messageId: 'm', status, customerNo: '1', secretData: '', ...fields }),
	}).then(
		(response) => response.status,
		() => 0,
	);
}

type CallbackFields = Record<'messageId' | 'customerNo' | 'secretData', string>;
