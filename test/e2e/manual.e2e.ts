import type { Browser } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { fs } from '../support/system';
import { Editor } from './harness/editor';
import { ASK, Stage } from './harness/waiting';

/* Somebody who builds a workflow runs it by hand in the editor, and the customer taps meanwhile. */

const PICTURES = '.cache/screenshots';
const MESSAGE = 'Do you approve the transfer of 250 TL to A. Yılmaz?';

describeWithChromium('a manual run from the editor', () => {
	let stage: Stage;
	let browser: Browser;
	let editor: Editor;

	beforeAll(async () => {
		await fs.mkdir(PICTURES, { recursive: true });
		stage = await Stage.set();
		browser = await launchChromium();
	}, 900_000);

	afterAll(async () => {
		await browser?.close();
		await stage?.clear();
	}, 60_000);

	it('waits for the tap and goes on with the answer', async () => {
		const id = await stage.saveAskingByHand({ message: MESSAGE });
		editor = await Editor.open(browser, stage.n8n, 'light');
		await editor.openWorkflow(id);
		await editor.openNode(ASK);
		await editor.picture(`${PICTURES}/wait-panel.png`);
		await editor.closeNode();

		await editor.executeWorkflow();
		const message = await stage.messageAfter(0);
		expect(message.mokMessage).toBe(MESSAGE);
		await editor.openNode(ASK);
		await editor.output('Waiting for input').waitFor();
		await editor.output("The workflow goes on with the customer's answer").waitFor();
		await editor.picture(`${PICTURES}/wait-waiting.png`);

		await stage.press(message, 'Approve');
		await editor.output('decision').waitFor();
		await editor.output(message.messageId).waitFor();
		await editor.closeNode();
		await editor.succeeded(ASK).waitFor();
		await editor.picture(`${PICTURES}/wait-canvas.png`);
		expect(await stage.triggeredFor(message.messageId)).toEqual([
			expect.objectContaining({ resumed: true }),
		]);
		expect(editor.complaints).toEqual([]);
	}, 120_000);
});
