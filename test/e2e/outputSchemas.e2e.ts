import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { resources } from '../../nodes/Diyalog/actions';
import { fs, path, projectRoot } from '../../tools/system';
import { N8n } from '../../tools/n8n/n8n';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { Editor } from './harness/editor';
import { manualTrigger, node, workflow } from './harness/workflows';

/* What comes out of the nodes is known in n8n before anything has run. */

const NODE = 'n8n-nodes-diyalog.diyalog';
const PICTURES = '.cache/screenshots';

let n8n: N8n;

beforeAll(async () => {
	n8n = await N8n.start();
}, 900_000);

afterAll(async () => {
	await n8n?.stop();
	await n8n?.remove();
}, 60_000);

const fieldSchema = z.object({ type: z.union([z.string(), z.array(z.string())]) }).passthrough();
const schemaSchema = z.object({ properties: z.record(fieldSchema) }).passthrough();

const built = async (name: string) => {
	const file = path.join(projectRoot, 'dist/nodes/Diyalog/__schema__', `${name}.json`);
	return schemaSchema.parse(JSON.parse(await fs.readFile(file, 'utf8')));
};

const operations = resources.flatMap(({ value: resource, operations: all }) =>
	all.map(({ value: operation }) => `${resource}/${operation}`),
);

it.each([
	...operations.map((place) => [`${NODE}/1.0.0/${place}`, `v1.0.0/${place}`]),
	[`${NODE}Trigger/2.0.0/output`, 'v2.0.0/output'],
])('n8n serves %s of the installed package', async (asked, name) => {
	const served = await n8n.request('GET', `/schemas/${asked}.json`, undefined, z.unknown());
	expect(served).toEqual(await built(name));
});

describeWithChromium('a node behind one that has not run', () => {
	let browser: Browser;
	let editor: Editor;

	beforeAll(async () => {
		browser = await launchChromium();
	});
	afterEach(async () => {
		const { complaints } = editor;
		await editor.close();
		expect(complaints).toEqual([]);
	});
	afterAll(async () => await browser?.close());

	/** Opens the node behind; saved as the editor does it, without what is the default. */
	async function openBehind(parameters: Readonly<Record<string, unknown>>): Promise<void> {
		const first = node('Diyalog', NODE, 1, { customerNo: '70021', ...parameters });
		const next = node('Go on', 'n8n-nodes-base.set', 3.4, { options: {} });
		const rows = [[manualTrigger(), first, next]];
		const { id } = await n8n.saveWorkflow(workflow('Not run yet', rows));
		editor = await Editor.open(browser, n8n, 'light');
		await editor.openWorkflow(id);
		await editor.openNode('Go on');
	}

	/** What the input panel offers, by the expressions that dragging gives. */
	const offered = () =>
		editor.node.locator(
			'[data-test-id="run-data-schema-node-name"][data-node-name="Diyalog"][data-nest-level="1"]',
		);

	it.each([
		['Send', {}, 'send'],
		['Send and Wait', { operation: 'sendAndWait' }, 'sendAndWait'],
		['Verify', { operation: 'verify' }, 'verify'],
	])(
		'offers the fields of %s',
		async (_, parameters, operation) => {
			await openBehind(parameters);
			await offered().first().waitFor();
			const { properties } = await built(`v1.0.0/otp/${operation}`);
			const shown = await offered().evaluateAll((all) =>
				all
					.map((each) => ({ top: each.getBoundingClientRect().top, each }))
					.sort((one, other) => one.top - other.top)
					.map(({ each }) => each.getAttribute('data-value')),
			);
			const all = Object.entries(properties);
			const without = all.filter(([, { type }]) => !/object|array/.test(String(type)));
			// The editor draws no more than fits, so what a node behind works with has to stand in front.
			expect(shown).toEqual(all.slice(0, shown.length).map(([name]) => `{{ $json.${name} }}`));
			expect(shown.length).toBeGreaterThanOrEqual(without.length);
			await editor.picture(`${PICTURES}/schema-${operation}.png`);
		},
		60_000,
	);

	it('takes a field that is dragged out of it', async () => {
		await openBehind({ operation: 'sendAndWait' });
		const { mouse } = editor.page;
		const middleOf = async (place: ReturnType<typeof offered>): Promise<[number, number]> => {
			const { x, y, width, height } = (await place.boundingBox()) ?? {};
			if (x === undefined || y === undefined || !width || !height) throw new Error('Not shown');
			return [x + width / 2, y + height / 2];
		};
		const field = offered().filter({ hasText: 'decision' });
		await field.waitFor();
		await mouse.move(...(await middleOf(field)));
		await mouse.down();
		const target = await middleOf(editor.node.getByText('Drag input fields here'));
		await mouse.move(...target, { steps: 10 });
		await mouse.up();
		const assigned = editor.node.locator('[data-test-id="assignment-value"]');
		await assigned.getByText('$json.decision').waitFor();
		await editor.picture(`${PICTURES}/schema-dragged.png`);
	}, 60_000);
});
