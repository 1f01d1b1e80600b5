import { z } from 'zod';
import { fs, path, run, temporaryFolder } from '../system';

/*
 * The software bill of materials of a release: what is installed with the package. `npm sbom` in the checkout would list what
 * it is built with, because n8n-workflow is a development dependency there as well as a peer.
 */

/**
 * The bill of materials of a packed package.
 *
 * @param tarball what `npm pack` made
 * @returns CycloneDX as JSON
 */
export async function sbomOf(tarball: string): Promise<string> {
	const folder = await temporaryFolder('sbom');
	try {
		const { name } = await manifestOf(tarball, folder);
		// npm names what it describes after the folder.
		const cwd = path.join(folder, name);
		await fs.mkdir(cwd);
		await run('tar', ['-xzf', tarball, '-C', cwd, '--strip-components=1']);
		// n8n takes these away when it installs a package, and provides n8n-workflow itself.
		await run('npm', ['pkg', 'delete', 'devDependencies', 'peerDependencies'], { cwd });
		const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
		await run('npm', ['install', '--package-lock-only', ...quiet], { cwd });
		return await run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], { cwd });
	} finally {
		await fs.rm(folder, { recursive: true, force: true });
	}
}

async function manifestOf(tarball: string, folder: string): Promise<{ name: string }> {
	await run('tar', ['-xzf', tarball, '-C', folder, 'package/package.json']);
	const text = await fs.readFile(path.join(folder, 'package', 'package.json'), 'utf8');
	return z.object({ name: z.string() }).parse(JSON.parse(text));
}
