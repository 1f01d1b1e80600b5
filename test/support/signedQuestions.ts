import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import type { StoredMessage } from '../../sandbox/diyalog';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { postSigned } from './sign';
import type { Format } from './signedFormats';
import { WaitingInstance } from './waitingInstance';
import type { WaitingExecution } from './waitingInstance';
import { entry, envelope } from './webhookBodies';
import type { WebhookServer } from './webhookServer';

export const SECRET = randomBytes(16).toString('hex');
export const PEOPLE = [
	{ customerNo: '70021', userId: '2074022437' },
	{ customerNo: '70022', userId: '2074022438' },
	{ customerNo: '70023', userId: '2074022439' },
] as const;

type Settings = Record<string, string | boolean>;

export interface Asked {
	execution: WaitingExecution;
	messages: StoredMessage[];
}

export const messageIdOf = ({ messages }: Asked, of = 0): string => messages[of]?.messageId ?? '';

export function sentPayload({ messages }: Asked, to = 0, button = 0): string {
	const payload = messages[to]?.buttonsV2?.[button]?.payload;
	if (payload === undefined) throw new Error('There is no such button');
	return payload;
}

/** Questions to three people that have to be signed, each test with a sandbox and an n8n of its own. */
export class SignedQuestions {
	sandbox!: Sandbox;

	instance!: WaitingInstance;

	trigger!: WebhookServer;

	/** what the nodes read; a test may change it while a question waits */
	credentials!: Settings;

	constructor() {
		beforeEach(async () => {
			this.instance = await WaitingInstance.start();
			this.sandbox = await startSandbox({
				customers: [...PEOPLE],
				bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
			});
		});
		afterEach(async () => {
			expect(this.instance.escaped).toEqual([]);
			await this.sandbox.close();
			await this.instance.close();
		});
	}

	/** The credential for what the app signs. */
	enter({ settings }: Format, others: Settings): void {
		const { url } = this.sandbox;
		this.credentials = {
			serverUrl: url,
			botToken: 'bot-token',
			appSecret: SECRET,
			...settings,
			...others,
		};
	}

	/** That, and an active trigger with the same credential unless it has another one. */
	async use(
		format: Format,
		others: Settings = { payloadSignatureKeys: 'person' },
		ofTrigger: Settings = {},
	): Promise<void> {
		this.enter(format, others);
		this.trigger = await this.instance.serveTrigger({
			credentials: { ...this.credentials, ...ofTrigger },
			parameters: {
				events: ['buttonPressed'],
				authentication: 'signature',
				filters: {},
				options: {},
			},
		});
	}

	async ask(parameters: INodeParameters, input: IDataObject = {}): Promise<Asked> {
		const before = this.sandbox.messages().length;
		const execution = await this.instance.ask(this.credentials, parameters, input);
		return { execution, messages: this.sandbox.messages().slice(before) };
	}

	/** What the trigger says of a press. */
	async press({ messages }: Asked, payload: string, by = 0): Promise<unknown> {
		const text = `[${messages[by]?.messageId}]:${payload}`;
		const about = { ...PEOPLE[by], timestamp: Date.now() };
		const body = envelope(entry({ message: { mid: 'other', text } }, about));
		expect((await postSigned(this.trigger.url, body, SECRET)).status).toBe(200);
		return this.trigger.executions.flat().at(-1);
	}
}
