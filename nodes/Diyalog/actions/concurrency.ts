import { sleep } from 'n8n-workflow';

/**
 * How long n8n's process may be kept busy with starting items before it gets to the network. Without a break the requests
 * of all lanes would leave together when the last one is ready, be answered together, and n8n would idle meanwhile.
 */
const MAX_BUSY_MS = 10;

/**
 * Works on items side by side, starting them in order.
 *
 * @param count how many items there are
 * @param limit how many may be under way at the same time, at least 1
 * @param work works on one item; must not reject
 * @param mayStart asked before each item; once it is false no further item is started
 * @returns when all started items are done
 */
export async function runConcurrently(
	count: number,
	limit: number,
	work: (index: number) => Promise<void>,
	mayStart: () => boolean,
): Promise<void> {
	let next = 0;
	let busyMs = 0;
	let pause: Promise<void> | undefined;

	const begin = (index: number): Promise<void> => {
		const beginMs = performance.now();
		const done = work(index);
		busyMs += performance.now() - beginMs;
		return done;
	};
	const letNetworkWork = async (): Promise<void> => {
		await sleep(0);
		busyMs = 0;
		pause = undefined;
	};
	const lane = async (): Promise<void> => {
		while (next < count && mayStart()) {
			if (busyMs < MAX_BUSY_MS) await begin(next++);
			else await (pause ??= letNetworkWork());
		}
	};
	await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}
