import { randomBytes, randomUUID } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { callsBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { describeUnless } from '../support/skip';
import { sleepMs, waitFor } from '../../tools/system';
import { startMcpServer } from '../support/mcpServer';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { agent } from './harness/agents';
import {
	asModel,
	asTool,
	chatModel,
	deedTool,
	node,
	set,
	trigger,
	webhook,
	workflow,
} from './harness/workflows';
import type { WorkflowNode } from './harness/workflows';

const bot = {
	name: 'bot',
	token: randomBytes(16).toString('hex'),
	webhook: { appSecret: randomBytes(16).toString('hex') },
};

const customerNo = '70021';
const ENDED = ['success', 'error', 'crashed', 'canceled'];

describeUnless(whyNoQueueMode(), 'reviews in queue mode', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let chat: ChatServer;
	let credentialId: string;
	let modelId: string;
	beforeAll(async () => {
		chat = await startChatServer({});
		sandbox = await startSandbox({ bots: [bot], batch: { maxWaitMs: 50 } });
		queue = await startQueueMode();
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret: bot.webhook.appSecret,
		});
		modelId = await queue.n8n.createCredential(
			'Model',
			{ apiKey: 'a-key', url: chat.url, header: false },
			'openAiApi',
		);
		const webhookId = randomUUID();
		await queue.n8n.createWorkflow(workflow('Presses', [[trigger(credentialId, webhookId, {})]]));
		sandbox.setWebhookUrl(
			bot.name,
			await queue.n8n.webhookUrl(`${webhookId}/webhook`, queue.webhookProcess.url),
		);
	}, 900_000);
	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
		await chat?.close();
	}, 120_000);

	const review = (): WorkflowNode =>
		node(
			'Ask a person',
			'n8n-nodes-diyalog.diyalogHitlTool',
			1,
			{ message: '=May I?', customerNo },
			{
				credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } },
			},
		);

	/** An agent works on an item, and a person approves each call of its tool; every worker may be killed once it has run. */
	async function approveAll(item: object, tool: WorkflowNode, killsWorkers = false): Promise<void> {
		const working = agent();
		const asking = review();
		const path = randomUUID();
		const id = await queue.n8n.createWorkflow(
			workflow(path, [
				[webhook(path), set('Task', item), working],
				[asModel(chatModel(modelId)), working],
				[asTool(tool), asking],
				[asTool(asking), working],
			]),
		);
		const url = await queue.n8n.webhookUrl(path, queue.webhookProcess.url);
		let number = sandbox.messages().length;
		await fetch(url, { method: 'POST' });
		for (;;) {
			const asked = await waitFor('a question or the end', 60_000, async () => {
				const [{ status } = { status: 'new' }] = await queue.n8n.executions(id);
				if (ENDED.includes(status)) return { messageId: undefined };
				return status === 'waiting' ? sandbox.messages()[number] : undefined;
			});
			if (asked.messageId === undefined) return;
			number++;
			sandbox.pressButton({ customerNo, messageId: asked.messageId, button: 'Approve' });
			await sandbox.flush();
			if (killsWorkers) await replaceWorkers();
		}
	}

	async function replaceWorkers(): Promise<void> {
		await waitFor('a deed', 60_000, () => chat.deeds.length > 0 || undefined);
		for (const worker of queue.workers) await worker.kill();
		const started = [await queue.n8n.addProcess('worker'), await queue.n8n.addProcess('worker')];
		queue.workers.splice(0, queue.workers.length, ...started);
	}

	const transfer = (): WorkflowNode =>
		deedTool(
			'Transfer',
			chat.toolUrl,
			"={{ { amount: $fromAI('amount', 'How much', 'string') } }}",
		);
	const call = (amount: string) => ({
		tool: 'Transfer',
		said: { toolParameters: { amount }, hitlParameters: { approved: true } },
	});

	beforeEach(() => void chat.deeds.splice(0));

	it('1. two calls of one turn: each runs once, as it was approved', async () => {
		chat.turnOf = (asked) => (callsBefore(asked) === 0 ? [call('1'), call('2')] : 'done');
		await approveAll({ name: 'Zeynep', approved: true, data: { approved: true } }, transfer());
		expect(chat.deeds).toEqual([{ amount: '1' }, { amount: '2' }]);
	}, 200_000);

	it('2. two calls of a tool of an MCP server, one after the other', async () => {
		const bank = await startMcpServer();
		const tool = node('Bank', '@n8n/n8n-nodes-langchain.mcpClientTool', 1.4, {
			endpointUrl: bank.url,
			serverTransport: 'httpStreamable',
			authentication: 'none',
			include: 'all',
			options: {},
		});
		const toolParameters = { account: '1', amount: '5', to: 'Ali' };
		const said = { toolParameters, hitlParameters: {} };
		chat.turnOf = (asked) => (callsBefore(asked) < 2 ? [{ tool: 'Bank_transfer', said }] : 'done');
		try {
			await approveAll({ chatInput: 'Work' }, tool);
			const called = { name: 'transfer', arguments: toolParameters };
			expect(bank.called).toEqual([called, called]);
		} finally {
			await bank.close();
		}
	}, 200_000);

	it('3. all workers are killed after the approved tool has run: it does not run again', async () => {
		chat.turnOf = (asked) => (callsBefore(asked) === 0 ? [call('1')] : 'done');
		await approveAll({ name: 'Zeynep' }, transfer(), true);
		// In this time n8n notices dead workers, and gives their work to others.
		await sleepMs(15_000);
		expect(chat.deeds).toEqual([{ amount: '1' }]);
	}, 200_000);
});
