import type { Failure } from './failures';

/*
 * When a send may be repeated, and after how long. Diyalog documents no idempotency: a repeated request can reach the
 * person twice. So only what certainly did not happen is repeated.
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const MS_PER_SECOND = 1_000;

/**
 * Reads a Retry-After header, which is a number of seconds or a date (RFC 9110, 10.2.3).
 *
 * @returns milliseconds from now, or undefined when there is no usable one
 */
export function retryAfterMs(header: unknown, now: Date): number | undefined {
	if (typeof header !== 'string') return undefined;
	const text = header.trim();
	if (/^\d{1,9}$/.test(text)) return Number(text) * MS_PER_SECOND;
	const date = Date.parse(text);
	return /[a-z]{3}/i.test(text) && !Number.isNaN(date)
		? Math.max(0, date - now.getTime())
		: undefined;
}

/**
 * How long to wait before a failed send is repeated.
 *
 * @param failure why it failed
 * @param retry how many repetitions there have been
 * @param random from 0 to 1; spreads the repetitions of many sends over time
 * @returns milliseconds, or undefined when it must not be repeated, or would have to wait for longer than a minute
 */
export function waitBeforeRetryMs(
	failure: Failure,
	retry: number,
	random: () => number,
): number | undefined {
	if (!failure.repeatable) return undefined;
	const { retryAfterMs: demanded } = failure;
	if (demanded !== undefined) {
		// Never earlier than demanded, and not all at the same moment.
		const waitMs = demanded + random() * FIRST_WAIT_MS;
		return waitMs > LONGEST_WAIT_MS ? undefined : waitMs;
	}
	return FIRST_WAIT_MS * 2 ** retry * (0.5 + random() / 2);
}
