import { MEMORY, SPEED } from './benchSend';
import type { Protocol, Run } from './measure';
import { judge } from './results';
import type { Results, Series } from './results';
import { variants } from './variants';
import type { Variant } from './variants';

const COUNT = 1_000;

/** One run in which everything is as demanded, but for what is given. */
const series = (key: Variant['key'], protocol: Protocol, run: Partial<Run> = {}): Series => ({
	variant: variants[key],
	protocol,
	count: COUNT,
	runs: [{ timeMs: 1_000, cpuMs: 1_000, maxInFlight: 1, peakGrowthBytes: 1_000, ...run }],
});

const OURS_AND_THEIRS = [
	['default', 'HTTP Request node, body as fields'],
	['wide', 'HTTP Request node, body as fields'],
	['otpJson', 'HTTP Request node, OTP as one JSON expression'],
	['messageJson', 'HTTP Request node, message as one JSON expression'],
] as const;

/** Everything that is measured; only the runs of one variant are others. */
const results = (key: Variant['key'], changed: Partial<Run>): Results => {
	const runsOf = ([variant, protocol]: (typeof SPEED)[number]): Series => {
		const run = variant.key === 'oneByOne' ? { timeMs: 15_000 } : {};
		return series(variant.key, protocol, variant.key === key ? { ...run, ...changed } : run);
	};
	return { speed: SPEED.map(runsOf), memory: MEMORY.map(runsOf) };
};

const missed = (key: Variant['key'], changed: Partial<Run>) =>
	judge(results(key, changed))
		.filter(({ met }) => !met)
		.map(({ what }) => what);

describe('targets of sending many', () => {
	it('are all measured, and met at their limits', () => {
		const rows = judge(results('default', {}));
		expect(rows.filter(({ met }) => !met)).toEqual([]);
		// Two speeds, six pairs with time and CPU, memory, and five that promise a number of requests.
		expect(rows).toHaveLength(2 + 6 * 2 + 1 + 5);
	});

	it.each(OURS_AND_THEIRS)('time and CPU of %s are held against the same input', (key, theirs) => {
		const { label } = variants[key];
		const [time, cpu] = [missed(key, { timeMs: 1_101 }), missed(key, { cpuMs: 1_101 })];
		expect(time).toContain(`Time: ${label}, against ${theirs}`);
		expect(cpu).toContain(`CPU: ${label}, against ${theirs}`);
		const isAlsoTls = key === 'default' || key === 'otpJson';
		expect(cpu).toHaveLength(isAlsoTls ? 2 : 1);
	});

	it.each<[Partial<Run>, string]>([
		[{ timeMs: 1_001 }, 'Speed against one by one, Diyalog, 50 at once (default)'],
		[{ maxInFlight: 51 }, 'Most requests at once, Diyalog, 50 at once (default)'],
		[
			{ peakGrowthBytes: 1_001 },
			'Peak memory against the HTTP Request node, body as fields, many items',
		],
	])('are missed with %p', (changed, expected) => {
		expect(missed('default', changed)).toEqual([expected]);
	});
});
