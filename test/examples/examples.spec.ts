import { z } from 'zod';
import { fs, path, projectRoot } from '../../tools/system';

/* What makes a workflow of examples/ one that anybody can import. That each of them works is tested in a real n8n. */

const exampleSchema = z.object({
	name: z.string().min(1),
	nodes: z.array(
		z.object({
			id: z.string().uuid(),
			name: z.string(),
			type: z.string(),
			webhookId: z.string().uuid().optional(),
			credentials: z.record(z.object({ id: z.string(), name: z.string() })).optional(),
			parameters: z
				.object({ path: z.string().optional(), content: z.string().optional() })
				.passthrough(),
		}),
	),
	connections: z.record(z.record(z.array(z.array(z.object({ node: z.string() }))))),
	pinData: z.undefined(),
});

type Example = z.output<typeof exampleSchema> & { file: string };

const CREDENTIAL_OF_TYPE: Readonly<Record<string, string>> = {
	'n8n-nodes-diyalog.diyalog': 'diyalogApi',
	'n8n-nodes-diyalog.diyalogTrigger': 'diyalogApi',
	'n8n-nodes-diyalog.diyalogHitlTool': 'diyalogApi',
};

let examples: Example[];

beforeAll(async () => {
	const folder = path.join(projectRoot, 'examples');
	examples = await Promise.all(
		(await fs.readdir(folder)).map(async (file) => {
			const text = await fs.readFile(path.join(folder, file), 'utf8');
			return { file, ...exampleSchema.parse(JSON.parse(text)) };
		}),
	);
	expect(examples.length).toBeGreaterThan(10);
});

const repeated = (values: string[]): string[] =>
	values.filter((value, index) => values.indexOf(value) !== index);

it('a sticky note explains it', () => {
	const silent = examples.filter(
		({ nodes }) =>
			!nodes.some(
				({ type, parameters: { content = '' } }) =>
					type === 'n8n-nodes-base.stickyNote' && /^## .+\n.{80}/s.test(content),
			),
	);
	expect(silent.map(({ file }) => file)).toEqual([]);
});

it('it holds no credential of anybody, and a place for one in each node of this package', () => {
	for (const { file, nodes } of examples) {
		const ids = nodes.flatMap(({ credentials = {} }) => Object.values(credentials));
		expect({ file, ids: ids.map(({ id }) => id).filter((id) => id !== '') }).toEqual({
			file,
			ids: [],
		});
		const unbound = nodes.filter(({ type, credentials = {} }) => {
			const credential = CREDENTIAL_OF_TYPE[type];
			return type.startsWith('n8n-nodes-diyalog.') && !(credential && credential in credentials);
		});
		expect({ file, unbound: unbound.map(({ name }) => name) }).toEqual({ file, unbound: [] });
	}
});

it('all of them can live in one n8n: no address and no name twice', () => {
	expect(examples.flatMap((example) => repeated(example.nodes.map(({ id }) => id)))).toEqual([]);
	const nodes = examples.flatMap((example) => example.nodes);
	expect(repeated(nodes.flatMap(({ webhookId }) => webhookId ?? []))).toEqual([]);
	expect(repeated(nodes.flatMap(({ parameters }) => parameters.path ?? []))).toEqual([]);
	expect(repeated(examples.map(({ name }) => name))).toEqual([]);
});

it('every connection leads from a node to a node', () => {
	for (const { file, nodes, connections } of examples) {
		const names = new Set(nodes.map(({ name }) => name));
		const named = Object.entries(connections).flatMap(([from, outputs]) => [
			from,
			...Object.values(outputs).flatMap((lists) => lists.flat().map(({ node }) => node)),
		]);
		expect({ file, unknown: named.filter((name) => !names.has(name)) }).toEqual({
			file,
			unknown: [],
		});
	}
});

it('two of them at least speak Turkish', () => {
	const turkish = examples.filter(({ nodes }) =>
		nodes.some(
			({ type, parameters: { message } }) =>
				type.startsWith('n8n-nodes-diyalog.') &&
				typeof message === 'string' &&
				/[ışğçöüİŞĞÇÖÜ]/.test(message),
		),
	);
	expect(turkish.length).toBeGreaterThanOrEqual(2);
});
