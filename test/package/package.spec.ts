import { z } from 'zod';
import { packBuilt } from '../../tools/n8n/package';
import { fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';

const MAX_TARBALL_BYTES = 185_000;

let folder: string;
let tarball: string;
let installed: string;

/** Beside the package lies nothing but what n8n itself provides. */
beforeAll(async () => {
	folder = await temporaryFolder('package');
	tarball = await packBuilt(folder);
	const modules = path.join(folder, 'node_modules');
	installed = path.join(modules, 'n8n-nodes-diyalog');
	await fs.mkdir(installed, { recursive: true });
	await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
	await provideFromN8n(modules);
}, 120_000);

afterAll(async () => await fs.rm(folder, { recursive: true, force: true }));

const manifestSchema = z.object({
	name: z.string(),
	dependencies: z.record(z.string()).optional(),
	peerDependencies: z.record(z.string()).optional(),
	scripts: z.record(z.string()).optional(),
	n8n: z.object({ nodes: z.array(z.string()), credentials: z.array(z.string()) }),
});

const readManifest = async (at: string) =>
	manifestSchema.parse(JSON.parse(await fs.readFile(path.join(at, 'package.json'), 'utf8')));

/** Links n8n-workflow and zod with all that they need; Node has to leave links as they are to find nothing else of this checkout. */
async function provideFromN8n(modules: string): Promise<void> {
	const linked = new Set<string>();
	const link = async (name: string): Promise<void> => {
		if (linked.has(name)) return;
		linked.add(name);
		const source = path.join(projectRoot, 'node_modules', name);
		await fs.mkdir(path.dirname(path.join(modules, name)), { recursive: true });
		await fs.symlink(source, path.join(modules, name));
		const manifest: unknown = JSON.parse(
			await fs.readFile(path.join(source, 'package.json'), 'utf8'),
		);
		const { data } = z.object({ dependencies: z.record(z.string()) }).safeParse(manifest);
		for (const dependency of Object.keys(data?.dependencies ?? {})) await link(dependency);
	};
	await link('n8n-workflow');
	await link('zod');
}

it('loads beside nothing but n8n-workflow and zod', async () => {
	const { n8n } = await readManifest(installed);
	const files = [...n8n.nodes, ...n8n.credentials];
	const script = `
		for (const file of ${JSON.stringify(files)}) {
			const [Class] = Object.values(require('n8n-nodes-diyalog/' + file));
			const { name, description } = new Class();
			console.log(description ? description.name : name);
		}`;
	const output = await run('node', ['--preserve-symlinks', '-e', script], { cwd: folder });
	expect(output.trim().split('\n')).toEqual(['diyalog', 'diyalogTrigger', 'diyalogApi']);
});

it('would not load without what n8n provides, so that the test above proves something', async () => {
	const bare = await temporaryFolder('bare');
	try {
		await fs.cp(installed, path.join(bare, 'node_modules', 'n8n-nodes-diyalog'), {
			recursive: true,
		});
		const script = "require('n8n-nodes-diyalog/dist/nodes/Diyalog/Diyalog.node.js')";
		const running = run('node', ['--preserve-symlinks', '-e', script], { cwd: bare });
		await expect(running).rejects.toThrow(/Cannot find module/);
	} finally {
		await fs.rm(bare, { recursive: true, force: true });
	}
});

it('needs nothing installed with it and runs nothing when installed', async () => {
	const { dependencies, peerDependencies, scripts } = await readManifest(installed);
	expect(dependencies).toBeUndefined();
	expect(peerDependencies).toEqual({ 'n8n-workflow': '*' });
	expect(
		Object.keys(scripts ?? {}).filter((name) => /install|prepare|^pre|^post/.test(name)),
	).toEqual([]);
});

it('is small and holds only what is published', async () => {
	expect((await fs.stat(tarball)).size).toBeLessThan(MAX_TARBALL_BYTES);
	const files = (await run('tar', ['-tzf', tarball])).trim().split('\n');
	const kinds = /^package\/(package\.json|README\.md|LICENSE|dist\/.*\.(js|node\.json|svg))$/;
	const schemas = files.filter((file) => file.includes('/__schema__/'));
	expect(files.filter((file) => !kinds.test(file) && !schemas.includes(file))).toEqual([]);
	expect(schemas.map((file) => file.replace(/^.*__schema__\//, '')).sort()).toEqual([
		...['send', 'sendAndWait', 'sendAppTrigger', 'sendCarousel', 'sendDocument'].map(
			(operation) => `v1.0.0/message/${operation}.json`,
		),
		'v1.0.0/otp/send.json',
		'v1.0.0/otp/sendAndWait.json',
		'v1.0.0/otp/verify.json',
		'v1.0.0/output.json',
		'v1.0.0/signedPayload/verify.json',
		'v2.0.0/output.json',
	]);
	expect(files).toEqual(
		expect.arrayContaining([
			'package/dist/icons/diyalog.svg',
			'package/dist/icons/diyalog.dark.svg',
			'package/dist/nodes/Diyalog/Diyalog.node.json',
			'package/dist/nodes/Diyalog/DiyalogTrigger.node.json',
		]),
	);
});
