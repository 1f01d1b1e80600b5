import { N8n } from '../../../tools/n8n/n8n';
import { print } from '../../../tools/system';
import type { BenchOptions, Row } from '../benchmark';
import { circumstances, formatted, writePart } from '../page';
import { Started } from '../send/started';
import { CONTESTS, NAMES } from './contests';
import type { ContestName, Series } from './contests';
import { judge, renderFigures, renderPart } from './report';
import type { Findings } from './report';
import { check, publish, take } from './takers';
import type { Taken } from './takers';

/** How much is measured. */
interface Extent {
	calls: number;
	rounds: number;
}

/** With the setting that n8n needs, and without it: then each call costs isolates, so this is slow. */
const FULL = { lazy: { calls: 150, rounds: 3 }, eager: { calls: 60, rounds: 2 } };
/** To see that the benchmark works; its figures say little. */
const QUICK = { lazy: { calls: 20, rounds: 1 }, eager: { calls: 10, rounds: 1 } };

/** V8 compiles for a while. */
const WARM_UP_SHARE = 1 / 3;

/** Lets each take its calls in every round, every other round backwards. */
async function measure(settings: NodeJS.ProcessEnv, { calls, rounds }: Extent): Promise<Series> {
	const started = new Started();
	try {
		const n8n = await N8n.start({
			settings: { NODE_ENV: 'production', EXECUTIONS_DATA_PRUNE: 'false', ...settings },
		});
		await started.add(async () => {
			await n8n.stop();
			await n8n.remove();
		});
		const takers = await publish(n8n);
		for (const count of [1, 10]) {
			await check(n8n, takers.diyalog, count);
			await check(n8n, takers.byHand, count);
		}
		const run = async (name: ContestName, count: number) => {
			const { taker, body, startsExecution, factor } = CONTESTS[name];
			return await take(n8n, takers[taker], count * factor, body, startsExecution);
		};
		for (const name of NAMES) await run(name, Math.ceil(calls * WARM_UP_SHARE));
		const series = new Map(NAMES.map((name) => [name, new Array<Taken>()]));
		for (let round = 1; round <= rounds; round++) {
			for (const name of round % 2 === 1 ? NAMES : NAMES.toReversed()) {
				const taken = await run(name, calls);
				series.get(name)?.push(taken);
				const { callsPerSecond, cpuMsPerCall } = taken;
				print(
					`  round ${round} of ${rounds}: ${CONTESTS[name].label}: ${callsPerSecond.toFixed(1)} calls/s, ${cpuMsPerCall.toFixed(1)} ms of CPU each`,
				);
			}
		}
		return series;
	} finally {
		await started.endAll();
	}
}

/**
 * How many calls of Diyalog are taken in a second: by the trigger, by the same built of n8n's own nodes, and by n8n's
 * Webhook node, which checks nothing of what it takes.
 */
export async function benchPresses({ quick, write, command }: BenchOptions): Promise<Row[]> {
	const extent = quick ? QUICK : FULL;
	print('With N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true ...');
	const lazy = await measure({ N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true' }, extent.lazy);
	print('Without it ...');
	const eager = await measure({ N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: undefined }, extent.eager);
	const findings: Findings = { lazy, eager };
	print(`\n${await formatted(renderFigures(findings))}`);
	if (write) await writePart('presses', renderPart(findings, { command, ...circumstances() }));
	return judge(findings);
}
