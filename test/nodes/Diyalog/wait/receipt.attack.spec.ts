import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { passOn } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import type { Answer } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import {
	fromMessageId,
	resumeUrlOf,
	toMessageId,
} from '../../../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { sleepMs, waitFor } from '../../../../tools/system';
import { endsWithin } from '../../../support/endsWithin';
import { startDiyalogNode } from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Executions that wait for the delivery of a message: what ends the wait, and attacks. A receipt approves nothing, and
 * nothing but a receipt is one.
 */

const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

const serve = async (given: INodeParameters = {}): Promise<WebhookServer> =>
	await instance.serveTrigger({
		credentials,
		parameters: {
			events: ['buttonPressed', 'textReceived'],
			authentication: 'signature',
			filters: {},
			options: {},
			...given,
		},
	});

/** @param mid whose message ids Diyalog's events hold */
async function start(mid: 'sender' | 'diyalog' = 'sender'): Promise<void> {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 60_000 },
		ids: { mid },
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	trigger = await serve();
	sandbox.setWebhookUrl('bot', trigger.url);
}

beforeEach(async () => await start());

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	expect(trigger.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

const DELIVERY: INodeParameters = { responseType: 'delivery' };

const ask = async (parameters: INodeParameters = DELIVERY): Promise<WaitingExecution> =>
	await instance.ask(credentials, parameters);

const messageId = (): string => sandbox.messages().at(-1)?.messageId ?? '';

interface Receipt {
	mids?: unknown[];
	field?: 'delivery' | 'reads' | 'messageEcho';
	userId?: string;
	customerNo?: string;
	at?: number;
}

/** Posts receipts as one call of Diyalog, signed with a secret. */
async function tell(receipts: Receipt[], secret = SECRET): Promise<number> {
	const entries = receipts.map(
		({ mids = [messageId()], field = 'delivery', customerNo = '70021', userId, at }) =>
			entry(
				field === 'messageEcho'
					? { [field]: { app_id: '1', is_echo: true, mid: mids[0] } }
					: { [field]: { mids, watermark: Date.now() } },
				{
					customerNo,
					userId:
						userId ??
						sandbox.config.customers.find((each) => each.customerNo === customerNo)?.userId,
					time: Date.now(),
					timestamp: at ?? Date.now(),
				},
			),
	);
	return (await postSigned(trigger.url, envelope(...entries), secret)).status;
}

const endOf = ({ continuations }: WaitingExecution): IDataObject[] => continuations.flat();

const items = () => trigger.executions.flat();

describe('what ends the wait', () => {
	it('delivered: through the first output, and no approval; the trigger puts nothing out', async () => {
		const execution = await ask();
		expect(messageId()).toMatch(/\.r\.[\w-]{70}$/);
		await sandbox.flush();
		expect(endOf(execution)).toEqual([
			{
				data: { approved: false, responder: null, respondedAt: expect.any(String) },
				approved: false,
				decision: 'delivered',
				value: 'delivered',
				messageId: messageId(),
				customerNo: '70021',
				userId: null,
				payloadSignature: null,
				sentAt: expect.any(String),
				respondedAt: expect.any(String),
				input: {},
			},
		]);
		expect(execution.continuedAt).toEqual([[0]]);
		expect(items()).toEqual([]);
	});

	it('read, of which Diyalog did not say that it was delivered', async () => {
		const execution = await ask();
		await tell([{ field: 'reads', mids: ['other', messageId()] }]);
		expect(endOf(execution)).toMatchObject([{ decision: 'delivered', value: 'read' }]);
	});

	it("Diyalog's own id as mid: found in the process that sent", async () => {
		await sandbox.close();
		await instance.close();
		await start('diyalog');
		const execution = await ask();
		await sandbox.flush();
		expect(endOf(execution)).toMatchObject([{ decision: 'delivered' }]);
	});

	it('with a message of SendMessage, to an employee', async () => {
		const to = { resource: 'message', recipientType: 'employee', employeeNo: 'E100' };
		const execution = await ask({ ...DELIVERY, ...to, sendTo: 'employee' });
		await sandbox.flush();
		expect(endOf(execution)).toMatchObject([{ decision: 'delivered' }]);
	});

	it('the first receipt decides: repeated, and read after delivered', async () => {
		const execution = await ask();
		const at = Date.now();
		await tell([{ at }, { at }, { field: 'reads', at: at + 5 }]);
		await tell([{}, { field: 'reads' }]);
		expect(endOf(execution)).toMatchObject([{ value: 'delivered' }]);
		expect(instance.calls).toHaveLength(1);
	});

	it('a trigger set to receipts puts them out as well, with what became of them', async () => {
		trigger = await serve({ events: ['messageDelivered', 'messageRead'] });
		const execution = await ask();
		const at = Date.now();
		await tell([{ mids: ['other'], at }, { at }, { field: 'reads', at: at + 5 }]);
		expect(endOf(execution)).toHaveLength(1);
		const all = items();
		expect(all).toHaveLength(3);
		expect(all[0]).not.toHaveProperty('resumed');
		expect(all[1]).toMatchObject({ event: 'messageDelivered', resumed: true });
		expect(all[2]).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
	});

	it('no receipt: n8n has stored Not Delivered, for a time at which its timer ends nothing else', async () => {
		const execution = await ask();
		expect(execution.timeoutOutputs).toEqual([1]);
		expect(execution.onTimeout).toMatchObject([
			{ json: { decision: 'notDelivered', reason: 'noReceipt', approved: false, value: null } },
		]);
		const sentAt = execution.onTimeout[0]?.json.sentAt;
		const waitMs = execution.waitTill.getTime() - Date.parse(String(sentAt));
		expect(waitMs).toBe(30_000 + 90_000);
	});

	it('a short wait is ended by the node itself, once, and not after a receipt', async () => {
		const { limitWaitTime } = endsWithin(1, 'seconds');
		sandbox.setFaults({ phonesOff: true });
		const execution = await ask({ ...DELIVERY, options: { limitWaitTime } });
		await waitFor('the end', 20_000, () => execution.continuations[0]);
		expect(endOf(execution)).toMatchObject([{ decision: 'notDelivered', reason: 'noReceipt' }]);
		expect(execution.continuedAt).toEqual([[1]]);
		sandbox.setFaults({ phonesOff: false });
		const other = await ask({ ...DELIVERY, options: { limitWaitTime } });
		await tell([{}]);
		const calls = instance.calls.length;
		await sleepMs(1_500);
		expect(endOf(other)).toMatchObject([{ decision: 'delivered' }]);
		expect(instance.calls).toHaveLength(calls);
	});

	const unknown = async (settings: object = {}, parameters: INodeParameters = DELIVERY) => {
		const setup = {
			credentials,
			settings,
			parameters: {
				resource: 'otp',
				operation: 'sendAndWait',
				message: 'Your order is on its way.',
				customerNo: '404',
				...parameters,
			},
		};
		return await startDiyalogNode(setup, [{ json: { order: 17 } }], {
			url: instance.url,
			executionId: '900',
		}).done;
	};

	it('somebody whom Diyalog does not know: Not Delivered at once', async () => {
		const { run, error, outputs } = await unknown();
		expect(error).toBeUndefined();
		expect(run.waitTill).toBeUndefined();
		expect(outputs.map((items) => items.map(({ json }) => json))).toMatchObject([
			[],
			[
				{
					decision: 'notDelivered',
					reason: 'unknownPerson',
					approved: false,
					input: { order: 17 },
				},
			],
		]);
	});

	it('other failures, and other questions to an unknown person, stay errors', async () => {
		expect((await unknown({}, { responseType: 'freeText' })).error).toBeDefined();
		credentials.botToken = 'wrong';
		expect((await unknown()).error).toBeDefined();
	});
});

describe('attacks', () => {
	/** The attack changed nothing: the execution takes a receipt. */
	async function stillWaits(execution: WaitingExecution): Promise<void> {
		expect(execution.continuations).toEqual([]);
		await tell([{}]);
		expect(endOf(execution)).toMatchObject([{ decision: 'delivered', approved: false }]);
	}

	it('1. a receipt that Diyalog has not signed', async () => {
		const execution = await ask();
		expect(await tell([{}], 'another secret')).toBe(401);
		await stillWaits(execution);
	});

	it('2. a receipt of somebody else', async () => {
		const execution = await ask();
		await tell([{ customerNo: '70022' }]);
		await tell([{ userId: '1588406039' }]);
		await stillWaits(execution);
	});

	it('3. a receipt of another turn, proved as it should be', async () => {
		const execution = await ask();
		const reference = fromMessageId(messageId(), [SECRET]);
		if (!reference) throw new Error('The messageId is no reference');
		const turn = randomBytes(12).toString('base64url');
		const other = toMessageId({ ...reference, turn }, '', SECRET) ?? '';
		await tell([{ mids: [other] }]);
		expect(instance.calls).toHaveLength(1);
		await stillWaits(execution);
	});

	it.each<[string, (delivery: string, approval: string) => string]>([
		['a changed seal', (id) => `${id.slice(0, -2)}${id.endsWith('AA') ? 'BA' : 'AA'}`],
		['a prefix put in front', (id) => `urgent.${id}`],
		["an approval's, made one that waits for a receipt", (_, id) => id.replace('.0.', '.r.')],
	])('4. a forged reference: %s', async (_, forge) => {
		const question = await ask({});
		const approval = messageId();
		const execution = await ask();
		await tell([{ mids: [forge(messageId(), approval)] }]);
		expect(instance.calls).toEqual([]);
		expect(question.continuations).toEqual([]);
		await stillWaits(execution);
	});

	it.each<[string, INodeParameters]>([
		['an approval', {}],
		['an approval alone', { approvalOptions: { values: { approvalType: 'single' } } }],
		['a code', { responseType: 'code', expectedCode: '4071' }],
		['a text', { responseType: 'freeText' }],
	])('5. %s: its receipts cause no call of n8n, and continue nothing', async (_, parameters) => {
		trigger = await serve({ events: ['messageDelivered', 'messageRead', 'messageSent'] });
		const execution = await ask(parameters);
		await tell([{}, { field: 'reads' }, { field: 'messageEcho' }]);
		expect(instance.calls).toEqual([]);
		expect(execution.continuations).toEqual([]);
		expect(items()).toHaveLength(3);
		expect(items().every((item) => !('resumed' in item))).toBe(true);
	});

	it.each<[string, INodeParameters, string]>([
		['an approval', {}, 'delivered'],
		['an approval', {}, 'approve'],
		['a code', { responseType: 'code', expectedCode: '4071' }, '4071'],
		['a text', { responseType: 'freeText' }, 'yes'],
	])('6. %s takes no receipt, even one that is proved, with "%s"', async (_, parameters, text) => {
		const execution = await ask(parameters);
		await postProved({ kind: 'receipt', text });
		expect(execution.continuations).toEqual([]);
	});

	/** What a trigger of the same credential would post, if it were wrong. */
	async function postProved(given: Partial<Answer>): Promise<unknown> {
		const reference = fromMessageId(messageId(), [SECRET]);
		if (!reference) throw new Error('The messageId is no reference');
		const answer: Answer = {
			kind: 'receipt',
			turn: reference.turn,
			number: 0,
			customerNo: '70021',
			userId: '243540663',
			text: 'delivered',
			payloadSignature: 'notChecked',
			occurredAt: new Date().toISOString(),
			...given,
		};
		const url = resumeUrlOf(reference, `${instance.url}/webhook-waiting`);
		const response = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ answers: [passOn(answer, reference.executionId, SECRET)] }),
		});
		return await response.json();
	}

	it('7. a text or a press instead of a receipt, typed and proved', async () => {
		const execution = await ask();
		const typed = (text: string) =>
			entry({ message: { mid: messageId(), text } }, { customerNo: '70021', time: Date.now() });
		const all = ['delivered', 'approve', `[${messageId()}]:approve`, `[${messageId()}]:delivered`];
		await postSigned(trigger.url, envelope(...all.map(typed)), SECRET);
		// Nothing was asked, so that they are ordinary events.
		expect(instance.calls).toEqual([]);
		expect(items()).toHaveLength(4);
		expect(items().every((item) => !('resumed' in item))).toBe(true);
		for (const kind of ['text', 'press'] as const) {
			expect(await postProved({ kind })).toEqual({
				receptions: [{ accepted: false, reason: 'otherKind' }],
			});
		}
		await stillWaits(execution);
	});

	it('8. whatever a proved receipt says, it approves nothing', async () => {
		const execution = await ask();
		await postProved({ text: 'approve' });
		expect(endOf(execution)).toMatchObject([
			{ approved: false, decision: 'delivered', value: 'delivered', data: { approved: false } },
		]);
	});

	it('9. a receipt without a proof', async () => {
		const execution = await ask();
		const reference = fromMessageId(messageId(), [SECRET]);
		if (!reference) throw new Error('The messageId is no reference');
		const url = resumeUrlOf(reference, `${instance.url}/webhook-waiting`);
		for (const body of [
			{ kind: 'receipt', text: 'delivered' },
			{ answers: [{ answer: '{}', proof: '' }] },
		]) {
			const headers = { 'content-type': 'application/json' };
			const init = { method: 'POST', headers, body: JSON.stringify(body) };
			expect((await fetch(url, init)).status).toBe(401);
		}
		await stillWaits(execution);
	});

	it.each<[string, INodeParameters]>([
		['a receipt', DELIVERY],
		['an approval', {}],
	])('10. "the time is up" before it is, while %s is waited for', async (_, parameters) => {
		const execution = await ask(parameters);
		const reference = fromMessageId(messageId(), [SECRET]);
		if (!reference) throw new Error('The messageId is no reference');
		const base = `${instance.url}/webhook-waiting`;
		const urls = [
			resumeUrlOf(reference, base),
			resumeUrlOf({ ...reference, turn: 'another' }, base),
			resumeUrlOf(reference, base).replace(/turn=[^&]*&/, ''),
		];
		const notOver = { receptions: [{ accepted: false, reason: 'notOver' }] };
		for (const url of urls) {
			const inBody = await fetch(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ timeIsUp: true, approved: true }),
			});
			expect([inBody.status, await inBody.json()]).toEqual([401, { receptions: [] }]);
			const separator = url.includes('?') ? '&' : '?';
			const inAddress = await fetch(`${url}${separator}timeIsUp=1`, { method: 'POST' });
			expect(await inAddress.json()).toEqual(notOver);
		}
		expect(execution.continuations).toEqual([]);
	});

	it('11. mids that are no ids cost nothing and stop nothing', async () => {
		const execution = await ask();
		const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
		const odd = [['deep'], [{}], [null], [true], ['.r.'.repeat(50_000)]].map((mids) =>
			entry({ delivery: { mids, watermark: 0 } }),
		);
		const body = envelope(...odd, entry({ reads: { mids: 17 } })).replace('"deep"', deep);
		expect((await postSigned(trigger.url, body, SECRET)).status).toBe(200);
		await stillWaits(execution);
	});

	it('12. a receipt that happened after the deadline', async () => {
		const execution = await ask();
		await tell([{ at: Date.now() + 60_000 }]);
		// Its time is Diyalog's: what counts is that it came in time.
		expect(endOf(execution)).toMatchObject([{ decision: 'delivered' }]);
	});

	it('13. a trigger that authenticates nothing passes no receipt on', async () => {
		trigger = await serve({ authentication: 'none' });
		const execution = await ask();
		await tell([{}]);
		expect(execution.continuations).toEqual([]);
		expect(instance.calls).toEqual([]);
	});
});
