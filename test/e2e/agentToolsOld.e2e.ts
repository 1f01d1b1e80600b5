import { startChatServer } from '../support/chatServer';
import type { ChatRequest, ChatServer, ChatTurn } from '../support/chatServer';
import { newPhone } from '../support/signedFormats';
import { itemsOf } from '../../tools/n8n/executions';
import { waitFor } from '../../tools/system';
import { agent, once, setStageOf, signedBy, VERIFY, verifyTool } from './harness/agents';
import type { Stage } from './harness/waiting';
import { asModel, asTool, chatModel, set } from './harness/workflows';
import type { Fields, WorkflowNode } from './harness/workflows';

/* Tools of AI agents in the oldest n8n, where `$fromAI` looks at the item of the tool as well. */

const PERSON = newPhone();
const ATTACKER = newPhone();

let stage: Stage;
let chat: ChatServer;
let modelId: string;

beforeAll(async () => {
	chat = await startChatServer({});
	({ stage, modelId } = await setStageOf(chat, '2.0.0'));
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);

const verify = (personKeys: string): WorkflowNode => verifyTool(stage, personKeys);

const greet = (customerNo: string, message: string): WorkflowNode =>
	stage.send(
		{ resource: 'message', operation: 'send', toolDescription: 'Greets', customerNo, message },
		{ name: 'Greet', type: 'n8n-nodes-diyalog.diyalogTool' },
	);

async function run(
	item: Fields,
	tool: WorkflowNode,
	turn: (asked: ChatRequest) => ChatTurn,
): Promise<{ told: string; people: unknown[] }> {
	const working = agent(3);
	const flow = await stage.createCalled([
		[set('Task', item), working],
		[asModel(chatModel(modelId)), working],
		[asTool(tool), working],
	]);
	chat.turnOf = turn;
	const number = stage.sandbox.messages().length;
	await fetch(flow.url, { method: 'POST' });
	const id = await waitFor('the end', 60_000, async () => {
		const [newest] = await stage.n8n.executions(flow.id);
		return newest && ['success', 'error'].includes(newest.status) ? newest.id : undefined;
	});
	const data = await stage.n8n.executionData(id);
	const people = stage.sandbox.messages().slice(number);
	return {
		told: JSON.stringify([itemsOf(data, tool.name, 'ai_tool'), itemsOf(data, 'Agent')]),
		people: people.map(({ customerNo, text }) => [customerNo, text]),
	};
}

it('1. a key of the item counts, and not one that the model says', async () => {
	const item = { name: 'Zeynep', key: PERSON.publicKey };
	const byAttacker = { payload: signedBy(ATTACKER), key: ATTACKER.publicKey };
	const forged = await run(
		item,
		verify('={{ $json.key }}'),
		once({ tool: VERIFY, said: byAttacker }),
	);
	expect(forged.told).not.toMatch(/valid\W*true/);
	const byPerson = { payload: signedBy(PERSON), key: ATTACKER.publicKey };
	const right = await run(item, verify('={{ $json.key }}'), once({ tool: VERIFY, said: byPerson }));
	expect(right.told).toMatch(/valid\W*true/);
}, 120_000);

it('2. a field of the item under the name of what the model is asked for: right use', async () => {
	const item = { name: 'Zeynep', key: PERSON.publicKey, payload: 'of an earlier press' };
	const said = { payload: signedBy(PERSON) };
	const { told } = await run(item, verify('={{ $json.key }}'), once({ tool: VERIFY, said }));
	expect(told).toMatch(/valid\W*true/);
}, 120_000);

it('3. the person of the item is written to', async () => {
	const tool = greet('={{ $json.customer }}', "=Hello {{ $fromAI('customer', 'Name', 'string') }}");
	const said = { customer: '70022' };
	const { people } = await run(
		{ name: 'Z', customer: '70021' },
		tool,
		once({ tool: 'Greet', said }),
	);
	for (const [customerNo] of people as unknown[][]) expect(customerNo).toBe('70021');
}, 120_000);

it('4. the item has no such field: the model does not say who is written to', async () => {
	const tool = greet(
		"={{ $json.customer ?? '70021' }}",
		"=Hello {{ $fromAI('customer', 'Name', 'string') }}",
	);
	const said = { customer: '70022' };
	const { people, told } = await run({ name: 'Z' }, tool, once({ tool: 'Greet', said }));
	expect({ people, told }).toEqual({ people: [['70021', 'Hello 70022']], told: expect.anything() });
}, 120_000);

it('5. a field "query" of the item, as a webhook has it, does not stand in the place of what the model says', async () => {
	const item = { name: 'Z', customer: '70021', query: { text: 'of the caller' } };
	const tool = greet('={{ $json.customer }}', "={{ $fromAI('text', 'Text', 'string') }}");
	const { people } = await run(item, tool, once({ tool: 'Greet', said: { text: 'Hello' } }));
	for (const [, text] of people as unknown[][]) expect(text).toBe('Hello');
}, 120_000);

it('6. two calls in one turn, each as the model says it', async () => {
	const item = { name: 'Z', customer: '70021' };
	const tool = greet('={{ $json.customer }}', "={{ $fromAI('text', 'Text', 'string') }}");
	const call = (text: string) => ({ tool: 'Greet', said: { text, customer: '70022' } });
	const { people } = await run(item, tool, once(call('one'), call('two')));
	// This n8n takes them in the other order.
	expect(people).toHaveLength(2);
	expect(people).toEqual(
		expect.arrayContaining([
			['70021', 'one'],
			['70021', 'two'],
		]),
	);
}, 120_000);
