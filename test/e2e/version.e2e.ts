import { endsWithin } from '../support/endsWithin';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { describeUnless } from '../support/skip';
import { env, sleepMs, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { firstItemOf, itemsOf, nodesRun } from '../../tools/n8n/executions';
import {
	ANSWERED,
	customersOf,
	ended,
	hasGot,
	messagesTo,
	nothing,
	UNANSWERED,
	waits,
} from './harness/decisions';
import { record } from './harness/figures';
import { Stage } from './harness/waiting';
import {
	ANSWERS_AT_THE_END,
	ASK,
	branches,
	marked,
	noOp,
	set,
	splitOut,
	verify,
	waysOf,
	webhook,
	workflow,
} from './harness/workflows';

/*
 * The main job in another release of n8n: `DIYALOG_N8N_VERSION=2.0.0 npm run test:e2e -- version`. It is installed into the
 * cache first: about 3 GB, 3 to 8 minutes. Releases that do not run on Node 24 want DIYALOG_NODE_VERSION as well.
 */

const VERSION = env.DIYALOG_N8N_VERSION;
const PART = 'Versions';

/** Before it n8n lets nothing out of a node that has waited but what leaves through the first output. */
const ALL_BRANCHES_FROM = [2, 39];

function hasAllBranches(version: string): boolean {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const [fromMajor = 0, fromMinor = 0] = ALL_BRANCHES_FROM;
	return major > fromMajor || (major === fromMajor && minor >= fromMinor);
}

describeUnless(
	VERSION === undefined ? 'no version in DIYALOG_N8N_VERSION' : undefined,
	`n8n ${VERSION ?? 'of another version'}`,
	() => {
		let stage: Stage;
		// The first ones are those of the sandbox.
		let nextCustomer = 100;
		const customers = customersOf(250);
		const newCustomer = () => customers[nextCustomer++]?.customerNo ?? '';

		beforeAll(async () => {
			stage = await Stage.set({ version: VERSION, sandbox: { customers } });
		}, 1_800_000);

		afterAll(async () => await stage?.clear(), 60_000);

		const proved = async (what: string) =>
			await record({ part: PART, what: `n8n ${VERSION}: ${what}`, found: 'works', met: true });

		it('tests the credential', async () => {
			const { n8n, sandbox, botToken, credentialId } = stage;
			const data = { serverUrl: sandbox.url, botToken };
			expect(await n8n.testCredential(data, credentialId)).toMatchObject({ status: 'OK' });
			expect(await n8n.testCredential({ ...data, botToken: 'wrong' }, credentialId)).toMatchObject({
				status: 'Error',
				message: expect.stringContaining('did not accept the bot token'),
			});
			await proved('credential test');
		});

		it('sends', async () => {
			const sending = stage.send({
				message: 'Approve?',
				options: { messageId: 'transfer-17' },
				below: 'buttons',
				buttons: { button: [{ type: 'postback', title: 'Approve', payload: 'approve' }] },
			});
			const call = webhook('send', ANSWERS_AT_THE_END);
			await stage.n8n.createWorkflow(workflow('Send', [[call, sending]]));
			const response = await postJson(await stage.n8n.webhookUrl('send'));
			expect(response.status).toBe(200);
			expect(await response.json()).toMatchObject({ messageId: 'transfer-17' });
			const sent = { customerNo: '70021', messageId: 'transfer-17' };
			expect(stage.sandbox.timesReceived(sent)).toBe(1);
			await proved('send');
		});

		it('takes a press', async () => {
			stage.sandbox.pressButton({ messageId: 'transfer-17', button: 'Approve' });
			await stage.sandbox.flush();
			expect(await stage.triggeredFor('transfer-17')).toEqual([
				expect.objectContaining({ event: 'buttonPressed', messageId: 'transfer-17' }),
			]);
			await proved('trigger');
		});

		it.each([
			['v1', 'Approve', 'approved', 0],
			['v1', 'Decline', 'declined', 2],
			['v0', 'Approve', 'approved', 0],
			['v0', 'Decline', 'declined', 2],
		])(
			'counts answers of several people, order %s: two %s',
			async (executionOrder, button, decision, way) => {
				const people = [newCustomer(), newCustomer(), newCustomer()];
				const question = stage.ask({
					ask: 'several',
					specifyPeople: 'json',
					peopleJson: JSON.stringify(people),
					rule: 'atLeast',
					approvalsNeeded: 2,
				});
				const { id, url } = await stage.createCalled(marked(question), { executionOrder });
				await postJson(url);
				const execution = await waits(stage, id);
				await stage.press(await hasGot(stage, people[0] ?? '', 1), button);
				await sleepMs(4_000);
				expect(await waits(stage, id)).toBe(execution);
				expect(waysOf(nodesRun(await stage.n8n.executionData(execution)))).toEqual([]);
				await stage.press(await hasGot(stage, people[2] ?? '', 1), button);
				const data = await ended(stage, id);
				const leaves = way === 0 || hasAllBranches(VERSION ?? '');
				if (leaves) expect(firstItemOf(data, ASK)).toMatchObject({ decision, answers: [{}, {}] });
				expect(waysOf(nodesRun(data))).toEqual(leaves ? [way] : []);
				await proved(`several people, order ${executionOrder}, ${decision}`);
			},
		);

		it.each([
			['v1', false],
			['v1', true],
			['v0', false],
			['v0', true],
		])('waits for a delivery, order %s, phones off: %s', async (executionOrder, phonesOff) => {
			stage.sandbox.setFaults({ phonesOff });
			const question = stage.ask({
				customerNo: newCustomer(),
				responseType: 'delivery',
				options: endsWithin(5, 'seconds'),
			});
			const { id, url } = await stage.createCalled(marked(question), { executionOrder });
			await postJson(url);
			const data = await ended(stage, id);
			stage.sandbox.setFaults({ phonesOff: false });
			const notDelivered = hasAllBranches(VERSION ?? '') ? [1] : [];
			expect(waysOf(nodesRun(data))).toEqual(phonesOff ? notDelivered : [0]);
			await proved(`delivery, order ${executionOrder}`);
		});

		describe.each(['v1', 'v0'])('waits and continues, order %s', (executionOrder) => {
			it.each([...ANSWERED, ...UNANSWERED])(
				'%s',
				async (what, parameters, answer, decision, way) => {
					const customerNo = newCustomer();
					const question = stage.ask({ customerNo, ...parameters });
					const rows = [
						[set('Claim', { approved: true, data: { approved: true } }), question],
						...marked(question),
					];
					const { id, url } = await stage.createCalled(rows, { executionOrder });
					await postJson(url);
					await hasGot(stage, customerNo, 1);
					await waits(stage, id);
					await answer(stage, customerNo, id);
					const data = await ended(stage, id);
					const allBranches = hasAllBranches(VERSION ?? '');
					expect(waysOf(nodesRun(data))).toEqual(allBranches || way === 0 ? [way] : []);
					if (allBranches || way === 0)
						expect(firstItemOf(data, ASK)).toMatchObject({
							decision,
							approved: /approved|codeMatched/.test(decision),
						});
					// Wrong codes are counted and answered.
					const replies = { 'right code after a wrong one': 1, 'three wrong codes': 2 };
					const count = Object.entries(replies).find(([of]) => of === what)?.[1] ?? 0;
					expect(messagesTo(stage, customerNo)).toHaveLength(1 + count);
					if (executionOrder === 'v0' || answer === nothing) return;
					await proved(`send and wait: ${what}${allBranches || way === 0 ? '' : ' ends silently'}`);
				},
				150_000,
			);
		});

		it('verifies: right codes leave as valid, others as invalid', async () => {
			const path = randomUUID();
			const sending = stage.send({
				customerNo: '={{ $json.body.customerNo }}',
				message: '{code}',
				otpMode: 'generate',
			});
			await stage.n8n.createWorkflow(
				workflow('Send a code', [[webhook(path, ANSWERS_AT_THE_END), sending]]),
			);
			const url = await stage.n8n.webhookUrl(path);
			const guesses: object[] = [];
			for (const isRight of [true, false, true]) {
				const customerNo = newCustomer();
				const answer: unknown = await (await postJson(url, { customerNo })).json();
				const { challenge } = z.object({ challenge: z.string() }).parse(answer);
				const right = messagesTo(stage, customerNo).at(-1)?.mokValue;
				guesses.push({ customerNo, challenge, code: isRight ? right : 'wrong' });
			}
			const verifying = verify(stage.credentialId, {
				challenge: '={{ $json.challenge }}',
				code: '={{ $json.code }}',
				customerNo: '={{ $json.customerNo }}',
			});
			const { id, url: verifyUrl } = await stage.createCalled([
				[set('Guesses', { list: guesses }), splitOut('list'), verifying],
				...branches(verifying, [[noOp('Valid')], [noOp('Invalid')]]),
			]);
			await postJson(verifyUrl);
			const data = await ended(stage, id);
			const reasons = (name: string) =>
				itemsOf(data, name).map((item) => z.object({ reason: z.string() }).parse(item).reason);
			expect([reasons('Valid'), reasons('Invalid')]).toEqual([['ok', 'ok'], ['wrongCode']]);
			await proved('verify');
		});

		it.each([
			['On Error: Stop', {}, []],
			['On Error: Continue', { onError: 'continueRegularOutput' }, [1]],
			['an error output', { onError: 'continueErrorOutput' }, [3]],
			[
				'On Error: Continue, Retry On Fail',
				{ onError: 'continueRegularOutput', retryOnFail: true, waitBetweenTries: 10 },
				[1],
			],
		])('Always Output Data, %s: nothing is sent', async (_what, settings, ways) => {
			for (const executionOrder of ['v1', 'v0']) {
				const customerNo = newCustomer();
				const question = stage.ask({ customerNo }, { ...settings, alwaysOutputData: true });
				const { id, url } = await stage.createCalled(marked(question), { executionOrder });
				await postJson(url);
				await waitFor('the end', 30_000, async () =>
					(await stage.n8n.executionCount(id, 'success', 'error')) === 1 ? true : undefined,
				);
				expect(waysOf(nodesRun(await ended(stage, id)))).toEqual(ways);
				expect(messagesTo(stage, customerNo)).toEqual([]);
			}
		});
	},
);
