import type { INodeProperties, INodePropertyCollection, INodePropertyOptions } from 'n8n-workflow';
import { DiyalogApi } from '../../credentials/DiyalogApi.credentials';
import { Diyalog } from '../../nodes/Diyalog/Diyalog.node';
import { DiyalogTrigger } from '../../nodes/Diyalog/DiyalogTrigger.node';
import { fs, path, projectRoot } from '../../tools/system';

type Entry = INodeProperties | INodePropertyCollection | INodePropertyOptions;

/** The labels of fields and of what is inside them; not those of what a list offers. */
function labelsOf(entry: Entry): string[] {
	if ('values' in entry) return entry.values.flatMap(labelsOf);
	if (!('displayName' in entry) || entry.type === 'notice' || entry.type === 'hidden') return [];
	return [entry.displayName, ...(entry.options ?? []).flatMap(labelsOf)];
}

it.each([
	['Diyalog', new Diyalog().description],
	['Diyalog Trigger', new DiyalogTrigger().description],
	['Diyalog API', new DiyalogApi()],
])('every field of %s is in the README', async (_, { properties }) => {
	const readme = await fs.readFile(path.join(projectRoot, 'README.md'), 'utf8');
	const labels = [...new Set(properties.flatMap(labelsOf))];
	expect(labels.length).toBeGreaterThan(5);
	expect(labels.filter((label) => !readme.includes(label))).toEqual([]);
});

/** The labels of fields, of what lists offer and of what is inside them. */
function namesOf(entry: Entry): string[] {
	if ('values' in entry) return entry.values.flatMap(namesOf);
	if (!('displayName' in entry)) return [entry.name];
	return [entry.displayName, ...(entry.options ?? []).flatMap(namesOf)];
}

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
	const descriptions = [
		new Diyalog().description,
		new DiyalogTrigger().description,
		new DiyalogApi(),
	];
	const names = new Set(descriptions.flatMap(({ properties }) => properties.flatMap(namesOf)));
	expect([...named].filter((name) => !names.has(name))).toEqual([]);
});
