import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { callsBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { newPhone } from '../support/signedFormats';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import {
	agent,
	beginAt,
	dataAtEnd,
	nextQuestion,
	once,
	paymentTool,
	REVIEW,
	reviewedAgent,
	reviewTool,
	setStageOf,
	signedBy,
	tellAll,
	VERIFY,
	verifyTool,
	workflowTool,
} from './harness/agents';
import type { AskedQuestion } from './harness/agents';
import type { AskingWorkflow, Stage } from './harness/waiting';
import {
	asModel,
	asTool,
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

/*
 * Calls of AI agents as they come in a real n8n: of older agents, with ids that a server gives twice, of tools that wait themselves,
 * from a chat, and from a step that is executed in the editor.
 */

const WITHIN_MS = 60_000;
const TIME_IS_UP_WITHIN_MS = 240_000;
/** What n8n needs to show a chat that has just been published, or that an execution goes on. */
const SETTLES_MS = 3_000;

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
	chat.turnOf = undefined;
});

const TASK = set('Task', { name: 'Zeynep', to: 'Zeynep' });
const CHAT = set('Chat', { chatInput: 'Work' });

/** An agent that works on what a chat says. */
const chatAgent = (): WorkflowNode =>
	node('Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });

const review = (message: string, parameters: Fields = {}): WorkflowNode =>
	reviewTool(stage, message, parameters);

const PAY = '=Pay {{ $tool.parameters.amount }}?';

const payment = (): WorkflowNode => paymentTool(chat);

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

const withModel = (working: WorkflowNode): Row => [asModel(chatModel(modelId)), working];

const behindReview = (working: WorkflowNode, asking: WorkflowNode, tool: WorkflowNode): Row[] =>
	reviewedAgent(modelId, working, asking, tool);

/** A workflow in which a person has to approve what a tool does. */
const reviewed = async (
	asking: WorkflowNode,
	tool: WorkflowNode,
	from = TASK,
	working = agent(),
): Promise<AskingWorkflow> =>
	await stage.createCalled([[from, working], ...behindReview(working, asking, tool)]);

/** A call of a tool behind a review, of which the model says nothing for the review. */
const callOf = (tool: string, toolParameters: unknown) => ({
	tool,
	said: { toolParameters, hitlParameters: {} },
});

const payingCall = (amount: string) => callOf('Transfer', { amount });

const began = async (flow: AskingWorkflow): Promise<number> => await beginAt(stage, flow);

const questionOf = async (
	{ id }: { id: string },
	number: number,
): ReturnType<typeof nextQuestion> => await nextQuestion(stage, id, number);

const ends = async ({ id }: { id: string }): Promise<string> => await dataAtEnd(stage, id);

/** Everything that is asked, in its order; each question gets the button of its text, an approval unless another is given. */
async function answerAll(
	flow: { id: string },
	from: number,
	buttonOf: (text: string) => string = () => 'Approve',
): Promise<AskedQuestion[]> {
	const asked: AskedQuestion[] = [];
	for (let number = from; ; number++) {
		const question = await questionOf(flow, number);
		if (!question) return asked;
		asked.push(question);
		await question.press(buttonOf(question.text));
		await sleepMs(SETTLES_MS);
	}
}

/** What was asked and done, and all that the agent gave out. */
async function outcomeOf(flow: AskingWorkflow): Promise<{ asked: number; told: string }> {
	const { length: asked } = await answerAll(flow, await began(flow));
	return { asked, told: JSON.stringify(itemsOf(await ends(flow), 'Agent')) };
}

it('1. a review of an older agent, which n8n does not run: nobody is asked, and nothing runs', async () => {
	const flow = await reviewed(review(PAY), payment(), TASK, agent(2.2));
	chat.turnOf = once(payingCall('250'));
	expect(await outcomeOf(flow)).toMatchObject({ asked: 0 });
	expect(chat.deeds).toEqual([]);
}, 120_000);

describe('an expression of n8n in a text that the model says in place of arguments: asks nobody', () => {
	it('2. of a Code Tool', async () => {
		const tool = node('Close', '@n8n/n8n-nodes-langchain.toolCode', 1.3, {
			description: 'Closes an account',
			jsCode: "return 'closed ' + query;",
			specifyInputSchema: false,
		});
		const asking = review('=Close {{ $tool.parameters }}?');
		const flow = await reviewed(asking, tool, CHAT, chatAgent());
		chat.turnOf = once(callOf('Close', 'Zeynep {{ $vars.secret }}'));
		expect(await outcomeOf(flow)).toMatchObject({ asked: 0 });
	}, 120_000);

	it.each([
		['Pay {{ 9990 + 9 }}', 0, []],
		['Pay 9999', 1, [{ query: 'Pay 9999' }]],
	])(
		'3. of a workflow: %s, asked %d',
		async (said, asked, done) => {
			const tool = await workflowTool(stage, chat);
			const asking = review('=May I do this: {{ $tool.parameters }}?');
			const flow = await reviewed(asking, tool, CHAT, chatAgent());
			chat.turnOf = once(callOf('Do_it', said));
			expect(await outcomeOf(flow)).toMatchObject({ asked });
			expect(chat.deeds).toEqual(done);
		},
		120_000,
	);
});

describe('a call in whose place n8n keeps the result of an earlier one, because of its id', () => {
	/** The model calls again after the first call, and then tells what it was told. */
	const twice = (
		callFor: (amount: string) => { tool: string; said: unknown },
		id: string | null,
	) => {
		let calls = 0;
		chat.turnOf = (asked) => {
			calls++;
			if (calls <= 2) return [{ ...callFor(calls === 1 ? '1' : '9999'), id }];
			return `${callsBefore(asked)} results. ${tellAll(asked)}`;
		};
	};

	it.each(['call_0', null])(
		'4. of a question with the id %s: is not asked, and the first one is',
		async (callId) => {
			const working = agent();
			const flow = await stage.createCalled([
				[TASK, working],
				withModel(working),
				[asTool(askTool()), working],
			]);
			twice((amount) => ({ tool: 'Ask', said: { amount } }), callId);
			const { asked, told } = await outcomeOf(flow);
			expect(asked).toBe(1);
			expect(told).toContain('1 results');
			expect(told).toContain('approved');
		},
		120_000,
	);

	it.each(['call_0', null])(
		'5. of a tool behind a review, with the id %s: nobody is asked, and nothing runs whose result the model is not told',
		async (callId) => {
			const flow = await reviewed(review(PAY), payment());
			twice(payingCall, callId);
			const { asked, told } = await outcomeOf(flow);
			expect(asked).toBe(1);
			expect(told).toContain('1 results');
			expect(chat.deeds).toEqual([{ amount: '1' }]);
		},
		120_000,
	);
});

it.each([
	['a pattern of Braille without dots', '\u2800'],
	['a note without a head', '\u{1d159}'],
	['a full blank of hieroglyphs', '\u{13441}'],
	['half a blank of hieroglyphs', '\u{13442}'],
	['a filler of the Khitan script', '\u{16fe4}'],
])(
	'6. %s, of which nobody sees anything, is shown',
	async (_what, blank) => {
		const flow = await reviewed(review(PAY), payment());
		chat.turnOf = once(payingCall(`1${blank.repeat(3_000)}000`));
		const question = await questionOf(flow, await began(flow));
		await question?.press('Decline');
		await ends(flow);
		expect(question?.text).not.toContain(blank);
	},
	120_000,
);

describe('several calls of one turn', () => {
	it.each(['with a default', 'without'])(
		'7. of a workflow that waits itself, whose further calls n8n would not run: the model calls it again for each (%s)',
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
			const flow = await reviewed(review(PAY), tool);
			const calls = ['1', '2', '3'].map((amount) => callOf('Pay', { amount }));
			chat.turnOf = (turn) => {
				const left = calls.slice(callsBefore(turn));
				return left.length > 0 ? left : tellAll(turn);
			};
			const { length } = await answerAll(flow, await began(flow));
			await ends(flow);
			expect(length).toBe(6);
			expect(chat.deeds).toEqual([{ amount: '1' }, { amount: '2' }, { amount: '3' }]);
		},
		240_000,
	);

	it('8. of a node of n8n that waits for an answer itself: the second is not asked', async () => {
		const server = { user: 'bank', password: 'none', host: '127.0.0.1', port: 9, secure: false };
		const smtp = { id: await stage.n8n.createCredential('Mail', server, 'smtp'), name: 'Mail' };
		const tool = node(
			'Ask by Mail',
			'n8n-nodes-base.emailSendTool',
			2.1,
			{
				toolDescription: 'Asks by mail',
				operation: 'sendAndWait',
				fromEmail: 'bank@example.com',
				toEmail: 'zeynep@example.com',
				subject: 'Payment',
				message: "={{ $fromAI('amount', 'How much', 'string') }}",
			},
			{ credentials: { smtp } },
		);
		const flow = await reviewed(review(PAY), tool);
		chat.turnOf = once(
			callOf('Ask_by_Mail', { amount: '1' }),
			callOf('Ask_by_Mail', { amount: '2' }),
		);
		const asked = await answerAll(flow, await began(flow), () => 'Decline');
		await ends(flow);
		expect(asked.map(({ text }) => text)).toEqual([expect.stringContaining('Pay 1?')]);
	}, 120_000);

	it('9. right use: of a question of this package behind a review, each with its own answer', async () => {
		const asking = review('=Ask {{ $tool.parameters.amount }}?');
		const flow = await reviewed(asking, askTool());
		chat.turnOf = once(callOf('Ask', { amount: '1' }), callOf('Ask', { amount: '2' }));
		const asked = await answerAll(flow, await began(flow), (text) =>
			text.startsWith('Pay 2') ? 'Decline' : 'Approve',
		);
		const told = JSON.stringify(itemsOf(await ends(flow), 'Ask', 'ai_tool'));
		expect(asked).toHaveLength(4);
		expect(told).toMatch(/"decision":"approved".*"decision":"declined"/);
	}, 120_000);

	it('10. of which nobody answers the first for more than a minute: the others are asked, and run as they were read', async () => {
		const { limitWaitTime } = endsWithin(1.3, 'minutes');
		const flow = await reviewed(review(PAY, { options: { limitWaitTime } }), payment());
		chat.turnOf = once(payingCall('1'), payingCall('2'), payingCall('3'));
		const number = await began(flow);
		await questionOf(flow, number);
		await waitFor('the next question', TIME_IS_UP_WITHIN_MS, async () => {
			return await Promise.resolve(stage.sandbox.messages()[number + 1]);
		});
		await sleepMs(SETTLES_MS);
		const asked = await answerAll(flow, number + 1);
		await ends(flow);
		expect(asked.map(({ text }) => text)).toEqual([
			expect.stringContaining('Pay 2?'),
			expect.stringContaining('Pay 3?'),
		]);
		expect(chat.deeds).toEqual([{ amount: '2' }, { amount: '3' }]);
	}, 400_000);
});

it('11. a tool of n8n that gives the call to another agent is refused behind a review', async () => {
	const tool = node('Helper', 'n8n-nodes-base.messageAnAgentTool', 2, {
		toolDescription: 'Does it',
		agentId: { __rl: true, mode: 'id', value: 'none' },
		message: "={{ $fromAI('task', 'What to do', 'string') }}",
	});
	const flow = await reviewed(review('=May I do this: {{ $tool.parameters.task }}?'), tool);
	chat.turnOf = once(callOf('Helper', { task: 'Help' }));
	const question = await questionOf(flow, await began(flow));
	await question?.press('Decline');
	const data = await ends(flow);
	expect(JSON.stringify(itemsOf(data, REVIEW, 'ai_tool'))).toContain('error');
	expect(question).toBeUndefined();
}, 120_000);

it('12. right use: a question of this package behind a review', async () => {
	const flow = await reviewed(review('=Ask {{ $tool.parameters.amount }}?'), askTool());
	chat.turnOf = once(callOf('Ask', { amount: '250' }));
	await answerAll(flow, await began(flow), (text) =>
		text.startsWith('Pay') ? 'Decline' : 'Approve',
	);
	expect(JSON.stringify(itemsOf(await ends(flow), 'Agent'))).toContain('declined');
}, 120_000);

it('13. right use: a customer writes to the bot, an agent works for the customer, who approves what it does', async () => {
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
		chat.turnOf = once(payingCall('250'));
		const number = stage.sandbox.messages().length;
		await stage.type('Please pay 250');
		const question = await waitFor('the question', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(id);
			return newest?.status === 'waiting' ? stage.sandbox.messages()[number] : undefined;
		});
		await stage.press(question, 'Approve');
		await waitFor('the deed', WITHIN_MS, async () => await Promise.resolve(chat.deeds[0]));
		expect(chat.deeds).toEqual([{ amount: '250' }]);
	} finally {
		await stage.addTrigger();
	}
}, 120_000);

describe('a field "tool" of the item, in the place of which n8n gives the tool its own name', () => {
	const ordered = async (item: Fields, what: string, asksFor: string): Promise<AskingWorkflow> => {
		const jsonBody = `={{ { what: ${what}, count: ${asksFor} } }}`;
		const asking = review(
			"=Order {{ $tool.parameters.count }} of {{ $('Task').first().json.tool }}?",
		);
		return await reviewed(asking, deedTool('Order_it', chat.toolUrl, jsonBody), set('Task', item));
	};
	const COUNT = "$fromAI('count', 'How many', 'string')";
	const HAMMER = { name: 'Zeynep', tool: 'hammer' };

	it.each([
		['the tool asks the model for a value', '$json.tool', COUNT, { count: '2' }],
		['the tool asks for nothing', '$json.tool', '2', {}],
		['the tool takes the whole item', 'JSON.stringify($json)', COUNT, { count: '2' }],
	])(
		'14. %s: asks nobody',
		async (_what, what, asksFor, said) => {
			const flow = await ordered(HAMMER, what, asksFor);
			chat.turnOf = once(callOf('Order_it', said));
			expect(await outcomeOf(flow)).toMatchObject({ asked: 0 });
			expect(chat.deeds).toEqual([]);
		},
		120_000,
	);

	it('15. right use: a field under another name', async () => {
		const item = { name: 'Zeynep', ordered: 'hammer' };
		const flow = await ordered(item, '$json.ordered', COUNT);
		chat.turnOf = once(callOf('Order_it', { count: '2' }));
		expect(await outcomeOf(flow)).toMatchObject({ asked: 1 });
		expect(chat.deeds).toEqual([{ what: 'hammer', count: '2' }]);
	}, 120_000);
});

describe('a model whose server gives its calls no ids', () => {
	/** The model makes these calls in one turn, and then tells what it was told. */
	const inOneTurn = (...turn: Array<{ tool: string; said: unknown }>) => {
		let turns = 0;
		chat.turnOf = (asked) =>
			turns++ === 0 ? turn.map((call) => ({ ...call, id: null })) : tellAll(asked);
	};

	it('16. second call of a turn, after the first has waited: the model does not say who approves', async () => {
		const working = agent();
		const asking = review(PAY, { customerNo: '={{ $json.no }}' });
		const item = set('Task', { name: 'Zeynep', no: '70021' });
		const flow = await reviewed(asking, payment(), item, working);
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: { no: '70022' } },
		});
		inOneTurn(call('1'), call('9999'));
		const asked = await answerAll(flow, await began(flow));
		await ends(flow);
		expect(asked.length).toBeGreaterThan(0);
		for (const { customerNo } of asked) expect(customerNo).toBe('70021');
	}, 120_000);

	it('17. the same for what runs: a field of the item under the name of an argument', async () => {
		const tool = deedTool(
			'Transfer',
			chat.toolUrl,
			"={{ { to: $json.to, amount: $fromAI('amount', 'How much', 'string') } }}",
		);
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?');
		const flow = await reviewed(asking, tool);
		inOneTurn(payingCall('1'), callOf('Transfer', { amount: '9999', to: 'Attacker' }));
		expect(await outcomeOf(flow)).toMatchObject({ asked: 1 });
		expect(JSON.stringify(chat.deeds)).not.toContain('Attacker');
	}, 120_000);

	it('18. plain tools: nothing is verified with a key that the model has said', async () => {
		const working = agent();
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', key: PERSON.publicKey }), working],
			withModel(working),
			[asTool(askTool()), working],
			[asTool(verifyTool(stage, '={{ $json.key }}')), working],
		]);
		inOneTurn(
			{ tool: 'Ask', said: { amount: '1' } },
			{ tool: VERIFY, said: { payload: signedBy(ATTACKER), key: ATTACKER.publicKey } },
		);
		await answerAll(flow, await began(flow));
		const verified = JSON.stringify(itemsOf(await ends(flow), VERIFY, 'ai_tool'));
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

	it.each(['Decline', 'Approve'])(
		'19. of a review, %s: is asked once',
		async (button) => {
			const working = agent();
			const asking = review(PAY);
			const flow = await step(
				asking,
				[[manualTrigger(), TASK, working], ...behindReview(working, asking, payment())],
				{ query: { Transfer: { amount: '250' }, [REVIEW]: {} }, tool: { name: 'Transfer' } },
			);
			const asked = await answerAll(flow, flow.number, () => button);
			expect(asked.length).toBeLessThanOrEqual(1);
			expect(chat.deeds).toHaveLength(button === 'Approve' ? 1 : 0);
		},
		120_000,
	);

	it('20. of Send and Wait for Response as a plain tool: nothing is sent whose answer would be lost', async () => {
		const working = agent();
		const tool = askTool();
		const rows: Row[] = [
			[manualTrigger(), TASK, working],
			withModel(working),
			[asTool(tool), working],
		];
		const { id, number } = await step(tool, rows, {
			query: { Ask: { amount: '250' } },
			tool: { name: 'Ask' },
		});
		await waitFor('the end', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(id);
			return newest && ['success', 'error'].includes(newest.status) ? true : undefined;
		});
		expect(stage.sandbox.messages().slice(number)).toEqual([]);
	}, 120_000);
});

it.each(['lastNode', 'streaming'])(
	'21. right use: a chat, an agent with memory, and a tool behind a review, as a user of n8n puts it together (%s)',
	async (responseMode) => {
		const webhookId = randomUUID();
		const start = node(
			'When chat message received',
			'@n8n/n8n-nodes-langchain.chatTrigger',
			1.4,
			{ public: true, mode: 'webhook', options: { responseMode } },
			{ webhookId },
		);
		const working = node('AI Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });
		const asking = review(
			'=The agent wants to run this tool: {{ $tool.name }}\n\nInput:\n{{ $tool.parameters }}',
		);
		const value =
			"={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('parameters0_Value', ``, 'string') }}";
		const tool = node('Send Money', 'n8n-nodes-base.httpRequestTool', 4.3, {
			toolDescription: 'Sends money',
			method: 'POST',
			url: chat.toolUrl,
			sendBody: true,
			bodyParameters: { parameters: [{ name: 'amount', value }] },
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
		await sleepMs(SETTLES_MS);
		chat.turnOf = once(callOf('Send_Money', { parameters0_Value: '250' }));
		const number = stage.sandbox.messages().length;
		// n8n answers the request when the agent has waited, with an error or nothing.
		const answered = fetch(`${stage.n8n.url}/webhook/${webhookId}/chat`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ action: 'sendMessage', sessionId: 's1', chatInput: 'Send 250' }),
			signal: AbortSignal.timeout(WITHIN_MS),
		}).catch(String);
		await answerAll({ id }, number);
		await ends({ id });
		await answered;
		expect(chat.deeds).toEqual([{ amount: '250' }]);
	},
	120_000,
);

describe('one review that stands in front of a tool for two agents', () => {
	async function begun(executionOrder: string): Promise<{ flow: AskingWorkflow; number: number }> {
		const first = { ...agent(), name: 'First' };
		const second = { ...agent(), name: 'Second' };
		const asking = review('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?');
		const flow = await stage.createCalled(
			(call) => [
				[call, set('Ali', { name: 'Ali' }), first],
				[call, set('Can', { name: 'Can' }), second],
				withModel(first),
				withModel(second),
				[asTool(payment()), asking],
				[asTool(asking), first],
				[asTool(asking), second],
			],
			{ executionOrder },
		);
		chat.turnOf = (asked) => {
			const isForAli = JSON.stringify(asked.messages).includes('Work for Ali');
			return once(payingCall(isForAli ? '1' : '2'))(asked);
		};
		return { flow, number: await began(flow) };
	}

	it('22. in the older order of execution n8n mixes up their calls: nobody is asked, and what to do is said', async () => {
		const { flow, number } = await begun('v0');
		const { id } = await waitFor('the end', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(flow.id);
			return newest?.status === 'error' ? newest : undefined;
		});
		expect(await stage.n8n.executionData(id)).toContain(
			'If several agents use this tool, choose v1 as Execution Order',
		);
		expect(stage.sandbox.messages()).toHaveLength(number);
		expect(chat.deeds).toEqual([]);
	}, 120_000);

	it('23. right use: in the other order each is asked for its own item', async () => {
		const { flow, number } = await begun('v1');
		const asked = await answerAll(flow, number);
		expect(asked.map(({ text }) => text.split('?')[0])).toEqual(['Pay 1 for Ali', 'Pay 2 for Can']);
		expect(chat.deeds).toEqual([{ amount: '1' }, { amount: '2' }]);
	}, 120_000);
});
