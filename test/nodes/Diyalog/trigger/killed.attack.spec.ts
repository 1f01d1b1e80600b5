import { randomBytes, randomUUID } from 'node:crypto';
import { makeMark, MARK_HEADER } from '../../../../nodes/Diyalog/passOn/mark';
import { toMessageId } from '../../../../nodes/Diyalog/wait/resumeReference';
import { sleepMs } from '../../../../tools/system';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * n8n is killed between the end of a trigger's webhook() and the moment in which it has stored the execution. Diyalog was told nothing, or
 * 503, and repeats the call: it has to be taken.
 */

const SECRET = 'the-app-secret';
const setup = {
	parameters: { events: ['buttonPressed'], authentication: 'signature', options: {} },
	credentials: { appSecret: SECRET },
};

const servers: WebhookServer[] = [];

/** A call of its own Workflow object, as each call has in n8n; the same id is the same process and trigger. */
async function load(id: string, stored: object = {}) {
	const trigger = new TriggerUnderTest(setup, id, { ...stored });
	const server = await serve(trigger);
	servers.push(server);
	return { trigger, server };
}

afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});

const post = async ({ url }: WebhookServer, body: string) =>
	(await postSigned(url, body, SECRET).catch(() => ({ status: 0 }))).status;

const press = (id: string) => envelope(written(`[${id}]:approve`));

const storedBy = ({ trigger }: { trigger: TriggerUnderTest }) =>
	JSON.parse(JSON.stringify(trigger.staticData)) as object;

it('1. another press was stored meanwhile: the repetition of the first one is taken after the restart', async () => {
	const a = press('a');
	const first = await load('before-1');
	first.server.storesAfterMs = 3_000;
	const pending = post(first.server, a);
	await sleepMs(300);
	const second = await load('before-1');
	expect(await post(second.server, press('b'))).toBe(200);
	const inDatabase = storedBy(second);
	// Killed: Diyalog got no reply, n8n has stored no execution.
	expect(first.server.executions).toEqual([]);
	await first.server.close();
	servers.splice(servers.indexOf(first.server), 1);
	expect(await pending).toBe(0);
	const restarted = await load('after-1', inDatabase);
	await post(restarted.server, a);
	expect(restarted.server.executions).toHaveLength(1);
}, 20_000);

it('2. Diyalog has repeated the call meanwhile, and read 503: the next repetition is taken after the restart', async () => {
	const a = press('a');
	const first = await load('before-2');
	first.server.storesAfterMs = 8_000;
	void post(first.server, a);
	await sleepMs(300);
	const second = await load('before-2');
	expect(await post(second.server, a)).toBe(503);
	const inDatabase = storedBy(second);
	expect(first.server.executions).toEqual([]);
	const restarted = await load('after-2', inDatabase);
	await post(restarted.server, a);
	expect(restarted.server.executions).toHaveLength(1);
}, 30_000);

describe('a press that names a message which an execution waits for', () => {
	/** A message of an execution that waits, made under this App Secret. */
	const askedUnder = (appSecret: string) =>
		toMessageId(
			{
				executionId: '17',
				nodeId: randomUUID(),
				turn: randomBytes(12).toString('base64url'),
				number: 0,
				signature: randomBytes(32).toString('hex'),
			},
			'',
			appSecret,
		) ?? '';

	it('3. it did not get through (unproved), and another press was stored meanwhile: its repetition comes out after the restart', async () => {
		const a = press(askedUnder('the App Secret of another credential'));
		const first = await load('before-3');
		first.server.storesAfterMs = 3_000;
		const pending = post(first.server, a);
		await sleepMs(300);
		const second = await load('before-3');
		expect(await post(second.server, press('b'))).toBe(200);
		const inDatabase = storedBy(second);
		// Killed: Diyalog got no reply, n8n has stored no execution.
		expect(first.server.executions).toEqual([]);
		await first.server.close();
		servers.splice(servers.indexOf(first.server), 1);
		expect(await pending).toBe(0);
		const restarted = await load('after-3', inDatabase);
		await post(restarted.server, a);
		expect(restarted.server.executions.flat()).toEqual([
			expect.objectContaining({ notResumedReason: 'unproved' }),
		]);
	}, 20_000);

	it('4. another trigger has passed it on, and passes it on again: it comes out after the restart', async () => {
		const a = press(askedUnder(SECRET));
		const addressed = { id: '', isTest: false, path: 'webhook', body: Buffer.from(a) } as const;
		const postMarked = async ({ url }: WebhookServer) => {
			const now = Date.now();
			const said = { takenAtMs: now, passedOnAtMs: now, outcomes: new Map(), isComplete: false };
			const headers = { [MARK_HEADER]: makeMark(said, addressed, SECRET) };
			return (await postSigned(url, a, SECRET, headers).catch(() => ({ status: 0 }))).status;
		};
		const first = await load('before-4');
		first.server.storesAfterMs = 3_000;
		const pending = postMarked(first.server);
		await sleepMs(300);
		const second = await load('before-4');
		expect(await post(second.server, press('b'))).toBe(200);
		const inDatabase = storedBy(second);
		expect(first.server.executions).toEqual([]);
		await first.server.close();
		servers.splice(servers.indexOf(first.server), 1);
		expect(await pending).toBe(0);
		const restarted = await load('after-4', inDatabase);
		await postMarked(restarted.server);
		expect(restarted.server.executions.flat()).toEqual([
			expect.objectContaining({ notResumedReason: 'notTold' }),
		]);
	}, 20_000);
});
