import fc from 'fast-check';
import { runConcurrently } from '../../../../nodes/Diyalog/actions/concurrency';
import { serveAnswer } from '../../../support/answerServer';
import { sleepMs } from '../../../../tools/system';

const ALWAYS = () => true;

/** What n8n does while it evaluates the expressions of an item: nothing else happens in its process. */
function keepBusy(durationMs: number): void {
	const endMs = performance.now() + durationMs;
	while (performance.now() < endMs);
}

it('starts every item once and in order, never more of them at a time than it may', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.nat({ max: 3 }), { maxLength: 60 }),
			fc.integer({ min: 1, max: 80 }),
			async (durationsMs, limit) => {
				const started: number[] = [];
				let underWay = 0;
				let most = 0;
				await runConcurrently(
					durationsMs.length,
					limit,
					async (index) => {
						started.push(index);
						most = Math.max(most, ++underWay);
						await sleepMs(durationsMs[index]);
						underWay--;
					},
					ALWAYS,
				);
				expect(started).toEqual([...durationsMs.keys()]);
				expect(underWay).toBe(0);
				expect(most).toBeLessThanOrEqual(limit);
			},
		),
		{ numRuns: 50 },
	);
});

it('never has more under way than it may at that moment', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (large) => {
			const underWay = new Set<number>();
			let most = 0;
			const isLarge = (index: number) => large[index] === true;
			await runConcurrently(
				large.length,
				() => ([...underWay].some(isLarge) ? 2 : 20),
				async (index) => {
					underWay.add(index);
					most = Math.max(most, [...underWay].filter(isLarge).length);
					await sleepMs(index % 3);
					underWay.delete(index);
				},
				ALWAYS,
			);
			expect(underWay.size).toBe(0);
			expect(most).toBeLessThanOrEqual(2);
		}),
		{ numRuns: 50 },
	);
});

it('starts nothing any more once it may not, and waits for what is under way', async () => {
	const started: number[] = [];
	const ended: number[] = [];
	await runConcurrently(
		100,
		10,
		async (index) => {
			started.push(index);
			keepBusy(1);
			await sleepMs(5);
			ended.push(index);
		},
		() => started.length < 25,
	);
	expect(started).toHaveLength(25);
	expect(ended).toHaveLength(25);
});

it('lets the first requests leave and be answered before all lanes have begun', async () => {
	const server = await serveAnswer({ status: 200, text: '{}' });
	let begun = 0;
	const begunAtAnswer: number[] = [];
	await runConcurrently(
		50,
		50,
		async () => {
			begun++;
			keepBusy(5);
			await (await fetch(server.url)).text();
			begunAtAnswer.push(begun);
		},
		ALWAYS,
	);
	await server.close();
	expect(begunAtAnswer).toHaveLength(50);
	expect(Math.min(...begunAtAnswer)).toBeLessThan(50);
});
