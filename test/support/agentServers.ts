/* eslint-disable @n8n/community-nodes/no-restricted-imports -- servers of tests; nothing here is published */
import Fastify from 'fastify';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/* What agents and their tools talk to, as far as n8n needs it, on free ports of loopback. */

async function listen(server: Server): Promise<{ port: number; close: () => Promise<void> }> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const close = async () => await new Promise<void>((resolve) => server.close(() => resolve()));
	return { port, close };
}

/**
 * What remembers for an agent, as n8n's Motorhead memory reads it.
 *
 * @param failing which of its calls gets no answer that can be read, counted from 1
 */
export async function startMemory(
	failing: number,
): Promise<{ url: string; calls: () => number; close: () => Promise<void> }> {
	const app = Fastify({ logger: false, forceCloseConnections: true });
	let calls = 0;
	app.get('/motorhead/sessions/:id/memory', async (_request, reply) => {
		calls++;
		return await reply
			.header('content-type', 'application/json')
			.send(calls === failing ? 'no JSON' : '{}');
	});
	app.post('/motorhead/sessions/:id/memory', async () => ({}));
	const url = await app.listen({ host: '127.0.0.1', port: 0 });
	return { url, calls: () => calls, close: async () => await app.close() };
}

/** A broker of MQTT 3.1.1, as far as n8n needs it to publish with QoS 0: it keeps the packets as they came, as text. */
export async function startBroker(): Promise<{
	port: number;
	published: string[];
	close: () => Promise<void>;
}> {
	const published: string[] = [];
	const server = createServer((socket) => {
		socket.on('error', () => undefined);
		socket.on('data', (bytes) => {
			const kind = (bytes[0] ?? 0) >> 4;
			if (kind === 1) socket.write(Buffer.from([0x20, 2, 0, 0]));
			if (kind === 3) published.push(bytes.toString());
			if (kind === 14) socket.end();
		});
	});
	return { ...(await listen(server)), published };
}

/** A Supabase that keeps what it was asked for, and has no rows. */
export async function startSupabase(): Promise<{
	url: string;
	urls: string[];
	close: () => Promise<void>;
}> {
	const app = Fastify({ logger: false, forceCloseConnections: true });
	const urls: string[] = [];
	app.all('*', async ({ method, url }) => {
		urls.push(`${method} ${url}`);
		return [];
	});
	const url = await app.listen({ host: '127.0.0.1', port: 0 });
	return { url, urls, close: async () => await app.close() };
}

/** A database that speaks the simple protocol of PostgreSQL 3.0, as far as n8n needs it: it keeps each statement, and says that it is done. */
export async function startPostgres(): Promise<{
	port: number;
	statements: string[];
	close: () => Promise<void>;
}> {
	const statements: string[] = [];
	const message = (kind: string, content: Buffer): Buffer => {
		const length = Buffer.alloc(4);
		length.writeInt32BE(content.length + 4);
		return Buffer.concat([Buffer.from(kind), length, content]);
	};
	const ready = message('Z', Buffer.from('I'));
	const server = createServer((socket) => {
		socket.on('error', () => undefined);
		let rest = Buffer.alloc(0);
		let isStarted = false;
		socket.on('data', (bytes) => {
			rest = Buffer.concat([rest, bytes]);
			for (;;) {
				const start = isStarted ? 1 : 0;
				if (rest.length < start + 4) return;
				const end = start + rest.readInt32BE(start);
				if (rest.length < end) return;
				const kind = isStarted ? String.fromCharCode(rest[0] ?? 0) : 'startup';
				const content = rest.subarray(start + 4, end);
				rest = rest.subarray(end);
				if (kind === 'startup') {
					if (content.readInt32BE(0) === 80_877_103) {
						socket.write('N');
						continue;
					}
					isStarted = true;
					const version = Buffer.from('server_version\u000015.0\u0000');
					socket.write(
						Buffer.concat([message('R', Buffer.alloc(4)), message('S', version), ready]),
					);
				}
				if (kind === 'Q') {
					statements.push(content.subarray(0, -1).toString('utf8'));
					socket.write(Buffer.concat([message('C', Buffer.from('UPDATE 1\u0000')), ready]));
				}
				if (kind === 'X') socket.end();
			}
		});
	});
	return { ...(await listen(server)), statements };
}
