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
