import { postSigned } from '../../../support/sign';
import { sleepMs } from '../../../../tools/system';
import { envelope, written } from '../../../support/webhookBodies';
import { serveTrigger } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/* n8n takes long to store what a call starts, and then fails. The events of the call must not pass for taken. */

const SECRET = 'the-app-secret';

/** Longer than the trigger waits before it answers Diyalog by itself. */
const LONG_MS = 4_500;

let server: WebhookServer;

beforeEach(async () => {
	server = await serveTrigger({
		parameters: { events: ['buttonPressed'], authentication: 'signature' },
		credentials: { appSecret: SECRET },
	});
	server.storesAfterMs = LONG_MS;
});

afterEach(async () => {
	await server.close();
	expect(server.escaped).toEqual([]);
});

async function expectTakenWhenRepeated(body: string): Promise<void> {
	expect(server.executions).toEqual([]);
	Object.assign(server, { isDiskFull: false, storesAfterMs: 0 });
	expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
	expect(server.executions).toEqual([[expect.objectContaining({ messageId: 'transfer-17' })]]);
}

it('1. Diyalog was answered before: the repeated call is taken', async () => {
	const body = envelope(written('[transfer-17]:approve'));
	server.isDiskFull = true;
	expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
	await sleepMs(LONG_MS);
	await expectTakenWhenRepeated(body);
}, 15_000);

it('2. Diyalog hung up before: the repeated call is taken', async () => {
	const body = envelope(written('[transfer-17]:approve'));
	server.isDiskFull = true;
	const signal = AbortSignal.timeout(1_000);
	await expect(postSigned(server.url, body, SECRET, {}, signal)).rejects.toThrow();
	await sleepMs(LONG_MS);
	await expectTakenWhenRepeated(body);
}, 15_000);

it('3. Diyalog hung up, and n8n stores it after all: the repeated call is a repetition', async () => {
	const body = envelope(written('[transfer-17]:approve'));
	const signal = AbortSignal.timeout(1_000);
	await expect(postSigned(server.url, body, SECRET, {}, signal)).rejects.toThrow();
	await sleepMs(LONG_MS);
	server.storesAfterMs = 0;
	expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
	expect(server.executions).toHaveLength(1);
}, 15_000);
