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
 * @param limit how many may be under way at the same time, at least 1; a function is asked before each item
 * @param work works on one item; must not reject
 * @param mayStart asked before each item; once it is false no further item is started
 * @returns when all started items are done
 */
export async function runConcurrently(
	count: number,
	limit: number | (() => number),
	work: (index: number) => Promise<void>,
	mayStart: () => boolean,
): Promise<void> {
	let next = 0;
	let underWay = 0;
	let busyMs = 0;
	let wake = () => {};
	const mostNow = typeof limit === 'number' ? () => limit : limit;

	const begin = (index: number): void => {
		const beginMs = performance.now();
		underWay += 1;
		void work(index).then(() => {
			underWay -= 1;
			wake();
		});
		busyMs += performance.now() - beginMs;
	};
	const untilOneIsDone = async (): Promise<void> =>
		await new Promise((resolve) => {
			wake = resolve;
		});
	const untilThereIsRoom = async (): Promise<void> => {
		await untilOneIsDone();
		// Answers that have come are read together, and so are the next items begun: that takes some percent less of the processor.
		if (underWay > 0) await sleep(0);
		busyMs = 0;
	};
	while (next < count && mayStart()) {
		if (underWay >= mostNow()) await untilThereIsRoom();
		else if (busyMs < MAX_BUSY_MS) begin(next++);
		else {
			await sleep(0);
			busyMs = 0;
		}
	}
	while (underWay > 0) await untilOneIsDone();
}
