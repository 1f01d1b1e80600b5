const { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } = require('node:fs/promises');
const path = require('node:path');
const { dest, parallel, src } = require('gulp');

/** Stale files in dist would be packed and published, so every build starts from nothing. */
const clean = () => rm('dist', { recursive: true, force: true });

// encoding: false, or gulp 5 reads pictures as text and corrupts them.
const icons = () => src('icons/**/*.{svg,png}', { encoding: false }).pipe(dest('dist/icons'));
const codex = () => src('nodes/**/*.node.json', { encoding: false }).pipe(dest('dist/nodes'));

const filesIn = async (folder, ending) =>
	(await readdir(folder, { recursive: true }))
		.filter((name) => name.endsWith(ending))
		.map((name) => path.join(folder, name));

/** The compiler indents by four spaces. Tabs make the package 3 kB smaller. Sources have no such lines, so no text changes. */
const tabs = async () => {
	for (const file of [...(await filesIn('nodes', '.ts')), ...(await filesIn('credentials', '.ts'))])
		if (/^ {4}/m.test(await readFile(file, 'utf8')))
			throw new Error(`${file} has a line that begins with four spaces. Use tabs.`);
	for (const file of await filesIn('dist', '.js')) {
		const text = await readFile(file, 'utf8');
		const indented = text.replace(/^(?: {4})+/gm, ({ length }) => '\t'.repeat(length / 4));
		await writeFile(file, indented);
	}
};

/** The pictures of the README, as the tests in a browser took them. */
const screenshots = async () => {
	await mkdir('docs/images', { recursive: true });
	await copyFile('.cache/screenshots/sandbox-light.png', 'docs/images/sandbox.png');
	for (const name of ['phone-and-editor', 'editor-send', 'editor-trigger', 'editor-human-review'])
		await copyFile(`.cache/screenshots/${name}.png`, `docs/images/${name}.png`);
	await copyFile('.cache/screenshots/ask-and-tap.gif', 'docs/images/ask-and-tap.gif');
	await cp('.cache/screenshots/examples', 'docs/images/examples', { recursive: true });
};

module.exports = { clean, icons, codex, assets: parallel(icons, codex, tabs), screenshots };
