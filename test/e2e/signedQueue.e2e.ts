import { randomBytes, sign } from 'node:crypto';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { firstItemOf } from '../../tools/n8n/executions';
import { postJson } from '../../tools/postJson';
import { sleepMs, waitFor } from '../../tools/system';
import { postSigned } from '../support/sign';
import { newPhone, plain } from '../support/signedFormats';
import type { Phone } from '../support/signedFormats';
import { describeUnless } from '../support/skip';
import { entry, envelope } from '../support/webhookBodies';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { ASK, ask, trigger, webhook, workflow } from './harness/workflows';

/*
 * Signed questions in n8n's distributed engine, with two processes that take webhooks: forged answers at both, and a signed one
 * of each person at the same moment. None is approved without both signatures.
 */

const TRIGGER_ID = '5f0f5f2e-3a57-4a8b-9a49-7f7a7c1f2d12';
const WITHIN_MS = 120_000;
const QUESTIONS = 10;
const appSecret = randomBytes(16).toString('hex');
const bot = { name: 'bot', token: randomBytes(16).toString('hex'), webhook: { appSecret } };
const phones: Readonly<Record<string, Phone>> = { E100: newPhone(), E101: newPhone() };

describeUnless(whyNoQueueMode(), 'signed questions in queue mode', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let credentialId: string;

	beforeAll(async () => {
		sandbox = await startSandbox({ bots: [bot], batch: { maxWaitMs: 50 } });
		queue = await startQueueMode(2);
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret,
			...plain('separated', { payloadSignatureSeparator: '.' }),
			payloadSignatureKeys: 'person',
		});
		const node = trigger(credentialId, TRIGGER_ID, { events: ['buttonPressed'] });
		await queue.n8n.createWorkflow(workflow('Presses', [[node]]));
		const url = await queue.n8n.webhookUrl(`${TRIGGER_ID}/webhook`, queue.webhookUrl);
		sandbox.setWebhookUrl(bot.name, url);
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
	}, 120_000);

	it(`${QUESTIONS} questions that both of two have to approve: forged answers first, then both signed ones at the same moment`, async () => {
		const people = Object.entries(phones);
		const parameters = {
			resource: 'message',
			message: 'Pay 250 TL?',
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: people.map(([employeeNo, { publicKey: personKeys }]) => ({
				employeeNo,
				personKeys,
			})),
			rule: 'everyone',
			options: { requireSignedPayload: true },
		};
		const id = await queue.n8n.createWorkflow(
			workflow('Two', [[webhook('two'), ask(credentialId, parameters)]]),
		);
		const url = await queue.n8n.webhookUrl('two', queue.webhookUrl);
		await runConcurrently(
			QUESTIONS,
			5,
			async () => void (await postJson(url, {})),
			() => true,
		);
		const waiting = async (count: number) =>
			await waitFor('the waiting executions', WITHIN_MS, async () => {
				await sleepMs(500);
				return (await queue.n8n.executionCount(id, 'waiting')) === count || undefined;
			});
		await waiting(QUESTIONS);
		const messages = sandbox.messages();
		const direct = queue.webhookProcesses.map(
			(each) => `${each.url}/webhook/${TRIGGER_ID}/webhook`,
		);
		const tap = async (process: number, message: (typeof messages)[number], by?: Phone) => {
			const { messageId, userId } = message;
			const { payload = '' } = message.buttonsV2?.[0] ?? {};
			const signature = by && sign('sha256', Buffer.from(payload), by.privateKey);
			const sent = signature ? `${payload}.${signature.toString('base64')}` : payload;
			const event = { message: { mid: 'other', text: `[${messageId}]:${sent}` } };
			const body = envelope(entry(event, { customerNo: null, userId, timestamp: Date.now() }));
			expect((await postSigned(direct[process] ?? '', body, appSecret)).status).toBe(200);
		};
		const placeOf = ({ employeeNo = '' }: (typeof messages)[number]) =>
			employeeNo === 'E100' ? 0 : 1;
		for (const each of messages) {
			await tap(placeOf(each), each);
			await tap(1 - placeOf(each), each, phones[placeOf(each) === 0 ? 'E101' : 'E100']);
		}
		await sleepMs(3_000);
		await waiting(QUESTIONS);
		for (let again = 0; again < 5; again++) {
			await Promise.all(
				messages.map(async (each) => await tap(placeOf(each), each, phones[each.employeeNo ?? ''])),
			);
			await sleepMs(8_000);
			if ((await queue.n8n.executionCount(id, 'success')) === QUESTIONS) break;
		}
		expect(await queue.n8n.executionCount(id, 'success')).toBe(QUESTIONS);
		for (const { id: execution } of await queue.n8n.executions(id, 'success')) {
			const item = firstItemOf(await queue.n8n.executionData(execution), ASK);
			const signedBy = (recipient: string): unknown =>
				expect.objectContaining({ recipient, payloadSignature: 'valid' });
			expect(item).toMatchObject({
				decision: 'approved',
				answers: expect.arrayContaining([signedBy('E100'), signedBy('E101')]),
			});
		}
	}, 400_000);
});
