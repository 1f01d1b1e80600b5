/* eslint-disable @n8n/community-nodes/no-restricted-imports -- fetch does not let one choose all headers and bytes */
import { get } from 'node:http';
import { connect } from 'node:net';

/** A GET with exactly these headers; resolves to the status. */
export async function rawRequest(url: string, headers: Record<string, string>): Promise<number> {
	return await new Promise((resolve, reject) => {
		get(url, { headers, agent: false }, (response) => {
			response.resume();
			resolve(response.statusCode ?? 0);
		}).on('error', reject);
	});
}

/**
 * A POST of exactly these header lines and bytes.
 *
 * @param hangUp closes the connection when all is sent, without waiting for an answer
 * @returns the status; 0 when there was no answer
 */
export async function rawPost(
	url: string,
	headers: readonly string[],
	body: string,
	{ hangUp = false } = {},
): Promise<number> {
	const { hostname, port, pathname } = new URL(url);
	const lines = [`POST ${pathname} HTTP/1.1`, `Host: ${hostname}`, 'Connection: close', ...headers];
	return await new Promise((resolve, reject) => {
		let answer = '';
		const finish = () => {
			socket.destroy();
			resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0));
		};
		const socket = connect(Number(port), hostname, () => {
			socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1', () => {
				if (hangUp) finish();
			});
		});
		socket.on('data', (part) => {
			answer += part.toString('latin1');
			if (answer.includes('\r\n\r\n')) finish();
		});
		socket.on('close', finish);
		socket.on('error', reject);
	});
}
