import { args, exitWith, print } from '../../tools/system';
import { benchBurst } from './burst/benchBurst';
import { benchParse } from './parse';
import { benchPresses } from './presses/benchPresses';
import { benchSend } from './send/benchSend';
import { benchWait } from './wait/benchWait';

/** The benchmarks by name; each prints its table with ratios measured in one run. */
const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
	burst: benchBurst,
	parse: benchParse,
	presses: benchPresses,
	send: benchSend,
	wait: benchWait,
};

async function main(): Promise<void> {
	const [name = ''] = args;
	const benchmark = benchmarks[name];
	if (!benchmark) {
		print(`Usage: npm run bench -- <${Object.keys(benchmarks).join(' | ')}>`);
		return exitWith(1);
	}
	await benchmark();
}

main().catch((error: unknown) => {
	print(error instanceof Error ? (error.stack ?? error.message) : String(error));
	exitWith(1);
});
