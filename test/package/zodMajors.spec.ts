import { run, filesBelow, fs, path, projectRoot, temporaryFolder } from '../../tools/system';

/*
 * Which zod lies beside the package is not ours to choose: n8n brings 3.25, and an image built by hand may have 4 hoisted.
 * Both ship the path zod/v4.
 */

const SHIPPED = ['nodes', 'credentials'];

it('imports zod in one place, by its generation', async () => {
	const files = (
		await Promise.all(SHIPPED.map(async (name) => await filesBelow(path.join(projectRoot, name))))
	).flat();
	const imports = await Promise.all(
		files
			.filter((file) => file.endsWith('.ts'))
			.map(async (file) => {
				const text = await fs.readFile(file, 'utf8');
				return [...text.matchAll(/['"`](zod(?:\/[^'"`]*)?)['"`]/g)].map(([, name]) => name);
			}),
	);
	expect(imports.flat()).toEqual(['zod/v4']);
});

/** What is published, run by n8n-core's own classes, in a folder where zod is the one that is given. */
async function runBeside(zod: string): Promise<unknown> {
	const folder = await temporaryFolder('zod');
	const modules = path.join(projectRoot, 'node_modules');
	await fs.cp(path.join(projectRoot, 'dist'), folder, { recursive: true });
	for (const part of ['test/support', 'tools', 'test/package']) {
		await fs.cp(path.join(projectRoot, part), path.join(folder, part), { recursive: true });
	}
	await fs.cp(path.join(projectRoot, 'tsconfig.json'), path.join(folder, 'tsconfig.json'));
	await fs.mkdir(path.join(folder, 'node_modules'));
	for (const name of ['n8n-core', 'n8n-workflow', 'lodash', 'luxon', 'express']) {
		await fs.symlink(path.join(modules, name), path.join(folder, 'node_modules', name));
	}
	await fs.cp(path.join(modules, zod), path.join(folder, 'node_modules', 'zod'), {
		recursive: true,
	});
	try {
		const scenario = path.join(folder, 'test', 'package', 'zodScenario.ts');
		const output = await run(path.join(modules, '.bin', 'tsx'), [scenario], { cwd: folder });
		return JSON.parse(output.trim().split('\n').at(-1) ?? '');
	} finally {
		await fs.rm(folder, { recursive: true, force: true });
	}
}

describe.each([
	['3.25.76', 'zod'],
	['4', 'zod4'],
])('beside zod %s the built package', (version, zod) => {
	it('sends an item, refuses one and takes a press', async () => {
		const manifest = path.join(projectRoot, 'node_modules', zod, 'package.json');
		expect(await fs.readFile(manifest, 'utf8')).toContain(`"version": "${version}`);
		expect(await runBeside(zod)).toEqual({
			sent: [['2074022437', '-7523925115459309081']],
			refused: 'Message is empty [item 0]',
			requests: 1,
			status: 200,
			pressed: [['transfer-18', 'approve']],
		});
	}, 120_000);
});
