import type { Row } from '../benchmark';
import type { Protocol, Run } from './measure';
import { median } from './samples';
import type { Variant } from './variants';

/** All runs of one variant over one protocol. */
export interface Series {
	variant: Variant;
	protocol: Protocol;
	/** items of each run */
	count: number;
	runs: readonly Run[];
}

/** Everything that a benchmark measured. */
export interface Results {
	/** many runs in one n8n */
	speed: readonly Series[];
	/** few runs of many items, each in an n8n of its own */
	memory: readonly Series[];
}

export const medianTimeMs = ({ runs }: Series): number => median(runs.map(({ timeMs }) => timeMs));

export const cpuMsPerItem = ({ runs, count }: Series): number =>
	median(runs.map(({ cpuMs }) => cpuMs)) / count;

export const medianGrowthBytes = ({ runs }: Series): number =>
	median(runs.map((run) => run.peakGrowthBytes));

export const maxInFlight = ({ runs }: Series): number =>
	Math.max(...runs.map((run) => run.maxInFlight));

const MIN_SPEEDUP = 15;
const MAX_TIME = 1.1;
const MAX_CPU = 1.1;
const MAX_MEMORY = 1;

const atMost = (what: string, ratio: number, limit: number): Row => ({
	what,
	measured: `${ratio.toFixed(2)}x`,
	target: `at most ${limit}x`,
	met: ratio <= limit,
});

const atLeast = (what: string, ratio: number, limit: number): Row => ({
	what,
	measured: `${ratio.toFixed(1)}x`,
	target: `at least ${limit}x`,
	met: ratio >= limit,
});

/** Over all its runs, with and without TLS, few items and many. */
function staysBelow(variant: Variant, all: readonly Series[]): Row {
	const most = Math.max(...all.filter((series) => series.variant === variant).map(maxInFlight));
	return {
		what: `Most requests at once, ${variant.label}`,
		measured: String(most),
		target: `at most ${variant.limit}`,
		met: most <= variant.limit,
	};
}

const timeMsPerItem = (series: Series): number => medianTimeMs(series) / series.count;

/** Which is held against which: the same data is entered in the same way on both sides. */
const COMPARISONS: ReadonlyArray<readonly [ours: Variant['key'], theirs: Variant['key']]> = [
	['default', 'httpFields'],
	['wide', 'httpFields'],
	['otpJson', 'httpOtpJson'],
	['messageJson', 'httpMessageJson'],
];
const FASTER: ReadonlyArray<readonly [slow: Variant['key'], fast: Variant['key']]> = [
	['oneByOne', 'default'],
	['oneByOne', 'wide'],
];

/** The series of each pair that was measured. */
function pairsOf(
	pairs: ReadonlyArray<readonly [Variant['key'], Variant['key']]>,
	series: readonly Series[],
	protocol: Protocol,
): Array<readonly [Series, Series]> {
	const find = (key: Variant['key']) =>
		series.find((one) => one.variant.key === key && one.protocol === protocol);
	return pairs.flatMap(([left, right]) => {
		const [first, second] = [find(left), find(right)];
		return first && second ? [[first, second] as const] : [];
	});
}

function compare(protocol: Protocol, speed: readonly Series[]): Row[] {
	const over = protocol === 'https' ? ', TLS' : '';
	return pairsOf(COMPARISONS, speed, protocol).flatMap(([ours, theirs]) => {
		const what = `${ours.variant.label}, against ${theirs.variant.label}${over}`;
		const time = timeMsPerItem(ours) / timeMsPerItem(theirs);
		const cpu = cpuMsPerItem(ours) / cpuMsPerItem(theirs);
		return [atMost(`Time: ${what}`, time, MAX_TIME), atMost(`CPU: ${what}`, cpu, MAX_CPU)];
	});
}

/** How the node compares with what was demanded of it, as far as it was measured; ratios are those of medians. */
export function judge({ speed, memory }: Results): Row[] {
	const faster = pairsOf(FASTER, speed, 'http').map(([slow, fast]) =>
		atLeast(
			`Speed against one by one, ${fast.variant.label}`,
			timeMsPerItem(slow) / timeMsPerItem(fast),
			MIN_SPEEDUP,
		),
	);
	const growths = pairsOf(COMPARISONS, memory, 'http').map(([ours, theirs]) =>
		atMost(
			`Peak memory against the ${theirs.variant.label}, many items`,
			medianGrowthBytes(ours) / medianGrowthBytes(theirs),
			MAX_MEMORY,
		),
	);
	const limited = [...new Set(speed.map(({ variant }) => variant))].filter(({ limit }) =>
		Number.isFinite(limit),
	);
	return [
		...faster,
		...compare('http', speed),
		...compare('https', speed),
		...growths,
		...limited.map((variant) => staysBelow(variant, [...speed, ...memory])),
	];
}
