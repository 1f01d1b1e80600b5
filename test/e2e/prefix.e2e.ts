import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { startNginx, whyNoNginx } from '../support/nginx';
import { describeUnless } from '../support/skip';
import { freePort, fs, waitFor } from '../../tools/system';
import { startTelegramServer } from '../support/telegramServer';
import { Editor } from './harness/editor';
import { Stage } from './harness/waiting';
import { ASK, node } from './harness/workflows';

/*
 * n8n under a path prefix behind nginx. n8n signs the path of a resume address as it is outside, and checks it as it
 * comes in: a proxy that takes the prefix away breaks it.
 */

const STARTS_WITHIN_MS = 900_000;
const ARRIVES_WITHIN_MS = 20_000;

let stage: Stage;
let stopNginx: () => Promise<void>;

interface Installation {
	/** nginx's blocks, given where n8n listens */
	locations: (n8nUrl: string) => string;
	/** n8n's settings, given where nginx listens */
	settings: (proxyUrl: string) => NodeJS.ProcessEnv;
}

async function install({ locations, settings }: Installation): Promise<void> {
	const [port, proxyPort] = [await freePort(), await freePort()];
	const proxyUrl = `http://127.0.0.1:${proxyPort}`;
	stopNginx = await startNginx(proxyPort, locations(`http://127.0.0.1:${port}`));
	stage = await Stage.set({
		port,
		settings: { N8N_PATH: '/n8n/', ...settings(proxyUrl) },
		publicUrl: `${proxyUrl}/n8n`,
	});
}

async function remove(): Promise<void> {
	await stage.clear();
	await stopNginx();
}

async function askAndPress() {
	const asked = await (await stage.createAsking({})).start();
	await stage.press(asked.message, 'Approve');
	return asked;
}

/** The status with which an approval through n8n's own Telegram node is answered. */
async function statusOfTelegramApproval(): Promise<number> {
	const telegram = await startTelegramServer();
	try {
		const data = { accessToken: 'a-token', baseUrl: telegram.url };
		const id = await stage.n8n.createCredential('Telegram', data, 'telegramApi');
		const parameters = {
			resource: 'message',
			operation: 'sendAndWait',
			chatId: '1',
			message: 'Do you approve?',
			options: {},
		};
		const asking = node(ASK, 'n8n-nodes-base.telegram', 1.2, parameters, {
			webhookId: randomUUID(),
			credentials: { telegramApi: { id, name: 'Telegram' } },
		});
		const workflow = await stage.createCalled([[asking]]);
		await fetch(workflow.url, { method: 'POST' });
		await waitFor('the waiting execution', ARRIVES_WITHIN_MS, async () =>
			(await stage.n8n.executions(workflow.id)).some(({ status }) => status === 'waiting')
				? true
				: undefined,
		);
		const [approve = ''] = telegram.buttonUrls();
		expect(approve).toContain('/n8n/');
		return (await fetch(approve)).status;
	} finally {
		await telegram.close();
	}
}

const missing = whyNoNginx();

describeUnless(missing, 'a proxy that takes the prefix away', () => {
	beforeAll(async () => {
		await install({
			locations: (n8nUrl) => `location /n8n/ { proxy_pass ${n8nUrl}/; }`,
			settings: (proxyUrl) => ({ WEBHOOK_URL: `${proxyUrl}/n8n/` }),
		});
	}, STARTS_WITHIN_MS);

	afterAll(remove, 60_000);

	it('n8n refuses the answers to its own nodes', async () => {
		expect(await statusOfTelegramApproval()).toBe(401);
	});

	it('the press is kept, and the log says where to read on', async () => {
		const asked = await askAndPress();
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({
				payload: 'approve',
				resumed: null,
				notResumedReason: 'kept',
			}),
		]);
		expect(await asked.status()).toBe('waiting');
		expect(await fs.readFile(stage.n8n.logFile, 'utf8')).toContain(
			`did not reach execution ${asked.executionId}: n8n did not accept the signature of its own address. A proxy that changes the path breaks it. See "Behind a path prefix" in docs/operations.md of this package.`,
		);
	});

	it("n8n's own address does not help: there the path has no prefix", async () => {
		await stage.addTrigger({ options: { n8nAddress: stage.n8n.url } });
		const asked = await askAndPress();
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: null, notResumedReason: 'kept' }),
		]);
		expect(await asked.status()).toBe('waiting');
	});
});

describeUnless(missing, 'a proxy that leaves the prefix on for webhooks', () => {
	beforeAll(async () => {
		await install({
			// As docs/operations.md has it.
			locations: (n8nUrl) => `
				proxy_http_version 1.1;
				proxy_set_header Host $http_host;
				proxy_set_header Upgrade $http_upgrade;
				proxy_set_header Connection "upgrade";
				location ~ ^/n8n/(webhook|form|mcp) { proxy_pass ${n8nUrl}; }
				location /n8n/ { proxy_pass ${n8nUrl}/; }`,
			settings: (proxyUrl) => ({
				WEBHOOK_URL: `${proxyUrl}/`,
				N8N_EDITOR_BASE_URL: `${proxyUrl}/n8n/`,
				N8N_ENDPOINT_WEBHOOK: 'n8n/webhook',
				N8N_ENDPOINT_WEBHOOK_TEST: 'n8n/webhook-test',
				N8N_ENDPOINT_WEBHOOK_WAIT: 'n8n/webhook-waiting',
				N8N_ENDPOINT_FORM: 'n8n/form',
				N8N_ENDPOINT_FORM_TEST: 'n8n/form-test',
				N8N_ENDPOINT_FORM_WAIT: 'n8n/form-waiting',
				N8N_ENDPOINT_MCP: 'n8n/mcp',
				N8N_ENDPOINT_MCP_TEST: 'n8n/mcp-test',
			}),
		});
	}, STARTS_WITHIN_MS);

	afterAll(remove, 60_000);

	it("answers reach n8n's own nodes", async () => {
		expect(await statusOfTelegramApproval()).toBe(200);
	});

	it('the press continues the execution', async () => {
		const asked = await askAndPress();
		expect(await asked.outcome()).toMatchObject({ decision: 'approved', approved: true });
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: true }),
		]);
	});

	it("also when the trigger uses n8n's own address", async () => {
		await stage.addTrigger({ options: { n8nAddress: stage.n8n.url } });
		const asked = await askAndPress();
		expect(await asked.outcome()).toMatchObject({ decision: 'approved', approved: true });
	});

	it('and so does the page behind a link', async () => {
		const asked = await (await stage.createAsking({ options: { answerBy: 'link' } })).start();
		const url = asked.message.buttonsV2?.[0]?.payload ?? '';
		expect(new URL(url).pathname).toMatch(/^\/n8n\/webhook-waiting\//);
		expect((await fetch(url)).status).toBe(200);
		expect((await fetch(url, { method: 'POST' })).status).toBe(200);
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	});

	it('the editor shows webhooks with the prefix', async () => {
		const shown = z.object({ urlBaseWebhook: z.string(), endpointWebhook: z.string() });
		const schema = z.object({ data: shown });
		const { data } = await stage.n8n.request('GET', '/rest/settings', undefined, schema);
		expect(data.urlBaseWebhook + data.endpointWebhook).toBe(`${stage.publicUrl}/webhook`);
	});

	describeWithChromium('in a browser', () => {
		it('the editor works below the prefix, and a manual run as well', async () => {
			const id = await stage.saveAskingByHand({});
			const browser = await launchChromium();
			try {
				const editor = await Editor.open(browser, { url: stage.publicUrl }, 'light');
				await editor.openWorkflow(id);
				expect(new URL(editor.page.url()).pathname).toBe(`/n8n/workflow/${id}`);
				const count = stage.sandbox.messages().length;
				await editor.executeWorkflow();
				const message = await stage.messageAfter(count);
				// No person presses sooner.
				await waitFor('the waiting execution', ARRIVES_WITHIN_MS, async () =>
					(await stage.n8n.executionCount(id, 'waiting')) === 1 ? true : undefined,
				);
				await stage.press(message, 'Approve');
				await waitFor('the execution to continue', ARRIVES_WITHIN_MS, async () =>
					(await stage.n8n.executionCount(id, 'success')) === 1 ? true : undefined,
				);
				await editor.succeeded(ASK).waitFor();
			} finally {
				await browser.close();
			}
		});
	});
});
