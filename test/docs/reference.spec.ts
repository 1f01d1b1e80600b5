import type { INodeProperties } from 'n8n-workflow';
import { resources } from '../../nodes/Diyalog/actions';
import { fieldTables, withTables } from '../../tools/fieldTables';
import {
	readPage,
	REFERENCE_FOLDER,
	REFERENCE_PAGES,
	renewedPage,
} from '../../tools/referencePages';
import { filesBelow, fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';

/* The tables of docs/reference are made of the fields; `npm run docs` writes them. */

it.each(REFERENCE_PAGES.map((page) => [page.file, page] as const))(
	'%s has the fields as they are now',
	async (_, page) => {
		expect(await readPage(page)).toBe(await renewedPage(REFERENCE_FOLDER, page));
	},
);

it('npm run docs writes the tables into the pages', async () => {
	const folder = await temporaryFolder('reference');
	for (const page of REFERENCE_PAGES)
		await fs.writeFile(path.join(folder, page.file), withTables(await readPage(page), 'old'));
	await run('npm', ['run', '--silent', 'docs', '--', folder], { cwd: projectRoot });
	for (const page of REFERENCE_PAGES)
		expect(await fs.readFile(path.join(folder, page.file), 'utf8')).toBe(await readPage(page));
}, 120_000);

it('every operation has its fields on a page', () => {
	const onPages = REFERENCE_PAGES.flatMap(({ sections }) => sections.map(({ fields }) => fields));
	const missing = resources.flatMap(({ name, operations }) =>
		operations
			.filter(({ fields }) => !onPages.includes(fields))
			.map((operation) => `${name}: ${operation.name}`),
	);
	expect(missing).toEqual([]);
});

/** What the code of the nodes says, in which an error stands as one text or as a field and what is wrong with it. */
async function saysInCode(): Promise<(words: string) => boolean> {
	const files = (await filesBelow(path.join(projectRoot, 'nodes'))).filter((file) =>
		file.endsWith('.ts'),
	);
	const code = (await Promise.all(files.map((file) => fs.readFile(file, 'utf8')))).join('\n');
	const has = (pattern: string): boolean => new RegExp(pattern).test(code);
	const plain = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	return (words) => {
		if (code.includes(words)) return true;
		const parts = words.split(' ');
		return parts.some(
			(_, at) =>
				at > 0 &&
				has(`(['"])${plain(parts.slice(0, at).join(' '))}\\1`) &&
				has(`['"\`] ?${plain(parts.slice(at).join(' '))}`),
		);
	};
}

/** What n8n shows where something does not work: the first column of that part of a page, whatever stands for dots. */
function shownErrors(page: string): string[] {
	const [, part = ''] = /^## When it does not work$([^]*?)^## /m.exec(page) ?? [];
	const cells = [...part.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = '']) => cell);
	const quoted = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)]);
	return quoted.flatMap(([, text = '']) =>
		text
			.split('...')
			.map((words) => words.trim())
			.filter((words) => words !== ''),
	);
}

it('every error on the pages is one of the nodes', async () => {
	const isSaid = await saysInCode();
	const errors = (await Promise.all(REFERENCE_PAGES.map(readPage))).map(shownErrors);
	expect(errors.filter((found) => found.length < 3)).toEqual([]);
	expect(errors.flat().filter((words) => !isSaid(words))).toEqual([]);
	expect(isSaid('Limit Wait Time is not a time within the last year')).toBe(false);
});

const field = (displayName: string, rest: Partial<INodeProperties>): INodeProperties => ({
	displayName,
	name: displayName.toLowerCase(),
	type: 'string',
	default: '',
	...rest,
});

const KIND = field('Kind', {
	type: 'options',
	default: 'a',
	options: ['a', 'b', 'c', 'd'].map((value) => ({ name: `The ${value}`, value })),
});

const cellsOf = async (fields: INodeProperties[]): Promise<string[][]> =>
	(await fieldTables([{ headline: '', fields }]))
		.trim()
		.split('\n')
		.map((line) =>
			line
				.split(/(?<!\\)\|/)
				.slice(1, -1)
				.map((cell) => cell.trim()),
		);

describe('a table of fields', () => {
	it('says in the words of the editor when a field is shown', async () => {
		const lines = await cellsOf([
			KIND,
			field('One', { displayOptions: { show: { kind: ['a'] } } }),
			field('Most', { displayOptions: { show: { kind: ['a', 'b', 'c'] } } }),
			field('All', { displayOptions: { show: { kind: ['a', 'b', 'c', 'd'] } } }),
			field('Hidden', { displayOptions: { hide: { kind: ['a', 'b'] } } }),
		]);
		expect(lines.slice(3).map(([label, , shown]) => [label, shown])).toEqual([
			['One', 'Kind: The a'],
			['Most', 'Kind: not The d'],
			['All', ''],
			['Hidden', 'Kind: not The a or The b'],
		]);
	});

	it('names what is inside a field behind it, and looks up a condition with a slash from the top', async () => {
		const inside = field('Inside', { displayOptions: { show: { '/kind': ['b'] } } });
		const [, , , options] = await cellsOf([
			KIND,
			field('Options', { type: 'collection', default: {}, options: [inside] }),
		]);
		expect(options).toEqual(['Options > Inside', '`options.inside`', 'Kind: The b', 'empty', '']);
	});

	it('names a field as JSON does, with the level that the editor does not show', async () => {
		const values = [field('Title', {})];
		const collection = (displayName: string, typeOptions?: INodeProperties['typeOptions']) =>
			field(displayName, {
				type: 'fixedCollection',
				typeOptions,
				default: {},
				options: [{ displayName: 'Entry', name: 'entry', values }],
			});
		const lines = await cellsOf([
			collection('One'),
			field('Options', {
				type: 'collection',
				default: {},
				options: [collection('Many', { multipleValues: true })],
			}),
		]);
		expect(lines.slice(2).map(([label, name]) => [label, name])).toEqual([
			['One', '`one`'],
			['One > Title', '`one.entry.title`'],
			['Options > Many', '`options.many`'],
			['Options > Many > Title', '`options.many.entry[].title`'],
		]);
	});

	it('keeps a line for each field, whatever its description holds', async () => {
		const [, , line] = await cellsOf([
			field('Odd', { description: 'One | <code>two</code>\nthree' }),
		]);
		expect(line).toEqual(['Odd', '`odd`', 'empty', 'One \\| `two` three.']);
	});

	it('refuses a condition that names no field or has no words', async () => {
		const show = (conditions: object) =>
			cellsOf([KIND, field('Lost', { displayOptions: { show: { ...conditions } } })]);
		await expect(show({ other: ['a'] })).rejects.toThrow('names other');
		await expect(show({ kind: [{ _cnd: { gt: 1 } }] })).rejects.toThrow('without words');
	});
});

it('a page without a place for its tables is an error', () => {
	expect(() => withTables('# Page\n', 'table')).toThrow('no markers');
});
