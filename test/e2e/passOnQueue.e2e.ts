import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { postSigned } from '../support/sign';
import { describeUnless } from '../support/skip';
import { envelope, written } from '../support/webhookBodies';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { trigger, workflow } from './harness/workflows';

/*
 * Also Pass On To in n8n's queue mode with two webhook processes: what both have kept for a trigger that was switched off.
 */

const CALLS = 40;
const REACHES_WITHIN_MS = 180_000;
const bot = {
	name: 'bot',
	token: randomBytes(16).toString('hex'),
	webhook: { appSecret: randomBytes(16).toString('hex') },
};

const savedSchema = z.object({ data: z.object({ versionId: z.string() }) });

describeUnless(whyNoQueueMode(), 'two webhook processes', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let credentialId: string;

	beforeAll(async () => {
		sandbox = await startSandbox({ bots: [bot] });
		queue = await startQueueMode(2);
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret: bot.webhook.appSecret,
		});
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
	}, 120_000);

	const urlOf = (id: string) => `${queue.webhookUrl}/webhook/${id}/webhook`;

	async function publish(id: string, options = {}): Promise<string> {
		const node = trigger(credentialId, id, { events: ['buttonPressed'], options });
		const workflowId = await queue.n8n.createWorkflow(workflow(id, [[node]]));
		await queue.n8n.webhookUrl(`${id}/webhook`, queue.webhookUrl);
		return workflowId;
	}

	async function switchTo(workflowId: string, state: 'activate' | 'deactivate') {
		const resource = `/rest/workflows/${workflowId}`;
		const { versionId } = (await queue.n8n.request('GET', resource, undefined, savedSchema)).data;
		await queue.n8n.request('POST', `${resource}/${state}`, { versionId }, z.unknown());
	}

	/** posts to one of the processes, as a load balancer may choose */
	async function post(id: string, process: number, press: string) {
		const base = queue.webhookProcesses[process % 2]?.url ?? '';
		const body = envelope(written(`[${press}]:approve`));
		return (await postSigned(`${base}/webhook/${id}/webhook`, body, bot.webhook.appSecret)).status;
	}

	async function idsOf(workflowId: string): Promise<unknown[]> {
		const all: unknown[] = [];
		const executions = await queue.n8n.executions(workflowId);
		for (const { id } of [...executions].sort((one, other) => Number(one.id) - Number(other.id)))
			for (const item of itemsOf(await queue.n8n.executionData(id), 'Diyalog Trigger'))
				all.push(z.object({ messageId: z.unknown() }).parse(item).messageId);
		return all;
	}

	const isOff = async (id: string) =>
		await waitFor(`${id} is off`, 20_000, async () =>
			(await fetch(urlOf(id), { method: 'POST' })).status === 404 ? true : undefined,
		);

	async function takes(workflowId: string, count: number): Promise<void> {
		await waitFor(`${count} events`, REACHES_WITHIN_MS, async () =>
			new Set(await idsOf(workflowId)).size >= count ? true : undefined,
		);
		// A second execution of one of them would come by now.
		await sleepMs(8_000);
		const ids = await idsOf(workflowId);
		expect([...ids].sort()).toEqual([...new Set(ids)].sort());
		expect(ids).toHaveLength(count);
	}

	it('what both have kept reaches a trigger that was off, once each', async () => {
		const second = await publish('second');
		await switchTo(second, 'deactivate');
		await isOff('second');
		const first = await publish('first', { alsoPassOnTo: [urlOf('second')] });
		for (let call = 0; call < CALLS; call++)
			expect(await post('first', call, `m-${call}`)).toBe(200);
		await switchTo(second, 'activate');
		await takes(second, CALLS);
		for (let call = 0; call < 6; call++) await post('first', call, `n-${call}`);
		await takes(second, CALLS + 6);
		const kept = await queue.sql(
			`SELECT "staticData"::text FROM workflow_entity WHERE id = '${first}'`,
		);
		expect(kept).toContain('"keptCalls":""');
	}, 600_000);

	it('both were killed and start again while something is kept: it goes on, once each', async () => {
		const third = await publish('third');
		await switchTo(third, 'deactivate');
		await isOff('third');
		await publish('passing', { alsoPassOnTo: [urlOf('third')] });
		for (let call = 0; call < CALLS; call++)
			expect(await post('passing', call, `m-${call}`)).toBe(200);
		for (const each of queue.webhookProcesses) await each.kill();
		for (const each of queue.webhookProcesses) await each.boot();
		await switchTo(third, 'activate');
		for (let call = 0; call < 6; call++) await post('passing', call, `n-${call}`);
		await takes(third, CALLS + 6);
	}, 600_000);
});
