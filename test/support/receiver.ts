import Fastify from 'fastify';

export interface ReceivedWebhook {
	body: string;
	signature: string;
	receivedAt: number;
}

export interface Receiver {
	url: string;
	received: ReceivedWebhook[];
	/** What the next webhooks are answered with. */
	answer: { status: number; text: string };
	close(): Promise<void>;
}

/** Stands where n8n's trigger would: keeps the raw bytes of every webhook. */
export async function startReceiver(): Promise<Receiver> {
	const app = Fastify({ logger: false, forceCloseConnections: true });
	const receiver: Receiver = {
		url: '',
		received: [],
		answer: { status: 200, text: 'ok' },
		close: async () => await app.close(),
	};
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
	app.post('/webhook', async (request, reply) => {
		receiver.received.push({
			body: String(request.body),
			signature: String(request.headers['x-signature']),
			receivedAt: Date.now(),
		});
		return await reply.code(receiver.answer.status).send(receiver.answer.text);
	});
	receiver.url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/webhook`;
	return receiver;
}
