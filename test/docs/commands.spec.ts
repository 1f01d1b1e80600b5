import { fs, path, projectRoot } from '../../tools/system';
import { LONG_COMMANDS, documentedCommands, RUN_ELSEWHERE, TESTS } from './commands';

it('every command of the README and of CONTRIBUTING.md is run by a test or by what every change has to pass', async () => {
	const commands = await documentedCommands();
	expect(commands.length).toBeGreaterThan(10);
	const run = [
		...LONG_COMMANDS.map(({ command }) => command),
		...TESTS,
		...Object.keys(RUN_ELSEWHERE),
	];
	expect(commands.filter((command) => !run.includes(command))).toEqual([]);
});

it('npm test is what .ci/run runs: a build and test:built', async () => {
	const manifest = await fs.readFile(path.join(projectRoot, 'package.json'), 'utf8');
	expect(manifest).toContain('"test": "npm run build && npm run test:built"');
});

it.each(Object.entries(RUN_ELSEWHERE))('%s is run where it says', async (_, [file, words]) => {
	expect(await fs.readFile(path.join(projectRoot, file), 'utf8')).toContain(words);
});
