import { z } from 'zod';
import { sleepMs, waitFor } from '../../tools/system';
import { describeUnless } from '../support/skip';
import { envelope, written } from '../support/webhookBodies';
import { setQueueStage } from './harness/queueMode';
import type { QueueStage } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { itemsOfTrigger } from './harness/waiting';
import { trigger, workflow } from './harness/workflows';

/*
 * Also Pass On To in n8n's queue mode with two webhook processes: what both have kept for a trigger that was switched off.
 */

const CALLS = 40;
const REACHES_WITHIN_MS = 180_000;

describeUnless(whyNoQueueMode(), 'two webhook processes', () => {
	let stage: QueueStage;

	beforeAll(async () => {
		stage = await setQueueStage();
	}, 900_000);

	afterAll(async () => await stage?.clear(), 120_000);

	const urlOf = (id: string) => `${stage.queue.webhookUrl}/webhook/${id}/webhook`;

	async function publish(id: string, options = {}): Promise<string> {
		const node = trigger(stage.credentialId, id, { events: ['buttonPressed'], options });
		const workflowId = await stage.queue.n8n.createWorkflow(workflow(id, [[node]]));
		await stage.queue.n8n.webhookUrl(`${id}/webhook`, stage.queue.webhookUrl);
		return workflowId;
	}

	const post = async (id: string, process: number, press: string) =>
		await stage.post(process, id, envelope(written(`[${press}]:approve`)));

	const idsOf = async (workflowId: string) =>
		(await itemsOfTrigger(stage.queue.n8n, workflowId)).map(
			(item) => z.object({ messageId: z.unknown() }).parse(item).messageId,
		);

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
		await stage.queue.n8n.switchTo(second, 'deactivate');
		await isOff('second');
		const first = await publish('first', { alsoPassOnTo: [urlOf('second')] });
		for (let call = 0; call < CALLS; call++)
			expect(await post('first', call, `m-${call}`)).toBe(200);
		await stage.queue.n8n.switchTo(second, 'activate');
		await takes(second, CALLS);
		for (let call = 0; call < 6; call++) await post('first', call, `n-${call}`);
		await takes(second, CALLS + 6);
		const kept = await stage.queue.sql(
			`SELECT "staticData"::text FROM workflow_entity WHERE id = '${first}'`,
		);
		expect(kept).toContain('"keptCalls":""');
	}, 600_000);

	it('both were killed and start again while something is kept: it goes on, once each', async () => {
		const third = await publish('third');
		await stage.queue.n8n.switchTo(third, 'deactivate');
		await isOff('third');
		await publish('passing', { alsoPassOnTo: [urlOf('third')] });
		for (let call = 0; call < CALLS; call++)
			expect(await post('passing', call, `m-${call}`)).toBe(200);
		for (const each of stage.queue.webhookProcesses) await each.kill();
		for (const each of stage.queue.webhookProcesses) await each.boot();
		await stage.queue.n8n.switchTo(third, 'activate');
		for (let call = 0; call < 6; call++) await post('passing', call, `n-${call}`);
		await takes(third, CALLS + 6);
	}, 600_000);
});
