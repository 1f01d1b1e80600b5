import { customerFingerprint } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import type { OpenBook } from '../../../../nodes/Diyalog/memory/markBook';
import { permitSend } from '../../../../nodes/Diyalog/memory/permit';
import { ProcessedDataTable } from '../../../support/processedDataTable';
import { namesIn, processOn, times } from '../../../support/processes';

/* Somebody floods a customer with codes. */

const keys = deriveKeys('bot-token');
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

let nowMs = START_MS;
const clock = () => nowMs;
beforeEach(() => {
	nowMs = START_MS;
});

const SENDS = { sends: { count: 5, windowMinutes: 10 }, firstGapSeconds: 15 };
const customer = customerFingerprint(keys, '70021').toString('base64url');

const sentAt = async (book: OpenBook, everyMs: number, untilMs: number): Promise<number[]> => {
	const sent: number[] = [];
	for (; nowMs < START_MS + untilMs; nowMs += everyMs) {
		const permit = await permitSend(keys.mark, book, customer, SENDS, nowMs);
		if (permit.granted) sent.push(nowMs - START_MS);
	}
	return sent;
};

it('1. five in ten minutes, and the gaps grow', async () => {
	const book = processOn(new ProcessedDataTable(), clock, 'plain');
	const sent = await sentAt(book, 1_000, 10 * MINUTE_MS);
	expect(sent).toHaveLength(5);
	const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
	for (const [index, least] of [15, 30, 60, 120].entries()) {
		expect(gaps[index]).toBeGreaterThanOrEqual(least * 1_000);
		expect(gaps[index]).toBeLessThanOrEqual((least + 8) * 1_000);
	}
});

it('2. never more than five in any ten minutes', async () => {
	const book = processOn(new ProcessedDataTable(), clock, 'plain');
	const sent = await sentAt(book, 5_000, 60 * MINUTE_MS);
	for (const begin of sent) {
		const within = sent.filter((at) => at >= begin && at < begin + 10 * MINUTE_MS);
		expect(within.length).toBeLessThanOrEqual(5);
	}
	expect(sent.length).toBeGreaterThan(15);
});

it('3. at the same time: one', async () => {
	const book = processOn(new ProcessedDataTable(2), clock, 'plain');
	const permits = await Promise.all(
		times(100, () => permitSend(keys.mark, book, customer, SENDS, nowMs)),
	);
	expect(permits.filter(({ granted }) => granted)).toHaveLength(1);
});

it('4. at the same time, while a part of the first gap begins: one', async () => {
	const book = processOn(new ProcessedDataTable(2), clock, 'plain');
	const PART_MS = 7_500;
	const end = Math.ceil(START_MS / PART_MS) * PART_MS;
	const at = (whenMs: number) =>
		times(10, async () => await permitSend(keys.mark, book, customer, SENDS, whenMs));
	const permits = await Promise.all([...at(end - 1), ...at(end)]);
	expect(permits.filter(({ granted }) => granted)).toHaveLength(1);
});

it('5. a code that was not sent does not count', async () => {
	const book = processOn(new ProcessedDataTable(), clock, 'plain');
	for (let count = 0; count < 10; count++) {
		const permit = await permitSend(keys.mark, book, customer, SENDS, nowMs);
		expect(permit.granted).toBe(true);
		if (permit.granted) await permit.giveBack();
	}
});

it('6. without limits, everything', async () => {
	const book = processOn(new ProcessedDataTable(), clock, 'plain');
	const none = { sends: { count: 0, windowMinutes: 10 }, firstGapSeconds: 0 };
	for (let count = 0; count < 20; count++) {
		expect(await permitSend(keys.mark, book, customer, none, nowMs)).toMatchObject({
			granted: true,
		});
	}
});

it('7. an update of the package frees nothing: marks have the names that earlier releases gave them', async () => {
	const { names, opened } = namesIn(clock);
	await permitSend(keys.mark, opened, customer, SENDS, nowMs);
	expect(names).toEqual([
		'FSCJVQonkrZ_7X7CyoeK89',
		'DFGGCir-1GDbdFmEDMmAsH',
		'D6ue0iK2XGd6KOFeGa_qTl',
		'gUNOJF_z6E0RYUfRJVomNu',
		'eeN1vizFr7_eoCqasJZs9b',
		'CqAKoXbIjx5jXHBqHDVCOw',
		'TLluLdMR_Xbbn5qzzenYV8',
		'U49UsIbuGqGVVYnDL4Ltz4',
	]);
});

it('8. a restart frees nothing, and neither does another process', async () => {
	const table = new ProcessedDataTable();
	const limits = { sends: { count: 3, windowMinutes: 10 }, firstGapSeconds: 0 };
	const granted: boolean[] = [];
	for (let count = 0; count < 5; count++) {
		const book = processOn(table, clock, 'plain');
		granted.push((await permitSend(keys.mark, book, customer, limits, nowMs)).granted);
	}
	expect(granted).toEqual([true, true, true, false, false]);
	nowMs += 13 * MINUTE_MS;
	const book = processOn(table, clock, 'plain');
	expect(await permitSend(keys.mark, book, customer, limits, nowMs)).toMatchObject({
		granted: true,
	});
});

it.each([
	['with the usual limits', SENDS],
	['without a gap', { sends: { count: 2, windowMinutes: 3 }, firstGapSeconds: 0 }],
	['with long gaps', { sends: { count: 9, windowMinutes: 30 }, firstGapSeconds: 60 }],
])('9. who is refused is told exactly when the next is possible, %s', async (_, limits) => {
	const book = processOn(new ProcessedDataTable(), clock, 'plain');
	const ask = async () => await permitSend(keys.mark, book, customer, limits, nowMs);
	let refusals = 0;
	for (let count = 0; count < 12; count++) {
		const permit = await ask();
		if (permit.granted) continue;
		refusals++;
		const { nextAtMs } = permit;
		expect(nextAtMs).toBeGreaterThan(nowMs);
		nowMs = nextAtMs - 1;
		expect(await ask()).toEqual({ granted: false, nextAtMs });
		nowMs = nextAtMs;
		expect(await ask()).toMatchObject({ granted: true });
	}
	expect(refusals).toBeGreaterThan(2);
});
