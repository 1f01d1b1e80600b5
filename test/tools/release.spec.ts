import { z } from 'zod';
import { packBuilt } from '../../tools/n8n/package';
import { releaseNotes } from '../../tools/release/notes';
import { sbomOf } from '../../tools/release/sbom';
import { fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- Not yet.

## [1.10.0] - 2026-12-24

One release, in
two lines.

### Added

- **Send** does this and
  that, over two lines.
  - A part of it.
- Another one.

## [1.1.0] - 2026-12-01

- Earlier.
`;

describe('the notes of a release', () => {
	it('are its part of the changelog, each entry in one line', () => {
		expect(releaseNotes(CHANGELOG, 'v1.10.0', '1.10.0')).toBe(`One release, in two lines.

### Added

- **Send** does this and that, over two lines.
  - A part of it.
- Another one.
`);
	});

	it('end with the changelog for the first release', () => {
		expect(releaseNotes(CHANGELOG, 'v1.1.0', '1.1.0')).toBe('- Earlier.\n');
	});

	it.each([
		['another version than that of package.json', 'v1.10.0', '1.1.0', 'does not fit'],
		['a tag without v', '1.10.0', '1.10.0', 'Name the tag v1.10.0'],
		['a version of which the changelog says nothing', 'v1.1', '1.1', 'says nothing of 1.1'],
		['what is not released yet', 'vUnreleased]', 'Unreleased]', 'says nothing of'],
	])('are refused for %s', (_, tag, version, words) => {
		expect(() => releaseNotes(CHANGELOG, tag, version)).toThrow(words);
	});

	it('are refused when the part is empty', () => {
		const empty = CHANGELOG.replace('- Earlier.', '');
		expect(() => releaseNotes(empty, 'v1.1.0', '1.1.0')).toThrow('says nothing of 1.1.0');
		expect(() => releaseNotes('## [1.1.0]', 'v1.1.0', '1.1.0')).toThrow('says nothing of 1.1.0');
	});

	it('can be made of the changelog as it is, once its headline has the version', async () => {
		const changelog = await fs.readFile(path.join(projectRoot, 'CHANGELOG.md'), 'utf8');
		const released = changelog.replace('## [Unreleased]', '## [9.9.9] - 2026-12-24');
		const notes = releaseNotes(released, 'v9.9.9', '9.9.9');
		expect(notes).toMatch(/^### Added\n\n- /);
		expect(notes).not.toMatch(/^ {2}\S/m);
	});
});

const bomSchema = z.object({
	bomFormat: z.literal('CycloneDX'),
	metadata: z.object({ component: z.object({ name: z.string(), version: z.string() }) }),
	components: z.array(z.object({ name: z.string() })),
});

describe('the bill of materials', () => {
	let folder: string;

	beforeAll(async () => {
		folder = await temporaryFolder('release');
	});

	afterAll(async () => await fs.rm(folder, { recursive: true, force: true }));

	it('says that nothing is installed with the package', async () => {
		const { metadata, components } = bomSchema.parse(
			JSON.parse(await sbomOf(await packBuilt(folder))),
		);
		const { name, version } = z
			.object({ name: z.string(), version: z.string() })
			.parse(JSON.parse(await fs.readFile(path.join(projectRoot, 'package.json'), 'utf8')));
		expect(metadata.component).toMatchObject({ name, version });
		expect(components).toEqual([]);
	}, 60_000);

	it('would list what is', async () => {
		const other = path.join(folder, 'package');
		await fs.mkdir(path.join(other, 'inside'), { recursive: true });
		const write = async (name: string, manifest: object) =>
			await fs.writeFile(
				path.join(other, name, 'package.json'),
				JSON.stringify({ version: '1.0.0', ...manifest }),
			);
		await write('', { name: 'other', dependencies: { inside: 'file:./inside' } });
		await write('inside', { name: 'inside' });
		const tarball = path.join(folder, 'other.tgz');
		await run('tar', ['-czf', tarball, '-C', folder, 'package']);
		const { components } = bomSchema.parse(JSON.parse(await sbomOf(tarball)));
		expect(components.map(({ name }) => name)).toEqual(['inside']);
	}, 60_000);
});
