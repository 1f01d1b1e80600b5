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

	it('what both have kept reaches a trigger that was off, once each', async () => {
		const second = await publish('second');
		await switchTo(second, 'deactivate');
		const first = await publish('first', { alsoPassOnTo: [urlOf('second')] });
		await waitFor('second is off', 20_000, async () =>
			(await fetch(urlOf('second'), { method: 'POST' })).status === 404 ? true : undefined,
		);
		for (let call = 0; call < CALLS; call++) expect(await post('first', call, `m-${call}`)).toBe(200);
		const kept = await queue.sql(`SELECT "staticData"::text FROM workflow_entity WHERE id = '${first}'`);
		
		await switchTo(second, 'activate');
		const started = Date.now();
		await waitFor('all', REACHES_WITHIN_MS, async () =>
			new Set(await idsOf(second)).size >= CALLS ? true : undefined,
		);
		await sleepMs(10_000);
		const got = await idsOf(second);
		
		for (let call = 0; call < 4; call++) await post('first', call, `n-${call}`);
		await sleepMs(8_000);
		const later = await idsOf(second);
		
		expect([...later].sort()).toEqual([...new Set(later)].sort());
	}, 600_000);
});
