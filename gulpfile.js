const { copyFile, cp, mkdir, rm } = require('node:fs/promises');
const { dest, parallel, src } = require('gulp');

/** Stale files in dist would be packed and published, so every build starts from nothing. */
const clean = () => rm('dist', { recursive: true, force: true });

// encoding: false, or gulp 5 reads pictures as text and corrupts them.
const icons = () => src('icons/**/*.{svg,png}', { encoding: false }).pipe(dest('dist/icons'));
const codex = () => src('nodes/**/*.node.json', { encoding: false }).pipe(dest('dist/nodes'));

/** The pictures of the README, as the tests in a browser took them. */
const screenshots = async () => {
	await mkdir('docs/images', { recursive: true });
	await copyFile('.cache/screenshots/sandbox-light.png', 'docs/images/sandbox.png');
	for (const name of ['phone-and-editor', 'editor-send', 'editor-trigger', 'editor-human-review'])
		await copyFile(`.cache/screenshots/${name}.png`, `docs/images/${name}.png`);
	await copyFile('.cache/screenshots/ask-and-tap.gif', 'docs/images/ask-and-tap.gif');
	await cp('.cache/screenshots/examples', 'docs/images/examples', { recursive: true });
};

module.exports = { clean, icons, codex, assets: parallel(icons, codex), screenshots };
