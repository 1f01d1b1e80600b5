import { sleepMs } from '../../tools/system';

/** What jest's fake timers leave as it is, so that only the time of day is another. */
export const ALL_BUT_THE_DATE = [
	'setTimeout',
	'setInterval',
	'setImmediate',
	'clearTimeout',
	'clearInterval',
	'clearImmediate',
	'nextTick',
	'queueMicrotask',
	'performance',
	'hrtime',
] as const;

/** A clock on which nothing passes but what is waited for. */
export class TestClock {
	private nowMs = 0;

	private readonly sleepers: Array<{ atMs: number; wake: () => void }> = [];

	now(): number {
		return this.nowMs;
	}

	async sleep(ms: number): Promise<void> {
		await new Promise<void>((wake) => this.sleepers.push({ atMs: this.nowMs + ms, wake }));
	}

	/** Lets time pass until nobody sleeps any more. */
	async run(): Promise<void> {
		for (;;) {
			await sleepMs(0);
			this.sleepers.sort((a, b) => a.atMs - b.atMs);
			const next = this.sleepers.shift();
			if (!next) return;
			this.nowMs = next.atMs;
			next.wake();
		}
	}
}
