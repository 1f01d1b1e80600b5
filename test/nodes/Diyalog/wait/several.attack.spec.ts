import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import {
	fromMessageId,
	resumeUrlOf,
	toMessageId,
} from '../../../../nodes/Diyalog/wait/resumeReference';
import { seal, unseal } from '../../../../nodes/Diyalog/wait/sealed';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { http, waitFor } from '../../../../tools/system';
import type { AddressInfo } from '../../../../tools/system';
import { serveAnswer } from '../../../support/answerServer';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Several people are asked. Node, trigger and Diyalog's double over real sockets. Whatever is tried: nothing is approved with
 * fewer approvals than the rule needs, and what is refused is reported as what it is.
 */

const SECRET = randomBytes(16).toString('hex');

/** Three employees as the sandbox knows them, and a customer. */
const PEOPLE = [
	{ employeeNo: 'E100', userId: '3021457781' },
	{ employeeNo: 'E101', userId: '3187702265' },
	{ employeeNo: 'E102', userId: '3390118846' },
] as const;
const CUSTOMER = { customerNo: '70021', userId: '243540663' };
const STRANGER = '1588406039';

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

async function serve(options: INodeParameters = {}): Promise<WebhookServer> {
	return await instance.serveTrigger({
		credentials,
		parameters: {
			events: ['buttonPressed', 'textReceived'],
			authentication: 'signature',
			filters: {},
			options,
		},
	});
}

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	trigger = await serve();
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	expect(trigger.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

interface Asked {
	execution: WaitingExecution;
	/** the messages in the order of the people */
	messages: StoredMessage[];
}

const employees = (count = 3) => PEOPLE.slice(0, count).map(({ employeeNo }) => ({ employeeNo }));

async function ask(given: INodeParameters = {}, settings = {}): Promise<Asked> {
	const before = sandbox.messages().length;
	const execution = await instance.ask(
		credentials,
		{
			resource: 'message',
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: employees(),
			rule: 'atLeast',
			approvalsNeeded: 2,
			...given,
		},
		{ amount: 250 },
		settings,
	);
	const sent = sandbox.messages().slice(before);
	const numberOf = ({ messageId }: StoredMessage) =>
		fromMessageId(messageId, [SECRET])?.number ?? -1;
	return { execution, messages: sent.sort((one, other) => numberOf(one) - numberOf(other)) };
}

interface Said {
	/** the position of the person in the list */
	by: number;
	payload?: string;
	userId?: string;
	customerNo?: string;
	at?: number;
	/** whose message is answered */
	to?: number;
}

/** What people said, as one call of Diyalog. */
async function say({ messages }: Asked, ...said: Said[]): Promise<void> {
	const entries = said.map(({ by, payload = 'approve', userId, customerNo, at, to = by }) =>
		entry(
			{ message: { mid: 'other', text: `[${messages[to]?.messageId}]:${payload}` } },
			{
				customerNo: customerNo ?? null,
				userId: userId ?? PEOPLE[by]?.userId,
				timestamp: at ?? Date.now(),
			},
		),
	);
	const before = items().length;
	expect((await postSigned(trigger.url, envelope(...entries), SECRET)).status).toBe(200);
	// The trigger replies to Diyalog in time, also where it says later what became of an answer.
	await waitFor('what became of them', 25_000, () =>
		items().length >= before + said.length ? true : undefined,
	);
}

const items = (): IDataObject[] => trigger.executions.flat();
const lastItem = () => items().at(-1);
const decisions = ({ execution }: Asked) =>
	execution.continuations.flat().map(({ decision }) => decision);
const outcome = ({ execution }: Asked) => execution.continuations.flat()[0];

/** Until the execution waits again. */
const waitsAgain = async ({ execution }: Asked) =>
	await waitFor('n8n', 10_000, () => !instance.running.has(execution.id) || undefined);

it('1. two of three approve: the item says who did, and who was not needed', async () => {
	const asked = await ask();
	expect(asked.messages.map(({ employeeNo }) => employeeNo)).toEqual(['E100', 'E101', 'E102']);
	await say(asked, { by: 0 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'counted' });
	expect(asked.execution.continuations).toEqual([]);
	await waitsAgain(asked);
	await say(asked, { by: 2 });
	expect(lastItem()).toMatchObject({ resumed: true });
	expect(asked.execution.continuations).toEqual([
		[
			expect.objectContaining({
				approved: true,
				decision: 'approved',
				value: 'approve',
				customerNo: null,
				employeeNo: 'E102',
				userId: PEOPLE[2].userId,
				input: { amount: 250 },
				answers: [
					expect.objectContaining({
						recipient: 'E100',
						employeeNo: 'E100',
						userId: PEOPLE[0].userId,
						decision: 'approved',
						value: 'approve',
						payloadSignature: 'notChecked',
					}),
					expect.objectContaining({ recipient: 'E102', decision: 'approved' }),
				],
				unanswered: [{ recipient: 'E101', customerNo: null, employeeNo: 'E101' }],
				unreached: [],
			}),
		],
	]);
	expect(asked.execution.continuedAt).toEqual([[0]]);
});

it('2. one person approves twice, with two taps and in two ways: it counts once', async () => {
	const asked = await ask();
	await say(asked, { by: 0 });
	await waitsAgain(asked);
	await say(asked, { by: 0, at: Date.now() + 5 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'alreadyAnswered' });
	await say(asked, { by: 0, payload: 'decline', at: Date.now() + 10 });
	expect(lastItem()).toMatchObject({ notResumedReason: 'alreadyAnswered' });
	expect(decisions(asked)).toEqual([]);
	await say(asked, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
});

it('3. a person answers in the place of another who was asked', async () => {
	const asked = await ask();
	await say(asked, { by: 0 });
	await waitsAgain(asked);
	await say(asked, { by: 0, to: 1 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	await say(asked, { by: 1, to: 0 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	expect(decisions(asked)).toEqual([]);
});

it('4. somebody who was not asked answers the message of each of them', async () => {
	const asked = await ask();
	for (const by of [0, 1, 2]) await say(asked, { by, userId: STRANGER });
	expect(items().map(({ notResumedReason }) => notResumedReason)).toEqual(
		Array.from({ length: 3 }, () => 'otherPerson'),
	);
	await say(asked, { by: 0 }, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
});

it('5. two answers in the same millisecond, in one call: both count', async () => {
	const asked = await ask();
	const at = Date.now();
	await say(asked, { by: 0, at }, { by: 1, at });
	expect(decisions(asked)).toEqual(['approved']);
	expect(outcome(asked)?.answers).toHaveLength(2);
});

it('6. two calls at the same moment: both count, and it goes on once', async () => {
	const asked = await ask();
	await Promise.all([say(asked, { by: 0 }), say(asked, { by: 1 }), say(asked, { by: 2 })]);
	await waitFor('the decision', 25_000, () => outcome(asked));
	expect(decisions(asked)).toEqual(['approved']);
	expect(asked.execution.continuations).toHaveLength(1);
});

it('7. two triggers, as in two processes, get an answer each at the same moment: none is lost, it goes on once', async () => {
	instance.storesAfterMs = 20;
	const asked = await ask({ rule: 'everyone', peopleJson: employees(2) });
	const other = await serve();
	const bodyOf = (by: number) =>
		envelope(
			entry(
				{ message: { mid: 'other', text: `[${asked.messages[by]?.messageId}]:approve` } },
				{ customerNo: null, userId: PEOPLE[by]?.userId, timestamp: Date.now() },
			),
		);
	await Promise.all([
		postSigned(trigger.url, bodyOf(0), SECRET),
		postSigned(other.url, bodyOf(1), SECRET),
	]);
	await waitFor('the decision', 25_000, () => outcome(asked));
	expect(decisions(asked)).toEqual(['approved']);
	expect(outcome(asked)?.answers).toHaveLength(2);
});

it('8. a decline that makes the rule impossible ends it at once; one that does not, does not', async () => {
	const asked = await ask();
	await say(asked, { by: 0, payload: 'decline' });
	expect(lastItem()).toMatchObject({ notResumedReason: 'counted' });
	await waitsAgain(asked);
	await say(asked, { by: 1, payload: 'decline' });
	expect(outcome(asked)).toMatchObject({ decision: 'declined', approved: false });
	expect(asked.execution.continuedAt).toEqual([[2]]);
});

it('9. the time is up with one approval of two: no approval, and the item says who gave it', async () => {
	const asked = await ask();
	expect(asked.execution.onTimeout[0]?.json).toMatchObject({ answers: [], approved: false });
	await say(asked, { by: 0 });
	await waitsAgain(asked);
	expect(asked.execution.timeoutOutputs).toEqual([1]);
	expect(asked.execution.onTimeout[0]?.json).toMatchObject({
		decision: 'expired',
		approved: false,
		userId: null,
		value: null,
		answers: [expect.objectContaining({ recipient: 'E100', decision: 'approved' })],
		unanswered: [
			expect.objectContaining({ recipient: 'E101' }),
			expect.objectContaining({ recipient: 'E102' }),
		],
	});
});

it('10. the same answer again, because n8n failed to say that it counted it', async () => {
	const asked = await ask();
	instance.storing.push('failsAfter');
	await say(asked, { by: 0 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'counted' });
	expect(decisions(asked)).toEqual([]);
	await waitsAgain(asked);
	await say(asked, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
	expect(outcome(asked)?.answers).toHaveLength(2);
});

it('11. n8n does not store an answer: it is tried again, and counts once', async () => {
	const asked = await ask();
	instance.storing.push('fails', 'fails');
	await say(asked, { by: 0 }, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
});

it('12. the same person under two numbers counts once, and the rule cannot be met by that', async () => {
	const asking = ask({
		peopleJson: [{ employeeNo: 'E100' }, { userId: PEOPLE[0].userId }],
		rule: 'everyone',
	});
	await expect(asking).rejects.toMatchObject({
		message: expect.stringContaining('Only 1 of 2 people could be asked'),
	});
	const asked = await ask({
		peopleJson: [...employees(2), { userId: PEOPLE[0].userId }],
		rule: 'atLeast',
	});
	await say(asked, { by: 0 });
	await waitsAgain(asked);
	await say(asked, { by: 2, userId: PEOPLE[0].userId });
	expect(lastItem()).toMatchObject({ notResumedReason: 'alreadyAnswered' });
	expect(decisions(asked)).toEqual([]);
	await say(asked, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
	expect(outcome(asked)?.unreached).toEqual([
		expect.objectContaining({
			recipient: PEOPLE[0].userId,
			reason: 'This is the same person as another one who was asked',
		}),
	]);
});

it.each(['report', 'decline'])(
	'12b. who was asked under two numbers answers the second message with %s: it counts, and for that person',
	async (payload) => {
		const asked = await ask({
			peopleJson: [...employees(), { userId: PEOPLE[0].userId }],
			approvalsNeeded: 3,
			approvalOptions: { values: { approvalType: 'double', offerReport: true } },
		});
		await say(asked, { by: 3, userId: PEOPLE[1].userId, payload });
		expect(lastItem()).toMatchObject({ notResumedReason: 'otherPerson' });
		await say(asked, { by: 3, userId: PEOPLE[0].userId, payload });
		expect(outcome(asked)).toMatchObject({
			approved: false,
			answers: [expect.objectContaining({ recipient: 'E100' })],
			unanswered: [{ recipient: 'E101' }, { recipient: 'E102' }],
		});
	},
);

it('13. who cannot be reached costs no other, and is named; too few, and it fails at once', async () => {
	const asked = await ask({ peopleJson: [...employees(2), { employeeNo: 'E999' }] });
	await say(asked, { by: 0 }, { by: 1 });
	expect(outcome(asked)).toMatchObject({
		decision: 'approved',
		unreached: [{ recipient: 'E999', customerNo: null, employeeNo: 'E999' }],
	});
	const few = ask({ peopleJson: [{ employeeNo: 'E100' }, { employeeNo: 'E999' }] });
	await expect(few).rejects.toMatchObject({
		message: expect.stringMatching(
			/^Only 1 of 2 people could be asked, and 2 have to answer. The first person who could not be asked: /,
		),
	});
});

it('14. Retry On Fail asks nobody twice when too few were reached', async () => {
	const before = sandbox.messages().length;
	const few = ask(
		{ peopleJson: [{ employeeNo: 'E100' }, { employeeNo: 'E999' }] },
		{ retryOnFail: true, maxTries: 3, waitBetweenTries: 10 },
	);
	await expect(few).rejects.toMatchObject({
		message: expect.stringContaining('Only 1 of 2 people'),
	});
	expect(sandbox.messages().slice(before)).toHaveLength(1);
});

it('15. an answer to the question before, in the same execution', async () => {
	const [first, second] = [await ask(), await ask()];
	await say(first, { by: 0 });
	await waitsAgain(first);
	await say(second, { by: 1 });
	await waitsAgain(second);
	expect([...decisions(first), ...decisions(second)]).toEqual([]);
	await say(first, { by: 1 });
	expect(decisions(first)).toEqual(['approved']);
	expect(decisions(second)).toEqual([]);
});

it('16. a late answer, when it is over', async () => {
	const asked = await ask({ rule: 'first' });
	await say(asked, { by: 1, payload: 'decline' });
	expect(decisions(asked)).toEqual(['declined']);
	await say(asked, { by: 0 });
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
	expect(asked.execution.continuations).toHaveLength(1);
});

it('17. a customer among employees is bound by number and id', async () => {
	const asked = await ask({
		peopleJson: [{ employeeNo: 'E100' }, { customerNo: CUSTOMER.customerNo }],
		rule: 'everyone',
	});
	await say(asked, { by: 1, userId: CUSTOMER.userId, customerNo: '70022' });
	expect(lastItem()).toMatchObject({ notResumedReason: 'otherPerson' });
	await say(asked, { by: 1, userId: CUSTOMER.userId, customerNo: '70021' }, { by: 0 });
	expect(decisions(asked)).toEqual(['approved']);
	expect(outcome(asked)?.answers).toContainEqual(
		expect.objectContaining({ recipient: '70021', customerNo: '70021' }),
	);
});

describe('what is counted travels as an item', () => {
	const given = {
		person: 0,
		decision: 'approved' as const,
		value: 'approve',
		userId: PEOPLE[0].userId,
		payloadSignature: 'notChecked' as const,
		respondedAt: '2026-11-28T00:00:00.000Z',
		proof: 'p',
	};

	it('18. of another turn, another execution, another secret, or altered, it is nothing', () => {
		const sealed = seal('counted answers', ['7', 'turn'], [given], SECRET);
		const open = (what: unknown, belongsTo = ['7', 'turn'], secrets = [SECRET]) =>
			unseal('counted answers', belongsTo, what, secrets);
		expect(open(sealed, ['7', 'turn'], ['', SECRET])).toEqual([given]);
		expect(open(sealed, ['7', 'other'])).toBeUndefined();
		expect(open(sealed, ['8', 'turn'])).toBeUndefined();
		expect(open(sealed, ['7'])).toBeUndefined();
		expect(open(sealed, ['7', 'turn'], ['', 'guessed'])).toBeUndefined();
		expect(open(sealed, ['7', 'turn'], [''])).toBeUndefined();
		expect(unseal('replies', ['7', 'turn'], sealed, [SECRET])).toBeUndefined();
		const altered = { ...sealed, text: sealed.text.replace('"person":0', '"person":1') };
		expect(open(altered)).toBeUndefined();
		for (const odd of [undefined, null, 'x', {}, { text: '[]' }, { text: 'x', mac: '' }])
			expect(open(odd)).toBeUndefined();
	});

	it('19. a loop comes back with forged approvals: nothing is asked, nothing counts', async () => {
		const asked = await ask();
		const turn = fromMessageId(asked.messages[0]?.messageId ?? '', [SECRET])?.turn ?? '';
		const counted = { text: JSON.stringify([given, { ...given, person: 1 }]), mac: '' };
		const sent = sandbox.messages().length;
		const again = await instance.loop(asked.execution, { diyalogAgain: { turn, counted } });
		expect(again.data.resultData.error?.message).toContain('question that is over');
		expect(sandbox.messages()).toHaveLength(sent);
	});
});

describe('what is refused before anything is sent', () => {
	it.each<[string, INodeParameters, string]>([
		['one person', { peopleJson: employees(1) }, 'People has 1 entry'],
		['nobody', { peopleJson: [] }, 'has 0 entries'],
		[
			'51 people',
			{ peopleJson: Array.from({ length: 51 }, (_, n) => ({ userId: String(n + 1) })) },
			'has 51 entries',
		],
		['a million', { peopleJson: `[${'1,'.repeat(999_999)}1]` }, 'has 1000000 entries'],
		[
			'the same twice',
			{ peopleJson: [...employees(), { employeeNo: 'E100' }] },
			'has the same person twice',
		],
		[
			'the same as number and text',
			{ peopleJson: [{ userId: 7 }, { userId: '7' }] },
			'has the same person twice',
		],
		['a number alone', { peopleJson: ['E100', 'E101'] }, 'does not say who the person is'],
		[
			'two names',
			{ peopleJson: [{ employeeNo: 'E100', customerNo: '1' }, { userId: '2' }] },
			'does not say who the person is',
		],
		[
			'a misspelled name',
			{ peopleJson: [{ employeeNO: 'E100' }, { userId: '2' }] },
			'does not say who the person is',
		],
		[
			'__proto__',
			{ peopleJson: '[{"__proto__":"E100"},{"userId":"2"}]' },
			'does not say who the person is',
		],
		['an empty number', { peopleJson: [{ employeeNo: '' }, { userId: '2' }] }, 'is empty'],
		['four of three', { approvalsNeeded: 4 }, 'is more than the 3 people who are asked'],
		['none of three', { approvalsNeeded: 0 }, 'Approvals Needed has a value that is not possible'],
		['half of them', { approvalsNeeded: 1.5 }, 'Approvals Needed has a value that is not possible'],
		[
			'true of three',
			{ approvalsNeeded: true },
			'Approvals Needed has a value that is not possible',
		],
		['no number', { approvalsNeeded: '' }, 'Approvals Needed has a value that is not possible'],
		['another rule', { rule: 'anyone' }, 'Rule has a value that is not possible'],
		['the rule of choices', { rule: 'majority' }, 'Rule has a value that is not possible'],
		['another Ask', { ask: 'somebody' }, 'Ask has a value that is not possible'],
		['a code', { responseType: 'code', expectedCode: '58' }, 'is for one person only'],
		['no list', { peopleJson: '{"employeeNo":"E100"}' }, 'is not a list'],
	])('20. %s', async (_what, given, message) => {
		await expect(ask(given)).rejects.toMatchObject({
			message: expect.stringContaining(message),
		});
		expect(sandbox.messages()).toEqual([]);
	});

	it('21. links, which do not tell who answers', async () => {
		await expect(ask({ options: { answerBy: 'link' } })).rejects.toMatchObject({
			message: expect.stringContaining('is a link'),
		});
		expect(sandbox.messages()).toEqual([]);
	});
});

it('22. customers over SendOTP: everyone has to approve', async () => {
	const asked = await ask({
		resource: 'otp',
		peopleJson: '["70021", { "customerNo": "70022" }]',
		rule: 'everyone',
	});
	expect(asked.messages.map(({ customerNo }) => customerNo)).toEqual(['70021', '70022']);
	await say(
		asked,
		{ by: 0, userId: CUSTOMER.userId, customerNo: '70021' },
		{ by: 1, userId: STRANGER, customerNo: '70022' },
	);
	expect(decisions(asked)).toEqual(['approved']);
	await expect(
		ask({ resource: 'otp', peopleJson: '["70021", { "employeeNo": "E100" }]' }),
	).rejects.toMatchObject({
		message: expect.stringContaining('does not say who the person is'),
	});
});

it('23. people by fields', async () => {
	const asked = await ask({
		specifyPeople: 'fields',
		people: {
			person: [
				{ recipientType: 'employee', employeeNo: 'E100' },
				{ recipientType: 'customer', customerNo: '70021' },
				{ recipientType: 'user', userId: PEOPLE[1].userId },
			],
		},
		rule: 'everyone',
	});
	await say(
		asked,
		{ by: 0 },
		{ by: 1, userId: CUSTOMER.userId, customerNo: '70021' },
		{ by: 2, userId: PEOPLE[1].userId },
	);
	expect(decisions(asked)).toEqual(['approved']);
	await expect(
		ask({
			specifyPeople: 'fields',
			people: { person: [{ recipientType: 'employee', employeeNo: ' ' }] },
		}),
	).rejects.toMatchObject({
		message: expect.stringMatching(/^Person 1: Employee Number is empty/),
	});
});

describe('what people are told afterwards', () => {
	/** The texts that a person has got beside the question. */
	const toldTo = (userId: string) =>
		sandbox
			.messages()
			.filter((message) => message.userId === userId)
			.slice(1)
			.map(({ mokMessage, text }) => mokMessage ?? text);
	const options = { decidedReply: '{answer}: {count} of {asked}', wrongReply: 'Please tap.' };

	it('24. all who were asked read how it was decided', async () => {
		const asked = await ask({ options });
		await say(asked, { by: 0 }, { by: 2 });
		expect(decisions(asked)).toEqual(['approved']);
		for (const { userId } of PEOPLE)
			await waitFor('the reply', 5_000, () => toldTo(userId)[0] === 'Approve: 2 of 3' || undefined);
	});

	it('24b. also while the App Secret is being changed, for a question that was asked before', async () => {
		const asked = await ask({ options });
		credentials.previousAppSecret = SECRET;
		credentials.appSecret = randomBytes(16).toString('hex');
		await say(asked, { by: 0 }, { by: 2 });
		expect(decisions(asked)).toEqual(['approved']);
		for (const { userId } of PEOPLE)
			await waitFor('the reply', 5_000, () => toldTo(userId)[0] === 'Approve: 2 of 3' || undefined);
	});

	it('25. who writes instead of tapping is told so, three times at most, and can still tap', async () => {
		const asked = await ask({ options });
		const write = async () => {
			const body = envelope(
				entry(
					{ message: { mid: asked.messages[0]?.messageId, text: 'yes, do it' } },
					{ customerNo: null, userId: PEOPLE[0].userId, timestamp: Date.now() },
				),
			);
			expect((await postSigned(trigger.url, body, SECRET)).status).toBe(200);
		};
		for (let tries = 1; tries <= 4; tries++) await write();
		expect(items().map(({ notResumedReason }) => notResumedReason)).toEqual(
			Array.from({ length: 4 }, () => 'otherKind'),
		);
		await waitFor('the replies', 5_000, () => toldTo(PEOPLE[0].userId).length === 3 || undefined);
		expect(toldTo(PEOPLE[0].userId)).toEqual(['Please tap.', 'Please tap.', 'Please tap.']);
		expect(toldTo(PEOPLE[1].userId)).toEqual([]);
		await say(asked, { by: 0 }, { by: 1 });
		expect(decisions(asked)).toEqual(['approved']);
	});

	it('26. a stranger who types an answer is told nothing', async () => {
		const asked = await ask({ options });
		await say(asked, { by: 0, userId: STRANGER, payload: 'x' });
		await say(asked, { by: 0 }, { by: 1 });
		await waitFor('the reply', 5_000, () => toldTo(PEOPLE[0].userId).length === 1 || undefined);
		expect(sandbox.messages().filter(({ userId }) => userId === STRANGER)).toEqual([]);
	});

	it('27. who is late is told once; who decided is not told by a second tap', async () => {
		trigger = await serve({ lateAnswerReply: 'This question is closed.' });
		const asked = await ask({ rule: 'first' });
		await say(asked, { by: 0 });
		await say(asked, { by: 0, at: Date.now() + 5 });
		await say(asked, { by: 1 });
		await say(asked, { by: 1, payload: 'decline', at: Date.now() + 5 });
		await waitFor('the reply', 5_000, () => toldTo(PEOPLE[1].userId).length === 1 || undefined);
		expect(toldTo(PEOPLE[1].userId)).toEqual(['This question is closed.']);
		expect(toldTo(PEOPLE[0].userId)).toEqual([]);
		expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
	});

	it('28. nobody is told anything unless that is set', async () => {
		const asked = await ask();
		const sent = sandbox.messages().length;
		await say(asked, { by: 0, payload: 'x' });
		await say(asked, { by: 0 }, { by: 1 }, { by: 2 });
		expect(decisions(asked)).toEqual(['approved']);
		expect(sandbox.messages()).toHaveLength(sent);
	});

	it('29. a reply with a name in braces that nothing fills in is refused', async () => {
		await expect(ask({ options: { decidedReply: '{answer} {amount}' } })).rejects.toMatchObject({
			message: expect.stringContaining('Reply When Decided contains a name in braces'),
		});
		expect(sandbox.messages()).toEqual([]);
	});
});

/** What somebody wrote instead of tapping, as an entry of Diyalog's call. */
const wrote = (
	text: string,
	by: number,
	mid: string | undefined,
	userId: string | undefined = PEOPLE[by]?.userId,
) => entry({ message: { mid, text } }, { customerNo: null, userId, timestamp: Date.now() });

const referenceOf = ({ messageId }: StoredMessage) => fromMessageId(messageId, [SECRET]);

describe('what people are told, and what stands in the way', () => {
	const options = { decidedReply: 'Decided.', wrongReply: 'Please tap.' };
	const toldTo = (userId: string) =>
		sandbox
			.messages()
			.filter((message) => message.userId === userId)
			.slice(1);

	it('30. the App Secret is changed while the question is open: all are told all the same', async () => {
		const asked = await ask({ options });
		const newSecret = randomBytes(16).toString('hex');
		Object.assign(credentials, { appSecret: newSecret, previousAppSecret: SECRET });
		trigger = await serve();
		const said = [0, 1].map((by) =>
			entry(
				{ message: { mid: 'other', text: `[${asked.messages[by]?.messageId}]:approve` } },
				{ customerNo: null, userId: PEOPLE[by]?.userId, timestamp: Date.now() },
			),
		);
		await postSigned(trigger.url, envelope(...said), newSecret);
		expect(decisions(asked)).toEqual(['approved']);
		for (const { userId } of PEOPLE)
			await waitFor('the reply', 5_000, () => toldTo(userId).length === 1 || undefined);
	});

	it('31. two write in the same call: the reply to each leads back to the own message', async () => {
		const asked = await ask({ options });
		const write = async (...mids: Array<string | undefined>) =>
			await postSigned(
				trigger.url,
				envelope(...mids.map((mid, by) => wrote('yes', by, mid))),
				SECRET,
			);
		await write(...asked.messages.slice(0, 2).map(({ messageId }) => messageId));
		const replies = await waitFor('the replies', 5_000, () => {
			const told = PEOPLE.slice(0, 2).flatMap(({ userId }) => toldTo(userId));
			return told.length === 2 ? told : undefined;
		});
		expect(replies.map((reply) => referenceOf(reply)?.number)).toEqual([0, 1]);
		await write(...replies.map(({ messageId }) => messageId));
		expect(items().map(({ notResumedReason }) => notResumedReason)).toEqual(
			Array.from({ length: 4 }, () => 'otherKind'),
		);
	});

	it('32. what people were told about an earlier question of the execution is told about no other', async () => {
		const asked = await ask({ options });
		const [first] = asked.messages;
		const turn = (first && referenceOf(first)?.turn) ?? '';
		const replies = [{ kind: 'wrong', userId: PEOPLE[0].userId, text: 'Told again.' }];
		for (const [of, count] of [
			['earlier', 0],
			[turn, 1],
		] as const) {
			const between = await serveAnswer({
				status: 200,
				text: JSON.stringify({
					receptions: [{ accepted: false, reason: 'otherKind' }],
					replies: seal('replies', [asked.execution.id, of], replies, SECRET),
				}),
			});
			trigger = await serve({ n8nAddress: between.url });
			await postSigned(trigger.url, envelope(wrote(`yes ${of}`, 0, first?.messageId)), SECRET);
			await between.close();
			if (count > 0)
				await waitFor('the reply', 5_000, () => toldTo(PEOPLE[0].userId).length > 0 || undefined);
			expect(toldTo(PEOPLE[0].userId)).toHaveLength(count);
		}
	});

	it('33. strangers who answer are told nothing while it is open, and that it is over once each', async () => {
		trigger = await serve({ lateAnswerReply: 'This question is closed.' });
		const asked = await ask({ options, rule: 'first' });
		const strangers = Array.from({ length: 20 }, (_, index) => String(5_000_000_000 + index));
		const type = async (text: string) =>
			await postSigned(
				trigger.url,
				envelope(
					...strangers.map((userId) =>
						wrote(`[${asked.messages[0]?.messageId}]:${text}`, 0, 'other', userId),
					),
				),
				SECRET,
			);
		const sent = sandbox.messages().length;
		for (const text of ['approve', 'decline', 'x']) await type(text);
		expect(sandbox.messages()).toHaveLength(sent);
		expect(decisions(asked)).toEqual([]);
		await say(asked, { by: 0 });
		for (const text of ['1', '2', '3', '4']) await type(text);
		const all = sent + PEOPLE.length;
		await waitFor('the replies', 5_000, () => sandbox.messages().length >= all || undefined);
		expect(sandbox.messages().filter(({ userId }) => userId === strangers[0]).length).toBeLessThan(
			2,
		);
	});
});

it.each<[string, string, string]>([
	['quotes', '"', PEOPLE[1].userId],
	['a stranger', '"', STRANGER],
	['Turkish letters', 'ğ', PEOPLE[1].userId],
])('34. somebody writes a text of 600 kB beside a decline: %s', async (_what, letter, userId) => {
	const asked = await ask({ rule: 'everyone' });
	const long = letter.repeat(300_000);
	const decline = entry(
		{ message: { mid: 'other', text: `[${asked.messages[0]?.messageId}]:decline` } },
		{ customerNo: null, userId: PEOPLE[0].userId, timestamp: Date.now() },
	);
	await postSigned(
		trigger.url,
		envelope(decline, wrote(`[${asked.messages[1]?.messageId}]:${long}`, 1, 'other', userId)),
		SECRET,
	);
	expect(decisions(asked)).toEqual(['declined']);
});

it('35. a number beyond the list, and one that nobody has', async () => {
	const asked = await ask();
	const [first] = asked.messages;
	const reference = first && referenceOf(first);
	for (const number of [3, 49, 255]) {
		const messageId = reference && toMessageId({ ...reference, number }, '', SECRET);
		const press = wrote(`[${messageId}]:approve`, 0, 'other');
		await postSigned(trigger.url, envelope(press), SECRET);
		expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	}
	await say(asked, { by: 0 });
	expect(decisions(asked)).toEqual([]);
});

it('36. receipts and texts are no approval', async () => {
	const asked = await ask({ rule: 'first' });
	for (const [by, { messageId }] of asked.messages.entries()) {
		const to = { customerNo: null, userId: PEOPLE[by]?.userId, timestamp: Date.now() };
		await postSigned(
			trigger.url,
			envelope(
				entry({ delivery: { mids: [messageId] } }, to),
				entry({ reads: { mids: [messageId] } }, to),
				wrote('approve', by, messageId),
			),
			SECRET,
		);
	}
	expect(items().map(({ notResumedReason }) => notResumedReason)).toEqual(
		Array.from({ length: 3 }, () => 'otherKind'),
	);
	expect(decisions(asked)).toEqual([]);
});

it('37. who knows the resume address says that the time is up, with approvals beside it', async () => {
	const asked = await ask();
	const [first] = asked.messages;
	const reference = first && referenceOf(first);
	if (!reference) throw new Error('There is no reference');
	const url = resumeUrlOf(reference, `${instance.url}/webhook-waiting`);
	const text = JSON.stringify({ ...reference, kind: 'press', text: 'approve' });
	for (const body of [
		{ timeIsUp: true },
		{ timeIsUp: true, answers: [{ answer: text, proof: '' }] },
		{ timeIsUp: null, diyalogAgain: { turn: reference.turn, counted: [] } },
	]) {
		const call = {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		};
		const refused = { accepted: false, reason: expect.any(String) };
		const inBody = await fetch(url, call);
		expect(inBody.status).toBe(401);
		expect(await inBody.json()).toEqual({ receptions: body.answers?.map(() => refused) ?? [] });
		const inAddress = await fetch(`${url}&timeIsUp=1`, call);
		expect(await inAddress.json()).toEqual({ receptions: [{ ...refused, reason: 'notOver' }] });
	}
	await say(asked, { by: 0 }, { by: 1 });
	expect(decisions(asked)).toEqual(['approved']);
});

describe('of some nobody knows whether they got the message', () => {
	/** What Diyalog says of a recipient: its id, or that a gateway failed. */
	type Reach = Readonly<Record<string, string | undefined>>;

	const sent: Array<{ to: string; messageId: string }> = [];
	let server: http.Server;
	let reach: Reach;

	beforeEach(async () => {
		sent.splice(0);
		server = http.createServer((request, response) => {
			let body = '';
			request.on('data', (part: Buffer) => (body += part.toString('latin1')));
			request.on('end', () => {
				const read = Buffer.from(body, 'latin1').toString('utf8');
				const { customerNo, messageId, recipient, message } = JSON.parse(read) as {
					customerNo?: string;
					messageId?: string;
					recipient?: Record<string, string>;
					message?: { messageId?: string; attachment?: { payload: { messageId: string } } };
				};
				const to = customerNo ?? Object.values(recipient ?? {})[0] ?? '';
				const id = messageId ?? message?.messageId ?? message?.attachment?.payload.messageId;
				sent.push({ to, messageId: id ?? '' });
				const userId = reach[to];
				if (userId === undefined) response.writeHead(502).end('Bad gateway');
				else response.end(JSON.stringify({ recipient_id: userId, message_id: '1' }));
			});
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		credentials.serverUrl = `http://127.0.0.1:${port}`;
	});

	afterEach(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});

	const press = async (
		to: string,
		customerNo: string | null,
		userId: string,
		payload = 'approve',
	) => {
		const messageId = sent.find((message) => message.to === to)?.messageId;
		const text = `[${messageId}]:${payload}`;
		const parts = { customerNo, userId, timestamp: Date.now() };
		const said = envelope(entry({ message: { mid: 'other', text } }, parts));
		expect((await postSigned(trigger.url, said, SECRET)).status).toBe(200);
	};

	it.each(['0070021', '\uff17\uff10\uff10\uff12\uff11', '70021\u200b', '7002\u0661'])(
		'38. the number of the same customer in another writing: %j',
		async (other) => {
			reach = { 70021: '1', [other]: '1', 70022: '2' };
			await expect(
				ask({ resource: 'otp', peopleJson: ['70021', other], rule: 'everyone' }),
			).rejects.toMatchObject({ message: expect.stringContaining('Only 1 of 2 people') });
			sent.splice(0);
			const asked = await ask({ resource: 'otp', peopleJson: ['70021', other, '70022'] });
			await press('70021', '70021', '1');
			await waitsAgain(asked);
			await press(other, '70021', '1');
			await press(other, other, '1');
			expect(decisions(asked)).toEqual([]);
			await press('70022', '70022', '2');
			expect(decisions(asked)).toEqual(['approved']);
		},
	);

	it('39. one customer by two numbers, both of which may have got it: the events name one number', async () => {
		reach = {};
		const asked = await ask({ resource: 'otp', peopleJson: ['70021', '0070021'] });
		await press('70021', '70021', '1');
		await waitsAgain(asked);
		await press('0070021', '70021', '1');
		expect(lastItem()).toMatchObject({ notResumedReason: 'otherPerson' });
		await press('0070021', '0070021', '1');
		expect(lastItem()).toMatchObject({ notResumedReason: 'alreadyAnswered' });
		expect(decisions(asked)).toEqual([]);
	});

	it('40. one customer by number, uncertain, and by the id in Diyalog: counts once, from either side', async () => {
		reach = { 1: '1' };
		const people = [{ customerNo: '70021' }, { userId: '1' }];
		for (const [first, second] of [
			['70021', '1'],
			['1', '70021'],
		] as const) {
			sent.splice(0);
			const asked = await ask({ peopleJson: people, rule: 'everyone' });
			await press(first, '70021', '1');
			await waitsAgain(asked);
			await press(second, '70021', '1');
			expect(lastItem()).toMatchObject({ notResumedReason: 'alreadyAnswered' });
			expect(decisions(asked)).toEqual([]);
		}
	});

	it('41. a message that may have arrived is answered by another, or by nobody with a number', async () => {
		reach = { 70022: '2' };
		const asked = await ask({ resource: 'otp', peopleJson: ['70021', '70022'], rule: 'everyone' });
		for (const [customerNo, userId] of [
			['70022', '2'],
			[null, '1'],
			['70023', '1'],
			['70021 ', '1'],
		] as const) {
			await press('70021', customerNo, userId);
			expect(lastItem()).toMatchObject({ notResumedReason: 'otherPerson' });
		}
		await press('70022', '70022', '2');
		await waitsAgain(asked);
		expect(decisions(asked)).toEqual([]);
		await press('70021', '70021', '1', 'decline');
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('42. an employee whose message may have arrived cannot answer, so that everyone cannot', async () => {
		reach = { 70022: '2' };
		await expect(
			ask({ peopleJson: [{ employeeNo: 'E1' }, { customerNo: '70022' }], rule: 'everyone' }),
		).rejects.toMatchObject({ message: expect.stringContaining('Only 1 of 2 people') });
		sent.splice(0);
		const asked = await ask({
			peopleJson: [{ employeeNo: 'E1' }, { customerNo: '70022' }, { employeeNo: 'E2' }],
			rule: 'first',
		});
		await press('E1', null, '9');
		await press('E1', 'E1', '9');
		expect(lastItem()).toMatchObject({ notResumedReason: 'otherPerson' });
		expect(decisions(asked)).toEqual([]);
	});

	it('43. Diyalog says that one id got the message of another: nobody can answer it', async () => {
		reach = { 1: '1', 2: '3' };
		const asked = await ask({ peopleJson: [{ userId: '1' }, { userId: '2' }], rule: 'everyone' });
		await press('1', null, '1');
		await waitsAgain(asked);
		await press('2', null, '2');
		await press('2', null, '3');
		expect(decisions(asked)).toEqual([]);
	});
});

it('44. what one of several writes is stored with each further answer: a text without end does not count', async () => {
	const asked = await ask({ responseType: 'freeText', rule: 'everyone', peopleJson: employees(2) });
	const [first, second] = asked.messages.map(({ messageId }) => messageId);
	const write = async (...written: object[]) =>
		expect((await postSigned(trigger.url, envelope(...written), SECRET)).status).toBe(200);
	await write(wrote('x'.repeat(900_000), 0, first));
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'tooLong' });
	await write(wrote('x'.repeat(10_001), 0, first));
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'tooLong' });
	expect(asked.execution.onTimeout[0]?.json).toMatchObject({ answers: [] });
	await write(wrote('x'.repeat(10_000), 0, first), wrote('y', 1, second));
	expect(decisions(asked)).toEqual(['answered']);
	expect(outcome(asked)?.answers).toMatchObject([{ value: 'x'.repeat(10_000) }, { value: 'y' }]);
});
