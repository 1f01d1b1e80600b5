import { env, existsSync, fs, path, projectRoot, run, temporaryFolder } from '../system';

/** Where this package was packed already, by this process or by what has started it: .ci/run does it once for all steps. */
const PACKED = 'DIYALOG_PACKED';

/**
 * Builds and packs this package, unless that was done before.
 *
 * @returns the tarball's path; it goes when this process ends
 */
export async function packPackage(): Promise<string> {
	if (env[PACKED]) return env[PACKED];
	await run('npm', ['run', 'build'], { cwd: projectRoot });
	return (env[PACKED] = await packBuilt(await temporaryFolder('pack')));
}

/**
 * Packs what was built last.
 *
 * @param folder where the tarball is put
 * @returns the tarball's path
 */
export async function packBuilt(folder: string): Promise<string> {
	if (!existsSync(path.join(projectRoot, 'dist')))
		throw new Error('There is nothing to pack. Run `npm run build` first.');
	const packArgs = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
	await run('npm', packArgs, { cwd: projectRoot });
	const [tarball] = (await fs.readdir(folder)).filter((name) => name.endsWith('.tgz'));
	if (!tarball) throw new Error(`npm pack left no tarball in ${folder}`);
	return path.join(folder, tarball);
}

/** Installs a packed community package the way n8n does: nothing but the package itself. */
export async function installPackage(tarball: string, userFolder: string): Promise<void> {
	const folder = path.join(userFolder, '.n8n', 'nodes');
	await fs.mkdir(folder, { recursive: true });
	await fs.writeFile(
		path.join(folder, 'package.json'),
		'{ "name": "installed-nodes", "private": true, "dependencies": {} }\n',
	);
	const installArgs = ['install', tarball, '--ignore-scripts', '--legacy-peer-deps', '--no-audit'];
	await run('npm', [...installArgs, '--no-fund', '--loglevel=error'], { cwd: folder });
}
