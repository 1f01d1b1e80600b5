import { postSigned } from '../../../support/sign';
import { sleepMs } from '../../../../tools/system';
import { envelope, written } from '../../../support/webhookBodies';
import { serveTrigger } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/* n8n takes long to store what a call starts, and then fails. The events of the call must not pass for taken. */

const SECRET = 'the-app-secret';

/** Longer than the trigger waits before it replies to Diyalog by itself. */
const LONG_MS = 4_500;

/** When n8n is done for certain with a call that has just been made. */
const OVER_AFTER_MS = LONG_MS + 1_000;

/** The tests wait side by side, each with a trigger of its own. */
function itWithTrigger(name: string, test: (server: WebhookServer) => Promise<void>): void {
	it.concurrent(
		name,
		async () => {
			const server = await serveTrigger({
				parameters: { events: ['buttonPressed'], authentication: 'signature' },
				credentials: { appSecret: SECRET },
			});
			server.storesAfterMs = LONG_MS;
			await test(server).finally(server.close);
			expect(server.escaped).toEqual([]);
		},
		15_000,
	);
}

async function expectTakenWhenRepeated(server: WebhookServer, body: string): Promise<void> {
	expect(server.executions).toEqual([]);
	Object.assign(server, { isDiskFull: false, storesAfterMs: 0 });
	expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
	expect(server.executions).toEqual([[expect.objectContaining({ messageId: 'transfer-17' })]]);
}

itWithTrigger('1. Diyalog was answered before: the repeated call is taken', async (server) => {
	const body = envelope(written('[transfer-17]:approve'));
	server.isDiskFull = true;
	const over = sleepMs(OVER_AFTER_MS);
	expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
	await over;
	await expectTakenWhenRepeated(server, body);
});

itWithTrigger('2. Diyalog hung up before: the repeated call is taken', async (server) => {
	const body = envelope(written('[transfer-17]:approve'));
	server.isDiskFull = true;
	const over = sleepMs(OVER_AFTER_MS);
	const signal = AbortSignal.timeout(1_000);
	await expect(postSigned(server.url, body, SECRET, {}, signal)).rejects.toThrow();
	await over;
	await expectTakenWhenRepeated(server, body);
});

itWithTrigger(
	'3. Diyalog hung up, and n8n stores it after all: the repeated call is a repetition',
	async (server) => {
		const body = envelope(written('[transfer-17]:approve'));
		const over = sleepMs(OVER_AFTER_MS);
		const signal = AbortSignal.timeout(1_000);
		await expect(postSigned(server.url, body, SECRET, {}, signal)).rejects.toThrow();
		await over;
		server.storesAfterMs = 0;
		expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
		expect(server.executions).toHaveLength(1);
	},
);
