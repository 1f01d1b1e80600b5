import { packPackage } from '../../tools/n8n/package';
import { exitWith, fs, path, print, projectRoot, run, temporaryFolder } from '../../tools/system';

/*
 * The checks that n8n runs before it verifies a community package, on the source and on the packed tarball, as
 * @n8n/scan-community-package does them, without its questions to the registry.
 */

async function main(): Promise<void> {
	const { analyzePackage, SOURCE_FILE_PATTERNS } = await import(
		'@n8n/scan-community-package/scanner/scanner.mjs'
	);
	const folder = await temporaryFolder('scan');
	try {
		const tarball = await packPackage();
		const unpacked = path.join(folder, 'package');
		await run('tar', ['-xzf', tarball, '-C', folder]);
		const legs = [
			{ name: 'source', result: await analyzePackage(projectRoot, SOURCE_FILE_PATTERNS) },
			{ name: 'tarball', result: await analyzePackage(unpacked, ['**/*.js', 'package.json']) },
		];
		for (const { name, result } of legs) {
			print(`${name}: ${result.passed ? '0 errors' : (result.message ?? 'failed')}`);
			if (result.details) print(result.details);
		}
		const { size } = await fs.stat(tarball);
		print(`${path.basename(tarball)}: ${(size / 1_000).toFixed(1)} kB`);
		exitWith(legs.every(({ result }) => result.passed) ? 0 : 1);
	} finally {
		await fs.rm(folder, { recursive: true, force: true });
	}
}

main().catch((error: unknown) => {
	print(error instanceof Error ? (error.stack ?? error.message) : String(error));
	exitWith(1);
});
