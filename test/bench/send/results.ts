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
const MAX_TIME_DEFAULT = 1.3;
const MAX_TIME_WIDE = 1.15;
const MAX_CPU = 1.1;
const MAX_MEMORY = 1;

function find(series: readonly Series[], key: Variant['key'], protocol: Protocol): Series {
	const found = series.find((one) => one.variant.key === key && one.protocol === protocol);
	if (found) return found;
	throw new Error(`${key} over ${protocol} was not measured`);
}

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

const COMPARISONS = [
	['http', 'httpFields'],
	['http', 'httpJson'],
	['https', 'httpFields'],
	['https', 'httpJson'],
] as const;

/** How the node compares with what was demanded of it; ratios are those of medians. */
export function judge({ speed, memory }: Results): Row[] {
	const verdicts: Row[] = [];
	const oneByOne = find(speed, 'oneByOne', 'http');
	for (const key of ['default', 'wide'] as const) {
		const series = find(speed, key, 'http');
		const speedup = medianTimeMs(oneByOne) / medianTimeMs(series);
		verdicts.push(
			atLeast(`Speed against one by one, ${series.variant.label}`, speedup, MIN_SPEEDUP),
		);
	}
	for (const [protocol, competitor] of COMPARISONS) {
		const over = protocol === 'https' ? ', TLS' : '';
		const base = find(speed, competitor, protocol);
		const against = base.variant.label;
		for (const [key, limit] of [
			['default', MAX_TIME_DEFAULT],
			['wide', MAX_TIME_WIDE],
		] as const) {
			const series = find(speed, key, protocol);
			const { label } = series.variant;
			const time = medianTimeMs(series) / medianTimeMs(base);
			const cpu = cpuMsPerItem(series) / cpuMsPerItem(base);
			verdicts.push(atMost(`Time against the ${against}: ${label}${over}`, time, limit));
			verdicts.push(atMost(`CPU against the ${against}: ${label}${over}`, cpu, MAX_CPU));
		}
	}
	const growth =
		medianGrowthBytes(find(memory, 'default', 'http')) /
		medianGrowthBytes(find(memory, 'httpFields', 'http'));
	verdicts.push(
		atMost('Peak memory against the HTTP Request node, many items', growth, MAX_MEMORY),
	);
	for (const variant of new Set(speed.map((series) => series.variant))) {
		const limited = Number.isFinite(variant.limit);
		if (limited) verdicts.push(staysBelow(variant, [...speed, ...memory]));
	}
	return verdicts;
}
