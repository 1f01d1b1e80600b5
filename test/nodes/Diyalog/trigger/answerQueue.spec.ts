import { AnswerQueue } from '../../../../nodes/Diyalog/trigger/answerQueue';
import type { Attempt, QueuedAnswer } from '../../../../nodes/Diyalog/trigger/answerQueue';
import { sleepMs } from '../../../../tools/system';
import { TestClock } from '../../../support/testClock';

/* The queue of answers with a clock of its own: who waits for whom, and for how long. */

const LIMITS = {
	atOnce: 4,
	together: 50,
	charactersTogether: 1_000,
	maxInChain: 100,
	maxInQuestion: 500,
	maxInAll: 1_000,
	retryRunningForMs: 15_000,
	retryUnsureForMs: 60_000,
};

/** How long n8n takes for one answer. */
const POST_MS = 100;
/** A chain rests so many times as long after a refused answer. */
const REST = 3;

let clock: TestClock;
let queue: AnswerQueue<() => Attempt>;
let ids = 0;
let log: Array<{ turn: string; atMs: number }>;

beforeEach(() => {
	clock = new TestClock();
	queue = new AnswerQueue(LIMITS, clock);
	log = [];
});

/** Puts an answer into the queue; n8n finds for each attempt what is given, the last for all further ones. */
async function pass(
	turn: string,
	found: Attempt[],
	more: Partial<QueuedAnswer<() => Attempt>> = {},
): Promise<unknown> {
	const results = [...found];
	const outcome = await queue.pass({
		id: String(ids++),
		turn,
		userId: '1',
		occurredAt: '2026-11-24T00:00:00.000Z',
		characters: 10,
		passedOn: () => {
			const [next = 'unsure'] = results.length > 1 ? results.splice(0, 1) : results;
			return next;
		},
		attempt: async (together) => {
			log.push({ turn, atMs: clock.now() });
			await clock.sleep(POST_MS);
			return together.map(({ passedOn }) => passedOn());
		},
		...more,
	});
	return { ...Object(outcome), atMs: clock.now() };
}

const RESUMED: Attempt = { resumed: true };
const WRONG: Attempt = { resumed: false, notResumedReason: 'wrongCode', isLost: false };

it('one after the other within a chain, side by side between chains', async () => {
	const all = [pass('a', [WRONG]), pass('a', [WRONG]), pass('b', [RESUMED]), pass('c', [RESUMED])];
	await clock.run();
	expect(await Promise.all(all)).toEqual([
		expect.objectContaining({ atMs: POST_MS }),
		expect.objectContaining({ atMs: (1 + REST + 1) * POST_MS }),
		expect.objectContaining({ atMs: POST_MS }),
		expect.objectContaining({ atMs: POST_MS }),
	]);
});

it('a customer who is refused again and again takes a quarter of n8n, and his right answer counts in its place', async () => {
	const wrong = Array.from({ length: 20 }, async () => await pass('a', [WRONG]));
	const right = pass('a', [RESUMED]);
	await clock.run();
	expect(await right).toMatchObject({ resumed: true });
	await Promise.all(wrong);
	const atMs = log.map((attempt) => attempt.atMs);
	expect(atMs).toEqual(atMs.map((_, index) => index * (1 + REST) * POST_MS));
	expect(atMs).toHaveLength(21);
});

it('rests no longer than some seconds, however long n8n took', async () => {
	const slow: Partial<QueuedAnswer<() => Attempt>> = {
		attempt: async () => {
			log.push({ turn: 'a', atMs: clock.now() });
			await clock.sleep(60_000);
			return [WRONG];
		},
	};
	const all = [pass('a', [WRONG], slow), pass('a', [WRONG], slow)];
	await clock.run();
	await Promise.all(all);
	expect(log.map(({ atMs }) => atMs)).toEqual([0, 62_000]);
});

it.each([
	['that are wrong codes', [WRONG]],
	['on an execution that does not wait yet', ['running']],
	['while n8n fails', ['unsure']],
] satisfies Array<[string, Attempt[]]>)(
	'a hundred answers of one customer %s delay another by one answer at most',
	async (_what, found) => {
		const impatient = Array.from({ length: 100 }, async () => await pass('a', found));
		const other = pass('b', [RESUMED], { userId: '2' });
		await clock.run();
		expect(await other).toMatchObject({ resumed: true, atMs: POST_MS });
		await Promise.all(impatient);
		const tries = log.filter(({ turn }) => turn === 'a').map(({ atMs }) => atMs);
		expect(new Set(tries).size).toBe(tries.length);
	},
);

it('twenty impatient customers and one patient: the patient one waits for one round', async () => {
	const impatient = Array.from({ length: 20 }, (_, customer) =>
		Array.from({ length: 40 }, async () => await pass(`turn-${customer}`, [WRONG])),
	).flat();
	const patient = pass('b', [RESUMED]);
	await clock.run();
	expect(await patient).toMatchObject({ resumed: true, atMs: (20 / LIMITS.atOnce + 1) * POST_MS });
	await Promise.all(impatient);
});

it('what others type under the same message queues for itself', async () => {
	const strangers = Array.from({ length: 100 }, async () =>
		pass('a', [{ resumed: false, notResumedReason: 'otherPerson', isLost: false }], {
			userId: '2',
		}),
	);
	const own = pass('a', [RESUMED]);
	await clock.run();
	expect(await own).toMatchObject({ resumed: true, atMs: POST_MS });
	const reasons = (await Promise.all(strangers)).map((outcome) => JSON.stringify(outcome));
	expect(reasons.filter((text) => text.includes('notWaiting')).length).toBeGreaterThan(90);
});

it('what is in line is bounded, and answered turns are refused without an attempt', async () => {
	const chain = Array.from({ length: 150 }, async () => await pass('a', [RESUMED]));
	await clock.run();
	const outcomes = (await Promise.all(chain)).map((outcome) => JSON.stringify(outcome));
	expect(outcomes.filter((text) => text.includes('"busy"'))).toHaveLength(50);
	expect(outcomes.filter((text) => text.includes('"resumed":true'))).toHaveLength(1);
	expect(outcomes.filter((text) => text.includes('notWaiting'))).toHaveLength(99);
	expect(await pass('a', [RESUMED])).toMatchObject({ notResumedReason: 'notWaiting' });
	expect(log).toHaveLength(1);
	const all = Array.from({ length: 1_100 }, async (_, turn) => await pass(`t${turn}`, [RESUMED]));
	await clock.run();
	const failed = (await Promise.all(all)).filter((each) => JSON.stringify(each).includes('busy'));
	expect(failed).toHaveLength(100);
	expect(failed[0]).toMatchObject({ isLost: true });
});

describe('what is definite', () => {
	it('what has not begun when n8n fails for long is withdrawn, and says so', async () => {
		const answers = [pass('a', ['unsure']), pass('a', [RESUMED]), pass('a', [RESUMED])];
		await clock.run();
		expect(await Promise.all(answers)).toEqual([
			expect.objectContaining({ resumed: null, notResumedReason: 'unknown' }),
			expect.objectContaining({ resumed: false, notResumedReason: 'withdrawn' }),
			expect.objectContaining({ resumed: false, notResumedReason: 'withdrawn' }),
		]);
	});

	it('what stands behind an answer that got lost does not overtake it', async () => {
		const unreachable: Attempt = { ...WRONG, notResumedReason: 'unreachable', isLost: true };
		const answers = [
			pass('a', [unreachable]),
			pass('a', [RESUMED]),
			pass('a', [{ ...unreachable, isFinal: true }], { userId: '2' }),
			pass('a', [RESUMED], { userId: '2' }),
		];
		await clock.run();
		expect(await Promise.all(answers)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'unreachable' }),
			expect.objectContaining({ resumed: false, notResumedReason: 'withdrawn' }),
			expect.objectContaining({ resumed: false, notResumedReason: 'unreachable' }),
			expect.objectContaining({ resumed: true }),
		]);
	});

	it('what has not begun when it has gone on finds that out', async () => {
		const notWaiting: Attempt = { ...WRONG, notResumedReason: 'notWaiting' };
		const answers = [pass('a', ['unsure', notWaiting]), pass('a', [notWaiting])];
		await clock.run();
		expect(await Promise.all(answers)).toEqual([
			expect.objectContaining({ resumed: null, notResumedReason: 'unknown' }),
			expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
		]);
	});

	const UNKNOWN = { resumed: null, notResumedReason: 'unknown' };

	it.each<[string, Attempt[], unknown]>([
		['n8n fails, then takes it', ['unsure', RESUMED], { resumed: true }],
		['n8n fails, then it goes on', ['unsure', 'running'], UNKNOWN],
		[
			'n8n fails, then it has ended',
			['unsure', { resumed: false, notResumedReason: 'notWaiting', isLost: false }],
			UNKNOWN,
		],
		[
			'n8n fails, then it asks the next question',
			['unsure', { resumed: false, notResumedReason: 'earlierTurn', isLost: false }],
			UNKNOWN,
		],
		[
			'n8n fails, then is not there',
			['unsure', { resumed: false, notResumedReason: 'unreachable', isLost: true }],
			UNKNOWN,
		],
		['n8n fails, then judges it', ['unsure', WRONG], WRONG],
		['n8n fails for ever', ['unsure'], UNKNOWN],
		[
			'it runs for ever',
			['running'],
			{ resumed: false, notResumedReason: 'notWaiting', isLost: false },
		],
		['it runs, then waits', ['running', 'running', RESUMED], { resumed: true }],
		[
			'n8n holds another answer back for ever: this one is not over',
			['held', 'running', 'held'],
			{ resumed: false, notResumedReason: 'stillRunning', isLost: true },
		],
		['n8n holds another answer back, then takes this one', ['held', RESUMED], { resumed: true }],
	])('%s', async (_what, found, expected) => {
		const outcome = pass('a', found);
		await clock.run();
		expect(await outcome).toMatchObject(Object(expected));
	});
});

describe('answers of several people to one question', () => {
	const by = (userId: string) => ({ userId });
	const COUNTED: Attempt = { resumed: false, notResumedReason: 'counted', isLost: false };

	it('what comes at the same moment is passed on together', async () => {
		const all = ['1', '2', '3'].map(async (userId) => await pass('a', [COUNTED], by(userId)));
		await clock.run();
		expect(await Promise.all(all)).toEqual(Array(3).fill(expect.objectContaining(COUNTED)));
		expect(log).toEqual([{ turn: 'a', atMs: 0 }]);
	});

	it('what comes while an answer is on its way, or counted, is passed on together afterwards', async () => {
		const first = pass('a', [COUNTED], by('1'));
		await sleepMs(0);
		const others = ['2', '3', '4'].map(
			async (userId) => await pass('a', ['running', 'running', COUNTED], by(userId)),
		);
		await clock.run();
		await Promise.all([first, ...others]);
		// The first alone, then three times all others.
		expect(log).toHaveLength(4);
	});

	it('one that decides ends it for all in line', async () => {
		const all = [
			pass('a', [COUNTED], by('1')),
			pass('a', [RESUMED], by('2')),
			pass('a', [COUNTED], by('1')),
		];
		await clock.run();
		expect(await Promise.all(all)).toEqual([
			expect.objectContaining(COUNTED),
			expect.objectContaining({ resumed: true }),
			expect.objectContaining({ notResumedReason: 'notWaiting' }),
		]);
		expect(log).toHaveLength(1);
	});

	it('no more go together than are allowed, nor more characters, and nobody is left behind', async () => {
		const sizes: number[] = [];
		const many = Array.from({ length: 120 }, async (_, index) => {
			const outcome = await pass('a', [COUNTED], {
				...by(String(index)),
				characters: index < 60 ? 10 : 300,
				attempt: async (together) => {
					sizes.push(together.length);
					await clock.sleep(POST_MS);
					return together.map(({ passedOn }) => passedOn());
				},
			});
			return outcome;
		});
		await clock.run();
		expect(await Promise.all(many)).toEqual(Array(120).fill(expect.objectContaining(COUNTED)));
		expect(Math.max(...sizes)).toBe(LIMITS.together);
		expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(120);
		// 50 small ones, 10 with three large ones, then three at a time.
		expect(sizes).toHaveLength(21);
	});

	it('a stranger with a hundred answers delays nobody', async () => {
		const stranger = Array.from({ length: 100 }, async () => await pass('a', [WRONG], by('9')));
		await sleepMs(0);
		const person = pass('a', [COUNTED], by('1'));
		await clock.run();
		expect(await person).toMatchObject({ ...COUNTED, atMs: 2 * POST_MS });
		await Promise.all(stranger);
	});
});
