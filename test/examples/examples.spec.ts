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
			position: z.tuple([z.number(), z.number()]),
			onError: z.string().optional(),
			credentials: z.record(z.object({ id: z.string(), name: z.string() })).optional(),
			parameters: z
				.object({
					path: z.string().optional(),
					content: z.string().optional(),
					width: z.number().optional(),
					height: z.number().optional(),
				})
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
	expect(examples.length).toBeGreaterThan(12);
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

type Node = Example['nodes'][number];

/** The outputs of a node that decides, as many as it has. */
function branchesOf({ type, parameters: { operation, responseType = 'approval' } }: Node): number {
	if (type !== 'n8n-nodes-diyalog.diyalog') return 0;
	if (operation === 'verify') return 2;
	if (operation !== 'sendAndWait') return 0;
	return responseType === 'approval' || responseType === 'code' ? 3 : 2;
}

/** The nodes to which an output leads. */
const behind = ({ connections }: Example, name: string, output: number): string[] =>
	(connections[name]?.main?.[output] ?? []).map(({ node }) => node);

/** Whether the first output of a node says yes to what the others say no to. */
const saysYesOrNo = (node: Node): boolean =>
	branchesOf(node) > 0 &&
	!['choice', 'freeText', 'delivery'].includes(String(node.parameters.responseType));

const OUTPUTS = [0, 1, 2, 3];
const YES = [0];
const NO = [1, 2, 3];

/** What can run behind some outputs of a node when every later yes or no leaves through such ones too. */
function reached(example: Example, { name }: Node, outputs: number[]): Set<string> {
	const found = new Set<string>();
	const walk = (from: string, through: number[]) => {
		for (const next of through.flatMap((output) => behind(example, from, output))) {
			if (found.has(next)) continue;
			found.add(next);
			const node = example.nodes.find((each) => each.name === next);
			walk(next, node && saysYesOrNo(node) ? outputs : OUTPUTS);
		}
	};
	walk(name, outputs);
	return found;
}

it('no IF and no Switch stands where a decision has outputs of its own', () => {
	const asking = examples.flatMap(({ file, nodes }) =>
		nodes
			.filter(({ type }) => /\.(if|switch|filter)$/.test(type))
			.filter(({ parameters }) =>
				/\b(approved|decision|valid|reason)\b/.test(JSON.stringify(parameters)),
			)
			.map(({ name }) => `${file}: ${name}`),
	);
	expect(asking).toEqual([]);
});

it('every branch of every decision leads somewhere', () => {
	const open: string[] = [];
	let decisions = 0;
	for (const example of examples) {
		for (const node of example.nodes) {
			for (let output = 0; output < branchesOf(node); output++) {
				decisions++;
				if (behind(example, node.name, output).length === 0)
					open.push(`${example.file}: ${node.name}, output ${output}`);
			}
		}
	}
	expect(open).toEqual([]);
	expect(decisions).toBeGreaterThan(30);
});

it('nothing that a yes carries out is carried out by a no', () => {
	const both = examples.flatMap((example) =>
		example.nodes.filter(saysYesOrNo).flatMap((node) => {
			const yes = reached(example, node, YES);
			expect(yes.size).toBeGreaterThan(0);
			const no = reached(example, node, NO);
			return [...no]
				.filter((name) => yes.has(name))
				.map((name) => `${example.file}: ${name} behind ${node.name}`);
		}),
	);
	expect(both).toEqual([]);
});

it('it ends: no connection leads back', () => {
	for (const example of examples) {
		const back = example.nodes.filter((node) => reached(example, node, OUTPUTS).has(node.name));
		expect({ file: example.file, back: back.map(({ name }) => name) }).toEqual({
			file: example.file,
			back: [],
		});
	}
});

/** Where a node lies with its name and subtitle, or a sticky note: left, top, right, bottom. */
function placeOf(node: Node): [number, number, number, number] {
	const [x, y] = node.position;
	const { width, height } = node.parameters;
	if (node.type === 'n8n-nodes-base.stickyNote')
		return [x, y, x + Number(width), y + Number(height)];
	const body = Math.max(96, 32 * (branchesOf(node) + 1));
	const name = 4 * node.name.length;
	return [
		x + 48 - Math.max(48, Math.min(name, 96)),
		y,
		x + 48 + Math.max(48, Math.min(name, 96)),
		y + body + 44,
	];
}

it('nothing lies over anything else', () => {
	const overlaps = examples.flatMap(({ file, nodes }) =>
		nodes.flatMap((one, index) =>
			nodes
				.slice(index + 1)
				.filter((other) => {
					const [left, top, right, bottom] = placeOf(one);
					const [from, above, to, below] = placeOf(other);
					return left < to && from < right && top < below && above < bottom;
				})
				.map((other) => `${file}: ${one.name}, ${other.name}`),
		),
	);
	expect(overlaps).toEqual([]);
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
