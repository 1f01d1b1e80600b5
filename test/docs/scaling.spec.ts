import { partOf } from '../bench/page';
import { JOB_LABELS } from '../bench/scale/costs';
import { coresOf, LOADS } from '../bench/scale/report';
import { path, projectRoot, readFileSync } from '../../tools/system';
import { describeUnless } from '../support/skip';

/* docs/scaling.md is written from figures; what is a model in it has to follow from what was measured in it. */

const page = readFileSync(path.join(projectRoot, 'docs', 'scaling.md'), 'utf8');
const part = partOf(page, 'scale');

/** The cells of all rows that begin with one of these. */
const rows = (...first: string[]): string[][] =>
	part
		.split('\n')
		.map((line) =>
			line
				.split('|')
				.map((cell) => cell.trim())
				.slice(1, -1),
		)
		.filter(([cell = '']) => first.includes(cell));

const numberOf = (text = ''): number => Number(/^[\d,.]+/.exec(text)?.[0].replaceAll(',', ''));

/** Figures are written without decimals. */
const isNear = (found: number, expected: number) =>
	expect(Math.abs(found - expected)).toBeLessThanOrEqual(Math.max(0.02 * expected, 1));

const MODES = ['One process, SQLite', 'One process, PostgreSQL', 'Queue mode, PostgreSQL'];

const WORK: readonly string[] = Object.values(JOB_LABELS);

const costRows = (mode: string) => rows(mode).filter(([, work = '']) => WORK.includes(work));

const IS_WRITTEN = part.includes('## What to run');

describeUnless(
	IS_WRITTEN ? undefined : '`npm run bench -- scale --write` has not written it yet',
	'the figures of docs/scaling.md',
	() => {
		it.each(MODES)('%s: what a core does in a second follows from what one costs', (mode) => {
			const all = costRows(mode);
			expect(all).toHaveLength(WORK.length);
			for (const [, , , cpu, perCore] of all) isNear(numberOf(perCore), 1_000 / numberOf(cpu));
		});

		it('the cores of every load follow from what its work costs', () => {
			const cpu = costRows(MODES[1] ?? '').map(([, , , each]) => numberOf(each));
			const [codeSent = 0, codeVerified = 0, questionSent = 0, questionAnswered = 0] = cpu;
			const cost = (main: number) => ({ perSecond: 0, cpuMs: { main } });
			const costs = {
				codeSent: cost(codeSent),
				codeVerified: cost(codeVerified),
				questionSent: cost(questionSent),
				questionAnswered: cost(questionAnswered),
			};
			for (const load of LOADS) {
				const [row] = rows(load.codesPerHour.toLocaleString('en'));
				const [, open, taps, cores, advice] = row ?? [];
				expect([numberOf(open), numberOf(taps)]).toEqual([
					load.openQuestions,
					load.tapsInBusiestMinute,
				]);
				const expected = coresOf(costs, load);
				expect(Math.abs(Number(cores) - expected)).toBeLessThanOrEqual(0.02 * expected + 0.01);
				expect(advice).toMatch(/^(one process|queue mode), /);
			}
		});

		it.each(MODES.slice(0, 2))('%s was measured with 100,000 executions that wait', (mode) => {
			const counts = rows(mode).filter((cells) => cells.length === 7);
			expect(counts.map(([, count]) => numberOf(count))).toEqual([0, 10_000, 100_000]);
		});
	},
);
