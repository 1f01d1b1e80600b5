import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { WaitingInstance } from '../../../support/waitingInstance';

/* A question to tap on, with a code in its text for who cannot tap. */

const credentials = (serverUrl: string) => ({
	serverUrl,
	botToken: 'bot-token',
	appSecret: randomBytes(16).toString('hex'),
});

let sandbox: Sandbox;
let instance: WaitingInstance;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({ bots: [{ name: 'bot', token: 'bot-token' }] });
});

afterEach(async () => {
	await sandbox.close();
	await instance.close();
});

it('when nobody taps, the code of the message verifies with the challenge of the expired item, once', async () => {
	const credential = credentials(sandbox.url);
	const { onTimeout } = await instance.ask(credential, {
		otpMode: 'generate',
		message: 'Do you pay {amount}? If you cannot tap, type {code}.',
		transaction: { amount: '90,00 TL' },
	});
	const [expired] = onTimeout;
	const [message] = sandbox.messages();
	expect(expired?.json).toMatchObject({ decision: 'expired', approved: false });
	expect(JSON.stringify(expired)).not.toContain(message?.mokValue);
	expect(message?.mokMessage).toBe(
		`Do you pay 90,00 TL? If you cannot tap, type ${message?.mokValue}.`,
	);
	const verify = async () =>
		(
			await runDiyalogNode({
				credentials: credential,
				parameters: {
					resource: 'otp',
					operation: 'verify',
					challenge: String(expired?.json.challenge),
					code: String(message?.mokValue),
					customerNo: '70021',
					transaction: { amount: '90,00 TL' },
				},
			})
		).items[0]?.json;
	expect(await verify()).toMatchObject({ valid: true, messageId: message?.messageId });
	expect(await verify()).toMatchObject({ valid: false, reason: 'used' });
});

it('without a code there is no challenge', async () => {
	const { onTimeout } = await instance.ask(credentials(sandbox.url), {});
	expect(onTimeout[0]?.json).not.toHaveProperty('challenge');
});
