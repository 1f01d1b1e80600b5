import { N8n } from '../../../tools/n8n/n8n';
import { args, print } from '../../../tools/system';
import { median } from '../send/samples';
import { Started } from '../send/started';
import { check, presses, publish, receipts, take } from './takers';
import type { Taken, Takers } from './takers';

/** What is measured: which taker, and with which calls. */
interface Contest {
	name: string;
	taker: keyof Takers;
	body: () => string;
	startsExecution: boolean;
	/** so many times the calls of the others, so that it lasts about as long */
	factor: number;
}

const press = (name: string, taker: keyof Takers, batch: number): Contest => ({
	name: `${name}, ${batch} ${batch === 1 ? 'press' : 'presses'} a call`,
	taker,
	body: presses(batch),
	startsExecution: true,
	factor: 1,
});

const CONTESTS = {
	diyalog1: press('Diyalog Trigger', 'diyalog', 1),
	diyalog10: press('Diyalog Trigger', 'diyalog', 10),
	byHand1: press('By hand', 'byHand', 1),
	byHand10: press('By hand', 'byHand', 10),
	plain1: press('Webhook node', 'plain', 1),
	headerAuth1: press('Webhook node with Header Auth', 'headerAuth', 1),
	headerAuth10: press('Webhook node with Header Auth', 'headerAuth', 10),
	filtered10: {
		name: 'Diyalog Trigger, 10 receipts a call, filtered out',
		taker: 'diyalog',
		body: receipts(10),
		startsExecution: false,
		factor: 4,
	},
} as const satisfies Readonly<Record<string, Contest>>;

type ContestName = keyof typeof CONTESTS;
const NAMES = Object.keys(CONTESTS) as ContestName[];

interface Extent {
	calls: number;
	rounds: number;
}

export type Rates = Record<ContestName, Taken[]>;

/** Measures in turns, every other round backwards. */
async function measure(settings: NodeJS.ProcessEnv, { calls, rounds }: Extent): Promise<Rates> {
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
		const rates = Object.fromEntries(NAMES.map((name) => [name, [] as Taken[]])) as Rates;
		// V8 compiles for a while.
		for (const name of NAMES) await run(name, Math.ceil(calls / 3));
		for (let round = 0; round < rounds; round++) {
			for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
				const taken = await run(name, calls);
				rates[name].push(taken);
				print(
					`  round ${round + 1}: ${CONTESTS[name].name}: ${taken.callsPerSecond.toFixed(1)}/s, ${taken.cpuMsPerCall.toFixed(1)} ms of CPU`,
				);
			}
		}
		return rates;
	} finally {
		await started.endAll();
	}
}

export async function benchPresses(): Promise<void> {
	const quick = args.includes('--quick');
	for (const lazy of ['true', undefined]) {
		print(`N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=${lazy ?? ''}`);
		const rates = await measure(
			{ N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: lazy },
			quick ? { calls: 30, rounds: 1 } : lazy ? { calls: 200, rounds: 3 } : { calls: 100, rounds: 2 },
		);
		for (const name of NAMES) {
			print(
				`${CONTESTS[name].name}: ${median(rates[name].map((t) => t.callsPerSecond)).toFixed(1)}/s, ${median(rates[name].map((t) => t.cpuMsPerCall)).toFixed(1)} ms`,
			);
		}
	}
}
