import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { fs, sleepMs } from '../../tools/system';
import { itemsOf } from '../../tools/n8n/executions';
import { postSigned } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
import { describeUnless } from '../support/skip';
import { inPostgres, startPostgres, whyNoQueueMode } from './harness/services';
import type { Service } from './harness/services';
import { Stage } from './harness/waiting';
import { noOp, trigger, workflow } from './harness/workflows';

/* Diyalog hangs up before n8n has asked the trigger, because the database is slow. Nothing is lost, and nothing is taken twice. */

describeUnless(whyNoQueueMode(), 'with PostgreSQL', () => {
	let stage: Stage;
	let postgres: Service;

	beforeAll(async () => {
		postgres = await startPostgres();
		stage = await Stage.set({ settings: postgres.settings });
	}, 900_000);

	afterAll(async () => {
		await stage.clear();
		await postgres.stop();
	}, 60_000);

	const urlOf = (id: string) => `${stage.n8n.url}/webhook/${id}/webhook`;

	const press = (id: string) => envelope(written(`[${id}]:approve`));

	const post = async (id: string, body: string) =>
		(await postSigned(urlOf(id), body, stage.appSecret)).status;

	/** The database is slow with the credential (a lock, a pool that is used up); the caller hangs up meanwhile. */
	async function postAndHangUp(id: string, body: string): Promise<void> {
		const lock = inPostgres(
			postgres.settings,
			'BEGIN; LOCK TABLE credentials_entity IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(5); COMMIT',
		);
		await sleepMs(1_500);
		const signal = AbortSignal.timeout(1_500);
		await expect(postSigned(urlOf(id), body, stage.appSecret, {}, signal)).rejects.toThrow();
		await lock;
		await sleepMs(1_500);
	}

	async function published(): Promise<{ id: string; workflowId: string }> {
		const id = randomUUID();
		const workflowId = await stage.n8n.createWorkflow(
			workflow('Trigger', [[trigger(stage.credentialId, id), noOp('A')]]),
		);
		await stage.n8n.webhookUrl(`${id}/webhook`);
		return { id, workflowId };
	}

	const idsSchema = z.array(z.object({ messageId: z.string() }));

	async function idsOf(workflowId: string): Promise<string[]> {
		const all: string[] = [];
		for (const { id } of await stage.n8n.executions(workflowId)) {
			const data = await stage.n8n.executionData(id).catch(() => undefined);
			if (data === undefined) continue;
			all.push(
				...idsSchema.parse(itemsOf(data, 'Diyalog Trigger')).map(({ messageId }) => messageId),
			);
		}
		return all.sort();
	}

	it('1. n8n has stored what the call starts: its repetition reads that it was taken', async () => {
		const { id, workflowId } = await published();
		const body = press('once');
		await postAndHangUp(id, body);
		const before = await idsOf(workflowId);
		const read: number[] = [];
		for (let call = 0; call < 3; call++) read.push(await post(id, body));
		expect([before, await idsOf(workflowId), read]).toEqual([['once'], ['once'], [200, 200, 200]]);
	}, 120_000);

	it('2. n8n has failed to store what the call starts: its repetition starts it, and is told so only then', async () => {
		const { id, workflowId } = await published();
		const body = press('lost');
		await inPostgres(
			postgres.settings,
			`CREATE FUNCTION attack() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'the database fails'; END $$ LANGUAGE plpgsql;
		CREATE TRIGGER attack BEFORE INSERT ON execution_entity FOR EACH ROW EXECUTE FUNCTION attack()`,
		);
		await postAndHangUp(id, body);
		await inPostgres(postgres.settings, 'DROP TRIGGER attack ON execution_entity');
		const read = [await post(id, body), await post(id, press('other'))];
		await sleepMs(2_000);
		expect(await fs.readFile(stage.n8n.logFile, 'utf8')).toContain('did not store');
		await stage.n8n.kill();
		await stage.n8n.boot();
		await stage.n8n.webhookUrl(`${id}/webhook`);
		read.push(await post(id, body), await post(id, body));
		await sleepMs(3_000);
		expect(await idsOf(workflowId)).toEqual(['lost', 'other']);
	}, 180_000);
});
