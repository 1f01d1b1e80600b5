import type { RecordedFigure } from './figures';

/** Text in a cell of a Markdown table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function verdict({ met, whyMissed }: RecordedFigure): string {
	if (met === undefined) return 'reported';
	if (met) return 'yes';
	return whyMissed === undefined ? '**no**' : `**no**: ${whyMissed}`;
}

const row = (figure: RecordedFigure): string => {
	const { what, found, target = '', at, cores, load } = figure;
	const when = `${at.slice(0, 10)}, load ${load} on ${cores} cores`;
	return `| ${[what, found, target, verdict(figure), when].map(cell).join(' | ')} |`;
};

/** One table for each part. */
export function renderTables(figures: readonly RecordedFigure[]): string {
	if (figures.length === 0) return 'Nothing has been measured yet.';
	const parts = [...new Set(figures.map(({ part }) => part))];
	return parts
		.map((part) =>
			[
				`## ${part}\n`,
				'| what | found | target | met | when |',
				'| --- | --- | --- | --- | --- |',
				...figures.filter((figure) => figure.part === part).map(row),
			].join('\n'),
		)
		.join('\n\n');
}

/** The whole page of the documentation. */
export function renderPage(figures: readonly RecordedFigure[]): string {
	const releases = [...new Set(figures.map(({ n8n }) => n8n))].join(', ');
	return `# Proof in a real n8n

Written by \`npm run test:soak -- report --write\` from what \`npm run test:soak\` and \`npm run test:e2e\` found out last, with
the packed package installed in n8n ${releases}, against the [sandbox](../sandbox/README.md). Every figure is a comparison or
a count of one run; "load" is how many processes wanted to run on average, others' included. A figure is as old as its date,
and so are the names in it: the [changelog](../CHANGELOG.md) says what was renamed since. What a part does stands in
\`test/e2e\`.

${renderTables(figures)}
`;
}
