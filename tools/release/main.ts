import { z } from 'zod';
import { args, fs, path, print, projectRoot, UsageError } from '../system';
import { releaseNotes } from './notes';
import { sbomOf } from './sbom';

/* What the workflow that publishes needs: `notes <tag>` and `sbom <tarball>`, each on standard output. */

async function notes(tag: string): Promise<string> {
	const read = async (name: string) => await fs.readFile(path.join(projectRoot, name), 'utf8');
	const { version } = z
		.object({ version: z.string() })
		.parse(JSON.parse(await read('package.json')));
	return releaseNotes(await read('CHANGELOG.md'), tag, version);
}

async function main(): Promise<void> {
	const [what, about] = args;
	if (what === 'notes' && about) return print((await notes(about)).trimEnd());
	if (what === 'sbom' && about) return print((await sbomOf(about)).trimEnd());
	throw new UsageError('Usage: tsx tools/release/main.ts notes <tag> | sbom <tarball>');
}

void main();
