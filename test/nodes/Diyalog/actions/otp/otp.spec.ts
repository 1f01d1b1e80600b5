import type { IDataObject, INodeParameters, NodeOperationError } from 'n8n-workflow';
import { randomBytes } from 'node:crypto';
import { deriveKeys } from '../../../../../nodes/Diyalog/codes/keys';
import { issueChallenge } from '../../../../../nodes/Diyalog/codes/challenge';
import { startSandbox } from '../../../../../sandbox/server';
import type { Sandbox } from '../../../../../sandbox/server';
import { processedData, runDiyalogNode } from '../../../../support/nodeRuntime';
import type { NodeRun } from '../../../../support/nodeRuntime';
import { freePort } from '../../../../../tools/system';

/* A code from its generation to its verification, through both operations of the node. */

const TOKEN = 'token-of-the-otp-bot';

let sandbox: Sandbox;
let customers = 0;

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [{ name: 'otp', token: TOKEN }],
		customers: Array.from({ length: 100 }, (_, index) => ({
			customerNo: String(70_000 + index),
			userId: String(900_000 + index),
		})),
	});
});

afterAll(async () => await sandbox.close());

/** Limits are kept for each customer, so that each test has its own. */
const newCustomer = (): string => String(70_000 + customers++);

const credentials = (botToken = TOKEN) => ({ serverUrl: sandbox.url, botToken, appSecret: '' });

const sendParameters = (overrides: INodeParameters = {}): INodeParameters => ({
	resource: 'otp',
	operation: 'send',
	customerNo: '70000',
	message: 'Your code is {code}, for {minutes} minutes.',
	otpMode: 'generate',
	...overrides,
});

const verifyParameters = (overrides: INodeParameters = {}): INodeParameters => ({
	resource: 'otp',
	operation: 'verify',
	challenge: '={{ $json.challenge }}',
	code: '={{ $json.code }}',
	customerNo: '={{ $json.customerNo }}',
	...overrides,
});

const send = async (overrides: INodeParameters = {}): Promise<NodeRun> =>
	await runDiyalogNode({ parameters: sendParameters(overrides), credentials: credentials() });

interface Sent {
	challenge: string;
	code: string;
	customerNo: string;
}

/** Sends a code to a customer and reads it on the phone. */
async function sent(customerNo: string, overrides: INodeParameters = {}): Promise<Sent> {
	const { items, error } = await send({ customerNo, ...overrides });
	expect(error).toBeUndefined();
	const { challenge, messageId } = items[0]?.json ?? {};
	const onThePhone = sandbox.messages().find((message) => message.messageId === messageId);
	return { challenge: String(challenge), code: String(onThePhone?.mokValue), customerNo };
}

const verify = async (
	given: object,
	overrides: INodeParameters = {},
	botToken = TOKEN,
): Promise<NodeRun> =>
	await runDiyalogNode(
		{ parameters: verifyParameters(overrides), credentials: credentials(botToken) },
		[{ json: { ...given } }],
	);

const answerTo = async (...args: Parameters<typeof verify>): Promise<unknown> => {
	const { items, error } = await verify(...args);
	expect(error).toBeUndefined();
	return items[0]?.json;
};

const otherThan = (code: string): string =>
	code.replace(/./g, (digit) => String(9 - Number(digit)));

describe('send with a generated code', () => {
	it('puts the code into text and value on the phone, and only a challenge into the output', async () => {
		const customerNo = newCustomer();
		const { run, items } = await send({ customerNo });
		const { messageId, challenge, expiresAt, sentAt } = items[0]?.json ?? {};
		const message = sandbox.messages().find((each) => each.messageId === messageId);
		expect(message?.mokValue).toMatch(/^\d{6}$/);
		expect(message?.mokMessage).toBe(`Your code is ${message?.mokValue}, for 5 minutes.`);
		expect(challenge).toMatch(/^dc1\.[A-Za-z0-9_-]+$/);
		expect(encodeURIComponent(String(challenge))).toBe(challenge);
		expect(Date.parse(String(expiresAt)) - Date.parse(String(sentAt))).toBe(300_000);
		expect(JSON.stringify(run)).toContain(customerNo);
		expect(JSON.stringify(run)).not.toContain(message?.mokValue);
	});

	it('makes codes of letters and digits, as long as asked for', async () => {
		const { code } = await sent(newCustomer(), {
			options: { codeLength: 10, codeCharacters: 'lettersAndDigits' },
		});
		expect(code).toMatch(/^[3479CDFHJKMNPQRTWXY]{10}$/);
	});

	it('refuses a text that does not show the code, before anything is sent', async () => {
		const before = sandbox.messages().length;
		const { error } = await send({ customerNo: newCustomer(), message: 'Your code is 123456.' });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: 'Message does not contain {code} [item 0]',
		});
		expect(sandbox.messages()).toHaveLength(before);
	});

	it('refuses a second code right after the first, in words without the customer', async () => {
		const customerNo = newCustomer();
		await sent(customerNo);
		const before = sandbox.messages().length;
		const { error } = await send({ customerNo });
		expect(error?.message).toMatch(
			/^Customer Number has got as many codes as Resend Limits allow: the next is possible in \d+ seconds? \[item 0\]$/,
		);
		const { retryAfterSeconds } = (error as NodeOperationError).context;
		expect(retryAfterSeconds).toBeGreaterThan(0);
		expect(retryAfterSeconds).toBeLessThanOrEqual(23);
		expect(JSON.stringify(error)).not.toContain(customerNo);
		expect(sandbox.messages()).toHaveLength(before);
	});

	it('a code that did not go out does not count', async () => {
		const customerNo = newCustomer();
		const unreachable = { ...credentials(), serverUrl: `http://127.0.0.1:${await freePort()}` };
		const parameters = sendParameters({ customerNo, options: { maxRetries: 0 } });
		for (let count = 0; count < 2; count++) {
			const { error } = await runDiyalogNode({ parameters, credentials: unreachable });
			expect(error?.message).toBe('The Diyalog server refused the connection');
		}
		await sent(customerNo);
	});

	it('a credential without a token is a clear error', async () => {
		const parameters = sendParameters({ customerNo: newCustomer() });
		const { error } = await runDiyalogNode({ parameters, credentials: credentials(' ') });
		expect(error?.message).toMatch(/The Bot Token is empty/);
	});
});

describe('send with a given code', () => {
	it('goes out as it is, also in a text that is no template', async () => {
		const customerNo = newCustomer();
		const parameters: INodeParameters = {
			resource: 'otp',
			operation: 'send',
			customerNo,
			message: 'Your one-time password is 4815. {code',
			otpMode: 'given',
			otpValue: '4815',
		};
		for (let count = 0; count < 3; count++) {
			const { items, error } = await runDiyalogNode({ parameters, credentials: credentials() });
			expect(error).toBeUndefined();
			const { messageId, challenge } = items[0]?.json ?? {};
			const message = sandbox.messages().find((each) => each.messageId === messageId);
			expect(message).toMatchObject({ mokMessage: parameters.message, mokValue: '4815' });
			expect(await answerTo({ challenge, code: '4815', customerNo })).toMatchObject({
				reason: 'ok',
			});
		}
	});

	it.each([{ otpMode: 'none' }, { otpMode: 'given', otpValue: '' }])(
		'none, with %j: no value on the phone, no challenge',
		async (overrides) => {
			const { items } = await send({
				customerNo: newCustomer(),
				message: 'Do you approve?',
				...overrides,
			});
			expect(items[0]?.json).toHaveProperty('messageId');
			expect(items[0]?.json).not.toHaveProperty('challenge');
			const message = sandbox.messages().at(-1);
			expect(message).toMatchObject({ mokMessage: 'Do you approve?' });
			expect(message?.mokValue ?? '').toBe('');
		},
	);
});

describe('advice beside the output', () => {
	const adviceFor = async (parameters: INodeParameters) => {
		const { run } = await runDiyalogNode(
			{
				parameters: sendParameters({ customerNo: '={{ $json.customerNo }}', ...parameters }),
				credentials: credentials(),
			},
			[newCustomer(), newCustomer()].map((customerNo) => ({ json: { customerNo } })),
		);
		const [task] = Object.values(run.data.resultData.runData).flat().slice(-1);
		return (task?.hints ?? []).map(({ message }) => message);
	};
	const given = { otpMode: 'given', otpValue: '4815' };
	const VERIFY: INodeParameters = {
		customerNo: '={{ $json.customerNo }}',
		resource: 'otp',
		operation: 'verify',
		code: '={{ $json.code }}',
		challenge: '={{ $json.challenge }}',
	};
	const PAID = { amount: '1,250.00', payee: 'City Waterworks' };

	/** Sends a code for a transaction, verifies it for another one and gives what stands beside that. */
	async function adviceOnVerify(
		transaction: IDataObject,
		verified: IDataObject,
		more: IDataObject = {},
	) {
		const customerNo = newCustomer();
		const shown = Object.keys(transaction).map((name) => `{${name}}`);
		const { items } = await send({
			customerNo,
			message: `{code} ${shown.join(' ')}`,
			transaction,
		} as INodeParameters);
		const { challenge, messageId } = items[0]?.json ?? {};
		const code = sandbox.messages().find((each) => each.messageId === messageId)?.mokValue;
		const { run } = await runDiyalogNode(
			{
				parameters: { ...VERIFY, transaction: verified } as INodeParameters,
				credentials: credentials(),
			},
			[{ json: { customerNo, challenge, code, ...more } }],
		);
		const [task] = Object.values(run.data.resultData.runData).flat().slice(-1);
		return (task?.hints ?? []).map(({ message }) => message);
	}

	it.each<[string, IDataObject, IDataObject, IDataObject, RegExp[]]>([
		['7. the same transaction', PAID, PAID, {}, []],
		[
			'8. another amount',
			PAID,
			{ ...PAID, amount: '9.00' },
			{},
			[/letter of amount, payee in Verify/],
		],
		[
			'9. one field too many',
			PAID,
			{ ...PAID, currency: 'TRY' },
			{},
			[/without the field currency /],
		],
		[
			'10. one too few',
			PAID,
			{ amount: PAID.amount },
			{},
			[/or a field is missing\. Compare each letter of amount/],
		],
		['11. none', PAID, {}, {}, [/but Verify has none/]],
		['12. one for a code without', {}, PAID, {}, [/sent without a Transaction/]],
		['13. one that is none', PAID, { amount: 'x'.repeat(999) }, {}, [/cannot be read/]],
		['14. no challenge', PAID, PAID, { challenge: undefined }, [/^Challenge is empty\. Check/]],
		['15. an altered challenge', PAID, PAID, { challenge: 'dc1.abc' }, [/does not come from Send/]],
		['16. a wrong code', PAID, PAID, { code: '000' }, []],
		['17. another customer', PAID, PAID, { customerNo: '1' }, []],
	])('%s: says what to do, and no value', async (_, sent, verified, more, expected) => {
		const advice = await adviceOnVerify(sent, verified, more);
		expect(advice).toEqual(expected.map((sentence) => expect.stringMatching(sentence) as string));
		expect(advice.join()).not.toMatch(/1,250|9\.00|Waterworks|TRY|xxx/);
	});

	it.each<[string, INodeParameters, RegExp[]]>([
		[
			'1. a given code that nobody reads',
			{ ...given, message: 'Hello' },
			[/does not show the code/],
		],
		['2. no code where one was to be', { otpMode: 'given', message: 'Hello' }, [/is empty/]],
		['3. a given code in the text', { ...given, message: 'It is {code}.' }, []],
		['4. a given code written out', { ...given, message: 'It is 4815.' }, []],
		['5. a generated code', {}, []],
		['6. no code', { otpMode: 'none', message: 'Hello' }, []],
	])(
		'%s: said once for all items, and nothing of it is secret',
		async (_, parameters, expected) => {
			const advice = await adviceFor(parameters);
			expect(advice).toEqual(expected.map((sentence) => expect.stringMatching(sentence) as string));
			expect(advice.join()).not.toContain('4815');
		},
	);
});

const PAYMENT = { amount: '1,250.00', currency: 'TRY', payee: 'City Waterworks' };
const PAYMENT_TEXT = '{code}: {amount} {currency} to {payee}';

describe('verify', () => {
	it('ok: the right code, once', async () => {
		const otp = await sent(newCustomer());
		expect(await answerTo(otp)).toEqual({
			valid: true,
			reason: 'ok',
			attemptsLeft: 0,
			customerNo: otp.customerNo,
			messageId: expect.any(String) as string,
			verifiedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
		});
	});

	it('used: the right code again', async () => {
		const otp = await sent(newCustomer());
		await answerTo(otp);
		expect(await answerTo(otp)).toEqual({
			valid: false,
			reason: 'used',
			attemptsLeft: 0,
			customerNo: otp.customerNo,
			messageId: expect.any(String) as string,
			verifiedAt: null,
		});
	});

	it('wrongCode: another code, none, or something that is no code', async () => {
		const otp = await sent(newCustomer());
		for (const [index, code] of [otherThan(otp.code), '', { a: 1 }].entries()) {
			expect(await answerTo({ ...otp, code })).toMatchObject({
				valid: false,
				reason: 'wrongCode',
				attemptsLeft: 4 - index,
			});
		}
		expect(await answerTo(otp)).toMatchObject({ reason: 'ok' });
	});

	it('tooManyAttempts: the right code after five wrong ones', async () => {
		const otp = await sent(newCustomer());
		const code = otherThan(otp.code);
		for (let count = 0; count < 5; count++) await answerTo({ ...otp, code });
		expect(await answerTo(otp)).toMatchObject({
			valid: false,
			reason: 'tooManyAttempts',
			attemptsLeft: 0,
		});
	});

	it('tooManyAttempts: the limit of the node counts', async () => {
		const otp = await sent(newCustomer());
		const limits = { limits: { attempts: 1 } };
		expect(await answerTo({ ...otp, code: '' }, limits)).toMatchObject({ reason: 'wrongCode' });
		expect(await answerTo(otp, limits)).toMatchObject({ reason: 'tooManyAttempts' });
	});

	it('tooManyAttempts: a customer who failed too often, with a new code', async () => {
		const customerNo = newCustomer();
		const limits = { limits: { failures: 2 } };
		const parameters = { options: { resendLimits: { values: { maxCodes: 0 } } } };
		const first = await sent(customerNo, parameters);
		for (let count = 0; count < 2; count++) await answerTo({ ...first, code: '' }, limits);
		const second = await sent(customerNo, parameters);
		expect(await answerTo(second, limits)).toMatchObject({ reason: 'tooManyAttempts' });
	});

	it('otherCustomer: the right code of somebody else', async () => {
		const otp = await sent(newCustomer());
		expect(await answerTo({ ...otp, customerNo: newCustomer() })).toEqual({
			valid: false,
			reason: 'otherCustomer',
			attemptsLeft: 4,
			customerNo: null,
			messageId: expect.any(String) as string,
			verifiedAt: null,
		});
		expect(await answerTo({ ...otp, customerNo: undefined })).toMatchObject({
			reason: 'otherCustomer',
		});
	});

	it('otherTransaction: the right code for another payment', async () => {
		const otp = await sent(newCustomer(), { message: PAYMENT_TEXT, transaction: PAYMENT });
		for (const transaction of [{}, { ...PAYMENT, amount: '1,250.01' }]) {
			expect(await answerTo(otp, { transaction })).toMatchObject({ reason: 'otherTransaction' });
		}
		expect(await answerTo(otp, { transaction: PAYMENT })).toMatchObject({ reason: 'ok' });
	});

	it('otherTransaction: a code that was sent for nothing in particular', async () => {
		const otp = await sent(newCustomer());
		expect(await answerTo(otp, { transaction: PAYMENT })).toMatchObject({
			reason: 'otherTransaction',
		});
	});

	it('expired: the right code when its time is over', async () => {
		const otp = { code: '481516', customerNo: newCustomer(), messageId: 'm', transaction: [] };
		const expiresAtMs = Date.now();
		const challenge = issueChallenge(deriveKeys(TOKEN), { ...otp, expiresAtMs }, randomBytes);
		expect(await answerTo({ ...otp, challenge })).toMatchObject({
			valid: false,
			reason: 'expired',
			attemptsLeft: 0,
		});
	});

	it('malformed: no challenge, an altered one, or one of another bot token', async () => {
		const otp = await sent(newCustomer());
		const malformed = {
			valid: false,
			reason: 'malformed',
			attemptsLeft: 0,
			customerNo: null,
			messageId: null,
			verifiedAt: null,
		};
		const altered = otp.challenge.slice(0, -1) + (otp.challenge.endsWith('A') ? 'B' : 'A');
		for (const challenge of ['', 'dc1.x', altered, { a: 1 }]) {
			expect(await answerTo({ ...otp, challenge })).toEqual(malformed);
		}
		expect(await answerTo(otp, {}, 'rotated-token')).toEqual(malformed);
		expect(await answerTo(otp)).toMatchObject({ reason: 'ok' });
	});

	it.each([
		['with blanks', (code: string) => ` ${code.slice(0, 3)} ${code.slice(3)} `],
		['with a dash', (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`],
		[
			'in full-width digits',
			(code: string) => code.replace(/\d/g, (d) => '０１２３４５６７８９'.charAt(+d)),
		],
		['in Arabic digits', (code: string) => code.replace(/\d/g, (d) => '٠١٢٣٤٥٦٧٨٩'.charAt(+d))],
		['as a number', Number],
	])('forgives a code %s', async (_, typed) => {
		const otp = await sent(newCustomer());
		expect(await answerTo({ ...otp, code: typed(otp.code) })).toMatchObject({ reason: 'ok' });
	});

	it('refuses limits that are none, before an attempt is spent', async () => {
		const otp = await sent(newCustomer());
		for (const [limits, message] of [
			[{ attempts: 0 }, 'Attempts per Challenge is not a whole number from 1 to 10 [item 0]'],
			[{ failures: 101 }, 'Failures per Customer is not a whole number from 1 to 100 [item 0]'],
		] as const) {
			expect((await verify(otp, { limits })).error?.message).toBe(message);
		}
		expect(await answerTo({ ...otp, code: '' })).toMatchObject({ attemptsLeft: 4 });
	});

	it('answers every item by itself, each once, whatever stands beside it', async () => {
		const first = await sent(newCustomer());
		const second = await sent(newCustomer());
		const { outputs } = await runDiyalogNode(
			{ parameters: verifyParameters(), credentials: credentials() },
			[{ json: { ...first } }, { json: {} }, { json: { ...first } }, { json: { ...second } }],
		);
		const told = outputs.map((items) =>
			items.map(({ json, pairedItem }) => [json.reason, pairedItem]),
		);
		expect(told).toEqual([
			[
				['ok', { item: 0 }],
				['ok', { item: 3 }],
			],
			[
				['malformed', { item: 1 }],
				['used', { item: 2 }],
			],
		]);
	});

	it('without a database there is an error, never a yes', async () => {
		const otp = await sent(newCustomer());
		processedData.failure = new Error('connection terminated');
		const { error, items } = await verify(otp);
		processedData.failure = undefined;
		expect(items).toEqual([]);
		expect(error?.message).toMatch(
			/^n8n's database did not remember this, so nothing was accepted/,
		);
		expect(JSON.stringify(error)).not.toContain('connection terminated');
	});

	it('keeps nothing in clear', async () => {
		const otp = await sent(newCustomer());
		await answerTo({ ...otp, code: otherThan(otp.code) });
		await answerTo(otp);
		expect(processedData.content.length).toBeGreaterThan(1_000);
		for (const secret of [otp.code, otp.customerNo, otp.challenge, TOKEN]) {
			expect(processedData.content).not.toContain(secret);
		}
	});
});

it('a code of another bot, which an expression in the credential gives for another item, is not verified', async () => {
	const first = await sent(newCustomer());
	const second = await sent(newCustomer());
	const botToken = `={{ $itemIndex === 0 ? '${TOKEN}' : 'of another bank' }}`;
	const { items } = await runDiyalogNode(
		{
			parameters: verifyParameters(),
			credentials: credentials(botToken),
			settings: { onError: 'continueRegularOutput' },
		},
		[first, second].map((given) => ({ json: { ...given } })),
	);
	expect(items.map(({ json }) => json)).toEqual([
		expect.objectContaining({ valid: true }),
		{ error: expect.stringContaining('is not the same for this item as for the first') },
	]);
});
