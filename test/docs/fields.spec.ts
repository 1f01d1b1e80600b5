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
