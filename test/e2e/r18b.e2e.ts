import { callsBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { startMcpServer } from '../support/mcpServer';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs } from '../../tools/system';
import {
	agent,
	beginAt,
	dataAtEnd,
	nextQuestion,
	once,
	paymentTool,
	reviewedAgent,
	reviewTool,
	setStageOf,
	tellAll,
} from './harness/agents';
import type { AskingWorkflow, Stage } from './harness/waiting';
import { asModel, asTool, calledTrigger, chatModel, deedTool, httpPost, node, set, workflow } from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

const SETTLES_MS = 4_000;
let stage: Stage;
let chat: ChatServer;
let modelId: string;

beforeAll(async () => {
	chat = await startChatServer({});
	({ stage, modelId } = await setStageOf(chat));
}, 900_000);
afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);
beforeEach(() => {
	chat.deeds.length = 0;
	chat.turnOf = undefined;
});

const TASK = set('Task', { name: 'Zeynep' });
const PAY = '=Pay {{ $tool.parameters.amount }}?';
const review = (message: string, parameters: Fields = {}): WorkflowNode => reviewTool(stage, message, parameters);
const withModel = (working: WorkflowNode): Row => [asModel(chatModel(modelId)), working];
const callOf = (tool: string, toolParameters: unknown) => ({ tool, said: { toolParameters, hitlParameters: {} } });
const pay = (amount: string) => callOf('Transfer', { amount });
const reviewed = async (asking: WorkflowNode, tool: WorkflowNode, from = TASK, working = agent()): Promise<AskingWorkflow> =>
	await stage.createCalled([[from, working], ...reviewedAgent(modelId, working, asking, tool)]);
const show = (what: string, value: unknown) => process.stdout.write(`\n### ${what}: ${JSON.stringify(value)}\n`);

/** All questions are approved. */
async function approveAll(flow: { id: string }, from: number): Promise<string[]> {
	const texts: string[] = [];
	for (let number = from; ; number++) {
		const question = await nextQuestion(stage, flow.id, number);
		if (!question) return texts;
		texts.push(question.text);
		await question.press('Approve');
		await sleepMs(SETTLES_MS);
	}
}


describe('L. a list under the name query', () => {
	const tool = (other: string): WorkflowNode =>
		deedTool('Transfer', chat.toolUrl, `={{ { filter: $fromAI('query', 'Which', 'json'), length: $fromAI('${other}', 'How many', 'number') } }}`);
	it('L1. runs with another number than the person reads', async () => {
		const flow = await reviewed(review('=Delete?'), tool('length'));
		chat.turnOf = once(callOf('Transfer', { query: ['a', 'b', 'c', 'd', 'e'], length: 1 }));
		const asked = await approveAll(flow, await beginAt(stage, flow));
		await dataAtEnd(stage, flow.id);
		show('asked', asked);
		show('done', chat.deeds);
		expect(chat.deeds).toEqual(asked.length > 0 ? [{ filter: ['a', 'b', 'c', 'd', 'e'], length: 1 }] : []);
	}, 120_000);
	it('L0. plain tool of this package', async () => {
		const working = agent();
		const send = stage.send(
			{ resource: 'message', operation: 'send', toolDescription: 'Sends', otpMode: undefined,
				message: "=List {{ $fromAI('query', 'Which', 'json') }} {{ $fromAI('length', 'How many', 'number') }}" },
			{ name: 'Tell', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const flow = await stage.createCalled([[TASK, working], withModel(working), [asTool(send), working]]);
		chat.turnOf = once({ tool: 'Tell', said: { query: ['a', 'b', 'c'], length: 1 } });
		const number = await beginAt(stage, flow);
		const data = await dataAtEnd(stage, flow.id);
		show('sent', stage.sandbox.messages().slice(number).map(({ text }) => text));
		show('told', itemsOf(data, 'Agent'));
	}, 120_000);
});

it('M. a tool of a server with the argument toolCallId', async () => {
	const bank = await startMcpServer([
		{ name: 'cancel', description: 'Cancels', inputSchema: { type: 'object', properties: { toolCallId: { type: 'string' } } } },
	]);
	try {
		const bankTools = node('Bank', '@n8n/n8n-nodes-langchain.mcpClientTool', 1.2, {
			endpointUrl: bank.url, serverTransport: 'httpStreamable', authentication: 'none', include: 'all', options: {},
		});
		const flow = await reviewed(review('=May I?'), bankTools, set('Chat', { chatInput: 'Work' }));
		chat.turnOf = (asked) =>
			callsBefore(asked) === 0 ? [{ ...callOf('Bank_cancel', { toolCallId: 'ORDER-1' }), id: 'ORDER-9999' }] : tellAll(asked);
		const asked = await approveAll(flow, await beginAt(stage, flow));
		await dataAtEnd(stage, flow.id);
		show('asked', asked);
		show('done', bank.called);
		expect(bank.called).toEqual(asked.length > 0 ? [{ name: 'cancel', arguments: { toolCallId: 'ORDER-1' } }] : []);
	} finally {
		await bank.close();
	}
}, 120_000);

it('K. right use: a workflow that stands in the tool itself, second call', async () => {
	const inner = (fee: string) => workflow('Inner', [
		[calledTrigger(), set('Prepare', { fee: 2 }), httpPost('Do', chat.toolUrl, `={{ { fee: ${fee}, query: $('Called').first().json.query } }}`)],
	]);
	const tool = node('Transfer', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
		description: 'Pays', source: 'parameter', workflowJson: JSON.stringify(inner("$('Prepare').first().json.fee")),
	});
	const flow = await reviewed(review('=Pay?'), tool, set('Chat', { chatInput: 'Work' }));
	chat.turnOf = (asked) => (callsBefore(asked) < 2 ? [callOf('Transfer', { query: String(callsBefore(asked) + 1) })] : tellAll(asked));
	const number = await beginAt(stage, flow);
	const first = await nextQuestion(stage, flow.id, number);
	await first?.press('Approve');
	await sleepMs(12_000);
	show('messages', stage.sandbox.messages().slice(number).map(({ text }) => text));
	for (const { id, status } of await stage.n8n.executions(flow.id)) {
		const data = await stage.n8n.executionData(id);
		show(`${id} ${status}`, {
			deeds: chat.deeds,
			reviews: itemsOf(data, 'Ask a person', 'ai_tool').map((item) => Object(item).error ?? Object(item).decision),
			told: itemsOf(data, 'Agent'),
		});
	}
}, 120_000);

it('P. by links, two calls of a turn, the first link once more', async () => {
	const flow = await reviewed(review(PAY, { options: { answerBy: 'link' } }), paymentTool(chat));
	chat.turnOf = once(pay('1'), pay('2'));
	const number = await beginAt(stage, flow);
	const links = async (index: number) => {
		const question = await nextQuestion(stage, flow.id, number + index);
		show('asked', question?.text);
		const message = stage.sandbox.messages()[number + index];
		return (Object(message).buttonsV2 as Array<{ payload: string; title: string }>).map(({ payload }) => payload);
	};
	const [approve1 = ''] = await links(0);
	show('press', (await fetch(approve1, { method: 'POST' })).status);
	await sleepMs(SETTLES_MS);
	const [approve2 = '', decline2 = ''] = await links(1);
	show('again', (await fetch(approve1, { method: 'POST' })).status);
	await sleepMs(1_000);
	show('messages', stage.sandbox.messages().slice(number).length);
	show('decline', (await fetch(decline2, { method: 'POST' })).status);
	show('late', (await fetch(approve2, { method: 'POST' })).status);
	const data = await dataAtEnd(stage, flow.id);
	show('deeds', chat.deeds);
	show('told', itemsOf(data, 'Agent'));
}, 120_000);

it('R. letters of a script that is written from right to left turn numbers beside them', async () => {
	const flow = await reviewed(
		review('=May I?'),
		deedTool('Run', chat.toolUrl, "={{ { sql: $fromAI('sql', 'Statement', 'string') } }}"),
	);
	chat.turnOf = once(callOf('Run', { sql: 'UPDATE acc SET max = /*\u05be*/ 9000000 - 1' }));
	const asked = await approveAll(flow, await beginAt(stage, flow));
	await dataAtEnd(stage, flow.id);
	show('asked', asked.map((text) => text.replace(/[\u0590-\u05ff]/g, (sign) => `<U+0${sign.charCodeAt(0).toString(16)}>`)));
	show('deeds', chat.deeds);
	for (const text of asked) expect(text).not.toMatch(/[\u0590-\u05ff]/);
}, 120_000);
