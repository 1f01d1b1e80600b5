import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { sendAndWait } from '../../../../../nodes/Diyalog/actions/otp/sendAndWait.operation';
import { startSandbox } from '../../../../../sandbox/server';
import type { Sandbox } from '../../../../../sandbox/server';
import { processedData, startDiyalogNode } from '../../../../support/nodeRuntime';
import type { NodeRun } from '../../../../support/nodeRuntime';
import { FaultyServer } from '../../../../support/faultyServer';
import { times } from '../../../../support/processes';
import { freePort } from '../../../../../tools/system';

/* Somebody has a person asked again and again, until they approve to have peace. */

const SECRET = randomBytes(16).toString('hex');
const INSTANCE = { url: 'http://127.0.0.1:9', executionId: '17' };

let sandbox: Sandbox;
let credentials: Record<string, string>;
let people = 0;

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		customers: times(60, (index) => ({
			customerNo: String(70_000 + index),
			userId: String(900_000 + index),
		})),
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
});

afterAll(async () => await sandbox.close());

/** Questions are counted for each person, so that each test has its own. */
const newCustomer = (): string => String(70_000 + people++);

const limits = (values: INodeParameters): INodeParameters => ({ questionLimits: { values } });

/** Asks; undefined when the question waits, or why it does not. */
async function ask(parameters: INodeParameters, credential = credentials): Promise<NodeRun> {
	const asked = { resource: 'message', operation: 'sendAndWait', message: 'Yes?', ...parameters };
	return await startDiyalogNode(
		{ parameters: asked, credentials: credential },
		[{ json: {} }],
		INSTANCE,
	).done;
}

const refusal = async (...args: Parameters<typeof ask>): Promise<string | undefined> =>
	(await ask(...args)).error?.message.replace(/in \d+ (minutes|seconds?) \[/, 'in time [');

const REFUSED = (field: string) =>
	`${field} has got as many questions as Question Limits allow: the next is possible in time [item 0]`;

it('1. the third of two is refused before anything is sent, in words that do not name the person', async () => {
	const customerNo = newCustomer();
	const parameters = { customerNo, options: limits({ maxQuestions: 2 }) };
	expect(await refusal(parameters)).toBeUndefined();
	expect(await refusal(parameters)).toBeUndefined();
	const before = sandbox.messages().length;
	const { error, items, run } = await ask(parameters);
	expect(error).toMatchObject({
		name: 'NodeOperationError',
		message: expect.stringMatching(/as Question Limits allow: the next is possible in /) as string,
		description:
			'Let the person wait, and find out who has caused so many questions. Nothing was sent for this item.',
	});
	expect(items).toEqual([]);
	expect(run.waitTill).toBeUndefined();
	expect(JSON.stringify(error)).not.toContain(customerNo);
	expect(sandbox.messages()).toHaveLength(before);
});

it('2. a hundred executions at the same moment: five ask', async () => {
	const parameters = { customerNo: newCustomer(), options: limits({}) };
	const before = sandbox.messages().length;
	const refusals = await Promise.all(times(100, async () => await refusal(parameters)));
	expect(refusals.filter((each) => each === undefined)).toHaveLength(5);
	expect(refusals.filter((each) => each === REFUSED('Customer Number'))).toHaveLength(95);
	expect(sandbox.messages()).toHaveLength(before + 5);
});

it('3. each person by themselves, whatever names them; both resources count the same customer', async () => {
	const options = limits({ maxQuestions: 1 });
	const [customerNo, other] = [newCustomer(), newCustomer()];
	const employee = { recipientType: 'employee', employeeNo: 'E100', options };
	const user = { recipientType: 'user', userId: String(900_000 + people++), options };
	expect(await refusal({ customerNo, options })).toBeUndefined();
	expect(await refusal({ customerNo: other, options })).toBeUndefined();
	expect(await refusal(employee)).toBeUndefined();
	expect(await refusal(user)).toBeUndefined();
	expect(await refusal({ customerNo, options })).toBe(REFUSED('Customer Number'));
	expect(await refusal({ resource: 'otp', customerNo, options })).toBe(REFUSED('Customer Number'));
	expect(await refusal(employee)).toBe(REFUSED('Employee Number'));
	expect(await refusal(user)).toBe(REFUSED('Diyalog User ID'));
});

it('4. the gap: the second right after the first', async () => {
	const options = limits({ firstGapSeconds: 600 });
	const parameters = { customerNo: newCustomer(), options };
	expect(await refusal(parameters)).toBeUndefined();
	expect(await refusal(parameters)).toBe(REFUSED('Customer Number'));
});

it('5. off unless it is added; added and emptied, the usual numbers hold', async () => {
	const free = { customerNo: newCustomer() };
	for (let count = 0; count < 7; count++) expect(await refusal(free)).toBeUndefined();
	for (const questionLimits of [{}, { values: {} }]) {
		const parameters = { customerNo: newCustomer(), options: { questionLimits } };
		for (let count = 0; count < 5; count++) expect(await refusal(parameters)).toBeUndefined();
		expect(await refusal(parameters)).toBe(REFUSED('Customer Number'));
	}
});

it.each<[INodeParameters, string]>([
	[{ maxQuestions: 0 }, 'Questions in the Window is not a whole number from 1 to 100 [item 0]'],
	[{ windowMinutes: -1 }, 'Window (Minutes) is not a whole number from 1 to 1440 [item 0]'],
	[
		{ firstGapSeconds: '={{ "x" }}' },
		'First Gap (Seconds) is not a whole number from 0 to 600 [item 0]',
	],
])('6. %j is no limit, and nothing is sent', async (values, sentence) => {
	const before = sandbox.messages().length;
	expect(await refusal({ customerNo: newCustomer(), options: limits(values) })).toBe(sentence);
	expect(sandbox.messages()).toHaveLength(before);
});

it('7. a question that certainly was not sent does not count', async () => {
	const customerNo = newCustomer();
	const options = { ...limits({ maxQuestions: 1 }), maxRetries: 0 };
	const nobody = { ...credentials, serverUrl: `http://127.0.0.1:${await freePort()}` };
	for (let count = 0; count < 3; count++) {
		expect(await refusal({ customerNo, options }, nobody)).not.toBe(REFUSED('Customer Number'));
	}
	expect(await refusal({ customerNo, options })).toBeUndefined();
	expect(await refusal({ customerNo, options })).toBe(REFUSED('Customer Number'));
});

it('8. one that may have arrived counts', async () => {
	const customerNo = newCustomer();
	const options = limits({ maxQuestions: 1 });
	const faulty = await FaultyServer.start(() => ({ kind: 'resetAfterBody' }));
	const broken = { ...credentials, serverUrl: faulty.url };
	expect(await refusal({ customerNo, options }, broken)).toMatch(/may have been delivered/);
	await faulty.close();
	expect(await refusal({ customerNo, options })).toBe(REFUSED('Customer Number'));
});

it('9. without a database nothing is sent, and the error says so without its words', async () => {
	const before = sandbox.messages().length;
	const parameters = { customerNo: newCustomer(), options: limits({}) };
	processedData.failure = new Error('connection terminated');
	const { error, items, run } = await ask(parameters);
	processedData.failure = undefined;
	expect(error?.message).toMatch(/^n8n's database did not remember this, so nothing was accepted/);
	expect(JSON.stringify(error)).not.toContain('connection terminated');
	expect(items).toEqual([]);
	expect(run.waitTill).toBeUndefined();
	expect(sandbox.messages()).toHaveLength(before);
});

describe('beside the resend limits of a code in the question:', () => {
	const WITH_CODE = { resource: 'otp', message: 'Your code is {code}.', otpMode: 'generate' };
	const CODES_USED_UP = /has got as many codes as Resend Limits allow: the next is possible in /;
	const withCode = (customerNo: string, maxQuestions: number, resendLimits: INodeParameters) => ({
		...WITH_CODE,
		customerNo,
		options: { ...limits({ maxQuestions }), resendLimits: { values: resendLimits } },
	});

	it('10. no code is spent by a question that is refused', async () => {
		const customerNo = newCustomer();
		const resendLimits = { maxCodes: 2, firstGapSeconds: 0 };
		expect(await refusal(withCode(customerNo, 1, resendLimits))).toBeUndefined();
		for (let count = 0; count < 3; count++) {
			const again = withCode(customerNo, 1, resendLimits);
			expect(await refusal(again)).toBe(REFUSED('Customer Number'));
		}
		expect(await refusal(withCode(customerNo, 2, resendLimits))).toBeUndefined();
		expect(await refusal(withCode(customerNo, 3, resendLimits))).toMatch(CODES_USED_UP);
	});

	it('11. no question is spent by a code that is refused', async () => {
		const customerNo = newCustomer();
		const resendLimits = { maxCodes: 1, firstGapSeconds: 0 };
		expect(await refusal(withCode(customerNo, 2, resendLimits))).toBeUndefined();
		for (let count = 0; count < 3; count++) {
			expect(await refusal(withCode(customerNo, 2, resendLimits))).toMatch(CODES_USED_UP);
		}
		const plain = { resource: 'otp', customerNo, options: limits({ maxQuestions: 2 }) };
		expect(await refusal(plain)).toBeUndefined();
		expect(await refusal(plain)).toBe(REFUSED('Customer Number'));
	});

	it('12. both are given back when nothing was sent', async () => {
		const customerNo = newCustomer();
		const parameters = withCode(customerNo, 1, { maxCodes: 1, firstGapSeconds: 0 });
		const nobody = { ...credentials, serverUrl: `http://127.0.0.1:${await freePort()}` };
		const atNobody = { ...parameters, options: { ...parameters.options, maxRetries: 0 } };
		for (let count = 0; count < 2; count++) {
			expect(await refusal(atNobody, nobody)).toMatch(/connect|reach|refused/i);
		}
		expect(await refusal(parameters)).toBeUndefined();
	});
});

it('13. nobody can read from the memory who was asked', async () => {
	const customerNo = newCustomer();
	await ask({ customerNo, options: limits({}) });
	expect(processedData.content.length).toBeGreaterThan(100);
	for (const secret of [customerNo, 'bot-token', SECRET]) {
		expect(processedData.content).not.toContain(secret);
	}
});

it('14. with Continue On Fail a refusal leaves as an error, and not where a yes is expected', async () => {
	const customerNo = newCustomer();
	const options = limits({ maxQuestions: 1 });
	const parameters = {
		resource: 'otp',
		operation: sendAndWait.value,
		customerNo,
		message: 'Yes?',
		options,
	};
	await ask(parameters);
	const settings = { onError: 'continueRegularOutput' as const };
	const { outputs } = await startDiyalogNode(
		{ parameters, credentials, settings },
		[{ json: { approved: true } }],
		INSTANCE,
	).done;
	expect(outputs[0] ?? []).toEqual([]);
	expect(outputs[1]).toMatchObject([
		{ json: { error: expect.stringMatching(/^Customer Number has got/) } },
	]);
});
