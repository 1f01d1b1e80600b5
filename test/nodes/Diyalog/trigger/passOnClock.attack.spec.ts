import { randomBytes, randomUUID } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { makeMark, MARK_HEADER } from '../../../../nodes/Diyalog/passOn/mark';
import { sleepMs } from '../../../../tools/system';
import { OneN8n } from '../../../support/oneN8n';
import type { Started } from '../../../support/oneN8n';
import { postSigned } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { ALL_BUT_THE_DATE } from '../../../support/testClock';

/*
 * Calls that are passed on while n8n's clock is wrong, or is set right: none is lost, and what may be a repetition says so. One that was
 * taken starts nothing again.
 */

const SECRET = randomBytes(16).toString('hex');
const TOKEN = 'callback-token';
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 10, 24);

let n8n: OneN8n;
beforeEach(async () => {
	n8n = await OneN8n.start();
});
afterEach(async () => {
	jest.useRealTimers();
	await n8n.close();
	for (const { escaped } of n8n.started) expect(escaped).toEqual([]);
});

/** By the clock of the process, because the other one is set. */
async function until(within: number, isSo: () => boolean) {
	const since = performance.now();
	while (!isSo() && performance.now() - since < within) await sleepMs(50);
}

const setClock = (minutes: number) =>
	jest.useFakeTimers({ now: START_MS + minutes * MINUTE_MS, doNotFake: [...ALL_BUT_THE_DATE] });

const start = async (
	id: string,
	parameters: INodeParameters = {},
	staticData: IDataObject = {},
	workflowId: string = randomUUID(),
) =>
	await n8n.run(id, {
		credentials: { appSecret: SECRET, statusCallbackToken: TOKEN },
		parameters,
		staticData,
		workflowId,
	});

const items = ({ server }: Started) => server.executions.flat();
/** What the items of one callback say of it. */
const onces = ({ server }: Started) =>
	server.executions
		.flat()
		.filter(({ messageId }) => messageId === 'once')
		.map(({ mayBeRepeated }) => mayBeRepeated);
const kept = ({ trigger }: Started) =>
	String(trigger.staticData.keptCalls ?? '')
		.split(',')
		.filter(Boolean).length;

const body = (status: string, messageId = 'm') =>
	JSON.stringify({ messageId, status, customerNo: '1', secretData: '' });

const postCallback = async (id: string, text: string, headers = {}) => {
	const response = await fetch(n8n.urlOf(id, 'updatemokstatus'), {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'auth-token': TOKEN, ...headers },
		body: text,
	});
	return response.status;
};

const markFor = (id: string, text: string, takenAtMs: number, since?: number) => ({
	[MARK_HEADER]: makeMark(
		{
			takenAtMs,
			passedOnAtMs: Date.now(),
			mayBeKnownSinceMs: since,
			outcomes: new Map(),
			isComplete: true,
		},
		{ id, isTest: false, path: 'updatemokstatus', body: Buffer.from(text) },
		SECRET,
	),
});

/** More than are remembered for ever. */
async function flood(id: string, name: string) {
	for (let at = 0; at < 1_100; at += 100)
		await Promise.all(
			Array.from({ length: 100 }, async (_, index) => {
				expect(await postCallback(id, body('Approved', `${name}-${at + index}`))).toBe(200);
			}),
		);
}

it.each([false, true])(
	'1. the clock was ahead while many status callbacks came, Only New Status Callbacks %s: one that is passed on when it is right starts the receiver at once, and what may be a repetition says so',
	async (onlyNewStatuses) => {
		const parameters = { events: ['statusCallback'], options: { onlyNewStatuses } };
		const second = await start('second', parameters);
		const first = await start('first', { options: { alsoPassOnTo: [second.url] } });
		setClock(60);
		await flood('second', 'before');
		setClock(80);
		await flood('second', 'after');
		setClock(21);
		const before = items(second).length;
		expect(await postCallback('first', body('Cancelled', 'genuine'))).toBe(200);
		await until(3_000, () => items(second).length > before);
		expect(kept(first)).toBe(0);
		// It was tried before: with the clock ahead, or when it was right.
		const pass = async (name: string, since?: number) => {
			const text = body('Approved', name);
			return await postCallback('second', text, markFor('second', text, START_MS, since));
		};
		setClock(22);
		expect(await pass('tried-ahead', START_MS + 62 * MINUTE_MS)).toBe(200);
		expect(await pass('tried-before', START_MS + 20 * MINUTE_MS)).toBe(200);
		const again = await start('second', parameters, { ...second.trigger.staticData });
		setClock(70);
		expect(await pass('tried-ahead-restarted', START_MS + 72 * MINUTE_MS)).toBe(200);
		expect(await pass('tried-before-restarted', START_MS + 20 * MINUTE_MS)).toBe(200);
		expect(await pass('fresh')).toBe(200);
		// The receiver took it, and has forgotten it among those that are dated a few minutes ahead.
		expect(await pass('tried-before', START_MS + 22 * MINUTE_MS)).toBe(200);
		expect(items(second).slice(before)).toMatchObject([
			{ messageId: 'genuine' },
			{ messageId: 'tried-ahead', mayBeRepeated: true },
			{ messageId: 'tried-before', mayBeRepeated: true },
		]);
		expect(items(again)).toMatchObject([
			{ messageId: 'tried-ahead-restarted', mayBeRepeated: false },
			{ messageId: 'tried-before-restarted', mayBeRepeated: true },
			{ messageId: 'fresh', mayBeRepeated: false },
			{ messageId: 'tried-before', mayBeRepeated: true },
		]);
	},
	60_000,
);

it('1b. the clock was a year ahead for 20 minutes: after two days and a restart a callback that is passed on starts the receiver', async () => {
	const parameters = { events: ['statusCallback'] };
	const second = await start('second', parameters);
	const YEAR = 365 * 24 * 60;
	setClock(YEAR);
	await flood('second', 'before');
	setClock(YEAR + 20);
	await flood('second', 'after');
	setClock(2 * 24 * 60);
	const again = await start('second', parameters, { ...second.trigger.staticData });
	const text = body('Approved', 'genuine');
	const pass = async () =>
		await postCallback('second', text, markFor('second', text, Date.now(), Date.now()));
	expect([await pass(), await pass()]).toEqual([200, 200]);
	expect(items(again)).toMatchObject([{ messageId: 'genuine', mayBeRepeated: true }]);
}, 60_000);

it.each([false, true])(
	'2. Only New Status Callbacks %s: a call that is passed on again when the receiver has forgotten it says that it may be repeated, also if n8n failed to store that once',
	async (onlyNewStatuses) => {
		const second = await start('second', {
			events: ['statusCallback'],
			options: { onlyNewStatuses },
		});
		setClock(0);
		const text = body('Approved', 'once');
		const takenAt = Date.now();
		expect(await postCallback('second', text, markFor('second', text, takenAt))).toBe(200);
		setClock(1);
		await flood('second', 'more');
		setClock(20);
		await flood('second', 'much');
		const again = async () =>
			await postCallback('second', text, markFor('second', text, takenAt, takenAt));
		second.server.isDiskFull = true;
		expect(await again()).toBe(500);
		second.server.isDiskFull = false;
		expect([await again(), await again()]).toEqual([200, 200]);
		expect(onces(second)).toEqual([false, true]);
	},
	60_000,
);

it('3. n8n was 10 minutes ahead when a call was kept for a receiver; the clock is set right: the receiver gets it', async () => {
	const second = await start('second');
	const first = await start('first', { options: { alsoPassOnTo: [second.url] } });
	const press = (name: string, sent: number) =>
		envelope(written(`[${name}]:x`, { time: START_MS + sent * MINUTE_MS }));
	const many = (name: string, sent: number) =>
		envelope(
			...Array.from({ length: 100 }, (_, index) =>
				written(`[${name}-${index}]:x`, { time: START_MS + sent * MINUTE_MS + index }),
			),
		);
	const post = async (text: string) => (await postSigned(first.url, text, SECRET)).status;
	// Diyalog's clock says 0, that of n8n 10 minutes more.
	setClock(10);
	for (let at = 0; at < 12; at++) expect(await post(many(`a${at}`, 0))).toBe(200);
	setClock(24.9);
	for (let at = 0; at < 12; at++) expect(await post(many(`b${at}`, 14.9))).toBe(200);
	setClock(30);
	for (let at = 0; at < 12; at++) expect(await post(many(`c${at}`, 20))).toBe(200);
	setClock(42);
	expect(await post(press('now', 32))).toBe(200);
	n8n.switchOff('second');
	expect(await post(press('kept', 32))).toBe(200);
	expect(kept(first)).toBe(1);
	setClock(32.2);
	n8n.publish('second', second.server);
	await until(8_000, () => n8n.callsTo('second').at(-1)?.status === 200);
	await sleepMs(2_000);
	expect(await post(press('next', 32.1))).toBe(200);
	await sleepMs(500);
	expect(items(second).map(({ messageId }) => messageId)).toContain('kept');
}, 60_000);

it('3b. Maximum Age is a minute, n8n was 45 seconds ahead when a call was kept; the clock is set right', async () => {
	const options = { freshnessMinutes: 1 };
	const second = await start('second', { options });
	const first = await start('first', { options: { ...options, alsoPassOnTo: [second.url] } });
	const setSeconds = (diyalog: number, ahead: number) => setClock((diyalog + ahead) / 60);
	const post = async (text: string) => (await postSigned(first.url, text, SECRET)).status;
	const many = (name: string, sent: number) =>
		envelope(
			...Array.from({ length: 100 }, (_, index) =>
				written(`[${name}-${index}]:x`, { time: START_MS + sent * 1_000 + index }),
			),
		);
	for (const sent of [0, 25, 90]) {
		setSeconds(sent, 45);
		for (let at = 0; at < 12; at++) expect(await post(many(`${sent}-${at}`, sent))).toBe(200);
	}
	setSeconds(120, 45);
	expect(await post(envelope(written('[now]:x', { time: START_MS + 120_000 })))).toBe(200);
	n8n.switchOff('second');
	expect(await post(envelope(written('[kept]:x', { time: START_MS + 120_000 })))).toBe(200);
	expect(kept(first)).toBe(1);
	setSeconds(122, 0);
	n8n.publish('second', second.server);
	await until(8_000, () => n8n.callsTo('second').at(-1)?.status === 200);
	await sleepMs(500);
	expect(items(second).map(({ messageId }) => messageId)).toContain('kept');
}, 60_000);

const ONCE = body('Approved', 'once');

/** A callback that n8n holds back until it is too old, and then others. */
async function heldBack(failedBefore: boolean) {
	const options = { freshnessMinutes: 1 };
	const second = await start('second', { events: ['statusCallback'], options });
	const { server } = second;
	setClock(0);
	const takenAt = Date.now();
	const again = async () =>
		await postCallback('second', ONCE, markFor('second', ONCE, takenAt, takenAt));
	if (failedBefore) {
		server.isDiskFull = true;
		expect(await again()).toBe(500);
		server.isDiskFull = false;
	}
	let letGo = (): void => {};
	server.held = new Promise<void>((resolve) => (letGo = resolve));
	setClock(0.02);
	const held = again();
	await sleepMs(500);
	server.held = undefined;
	setClock(1.4);
	await flood('second', 'others');
	setClock(1.5);
	return { again, held, letGo, second };
}

it('4. Only New Status Callbacks: a callback comes at 0, 10 and 20 minutes, and 1,100 others between: it starts once', async () => {
	const options = { onlyNewStatuses: true };
	const one = await start('one', { events: ['statusCallback'], options });
	setClock(0);
	expect(await postCallback('one', ONCE)).toBe(200);
	setClock(10);
	expect(await postCallback('one', ONCE)).toBe(200);
	await flood('one', 'between');
	setClock(17);
	expect(await postCallback('one', body('Approved', 'other'))).toBe(200);
	setClock(20);
	expect(await postCallback('one', ONCE)).toBe(200);
	expect(onces(one)).toEqual([false]);
}, 60_000);

it.each([false, true])(
	'5. Only New Status Callbacks %s: the clock is behind for a moment: a call that was taken and forgotten says that it may be repeated',
	async (onlyNewStatuses) => {
		const options = { onlyNewStatuses };
		const second = await start('second', { events: ['statusCallback'], options });
		setClock(0);
		const takenAt = Date.now();
		expect(await postCallback('second', ONCE, markFor('second', ONCE, takenAt))).toBe(200);
		setClock(1);
		await flood('second', 'more');
		setClock(20);
		await flood('second', 'much');
		setClock(-40);
		expect(await postCallback('second', body('Approved', 'behind'))).toBe(200);
		setClock(21);
		const again = async () =>
			await postCallback('second', ONCE, markFor('second', ONCE, takenAt, takenAt));
		expect([await again(), await again()]).toEqual([200, 200]);
		expect(onces(second)).toEqual([false, true]);
	},
	60_000,
);

it('6. the clock is behind for a moment: callbacks of the last minutes are still known afterwards', async () => {
	const options = { onlyNewStatuses: true };
	const one = await start('one', { events: ['statusCallback'], options });
	setClock(0);
	expect(await postCallback('one', ONCE)).toBe(200);
	setClock(-40);
	expect(await postCallback('one', body('Approved', 'behind'))).toBe(200);
	setClock(1);
	await flood('one', 'more');
	setClock(2);
	expect(await postCallback('one', ONCE)).toBe(200);
	expect(onces(one)).toEqual([false]);
}, 60_000);

it('7. n8n fails to store a callback and holds its repetition back until that is too old, while 1,100 others come: passed on once more, it starts once', async () => {
	const { again, held, letGo, second } = await heldBack(true);
	expect(await again()).toBe(503);
	expect(onces(second)).toEqual([]);
	letGo();
	expect(await held).toBe(200);
	expect(await again()).toBe(200);
	expect(onces(second)).toEqual([false]);
}, 60_000);

it('7b. the same, and n8n fails to store it in the end: the next one is taken', async () => {
	const { again, held, letGo, second } = await heldBack(false);
	expect(await again()).toBe(503);
	second.server.isDiskFull = true;
	letGo();
	expect(await held).toBe(500);
	second.server.isDiskFull = false;
	expect(await again()).toBe(200);
	expect(onces(second)).toHaveLength(1);
}, 60_000);

it.each([false, true])(
	'8. Only New Status Callbacks %s: the clock was a year ahead for a moment, and 1,100 came: they take the place of no others',
	async (onlyNewStatuses) => {
		const options = { onlyNewStatuses };
		const one = await start('one', { events: ['statusCallback'], options });
		setClock(365 * 24 * 60);
		await flood('one', 'ahead');
		setClock(0);
		expect(await postCallback('one', ONCE)).toBe(200);
		const late = body('Approved', 'late');
		const takenAt = Date.now();
		for (const minutes of [17, 40]) {
			setClock(minutes);
			expect(await postCallback('one', body('Approved', `other-${minutes}`))).toBe(200);
		}
		expect(await postCallback('one', ONCE)).toBe(200);
		expect(await postCallback('one', late, markFor('one', late, takenAt, takenAt))).toBe(200);
		expect(onces(one)).toEqual(onlyNewStatuses ? [false] : [false, true]);
		expect(items(one).at(-1)).toMatchObject({ messageId: 'late', mayBeRepeated: false });
	},
	60_000,
);

it.each([
	[
		'9. n8n holds a callback back, stores another one that says the same, and fails to store the first',
		3_000,
		0,
	],
	[
		'9b. n8n holds two callbacks back that say the same, fails to store the first, and stores the other',
		1_500,
		2_500,
	],
])(
	'%s: the third may be repeated',
	async (_what, firstMs, secondMs) => {
		const one = await start('one', { events: ['statusCallback'] });
		const { server } = one;
		server.storesAfterMs = firstMs;
		const held = postCallback('one', ONCE);
		await sleepMs(500);
		server.storesAfterMs = secondMs;
		const other = postCallback('one', ONCE);
		await sleepMs(500);
		server.isDiskFull = true;
		expect(await held).toBe(500);
		server.isDiskFull = false;
		expect(await other).toBe(200);
		server.storesAfterMs = 0;
		expect(await postCallback('one', ONCE)).toBe(200);
		expect(onces(one)).toEqual([true, true]);
	},
	15_000,
);
