import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Diyalog, StoredMessage } from './diyalog';
import { DRAWN_BUTTONS } from './choices';
import { servedAs } from './documents';
import { later, readPageFile } from './host';
import { SandboxError } from './sandboxError';

const UPDATE_INTERVAL_MS = 40;
const SHOWN_CHAT_ENTRIES = 200;
const SHOWN_WEBHOOKS = 50;

const pageFiles = [
	{ path: '/sandbox', name: 'phone.html', type: 'text/html' },
	{ path: '/sandbox/phone.css', name: 'phone.css', type: 'text/css' },
	{ path: '/sandbox/phone.js', name: 'phone.js', type: 'text/javascript' },
	{ path: '/sandbox/icon.svg', name: '../../icons/diyalog.svg', type: 'image/svg+xml' },
];

/** Tells open pages that something changed, by server-sent events; they fetch what they show. */
export class LiveUpdates {
	private readonly streams = new Set<FastifyReply['raw']>();
	private callOff?: () => void;

	/** However much happens at once, pages hear of it once per interval. */
	readonly changed = (): void => {
		this.callOff ??= later(UPDATE_INTERVAL_MS, () => {
			this.callOff = undefined;
			for (const stream of this.streams) stream.write('data: changed\n\n');
		});
	};

	open(reply: FastifyReply): void {
		reply.hijack();
		const stream = reply.raw;
		stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
		stream.write('retry: 1000\n\n');
		this.streams.add(stream);
		stream.on('close', () => this.streams.delete(stream));
	}

	close(): void {
		this.callOff?.();
		for (const stream of this.streams) stream.end();
	}
}

export async function addPhonePage(app: FastifyInstance, diyalog: Diyalog, updates: LiveUpdates) {
	app.get('/', async (_request, reply) => await reply.redirect('/sandbox'));
	for (const { path, name, type } of pageFiles) {
		const text = await readPageFile(name);
		app.get(path, async (_request, reply) => await reply.type(type).send(text));
	}
	app.get('/sandbox/events', (_request, reply) => updates.open(reply));
	app.get<{ Params: { id: string } }>('/sandbox/documents/:id', async (request, reply) => {
		const { id } = request.params;
		const document = diyalog.messages.findLast((each) => each.id === id)?.document;
		if (!document) throw new SandboxError(404, `There is no document "${id}".`);
		const { bytes, type, isShown } = servedAs(document);
		// The name is the sender's; the page gives it to the browser in the link.
		if (!isShown) reply.header('content-disposition', 'attachment');
		return await reply.type(type).send(bytes);
	});
	app.get('/sandbox/state', (request) => stateOf(diyalog, stateQuery.parse(request.query)));
}

const stateQuery = z.object({
	customerNo: z.string().optional(),
	employeeNo: z.string().optional(),
});

/** The message as JSON may carry it: a document's bytes are served by themselves. */
export function withoutFile(message: StoredMessage): StoredMessage {
	if (!message.document) return message;
	return { ...message, document: { ...message.document, fileData: '' } };
}

/** All that the page shows. No token and no secret is in it. */
function stateOf(diyalog: Diyalog, query: z.output<typeof stateQuery>) {
	const { config, people, messages, answers, faults, webhooks } = diyalog;
	const shown = people.find(query)?.userId;
	const own = ({ userId }: { userId: string }) => userId === shown;
	const chat = [
		...messages.filter(own).map((message) => ({ at: message.deliveredAt, message })),
		...answers.filter(own).map((answer) => ({ at: answer.at, answer })),
	];
	return {
		people: people.all.map((person) => ({
			...person,
			unread: messages.filter((each) => each.userId === person.userId && each.readAt === undefined)
				.length,
		})),
		drawnButtons: DRAWN_BUTTONS,
		bots: config.bots.map(({ name, webhook }) => ({ name, webhookUrl: webhook.url ?? '' })),
		chat: chat
			.sort((one, other) => one.at - other.at)
			.slice(-SHOWN_CHAT_ENTRIES)
			.map((entry) =>
				'message' in entry ? { ...entry, message: withoutFile(entry.message) } : entry,
			),
		openReplies: diyalog.messagesWithOpenReplies().filter(own),
		faults,
		hasKeyPerPhone: diyalog.companyApp.hasKeyPerPhone,
		waiting: webhooks.waiting,
		documentsUnderWay: diyalog.documentsUnderWay,
		webhooks: webhooks.log.slice(-SHOWN_WEBHOOKS).reverse(),
	};
}
