import { rawPost } from '../../../support/rawRequest';
import { hmacSha1, postSigned } from '../../../support/sign';
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

describe('Diyalog has hung up before n8n asks the trigger, because a database is slow', () => {
	async function postAndHangUp(server: WebhookServer, body: string): Promise<void> {
		Object.assign(server, { asksAfterMs: 300, storesAfterMs: 0 });
		const headers = [
			'Content-Type: application/json',
			`Content-Length: ${Buffer.byteLength(body)}`,
			`X-Signature: ${hmacSha1(body, SECRET)}`,
		];
		await rawPost(server.url, headers, body, { hangUp: true });
		await sleepMs(1_000);
		server.asksAfterMs = 0;
	}

	itWithTrigger('4. n8n stores the execution: the repetition is told so', async (server) => {
		const body = envelope(written('[transfer-17]:approve'));
		await postAndHangUp(server, body);
		expect(server.executions).toHaveLength(1);
		expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
		expect(server.executions).toHaveLength(1);
	});

	itWithTrigger('5. n8n fails to store it: the repeated call is taken', async (server) => {
		const body = envelope(written('[transfer-17]:approve'));
		server.isDiskFull = true;
		await postAndHangUp(server, body);
		await expectTakenWhenRepeated(server, body);
	});
});
