import type { INodeProperties } from 'n8n-workflow';
import { DiyalogTrigger } from '../../../nodes/Diyalog/DiyalogTrigger.node';
import { startSandbox } from '../../../sandbox/server';
import type { Sandbox } from '../../../sandbox/server';
import { documentedJson, documentedText } from '../../support/fixtures';
import { TriggerUnderTest } from '../../support/nodeRuntime';
import { postSigned, postStatus } from '../../support/sign';
import { ALL_EVENTS, entry, envelope, written } from '../../support/webhookBodies';
import { waitFor } from '../../../tools/system';
import { serve, serveTrigger, statusesOf } from '../../support/webhookServer';
import type { WebhookServer } from '../../support/webhookServer';

const SECRET = 'the-app-secret';

const setup = (parameters: object = {}, credentials: object = {}) => ({
	parameters: { events: ['buttonPressed'], authentication: 'signature', ...parameters },
	credentials: {
		serverUrl: 'http://127.0.0.1:1',
		botToken: 'token',
		appSecret: SECRET,
		...credentials,
	},
});

const everything = (options: object = {}, filters: object = {}) =>
	setup({ events: ALL_EVENTS, options, filters }, { statusCallbackToken: 'callback' });

let server: WebhookServer;

/** Serves a trigger, posts the body and gives the items of the execution that it started, if any. */
async function itemsOf(body: string, trigger = everything({ freshnessMinutes: 0 })) {
	server = await serveTrigger(trigger);
	const response = await postSigned(server.url, body, SECRET);
	expect(response.status).toBe(200);
	expect(server.executions.length).toBeLessThanOrEqual(1);
	return server.executions[0] ?? [];
}

afterEach(async () => {
	await server.close();
	expect(server.escaped).toEqual([]);
});

/** The documented times, all of one day in June 2019. */
const at = (epochMs: number) => new Date(epochMs).toISOString();

const COMMON = {
	customerNo: '70021',
	userId: '243540663',
	botId: '1614379680',
	webhookId: 'OTP',
};

describe('documented examples', () => {
	it('a message sent', async () => {
		expect(await itemsOf(documentedText('webhook-message-echo.json'))).toEqual([
			expect.objectContaining({ event: 'messageSent', messageId: expect.any(String) as string }),
		]);
	});

	it('a batch about two customers, in the order of happening', async () => {
		const items = await itemsOf(documentedText('webhook-sample-3-two-customers.json'));
		const sentAt = at(1560200490563);
		expect(items).toEqual([
			{
				event: 'messageSent',
				messageId: 'messageId-103',
				...COMMON,
				occurredAt: at(1560200485050),
				sentAt,
			},
			{
				event: 'messageDelivered',
				messageId: 'messageId-103',
				...COMMON,
				occurredAt: at(1560200485546),
				sentAt,
				watermark: at(1560200485546),
			},
			{
				event: 'messageSent',
				messageId: 'messageId-101',
				...COMMON,
				customerNo: '70022',
				userId: '1588406039',
				occurredAt: at(1560200488953),
				sentAt,
			},
		]);
	});

	it('one item for each message that was read', async () => {
		const items = await itemsOf(documentedText('webhook-sample-4-reads-three.json'));
		const body = documentedJson('webhook-sample-4-reads-three.json') as {
			entry: Array<{ messaging: Array<{ reads?: { mids: string[] } }> }>;
		};
		const mids = body.entry.flatMap(({ messaging }) =>
			messaging.flatMap(({ reads }) => reads?.mids ?? []),
		);
		expect(mids.length).toBeGreaterThan(1);
		expect(
			items.filter(({ event }) => event === 'messageRead').map(({ messageId }) => messageId),
		).toEqual(mids);
	});

	it.each([
		['webhook-delivery.json', 'messageDelivered'],
		['webhook-reads.json', 'messageRead'],
		['webhook-message.json', 'textReceived'],
		['webhook-sample-1-echo-delivery.json', 'messageSent'],
		['webhook-sample-2-echo-delivery-reads.json', 'messageSent'],
	])('%s begins with %s', async (file, event) => {
		const items = await itemsOf(documentedText(file));
		expect(items[0]).toMatchObject({ event, customerNo: expect.any(String) as string });
		expect(items.every((item) => item.webhookId === 'OTP')).toBe(true);
	});

	it('the press of a button', async () => {
		const press = documentedJson('webhook-message-button-press-content.corrected.json') as object;
		const time = Date.now();
		const items = await itemsOf(envelope(entry(press, { time, timestamp: time - 5_728 })), setup());
		expect(items).toEqual([
			{
				event: 'buttonPressed',
				messageId: 'messageId-92',
				payload: 'Approve',
				...COMMON,
				occurredAt: at(time - 5_728),
				sentAt: at(time),
				payloadSignature: 'notChecked',
				lastDeliveredMessageId: 'messageId-92',
			},
		]);
	});

	it.each(['updatemokstatus-received', 'updatemokstatus-approved'])('%s', async (name) => {
		const body = documentedText(`${name}.corrected.json`);
		const documented = JSON.parse(body) as object;
		server = await serveTrigger(everything());
		const response = await fetch(server.statusUrl, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'auth-token': 'callback' },
			body,
		});
		expect(response.status).toBe(200);
		expect(await response.text()).toBe(documentedText('updatemokstatus-response.txt').trim());
		expect(server.executions).toEqual([
			[
				{
					event: 'statusCallback',
					...documented,
					receivedAt: expect.any(String) as string,
					mayBeRepeated: false,
				},
			],
		]);
	});
});

describe('what a batch holds', () => {
	it('all elements of messaging, and several kinds in one element', async () => {
		const time = Date.now();
		const one = entry({ messageEcho: { app_id: 1, is_echo: true, mid: 'a' } }, { time }) as {
			messaging: object[];
		};
		const two = entry(
			{ delivery: { mids: ['a', 'b'] }, reads: { mids: [], watermark: time } },
			{ time },
		) as {
			messaging: object[];
		};
		const body = envelope({ ...one, messaging: [...one.messaging, ...two.messaging] });
		const items = await itemsOf(body, everything());
		expect(items.map(({ event, messageId, watermark }) => [event, messageId, watermark])).toEqual([
			['messageSent', 'a', undefined],
			['messageDelivered', 'a', null],
			['messageDelivered', 'b', null],
			['messageRead', null, at(time)],
		]);
	});

	it('kinds that Diyalog adds later, as they come', async () => {
		const body = envelope(entry({ reaction: { mid: 'a', emoji: '👍', big: 1 } })).replace(
			'"big":1',
			'"big":9007199254740993,"__proto__":{"admin":true}',
		);
		const [item] = await itemsOf(body, everything());
		expect(item).toMatchObject({
			event: 'other',
			types: ['reaction'],
			raw: { reaction: { mid: 'a', emoji: '👍', big: '9007199254740993' } },
		});
		expect(JSON.stringify(item)).not.toContain('admin');
	});

	it('a message of another kind than text', async () => {
		const [item] = await itemsOf(
			envelope(entry({ message: { mid: 'a', picture: 'x' } })),
			everything(),
		);
		expect(item).toMatchObject({ event: 'other', types: ['message'] });
	});

	it('text that only looks like a press stays text', async () => {
		const texts = [' [a]:b', '[a] b', '[]:b', 'a]:b'];
		const items = await itemsOf(envelope(...texts.map((text) => written(text))), everything());
		expect(items.map(({ event, text }) => [event, text])).toEqual(
			texts.map((text) => ['textReceived', text]),
		);
	});

	it('ids that are numbers beyond 2^53, exact', async () => {
		const body = envelope(entry({ messageEcho: { mid: 'MID' } }, { customerNo: 'CUSTOMER' }))
			.replace('"MID"', '-7523925115459309081')
			.replace('"CUSTOMER"', '9007199254740993');
		const [item] = await itemsOf(body, everything());
		expect(item).toMatchObject({
			messageId: '-7523925115459309081',
			customerNo: '9007199254740993',
		});
	});

	it('unknown fields everywhere, which change nothing', async () => {
		const plain = written('[a]:b') as { messaging: object[] };
		const extended = {
			...plain,
			new: 1,
			messaging: plain.messaging.map((element) => ({ ...element, new: { deep: [1] } })),
		};
		const body = JSON.stringify({ object: 'dialog', version: 2, entry: [extended] });
		expect(await itemsOf(body, everything())).toEqual([
			expect.objectContaining({ event: 'buttonPressed', messageId: 'a', payload: 'b' }),
		]);
	});

	it('malformed parts, which cost only themselves', async () => {
		const bad = written('[bad]:x') as { messaging: object[] };
		const body = envelope(
			null,
			7,
			{ id: 'OTP' },
			{ ...bad, time: 'yesterday' },
			{ ...bad, messaging: [7, null, { ...bad.messaging[0], timestamp: 9e99 }, bad.messaging[0]] },
			written('[good]:y'),
		);
		const items = await itemsOf(body, everything());
		expect(items.map(({ messageId }) => messageId)).toEqual(['bad', 'good']);
	});
});

describe('filters', () => {
	const body = () =>
		envelope(
			written('[login-1]:approve', { customerNo: '1' }),
			written('[login-2]:dismiss', { customerNo: '2' }),
			written('[pay-3]:approve', { customerNo: '3', webhookId: 'PAY' }),
			entry({ delivery: { mids: ['login-4'] } }, { customerNo: '4' }),
			written('hello', { customerNo: '5' }),
		);
	const customersOf = async (filters: object, options: object = {}) =>
		(await itemsOf(body(), everything(options, filters))).map(({ customerNo }) => customerNo);

	it.each([
		['none', {}, ['1', '2', '3', '4', '5']],
		[
			'empty ones',
			{ messageIdPrefix: '', customerNumbers: [''], payloads: [] },
			['1', '2', '3', '4', '5'],
		],
		['customers', { customerNumbers: ['2', ' 4 '] }, ['2', '4']],
		['a prefix of the message id', { messageIdPrefix: 'login-' }, ['1', '2', '4']],
		['payloads, which a delivery does not have', { payloads: ['approve'] }, ['1', '3', '4', '5']],
		['webhook ids', { webhookIds: ['PAY'] }, ['3']],
		[
			'several at once',
			{ webhookIds: ['OTP'], payloads: ['approve'], messageIdPrefix: 'login-' },
			['1', '4'],
		],
	])('%s', async (_, filters, customers) => {
		expect(await customersOf(filters)).toEqual(customers);
	});

	it('only the chosen events', async () => {
		const items = await itemsOf(body(), setup({ events: ['messageDelivered', 'textReceived'] }));
		expect(items.map(({ event }) => event)).toEqual(['messageDelivered', 'textReceived']);
	});

	it('a call of which nothing is left is answered and starts nothing', async () => {
		expect(await customersOf({ customerNumbers: ['nobody'] })).toEqual([]);
		expect(server.executions).toEqual([]);
	});
});

describe('the same event again', () => {
	const body = envelope(written('[transfer-17]:approve'));

	it('starts nothing, even when Diyalog sends it anew', async () => {
		server = await serveTrigger(setup());
		const time = Date.now();
		for (const sentAt of [time, time + 5_000, time + 60_000]) {
			const again = envelope(written('[transfer-17]:approve', { time: sentAt, timestamp: time }));
			expect((await postSigned(server.url, again, SECRET)).status).toBe(200);
		}
		expect(server.executions).toHaveLength(1);
	});

	it('starts nothing when both arrive at the same time', async () => {
		server = await serveTrigger(setup());
		await Promise.all(
			Array.from({ length: 20 }, async () => await postSigned(server.url, body, SECRET)),
		);
		expect(server.executions).toHaveLength(1);
	});

	it('costs no new event beside it', async () => {
		server = await serveTrigger(setup());
		const first = written('[a]:1');
		await postSigned(server.url, envelope(first), SECRET);
		await postSigned(server.url, envelope(first, written('[b]:2')), SECRET);
		expect(server.executions.map((items) => items.map(({ messageId }) => messageId))).toEqual([
			['a'],
			['b'],
		]);
	});

	it('is taken when n8n could not store it before', async () => {
		server = await serveTrigger(setup());
		await postSigned(server.url, envelope(written('[a]:1')), SECRET);
		server.isDiskFull = true;
		expect((await postSigned(server.url, body, SECRET)).status).toBe(500);
		expect((await postSigned(server.url, body, SECRET)).status).toBe(500);
		server.isDiskFull = false;
		expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
		expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
		expect(server.executions.map((items) => items.map(({ messageId }) => messageId))).toEqual([
			['a'],
			['transfer-17'],
		]);
	});

	it('two presses of the same button are two events', async () => {
		server = await serveTrigger(setup());
		const time = Date.now();
		for (const timestamp of [time - 2_000, time - 1_000]) {
			await postSigned(server.url, envelope(written('[a]:1', { time, timestamp })), SECRET);
		}
		expect(server.executions).toHaveLength(2);
	});

	it.each([
		['Only New Status Callbacks', true, [['Approved', false]]],
		[
			'no option, and its items say it',
			false,
			[
				['Approved', false],
				['Approved', true],
				['Approved', true],
			],
		],
	])('a status callback that says the same, with %s', async (_what, onlyNewStatuses, items) => {
		server = await serveTrigger(everything({ onlyNewStatuses }));
		for (let call = 0; call < 3; call++)
			expect(await postStatus(server.statusUrl, 'Approved')).toBe(200);
		expect(statusesOf(server)).toEqual(items);
	});

	it('starts nothing after a restart, in bounded memory', async () => {
		const before = new TriggerUnderTest(setup(), 'workflow-before-restart');
		server = await serve(before);
		const time = Date.now();
		const press = (id: number) => written(`[m-${id}]:x`, { time, timestamp: time - id });
		for (let batch = 0; batch < 250; batch++) {
			const entries = Array.from({ length: 10 }, (_, index) => press(batch * 10 + index));
			await postSigned(server.url, envelope(...entries), SECRET);
		}
		expect(server.executions.flat()).toHaveLength(2_500);
		await server.close();
		const stored = JSON.parse(JSON.stringify(before.staticData)) as { seenEvents: string };
		expect(stored.seenEvents.length).toBeLessThanOrEqual(26_000);

		// Another id stands for another process: nothing but the stored data is left.
		server = await serve(new TriggerUnderTest(setup(), 'workflow-after-restart', { ...stored }));
		await postSigned(server.url, envelope(press(2_499), press(1_501), press(0)), SECRET);
		expect(server.executions).toEqual([]);
		await postSigned(server.url, envelope(press(2_500)), SECRET);
		expect(server.executions).toHaveLength(1);
	});
});

describe('freshness', () => {
	const MINUTE_MS = 60_000;

	it.each([
		['14 minutes old', -14, {}, 200, 1],
		['16 minutes old', -16, {}, 401, 0],
		['14 minutes in the future', 14, {}, 200, 1],
		['16 minutes in the future', 16, {}, 401, 0],
		['4 minutes old with a maximum of 3', -4, { freshnessMinutes: 3 }, 401, 0],
		['a year old with no maximum', -525_600, { freshnessMinutes: 0 }, 200, 1],
	])('a call that is %s', async (_, minutes, options, status, executions) => {
		server = await serveTrigger(setup({ options }));
		const body = envelope(written('[a]:b', { time: Date.now() + minutes * MINUTE_MS }));
		expect((await postSigned(server.url, body, SECRET)).status).toBe(status);
		expect(server.executions).toHaveLength(executions);
	});

	it('an old entry costs no fresh one beside it', async () => {
		server = await serveTrigger(setup());
		const old = written('[old]:x', { time: Date.now() - 60 * MINUTE_MS });
		const response = await postSigned(server.url, envelope(old, written('[new]:y')), SECRET);
		expect(response.status).toBe(200);
		expect(server.executions.flat().map(({ messageId }) => messageId)).toEqual(['new']);
	});
});

describe('activation', () => {
	beforeEach(async () => {
		server = await serveTrigger(setup());
	});

	const activation = async (trigger: ReturnType<typeof setup>) =>
		await new TriggerUnderTest(trigger).activate();

	it.each([
		[
			'without an App Secret',
			setup({}, { appSecret: '' }),
			/^The App Secret of the credential is empty\. Enter it in the Diyalog API credential\. It is app_secret of the webhook in server\.conf\. /,
		],
		[
			'for status callbacks without their token',
			setup({ events: ['statusCallback'] }),
			/^The Status Callback Token of the credential is empty\. Enter the Auth-Token /,
		],
		['without an event', setup({ events: [] }), /^No event is chosen\. Choose at least one /],
		[
			'for signed presses only, unchecked',
			setup({ options: { onlySigned: true } }),
			/the credential checks no signatures\. Choose in the Diyalog API credential /,
		],
		[
			'with a number as a text',
			setup({ options: { freshnessMinutes: '15' } }),
			/^Maximum Age \(Minutes\) is not a number of minutes\. Enter a number, e\.g\. 15, /,
		],
		[
			'with a text for a list',
			setup({ options: { alsoPassOnTo: 'https://n8n.example/webhook/a/webhook' } }),
			/^Also Pass On To is not a list\. Enter each value in a row of its own/,
		],
		[
			'with a text for a switch',
			setup({ options: { onlySigned: 'no' } }),
			/^Only Signed Presses is neither on nor off\. Turn it on or off/,
		],
		[
			'with events that do not exist',
			setup({ events: ['pressed'] }),
			/^Events 1 has a value that is not possible\. Choose one of the values /,
		],
		[
			'with an expression that fails',
			setup({ authentication: '={{ $fromAI() }}' }),
			/^A setting cannot be read\. Look for an expression among the settings/,
		],
	])(
		'%s is refused, and the only line that n8n shows says what to do',
		async (_, trigger, message) => {
			const underTest = new TriggerUnderTest(trigger);
			const refusal = await underTest.activate().catch((error: Error) => error.message);
			expect(refusal).toMatch(message);
			// n8n logs nothing when it can publish another trigger of the workflow.
			expect(underTest.log).toEqual([`Diyalog Trigger cannot listen: ${String(refusal)}`]);
		},
	);

	it.each([
		['with the previous secret alone', setup({}, { appSecret: '', previousAppSecret: 'old' })],
		['unsafely by explicit choice', setup({ authentication: 'none' }, { appSecret: '' })],
		['with all there is', everything()],
	])('%s is possible', async (_, trigger) => {
		await expect(activation(trigger)).resolves.toBeUndefined();
	});
});

it('reads the credential once per call, also to check a signed payload', async () => {
	const trigger = new TriggerUnderTest(
		setup(
			{},
			{
				payloadSignature: 'jws',
				payloadSignatureAlgorithm: 'HS256',
				payloadSignatureSecret: 'k'.repeat(32),
			},
		),
	);
	server = await serve(trigger);
	const before = trigger.decryptions;
	expect((await postSigned(server.url, envelope(written('[a]:b')), SECRET)).status).toBe(200);
	expect(server.executions).toHaveLength(1);
	expect(trigger.decryptions - before).toBe(1);
});

describe('the credential', () => {
	const pressNo = (index: number) => envelope(written(`[${index}]:b`));

	it('is read once for calls that come one upon the other', async () => {
		const trigger = new TriggerUnderTest(setup());
		server = await serve(trigger);
		const before = trigger.decryptions;
		const beginMs = performance.now();
		for (let index = 0; index < 20; index++) await postSigned(server.url, pressNo(index), SECRET);
		const secondsBegun = Math.ceil((performance.now() - beginMs) / 1_000);
		expect(server.executions).toHaveLength(20);
		expect(trigger.decryptions - before).toBeLessThanOrEqual(secondsBegun);
	});

	it('counts at once with a new secret, and soon no longer with the old one', async () => {
		const NEXT_SECRET = 'the-next-secret';
		const { credentials, ...rest } = setup();
		server = await serve(new TriggerUnderTest({ ...rest, credentials }));
		const statusFor = async (secret: string, index: number) =>
			(await postSigned(server.url, pressNo(index), secret)).status;
		expect(await statusFor(SECRET, 1)).toBe(200);
		credentials.appSecret = NEXT_SECRET;
		expect(await statusFor(NEXT_SECRET, 2)).toBe(200);
		expect(await statusFor(SECRET, 3)).toBe(401);

		credentials.appSecret = SECRET;
		await waitFor('the former secret is refused', 10_000, async () =>
			(await statusFor(NEXT_SECRET, 4)) === 401 ? true : undefined,
		);
	});
});

it('gives n8n nothing to evaluate: no field takes an expression, no webhook is described by one', async () => {
	server = await serveTrigger(setup());
	const { properties, webhooks = [] } = new DiyalogTrigger().description;
	const fields = properties.flatMap((field) => [
		field,
		...((field.options ?? []) as INodeProperties[]),
	]);
	const typed = fields.filter(
		({ type }) => type !== undefined && type !== 'notice' && type !== 'collection',
	);
	expect(typed.length).toBeGreaterThan(5);
	expect(typed.filter(({ noDataExpression }) => noDataExpression !== true)).toEqual([]);
	// ndvHideUrl is for the editor alone.
	const described = webhooks.flatMap((webhook) => Object.entries(webhook));
	const resolved = described.filter(([name]) => name !== 'ndvHideUrl');
	expect(resolved.filter(([, value]) => String(value).startsWith('='))).toEqual([]);
});

it('takes unsigned calls only by explicit choice', async () => {
	server = await serveTrigger(setup({ authentication: 'none' }));
	const body = envelope(written('[a]:b'));
	const headers = { 'content-type': 'application/json' };
	expect((await fetch(server.url, { method: 'POST', headers, body })).status).toBe(200);
	expect(server.executions).toHaveLength(1);
});

it('accepts the previous secret while app_secret is being changed', async () => {
	server = await serveTrigger(setup({}, { previousAppSecret: 'old' }));
	for (const [index, secret] of [SECRET, 'old', 'older'].entries()) {
		const response = await postSigned(server.url, envelope(written(`[m-${index}]:b`)), secret);
		expect(response.status).toBe(secret === 'older' ? 401 : 200);
	}
	expect(server.executions).toHaveLength(2);
});

describe('with the sandbox', () => {
	let sandbox: Sandbox;

	afterEach(async () => await sandbox.close());

	it('receives what the customer pressed, wrote and read', async () => {
		server = await serveTrigger(everything());
		sandbox = await startSandbox({
			bots: [{ name: 'bot', token: 'token', webhook: { appSecret: SECRET, url: server.url } }],
			batch: { maxWaitMs: 20 },
			signature: { encoding: 'base64', prefix: 'sha1=' },
		});
		const payload = 'onay:ı]:ş\n{"a":"b"}';
		const sent = await fetch(`${sandbox.url}/v1/bots/sendmok/token`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				customerNo: '70021',
				messageId: 'transfer-17',
				mokMessage: 'Onaylıyor musunuz?',
				buttonsV2: [{ type: 'postback', title: 'Onayla', payload }],
			}),
		});
		expect(sent.status).toBe(200);
		sandbox.markRead({ customerNo: '70021' });
		sandbox.pressButton({ messageId: 'transfer-17', button: 'Onayla' });
		sandbox.typeText({ customerNo: '70021', text: 'merhaba' });
		await sandbox.flush();
		const items = server.executions.flat();
		expect(items.map(({ event }) => event).sort()).toEqual([
			'buttonPressed',
			'messageDelivered',
			'messageRead',
			'messageSent',
			'textReceived',
		]);
		expect(items.find(({ event }) => event === 'buttonPressed')).toMatchObject({
			messageId: 'transfer-17',
			payload,
			customerNo: '70021',
		});
	});
});
