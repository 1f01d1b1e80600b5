import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned, postStatus } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

const SECRET = 'the-app-secret';
const setup = (options = {}) => ({
	parameters: { events: ['statusCallback', 'buttonPressed'], authentication: 'signature', options },
	credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
});

type Process = typeof TriggerUnderTest;

function loadAnew(): Process {
	let loaded: typeof NodeRuntime | undefined;
	jest.isolateModules(() => {
		loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
	});
	if (!loaded) throw new Error('It could not be loaded');
	return loaded.TriggerUnderTest;
}

const servers: WebhookServer[] = [];
let id: string;
let database: string;
let one: Process;
let other: Process;

beforeEach(() => {
	[one, other] = [loadAnew(), loadAnew()];
	database = '{}';
	id = randomUUID();
});

afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});

async function call(
	Process: Process,
	post: (server: WebhookServer) => Promise<number>,
	{ isDiskFull = false, options = {} } = {},
) {
	const trigger = new Process(setup(options), id, JSON.parse(database) as IDataObject);
	const server = await serve(trigger);
	servers.push(server);
	server.isDiskFull = isDiskFull;
	const status = await post(server);
	// n8n's database is gone at that moment, or takes it: both are tried.
	if (!isDiskFull) database = JSON.stringify(trigger.staticData);
	return [status, server.executions.flat().length];
}

it('A. one process fails to store a press (500), the other one takes its repetition; the call is played again at the first one', async () => {
	const press = envelope(written('[once]:approve'));
	const post = async ({ url }: WebhookServer) => (await postSigned(url, press, SECRET)).status;
	expect(await call(one, post, { isDiskFull: true })).toEqual([500, 0]);
	expect(await call(other, post)).toEqual([200, 1]);
	// The first one takes another press, so it has read what the other one has stored.
	const another = envelope(written('[another]:approve'));
	await call(one, async ({ url }) => (await postSigned(url, another, SECRET)).status);
	await call(
		other,
		async ({ url }) => (await postSigned(url, envelope(written('[third]:approve')), SECRET)).status,
	);
	expect(database).toContain('seenEvents');
	expect(await call(other, post)).toEqual([200, 0]);
	expect(await call(one, post)).toEqual([200, 0]);
}, 30_000);

it('B. the same with Only New Status Callbacks', async () => {
	const options = { onlyNewStatuses: true };
	const post = async ({ statusUrl }: WebhookServer) =>
		await postStatus(statusUrl, 'Approved', { messageId: 'm' });
	expect(await call(one, post, { isDiskFull: true, options })).toEqual([500, 0]);
	expect(await call(other, post, { options })).toEqual([200, 1]);
	expect(await call(other, post, { options })).toEqual([200, 0]);
	expect(await call(one, post, { options })).toEqual([200, 0]);
}, 30_000);

it('A2. the same, the first process takes another press, and both are started anew: nobody knows the press any more', async () => {
	const post =
		(body: string) =>
		async ({ url }: WebhookServer) =>
			(await postSigned(url, body, SECRET)).status;
	const press = envelope(written('[once-2]:approve'));
	expect(await call(one, post(press), { isDiskFull: true })).toEqual([500, 0]);
	expect(await call(other, post(press))).toEqual([200, 1]);
	expect(await call(one, post(envelope(written('[another-2]:approve'))))).toEqual([200, 1]);
	expect(await call(loadAnew(), post(press))).toEqual([200, 0]);
}, 30_000);
