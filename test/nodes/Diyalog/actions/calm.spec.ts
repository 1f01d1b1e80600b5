import { NodeHelpers } from 'n8n-workflow';
import type { INode, INodeParameters } from 'n8n-workflow';
import { Diyalog } from '../../../../nodes/Diyalog/Diyalog.node';
import { resources } from '../../../../nodes/Diyalog/actions/index';

/* What the editor shows of an operation before anything is added. More than this is a wall. */

const MAX_FIELDS = 8;

const { description } = new Diyalog();

/** The labels of the fields that n8n shows, without those which say what operation it is, and without notices. */
function shownAtFirst(resource: string, operation: string): string[] {
	const node: INode = {
		id: '1',
		name: 'Diyalog',
		type: 'n8n-nodes-diyalog.diyalog',
		typeVersion: 1,
		position: [0, 0],
		parameters: { resource, operation },
	};
	const values: INodeParameters =
		NodeHelpers.getNodeParameters(
			description.properties,
			node.parameters,
			true,
			false,
			node,
			description,
		) ?? {};
	return description.properties
		.filter((field) => NodeHelpers.displayParameter(values, field, node, description))
		.filter(({ name, type }) => type !== 'notice' && !['resource', 'operation'].includes(name))
		.map(({ displayName }) => displayName);
}

const operations = resources.flatMap(({ value: resource, operations: all }) =>
	all.map(({ value: operation }) => ({ resource, operation })),
);

it('every operation is looked at', () => {
	expect(operations).toHaveLength(9);
});

it.each(operations)(
	'$resource/$operation shows no more than eight fields',
	({ resource, operation }) => {
		const shown = shownAtFirst(resource, operation);
		expect(shown.length).toBeGreaterThan(2);
		expect(shown.length > MAX_FIELDS ? shown : []).toEqual([]);
	},
);

it.each(operations)('$resource/$operation shows each field once, Options last', (chosen) => {
	const shown = shownAtFirst(chosen.resource, chosen.operation);
	expect(new Set(shown).size).toBe(shown.length);
	if (shown.includes('Options')) expect(shown.at(-1)).toBe('Options');
});

it("what n8n fixes in a human review tool stands beside each question's text", () => {
	for (const resource of ['message', 'otp']) {
		const shown = shownAtFirst(resource, 'sendAndWait');
		expect(shown).toEqual(expect.arrayContaining(['Message', 'Response Type', 'Approval Options']));
	}
});
