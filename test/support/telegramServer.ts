import Fastify from 'fastify';
import { z } from 'zod';

/** What stands for Telegram's server (https://core.telegram.org/bots/api#sendmessage): n8n's own way to ask somebody. */
export interface TelegramServer {
	url: string;
	/** addresses of the buttons of the last message, in order */
	buttonUrls(): string[];
	close(): Promise<void>;
}

const messageSchema = z.object({
	reply_markup: z.object({ inline_keyboard: z.array(z.array(z.object({ url: z.string() }))) }),
});

/** Starts a server on a free port of loopback that takes messages and keeps the last one. */
export async function startTelegramServer(): Promise<TelegramServer> {
	const app = Fastify({ logger: false, forceCloseConnections: true });
	let urls: string[] = [];
	app.post('/:bot/sendMessage', async (request) => {
		const { reply_markup: keyboard } = messageSchema.parse(request.body);
		urls = keyboard.inline_keyboard.flat().map(({ url }) => url);
		return { ok: true, result: { message_id: 1 } };
	});
	return {
		url: await app.listen({ host: '127.0.0.1', port: 0 }),
		buttonUrls: () => urls,
		close: async () => await app.close(),
	};
}
