import type { AttemptCounter } from './decide';

/** Far more executions than can wait for a code at the same time; only so that the map cannot grow for ever. */
const MAX_TURNS = 10_000;

/** Counts wrong answers in this process. What was counted before a restart stands in the message's reference. */
export function createAttemptCounter(): AttemptCounter {
	const attempts = new Map<string, number>();
	return (turn, atLeast) => {
		const count = Math.max(attempts.get(turn) ?? 0, atLeast) + 1;
		attempts.delete(turn);
		attempts.set(turn, count);
		const [oldest] = attempts.keys();
		if (attempts.size > MAX_TURNS && oldest !== undefined) attempts.delete(oldest);
		return count;
	};
}
