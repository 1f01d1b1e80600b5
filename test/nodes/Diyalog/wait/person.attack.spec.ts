import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { decide } from '../../../../nodes/Diyalog/wait/decide';
import type { Wait } from '../../../../nodes/Diyalog/wait/decide';
import type { Answer } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { SandboxConfigInput } from '../../../../sandbox/config';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/* Attacks on who answers: only the person who was asked, whatever stands where a customer's number is documented. */

const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

async function start(config: SandboxConfigInput = {}): Promise<void> {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 10 },
		...config,
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	trigger = await instance.serveTrigger({
		credentials,
		parameters: {
			events: ['buttonPressed', 'textReceived'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
	});
	sandbox.setWebhookUrl('bot', trigger.url);
}

afterEach(async () => {
	await sandbox.close();
	await instance.close();
});

const EMPLOYEE: INodeParameters = {
	resource: 'message',
	recipientType: 'employee',
	employeeNo: 'E100',
};

async function ask(parameters: INodeParameters) {
	const execution = await instance.ask(credentials, parameters);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	const press = async (button = 'Approve') => {
		sandbox.pressButton({ messageId: message.messageId, id: message.id, button });
		await sandbox.flush();
	};
	return { execution, message, press };
}

const lastItem = () => trigger.executions.at(-1)?.at(-1);

describe.each(['missing', 'empty', 'staffId'] as const)(
	'events of employees whose customer number is %s',
	(employeeAppCustomerId) => {
		it('1. an employee approves', async () => {
			await start({ employeeAppCustomerId });
			const { execution, message, press } = await ask(EMPLOYEE);
			await press();
			expect(execution.continuations).toEqual([
				[
					expect.objectContaining({
						decision: 'approved',
						approved: true,
						customerNo: null,
						employeeNo: 'E100',
						userId: message.userId,
						data: expect.objectContaining({
							responder: { customerNo: null, userId: message.userId },
						}) as object,
					}),
				],
			]);
		});

		it('2. somebody else types the press of an employee, under every number', async () => {
			await start({ employeeAppCustomerId });
			const { execution, message, press } = await ask(EMPLOYEE);
			const text = `[${message.messageId}]:approve`;
			for (const customerNo of [undefined, null, '', 'E100', '70021', message.userId]) {
				const event = entry({ message: { mid: 'x', text } }, { customerNo, userId: '3187702265' });
				await postSigned(trigger.url, envelope(event), SECRET);
				expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
			}
			expect(execution.continuations).toEqual([]);
			await press();
			expect(execution.continuations).toHaveLength(1);
		});
	},
);

describe.each(['missing', 'empty'] as const)(
	'events of customers whose number is %s',
	(customerNoInEvents) => {
		it.each(['otp', 'message'])(
			'3. the customer who was asked by %s approves',
			async (resource) => {
				await start();
				sandbox.setFaults({ customerNoInEvents });
				const { execution, press } = await ask({ resource });
				await press();
				expect(execution.continuations).toEqual([
					[expect.objectContaining({ decision: 'approved', customerNo: '70021' })],
				]);
			},
		);
	},
);

it('4. the number of who was asked, and the id of somebody else', async () => {
	await start();
	const { execution, message, press } = await ask({});
	const text = `[${message.messageId}]:approve`;
	const event = entry({ message: { mid: 'x', text } }, { customerNo: '70021', userId: '7' });
	await postSigned(trigger.url, envelope(event), SECRET);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	await press();
	expect(execution.continuations).toHaveLength(1);
});

it('5. the id of who was asked, and the number of somebody else', async () => {
	await start();
	const { execution, message, press } = await ask({});
	const text = `[${message.messageId}]:approve`;
	const event = entry(
		{ message: { mid: 'x', text } },
		{ customerNo: '70022', userId: message.userId },
	);
	await postSigned(trigger.url, envelope(event), SECRET);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	await press();
	expect(execution.continuations).toHaveLength(1);
});

it('6. a wrong code of an employee is answered where the question was asked', async () => {
	await start();
	const { execution, message } = await ask({
		...EMPLOYEE,
		responseType: 'code',
		expectedCode: '42',
	});
	sandbox.typeText({ userId: message.userId, text: '43' });
	await sandbox.flush();
	expect(sandbox.messages().at(-1)).toMatchObject({
		kind: 'text',
		userId: message.userId,
		text: 'That code is not right. Please try again.',
	});
	sandbox.typeText({ userId: message.userId, text: '42' });
	await sandbox.flush();
	expect(execution.continuations.at(-1)).toEqual([
		expect.objectContaining({ decision: 'codeMatched' }),
	]);
});

describe('7. every combination of what is known of who was asked and of who answers', () => {
	const wait = (asked: Pick<Wait, 'customerNo' | 'userId'>): Wait => ({
		turn: 't',
		messageId: 'm',
		messageIdPrefix: '',
		sentAt: new Date(0).toISOString(),
		deadline: new Date(9_000).toISOString(),
		expectation: { kind: 'freeText' },
		wrongCodes: 0,
		...asked,
	});
	const answer = (from: Pick<Answer, 'customerNo' | 'userId'>): Answer => ({
		kind: 'text',
		turn: 't',
		attempt: 0,
		text: 'yes',
		payloadSignature: 'notChecked',
		occurredAt: new Date(1_000).toISOString(),
		...from,
	});
	const surroundings = { now: new Date(1_000), appSecrets: ['s'] };
	const accepts = (
		asked: Pick<Wait, 'customerNo' | 'userId'>,
		from: Pick<Answer, 'customerNo' | 'userId'>,
	) => decide(wait(asked), answer(from), surroundings).accepted;

	// [number asked, id asked, number of the answer, id of the answer]
	it.each<[string | null, string | undefined, string | null, string, boolean]>([
		['1', 'a', '1', 'a', true],
		['1', 'a', null, 'a', true],
		['1', 'a', '2', 'a', false],
		['1', 'a', '1', 'b', false],
		['1', 'a', null, 'b', false],
		['1', 'a', '2', 'b', false],
		[null, 'a', '1', 'a', true],
		[null, 'a', null, 'a', true],
		[null, 'a', '1', 'b', false],
		[null, 'a', null, 'b', false],
		// A question of an earlier release.
		['1', undefined, '1', 'a', true],
		['1', undefined, '2', 'a', false],
		['1', undefined, null, 'a', false],
		[null, undefined, '1', 'a', false],
		[null, undefined, null, 'a', false],
	])('asked %j %j, answered by %j %j: %j', (customerNo, userId, fromNo, fromId, expected) => {
		expect(accepts({ customerNo, userId }, { customerNo: fromNo, userId: fromId })).toBe(expected);
	});
});
