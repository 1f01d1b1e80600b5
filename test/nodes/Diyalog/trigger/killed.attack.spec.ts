import { randomBytes, randomUUID } from 'node:crypto';
import { makeMark, MARK_HEADER } from '../../../../nodes/Diyalog/passOn/mark';
import { toMessageId } from '../../../../nodes/Diyalog/wait/resumeReference';
import { sleepMs, waitFor } from '../../../../tools/system';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned, postStatus } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * n8n is killed between the end of a trigger's webhook() and the moment in which it has stored the execution. Diyalog was told nothing, or
 * 503, and repeats the call: it has to be taken.
 */

const SECRET = 'the-app-secret';
const setup = {
	parameters: {
		events: ['buttonPressed', 'statusCallback'],
		authentication: 'signature',
		options: {},
	},
	credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
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

/**
 * Posts a call, has another press stored meanwhile, and kills n8n before it has stored the execution of the first one.
 *
 * @returns n8n after the restart, with what was in the database
 */
async function restartedAfter(
	name: string,
	postFirst: (server: WebhookServer) => Promise<number>,
): Promise<WebhookServer> {
	const { server: first } = await load(`before-${name}`);
	first.storesAfterMs = 3_000;
	const pending = postFirst(first);
	await sleepMs(300);
	const second = await load(`before-${name}`);
	expect(await post(second.server, press('b'))).toBe(200);
	const inDatabase = storedBy(second);
	expect(first.executions).toEqual([]);
	await first.close();
	servers.splice(servers.indexOf(first), 1);
	// Diyalog got no reply.
	expect(await pending).toBe(0);
	return (await load(`after-${name}`, inDatabase)).server;
}

it('1. another press was stored meanwhile: the repetition of the first one is taken after the restart', async () => {
	const a = press('a');
	const restarted = await restartedAfter('1', async (server) => await post(server, a));
	await post(restarted, a);
	expect(restarted.executions).toHaveLength(1);
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
		const restarted = await restartedAfter('3', async (server) => await post(server, a));
		await post(restarted, a);
		expect(restarted.executions.flat()).toEqual([
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
		const restarted = await restartedAfter('4', postMarked);
		await postMarked(restarted);
		expect(restarted.executions.flat()).toEqual([
			expect.objectContaining({ notResumedReason: 'notTold' }),
		]);
	}, 20_000);
});

describe('status callbacks of one message', () => {
	const say = async ({ statusUrl }: WebhookServer, status: string) =>
		await postStatus(statusUrl, status);

	const statusesOf = ({ executions }: WebhookServer) =>
		executions.flat().map(({ status }) => status);

	async function end({ server }: { server: WebhookServer }): Promise<void> {
		await server.close();
		servers.splice(servers.indexOf(server), 1);
	}

	it('5. Approved, then Cancelled and Approved are under way, Cancelled is stored, n8n is killed: the repeated Approved is not lost', async () => {
		const first = await load('5');
		expect(await say(first.server, 'Approved')).toBe(200);
		const before = storedBy(first);
		const [cancelled, again] = [await load('5', before), await load('5', before)];
		cancelled.server.storesAfterMs = 800;
		again.server.storesAfterMs = 20_000;
		const told = say(cancelled.server, 'Cancelled');
		await sleepMs(200);
		const approved = say(again.server, 'Approved');
		expect(await told).toBe(200);
		await sleepMs(300);
		const inDatabase = storedBy(cancelled);
		await end(again);
		expect(await approved).toBe(0);
		const restarted = await load('after-5', inDatabase);
		expect(await say(restarted.server, 'Approved')).toBe(200);
		expect(statusesOf(restarted.server)).toEqual(['Approved']);
	}, 30_000);

	it('6. Approved is stored while Cancelled is under way, n8n is killed: nobody knows whether Approved comes again or anew, and it is taken', async () => {
		const [one, two] = [await load('6'), await load('6')];
		one.server.storesAfterMs = 500;
		two.server.storesAfterMs = 20_000;
		const approved = say(one.server, 'Approved');
		await sleepMs(150);
		const cancelled = say(two.server, 'Cancelled');
		expect(await approved).toBe(200);
		await sleepMs(300);
		const inDatabase = storedBy(one);
		await end(two);
		expect(await cancelled).toBe(0);
		const restarted = await load('after-6', inDatabase);
		expect(await say(restarted.server, 'Approved')).toBe(200);
		expect(statusesOf(restarted.server)).toEqual(['Approved']);
	}, 30_000);

	it('7. n8n takes long to store Cancelled: it is to be repeated, or Approved would pass for the one before when n8n is killed', async () => {
		const first = await load('7');
		await say(first.server, 'Approved');
		const before = storedBy(first);
		const cancelled = await load('7', before);
		cancelled.server.storesAfterMs = 20_000;
		expect(await say(cancelled.server, 'Cancelled')).toBe(503);
		await end(cancelled);
		const restarted = await load('after-7', before);
		for (const status of ['Cancelled', 'Approved'])
			expect(await say(restarted.server, status)).toBe(200);
		expect(statusesOf(restarted.server)).toEqual(['Cancelled', 'Approved']);
	}, 30_000);

	it('8. n8n fails to store Approved, after it has stored Cancelled and taken Approved once more: the next Cancelled is not lost', async () => {
		const [one, two, three, four] = [
			await load('8'),
			await load('8'),
			await load('8'),
			await load('8'),
		];
		one.server.storesAfterMs = 2_000;
		one.server.isDiskFull = true;
		three.server.storesAfterMs = 5_000;
		const first = say(one.server, 'Approved');
		await sleepMs(500);
		expect(await say(two.server, 'Cancelled')).toBe(200);
		const second = say(three.server, 'Approved');
		expect(await first).toBe(500);
		expect(await second).toBe(503);
		await waitFor('the second', 15_000, () => three.server.executions[0]);
		expect(await say(four.server, 'Cancelled')).toBe(200);
		expect(statusesOf(four.server)).toEqual(['Cancelled']);
	}, 30_000);

	it('9. 21 are under way together, the first is stored, n8n is killed: the 21st, which says the same, is not lost', async () => {
		const told: Array<Promise<number>> = [];
		const calls = [];
		for (let at = 0; at < 21; at++) {
			const call = await load('9');
			call.server.storesAfterMs = at === 0 ? 5_000 : 15_000;
			told.push(say(call.server, at % 2 ? 'Cancelled' : 'Approved'));
			calls.push(call);
			await sleepMs(20);
		}
		expect(new Set(await Promise.all(told))).toEqual(new Set([503]));
		const [first] = calls;
		await waitFor('the first', 15_000, () => (first?.server.executions.length ? true : undefined));
		const another = await load('9');
		expect(await post(another.server, press('another'))).toBe(200);
		const inDatabase = storedBy(another);
		for (const call of calls) await end(call);
		const restarted = await load('after-9', inDatabase);
		expect(await say(restarted.server, 'Approved')).toBe(200);
		expect(statusesOf(restarted.server)).toEqual(['Approved']);
	}, 60_000);
});
