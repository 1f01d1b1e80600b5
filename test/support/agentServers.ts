/* eslint-disable @n8n/community-nodes/no-restricted-imports -- servers of tests; nothing here is published */
import Fastify from 'fastify';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/* What agents and their tools talk to, as far as n8n needs it, on free ports of loopback. */

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
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		port,
		published,
		close: async () => await new Promise<void>((resolve) => server.close(() => resolve())),
	};
}
