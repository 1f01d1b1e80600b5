import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { describeUnless } from '../support/skip';
import { waitFor } from '../../tools/system';
import { extent } from './harness/extent';
import { record } from './harness/figures';
import { OtpWebhooks, otpWorkflow, wrongGuesses } from './harness/otpScenario';
import { startQueueMode } from './harness/queueMode';
import type { QueueMode } from './harness/queueMode';
import { whyNoQueueMode } from './harness/services';

/* Verifying codes with two workers that do not share their memory, only the database. */

const PART = 'Codes in queue mode';
const ROUNDS = extent(5, 30);
const RIGHT_CODES_AT_ONCE = 10;
const WRONG_GUESSES_AT_ONCE = extent(20, 1_000);
const ATTEMPTS = 5;

describeUnless(whyNoQueueMode(), PART, () => {
	let queue: QueueMode;
	let sandbox: Sandbox;
	let otp: OtpWebhooks;
	let customers = 0;

	const newCustomer = (): string => String(71_000 + customers++);

	beforeAll(async () => {
		queue = await startQueueMode();
		const botToken = randomBytes(16).toString('hex');
		sandbox = await startSandbox({
			bots: [{ name: 'otp', token: botToken }],
			customers: Array.from({ length: 100 }, (_, index) => ({
				customerNo: String(71_000 + index),
				userId: String(910_000 + index),
			})),
		});
		const { n8n, webhookProcess } = queue;
		const credentialId = await n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken,
		});
		await n8n.createWorkflow(otpWorkflow(credentialId));
		const base = `${webhookProcess.url}/webhook`;
		otp = new OtpWebhooks(base, (messageId) =>
			String(sandbox.messages().find((message) => message.messageId === messageId)?.mokValue),
		);
		for (const path of OtpWebhooks.paths) {
			await waitFor(`the webhook ${path}`, 60_000, async () =>
				(await (await fetch(`${base}/${path}`)).text()).includes('POST') ? true : undefined,
			);
		}
	}, 900_000);

	afterAll(async () => {
		await queue?.stop();
		await sandbox?.close();
	}, 120_000);

	it(`the right code ${RIGHT_CODES_AT_ONCE} times at once is accepted once, in each of ${ROUNDS} rounds`, async () => {
		const accepted: number[] = [];
		for (let round = 0; round < ROUNDS; round++) {
			const sent = await otp.send(newCustomer());
			const together = Array.from({ length: RIGHT_CODES_AT_ONCE }, () => sent);
			accepted.push((await otp.verifyTogether(together)).ok ?? 0);
		}
		const once = accepted.filter((count) => count === 1).length;
		await record({
			part: PART,
			what: `the right code ${RIGHT_CODES_AT_ONCE} times at once, two workers`,
			found: `accepted once in ${once} of ${ROUNDS} rounds`,
			target: 'once in all',
			met: once === ROUNDS,
		});
		expect(accepted).toEqual(accepted.map(() => 1));
	}, 300_000);

	it(`of ${WRONG_GUESSES_AT_ONCE} wrong guesses at once ${ATTEMPTS} are looked at`, async () => {
		const sent = await otp.send(newCustomer());
		const counts = await otp.verifyTogether(wrongGuesses(sent, WRONG_GUESSES_AT_ONCE));
		await record({
			part: PART,
			what: `${WRONG_GUESSES_AT_ONCE} wrong guesses at once, two workers`,
			found: `${counts.wrongCode ?? 0} looked at`,
			target: String(ATTEMPTS),
			met: counts.wrongCode === ATTEMPTS,
		});
		expect(counts).toEqual({
			wrongCode: ATTEMPTS,
			tooManyAttempts: WRONG_GUESSES_AT_ONCE - ATTEMPTS,
		});
		expect(await otp.verify(sent)).toMatchObject({ valid: false, reason: 'tooManyAttempts' });
	}, 300_000);
});
