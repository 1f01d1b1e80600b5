import { args, exitWith, print } from '../../tools/system';
import type { BenchOptions, Benchmark } from './benchmark';
import { benchBurst } from './burst/benchBurst';
import { benchLoad } from './load/benchLoad';
import {
	circumstances,
	formatted,
	ratiosTable,
	renderRatios,
	targetsTable,
	writePart,
} from './page';
import { benchParse } from './parse';
import { benchPresses } from './presses/benchPresses';
import { benchScale } from './scale/benchScale';
import { benchSend } from './send/benchSend';
import { benchWait } from './wait/benchWait';

/** The benchmarks by name, in the order in which they run; each measures its ratios in one run. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
	send: benchSend,
	burst: benchBurst,
	presses: benchPresses,
	wait: benchWait,
	load: benchLoad,
	parse: benchParse,
};

/** Those that take long, and run only by their names. */
const longBenchmarks: Readonly<Record<string, Benchmark>> = { scale: benchScale };

const allBenchmarks = { ...benchmarks, ...longBenchmarks };

/** What can be said besides, for short runs while something is being worked on. */
const FOR_DEVELOPMENT: readonly string[] = ['items', 'only', 'rounds'];

const USAGE = `Usage: npm run bench -- [${Object.keys(allBenchmarks).join(' | ')}] [--quick | --write]`;

const MS_PER_MINUTE = 60_000;

/** What the words of the command say; a name without a value counts as on. */
function optionsOf(words: readonly string[]): BenchOptions {
	const given = new Map<string, string>();
	for (const word of words) {
		const [, name, value = ''] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
		const isKnown = name !== undefined && ['quick', 'write', ...FOR_DEVELOPMENT].includes(name);
		if (!isKnown) throw new Error(`${word} is not understood. ${USAGE}`);
		given.set(name, value);
	}
	const [quick, write] = [given.delete('quick'), given.delete('write')];
	if (write && (quick || given.size > 0))
		throw new Error('--write goes with no other option: the page has the figures of whole runs.');
	return { quick, write, given, command: ['npm run bench --', ...args].join(' ') };
}

async function runAll(options: BenchOptions): Promise<void> {
	const beganMs = performance.now();
	const found = [];
	for (const [name, benchmark] of Object.entries(benchmarks)) {
		print(`\n# ${name}\n`);
		found.push({ name, rows: await benchmark(options) });
	}
	const minutes = Math.ceil((performance.now() - beganMs) / MS_PER_MINUTE);
	print(`\n${await formatted(ratiosTable(found))}\nAll benchmarks took ${minutes} minutes.`);
	const about = { ...circumstances(), command: options.command };
	if (options.write) await writePart('ratios', renderRatios(found, minutes, about));
}

async function main(): Promise<void> {
	const [name = ''] = args;
	if (name === '' || name.startsWith('--')) return await runAll(optionsOf(args));
	const benchmark = allBenchmarks[name];
	if (!benchmark) {
		print(USAGE);
		return exitWith(1);
	}
	const rows = await benchmark(optionsOf(args.slice(1)));
	print(`\n${await formatted(targetsTable(rows))}`);
}

main().catch((error: unknown) => {
	print(error instanceof Error ? (error.stack ?? error.message) : String(error));
	exitWith(1);
});
