import { args, env, exitWith, fs, path, print, projectRoot, runVisibly } from '../../tools/system';
import { IN_FULL } from './harness/extent';
import { lastFigures, writeReported } from './harness/figures';
import { renderPage, renderTables } from './harness/report';

const USAGE = `Usage: npm run test:soak -- [<part> ...]        run everything, or some parts, in full; then the table
       npm run test:soak -- report [--write]   only the table of the last figures; --write puts it into docs/proof.md,
                                               and the figures into docs/proof.jsonl, where the next report finds them

Parts are the files of test/e2e by name: editor, queue, faults, load, send, trigger, wait,
version, webhook`;

/** Markdown as the whole repository has it, with columns in line. */
async function formatted(markdown: string): Promise<string> {
	const { format } = await import('prettier');
	return await format(markdown, { parser: 'markdown' });
}

async function report(): Promise<void> {
	const figures = await lastFigures();
	print(await formatted(renderTables(figures)));
	if (!args.includes('--write')) return;
	const page = await formatted(renderPage(figures));
	await fs.writeFile(path.join(projectRoot, 'docs', 'proof.md'), page);
	await writeReported(figures);
	print('Written: docs/proof.md, and what it was made from: docs/proof.jsonl');
}

async function main(): Promise<void> {
	const unknown = args.find((word) => word.startsWith('-') && word !== '--write');
	if (unknown) {
		print(`There is no option ${unknown}.\n\n${USAGE}`);
		return exitWith(1);
	}
	const parts = args.filter((word) => !word.startsWith('-'));
	if (parts[0] === 'report') return await report();
	const jest = path.join(projectRoot, 'node_modules', '.bin', 'jest');
	const code = await runVisibly(jest, ['--config', 'jest.soak.config.js', ...parts], {
		cwd: projectRoot,
		env: { ...env, [IN_FULL]: '1' },
	});
	await report();
	exitWith(code);
}

main().catch((error: unknown) => {
	print(error instanceof Error ? (error.stack ?? error.message) : String(error));
	exitWith(1);
});
