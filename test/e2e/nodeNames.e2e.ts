import { randomUUID } from 'node:crypto';
import { endOf, Stage } from './harness/waiting';
import { ASK } from './harness/workflows';

/* An answer is read with the name of the node and finds it by its id: every one that is sent with has to be answerable. */

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set();
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

const createNamed = async (name: string, id: string = randomUUID()) =>
	await stage.createCalled([[stage.ask({}, { name, id })]]);

const ANSWERABLE = [
	ASK,
	'Ask }} them',
	'{{ $json.input }}',
	'}}',
	'`${1}`',
	"it's \"quoted\" 'twice'",
	'back\\slash \\u0041 \\',
	'line\u2028separated\u2029twice',
	'Onayı sor 👍',
	'a\nb\tc',
	'"].context; //',
	'//',
	'/*',
	'<script>',
	'=1',
	'$node',
	// What every object of JavaScript has.
	'length',
	'name',
];

it.each(ANSWERABLE.map((name) => [JSON.stringify(name), name]))(
	'named %s: the answer comes through',
	async (_shown, name) => {
		const asked = await (await createNamed(name)).start();
		await stage.press(asked.message, 'Approve');
		expect(endOf(await asked.record(), name)).toMatchObject({
			decision: 'approved',
			approved: true,
			input: { body: { order: 17 } },
		});
	},
);

/** The error of an execution that asked nobody. */
async function refusalOf(name: string, id?: string): Promise<string> {
	const workflow = await createNamed(name, id);
	const before = stage.sandbox.messages().length;
	const refusal = await workflow.start().then(
		() => 'it was sent',
		(error: unknown) => String(error),
	);
	expect(stage.sandbox.messages()).toHaveLength(before);
	return refusal;
}

it.each(['constructor', 'prototype', 'toString', 'valueOf'])(
	'named %s: refused before anything is sent, with what to do',
	async (name) => {
		expect(await refusalOf(name)).toContain('Rename the node');
	},
);

it.each(['__proto__', 'hasOwnProperty'])(
	'named %s: n8n itself does not run such a node, and nothing is sent',
	async (name) => {
		expect(await refusalOf(name)).not.toBe('it was sent');
	},
);

it.each(['ask', 'ask-2_b', 'a b', 'ç', 'a%b', 'ask.1', 'a?b', 'a@b', '=a', ':a'])(
	'with the id %s: the answer comes through',
	async (id) => {
		const asked = await (await createNamed(ASK, id)).start();
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	},
);

it.each([
	[randomUUID().toUpperCase(), 'The ID of this node is too long'],
	['x'.repeat(300), 'The ID of this node is too long'],
	['a/b', 'The ID of this node cannot stand in an address'],
	['/ab', 'The ID of this node cannot stand in an address'],
	['..', 'The ID of this node cannot stand in an address'],
])('with the id %s: refused before anything is sent, with the reason', async (id, reason) => {
	const refusal = await refusalOf(ASK, id);
	expect(refusal).toContain(reason);
	expect(refusal).toContain('Copy this node in the editor');
});
