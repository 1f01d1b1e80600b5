import { randomBytes, randomUUID } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { http, sleepMs, waitFor } from '../../../../tools/system';
import type { AddressInfo } from '../../../../tools/system';
import { endsWithin } from '../../../support/endsWithin';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import type { EntryParts } from '../../../support/webhookBodies';
import { entry, envelope } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { ALL_BUT_THE_DATE } from '../../../support/testClock';

/*
 * Attacks on answers that are kept because they could not be passed on, numbered: one is carried out once, in time, and by nobody
 * but the waiting node; what is not carried out is not claimed to be.
 */

const SECRET = randomBytes(16).toString('hex');
const OTHER_SECRET = randomBytes(16).toString('hex');
const HOUR_MS = 60 * 60_000;

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:1';

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;
let workflowId: string;
let trigger: TriggerUnderTest;
let server: WebhookServer | undefined;
let closeAfterwards: (() => Promise<void>) | undefined;

/** The trigger as it is from now on: another process has another memory, and what n8n has stored. */
async function become(
	options: INodeParameters,
	id = workflowId,
	staticData: IDataObject = trigger?.staticData ?? {},
	Trigger = TriggerUnderTest,
	authentication = 'signature',
): Promise<void> {
	await server?.close();
	const stored = JSON.parse(JSON.stringify(staticData)) as IDataObject;
	const parameters = { events: ['buttonPressed'], authentication, options };
	const n8n = { url: instance.url };
	trigger = new Trigger({ credentials, parameters }, id, stored, n8n);
	server = await serve(trigger);
}

/** The code of the trigger as another process loads it, which knows nothing of this one. */
function loadAnew(): typeof TriggerUnderTest {
	let loaded: typeof NodeRuntime | undefined;
	jest.isolateModules(() => {
		loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
	});
	if (!loaded || loaded.TriggerUnderTest === TriggerUnderTest) throw new Error('It is the same');
	return loaded.TriggerUnderTest;
}

/** What stands between n8n and itself: it gives so many wrong answers, each after so many milliseconds, and then hands calls on. */
async function startBetween(...wrongAfterMs: number[]) {
	let answered = 0;
	const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const afterMs = wrongAfterMs.shift();
		if (afterMs !== undefined) {
			await sleepMs(afterMs);
			response.writeHead(404).end('Nobody is here');
		} else {
			const headers = { 'content-type': 'application/json' };
			const body = Buffer.concat(chunks).toString();
			const handed = await fetch(`${instance.url}${request.url}`, {
				method: 'POST',
				headers,
				body,
			});
			response.writeHead(handed.status).end(await handed.text());
		}
		answered++;
	};
	const listener = http.createServer((request, response) => void answer(request, response));
	await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
	closeAfterwards = async () => {
		listener.closeAllConnections();
		await new Promise((resolve) => listener.close(resolve));
	};
	const { port } = listener.address() as AddressInfo;
	return { url: `http://127.0.0.1:${port}`, answered: () => answered };
}

const works = async () => await become({});
const restarts = async (staticData?: IDataObject) => {
	workflowId = randomUUID();
	await become({}, workflowId, staticData);
};

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	workflowId = randomUUID();
	await become({ n8nAddress: NOWHERE }, workflowId, {});
});

afterEach(async () => {
	jest.useRealTimers();
	expect(instance.escaped).toEqual([]);
	expect(server?.escaped).toEqual([]);
	await server?.close();
	server = undefined;
	await closeAfterwards?.();
	closeAfterwards = undefined;
	await sandbox.close();
	await instance.close();
});

interface Asked {
	execution: WaitingExecution;
	message: StoredMessage;
}

async function ask(given: INodeParameters = {}, appSecret = SECRET): Promise<Asked> {
	const execution = await instance.ask({ ...credentials, appSecret }, given);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	return { execution, message };
}

/** The status that a call of Diyalog with these events is answered with. */
const statusOf = async (...events: object[]): Promise<number> =>
	(await postSigned(server?.url ?? '', envelope(...events), SECRET)).status;

/** One call of Diyalog with these events. */
async function post(...events: object[]): Promise<void> {
	expect(await statusOf(...events)).toBe(200);
}

const said = (text: string, at = Date.now(), more: EntryParts = {}, mid = 'other') =>
	entry({ message: { mid, text } }, { time: Date.now(), timestamp: at, ...more });

const pressed = ({ message }: Asked, payload: string, at?: number, more?: EntryParts) =>
	said(`[${message.messageId}]:${payload}`, at, more);

const say = async (text: string, at?: number, mid?: string) => await post(said(text, at, {}, mid));

const tap = async ({ message }: Asked, payload = 'approve', at = Date.now()) =>
	await say(`[${message.messageId}]:${payload}`, at);

/** Any call of Diyalog. */
const nextCall = async () => await say(`[any-${randomUUID()}]:x`);

const items = () => (server?.executions ?? []).flat();

interface StoredAnswer {
	messageId: string;
	answer: string;
	proof: string;
	keptAtMs: number;
}

const stored = (): StoredAnswer[] =>
	JSON.parse(String(trigger.staticData.keptAnswers || '[]')) as StoredAnswer[];

const decisions = ({ execution }: Asked) => execution.continuations.map(([item]) => item?.decision);

const logged = async (text: string) =>
	await waitFor(text, 10_000, () => trigger.log.find((line) => line.includes(text)));

const KEPT = { resumed: null, notResumedReason: 'kept' };

it('1. n8n cannot be reached: the answer is kept, and carried out once with the next call', async () => {
	const asked = await ask();
	await tap(asked);
	expect(items()).toEqual([expect.objectContaining({ payload: 'approve', ...KEPT })]);
	expect(stored()).toHaveLength(1);
	expect(trigger.log.join()).toContain('is kept, and passed on again');
	await works();
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
	const calls = instance.calls.length;
	for (let call = 0; call < 3; call++) await nextCall();
	expect(stored()).toEqual([]);
	expect(instance.calls).toHaveLength(calls);
	expect(asked.execution.continuations).toHaveLength(1);
});

it('2. after a restart: it is carried out once, also if an old copy of the database comes back', async () => {
	const asked = await ask();
	await tap(asked);
	const copy = { ...trigger.staticData };
	await restarts();
	await nextCall();
	await logged('has continued it');
	await become({}, workflowId, copy);
	await nextCall();
	await nextCall();
	expect(stored()).toEqual([]);
	const calls = instance.calls.length;
	await become({}, workflowId, copy, loadAnew());
	await nextCall();
	await logged('is settled: notWaiting');
	expect(instance.calls).toHaveLength(calls + 1);
	expect(decisions(asked)).toEqual(['approved']);
	expect(asked.execution.continuations).toHaveLength(1);
});

it('3. still unreachable: it stays, and is stored once', async () => {
	const asked = await ask();
	await tap(asked);
	for (let call = 0; call < 5; call++) await nextCall();
	expect(stored()).toHaveLength(1);
	await restarts();
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
});

it('4. another process has taken a tap meanwhile: the kept answer is refused', async () => {
	const asked = await ask();
	await tap(asked);
	const copy = { ...trigger.staticData };
	expect(items()).toEqual([expect.objectContaining(KEPT)]);
	await become({}, workflowId, {}, loadAnew());
	await tap(asked, 'decline');
	expect(decisions(asked)).toEqual(['declined']);
	await become({}, workflowId, copy);
	await nextCall();
	await logged('is settled: notWaiting');
	expect(instance.calls).toHaveLength(2);
	expect(decisions(asked)).toEqual(['declined']);
	await nextCall();
	expect(stored()).toEqual([]);
});

it('5. Decline is kept, Approve comes with the next call: what happened first counts', async () => {
	const asked = await ask();
	await tap(asked, 'decline');
	await works();
	await tap(asked, 'approve');
	expect(decisions(asked)).toEqual(['declined']);
	expect(items()).toEqual([
		expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
	]);
});

it.each([
	['in the order of happening', ['decline', 'approve'], [KEPT, { resumed: false }]],
	['the other way round', ['approve', 'decline'], [KEPT, KEPT]],
])(
	'6. Decline and then Approve, both lost, %s: Decline is the one that is kept',
	async (_order, payloads, expected) => {
		const asked = await ask();
		const now = Date.now();
		for (const payload of payloads)
			await tap(asked, payload, payload === 'decline' ? now - 2_000 : now - 1_000);
		expect(items()).toEqual(expected.map((each) => expect.objectContaining(each) as unknown));
		expect(stored()).toHaveLength(1);
		await works();
		await nextCall();
		await logged('has continued it');
		expect(decisions(asked)).toEqual(['declined']);
	},
);

it('7. passed on again more than 10 seconds after the deadline: it is not carried out', async () => {
	const asked = await ask({
		options: {
			...endsWithin(1, 'minutes'),
		},
	});
	const givenAt = Date.now();
	await tap(asked, 'approve', givenAt);
	await works();
	jest.useFakeTimers({
		doNotFake: [...ALL_BUT_THE_DATE],
		now: givenAt + 75_000,
	});
	await nextCall();
	await logged('is settled: expired');
	expect(decisions(asked)).toEqual([]);
	expect(instance.calls).toHaveLength(1);
});

it('8. a day old: it is given up with a line in the log, and not passed on', async () => {
	const asked = await ask();
	await tap(asked);
	const old = stored().map((each) => ({ ...each, keptAtMs: Date.now() - 25 * HOUR_MS }));
	await restarts({ keptAnswers: JSON.stringify(old) });
	await nextCall();
	await logged('is lost: it is a day old');
	expect(stored()).toEqual([]);
	expect(instance.calls).toEqual([]);
});

it('9. a forged messageId, and one under another App Secret: never kept', async () => {
	const { message } = await ask({}, OTHER_SECRET);
	const genuine = (await ask()).message.messageId;
	const forged = `${genuine.slice(0, -1)}${genuine.endsWith('A') ? 'Q' : 'A'}`;
	for (const id of [message.messageId, forged]) await say(`[${id}]:approve`);
	for (const item of items()) expect(item).not.toMatchObject({ notResumedReason: 'kept' });
	expect(stored()).toEqual([]);
});

it('10. a call of a stranger passes nothing on', async () => {
	const asked = await ask();
	await tap(asked);
	await works();
	const body = envelope(entry({ message: { mid: 'other', text: 'hello' } }));
	expect((await postSigned(server?.url ?? '', body, OTHER_SECRET)).status).toBe(401);
	expect(instance.calls).toEqual([]);
	expect(stored()).toHaveLength(1);
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
});

describe('static data written by a stranger', () => {
	const kept = async (): Promise<{ asked: Asked; real: StoredAnswer }> => {
		const asked = await ask();
		await tap(asked, 'decline');
		const [real] = stored();
		if (!real) throw new Error('Nothing is kept');
		return { asked, real };
	};

	it('11. Decline made an Approve under the same proof: nothing is carried out', async () => {
		const { asked, real } = await kept();
		const forged = { ...real, answer: real.answer.replace('decline', 'approve') };
		expect(forged.answer).not.toBe(real.answer);
		await restarts({ keptAnswers: JSON.stringify([forged]) });
		await nextCall();
		await nextCall();
		expect(decisions(asked)).toEqual([]);
		expect(stored()).toEqual([]);
		// The waiting node would have refused it as well.
		await restarts({ keptAnswers: JSON.stringify([real]) });
		await nextCall();
		await logged('has continued it');
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('12. the genuine answer to one question under the messageId of another: nothing is carried out', async () => {
		const { real } = await kept();
		const other = await ask();
		const moved = { ...real, messageId: other.message.messageId };
		await restarts({ keptAnswers: JSON.stringify([moved]) });
		await nextCall();
		await nextCall();
		expect(decisions(other)).toEqual([]);
		expect(instance.calls).toEqual([]);
		await tap(other);
		expect(decisions(other)).toEqual(['approved']);
	});

	it.each([
		[7],
		['{'],
		['[{}]'],
		[{ a: 1 }],
		['[null]'],
		[`[${'1,'.repeat(200_000)}1]`],
		[`[${'1,'.repeat(40_000)}1]`],
	])('13. rubbish (%#) costs no call', async (keptAnswers) => {
		await restarts({ keptAnswers });
		const asked = await ask();
		await tap(asked);
		expect(decisions(asked)).toEqual(['approved']);
		expect(stored()).toEqual([]);
	});
});

it('14. no more than 100 are kept: the oldest goes, with a line in the log', async () => {
	const all: Asked[] = [];
	for (let index = 0; index < 101; index++) all.push(await ask());
	for (const asked of all) await tap(asked);
	expect(stored()).toHaveLength(100);
	const [first] = all;
	expect(stored().map(({ messageId }) => messageId)).not.toContain(first?.message.messageId);
	expect(trigger.log.join()).toContain(
		`kept for execution ${first?.execution.id} is lost: too many others were kept since.`,
	);
	await works();
	// One call is enough for all of them.
	await nextCall();
	await waitFor('all', 60_000, () => {
		return all.slice(1).every((asked) => asked.execution.continuations.length === 1) || undefined;
	});
	expect(decisions(all[0] as Asked)).toEqual([]);
}, 120_000);

it('15. a text that is too large is reported as lost, many large ones stay within the limit', async () => {
	await ask({ responseType: 'freeText' });
	const mids: string[] = [];
	for (let index = 0; index < 14; index++) {
		const { message } = await ask({ responseType: 'freeText' });
		mids.push(message.messageId);
	}
	await say('x'.repeat(20_000), Date.now(), mids[0]);
	expect(items().at(-1)).toMatchObject({ resumed: false, notResumedReason: 'unreachable' });
	for (const mid of mids) await say('y'.repeat(9_000), Date.now(), mid);
	expect(items().at(-1)).toMatchObject(KEPT);
	expect(String(trigger.staticData.keptAnswers).length).toBeLessThanOrEqual(100_101);
	expect(stored().length).toBeGreaterThan(5);
});

it('16. the App Secret was changed altogether: the answer is given up with a line in the log', async () => {
	const asked = await ask();
	await tap(asked);
	await works();
	trigger.changeCredential({ ...credentials, appSecret: OTHER_SECRET });
	await waitFor('the log', 10_000, async () => {
		const body = envelope(entry({ message: { mid: 'other', text: 'hello' } }));
		await postSigned(server?.url ?? '', body, OTHER_SECRET);
		return trigger.log.find((line) => line.includes('another App Secret now'));
	});
	expect(decisions(asked)).toEqual([]);
});

it('17. ten calls at once while n8n is slow: it is passed on once', async () => {
	const asked = await ask();
	await tap(asked);
	await works();
	instance.storesAfterMs = 300;
	await Promise.all(Array.from({ length: 10 }, nextCall));
	await logged('has continued it');
	expect(instance.calls).toHaveLength(1);
	expect(decisions(asked)).toEqual(['approved']);
});

it('18. n8n fails for a minute: the answer is kept, and carried out once with the next call', async () => {
	await works();
	const asked = await ask();
	instance.storing.push(...Array.from({ length: 200 }, () => 'fails' as const));
	const tapped = pressed(asked, 'approve');
	// Nobody has stored the answer yet: if n8n were ended now, a repetition would be all that is left of it.
	expect([await statusOf(tapped), await statusOf(tapped)]).toEqual([200, 503]);
	await waitFor('the item', 80_000, () => items()[0]);
	expect(items()).toEqual([expect.objectContaining(KEPT)]);
	expect(await statusOf(tapped)).toBe(200);
	instance.storing.length = 0;
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
	expect(asked.execution.continuations).toHaveLength(1);
}, 100_000);

describe('a later answer of the same person overtakes no kept one', () => {
	it('19. which rests, because n8n was asked in vain just now', async () => {
		const asked = await ask();
		const between = await startBetween(700, 700);
		await become({ n8nAddress: between.url });
		await tap(asked, 'decline');
		expect(items()).toEqual([expect.objectContaining(KEPT)]);
		await nextCall();
		await waitFor('the second try', 10_000, () => (between.answered() === 2 ? true : undefined));
		await sleepMs(50);
		await tap(asked, 'approve');
		await waitFor('the end', 10_000, () => decisions(asked)[0]);
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('20. before which ten others are kept, which are passed on first', async () => {
		const all: Asked[] = [];
		for (let index = 0; index < 11; index++) all.push(await ask());
		for (const asked of all) await tap(asked, 'decline');
		const last = all.at(-1) as Asked;
		await works();
		await tap(last, 'approve');
		await waitFor('the end', 10_000, () => decisions(last)[0]);
		expect(decisions(last)).toEqual(['declined']);
	});

	it('21. not even in the same call, when n8n can be reached again between the two', async () => {
		const asked = await ask();
		const between = await startBetween(0);
		await become({ n8nAddress: between.url });
		const now = Date.now();
		await post(pressed(asked, 'decline', now - 2_000), pressed(asked, 'approve', now - 1_000));
		expect(items()).toEqual([
			expect.objectContaining({ payload: 'decline', ...KEPT }),
			expect.objectContaining({
				payload: 'approve',
				resumed: false,
				notResumedReason: 'withdrawn',
			}),
		]);
		expect(decisions(asked)).toEqual([]);
		await nextCall();
		await logged('has continued it');
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('22. to a question to several people: what that person said first counts, and nobody else waits for it', async () => {
		const asked = await ask({
			resource: 'message',
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: [{ employeeNo: 'E100' }, { employeeNo: 'E101' }],
			rule: 'everyone',
		});
		const [first, second] = sandbox.messages().slice(-2);
		const by = (message: StoredMessage | undefined, payload: string, userId: string) =>
			said(`[${message?.messageId}]:${payload}`, Date.now(), { customerNo: null, userId });
		await post(by(first, 'decline', '3021457781'));
		expect(stored()).toHaveLength(1);
		await works();
		await post(by(first, 'approve', '3021457781'), by(second, 'approve', '3187702265'));
		await waitFor('the end', 10_000, () => decisions(asked)[0]);
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('23. in another process, which reads of it in the static data', async () => {
		const asked = await ask();
		await tap(asked, 'decline');
		await become({}, workflowId, trigger.staticData, loadAnew());
		await tap(asked, 'approve');
		await waitFor('the end', 10_000, () => decisions(asked)[0]);
		expect(decisions(asked)).toEqual(['declined']);
	});

	it('36. not even one that is too large to be kept: it is lost, and so is what stood behind it', async () => {
		const asked = await ask({ responseType: 'freeText' });
		const between = await startBetween(0);
		await become({ n8nAddress: between.url, events: ['textReceived'] });
		const now = Date.now();
		const { messageId } = asked.message;
		await post(
			said(`No. ${'x'.repeat(12_000)}`, now - 2_000, {}, messageId),
			said('Yes', now - 1_000, {}, messageId),
		);
		expect(items()).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'unexpectedAnswer' }),
			expect.objectContaining({ text: 'Yes', resumed: false, notResumedReason: 'withdrawn' }),
		]);
		expect(stored()).toEqual([]);
	});
});

it('24. a trigger that authenticates nothing keeps nothing, passes nothing on, and forgets nothing', async () => {
	const asked = await ask();
	await tap(asked);
	const copy = { ...trigger.staticData };
	workflowId = randomUUID();
	await become({}, workflowId, copy, TriggerUnderTest, 'none');
	const other = await ask();
	await tap(other);
	expect(items()).toEqual([expect.objectContaining({ notResumedReason: 'notAuthenticated' })]);
	expect(stored()).toHaveLength(1);
	expect(instance.calls).toEqual([]);
	await restarts();
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
	expect(decisions(other)).toEqual([]);
});

it('25. the database fails when n8n saves the static data: they are written again with the next call', async () => {
	const asked = await ask();
	await tap(asked);
	expect(stored()).toHaveLength(1);
	await become({ n8nAddress: NOWHERE }, workflowId, {});
	await nextCall();
	expect(stored()).toHaveLength(1);
	await restarts();
	await nextCall();
	await logged('has continued it');
	const settled = { ...trigger.staticData };
	await nextCall();
	expect(stored()).toEqual([]);
	// What was not forgotten in the database is not passed on again by the same process.
	const calls = instance.calls.length;
	await become({}, workflowId, settled);
	await nextCall();
	expect(stored()).toEqual([]);
	expect(instance.calls).toHaveLength(calls);
	expect(decisions(asked)).toEqual(['approved']);
});

describe('nobody pushes out the answers of others', () => {
	const OTHER = { customerNo: '70022' };

	const keptOfOther = async () => {
		const asked = await ask(OTHER);
		await post(pressed(asked, 'approve', undefined, OTHER));
		expect(items()).toEqual([expect.objectContaining(KEPT)]);
		return asked;
	};

	const isCarriedOut = async (asked: Asked) => {
		expect(stored().map(({ messageId }) => messageId)).toContain(asked.message.messageId);
		await works();
		await nextCall();
		await waitFor('the end', 30_000, () => decisions(asked)[0]);
		expect(decisions(asked)).toEqual(['approved']);
	};

	it('26. one person taps the buttons of 110 messages', async () => {
		const old: Asked[] = [];
		for (let index = 0; index < 110; index++) old.push(await ask());
		const asked = await keptOfOther();
		for (const each of old) await tap(each);
		expect(stored()).toHaveLength(100);
		await isCarriedOut(asked);
	}, 120_000);

	it('27. one person writes long texts to many questions', async () => {
		const old: Asked[] = [];
		for (let index = 0; index < 15; index++) old.push(await ask({ responseType: 'freeText' }));
		const asked = await keptOfOther();
		for (const { message } of old) await say('y'.repeat(9_000), undefined, message.messageId);
		await isCarriedOut(asked);
	});

	it('28. a crowd types the messageId of one question', async () => {
		const leaked = await ask();
		const asked = await keptOfOther();
		for (let index = 0; index < 110; index++) {
			const stranger = { customerNo: null, userId: String(5_000_000_000 + index) };
			await post(pressed(leaked, 'approve', undefined, stranger));
		}
		expect(stored()).toHaveLength(100);
		await isCarriedOut(asked);
		await waitFor('that all are settled', 30_000, async () => {
			await nextCall();
			return stored().length === 0 || undefined;
		});
		expect(decisions(leaked)).toEqual([]);
	}, 120_000);
});

it('29. the App Secret is changed by the book: what is kept under the previous one is carried out', async () => {
	const held = { ...credentials };
	const execution = await instance.ask(held, {});
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	const asked = { execution, message };
	await tap(asked);
	Object.assign(held, { appSecret: OTHER_SECRET, previousAppSecret: SECRET });
	credentials = { ...held };
	await restarts();
	await nextCall();
	await logged('has continued it');
	expect(decisions(asked)).toEqual(['approved']);
});

it('30. a call that n8n takes long to end does not overwrite what was kept meanwhile', async () => {
	const asked = await ask();
	const early = trigger;
	const earlyServer = server as WebhookServer;
	earlyServer.storesAfterMs = 1_500;
	const long = postSigned(earlyServer.url, envelope(said('[any]:x')), SECRET);
	await sleepMs(500);
	server = undefined;
	await become({ n8nAddress: NOWHERE }, workflowId, {});
	await tap(asked);
	const kept = stored();
	expect(kept).toHaveLength(1);
	expect((await long).status).toBe(200);
	// n8n saves all of the static data as this call has them.
	expect(JSON.parse(String(early.staticData.keptAnswers))).toEqual(kept);
	await earlyServer.close();
});

it('31. two processes pass it on at the same moment: it is carried out once, and forgotten by both', async () => {
	const asked = await ask();
	await tap(asked);
	await works();
	const one = { trigger, server: server as WebhookServer };
	server = undefined;
	await become({}, workflowId, trigger.staticData, loadAnew());
	instance.storesAfterMs = 300;
	const call = envelope(said('[any]:x'));
	await Promise.all([postSigned(one.server.url, call, SECRET), nextCall()]);
	for (const { log } of [one.trigger, trigger])
		await waitFor('both', 20_000, () =>
			log.find((line) => line.includes('was kept for execution')),
		);
	expect(decisions(asked)).toEqual(['approved']);
	expect(asked.execution.continuations).toHaveLength(1);
	await nextCall();
	expect(stored()).toEqual([]);
	await one.server.close();
});

it('32. what was given up is not taken up again from what another process has stored', async () => {
	const asked = await ask();
	await tap(asked);
	const old = stored().map((each) => ({ ...each, keptAtMs: Date.now() - 25 * HOUR_MS }));
	const text = JSON.stringify(old);
	workflowId = randomUUID();
	const lines: string[] = [];
	for (let call = 0; call < 3; call++) {
		await become({}, workflowId, { keptAnswers: text });
		await nextCall();
		lines.push(...trigger.log);
	}
	expect(lines.filter((line) => line.includes('is lost'))).toHaveLength(1);
	expect(instance.calls).toEqual([]);
});

it('33. as long as nothing is kept, nothing is written', async () => {
	await works();
	const call = envelope(said('[any]:x'));
	for (let time = 0; time < 3; time++)
		expect((await postSigned(server?.url ?? '', call, SECRET)).status).toBe(200);
	expect(trigger.staticData).not.toHaveProperty('keptAnswers');
	expect(items()).toHaveLength(1);
});

it('34. the App Secret was changed while n8n was down: that what was kept is lost stands in the log', async () => {
	await tap(await ask());
	credentials = { ...credentials, appSecret: OTHER_SECRET };
	await restarts();
	const body = envelope(said('hello'));
	expect((await postSigned(server?.url ?? '', body, OTHER_SECRET)).status).toBe(200);
	await logged('1 answer(s) that were kept are lost');
	expect(stored()).toEqual([]);
});

it('35. a call that comes while an answer rests has it passed on when it has rested', async () => {
	const asked = await ask();
	const between = await startBetween(0, 700);
	await become({ n8nAddress: between.url });
	await tap(asked);
	await nextCall();
	await waitFor('the second try', 10_000, () => (between.answered() === 2 ? true : undefined));
	await sleepMs(50);
	await nextCall();
	await logged('has continued it');
	expect(between.answered()).toBe(3);
	expect(decisions(asked)).toEqual(['approved']);
});

it('37. the trigger that has kept it is made anew under another id, and another trigger of the workflow, with another App Secret, is called first: it leaves it to that one', async () => {
	const ours = credentials;
	credentials = { ...credentials, appSecret: OTHER_SECRET };
	workflowId = randomUUID();
	await become({ n8nAddress: NOWHERE }, workflowId, {});
	const asked = await ask({}, OTHER_SECRET);
	const body = envelope(pressed(asked, 'approve'));
	expect((await postSigned(server?.url ?? '', body, OTHER_SECRET)).status).toBe(200);
	const { keptAnswers } = trigger.staticData;
	expect(stored()).toHaveLength(1);
	credentials = ours;
	workflowId = randomUUID();
	await become({}, workflowId, {});
	trigger.workflowData['Diyalog Trigger gone'] = { keptAnswers };
	const type = 'n8n-nodes-diyalog.diyalogTrigger';
	const position: [number, number] = [0, 0];
	trigger.publishWith([
		{ id: 'anew', name: 'Anew', type, typeVersion: 2, position, parameters: {} },
	]);
	await nextCall();
	expect(trigger.workflowData['Diyalog Trigger gone']).toEqual({ keptAnswers });
	expect(trigger.log.join()).not.toContain('are lost');
});

it('38. the execution runs for a minute, and n8n fails to store the item: its repetition is not told that the question is over, but carried out', async () => {
	let isRunning = true;
	const listener = http.createServer((request, response) => {
		void (async () => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk as Buffer);
			const json = { 'content-type': 'application/json' };
			if (isRunning) {
				const text = JSON.stringify({ message: 'The execution "1" is running already.' });
				return void response.writeHead(409, json).end(text);
			}
			const body = Buffer.concat(chunks).toString();
			const handed = await fetch(`${instance.url}${request.url}`, {
				method: 'POST',
				headers: json,
				body,
			});
			response.writeHead(handed.status).end(await handed.text());
		})();
	});
	await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
	closeAfterwards = async () => {
		listener.closeAllConnections();
		await new Promise((resolve) => listener.close(resolve));
	};
	const n8nAddress = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
	await become({ n8nAddress, lateAnswerReply: 'This question is closed.' }, workflowId, {});
	const asked = await ask();
	const sent = sandbox.messages().length;
	const body = envelope(pressed(asked, 'approve'));
	Object.assign(server ?? {}, { isDiskFull: true });
	// Diyalog hangs up.
	const hungUp = AbortSignal.timeout(2_000);
	await postSigned(server?.url ?? '', body, SECRET, {}, hungUp).catch(() => undefined);
	await waitFor('not stored', 80_000, () =>
		trigger.log.find((line) => line.includes('did not store')),
	);
	Object.assign(server ?? {}, { isDiskFull: false });
	isRunning = false;
	expect((await postSigned(server?.url ?? '', body, SECRET)).status).toBe(200);
	expect(decisions(asked)).toEqual(['approved']);
	expect(items()).toEqual([expect.objectContaining({ resumed: true })]);
	expect(sandbox.messages()).toHaveLength(sent);
}, 120_000);

it('39. the trigger that has kept it is made anew under another id, which passes it on, and a day later the former one is published again: it has nothing of it, and does not say that it is lost', async () => {
	const asked = await ask();
	await tap(asked);
	expect(stored()).toHaveLength(1);
	const former = trigger;
	await server?.close();
	const parameters = { events: ['buttonPressed'], authentication: 'signature', options: {} };
	const anew = { credentials, parameters, settings: { id: 'anew' } };
	trigger = new TriggerUnderTest(anew, workflowId, {}, { url: instance.url });
	Object.assign(trigger.workflowData, JSON.parse(JSON.stringify(former.workflowData)));
	server = await serve(trigger);
	await nextCall();
	await logged('has continued it');
	await nextCall();
	expect(stored()).toEqual([]);
	const calls = instance.calls.length;
	const later = Date.now() + 25 * HOUR_MS;
	await become({}, workflowId, {});
	jest.useFakeTimers({ now: later, doNotFake: [...ALL_BUT_THE_DATE] });
	await say('hello', later);
	expect(trigger.log.join()).not.toContain('lost');
	expect(instance.calls).toHaveLength(calls);
	expect(decisions(asked)).toEqual(['approved']);
});
