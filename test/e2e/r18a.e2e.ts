import { z } from 'zod';
import { callsBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
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
import { asModel, asTool, chatModel, deedTool, manualTrigger, node, set, workflow } from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

const WITHIN_MS = 60_000;
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
const payment = (): WorkflowNode => paymentTool(chat);
const withModel = (working: WorkflowNode): Row => [asModel(chatModel(modelId)), working];
const callOf = (tool: string, toolParameters: unknown) => ({ tool, said: { toolParameters, hitlParameters: {} } });
const pay = (amount: string) => callOf('Transfer', { amount });
const reviewed = async (asking: WorkflowNode, tool: WorkflowNode, from = TASK, working = agent()): Promise<AskingWorkflow> =>
	await stage.createCalled([[from, working], ...reviewedAgent(modelId, working, asking, tool)]);
const SEVERAL: Fields = {
	ask: 'several', specifyPeople: 'json', peopleJson: JSON.stringify([{ customerNo: '70021' }, { customerNo: '70022' }]), rule: 'atLeast', approvalsNeeded: 2,
};
const show = (what: string, value: unknown) => process.stdout.write(`\n### ${what}: ${JSON.stringify(value)}\n`);

/** Two people are asked a question; each in turn presses. */
async function answerGroup(id: string, number: number, buttons: readonly string[]): Promise<string> {
	const found = await waitFor('both messages or the end', WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(id);
		if (newest?.status === 'success' || newest?.status === 'error') return 'none' as const;
		const got = stage.sandbox.messages().slice(number, number + 2);
		return newest?.status === 'waiting' && got.length === 2 ? got : undefined;
	});
	if (found === 'none') return 'none';
	for (const [index, button] of buttons.entries()) {
		const customerNo = ['70021', '70022'][index];
		const message = found.find((each) => each.customerNo === customerNo);
		if (!message) throw new Error('no message');
		await stage.press(message, button);
		await sleepMs(SETTLES_MS);
	}
	return found.map(({ text }) => text).join(' / ');
}

describe('A. several people, several calls in one turn', () => {
	it.each([
		['yes yes, yes no', [['Approve', 'Approve'], ['Approve', 'Decline']]],
		['yes no, yes yes', [['Approve', 'Decline'], ['Approve', 'Approve']]],
		['yes yes, yes yes, yes no', [['Approve', 'Approve'], ['Approve', 'Approve'], ['Approve', 'Decline']]],
		['yes no, yes yes, yes yes', [['Approve', 'Decline'], ['Approve', 'Approve'], ['Approve', 'Approve']]],
	])('A %s', async (_what, answers) => {
		const flow = await reviewed(review(PAY, SEVERAL), payment());
		chat.turnOf = once(...answers.map((_, index) => pay(String(index + 1))));
		let number = await beginAt(stage, flow);
		for (const buttons of answers) {
			show('asked', await answerGroup(flow.id, number, buttons));
			number += 2;
		}
		const data = await dataAtEnd(stage, flow.id);
		show('deeds', chat.deeds);
		show('told', itemsOf(data, 'Agent'));
		show('reviews', itemsOf(data, 'Ask a person', 'ai_tool'));
	}, 200_000);
});

it('B. plain tool that asks for a code, two calls, wrong codes', async () => {
	const working = agent();
	const tool = stage.send(
		{
			resource: 'message', operation: 'sendAndWait', toolDescription: 'Asks', customerNo: '70021', responseType: 'code',
			expectedCode: '4711', message: "=Type the code for {{ $fromAI('amount', 'How much', 'string') }}",
			otpMode: undefined,
		},
		{ name: 'Ask', type: 'n8n-nodes-diyalog.diyalogTool' },
	);
	const flow = await stage.createCalled([[TASK, working], withModel(working), [asTool(tool), working]]);
	chat.turnOf = once({ tool: 'Ask', said: { amount: '1' } }, { tool: 'Ask', said: { amount: '2' } });
	const number = await beginAt(stage, flow);
	const first = await nextQuestion(stage, flow.id, number);
	show('first', first?.text);
	for (const text of ['1111', '2222', '4711']) {
		await stage.type(text);
		await sleepMs(SETTLES_MS);
	}
	const [newest] = await stage.n8n.executions(flow.id);
	show('status', newest?.status);
	show('messages', stage.sandbox.messages().slice(number).map(({ text }) => text));
	if (newest?.status === 'waiting') {
		for (const text of ['1111', '2222', '3333', '5555']) {
			await stage.type(text);
			await sleepMs(SETTLES_MS);
		}
	}
	const data = await dataAtEnd(stage, flow.id);
	show('tool', itemsOf(data, 'Ask', 'ai_tool'));
	show('told', itemsOf(data, 'Agent'));
}, 200_000);

it('C. an argument toolCallId', async () => {
	const tool = deedTool('Transfer', chat.toolUrl, "={{ { to: $fromAI('toolCallId', 'Which call', 'string') } }}");
	const flow = await reviewed(review('=Transfer?'), tool);
	chat.turnOf = once(callOf('Transfer', { toolCallId: 'ALICE' }));
	const question = await nextQuestion(stage, flow.id, await beginAt(stage, flow));
	show('asked', question?.text);
	await question?.press('Approve');
	const data = await dataAtEnd(stage, flow.id);
	show('deeds', chat.deeds);
	show('told', itemsOf(data, 'Agent'));
}, 120_000);

it('D. what a phone shows', async () => {
	for (const amount of ['\u05f3100 200 300', '1\u0338\u0338\u20e0000', '9\u0336\u0336 5', `5${'\u0300\u0316'.repeat(100)}`, '\ufdd0\uffff\ue000']) {
		const flow = await reviewed(review(PAY), payment());
		chat.turnOf = once(pay(amount));
		const question = await nextQuestion(stage, flow.id, await beginAt(stage, flow));
		show('asked', question?.text);
		await question?.press('Decline');
		await dataAtEnd(stage, flow.id);
	}
}, 200_000);

it('E. run by hand with the agent as the destination', async () => {
	const working = agent();
	const asking = review(PAY);
	const rows: Row[] = [[manualTrigger(), TASK, working], ...reviewedAgent(modelId, working, asking, payment())];
	chat.turnOf = once(pay('1'), pay('2'));
	const { id } = await stage.n8n.saveWorkflow({ ...workflow('Hand', rows), pinData: {} });
	let number = stage.sandbox.messages().length;
	await stage.n8n.request('POST', `/rest/workflows/${id}/run`, {
		destinationNode: { nodeName: 'Agent', mode: 'inclusive' },
		triggerToStartFrom: { name: 'Start' },
	}, z.unknown());
	for (const button of ['Approve', 'Decline']) {
		const question = await nextQuestion(stage, id, number++);
		show('asked', question?.text);
		await question?.press(button);
		await sleepMs(SETTLES_MS);
	}
	const data = await dataAtEnd(stage, id);
	show('deeds', chat.deeds);
	show('told', itemsOf(data, 'Agent'));
}, 120_000);

describe('F. two agents of one review and one tool', () => {
	it.each(['v0', 'v1'])('F %s', async (executionOrder) => {
		const one = { ...agent(), name: 'One' };
		const two = { ...agent(), id: 'two-agent', name: 'Two' };
		const a = set('A', { name: 'Alice' });
		const b = set('B', { name: 'Bob' });
		const asking = review('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?');
		const tool = payment();
		const flow = await stage.createCalled((call) => [
			[call, a, one],
			[call, b, two],
			[asModel(chatModel(modelId)), one],
			[asModel({ ...chatModel(modelId), name: 'Model 2' }), two],
			[asTool(tool), asking],
			[asTool(asking), one],
			[asTool(asking), two],
		], { executionOrder });
		chat.turnOf = (asked) => {
			const isAlice = JSON.stringify(asked.messages).includes('Work for Alice');
			return once(isAlice ? pay('1') : pay('2'))(asked);
		};
		let number = await beginAt(stage, flow);
		if (executionOrder === 'v0') {
			await sleepMs(15_000);
			const [newest] = await stage.n8n.executions(flow.id);
			show('status', newest);
			const data = await stage.n8n.executionData(newest?.id ?? '');
			show('data', data.slice(0, 6000));
			show('messages', stage.sandbox.messages().slice(number).map(({ text }) => text));
			show('asked model', chat.requests.slice(-3));
		}
		for (const button of ['Approve', 'Decline']) {
			const question = await nextQuestion(stage, flow.id, number++);
			show('asked', question?.text);
			await question?.press(button);
			await sleepMs(SETTLES_MS);
		}
		const data = await dataAtEnd(stage, flow.id);
		show('deeds', chat.deeds);
		show('told one', itemsOf(data, 'One'));
		show('told two', itemsOf(data, 'Two'));
	}, 120_000);
});

it('H. with an output parser and intermediate steps', async () => {
	const working = agent();
	Object.assign(working.parameters as object, {
		hasOutputParser: true, options: { returnIntermediateSteps: true, maxIterations: 3 },
	});
	const parser = node('Parser', '@n8n/n8n-nodes-langchain.outputParserStructured', 1.3, {
		jsonSchemaExample: '{ "done": "yes" }',
	});
	const asking = review(PAY);
	const flow = await stage.createCalled([
		[TASK, working],
		...reviewedAgent(modelId, working, asking, payment()),
		[{ node: parser, type: 'ai_outputParser' }, working],
	]);
	chat.turnOf = (asked) =>
		callsBefore(asked) === 0
			? [pay('1'), { tool: 'format_final_json_response', said: { output: { done: 'yes' } } }]
			: [{ tool: 'format_final_json_response', said: { output: { done: tellAll(asked) } } }];
	const question = await nextQuestion(stage, flow.id, await beginAt(stage, flow));
	show('asked', question?.text);
	await question?.press('Approve');
	const data = await dataAtEnd(stage, flow.id);
	show('deeds', chat.deeds);
	show('told', itemsOf(data, 'Agent'));
}, 120_000);

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

describe('J. right use, the second call', () => {
	const graphql = (query: string): WorkflowNode =>
		node('Transfer', 'n8n-nodes-base.graphqlTool', 1.1, {
			toolDescription: 'Transfers money',
			endpoint: chat.toolUrl,
			requestFormat: 'json',
			responseFormat: 'json',
			query,
			variables: "={{ { amount: $fromAI('amount', 'How much', 'string') } }}",
		});
	it.each([
		['control', () => graphql('mutation { pay(amount: "1") { id } }')],
		['GraphQL', () => graphql('mutation ($amount: String!) { pay(amount: $amount) { id } }')],
		['description', () => deedTool('Transfer', chat.toolUrl, "={{ { amount: $fromAI('amount', 'How much', 'string') } }}", {})],
		['description $USD', () => {
			const tool = payment();
			return { ...tool, parameters: { ...Object(tool.parameters), toolDescription: 'Pays an amount in $USD' } };
		}],
	])('J %s', async (_what, toolOf) => {
		const flow = await reviewed(review(PAY), toolOf());
		chat.turnOf = (asked) => (callsBefore(asked) < 2 ? [pay(String(callsBefore(asked) + 1))] : tellAll(asked));
		const asked = await approveAll(flow, await beginAt(stage, flow));
		const data = await dataAtEnd(stage, flow.id);
		show('asked', asked);
		show('deeds', chat.deeds);
		show('reviews', itemsOf(data, 'Ask a person', 'ai_tool').map((item) => Object(item).error));
	}, 120_000);
});
