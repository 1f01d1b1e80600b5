import { looksOnlyAtAgentItem } from '../../../../nodes/Diyalog/actions/expressions';

/* At what the stored parameters of a tool behind a review may look where n8n pairs items by chance. */

const ITEM = "$('Task').item.json.to";

it.each([
	['an expression', { url: `={{ ${ITEM} }}` }],
	['an expression in a list', { body: { values: [{ value: `=to {{ ${ITEM} }}` }] } }],
	['SQL, in which a node evaluates braces itself', { query: `SELECT '{{ ${ITEM} }}'` }],
	['the JSON of an Edit Fields node, which is the same', { jsonOutput: `{"to":"{{ ${ITEM} }}"}` }],
	['JavaScript of a Code Tool', { jsCode: `return ${ITEM}` }],
	['Python of a Code Tool', { pythonCode: "return _('Task').item.json.to" }],
	['Python by the older name', { pythonCode: 'return _node["Task"].json.to' }],
	['JavaScript of a Function node', { functionCode: 'return $node["Task"].json.to' }],
	['JavaScript of a LangChain Code node', { code: { execute: { code: `return ${ITEM}` } } }],
	['JavaScript that takes part of its code from an expression', { jsCode: `={{ ${ITEM} }}` }],
])('1. %s counts as a look at another item', (_what, parameters) => {
	expect(looksOnlyAtAgentItem(parameters, false)).toBe(false);
});

it('2. any text of a node of which nobody knows where it has its code', () => {
	const parameters = { script: `return ${ITEM}` };
	expect(looksOnlyAtAgentItem(parameters, true)).toBe(false);
	expect(looksOnlyAtAgentItem(parameters, false)).toBe(true);
});

it.each([
	[
		'variables of GraphQL',
		{ query: 'mutation ($amount: String!) { pay(amount: $amount) { id } }' },
	],
	['the same around an expression', { query: '=query ($id: ID!) { a(id: $id) {{ $json.of }} }' }],
	['stages of MongoDB', { query: '[{ "$match": { "of": "$node" } }]' }],
	['a description', { toolDescription: 'Pays in $USD, or in $(dollars)' }],
	['a text in dollar signs of SQL', { query: 'SELECT $$a$$, $tag$b$tag$' }],
	['code that looks at the own item', { jsCode: 'return $json.to' }],
])('3. right use: %s: no look at another item', (_what, parameters) => {
	expect(looksOnlyAtAgentItem(parameters, false)).toBe(true);
});
