import { fs, path, projectRoot } from '../../tools/system';

/*
 * Every command of the README and of CONTRIBUTING.md is run by something that is run itself: what every change has to pass, a test, or the part
 * of the end-to-end tests that runs commands.
 */

/** A command that runs by itself for minutes. */
export interface LongCommand {
	command: string;
	/** words to add, so that it does less of the same */
	quicker?: string;
	prints: RegExp;
}

/** Commands that are too long for every change; test/e2e/commands.e2e.ts runs each, and looks at what it prints. */
export const LONG_COMMANDS: readonly LongCommand[] = [
	{ command: 'npm run bench -- send', quicker: '--quick', prints: /\| Diyalog, one by one +\|/ },
	{
		command: 'npm run bench -- presses',
		quicker: '--quick',
		prints: /\| The same by hand, 1 press/,
	},
	{ command: 'npm run bench -- wait', quicker: '--quick', prints: /\dx/ },
	{ command: 'npm run bench -- parse', quicker: '--quick', prints: /\dx/ },
	{ command: 'npm run bench', quicker: '-- --quick', prints: /\| Benchmark +\| What / },
	{ command: 'npm run screenshots', prints: /Finished 'screenshots'/ },
	{ command: 'npm run test:soak -- report', prints: /## Editor|Nothing has been measured yet/ },
];

/** Commands that are tests, or start some: who runs them has run them. */
export const TESTS: readonly string[] = [
	'npm run test:e2e',
	'npm run test:e2e -- queue',
	'npm run test:e2e -- version',
	'npm run test:soak',
	'npm run test:soak -- load',
];

/** Where the others are run: a file, and what it says of them. */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
	'npm ci': ['.ci/run', 'npm ci'],
	'npm test': ['.ci/run', 'run --silent test:built'],
	'npm run build': ['.ci/run', 'run --silent build'],
	'npm run lint': ['.ci/run', 'run --silent lint'],
	'npm run format': ['package.json', '"format": "prettier --write ."'],
	'npm run docs': ['test/docs/reference.spec.ts', 'npm run docs'],
	'npm run scan': ['.ci/run', 'run --silent scan'],
	'npm run demo': ['.ci/run', 'run --silent demo'],
	'npm run demo -- --check': ['.ci/run', 'run --silent demo -- --check'],
	'npm run test:e2e:fast': ['.ci/run', 'run --silent test:e2e:fast'],
	'npm run sandbox': ['test/sandbox/main.spec.ts', 'npm run sandbox'],
};

/** The commands for npm in the README and for developers, in code or in a table. */
export async function documentedCommands(): Promise<string[]> {
	const pages = await Promise.all(
		['README.md', 'CONTRIBUTING.md'].map(
			async (name) => await fs.readFile(path.join(projectRoot, name), 'utf8'),
		),
	);
	const commands = pages.join('\n').matchAll(/\bnpm (?:ci|test|run [\w:]+(?: -- [\w-]+)?)/g);
	return [...new Set([...commands].map(([command]) => command))];
}
