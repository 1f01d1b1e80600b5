import { z } from 'zod';
import { signDataSchema } from './signData';

export const subscriptions = [
	'MessageEchoes',
	'MessageDeliveries',
	'MessageReads',
	'Messages',
] as const;

/** Diyalog's ids are 64-bit integers in strings, and may be negative. */
const numericId = z.string().regex(/^-?\d{1,19}$/, 'must be an integer in a string');
const httpUrl = z
	.string()
	.url()
	.regex(/^https?:\/\//i, 'must begin with http:// or https://');

export const webhookUrlSchema = httpUrl;

const botSchema = z.object({
	name: z.string().min(1),
	token: z.string().min(1),
	botId: numericId.default('1614379680'),
	/** False: the server answers "Sender bot is not alive." */
	active: z.boolean().default(true),
	webhook: z
		.object({
			id: z.string().default('OTP'),
			/** Without one, what would have been posted is only logged. */
			url: httpUrl.optional(),
			appSecret: z.string().min(1).default('sandbox-app-secret'),
			subscribedEvents: z.array(z.enum(subscriptions)).default([...subscriptions]),
		})
		.default({}),
});

const customerSchema = z.object({
	customerNo: z.string().min(1),
	userId: numericId,
	name: z.string().default(''),
});

const employeeSchema = z.object({
	/** SendMessage's appStaffId. */
	employeeNo: z.string().min(1),
	userId: numericId,
	name: z.string().default(''),
});

/** The bot token of the default configuration: public, so good for nothing but the sandbox. */
export const DEFAULT_BOT_TOKEN = 'sandbox-bot-token';

function unique<T>(key: (value: T) => string) {
	return (values: T[]) => new Set(values.map(key)).size === values.length;
}

export const configSchema = z
	.object({
		host: z.string().min(1).default('127.0.0.1'),
		/** 0 takes any free port. */
		port: z.number().int().min(0).max(65_535).default(0),
		/** Names other than loopback under which the sandbox may be addressed, e.g. host.docker.internal. */
		allowedHosts: z.array(z.string()).default([]),
		/** Where Diyalog's API begins, for servers behind a path prefix: "/diyalog" or "". */
		pathPrefix: z
			.string()
			.regex(/^(\/[\w.-]+)*$/, 'must be empty or like "/diyalog"')
			.default(''),
		bots: z
			.array(botSchema)
			.min(1)
			.refine(
				unique((bot) => bot.name),
				'two bots have the same name',
			)
			.refine(
				unique((bot) => bot.token),
				'two bots have the same token',
			)
			.default([{ name: 'otp-bot', token: DEFAULT_BOT_TOKEN }]),
		customers: z
			.array(customerSchema)
			.refine(
				unique((customer) => customer.customerNo),
				'two customers have the same customerNo',
			)
			.default([
				{ customerNo: '70021', userId: '243540663', name: 'Ayşe Yılmaz' },
				{ customerNo: '70022', userId: '1588406039', name: 'Mehmet Öztürk' },
				{ customerNo: '123456789', userId: '2074022437', name: 'Zeynep Işık' },
			]),
		/** SendMessage reaches them, SendOTP does not. */
		employees: z
			.array(employeeSchema)
			.refine(
				unique((employee) => employee.employeeNo),
				'two employees have the same employeeNo',
			)
			.default([
				{ employeeNo: 'E100', userId: '3021457781', name: 'Deniz Arslan' },
				{ employeeNo: 'E101', userId: '3187702265', name: 'Elif Şahin' },
				{ employeeNo: 'E102', userId: '3390118846', name: 'Burak Koç' },
				{ employeeNo: 'E103', userId: '3512200417', name: 'Selin Kaya' },
				{ employeeNo: 'E104', userId: '3674409982', name: 'Mert Aydın' },
			]),
		/** What an employee's events say as appCustomerId: documented nowhere. */
		employeeAppCustomerId: z.enum(['missing', 'empty', 'staffId']).default('missing'),
		/** From the answer to a document until it is on the phone. */
		documentDelayMs: z.number().int().min(0).max(3_600_000).default(300),
		batch: z
			.object({
				maxEvents: z.number().int().min(1).default(10),
				maxWaitMs: z.number().int().min(0).default(5_000),
			})
			.default({}),
		/** How X-Signature is written: Diyalog documents the HMAC, but not its spelling. */
		signature: z
			.object({
				encoding: z.enum(['hex', 'HEX', 'base64']).default('hex'),
				prefix: z.enum(['', 'sha1=']).default(''),
			})
			.default({}),
		ids: z
			.object({
				/** message_id of the answer: the documentation's example and its prose disagree. */
				answer: z.enum(['diyalog', 'sender']).default('diyalog'),
				/** mid of the webhook: every documented example has the sender's. */
				mid: z.enum(['diyalog', 'sender']).default('sender'),
			})
			.default({}),
		signData: signDataSchema.default({}),
	})
	.strict()
	.refine(
		({ customers, employees }) =>
			unique(({ userId }: { userId: string }) => userId)([...customers, ...employees]),
		'two people have the same userId',
	);

export type SandboxConfigInput = z.input<typeof configSchema>;
export type SandboxConfig = z.output<typeof configSchema>;
export type Bot = SandboxConfig['bots'][number];

/** What goes wrong on demand. All of it is off at the start and can be changed while running. */
export const faultsSchema = z
	.object({
		/** Every webhook is posted twice, byte for byte. */
		duplicates: z.boolean(),
		/** Webhooks reach the receiver that much later than they were stamped and signed. */
		delayMs: z.number().int().min(0).max(3_600_000),
		/** Events gather for the whole waiting time, then leave newest first. */
		outOfOrder: z.boolean(),
		/** Webhooks are lost, as if nobody listened at the webhook URL. */
		unreachable: z.boolean(),
		/** All phones are switched off: Diyalog takes messages and hands them out once they are on again. */
		phonesOff: z.boolean(),
		/** payloadHidden buttons come back signed with a key that is on no phone. */
		forgeSignature: z.boolean(),
		/** payloadHidden buttons come back signed with another person's key. Only where each phone has its own. */
		otherPhonesKey: z.boolean(),
		/** payloadHidden buttons come back with the last signed payload of the phone's earlier questions. */
		replaySignature: z.boolean(),
		/** An app of an earlier version: payloadHidden buttons come back unsigned, whatever else is on. */
		signDataUnsupported: z.boolean(),
		/** What customers' events say as appCustomerId. Employees: employeeAppCustomerId. */
		customerNoInEvents: z.enum(['present', 'missing', 'empty']),
	})
	.strict();
export type Faults = z.infer<typeof faultsSchema>;

export function parseConfig(input: unknown): SandboxConfig {
	const result = configSchema.safeParse(input);
	if (result.success) return result.data;
	throw new Error(`The sandbox configuration does not fit: ${describeIssues(result.error)}`);
}

/** Names what is wrong and where, never the value: it may be a token. */
export function describeIssues(error: z.ZodError): string {
	return error.issues
		.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
		.join('; ');
}
