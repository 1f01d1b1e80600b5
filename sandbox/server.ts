import Fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PhoneKey } from './companyApp';
import { describeIssues, faultsSchema, parseConfig, webhookUrlSchema } from './config';
import type { Faults, SandboxConfig, SandboxConfigInput } from './config';
import { Diyalog, realSurroundings } from './diyalog';
import type {
	CustomerAnswer,
	PressRequest,
	StoredMessage,
	Surroundings,
	TypeRequest,
} from './diyalog';
import { refuseStrangers } from './guard';
import { filterMessages, filterSchema, otpsAsCsv } from './otpList';
import type { PersonRequest } from './people';
import { addPhonePage, LiveUpdates, withoutFile } from './phonePage';
import { isJsonType, malformed, parseJson, Refusal } from './refusals';
import { SandboxError } from './sandboxError';
import type { WebhookDelivery } from './webhooks';

const MIB = 1024 * 1024;
const MAX_BODY_BYTES = MIB;
/** Of SendMessage: what is larger than its documents may be still gets the documented answer. */
const MAX_MESSAGE_BYTES = 16 * MIB;
const MAX_TOKEN_CHARACTERS = 4_096;

export interface Sandbox {
	/** Where Diyalog's API begins, e.g. http://127.0.0.1:40123 */
	url: string;
	config: SandboxConfig;
	/**
	 * Of the company's app, as PEM, to verify payloadHidden buttons; absent with a shared secret and where each phone has
	 * a key of its own.
	 */
	publicKey?: string;
	/** What verifies the signatures of this person's phone. It is made now if it was not needed before. */
	phoneKey(person: PersonRequest): PhoneKey;
	messages(): readonly StoredMessage[];
	webhookLog(): readonly WebhookDelivery[];
	/** How many times did the person get it? */
	timesReceived(message: PersonRequest & { messageId: string }): number;
	setWebhookUrl(botName: string, url: string): void;
	setFaults(faults: Partial<Faults>): Faults;
	pressButton(request: PressRequest): CustomerAnswer;
	typeText(request: TypeRequest): CustomerAnswer;
	markRead(request: PersonRequest): StoredMessage[];
	/** Posts a webhook of the log once more, byte for byte. */
	resendWebhook(id: number): Promise<WebhookDelivery>;
	/** Sends the events gathered so far and waits for every answer. */
	flush(): Promise<void>;
	close(): Promise<void>;
}

export async function startSandbox(
	configInput: SandboxConfigInput = {},
	surroundings: Surroundings = realSurroundings,
): Promise<Sandbox> {
	const config = parseConfig(configInput);
	const updates = new LiveUpdates();
	const diyalog = new Diyalog(config, surroundings, updates.changed);
	const app = Fastify({
		// A request log would hold the bot token, which stands in the path.
		logger: false,
		forceCloseConnections: true,
		bodyLimit: MAX_BODY_BYTES,
		routerOptions: { maxParamLength: MAX_TOKEN_CHARACTERS },
		// Before routing there is no error handler; fastify's own answers quote the path.
		frameworkErrors: (_error, _request, reply) => {
			reply.hijack();
			reply.raw.writeHead(400, { 'content-type': 'text/plain' }).end('The path is not valid.');
		},
	});
	const sandbox: Sandbox = {
		url: '',
		config,
		publicKey: diyalog.companyApp.publicKey,
		phoneKey: (person) => diyalog.companyApp.phoneKey(diyalog.people.named(person)),
		messages: () => diyalog.messages,
		webhookLog: () => diyalog.webhooks.log,
		timesReceived: (message) => diyalog.timesReceived(message, message.messageId),
		setWebhookUrl: (botName, url) => {
			diyalog.bot(botName).webhook.url = parsed(webhookUrlSchema, url);
			updates.changed();
		},
		setFaults: (faults) => diyalog.setFaults(faults),
		pressButton: (request) => diyalog.press(request),
		typeText: (request) => diyalog.typeText(request),
		markRead: (request) => diyalog.markRead(request),
		resendWebhook: async (id) => {
			const delivery = await diyalog.webhooks.resend(id);
			if (!delivery) throw new SandboxError(404, `There is no webhook ${id} in the log.`);
			return delivery;
		},
		flush: async () => await diyalog.webhooks.flush(),
		close: async () => {
			updates.close();
			await diyalog.close();
			await app.close();
		},
	};
	// Bodies stay raw bytes: a wrong token has to be refused before its body is looked at.
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
	app.setErrorHandler(answerError);
	app.setNotFoundHandler((_request, reply) =>
		reply.code(404).type('text/plain').send('The requested resource could not be found.'),
	);
	app.addHook('onRequest', refuseStrangers(config));
	app.post<{ Params: { token: string } }>(
		`${config.pathPrefix}/v1/bots/sendmok/:token`,
		(request) =>
			diyalog.sendOtp(request.params.token, request.headers['content-type'], request.body),
	);
	app.post<{ Params: { token: string } }>(
		`${config.pathPrefix}/v1/bots/sendmessage/:token`,
		{ bodyLimit: MAX_MESSAGE_BYTES },
		(request) =>
			diyalog.sendMessage(request.params.token, request.headers['content-type'], request.body),
	);
	addSandboxRoutes(app, sandbox);
	await addPhonePage(app, diyalog, updates);
	try {
		const origin = await app.listen({ host: config.host, port: config.port });
		sandbox.url = origin + config.pathPrefix;
	} catch (error) {
		await app.close();
		throw listenError(error, config);
	}
	return sandbox;
}

const personSchema = z.object({
	customerNo: z.string().optional(),
	employeeNo: z.string().optional(),
	userId: z.string().optional(),
});
const pressSchema = personSchema.extend({
	messageId: z.string(),
	button: z.union([z.string(), z.number().int()]),
	id: z.string().optional(),
});
const typeSchema = personSchema.extend({
	text: z.string().min(1).max(10_000),
	botName: z.string().optional(),
});
const webhookSchema = z.object({ url: webhookUrlSchema });
const timesSchema = personSchema.extend({ messageId: z.string() });

/** What the phone page, tests in other processes and people with curl use. */
function addSandboxRoutes(app: FastifyInstance, sandbox: Sandbox): void {
	const messages = (request: FastifyRequest) =>
		filterMessages(sandbox.messages(), parsed(filterSchema, request.query));
	app.get('/sandbox/messages', (request) => messages(request).map(withoutFile));
	app.get('/sandbox/messages.csv', async (request, reply) => {
		reply.header('content-disposition', 'attachment; filename="otps.csv"');
		return await reply.type('text/csv; charset=utf-8').send(otpsAsCsv(messages(request)));
	});
	app.get('/sandbox/webhooks', () => sandbox.webhookLog());
	app.get('/sandbox/times-received', (request) => ({
		times: sandbox.timesReceived(parsed(timesSchema, request.query)),
	}));
	app.get('/sandbox/key', (request) => sandbox.phoneKey(parsed(personSchema, request.query)));
	app.post('/sandbox/press', (request) => sandbox.pressButton(body(pressSchema, request)));
	app.post('/sandbox/type', (request) => sandbox.typeText(body(typeSchema, request)));
	app.post('/sandbox/read', (request) =>
		sandbox.markRead(body(personSchema, request)).map(withoutFile),
	);
	app.post('/sandbox/flush', async () => {
		await sandbox.flush();
		return { webhooks: sandbox.webhookLog().length };
	});
	app.post<{ Params: { id: string } }>(
		'/sandbox/webhooks/:id/resend',
		async (request) => await sandbox.resendWebhook(Number(request.params.id)),
	);
	app.put('/sandbox/faults', (request) => sandbox.setFaults(body(faultsSchema.partial(), request)));
	app.put<{ Params: { name: string } }>('/sandbox/bots/:name/webhook', (request) => {
		const { url } = body(webhookSchema, request);
		sandbox.setWebhookUrl(request.params.name, url);
		return { url };
	});
}

function body<Schema extends z.ZodTypeAny>(schema: Schema, request: FastifyRequest) {
	// Browsers send JSON to another origin only after asking, which nobody here answers.
	if (!isJsonType(request.headers['content-type'])) {
		throw new SandboxError(415, 'Send the body as Content-Type: application/json.');
	}
	return parsed(schema, parseJson(request.body));
}

function parsed<Schema extends z.ZodTypeAny>(schema: Schema, value: unknown): z.output<Schema> {
	const result = schema.safeParse(value);
	if (!result.success) throw new SandboxError(400, describeIssues(result.error));
	const data: z.output<Schema> = result.data;
	return data;
}

/** Diyalog's own API answers in plain text, the sandbox's in JSON. Neither ever quotes the request. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
	if (error instanceof SandboxError) return reply.code(error.status).send({ error: error.message });
	const refusal = error instanceof Refusal ? error : refusalOf(statusOf(error), request);
	return reply.code(refusal.status).type('text/plain; charset=utf-8').send(refusal.message);
}

function statusOf(error: unknown): unknown {
	return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}

function refusalOf(status: unknown, { routeOptions }: FastifyRequest): Refusal {
	if (status === 413) {
		const limit = (routeOptions.bodyLimit ?? MAX_BODY_BYTES) / MIB;
		return new Refusal(413, `The request content is larger than ${limit} MiB.`);
	}
	if (status === 415) return malformed('Content-Type must be application/json.');
	if (status === 400) return malformed('the request could not be read.');
	return new Refusal(500, 'The sandbox itself failed. Please report how this was reached.');
}

function listenError(error: unknown, { host, port }: SandboxConfig): Error {
	const code = error instanceof Error && 'code' in error ? error.code : '';
	if (code !== 'EADDRINUSE') return error instanceof Error ? error : new Error(String(error));
	return new Error(
		`Port ${port} on ${host} is in use by another program. Stop it, or choose a port with --port.`,
		{ cause: error },
	);
}
