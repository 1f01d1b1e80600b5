import { randomBytes } from 'node:crypto';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { verifyCode } from '../../../../nodes/Diyalog/codes/verify';
import type { Verification } from '../../../../nodes/Diyalog/codes/verify';
import { KnownMarks, MarkBook } from '../../../../nodes/Diyalog/memory/markBook';
import type { OpenBook } from '../../../../nodes/Diyalog/memory/markBook';
import { lockedStore } from '../../../../nodes/Diyalog/memory/processedData';
import { sleepMs } from '../../../../tools/system';
import { ProcessedDataTable } from '../../../support/processedDataTable';
import { contextOn, namesIn, processOn, times } from '../../../support/processes';

/* Whoever guesses tries to get more guesses than are allowed, and whoever knows the code tries to use it twice. */

const keys = deriveKeys('bot-token');
const MINUTE_MS = 60_000;
const LIMITS = { attempts: 5, failures: { count: 10, windowMinutes: 60 } };
const CODE = '481516';
const START_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

let nowMs = START_MS;
const clock = () => nowMs;
beforeEach(() => {
	nowMs = START_MS;
});

const issue = (customerNo = '70021', minutes = 5): string =>
	issueChallenge(
		keys,
		{
			code: CODE,
			customerNo,
			messageId: 'm',
			transaction: [],
			expiresAtMs: nowMs + minutes * MINUTE_MS,
		},
		randomBytes,
	);

const verify = async (
	book: OpenBook,
	challenge: string,
	code: string,
	customerNo = '70021',
): Promise<Verification> =>
	await verifyCode(keys, book, { challenge, code, customerNo, transaction: {} }, LIMITS, nowMs);

const reasonsOf = (verifications: Verification[]): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const { reason } of verifications) counts[reason] = (counts[reason] ?? 0) + 1;
	return counts;
};

const wrong = (index: number): string => String(index).padStart(6, '0');

it('0. the right code is accepted after four wrong ones', async () => {
	const book = processOn(new ProcessedDataTable(), clock);
	const challenge = issue();
	for (const left of [4, 3, 2, 1]) {
		expect(await verify(book, challenge, '000000')).toMatchObject({
			valid: false,
			reason: 'wrongCode',
			attemptsLeft: left,
		});
	}
	expect(await verify(book, challenge, CODE)).toEqual({
		valid: true,
		reason: 'ok',
		attemptsLeft: 0,
		customerNo: '70021',
		messageId: 'm',
		verifiedAt: new Date(nowMs).toISOString(),
	});
});

it('1. 1,000 wrong guesses at the same time in one process: five are looked at', async () => {
	const book = processOn(new ProcessedDataTable(2), clock);
	const challenge = issue();
	const answers = await Promise.all(times(1_000, (index) => verify(book, challenge, wrong(index))));
	expect(reasonsOf(answers)).toEqual({ wrongCode: 5, tooManyAttempts: 995 });
	expect(await verify(book, challenge, CODE)).toMatchObject({ reason: 'tooManyAttempts' });
});

it('2. 1,000 times the right code at the same time in one process: accepted once', async () => {
	const book = processOn(new ProcessedDataTable(2), clock);
	const challenge = issue();
	const answers = await Promise.all(times(1_000, () => verify(book, challenge, CODE)));
	expect(reasonsOf(answers)).toMatchObject({ ok: 1 });
});

it('3. wrong guesses at the same time at two processes: five are looked at by both together', async () => {
	for (let round = 0; round < 10; round++) {
		const table = new ProcessedDataTable(2);
		const processes = [processOn(table, clock), processOn(table, clock)];
		const challenge = issue();
		const answers = await Promise.all(
			times(100, (index) => verify(processes[index % 2]!, challenge, wrong(index))),
		);
		expect(reasonsOf(answers)).toEqual({ wrongCode: 5, tooManyAttempts: 95 });
	}
}, 60_000);

it('4. the right code at the same time at three processes: accepted once', async () => {
	for (let round = 0; round < 10; round++) {
		const table = new ProcessedDataTable(2);
		const processes = times(3, () => processOn(table, clock));
		const challenge = issue();
		const answers = await Promise.all(times(9, (i) => verify(processes[i % 3]!, challenge, CODE)));
		expect(reasonsOf(answers).ok).toBe(1);
	}
}, 60_000);

it('the two before can fail: without the lock two processes accept a code twice', async () => {
	let accepted = 0;
	for (let round = 0; round < 20; round++) {
		const table = new ProcessedDataTable(2);
		const processes = times(2, () => processOn(table, clock, 'plain'));
		const challenge = issue();
		const answers = await Promise.all(processes.map((each) => verify(each, challenge, CODE)));
		accepted = Math.max(accepted, reasonsOf(answers).ok ?? 0);
	}
	expect(accepted).toBe(2);
});

it('5. the same code again after a restart, in which the process forgot everything', async () => {
	const table = new ProcessedDataTable();
	const challenge = issue();
	expect(await verify(processOn(table, clock), challenge, CODE)).toMatchObject({ reason: 'ok' });
	expect(await verify(processOn(table, clock), challenge, CODE)).toMatchObject({ reason: 'used' });
});

it('6. more attempts by restarts between them', async () => {
	const table = new ProcessedDataTable();
	const challenge = issue();
	const answers: Verification[] = [];
	for (let guess = 0; guess < 8; guess++) {
		answers.push(await verify(processOn(table, clock), challenge, wrong(guess)));
	}
	expect(reasonsOf(answers)).toEqual({ wrongCode: 5, tooManyAttempts: 3 });
});

it('7. more failures by asking for a new code each time: ten in an hour, then not even the right one', async () => {
	const book = processOn(new ProcessedDataTable(), clock);
	const answers: Verification[] = [];
	for (let guess = 0; guess < 12; guess++) {
		answers.push(await verify(book, issue(), '000000'));
		nowMs += MINUTE_MS;
	}
	expect(reasonsOf(answers)).toEqual({ wrongCode: 10, tooManyAttempts: 2 });
	expect(await verify(book, issue(), CODE)).toMatchObject({ reason: 'tooManyAttempts' });
	expect(await verify(book, issue('70022'), CODE, '70022')).toMatchObject({ reason: 'ok' });
	nowMs += 80 * MINUTE_MS;
	expect(await verify(book, issue(), CODE)).toMatchObject({ reason: 'ok' });
});

it('8. failures timed around the edges of the window: never more than ten in any hour', async () => {
	const book = processOn(new ProcessedDataTable(), clock);
	const looked: number[] = [];
	for (let minute = 0; minute < 300; minute++) {
		const { reason } = await verify(book, issue(), '000000');
		if (reason === 'wrongCode') looked.push(nowMs);
		nowMs += MINUTE_MS;
	}
	for (const begin of looked) {
		const inAnHour = looked.filter((at) => at >= begin && at < begin + 60 * MINUTE_MS);
		expect(inAnHour.length).toBeLessThanOrEqual(10);
	}
	expect(looked.length).toBeGreaterThan(30);
});

it('9. right codes are no failures: thirty of one customer in an hour', async () => {
	const book = processOn(new ProcessedDataTable(), clock);
	for (let count = 0; count < 30; count++) {
		expect(await verify(book, issue(), CODE)).toMatchObject({ reason: 'ok' });
		nowMs += MINUTE_MS;
	}
});

it("10. locking a stranger out by naming them with one's own challenge", async () => {
	const book = processOn(new ProcessedDataTable(), clock);
	for (let count = 0; count < 15; count++) {
		await verify(book, issue('70022'), '000000', '70021');
	}
	expect(await verify(book, issue('70021'), CODE)).toMatchObject({ reason: 'ok' });
});

it('11. filling the memory with challenges that are none, or are over', async () => {
	const table = new ProcessedDataTable();
	const book = processOn(table, clock);
	const expired = issue();
	nowMs += 5 * MINUTE_MS;
	for (let count = 0; count < 50; count++) {
		expect(await verify(book, `dc1.${count}`, CODE)).toMatchObject({ reason: 'malformed' });
		expect(await verify(book, expired, CODE)).toMatchObject({ reason: 'expired' });
	}
	expect([...table.rows.values()].flat()).toEqual([]);
});

it('12. the memory is given back when time has passed', async () => {
	const table = new ProcessedDataTable();
	const book = processOn(table, clock);
	for (let count = 0; count < 100; count++) await verify(book, issue(`${count}`), CODE, `${count}`);
	expect([...table.rows.values()].flat()).toHaveLength(200);
	for (let count = 0; count < 3; count++) {
		nowMs += 10 * MINUTE_MS;
		await verify(book, 'none', CODE);
	}
	expect([...table.rows.values()].flat()).toEqual([]);
});

it('13. whatever is wrong, the memory is written to the same number of times', async () => {
	const table = new ProcessedDataTable();
	const book = processOn(table, clock);
	const expired = issue();
	nowMs += 5 * MINUTE_MS;
	const challenge = issue();
	const accepted = issue();
	await verify(book, accepted, CODE);
	const tries: Array<[string, string, string, string]> = [
		['malformed', 'none', CODE, '70021'],
		['otherCustomer', challenge, CODE, '70022'],
		['expired', expired, CODE, '70021'],
		['wrongCode', challenge, '000000', '70021'],
		['wrongCode', challenge, '', '70021'],
		['used', accepted, CODE, '70021'],
		['wrongCode', challenge, '000000', '70021'],
		['wrongCode', challenge, '000000', '70021'],
		['tooManyAttempts', challenge, CODE, '70021'],
		['tooManyAttempts', challenge, '000000', '70021'],
	];
	for (const [reason, token, code, customerNo] of tries) {
		const before = { ...table.statements };
		const answer = await verify(book, token, code, customerNo);
		expect(answer.reason).toBe(reason);
		// Each writing takes the lock (insert) and gives it back (delete).
		expect(table.statements.insert - before.insert).toBe(2);
		expect(table.statements.delete - before.delete).toBe(2);
	}
});

it('14. a database that fails: no answer, and the attempt is spent', async () => {
	const table = new ProcessedDataTable();
	const book = processOn(table, clock);
	const challenge = issue();
	table.failure = new Error('database is locked');
	await expect(verify(book, challenge, CODE)).rejects.toThrow(/database did not remember/);
	table.failure = undefined;
	const answers: Verification[] = [];
	for (let guess = 0; guess < 5; guess++) answers.push(await verify(book, challenge, '000000'));
	expect(reasonsOf(answers)).toEqual({ wrongCode: 4, tooManyAttempts: 1 });
});

it('15. nothing in the table is readable', async () => {
	const table = new ProcessedDataTable();
	const book = processOn(table, clock);
	const challenge = issue();
	await verify(book, challenge, '000000');
	await verify(book, challenge, CODE);
	expect(table.content.length).toBeGreaterThan(100);
	for (const secret of [CODE, '70021', challenge, 'bot-token']) {
		expect(table.content).not.toContain(secret);
	}
});

it('16. right and wrong codes at the same time at two processes, while the database fails now and then', async () => {
	let [writings, looked] = [0, 0];
	// On a machine that has much else to do the database fails more often in the way of an answer.
	for (let round = 0; round < 10 || looked <= 20; round++) {
		const table = new ProcessedDataTable(1);
		table.beforeWriting = async (key) => {
			if (key !== 'w/' || ++writings % 3 > 0) return;
			throw new Error('connection terminated');
		};
		const processes = [processOn(table, clock), processOn(table, clock)];
		const challenges = times(4, () => issue());
		const codes = [CODE, '000000', '000000'];
		const answers = times(challenges.length, (): Verification[] => []);
		const attempt = async (index: number) => {
			const at = index % challenges.length;
			// Some come late enough to find the marks of those before.
			await sleepMs(Math.random() * 40);
			const book = processes[Math.floor(Math.random() * 2)]!;
			const code = codes[Math.floor(index / challenges.length) % codes.length]!;
			answers[at]!.push(await verify(book, challenges[at]!, code));
		};
		await Promise.allSettled(times(120, attempt));
		for (const each of answers) {
			const { ok = 0, used = 0, wrongCode = 0 } = reasonsOf(each);
			expect(ok).toBeLessThanOrEqual(1);
			expect(ok + used + wrongCode).toBeLessThanOrEqual(LIMITS.attempts);
			looked += ok + used + wrongCode;
		}
		expect(reasonsOf(answers.flat()).wrongCode ?? 0).toBeLessThanOrEqual(LIMITS.failures.count);
	}
	expect(writings).toBeGreaterThan(30);
	expect(looked).toBeGreaterThan(20);
}, 60_000);

it('17. a process that died while it held the lock: the others go on', async () => {
	const table = new ProcessedDataTable();
	const context = contextOn(table);
	await context.helpers.checkProcessedAndRecord(['lock'], 'node', { mode: 'entries' });
	const book = {
		...processOn(table, clock),
		store: lockedStore(context, Math.random, 200),
	};
	expect(await verify(book, issue(), CODE)).toMatchObject({ reason: 'ok' });
});

const isValid = (answer: unknown): boolean =>
	typeof answer === 'object' && answer !== null && 'valid' in answer && answer.valid === true;

it('18. a live process whose writing stalls for longer than its lock is waited for: never accepted twice', async () => {
	const [abandonedMs, stallMs] = [200, 700];
	const table = new ProcessedDataTable();
	const challenge = issue();
	const stalled = new Promise<void>((resolve) => {
		// The first writing of a verification takes the attempt, the second one marks the code as used.
		let writings = 0;
		table.beforeWriting = async (key) => {
			if (key !== 'w/' || ++writings !== 2) return;
			resolve();
			await sleepMs(stallMs);
		};
	});
	const start = () => {
		const store = lockedStore(contextOn(table), Math.random, abandonedMs);
		return verify({ ...processOn(table, clock), store }, challenge, CODE).catch(
			(error: unknown) => error,
		);
	};
	const slow = start();
	await stalled;
	const answers = await Promise.all([slow, start()]);
	expect(answers.filter(isValid)).toHaveLength(1);
	expect(answers[0]).toBeInstanceOf(Error);
});

it('19. whoever held the lock for too long gets an error, although the writing came through', async () => {
	const table = new ProcessedDataTable();
	const context = contextOn(table);
	const genuine = context.helpers.checkProcessedAndRecord;
	Object.assign(context.helpers, {
		checkProcessedAndRecord: async (...all: Parameters<typeof genuine>) => {
			if (all[1] === 'workflow') await sleepMs(400);
			return await genuine(...all);
		},
	});
	await expect(lockedStore(context, Math.random, 200).add(['mark'], [])).rejects.toThrow(
		/did not remember/,
	);
	expect(table.rows.get('w/')).toHaveLength(1);
});

describe.each([1, 24 * 60, 365 * 24 * 60])(
	'20. the clock of the machine jumps %i minutes ahead and back',
	(minutes) => {
		let sinceStartMs = 0;
		const steady = () => sinceStartMs;
		const memoryWith = (table: ProcessedDataTable): OpenBook => ({
			...processOn(table, clock),
			book: new MarkBook(new KnownMarks(), clock, steady),
		});
		/** Time goes on for everybody. */
		const pass = (ms: number) => {
			nowMs += ms;
			sinceStartMs += ms;
		};
		/** While the clock is wrong, others verify, and what is over is forgotten. */
		const jump = async (book: OpenBook) => {
			const right = nowMs;
			nowMs += minutes * MINUTE_MS;
			const others = times(3, (index) => `7003${index}`);
			for (const customerNo of others) {
				await verify(book, issue(customerNo), CODE, customerNo);
				pass(1_000);
			}
			nowMs = right + others.length * 1_000;
			pass(1_000);
		};

		it('a code that was accepted is not accepted again, here or in another process', async () => {
			const table = new ProcessedDataTable();
			const book = memoryWith(table);
			const challenge = issue();
			expect(await verify(book, challenge, CODE)).toMatchObject({ reason: 'ok' });
			await jump(book);
			expect(await verify(book, challenge, CODE)).toMatchObject({ reason: 'used' });
			expect(await verify(memoryWith(table), challenge, CODE)).toMatchObject({ reason: 'used' });
		});

		it('attempts that were made stay made', async () => {
			const book = memoryWith(new ProcessedDataTable());
			const challenge = issue();
			for (let guess = 0; guess < 5; guess++) await verify(book, challenge, wrong(guess));
			await jump(book);
			expect(await verify(book, challenge, CODE)).toMatchObject({ reason: 'tooManyAttempts' });
		});

		it('afterwards, what is over is forgotten as always', async () => {
			const table = new ProcessedDataTable();
			const book = memoryWith(table);
			await verify(book, issue(), CODE);
			await jump(book);
			pass((minutes + 10) * MINUTE_MS);
			await verify(book, issue('70050'), CODE, '70050');
			pass(2 * MINUTE_MS);
			await verify(book, issue('70051'), CODE, '70051');
			expect(table.rows.get('w/')?.length).toBeLessThan(8);
		});
	},
);

it('21. guesses on their way when a part of the window begins: ten are looked at', async () => {
	const PART_MS = 15 * MINUTE_MS;
	nowMs = Math.ceil(START_MS / PART_MS) * PART_MS + PART_MS - 1;
	const book = processOn(new ProcessedDataTable(5), clock);
	const before = times(10, () => verify(book, issue(), '000000'));
	nowMs += 1;
	const after = times(10, () => verify(book, issue(), '000000'));
	const answers = await Promise.all([...before, ...after]);
	expect(reasonsOf(answers)).toEqual({ wrongCode: 10, tooManyAttempts: 10 });
});

it('22. an update of the package frees nothing: marks have the names that earlier releases gave them', async () => {
	const { names, opened } = namesIn(clock);
	const sent = {
		code: CODE,
		customerNo: '70021',
		messageId: 'm',
		transaction: [],
		expiresAtMs: nowMs + MINUTE_MS,
	};
	const challenge = issueChallenge(keys, sent, (count) => new Uint8Array(count));
	for (const code of ['000000', CODE]) await verify(opened, challenge, code);
	expect(names).toEqual([
		'zi6mG7LOz0ZH2BAn31_d4f',
		'MTdigwqSw6uEh_D-1c6ZgH',
		'wOiosBRnIA86VYmG8qLy4h',
		'gqbDvsjZAu9XYShZh8xwqb',
		'mjPwuVcfBfaQfkuC4n9OJT',
		'9G5gecWd_KRq6oSAIju0Pl',
		'ZS1rGOitfbKrZ0Pv2DB2hu',
		'7fXaAnvT2kLLwADYhQBtnN',
		'DX0PqwxSP3yg7EhZzPkV5Z',
		'UbTEwfLd2nRWXAp-H3ep04',
	]);
});
