import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { describeUnless } from '../support/skip';
import { waitFor } from '../../tools/system';
import { itemsOf } from '../../tools/n8n/executions';
import { Door } from './harness/door';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { ask, branches, send, trigger, webhook, workflow } from './harness/workflows';

/* Wrong codes in n8n's distributed engine: a worker is killed while it asks again. */

const WITHIN_MS = 40_000;
const RIGHT = '4071';
const REPLY = 'Wrong code';

const bot = {
	name: 'bot',
	token: randomBytes(16).toString('hex'),
	webhook: { appSecret: randomBytes(16).toString('hex') },
};
const customers = Array.from({ length: 10 }, (_, index) => ({
	customerNo: String(70_000 + index),
	userId: String(2_074_022_437 + index),
}));

describeUnless(whyNoQueueMode(), 'queue mode', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let credentialId: string;
	let triggerWorkflow: string;
	const door = new Door();

	beforeAll(async () => {
		sandbox = await startSandbox({ bots: [bot], customers, batch: { maxWaitMs: 50 } });
		door.target = sandbox.url;
		queue = await startQueueMode();
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: await door.open(),
			botToken: bot.token,
			appSecret: bot.webhook.appSecret,
		});
		const webhookId = randomUUID();
		const node = trigger(credentialId, webhookId, { events: ['textReceived'] });
		triggerWorkflow = await queue.n8n.createWorkflow(workflow('Presses', [[node]]));
		const url = await queue.n8n.webhookUrl(`${webhookId}/webhook`, queue.webhookProcess.url);
		sandbox.setWebhookUrl(bot.name, url);
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
		await door.close();
	}, 120_000);

	const messagesTo = (customerNo: string) =>
		sandbox.messages().filter((message) => message.customerNo === customerNo);
	const hasGot = async (customerNo: string, count: number) =>
		await waitFor(`${count} messages`, WITHIN_MS, () =>
			messagesTo(customerNo).length >= count ? messagesTo(customerNo) : undefined,
		);
	const newest = async (id: string, ...status: string[]): Promise<string> =>
		await waitFor(status.join(), WITHIN_MS, async () => {
			const [found] = await queue.n8n.executions(id, ...status);
			return found?.id;
		});
	const type = async (text: string, customerNo: string) => {
		sandbox.typeText({ customerNo, text });
		await sandbox.flush();
	};
	const triggered = async (customerNo: string, text: string): Promise<unknown> =>
		await waitFor(`the trigger's item for ${text}`, WITHIN_MS, async () => {
			for (const { id } of await queue.n8n.executions(triggerWorkflow, 'success')) {
				const [item] = itemsOf(await queue.n8n.executionData(id), 'Diyalog Trigger');
				const said = z.object({ customerNo: z.string(), text: z.string() }).parse(item);
				if (said.customerNo === customerNo && said.text.trim() === text) return item;
			}
			return undefined;
		});

	async function started(customerNo: string, executionOrder: string): Promise<string> {
		const path = randomUUID();
		const asking = ask(credentialId, {
			customerNo,
			message: 'Your code?',
			responseType: 'code',
			expectedCode: RIGHT,
			options: { wrongCodeReply: REPLY },
		});
		const telling = (what: string) =>
			send(
				credentialId,
				{
					customerNo,
					otpMode: 'none',
					message: `={{ "${what}: " + $json.decision + $json.approved }}`,
				},
				{ name: what },
			);
		const rows = [
			[webhook(path), asking],
			...branches(asking, [[telling('Done')], [telling('Late')], [telling('Refused')]]),
		];
		const id = await queue.n8n.createWorkflow(workflow('Ask', rows, { executionOrder }));
		await fetch(await queue.n8n.webhookUrl(path, queue.webhookProcess.url), { method: 'POST' });
		await hasGot(customerNo, 1);
		await newest(id, 'waiting');
		return id;
	}
	const texts = (customerNo: string) => messagesTo(customerNo).map((each) => each.mokMessage);

	const ORDERS = [
		['v1', 0],
		['v0', 1],
	] as const;

	it.each(ORDERS)(
		'order %s: wrong codes and the right one, each by another worker',
		async (order, index) => {
			const customerNo = `7000${index}`;
			const id = await started(customerNo, order);
			for (const [index, code] of ['571', '581'].entries()) {
				await type(code, customerNo);
				await hasGot(customerNo, index + 2);
				await newest(id, 'waiting');
			}
			await type(RIGHT, customerNo);
			await hasGot(customerNo, 4);
			expect(texts(customerNo)).toEqual(['Your code?', REPLY, REPLY, 'Done: codeMatchedtrue']);
		},
		200_000,
	);

	it.each(ORDERS)(
		'order %s: three wrong codes',
		async (order, index) => {
			const customerNo = `7000${2 + index}`;
			const id = await started(customerNo, order);
			for (const [count, code] of ['571', '581', '591'].entries()) {
				await newest(id, 'waiting');
				await type(code, customerNo);
				await hasGot(customerNo, count + 2);
			}
			expect(texts(customerNo)).toEqual([
				'Your code?',
				REPLY,
				REPLY,
				'Refused: tooManyAttemptsfalse',
			]);
		},
		200_000,
	);

	it.each(ORDERS)(
		'order %s: the workers are killed while one asks again: nothing is carried out, nothing sent twice, and no trigger says that the right code was taken',
		async (order, index) => {
			const customerNo = `7000${4 + index}`;
			const id = await started(customerNo, order);
			door.holdMs = 9_000;
			const wrong = `57${index}`;
			await type(wrong, customerNo);
			await hasGot(customerNo, 2);
			expect(await triggered(customerNo, wrong)).toMatchObject({
				resumed: false,
				notResumedReason: 'wrongCode',
			});
			await Promise.all(queue.workers.map(async (worker) => await worker.kill()));
			door.holdMs = 0;
			for (const worker of queue.workers) await worker.boot();
			const ended = await newest(id, 'crashed', 'error');
			expect(texts(customerNo)).toEqual(['Your code?', REPLY]);
			await type(RIGHT, customerNo);
			// It may say that nobody can tell.
			expect(await triggered(customerNo, RIGHT)).not.toMatchObject({ resumed: true });
			expect(texts(customerNo)).toEqual(['Your code?', REPLY]);
			// It may ask anew, and then waits.
			await queue.n8n
				.request('POST', `/rest/executions/${ended}/retry`, { loadWorkflow: false }, z.unknown())
				.catch(() => undefined);
			expect(texts(customerNo).filter((text) => /^(Done|Refused)/.test(text ?? ''))).toEqual([]);
		},
		300_000,
	);
});
