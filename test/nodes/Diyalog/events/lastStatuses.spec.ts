import fc from 'fast-check';
import { FINGERPRINT_CHARACTERS } from '../../../../nodes/Diyalog/events/fingerprint';
import type { CallbackFingerprint } from '../../../../nodes/Diyalog/events/fingerprint';
import { LastStatuses } from '../../../../nodes/Diyalog/events/lastStatuses';

/* Callbacks of one message, of which only the last one counts as a repetition. */

const callback = (status: string): CallbackFingerprint => ({
	subject: 'message'.padEnd(FINGERPRINT_CHARACTERS, '.'),
	text: status.padEnd(FINGERPRINT_CHARACTERS, '.'),
});
const APPROVED = callback('approved');
const CANCELLED = callback('cancelled');

it('two are under way together and n8n stores neither: the repetition of both is taken', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each, true)).toBe(true);
	statuses.forget(APPROVED);
	statuses.forget(CANCELLED);
	expect(statuses.toText()).toBe('');
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each)).toBe(true);
});

it('two are under way together, and the first is dealt with: nobody knows after a restart whether the second was, so the first may come again', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) statuses.add(each, true);
	statuses.settle(APPROVED);
	const restarted = new LastStatuses();
	restarted.merge(statuses.toText());
	expect(restarted.add(APPROVED)).toBe(true);
	statuses.settle(CANCELLED);
	statuses.settle(APPROVED);
	expect(statuses.toText()).toBe(`${CANCELLED.subject}${CANCELLED.text}`);
});

it('one that n8n did not store in the end is not stored as dealt with', () => {
	const statuses = new LastStatuses();
	statuses.add(APPROVED);
	statuses.add(CANCELLED, true);
	statuses.settle(CANCELLED);
	statuses.forget(CANCELLED);
	expect(statuses.toText()).toBe(`${APPROVED.subject}${APPROVED.text}`);
	expect(statuses.add(CANCELLED)).toBe(true);
});

it('two have ended before n8n fails to store both: the repetition of both is taken', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) statuses.add(each, true);
	for (const each of [APPROVED, CANCELLED]) statuses.settle(each);
	for (const each of [APPROVED, CANCELLED]) statuses.forget(each);
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each)).toBe(true);
});

describe('two processes count the statuses of one message', () => {
	const SUBJECT = 'subject-00';
	const status = (text: string) => ({ subject: SUBJECT, text: text.padEnd(10, '-') });

	it.each([1, 2, 3, 40])(
		'n8n fails to store a status %i times here, and stores it there: the one before is new afterwards, and not lost',
		(times) => {
			const [here, there] = [new LastStatuses(), new LastStatuses()];
			here.add(status('Approved'));
			there.merge(here.toText(), here.toCounts());
			for (let time = 0; time < times; time++) {
				expect(here.add(status('Cancelled'), true)).toBe(true);
				here.forget(status('Cancelled'));
			}
			expect(there.add(status('Cancelled'))).toBe(true);
			here.merge(there.toText(), there.toCounts());
			expect(here.add(status('Approved'))).toBe(true);
		},
	);

	it('three are under way together, and n8n stores none of them: what the other process has taken since is newer', () => {
		const [here, there] = [new LastStatuses(), new LastStatuses()];
		here.add(status('Approved'));
		there.merge(here.toText(), here.toCounts());
		const open = ['Cancelled', 'SentToUser', 'Failed'].map(status);
		for (const each of open) here.add(each, true);
		for (const each of open) here.forget(each);
		there.add(status('Cancelled'));
		here.merge(there.toText(), there.toCounts());
		expect(here.add(status('Approved'))).toBe(true);
	});
});

/** What became of one that was taken. */
type End = 'open' | 'settled' | 'forgotten';

type Step =
	| { kind: 'add'; which: number }
	| { kind: 'settle' | 'forget'; which: number }
	| { kind: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), which: fc.nat(2) }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(9) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), which: fc.nat(9) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

it('attack: whatever is under way when n8n fails or is killed, no new status is lost, and without that none is taken twice', () => {
	const all = ['approved', 'cancelled', 'timeout'].map(callback);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
			let statuses = new LastStatuses();
			const taken: Array<{ of: CallbackFingerprint; end: End }> = [];
			let isQuiet = true;
			for (const next of steps) {
				const open = taken.filter(({ end }) => end === 'open');
				if (next.kind === 'add') {
					const of = { ...(all[next.which] ?? APPROVED) };
					const last = taken.filter(({ end }) => end !== 'forgotten').at(-1);
					const isNew = statuses.add(of, true);
					// It is the last one again, and that one is not lost.
					if (!isNew) expect(last?.of).toEqual(of);
					else if (isQuiet) expect(last?.of).not.toEqual(of);
					if (isNew) taken.push({ of, end: 'open' });
				} else if (next.kind === 'restart') {
					const restarted = new LastStatuses();
					restarted.merge(statuses.toText(), statuses.toCounts());
					statuses = restarted;
					isQuiet &&= open.length === 0;
					for (const each of open) each.end = 'forgotten';
				} else {
					const one = open[next.which % Math.max(1, open.length)];
					if (!one) continue;
					statuses[next.kind](one.of);
					one.end = next.kind === 'settle' ? 'settled' : 'forgotten';
					isQuiet &&= next.kind === 'settle';
				}
			}
		}),
		{ numRuns: 20_000 },
	);
}, 60_000);

describe('another process reads what is stored while a status is under way here', () => {
	function read(from: LastStatuses, by = new LastStatuses()): LastStatuses {
		by.merge(from.toText(), from.toCounts());
		return by;
	}

	it('attack: an older status that comes there is new, as the one under way may have come between', () => {
		const here = new LastStatuses();
		here.add(APPROVED);
		here.add(CANCELLED, true);
		expect(read(here).add(APPROVED)).toBe(true);
	});

	it('it has ended, and that is read as well: its repetition there is one', () => {
		const here = new LastStatuses();
		here.add(APPROVED);
		here.add(CANCELLED, true);
		const there = read(here);
		here.settle(CANCELLED);
		expect(read(here, there).add(CANCELLED)).toBe(false);
	});

	it('attack: n8n has stored none of two here, and the other process writes the one before again: the second is new all the same', () => {
		const here = new LastStatuses();
		here.add(APPROVED);
		const there = read(here);
		for (const each of [CANCELLED, APPROVED]) here.add(each, true);
		for (const each of [CANCELLED, APPROVED]) here.forget(each);
		expect(read(there, here).add(APPROVED)).toBe(true);
	});
});

it('so many are under way together that nobody tells any more which was the last one: none is lost after a restart', () => {
	const statuses = new LastStatuses();
	for (let time = 0; time < 100; time++)
		for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each, true)).toBe(true);
	const restarted = new LastStatuses();
	restarted.merge(statuses.toText(), statuses.toCounts());
	expect(restarted.add(CANCELLED)).toBe(true);
});

/** What another process, or this one after it was killed, reads of it. */
function readBy(from: LastStatuses, by = new LastStatuses()): LastStatuses {
	by.merge(from.toText(), from.toCounts());
	return by;
}

it('attack: two say the same, and the first one ends: the second is under way all the same', () => {
	const statuses = new LastStatuses();
	const [first, second] = [{ ...APPROVED }, { ...APPROVED }];
	for (const each of [first, CANCELLED, second]) expect(statuses.add(each, true)).toBe(true);
	for (const each of [CANCELLED, first]) statuses.settle(each);
	expect(readBy(statuses).add(APPROVED)).toBe(true);
});

it('attack: two say the same, and n8n does not store the first one: what comes between is no repetition once the second is stored', () => {
	const statuses = new LastStatuses();
	const [first, second] = [{ ...APPROVED }, { ...APPROVED }];
	for (const each of [first, CANCELLED, second]) expect(statuses.add(each, true)).toBe(true);
	statuses.settle(CANCELLED);
	statuses.forget(first);
	statuses.settle(second);
	expect(readBy(statuses).add(CANCELLED)).toBe(true);
	expect(statuses.add(CANCELLED)).toBe(true);
});

it('attack: 21 are under way together, and the first ends: it is not the 21st, which says the same', () => {
	const statuses = new LastStatuses();
	const all = Array.from({ length: 21 }, (_, at) => ({ ...(at % 2 ? CANCELLED : APPROVED) }));
	for (const each of all) expect(statuses.add(each, true)).toBe(true);
	statuses.settle(all[0] ?? APPROVED);
	expect(readBy(statuses).add(APPROVED)).toBe(true);
});

it('attack: another process has taken others meanwhile, and one that was under way before ends: a later one that says the same is under way', () => {
	const [here, there] = [new LastStatuses(), new LastStatuses()];
	const [first, second] = [{ ...APPROVED }, { ...APPROVED }];
	here.add(first, true);
	for (const each of [APPROVED, CANCELLED]) there.add(each);
	readBy(there, here);
	expect(here.add(second, true)).toBe(true);
	here.settle(first);
	expect(readBy(here).add(APPROVED)).toBe(true);
});

it('attack: processes take statuses one after the other, and nothing fails: no new one is lost, and no repeated one is taken', () => {
	const taking = fc.record({ by: fc.nat(2), which: fc.nat(2) });
	fc.assert(
		fc.property(fc.array(taking, { maxLength: 60 }), (takings) => {
			const processes = [0, 1, 2].map(() => new LastStatuses());
			const all = ['approved', 'cancelled', 'timeout'].map(callback);
			let stored = new LastStatuses();
			let last: CallbackFingerprint | undefined;
			let count = 0;
			for (const { by, which } of takings) {
				const process = readBy(stored, processes[by]);
				const of = { ...(all[which] ?? APPROVED) };
				const isNew = process.add(of, true);
				if (of.text !== last?.text) expect(isNew).toBe(true);
				// Above that nobody tells what is newer.
				else if (count < 35) expect(isNew).toBe(false);
				if (!isNew) continue;
				process.settle(of);
				stored = process;
				last = of;
				count++;
			}
		}),
		{ numRuns: 1_000 },
	);
}, 60_000);
