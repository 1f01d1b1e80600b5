import { presses, receipts } from './takers';
import type { Taken, Takers } from './takers';

/** What is measured: which taker, and with which calls. */
interface Contest {
	label: string;
	taker: keyof Takers;
	body: () => string;
	startsExecution: boolean;
	/** so many times the calls of the others, so that it lasts about as long */
	factor: number;
}

const batch = (label: string, taker: keyof Takers, count: number): Contest => ({
	label: `${label}, ${count} ${count === 1 ? 'press' : 'presses'} a call`,
	taker,
	body: presses(count),
	startsExecution: true,
	factor: 1,
});

export const CONTESTS = {
	diyalog1: batch('Diyalog Trigger', 'diyalog', 1),
	byHand1: batch('The same by hand', 'byHand', 1),
	headerAuth1: batch('Webhook node with Header Auth', 'headerAuth', 1),
	plain1: batch('Webhook node', 'plain', 1),
	diyalog10: batch('Diyalog Trigger', 'diyalog', 10),
	byHand10: batch('The same by hand', 'byHand', 10),
	headerAuth10: batch('Webhook node with Header Auth', 'headerAuth', 10),
	filtered10: {
		label: 'Diyalog Trigger, 10 receipts a call, which are filtered out',
		taker: 'diyalog',
		body: receipts(10),
		startsExecution: false,
		factor: 4,
	},
} as const satisfies Readonly<Record<string, Contest>>;

export type ContestName = keyof typeof CONTESTS;

/** In the order of the turns. */
export const NAMES = Object.keys(CONTESTS) as ContestName[];

/** What every round measured. */
export type Series = ReadonlyMap<ContestName, readonly Taken[]>;
