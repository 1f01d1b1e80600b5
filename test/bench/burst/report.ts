import type { Row } from '../benchmark';
import { table, targetsTable } from '../page';
import type { Circumstances } from '../page';
import { median } from '../send/samples';
import { DISTURBANCES } from './fairness';
import type { Delays, Disturbance } from './fairness';
import type { Turn } from './turns';

export interface Series {
	name: string;
	turns: Turn[];
}

/** What was found out, and under which circumstances. */
export interface Findings {
	count: number;
	/** with a trigger as it is by default */
	usual: Series;
	/** with a trigger out of which no presses come */
	quiet: Series;
	/** n8n's own Wait node */
	rival: Series;
	delays: Delays;
}

const MAX_RATIO = 1.1;
const MAX_ANSWER_MS = 5_000;
const MAX_DELAY = 2;

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

function spread(values: readonly number[], format: (value: number) => string): string {
	const middle = format(median(values));
	if (values.length < 2) return middle;
	return `${middle} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

const all = ({ turns }: Series, valueOf: (turn: Turn) => number): number[] => turns.map(valueOf);

/** The same figure of every turn said once, otherwise those of all turns. */
const same = (values: readonly number[]): string =>
	new Set(values).size === 1 ? String(values[0]) : values.join(', ');

const row = (series: Series): string[] => [
	series.name,
	spread(
		all(series, ({ timeMs }) => timeMs),
		seconds,
	),
	spread(
		all(series, ({ cpuMs }) => cpuMs),
		seconds,
	),
	same(all(series, ({ continuedOnce }) => continuedOnce)),
	same(all(series, ({ continuedTwice }) => continuedTwice)),
	same(all(series, ({ refusedCalls }) => refusedCalls)),
	same(all(series, ({ items }) => items)),
	same(all(series, ({ untrue }) => untrue.length)),
	seconds(Math.max(...all(series, ({ slowestCallMs }) => slowestCallMs))),
	spread(
		all(series, ({ load }) => load),
		(load) => load.toFixed(1),
	),
];

const HEAD = [
	'Answered by',
	'Until the last has ended, s',
	'CPU of n8n, s',
	'Continued once',
	'Twice',
	'Calls not answered with 200',
	'Items of the trigger',
	'of them untrue',
	'Slowest answer to a call, s',
	'Load',
];

const LABELS: Readonly<Record<Disturbance, string>> = {
	idle: 'nobody else taps',
	receipts: '20 calls with 200 read receipts, which are filtered out',
	approves: '200 taps of another customer, the first approves',
	refused: '200 taps of another customer, all refused',
	refusedBefore: 'the same, and the press comes in the middle of it',
};

/** How the node compares with what was demanded of it. */
export function judge({ count, usual, quiet, rival, delays }: Findings): Row[] {
	const time = (series: Series) => median(all(series, ({ timeMs }) => timeMs));
	const cpu = (series: Series) => median(all(series, ({ cpuMs }) => cpuMs));
	const ours = [...usual.turns, ...quiet.turns];
	const verdict = (what: string, measured: string, target: string, met: boolean): Row => ({
		what,
		measured,
		target,
		met,
	});
	const ratio = (what: string, series: Series, of = time) => {
		const found = of(series) / of(rival);
		return verdict(what, `${found.toFixed(2)}x`, `at most ${MAX_RATIO}x`, found <= MAX_RATIO);
	};
	const once = Math.min(...ours.map(({ continuedOnce }) => continuedOnce));
	const untrue = ours.reduce((sum, turn) => sum + turn.untrue.length, 0);
	const slowestMs = Math.max(...ours.map(({ slowestCallMs }) => slowestCallMs));
	const refused = ours.reduce((sum, turn) => sum + turn.refusedCalls, 0);
	const delay = (disturbance: Disturbance) => {
		const found = median(delays[disturbance]) / median(delays.idle);
		const what = `A press against one when idle: ${LABELS[disturbance]}`;
		return verdict(what, `${found.toFixed(2)}x`, `at most ${MAX_DELAY}x`, found <= MAX_DELAY);
	};
	return [
		verdict('Executions that continued exactly once', `${once}`, `${count}`, once === count),
		verdict('Items that say otherwise of an answer that continued', `${untrue}`, '0', untrue === 0),
		verdict('Calls of Diyalog not answered with 200', `${refused}`, '0', refused === 0),
		verdict(
			'Slowest answer to a call of Diyalog',
			`${seconds(slowestMs)} s`,
			`at most ${seconds(MAX_ANSWER_MS)} s`,
			slowestMs <= MAX_ANSWER_MS,
		),
		ratio('Time against direct calls of Wait nodes, trigger as by default', usual),
		ratio('Time against direct calls of Wait nodes, presses not among the events', quiet),
		ratio('CPU against direct calls of Wait nodes, trigger as by default', usual, cpu),
		ratio('CPU against direct calls of Wait nodes, presses not among the events', quiet, cpu),
		delay('approves'),
		delay('refused'),
		delay('refusedBefore'),
	];
}

/** The tables of figures. */
export function renderFigures(findings: Findings): string {
	const { usual, quiet, rival, delays } = findings;
	const milliseconds = (ms: number) => Math.round(ms).toLocaleString('en');
	return [
		table(HEAD, [usual, quiet, rival].map(row)),
		table(
			['Meanwhile', "From one customer's press until the workflow has gone on, ms", 'Against idle'],
			DISTURBANCES.map((each) => [
				LABELS[each],
				spread(delays[each], milliseconds),
				(median(delays[each]) / median(delays.idle)).toFixed(2),
			]),
		),
	].join('\n\n');
}

/** The part of the documentation. */
export function renderPart(findings: Findings, about: Circumstances & { command: string }): string {
	const { count, usual, quiet, rival, delays } = findings;
	return `## Many answers in one moment

${count.toLocaleString('en')} executions wait, and all are answered in the same moment.

${renderFigures(findings)}

${targetsTable(judge(findings))}

Times are medians, the least and the most in brackets; ratios are those of medians. CPU is that of n8n's main process in the same time. The load is how many processes
wanted to run on average in the minute before the end, those of n8n and of the measuring program included.

### How it is measured

\`\`\`
${about.command}
\`\`\`

made these tables on ${about.date}: n8n ${about.n8nVersion} on Node ${about.nodeVersion} with SQLite, in regular mode and with
N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true; ${about.cores} cores and ${about.memoryGib} GiB of memory shared with the sandbox, the measuring program
and whatever else ran.

- The workflows are a Webhook, the node that waits, and a No Operation node. Turns: ${usual.turns.length} by default, ${rival.turns.length} of Wait nodes,
  ${quiet.turns.length} without presses among the events; alternating in one n8n, every other time backwards.
- Diyalog: signed calls with 10 presses each, all posted at once. By default the presses come out of the trigger as well, which
  starts one more execution for each call.
- Wait node (resume: On Webhook Call): one POST to the resume address of each, 100 at a time: with all at once on a busy machine
  n8n ran out of time for writing to SQLite, and left some waiting.
- The time ends when n8n's record says that the last execution has ended. Each record is read to see that the last node
  ran exactly once, and each item that the trigger put out to see that it says the truth.
- A press is timed from its signed call until the workflow reports that it has gone on: alone, and posted right after 20
  calls with 10 taps each of another customer on a message of his own; ${delays.idle.length} times each, in turns.
`;
}
