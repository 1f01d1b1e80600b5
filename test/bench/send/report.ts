import { table, targetsTable } from '../page';
import type { Circumstances } from '../page';
import type { Results, Series } from './results';
import { cpuMsPerItem, judge, maxInFlight, medianGrowthBytes, medianTimeMs } from './results';

const BYTES_PER_MB = 1_000_000;

const integer = (value: number): string => Math.round(value).toLocaleString('en');

/** The least and the most of what the runs measured, where there was more than one. */
function spread(values: readonly number[], format: (value: number) => string): string {
	if (values.length < 2) return '';
	return ` (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

function row({ variant, protocol, count, runs }: Series): string[] {
	const series = { variant, protocol, count, runs };
	const perItem = (cpuMs: number) => (cpuMs / count).toFixed(2);
	const megabytes = (bytes: number) => integer(bytes / BYTES_PER_MB);
	const times = runs.map(({ timeMs }) => timeMs);
	const cpus = runs.map(({ cpuMs }) => cpuMs);
	const growths = runs.map((run) => run.peakGrowthBytes);
	return [
		variant.label,
		protocol === 'https' ? 'yes' : 'no',
		integer(count),
		integer(medianTimeMs(series)) + spread(times, integer),
		cpuMsPerItem(series).toFixed(2) + spread(cpus, perItem),
		integer(maxInFlight(series)),
		megabytes(medianGrowthBytes(series)) + spread(growths, megabytes),
	];
}

const TIME = 'Time in the node, ms';
const CPU = 'CPU per item, ms';
const IN_FLIGHT = 'Most requests at once';
const MEMORY = 'Peak memory growth, MB';
const HEAD = ['Variant', 'TLS', 'Items', TIME, CPU, IN_FLIGHT];

/** The tables of figures. */
export function renderFigures(results: Results): string {
	const speed = table(
		HEAD,
		results.speed.map((series) => row(series).slice(0, HEAD.length)),
	);
	const memory = table([...HEAD, MEMORY], results.memory.map(row));
	return results.memory.length > 0 ? [speed, memory].join('\n\n') : speed;
}

/** The part of the documentation. */
export function renderPart(results: Results, about: Circumstances & { command: string }): string {
	const runs = results.speed[0]?.runs.length ?? 0;
	const starts = results.memory[0]?.runs.length ?? 0;
	return `## Sending many messages

![Messages per second, CPU per message and peak memory of the variants](images/bench-send.svg)

${renderFigures(results)}

${targetsTable(judge(results))}

A time, a CPU time and a memory growth is the median of all runs, the least and the most of them in
brackets; ratios are those of medians.

### How it is measured

\`\`\`
${about.command}
\`\`\`

made these tables on ${about.date}: n8n ${about.n8nVersion} on Node ${about.nodeVersion}, ${about.cores} cores and
${about.memoryGib} GiB of memory shared with the server and the measuring program. It needs Linux and \`openssl\`.

- One real n8n, set as for production, with the packed package in it. A process of its own answers every
  message after 50 ms, over HTTP and over TLS with a certificate that n8n trusts.
- A workflow is a Webhook, a Split Out node that makes the items, and the sending node. The HTTP Request
  node posts the same body to the same address; its batching is off, so it sends everything at once.
- Customer number, message, code and message ID come from the item. The same data is entered in the same way on both sides:
  four expressions in fields, or the whole body as one JSON expression. n8n evaluates each expression in its sandbox, which is
  most of the work. For an OTP the Diyalog node also seals the code into a challenge, which the HTTP Request node does not.
- An expression that is a plain path, such as \`{{ $json.customerNo }}\`, is left to n8n as well. What \`$json\` is (pinned data, the run,
  the paired item, a tool's input), and what becomes of what it gives, are rules of n8n that differ by release and that no public
  function of n8n offers: a node that reads the path itself would sooner or later send to another person than n8n shows.
- After warming up, each variant runs ${runs === 1 ? 'once' : `${runs} times`}, in turns. The time is that of the sending node alone, from the
  record of the execution. CPU is that of n8n's main process in this time.
- Memory is the resident memory of n8n's main process in the whole execution, over its level before. Each of
  these ${starts === 1 ? 'runs has' : `${starts} runs has`} an n8n of its own, so that none inherits the heap of another.
- The server counts what it gets. A run in which not every message arrives exactly once is not
  counted but ends the benchmark.
`;
}
