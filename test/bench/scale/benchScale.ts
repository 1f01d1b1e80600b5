import { print } from '../../../tools/system';
import type { BenchOptions, Row } from '../benchmark';
import { circumstances, formatted, writePart } from '../page';
import { Started } from '../send/started';
import { Receiver } from '../wait/receiver';
import { Work } from './jobs';
import { renderFigures, renderPart, SCALING_PAGE } from './report';
import type { Findings, Found } from './report';
import { startSite } from './site';
import type { Mode } from './site';
import { measureDue, measureWaiting } from './waiting';

/** How much is measured. */
const FULL = { jobs: 150, counts: [0, 10_000, 100_000], samples: 10, due: 1_000 };
/** To see that the benchmark works; its figures say little. */
const QUICK = { jobs: 20, counts: [0, 1_000], samples: 2, due: 50 };

async function measure(mode: Mode, extent: typeof FULL): Promise<Found> {
	const started = new Started();
	try {
		const receiver = await Receiver.start();
		await started.add(async () => await receiver.close());
		const site = await startSite(mode, started);
		const work = await Work.publish(site, receiver);
		// V8 compiles for a while.
		await work.measure(Math.ceil(extent.jobs / 3));
		const costs = await work.measure(extent.jobs);
		for (const [job, { perSecond, cpuMs }] of Object.entries(costs))
			print(`  ${mode}, ${job}: ${perSecond.toFixed(1)}/s, CPU ms ${JSON.stringify(cpuMs)}`);
		if (mode === 'queue') return { costs, waiting: [] };
		const waiting = await measureWaiting(site, work, extent);
		return { costs, waiting, due: await measureDue(site, work, extent.due) };
	} finally {
		await started.endAll();
	}
}

/**
 * What one code and one question cost, in each way to run n8n, and what many executions that wait do to it. It takes long, and is
 * not among those that run when no name is given.
 */
export async function benchScale({ quick, write, given, command }: BenchOptions): Promise<Row[]> {
	const full = quick ? QUICK : FULL;
	const extent = {
		...full,
		jobs: Number(given.get('items') ?? full.jobs),
		samples: Number(given.get('rounds') ?? full.samples),
	};
	const findings: Findings = {};
	const only = given.get('only');
	for (const mode of ['sqlite', 'postgres', 'queue'] as const) {
		if (only !== undefined && only !== mode) continue;
		print(`${mode} ...`);
		findings[mode] = await measure(mode, extent);
		// It takes long: what was found so far is not lost when the rest fails.
		if (write)
			await writePart('scale', renderPart(findings, { command, ...circumstances() }), SCALING_PAGE);
	}
	print(`\n${await formatted(renderFigures(findings))}`);
	return [];
}
