import type { Mark } from './marks';

/** Where marks are kept: n8n's database. */
export interface MarkStore {
	/**
	 * Adds marks, without another process adding some in between.
	 *
	 * @param forget marks that need not be remembered any longer
	 * @returns those that were not there before
	 * @throws when it cannot be told whether they are kept
	 */
	add(names: string[], forget: string[]): Promise<Set<string>>;
}

/** What one caller wants of the next writing. */
interface Request {
	store: MarkStore;
	take: Mark[];
	forget: Mark[];
	done: (taken: Set<string>) => void;
	failed: (error: unknown) => void;
}

const CLEAN_EVERY_MS = 60_000;

/** Marks are forgotten a few at a time: n8n searches its whole list for each. */
const MAX_CLEANED_AT_ONCE = 200;

/**
 * All marks that this process knows of, whichever node wrote them, so that a challenge is used once even where two
 * workflows verify it. Names are unique by their keys.
 */
export class KnownMarks {
	private readonly marks = new Map<string, Mark>();

	private sweepAtMs = 0;

	get size(): number {
		return this.marks.size;
	}

	has({ name }: Mark): boolean {
		return this.marks.has(name);
	}

	/** Makes a mark known; false when it was. */
	add(mark: Mark): boolean {
		if (this.marks.has(mark.name)) return false;
		this.marks.set(mark.name, mark);
		return true;
	}

	delete({ name }: Mark): void {
		this.marks.delete(name);
	}

	/** Forgets marks whose time has passed, now and then. */
	sweep(nowMs: number): void {
		if (nowMs < this.sweepAtMs) return;
		this.sweepAtMs = nowMs + CLEAN_EVERY_MS;
		for (const mark of this.marks.values()) if (mark.untilMs <= nowMs) this.delete(mark);
	}
}

/**
 * The marks in one place of n8n's database. Within this process a mark is taken in the moment of asking, so that one of
 * any number of callers gets it; the database is then asked whether another process, or this one before a restart, was
 * faster. One writing is under way at a time, and all who ask meanwhile share the next.
 */
export class MarkBook {
	private waiting: Request[] = [];

	private isWriting = false;

	/** what this book has added, to be removed from the database when its time has passed */
	private added: Mark[] = [];

	private outdated: Mark[] = [];

	private cleanAtMs = 0;

	constructor(
		private readonly known: KnownMarks,
		private readonly now: () => number,
	) {}

	/**
	 * Takes marks and forgets others. It takes part in one writing even if there is nothing to do, so that it lasts as long.
	 *
	 * @param store reaches the database in the name of the caller
	 * @returns the names of those marks that the caller was the first to take
	 * @throws what the store throws; the marks count as taken then
	 */
	async write(store: MarkStore, take: Mark[], forget: Mark[] = []): Promise<Set<string>> {
		const own = take.filter((mark) => this.known.add(mark));
		return await new Promise((done, failed) => {
			this.waiting.push({ store, take: own, forget, done, failed });
			if (this.isWriting) return;
			this.isWriting = true;
			// What is asked for in the same turn shares the writing.
			queueMicrotask(() => void this.writeAll());
		});
	}

	/**
	 * Takes the first place of a row of which nobody has taken a mark. What it got of a place that another process was faster
	 * to take it keeps: that one may rely on it.
	 *
	 * @param row the marks of each place
	 * @returns its index; undefined when all are taken
	 */
	async takeFirst(store: MarkStore, row: Mark[][]): Promise<number | undefined> {
		let hasWritten = false;
		for (const [index, marks] of row.entries()) {
			if (marks.some((mark) => this.known.has(mark))) continue;
			hasWritten = true;
			const taken = await this.write(store, marks);
			if (marks.every(({ name }) => taken.has(name))) return index;
		}
		if (!hasWritten) await this.write(store, []);
		return undefined;
	}

	private async writeAll(): Promise<void> {
		while (this.waiting.length > 0) await this.writeOnce(this.waiting.splice(0));
		this.isWriting = false;
	}

	/** Settles all requests; never rejects. */
	private async writeOnce(requests: Request[]): Promise<void> {
		const [first] = requests;
		if (!first) return;
		const take = requests.flatMap((request) => request.take);
		const released = requests.flatMap((request) => request.forget);
		const forget = [...released, ...this.someOutdated()];
		try {
			const isNew = await first.store.add(
				take.map(({ name }) => name),
				forget.map(({ name }) => name),
			);
			for (const mark of take) this.added.push(mark);
			for (const mark of released) this.known.delete(mark);
			for (const request of requests) {
				const names = request.take.map(({ name }) => name);
				request.done(new Set(names.filter((name) => isNew.has(name))));
			}
		} catch (error) {
			for (const request of requests) request.failed(error);
		}
	}

	private someOutdated(): Mark[] {
		const nowMs = this.now();
		this.known.sweep(nowMs);
		if (nowMs >= this.cleanAtMs) {
			this.cleanAtMs = nowMs + CLEAN_EVERY_MS;
			for (const mark of this.added) if (mark.untilMs <= nowMs) this.outdated.push(mark);
			this.added = this.added.filter(({ untilMs }) => untilMs > nowMs);
		}
		return this.outdated.splice(0, MAX_CLEANED_AT_ONCE);
	}
}
