import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { describeUnless } from '../support/skip';
import { env, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { itemsOf } from '../../tools/n8n/executions';
import { record } from './harness/figures';
import { N8n } from '../../tools/n8n/n8n';
import {
	ANSWERS_AT_THE_END,
	ASK,
	ask,
	send,
	trigger,
	webhook,
	workflow,
} from './harness/workflows';

/*
 * The main job in another release of n8n: `DIYALOG_N8N_VERSION=2.0.0 npm run test:e2e -- version`. It is installed into the
 * cache first: about 3 GB, 3 to 8 minutes. Releases that do not run on Node 24 want DIYALOG_NODE_VERSION as well.
 */

const VERSION = env.DIYALOG_N8N_VERSION;
const PART = 'Versions';
const TRIGGER_ID = 'a9d6c9b8-5a2b-4b0e-8f0c-2f2b3c4d5e07';

describeUnless(
	VERSION === undefined ? 'no version in DIYALOG_N8N_VERSION' : undefined,
	`n8n ${VERSION ?? 'of another version'}`,
	() => {
		const bot = {
			name: 'bot',
			token: randomBytes(16).toString('hex'),
			webhook: { appSecret: randomBytes(16).toString('hex') },
		};
		let n8n: N8n;
		let sandbox: Sandbox;
		let credentialId: string;
		let asking: string;
		let pressed: string;
		let urls: { send: string; ask: string };

		beforeAll(async () => {
			sandbox = await startSandbox({ bots: [bot], batch: { maxWaitMs: 50 } });
			n8n = await N8n.start({ version: VERSION });
			credentialId = await n8n.createCredential('Diyalog', {
				serverUrl: sandbox.url,
				botToken: bot.token,
				appSecret: bot.webhook.appSecret,
			});
			const sending = send(credentialId, {
				message: 'Approve?',
				messageId: 'transfer-17',
				buttons: { button: [{ type: 'postback', title: 'Approve', payload: 'approve' }] },
			});
			await n8n.createWorkflow(workflow('Send', [[webhook('send', ANSWERS_AT_THE_END), sending]]));
			const question = ask(credentialId, { message: 'Approve?' });
			asking = await n8n.createWorkflow(workflow('Ask', [[webhook('ask'), question]]));
			const pressing = trigger(credentialId, TRIGGER_ID);
			pressed = await n8n.createWorkflow(workflow('Presses', [[pressing]]));
			urls = { send: await n8n.webhookUrl('send'), ask: await n8n.webhookUrl('ask') };
			sandbox.setWebhookUrl(bot.name, await n8n.webhookUrl(`${TRIGGER_ID}/webhook`));
		}, 1_800_000);

		afterAll(async () => {
			await n8n?.stop();
			await n8n?.remove();
			await sandbox?.close();
		}, 60_000);

		const newestItems = async (workflowId: string, count: number, node: string) => {
			const id = await waitFor(`${count} executions`, 30_000, async () => {
				const found = await n8n.executions(workflowId, 'success');
				return found.length === count ? found[0]?.id : undefined;
			});
			return itemsOf(await n8n.executionData(id), node);
		};
		const proved = async (what: string) =>
			await record({ part: PART, what: `n8n ${VERSION}: ${what}`, found: 'works', met: true });

		it('tests the credential', async () => {
			const data = { serverUrl: sandbox.url, botToken: bot.token };
			expect(await n8n.testCredential(data, credentialId)).toMatchObject({ status: 'OK' });
			expect(await n8n.testCredential({ ...data, botToken: 'wrong' }, credentialId)).toMatchObject({
				status: 'Error',
				message: expect.stringContaining('did not accept the bot token'),
			});
			await proved('credential test');
		});

		it('sends', async () => {
			const response = await postJson(urls.send);
			expect(response.status).toBe(200);
			expect(await response.json()).toMatchObject({ messageId: 'transfer-17' });
			expect(sandbox.timesReceived({ customerNo: '70021', messageId: 'transfer-17' })).toBe(1);
			await proved('send');
		});

		it('takes a press', async () => {
			sandbox.pressButton({ messageId: 'transfer-17', button: 'Approve' });
			await sandbox.flush();
			expect(await newestItems(pressed, 1, 'Diyalog Trigger')).toEqual([
				expect.objectContaining({ event: 'buttonPressed', messageId: 'transfer-17' }),
			]);
			await proved('trigger');
		});

		it('waits and continues', async () => {
			await postJson(urls.ask);
			await waitFor('the execution waits', 30_000, async () =>
				(await n8n.executions(asking)).some(({ status }) => status === 'waiting')
					? true
					: undefined,
			);
			const message = sandbox.messages().at(-1);
			sandbox.pressButton({ messageId: message?.messageId ?? '', button: 'Approve' });
			await sandbox.flush();
			expect(await newestItems(asking, 1, ASK)).toEqual([
				expect.objectContaining({ approved: true, decision: 'approved' }),
			]);
			await proved('send and wait');
		});
	},
);
