import { z } from 'zod';
import { installN8n, withNode } from '../../../tools/n8n/install';
import { installPackage, packPackage } from '../../../tools/n8n/package';
import { fs, path, print, run, temporaryFolder } from '../../../tools/system';
import type { BenchOptions, Row } from '../benchmark';
import { circumstances, formatted, table, targetsTable, writePart } from '../page';
import { median } from '../send/samples';

/*
 * What the package weighs: how long n8n needs to load its nodes, how much memory they take, and how large it is to fetch. Each
 * figure comes from processes of its own, which have loaded nothing of it before.
 */

const ROUNDS = 20;
const QUICK_ROUNDS = 3;
const MAX_LOAD_MS = 20;
const MAX_TARBALL_KB = 185;
const BYTES_PER_KB = 1_000;
const BYTES_PER_MB = 1_000_000;

/** An action and its trigger, in the order in which n8n loads them. */
const OWN = ['Diyalog', 'DiyalogTrigger'].map(
	(name) => `n8n-nodes-diyalog/dist/nodes/Diyalog/${name}`,
);
const ofN8n = (name: string) =>
	[name, `${name}Trigger`].map((each) => `n8n-nodes-base/dist/nodes/${name}/${each}`);

/**
 * Loads and creates two nodes, as n8n does at its start, and prints what that took.
 *
 * @param before what n8n has loaded by then
 */
const script = (before: readonly string[], nodes: readonly string[]): string => `
	for (const name of ${JSON.stringify(before)}) require(name);
	const used = () => { gc(); const { heapUsed, rss } = process.memoryUsage(); return { heapUsed, rss }; };
	const level = used();
	const loadMs = ${JSON.stringify(nodes)}.map((file) => {
		const beganMs = performance.now();
		const Node = require(file + '.node.js')[file.split('/').at(-1)];
		new Node();
		return performance.now() - beganMs;
	});
	const { heapUsed, rss } = used();
	console.log(JSON.stringify({ loadMs, heapBytes: heapUsed - level.heapUsed, rssBytes: rss - level.rss }));`;

const loadSchema = z.object({
	loadMs: z.tuple([z.number(), z.number()]),
	heapBytes: z.number(),
	rssBytes: z.number(),
});

type Load = z.output<typeof loadSchema>;

// n8n-workflow loads zod and zod/v4 itself.
const LIBRARIES = ['n8n-workflow', 'zod/v4', 'luxon'];
const ALL = [...LIBRARIES, 'n8n-core'];

interface Situation {
	name: string;
	before: readonly string[];
	nodes: readonly string[];
}

const IN_N8N: Situation = {
	name: 'Diyalog, n8n-workflow and zod are loaded',
	before: LIBRARIES,
	nodes: OWN,
};
const IN_ALL: Situation = { name: 'Diyalog, n8n-core is loaded as well', before: ALL, nodes: OWN };
const PEERS: readonly Situation[] = ['Slack', 'Telegram', 'WhatsApp'].map((name) => ({
	name: `${name} of n8n, the same`,
	before: ALL,
	nodes: ofN8n(name),
}));

const SITUATIONS: readonly Situation[] = [
	IN_N8N,
	{ name: 'Diyalog, nothing is loaded', before: [], nodes: OWN },
	IN_ALL,
	...PEERS,
];

const totalMs = ({ loadMs: [action, trigger] }: Load): number => action + trigger;

function figuresOf(name: string, loads: readonly Load[]): string[] {
	const ms = (valueOf: (load: Load) => number) => median(loads.map(valueOf)).toFixed(1);
	const megabytes = (valueOf: (load: Load) => number) =>
		(median(loads.map(valueOf)) / BYTES_PER_MB).toFixed(1);
	return [
		name,
		ms(({ loadMs }) => loadMs[0]),
		ms(({ loadMs }) => loadMs[1]),
		ms(totalMs),
		megabytes(({ heapBytes }) => heapBytes),
		megabytes(({ rssBytes }) => rssBytes),
	];
}

const HEAD = [
	'Loaded',
	'the node, ms',
	'then its trigger, ms',
	'both, ms',
	'heap added, MB',
	'memory added, MB',
];

/** Loads nodes in fresh processes, and weighs the tarball. */
export async function benchLoad({ quick, write, command }: BenchOptions): Promise<Row[]> {
	const rounds = quick ? QUICK_ROUNDS : ROUNDS;
	const n8n = await installN8n();
	const tarball = await packPackage();
	const folder = await temporaryFolder('load');
	try {
		await installPackage(tarball, folder);
		const cwd = path.join(folder, '.n8n', 'nodes');
		// n8n's start script lies in node_modules/n8n/bin; who has it on PATH has a link to it there.
		const started = await fs.realpath(n8n.program.at(-1) ?? '');
		const modules = path.resolve(started, '..', '..', '..');
		const env = { ...withNode(n8n.nodeBin), NODE_PATH: modules };
		const found = new Map(SITUATIONS.map((each) => [each, new Array<Load>()]));
		for (let round = 0; round < rounds; round++) {
			for (const [{ before, nodes }, loads] of found) {
				const code = script(before, nodes);
				const output = await run('node', ['--expose-gc', '-e', code], { cwd, env });
				loads.push(loadSchema.parse(JSON.parse(output)));
			}
		}
		const msOf = (situation: Situation) => median((found.get(situation) ?? []).map(totalMs));
		const files = (await run('tar', ['-tzf', tarball])).trim().split('\n').length;
		const tarballKb = (await fs.stat(tarball)).size / BYTES_PER_KB;
		const inN8nMs = msOf(IN_N8N);
		const rows: Row[] = [
			{
				what: 'Loading both nodes in n8n',
				measured: `${inN8nMs.toFixed(1)} ms`,
				target: `at most ${MAX_LOAD_MS} ms`,
				met: inN8nMs <= MAX_LOAD_MS,
			},
			...PEERS.map((peer) => ({
				what: `Loading both nodes against ${peer.name}`,
				measured: `${(msOf(IN_ALL) / msOf(peer)).toFixed(2)}x`,
				target: '',
			})),
			{
				what: `Tarball, ${files} files`,
				measured: `${tarballKb.toFixed(1)} kB`,
				target: `at most ${MAX_TARBALL_KB} kB`,
				met: tarballKb <= MAX_TARBALL_KB,
			},
		];
		const figures = table(
			HEAD,
			[...found].map(([{ name }, loads]) => figuresOf(name, loads)),
		);
		print(await formatted(figures));
		if (write) {
			const { date, nodeVersion } = circumstances();
			await writePart(
				'load',
				`## Weight

${figures}

${targetsTable(rows)}

\`${command}\` measured these on ${date}: medians of ${rounds} fresh processes of Node ${nodeVersion} for each line. Files that were read
before lie in the memory of the operating system, as they do when n8n is started again.`,
			);
		}
		return rows;
	} finally {
		await fs.rm(folder, { recursive: true, force: true });
	}
}
