import { n8nName, NODE_VERSION } from '../../tools/n8n/install';
import { fs, os, path, print, projectRoot } from '../../tools/system';
import type { Row } from './benchmark';

/* docs/benchmarks.md: each benchmark writes its own part and leaves the others alone; above them stand all ratios of one run. */

/** The page that `--write` writes, unless a benchmark has one of its own. */
const PAGE = 'benchmarks.md';

const BYTES_PER_GIB = 2 ** 30;

/** Markdown as the whole repository has it, with columns in line. */
export async function formatted(markdown: string): Promise<string> {
	const { format } = await import('prettier');
	return await format(markdown, { parser: 'markdown' });
}

/** A Markdown table. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Where figures come from: what says how much they are worth, and names no machine. */
export const circumstances = () => ({
	date: new Date().toISOString().slice(0, 10),
	cores: os.cpus().length,
	memoryGib: Math.round(os.totalmem() / BYTES_PER_GIB),
	n8nVersion: n8nName(),
	nodeVersion: NODE_VERSION,
});

export type Circumstances = ReturnType<typeof circumstances>;

const verdict = ({ met }: Row): string => {
	if (met === undefined) return '';
	return met ? 'met' : 'missed';
};

const cellsOf = (row: Row): string[] => [row.what, row.measured, row.target, verdict(row)];

/** What one benchmark has measured, beside what is demanded. */
export const targetsTable = (rows: readonly Row[]): string =>
	table(['What', 'Measured', 'Target', ''], rows.map(cellsOf));

/** What all benchmarks have measured in one run, beside what is demanded. */
export const ratiosTable = (found: ReadonlyArray<{ name: string; rows: readonly Row[] }>): string =>
	table(
		['Benchmark', 'What', 'Measured', 'Target', ''],
		found.flatMap(({ name, rows }) => rows.map((row) => [name, ...cellsOf(row)])),
	);

/** What is known of the targets that this machine misses; figures are those of 2026-11-29. */
const WHY_MISSED = `

### Why targets are missed

- **Differences below about 15 %** cannot be told on such a machine: on the same day two runs gave 1.04x and 1.19x for fields against the HTTP Request node,
  and 88 ms and 59 ms for loading.
- **An OTP as JSON**: the Diyalog node checks the message and seals the code into a challenge. The HTTP Request node does neither.
- **Against one by one**: an item costs some milliseconds of CPU, and the server's 50 ms stay the same. The slower the machine, the smaller the ratio.
- **Many answers in one moment**: the presses come out of the trigger as well, so n8n starts one more execution for each call. Without them the targets are
  met. A press behind 200 others waits until n8n, which has one thread, has judged those.
- **Presses by hand**: the Code node works in n8n's task runner, a second process on the second core. For the CPU of a call the ratio is above 4x.
- **Presses against Webhook nodes**: those check no signature and remember nothing. The trigger does both, and n8n writes that down. With 10 presses a call it
  takes more than a Webhook node with Header Auth.
- **Filtered batches**: n8n reads the workflow and the credential for each call, whatever the node does then.
- **Loading** is a time, not a ratio, and was set on a faster machine.`;

/**
 * The part of the page with all ratios.
 *
 * @param minutes that the run took
 */
export function renderRatios(
	found: ReadonlyArray<{ name: string; rows: readonly Row[] }>,
	minutes: number,
	{ command, date, n8nVersion, nodeVersion, cores }: Circumstances & { command: string },
): string {
	const rows = found.flatMap((each) => each.rows).filter(({ met }) => met !== undefined);
	const met = rows.filter((row) => row.met).length;
	return `## All ratios

\`${command}\` measured these in one run of ${minutes} minutes on ${date}: n8n ${n8nVersion} on Node ${nodeVersion}, ${cores} cores.
${met} of ${rows.length} targets are met.

${ratiosTable(found)}${WHY_MISSED}`;
}

const begin = (name: string) => `<!-- ${name}: begin -->`;
const end = (name: string) => `<!-- ${name}: end -->`;

/** A part of a page with its markers; empty when the page has none of this name. */
export function partOf(page: string, name: string): string {
	const [from, to] = [page.indexOf(begin(name)), page.indexOf(end(name))];
	return from < 0 || to < from ? '' : page.slice(from, to + end(name).length);
}

/** The page with a part put where it was, or at the end. */
export function withPart(page: string, name: string, text: string): string {
	const part = `${begin(name)}\n\n${text.trim()}\n\n${end(name)}`;
	const old = partOf(page, name);
	return old === '' ? `${page.trimEnd()}\n\n${part}\n` : page.replace(old, () => part);
}

/** Puts a part into a page of the documentation, and says so. */
export async function writePart(name: string, text: string, pageName = PAGE): Promise<void> {
	const file = path.join(projectRoot, 'docs', pageName);
	const page = await fs.readFile(file, 'utf8');
	await fs.writeFile(file, await formatted(withPart(page, name, text)));
	print(`Written: docs/${pageName}`);
}
