import { fs, os, path, projectRoot } from '../../tools/system';

/* docs/benchmarks.md: each benchmark writes its own part and leaves the others alone. */

/** The page that `--write` writes. */
export const PAGE_FILE = path.join(projectRoot, 'docs', 'benchmarks.md');

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

/** What says how much a figure is worth, and names no machine. */
export const machine = () => ({
	date: new Date().toISOString().slice(0, 10),
	cores: os.cpus().length,
	memoryGib: Math.round(os.totalmem() / BYTES_PER_GIB),
});

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

/** Puts a part into the documentation. */
export async function writePart(name: string, text: string): Promise<void> {
	const page = await fs.readFile(PAGE_FILE, 'utf8');
	await fs.writeFile(PAGE_FILE, await formatted(withPart(page, name, text)));
}
