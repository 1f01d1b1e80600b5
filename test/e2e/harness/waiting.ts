import { randomBytes, randomUUID } from 'node:crypto';
import type { Sandbox } from '../../../sandbox/server';
import { startSandbox } from '../../../sandbox/server';
import type { SandboxConfigInput } from '../../../sandbox/config';
import type { StoredMessage } from '../../../sandbox/diyalog';
import { fs, temporaryFolder, waitFor } from '../../../tools/system';
import { errorOf, firstItemOf, itemsOf } from '../../../tools/n8n/executions';
import { N8n } from '../../../tools/n8n/n8n';
import type { WorkflowDefinition } from '../../../tools/n8n/n8n';
import { packPackage } from '../../../tools/n8n/package';

/* Executions of a real n8n that wait for an answer from a phone of the sandbox. */

const FINISHES_WITHIN_MS = 60_000;
const ARRIVES_WITHIN_MS = 20_000;

const BOT_NAME = 'bot';

/** The name of the node that waits, in every workflow made here. */
export const ASK = 'Ask the customer';

type Node = Readonly<Record<string, unknown>>;

export interface StageOptions {
	settings?: NodeJS.ProcessEnv;
	port?: number;
	sandbox?: SandboxConfigInput;
	/** more fields of the credential */
	credential?: Readonly<Record<string, unknown>>;
	/** parameters of the Diyalog Trigger beside its events */
	trigger?: Readonly<Record<string, unknown>>;
	/** where webhooks are reached from outside, e.g. through a proxy; n8n itself unless given */
	publicUrl?: string;
}

/** A Diyalog Trigger with a workflow of its own. */
export interface AddedTrigger {
	url: string;
	workflowId: string;
}

/** n8n with an active Diyalog Trigger, and a sandbox that posts to it. */
export class Stage {
	private constructor(
		readonly n8n: N8n,
		readonly sandbox: Sandbox,
		readonly credentialId: string,
		readonly botToken: string,
		readonly appSecret: string,
		readonly publicUrl: string,
	) {}

	/** The trigger that Diyalog posts to, and its workflow. */
	private triggerId = '';
	private triggerWorkflow = '';

	static async set(options: StageOptions = {}): Promise<Stage> {
		const folder = await temporaryFolder('pack');
		const tarball = await packPackage(folder);
		const { settings, port } = options;
		const n8n = await N8n.start({ tarball, settings, port });
		await fs.rm(folder, { recursive: true, force: true });
		const appSecret = randomBytes(16).toString('hex');
		const bot = { name: BOT_NAME, token: randomBytes(16).toString('hex'), webhook: { appSecret } };
		const sandbox = await startSandbox({
			bots: [bot],
			batch: { maxWaitMs: 50 },
			...options.sandbox,
		});
		const credentialId = await n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret,
			...options.credential,
		});
		const { publicUrl = n8n.url } = options;
		const stage = new Stage(n8n, sandbox, credentialId, bot.token, appSecret, publicUrl);
		await stage.addTrigger(options.trigger);
		return stage;
	}

	/** where the trigger listens, below `/webhook/` */
	get triggerPath(): string {
		return `${this.triggerId}/webhook`;
	}

	/** One more trigger, to which the sandbox posts from now on. */
	async addTrigger(parameters: Readonly<Record<string, unknown>> = {}): Promise<AddedTrigger> {
		this.triggerId = randomUUID();
		this.triggerWorkflow = await this.n8n.createWorkflow({
			name: 'Presses',
			nodes: [diyalogTrigger(this.credentialId, parameters, this.triggerId)],
			connections: {},
		});
		const url = await this.n8n.webhookUrl(this.triggerPath, this.publicUrl);
		this.sandbox.setWebhookUrl(BOT_NAME, url);
		return { url, workflowId: this.triggerWorkflow };
	}

	async clear(): Promise<void> {
		await this.sandbox.close();
		await this.n8n.stop();
		await this.n8n.remove();
	}

	/** The node that sends and waits. */
	askNode(parameters: Readonly<Record<string, unknown>>): Node {
		return {
			id: randomUUID(),
			name: ASK,
			type: 'n8n-nodes-diyalog.diyalog',
			typeVersion: 1,
			position: [400, 0],
			credentials: { diyalogApi: { id: this.credentialId, name: 'Diyalog' } },
			parameters: {
				resource: 'otp',
				operation: 'sendAndWait',
				customerNo: '70021',
				message: 'Do you approve?',
				...parameters,
			},
		};
	}

	/** A workflow that begins with a call and asks the customer; more nodes can be put in. */
	async createAsking(
		parameters: Readonly<Record<string, unknown>>,
		more: Partial<WorkflowDefinition> = {},
	): Promise<AskingWorkflow> {
		const { nodes = [], connections } = more;
		return await this.createCalled(
			[this.askNode(parameters), ...nodes],
			connections ?? { Call: { main: [[{ node: ASK, type: 'main', index: 0 }]] } },
		);
	}

	/** A workflow that begins with a call; one of its nodes asks the customer. */
	async createCalled(
		nodes: readonly Node[],
		connections: WorkflowDefinition['connections'],
	): Promise<AskingWorkflow> {
		const path = randomUUID();
		const id = await this.n8n.createWorkflow({
			name: 'Ask',
			nodes: [callNode(path), ...nodes],
			connections,
		});
		return new AskingWorkflow(this, id, await this.n8n.webhookUrl(path, this.publicUrl));
	}

	/** A workflow to be run by hand in the editor, which asks the customer. */
	async saveAskingByHand(parameters: Readonly<Record<string, unknown>>): Promise<string> {
		const start: Node = {
			id: randomUUID(),
			name: 'Start',
			type: 'n8n-nodes-base.manualTrigger',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		};
		const { id } = await this.n8n.saveWorkflow({
			name: 'Approve a transfer',
			nodes: [start, this.askNode(parameters)],
			connections: { Start: { main: [[{ node: ASK, type: 'main', index: 0 }]] } },
		});
		return id;
	}

	/** The message that comes to a phone next after some that are there. */
	async messageAfter(count: number): Promise<StoredMessage> {
		return await waitFor('the message', ARRIVES_WITHIN_MS, () => this.sandbox.messages()[count]);
	}

	/** What a trigger, the newest unless told otherwise, has put out in its last 100 executions, oldest first. */
	async triggered(workflowId = this.triggerWorkflow): Promise<unknown[]> {
		const executions = await this.n8n.executions(workflowId);
		const items: unknown[] = [];
		for (const { id } of [...executions].sort((a, b) => Number(a.id) - Number(b.id))) {
			items.push(...itemsOf(await this.n8n.executionData(id), 'Diyalog Trigger'));
		}
		return items;
	}

	/** The item of the trigger with this messageId; a typed text's is the message that was delivered last. */
	async triggeredFor(messageId: string, count = 1): Promise<unknown[]> {
		return await waitFor(`${count} trigger items`, ARRIVES_WITHIN_MS, async () => {
			const all = await this.triggered();
			const found = all.filter((item) => JSON.stringify(item).includes(messageId));
			return found.length >= count ? found : undefined;
		});
	}

	async press(message: StoredMessage, button: string | number): Promise<void> {
		this.sandbox.pressButton({ messageId: message.messageId, id: message.id, button });
		await this.sandbox.flush();
	}

	async type(text: string, customerNo = '70021'): Promise<void> {
		this.sandbox.typeText({ customerNo, text });
		await this.sandbox.flush();
	}
}

export const diyalogTrigger = (
	credentialId: string,
	parameters: Readonly<Record<string, unknown>>,
	webhookId: string,
): Node => ({
	id: 'trigger',
	name: 'Diyalog Trigger',
	type: 'n8n-nodes-diyalog.diyalogTrigger',
	typeVersion: 2,
	position: [0, 0],
	webhookId,
	credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } },
	parameters: {
		events: ['buttonPressed', 'textReceived'],
		authentication: 'signature',
		...parameters,
	},
});

const callNode = (path: string): Node => ({
	id: randomUUID(),
	name: 'Call',
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2,
	position: [0, 0],
	webhookId: randomUUID(),
	parameters: { httpMethod: 'POST', path, responseMode: 'onReceived', options: {} },
});

/** A workflow that asks a customer. */
export class AskingWorkflow {
	constructor(
		private readonly stage: Stage,
		readonly id: string,
		readonly url: string,
	) {}

	private async call(body: unknown): Promise<void> {
		await fetch(this.url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		});
	}

	/** Runs a workflow that asks nobody to its end, and gives the data of the execution. */
	async run(body: unknown = { order: 17 }): Promise<string> {
		const { n8n } = this.stage;
		const known = (await n8n.executions(this.id)).length;
		await this.call(body);
		const id = await waitFor('the end of the execution', FINISHES_WITHIN_MS, async () => {
			const [newest, ...others] = await n8n.executions(this.id);
			return others.length === known && newest?.status === 'success' ? newest.id : undefined;
		});
		return await n8n.executionData(id);
	}

	/** Starts an execution and waits until the message is on the phone. */
	async start(body: unknown = { order: 17 }): Promise<Asked> {
		const { sandbox, n8n } = this.stage;
		const messages = sandbox.messages().length;
		const known = new Set((await n8n.executions(this.id)).map(({ id }) => id));
		await this.call(body);
		const message = await waitFor('the message', ARRIVES_WITHIN_MS, async () => {
			const [newest] = await n8n.executions(this.id);
			if (newest && newest.status === 'error' && !known.has(newest.id)) {
				throw new Error(JSON.stringify(errorOf(await n8n.executionData(newest.id))));
			}
			return sandbox.messages()[messages];
		});
		const executionId = await waitFor('the waiting execution', ARRIVES_WITHIN_MS, async () => {
			const found = (await n8n.executions(this.id)).find(({ id }) => !known.has(id));
			return found?.status === 'waiting' ? found.id : undefined;
		});
		return new Asked(this.stage, this.id, executionId, message);
	}
}

/** An execution that waits for an answer. */
export class Asked {
	constructor(
		private readonly stage: Stage,
		private readonly workflowId: string,
		readonly executionId: string,
		readonly message: StoredMessage,
	) {}

	async status(): Promise<string> {
		const executions = await this.stage.n8n.executions(this.workflowId);
		return executions.find(({ id }) => id === this.executionId)?.status ?? 'unknown';
	}

	/** Waits until the execution has ended well, and gives its data. */
	async record(withinMs = FINISHES_WITHIN_MS): Promise<string> {
		await waitFor('the end of the execution', withinMs, async () =>
			(await this.status()) === 'success' ? true : undefined,
		);
		return await this.stage.n8n.executionData(this.executionId);
	}

	/** Waits until the execution has ended, and gives the item with which it continued. */
	async outcome(withinMs = FINISHES_WITHIN_MS): Promise<unknown> {
		return firstItemOf(await this.record(withinMs), ASK);
	}
}
