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
