import { os } from '../../../tools/system';
import { table } from '../page';
import type { Circumstances } from '../page';
import { median } from '../send/samples';
import { JOB_LABELS } from './costs';
import type { Cost, Job } from './costs';
import type { Mode, Role } from './site';
import type { DueFigures, WaitingFigures } from './waiting';

export const SCALING_PAGE = 'scaling.md';

/** What was found of one way to run n8n. */
export interface Found {
	costs: Record<Job, Cost>;
	waiting: WaitingFigures[];
	due?: DueFigures;
}

export type Findings = Partial<Record<Mode, Found>>;

export const MODE_NAMES: Readonly<Record<Mode, string>> = {
	sqlite: 'One process, SQLite',
	postgres: 'One process, PostgreSQL',
	queue: 'Queue mode, PostgreSQL',
};

const ROLES: readonly Role[] = ['main', 'webhook', 'worker'];
const MS_PER_S = 1_000;

const modesOf = (findings: Findings): Mode[] =>
	(Object.keys(MODE_NAMES) as Mode[]).filter((mode) => findings[mode]);

const sumOf = (cpuMs: Cost['cpuMs']): number =>
	Object.values(cpuMs).reduce((sum, each) => sum + each, 0);

const rounded = (value: number): string => Math.round(value).toLocaleString('en');

/** What a mode's processes need for one piece of work. */
const cpuCell = ({ cpuMs }: Cost): string => {
	const each = ROLES.filter((role) => cpuMs[role] !== undefined);
	const sum = rounded(sumOf(cpuMs));
	if (each.length < 2) return sum;
	return `${sum} (${each.map((role) => `${role} ${rounded(cpuMs[role] ?? 0)}`).join(', ')})`;
};

function costTable(findings: Findings): string {
	const rows = modesOf(findings).flatMap((mode) =>
		(Object.keys(JOB_LABELS) as Job[]).map((job) => {
			const cost = findings[mode]?.costs[job] as Cost;
			return [
				MODE_NAMES[mode],
				JOB_LABELS[job],
				cost.perSecond.toFixed(0),
				cpuCell(cost),
				rounded(MS_PER_S / sumOf(cost.cpuMs)),
			];
		}),
	);
	return table(
		[
			'n8n',
			'Work',
			'A second, measured',
			'CPU for one, ms, measured',
			'A second for each core, modelled',
		],
		rows,
	);
}

function waitingTable(findings: Findings): string {
	const rows = modesOf(findings).flatMap((mode) =>
		(findings[mode]?.waiting ?? []).map((each) => [
			MODE_NAMES[mode],
			rounded(each.count),
			each.startS.toFixed(0),
			rounded(each.memoryMib),
			rounded(each.databaseMib),
			rounded(median(each.pressMs)),
			each.pollMs.toFixed(1),
		]),
	);
	return table(
		[
			'n8n',
			'Executions that wait',
			'Start of n8n, s',
			'Memory of n8n, MiB',
			'Database, MiB',
			'From a press until the workflow goes on, ms',
			'Query for waits that end soon, ms',
		],
		rows,
	);
}

function dueTable(findings: Findings): string {
	const rows = modesOf(findings).flatMap((mode) => {
		const due = findings[mode]?.due;
		if (!due) return [];
		return [[MODE_NAMES[mode], rounded(due.count), due.lateS.toFixed(0), due.cpuS.toFixed(0)]];
	});
	return table(
		['n8n', 'Waits that end within a minute', 'The last one late by, s', 'CPU of n8n, s'],
		rows,
	);
}

/** All that was measured. */
export const renderFigures = (findings: Findings): string =>
	[costTable(findings), waitingTable(findings), dueTable(findings)].join('\n\n');

/** What a core may be used to: above it answers take ever longer. */
const USED_TO = 0.5;

/** What somebody may have to do in the busiest minute. */
interface Load {
	codesPerHour: number;
	openQuestions: number;
	tapsInBusiestMinute: number;
}

export const LOADS: readonly Load[] = [
	{ codesPerHour: 1_000, openQuestions: 100, tapsInBusiestMinute: 30 },
	{ codesPerHour: 5_000, openQuestions: 1_000, tapsInBusiestMinute: 150 },
	{ codesPerHour: 20_000, openQuestions: 10_000, tapsInBusiestMinute: 500 },
	{ codesPerHour: 50_000, openQuestions: 20_000, tapsInBusiestMinute: 1_500 },
	{ codesPerHour: 200_000, openQuestions: 100_000, tapsInBusiestMinute: 6_000 },
];

/** The busiest minute has so many times the codes of an average one. */
const PEAK = 3;

/** CPU that a load needs in a second of its busiest minute, in cores. */
export function coresOf(
	costs: Found['costs'],
	{ codesPerHour, tapsInBusiestMinute }: Load,
): number {
	const codes = (codesPerHour / 3_600) * PEAK;
	const taps = tapsInBusiestMinute / 60;
	const ms =
		codes * (sumOf(costs.codeSent.cpuMs) + sumOf(costs.codeVerified.cpuMs)) +
		taps * (sumOf(costs.questionSent.cpuMs) + sumOf(costs.questionAnswered.cpuMs));
	return ms / MS_PER_S;
}

/** n8n runs workflows of one process on one core. */
const MAIN_USES_CORES = 1;

function adviceFor(findings: Findings, load: Load): string[] {
	const { sqlite, postgres, queue } = findings;
	const single = postgres ?? sqlite;
	const many = queue ?? single;
	if (!single || !many) return ['', ''];
	const alone = coresOf(single.costs, load);
	const cells = [alone.toFixed(2)];
	if (alone <= MAIN_USES_CORES * USED_TO) {
		const database =
			sqlite && alone <= 0.25 && load.openQuestions <= 10_000
				? 'SQLite or PostgreSQL'
				: 'PostgreSQL';
		return [...cells, `one process, ${database}`];
	}
	const codes = (load.codesPerHour / 3_600) * PEAK;
	const taps = load.tapsInBusiestMinute / 60;
	const processes = (role: Role): number => {
		const cost = (job: Job) => many.costs[job].cpuMs[role] ?? 0;
		const ms =
			codes * (cost('codeSent') + cost('codeVerified')) +
			taps * (cost('questionSent') + cost('questionAnswered'));
		return Math.max(1, Math.ceil(ms / MS_PER_S / USED_TO));
	};
	const [webhooks, workers] = [processes('webhook'), Math.max(2, processes('worker'))];
	return [
		...cells,
		`queue mode, PostgreSQL: ${workers} workers, ${webhooks} webhook ${webhooks === 1 ? 'process' : 'processes behind a load balancer'}`,
	];
}

function loadTable(findings: Findings): string {
	return table(
		[
			'Codes an hour',
			'Open questions',
			'Taps in the busiest minute',
			'Cores in that minute',
			'What to run',
		],
		LOADS.map((load) => [
			rounded(load.codesPerHour),
			rounded(load.openQuestions),
			rounded(load.tapsInBusiestMinute),
			...adviceFor(findings, load),
		]),
	);
}

/** The part of the documentation. */
export const renderPart = (
	findings: Findings,
	about: Circumstances & { command: string },
): string =>
	`## What to run

${loadTable(findings)}

This is a model: the CPU of the next table, added up. It assumes that each code is sent and verified in executions of their own,
that the busiest minute has ${PEAK} times the codes of an average one, that as many questions are sent in that minute as are answered, and that
each process has a core of its own, which it uses to ${USED_TO * 100} % at most: beyond that answers take ever longer. The database and
Redis come on top. What your own workflows do besides costs more; measure it.

## What each piece costs

${costTable(findings)}

The columns that say so were measured: 10 at once on ${about.cores} cores, which the database, the measuring program and the Diyalog server of the sandbox
share. The last column is a model: a second divided by the CPU for one. It counts all processes of n8n; the database's CPU is not in it.

## Executions that wait

${waitingTable(findings)}

${dueTable(findings)}

Both were measured: one question was asked for real, and its row copied into n8n's database. Waits in the first table end in 30
days. In the second they end one after the other in the same minute, while all those wait as well. A press is the median of ${findings.sqlite?.waiting[0]?.pressMs.length ?? 0}.

\`\`\`
${about.command}
\`\`\`

measured this page on ${about.date}: n8n ${about.n8nVersion} on Node ${about.nodeVersion}, ${about.cores} cores and ${about.memoryGib} GiB of memory, N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true.
On average of the last 15 minutes ${(os.loadavg()[2] ?? 0).toFixed(1)} processes wanted to run, n8n's included. A query of 0.0 ms took less than 0.05 ms. Queue mode has one main process, two workers and one webhook process. It needs Linux, and PostgreSQL and Redis from the system's packages.
`;
