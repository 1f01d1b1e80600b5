import { TriggerUnderTest } from '../../../support/nodeRuntime';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { sleepMs } from '../../../../tools/system';

const setup = {
	parameters: { events: ['statusCallback'], authentication: 'signature', options: {} },
	credentials: { appSecret: 'the-app-secret', statusCallbackToken: 'callback' },
};
const servers: WebhookServer[] = [];
async function load(id: string, stored: object = {}, storesAfterMs = 0, Process = TriggerUnderTest) {
	const trigger = new Process(setup, id, { ...stored });
	const server = await serve(trigger);
	server.storesAfterMs = storesAfterMs;
	servers.push(server);
	return { trigger, server };
}
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});
const storedBy = ({ trigger }: { trigger: TriggerUnderTest }) =>
	JSON.parse(JSON.stringify(trigger.staticData)) as object;
const post = async ({ statusUrl }: WebhookServer, status: string) =>
	(
		await fetch(statusUrl, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'auth-token': 'callback' },
			body: JSON.stringify({ messageId: 'm', status, customerNo: '1', secretData: '' }),
		}).catch(() => ({ status: 0 }))
	).status;

it('E. Approved stored, Cancelled and Approved under way, n8n stores Cancelled and is killed: the repeated Approved', async () => {
	const first = await load('E');
	expect(await post(first.server, 'Approved')).toBe(200);
	const before = storedBy(first);
	const cancelled = await load('E', before, 800);
	const again = await load('E', before, 20_000);
	const c = post(cancelled.server, 'Cancelled');
	await sleepMs(200);
	const a = post(again.server, 'Approved');
	expect(await c).toBe(200);
	await sleepMs(300);
	expect(cancelled.server.executions.flat().map(({ status }) => status)).toEqual(['Cancelled']);
	const inDatabase = storedBy(cancelled);
	// killed: Approved is not stored, and got no reply
	expect(again.server.executions).toEqual([]);
	await again.server.close();
	servers.splice(servers.indexOf(again.server), 1);
	expect(await a).toBe(0);
	const restarted = await load('E-after', inDatabase);
	const status = await post(restarted.server, 'Approved');
	console.log('E repeated Approved after the restart:', status, 'executions', restarted.server.executions.flat().map((i) => i.status));
	expect(restarted.server.executions.flat().map((i) => i.status)).toEqual(['Approved']);
}, 30_000);

it('F. three under way, the first is stored, n8n is killed: its repetition', async () => {
	const one = await load('F', {}, 800);
	const two = await load('F', {}, 20_000);
	const three = await load('F', {}, 20_000);
	const p = post(one.server, 'Approved');
	await sleepMs(150);
	const q = post(two.server, 'Cancelled');
	await sleepMs(150);
	const r = post(three.server, 'Timeout');
	expect(await p).toBe(200);
	await sleepMs(300);
	const inDatabase = storedBy(one);
	for (const each of [two, three]) {
		await each.server.close();
		servers.splice(servers.indexOf(each.server), 1);
	}
	await Promise.all([q, r]);
	const restarted = await load('F-after', inDatabase);
	const status = await post(restarted.server, 'Approved');
	console.log('F repeated Approved after the restart:', status, 'executions', restarted.server.executions.flat().map((i) => i.status));
	expect(restarted.server.executions).toEqual([]);
}, 30_000);

function loadAnew(): typeof TriggerUnderTest {
	let loaded: typeof NodeRuntime | undefined;
	jest.isolateModules(() => {
		loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
	});
	return loaded!.TriggerUnderTest;
}
const statusesOf = (...all: WebhookServer[]) =>
	all.map((each) => each.executions.flat().map(({ status }) => status));

it('E2. as E in two processes, and nobody is killed: n8n fails to store the first Approved', async () => {
	const Other = loadAnew();
	const first = await load('E2');
	await post(first.server, 'Approved');
	const before = storedBy(first);
	const cancelled = await load('E2', before, 800);
	const again = await load('E2', before, 2_500);
	again.server.isDiskFull = true;
	const c = post(cancelled.server, 'Cancelled');
	await sleepMs(200);
	const a = post(again.server, 'Approved');
	await c;
	await sleepMs(100);
	const other = await load('E2', storedBy(cancelled), 0, Other);
	const told = await post(other.server, 'Approved');
	console.log('E2 repetition at the other process', told, 'first', await a, statusesOf(first.server, cancelled.server, again.server, other.server));
}, 30_000);

it('H. two processes: Cancelled is told OK after 3.5 s and stored later by one; a new Approved comes to the other one', async () => {
	const Other = loadAnew();
	const first = await load('H');
	await post(first.server, 'Approved');
	const before = storedBy(first);
	const cancelled = await load('H', before, 6_000);
	console.log('H Cancelled', await post(cancelled.server, 'Cancelled'));
	const other = await load('H', before, 0, Other);
	console.log('H Approved at the other', await post(other.server, 'Approved'));
	await sleepMs(3_500);
	console.log('H', statusesOf(first.server, cancelled.server, other.server));
}, 30_000);

it('I. one process: Cancelled is told OK after 3.5 s, n8n is killed, a new Approved comes after the restart', async () => {
	const first = await load('I');
	await post(first.server, 'Approved');
	const before = storedBy(first);
	const cancelled = await load('I', before, 20_000);
	console.log('I Cancelled', await post(cancelled.server, 'Cancelled'));
	// something else is stored meanwhile
	const inDatabase = storedBy(first);
	await cancelled.server.close();
	servers.splice(servers.indexOf(cancelled.server), 1);
	const restarted = await load('I-after', inDatabase);
	console.log('I Approved after the restart', await post(restarted.server, 'Approved'), statusesOf(first.server, restarted.server));
}, 30_000);
