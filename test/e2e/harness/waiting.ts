import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Sandbox } from '../../../sandbox/server';
import { startSandbox } from '../../../sandbox/server';
import type { SandboxConfigInput } from '../../../sandbox/config';
import type { StoredMessage } from '../../../sandbox/diyalog';
import { waitFor } from '../../../tools/system';
import { postJson } from '../../../tools/postJson';
import { errorOf, firstItemOf, itemsOf, outputsLeft } from '../../../tools/n8n/executions';
import { N8n } from '../../../tools/n8n/n8n';
import * as workflows from './workflows';
import {
	ASK,
	asModel,
	asTool,
	behind,
	chatModel,
	manualTrigger,
	webhook,
	workflow,
} from './workflows';
import type { Fields, Row, WorkflowNode } from './workflows';

/* Executions of a real n8n that wait for an answer from a phone of the sandbox. */

const FINISHES_WITHIN_MS = 60_000;
const ARRIVES_WITHIN_MS = 20_000;

const BOT_NAME = 'bot';

/** Through which output each decision has to leave, and through no other. */
const OUTPUT_OF: Readonly<Record<string, number>> = {
	approved: 0,
	codeMatched: 0,
	chosen: 0,
	answered: 0,
	delivered: 0,
	expired: 1,
	notDelivered: 1,
	declined: 2,
	tooManyAttempts: 2,
};

const decidedSchema = z.object({ decision: z.string() });

/** The item with which a question ended. It has left through the output of its decision. */
export function endOf(data: string, nodeName = ASK): unknown {
	const item = firstItemOf(data, nodeName);
	const { decision } = decidedSchema.parse(item);
	const [left, ...others] = outputsLeft(data, nodeName);
	if (left === undefined || left !== OUTPUT_OF[decision] || others.length > 0)
		throw new Error(`${decision} left through ${[left, ...others].join(' and ')}`);
	return item;
}

export interface StageOptions {
	settings?: NodeJS.ProcessEnv;
	port?: number;
	/** the release of n8n */
	version?: string;
	sandbox?: SandboxConfigInput;
	/** more fields of the credential */
	credential?: Fields;
	/** parameters of the Diyalog Trigger beside its events */
	trigger?: Fields;
	/** where webhooks are reached from outside, e.g. through a proxy; n8n itself unless given */
	publicUrl?: string;
}

/** What stands behind a call: rows of which the first goes on behind it, or all rows, made with the node that is called. */
export type CalledRows = readonly Row[] | ((call: WorkflowNode) => readonly Row[]);

const savedSchema = z.object({
	data: z.object({
		nodes: z.array(z.record(z.unknown())),
		connections: z.record(z.unknown()),
		versionId: z.string(),
	}),
});

/** A Diyalog Trigger with a workflow of its own. */
export interface AddedTrigger {
	url: string;
	workflowId: string;
}

/** What the Diyalog Trigger of a workflow has put out in its last 100 executions, oldest first. */
export async function itemsOfTrigger(
	n8n: N8n,
	workflowId: string,
	name = 'Diyalog Trigger',
): Promise<unknown[]> {
	const executions = await n8n.executions(workflowId);
	const items: unknown[] = [];
	for (const { id } of [...executions].sort((a, b) => Number(a.id) - Number(b.id))) {
		items.push(...itemsOf(await n8n.executionData(id), name));
	}
	return items;
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
		const { settings, port, version } = options;
		const n8n = await N8n.start({ settings, port, version });
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
	async addTrigger(parameters: Fields = {}): Promise<AddedTrigger> {
		this.triggerId = randomUUID();
		const node = workflows.trigger(this.credentialId, this.triggerId, {
			events: ['buttonPressed', 'textReceived'],
			...parameters,
		});
		this.triggerWorkflow = await this.n8n.createWorkflow(workflow('Presses', [[node]]));
		const url = await this.n8n.webhookUrl(this.triggerPath, this.publicUrl);
		this.sandbox.setWebhookUrl(BOT_NAME, url);
		return { url, workflowId: this.triggerWorkflow };
	}

	async clear(): Promise<void> {
		await this.sandbox.close();
		await this.n8n.stop();
		await this.n8n.remove();
	}

	/** Asks a customer and waits for the answer. */
	ask(parameters: Fields = {}, more: Fields = {}): WorkflowNode {
		return workflows.ask(this.credentialId, parameters, more);
	}

	/** Sends a message. */
	send(parameters: Fields = {}, more: Fields = {}): WorkflowNode {
		return workflows.send(this.credentialId, parameters, more);
	}

	/** Sends a message when a question was answered. */
	carryOut(): WorkflowNode {
		return workflows.carryOut(this.credentialId);
	}

	/** A workflow that begins with a call and asks the customer, with what goes on behind the question. */
	async createAsking(parameters: Fields = {}, ...after: WorkflowNode[]): Promise<AskingWorkflow> {
		return await this.createCalled([[this.ask(parameters), ...after]]);
	}

	/** A workflow that begins with a call; one of its nodes asks the customer. */
	async createCalled(rows: CalledRows, settings: Fields = {}): Promise<AskingWorkflow> {
		const path = randomUUID();
		const call = webhook(path);
		const all = typeof rows === 'function' ? rows(call) : behind(call, rows);
		const id = await this.n8n.createWorkflow(workflow('Ask', all, settings));
		return new AskingWorkflow(this, id, await this.n8n.webhookUrl(path, this.publicUrl));
	}

	/** A workflow to be run by hand in the editor, which asks the customer. */
	async saveAskingByHand(parameters: Fields): Promise<string> {
		const rows = [[manualTrigger(), this.ask(parameters)]];
		return (await this.n8n.saveWorkflow(workflow('Approve a transfer', rows))).id;
	}

	/** A workflow's nodes as n8n has them, and their version. */
	async saved(id: string): Promise<z.output<typeof savedSchema>['data']> {
		const resource = `/rest/workflows/${id}`;
		return (await this.n8n.request('GET', resource, undefined, savedSchema)).data;
	}

	/** An agent that asks a model of ours and has one tool: the rows beside the one in which it works. */
	async agentWith(
		tool: WorkflowNode,
		chatUrl: string,
		typeVersion?: number,
	): Promise<{ agent: WorkflowNode; rows: Row[] }> {
		const apiKey = { apiKey: 'a-key', url: chatUrl, header: false };
		const model = chatModel(await this.n8n.createCredential('Model', apiKey, 'openAiApi'));
		const agent = workflows.agent(typeVersion);
		return {
			agent,
			rows: [
				[asModel(model), agent],
				[asTool(tool), agent],
			],
		};
	}

	/** The message that comes to a phone next after some that are there. */
	async messageAfter(count: number): Promise<StoredMessage> {
		return await waitFor('the message', ARRIVES_WITHIN_MS, () => this.sandbox.messages()[count]);
	}

	/** What a trigger, the newest unless told otherwise, has put out in its last 100 executions, oldest first. */
	async triggered(workflowId = this.triggerWorkflow): Promise<unknown[]> {
		return await itemsOfTrigger(this.n8n, workflowId);
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

/** A workflow that asks a customer. */
export class AskingWorkflow {
	constructor(
		private readonly stage: Stage,
		readonly id: string,
		readonly url: string,
	) {}

	private async call(body: unknown): Promise<void> {
		await postJson(this.url, body);
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

	/** Waits until the execution has ended, and gives the item with which it continued; {@link endOf} looks at its way. */
	async outcome(withinMs = FINISHES_WITHIN_MS): Promise<unknown> {
		return endOf(await this.record(withinMs));
	}
}
