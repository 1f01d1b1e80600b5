import { callsBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { writeToChat } from '../support/chatSocket';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { agent, once, setStageOf, signedBy, tellAll, VERIFY, verifyTool } from './harness/agents';
import { newPhone } from '../support/signedFormats';
import type { AskingWorkflow, Stage } from './harness/waiting';
import {
	asModel,
	asTool,
	calledTrigger,
	chatModel,
	deedTool,
	httpPost,
	manualTrigger,
	node,
	set,
	trigger,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/* What surrounds an agent: older agents, ids that a model gives twice, a step executed in the editor, a chat. */

const REVIEW = 'Ask a person';
const WITHIN_MS = 60_000;

const PERSON = newPhone();
const ATTACKER = newPhone();

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
	chat.requests.length = 0;
	chat.turnOf = undefined;
});

const TASK = set('Task', { name: 'Zeynep', to: 'Zeynep' });
const CHAT = set('Chat', { chatInput: 'Work' });

const review = (message: string, parameters: Fields = {}): WorkflowNode =>
	stage.send(
		{ message, operation: undefined, otpMode: undefined, resource: undefined, ...parameters },
		{ name: REVIEW, type: 'n8n-nodes-diyalog.diyalogHitlTool' },
	);

const payment = (): WorkflowNode =>
	deedTool('Transfer', chat.toolUrl, "={{ { amount: $fromAI('amount', 'How much', 'string') } }}");

const askTool = (): WorkflowNode =>
	stage.send(
		{
			resource: 'message',
			operation: 'sendAndWait',
			toolDescription: 'Asks the customer',
			customerNo: '70021',
			message: "=Pay {{ $fromAI('amount', 'How much', 'string') }}?",
		},
		{ name: 'Ask', type: 'n8n-nodes-diyalog.diyalogTool' },
	);

const behindReview = (working: WorkflowNode, asking: WorkflowNode, tool: WorkflowNode): Row[] => [
	[asModel(chatModel(modelId)), working],
	[asTool(tool), asking],
	[asTool(asking), working],
];

const began = async (flow: AskingWorkflow): Promise<number> => {
	const count = stage.sandbox.messages().length;
	await fetch(flow.url, { method: 'POST' });
	return count;
};

async function questionOf(
	workflowId: string,
	number: number,
): Promise<{ text: string; press: (button: string) => Promise<void> } | undefined> {
	const found = await waitFor('a question or the end', WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		const message = stage.sandbox.messages()[number];
		if (newest?.status === 'waiting' && message) return message;
		return newest && ['success', 'error', 'canceled'].includes(newest.status) ? 'none' : undefined;
	});
	if (found === 'none') return undefined;
	return { text: found.text ?? '', press: async (button) => await stage.press(found, button) };
}

const ends = async (workflowId: string): Promise<string> =>
	await waitFor('the end', WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		const isOver = newest && ['success', 'error'].includes(newest.status);
		return isOver ? await stage.n8n.executionData(newest.id) : undefined;
	});

it('1. right use: a review of an older agent asks the person, or says to the model that it could not', async () => {
	const working = agent(2.2);
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(working, review('=Pay {{ $tool.parameters.amount }}?'), payment()),
	]);
	chat.turnOf = once({
		tool: 'Transfer',
		said: { toolParameters: { amount: '250' }, hitlParameters: {} },
	});
	const number = await began(flow);
	const question = await questionOf(flow.id, number);
	await question?.press('Decline');
	const told = JSON.stringify(itemsOf(await ends(flow.id), 'Agent'));
	expect(told).toMatch(/rejected|version 3|nobody/i);
}, 120_000);

it('2. an expression of n8n in a text that the model says in place of arguments: asks nobody', async () => {
	const tool = node('Close', '@n8n/n8n-nodes-langchain.toolCode', 1.3, {
		description: 'Closes an account',
		jsCode: "return 'closed ' + query;",
		specifyInputSchema: false,
	});
	const working = node('Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });
	const flow = await stage.createCalled([
		[CHAT, working],
		...behindReview(working, review('=Close {{ $tool.parameters }}?'), tool),
	]);
	chat.turnOf = once({
		tool: 'Close',
		said: { toolParameters: 'Zeynep {{ $vars.secret }}', hitlParameters: {} },
	});
	const number = await began(flow);
	const question = await questionOf(flow.id, number);
	await question?.press('Approve');
	await ends(flow.id);
	expect(question).toBeUndefined();
}, 120_000);

it.each(['call_0', null])(
	'3. the second call of an agent has the id of the first, %s: its answer is not lost behind that of the first',
	async (callId) => {
		const working = agent();
		const flow = await stage.createCalled([
			[TASK, working],
			[asModel(chatModel(modelId)), working],
			[asTool(askTool()), working],
		]);
		let calls = 0;
		chat.turnOf = (asked) => {
			calls++;
			if (calls <= 2) {
				const amount = calls === 1 ? '1' : '9999';
				return [{ tool: 'Ask', said: { amount }, id: callId }];
			}
			return tellAll(asked);
		};
		const number = await began(flow);
		const first = await questionOf(flow.id, number);
		await first?.press('Approve');
		const second = await questionOf(flow.id, number + 1);
		await second?.press('Decline');
		const data = await ends(flow.id);
		const told = JSON.stringify(itemsOf(data, 'Agent'));
		expect(second === undefined || told.includes('declined')).toBe(true);
	},
	120_000,
);

it('3b. the same behind a review: what has run is told, so that it is not done again', async () => {
	const working = agent();
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(working, review('=Pay {{ $tool.parameters.amount }}?'), payment()),
	]);
	let calls = 0;
	chat.turnOf = (asked) => {
		calls++;
		if (calls <= 2) {
			const amount = calls === 1 ? '1' : '9999';
			return [
				{
					tool: 'Transfer',
					said: { toolParameters: { amount }, hitlParameters: {} },
					id: 'call_0',
				},
			];
		}
		return `${callsBefore(asked)} results. ${tellAll(asked)}`;
	};
	const number = await began(flow);
	const first = await questionOf(flow.id, number);
	await first?.press('Approve');
	const second = await questionOf(flow.id, number + 1);
	await second?.press('Approve');
	const data = await ends(flow.id);
	const told = JSON.stringify(itemsOf(data, 'Agent'));
	expect(chat.deeds.length === 1 || told.includes('2 results')).toBe(true);
}, 120_000);

it('11. right use: a question of this package behind a review', async () => {
	const working = agent();
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(working, review('=Ask {{ $tool.parameters.amount }}?'), askTool()),
	]);
	chat.turnOf = once({
		tool: 'Ask',
		said: { toolParameters: { amount: '250' }, hitlParameters: {} },
	});
	const number = await began(flow);
	const first = await questionOf(flow.id, number);
	await first?.press('Approve');
	const second = await questionOf(flow.id, number + 1);
	await second?.press('Decline');
	const told = JSON.stringify(itemsOf(await ends(flow.id), 'Agent'));
	expect(told).toContain('declined');
}, 120_000);

it.each([
	['a note without a head', '\u{1d159}'],
	['a full blank of hieroglyphs', '\u{13441}'],
	['a filler of the Khitan script', '\u{16fe4}'],
])(
	'12. %s, of which nobody sees anything, is shown',
	async (_what, blank) => {
		const working = agent();
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, review('=Pay {{ $tool.parameters.amount }}?'), payment()),
		]);
		const amount = `1${blank.repeat(3_000)}000`;
		chat.turnOf = once({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: {} },
		});
		const number = await began(flow);
		const question = await questionOf(flow.id, number);
		await question?.press('Decline');
		await ends(flow.id);
		expect(question?.text).not.toContain(blank);
	},
	120_000,
);

it.each(['with a default', 'without'])(
	'13. two calls in one turn of a workflow that waits itself: each runs with what was approved (%s)',
	async (kind) => {
		const asks = stage.send(
			{
				resource: 'message',
				operation: 'sendAndWait',
				customerNo: '70022',
				message: '=Inside {{ $json.amount }}',
			},
			{ name: 'Ask inside' },
		);
		const child = await stage.n8n.createWorkflow(
			workflow('Pays', [
				[
					node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, {
						workflowInputs: { values: [{ name: 'amount' }] },
					}),
					asks,
					httpPost('Do', chat.toolUrl, "={{ { amount: $('Called').first().json.amount } }}"),
				],
			]),
		);
		const asked = kind === 'without' ? "'string'" : "'string', '777'";
		const tool = node('Pay', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
			description: 'Pays',
			workflowId: { __rl: true, mode: 'id', value: child },
			workflowInputs: {
				mappingMode: 'defineBelow',
				value: { amount: `={{ $fromAI('amount', '', ${asked}) }}` },
				schema: [{ id: 'amount', displayName: 'amount', type: 'string' }],
			},
		});
		const working = agent();
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, review('=Pay {{ $tool.parameters.amount }}?'), tool),
		]);
		const call = (amount: string) => ({
			tool: 'Pay',
			said: { toolParameters: { amount }, hitlParameters: {} },
		});
		chat.turnOf = once(call('1'), call('2'), call('3'));
		const number = await began(flow);
		const texts: string[] = [];
		for (let at = number; at < number + 9; at++) {
			const question = await questionOf(flow.id, at);
			if (!question) break;
			texts.push(question.text);
			await sleepMs(500);
			await question.press('Approve');
		}
		await ends(flow.id);
		expect(chat.deeds).toEqual([{ amount: '1' }, { amount: '2' }, { amount: '3' }]);
	},
	180_000,
);

it('14. right use: two questions of this package in one turn behind a review, each with its own answer', async () => {
	const working = agent();
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(working, review('=Ask {{ $tool.parameters.amount }}?'), askTool()),
	]);
	const call = (amount: string) => ({
		tool: 'Ask',
		said: { toolParameters: { amount }, hitlParameters: {} },
	});
	chat.turnOf = once(call('1'), call('2'));
	const number = await began(flow);
	const texts: string[] = [];
	for (let at = number; at < number + 6; at++) {
		const question = await questionOf(flow.id, at);
		if (!question) break;
		texts.push(question.text);
		await question.press(question.text.startsWith('Pay 2') ? 'Decline' : 'Approve');
	}
	const told = JSON.stringify(itemsOf(await ends(flow.id), 'Ask', 'ai_tool'));
	expect(texts).toHaveLength(4);
	expect(told).toMatch(/"decision":"approved".*"decision":"declined"/);
}, 120_000);

it('15. a tool of n8n that gives the call to another agent is refused behind a review', async () => {
	const working = agent();
	const tool = node('Helper', 'n8n-nodes-base.messageAnAgentTool', 2, {
		toolDescription: 'Does it',
		agentId: { __rl: true, mode: 'id', value: 'none' },
		message: "={{ $fromAI('task', 'What to do', 'string') }}",
	});
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(working, review('=May I do this: {{ $tool.parameters.task }}?'), tool),
	]);
	chat.turnOf = once({
		tool: 'Helper',
		said: { toolParameters: { task: 'Help' }, hitlParameters: {} },
	});
	const number = await began(flow);
	const question = await questionOf(flow.id, number);
	await question?.press('Decline');
	const data = await ends(flow.id);
	expect(JSON.stringify(itemsOf(data, REVIEW, 'ai_tool'))).toContain('error');
	expect(question).toBeUndefined();
}, 120_000);

it('16. right use: a customer writes to the bot, an agent works for the customer, who approves what it does', async () => {
	const webhookId = randomUUID();
	const start = trigger(stage.credentialId, webhookId, { events: ['textReceived'] });
	const working = node('AI Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, {
		promptType: 'define',
		text: '={{ $json.text }}',
		options: {},
	});
	const asking = review('=May we pay {{ $tool.parameters.amount }}?', {
		customerNo: '={{ $json.customerNo }}',
	});
	const id = await stage.n8n.createWorkflow(
		workflow('Bot', [[start, working], ...behindReview(working, asking, payment())]),
	);
	const url = await stage.n8n.webhookUrl(`${webhookId}/webhook`);
	stage.sandbox.setWebhookUrl('bot', url);
	try {
		chat.turnOf = once({
			tool: 'Transfer',
			said: { toolParameters: { amount: '250' }, hitlParameters: {} },
		});
		const number = stage.sandbox.messages().length;
		await stage.type('Please pay 250');
		const question = await waitFor('the question', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(id);
			return newest?.status === 'waiting' ? stage.sandbox.messages()[number] : undefined;
		});
		await stage.press(question, 'Approve');
		await waitFor('the deed', WITHIN_MS, async () => chat.deeds[0]);
		expect(chat.deeds).toEqual([{ amount: '250' }]);
	} finally {
		await stage.addTrigger();
	}
}, 120_000);

it('17. three calls in one turn, of which nobody answers the first until n8n itself ends the wait: the others are asked', async () => {
	const working = agent();
	const limitWaitTime = {
		values: { limitType: 'afterTimeInterval', resumeAmount: 1.3, resumeUnit: 'minutes' },
	};
	const flow = await stage.createCalled([
		[TASK, working],
		...behindReview(
			working,
			review('=Pay {{ $tool.parameters.amount }}?', { options: { limitWaitTime } }),
			payment(),
		),
	]);
	const call = (amount: string) => ({
		tool: 'Transfer',
		said: { toolParameters: { amount }, hitlParameters: {} },
	});
	chat.turnOf = once(call('1'), call('2'), call('3'));
	const number = await began(flow);
	await questionOf(flow.id, number);
	await waitFor('the next one, or the end', 240_000, async () => {
		const [newest] = await stage.n8n.executions(flow.id);
		return newest?.status === 'success' || stage.sandbox.messages()[number + 1] ? true : undefined;
	});
	await sleepMs(1_000);
	const texts: string[] = [];
	for (let at = number + 1; at < number + 4; at++) {
		const question = await questionOf(flow.id, at);
		if (!question) break;
		texts.push(question.text);
		await question.press('Approve');
	}
	await ends(flow.id);
	expect(chat.deeds).toEqual([{ amount: '2' }, { amount: '3' }]);
}, 400_000);

it('18. a field of the item with the name tool, in the place of which n8n puts the name of the tool: the person reads what runs, or is not asked', async () => {
	const working = agent();
	const tool = deedTool(
		'Order_it',
		chat.toolUrl,
		"={{ { what: $json.tool, count: $fromAI('count', 'How many', 'string') } }}",
	);
	const flow = await stage.createCalled([
		[set('Task', { name: 'Zeynep', tool: 'hammer' }), working],
		...behindReview(
			working,
			review("=Order {{ $tool.parameters.count }} of {{ $('Task').first().json.tool }}?"),
			tool,
		),
	]);
	chat.turnOf = once({
		tool: 'Order_it',
		said: { toolParameters: { count: '2' }, hitlParameters: {} },
	});
	const number = await began(flow);
	const question = await questionOf(flow.id, number);
	await question?.press('Approve');
	await ends(flow.id);
	expect(chat.deeds).toEqual(question ? [{ what: 'hammer', count: '2' }] : []);
}, 120_000);

it('19. the same for a workflow as the tool: asks nobody', async () => {
	const child = await stage.n8n.createWorkflow(
		workflow('Does it', [
			[calledTrigger(), httpPost('Do', chat.toolUrl, '={{ { query: $json.query } }}')],
		]),
	);
	const tool = node('Do it', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
		description: 'Does what it is told',
		workflowId: { __rl: true, mode: 'id', value: child },
		workflowInputs: { mappingMode: 'defineBelow', value: {}, schema: [] },
	});
	const working = node('Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });
	const flow = await stage.createCalled([
		[CHAT, working],
		...behindReview(working, review('=May I do this: {{ $tool.parameters }}?'), tool),
	]);
	chat.turnOf = once({
		tool: 'Do_it',
		said: { toolParameters: 'Pay {{ 9990 + 9 }}', hitlParameters: {} },
	});
	const number = await began(flow);
	const question = await questionOf(flow.id, number);
	await question?.press('Approve');
	await ends(flow.id);
	expect(question).toBeUndefined();
}, 120_000);

describe('a model whose server gives its calls no ids', () => {
	const OF_ITEM = set('Task', { name: 'Zeynep', no: '70021' });

	it('8. second call of a turn, after the first has waited: the model does not say who approves', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?', { customerNo: '={{ $json.no }}' });
		const flow = await stage.createCalled([
			[OF_ITEM, working],
			...behindReview(working, asking, payment()),
		]);
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: { no: '70022' } },
			id: null,
		});
		let calls = 0;
		chat.turnOf = (asked) => (calls++ === 0 ? [call('1'), call('9999')] : tellAll(asked));
		const number = await began(flow);
		const first = await questionOf(flow.id, number);
		await first?.press('Approve');
		const second = await questionOf(flow.id, number + 1);
		await second?.press('Approve');
		await ends(flow.id);
		const people = stage.sandbox
			.messages()
			.slice(number)
			.map((each) => each.customerNo);
		expect(people).not.toContain('70022');
	}, 120_000);

	it('9. the same for what runs: a field of the item under the name of an argument', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?');
		const tool = deedTool(
			'Transfer',
			chat.toolUrl,
			"={{ { to: $json.to, amount: $fromAI('amount', 'How much', 'string') } }}",
		);
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', to: 'Zeynep' }), working],
			...behindReview(working, asking, tool),
		]);
		const call = (said: object) => ({
			tool: 'Transfer',
			said: { toolParameters: said, hitlParameters: {} },
			id: null,
		});
		let calls = 0;
		chat.turnOf = (asked) =>
			calls++ === 0
				? [call({ amount: '1' }), call({ amount: '9999', to: 'Attacker' })]
				: tellAll(asked);
		const number = await began(flow);
		const first = await questionOf(flow.id, number);
		await first?.press('Approve');
		const second = await questionOf(flow.id, number + 1);
		await second?.press('Approve');
		await ends(flow.id);
		expect(second).toBeUndefined();
		expect(JSON.stringify(chat.deeds)).not.toContain('Attacker');
	}, 120_000);

	it('10. plain tools: nothing is verified with a key that the model has said', async () => {
		const working = agent();
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', key: PERSON.publicKey }), working],
			[asModel(chatModel(modelId)), working],
			[asTool(askTool()), working],
			[asTool(verifyTool(stage, '={{ $json.key }}')), working],
		]);
		let calls = 0;
		chat.turnOf = (asked) =>
			calls++ === 0
				? [
						{ tool: 'Ask', said: { amount: '1' }, id: null },
						{
							tool: VERIFY,
							said: { payload: signedBy(ATTACKER), key: ATTACKER.publicKey },
							id: null,
						},
					]
				: tellAll(asked);
		const number = await began(flow);
		const first = await questionOf(flow.id, number);
		await first?.press('Approve');
		const data = await ends(flow.id);
		const verified = JSON.stringify(itemsOf(data, VERIFY, 'ai_tool'));
		expect(verified).not.toContain('"valid":true');
	}, 120_000);
});

describe('a step that is executed in the editor', () => {
	async function step(
		tool: WorkflowNode,
		rows: Row[],
		agentRequest: object,
	): Promise<{ id: string; number: number }> {
		const { id } = await stage.n8n.saveWorkflow({ ...workflow('Step', rows), pinData: {} });
		const number = stage.sandbox.messages().length;
		await stage.n8n.request(
			'POST',
			`/rest/workflows/${id}/run`,
			{
				destinationNode: { nodeName: tool.name, mode: 'inclusive' },
				triggerToStartFrom: { name: 'Start' },
				agentRequest,
			},
			z.unknown(),
		);
		return { id, number };
	}

	const answers = async (id: string, number: number, button: string): Promise<string[]> => {
		const asked: string[] = [];
		for (let at = number; at < number + 4; at++) {
			const question = await questionOf(id, at);
			if (!question) break;
			asked.push(question.text);
			await question.press(button);
			await sleepMs(3_000);
		}
		return asked;
	};

	it.each(['Decline', 'Approve'])(
		'4. of a review, %s: is asked once',
		async (button) => {
			const working = agent();
			const asking = review('=Pay {{ $tool.parameters.amount }}?');
			const { id, number } = await step(
				asking,
				[[manualTrigger(), TASK, working], ...behindReview(working, asking, payment())],
				{ query: { Transfer: { amount: '250' }, [REVIEW]: {} }, tool: { name: 'Transfer' } },
			);
			const asked = await answers(id, number, button);
			expect(asked.length).toBeLessThanOrEqual(1);
			expect(chat.deeds).toHaveLength(button === 'Approve' ? 1 : 0);
		},
		120_000,
	);

	it('5. of Send and Wait as a plain tool: nothing is sent whose answer would be lost', async () => {
		const working = agent();
		const tool = askTool();
		const { id, number } = await step(
			tool,
			[
				[manualTrigger(), TASK, working],
				[asModel(chatModel(modelId)), working],
				[asTool(tool), working],
			],
			{ query: { Ask: { amount: '250' } }, tool: { name: 'Ask' } },
		);
		const asked = await answers(id, number, 'Decline');
		await ends(id);
		expect(asked).toEqual([]);
	}, 120_000);
});

describe('right use: a chat, an agent with memory, and a tool behind a review, as a user of n8n puts it together', () => {
	const chatTrigger = (id: string, options: Fields): WorkflowNode =>
		node(
			'When chat message received',
			'@n8n/n8n-nodes-langchain.chatTrigger',
			1.4,
			{ public: true, mode: 'webhook', options },
			{ webhookId: id },
		);

	it.each(['lastNode', 'streaming'])(
		'6. %s',
		async (responseMode) => {
			const webhookId = randomUUID();
			const start = chatTrigger(webhookId, { responseMode });
			const working = node('AI Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });
			const asking = review(
				'=The agent wants to run this tool: {{ $tool.name }}\n\nInput:\n{{ $tool.parameters }}',
			);
			const tool = node('Send Money', 'n8n-nodes-base.httpRequestTool', 4.3, {
				toolDescription: 'Sends money',
				method: 'POST',
				url: chat.toolUrl,
				sendBody: true,
				bodyParameters: {
					parameters: [
						{
							name: 'amount',
							value:
								"={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('parameters0_Value', ``, 'string') }}",
						},
					],
				},
				options: {},
			});
			const memory = node('Simple Memory', '@n8n/n8n-nodes-langchain.memoryBufferWindow', 1.4, {});
			const id = await stage.n8n.createWorkflow(
				workflow('Chat', [
					[start, working],
					...behindReview(working, asking, tool),
					[{ node: memory, type: 'ai_memory' }, working],
				]),
			);
			const url = `${stage.n8n.url}/webhook/${webhookId}/chat`;
			await sleepMs(3_000);
			chat.turnOf = once({
				tool: 'Send_Money',
				said: { toolParameters: { parameters0_Value: '250' }, hitlParameters: {} },
			});
			const number = stage.sandbox.messages().length;
			void fetch(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ action: 'sendMessage', sessionId: 's1', chatInput: 'Send 250' }),
				signal: AbortSignal.timeout(20_000),
			})
				.then(async (response) => `${response.status} ${await response.text()}`)
				.catch((error: unknown) => String(error));
			const question = await questionOf(id, number);
			await question?.press('Approve');
			await ends(id);
			expect(chat.deeds).toEqual([{ amount: '250' }]);
		},
		120_000,
	);
});

it('7. a stranger at the WebSocket of chats does not continue what waits for a person', async () => {
	const flow = await stage.createAsking({}, node('After', 'n8n-nodes-base.noOp', 1));
	const asked = await flow.start();
	await writeToChat(stage.n8n.url, asked.executionId, 'approved');
	await sleepMs(5_000);
	expect(await asked.status()).toBe('waiting');
}, 120_000);
