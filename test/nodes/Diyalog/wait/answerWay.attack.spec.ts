import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { passOn } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import { rememberMessage } from '../../../../nodes/Diyalog/messages/knownMessages';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { endsWithin } from '../../../support/endsWithin';
import { FaultyServer } from '../../../support/faultyServer';
import { runDiyalogNode, TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { sleepMs, waitFor } from '../../../../tools/system';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { StoringFault, WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import { serve as serveTrigger } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { ALL_BUT_THE_DATE } from '../../../support/testClock';

/*
 * Faults and races on the way of an answer from Diyalog's call to the execution that waits for it. An answer is carried out
 * once, or reported as what it is.
 */

const SECRET = randomBytes(16).toString('hex');
const NEXT_SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

const parameters = (given: INodeParameters = {}): INodeParameters => ({
	events: ['buttonPressed', 'textReceived'],
	authentication: 'signature',
	filters: {},
	options: {},
	...given,
});

async function serve(
	given: INodeParameters = {},
	credential: Record<string, string> = {},
): Promise<WebhookServer> {
	trigger = await instance.serveTrigger({
		credentials: { ...credentials, ...credential },
		parameters: parameters(given),
	});
	return trigger;
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

async function ask(
	given: INodeParameters = {},
	credential: Record<string, string> = {},
): Promise<Asked> {
	const execution = await instance.ask({ ...credentials, ...credential }, given);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	return { execution, message };
}

interface Said {
	text: string;
	/** when, in epoch ms */
	at?: number;
	/** the message delivered last */
	mid?: string;
	customerNo?: string;
}

/** Posts what customers said as one call of Diyalog, in this order. */
async function say(...all: Said[]): Promise<number> {
	const entries = all.map(({ text, at = Date.now(), mid = 'other', customerNo }) =>
		entry(
			{ message: { mid, text } },
			{ customerNo: customerNo ?? '70021', time: Date.now(), timestamp: at },
		),
	);
	return (await postSigned(trigger.url, envelope(...entries), SECRET)).status;
}

const press = ({ message }: Asked, payload: string, ago = 0): Said => ({
	text: `[${message.messageId}]:${payload}`,
	at: Date.now() - ago,
});

const decisions = ({ execution }: Asked): unknown[] =>
	execution.continuations.map(([item]) => item?.decision);

const items = () => trigger.executions.flat();

describe('a failing database', () => {
	it.each<[string, StoringFault[], object]>([
		['fails once', ['fails'], { resumed: true }],
		['fails three times', ['fails', 'fails', 'fails'], { resumed: true }],
		// As n8n answers when another process was faster: nobody can tell.
		['stores it, but says that it failed', ['failsAfter'], { resumed: null }],
		['stores it, and the connection breaks off', ['hangsUp'], { resumed: null }],
		['fails, then stores it and says that it failed', ['fails', 'failsAfter'], { resumed: null }],
	])(
		'1. %s: the approval is carried out once, and the item says what is known',
		async (...given) => {
			const [, faults, expected] = given;
			const asked = await ask();
			instance.storing.push(...faults);
			await say(press(asked, 'approve'));
			expect(decisions(asked)).toEqual(['approved']);
			expect(items()).toEqual([expect.objectContaining(expected)]);
			await say(press(asked, 'approve'));
			expect(items().at(-1)).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
			expect(asked.execution.continuations).toHaveLength(1);
		},
	);

	it('1b. it takes the answer, but not the item of the trigger: the repeated call says that it was taken', async () => {
		const asked = await ask();
		const tap = press(asked, 'approve', 10);
		trigger.isDiskFull = true;
		expect(await say(tap)).toBe(500);
		expect(decisions(asked)).toEqual(['approved']);
		trigger.isDiskFull = false;
		expect(await say(tap)).toBe(200);
		await say(press(asked, 'approve'));
		expect(items()).toEqual([
			expect.objectContaining({ resumed: true }),
			expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
		]);
		expect(asked.execution.continuations).toHaveLength(1);
	});

	it('1c. N8n Address is no address, in a workflow that was imported as published: the answer is kept', async () => {
		const options = { n8nAddress: 'http://127.0.0.1:1' };
		await serve({ options });
		options.n8nAddress = 'nonsense';
		const asked = await ask();
		expect(await say(press(asked, 'approve', 10))).toBe(200);
		expect(items()).toEqual([expect.objectContaining({ resumed: null, notResumedReason: 'kept' })]);
		expect(decisions(asked)).toEqual([]);
	});

	it('1d. the same, and n8n is killed: after the restart the repetition says that it was taken, and asks the execution no more', async () => {
		const started = async (id: string, stored: IDataObject) => {
			const setup = { credentials, parameters: parameters() };
			const under = new TriggerUnderTest(setup, id, stored, { url: instance.url });
			trigger = await serveTrigger(under);
			return under;
		};
		const before = await started('killed', {});
		const asked = await ask();
		const tap = press(asked, 'approve', 10);
		trigger.isDiskFull = true;
		expect(await say(tap)).toBe(500);
		const inDatabase = JSON.parse(JSON.stringify(before.staticData)) as IDataObject;
		await trigger.close();
		await started('restarted', inDatabase);
		const calls = instance.calls.length;
		expect(await say(tap)).toBe(200);
		await trigger.close();
		expect(items()).toEqual([expect.objectContaining({ resumed: true })]);
		expect(instance.calls).toHaveLength(calls);
		expect(decisions(asked)).toEqual(['approved']);
	});

	it('2. a link that is confirmed while the database fails can be confirmed again', async () => {
		const asked = await ask({ options: { answerBy: 'link' } });
		const [approve] = asked.message.buttonsV2 ?? [];
		instance.storing.push('fails');
		const confirm = async () => await fetch(approve?.payload ?? '', { method: 'POST' });
		const failed = await confirm();
		expect(failed.status).toBe(500);
		expect(await failed.text()).not.toContain('✓');
		expect(decisions(asked)).toEqual([]);
		const taken = await confirm();
		expect(await taken.text()).toContain('✓');
		expect(decisions(asked)).toEqual(['approved']);
	});
});

describe('a link is confirmed while n8n holds the answer back', () => {
	const linkTo = ({ message }: Asked, button: number): string =>
		message.buttonsV2?.[button]?.payload ?? '';

	const confirm = async (url: string, more: RequestInit = {}) =>
		(await fetch(url, { method: 'POST', ...more })).status;

	it('2b. once more, and refused: the first counts, and n8n is given nothing else to store', async () => {
		instance.storesAfterMs = 500;
		const asked = await ask({ options: { answerBy: 'link' } });
		const first = confirm(linkTo(asked, 0));
		await sleepMs(100);
		const others = [confirm(linkTo(asked, 0)), confirm(linkTo(asked, 1))];
		expect(await Promise.all([first, ...others])).toEqual([200, 409, 409]);
		expect(decisions(asked)).toEqual(['approved']);
	});

	it('2c. and the person hangs up: the answer counts, and no other one', async () => {
		instance.storesAfterMs = 500;
		const asked = await ask({ options: { answerBy: 'link' } });
		await confirm(linkTo(asked, 0), { signal: AbortSignal.timeout(100) }).catch(() => undefined);
		expect(await confirm(linkTo(asked, 1))).toBe(409);
		await sleepMs(600);
		expect(decisions(asked)).toEqual(['approved']);
	});

	it('2d. and n8n fails: the other answer can be given', async () => {
		instance.storesAfterMs = 300;
		instance.storing.push('fails');
		const asked = await ask({ options: { answerBy: 'link' } });
		const first = confirm(linkTo(asked, 0));
		await sleepMs(100);
		expect(await confirm(linkTo(asked, 1))).toBe(409);
		expect(await first).toBe(500);
		expect(await confirm(linkTo(asked, 1))).toBe(200);
		expect(decisions(asked)).toEqual(['declined']);
	});
});

it('3. Approve and Decline in two processes at the same moment: one is accepted', async () => {
	instance.storesAfterMs = 5;
	for (let round = 0; round < 20; round++) {
		const asked = await ask();
		const reference = fromMessageId(asked.message.messageId, [SECRET]);
		if (!reference) throw new Error('The messageId is no reference');
		const post = async (text: string) => {
			const answer = {
				kind: 'press' as const,
				turn: reference.turn,
				number: 0,
				customerNo: '70021',
				userId: '243540663',
				text,
				payloadSignature: 'notChecked' as const,
				occurredAt: new Date().toISOString(),
			};
			const response = await fetch(resumeUrlOf(reference, `${instance.url}/webhook-waiting`), {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ answers: [passOn(answer, asked.execution.id, SECRET)] }),
			});
			return [text, response.ok ? await response.json() : response.status] as const;
		};
		const answers = await Promise.all(['approve', 'decline'].map(post));
		const accepted = answers.filter(([, said]) => JSON.stringify(said).includes('"accepted":true'));
		expect(accepted).toHaveLength(1);
		expect(asked.execution.continuations).toEqual([
			[expect.objectContaining({ value: accepted[0]?.[0] })],
		]);
	}
});

describe('the order of answers', () => {
	it.each(['decline', 'approve'])(
		'4. %s first, the contrary after it in the same call: what happened first counts, 40 times of 40',
		async (first) => {
			instance.storesAfterMs = 3;
			const second = first === 'decline' ? 'approve' : 'decline';
			const values: unknown[] = [];
			for (let round = 0; round < 40; round++) {
				const asked = await ask();
				const answers = [press(asked, first, 20), press(asked, second, 10)];
				await say(...(round % 2 === 0 ? answers : answers.reverse()));
				values.push(...asked.execution.continuations.map(([item]) => item?.value));
			}
			expect(values).toEqual(Array.from({ length: 40 }, () => first));
		},
	);

	it('5. in two calls at once, the later tap in the call that comes first: one of them is carried out', async () => {
		instance.storesAfterMs = 30;
		const asked = await ask();
		await Promise.all([say(press(asked, 'approve', 10)), say(press(asked, 'decline', 20))]);
		expect(asked.execution.continuations).toHaveLength(1);
		const [carriedOut] = asked.execution.continuations.flat();
		const claimed = items().filter(({ resumed }) => resumed === true);
		expect(claimed).toEqual([expect.objectContaining({ payload: carriedOut?.value })]);
	});

	it('6. codes typed one after the other in one call are tried in that order', async () => {
		const asked = await ask({ responseType: 'code', expectedCode: '58' });
		const { messageId: mid } = asked.message;
		const now = Date.now();
		await say(
			{ text: '58', mid, at: now - 10 },
			{ text: '57', mid, at: now - 30 },
			{ text: '56', mid, at: now - 20 },
		);
		await waitFor('the items', 20_000, () => items()[2]);
		expect(decisions(asked)).toEqual(['codeMatched']);
		const reasons = items().map(({ text, resumed }) => [text, resumed]);
		expect(reasons).toEqual([
			['57', false],
			['56', false],
			['58', true],
		]);
	});

	it('7. two hundred impatient taps: one is passed on, the others are refused without asking n8n', async () => {
		const asked = await ask();
		instance.storesAfterMs = 20;
		const now = Date.now();
		const taps = Array.from({ length: 20 }, async (_, call) => {
			const times = Array.from({ length: 10 }, (__, tap) => now - (call * 10 + tap));
			await say(...times.map((at) => ({ ...press(asked, 'approve'), at })));
		});
		await Promise.all(taps);
		expect(decisions(asked)).toEqual(['approved']);
		expect(instance.calls.length).toBeLessThanOrEqual(2);
		expect(items().filter(({ resumed }) => resumed === true)).toHaveLength(1);
		expect(items()).toHaveLength(200);
	});

	it('8. taps on a message whose execution does not wait yet hold up nobody else', async () => {
		const [early, other] = [await ask(), await ask({ customerNo: '70022' })];
		instance.running.add(early.execution.id);
		const earlyTaps = [1, 2, 3, 4, 5].map(async () => await say(press(early, 'approve')));
		await say({ ...press(other, 'approve'), customerNo: '70022' });
		expect(decisions(other)).toEqual(['approved']);
		expect(decisions(early)).toEqual([]);
		instance.running.delete(early.execution.id);
		await Promise.all(earlyTaps);
		expect(decisions(early)).toEqual(['approved']);
	});
});

it('9. n8n takes long to store it: Diyalog has its answer before, and the item tells the truth', async () => {
	const asked = await ask();
	instance.storesAfterMs = 4_500;
	expect(await say(press(asked, 'approve'))).toBe(200);
	expect(decisions(asked)).toEqual([]);
	expect(items()).toEqual([]);
	await waitFor('the item', 10_000, () => items()[0]);
	expect(decisions(asked)).toEqual(['approved']);
	expect(items()).toEqual([expect.objectContaining({ payload: 'approve', resumed: true })]);
});

describe('secrets', () => {
	it('10. while App Secrets are changed, in whichever order node and trigger get the new one', async () => {
		const both = { appSecret: NEXT_SECRET, previousAppSecret: SECRET };
		const before = await ask();
		await serve({}, both);
		await say(press(before, 'approve'));
		expect(decisions(before)).toEqual(['approved']);
		const after = await ask({}, both);
		await serve({}, { appSecret: SECRET, previousAppSecret: NEXT_SECRET });
		await say(press(after, 'approve'));
		expect(decisions(after)).toEqual(['approved']);
	});

	it.each([
		['the node has another one', { appSecret: NEXT_SECRET }],
		['the node has none that fits any more', { appSecret: NEXT_SECRET, previousAppSecret: 'x' }],
	])(
		'11. %s: the answer comes out of a trigger for nothing but reads',
		async (_what, credential) => {
			await serve({ events: ['messageRead'] });
			const asked = await ask({}, credential);
			await say(press(asked, 'approve'));
			expect(decisions(asked)).toEqual([]);
			expect(items()).toEqual([
				expect.objectContaining({
					payload: 'approve',
					resumed: false,
					notResumedReason: 'unproved',
				}),
			]);
		},
	);
});

it('12. an unsigned press does not get past Only Signed Presses because an execution waits for it', async () => {
	await serve(
		{ options: { onlySigned: true } },
		{
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: 'a'.repeat(64),
		},
	);
	const asked = await ask();
	await say(press(asked, 'approve'));
	expect(decisions(asked)).toEqual([]);
	expect(instance.calls).toEqual([]);
	expect(items()).toEqual([]);
});

describe('a text that looks like a press', () => {
	it('13. continues the execution that waits for a text, and is reported as a press', async () => {
		const asked = await ask({ responseType: 'freeText' });
		await say({ text: '[urgent]: call me', mid: asked.message.messageId });
		expect(asked.execution.continuations).toEqual([
			[expect.objectContaining({ decision: 'answered', value: '[urgent]: call me' })],
		]);
		expect(items()).toEqual([
			expect.objectContaining({ event: 'buttonPressed', messageId: 'urgent', resumed: true }),
		]);
	});

	it('14. but not the press of a message that was sent', async () => {
		rememberMessage('transfer-17');
		const asked = await ask({ responseType: 'freeText' });
		const uuid = '0b5a2bd4-6ef1-4a0c-9d3c-0f3f4d8a9a10';
		for (const id of ['transfer-17', uuid])
			await say({ text: `[${id}]:approve`, mid: asked.message.messageId });
		expect(asked.execution.continuations).toEqual([]);
		expect(instance.calls).toEqual([]);
		for (const item of items()) expect(item).not.toHaveProperty('resumed');
	});

	it('14b. nor that of a message of which Diyalog has told', async () => {
		const asked = await ask({ responseType: 'freeText' });
		const body = envelope(
			entry({ messageEcho: { app_id: '1', is_echo: true, mid: 'order-18' } }),
			entry({ message: { mid: 'order-19', text: 'Hello' } }),
			entry({ messageEcho: { app_id: '1', is_echo: true, mid: 20 } }),
		);
		await postSigned(trigger.url, body, SECRET);
		for (const id of ['order-18', 'order-19', '20'])
			await say({ text: `[${id}]:approve`, mid: asked.message.messageId });
		expect(asked.execution.continuations).toEqual([]);
		expect(instance.calls).toEqual([]);
	});

	const asJson = (payload: object): INodeParameters => ({
		operation: 'send',
		specifyMessage: 'json',
		messageJson: JSON.stringify({
			recipient: { appCustomerId: '70021' },
			message: { attachment: { type: 'template', payload } },
		}),
	});
	const buttonsV2 = [{ type: 'postback', title: 'Yes', payload: 'approve' }];

	it.each<[string, string, INodeParameters]>([
		[
			'a card',
			'card-1',
			{ operation: 'sendCarousel', cards: { card: [{ title: 'A', messageId: 'card-1' }] } },
		],
		[
			'a card from data',
			'card-2',
			{
				operation: 'sendCarousel',
				specifyCards: 'json',
				cardsJson: '[{ "title": "A", "messageId": "card-2" }]',
			},
		],
		[
			'a card of a message as JSON',
			'card-3',
			asJson({
				templateType: 'generic',
				elements: [{ title: 'A' }, { title: 'B', messageId: 'card-3', buttonsV2 }],
			}),
		],
		[
			'a template of a message as JSON',
			'template-4',
			asJson({ templateType: 'button', text: 'Hello', messageId: 'template-4', buttonsV2 }),
		],
	])('14c. nor that of %s, which has an id of its own', async (_what, id, given) => {
		const parameters = { resource: 'message', customerNo: '70021', ...given };
		const { error } = await runDiyalogNode({
			credentials,
			parameters: { ...parameters, options: { messageId: 'order-20' } },
		});
		expect(error).toBeUndefined();
		const asked = await ask({ responseType: 'freeText' });
		await say({ text: `[${id}]:approve`, mid: asked.message.messageId });
		expect(asked.execution.continuations).toEqual([]);
		expect(instance.calls).toEqual([]);
		expect(items()).toEqual([expect.not.objectContaining({ resumed: expect.anything() })]);
	});

	it('15. and it is no guess of a code', async () => {
		const asked = await ask({ responseType: 'code', expectedCode: '58' });
		const { messageId: mid } = asked.message;
		for (let guess = 0; guess < 5; guess++) await say({ text: `[order-${guess}]:58`, mid });
		await say({ text: '58', mid });
		expect(decisions(asked)).toEqual(['codeMatched']);
	});
});

const shortWait = {
	options: {
		...endsWithin(0.005, 'minutes'),
	},
};

it('16. an answer that was given in time and came late, because Diyalog gathers events, counts', async () => {
	const asked = await ask(shortWait);
	const givenAt = Date.now();
	await sleepMs(400);
	await say({ ...press(asked, 'approve'), at: givenAt });
	expect(decisions(asked)).toEqual(['approved']);
});

it('17. one that was given after the time, or came later than batches explain, does not', async () => {
	const asked = await ask(shortWait);
	const givenAt = Date.now();
	await sleepMs(400);
	await say({ ...press(asked, 'approve'), at: Date.now() });
	jest.useFakeTimers({
		doNotFake: [...ALL_BUT_THE_DATE],
		now: givenAt + 11_000,
	});
	await say({ ...press(asked, 'decline'), at: givenAt });
	jest.useRealTimers();
	expect(decisions(asked)).toEqual([]);
	expect(items()).toEqual([
		expect.objectContaining({ payload: 'approve', notResumedReason: 'expired' }),
		expect.objectContaining({ payload: 'decline', notResumedReason: 'expired' }),
	]);
});

describe('a press typed by hand, with an id in the form of those that are waited for', () => {
	/** Such an id can be made by anybody; only the secret makes it genuine. */
	const forged = async (): Promise<string> => {
		const { message } = await ask({}, { appSecret: NEXT_SECRET });
		return message.messageId;
	};

	const signed = {
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: 'HS256',
		payloadSignatureSecret: 'a'.repeat(64),
	};

	it.each<[string, INodeParameters, Record<string, string>]>([
		['Only Signed Presses', { options: { onlySigned: true } }, signed],
		['the filter Customer Number', { filters: { customerNumbers: ['1'] } }, {}],
		['the filter Webhook ID', { filters: { webhookIds: ['approvals'] } }, {}],
		['the filter Payload', { filters: { payloads: ['yes'] } }, {}],
		['the filter Message ID Prefix', { filters: { messageIdPrefix: 'transfer-' } }, {}],
	])('18. gets past %s no more than any other press', async (_what, given, credential) => {
		const messageId = await forged();
		await serve(given, credential);
		await say({ text: `[${messageId}]:approve` });
		expect(items()).toEqual([]);
	});

	it('18b. gets past Only Signed Presses no more when n8n cannot hand it on as a text', async () => {
		await serve({ options: { onlySigned: true, n8nAddress: 'http://127.0.0.1:1' } }, signed);
		const asked = await ask({ responseType: 'freeText' });
		await say({ text: '[urgent]:approve', mid: asked.message.messageId });
		expect(items()).toEqual([]);
		// Of one person the first is kept, and that was the other text. This one must not overtake it.
		await say({ text: 'call me', mid: asked.message.messageId });
		expect(items()).toEqual([
			expect.objectContaining({ text: 'call me', notResumedReason: 'withdrawn' }),
		]);
	});
});

it('19. Diyalog asks to be left alone when a wrong code is answered: the right code that follows counts', async () => {
	const busy = { kind: 'refuse' as const, status: 503, text: '', headers: { 'retry-after': '40' } };
	const server = await FaultyServer.start((request) => (request === 1 ? { kind: 'accept' } : busy));
	try {
		const question = { responseType: 'code', expectedCode: '58' };
		const execution = await instance.ask({ ...credentials, serverUrl: server.url }, question);
		const mid = String(execution.onTimeout[0]?.json.messageId);
		await say({ text: '57', mid });
		await say({ text: '58', mid });
		await waitFor('the end', 20_000, () => execution.continuations[0]);
		expect(execution.continuations).toEqual([
			[expect.objectContaining({ decision: 'codeMatched' })],
		]);
	} finally {
		await server.close();
	}
}, 40_000);

describe('20. Diyalog delivers a question and does not end its answer: it is given up while answers to it are still tried', () => {
	/** Of a clock that runs a hundred times as fast. */
	const FASTER = 100;

	it.each<[string, INodeParameters, number]>([
		['one person', {}, 45],
		['one person, by an expression', { options: { timeout: '={{ 120 }}' } }, 45],
		['several people', { ask: 'several', specifyPeople: 'json', peopleJson: '["1", "2"]' }, 20],
	])('%s', async (_to, parameters, seconds) => {
		const server = await FaultyServer.start(() => ({ kind: 'slowAnswer' }));
		const real = AbortSignal.timeout.bind(AbortSignal);
		const timers = jest.spyOn(AbortSignal, 'timeout');
		timers.mockImplementation((ms) => real(Math.ceil(ms / FASTER)));
		try {
			const question: INodeParameters = { options: { timeout: 600 }, ...parameters };
			// It fails for one person. Of several, customers who may have got it can still answer.
			await instance
				.ask({ ...credentials, serverUrl: server.url }, question)
				.catch(({ message }) => expect(message).toContain('did not answer in time'));
			expect(timers.mock.calls[0]).toEqual([seconds * 1_000]);
			expect(server.deliveries).toBe(server.requests);
		} finally {
			timers.mockRestore();
			await server.close();
		}
	});
});
