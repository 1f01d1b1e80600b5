import { installNode, withNode } from '../../../tools/n8n/install';
import { fs, path, run, temporaryFolder } from '../../../tools/system';
import { cpuMsPerItem, medianGrowthBytes, medianTimeMs } from './results';
import type { Results, Series } from './results';

/** Fetched only to draw the picture: the two and what they bring would be 80 packages for everybody else. */
const CHART_PACKAGES = ['vega@6.4.0', 'vega-lite@6.5.0'];

const MS_PER_S = 1_000;
const BYTES_PER_MB = 1_000_000;
const PANEL = { width: 260, height: { step: 24 } };
const COLOURS = { Diyalog: '#1f5fd0', 'HTTP Request node': '#9aa3ad' };

/** One bar chart: a bar for each series, its value written behind it. */
function panel(
	title: string,
	series: readonly Series[],
	valueOf: (series: Series) => number,
	format: string,
) {
	const values = series.map((one) => ({
		name: one.variant.label + (one.protocol === 'https' ? ', TLS' : ''),
		node: one.variant.key.startsWith('http') ? 'HTTP Request node' : 'Diyalog',
		value: valueOf(one),
	}));
	const room = Math.max(...values.map(({ value }) => value)) * 1.2;
	return {
		title: { text: title, anchor: 'start', frame: 'group' },
		...PANEL,
		data: { values },
		encoding: {
			y: {
				field: 'name',
				type: 'nominal',
				sort: null,
				axis: { title: null, labelLimit: 0, ticks: false, domain: false },
			},
			x: {
				field: 'value',
				type: 'quantitative',
				scale: { domain: [0, room] },
				axis: null,
			},
		},
		layer: [
			{
				mark: { type: 'bar', height: 16 },
				encoding: {
					color: {
						field: 'node',
						type: 'nominal',
						scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
						legend: null,
					},
				},
			},
			{
				mark: { type: 'text', align: 'left', dx: 4 },
				encoding: { text: { field: 'value', type: 'quantitative', format } },
			},
		],
	};
}

function specification({ speed, memory }: Results) {
	const perSecond = (series: Series) => (series.count / medianTimeMs(series)) * MS_PER_S;
	const megabytes = (series: Series) => medianGrowthBytes(series) / BYTES_PER_MB;
	const items = (memory[0]?.count ?? 0).toLocaleString('en');
	return {
		$schema: 'https://vega.github.io/schema/vega-lite/v6.json',
		background: 'white',
		padding: 12,
		config: { view: { stroke: null }, font: 'sans-serif' },
		vconcat: [
			panel('Messages per second (more is better)', speed, perSecond, ',.0f'),
			panel('CPU per message, ms (less is better)', speed, cpuMsPerItem, '.2f'),
			panel(`Peak memory for ${items} messages, MB (less is better)`, memory, megabytes, ',.0f'),
		],
	};
}

/** Draws the results as an SVG picture, with Vega-Lite. */
export async function drawChart(results: Results, file: string): Promise<void> {
	const folder = await temporaryFolder('chart');
	try {
		const specFile = path.join(folder, 'chart.json');
		await fs.writeFile(specFile, JSON.stringify(specification(results)));
		const packages = CHART_PACKAGES.map((name) => `--package=${name}`);
		const npmArgs = ['exec', '--yes', ...packages, '--', 'vl2svg', specFile, file];
		// Vega-Lite asks for a newer Node than this package does.
		await run('npm', npmArgs, { cwd: folder, env: withNode(await installNode()) });
	} finally {
		await fs.rm(folder, { recursive: true, force: true });
	}
}
