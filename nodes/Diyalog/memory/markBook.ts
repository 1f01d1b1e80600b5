import type { Mark } from './marks';

/** Where marks are kept: n8n's database. */
export interface MarkStore {
	/**
	 * Adds marks, without another process adding some in between, then forgets others. In this order, because what fails half
	 * way has to leave too many marks rather than too few.
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
	take: TakenMark[];
	forget: Mark[];
	done: (taken: Set<string>) => void;
	failed: (error: unknown) => void;
}

/** A mark that was taken. */
interface TakenMark extends Mark {
	/** the same time as `untilMs`, on a clock that nobody sets */
	steadyUntilMs: number;
}

/** What time it is: for everybody, and on a clock that nobody sets. */
interface Instant {
	nowMs: number;
	steadyMs: number;
}

/**
 * Whether nobody needs a mark any more. A clock that is set ahead and back again would otherwise free what is still valid
 * when it is right again.
 */
const isOver = ({ untilMs, steadyUntilMs }: TakenMark, { nowMs, steadyMs }: Instant): boolean =>
	untilMs <= nowMs && steadyUntilMs <= steadyMs;

const CLEAN_EVERY_MS = 60_000;

/** Marks are forgotten a few at a time: n8n searches its whole list for each. */
const MAX_CLEANED_AT_ONCE = 200;

/**
 * All marks that this process knows of, whichever node wrote them, so that a fact is new once even where two workflows ask.
 * Names are unique by their keys.
 */
export class KnownMarks {
	private readonly marks = new Map<string, TakenMark>();

	private sweepAtMs = -Infinity;

	/**
	 * No mark is needed any more that was needed until then (epoch milliseconds): it may have been forgotten. A clock that ran ahead
	 * and was set back comes before that time again.
	 */
	forgottenUntilMs = -Infinity;

	get size(): number {
		return this.marks.size;
	}

	has({ name }: Mark): boolean {
		return this.marks.has(name);
	}

	/** Makes a mark known; false when it was. */
	add(mark: TakenMark): boolean {
		if (this.marks.has(mark.name)) return false;
		this.marks.set(mark.name, mark);
		return true;
	}

	delete({ name }: Mark): void {
		this.marks.delete(name);
	}

	/** Forgets marks whose time has passed, now and then. */
	sweep(instant: Instant): void {
		if (instant.steadyMs < this.sweepAtMs) return;
		this.sweepAtMs = instant.steadyMs + CLEAN_EVERY_MS;
		for (const mark of this.marks.values()) {
			if (!isOver(mark, instant)) continue;
			this.delete(mark);
			this.forgottenUntilMs = Math.max(this.forgottenUntilMs, mark.untilMs);
		}
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
	private added: TakenMark[] = [];

	private outdated: Mark[] = [];

	private cleanAtMs = -Infinity;

	/**
	 * @param now epoch milliseconds
	 * @param steadyNow milliseconds on a clock that nobody sets
	 */
	constructor(
		private readonly known: KnownMarks,
		private readonly now: () => number,
		private readonly steadyNow: () => number,
	) {}

	/** What ended before this counts as over, whatever the clock says: marks of it may have been forgotten. */
	get forgottenUntilMs(): number {
		return this.known.forgottenUntilMs;
	}

	private instant(): Instant {
		return { nowMs: this.now(), steadyMs: this.steadyNow() };
	}

	/**
	 * Takes marks and forgets others. It takes part in one writing even if there is nothing to do, so that it lasts as long.
	 *
	 * @param store reaches the database in the name of the caller
	 * @returns the names of those marks that the caller was the first to take
	 * @throws what the store throws; the marks count as taken then
	 */
	async write(store: MarkStore, take: Mark[], forget: Mark[] = []): Promise<Set<string>> {
		const { nowMs, steadyMs } = this.instant();
		const own = take
			.map((mark) => ({ ...mark, steadyUntilMs: steadyMs + mark.untilMs - nowMs }))
			.filter((mark) => this.known.add(mark));
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

	/** Whether some place of a row is free, as far as this process knows: another one may have taken it. */
	seemsFree(row: Mark[][]): boolean {
		return row.some((marks) => !marks.some((mark) => this.known.has(mark)));
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
		const instant = this.instant();
		this.known.sweep(instant);
		if (instant.steadyMs >= this.cleanAtMs) {
			this.cleanAtMs = instant.steadyMs + CLEAN_EVERY_MS;
			for (const mark of this.added) if (isOver(mark, instant)) this.outdated.push(mark);
			this.added = this.added.filter((mark) => !isOver(mark, instant));
		}
		return this.outdated.splice(0, MAX_CLEANED_AT_ONCE);
	}
}

/** A book, and the way of one who uses it to the database. */
export interface OpenBook {
	book: MarkBook;
	store: MarkStore;
}
