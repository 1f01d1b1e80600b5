import { randomBytes } from 'node:crypto';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { fromMessageId } from '../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { firstItemOf, itemsOf } from '../../tools/n8n/executions';
import { postJson } from '../../tools/postJson';
import { sleepMs, waitFor } from '../../tools/system';
import { endsWithin } from '../support/endsWithin';
import { postSigned } from '../support/sign';
import { ROWS } from '../support/severalRules';
import { describeUnless } from '../support/skip';
import { entry, envelope } from '../support/webhookBodies';
import { record } from './harness/figures';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';
import { itemOf, playTable, toThree } from './harness/severalTable';
import { ASK, ask, trigger, webhook, workflow } from './harness/workflows';

/*
 * Several people in n8n's distributed engine: two workers, and two processes that take webhooks. Nothing is ever approved with
 * fewer approvals than the rule needs; an answer that a race has lost is reported, and can be given again.
 */

const PART = 'Several people';
const TRIGGER_ID = '5f0f5f2e-3a57-4a8b-9a49-7f7a7c1f2d11';
const WITHIN_MS = 120_000;
const QUESTIONS = 40;
const LONG = endsWithin(1, 'hours');

const appSecret = randomBytes(16).toString('hex');
const bot = { name: 'bot', token: randomBytes(16).toString('hex'), webhook: { appSecret } };

describeUnless(whyNoQueueMode(), 'several people in queue mode', () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let credentialId: string;
	let presses: string;

	beforeAll(async () => {
		sandbox = await startSandbox({ bots: [bot], batch: { maxWaitMs: 50 } });
		queue = await startQueueMode(2);
		credentialId = await queue.n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: bot.token,
			appSecret,
		});
		const node = trigger(credentialId, TRIGGER_ID, { events: ['buttonPressed'] });
		presses = await queue.n8n.createWorkflow(workflow('Presses', [[node]]));
		const url = await queue.n8n.webhookUrl(`${TRIGGER_ID}/webhook`, queue.webhookUrl);
		sandbox.setWebhookUrl(bot.name, url);
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
	}, 120_000);

	it(`every rule with every order of every answer of three people: ${ROWS.length} questions, a worker killed in between`, async () => {
		const beganMs = Date.now();
		const place = {
			n8n: queue.n8n,
			sandbox,
			credentialId,
			appSecret,
			webhookUrl: queue.webhookUrl,
		};
		const played = await playTable(place, async () => {
			await queue.workers[0]?.kill();
			await queue.workers[0]?.boot();
		});
		for (const each of played) expect(each.found).toMatchObject(itemOf(each));
		await record({
			part: PART,
			what: `the same in queue mode, with two processes that take webhooks, a worker killed after the first answers`,
			found: `${played.length} ended as the rule says, through the output of the decision`,
			detail: `${((Date.now() - beganMs) / 1_000).toFixed(0)} s`,
			target: 'all',
			met: true,
		});
	}, 900_000);

	it(`${QUESTIONS} questions that both of two have to approve, both answers at the same moment in two processes`, async () => {
		const parameters = toThree({
			peopleJson: [{ employeeNo: 'E100' }, { employeeNo: 'E101' }],
			rule: 'everyone',
			options: LONG,
		});
		const id = await queue.n8n.createWorkflow(
			workflow('Two', [[webhook('two'), ask(credentialId, parameters)]]),
		);
		const url = await queue.n8n.webhookUrl('two', queue.webhookUrl);
		const before = sandbox.messages().length;
		await runConcurrently(
			QUESTIONS,
			10,
			async () => void (await postJson(url, {})),
			() => true,
		);
		await waitFor('the waiting executions', WITHIN_MS, async () => {
			await sleepMs(500);
			return (await queue.n8n.executionCount(id, 'waiting')) === QUESTIONS || undefined;
		});
		const messages = sandbox.messages().slice(before);
		const direct = queue.webhookProcesses.map(
			(each) => `${each.url}/webhook/${TRIGGER_ID}/webhook`,
		);
		const tap = async (process: number, { messageId, userId }: (typeof messages)[number]) => {
			const event = { message: { mid: 'other', text: `[${messageId}]:approve` } };
			const body = envelope(entry(event, { customerNo: null, userId, timestamp: Date.now() }));
			expect((await postSigned(direct[process] ?? '', body, appSecret)).status).toBe(200);
		};
		/** The messages of the second answers, by those of the first. */
		const tapAll = async (open: typeof messages) =>
			await Promise.all(
				open.map(async (each) => await tap(each.employeeNo === 'E100' ? 0 : 1, each)),
			);
		const openOf = async () => {
			await waitFor('nothing runs', WITHIN_MS, async () => {
				await sleepMs(1_000);
				return (await queue.n8n.executionCount(id, 'running', 'new')) === 0 || undefined;
			});
			const waiting = new Set((await queue.n8n.executions(id, 'waiting')).map((each) => each.id));
			return messages.filter(({ messageId }) =>
				waiting.has(fromMessageId(messageId, [appSecret])?.executionId ?? ''),
			);
		};
		const saidBefore = await queue.n8n.executionCount(presses, 'success');
		await tapAll(messages);
		// The trigger replies to Diyalog after some seconds, and says later what became of an answer.
		await waitFor('what became of each answer', WITHIN_MS, async () => {
			await sleepMs(1_000);
			const said = await queue.n8n.executionCount(presses, 'success');
			return said - saidBefore >= messages.length || undefined;
		});
		const lost = (await openOf()).length / 2;
		for (let again = 0; again < 5 && (await openOf()).length > 0; again++) {
			await tapAll(await openOf());
			await sleepMs(5_000);
		}
		expect(await queue.n8n.executionCount(id, 'success')).toBe(QUESTIONS);
		for (const { id: execution } of await queue.n8n.executions(id, 'success')) {
			const item = firstItemOf(await queue.n8n.executionData(execution), ASK);
			expect(item).toMatchObject({
				decision: 'approved',
				answers: expect.arrayContaining([
					expect.objectContaining({ recipient: 'E100' }),
					expect.objectContaining({ recipient: 'E101' }),
				]),
			});
		}
		await record({
			part: PART,
			what: `${QUESTIONS} questions to two people who both have to approve, both taps at the same moment in two processes`,
			found: `${QUESTIONS} approved with two answers; ${lost} of them needed a further tap`,
			target: 'never with one; a lost one can be given again',
			met: true,
		});
	}, 400_000);

	it('what the trigger says of them: each answer as what it is', async () => {
		const reasons = new Map<string, number>();
		for (const { id } of await queue.n8n.executions(presses)) {
			for (const item of itemsOf(await queue.n8n.executionData(id), 'Diyalog Trigger')) {
				const { resumed, notResumedReason = 'taken' } = item as Record<string, unknown>;
				const key = `${String(resumed)} ${String(notResumedReason)}`;
				reasons.set(key, (reasons.get(key) ?? 0) + 1);
			}
		}
		const known = [
			'true taken',
			'false counted',
			'false notWaiting',
			'false alreadyAnswered',
			'null unknown',
			'null kept',
		];
		expect([...reasons.keys()].filter((each) => !known.includes(each))).toEqual([]);
		await record({
			part: PART,
			what: 'what the trigger said of the last answers in queue mode',
			found: [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', '),
			target: 'shown',
			met: true,
		});
	}, 120_000);
});
