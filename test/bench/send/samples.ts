import { fs, sleepMs } from '../../../tools/system';

/** Finer than the 50 ms that memory needs, because CPU time is read off between two samples. */
const SAMPLE_EVERY_MS = 20;

/** USER_HZ, the unit of the times in /proc: 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** What a process has used at one moment. */
export interface Sample {
	atMs: number;
	/** CPU time of all its threads since it began */
	cpuMs: number;
	/** resident memory */
	rssBytes: number;
}

async function takeSample(pid: number): Promise<Sample> {
	const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8');
	const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
	const atMs = Date.now();
	// The fields are counted from behind the program's name, which may hold blanks and brackets itself.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const [utime, stime] = [Number(fields[11]), Number(fields[12])];
	const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
	return { atMs, cpuMs: (utime + stime) * TICK_MS, rssBytes: rssKib * 1_024 };
}

/**
 * Watches a process until told to stop.
 *
 * @param everyMs how often a sample is taken
 * @returns a function that stops and hands over the samples
 */
export function watchProcess(pid: number, everyMs = SAMPLE_EVERY_MS): () => Promise<Sample[]> {
	const samples: Sample[] = [];
	let watching = true;
	const watch = async () => {
		while (watching) {
			samples.push(await takeSample(pid));
			await sleepMs(everyMs);
		}
		samples.push(await takeSample(pid));
	};
	const watched = watch();
	// Reported where the samples are fetched; until then it must not count as unhandled.
	watched.catch(() => undefined);
	return async () => {
		watching = false;
		await watched;
		return samples;
	};
}

/** The CPU time at a moment, on the line between the samples around it. */
function cpuMsAt(samples: readonly Sample[], atMs: number): number {
	const after = samples.findIndex((sample) => sample.atMs >= atMs);
	const [left, right] = [samples[after - 1], samples[after]];
	if (!left || !right) throw new Error('The process was not watched at that time');
	const share = (atMs - left.atMs) / (right.atMs - left.atMs);
	return left.cpuMs + share * (right.cpuMs - left.cpuMs);
}

/** The CPU time used between two moments. */
export const cpuMsBetween = (samples: readonly Sample[], fromMs: number, toMs: number): number =>
	cpuMsAt(samples, toMs) - cpuMsAt(samples, fromMs);

/** How much memory grew at most after a moment, over its level (the median) before. */
export function peakGrowthBytes(samples: readonly Sample[], fromMs: number): number {
	const before = samples.filter(({ atMs }) => atMs < fromMs).map(({ rssBytes }) => rssBytes);
	const after = samples.filter(({ atMs }) => atMs >= fromMs).map(({ rssBytes }) => rssBytes);
	return Math.max(...after) - median(before);
}

/** The middle one; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((left, right) => left - right);
	const upper = sorted[Math.floor(sorted.length / 2)];
	const lower = sorted[Math.floor((sorted.length - 1) / 2)];
	if (upper === undefined || lower === undefined) throw new Error('No values');
	return (lower + upper) / 2;
}
