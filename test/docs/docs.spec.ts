import { z } from 'zod';
import { existsSync, filesBelow, fs, path, projectRoot } from '../../tools/system';

/* What the documentation names has to be there. */

const FOLDERS = ['docs', 'sandbox', '.github'];

async function documents(): Promise<string[]> {
	const root = await fs.readdir(projectRoot);
	const below = await Promise.all(
		FOLDERS.map(async (folder) => await filesBelow(path.join(projectRoot, folder))),
	);
	return [...root.map((name) => path.join(projectRoot, name)), ...below.flat()].filter((file) =>
		file.endsWith('.md'),
	);
}

/** The anchor that GitHub gives to a headline. */
const anchorOf = (headline: string): string =>
	headline
		.trim()
		.toLowerCase()
		.replace(/[^\p{L}\p{N} _-]/gu, '')
		.replaceAll(' ', '-');

const anchorsIn = (markdown: string): string[] =>
	[...markdown.matchAll(/^#+ (.*)$/gm)].map(([, headline = '']) => anchorOf(headline));

it('every link leads somewhere', async () => {
	const broken: string[] = [];
	for (const file of await documents()) {
		const text = await fs.readFile(file, 'utf8');
		for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
			if (/^https?:/.test(link)) continue;
			const [name = '', anchor] = link.split('#');
			const target = name === '' ? file : path.resolve(path.dirname(file), name);
			const isThere =
				existsSync(target) &&
				(anchor === undefined || anchorsIn(await fs.readFile(target, 'utf8')).includes(anchor));
			if (!isThere) broken.push(`${path.relative(projectRoot, file)}: ${link}`);
		}
	}
	expect(broken).toEqual([]);
});

it('every command is one of package.json', async () => {
	const { scripts } = z
		.object({ scripts: z.record(z.string()) })
		.parse(JSON.parse(await fs.readFile(path.join(projectRoot, 'package.json'), 'utf8')));
	const unknown: string[] = [];
	for (const file of await documents()) {
		const text = await fs.readFile(file, 'utf8');
		for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) {
			if (!(name in scripts)) unknown.push(`${path.relative(projectRoot, file)}: ${name}`);
		}
	}
	expect(unknown).toEqual([]);
});

/** The tests that a threat names: a link to their file, then numbers ("1 to 3, 7") and names in quotes. */
const NAMED_TESTS = /\]\((\.\.\/test\/[^)]+)\)([^[]*)/g;

/** What has to stand in the file, for the numbers and names behind a link. */
function namesOf(behind: string): RegExp[] {
	const names = [...behind.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
	const numbers = [...behind.replace(/"[^"]+"/g, '').matchAll(/(\d+)(?:\s+to\s+(\d+))?/g)].flatMap(
		([, first = '', last = first]) =>
			Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
	);
	return [
		...names.map((name) => name.replace(/\s+/g, ' ').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')),
		...numbers.map((number) => `['"\`](attack )?${number}\\. `),
	].map((pattern) => new RegExp(pattern));
}

it('every test that a threat names is there', async () => {
	const file = path.join(projectRoot, 'docs', 'security.md');
	const text = await fs.readFile(file, 'utf8');
	const threats = text.split(/^(?=## |\d+\. )/m).filter((part) => /^\d/.test(part));
	expect(threats.length).toBeGreaterThan(10);
	const missing: string[] = [];
	for (const threat of threats) {
		const named = [...threat.matchAll(NAMED_TESTS)];
		if (named.length === 0) missing.push(`no test: ${threat}`);
		for (const [, link = '', behind = ''] of named) {
			const tests = await fs.readFile(path.resolve(path.dirname(file), link), 'utf8');
			const patterns = namesOf(behind);
			if (patterns.length === 0) missing.push(`${link}: neither number nor name`);
			for (const pattern of patterns)
				if (!pattern.test(tests)) missing.push(`${link}: ${pattern.source}`);
		}
	}
	expect(missing).toEqual([]);
});

it('every example is in the README', async () => {
	const readme = await fs.readFile(path.join(projectRoot, 'README.md'), 'utf8');
	const examples = await fs.readdir(path.join(projectRoot, 'examples'));
	expect(examples.filter((name) => !readme.includes(name))).toEqual([]);
});

it('workflows run only actions that are pinned by commit, with the least permissions', async () => {
	const files = await filesBelow(path.join(projectRoot, '.github', 'workflows'));
	expect(files.length).toBeGreaterThan(0);
	for (const file of files) {
		const text = await fs.readFile(file, 'utf8');
		const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
		expect(uses.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([]);
		expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
	}
});
