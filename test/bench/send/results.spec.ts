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

const results = (changed: Partial<Run> = {}): Results => ({
	speed: [
		series('oneByOne', 'http', { timeMs: 15_000 }),
		series('default', 'http', changed),
		series('wide', 'http'),
		series('httpFields', 'http', { maxInFlight: COUNT }),
		series('httpJson', 'http', { maxInFlight: COUNT }),
		series('default', 'https'),
		series('wide', 'https'),
		series('httpFields', 'https', { maxInFlight: COUNT }),
		series('httpJson', 'https', { maxInFlight: COUNT }),
	],
	memory: [series('default', 'http', changed), series('httpFields', 'http')],
});

const missed = (changed: Partial<Run>) =>
	judge(results(changed))
		.filter(({ met }) => !met)
		.map(({ what }) => what);

describe('targets of sending many', () => {
	it('are met at their limits', () => {
		expect(missed({})).toEqual([]);
	});

	it.each<[Partial<Run>, string[]]>([
		[
			{ timeMs: 1_301 },
			[
				'Speed against one by one, Diyalog, 50 at once (default)',
				'Time against the HTTP Request node, body as fields: Diyalog, 50 at once (default)',
				'Time against the HTTP Request node, body as one JSON text: Diyalog, 50 at once (default)',
			],
		],
		[
			{ cpuMs: 1_101 },
			[
				'CPU against the HTTP Request node, body as fields: Diyalog, 50 at once (default)',
				'CPU against the HTTP Request node, body as one JSON text: Diyalog, 50 at once (default)',
			],
		],
		[{ maxInFlight: 51 }, ['Most requests at once, Diyalog, 50 at once (default)']],
		[{ peakGrowthBytes: 1_001 }, ['Peak memory against the HTTP Request node, many items']],
	])('are missed with %p', (changed, expected) => {
		expect(missed(changed)).toEqual(expected);
	});
});
