import type { Row } from '../benchmark';
import { table, targetsTable } from '../page';
import type { Circumstances } from '../page';
import { median } from '../send/samples';
import { CONTESTS, NAMES } from './contests';
import type { ContestName, Series } from './contests';
import type { Taken } from './takers';

/** What was measured with N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true, and without it. */
export interface Findings {
	lazy: Series;
	eager: Series;
}

type Figure = keyof Taken;

const medianOf = (series: Series, name: ContestName, figure: Figure): number =>
	median((series.get(name) ?? []).map((taken) => taken[figure]));

/** The median, and the least and the most in brackets where there is more than one. */
function spread(series: Series, name: ContestName, figure: Figure): string {
	const values = (series.get(name) ?? []).map((taken) => taken[figure]);
	const [least, most] = [Math.min(...values), Math.max(...values)].map((each) => each.toFixed(1));
	return values.length === 1 ? `${least}` : `${median(values).toFixed(1)} (${least}–${most})`;
}

const HEAD = ['Taken by', 'Calls a second', 'CPU of n8n for each, ms'];

const tableOf = (series: Series): string =>
	table(
		HEAD,
		NAMES.map((name) => [
			CONTESTS[name].label,
			spread(series, name, 'callsPerSecond'),
			spread(series, name, 'cpuMsPerCall'),
		]),
	);

/** The tables of figures. */
export const renderFigures = ({ lazy, eager }: Findings): string =>
	`With N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true:

${tableOf(lazy)}

Without it, as n8n is by default:

${tableOf(eager)}`;

/** What was found beside what is demanded. */
export function judge({ lazy, eager }: Findings): Row[] {
	const ratio = (
		what: string,
		series: Series,
		[one, other]: readonly [ContestName, ContestName],
		atLeast?: number,
		figure: Figure = 'callsPerSecond',
	): Row => {
		const found = medianOf(series, one, figure) / medianOf(series, other, figure);
		return {
			what,
			measured: `${found.toFixed(found < 10 ? 2 : 1)}x`,
			target: atLeast === undefined ? '' : `at least ${atLeast}x`,
			...(atLeast !== undefined && { met: found >= atLeast }),
		};
	};
	const setting = 'without N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE';
	return [
		ratio('Calls a second against the same by hand', lazy, ['diyalog1', 'byHand1'], 4),
		ratio('The same, 10 presses a call', lazy, ['diyalog10', 'byHand10'], 4),
		ratio(
			'CPU of the same by hand against the trigger',
			lazy,
			['byHand1', 'diyalog1'],
			undefined,
			'cpuMsPerCall',
		),
		ratio(
			'The same, 10 presses a call',
			lazy,
			['byHand10', 'diyalog10'],
			undefined,
			'cpuMsPerCall',
		),
		ratio(
			'Calls a second against a Webhook node with Header Auth',
			lazy,
			['diyalog1', 'headerAuth1'],
			1,
		),
		ratio('The same, 10 presses a call', lazy, ['diyalog10', 'headerAuth10']),
		ratio('Calls a second against a Webhook node', lazy, ['diyalog1', 'plain1']),
		ratio(
			'Batches that are filtered out against a Webhook node',
			lazy,
			['filtered10', 'plain1'],
			5,
		),
		ratio(`Calls a second against the same by hand, ${setting}`, eager, ['diyalog1', 'byHand1']),
		ratio(`The same, 10 presses a call, ${setting}`, eager, ['diyalog10', 'byHand10']),
		ratio(`Calls a second against a Webhook node with Header Auth, ${setting}`, eager, [
			'diyalog1',
			'headerAuth1',
		]),
		ratio(`Batches that are filtered out against a Webhook node, ${setting}`, eager, [
			'filtered10',
			'plain1',
		]),
	];
}

/** The part of the documentation. */
export const renderPart = (
	findings: Findings,
	about: Circumstances & { command: string },
): string =>
	`## Presses taken in a second

${renderFigures(findings)}

${targetsTable(judge(findings))}

Figures are medians, the least and the most in brackets; ratios are those of medians. CPU is that of n8n and of its task runner.

### How it is measured

\`\`\`
${about.command}
\`\`\`

made these tables on ${about.date}: n8n ${about.n8nVersion} on Node ${about.nodeVersion} with SQLite, in regular mode, set as for production;
${about.cores} cores and ${about.memoryGib} GiB of memory shared with the measuring program. It needs Linux.

- 10 calls at once, each signed and with presses of messages of their own, until n8n's record says that every execution has ended.
  ${findings.lazy.get('diyalog1')?.length ?? 0} rounds with the setting, ${findings.eager.get('diyalog1')?.length ?? 0} without it, in turns in one n8n, every other round backwards.
- By hand means five of n8n's nodes: Webhook (raw body, replies at once), Crypto (the HMAC), IF (the comparison), Code (a batch
  becomes events), Remove Duplicates (across executions). Before it is measured, it has to take a genuine call, to refuse a forged
  one and to drop a repetition, as the trigger has to.
- The Webhook nodes stand alone: they read no batch, check no signature and remember nothing.
`;
