import { fs, path, print, projectRoot, temporaryFolder } from '../../../tools/system';
import type { BenchOptions, Row } from '../benchmark';
import { circumstances, formatted, writePart } from '../page';
import { startAnsweringServer } from './answeringServer';
import type { AnsweringServer } from './answeringServer';
import { drawChart } from './chart';
import { Bench } from './measure';
import type { Protocol, Run } from './measure';
import { renderFigures, renderPart } from './report';
import { judge } from './results';
import type { Results, Series } from './results';
import { Started } from './started';
import { variants } from './variants';
import type { Variant } from './variants';

/** How much is measured. */
interface Extent {
	speedItems: number;
	speedRounds: number;
	memoryItems: number;
	memoryRounds: number;
	/** runs before those that count: V8 goes on compiling for about two of them, and gets twice as fast */
	warmUpRounds: number;
}

const FULL: Extent = {
	speedItems: 1_000,
	speedRounds: 5,
	memoryItems: 10_000,
	memoryRounds: 3,
	warmUpRounds: 2,
};
/** To see that the benchmark works; its figures say little. */
const QUICK: Extent = {
	speedItems: 200,
	speedRounds: 1,
	memoryItems: 200,
	memoryRounds: 1,
	warmUpRounds: 1,
};

/** One by one shares its code with the other ways to send, which warm it up as well. */
const ONE_BY_ONE_WARM_UP_ITEMS = 50;

type Contestant = readonly [variant: Variant, protocol: Protocol];

const SPEED: readonly Contestant[] = [
	[variants.oneByOne, 'http'],
	[variants.default, 'http'],
	[variants.wide, 'http'],
	[variants.httpFields, 'http'],
	[variants.httpJson, 'http'],
	[variants.default, 'https'],
	[variants.wide, 'https'],
	[variants.httpFields, 'https'],
	[variants.httpJson, 'https'],
];
const MEMORY: readonly Contestant[] = [
	[variants.default, 'http'],
	[variants.httpFields, 'http'],
];

interface Prepared {
	server: AnsweringServer;
	started: Started;
}

/**
 * Runs each contestant once in every round, and gathers what belongs together. Every other round goes backwards, so
 * that nobody always runs first or always after the same one.
 */
async function inTurns(
	contestants: readonly Contestant[],
	count: number,
	rounds: number,
	measure: (variant: Variant, protocol: Protocol) => Promise<Run>,
): Promise<Series[]> {
	const all = contestants.map(([variant, protocol]) => ({
		variant,
		protocol,
		count,
		runs: new Array<Run>(),
	}));
	for (let round = 1; round <= rounds; round++) {
		for (const { variant, protocol, runs } of round % 2 === 1 ? all : all.toReversed()) {
			const run = await measure(variant, protocol);
			runs.push(run);
			const seconds = (run.timeMs / 1_000).toFixed(1);
			print(`  round ${round} of ${rounds}: ${variant.label}, ${protocol}: ${seconds} s`);
		}
	}
	return all;
}

async function warmUp(bench: Bench, { speedItems, warmUpRounds }: Extent): Promise<void> {
	for (let round = 1; round <= warmUpRounds; round++) {
		for (const [variant, protocol] of SPEED) {
			const slow = variant === variants.oneByOne;
			await bench.run(variant, protocol, slow ? ONE_BY_ONE_WARM_UP_ITEMS : speedItems);
		}
	}
}

async function measureSpeed(prepared: Prepared, extent: Extent): Promise<Series[]> {
	const { speedItems, speedRounds } = extent;
	print(`Speed: ${speedItems} items, one n8n for all ...`);
	const bench = await Bench.start(prepared.server, prepared.started);
	await warmUp(bench, extent);
	const series = await inTurns(
		SPEED,
		speedItems,
		speedRounds,
		async (variant, protocol) => await bench.run(variant, protocol, speedItems),
	);
	await bench.stop();
	return series;
}

async function measureMemory(
	prepared: Prepared,
	{ memoryItems, memoryRounds }: Extent,
): Promise<Series[]> {
	print(`Memory: ${memoryItems} items, a new n8n for each run ...`);
	return await inTurns(MEMORY, memoryItems, memoryRounds, async (variant, protocol) => {
		const bench = await Bench.start(prepared.server, prepared.started);
		// What a first execution loads is no part of what many items need.
		await bench.run(variant, protocol, 1);
		const run = await bench.run(variant, protocol, memoryItems);
		await bench.stop();
		return run;
	});
}

async function measureAll(extent: Extent): Promise<Results> {
	const started = new Started();
	try {
		const folder = await temporaryFolder('bench');
		await started.add(async () => await fs.rm(folder, { recursive: true, force: true }));
		const server = await startAnsweringServer(folder);
		await started.add(server.stop);
		const prepared = { server, started };
		const speed = await measureSpeed(prepared, extent);
		return { speed, memory: await measureMemory(prepared, extent) };
	} finally {
		await started.endAll();
	}
}

/** Compares the Diyalog node with one-by-one sending and with the HTTP Request node, in a real n8n. */
export async function benchSend({ quick, write, command }: BenchOptions): Promise<Row[]> {
	const results = await measureAll(quick ? QUICK : FULL);
	print(`\n${await formatted(renderFigures(results))}`);
	if (write) {
		await drawChart(results, path.join(projectRoot, 'docs', 'images', 'bench-send.svg'));
		await writePart('send', renderPart(results, { command, ...circumstances() }));
	}
	return judge(results);
}
