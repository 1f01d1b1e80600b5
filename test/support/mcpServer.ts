import Fastify from 'fastify';
import { z } from 'zod';

/*
 * A server of tools for agents that speaks the Model Context Protocol over HTTP (https://modelcontextprotocol.io), as far as n8n's
 * MCP Client Tool needs it.
 */

const requestSchema = z.object({
	id: z.union([z.string(), z.number()]).optional(),
	method: z.string(),
	params: z.record(z.unknown()).default({}),
});

export interface McpServer {
	url: string;
	/** what was called, with what */
	called: unknown[];
	close(): Promise<void>;
}

const schemaOf = (...names: string[]) => ({
	type: 'object',
	properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});

const schemaOfValue = (value: object) => ({ type: 'object', properties: { value } });

const TOOLS = [
	{ name: 'reset', description: 'Resets', inputSchema: { type: 'object' } },
	{ name: 'show_balance', description: 'Shows', inputSchema: schemaOf('account') },
	{ name: 'transfer', description: 'Transfers', inputSchema: schemaOf('account', 'amount', 'to') },
	{ name: 'deploy', description: 'Deploys', inputSchema: schemaOf('account', 'prototype') },
	{ name: 'remind', description: 'Reminds', inputSchema: schemaOf('to', 'to.length') },
	{ name: 'warn', description: 'Warns', inputSchema: schemaOf('to', '["to"].length') },
	{ name: 'quote', description: 'Quotes', inputSchema: schemaOf('"to', '["to].length') },
	{ name: 'manage', description: 'Manages', inputSchema: schemaOf('account', 'action') },
	{ name: 'order', description: 'Orders', inputSchema: schemaOfValue({ type: 'object' }) },
	{ name: 'notify', description: 'Notifies', inputSchema: schemaOfValue({ type: 'array' }) },
	{
		name: 'find',
		description: 'Finds',
		inputSchema: { type: 'object', properties: { query: { type: 'object' } } },
	},
];

/**
 * Starts a bank with some tools, on a free port of loopback.
 *
 * @param tools that it offers
 */
export async function startMcpServer(tools: readonly object[] = TOOLS): Promise<McpServer> {
	const app = Fastify({ logger: false, forceCloseConnections: true });
	const called: unknown[] = [];
	const resultOf = (method: string, params: Readonly<Record<string, unknown>>): object => {
		if (method === 'tools/list') return { tools };
		if (method === 'initialize') {
			const { protocolVersion } = params;
			const serverInfo = { name: 'bank', version: '1.0.0' };
			return { protocolVersion, capabilities: { tools: {} }, serverInfo };
		}
		if (method !== 'tools/call') return {};
		called.push({ name: params.name, arguments: params.arguments });
		return { content: [{ type: 'text', text: 'done' }] };
	};
	app.post('/mcp', async (request, reply) => {
		const { id, method, params } = requestSchema.parse(request.body);
		if (id === undefined) return await reply.code(202).send();
		return { jsonrpc: '2.0', id, result: resultOf(method, params) };
	});
	app.get('/mcp', async (_request, reply) => await reply.code(405).send());
	const base = await app.listen({ host: '127.0.0.1', port: 0 });
	return { url: `${base}/mcp`, called, close: async () => await app.close() };
}
