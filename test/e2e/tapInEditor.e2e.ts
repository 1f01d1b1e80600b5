import type { Browser, Page } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { fs, path } from '../../tools/system';
import { Editor } from './harness/editor';
import { readExample } from '../../tools/n8n/examples';
import { record } from './harness/figures';
import { Stage } from './harness/waiting';

/*
 * A manual run in the editor that waits for a tap, and the tap on the phone page, each in a browser window of its own.
 * The first picture of the README is made here.
 */

const PICTURES = '.cache/screenshots';
const CANVAS = { width: 1120, height: 640 };
const PHONE = { width: 400, height: 640 };

/** Puts the pictures of two windows side by side. */
async function sideBySide(browser: Browser, windows: Page[], file: string): Promise<void> {
	const pictures = await Promise.all(
		windows.map(async (page) =>
			(await page.screenshot({ animations: 'disabled' })).toString('base64'),
		),
	);
	const context = await browser.newContext({
		viewport: { width: CANVAS.width + PHONE.width + 72, height: CANVAS.height + 48 },
	});
	const page = await context.newPage();
	const style = 'border-radius:12px;box-shadow:0 4px 20px #0003;display:block';
	await page.setContent(
		`<body style="margin:24px;display:flex;gap:24px;background:#e9edf3">${pictures
			.map((data) => `<img style="${style}" src="data:image/png;base64,${data}">`)
			.join('')}</body>`,
	);
	await fs.mkdir(path.dirname(file), { recursive: true });
	await page.screenshot({ path: file });
	await context.close();
}

describeWithChromium('a tap on the phone', () => {
	let stage: Stage;
	let browser: Browser;

	beforeAll(async () => {
		stage = await Stage.set();
		browser = await launchChromium();
	}, 900_000);

	afterAll(async () => {
		await browser?.close();
		await stage?.clear();
	}, 60_000);

	it('continues what was started by hand in the editor', async () => {
		const example = await readExample('approve-transfer.json', stage.credentialId);
		const workflow = await stage.n8n.createWorkflow(example);
		const editor = await Editor.open(browser, stage.n8n, 'light');
		await editor.page.setViewportSize(CANVAS);
		await editor.openWorkflow(workflow);
		await editor.closeProposals();
		await editor.execute('Try it here');

		const phone = await (
			await browser.newContext({ viewport: PHONE, colorScheme: 'light' })
		).newPage();
		await phone.goto(`${stage.sandbox.url}/sandbox#70021`);
		const approve = phone.getByRole('button', { name: 'Onayla' });
		await approve.waitFor();
		await sideBySide(browser, [phone, editor.page], `${PICTURES}/phone-and-editor.png`);

		await editor.openNode('Ask the customer');
		await editor.output('Waiting for input').waitFor();
		await editor.output('Waits for an approval or a refusal').waitFor();
		await editor.closeNode();

		await approve.click();
		await editor.succeeded('Carry out the transfer').waitFor();
		await sideBySide(browser, [phone, editor.page], `${PICTURES}/phone-and-editor-done.png`);

		await editor.openNode('Ask the customer');
		await editor.page.setViewportSize({ width: 1280, height: 1100 });
		await editor.picture(`${PICTURES}/editor-send-and-wait.png`);
		expect(await editor.labels()).toEqual(
			expect.arrayContaining(['Customer Number', 'Message', 'Response Type', 'Approval Options']),
		);
		expect(editor.complaints).toEqual([]);
		await editor.close();
		await phone.context().close();
		await record({
			part: 'Editor',
			what: 'manual run that waits for a tap on the phone page',
			found: 'continued after the tap',
			target: 'by clicking',
			met: true,
		});
	}, 120_000);
});
