import { endsWithin } from '../support/endsWithin';
import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { describeUnless } from '../support/skip';
import { fs, sleepMs, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { itemsOf, nodesRun, outputsLeft } from '../../tools/n8n/executions';
import { record } from './harness/figures';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import {
	ANSWERS_AT_THE_END,
	ASK,
	ask,
	branches,
	send,
	splitOut,
	trigger,
	webhook,
	workflow,
} from './harness/workflows';
import type { Fields, Row } from './harness/workflows';

/*
 * n8n's distributed engine: PostgreSQL, Redis, one main process, two workers, one webhook process. A worker is killed
 * while it works; afterwards every message and every press has to be accounted for.
 */

const PART = 'Queue mode';
const COUNT = 1_000;
const WAITING = 200;
const BATCH = 10;
const CALLS_AT_ONCE = 20;
const TRIGGER_ID = 'e8d6c9b8-5a2b-4b0e-8f0c-2f2b3c4d5e05';
/** How long all executions may take to end; n8n notices a dead worker some seconds late. */
const ENDED_WITHIN_MS = 360_000;
const TEST_TAKES_AT_MOST_MS = 900_000;
const ENDED = ['success', 'error', 'crashed', 'canceled'];
const NOT_ENDED = ['new', 'running', 'waiting', 'unknown'];

const bot = {
	name: 'queue-bot',
	token: randomBytes(16).toString('hex'),
	webhook: {
		appSecret: randomBytes(16).toString('hex'),
		subscribedEvents: ['Messages' as const],
	},
};
const customers = Array.from({ length: 100 }, (_, index) => ({
	customerNo: String(70_000 + index),
	userId: String(2_074_022_437 + index),
}));
const messagesOf = (prefix: string) =>
	Array.from({ length: COUNT }, (_, index) => ({
		messageId: `${prefix}-${index}`,
		customerNo: customers[index % customers.length]?.customerNo ?? '',
	}));
type Message = ReturnType<typeof messagesOf>[number];

const sendNode = (credentialId: string, customerNo: string, messageId: string, more?: Fields) =>
	send(
		credentialId,
		{
			customerNo,
			options: { messageId },
			message: 'Do you approve the transfer?',
			below: 'buttons',
			buttons: { button: [{ type: 'postback', title: 'Approve', payload: 'approve' }] },
		},
		more,
	);

describeUnless(whyNoQueueMode(), 'queue mode', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let credentialId: string;
	/** the workflow that every press starts which no execution waits for */
	let presses: { workflowId: string; url: string };

	const deploy = async (name: string, row: Row, webhookPath: string, ...others: Row[]) => {
		const workflowId = await queue.n8n.createWorkflow(workflow(name, [row, ...others]));
		const url = await queue.n8n.webhookUrl(webhookPath, queue.webhookProcess.url);
		return { workflowId, url };
	};
	beforeAll(async () => {
		sandbox = await startSandbox({
			bots: [bot],
			customers,
			batch: { maxEvents: BATCH, maxWaitMs: 1_000 },
		});
		queue = await startQueueMode();
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret: bot.webhook.appSecret,
		});
		const pressed = trigger(credentialId, TRIGGER_ID, { options: { onlyUnmatched: true } });
		const answer = sendNode(
			credentialId,
			'={{ $json.customerNo }}',
			'=receipt-{{ $json.messageId }}',
		);
		presses = await deploy('Presses', [pressed, answer], `${TRIGGER_ID}/webhook`);
		sandbox.setWebhookUrl(bot.name, presses.url);
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
	}, 120_000);

	const post = async (url: string, body: unknown) => {
		const response = await postJson(url, body);
		await response.text();
		return response.status;
	};
	const times = ({ customerNo, messageId }: Message) =>
		sandbox.timesReceived({ customerNo, messageId });
	const received = (messages: readonly Message[]) =>
		messages.filter((message) => times(message) > 0).length;

	/** What the processes say that carry executions out. */
	const linesOf = async (words: string): Promise<string[]> => {
		const processes = [...queue.workers, ...queue.webhookProcesses];
		const logs = processes.map(async ({ logFile }) => await fs.readFile(logFile, 'utf8'));
		return (await Promise.all(logs))
			.join('\n')
			.split('\n')
			.filter((line) => line.includes(words));
	};

	/** Kills a worker with -9 as soon as so many messages have arrived, and starts it again. */
	const killWorkerAfter = async (index: number, messages: readonly Message[], arrived: number) => {
		const worker = queue.workers[index];
		if (!worker) throw new Error(`There is no worker ${index}`);
		await waitFor(`${arrived} messages`, ENDED_WITHIN_MS, () =>
			received(messages) >= arrived ? true : undefined,
		);
		await worker.kill();
		const atKill = received(messages);
		await worker.boot();
		return atKill;
	};
	/** Waits until so many executions have ended, and returns those that did not succeed. */
	const unsuccessfulOf = async (workflowId: string, count: number) => {
		const ended = waitFor(`${count} ended executions`, ENDED_WITHIN_MS, async () => {
			if ((await queue.n8n.executionCount(workflowId, ...ENDED)) >= count) return true;
			await sleepMs(500);
			return undefined;
		});
		await ended.catch(async (error: unknown) => {
			const left: string[] = [];
			for (const status of [...NOT_ENDED, ...ENDED])
				left.push(`${await queue.n8n.executionCount(workflowId, status)} ${status}`);
			const unended = await queue.n8n.executions(workflowId, ...NOT_ENDED);
			const lines = await Promise.all(
				unended.map(async ({ id }) => await linesOf(`xecution ${id} `)),
			);
			const told = await queue.n8n.executions(presses.workflowId, 'success');
			const reasons = told.map(async ({ id }) =>
				itemsOf(await queue.n8n.executionData(id), 'Diyalog Trigger').map(
					(item) => Object(item).notResumedReason as unknown,
				),
			);
			left.push(`the trigger says ${(await Promise.all(reasons)).flat().join()}`);
			const log = await queue.webhookProcess.logTail();
			throw new Error(
				`There are ${left.join(', ')}. Of those that have not ended: ${lines.flat().join('\n')}. The webhook process says: ${log}`,
				{ cause: error },
			);
		});
		expect(await queue.n8n.executionCount(workflowId, ...ENDED, ...NOT_ENDED)).toBe(count);
		return await queue.n8n.executions(workflowId, ...ENDED.filter((each) => each !== 'success'));
	};

	it(
		`sends ${COUNT} messages of one execution, each once`,
		async () => {
			const messages = messagesOf('single');
			const sending = sendNode(credentialId, '={{ $json.customerNo }}', '={{ $json.messageId }}');
			const { url, workflowId } = await deploy(
				'One execution',
				[webhook('one', ANSWERS_AT_THE_END), splitOut('body.messages'), sending],
				'one',
			);
			const beginMs = Date.now();
			expect(await post(url, { messages })).toBe(200);
			const seconds = (Date.now() - beginMs) / 1_000;
			expect(await unsuccessfulOf(workflowId, 1)).toEqual([]);
			const [execution] = await queue.n8n.executions(workflowId);
			const items = itemsOf(await queue.n8n.executionData(execution?.id ?? ''), 'Send');
			expect(items.map((item) => (item as Message).messageId)).toEqual(
				messages.map(({ messageId }) => messageId),
			);
			expect(messages.filter((message) => times(message) !== 1)).toEqual([]);
			await record({
				part: PART,
				what: `one execution with ${COUNT} items`,
				found: `${COUNT} messages received once each`,
				detail: `${seconds.toFixed(1)} s`,
				target: `${COUNT}, once each`,
				met: true,
			});
		},
		TEST_TAKES_AT_MOST_MS,
	);

	it(
		`sends ${COUNT} messages of ${COUNT} executions while a worker is killed, none twice`,
		async () => {
			const messages = messagesOf('many');
			const { url, workflowId } = await deploy(
				'Many executions',
				[
					webhook('many'),
					sendNode(credentialId, '={{ $json.body.customerNo }}', '={{ $json.body.messageId }}'),
				],
				'many',
			);
			const beginMs = Date.now();
			const killed = killWorkerAfter(0, messages, COUNT / 4);
			const statuses: number[] = [];
			await runConcurrently(
				messages.length,
				CALLS_AT_ONCE,
				async (index) => void statuses.push(await post(url, messages[index])),
				() => true,
			);
			expect(statuses.filter((status) => status !== 200)).toEqual([]);
			const atKill = await killed;
			const lost = await unsuccessfulOf(workflowId, COUNT);
			const seconds = (Date.now() - beginMs) / 1_000;
			expect(messages.filter((message) => times(message) > 1)).toEqual([]);
			// What has not arrived is at most what n8n says was lost with the worker.
			const missing = COUNT - received(messages);
			expect(missing).toBeLessThanOrEqual(lost.length);
			await record({
				part: PART,
				what: `${COUNT} executions with one item, a worker killed meanwhile`,
				found: `killed after ${atKill}: ${COUNT - lost.length} executions succeeded, ${lost.length} failed with the worker; ${COUNT - missing} messages received once each, none twice`,
				detail: `${seconds.toFixed(0)} s`,
				target: `${COUNT} accounted for, none twice`,
				met: true,
			});
		},
		TEST_TAKES_AT_MOST_MS,
	);

	it(
		`takes ${COUNT} presses in batches of ${BATCH} while a worker is killed, each once`,
		async () => {
			const answered = messagesOf('many').filter((message) => times(message) === 1);
			const extra = messagesOf('single').slice(0, COUNT - answered.length);
			const pressed = [...answered, ...extra];
			const receipts = pressed.map(({ customerNo, messageId }) => ({
				customerNo,
				messageId: `receipt-${messageId}`,
			}));
			const { workflowId } = presses;
			const delivered = sandbox.webhookLog().length;
			const beginMs = Date.now();
			const killed = killWorkerAfter(1, receipts, COUNT / 20);
			for (const { customerNo, messageId } of pressed)
				sandbox.pressButton({ customerNo, messageId, button: 'Approve' });
			await sandbox.flush();
			const webhooks = sandbox.webhookLog().slice(delivered);
			expect(webhooks.filter(({ status }) => status !== 200)).toHaveLength(0);
			const batches = COUNT / BATCH;
			expect(webhooks).toHaveLength(batches);
			const atKill = await killed;
			const lost = await unsuccessfulOf(workflowId, batches);
			const seconds = (Date.now() - beginMs) / 1_000;

			const taken: string[] = [];
			for (const { id } of await queue.n8n.executions(workflowId, 'success')) {
				const items = itemsOf(await queue.n8n.executionData(id), 'Diyalog Trigger');
				taken.push(...items.map((item) => (item as Message).messageId));
			}
			// n8n empties the record of an execution whose worker has died; how many batches those were is known.
			expect(taken).toHaveLength(COUNT - lost.length * BATCH);
			expect(new Set(taken).size).toBe(taken.length);
			expect(receipts.filter((receipt) => times(receipt) > 1)).toEqual([]);
			const receiptsOfTaken = taken.filter((messageId) =>
				receipts.some((receipt) => receipt.messageId === `receipt-${messageId}` && times(receipt)),
			);
			expect(receiptsOfTaken).toHaveLength(taken.length);

			// Diyalog may say everything a second time.
			await Promise.all(webhooks.map(async ({ id }) => await sandbox.resendWebhook(id)));
			await sleepMs(2_000);
			expect(await queue.n8n.executionCount(workflowId, ...ENDED, ...NOT_ENDED)).toBe(batches);
			await record({
				part: PART,
				what: `${COUNT} presses in ${batches} signed batches, a worker killed meanwhile, all repeated`,
				found: `killed after ${atKill} answers: ${taken.length} presses in executions that succeeded, ${COUNT - taken.length} in ${lost.length} that failed with the worker; ${received(receipts)} answered once each, none twice`,
				detail: `${seconds.toFixed(0)} s`,
				target: `${COUNT} accounted for, none twice`,
				met: true,
			});
		},
		TEST_TAKES_AT_MOST_MS,
	);

	it(
		`continues ${WAITING} waiting executions while a worker is killed, each once and in its branch`,
		async () => {
			const asking = ask(credentialId, {
				customerNo: '={{ $json.body.customerNo }}',
				options: endsWithin(1, 'hours'),
			});
			const behindIt = (prefix: string) =>
				sendNode(credentialId, '={{ $json.customerNo }}', `=${prefix}-{{ $json.messageId }}`, {
					name: prefix,
				});
			const { url, workflowId } = await deploy(
				'Ask',
				[webhook('ask'), asking],
				'ask',
				...branches(asking, [[behindIt('done')], [behindIt('late')], [behindIt('declined')]]),
			);
			const earlier = sandbox.messages().length;
			await runConcurrently(
				WAITING,
				CALLS_AT_ONCE,
				async (index) => void (await post(url, customers[index % customers.length])),
				() => true,
			);
			await waitFor(`${WAITING} waiting executions`, ENDED_WITHIN_MS, async () =>
				(await queue.n8n.executionCount(workflowId, 'waiting')) === WAITING ? true : undefined,
			);
			const asked = sandbox.messages().slice(earlier);
			expect(new Set(asked.map(({ messageId }) => messageId)).size).toBe(WAITING);

			const delivered = sandbox.webhookLog().length;
			const before = await queue.n8n.executionCount(presses.workflowId, ...ENDED);
			const isApproved = (index: number) => index % 3 > 0;
			const done = asked.map(({ customerNo, messageId }, index) => ({
				customerNo,
				messageId: `${isApproved(index) ? 'done' : 'declined'}-${messageId}`,
			}));
			const others = asked.flatMap(({ customerNo, messageId }, index) =>
				['late', isApproved(index) ? 'declined' : 'done'].map((prefix) => ({
					customerNo,
					messageId: `${prefix}-${messageId}`,
				})),
			);
			const beginMs = Date.now();
			const killed = killWorkerAfter(0, done, WAITING / 4);
			for (const [index, { customerNo, messageId }] of asked.entries()) {
				const button = isApproved(index) ? 'Approve' : 'Decline';
				sandbox.pressButton({ customerNo, messageId, button });
				if (index % BATCH === BATCH - 1) await sandbox.flush();
			}
			const pressed = (Date.now() - beginMs) / 1_000;
			const webhooks = sandbox.webhookLog().slice(delivered);
			expect(webhooks.filter(({ status }) => status !== 200)).toHaveLength(0);
			const atKill = await killed;
			const lost = await unsuccessfulOf(workflowId, WAITING);
			const seconds = (Date.now() - beginMs) / 1_000;
			expect(await queue.n8n.executionCount(presses.workflowId, ...ENDED)).toBe(before);
			// Said twice, answered once.
			await Promise.all(webhooks.map(async ({ id }) => await sandbox.resendWebhook(id)));
			await sleepMs(2_000);
			expect(done.filter((message) => times(message) > 1)).toEqual([]);
			// n8n empties the record of an execution whose worker has died. All others say where they went on.
			const astray: unknown[] = [];
			const succeeded = await queue.sql(
				`SELECT id FROM execution_entity WHERE "workflowId" = '${workflowId}' AND status = 'success'`,
			);
			for (const id of succeeded.match(/\d+/g) ?? []) {
				const data = await queue.n8n.executionData(id);
				const items = itemsOf(data, ASK) as Message[];
				const wanted = done.filter(({ messageId }) =>
					items.some((item) => messageId.endsWith(`-${item.messageId}`)),
				);
				if (wanted.length === 1 && received(wanted) === 1) continue;
				const log = await linesOf(`execution ${id} `);
				astray.push({ id, items, ran: nodesRun(data), left: outputsLeft(data, ASK), log });
			}
			expect(astray).toEqual([]);
			expect(WAITING - received(done)).toBeLessThanOrEqual(lost.length);
			expect(received(others)).toBe(0);
			expect(await queue.n8n.executionCount(workflowId, ...ENDED)).toBe(WAITING);
			await record({
				part: PART,
				what: `${WAITING} waiting executions answered in batches of ${BATCH}, one after the other, a worker killed meanwhile, all repeated`,
				found: `killed after ${atKill}: ${WAITING - lost.length} continued and succeeded once each, ${lost.length} continued and failed with the worker; ${received(done)} carried out once each as they were answered, none twice, none left waiting`,
				detail: `${(WAITING / pressed).toFixed(1)} presses/s taken, ${seconds.toFixed(0)} s`,
				target: `${WAITING} continued once each`,
				met: true,
			});
		},
		TEST_TAKES_AT_MOST_MS,
	);
});
