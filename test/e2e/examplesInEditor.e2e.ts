import type { Browser } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { fs, path } from '../../tools/system';
import { exampleFiles, readExample } from '../../tools/n8n/examples';
import { N8n } from '../../tools/n8n/n8n';
import { Editor } from './harness/editor';

/* Every example as it lies on the canvas. The pictures of docs/examples.md are made here. */

const PICTURES = '.cache/screenshots/examples';
/** Pictures are kept in the repository. */
const MAX_BYTES = 80_000;

describeWithChromium('the examples on the canvas', () => {
	let n8n: N8n;
	let browser: Browser;
	let credentialId: string;

	beforeAll(async () => {
		n8n = await N8n.start();
		browser = await launchChromium();
		credentialId = await n8n.createCredential('Diyalog', {
			serverUrl: 'http://127.0.0.1:1',
			botToken: 'a-token',
			appSecret: 'a-secret',
		});
	}, 900_000);

	afterAll(async () => {
		await browser?.close();
		await n8n?.stop();
		await n8n?.remove();
	}, 60_000);

	it('each has its picture', async () => {
		const editor = await Editor.open(browser, n8n, 'light');
		const large: string[] = [];
		await fs.mkdir(PICTURES, { recursive: true });
		for (const file of await exampleFiles()) {
			const example = await readExample(file, credentialId);
			const { id } = await n8n.saveWorkflow(example);
			await editor.openWorkflow(id);
			const picture = await editor.pictureOfCanvas();
			await fs.writeFile(path.join(PICTURES, file.replace(/json$/, 'jpg')), picture);
			if (picture.length > MAX_BYTES) large.push(`${file}: ${picture.length}`);
		}
		expect(large).toEqual([]);
		expect(editor.complaints).toEqual([]);
		await editor.close();
	}, 600_000);
});
