import { env, fs, path, projectRoot, run } from '../system';

/** Where a run of many tests has packed this package already, so that not each of them does. */
export const PACKED = 'DIYALOG_PACKED';

/**
 * Builds and packs this package, unless that was done for the whole run.
 *
 * @param folder where the tarball is put
 * @returns the tarball's path
 */
export async function packPackage(folder: string): Promise<string> {
	if (env[PACKED]) return env[PACKED];
	await run('npm', ['run', 'build'], { cwd: projectRoot });
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
