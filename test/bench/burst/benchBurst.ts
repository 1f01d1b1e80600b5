import { Stage } from '../../e2e/harness/waiting';
import { print } from '../../../tools/system';
import type { BenchOptions, Row } from '../benchmark';
import { circumstances, formatted, writePart } from '../page';
import { Started } from '../send/started';
import { Receiver } from '../wait/receiver';
import { measureFairness } from './fairness';
import { judge, renderFigures, renderPart } from './report';
import type { Findings, Series } from './report';
import { diyalog, waitNode } from './turns';
import type { Contestant, Turn } from './turns';

/** How much is measured. */
interface Extent {
	count: number;
	rounds: number;
	tries: number;
	warmUpCount: number;
}

const FULL: Extent = { count: 1_000, rounds: 3, tries: 10, warmUpCount: 100 };
/** To see that the benchmark works; its figures say little. */
const QUICK: Extent = { count: 50, rounds: 1, tries: 2, warmUpCount: 10 };

/** With 1,000 at once on a busy machine, n8n ran out of time for its writes, and left a tenth of its executions waiting. */
const DIRECT_AT_ONCE = 100;

const told = ({
	timeMs,
	cpuMs,
	continuedOnce,
	items,
	untrue,
	slowestCallMs,
	refusedCalls,
	load,
}: Turn): string =>
	[
		`${(timeMs / 1_000).toFixed(1)} s`,
		`CPU ${(cpuMs / 1_000).toFixed(1)} s`,
		`${continuedOnce} continued once`,
		`${items} items of the trigger, ${untrue.length} untrue ${JSON.stringify([...new Set(untrue)])}`,
		`slowest answer ${(slowestCallMs / 1_000).toFixed(1)} s`,
		`${refusedCalls} calls refused`,
		`load ${load.toFixed(1)}`,
	].join(', ');

/**
 * Lets each have its turn in every round, every other round backwards.
 *
 * @param once has a turn in the first round only: it is reported, and a full turn takes minutes
 */
async function inTurns(
	contestants: readonly Contestant[],
	once: Contestant,
	{ count, rounds, warmUpCount }: Extent,
): Promise<Map<Contestant, Series>> {
	const all = new Map(contestants.map((each) => [each, { name: each.name, turns: [] as Turn[] }]));
	// V8 compiles for a while.
	for (const each of contestants) await each.turn(warmUpCount);
	for (let round = 1; round <= rounds; round++) {
		for (const each of round % 2 === 1 ? contestants : contestants.toReversed()) {
			if (each === once && round > 1) continue;
			const turn = await each.turn(count);
			all.get(each)?.turns.push(turn);
			print(`  round ${round} of ${rounds}: ${each.name}: ${told(turn)}`);
		}
	}
	return all;
}

async function measureAll(extent: Extent): Promise<Findings> {
	const started = new Started();
	try {
		const settings = {
			NODE_ENV: 'production',
			EXECUTIONS_DATA_PRUNE: 'false',
			N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
		};
		const stage = await Stage.set({ settings });
		await started.add(async () => await stage.clear());
		const receiver = await Receiver.start();
		await started.add(async () => await receiver.close());
		const silent = await stage.addTrigger({ events: ['textReceived'] });
		const trigger = await stage.addTrigger({ events: ['buttonPressed'] });
		const usual = await diyalog(stage, 'Diyalog, trigger as by default', trigger, true);
		const quiet = await diyalog(stage, 'Diyalog, presses not among the events', silent, false);
		const rival = await waitNode(stage, 'Direct calls of Wait nodes', DIRECT_AT_ONCE);
		print('One press while another customer taps ...');
		const delays = await measureFairness(stage, trigger, receiver, extent.tries);
		print(`${extent.count} waiting executions, answered in one moment ...`);
		const series = await inTurns([usual, rival, quiet], quiet, extent);
		const of = (contestant: Contestant): Series =>
			series.get(contestant) ?? { name: contestant.name, turns: [] };
		return { count: extent.count, usual: of(usual), quiet: of(quiet), rival: of(rival), delays };
	} finally {
		await started.endAll();
	}
}

/** Answers many waiting executions in one moment, against direct calls of n8n's Wait node, in a real n8n. */
export async function benchBurst({ quick, write, command }: BenchOptions): Promise<Row[]> {
	const findings = await measureAll(quick ? QUICK : FULL);
	print(`\n${await formatted(renderFigures(findings))}`);
	if (write) await writePart('burst', renderPart(findings, { command, ...circumstances() }));
	return judge(findings);
}
