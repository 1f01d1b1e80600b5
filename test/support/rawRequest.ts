/* eslint-disable @n8n/community-nodes/no-restricted-imports -- fetch does not let one choose the Host header */
import { get } from 'node:http';

/** A GET with exactly these headers; resolves to the status. */
export async function rawRequest(url: string, headers: Record<string, string>): Promise<number> {
	return await new Promise((resolve, reject) => {
		get(url, { headers, agent: false }, (response) => {
			response.resume();
			resolve(response.statusCode ?? 0);
		}).on('error', reject);
	});
}
