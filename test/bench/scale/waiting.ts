import { fs, print, sleepMs } from '../../../tools/system';
import { groupCpuMs } from '../presses/groupCpu';
import { median } from '../send/samples';
import { secondsSince } from './database';
import type { Work } from './jobs';
import type { Site } from './site';

/* Executions that wait, very many of them: copies of a real one in n8n's database. */

const FAR_S = 30 * 24 * 3_600;
const CALM_MS = 10_000;
/** From when on, and for how long, waits are over one after the other. */
const DUE_FROM_S = 20;
const DUE_FOR_S = 60;
const KIB_PER_MIB = 1_024;

/** What an n8n is like while so many executions wait. */
export interface WaitingFigures {
	count: number;
	/** from its start until it answers */
	startS: number;
	memoryMib: number;
	databaseMib: number;
	pressMs: number[];
	pollMs: number;
}

/** What it was like when many waits ended within a minute. */
export interface DueFigures {
	count: number;
	/** how long after the last of them was due the last one had been carried on */
	lateS: number;
	cpuS: number;
}

async function memoryMib(pid: number): Promise<number> {
	const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / KIB_PER_MIB;
}

/** Measures with ever more executions that wait; all of them far in the future. */
export async function measureWaiting(
	{ n8n, database }: Site,
	work: Work,
	{ counts, samples }: { counts: readonly number[]; samples: number },
): Promise<WaitingFigures[]> {
	if (!database) throw new Error('The database of this n8n is not looked at');
	await work.ask(1);
	await sleepMs(CALM_MS / 5);
	const original = await work.waitingExecution();
	const figures: WaitingFigures[] = [];
	let there = 0;
	for (const count of counts) {
		await n8n.stop();
		await database.copyWaiting(original, count - there, String(FAR_S));
		there = count;
		const beginMs = performance.now();
		await n8n.boot();
		const startS = secondsSince(beginMs);
		await n8n.login();
		await sleepMs(CALM_MS);
		const memory = await memoryMib(n8n.pid ?? 0);
		await work.pressMs();
		const pressMs: number[] = [];
		for (let sample = 0; sample < samples; sample++) pressMs.push(await work.pressMs());
		const found = {
			count,
			startS,
			memoryMib: memory,
			databaseMib: await database.sizeMib(),
			pressMs,
			pollMs: await database.pollMs(),
		};
		figures.push(found);
		print(
			`  ${count} wait: started in ${startS.toFixed(1)} s, ${memory.toFixed(0)} MiB, database ${found.databaseMib.toFixed(0)} MiB, a press ${median(pressMs).toFixed(0)} ms, the poll ${found.pollMs.toFixed(1)} ms`,
		);
	}
	return figures;
}

/** Lets many waits end one after the other within a minute. */
export async function measureDue(
	{ n8n, database }: Site,
	work: Work,
	count: number,
): Promise<DueFigures> {
	if (!database) throw new Error('The database of this n8n is not looked at');
	const original = await work.waitingExecution();
	const cpuBeforeMs = await groupCpuMs(n8n.pid ?? 0);
	await database.copyWaiting(original, count, `${DUE_FROM_S} + (n.i * ${DUE_FOR_S} / ${count})`);
	const beginMs = performance.now();
	const within = FAR_S / 2;
	await sleepMs((DUE_FROM_S + DUE_FOR_S) * 1_000);
	while ((await database.waiting(within)) > 0) {
		if (secondsSince(beginMs) > 600) throw new Error('Waits that are over are not carried on');
		await sleepMs(1_000);
	}
	const lateS = secondsSince(beginMs) - DUE_FROM_S - DUE_FOR_S;
	const cpuS = ((await groupCpuMs(n8n.pid ?? 0)) - cpuBeforeMs) / 1_000;
	print(
		`  ${count} waits ended in a minute: the last ${lateS.toFixed(0)} s late, CPU ${cpuS.toFixed(1)} s`,
	);
	return { count, lateS, cpuS };
}
