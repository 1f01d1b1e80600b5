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
	pinData: z.record(z.array(z.object({ json: z.record(z.unknown()) }))).default({}),
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

const STICKY = 'n8n-nodes-base.stickyNote';
const isNote = ({ type }: Node): boolean => type === STICKY;

/* Sizes in pixels, as measured on the canvas of n8n 2.41.1, where a node is 96 wide and lies on a grid of 16. */
const GRID = 16;
const NODE_SIZE = 96;
const OUTPUT_DISTANCE = 32;
/** of the name below a node, at most: the widest letters, and two lines */
const NAME_CHARACTER = 8;
const NAME_WIDTH = 2 * NODE_SIZE;
const NAME_LINE = 20;
/** from the node to its name, and the second line of small letters, e.g. "Send and Wait for Approval" */
const NAME_GAP = 7;
const SUBTITLE_LINE = 20;
const SUBTITLE_WIDTH = 174;
const BETWEEN = 8;

const onGrid = (value: number): number => Math.round(value / GRID) * GRID;

/** Where a node lies with its name and subtitle, or a sticky note: left, top, right, bottom. */
function placeOf(node: Node): [number, number, number, number] {
	const [x, y] = [onGrid(node.position[0]), onGrid(node.position[1])];
	const { width, height } = node.parameters;
	if (isNote(node)) return [x, y, x + Number(width), y + Number(height)];
	const body = Math.max(NODE_SIZE, OUTPUT_DISTANCE * (branchesOf(node) + 1));
	const name = NAME_CHARACTER * node.name.length;
	const lines = NAME_LINE * Math.ceil(name / NAME_WIDTH) + SUBTITLE_LINE;
	const subtitle = branchesOf(node) > 0 ? SUBTITLE_WIDTH : 0;
	const half = Math.max(NODE_SIZE, Math.min(name, NAME_WIDTH), subtitle) / 2;
	const middle = x + NODE_SIZE / 2;
	return [middle - half, y, middle + half, y + body + NAME_GAP + lines];
}

it('nothing lies over anything else, and no name reaches the next one', () => {
	const overlaps = examples.flatMap(({ file, nodes }) =>
		nodes.flatMap((one, index) =>
			nodes
				.slice(index + 1)
				.filter((other) => {
					const [left, top, right, bottom] = placeOf(one);
					const [from, above, to, below] = placeOf(other);
					return left < to + BETWEEN && from < right + BETWEEN && top < below && above < bottom;
				})
				.map((other) => `${file}: ${one.name}, ${other.name}`),
		),
	);
	expect(overlaps).toEqual([]);
});

it('every name has room in two lines', () => {
	const long = examples.flatMap(({ file, nodes }) =>
		nodes
			.filter((node) => !isNote(node) && NAME_CHARACTER * node.name.length > 2 * NAME_WIDTH)
			.map(({ name }) => `${file}: ${name}`),
	);
	expect(long).toEqual([]);
});

/* What a sticky note draws, measured in the same way; true to one line for every note there is. */
const NOTE_SIDES = 26;
const NOTE_CHARACTER = 7.05;
const NOTE_BLANK = 4.2;
const NOTE_LINE = 19;
const NOTE_HEADING = 49;
const NOTE_PARAGRAPH = 8;
/** How much of a note may be empty: two lines, and its lower edge. */
const MAX_EMPTY = 60;

/** How far down the text of a note reaches, in pixels. */
function textHeightOf({ parameters: { content = '', width = 0 } }: Node): number {
	const [, ...paragraphs] = content.replace(/\*\*|[*`]/g, '').split(/\n+/);
	const heights = paragraphs.map((paragraph) => {
		let lines = 1;
		let filled = 0;
		for (const word of paragraph.split(' ')) {
			const needed = word.length * NOTE_CHARACTER;
			if (filled > 0 && filled + needed > width - NOTE_SIDES) {
				lines++;
				filled = 0;
			}
			filled += needed + NOTE_BLANK;
		}
		return lines * NOTE_LINE + NOTE_PARAGRAPH;
	});
	return NOTE_HEADING + heights.reduce((sum, height) => sum + height, -NOTE_PARAGRAPH);
}

it('every note is as high as its text', () => {
	const notes = examples.flatMap(({ file, nodes }) =>
		nodes.filter(isNote).map((note) => {
			const empty = Number(note.parameters.height) - textHeightOf(note);
			return { note: `${file}: ${note.name}`, empty };
		}),
	);
	expect(notes.length).toBeGreaterThan(20);
	expect(notes.filter(({ empty }) => empty < NOTE_PARAGRAPH || empty > MAX_EMPTY)).toEqual([]);
});

/** Nodes at which a workflow begins. */
const isStart = ({ type }: Node): boolean => /\.(webhook|manualTrigger|diyalogTrigger)$/.test(type);

const textOfNotes = ({ nodes }: Example): string =>
	nodes.map(({ parameters: { content = '' } }) => content).join('\n');

it('each says where to try it: at a node of this name, or in a note that names the start', () => {
	const silent = examples.filter(
		(example) =>
			!example.nodes.some(({ name }) => name === 'Try it here') &&
			!/\*\*Try it here\*\*: .*\*Execute workflow\* at \*/.test(textOfNotes(example)),
	);
	expect(silent.map(({ file }) => file)).toEqual([]);
	for (const example of examples) {
		const named = [...textOfNotes(example).matchAll(/\*\*Try it here\*\*: [^\n]*/g)].map(([line]) =>
			example.nodes.filter((node) => isStart(node) && line.includes(`*${node.name}*`)),
		);
		for (const starts of named) {
			const pinned = starts.filter(({ name }) => (example.pinData[name] ?? []).length === 1);
			expect({ file: example.file, pinned: pinned.length }).toEqual({
				file: example.file,
				pinned: 1,
			});
		}
	}
});

it('only starts have pinned data: no answer of a person is made up', () => {
	const pinned = examples.flatMap(({ file, nodes, pinData }) =>
		Object.keys(pinData).map((name) => ({
			file,
			name,
			isStart: nodes.some((node) => node.name === name && isStart(node)),
		})),
	);
	expect(pinned.length).toBeGreaterThan(8);
	expect(pinned.filter((each) => !each.isStart)).toEqual([]);
});

const TURKISH = /[ışğçöüİŞĞÇÖÜ]/;

it('where a message is Turkish, a note says so', () => {
	const turkish = examples.filter(({ nodes }) =>
		nodes.some(
			({ type, parameters: { message } }) =>
				type.startsWith('n8n-nodes-diyalog.') &&
				typeof message === 'string' &&
				TURKISH.test(message),
		),
	);
	expect(turkish.length).toBeGreaterThan(10);
	const silent = turkish.filter((example) => !/ in Turkish, /.test(textOfNotes(example)));
	expect(silent.map(({ file }) => file)).toEqual([]);
});
