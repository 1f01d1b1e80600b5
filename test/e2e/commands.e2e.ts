import { LONG_COMMANDS } from '../docs/commands';
import { fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';
import { record } from './harness/figures';

/* The commands of the README that are too long for every change, each run to its end in a copy of the checkout. */

const NOT_COPIED = ['node_modules', '.cache', '.git', 'dist'];

let copy: string;

beforeAll(async () => {
	copy = await temporaryFolder('commands');
	await fs.cp(projectRoot, copy, {
		recursive: true,
		filter: (file) => !NOT_COPIED.includes(path.relative(projectRoot, file)),
	});
	await fs.symlink(path.join(projectRoot, 'node_modules'), path.join(copy, 'node_modules'));
}, 60_000);

afterAll(async () => {
	await fs.rm(copy, { recursive: true, force: true });
});

it.each(LONG_COMMANDS)(
	'$command',
	async ({ command, quicker, prints }) => {
		const words = quicker === undefined ? command : `${command} ${quicker}`;
		const [npm = '', ...rest] = words.split(' ');
		const output = await run(npm, rest, { cwd: copy });
		expect(output).toMatch(prints);
		await record({
			part: 'Commands of the README',
			what: `\`${command}\``,
			found: 'runs to its end and prints what it should',
			met: true,
		});
	},
	1_800_000,
);
