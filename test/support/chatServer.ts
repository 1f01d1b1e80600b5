import Fastify from 'fastify';
import { z } from 'zod';

/*
 * A model that speaks OpenAI's chat completions API (https://platform.openai.com/docs/api-reference/chat) as far as an
 * agent needs it: it calls the first tool it is offered, and then repeats what it was told about that call. When it was told
 * that a message may have been delivered, it calls once more.
 */

const messageSchema = z.object({ role: z.string(), content: z.unknown() });

const requestSchema = z.object({
	messages: z.array(messageSchema).min(1),
	tools: z
		.array(z.object({ function: z.object({ name: z.string(), parameters: z.unknown() }) }))
		.default([]),
});

/** What the model was asked. */
export type ChatRequest = z.output<typeof requestSchema>;

/**
 * One turn of a model: what it says, or the tools that it calls, each with all that it says of the call; a text is JSON as it goes out.
 * An id of null goes out as none, as some servers do.
 */
export type ChatTurn = string | ReadonlyArray<{ tool: string; said: unknown; id?: string | null }>;

export interface ChatServer {
	/** base address of the API, for the credential */
	url: string;
	requests: ChatRequest[];
	/** bodies of what came to {@link toolUrl}: the deed that somebody has to approve */
	deeds: unknown[];
	toolUrl: string;
	/** how often it calls the tool in one turn; 1 unless changed */
	callsAtOnce: number;
	/** what it does in place of the usual */
	turnOf?: (asked: ChatRequest) => ChatTurn;
	close(): Promise<void>;
}

const MODEL = 'test-model';

const completion = (message: Readonly<Record<string, unknown>>, finishReason: string) => ({
	id: 'chatcmpl-1',
	object: 'chat.completion',
	created: 1_700_000_000,
	model: MODEL,
	choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason }],
	usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

const textOf = (content: unknown): string =>
	typeof content === 'string' ? content : JSON.stringify(content);

/** What the model said and was told before, as text. */
export const saidBefore = ({ messages }: ChatRequest): string[] =>
	messages.map(({ content }) => textOf(content));

/** How many calls it was told the result of. */
export const callsBefore = ({ messages }: ChatRequest): number =>
	messages.filter(({ role }) => role === 'tool').length;

const callOf = (id: string | null, name: string, said: unknown) => ({
	...(id !== null && { id }),
	type: 'function',
	function: { name, arguments: textOf(said) },
});

const calling = (calls: ReadonlyArray<ReturnType<typeof callOf>>) =>
	completion({ content: null, tool_calls: calls }, 'tool_calls');

const streamSchema = z.object({ stream: z.boolean().default(false) });

/** The same as a stream: all of it in one piece, and its end. */
function asStream(said: ReturnType<typeof completion>): string {
	const pieces = said.choices.flatMap(({ index, message, finish_reason }) => {
		const calls: unknown[] = Array.isArray(Object(message).tool_calls)
			? Object(message).tool_calls
			: [];
		const tool_calls = calls.map((call, at) => ({ ...Object(call), index: at }));
		const delta = { ...message, ...(calls.length > 0 && { tool_calls }) };
		return [
			{ index, delta, finish_reason: null },
			{ index, delta: {}, finish_reason },
		];
	});
	const events = pieces.map((piece) => ({
		id: said.id,
		object: 'chat.completion.chunk',
		created: said.created,
		model: said.model,
		choices: [piece],
	}));
	return [...events.map((event) => JSON.stringify(event)), '[DONE]']
		.map((event) => `data: ${event}\n\n`)
		.join('');
}

let made = 0;

const completionOf = (turn: ChatTurn) =>
	typeof turn === 'string'
		? completion({ content: turn }, 'stop')
		: calling(turn.map(({ tool, said, id = `call_${++made}` }) => callOf(id, tool, said)));

function answerTo(asked: ChatRequest, toolArguments: unknown, atOnce: number) {
	const { messages, tools } = asked;
	const last = messages.at(-1);
	const calls = callsBefore(asked);
	const isImpatient = calls === 1 && /may have been delivered/.test(textOf(last?.content));
	if (last?.role === 'tool' && !isImpatient) {
		return completion({ content: `I was told: ${textOf(last.content)}` }, 'stop');
	}
	const [tool] = tools;
	if (!tool) return completion({ content: 'I have no tool.' }, 'stop');
	const ids = Array.from({ length: atOnce }, (_, index) => `call_${calls + index + 1}`);
	return calling(ids.map((id) => callOf(id, tool.function.name, toolArguments)));
}

/**
 * Starts the model, and beside it an address for a tool to call, on a free port of loopback.
 *
 * @param toolArguments with which the model calls the tool
 */
export async function startChatServer(toolArguments: unknown): Promise<ChatServer> {
	// n8n sends a model what it has said with every turn, and a test lets it say a lot.
	const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 32_000_000 });
	const requests: ChatRequest[] = [];
	const deeds: unknown[] = [];
	app.post('/v1/chat/completions', async (request, reply) => {
		const asked = requestSchema.parse(request.body);
		requests.push(asked);
		const said = server.turnOf
			? completionOf(server.turnOf(asked))
			: answerTo(asked, toolArguments, server.callsAtOnce);
		if (!streamSchema.parse(request.body).stream) return said;
		return await reply.type('text/event-stream').send(asStream(said));
	});
	app.post('/transfer', async (request) => {
		deeds.push(request.body);
		return { result: 'transferred' };
	});
	const base = await app.listen({ host: '127.0.0.1', port: 0 });
	const server: ChatServer = {
		url: `${base}/v1`,
		requests,
		deeds,
		toolUrl: `${base}/transfer`,
		callsAtOnce: 1,
		close: async () => await app.close(),
	};
	return server;
}
