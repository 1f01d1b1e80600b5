import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { passOn } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import type { Answer } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { http, waitFor } from '../../../../tools/system';
import type { AddressInfo } from '../../../../tools/system';
import { serveAnswer } from '../../../support/answerServer';
import { postSigned } from '../../../support/sign';
import { hs256, token } from '../../../support/signedPayloads';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Attacks on who answers: employees, who have no customer number, and events that name none or another one. Node, trigger
 * and Diyalog's double over real sockets. After each attack the execution still waits, and takes the right answer.
 */

const SECRET = randomBytes(16).toString('hex');
const SIGNING_SECRET = randomBytes(32).toString('hex');

/* As the sandbox knows them. */
const EMPLOYEE = '3021457781';
const OTHER_EMPLOYEE = '3187702265';
const CUSTOMER = '243540663';
const OTHER_CUSTOMER = '1588406039';

const BY_EMPLOYEE = { resource: 'message', recipientType: 'employee', employeeNo: 'E100' };
const BY_ID = { resource: 'message', recipientType: 'user', userId: EMPLOYEE };

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

async function serve(given: INodeParameters = {}): Promise<void> {
	trigger = await instance.serveTrigger({
		credentials,
		parameters: {
			events: ['buttonPressed', 'textReceived'],
			authentication: 'signature',
			filters: {},
			options: {},
			...given,
		},
	});
}

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	await serve();
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	expect(trigger.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

interface Asked {
	execution: WaitingExecution;
	message: StoredMessage;
}

function lastMessage(): StoredMessage {
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	return message;
}

async function ask(given: INodeParameters = {}): Promise<Asked> {
	const execution = await instance.ask(credentials, given);
	return { execution, message: lastMessage() };
}

/** As Diyalog's webhook names a person: the id, and whatever stands in the place of the customer's number. */
interface Said {
	id: unknown;
	appCustomerId?: unknown;
}

/** Posts what a person said as a call of Diyalog. */
async function say(recipient: Said, text: string, mid = 'other'): Promise<void> {
	const body = envelope(entry({ message: { mid, text }, recipient }));
	expect((await postSigned(trigger.url, body, SECRET)).status).toBe(200);
}

const press = async ({ messageId }: { messageId: string }, recipient: Said, payload = 'approve') =>
	await say(recipient, `[${messageId}]:${payload}`);

const lastItem = () => trigger.executions.at(-1)?.at(-1);

async function isRefused({ execution, message }: Asked, recipient: Said): Promise<void> {
	await press(message, recipient);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	expect(execution.continuations).toEqual([]);
}

async function isTaken({ execution, message }: Asked, recipient: Said): Promise<void> {
	await press(message, recipient);
	expect(lastItem()).toMatchObject({ resumed: true });
	expect(execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'approved', approved: true })],
	]);
}

/** What events of an employee may say in the place of the customer's number: it is documented nowhere. */
const IN_PLACE_OF_A_NUMBER: Array<[string, { appCustomerId?: unknown }]> = [
	['nothing', {}],
	['null', { appCustomerId: null }],
	['an empty text', { appCustomerId: '' }],
	['blanks', { appCustomerId: '  ' }],
	["the employee's number", { appCustomerId: 'E100' }],
	["a customer's number", { appCustomerId: '70021' }],
	['zero', { appCustomerId: 0 }],
	['a fraction', { appCustomerId: 1.5 }],
	['true', { appCustomerId: true }],
	['a list', { appCustomerId: ['70021'] }],
	['an object', { appCustomerId: { toString: 'x' } }],
];

it.each(IN_PLACE_OF_A_NUMBER)(
	'1. an employee approves, with %s for a customer number',
	async (_what, number) => {
		const asked = await ask(BY_EMPLOYEE);
		await isTaken(asked, { id: EMPLOYEE, ...number });
		const [[outcome] = []] = asked.execution.continuations;
		expect(outcome).toMatchObject({
			customerNo: null,
			employeeNo: 'E100',
			userId: EMPLOYEE,
			data: { approved: true, responder: { customerNo: null, userId: EMPLOYEE } },
		});
	},
);

it.each(IN_PLACE_OF_A_NUMBER)(
	'2. another employee does not, with %s for a customer number',
	async (_what, number) => {
		const asked = await ask(BY_EMPLOYEE);
		await isRefused(asked, { id: OTHER_EMPLOYEE, ...number });
		await isTaken(asked, { id: EMPLOYEE });
	},
);

it.each(IN_PLACE_OF_A_NUMBER)(
	'3. somebody who was asked by the id approves, with %s for a customer number, and nobody else',
	async (_what, number) => {
		const asked = await ask(BY_ID);
		await isRefused(asked, { id: OTHER_EMPLOYEE, ...number });
		await isTaken(asked, { id: EMPLOYEE, ...number });
		const [[outcome] = []] = asked.execution.continuations;
		expect(outcome).toMatchObject({ customerNo: null, userId: EMPLOYEE });
		expect(outcome).not.toHaveProperty('employeeNo');
	},
);

describe.each([
	['SendOTP', {}],
	['SendMessage', { resource: 'message', recipientType: 'customer' }],
])('a customer asked with %s', (_api, given) => {
	it('4. whose number is missing in the event is known by the id', async () => {
		const asked = await ask(given);
		await isRefused(asked, { id: OTHER_CUSTOMER });
		await isTaken(asked, { id: CUSTOMER });
		const [[outcome] = []] = asked.execution.continuations;
		expect(outcome).toMatchObject({
			customerNo: '70021',
			userId: CUSTOMER,
			data: { responder: { customerNo: '70021', userId: CUSTOMER } },
		});
	});

	it('5. has to be right by both, where both are told', async () => {
		const asked = await ask(given);
		await isRefused(asked, { id: CUSTOMER, appCustomerId: '70022' });
		await isRefused(asked, { id: CUSTOMER, appCustomerId: '070021' });
		await isRefused(asked, { id: OTHER_CUSTOMER, appCustomerId: '70021' });
		await isRefused(asked, { id: EMPLOYEE, appCustomerId: '70021' });
		await isTaken(asked, { id: CUSTOMER, appCustomerId: '70021' });
	});
});

it.each([
	`0${EMPLOYEE}`,
	`${EMPLOYEE} `,
	`${EMPLOYEE}.0`,
	`+${EMPLOYEE}`,
	EMPLOYEE.slice(0, -1),
	'',
	'E100',
	'undefined',
	'null',
])('6. the id %j is not that of the employee', async (id) => {
	const asked = await ask(BY_EMPLOYEE);
	await isRefused(asked, { id });
	await isTaken(asked, { id: Number(EMPLOYEE) });
});

it.each([[undefined], [null], [1.5], [true], [[EMPLOYEE]], [{ id: EMPLOYEE }]])(
	'7. an event without an id of its own (%j) is read by nobody',
	async (id) => {
		const asked = await ask(BY_EMPLOYEE);
		await press(asked.message, { id, appCustomerId: 'E100' });
		expect(trigger.executions).toEqual([]);
		await isTaken(asked, { id: EMPLOYEE });
	},
);

it('8. the person of an answer is altered on its way', async () => {
	const asked = await ask(BY_EMPLOYEE);
	const reference = fromMessageId(asked.message.messageId, [SECRET]);
	if (!reference) throw new Error('The messageId is no reference');
	const answer: Answer = {
		kind: 'press',
		turn: reference.turn,
		number: 0,
		customerNo: null,
		userId: OTHER_EMPLOYEE,
		text: 'approve',
		payloadSignature: 'notChecked',
		occurredAt: new Date().toISOString(),
	};
	const genuine = passOn(answer, asked.execution.id, SECRET);
	const post = async (body: object) =>
		await fetch(resumeUrlOf(reference, `${instance.url}/webhook-waiting`), {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ answers: [body] }),
		});
	const altered = { ...genuine, answer: genuine.answer.replace(OTHER_EMPLOYEE, EMPLOYEE) };
	expect((await post(altered)).status).toBe(401);
	// And with what stands beside the proof: it counts for nothing.
	const beside = { ...genuine, userId: EMPLOYEE };
	expect(await (await post(beside)).json()).toEqual({
		receptions: [{ accepted: false, reason: 'otherPerson' }],
	});
	await isTaken(asked, { id: EMPLOYEE });
});

it('9. what an earlier release has stored is bound by the customer number alone', async () => {
	const asked = await ask();
	instance.restore(asked.execution, ({ userId, ...earlier }) => {
		expect(userId).toBe(CUSTOMER);
		return earlier;
	});
	await isRefused(asked, { id: CUSTOMER });
	await isRefused(asked, { id: CUSTOMER, appCustomerId: '' });
	await isRefused(asked, { id: CUSTOMER, appCustomerId: '70022' });
	await isTaken(asked, { id: CUSTOMER, appCustomerId: '70021' });
});

it('10. a wait that names nobody takes no answer', async () => {
	const asked = await ask(BY_EMPLOYEE);
	instance.restore(asked.execution, ({ userId, ...nobody }) => {
		expect(userId).toBe(EMPLOYEE);
		return nobody;
	});
	for (const [, number] of IN_PLACE_OF_A_NUMBER)
		await isRefused(asked, { id: EMPLOYEE, ...number });
});

it.each([
	['empty', { userId: '' }],
	['no text', { userId: Number(EMPLOYEE) }],
	['a list', { userId: [EMPLOYEE] }],
])('11. an id in the store that is %s lets nobody answer', async (_what, stored) => {
	const asked = await ask(BY_EMPLOYEE);
	instance.restore(asked.execution, (wait) => ({ ...wait, ...stored }));
	for (const id of ['', EMPLOYEE, Number(EMPLOYEE)]) {
		await press(asked.message, { id });
		expect(lastItem()).toMatchObject({ resumed: false });
	}
	expect(asked.execution.continuations).toEqual([]);
});

/** Hands requests on to the sandbox at once, and holds its responses back until told. */
async function holdResponses() {
	let release = (): void => undefined;
	const isReleased = new Promise<void>((resolve) => (release = resolve));
	const server = http.createServer((request, response) => {
		void (async () => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk as Buffer);
			const answered = await fetch(`${sandbox.url}${request.url}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: Buffer.concat(chunks),
			});
			const text = await answered.text();
			await isReleased;
			response.writeHead(answered.status, { 'content-type': 'application/json' }).end(text);
		})();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const close = async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	};
	return { url: `http://127.0.0.1:${port}`, release, close };
}

it.each([
	['an employee', BY_EMPLOYEE, { id: EMPLOYEE }, { id: OTHER_EMPLOYEE, appCustomerId: 'E100' }],
	['a customer', {}, { id: CUSTOMER }, { id: OTHER_CUSTOMER, appCustomerId: '70021' }],
])(
	'12. before Diyalog has said who got it, nobody answers: %s who was quicker is taken afterwards, somebody else is not',
	async (_who, given, right, wrong) => {
		const held = await holdResponses();
		const asking = instance.ask({ ...credentials, serverUrl: held.url }, given);
		const message = await waitFor('the message', 5_000, () => sandbox.messages().at(-1));
		const answers = [press(message, wrong), press(message, right)];
		await waitFor('both answers', 5_000, () => (instance.calls.length >= 2 ? true : undefined));
		expect(trigger.executions).toEqual([]);
		held.release();
		const execution = await asking;
		await Promise.all(answers);
		await held.close();
		expect(execution.continuations).toEqual([
			[expect.objectContaining({ decision: 'approved', userId: right.id })],
		]);
		const items = trigger.executions.flat();
		expect(items).toHaveLength(2);
		expect(items).toContainEqual(
			expect.objectContaining({ userId: wrong.id, notResumedReason: 'otherPerson' }),
		);
		expect(items).toContainEqual(expect.objectContaining({ userId: right.id, resumed: true }));
	},
);

it('13. a wrong code of an employee: replied to where it came from, and the next one is bound to the same person', async () => {
	const asked = await ask({ ...BY_EMPLOYEE, responseType: 'code', expectedCode: '58' });
	const { messageId } = asked.message;
	const before = sandbox.messages().length;
	await say({ id: OTHER_EMPLOYEE, appCustomerId: 'E100' }, '57', messageId);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	expect(sandbox.messages()).toHaveLength(before);
	await say({ id: EMPLOYEE }, '57', messageId);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'wrongCode' });
	const reply = await waitFor('the reply', 5_000, () => sandbox.messages()[before]);
	expect(reply).toMatchObject({ userId: EMPLOYEE, employeeNo: 'E100' });
	expect(fromMessageId(reply.messageId, [SECRET])).toMatchObject({ number: 1 });
	await waitFor('n8n', 10_000, () => !instance.running.has(asked.execution.id) || undefined);
	await say({ id: OTHER_EMPLOYEE }, '58', reply.messageId);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	await say({ id: EMPLOYEE, appCustomerId: '' }, '58', reply.messageId);
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'codeMatched', userId: EMPLOYEE, employeeNo: 'E100' })],
	]);
});

it('14. a filter for customers lets no event without a number pass, and keeps no answer from its execution', async () => {
	await serve({ filters: { customerNumbers: ['70021', ''] } });
	for (const [, number] of IN_PLACE_OF_A_NUMBER) {
		await press({ messageId: 'transfer-17' }, { id: EMPLOYEE, ...number });
	}
	expect(trigger.executions.flat()).toEqual([expect.objectContaining({ customerNo: '70021' })]);
	const asked = await ask(BY_EMPLOYEE);
	await press(asked.message, { id: EMPLOYEE });
	expect(trigger.executions.flat()).toHaveLength(1);
	expect(asked.execution.continuations).toHaveLength(1);
});

it("15. a device's signature for a customer proves nothing of a press without a number, or of an employee's", async () => {
	Object.assign(credentials, {
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: 'HS256',
		payloadSignatureSecret: SIGNING_SECRET,
	});
	await serve();
	const asked = await ask({ options: { requireSignedPayload: true } });
	const { messageId } = asked.message;
	const signed = (claims: object) =>
		token(
			{ payload: asked.message.buttonsV2?.[0]?.payload, messageId, ...claims },
			{ alg: 'HS256' },
			hs256(SIGNING_SECRET),
		);
	await press(asked.message, { id: CUSTOMER }, signed({ customerNo: '70021' }));
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	await press(asked.message, { id: CUSTOMER, appCustomerId: '' }, signed({ customerNo: '' }));
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	expect(asked.execution.continuations).toEqual([]);
	await press(asked.message, { id: CUSTOMER }, signed({}));
	expect(asked.execution.continuations).toHaveLength(1);
});

it('16. two people of whom neither has a number wait in line for themselves', async () => {
	const { execution, message } = await ask(BY_EMPLOYEE);
	const at = Date.now() - 1_000;
	const press = (id: string, timestamp: number): object =>
		entry(
			{
				message: { mid: 'other', text: `[${message.messageId}]:approve` },
				recipient: { id },
			},
			{ timestamp },
		);
	const others = Array.from({ length: 120 }, (_, index) => press(OTHER_EMPLOYEE, at + index));
	const body = envelope(...others, press(EMPLOYEE, at + others.length));
	await postSigned(trigger.url, body, SECRET);
	expect(execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'approved', userId: EMPLOYEE })],
	]);
});

it('17. Diyalog says that somebody else got what was sent to an id: that person approves nothing', async () => {
	const server = await serveAnswer({
		status: 200,
		text: JSON.stringify({ recipient_id: OTHER_EMPLOYEE, message_id: '1' }),
	});
	try {
		const execution = await instance.ask({ ...credentials, serverUrl: server.url }, BY_ID);
		const messageId = String(execution.onTimeout[0]?.json.messageId);
		for (const id of [OTHER_EMPLOYEE, EMPLOYEE]) {
			await press({ messageId }, { id });
			expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
		}
		expect(execution.continuations).toEqual([]);
	} finally {
		await server.close();
	}
});
