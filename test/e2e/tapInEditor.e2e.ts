import type { Browser, Locator, Page } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { movingPicture } from '../support/movingPicture';
import type { Still } from '../support/movingPicture';
import { fs } from '../../tools/system';
import { Editor } from './harness/editor';
import { readExample } from '../../tools/n8n/examples';
import { record } from './harness/figures';
import { Stage } from './harness/waiting';

/*
 * A manual run in the editor that waits for a tap, and the tap on the phone page, each in a browser window of its own.
 * The first pictures of the README are made here, the moving one too.
 */

const PICTURES = '.cache/screenshots';
const CANVAS = { width: 1120, height: 640 };
const PHONE = { width: 400, height: 640 };

/** Of the moving picture: a README is about 900 pixels wide. */
const STILL_SCALE = 0.6;

/** A phone has to load it with the README. */
const MAX_MOVING_BYTES = 1_000_000;

/** Where a finger is about to tap: a ring around the middle of an element. */
const FINGER =
	'position:fixed;z-index:9999;width:44px;height:44px;margin:-22px;border-radius:50%;border:4px solid #f5a623;background:#f5a62355;pointer-events:none';

/** Shows a ring around what is about to be tapped. */
const pointAt = async (button: Locator): Promise<void> =>
	await button.evaluate((element, style) => {
		const { left, top, width, height } = element.getBoundingClientRect();
		const ring = element.ownerDocument.createElement('div');
		// The page's policy forbids styles as attributes.
		ring.style.cssText = `${style};left:${left + width / 2}px;top:${top + height / 2}px`;
		element.ownerDocument.body.append(ring);
		element.addEventListener('click', () => ring.remove());
	}, FINGER);

/**
 * Puts the pictures of two windows side by side.
 *
 * @param scale of the picture against the windows
 */
async function sideBySide(browser: Browser, windows: Page[], scale = 1): Promise<Buffer> {
	const pictures = await Promise.all(
		windows.map(async (page) =>
			(await page.screenshot({ animations: 'disabled' })).toString('base64'),
		),
	);
	const context = await browser.newContext({
		viewport: {
			width: Math.round((CANVAS.width + PHONE.width + 72) * scale),
			height: Math.round((CANVAS.height + 48) * scale),
		},
	});
	const page = await context.newPage();
	const style = 'border-radius:12px;box-shadow:0 4px 20px #0003;display:block';
	await page.setContent(
		`<body style="margin:0"><div style="zoom:${scale};padding:24px;display:flex;gap:24px;background:#e9edf3">${pictures
			.map((data) => `<img style="${style}" src="data:image/png;base64,${data}">`)
			.join('')}</div></body>`,
	);
	const picture = await page.screenshot();
	await context.close();
	return picture;
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

		const phone = await (
			await browser.newContext({ viewport: PHONE, colorScheme: 'light' })
		).newPage();
		await phone.goto(`${stage.sandbox.url}/sandbox#70021`);
		const windows = [phone, editor.page];
		const stills: Still[] = [];
		const still = async (shownForMs: number) =>
			stills.push({ png: await sideBySide(browser, windows, STILL_SCALE), shownForMs });
		await still(1_500);

		await editor.execute('Try it here');
		const approve = phone.getByRole('button', { name: 'Onayla' });
		await approve.waitFor();
		await fs.mkdir(PICTURES, { recursive: true });
		await fs.writeFile(`${PICTURES}/phone-and-editor.png`, await sideBySide(browser, windows));
		await still(2_500);

		await editor.openNode('Ask the customer');
		await editor.output('Waiting for input').waitFor();
		await editor.output('Waits for a decision').waitFor();
		await editor.closeNode();

		await pointAt(approve);
		await still(1_200);
		await approve.click();
		await editor.succeeded('Carry out the transfer').waitFor();
		await still(3_500);
		const moving = movingPicture(stills);
		expect(moving.byteLength).toBeLessThan(MAX_MOVING_BYTES);
		await fs.writeFile(`${PICTURES}/ask-and-tap.gif`, moving);

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
