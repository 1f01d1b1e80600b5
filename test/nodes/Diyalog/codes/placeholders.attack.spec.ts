import type { INodeParameters } from 'n8n-workflow';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { WaitingInstance } from '../../../support/waitingInstance';

/* A text leaves with a placeholder in it: the customer reads "{code}", or approves "{amount}" without seeing how much. */

let sandbox: Sandbox;
let instance: WaitingInstance;

beforeAll(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({ bots: [{ name: 'bot', token: 'bot-token' }] });
});

afterAll(async () => {
	await sandbox.close();
	await instance.close();
});

const credentials = () => ({
	serverUrl: sandbox.url,
	botToken: 'bot-token',
	appSecret: 'an app secret',
});

async function send(parameters: INodeParameters) {
	const { error } = await runDiyalogNode({
		credentials: credentials(),
		parameters: { resource: 'otp', operation: 'send', customerNo: '70021', ...parameters },
	});
	return error;
}

async function ask(parameters: INodeParameters): Promise<unknown> {
	try {
		await instance.ask(credentials(), parameters);
		return undefined;
	} catch (error) {
		return error;
	}
}

const given = { otpMode: 'given', otpValue: '' };
const givenCode = { otpMode: 'given', otpValue: '482913' };
const none = { otpMode: 'none' };
const generate = { otpMode: 'generate' };
const noLimit = { ...generate, options: { resendLimits: { values: { maxCodes: 0 } } } };
const field = (name: string, value: string) => ({ otherFields: { field: [{ name, value }] } });
const button = (values: INodeParameters) => ({
	message: 'Pay?',
	below: 'buttons',
	buttons: { button: [{ type: 'postback', title: 'Yes', payload: 'yes', ...values }] },
});
const code = { responseType: 'code', expectedCode: '42' };

/** What both operations refuse: the name of it, the parameters, the error's beginning. */
const REFUSED: ReadonlyArray<[string, INodeParameters, RegExp]> = [
	['1. {code}, OTP Value empty', { ...given, message: 'Code {code}' }, /^Message .*\{code\}/],
	[
		'2. {code}, OTP Value blank',
		{ otpMode: 'given', otpValue: ' ', message: '{code}' },
		/\{code\}/,
	],
	['3. {code}, OTP None', { ...none, message: 'Code {code}' }, /^Message .*\{code\}/],
	['4. {minutes}, OTP None', { ...none, message: 'For {minutes} min' }, /^Message .*\{minutes\}/],
	['5. {amount}, OTP None', { ...none, message: 'Pay {amount}?' }, /^Message .*\{amount\}/],
	['6. {currency}, no code', { ...given, message: 'In {currency}?' }, /^Message .*\{currency\}/],
	['7. {payee}, a code, no payee', { ...givenCode, message: '{code} {payee}' }, /\{payee\}/],
	['8. a field of an emptied transaction', { ...none, message: 'For {purpose}?' }, /^Message /],
	[
		'9. a field without a value',
		{ ...givenCode, message: '{code} {purpose}', options: { transaction: field('purpose', '') } },
		/^Message .*braces/,
	],
	['10. an unknown name, no code', { ...none, message: 'Dear {firstName}' }, /^Message .*braces/],
	['11. an unknown name, a code', { ...givenCode, message: '{code} {cod}' }, /^Message .*braces/],
	['12. {Code}', { ...givenCode, message: '{Code}' }, /\{code\}/],
	['13. { code }', { ...givenCode, message: '{ code }' }, /\{code\}/],
	['14. {code} once right, once wrong', { ...givenCode, message: '{code} {CODE}' }, /\{code\}/],
	['15. full-width braces', { ...givenCode, message: '｛code｝' }, /\{code\}/],
	['16. full-width letters', { ...none, message: '{ｃｏｄｅ}' }, /\{code\}/],
	['17. capitals of a Turkish keyboard', { ...none, message: '{MİNUTES}' }, /\{minutes\}/],
	['18. an invisible character in it', { ...none, message: '{co\u200bde}' }, /\{code\}/],
	['19. a line break in it', { ...none, message: '{\ncode\u00a0}' }, /\{code\}/],
	['20. in JSON', { ...none, message: '{"code":"{code}"}' }, /\{code\}/],
	['21. as a leftover of n8n', { ...none, message: 'Code {{ code }}' }, /\{code\}/],
	['22. {Code}, generated', { ...generate, message: 'Code {Code}' }, /Message .*\{code\}/],
	[
		'23. a field in other letters',
		{
			...givenCode,
			message: '{code} login {Purpose}',
			options: { transaction: field('purpose', 'login') },
		},
		/\{purpose\}/,
	],
];

describe.each([
	['Send', send],
	['Send and Wait for Response', ask],
])('%s refuses, and sends nothing:', (_operation, run) => {
	it.each(REFUSED)('%s', async (_name, parameters, expected) => {
		const before = sandbox.messages().length;
		const error = await run(parameters);
		expect(error).toMatchObject({
			message: expect.stringMatching(expected) as string,
			description: expect.stringMatching(/\.$/) as string,
		});
		expect(sandbox.messages()).toHaveLength(before);
	});
});

describe('other texts that a customer reads:', () => {
	it.each<[string, () => Promise<unknown>, RegExp]>([
		[
			'24. the title of a button',
			async () => await send(button({ title: '{amount}' })),
			/^Button 1: Title/,
		],
		[
			'25. what the chat shows after a press',
			async () => await send(button({ payloadSeenByUser: 'Paid { Amount }' })),
			/^Button 1: Shown When Pressed/,
		],
		[
			'26. the label of an approval',
			async () => await ask({ approvalOptions: { values: { approveLabel: 'Pay {amount}' } } }),
			/^Approve Button Label .*\{amount\}/,
		],
		[
			'27. a choice',
			async () =>
				await ask({
					responseType: 'choice',
					choices: { choice: [{ title: 'Yes' }, { title: '{payee}' }] },
				}),
			/^Choice 2: Title .*\{payee\}/,
		],
		[
			'40. an object in the Wrong Code Reply',
			async () => await ask({ ...code, options: { wrongCodeReply: `Not that, ${String({})}.` } }),
			/^Wrong Code Reply has an object where the customer should read a text/,
		],
		[
			'41. an object in the label of a button',
			async () => await ask({ approvalOptions: { values: { approveLabel: String({}) } } }),
			/^Approve Button Label has an object where the customer should read a text/,
		],
		[
			'28. the Wrong Code Reply',
			async () => await ask({ ...code, options: { wrongCodeReply: 'Not {code}. Try again.' } }),
			/^Wrong Code Reply .*\{code\}/,
		],
	])('%s', async (_name, run, expected) => {
		const before = sandbox.messages().length;
		expect(await run()).toMatchObject({ message: expect.stringMatching(expected) as string });
		expect(sandbox.messages()).toHaveLength(before);
	});
});

describe('are sent to the letter:', () => {
	const lastText = () => sandbox.messages().at(-1)?.mokMessage;

	it.each([
		['29. JSON', '{"a":1}'],
		['30. JSON of a tool with a template in it', 'POST {"path":"/users/{id}","tags":["{x}"]}'],
		['31. empty braces', '{} {{ }} { }'],
		['32. an expression that is none', '{{ $json.name }}'],
		['33. more than a name', 'Set {a, b} and {code of conduct}'],
		['34. braces that do not close', '{code code} {'],
	])('%s', async (_name, message) => {
		expect(await send({ ...none, message })).toBeUndefined();
		expect(lastText()).toBe(message);
	});

	it('35. a value that looks like a placeholder, of the transaction or as a code', async () => {
		const transaction = { payee: '{code} {amount} {x}', ...field('note', '{ Code }') };
		const message = '{code}: {payee} {note}';
		expect(await send({ ...givenCode, message, options: { transaction } })).toBeUndefined();
		expect(lastText()).toBe('482913: {code} {amount} {x} { Code }');
		expect(await send({ otpMode: 'given', otpValue: '{code}', message: 'It is {code}' })).toBe(
			undefined,
		);
		expect(lastText()).toBe('It is {code}');
	});

	it('36. a reply that is not sent may hold anything', async () => {
		expect(await ask({ options: { wrongCodeReply: '{code}' } })).toBeUndefined();
	});

	it('36b. accents without end in a text that somebody else wrote are put into order nowhere', async () => {
		const accents = `a${'\u0301'.repeat(200)}${'\u0323'.repeat(200)}`.repeat(100);
		const spy = jest.spyOn(String.prototype, 'normalize');
		try {
			expect(await send({ ...none, message: `Note: ${accents}` })).toBeUndefined();
			expect(await send({ ...none, message: `Note: ${accents} {co\u0301de}` })).toBeDefined();
			const lengths = spy.mock.contexts.map((text) => String(text).length);
			expect(Math.max(...lengths)).toBeLessThan(1_000);
		} finally {
			spy.mockRestore();
		}
	});

	it('37. a generated code with all that can stand in its text', async () => {
		const message = '{code} {minutes} {amount} {currency} {payee} {ödeme-1}';
		const transaction = { amount: '1', currency: 'TRY', payee: 'A', ...field('ödeme-1', 'B') };
		expect(await send({ ...noLimit, message, transaction })).toBeUndefined();
		expect(lastText()).toMatch(/^\d{6} 5 1 TRY A B$/);
	});
});
