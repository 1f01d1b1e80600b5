import ts from 'typescript';
import { filesBelow, fs, path, projectRoot } from '../../tools/system';

/* The house is as docs/architecture.md draws it, as far as imports tell. */

const ROOMS = ['credentials', 'demo', 'nodes', 'sandbox', 'tools'];
const NODE = 'nodes/Diyalog/';

interface Import {
	/** a file of this tree, or the name of a package */
	target: string;
	isOwn: boolean;
	onlyTypes: boolean;
}

interface Source {
	text: string;
	imports: Import[];
}

const sources = new Map<string, Source>();

/** Every file that an import could mean. */
const candidatesOf = (from: string, specifier: string): string[] => {
	const base = path.posix.join(path.posix.dirname(from), specifier);
	return [`${base}.ts`, `${base}/index.ts`, base];
};

function importsOf(file: string, text: string, all: ReadonlySet<string>): Import[] {
	const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
	return tree.statements.flatMap((statement) => {
		if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
		const { moduleSpecifier: specifier } = statement;
		if (!specifier || !ts.isStringLiteral(specifier)) return [];
		const onlyTypes = ts.isImportDeclaration(statement)
			? statement.importClause?.isTypeOnly === true
			: statement.isTypeOnly;
		const own = candidatesOf(file, specifier.text).find((each) => all.has(each));
		const isOwn = specifier.text.startsWith('.');
		return [{ target: own ?? specifier.text, isOwn, onlyTypes }];
	});
}

beforeAll(async () => {
	const found = await Promise.all(
		[...ROOMS, 'test'].map(async (room) => await filesBelow(path.join(projectRoot, room))),
	);
	const names = found
		.flat()
		.map((file) => path.relative(projectRoot, file).replaceAll(path.sep, '/'))
		.filter((name) => name.endsWith('.ts'));
	for (const name of names) {
		const text = await fs.readFile(path.join(projectRoot, name), 'utf8');
		sources.set(name, { text, imports: importsOf(name, text, new Set(names)) });
	}
	expect(sources.size).toBeGreaterThan(150);
});

const filesIn = (folder: string): Array<[string, Source]> =>
	[...sources].filter(([name]) => name.startsWith(folder));

/** The first circle of a graph, as the way around it. */
function circleIn(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
	const done = new Set<string>();
	const visit = (name: string, way: string[]): string[] | undefined => {
		if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
		if (done.has(name)) return undefined;
		for (const next of graph.get(name) ?? []) {
			const circle = visit(next, [...way, name]);
			if (circle) return circle;
		}
		done.add(name);
		return undefined;
	};
	for (const name of graph.keys()) {
		const circle = visit(name, []);
		if (circle) return circle;
	}
	return undefined;
}

/** What imports what, each file taken for the room that it is in; types count as well. */
function graphOf(roomOf: (file: string) => string): Map<string, Set<string>> {
	const graph = new Map<string, Set<string>>();
	for (const [file, { imports }] of sources) {
		if (file.startsWith('test/')) continue;
		const room = roomOf(file);
		const to = graph.get(room) ?? new Set();
		for (const { target, isOwn } of imports) {
			if (isOwn && roomOf(target) !== room) to.add(roomOf(target));
		}
		graph.set(room, to);
	}
	return graph;
}

/** The folder below nodes/Diyalog, or the folder of the project. */
const folderOf = (file: string): string => {
	const parts = (file.startsWith(NODE) ? file.slice(NODE.length) : file).split('/');
	return file.startsWith(NODE) && parts.length === 1 ? file : (parts[0] ?? '');
};

it('a circle would be found', () => {
	const graph = new Map([
		['a', new Set(['b'])],
		['b', new Set(['c', 'd'])],
		['c', new Set<string>()],
		['d', new Set(['b'])],
	]);
	expect(circleIn(graph)).toEqual(['b', 'd', 'b']);
});

it('no file imports itself by any way, not even types', () => {
	expect(circleIn(graphOf((file) => file))).toBeUndefined();
});

it('no folder imports itself by any way', () => {
	expect(circleIn(graphOf(folderOf))).toBeUndefined();
});

const PURE = [
	'audit',
	'codes',
	'deviceSignature',
	'events',
	'input',
	'lib',
	'messages',
	'passOn',
	'wait',
];

describe.each(PURE)('%s/ is pure:', (folder) => {
	const files = () => filesIn(`${NODE}${folder}/`);

	it('it takes nothing of n8n but types', () => {
		expect(files().length).toBeGreaterThan(1);
		const taken = files().flatMap(([file, { imports }]) =>
			imports
				.filter(({ target, onlyTypes }) => target.startsWith('n8n') && !onlyTypes)
				.map(({ target }) => `${file}: ${target}`),
		);
		expect(taken).toEqual([]);
	});

	it('it neither looks at the clock nor draws lots', () => {
		const impure =
			/\bDate\.now\b|\bnew Date\(\)|\bperformance\b|Math\.random\(|\brandom(?:UUID|Int)\b|import \{[^}]*\brandomBytes\b/;
		expect(files().flatMap(([, { text }]) => impure.exec(text)?.[0] ?? [])).toEqual([]);
	});
});

/** What may be imported, besides what lies in the same folder. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
	lib: [],
	input: ['lib'],
	passOn: ['lib'],
	memory: ['lib'],
	transport: ['lib'],
	deviceSignature: ['lib', 'input'],
	codes: ['input', 'lib', 'memory'],
};

it.each(Object.entries(KNOWS))('%s/ knows no operation', (folder, known) => {
	const others = filesIn(`${NODE}${folder}/`).flatMap(([file, { imports }]) =>
		imports
			.filter(({ target, isOwn }) => isOwn && ![folder, ...known].includes(folderOf(target)))
			.map(({ target }) => `${file} -> ${target}`),
	);
	expect(others).toEqual([]);
});

it('what is used without tests uses none of them', () => {
	const used = ROOMS.flatMap((room) => filesIn(`${room}/`)).flatMap(([file, { imports }]) =>
		imports
			.filter(({ target }) => target.startsWith('test/'))
			.map(({ target }) => `${file} -> ${target}`),
	);
	expect(used).toEqual([]);
});

/** The names of the picture, each with all folders above it. */
function namesIn(picture: string): string[] {
	const above: string[] = [];
	return picture.split('\n').flatMap((line) => {
		const depth = line.search(/\S/) / 2;
		const [first = ''] = line.trim().split(/ {2,}/);
		const names = first.split(/,\s+/).filter((name) => /^[\w.*-]+(\/[\w.*-]+)*\/?$/.test(name));
		if (names.length === 0 || !Number.isInteger(depth)) return [];
		above.length = depth;
		const [name = ''] = names;
		if (name.endsWith('/')) above[depth] = name;
		return names.map((each) => [...above.slice(0, depth), each].join(''));
	});
}

it('the picture shows every folder, and nothing that is not there', async () => {
	const page = await fs.readFile(path.join(projectRoot, 'docs', 'architecture.md'), 'utf8');
	const [, picture = ''] = /```\n([^]*?)```/.exec(page) ?? [];
	const names = namesIn(picture);
	const folders = [...new Set([...sources.keys()].map((file) => `${path.posix.dirname(file)}/`))]
		.filter((folder) => /^(?:nodes|credentials|demo|sandbox|tools)\//.test(folder))
		.filter((folder) => names.every((name) => name !== folder));
	expect(folders).toEqual([]);
	const missing: string[] = [];
	for (const name of names) {
		const there = name.includes('*')
			? [...sources.keys()].length > 0
			: await fs.stat(path.join(projectRoot, name)).then(
					() => true,
					() => false,
				);
		if (!there) missing.push(name);
	}
	expect(missing).toEqual([]);
	expect(names.length).toBeGreaterThan(20);
});
