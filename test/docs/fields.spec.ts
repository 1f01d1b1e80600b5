import type { INodeProperties, INodePropertyCollection, INodePropertyOptions } from 'n8n-workflow';
import { DiyalogApi } from '../../credentials/DiyalogApi.credentials';
import { resources } from '../../nodes/Diyalog/actions';
import { Diyalog } from '../../nodes/Diyalog/Diyalog.node';
import { DiyalogTrigger } from '../../nodes/Diyalog/DiyalogTrigger.node';
import { RESPONSE_TYPES } from '../../nodes/Diyalog/wait/waitInput';
import { readPage, REFERENCE_PAGES } from '../../tools/referencePages';
import { fs, path, projectRoot } from '../../tools/system';

/* The pages of docs/reference speak the words of the editor, and of all of its fields. */

type Entry = INodeProperties | INodePropertyCollection | INodePropertyOptions;

/** Fields and what is inside them; not what a list offers. */
function fieldsIn(entry: Entry): INodeProperties[] {
	if ('values' in entry) return entry.values.flatMap(fieldsIn);
	if (!('displayName' in entry) || entry.type === 'notice' || entry.type === 'hidden') return [];
	return [entry, ...(entry.options ?? []).flatMap(fieldsIn)];
}

const labelsOf = (entry: Entry): string[] => fieldsIn(entry).map(({ displayName }) => displayName);

/** The names of what the lists of a field offer. */
function choicesOf(entry: Entry): string[] {
	if ('values' in entry) return entry.values.flatMap(choicesOf);
	return 'displayName' in entry ? (entry.options ?? []).flatMap(choicesOf) : [entry.name];
}

const [node, trigger, credential] = [new Diyalog(), new DiyalogTrigger(), new DiyalogApi()];

const FIELDS: ReadonlyArray<[string, INodeProperties[]]> = [
	['Diyalog', node.description.properties],
	['Diyalog Trigger', trigger.description.properties],
	['Diyalog API', credential.properties],
];

/** The labels of all fields, and what their lists offer. */
const inEditor = new Set(
	FIELDS.flatMap(([name, properties]) => [
		name,
		...properties.flatMap(labelsOf),
		...properties.flatMap(choicesOf),
	]),
);

const HEADLINE = '## All fields';

const pages = (): Promise<string[]> => Promise.all(REFERENCE_PAGES.map(readPage));

/** What is no field is no field of a page either: the choice of the operation, which the pages are about. */
const CHOOSES_PAGE = ['Resource', 'Operation'];

it.each(FIELDS)('every field of %s is in the reference', async (_, properties) => {
	const tables = (await pages()).map((page) => page.split(HEADLINE)[1] ?? '').join('\n');
	const labels = [...new Set(properties.flatMap(labelsOf))];
	expect(labels.length).toBeGreaterThan(5);
	const isMissing = (label: string): boolean =>
		!tables.includes(`| ${label} `) && !tables.includes(`> ${label} `);
	expect(labels.filter((label) => isMissing(label) && !CHOOSES_PAGE.includes(label))).toEqual([]);
});

it.each(FIELDS)('every field of %s has its name in JSON beside it', async (_, properties) => {
	const tables = (await pages()).map((page) => page.split(HEADLINE)[1] ?? '').join('\n');
	const fields = properties
		.flatMap(fieldsIn)
		.filter(({ displayName }) => !CHOOSES_PAGE.includes(displayName));
	expect(fields.length).toBeGreaterThan(5);
	const names = new Set(
		[...tables.matchAll(/^\| ([^|]+?) +\| `([^`]+)` +\|/gm)].map(([, label = '', name = '']) =>
			JSON.stringify([label.split(' > ').at(-1), name.split('.').at(-1)]),
		),
	);
	// A list of options has no line of its own: its name stands in front of those inside it.
	const isInPaths = ({ type, name }: INodeProperties): boolean =>
		type === 'collection' && tables.includes(`| \`${name}.`);
	const missing = fields.filter(
		(field) => !names.has(JSON.stringify([field.displayName, field.name])) && !isInPaths(field),
	);
	expect(missing.map(({ displayName, name }) => `${displayName}: ${name}`)).toEqual([]);
});

it('a page says what chooses its operation in JSON', async () => {
	const said = (await pages()).map(
		(page) => (page.split(HEADLINE)[1] ?? '').split('<!-- fields: begin -->')[0] ?? '',
	);
	const missing = resources.flatMap(({ value: resource, operations }) =>
		operations
			.map(({ value }) => [`\`${resource}\``, `\`${value}\``])
			.filter((names) => !said.some((text) => names.every((name) => text.includes(name)))),
	);
	expect(missing).toEqual([]);
});

/** Words of n8n's editor. */
const OF_N8N = [
	'Always Output Data',
	'Continue',
	'Continue (using error output)',
	'Execute Once',
	'Loop Over Items',
	'On Error',
	'Production URL',
	'Remove Duplicates',
	'Retry On Fail',
];

it('every word in bold is one of the editor', async () => {
	const known = new Set([
		...inEditor,
		...resources.flatMap(({ operations }) =>
			operations.flatMap(({ branches = [] }) => (branches === 'question' ? [] : branches)),
		),
		...Object.values(RESPONSE_TYPES).flatMap(({ outputs }) => outputs),
		...OF_N8N,
	]);
	const isKnown = (words: string): boolean =>
		known.has(words) || words.split(/ > |: /).every((part) => known.has(part));
	const written = (await pages()).map((page) => page.split(HEADLINE)[0] ?? '');
	const bold = written.flatMap((text) =>
		[...text.matchAll(/\*\*([^*]+)\*\*/g)].map(([, words = '']) => words.replace(/\s+/g, ' ')),
	);
	expect(bold.length).toBeGreaterThan(100);
	expect([...new Set(bold)].filter((words) => !isKnown(words))).toEqual([]);
});

it('what docs/rules.md names in its tables is in the editor', async () => {
	const rules = await fs.readFile(path.join(projectRoot, 'docs', 'rules.md'), 'utf8');
	const rows = rules.split('\n').filter((line) => line.startsWith('|'));
	const bold = rows.flatMap((row) =>
		[...row.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name = '']) => name),
	);
	// A choice is written behind its field: "OTP: Generate".
	const named = new Set(
		bold.filter((name) => /[A-Z]/.test(name)).flatMap((name) => name.split(': ')),
	);
	expect(named.size).toBeGreaterThan(20);
	expect([...named].filter((name) => !inEditor.has(name))).toEqual([]);
});
