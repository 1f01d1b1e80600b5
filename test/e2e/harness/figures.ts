import { z } from 'zod';
import { fs, os, path, print, projectRoot } from '../../../tools/system';
import { n8nName } from '../../../tools/n8n/install';

/*
 * What the parts of the proof found out, one line of JSON each, added to one file by every part; the report is made
 * from the last finding of each.
 */

const FIGURES_FILE = path.join(projectRoot, '.cache', 'proof', 'figures.jsonl');

const figureSchema = z.object({
	/** the part of the proof, as the headline of its table */
	part: z.string(),
	what: z.string(),
	/** what was found: counts, and ratios of one run */
	found: z.string(),
	/** figures of this machine at this moment, which say little elsewhere: printed, not documented */
	detail: z.string().optional(),
	/** what it had to be, for those that can be missed */
	target: z.string().optional(),
	/** whether the target was met */
	met: z.boolean().optional(),
});

const lineSchema = figureSchema.extend({
	at: z.string(),
	n8n: z.string(),
	cores: z.number(),
	/** how many processes wanted to run on average in the last minute, others' included */
	load: z.number(),
});

/** One finding. */
export type Figure = z.output<typeof figureSchema>;
/** One finding and under which circumstances it was made. */
export type RecordedFigure = z.output<typeof lineSchema>;

/** Prints a finding and adds it to the file from which the report is made. */
export async function record(figure: Figure): Promise<void> {
	const line: RecordedFigure = {
		...figure,
		at: new Date().toISOString(),
		n8n: n8nName(),
		cores: os.cpus().length,
		load: Math.round((os.loadavg()[0] ?? 0) * 10) / 10,
	};
	const target = figure.target === undefined ? '' : ` (target: ${figure.target})`;
	const detail = figure.detail === undefined ? '' : ` [${figure.detail}]`;
	print(`  ${figure.part}: ${figure.what}: ${figure.found}${target}${detail}`);
	await fs.mkdir(path.dirname(FIGURES_FILE), { recursive: true });
	await fs.appendFile(FIGURES_FILE, `${JSON.stringify(line)}\n`);
}

/** The last finding of each kind, in the order in which the kinds were found first. */
export async function lastFigures(): Promise<RecordedFigure[]> {
	const text = await fs.readFile(FIGURES_FILE, 'utf8').catch(() => '');
	const last = new Map<string, RecordedFigure>();
	for (const line of text.split('\n').filter((each) => each !== '')) {
		const figure = lineSchema.parse(JSON.parse(line));
		last.set(JSON.stringify([figure.part, figure.what]), figure);
	}
	return [...last.values()];
}
