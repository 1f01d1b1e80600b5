import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { http, sleepMs } from '../../tools/system';
import { hmacSha1 } from '../support/sign';
import { describeUnless } from '../support/skip';
import { envelope, written } from '../support/webhookBodies';
import { setQueueStage } from './harness/queueMode';
import type { QueueStage } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { itemsOfTrigger } from './harness/waiting';
import { trigger, workflow } from './harness/workflows';

/*
 * Queue mode with two webhook processes. A call begins in one of them, and n8n loads the static data; the other one takes a press meanwhile.
 * The first call ends, and n8n saves its static data over those of the other process. Nobody works on the press any more.
 */

describeUnless(whyNoQueueMode(), 'two webhook processes, whose calls overlap', () => {
	let stage: QueueStage;

	beforeAll(async () => {
		stage = await setQueueStage();
	}, 900_000);

	afterAll(async () => await stage?.clear(), 120_000);

	const appSecret = randomBytes(16).toString('hex');
	const token = 'callback-token';

	const press = (id: string) => envelope(written(`[${id}]:approve`));

	/** A call whose body comes slowly. */
	function begin(process: number, place: string, body: string) {
		const base = stage.queue.webhookProcesses[process]?.url;
		const headers = {
			'content-type': 'application/json',
			'content-length': Buffer.byteLength(body),
			'x-signature': hmacSha1(body, appSecret),
			'auth-token': token,
		};
		const request = http.request(`${base}/webhook/${place}`, { method: 'POST', headers });
		const status = new Promise<number>((resolve, reject) => {
			request.on('response', (response) => {
				response.resume();
				resolve(response.statusCode ?? 0);
			});
			request.on('error', reject);
		});
		request.write(body.slice(0, 10));
		return async () => {
			request.end(body.slice(10));
			return await status;
		};
	}

	const take = async (process: number, place: string, body: string) =>
		await begin(process, place, body)();

	const createCredential = async () =>
		await stage.queue.n8n.createCredential('Diyalog', {
			serverUrl: stage.sandbox.url,
			botToken: 'bot-token',
			appSecret,
			statusCallbackToken: token,
		});

	async function publish(webhookId: string): Promise<string> {
		const credentialId = await createCredential();
		const events = ['buttonPressed', 'statusCallback'];
		const node = trigger(credentialId, webhookId, { events });
		const id = await stage.queue.n8n.createWorkflow(workflow(webhookId, [[node]]));
		await stage.queue.n8n.webhookUrl(`${webhookId}/webhook`, stage.queue.webhookUrl);
		return id;
	}

	const itemSchema = z.object({ messageId: z.string(), status: z.string().default('pressed') });

	/** What has come out some seconds later. */
	async function out(workflowId: string, name?: string): Promise<string[]> {
		await sleepMs(6_000);
		return (await itemsOfTrigger(stage.queue.n8n, workflowId, name)).map((item) => {
			const { messageId, status } = itemSchema.parse(item);
			return `${messageId} ${status}`;
		});
	}

	it('1. a press that one has taken starts once more, as documented, when its repetition comes to the other one, whose call has saved older static data; and not a third time', async () => {
		const id = await publish('overlap-1');
		const place = 'overlap-1/webhook';
		for (const process of [0, 1])
			expect(await take(process, place, press(`warm-${process}`))).toBe(200);
		const goOn = begin(1, place, press('overlapping'));
		await sleepMs(1_000);
		const once = press('once');
		expect(await take(0, place, once)).toBe(200);
		await sleepMs(2_000);
		expect(await goOn()).toBe(200);
		await sleepMs(2_000);
		expect(await take(1, place, once)).toBe(200);
		await sleepMs(2_000);
		for (const process of [0, 1]) expect(await take(process, place, once)).toBe(200);
		const pressed = await out(id);
		const twice = ['once pressed', 'once pressed'];
		expect(pressed.filter((each) => each.startsWith('once'))).toEqual(twice);
	}, 120_000);

	const callback = (messageId: string, status: string) =>
		JSON.stringify({ messageId, status, customerNo: '1', secretData: '' });

	it('2. Approved, Cancelled, Approved are three status callbacks: the last one is not lost', async () => {
		const id = await publish('overlap-2');
		const place = 'overlap-2/updatemokstatus';
		expect(await take(1, place, callback('a', 'Approved'))).toBe(200);
		await sleepMs(1_000);
		const goOn = begin(1, place, callback('b', 'SentToUser'));
		await sleepMs(1_000);
		expect(await take(0, place, callback('a', 'Cancelled'))).toBe(200);
		await sleepMs(2_000);
		expect(await goOn()).toBe(200);
		await sleepMs(2_000);
		expect(await take(0, place, callback('a', 'Approved'))).toBe(200);
		const told = await out(id);
		expect(told.filter((each) => each.startsWith('a'))).toEqual([
			'a Approved',
			'a Cancelled',
			'a Approved',
		]);
	}, 120_000);

	it('3. two triggers of one workflow, of which the first passes on to the second in whichever process: no status is lost', async () => {
		const credentialId = await createCredential();
		const events = ['statusCallback'];
		const alsoPassOnTo = [`${stage.queue.webhookUrl}/webhook/overlap-3b/webhook`];
		const first = trigger(credentialId, 'overlap-3a', { events, options: { alsoPassOnTo } });
		const second = { ...trigger(credentialId, 'overlap-3b', { events }), name: 'Second' };
		const id = await stage.queue.n8n.createWorkflow(workflow('overlap-3', [[first], [second]]));
		for (const each of ['overlap-3a', 'overlap-3b'])
			await stage.queue.n8n.webhookUrl(`${each}/webhook`, stage.queue.webhookUrl);
		const statuses = ['Approved', 'Cancelled', 'Approved'];
		for (const [process, messageId] of ['a', 'b', 'c', 'd'].entries())
			for (const status of statuses) {
				const place = 'overlap-3a/updatemokstatus';
				expect(await take(process % 2, place, callback(messageId, status))).toBe(200);
				await sleepMs(1_000);
			}
		expect(await out(id)).toHaveLength(12);
		expect(await out(id, 'Second')).toHaveLength(12);
	}, 120_000);
});
