import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { waitFor } from '../../../../tools/system';
import { endsWithin } from '../../../support/endsWithin';
import { FaultyServer } from '../../../support/faultyServer';
import type { Behaviour } from '../../../support/faultyServer';
import { readLog } from '../../../support/n8nLog';
import type { ReadLog } from '../../../support/n8nLog';
import {
	diyalogTool,
	processedData,
	retryFromList,
	runDiyalogNode,
} from '../../../support/nodeRuntime';
import type { NodeRun, NodeSetup } from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { jwsCredential, token } from '../../../support/signedPayloads';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Audit records, with node, trigger and Diyalog's double over real sockets. Whatever is tried: a record holds nothing that
 * it must not, says what happened, and changes nothing of it.
 */

const TOKEN = `token-${randomBytes(12).toString('hex')}`;
const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let log: ReadLog;
let customers = 0;

const FIRST_CUSTOMER = 70_100;
const userIdOf = (customerNo: string): string => String(900_000 + Number(customerNo));
/** Limits are kept for each customer. */
const newCustomer = (): string => String(FIRST_CUSTOMER + customers++);

/** Texts that would break a line, a string of JSON or a program that reads it, or that nobody must read there. */
const NASTY: Array<[name: string, text: string]> = [
	['line breaks', 'line\nbreak\r\n'],
	['a forged record', '"},{"audit":"forged'],
	['quotes', "quote's \\ back\\slash"],
	['line breaks of Unicode', 'next\u0085line\u2028paragraph\u2029'],
	['control characters', '\u0000\u001b[31mred\u007f'],
	['half a character', 'half \ud800 character'],
	['letters and directions', 'şğüİ 👋 \u202egnp.exe'],
	['what loggers fill in', '%s %d %j ${jndi:ldap://x} <script>'],
	['a long text', `long ${'x'.repeat(2_000)}`],
];

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: TOKEN, webhook: { appSecret: SECRET } }],
		customers: [
			...Array.from({ length: 120 }, (_, index) => String(FIRST_CUSTOMER + index)),
			...NASTY.map(([, text]) => text.trim()),
		].map((customerNo, index) => ({
			customerNo,
			userId: customerNo.startsWith('7') ? userIdOf(customerNo) : String(5_000_000 + index),
		})),
	});
});
beforeEach(() => {
	log = readLog();
});
afterEach(() => void jest.restoreAllMocks());
afterAll(async () => await sandbox.close());

const credentials = (more: object = {}) => ({
	serverUrl: sandbox.url,
	botToken: TOKEN,
	appSecret: SECRET,
	...more,
});

const BOTH = { auditRecord: 'both' };

const sendSetup = (given: INodeParameters = {}, more: Partial<NodeSetup> = {}): NodeSetup => ({
	parameters: {
		resource: 'otp',
		operation: 'send',
		message: 'Your code is {code}.',
		otpMode: 'generate',
		options: BOTH,
		...given,
	},
	credentials: credentials(),
	...more,
});

const oneItem = ({ items, error }: NodeRun): IDataObject => {
	if (error) throw error;
	return items[0]?.json ?? {};
};

const send = async (given: INodeParameters = {}) => oneItem(await runDiyalogNode(sendSetup(given)));

const messageOf = ({ messageId }: IDataObject): StoredMessage => {
	const message = sandbox.messages().findLast((each) => each.messageId === messageId);
	if (!message) throw new Error('Nothing was sent');
	return message;
};

async function newCode(given: INodeParameters = {}) {
	const customerNo = newCustomer();
	const sent = await send({ customerNo, ...given });
	log.lines.length = 0;
	return { challenge: String(sent.challenge), code: messageOf(sent).mokValue ?? '', customerNo };
}

const verify = async (given: INodeParameters, more: Partial<NodeSetup> = {}): Promise<NodeRun> =>
	await runDiyalogNode({
		parameters: { resource: 'otp', operation: 'verify', options: BOTH, ...given },
		credentials: credentials(),
		...more,
	});

/** What must be in no record. */
function expectHolds(text: string, ...forbidden: string[]): void {
	for (const each of [TOKEN, SECRET, ...forbidden]) {
		expect(text).not.toContain(each);
		expect(text).not.toContain(JSON.stringify(each).slice(1, -1));
	}
}

const isOneLine = (line: string): boolean => /^Diyalog audit: \{[\x20-\x7e]*\}$/.test(line);

const WHERE = {
	audit: 'diyalog',
	version: 1,
	at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
	workflowId: '1',
	executionId: expect.any(String),
	nodeId: 'id-of-Diyalog',
	nodeName: 'Diyalog',
};

const customer = (customerNo: string) => ({
	kind: 'customer',
	number: `***${customerNo.slice(-2)}`,
	fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
});

describe('codes that are sent', () => {
	it('1. in the item and in the log stands the same record', async () => {
		const customerNo = newCustomer();
		const sent = await send({ customerNo });
		expect(sent.audit).toEqual({
			...WHERE,
			event: 'codeSent',
			operation: 'otp.send',
			messageId: sent.messageId,
			people: [customer(customerNo)],
			outcome: 'sent',
			transactionBound: false,
			expiresAt: sent.expiresAt,
		});
		expect(log.records()).toEqual([sent.audit]);
		expect(log.lines.every(isOneLine)).toBe(true);
	});

	it.each([
		['off', 0, false],
		['item', 0, true],
		['log', 1, false],
		['both', 1, true],
	])('2. Audit Record %s: lines %d, in the item %s', async (auditRecord, lines, isInItem) => {
		const sent = await send({ customerNo: newCustomer(), options: { auditRecord } });
		expect(log.lines).toHaveLength(lines);
		expect('audit' in sent).toBe(isInItem);
	});

	it.each([['yes'], [null], ['={{ undefined }}'], [true]])(
		'2. Audit Record %j is refused, before anything is sent or verified',
		async (auditRecord) => {
			const options = { auditRecord } as INodeParameters;
			const before = sandbox.messages().length;
			const refusal = 'Audit Record has a value that is not possible [item 0]';
			const { error } = await runDiyalogNode(sendSetup({ customerNo: newCustomer(), options }));
			expect(error?.message).toBe(refusal);
			const given = { challenge: 'x', code: 'x', customerNo: '70021', options };
			expect((await verify(given)).error?.message).toBe(refusal);
			expect(sandbox.messages()).toHaveLength(before);
		},
	);

	it('3. without the option there is no record in any operation, nor one of a message without a code', async () => {
		const customerNo = newCustomer();
		const sent = await send({ customerNo, options: {} });
		const given = { challenge: String(sent.challenge), code: '000000', customerNo, options: {} };
		expect(oneItem(await verify(given))).not.toHaveProperty('audit');
		const plain = await send({ customerNo, message: 'Hello', otpMode: 'none' });
		expect(plain).not.toHaveProperty('audit');
		expect(log.lines).toEqual([]);
	});

	it.each(NASTY)('4. no text, code, number or secret is in it: %s', async (_, nasty) => {
		const payee = nasty.slice(0, 100).replace(/\ud800/g, '');
		const isSendable = !/\ud800/.test(nasty);
		const { error, items } = await runDiyalogNode(
			sendSetup(
				{
					customerNo: isSendable ? nasty : newCustomer(),
					message: 'Pay {payee}: {code}',
					transaction: { payee: 'Ayşe Yılmaz' },
					options: { ...BOTH, messageId: isSendable ? payee : '' },
				},
				{ settings: { name: 'Diyalog' } },
			),
		);
		if (error) throw error;
		const sent = items[0]?.json ?? {};
		const { mokValue = '', mokMessage = '' } = messageOf(sent);
		const [line = ''] = log.lines;
		expect(log.lines).toHaveLength(1);
		expect(isOneLine(line)).toBe(true);
		expect(log.records()).toEqual([sent.audit]);
		expect(sent.audit).toMatchObject({ transactionBound: true });
		const texts = [mokMessage, 'Yılmaz', String(sent.challenge)];
		expectHolds(line, ...texts, `"${mokValue}"`);
		if (isSendable) expectHolds(line, nasty.trim(), payee.trim());
	});

	it.each(NASTY)('5. a node of any name makes one line of ASCII: %s', async (_, name) => {
		const { error } = await runDiyalogNode(
			sendSetup(
				{ customerNo: newCustomer() },
				{ settings: { id: name, notes: name, name: `Diyalog` } },
			),
		);
		if (error) throw error;
		expect(log.lines.filter(isOneLine)).toHaveLength(1);
		expect(log.records()[0]?.nodeId).toBe(name);
	});

	describe('where sending fails', () => {
		let server: FaultyServer;
		let behaviour: Behaviour;
		const failing = (given: INodeParameters = {}, settings = {}): NodeSetup =>
			sendSetup(
				{ customerNo: newCustomer(), options: { ...BOTH, maxRetries: 0 }, ...given },
				{
					credentials: credentials({ serverUrl: server.url }),
					settings: { retryOnFail: true, maxTries: 3, waitBetweenTries: 1, ...settings },
				},
			);
		const outcomes = () => log.records().map(({ outcome, reason }) => [outcome, reason]);

		beforeEach(async () => {
			server = await FaultyServer.start(() => behaviour);
		});
		afterEach(async () => await server.close());

		it('6. what may have arrived is recorded once, however often n8n tries', async () => {
			behaviour = { kind: 'resetAfterBody' };
			const { error } = await runDiyalogNode(failing());
			expect(error?.message).toContain('may have been delivered');
			expect(server.requests).toBe(1);
			expect(outcomes()).toEqual([['unknown', 'noAnswer']]);
		});

		it('6. also where the node is the tool of an agent, whose tries each have a run of their own', async () => {
			behaviour = { kind: 'resetAfterBody' };
			await expect(diyalogTool(failing())({ about: 'a' })).rejects.toThrow(/may have been/);
			expect(server.requests).toBe(1);
			expect(outcomes()).toEqual([['unknown', 'noAnswer']]);
		});

		it('7. what was certainly not sent is recorded for each try, with the kind of the error and no words of it', async () => {
			const text = 'Not delivered due to recepient not found. Dear Ayşe, 481516';
			behaviour = { kind: 'refuse', status: 500, text };
			const { error } = await runDiyalogNode(failing());
			expect(error?.message).toBe('Diyalog does not know this person');
			expect(outcomes()).toEqual(Array(3).fill(['notSent', 'unknownCustomer']));
			expectHolds(log.lines.join('\n'), 'Ayşe', '481516', 'recepient');
		});

		it('8. a retry of n8n, and one from the list, records no code a second time that was sent', async () => {
			const [first, second] = [newCustomer(), newCustomer()];
			let refuses = true;
			await server.close();
			server = await FaultyServer.start((request) =>
				refuses && request > 1 ? { kind: 'refuse', status: 429, text: '' } : { kind: 'accept' },
			);
			const setup = failing({
				customerNo: '={{ $json.to }}',
				options: { ...BOTH, maxRetries: 0, concurrency: 1 },
			});
			const items = [first, second].map((to) => ({ json: { to } }));
			const { error, run } = await runDiyalogNode(setup, items);
			expect(error).toBeDefined();
			const sentTo = () =>
				log.records().flatMap(({ outcome, people }) => (outcome === 'sent' ? [people] : []));
			expect(sentTo()).toEqual([[customer(first)]]);
			refuses = false;
			const again = await retryFromList(setup, run);
			expect(again.error).toBeUndefined();
			expect(sentTo()).toEqual([[customer(first)], [customer(second)]]);
			// The item of the first still has the record of when it was sent.
			expect(again.items[0]?.json.audit).toEqual(log.records()[0]);
		});

		it('9. of several after a token that is refused: one record for each', async () => {
			behaviour = { kind: 'refuse', status: 503, text: 'You may be using wrong token.' };
			const setup = failing(
				{ customerNo: '={{ $json.to }}', options: { ...BOTH, concurrency: 1 } },
				{ retryOnFail: false, onError: 'continueRegularOutput' },
			);
			const items = [newCustomer(), newCustomer()].map((to) => ({ json: { to } }));
			await runDiyalogNode(setup, items);
			expect(server.requests).toBe(1);
			expect(outcomes()).toEqual(Array(2).fill(['notSent', 'wrongToken']));
		});
	});

	it('10. a code beyond the limits is recorded as not permitted, and the error stays what it is', async () => {
		const customerNo = newCustomer();
		await send({ customerNo });
		const { error } = await runDiyalogNode(sendSetup({ customerNo }));
		expect(error?.message).toContain('as many codes as Resend Limits allow');
		expect(log.records()[1]).toMatchObject({ outcome: 'notSent', reason: 'notPermitted' });
	});
});

describe('codes that are verified', () => {
	const held = (...checks: string[]) => Object.fromEntries(checks.map((check) => [check, 'held']));
	const ALL = ['challenge', 'person', 'transaction', 'deadline', 'attempts', 'code', 'unused'];
	const upTo = (check: string) => ({
		...held(...ALL.slice(0, ALL.indexOf(check))),
		[check]: 'failed',
	});

	it('11. each reason, with the checks that were made', async () => {
		const right = await newCode();
		const other = newCustomer();
		const tries: Array<[INodeParameters, string, object, number]> = [
			[{ ...right, code: '0' }, 'wrongCode', upTo('code'), 4],
			[{ ...right, customerNo: other }, 'otherCustomer', upTo('person'), 3],
			[{ ...right, transaction: { amount: '1' } }, 'otherTransaction', upTo('transaction'), 2],
			[{ ...right, challenge: 'none' }, 'malformed', upTo('challenge'), 0],
			[{ ...right }, 'ok', held(...ALL), 0],
			[{ ...right }, 'used', upTo('unused'), 0],
			[{ ...right }, 'tooManyAttempts', upTo('attempts'), 0],
		];
		for (const [given, outcome, checks, attemptsLeft] of tries) {
			log.lines.length = 0;
			const item = oneItem(await verify(given));
			expect(item.reason).toBe(outcome);
			expect(item.audit).toEqual({
				...WHERE,
				event: 'codeVerified',
				operation: 'otp.verify',
				messageId: item.messageId,
				people: [customer(String(given.customerNo))],
				outcome,
				checks,
				attemptsLeft,
			});
			expect(log.records()).toEqual([item.audit]);
			expectHolds(log.lines.join(), right.code, right.challenge);
		}
		const issued = {
			code: '1',
			customerNo: other,
			messageId: 'm',
			transaction: [],
			expiresAtMs: 1,
		};
		const challenge = issueChallenge(deriveKeys(TOKEN), issued, randomBytes);
		const item = oneItem(await verify({ challenge, code: '1', customerNo: other }));
		expect(item.audit).toMatchObject({ outcome: 'expired', checks: upTo('deadline') });
	});

	it.each(NASTY)('12. what anybody types is not in it: %s', async (_, nasty) => {
		const { challenge } = await newCode();
		for (const given of [
			{ challenge: nasty, code: nasty, customerNo: nasty },
			{ challenge, code: nasty, customerNo: nasty },
		]) {
			log.lines.length = 0;
			const { audit } = oneItem(await verify(given));
			expect(log.records()).toEqual([audit]);
			expect(log.lines.every(isOneLine)).toBe(true);
			expectHolds(log.lines.join(), nasty.trim(), challenge);
		}
	});

	it('13. a memory that fails is recorded, and the error stays what it is', async () => {
		const right = await newCode();
		processedData.failure = new Error('The database is gone');
		const { error, items } = await verify(right);
		processedData.failure = undefined;
		expect(error).toBeDefined();
		expect(items).toEqual([]);
		expect(log.records()).toMatchObject([{ event: 'codeVerified', outcome: 'error' }]);
		expect(log.records()[0]).not.toHaveProperty('checks');
	});

	it('14. the fingerprint is the same in all records of a number, also where that is only looked for', async () => {
		const { challenge, code, customerNo } = await newCode();
		const fingerprintOf = async (given: INodeParameters, more = {}) => {
			const { audit } = oneItem(await verify(given, more)) as {
				audit: { people: Array<{ fingerprint: string }> };
			};
			return audit.people[0]?.fingerprint;
		};
		const found = await fingerprintOf({ challenge: 'x', code: 'x', customerNo });
		expect(await fingerprintOf({ challenge, code, customerNo })).toBe(found);
		expect(await fingerprintOf({ challenge, code, customerNo: `${customerNo}0` })).not.toBe(found);
		const otherToken = { credentials: credentials({ botToken: 'another' }) };
		expect(await fingerprintOf({ challenge, code, customerNo }, otherToken)).not.toBe(found);
	});

	it.each([
		['1', '***'],
		['7002', '***'],
		['70021', '***21'],
		['TR-7002X', '***2X'],
		['700 2', '***'],
		['70021!', '***'],
		['7002ş', '***'],
	])('15. of the number %s is shown %s', async (customerNo, number) => {
		const { audit } = oneItem(await verify({ challenge: 'x', code: 'x', customerNo }));
		expect(audit).toMatchObject({ people: [{ number }] });
	});

	it.each([[{ a: 1 }], [['70021']], [1.5]])(
		'16. what is no number is nobody: %j',
		async (customerNo) => {
			const item = oneItem(await verify({ challenge: 'x', code: 'x', customerNo } as never));
			expect(item).toMatchObject({ reason: 'malformed', audit: { people: [] } });
		},
	);
});

describe('signed payloads', () => {
	const verifyPayload = async (given: INodeParameters) =>
		oneItem(
			await runDiyalogNode({
				parameters: {
					resource: 'signedPayload',
					operation: 'verify',
					customerNo: '70021',
					options: BOTH,
					...given,
				},
				credentials: credentials(jwsCredential),
			}),
		);

	it('17. valid and invalid, with what has signed and why not', async () => {
		const claims = { payload: 'Pay 250 TL', messageId: 'transfer-17', customerNo: '70021' };
		const payload = token(claims);
		const item = await verifyPayload({ payload, messageId: 'transfer-17' });
		expect(item.audit).toEqual({
			...WHERE,
			event: 'payloadVerified',
			operation: 'signedPayload.verify',
			messageId: 'transfer-17',
			people: [customer('70021')],
			outcome: 'valid',
			checks: {
				deviceSignature: 'valid',
				signature: {
					format: 'jws',
					algorithm: 'ES256',
					keyThumbprint: expect.stringMatching(/^[0-9a-f]{64}$/),
				},
			},
		});
		const other = await verifyPayload({ payload, messageId: 'transfer-18' });
		expect(other).toMatchObject({
			valid: false,
			audit: {
				outcome: 'invalid',
				reason: 'otherMessage',
				checks: { deviceSignature: 'invalid' },
			},
		});
		expect(log.records()).toEqual([item.audit, other.audit]);
		expectHolds(log.lines.join(), payload, 'Pay 250');
	});

	it.each(NASTY)('18. neither payload nor an id that is a text is in it: %s', async (_, nasty) => {
		const isId = !nasty.includes('\ud800') && !nasty.includes(']:');
		// With blanks around it an id is refused.
		const messageId = isId ? `id${nasty}id` : '';
		const item = await verifyPayload({ payload: nasty, messageId });
		expect(item.valid).toBe(false);
		expect(log.lines.every(isOneLine)).toBe(true);
		expect(log.records()).toEqual([item.audit]);
		expectHolds(log.lines.join(), nasty.trim());
	});
});

describe('questions', () => {
	let instance: WaitingInstance;
	let trigger: WebhookServer;
	let given: Record<string, unknown>;

	beforeEach(async () => {
		instance = await WaitingInstance.start();
		given = credentials(jwsCredential);
		trigger = await instance.serveTrigger({
			credentials: given as never,
			parameters: {
				events: ['buttonPressed', 'textReceived'],
				authentication: 'signature',
				filters: {},
				options: {},
			},
		});
	});
	afterEach(async () => {
		expect(instance.escaped).toEqual([]);
		expect(trigger.escaped).toEqual([]);
		expect(log.lines.filter((line) => line.startsWith('Diyalog audit')).every(isOneLine)).toBe(
			true,
		);
		await instance.close();
	});

	interface Asked {
		execution: WaitingExecution;
		message: StoredMessage;
		customerNo: string;
	}

	const TEXT = 'Do you pay 250 TL to Ayşe?';

	async function ask(asked: INodeParameters = {}, options: INodeParameters = {}): Promise<Asked> {
		const customerNo = newCustomer();
		const execution = await instance.ask(given as never, {
			customerNo,
			message: TEXT,
			options: { ...BOTH, ...options },
			...asked,
		});
		const message = sandbox.messages().at(-1);
		if (!message) throw new Error('Nothing was sent');
		return { execution, message, customerNo };
	}

	const tell = async (event: object, customerNo: string | null, userId?: string): Promise<void> => {
		const before = trigger.executions.flat().length;
		const by = { customerNo, userId: userId ?? userIdOf(String(customerNo)) };
		expect((await postSigned(trigger.url, envelope(entry(event, by)), SECRET)).status).toBe(200);
		if (!('message' in event)) return;
		await waitFor('what became of it', 25_000, () =>
			trigger.executions.flat().length > before ? true : undefined,
		);
	};
	const press = async ({ message, customerNo }: Asked, payload: string, by = customerNo) =>
		await tell({ message: { mid: 'other', text: `[${message.messageId}]:${payload}` } }, by);
	const write = async ({ message, customerNo }: Asked, text: string) =>
		await tell({ message: { mid: message.messageId, text } }, customerNo);

	const ended = () => log.records().filter(({ event }) => event === 'ended');
	const answered = () => log.records().filter(({ event }) => event === 'answered');
	const itemOf = ({ execution }: Asked) => execution.continuations.flat()[0] ?? {};
	const ANY_ANSWER = {
		call: 'held',
		message: 'held',
		person: 'held',
		deadline: 'held',
		kind: 'held',
	};

	it('19. asked, then approved: who, what, when, which checks', async () => {
		const asked = await ask();
		const about = {
			...WHERE,
			operation: 'otp.sendAndWait',
			messageId: asked.message.messageId,
			people: [customer(asked.customerNo)],
			answerBy: 'tap',
			signatureRequired: false,
			deadline: expect.any(String),
		};
		expect(log.records()).toEqual([{ ...about, event: 'asked', outcome: 'sent' }]);
		await press(asked, 'approve');
		const item = itemOf(asked);
		expect(item).toMatchObject({ approved: true });
		expect(item.audit).toEqual({
			...about,
			event: 'ended',
			outcome: 'approved',
			respondedAt: item.respondedAt,
			checks: { ...ANY_ANSWER, payload: 'held', deviceSignature: 'invalid' },
		});
		expect(ended()).toEqual([item.audit]);
		expectHolds(log.lines.join('\n'), TEXT, 'Ayşe', asked.customerNo);
	});

	const REPORT = { approvalOptions: { values: { offerReport: true } } };
	const CHOICE = {
		responseType: 'choice',
		choices: { choice: [{ title: 'Visa 4111', value: 'v4111' }, { title: 'Cash' }] },
	};
	const CODE = { responseType: 'code', expectedCode: '4815' };

	it.each<[string, INodeParameters, string, boolean, object]>([
		['declined', {}, 'decline', false, { payload: 'held' }],
		['reported', REPORT, 'report', false, { payload: 'held' }],
		['chosen', CHOICE, 'v4111', false, { payload: 'held' }],
		['answered', { responseType: 'freeText' }, 'my secret words', true, {}],
		['codeMatched', CODE, '4815', true, { attempts: 'held', code: 'held' }],
	])('20. %s', async (decision, parameters, text, isText, checks) => {
		const asked = await ask(parameters);
		await (isText ? write(asked, text) : press(asked, text));
		expect(itemOf(asked)).toMatchObject({ decision });
		expect(ended()).toEqual([itemOf(asked).audit]);
		expect(ended()[0]).toMatchObject({ outcome: decision, checks: { ...ANY_ANSWER, ...checks } });
		expectHolds(log.lines.join('\n'), '4111', 'my secret words', '"4815"', asked.customerNo);
	});

	it('21. wrong codes are recorded one by one, with what is left, and then that there were too many', async () => {
		const asked = await ask(CODE, { maxAttempts: 2 });
		await write(asked, '1111');
		await waitFor('n8n', 10_000, () => !instance.running.has(asked.execution.id) || undefined);
		expect(answered()).toMatchObject([
			{
				outcome: 'refused',
				reason: 'wrongCode',
				attemptsLeft: 1,
				by: customer(asked.customerNo),
				checks: { ...ANY_ANSWER, attempts: 'held', code: 'failed' },
			},
		]);
		await write(asked, '2222');
		expect(ended()).toMatchObject([
			{ outcome: 'tooManyAttempts', checks: { ...ANY_ANSWER, attempts: 'held', code: 'failed' } },
		]);
		expect(itemOf(asked).audit).toEqual(ended()[0]);
		expectHolds(log.lines.join('\n'), '"1111"', '"2222"');
	}, 60_000);

	it('22. a signed answer: the format, the algorithm and the key that has signed', async () => {
		const asked = await ask({}, { requireSignedPayload: true });
		const { messageId, buttonsV2 = [] } = asked.message;
		const payload = buttonsV2[0]?.payload ?? '';
		await press(asked, payload);
		expect(answered()).toMatchObject([
			{ reason: 'notSigned', checks: { ...ANY_ANSWER, deviceSignature: 'invalid' } },
		]);
		expect(answered()[0]?.checks).not.toHaveProperty('payload');
		await press(asked, token({ payload, messageId, customerNo: asked.customerNo }));
		expect(ended()).toMatchObject([
			{
				outcome: 'approved',
				signatureRequired: true,
				checks: {
					...ANY_ANSWER,
					payload: 'held',
					deviceSignature: 'valid',
					signature: { format: 'jws', algorithm: 'ES256' },
				},
			},
		]);
	});

	it.each([
		['checks nothing any more', { payloadSignature: 'none' }],
		['says that each person has keys of their own', { payloadSignatureKeys: 'person' }],
		['has a key that cannot be read', { payloadSignaturePublicKey: 'gone' }],
	])(
		'22b. a signature that was not checked, because the credential %s by now, is recorded as such',
		async (_what, changed) => {
			const asked = await ask({}, { requireSignedPayload: true });
			const { messageId, buttonsV2 = [] } = asked.message;
			const payload = buttonsV2[0]?.payload ?? '';
			Object.assign(given, changed);
			await press(asked, token({ payload, messageId, customerNo: asked.customerNo }));
			expect(asked.execution.continuations).toEqual([]);
			expect(answered()).toMatchObject([
				{ reason: 'notSigned', checks: { ...ANY_ANSWER, deviceSignature: 'notChecked' } },
			]);
		},
	);

	it('23. refused answers, one line each: who really answered, and which check failed', async () => {
		const asked = await ask();
		const stranger = newCustomer();
		await press(asked, 'approve', stranger);
		await press(asked, 'never issued');
		await write(asked, 'I do approve');
		expect(answered().map(({ reason, people }) => [reason, people])).toEqual(
			['otherPerson', 'notIssued', 'otherKind'].map((reason) => [
				reason,
				[customer(asked.customerNo)],
			]),
		);
		expect(answered()[0]).toMatchObject({
			by: customer(stranger),
			checks: { call: 'held', message: 'held', person: 'failed' },
		});
		expect(asked.execution.continuations).toEqual([]);
		const warnings = log.lines.filter((line) => line.includes('does not take an answer'));
		expect(warnings).toHaveLength(3);
		expectHolds(log.lines.join('\n'), 'never issued', 'I do approve', stranger);
		await press(asked, 'approve');
		expect(itemOf(asked)).toMatchObject({ approved: true });
	});

	it('24. a flood of refused answers makes no more than a line beside each that there is today', async () => {
		const asked = await ask();
		const text = `[${asked.message.messageId}]:other`;
		const flood = Array.from({ length: 40 }, (_, index) =>
			entry(
				{ message: { mid: `m${index}`, text: `${text}${index}` } },
				{
					customerNo: asked.customerNo,
					userId: userIdOf(asked.customerNo),
				},
			),
		);
		await postSigned(trigger.url, envelope(...flood), SECRET);
		await waitFor('all', 60_000, () => (trigger.executions.flat().length >= 40 ? true : undefined));
		const warnings = log.lines.filter((line) => line.includes('does not take an answer'));
		expect(answered()).toHaveLength(warnings.length);
		expect(answered()).toHaveLength(40);
	}, 90_000);

	it('25. who calls the resume address without a proof gets no record', async () => {
		const asked = await ask();
		const reference = fromMessageId(asked.message.messageId, [SECRET]);
		if (!reference) throw new Error('No reference');
		log.lines.length = 0;
		const answers = Array.from({ length: 50 }, () => ({ answer: '{"a":1}', proof: 'x' }));
		const { status } = await fetch(resumeUrlOf(reference, `${instance.url}/webhook-waiting`), {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ answers }),
		});
		expect(status).toBe(401);
		expect(log.records()).toEqual([]);
		expect(log.lines).toHaveLength(1);
	});

	it('26. a link says nothing of who has opened it, and neither does the record', async () => {
		const asked = await ask({}, { answerBy: 'link' });
		const link = asked.message.buttonsV2?.[0]?.payload ?? '';
		await fetch(link);
		expect(ended()).toEqual([]);
		await fetch(link, { method: 'POST' });
		expect(itemOf(asked).audit).toEqual(ended()[0]);
		expect(ended()).toMatchObject([{ outcome: 'approved', answerBy: 'link' }]);
		expect(ended()[0]?.checks).toEqual({
			call: 'held',
			message: 'held',
			deadline: 'held',
			payload: 'held',
		});
		const signature = new URL(link).searchParams.get('signature') ?? '';
		expect(signature).not.toBe('');
		expectHolds(log.lines.join('\n'), signature);
	});

	it('27. nobody answers: n8n lets the record out with the stored item; asked stays without an end in the log', async () => {
		const { execution } = await ask();
		const [item] = execution.onTimeout;
		expect(item?.json).toMatchObject({
			decision: 'expired',
			audit: { event: 'ended', outcome: 'expired' },
		});
		const { audit } = item?.json as { audit: IDataObject };
		expect(audit.at).toBe(audit.deadline);
		expect(audit).not.toHaveProperty('checks');
		expect(ended()).toEqual([]);
		expect(log.records()).toMatchObject([{ event: 'asked', deadline: audit.deadline }]);
	});

	it('28. a short wait that this node ends is recorded in the log as well', async () => {
		const asked = await ask({ responseType: 'delivery' }, endsWithin(1, 'seconds'));
		await waitFor('the end', 20_000, () => asked.execution.continuations[0]);
		expect(itemOf(asked)).toMatchObject({ decision: 'notDelivered', reason: 'noReceipt' });
		expect(ended()).toEqual([itemOf(asked).audit]);
		expect(ended()[0]).toMatchObject({ outcome: 'notDelivered', reason: 'noReceipt' });
	}, 40_000);

	it('29. delivered, and a person whom Diyalog does not know', async () => {
		const asked = await ask({ responseType: 'delivery' });
		const { messageId } = asked.message;
		await tell({ delivery: { mids: [messageId], watermark: Date.now() } }, asked.customerNo);
		await waitFor('the end', 20_000, () => asked.execution.continuations[0]);
		expect(ended()).toMatchObject([{ outcome: 'delivered', answerBy: 'receipt' }]);
		log.lines.length = 0;
		const { items, error } = await runDiyalogNode({
			parameters: {
				resource: 'otp',
				operation: 'sendAndWait',
				message: TEXT,
				customerNo: '40404',
				responseType: 'delivery',
				options: BOTH,
			},
			credentials: given as never,
		});
		expect(error).toBeUndefined();
		expect(log.records()).toMatchObject([
			{ event: 'asked', outcome: 'notSent', reason: 'unknownCustomer' },
			{ event: 'ended', outcome: 'notDelivered', reason: 'unknownPerson' },
		]);
		expect(items[0]?.json.audit).toEqual(log.records()[1]);
	}, 40_000);

	it('30. several people: who of them said what, who got nothing, and by which rule', async () => {
		const people = [newCustomer(), newCustomer(), newCustomer()];
		const [first = '', second = '', third = ''] = people;
		const before = sandbox.messages().length;
		const execution = await instance.ask(given as never, {
			resource: 'otp',
			message: TEXT,
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: JSON.stringify([...people, '40404'].map((customerNo) => ({ customerNo }))),
			rule: 'atLeast',
			approvalsNeeded: 2,
			options: BOTH,
		});
		const messages = sandbox.messages().slice(before);
		const askedOf = (customerNo: string): Asked => {
			const message = messages.find((each) => each.customerNo === customerNo);
			if (!message) throw new Error('Nothing was sent');
			return { execution, message, customerNo };
		};
		const asked = log.records()[0];
		expect(asked).toMatchObject({
			event: 'asked',
			outcome: 'partly',
			rule: { kind: 'atLeast', needed: 2 },
			people: [
				{ ...customer(first), sending: 'sent' },
				{ ...customer(second), sending: 'sent' },
				{ ...customer(third), sending: 'sent' },
				{ ...customer('40404'), sending: 'notSent' },
			],
		});
		const waitsAgain = async () =>
			await waitFor('n8n', 10_000, () => !instance.running.has(execution.id) || undefined);
		await press(askedOf(first), 'approve');
		await waitsAgain();
		expect(answered()).toMatchObject([
			{ outcome: 'counted', decision: 'approved', people: [customer(first)] },
		]);
		await press(askedOf(first), 'decline');
		expect(answered()[1]).toMatchObject({
			outcome: 'refused',
			reason: 'alreadyAnswered',
			checks: { ...ANY_ANSWER, payload: 'held', firstAnswer: 'failed' },
		});
		await press(askedOf(third), 'approve');
		const item = execution.continuations.flat()[0] ?? {};
		expect(item).toMatchObject({ approved: true });
		expect(ended()).toEqual([item.audit]);
		expect(ended()[0]).toMatchObject({
			outcome: 'approved',
			people: [
				{ ...customer(first), decision: 'approved', respondedAt: expect.any(String) },
				{ ...customer(second), sending: 'sent' },
				{ ...customer(third), decision: 'approved' },
				{ ...customer('40404'), sending: 'notSent' },
			],
		});
		expectHolds(log.lines.join('\n'), ...people, '"40404"', TEXT);
	}, 60_000);

	it('31. an employee and a person of Diyalog', async () => {
		for (const [recipient, kind, number] of [
			[{ recipientType: 'employee', employeeNo: 'E100' }, 'employee', '***'],
			[{ recipientType: 'user', userId: '3187702265' }, 'diyalogUser', '***65'],
		] as const) {
			log.lines.length = 0;
			await instance.ask(given as never, {
				resource: 'message',
				message: TEXT,
				options: BOTH,
				...recipient,
			});
			expect(log.records()).toMatchObject([
				{ operation: 'message.sendAndWait', people: [{ kind, number }] },
			]);
		}
	});

	it('32. a log that cannot be written changes nothing: sent, verified, approved, declined, refused', async () => {
		const right = await newCode();
		log.breaks = true;
		const sent = await send({ customerNo: newCustomer() });
		expect(sent).toMatchObject({ audit: { outcome: 'sent' } });
		expect(oneItem(await verify(right))).toMatchObject({ valid: true });
		expect(oneItem(await verify(right))).toMatchObject({ valid: false });
		for (const [payload, approved] of [
			['approve', true],
			['decline', false],
		] as const) {
			const asked = await ask();
			await press(asked, payload);
			expect(itemOf(asked)).toMatchObject({ approved, audit: { event: 'ended' } });
		}
	});

	it.each<[string, unknown]>([
		['is no plan', 'approved'],
		['is empty', {}],
		['has people that are none', { to: 'both', origin: {}, people: [{ number: 5 }] }],
	])('33. a stored plan that %s: the question ends as it would', async (_, audit) => {
		for (const [payload, approved] of [
			['decline', false],
			['approve', true],
		] as const) {
			const asked = await ask();
			instance.restore(asked.execution, (wait) => ({ ...wait, audit }) as IDataObject);
			await press(asked, payload);
			expect(itemOf(asked)).toMatchObject({ approved });
			expect(itemOf(asked)).not.toHaveProperty('audit');
		}
		expect(ended()).toEqual([]);
	});

	it('34. where n8n fails to store an answer the same is tried again: a second line, one item', async () => {
		const asked = await ask();
		instance.storing.push('fails');
		await press(asked, 'approve');
		expect(asked.execution.continuations).toHaveLength(1);
		expect(ended().map(({ outcome }) => outcome)).toEqual(['approved', 'approved']);
		expect(itemOf(asked).audit).toEqual(ended()[1]);
	}, 40_000);

	it('35. a wrong code that n8n has counted, and of which the trigger has not heard: one line', async () => {
		const asked = await ask(CODE);
		instance.storing.push('failsAfter');
		await write(asked, '1111');
		await waitFor('n8n', 10_000, () => !instance.running.has(asked.execution.id) || undefined);
		expect(answered()).toMatchObject([{ reason: 'wrongCode', attemptsLeft: 2 }]);
		expect(instance.calls.length).toBeGreaterThan(1);
	}, 60_000);

	const several = async (resource: string, people: readonly IDataObject[], rule: INodeParameters) =>
		await instance.ask(given as never, {
			resource,
			message: TEXT,
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: JSON.stringify(people),
			options: BOTH,
			...rule,
		});

	const TOO_FEW = { message: expect.stringContaining('Only 1 of 2') };

	it('36. too few people can be asked: of nobody it is said that the message was sent', async () => {
		const people = [{ customerNo: newCustomer() }, { customerNo: '40404' }];
		await expect(several('otp', people, { rule: 'everyone' })).rejects.toMatchObject(TOO_FEW);
		const [asked, ...more] = log.records();
		expect(asked).toMatchObject({ event: 'asked', outcome: 'partly', reason: 'unknownCustomer' });
		expect(JSON.stringify(asked)).not.toContain('sending');
		expect(more).toEqual([]);
	});

	it('37. one person under two numbers: both messages were sent, and that is the reason where a rule cannot be met', async () => {
		const customerNo = newCustomer();
		const twice = [{ customerNo }, { userId: userIdOf(customerNo) }];
		const first = several('message', twice, { rule: 'everyone' });
		await expect(first).rejects.toMatchObject(TOO_FEW);
		expect(log.records()).toMatchObject([{ outcome: 'partly', reason: 'samePerson' }]);
		log.lines.length = 0;
		const others = [{ customerNo: newCustomer() }];
		await several('message', [...twice, ...others], { rule: 'atLeast', approvalsNeeded: 2 });
		expect(log.records()).toMatchObject([
			{ outcome: 'sent', people: [{ sending: 'sent' }, { sending: 'sent' }, { sending: 'sent' }] },
		]);
	});

	it('38. limits let no message out: that is the reason, and not that nobody is known', async () => {
		const people = [{ customerNo: newCustomer() }, { customerNo: newCustomer() }];
		const options = {
			...BOTH,
			questionLimits: { values: { maxQuestions: 1 } },
		};
		await several('otp', people, { rule: 'everyone', options });
		log.lines.length = 0;
		const again = several('otp', people, { rule: 'everyone', options });
		await expect(again).rejects.toMatchObject({ message: expect.any(String) });
		expect(log.records()).toMatchObject([{ event: 'asked', reason: 'notPermitted' }]);
	});

	it("39. what an event says in the place of an employee's customer number makes no customer", async () => {
		const execution = await instance.ask(given as never, {
			resource: 'message',
			message: TEXT,
			recipientType: 'employee',
			employeeNo: 'E100',
			options: BOTH,
		});
		const message = sandbox.messages().at(-1);
		if (!message) throw new Error('Nothing was sent');
		await press({ execution, message, customerNo: newCustomer() }, 'approve');
		expect(answered()).toMatchObject([{ reason: 'otherPerson', by: { kind: 'diyalogUser' } }]);
	});

	it('40. the first person has reached a limit, the second is unknown: title, advice and reason are of the first', async () => {
		const first = { customerNo: newCustomer() };
		const options = { ...BOTH, questionLimits: { values: { maxQuestions: 1 } } };
		const others = [{ customerNo: newCustomer() }];
		await several('otp', [first, ...others], { rule: 'everyone', options });
		log.lines.length = 0;
		const people = [first, { customerNo: '40404' }];
		await expect(several('otp', people, { rule: 'everyone', options })).rejects.toMatchObject({
			message: expect.stringMatching(/first person who could not be asked: .*Question Limits/),
			description: expect.not.stringContaining('number'),
		});
		expect(log.records()).toMatchObject([{ event: 'asked', reason: 'notPermitted' }]);
	});
});
