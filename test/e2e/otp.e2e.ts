import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { fs } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { readExample } from '../../tools/n8n/examples';
import { N8n } from '../../tools/n8n/n8n';
import { OtpWebhooks, otpWorkflow, wrongGuesses } from './harness/otpScenario';
import { filesHolding } from '../../tools/n8n/secrets';

/* The life of a code in a real n8n, with its real memory: its database, which outlives a restart. */

const TOKEN = `otp/token+${randomBytes(12).toString('hex')}=`;

let n8n: N8n;
let sandbox: Sandbox;
let credentialId: string;
let otp: OtpWebhooks;
let customers = 0;

const newCustomer = (): string => String(71_000 + customers++);

const codeOf = (messageId: string): string =>
	String(sandbox.messages().find((message) => message.messageId === messageId)?.mokValue);

beforeAll(async () => {
	n8n = await N8n.start({ settings: { N8N_LOG_LEVEL: 'debug' } });
	sandbox = await startSandbox({
		bots: [{ name: 'otp', token: TOKEN }],
		customers: Array.from({ length: 50 }, (_, index) => ({
			customerNo: String(71_000 + index),
			userId: String(910_000 + index),
		})),
	});
	credentialId = await n8n.createCredential('Diyalog', {
		serverUrl: sandbox.url,
		botToken: TOKEN,
		appSecret: 'secret',
	});
	await n8n.createWorkflow(otpWorkflow(credentialId));
	for (const path of OtpWebhooks.paths) await n8n.webhookUrl(path);
	otp = new OtpWebhooks(`${n8n.url}/webhook`, codeOf);
}, 900_000);

afterAll(async () => {
	await sandbox.close();
	await n8n.stop();
	await n8n.remove();
}, 60_000);

describe('every reason through two webhooks', () => {
	it('ok, then used', async () => {
		const sent = await otp.send(newCustomer());
		expect(await otp.verify(sent)).toMatchObject({ valid: true, reason: 'ok' });
		expect(await otp.verify(sent)).toMatchObject({ valid: false, reason: 'used' });
	});

	it('wrongCode, then tooManyAttempts, even with the right code', async () => {
		const sent = await otp.send(newCustomer());
		for (const guess of wrongGuesses(sent, 5)) {
			expect(await otp.verify(guess)).toMatchObject({ valid: false, reason: 'wrongCode' });
		}
		expect(await otp.verify(sent)).toMatchObject({ valid: false, reason: 'tooManyAttempts' });
	});

	it('otherCustomer, otherTransaction, malformed, and still ok', async () => {
		const sent = await otp.send(newCustomer(), 'City Waterworks');
		const reasons: string[] = [];
		for (const guess of [
			{ ...sent, customerNo: newCustomer() },
			{ ...sent, payee: 'Somebody Else' },
			{ ...sent, challenge: sent.challenge.slice(1) },
			sent,
		]) {
			reasons.push((await otp.verify(guess)).reason);
		}
		expect(reasons).toEqual(['otherCustomer', 'otherTransaction', 'malformed', 'ok']);
	});
});

it('200 wrong guesses at the same time: five are looked at', async () => {
	const sent = await otp.send(newCustomer());
	const counts = await otp.verifyTogether(wrongGuesses(sent, 200));
	expect(counts).toEqual({ wrongCode: 5, tooManyAttempts: 195 });
}, 120_000);

it('the right code 50 times at the same time: accepted once', async () => {
	const sent = await otp.send(newCustomer());
	const counts = await otp.verifyTogether(Array.from({ length: 50 }, () => sent));
	expect(counts.ok).toBe(1);
}, 120_000);

it('a restart, even by force, resets nothing', async () => {
	const [used, guessed] = [await otp.send(newCustomer()), await otp.send(newCustomer())];
	expect(await otp.verify(used)).toMatchObject({ reason: 'ok' });
	for (const guess of wrongGuesses(guessed, 4)) await otp.verify(guess);
	await n8n.kill();
	await n8n.boot();
	await n8n.login();
	for (const path of OtpWebhooks.paths) await n8n.webhookUrl(path);
	expect(await otp.verify(used)).toMatchObject({ reason: 'used' });
	expect(await otp.verify({ ...guessed, code: '' })).toMatchObject({ reason: 'wrongCode' });
	expect(await otp.verify(guessed)).toMatchObject({ reason: 'tooManyAttempts' });
}, 180_000);

describe.each([
	['login-by-code.json', 'login', {}, {}],
	[
		'confirm-payment.json',
		'payment',
		{ amount: '1,250.00', currency: 'TRY', payee: 'City Waterworks' },
		{ amount: '9,250.00' },
	],
	['reset-password.json', 'reset', {}, {}],
])('examples/%s', (file, path, transaction, altered) => {
	const post = async (step: string, body: object) => {
		const response = await postJson(`${n8n.url}/webhook/${path}-${step}`, body);
		return { status: response.status, body: (await response.json()) as Record<string, unknown> };
	};

	beforeAll(async () => {
		await n8n.createWorkflow(await readExample(file, credentialId));
		await n8n.webhookUrl(`${path}-start`);
		await n8n.webhookUrl(`${path}-finish`);
	});

	it('accepts the code from the phone once, and says nothing else but no', async () => {
		const customerNo = newCustomer();
		const started = await post('start', { customerNo, ...transaction });
		expect(started.status).toBe(200);
		expect(Object.keys(started.body).sort()).toEqual(['challenge', 'expiresAt']);
		const message = sandbox.messages().findLast((each) => each.customerNo === customerNo);
		expect(message?.mokMessage).toContain(message?.mokValue);
		for (const value of Object.values(transaction)) expect(message?.mokMessage).toContain(value);

		const { challenge } = started.body;
		const right = { challenge, code: message?.mokValue, customerNo, ...transaction };
		const no = { status: 401, body: { accepted: false } };
		expect(await post('finish', { ...right, code: '000000' })).toEqual(no);
		expect(await post('finish', { ...right, customerNo: newCustomer() })).toEqual(no);
		if (Object.keys(altered).length > 0) {
			expect(await post('finish', { ...right, ...altered })).toEqual(no);
		}
		expect(await post('finish', right)).toEqual({ status: 200, body: { accepted: true } });
		expect(await post('finish', right)).toEqual(no);
		expect(await post('start', { customerNo, ...transaction })).toEqual({
			status: 429,
			body: {
				sent: false,
				message: expect.stringMatching(
					/^Please wait (\d+ seconds?|a moment), then ask for a (new )?code/,
				) as string,
			},
		});
	}, 60_000);
});

it('a code for a login resets no password', async () => {
	const customerNo = newCustomer();
	const call = async (path: string, body: object) =>
		await postJson(`${n8n.url}/webhook/${path}`, body);
	const { challenge } = (await (await call('login-start', { customerNo })).json()) as {
		challenge: string;
	};
	const message = sandbox.messages().findLast((each) => each.customerNo === customerNo);
	const otpOfLogin = { challenge, code: message?.mokValue, customerNo };
	expect((await call('reset-finish', otpOfLogin)).status).toBe(401);
	expect((await call('login-finish', otpOfLogin)).status).toBe(200);
});

it('a code that was sent is in nothing that n8n wrote', async () => {
	const payee = `payee-${randomBytes(6).toString('hex')}`;
	const sent = await otp.send(newCustomer(), payee);
	await n8n.stop();
	// Six digits come up by chance in large files; with the text around them they do not.
	expect((await filesHolding(n8n.userFolder, `${sent.code}, ${payee}`)).files).toEqual([]);
	expect((await filesHolding(n8n.userFolder, TOKEN)).files).toEqual([]);
	expect((await filesHolding(n8n.userFolder, payee)).files).not.toEqual([]);
	expect(await fs.readFile(n8n.logFile, 'utf8')).not.toContain(`"${sent.code}"`);
}, 60_000);
