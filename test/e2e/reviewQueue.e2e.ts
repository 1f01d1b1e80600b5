import { randomBytes, randomUUID } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { callsBefore, saidBefore, startChatServer } from '../support/chatServer';
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
			{ message: '=May I?', customerNo: '70021' },
			{
				credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } },
			},
		);

	async function run(name: string, item: object, tool: WorkflowNode, killAfterFirst = false) {
		const working = agent();
		const asking = review();
		const path = randomUUID();
		const id = await queue.n8n.createWorkflow(
			workflow(name, [
				[webhook(path), set('Task', item), working],
				[asModel(chatModel(modelId)), working],
				[asTool(tool), asking],
				[asTool(asking), working],
			]),
		);
		const url = await queue.n8n.webhookUrl(path, queue.webhookProcess.url);
		const before = sandbox.messages().length;
		await fetch(url, { method: 'POST' });
		for (let number = before; ; number++) {
			const found = await waitFor('a question or the end', 60_000, async () => {
				const [newest] = await queue.n8n.executions(id);
				const message = sandbox.messages()[number];
				if (newest?.status === 'waiting' && message) return message;
				return newest && ['success', 'error', 'crashed', 'canceled'].includes(newest.status)
					? newest.status
					: undefined;
			});
			if (typeof found === 'string') {
				console.log(
					name,
					found,
					JSON.stringify({
						asked: sandbox
							.messages()
							.slice(before)
							.map(({ text }) => text),
						deeds: chat.deeds,
					}),
				);
				return;
			}
			sandbox.pressButton({ customerNo: '70021', messageId: found.messageId, button: 'Approve' });
			await sandbox.flush();
			if (killAfterFirst) {
				await waitFor('a deed', 60_000, () => (chat.deeds.length > 0 ? true : undefined));
				for (const worker of queue.workers) await worker.kill();
				await sleepMs(500);
				queue.workers.splice(
					0,
					2,
					await queue.n8n.addProcess('worker'),
					await queue.n8n.addProcess('worker'),
				);
			}
		}
	}
	beforeEach(() => void chat.deeds.splice(0));

	it('J1. two calls of a payment in one turn', async () => {
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: { approved: true } },
		});
		chat.turnOf = (asked) =>
			callsBefore(asked) === 0 ? [call('1'), call('2')] : `told ${saidBefore(asked).length}`;
		await run(
			'J1',
			{ name: 'Zeynep', approved: true, data: { approved: true } },
			deedTool(
				'Transfer',
				chat.toolUrl,
				"={{ { amount: $fromAI('amount', 'How much', 'string') } }}",
			),
		);
		expect(chat.deeds).toEqual([{ amount: '1' }, { amount: '2' }]);
	}, 200_000);

	it('J2. MCP tool', async () => {
		const bank = await startMcpServer();
		const tool = node('Bank', '@n8n/n8n-nodes-langchain.mcpClientTool', 1.4, {
			endpointUrl: bank.url,
			serverTransport: 'httpStreamable',
			authentication: 'none',
			include: 'all',
			options: {},
		});
		const call = {
			tool: 'Bank_transfer',
			said: { toolParameters: { account: '1', amount: '5', to: 'Ali' }, hitlParameters: {} },
		};
		chat.turnOf = (asked) => (callsBefore(asked) < 2 ? [call] : 'done');
		await run('J2', { chatInput: 'Work' }, tool);
		console.log('J2', JSON.stringify(bank.called));
		await bank.close();
		expect(bank.called).toHaveLength(2);
	}, 200_000);

	it('J3. both workers are killed after the approved tool has run', async () => {
		const call = {
			tool: 'Transfer',
			said: { toolParameters: { amount: '1' }, hitlParameters: {} },
		};
		chat.turnOf = (asked) => (callsBefore(asked) === 0 ? [call] : 'done');
		const slow = deedTool(
			'Transfer',
			chat.toolUrl,
			"={{ { amount: $fromAI('amount', 'How much', 'string') } }}",
		);
		await run('J3', { name: 'Zeynep' }, slow, true);
		await sleepMs(15_000);
		expect(chat.deeds).toEqual([{ amount: '1' }]);
	}, 200_000);
});
