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
	/** of one by one, which takes most of the time and differs least */
	oneByOneItems: number;
	memoryItems: number;
	memoryRounds: number;
	/** runs before those that count: V8 goes on compiling for about two of them, and gets twice as fast */
	warmUpRounds: number;
	/** the variants to measure; all unless told otherwise */
	only?: readonly string[];
}

const FULL: Extent = {
	speedItems: 1_000,
	speedRounds: 7,
	oneByOneItems: 200,
	memoryItems: 10_000,
	memoryRounds: 3,
	warmUpRounds: 2,
};
/** To see that the benchmark works; its figures say little. */
const QUICK: Extent = {
	speedItems: 200,
	speedRounds: 1,
	oneByOneItems: 50,
	memoryItems: 200,
	memoryRounds: 1,
	warmUpRounds: 1,
};

type Contestant = readonly [variant: Variant, protocol: Protocol];

/** What is measured. */
export const SPEED: readonly Contestant[] = [
	[variants.oneByOne, 'http'],
	[variants.default, 'http'],
	[variants.wide, 'http'],
	[variants.httpFields, 'http'],
	[variants.otpJson, 'http'],
	[variants.httpOtpJson, 'http'],
	[variants.messageJson, 'http'],
	[variants.httpMessageJson, 'http'],
	[variants.default, 'https'],
	[variants.httpFields, 'https'],
	[variants.otpJson, 'https'],
	[variants.httpOtpJson, 'https'],
];
export const MEMORY: readonly Contestant[] = [
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
	countOf: (variant: Variant) => number,
	rounds: number,
	measure: (variant: Variant, protocol: Protocol, count: number) => Promise<Run>,
): Promise<Series[]> {
	const all = contestants.map(([variant, protocol]) => ({
		variant,
		protocol,
		count: countOf(variant),
		runs: new Array<Run>(),
	}));
	for (let round = 1; round <= rounds; round++) {
		for (const { variant, protocol, count, runs } of round % 2 === 1 ? all : all.toReversed()) {
			const run = await measure(variant, protocol, count);
			runs.push(run);
			const [time, cpu] = [run.timeMs, run.cpuMs].map((ms) => `${(ms / 1_000).toFixed(2)} s`);
			print(`  round ${round} of ${rounds}: ${variant.label}, ${protocol}: ${time}, CPU ${cpu}`);
		}
	}
	return all;
}

const itemsOf =
	({ oneByOneItems, speedItems }: Extent) =>
	(variant: Variant): number =>
		variant === variants.oneByOne ? oneByOneItems : speedItems;

async function measureSpeed(prepared: Prepared, extent: Extent): Promise<Series[]> {
	const { only, speedItems, speedRounds, warmUpRounds } = extent;
	print(`Speed: ${speedItems} items, one n8n for all ...`);
	const contestants = SPEED.filter(([{ key }]) => only?.includes(key) ?? true);
	const countOf = itemsOf(extent);
	const bench = await Bench.start(prepared.server, prepared.started);
	for (let round = 1; round <= warmUpRounds; round++) {
		for (const [variant, protocol] of contestants)
			await bench.run(variant, protocol, countOf(variant));
	}
	const series = await inTurns(
		contestants,
		countOf,
		speedRounds,
		async (variant, protocol, count) => await bench.run(variant, protocol, count),
	);
	await bench.stop();
	return series;
}

async function measureMemory(
	prepared: Prepared,
	{ memoryItems, memoryRounds }: Extent,
): Promise<Series[]> {
	if (memoryRounds === 0) return [];
	print(`Memory: ${memoryItems} items, a new n8n for each run ...`);
	const countOf = () => memoryItems;
	return await inTurns(MEMORY, countOf, memoryRounds, async (variant, protocol, count) => {
		const bench = await Bench.start(prepared.server, prepared.started);
		// What a first execution loads is no part of what many items need.
		await bench.run(variant, protocol, 1);
		const run = await bench.run(variant, protocol, count);
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

/** A short run while something is being worked on: `--items=300 --rounds=3 --only=otpJson,httpOtpJson`, without memory. */
function developmentExtent(given: ReadonlyMap<string, string>): Extent {
	return {
		...FULL,
		speedItems: Number(given.get('items') ?? FULL.speedItems),
		speedRounds: Number(given.get('rounds') ?? FULL.speedRounds),
		memoryRounds: 0,
		only: given.get('only')?.split(','),
	};
}

function extentOf({ quick, given }: BenchOptions): Extent {
	if (quick) return QUICK;
	return given.size > 0 ? developmentExtent(given) : FULL;
}

/** Compares the Diyalog node with one-by-one sending and with the HTTP Request node, in a real n8n. */
export async function benchSend(options: BenchOptions): Promise<Row[]> {
	const results = await measureAll(extentOf(options));
	print(`\n${await formatted(renderFigures(results))}`);
	if (options.write) {
		await drawChart(results, path.join(projectRoot, 'docs', 'images', 'bench-send.svg'));
		const about = { command: options.command, ...circumstances() };
		await writePart('send', renderPart(results, about));
	}
	return judge(results);
}
