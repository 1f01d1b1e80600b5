import type { IExecuteFunctions } from 'n8n-workflow';
import { randomBytes } from 'node:crypto';
import { lockedStore, nodeStore } from '../../../../nodes/Diyalog/memory/processedData';
import { customerFingerprint, issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { permitSend, verifyOtp } from '../../../../nodes/Diyalog/codes/limits';
import type { OtpMemory, Verification } from '../../../../nodes/Diyalog/codes/limits';
import { KnownMarks, MarkBook } from '../../../../nodes/Diyalog/memory/markBook';
import { ProcessedDataTable } from '../../../support/processedDataTable';
import { sleepMs } from '../../../../tools/system';

/* Whoever guesses tries to get more guesses than are allowed, and whoever knows the code tries to use it twice. */

const keys = deriveKeys('bot-token');
const MINUTE_MS = 60_000;
const LIMITS = { attempts: 5, failures: { count: 10, windowMinutes: 60 } };
const CODE = '481516';
const START_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

/** What nodes see of n8n: the helpers of one workflow's node, on a table that several processes may share. */
function contextOn(table: ProcessedDataTable, nodeId = 'verify'): IExecuteFunctions {
	const contextData = { workflow: { id: 'w', active: true }, node: { id: nodeId } };
	const helpers: Record<string, unknown> = {};
	for (const name of [
		'checkProcessedAndRecord',
		'removeProcessed',
		'clearAllProcessedItems',
	] as const) {
		helpers[name] = async (...args: unknown[]) => {
			const withContext: unknown[] =
				name === 'clearAllProcessedItems'
					? [args[0], contextData, args[1]]
					: [args[0], args[1], contextData, args[2]];
			return await (table[name] as (...all: unknown[]) => Promise<unknown>).apply(
				table,
				withContext,
			);
		};
	}
	return { helpers } as unknown as IExecuteFunctions;
}

type Kind = 'locked' | 'plain';

/** The memory of one process of n8n: what it knows by itself, and its way to the table. */
function processOn(
	table: ProcessedDataTable,
	clock: () => number,
	kind: Kind = 'locked',
): OtpMemory {
	const context = contextOn(table);
	return {
		keys,
		book: new MarkBook(new KnownMarks(), clock, clock),
		store: kind === 'locked' ? lockedStore(context, Math.random) : nodeStore(context),
	};
}

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
	memory: OtpMemory,
	challenge: string,
	code: string,
	customerNo = '70021',
): Promise<Verification> =>
	await verifyOtp(memory, { challenge, code, customerNo, transaction: {} }, LIMITS, nowMs);

const reasonsOf = (verifications: Verification[]): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const { reason } of verifications) counts[reason] = (counts[reason] ?? 0) + 1;
	return counts;
};

const times = <T>(count: number, make: (index: number) => T): T[] =>
	Array.from({ length: count }, (_, index) => make(index));

const wrong = (index: number): string => String(index).padStart(6, '0');

it('0. the right code is accepted after four wrong ones', async () => {
	const memory = processOn(new ProcessedDataTable(), clock);
	const challenge = issue();
	for (const left of [4, 3, 2, 1]) {
		expect(await verify(memory, challenge, '000000')).toMatchObject({
			valid: false,
			reason: 'wrongCode',
			attemptsLeft: left,
		});
	}
	expect(await verify(memory, challenge, CODE)).toEqual({
		valid: true,
		reason: 'ok',
		attemptsLeft: 0,
		customerNo: '70021',
		messageId: 'm',
		verifiedAt: new Date(nowMs).toISOString(),
	});
});

it('1. 1,000 wrong guesses at the same time in one process: five are looked at', async () => {
	const memory = processOn(new ProcessedDataTable(2), clock);
	const challenge = issue();
	const answers = await Promise.all(
		times(1_000, (index) => verify(memory, challenge, wrong(index))),
	);
	expect(reasonsOf(answers)).toEqual({ wrongCode: 5, tooManyAttempts: 995 });
	expect(await verify(memory, challenge, CODE)).toMatchObject({ reason: 'tooManyAttempts' });
});

it('2. 1,000 times the right code at the same time in one process: accepted once', async () => {
	const memory = processOn(new ProcessedDataTable(2), clock);
	const challenge = issue();
	const answers = await Promise.all(times(1_000, () => verify(memory, challenge, CODE)));
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
	const memory = processOn(new ProcessedDataTable(), clock);
	const answers: Verification[] = [];
	for (let guess = 0; guess < 12; guess++) {
		answers.push(await verify(memory, issue(), '000000'));
		nowMs += MINUTE_MS;
	}
	expect(reasonsOf(answers)).toEqual({ wrongCode: 10, tooManyAttempts: 2 });
	expect(await verify(memory, issue(), CODE)).toMatchObject({ reason: 'tooManyAttempts' });
	expect(await verify(memory, issue('70022'), CODE, '70022')).toMatchObject({ reason: 'ok' });
	nowMs += 80 * MINUTE_MS;
	expect(await verify(memory, issue(), CODE)).toMatchObject({ reason: 'ok' });
});

it('8. failures timed around the edges of the window: never more than ten in any hour', async () => {
	const memory = processOn(new ProcessedDataTable(), clock);
	const looked: number[] = [];
	for (let minute = 0; minute < 300; minute++) {
		const { reason } = await verify(memory, issue(), '000000');
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
	const memory = processOn(new ProcessedDataTable(), clock);
	for (let count = 0; count < 30; count++) {
		expect(await verify(memory, issue(), CODE)).toMatchObject({ reason: 'ok' });
		nowMs += MINUTE_MS;
	}
});

it("10. locking a stranger out by naming them with one's own challenge", async () => {
	const memory = processOn(new ProcessedDataTable(), clock);
	for (let count = 0; count < 15; count++) {
		await verify(memory, issue('70022'), '000000', '70021');
	}
	expect(await verify(memory, issue('70021'), CODE)).toMatchObject({ reason: 'ok' });
});

it('11. filling the memory with challenges that are none, or are over', async () => {
	const table = new ProcessedDataTable();
	const memory = processOn(table, clock);
	const expired = issue();
	nowMs += 5 * MINUTE_MS;
	for (let count = 0; count < 50; count++) {
		expect(await verify(memory, `dc1.${count}`, CODE)).toMatchObject({ reason: 'malformed' });
		expect(await verify(memory, expired, CODE)).toMatchObject({ reason: 'expired' });
	}
	expect([...table.rows.values()].flat()).toEqual([]);
});

it('12. the memory is given back when time has passed', async () => {
	const table = new ProcessedDataTable();
	const memory = processOn(table, clock);
	for (let count = 0; count < 100; count++)
		await verify(memory, issue(`${count}`), CODE, `${count}`);
	expect([...table.rows.values()].flat()).toHaveLength(200);
	for (let count = 0; count < 3; count++) {
		nowMs += 10 * MINUTE_MS;
		await verify(memory, 'none', CODE);
	}
	expect([...table.rows.values()].flat()).toEqual([]);
});

it('13. whatever is wrong, the memory is written to the same number of times', async () => {
	const table = new ProcessedDataTable();
	const memory = processOn(table, clock);
	const expired = issue();
	nowMs += 5 * MINUTE_MS;
	const challenge = issue();
	const accepted = issue();
	await verify(memory, accepted, CODE);
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
		const answer = await verify(memory, token, code, customerNo);
		expect(answer.reason).toBe(reason);
		// Each writing takes the lock (insert) and gives it back (delete).
		expect(table.statements.insert - before.insert).toBe(3);
		expect(table.statements.delete - before.delete).toBe(3);
	}
});

it('14. a database that fails: no answer, and the attempt is spent', async () => {
	const table = new ProcessedDataTable();
	const memory = processOn(table, clock);
	const challenge = issue();
	table.failure = new Error('database is locked');
	await expect(verify(memory, challenge, CODE)).rejects.toThrow(/database did not remember/);
	table.failure = undefined;
	const answers: Verification[] = [];
	for (let guess = 0; guess < 5; guess++) answers.push(await verify(memory, challenge, '000000'));
	expect(reasonsOf(answers)).toEqual({ wrongCode: 4, tooManyAttempts: 1 });
});

it('15. nothing in the table is readable', async () => {
	const table = new ProcessedDataTable();
	const memory = processOn(table, clock);
	const challenge = issue();
	await verify(memory, challenge, '000000');
	await verify(memory, challenge, CODE);
	expect(table.content.length).toBeGreaterThan(100);
	for (const secret of [CODE, '70021', challenge, 'bot-token']) {
		expect(table.content).not.toContain(secret);
	}
});

describe('16. flooding a customer with codes', () => {
	const SENDS = { sends: { count: 5, windowMinutes: 10 }, firstGapSeconds: 15 };
	const customer = customerFingerprint(keys, '70021');

	const sentAt = async (memory: OtpMemory, everyMs: number, untilMs: number): Promise<number[]> => {
		const sent: number[] = [];
		for (; nowMs < START_MS + untilMs; nowMs += everyMs) {
			const permit = await permitSend(memory, customer, SENDS, nowMs);
			if (permit.granted) sent.push(nowMs - START_MS);
		}
		return sent;
	};

	it('five in ten minutes, and the gaps grow', async () => {
		const memory = processOn(new ProcessedDataTable(), clock, 'plain');
		const sent = await sentAt(memory, 1_000, 10 * MINUTE_MS);
		expect(sent).toHaveLength(5);
		const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
		for (const [index, least] of [15, 30, 60, 120].entries()) {
			expect(gaps[index]).toBeGreaterThanOrEqual(least * 1_000);
			expect(gaps[index]).toBeLessThanOrEqual((least + 8) * 1_000);
		}
	});

	it('never more than five in any ten minutes', async () => {
		const memory = processOn(new ProcessedDataTable(), clock, 'plain');
		const sent = await sentAt(memory, 5_000, 60 * MINUTE_MS);
		for (const begin of sent) {
			const within = sent.filter((at) => at >= begin && at < begin + 10 * MINUTE_MS);
			expect(within.length).toBeLessThanOrEqual(5);
		}
		expect(sent.length).toBeGreaterThan(15);
	});

	it('at the same time: one', async () => {
		const memory = processOn(new ProcessedDataTable(2), clock, 'plain');
		const permits = await Promise.all(times(100, () => permitSend(memory, customer, SENDS, nowMs)));
		expect(permits.filter(({ granted }) => granted)).toHaveLength(1);
	});

	it('at the same time, while a part of the first gap begins: one', async () => {
		const memory = processOn(new ProcessedDataTable(2), clock, 'plain');
		const PART_MS = 7_500;
		const end = Math.ceil(START_MS / PART_MS) * PART_MS;
		const at = (whenMs: number) =>
			times(10, async () => await permitSend(memory, customer, SENDS, whenMs));
		const permits = await Promise.all([...at(end - 1), ...at(end)]);
		expect(permits.filter(({ granted }) => granted)).toHaveLength(1);
	});

	it('a code that was not sent does not count', async () => {
		const memory = processOn(new ProcessedDataTable(), clock, 'plain');
		for (let count = 0; count < 10; count++) {
			const permit = await permitSend(memory, customer, SENDS, nowMs);
			expect(permit.granted).toBe(true);
			if (permit.granted) await permit.giveBack();
		}
	});

	it('without limits, everything', async () => {
		const memory = processOn(new ProcessedDataTable(), clock, 'plain');
		const none = { sends: { count: 0, windowMinutes: 10 }, firstGapSeconds: 0 };
		for (let count = 0; count < 20; count++) {
			expect(await permitSend(memory, customer, none, nowMs)).toMatchObject({ granted: true });
		}
	});
});

it('17. a process that died while it held the lock: the others go on', async () => {
	const table = new ProcessedDataTable();
	const context = contextOn(table);
	await context.helpers.checkProcessedAndRecord(['lock'], 'node', { mode: 'entries' });
	const memory = {
		...processOn(table, clock),
		store: lockedStore(context, Math.random, 200),
	};
	expect(await verify(memory, issue(), CODE)).toMatchObject({ reason: 'ok' });
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
		const memoryWith = (table: ProcessedDataTable): OtpMemory => ({
			...processOn(table, clock),
			book: new MarkBook(new KnownMarks(), clock, steady),
		});
		/** Time goes on for everybody. */
		const pass = (ms: number) => {
			nowMs += ms;
			sinceStartMs += ms;
		};
		/** While the clock is wrong, others verify, and what is over is forgotten. */
		const jump = async (memory: OtpMemory) => {
			const right = nowMs;
			nowMs += minutes * MINUTE_MS;
			const others = times(3, (index) => `7003${index}`);
			for (const customerNo of others) {
				await verify(memory, issue(customerNo), CODE, customerNo);
				pass(1_000);
			}
			nowMs = right + others.length * 1_000;
			pass(1_000);
		};

		it('a code that was accepted is not accepted again, here or in another process', async () => {
			const table = new ProcessedDataTable();
			const memory = memoryWith(table);
			const challenge = issue();
			expect(await verify(memory, challenge, CODE)).toMatchObject({ reason: 'ok' });
			await jump(memory);
			expect(await verify(memory, challenge, CODE)).toMatchObject({ reason: 'used' });
			expect(await verify(memoryWith(table), challenge, CODE)).toMatchObject({ reason: 'used' });
		});

		it('attempts that were made stay made', async () => {
			const memory = memoryWith(new ProcessedDataTable());
			const challenge = issue();
			for (let guess = 0; guess < 5; guess++) await verify(memory, challenge, wrong(guess));
			await jump(memory);
			expect(await verify(memory, challenge, CODE)).toMatchObject({ reason: 'tooManyAttempts' });
		});

		it('afterwards, what is over is forgotten as always', async () => {
			const table = new ProcessedDataTable();
			const memory = memoryWith(table);
			await verify(memory, issue(), CODE);
			await jump(memory);
			pass((minutes + 10) * MINUTE_MS);
			await verify(memory, issue('70050'), CODE, '70050');
			pass(2 * MINUTE_MS);
			await verify(memory, issue('70051'), CODE, '70051');
			expect(table.rows.get('w/')?.length).toBeLessThan(8);
		});
	},
);

it('21. guesses on their way when a part of the window begins: ten are looked at', async () => {
	const PART_MS = 15 * MINUTE_MS;
	nowMs = Math.ceil(START_MS / PART_MS) * PART_MS + PART_MS - 1;
	const memory = processOn(new ProcessedDataTable(5), clock);
	const before = times(10, () => verify(memory, issue(), '000000'));
	nowMs += 1;
	const after = times(10, () => verify(memory, issue(), '000000'));
	const answers = await Promise.all([...before, ...after]);
	expect(reasonsOf(answers)).toEqual({ wrongCode: 10, tooManyAttempts: 10 });
});
