import { AnswerQueue, isOpen } from '../../../../nodes/Diyalog/trigger/answerQueue';
import type {
	AnswerOutcome,
	Attempt,
	QueuedAnswer,
} from '../../../../nodes/Diyalog/trigger/answerQueue';
import { TestClock } from '../../../support/testClock';

/*
 * Many people who were not asked answer a question, whose reference they have got to know. What somebody answers who was
 * asked comes through, in time, and other questions do not notice.
 */

const LIMITS = {
	atOnce: 4,
	together: 50,
	charactersTogether: 1_000,
	maxInChain: 100,
	maxInQuestion: 5_000,
	maxInAll: 20_000,
	retryRunningForMs: 60_000,
	retryUnsureForMs: 60_000,
};

/** How long n8n takes for one call. */
const POST_MS = 20;

const RESUMED: Attempt = { resumed: true };
const STRANGER: Attempt = { resumed: false, notResumedReason: 'otherPerson', isLost: false };

let clock: TestClock;
let queue: AnswerQueue<() => Attempt>;
let calls: number;
/** how many were passed on before the answer that was taken */
let passedOn: string[];

beforeEach(() => {
	clock = new TestClock();
	queue = new AnswerQueue(LIMITS, clock);
	calls = 0;
	passedOn = [];
});

async function pass(
	turn: string,
	userId: string,
	find: () => Attempt,
	characters = 1,
): Promise<AnswerOutcome> {
	const answer: QueuedAnswer<() => Attempt> = {
		id: `${turn} ${userId} ${passedOn.length}`,
		turn,
		userId,
		occurredAt: '2026-11-28T00:00:00.000Z',
		characters,
		passedOn: find,
		attempt: async (together) => {
			calls++;
			await clock.sleep(POST_MS);
			return together.map((each) => {
				passedOn.push(each.userId);
				return each.passedOn();
			});
		},
	};
	return await queue.pass(answer);
}

it('1. strangers fill the line of one question: others are taken', async () => {
	const flood = Array.from(
		{ length: LIMITS.maxInAll },
		async (_, stranger) => await pass('a', `stranger ${stranger}`, () => STRANGER),
	);
	const other = pass('b', 'asked', () => RESUMED);
	await clock.run();
	expect(await other).toEqual({ resumed: true });
	const outcomes = await Promise.all(flood);
	const busy = outcomes.filter((each) => JSON.stringify(each).includes('busy'));
	expect(busy).toHaveLength(LIMITS.maxInAll - LIMITS.maxInQuestion);
	// It may be the answer of somebody who was asked.
	expect(busy[0]).toMatchObject({ isLost: true });
	expect(calls).toBe(LIMITS.maxInQuestion / LIMITS.together + 1);
	expect(await Promise.all([pass('a', 'asked', () => RESUMED), clock.run()])).toContainEqual({
		resumed: true,
	});
});

it('2. strangers keep coming while an answer is tried again: it does not have to wait for the last of them', async () => {
	let isRunning = true;
	const asked = pass('a', 'asked', () => (isRunning ? 'running' : RESUMED));
	let isTaken = false;
	void asked.then(() => (isTaken = true));
	const come = async (): Promise<void> => {
		for (let round = 0; round < 200; round++) {
			for (let index = 0; index < LIMITS.together; index++)
				void pass('a', `stranger ${round} ${index}`, () => STRANGER);
			if (round === 5) isRunning = false;
			await clock.sleep(POST_MS);
			if (isTaken) return;
		}
	};
	const strangers = come();
	await clock.run();
	await strangers;
	expect(await asked).toEqual({ resumed: true });
	expect(passedOn.length).toBeLessThan(50 * LIMITS.together);
});

it('3. a long text is passed on alone, and no other waits for more than that', async () => {
	const texts = Array.from(
		{ length: 10 },
		async (_, stranger) =>
			await pass('a', `stranger ${stranger}`, () => STRANGER, LIMITS.charactersTogether),
	);
	const asked = pass('a', 'asked', () => RESUMED);
	await clock.run();
	expect(await asked).toEqual({ resumed: true });
	await Promise.all(texts);
	expect(calls).toBeLessThanOrEqual(11);
});

it('4. one person with a full chain: the others of the question are in the first call', async () => {
	const chain = Array.from(
		{ length: LIMITS.maxInChain },
		async () => await pass('a', 'stranger', () => STRANGER),
	);
	const asked = pass('a', 'asked', () => RESUMED);
	await clock.run();
	expect(await asked).toEqual({ resumed: true });
	expect(calls).toBe(1);
	await Promise.all(chain);
});

it('5. workers are busy, and the execution that has counted an answer runs for minutes: the next one is open, not too late', async () => {
	const counted: Attempt = { resumed: false, notResumedReason: 'counted', isLost: false };
	const first = pass('a', 'first', () => counted);
	await clock.run();
	await first;
	const decline = pass('a', 'second', () => 'running');
	const approve = pass('a', 'second', () => RESUMED);
	await clock.run();
	expect(await decline).toMatchObject({ notResumedReason: 'stillRunning' });
	expect(isOpen(await decline)).toBe(true);
	expect(await approve).toMatchObject({ notResumedReason: 'withdrawn', isLost: true });
});
