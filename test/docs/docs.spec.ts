import { z } from 'zod';
import { existsSync, filesBelow, fs, path, projectRoot } from '../support/system';

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

it('every test that a threat names is there', async () => {
	const text = await fs.readFile(path.join(projectRoot, 'docs', 'security.md'), 'utf8');
	const named = [...text.matchAll(/`(test\/[\w./]+)`/g)].map(([, file = '']) => file);
	expect(named.length).toBeGreaterThan(10);
	expect(named.filter((file) => !existsSync(path.join(projectRoot, file)))).toEqual([]);
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
