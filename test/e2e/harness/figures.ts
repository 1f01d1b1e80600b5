import { z } from 'zod';
import { fs, os, path, print, projectRoot } from '../../../tools/system';
import { n8nName } from '../../../tools/n8n/install';

/*
 * What the parts of the proof found out, one line of JSON each, added to one file by every part; the report is made
 * from the last finding of each. All parts take hours: what a report was written from stands beside it, so that a part that
 * runs alone, or elsewhere, changes its own lines only.
 */

const FIGURES_FILE = path.join(projectRoot, '.cache', 'proof', 'figures.jsonl');
const REPORTED_FILE = path.join(projectRoot, 'docs', 'proof.jsonl');

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
	/** why it is missed where it is, for the report */
	whyMissed: z.string().optional(),
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

async function figuresIn(file: string): Promise<RecordedFigure[]> {
	const text = await fs.readFile(file, 'utf8').catch(() => '');
	const lines = text.split('\n').filter((each) => each !== '');
	return lines.map((line) => lineSchema.parse(JSON.parse(line)));
}

/** The last finding of each kind, in the order in which the kinds were found first. */
export async function lastFigures(): Promise<RecordedFigure[]> {
	const last = new Map<string, RecordedFigure>();
	for (const figure of [...(await figuresIn(REPORTED_FILE)), ...(await figuresIn(FIGURES_FILE))]) {
		const kind = JSON.stringify([figure.part, figure.what]);
		if ((last.get(kind)?.at ?? '') <= figure.at) last.set(kind, figure);
	}
	return [...last.values()];
}

/** Writes down what a report was made from. */
export async function writeReported(figures: readonly RecordedFigure[]): Promise<void> {
	await fs.writeFile(
		REPORTED_FILE,
		figures.map((figure) => `${JSON.stringify(figure)}\n`).join(''),
	);
}
