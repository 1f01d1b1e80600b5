/** One figure that a benchmark measured, beside what is demanded of it. */
export interface Row {
	what: string;
	measured: string;
	/** empty where nothing is demanded */
	target: string;
	/** undefined where nothing is demanded */
	met?: boolean;
}

/** How a benchmark is run. */
export interface BenchOptions {
	/** far less of everything, to see that it works; the figures say little */
	quick: boolean;
	/** puts the figures into the page of the documentation */
	write: boolean;
	/** what else was said for a run while something is being worked on, by name; such a run writes nothing */
	given: ReadonlyMap<string, string>;
	/** what the page names as the command behind its figures */
	command: string;
}

/**
 * A benchmark prints what it measures, with `write` puts it into its own part of the page, and gives what is demanded of it. A
 * missed target is reported, not punished.
 */
export type Benchmark = (options: BenchOptions) => Promise<Row[]>;
