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
	const lane = async (): Promise<void> => {
		while (next < count && mayStart()) await work(next++);
	};
	await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}
