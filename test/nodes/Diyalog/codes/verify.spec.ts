import fc from 'fast-check';
import type { IExecuteFunctions } from 'n8n-workflow';
import { randomBytes } from 'node:crypto';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { checkCode, isGuess, reasonOf } from '../../../../nodes/Diyalog/codes/checks';
import type { GivenCode, Reason } from '../../../../nodes/Diyalog/codes/checks';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { verifyCode } from '../../../../nodes/Diyalog/codes/verify';
import { KnownMarks, MarkBook } from '../../../../nodes/Diyalog/memory/markBook';
import type { OpenBook } from '../../../../nodes/Diyalog/memory/markBook';
import { mark, placesOf } from '../../../../nodes/Diyalog/memory/marks';
import { lockedStore } from '../../../../nodes/Diyalog/memory/processedData';
import { ProcessedDataTable } from '../../../support/processedDataTable';
import { contextOn, processOn, times } from '../../../support/processes';

/* Two writings have to give and to leave what three gave and left, of which the last did nothing but give back. */

const keys = deriveKeys('bot-token');
const MINUTE_MS = 60_000;
const LIMITS = { attempts: 3, failures: { count: 4, windowMinutes: 10 } };
const START_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const [RIGHT, WRONG] = ['481516', '000000'];

type Verify = (book: OpenBook, given: GivenCode, nowMs: number) => Promise<Reason>;

const inTwo: Verify = async (book, given, nowMs) =>
	(await verifyCode(keys, book, given, LIMITS, nowMs)).reason;

/** Plain to see that it is right: only after it is known whether the code was used is the place given back. */
const inThree: Verify = async ({ book, store }, given, nowMs) => {
	const { attempts, failures } = LIMITS;
	const checks = checkCode(keys, given, nowMs);
	const { id, customer, expiresAtMs } = checks.challenge;
	const counts = checks.authentic && !checks.expired;
	const attemptRow = times(counts ? attempts : 0, (index) => [
		mark(keys.mark, expiresAtMs, 'attempt', id, String(index + 1)),
	]);
	const who = customer.toString('base64url');
	const places = counts ? placesOf(keys.mark, 'failure', who, failures, nowMs) : [];
	const [attempt, placeIndex] = await Promise.all([
		book.takeFirst(store, attemptRow),
		book.takeFirst(
			store,
			places.map(({ take }) => take),
		),
	]);
	const place = places[placeIndex ?? -1];
	const used = mark(keys.mark, expiresAtMs, 'used', id);
	const expected = reasonOf(checks, attempt, !place);
	const keep = isGuess(expected) ? (place?.keep ?? []) : [];
	const taken = await book.write(store, expected === 'ok' ? [used] : keep);
	const reason = expected === 'ok' && !taken.has(used.name) ? 'used' : expected;
	await book.write(store, [], isGuess(reason) ? [] : place?.take);
	return reason;
};

const issue = (customerNo: string, minutes: number): string => {
	const expiresAtMs = START_MS + minutes * MINUTE_MS;
	const sent = { code: RIGHT, customerNo, messageId: 'm', transaction: [], expiresAtMs };
	return issueChallenge(keys, sent, randomBytes);
};

const marksIn = (table: ProcessedDataTable): string[] => (table.rows.get('w/') ?? []).toSorted();

it('the same outcomes, and the same marks after each, whatever is tried at two processes', async () => {
	const challenges = [
		['70021', issue('70021', 5)],
		['70021', issue('70021', 30)],
		['70021', issue('70021', 60)],
		['70022', issue('70022', 60)],
		['70021', 'none'],
	] as const;
	const attempt = fc.record({
		challenge: fc.constantFrom(...challenges),
		code: fc.constantFrom(RIGHT, RIGHT, WRONG),
		isOther: fc.constantFrom('no', 'no', 'no', 'customer', 'transaction'),
		process: fc.nat(1),
		minutes: fc.constantFrom(0, 0, 0, 1, 7),
	});
	const seen = new Set<Reason>();
	await fc.assert(
		fc.asyncProperty(fc.array(attempt, { minLength: 1, maxLength: 25 }), async (attempts) => {
			let nowMs = START_MS;
			const clock = () => nowMs;
			const ways = [inTwo, inThree].map((verify) => {
				const table = new ProcessedDataTable();
				return { verify, table, processes: times(2, () => processOn(table, clock)) };
			});
			for (const { challenge: each, code, isOther, process: at, minutes } of attempts) {
				nowMs += minutes * MINUTE_MS;
				const given = {
					challenge: each[1],
					code,
					customerNo: isOther === 'customer' ? '70023' : each[0],
					transaction: isOther === 'transaction' ? { amount: '1' } : {},
				};
				const found: unknown[] = [];
				for (const { verify, table, processes } of ways) {
					const reason = await verify(processes[at]!, given, nowMs);
					seen.add(reason);
					found.push([reason, marksIn(table)]);
				}
				expect(found[0]).toEqual(found[1]);
			}
		}),
		{ numRuns: 300 },
	);
	// Otherwise the property would hold of less than it says.
	expect([...seen].toSorted()).toEqual([
		'expired',
		'malformed',
		'ok',
		'otherCustomer',
		'otherTransaction',
		'tooManyAttempts',
		'used',
		'wrongCode',
	]);
}, 60_000);

type Failing = 'before' | 'after';

/** n8n's helpers, of which the call with that number fails before or after it did what it was asked for. */
function failingAt(table: ProcessedDataTable, number: number, when: Failing): IExecuteFunctions {
	const context = contextOn(table);
	let calls = 0;
	const { helpers } = context;
	const failing =
		<A extends unknown[], R>(helper: (...args: A) => Promise<R>) =>
		async (...args: A): Promise<R> => {
			const fails = ++calls === number;
			if (fails && when === 'before') throw new Error('connection terminated');
			const result = await helper(...args);
			if (fails) throw new Error('connection terminated');
			return result;
		};
	Object.assign(helpers, {
		checkProcessedAndRecord: failing(helpers.checkProcessedAndRecord),
		removeProcessed: failing(helpers.removeProcessed),
		clearAllProcessedItems: failing(helpers.clearAllProcessedItems),
	});
	return context;
}

const MORE_CALLS_THAN_A_VERIFICATION_HAS = 20;

/** All ways to fail; the last ones come too late to do anything. */
const FAILURES = times(MORE_CALLS_THAN_A_VERIFICATION_HAS, (index) => index + 1).flatMap((number) =>
	(['before', 'after'] as const).map((when) => ({ number, when })),
);

const TRIES: ReadonlyArray<[Reason, string, string, number]> = [
	['ok', RIGHT, '70021', 0],
	['wrongCode', WRONG, '70021', 0],
	['otherCustomer', RIGHT, '70022', 0],
	['used', RIGHT, '70021', 1],
	['tooManyAttempts', RIGHT, '70021', LIMITS.attempts],
];

describe.each(TRIES)(
	'%s, while the database fails at any of its statements',
	(reason, code, who, before) => {
		const clock = () => START_MS;
		const right = (challenge: string): GivenCode => ({
			challenge,
			code: RIGHT,
			customerNo: '70021',
			transaction: {},
		});

		/** What is answered, and left in the table and in the process, which counts what it knows as taken. */
		const leftBy = async (
			verify: Verify,
			challenge: string,
			{ number, when }: (typeof FAILURES)[number],
			isRestarted: boolean,
		) => {
			const table = new ProcessedDataTable();
			let known = new KnownMarks();
			let book = new MarkBook(known, clock, clock);
			const { store } = processOn(table, clock);
			for (let count = 0; count < before; count++) {
				await verify({ book, store }, right(challenge), START_MS);
			}
			if (isRestarted) {
				known = new KnownMarks();
				book = new MarkBook(known, clock, clock);
			}
			const failing = lockedStore(failingAt(table, number, when), Math.random);
			const given = { ...right(challenge), code, customerNo: who };
			const earlier = marksIn(table).length;
			const answer = await verify({ book, store: failing }, given, START_MS).catch(() => 'error');
			const left = marksIn(table);
			// The lock of a process that failed to give it back would be waited for.
			table.rows.delete('w/n:verify');
			return {
				left: JSON.stringify({ answer, known: known.size, left }),
				answer,
				hasWritten: left.length > earlier,
				here: { book, store },
				elsewhere: processOn(table, clock),
			};
		};

		it.each([false, true])(
			'leaves nothing that three writings would not (restarted: %p)',
			async (isRestarted) => {
				const challenge = issue('70021', 5);
				const [two, three] = [new Set<string>(), new Set<string>()];
				const answers = new Set<string>();
				for (const failure of FAILURES) {
					const { left, answer } = await leftBy(inTwo, challenge, failure, isRestarted);
					two.add(left);
					answers.add(answer);
					three.add((await leftBy(inThree, challenge, failure, isRestarted)).left);
				}
				expect(answers).toEqual(new Set(['error', reason]));
				expect([...two].filter((left) => !three.has(left))).toEqual([]);
			},
		);

		it.each(['here', 'elsewhere'] as const)(
			'is an attempt that was made, %s, and accepts nothing twice',
			async (where) => {
				const challenge = issue('70021', 5);
				for (const failure of FAILURES) {
					const found = await leftBy(inTwo, challenge, failure, false);
					const isMade = where === 'here' || found.hasWritten;
					const later: string[] = [];
					while (later.at(-1) !== 'tooManyAttempts') {
						later.push(await inTwo(found[where], right(challenge), START_MS));
					}
					const left = Math.max(0, LIMITS.attempts - before - (isMade ? 1 : 0));
					expect(later).toHaveLength(left + 1);
					const accepted = [before > 0 ? 'ok' : '', found.answer, ...later];
					expect(accepted.filter((each) => each === 'ok').length).toBeLessThanOrEqual(1);
				}
			},
		);
	},
);
