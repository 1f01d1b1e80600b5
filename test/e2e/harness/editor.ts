import type { Browser, Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { OWNER } from '../../../tools/n8n/n8n';

/** An n8n as the browser sees it. */
type Served = Readonly<{ url: string }>;

const WAIT_MS = 15_000;
/** A laptop's window: what a person sees without scrolling. */
const WINDOW = { width: 1280, height: 800 };

/** Wide enough for the names in the largest example to be read. */
const CANVAS_WINDOW = { width: 1400, height: 1300 };
const AROUND = 16;
/** What is for editing only: buttons, and what begins at an output and leads nowhere. */
const ONLY_THE_CANVAS = `
	.vue-flow__panel, .vue-flow__background, [class*="executionButtons"],
	[data-test-id^="execute-workflow-button"], [data-test-id="canvas-node-toolbar"],
	[data-test-id="canvas-handle-plus-wrapper"] { display: none !important }
`;
/** What is around all that is drawn, as `[left, top, right, bottom]`. */
const DRAWN = `(() => {
	const shown = [...document.querySelectorAll('.vue-flow__node, .vue-flow__node *, .vue-flow__edge-path')];
	const boxes = shown.map((each) => each.getBoundingClientRect()).filter(({ width, height }) => width + height > 0);
	const of = (side, choose) => choose(...boxes.map((box) => box[side]));
	return [of('left', Math.min), of('top', Math.min), of('right', Math.max), of('bottom', Math.max)];
})()`;

/** Closes the notices that are there now. One may go by itself at any moment, so no click waits for it. */
const CLOSE_NOTICES = `(() => {
	for (const close of document.querySelectorAll('.el-notification__closeBtn')) close.click();
})()`;

/** The editor takes over what is typed only after a pause; who clicks sooner saves what was there before. */
const TAKEN_OVER_MS = 500;

const byTestId = (scope: Page | Locator, id: string): Locator =>
	scope.locator(`[data-test-id="${id}"]`);

/** n8n's editor in a browser, used as a person does: by clicking and typing. */
export class Editor {
	private constructor(
		readonly page: Page,
		private readonly n8n: Served,
		/** errors of scripts in the page */
		readonly complaints: string[],
	) {}

	/** Opens the editor and logs in. */
	static async open(browser: Browser, n8n: Served, theme: 'light' | 'dark'): Promise<Editor> {
		const context = await browser.newContext({ viewport: WINDOW, colorScheme: theme });
		const page = await context.newPage();
		page.setDefaultTimeout(WAIT_MS);
		const complaints: string[] = [];
		page.on('pageerror', ({ message }) => complaints.push(message));
		await page.goto(`${n8n.url}/signin`);
		await page.locator('input').first().fill(OWNER.email);
		await page.locator('input[type=password]').fill(OWNER.password);
		await page.keyboard.press('Enter');
		await page.waitForURL((url) => !url.pathname.includes('signin'));
		return new Editor(page, n8n, complaints);
	}

	async close(): Promise<void> {
		await this.page.context().close();
	}

	/** Begins a new workflow with an empty canvas. */
	async newWorkflow(): Promise<void> {
		await this.page.goto(`${this.n8n.url}/workflow/new`);
		await byTestId(this.page, 'canvas-plus-button').waitFor();
	}

	/** Shows lists from the next page on as n8n shows them to a part of its users: each entry can be collapsed. */
	async collapseEntries(): Promise<void> {
		const experiments = JSON.stringify({ '048_collection_overhaul': 'variant' });
		await this.page.addInitScript(
			`localStorage.setItem('N8N_EXPERIMENT_OVERRIDES', ${JSON.stringify(experiments)})`,
		);
	}

	/** Opens a saved workflow. */
	async openWorkflow(id: string): Promise<void> {
		await this.page.goto(`${this.n8n.url}/workflow/${id}`);
		await byTestId(this.page, 'canvas-node').first().waitFor();
	}

	/** Opens a node of the canvas. */
	async openNode(name: string): Promise<void> {
		await this.canvasNode(name).dblclick();
		await this.node.waitFor();
	}

	/** The mark of a node on the canvas that has done its work. */
	succeeded(name: string): Locator {
		return byTestId(this.canvasNode(name), 'canvas-node-status-success');
	}

	/** Runs the open workflow by hand from its only trigger, and does not wait for the end. */
	async executeWorkflow(): Promise<void> {
		await byTestId(this.page, 'execute-workflow-button').click();
	}

	/** A text in the output panel of the opened node. */
	output(shown: string): Locator {
		return byTestId(this.node, 'output-panel').getByText(shown).first();
	}

	/** Opens the node panel of an empty canvas and searches; the entries with this very name. */
	async searchNode(words: string, name: string): Promise<Locator> {
		const search = byTestId(this.page, 'node-creator-search-bar');
		if (!(await search.isVisible())) await byTestId(this.page, 'canvas-plus-button').click();
		await search.fill(words);
		const entries = byTestId(this.page, 'item-iterator-item').filter({
			has: byTestId(this.page, 'node-creator-item-name').getByText(name, { exact: true }),
		});
		await entries.first().waitFor();
		return entries;
	}

	/** Opens the node panel with what can be a tool of the open workflow's only agent. */
	async offerTools(): Promise<void> {
		// The panel keeps what it knew of nodes when it was opened, which are loaded after the workflow.
		await this.page.waitForLoadState('networkidle');
		const plus = byTestId(
			this.page.locator('[data-handleid="inputs/ai_tool/0"]'),
			'canvas-handle-plus',
		);
		await plus.dispatchEvent('click');
		await byTestId(this.page, 'node-creator-search-bar').waitFor();
	}

	/** Opens a group of the node panel by its title, e.g. "Human review"; its entries by this very name. */
	async openGroup(title: string, name: string): Promise<Locator> {
		const panel = byTestId(this.page, 'node-creator');
		await panel.getByText(title, { exact: true }).click();
		const entries = byTestId(panel, 'node-creator-item-name').getByText(name, { exact: true });
		await entries.first().waitFor();
		return entries;
	}

	/** Adds the node whose details the node panel shows, which it does for nodes of packages that were installed. */
	async addToWorkflow(): Promise<void> {
		await byTestId(this.page, 'node-creator').getByText('Add to workflow').click();
	}

	/** The sections of an opened node in the node panel, e.g. its triggers and its actions. */
	async openSection(name: 'Actions' | 'Triggers'): Promise<Locator> {
		const panel = byTestId(this.page, 'node-creator');
		const section = byTestId(panel, 'node-creator-category-item').filter({ hasText: name });
		await section.waitFor();
		const entries = byTestId(panel, 'node-creator-item-name');
		const before = await entries.count();
		// Opened or closed depends on what the canvas holds already.
		if (name === 'Actions' || before === 0) await section.click();
		return entries;
	}

	/** A node on the canvas. */
	canvasNode(name: string): Locator {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);
	}

	private outputHandle(name: string, output: number): Locator {
		return this.outputHandles(name).and(this.page.locator(`[data-index="${output}"]`));
	}

	private outputHandles(name: string): Locator {
		return byTestId(this.page, 'canvas-node-output-handle').and(
			this.page.locator(`[data-node-name="${name}"]`),
		);
	}

	/** The names of the outputs of a node on the canvas, from top to bottom. */
	async outputNames(name: string): Promise<string[]> {
		return (await this.outputHandles(name).allInnerTexts()).map((text) => text.trim());
	}

	/** What follows a node on the canvas, e.g. `0: Pay`, by its outputs. */
	async branches(name: string): Promise<string[]> {
		const edges = this.page.locator('.vue-flow__edge').filter({
			has: this.page.locator(`[data-test-id="edge"][data-source-node-name="${name}"]`),
		});
		const branches: string[] = [];
		for (const edge of await edges.all()) {
			const id = (await edge.getAttribute('data-id')) ?? '';
			const target = await byTestId(edge, 'edge').getAttribute('data-target-node-name');
			branches.push(`${/outputs\/main\/(\d)/.exec(id)?.[1]}: ${target}`);
		}
		return branches.sort();
	}

	/** Adds a node behind an output by the plus that is there, and closes it again. */
	async addBehind(name: string, output: number, added: string): Promise<void> {
		await byTestId(this.outputHandle(name, output), 'canvas-handle-plus').click();
		await (await this.searchNode(added, added)).first().click();
		await this.page.waitForTimeout(TAKEN_OVER_MS);
		if (await this.node.isVisible()) await this.closeNode();
	}

	/** Draws a line from an output to a node. */
	async drawLine(name: string, output: number, to: string): Promise<void> {
		const end = byTestId(this.page, 'canvas-node-input-handle').and(
			this.page.locator(`[data-node-name="${to}"]`),
		);
		await this.outputHandle(name, output).locator('.vue-flow__handle').first().hover();
		await this.page.mouse.down();
		await end.locator('.vue-flow__handle').first().hover();
		await this.page.mouse.up();
	}

	/** Closes what the editor proposes when a published workflow is opened. */
	async closeProposals(): Promise<void> {
		const proposals = this.page.getByText('Production Checklist');
		await proposals.waitFor();
		await this.page.keyboard.press('Escape');
		await proposals.waitFor({ state: 'hidden' });
	}

	/** Runs the open workflow by hand from one of its triggers, whose button is hidden until the mouse is over it. */
	async execute(trigger: string): Promise<void> {
		await byTestId(this.page, `execute-workflow-button-${trigger}`).dispatchEvent('click');
	}

	/** The opened node. */
	get node(): Locator {
		return byTestId(this.page, 'ndv');
	}

	/** A parameter of the opened node by its path, e.g. `buttons.button[0].title`. */
	parameter(path: string): Locator {
		return this.node.locator(`[data-parameter-path="parameters.${path}"]`);
	}

	async fill(path: string, text: string): Promise<void> {
		await this.parameter(path).locator('input, textarea').fill(text);
		await this.page.waitForTimeout(TAKEN_OVER_MS);
	}

	/** Chooses from a drop-down list of the opened node. */
	async choose(path: string, option: string): Promise<void> {
		await this.chooseIn(this.parameter(path), option);
	}

	/** Chooses one more from a drop-down list of the opened node that takes several. */
	async chooseAlso(path: string, option: string): Promise<void> {
		await this.parameter(path).click();
		await this.options.filter({ hasText: option }).first().click();
		// The list stays open for more.
		await byTestId(this.node, 'node-title-container').click();
		await this.options.first().waitFor({ state: 'hidden' });
	}

	private get options(): Locator {
		return this.page.locator('[role="option"]:visible');
	}

	private async chooseIn(field: Locator, option: string): Promise<void> {
		await field.click();
		// What another option is described by may hold the same words.
		const named = this.options.filter({ has: this.page.getByText(option, { exact: true }) });
		await named.first().click();
		await this.options.first().waitFor({ state: 'hidden' });
	}

	/** Adds one of a fixed collection, e.g. a button. */
	async add(label: string): Promise<void> {
		await this.node.getByRole('button', { name: label, exact: true }).last().click();
	}

	/** Adds a field of a collection, e.g. one of the options. */
	async addField(collection: string, field: string): Promise<void> {
		// A tip about the field that was filled in last covers what lies below it.
		await byTestId(this.node, 'node-title-container').click();
		const label = byTestId(this.page, 'input-label').getByText(collection, { exact: true });
		const item = byTestId(this.node, 'parameter-item').filter({ has: label });
		await byTestId(item, 'collection-parameter-add').click();
		const options = this.page.locator('[data-test-id="collection-parameter-option"]:visible');
		await options.filter({ hasText: field }).click();
	}

	/** The labels of the fields that the opened node shows, in their order. */
	async labels(): Promise<string[]> {
		const texts = await byTestId(this.node, 'input-label')
			.filter({ visible: true })
			.allInnerTexts();
		return texts.map((text) => text.split('\n')[0]?.trim() ?? '').filter((text) => text !== '');
	}

	/** Runs the opened node and waits until its output panel shows a text. */
	async executeUntil(shown: string): Promise<void> {
		await byTestId(this.node, 'node-execute-button').click();
		await byTestId(this.node, 'output-panel').getByText(shown).first().waitFor();
	}

	async closeNode(): Promise<void> {
		await byTestId(this.node, 'ndv-close-button').click();
	}

	/** The open credential. */
	get credential(): Locator {
		return byTestId(this.page, 'editCredential-modal');
	}

	async openNewCredential(): Promise<void> {
		await byTestId(this.node, 'node-credentials-empty-state').locator('button').click();
		await this.credential.waitFor();
	}

	async fillCredential(field: string, text: string): Promise<void> {
		await byTestId(this.credential, `parameter-input-${field}`).locator('input').fill(text);
		await this.page.waitForTimeout(TAKEN_OVER_MS);
	}

	async chooseInCredential(field: string, option: string): Promise<void> {
		await this.chooseIn(byTestId(this.credential, `parameter-input-${field}`), option);
	}

	/** The labels of the fields that the credential shows, in their order. */
	async credentialLabels(): Promise<string[]> {
		const fields = byTestId(this.credential, 'credential-connection-parameter');
		const texts = await fields.allInnerTexts();
		return texts.map(
			(text) =>
				text
					.replace(/\s*\*$/m, '')
					.split('\n')[0]
					?.trim() ?? '',
		);
	}

	/** Saves the credential, which tests it, and waits until the editor says why it does not work. */
	async saveRefusedCredential(reason: string): Promise<void> {
		await byTestId(this.credential, 'credential-save-button').click();
		const said = this.credential.getByText(reason);
		const details = this.credential.getByText('More details');
		await said.or(details).locator('visible=true').first().waitFor();
		if (await details.isVisible()) await details.click();
		await said.waitFor();
	}

	/**
	 * Saves the credential and waits until the editor closes it by itself, which it does when the credential works.
	 *
	 * @returns what the test of the credential told the editor
	 */
	async saveAcceptedCredential(): Promise<unknown> {
		const tested = this.page.waitForResponse((each) => each.url().includes('/credentials/test'));
		await byTestId(this.credential, 'credential-save-button').click();
		const answer: unknown = await (await tested).json();
		await this.credential.waitFor({ state: 'hidden' });
		return answer;
	}

	/** A picture of all that lies on the canvas of the open workflow, and of nothing else of the editor. */
	async pictureOfCanvas(): Promise<Buffer> {
		await this.page.setViewportSize(CANVAS_WINDOW);
		await this.page.addStyleTag({ content: ONLY_THE_CANVAS });
		await this.page.waitForLoadState('networkidle');
		await byTestId(this.page, 'zoom-to-fit').dispatchEvent('click');
		await this.page.waitForTimeout(TAKEN_OVER_MS);
		const drawn = z
			.array(z.number())
			.length(4)
			.parse(await this.page.evaluate(DRAWN));
		const [left = 0, top = 0, right = 0, bottom = 0] = drawn;
		const clip = {
			x: left - AROUND,
			y: top - AROUND,
			width: right - left + 2 * AROUND,
			height: bottom - top + 2 * AROUND,
		};
		return await this.page.screenshot({ type: 'jpeg', quality: 60, clip, animations: 'disabled' });
	}

	/** Takes a picture once the notices in the corner are gone. */
	async picture(file: string): Promise<void> {
		await this.page.evaluate(CLOSE_NOTICES);
		await this.page.locator('.el-notification').first().waitFor({ state: 'hidden' });
		await this.page.screenshot({ path: file, animations: 'disabled' });
	}
}
