import { startBroker, startMemory, startPostgres, startSupabase } from '../support/agentServers';
import { callsBefore, saidBefore, startChatServer } from '../support/chatServer';
import type { ChatRequest, ChatServer, ChatTurn } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { startMcpServer } from '../support/mcpServer';
import type { McpServer } from '../support/mcpServer';
import { newPhone } from '../support/signedFormats';
import type { Phone } from '../support/signedFormats';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { randomUUID } from 'node:crypto';
import {
	agent,
	beginAt,
	dataAtEnd,
	FORMAT,
	nextQuestion,
	once,
	paymentTool,
	reviewedAgent,
	reviewTool,
	setStageOf,
	signedBy,
	tellAll,
	toolOf,
	VERIFY,
	verifyTool,
	workflowTool,
} from './harness/agents';
import type { AskingWorkflow, Stage } from './harness/waiting';
import {
	asModel,
	asTool,
	calledTrigger,
	chatModel,
	deedTool,
	httpPost,
	input,
	loop,
	node,
	output,
	set,
	splitOut,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/*
 * Tools of AI agents in a real n8n, with models that say whatever they like: nothing is verified with the key of another item,
 * or with one that a model has said, and nobody is asked a question that is not about what runs.
 */

const PERSON = newPhone();
const ATTACKER = newPhone();

const WITHIN_MS = 60_000;
const TIME_IS_UP_WITHIN_MS = 200_000;

let stage: Stage;
let chat: ChatServer;
let bank: McpServer;
let modelId: string;

beforeAll(async () => {
	chat = await startChatServer({});
	bank = await startMcpServer();
	({ stage, modelId } = await setStageOf(chat));
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
	await bank?.close();
}, 60_000);

beforeEach(() => {
	chat.deeds.length = 0;
	bank.called.length = 0;
});

/* The nodes. */

const subAgent = (typeVersion: number): WorkflowNode =>
	node('Helper', '@n8n/n8n-nodes-langchain.agentTool', typeVersion, {
		toolDescription: 'Helps',
		text: "={{ $fromAI('prompt', 'What to do', 'string') }}",
		options: {},
	});

const verify = (personKeys: string): WorkflowNode => verifyTool(stage, personKeys);

const review = (message: string, parameters: Fields = {}): WorkflowNode =>
	reviewTool(stage, message, parameters);

/** What the model says is used for the agent with this prompt; that of a helper begins otherwise. */
const isFor = (asked: ChatRequest, name: string): boolean =>
	saidBefore(asked).some((text) => text.includes(`Work for ${name}`));

const offered = ({ tools }: ChatRequest): string[] => tools.map((tool) => tool.function.name);

const withModel = (...agents: WorkflowNode[]): Row[] =>
	agents.map((each) => [asModel(chatModel(modelId)), each]);

const payment = (): WorkflowNode => paymentTool(chat);

const behindReview = (working: WorkflowNode, asking: WorkflowNode, tool: WorkflowNode): Row[] =>
	reviewedAgent(modelId, working, asking, tool);

/** What the tool has said in an execution, as one text. */
const verified = (data: string): string => JSON.stringify(itemsOf(data, VERIFY, 'ai_tool'));

describe('an agent that is the tool of another agent', () => {
	const key = PERSON.publicKey;

	async function run(outer: number, inner: number, personKeys: string, by: Phone): Promise<string> {
		const helper = subAgent(inner);
		const outerAgent = agent(outer);
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', key }), outerAgent],
			...withModel(outerAgent, helper),
			[asTool(verify(personKeys)), helper],
			[asTool(helper), outerAgent],
		]);
		chat.turnOf = (asked) => {
			const said = { payload: signedBy(by), key: ATTACKER.publicKey };
			const isOuter = offered(asked).includes('Helper');
			const forHelper = { prompt: 'Verify it', key: ATTACKER.publicKey };
			return once(isOuter ? { tool: 'Helper', said: forHelper } : { tool: VERIFY, said })(asked);
		};
		return verified(await flow.run());
	}

	// n8n 2.41.1 runs no tool of a helper of version 3 below an agent of version 2.2.
	it.each([
		[3.1, 3],
		[3.1, 2.2],
		[2.2, 2.2],
	])(
		'1. version %d above %d: nothing is verified with a key that a model has said',
		async (outer, inner) => {
			const fromItem = await run(outer, inner, '={{ $json.key }}', ATTACKER);
			const byName = await run(outer, inner, "={{ $('Task').item.json.key }}", ATTACKER);
			expect(fromItem).not.toContain('"valid":true');
			expect(byName).not.toContain('"valid":true');
			const first = "={{ $('Task').first().json.key }}";
			expect(await run(outer, inner, first, ATTACKER)).toContain('"valid":false');
			expect(await run(outer, inner, first, PERSON)).toContain('"valid":true');
		},
		240_000,
	);
});

it('2. items of a batch of an older agent: what one model has said is not verified for another item', async () => {
	const working = { ...agent(2.2) };
	Object.assign(working.parameters as object, { options: { batching: { batchSize: 2 } } });
	const list = ['Zeynep', 'Mallory'].map((name) => ({ name }));
	const flow = await stage.createCalled([
		[set('Task', { list }), splitOut('list'), working],
		...withModel(working),
		[asTool(verify(PERSON.publicKey)), working],
	]);
	chat.turnOf = (asked) => {
		const by = isFor(asked, 'Zeynep') ? PERSON : ATTACKER;
		return once({ tool: VERIFY, said: { payload: signedBy(by) } })(asked);
	};
	const data = await flow.run();
	const [, ofMallory] = itemsOf(data, 'Agent');
	expect(JSON.stringify(ofMallory)).toContain('Work for Mallory');
	expect(JSON.stringify(ofMallory)).not.toMatch(/valid\W*true/);
}, 120_000);

it('3. helpers that an older agent calls at the same time: the same', async () => {
	const outer = agent(2.2);
	const helper = subAgent(2.2);
	const flow = await stage.createCalled([
		[set('Task', { name: 'the bank' }), outer],
		...withModel(outer, helper),
		[asTool(verify(PERSON.publicKey)), helper],
		[asTool(helper), outer],
	]);
	const helpWith = (name: string) => ({ tool: 'Helper', said: { prompt: `Verify it of ${name}` } });
	chat.turnOf = (asked) => {
		if (offered(asked).includes('Helper'))
			return once(helpWith('Zeynep'), helpWith('Mallory'))(asked);
		const isForMallory = saidBefore(asked).some((text) => text.includes('Mallory'));
		const by = isForMallory ? ATTACKER : PERSON;
		return once({ tool: VERIFY, said: { payload: signedBy(by) } })(asked);
	};
	const told = itemsOf(await flow.run(), 'Helper', 'ai_tool').map((item) => JSON.stringify(item));
	const ofMallory = told.filter((text) => text.includes('I was told') && text.includes('Mallory'));
	expect(ofMallory).toHaveLength(1);
	expect(ofMallory.join()).not.toMatch(/valid\W*true/);
}, 120_000);

it('4. MCP Server Trigger, calls of one session at the same time: each is verified with its own words', async () => {
	const path = randomUUID();
	const server = node(
		'Server',
		'@n8n/n8n-nodes-langchain.mcpTrigger',
		2,
		{ path, authentication: 'none' },
		{ webhookId: path },
	);
	await stage.n8n.createWorkflow(
		workflow('MCP', [[server], [asTool(verify(PERSON.publicKey)), server]]),
	);
	let session = '';
	const post = async (message: object): Promise<string> => {
		const response = await fetch(`${stage.n8n.url}/mcp/${path}`, {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				...(session && { 'mcp-session-id': session }),
			},
			body: JSON.stringify({ jsonrpc: '2.0', ...message }),
		});
		session = response.headers.get('mcp-session-id') ?? session;
		return await response.text();
	};
	const clientInfo = { name: 'test', version: '1' };
	const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo };
	await waitFor('the server', WITHIN_MS, async () => {
		const said = await post({ id: 1, method: 'initialize', params });
		return said.includes('serverInfo') ? said : undefined;
	});
	await post({ method: 'notifications/initialized' });
	const ask = async (id: number): Promise<string> => {
		const payload = signedBy(id % 2 === 0 ? PERSON : ATTACKER);
		const call = { name: VERIFY, arguments: { payload } };
		return await post({ id, method: 'tools/call', params: call });
	};
	const ids = Array.from({ length: 10 }, (_, index) => index + 2);
	const said = await Promise.all(ids.map(ask));
	const verdicts = said.map((text) => /valid[\\":]*(true|false)/.exec(text)?.[1]);
	expect(verdicts).toEqual(ids.map((id) => String(id % 2 === 0)));
}, 120_000);

describe('an agent of version 3 and the item of another node', () => {
	const CUSTOMERS = [
		{ name: 'Attacker', key: ATTACKER.publicKey },
		{ name: 'Zeynep', key: PERSON.publicKey },
	];

	it('5. with two items: nothing is verified', async () => {
		const working = agent();
		const flow = await stage.createCalled([
			[set('Task', { list: CUSTOMERS }), splitOut('list'), working],
			...withModel(working),
			[asTool(verify("={{ $('Split').item.json.key }}")), working],
		]);
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep')
				? once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } })(asked)
				: 'Nothing to do.';
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	it('6. in a loop: nothing is verified', async () => {
		const working = agent();
		const each = loop();
		const flow = await stage.createCalled([
			[set('Task', { list: CUSTOMERS }), splitOut('list'), each],
			[output(each, 1), working, each],
			...withModel(working),
			[asTool(verify("={{ $('Split').item.json.key }}")), working],
		]);
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep')
				? once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } })(asked)
				: 'Nothing to do.';
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	/** A node whose second run is the first that the agent behind it works on, and the node that has it run again. */
	function twoPages(first: object, second: object): { page: WorkflowNode; more: WorkflowNode } {
		const [one, other] = [first, second].map((json) => JSON.stringify(json));
		const page = node('Page', 'n8n-nodes-base.set', 3.4, {
			mode: 'raw',
			jsonOutput: `={{ JSON.stringify($runIndex === 0 ? ${one} : ${other}) }}`,
		});
		const more = node('More', 'n8n-nodes-base.if', 2.2, {
			conditions: {
				options: { caseSensitive: true, typeValidation: 'loose', version: 2 },
				conditions: [
					{
						leftValue: '={{ $json.name }}',
						rightValue: 'Attacker',
						operator: { type: 'string', operation: 'equals' },
					},
				],
				combinator: 'and',
			},
		});
		return { page, more };
	}

	it('7. second turn of its first run, for the second run of the node before: nothing is verified', async () => {
		const working = agent();
		const [attacker = {}, zeynep = {}] = CUSTOMERS;
		const { page, more } = twoPages(attacker, zeynep);
		const flow = await stage.createCalled([
			[page, more],
			[output(more, 0), input(page, 0)],
			[page, working],
			...withModel(working),
			[asTool(verify("={{ $('Page').item.json.key }}")), working],
		]);
		const said = { payload: signedBy(ATTACKER) };
		chat.turnOf = (asked) => {
			if (!isFor(asked, 'Zeynep')) return 'Nothing to do.';
			return callsBefore(asked) < 2 ? [{ tool: VERIFY, said }] : tellAll(asked);
		};
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	it('8. the same for a review: nobody else is asked', async () => {
		const working = agent();
		const { page, more } = twoPages(
			{ name: 'Attacker', no: '70022' },
			{ name: 'Zeynep', no: '70021' },
		);
		const asking = review('=Pay {{ $tool.parameters.amount }}?', {
			customerNo: "={{ $('Page').item.json.no }}",
		});
		const flow = await stage.createCalled([
			[page, more],
			[output(more, 0), input(page, 0)],
			[page, working],
			...behindReview(working, asking, payment()),
		]);
		const said = { toolParameters: { amount: '9999' }, hitlParameters: {} };
		chat.turnOf = (asked) => {
			if (!isFor(asked, 'Zeynep')) return 'Nothing to do.';
			return callsBefore(asked) < 2 ? [{ tool: 'Transfer', said }] : tellAll(asked);
		};
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Decline');
		await (await questionOf(flow, number + 1))?.press('Approve');
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect(people.map(({ customerNo }) => customerNo)).not.toContain('70022');
	}, 120_000);
});

const questionOf = async (
	{ id }: AskingWorkflow,
	number: number,
	withinMs?: number,
): ReturnType<typeof nextQuestion> => await nextQuestion(stage, id, number, withinMs);

const ends = async ({ id }: AskingWorkflow): Promise<string> => await dataAtEnd(stage, id);

const began = async (flow: AskingWorkflow): Promise<number> => await beginAt(stage, flow);

/** The model calls a tool behind a review once, and says nothing for the review. */
const callsOnce = (tool: string, toolParameters: unknown) =>
	once({ tool, said: { toolParameters, hitlParameters: {} } });

/** A message of a review, with the call below it that every review shows. */
const withCall = (message: string, tool: string, said: unknown): string =>
	`${message}\n\n${tool}: ${JSON.stringify(said)}`;

const WHAT = "{{ $fromAI('what', 'What', 'string') }}";

/** Everything that was asked, each of it approved, and everything that was done. */
async function approveAll(flow: AskingWorkflow): Promise<{ asked: string[]; done: unknown[] }> {
	const asked: string[] = [];
	for (let number = await began(flow); ; number++) {
		const question = await questionOf(flow, number);
		if (!question) break;
		asked.push(question.text);
		await question.press('Approve');
	}
	await ends(flow);
	return { asked, done: [...chat.deeds, ...bank.called] };
}

describe('a review asks nobody where the person would read another thing than what runs', () => {
	const TASK = set('Task', { name: 'Zeynep', to: 'Zeynep' });
	const CHAT = set('Chat', { chatInput: 'Work' });

	async function reviewed(
		message: string,
		tool: WorkflowNode,
		from = TASK,
	): Promise<AskingWorkflow> {
		const working = agent();
		const asking = review(message);
		return await stage.createCalled([[from, working], ...behindReview(working, asking, tool)]);
	}

	/** A node with several tools, whose arguments only the server behind it knows. */
	const bankTools = (): WorkflowNode =>
		node('Bank', '@n8n/n8n-nodes-langchain.mcpClientTool', 1.2, {
			endpointUrl: bank.url,
			serverTransport: 'httpStreamable',
			authentication: 'none',
			include: 'all',
			options: {},
		});
	const ASK_FOR_BANK = '=May I run {{ $tool.name }} with {{ $tool.parameters }}?';

	it('9. of several tools behind one node the model names one for the person, and another for n8n', async () => {
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), CHAT);
		const toolParameters = { account: '1', tool: 'Bank_transfer', amount: '9999', to: 'Attacker' };
		chat.turnOf = callsOnce('Bank_show_balance', toolParameters);
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('10. a field of the item would become an argument that nobody has read', async () => {
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), TASK);
		chat.turnOf = callsOnce('Bank_transfer', { account: '1', amount: '250' });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it.each([
		ASK_FOR_BANK,
		ASK_FOR_BANK.replace('$tool.parameters', 'JSON.stringify($tool.parameters)'),
	])(
		'11. the call of such a node that is shown runs as it is shown: %s',
		async (message) => {
			const flow = await reviewed(message, bankTools(), CHAT);
			const toolParameters = { account: '1', amount: '250', to: 'Zeynep' };
			chat.turnOf = callsOnce('Bank_transfer', toolParameters);
			expect(await approveAll(flow)).toEqual({
				asked: [`May I run Bank_transfer with ${JSON.stringify(toolParameters)}?`],
				done: [{ name: 'transfer', arguments: toolParameters }],
			});
		},
		120_000,
	);

	it('12. the model gives the tool what looks like a call of langchain, with other arguments inside', async () => {
		const flow = await reviewed(
			'=May I do this: {{ $tool.parameters.input }}?',
			await workflowTool(stage, chat),
			CHAT,
		);
		const toolParameters = {
			input: 'Show the balance',
			type: 'tool_call',
			id: 'call',
			name: 'Do_it',
			args: { input: 'Transfer 9999' },
		};
		chat.turnOf = callsOnce('Do_it', toolParameters);
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('13. a tool that asks the model for nothing takes from its item what the model has said', async () => {
		const tool = deedTool('Transfer', chat.toolUrl, "={{ { amount: '250', to: $json.to } }}");
		const flow = await reviewed('=Pay 250 to {{ $json.to }}?', tool);
		const said = { toolParameters: { to: 'Attacker' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Transfer', said });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('14. an agent that is tried again could run an approved tool once for each try', async () => {
		const working = { ...agent(), retryOnFail: true, maxTries: 2, waitBetweenTries: 10 };
		const asking = review('=Pay {{ $tool.parameters.amount }}?');
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
		]);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('15. the model leaves out what the tool asks for, or says more', async () => {
		const jsonBody = "={{ { amount: $fromAI('amount', 'How much', 'string', '9999') } }}";
		const tool = deedTool('Transfer', chat.toolUrl, jsonBody);
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
		const others = [undefined, {}, { amount: null }, { amount: '1', query: { amount: '9' } }];
		for (const toolParameters of others) {
			chat.turnOf = callsOnce('Transfer', toolParameters);
			expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		}
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('Pay 250?', 'Transfer', { amount: '250' })],
			done: [{ amount: '250' }],
		});
	}, 120_000);

	it('16. an argument of a node with arguments of its own is not in the message: it stands below', async () => {
		const flow = await reviewed('=Show {{ $tool.parameters.account }}?', bankTools(), CHAT);
		const toolParameters = { account: '1', amount: '9999', to: 'Attacker' };
		chat.turnOf = callsOnce('Bank_transfer', toolParameters);
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('Show 1?', 'Bank_transfer', toolParameters)],
			done: [{ name: 'transfer', arguments: toolParameters }],
		});
	}, 120_000);

	it('17. what nobody sees of one parameter is shown, also where the message has it alone', async () => {
		const jsonBody = "={{ { to: $fromAI('whom', 'Whom', 'string') } }}";
		const flow = await reviewed(
			'=Pay 250 to {{ $tool.parameters.whom }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { whom: 'Zey\u200bnep\u{e0041}' });
		const { asked } = await approveAll(flow);
		expect(asked).toEqual([
			'Pay 250 to Zey\\u200bnep\\udb40\\udc41?\n\nTransfer: {"whom":"Zey\\u200bnep\\udb40\\udc41"}',
		]);
	}, 120_000);

	it('18. in a loop: the tool behind it is not run with the item of another node that belongs to an earlier round', async () => {
		const working = agent();
		const each = loop();
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.name }}?');
		const jsonBody = `={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('Split').item.json.name } }}`;
		const list = ['Ali', 'Zeynep', 'Can'].map((name) => ({ name }));
		const flow = await stage.createCalled([
			[set('Task', { list }), splitOut('list'), each],
			[output(each, 1), working, each],
			...behindReview(working, asking, deedTool('Transfer', chat.toolUrl, jsonBody)),
		]);
		const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep') ? once({ tool: 'Transfer', said })(asked) : 'Nothing to do.';
		const { asked, done } = await approveAll(flow);
		if (asked.length > 0)
			expect(asked).toEqual([withCall('Pay 250 to Zeynep?', 'Transfer', { amount: '250' })]);
		for (const deed of done) expect(deed).toEqual({ amount: '250', to: 'Zeynep' });
	}, 120_000);

	it('19. two calls in one turn, the first is not answered in time: the second shows what runs', async () => {
		const working = agent();
		const { limitWaitTime } = endsWithin(1, 'minutes');
		const asking = review('=Pay {{ $tool.parameters.amount }} with {{ $tool.name }}?', {
			options: { limitWaitTime },
		});
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
		]);
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: {} },
		});
		chat.turnOf = once(call('1'), call('9999'));
		const number = await began(flow);
		const first = await questionOf(flow, number);
		expect(first?.text).toBe(withCall('Pay 1 with Transfer?', 'Transfer', { amount: '1' }));
		const SECOND = withCall('Pay 9999 with Transfer?', 'Transfer', { amount: '9999' });
		const second = await questionOf(flow, number + 1, TIME_IS_UP_WITHIN_MS);
		await second?.press('Approve');
		await ends(flow);
		const done = [...chat.deeds];
		expect({ asked: second?.text ?? SECOND, done }).toEqual({
			asked: SECOND,
			done: second ? [{ amount: '9999' }] : [],
		});
	}, 300_000);

	it('20. the agent is a tool of another: the tool behind the review does not take what the outer model has said', async () => {
		const outer = agent();
		const helper = subAgent(3);
		const to = "$('Task').first().json.to";
		const asking = review(`=Pay {{ $tool.parameters.amount }} to {{ ${to} }}?`);
		const jsonBody = `={{ { amount: $fromAI('amount', 'How much', 'string'), to: $json.to } }}`;
		const flow = await stage.createCalled([
			[TASK, outer],
			...withModel(outer, helper),
			[asTool(deedTool('Transfer', chat.toolUrl, jsonBody)), asking],
			[asTool(asking), helper],
			[asTool(helper), outer],
		]);
		chat.turnOf = (asked) => {
			const forHelper = { tool: 'Helper', said: { prompt: 'Pay', to: 'Attacker' } };
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			const isOuter = offered(asked).includes('Helper');
			return once(isOuter ? forHelper : { tool: 'Transfer', said })(asked);
		};
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('21. what the caller of a chat sends beside the text becomes no argument', async () => {
		const from = set('Chat', { chatInput: 'Work', sessionId: '1', action: 'close_account' });
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), from);
		chat.turnOf = callsOnce('Bank_manage', { account: '1' });
		const { done } = await approveAll(flow);
		expect(JSON.stringify(done)).not.toContain('close_account');
	}, 120_000);

	it('22. what a Chat Trigger gives beside the text becomes no argument either', async () => {
		const from = set('Chat', { chatInput: 'Work', sessionId: 'a1b2', action: 'sendMessage' });
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), from);
		const toolParameters = { account: '1', amount: '250', to: 'Zeynep' };
		chat.turnOf = callsOnce('Bank_transfer', toolParameters);
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('23. a value that is nothing: no default runs that nobody has read', async () => {
		const jsonBody = "={{ { amount: $fromAI('amount', 'How much', 'number', 9999) } }}";
		const tool = deedTool('Transfer', chat.toolUrl, jsonBody);
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
		chat.turnOf = callsOnce('Transfer', { amount: null });
		expect((await approveAll(flow)).done).toEqual([]);
	}, 120_000);

	it('24. the agent fails once after the approval, and is tried again: the tool runs once', async () => {
		const memory = await startMemory(2);
		try {
			const working = { ...agent(), retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
			const asking = review('=Pay {{ $tool.parameters.amount }}?');
			const credentialId = await stage.n8n.createCredential(
				'Memory',
				{ host: memory.url, apiKey: 'a', clientId: 'b' },
				'motorheadApi',
			);
			const remembering = node(
				'Memory',
				'@n8n/n8n-nodes-langchain.memoryMotorhead',
				1.3,
				{ sessionIdType: 'customKey', sessionKey: 'a-session' },
				{ credentials: { motorheadApi: { id: credentialId, name: 'Memory' } } },
			);
			const flow = await stage.createCalled([
				[TASK, working],
				...withModel(working),
				[{ node: remembering, type: 'ai_memory' }, working],
				[asTool(payment()), asking],
				[asTool(asking), working],
			]);
			chat.turnOf = callsOnce('Transfer', { amount: '250' });
			const { asked, done } = await approveAll(flow);
			expect({ asked, done, tries: memory.calls() }).toEqual({
				asked,
				done: asked.length > 0 ? [{ amount: '250' }] : [],
				tries: expect.any(Number),
			});
		} finally {
			await memory.close();
		}
	}, 120_000);

	it('25. what nobody sees is shown, also where the model says it to the review itself', async () => {
		const flow = await reviewed(
			"=For {{ $fromAI('reason', 'Why', 'string') }}: pay {{ $tool.parameters.amount }}?",
			payment(),
		);
		const said = { toolParameters: { amount: '1250' }, hitlParameters: { reason: 'tea\u202e' } };
		chat.turnOf = once({ tool: 'Transfer', said });
		const { asked } = await approveAll(flow);
		expect(asked.join()).not.toContain('\u202e');
	}, 120_000);

	it('26. what nobody sees is shown, also where the author has written such characters that are not in the message', async () => {
		const flow = await reviewed(
			"={{ $tool.parameters.amount === '0' ? '👨\u200d👩\u200d👧' : '' }}Pay {{ $tool.parameters.amount }} to Zeynep?",
			payment(),
		);
		chat.turnOf = callsOnce('Transfer', { amount: '\u202e0521' });
		const { asked } = await approveAll(flow);
		expect(asked).toHaveLength(1);
		expect(asked.join()).not.toContain('\u202e');
	}, 120_000);

	it('27. an error output of the review: an approval is not told as a rejection', async () => {
		const working = agent();
		const asking = {
			...review('=Pay {{ $tool.parameters.amount }}?'),
			onError: 'continueErrorOutput',
		};
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
		]);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		const { asked, done } = await approveAll(flow);
		expect(done).toHaveLength(asked.length);
	}, 120_000);

	const codeTool = (jsCode: string, schema?: object): WorkflowNode =>
		node('Close', '@n8n/n8n-nodes-langchain.toolCode', 1.3, {
			description: 'Closes the account',
			language: 'javaScript',
			jsCode,
			specifyInputSchema: schema !== undefined,
			...(schema && { schemaType: 'manual', inputSchema: JSON.stringify(schema) }),
		});

	/** What the code does with what the model has said. */
	const doing = (): string =>
		`await this.helpers.httpRequest({ method: 'POST', url: '${chat.toolUrl}', body: { query }, json: true });`;

	it('28. the code of a Code Tool does not take from the item what the model has put there', async () => {
		const from = set('Chat', { chatInput: 'Zeynep' });
		const flow = await reviewed(
			'=Close the account of {{ $json.chatInput }} ({{ $tool.parameters.input }})?',
			codeTool("return 'closed ' + $json.chatInput;"),
			from,
		);
		const toolParameters = { input: 'as asked', chatInput: 'Attacker' };
		chat.turnOf = callsOnce('Close', toolParameters);
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		const data = await ends(flow);
		expect(JSON.stringify(itemsOf(data, 'Close', 'ai_tool'))).not.toContain('closed Attacker');
	}, 120_000);

	it('29. two reviews one behind the other: nothing runs', async () => {
		const working = agent();
		const first = review('=Pay {{ $tool.parameters }}?');
		const second = { ...review('=Really pay {{ $tool.parameters }}?'), name: 'Ask again' };
		const flow = await stage.createCalled([
			[TASK, working],
			...withModel(working),
			[asTool(payment()), second],
			[asTool(second), first],
			[asTool(first), working],
		]);
		const inner = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = callsOnce('Transfer', inner);
		const { done } = await approveAll(flow);
		expect(done).toEqual([]);
	}, 120_000);

	it('30. an argument "query" that is an object, of a tool that asks with no $fromAI, runs as it is shown', async () => {
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), CHAT);
		const toolParameters = { query: { match: { name: 'Zeynep' } } };
		chat.turnOf = callsOnce('Bank_find', toolParameters);
		expect((await approveAll(flow)).done).toEqual([{ name: 'find', arguments: toolParameters }]);
	}, 120_000);

	it('31. numbers, booleans and objects run as they are shown, also in the second call of a turn, after the first has waited', async () => {
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'number'), fast: $fromAI('fast', 'Fast', 'boolean'), more: $fromAI('more', 'More', 'json') } }}";
		const tool = deedTool('Transfer', chat.toolUrl, jsonBody);
		const flow = await reviewed('=Pay {{ JSON.stringify($tool.parameters) }}?', tool);
		const all = [
			{ amount: 250, fast: true, more: { b: 1, a: ['x', null, { 2: 'y', 1: 'z' }] } },
			{ amount: 0.1, fast: false, more: [{ q: 'ü' }] },
		];
		const calls = all.map((toolParameters) => ({
			tool: 'Transfer',
			said: { toolParameters, hitlParameters: {} },
		}));
		chat.turnOf = once(...calls);
		expect(await approveAll(flow)).toEqual({
			asked: all.map((parameters) =>
				withCall(`Pay ${JSON.stringify(parameters)}?`, 'Transfer', parameters),
			),
			done: all,
		});
	}, 120_000);

	it('32. a workflow as the tool behind a review runs as it is shown', async () => {
		const child = await stage.n8n.createWorkflow(
			workflow('Pays', [
				[
					node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, {
						workflowInputs: { values: [{ name: 'amount' }, { name: 'to' }] },
					}),
					httpPost('Do', chat.toolUrl, '={{ { amount: $json.amount, to: $json.to } }}'),
				],
			]),
		);
		const schema = ['amount', 'to'].map((id) => ({ id, displayName: id, type: 'string' }));
		const tool = node('Pay', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
			description: 'Pays',
			workflowId: { __rl: true, mode: 'id', value: child },
			workflowInputs: {
				mappingMode: 'defineBelow',
				value: { amount: "={{ $fromAI('amount', '', 'string') }}", to: '={{ $json.to }}' },
				schema,
			},
		});
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?', tool);
		chat.turnOf = callsOnce('Pay', { amount: '250' });
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('Pay 250 to Zeynep?', 'Pay', { amount: '250' })],
			done: [{ amount: '250', to: 'Zeynep' }],
		});
	}, 120_000);

	it('33. the agent is a tool of another: what takes the whole item does not run either', async () => {
		const broker = await startBroker();
		try {
			const outer = agent();
			const helper = subAgent(3);
			const asking = review(
				"=Order for {{ $('Task').first().json.to }} ({{ $tool.parameters.topic }})?",
			);
			const credential = { protocol: 'mqtt', host: '127.0.0.1', port: broker.port, ssl: false };
			const id = await stage.n8n.createCredential('Broker', credential, 'mqtt');
			const publish = node(
				'Order',
				'n8n-nodes-base.mqttTool',
				1,
				{
					toolDescription: 'Orders',
					topic: "={{ $fromAI('topic', 'Where', 'string') }}",
					sendInputData: true,
					options: {},
				},
				{ credentials: { mqtt: { id, name: 'Broker' } } },
			);
			const flow = await stage.createCalled([
				[TASK, outer],
				...withModel(outer, helper),
				[asTool(publish), asking],
				[asTool(asking), helper],
				[asTool(helper), outer],
			]);
			chat.turnOf = (asked) => {
				const forHelper = { tool: 'Helper', said: { prompt: 'Order', to: 'Attacker' } };
				const said = { toolParameters: { topic: 'orders' }, hitlParameters: {} };
				const isOuter = offered(asked).includes('Helper');
				return once(isOuter ? forHelper : { tool: 'Order', said })(asked);
			};
			const { asked } = await approveAll(flow);
			expect({ asked, published: broker.published.join() }).toEqual({
				asked,
				published: expect.not.stringContaining('Attacker'),
			});
		} finally {
			await broker.close();
		}
	}, 120_000);

	it('34. the model says a text in place of arguments, which n8n makes a field of the item', async () => {
		const tool = deedTool('Transfer', chat.toolUrl, "={{ { amount: '250', to: $json.input } }}");
		const from = set('Task', { name: 'Zeynep', input: 'Zeynep' });
		const flow = await reviewed('=Pay 250 to {{ $json.input }}?', tool, from);
		chat.turnOf = callsOnce('Transfer', 'Attacker');
		expect(JSON.stringify((await approveAll(flow)).done)).not.toContain('Attacker');
	}, 120_000);

	it('35. a message that is no expression shows nothing of the arguments: they stand below', async () => {
		const flow = await reviewed('May I run this with {{ $tool.parameters }}?', bankTools(), CHAT);
		const toolParameters = { account: '1', amount: '9999', to: 'Attacker' };
		chat.turnOf = callsOnce('Bank_transfer', toolParameters);
		expect(await approveAll(flow)).toEqual({
			asked: [
				withCall('May I run this with {{ $tool.parameters }}?', 'Bank_transfer', toolParameters),
			],
			done: [{ name: 'transfer', arguments: toolParameters }],
		});
	}, 120_000);

	it('36. in a loop: the code of a Code Tool does not take the item of another node that belongs to another round', async () => {
		const working = node('Agent', '@n8n/n8n-nodes-langchain.agent', 3.1, { options: {} });
		const each = loop();
		const asking = review('=Pay the bill of {{ $json.chatInput }} ({{ $tool.parameters }})?');
		const text = node('Text', 'n8n-nodes-base.set', 3.4, {
			mode: 'raw',
			jsonOutput: '={{ JSON.stringify({ chatInput: "Work for " + $json.name }) }}',
		});
		const list = ['Ali', 'Zeynep', 'Can'].map((name) => ({ name }));
		const flow = await stage.createCalled([
			[set('Task', { list }), splitOut('list'), each],
			[output(each, 1), text, working, each],
			...behindReview(working, asking, codeTool("return 'closed ' + $('Split').item.json.name;")),
		]);
		const said = { toolParameters: { input: 'bill' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep') ? once({ tool: 'Close', said })(asked) : 'Nothing to do.';
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		const data = await ends(flow);
		const done = JSON.stringify(itemsOf(data, 'Close', 'ai_tool'));
		expect(done).not.toMatch(/closed (Ali|Can)/);
	}, 120_000);

	it('37. one odd call of a turn costs no other', async () => {
		const tool = payment();
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
		const call = (toolParameters: unknown) => ({
			tool: 'Transfer',
			said: { toolParameters, hitlParameters: {} },
		});
		chat.turnOf = once(call('{"amount":"1"}'), call({ amount: '250' }));
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('Pay 250?', 'Transfer', { amount: '250' })],
			done: [{ amount: '250' }],
		});
	}, 120_000);

	const sqlTool = async (port: number, query: string): Promise<WorkflowNode> => {
		const credential = {
			host: '127.0.0.1',
			port,
			database: 'bank',
			user: 'bank',
			password: 'bank',
			ssl: 'disable',
			sshTunnel: false,
			maxConnections: 5,
			allowUnauthorizedCerts: false,
		};
		const id = await stage.n8n.createCredential('Database', credential, 'postgres');
		return node(
			'Pay',
			'n8n-nodes-base.postgresTool',
			2.6,
			{
				descriptionType: 'manual',
				toolDescription: 'Pays',
				resource: 'database',
				operation: 'executeQuery',
				query,
				options: {},
			},
			{ credentials: { postgres: { id, name: 'Database' } } },
		);
	};

	const AMOUNT = "={{ [$fromAI('amount', 'How much', 'string')] }}";

	/** SQL with parameters beside it, as n8n proposes it. */
	const sqlWith = async (port: number, query: string, values: string): Promise<WorkflowNode> => {
		const tool = await sqlTool(port, query);
		return {
			...tool,
			parameters: { ...Object(tool.parameters), options: { queryReplacement: values } },
		};
	};

	const inLoop = async (
		asking: WorkflowNode,
		tool: WorkflowNode,
		inner = agent(),
	): Promise<AskingWorkflow> => {
		const each = loop();
		const list = ['Ali', 'Zeynep', 'Can'].map((name) => ({ name }));
		return await stage.createCalled([
			[set('Task', { list }), splitOut('list'), each],
			[output(each, 1), inner, each],
			...behindReview(inner, asking, tool),
		]);
	};

	it('38. in a loop: a statement of SQL, which n8n stores without an equals sign, does not run with the item of another round', async () => {
		const database = await startPostgres();
		try {
			const query = "UPDATE bills SET paid = $1 WHERE name = '{{ $('Split').item.json.name }}'";
			const asking = review('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?');
			const flow = await inLoop(asking, await sqlWith(database.port, query, AMOUNT));
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			chat.turnOf = (asked) =>
				isFor(asked, 'Zeynep') ? once({ tool: 'Pay', said })(asked) : 'Nothing to do.';
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements }).toEqual({ asked: [], statements: [] });
		} finally {
			await database.close();
		}
	}, 120_000);

	it('39. in a loop: nor does the code of a Code Tool that asks the model with $fromAI', async () => {
		const jsCode = "const what = $fromAI('input');\nreturn 'closed ' + $('Split').item.json.name;";
		const asking = review('=Close the account of {{ $json.name }} ({{ $tool.parameters }})?');
		const flow = await inLoop(asking, codeTool(jsCode));
		const said = { toolParameters: { input: 'bill' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep') ? once({ tool: 'Close', said })(asked) : 'Nothing to do.';
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		const done = itemsOf(await ends(flow), 'Close', 'ai_tool');
		expect({ asked: question?.text, done }).toEqual({ asked: undefined, done: [] });
	}, 120_000);

	it('40. of several tools behind one review the person reads which one is to run', async () => {
		const flow = await reviewed('=May I do this: {{ $tool.parameters }}?', bankTools(), CHAT);
		const toolParameters = { account: '1' };
		chat.turnOf = callsOnce('Bank_manage', toolParameters);
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('May I do this: {"account":"1"}?', 'Bank_manage', toolParameters)],
			done: [{ name: 'manage', arguments: toolParameters }],
		});
	}, 120_000);

	it.each([
		['an object', { iban: 'TR-of-the-attacker' }],
		['a list in lists', [['Zeynep'], [], [[]]]],
		['a list of one', ['Zeynep']],
		['an empty list', []],
		['an object with a name of JavaScript', { toString: 'Attacker' }],
	])(
		'41. %s in the place of a text, which a message shows like a text: asks nobody',
		async (_what, to) => {
			const jsonBody = "={{ { to: $fromAI('to', 'Whom', 'string') } }}";
			const tool = deedTool('Transfer', chat.toolUrl, jsonBody);
			const flow = await reviewed('=Pay 250 to {{ $tool.parameters.to }}?', tool);
			chat.turnOf = callsOnce('Transfer', { to });
			expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		},
		120_000,
	);

	it('42. two calls of a workflow in one turn, the second once more in the next one: each runs with what was shown of it', async () => {
		const child = await stage.n8n.createWorkflow(
			workflow('Pays', [
				[
					node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, {
						workflowInputs: { values: [{ name: 'amount' }] },
					}),
					httpPost('Do', chat.toolUrl, '={{ { amount: $json.amount } }}'),
				],
			]),
		);
		const tool = node('Pay', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
			description: 'Pays',
			workflowId: { __rl: true, mode: 'id', value: child },
			workflowInputs: {
				mappingMode: 'defineBelow',
				value: { amount: "={{ $fromAI('amount', '', 'string') }}" },
				schema: [{ id: 'amount', displayName: 'amount', type: 'string' }],
			},
		});
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
		const call = (amount: string) => ({
			tool: 'Pay',
			said: { toolParameters: { amount }, hitlParameters: {} },
		});
		const calls = [call('1'), call('2')];
		chat.turnOf = (asked) => (callsBefore(asked) < 2 ? calls.slice(callsBefore(asked)) : 'Done.');
		expect(await approveAll(flow)).toEqual({
			asked: ['1', '2'].map((amount) => withCall(`Pay ${amount}?`, 'Pay', { amount })),
			done: [{ amount: '1' }, { amount: '2' }],
		});
	}, 120_000);

	it('43. control characters are shown, also where the message has one parameter alone', async () => {
		const jsonBody = "={{ { to: $fromAI('whom', 'Whom', 'string') } }}";
		const flow = await reviewed(
			'=Pay 250 to {{ $tool.parameters.whom }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { whom: 'Zey\u0001n\u0008ep' });
		const { asked } = await approveAll(flow);
		expect(asked).toEqual([
			'Pay 250 to Zey\\u0001n\\u0008ep?\n\nTransfer: {"whom":"Zey\\u0001n\\bep"}',
		]);
	}, 120_000);

	it('44. an expression of n8n that the model has written does not run behind what the person reads', async () => {
		const database = await startPostgres();
		try {
			const query = "={{ $fromAI('sql', 'The statement', 'string') }}";
			const tool = await sqlTool(database.port, query);
			const flow = await reviewed('=May I run {{ $tool.parameters.sql }}', tool);
			const sql = "UPDATE accounts SET balance = 1{{ '0'.repeat(3) }} WHERE id = 7";
			chat.turnOf = callsOnce('Pay', { sql });
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements }).toEqual({ asked: [], statements: [] });
		} finally {
			await database.close();
		}
	}, 120_000);

	/** What comes of the text of a node of another package, as its author has entered it. */
	async function writesThrough(text: string, said: object) {
		const parameters = { url: chat.toolUrl, toolDescription: 'Writes', text };
		const flow = await reviewed(
			'=Write {{ $tool.parameters }} with {{ $tool.name }}?',
			node('Write', 'CUSTOM.statementTool', 1, parameters),
		);
		chat.turnOf = callsOnce('Write', said);
		return await approveAll(flow);
	}

	const note = "$fromAI('note', 'Text', 'string')";
	const twoNotes = "$fromAI('one', '', 'string') + $fromAI('other', '', 'string')";
	it.each([
		['an expression', `={{ ${note} }}`, { note: "1{{ '0'.repeat(3) }}" }, "1{{ '0'.repeat(3) }}"],
		[
			'one in two values',
			`={{ ${twoNotes} }}`,
			{ one: '1{', other: "{ '0'.repeat(3) }}" },
			"1{{ '0'.repeat(3) }}",
		],
		['what stands before', `Write '{{ ${note} }}'`, { note: 'x$` --' }, "Write 'x$` --'"],
		['the rest', `Write '{{ ${twoNotes} }}'`, { one: 'x$', other: "' --" }, "Write 'x$' --'"],
		["the author's mark", `Write {{ "'" + ${note} + "'" }} now`, { note: 'x$' }, "Write 'x$' now"],
	])(
		'156. a node of another package, which evaluates and expands what a model has written: %s does not change what the person reads',
		async (_what, text, toolParameters, read) => {
			const { asked, done } = await writesThrough(text, toolParameters);
			expect({ asked, done }).toEqual({ asked, done: asked.length > 0 ? [{ text: read }] : [] });
		},
		120_000,
	);

	it('157. right use: a node of another package, with what a model has written', async () => {
		const { done } = await writesThrough(`Write '{{ ${note} }}'`, { note: 'Rent' });
		expect(done).toEqual([{ text: "Write 'Rent'" }]);
	}, 120_000);

	it('45. an argument with the name __proto__ does not become arguments that nobody has read', async () => {
		const flow = await reviewed(ASK_FOR_BANK, bankTools(), CHAT);
		const toolParameters: unknown = JSON.parse(
			'{"account":"1","__proto__":{"amount":"9999","to":"Attacker"}}',
		);
		chat.turnOf = callsOnce('Bank_transfer', toolParameters);
		const { asked, done } = await approveAll(flow);
		expect({ asked, done: JSON.stringify(done) }).toEqual({
			asked,
			done: expect.not.stringContaining('Attacker'),
		});
	}, 120_000);

	it.each([
		['Decline', 'Approve', ['2']],
		['Approve', 'Decline', ['1']],
	])(
		'46. two calls in one turn, %s and %s: what was approved runs, and nothing else',
		async (one, other, amounts) => {
			const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', payment());
			const call = (amount: string) => ({
				tool: 'Transfer',
				said: { toolParameters: { amount }, hitlParameters: {} },
			});
			chat.turnOf = once(call('1'), call('2'));
			const number = await began(flow);
			await (await questionOf(flow, number))?.press(one);
			await (await questionOf(flow, number + 1))?.press(other);
			await ends(flow);
			expect(chat.deeds).toEqual(amounts.map((amount) => ({ amount })));
		},
		120_000,
	);

	it('47. the same id for both calls of a turn: each runs as it was shown', async () => {
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', payment());
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: {} },
			id: 'call_same',
		});
		chat.turnOf = once(call('1'), call('2'));
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Approve');
		await (await questionOf(flow, number + 1))?.press('Decline');
		await ends(flow);
		expect(chat.deeds).toEqual([{ amount: '1' }]);
	}, 120_000);

	it('48. SQL without a loop, of the own item: runs as it is shown', async () => {
		const database = await startPostgres();
		try {
			const query = "UPDATE bills SET paid = $1 WHERE name = '{{ $json.name }}'";
			const tool = await sqlWith(database.port, query, AMOUNT);
			const flow = await reviewed('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?', tool);
			chat.turnOf = callsOnce('Pay', { amount: '250' });
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements }).toEqual({
				asked: [withCall('Pay 250 for Zeynep?', 'Pay', { amount: '250' })],
				statements: ["UPDATE bills SET paid = '250' WHERE name = 'Zeynep'"],
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('49. the model says no arguments at all, for which n8n takes a field of the item away: asks nobody', async () => {
		const tool = deedTool('Transfer', chat.toolUrl, "={{ { amount: '250', to: $json.input } }}");
		const from = set('Task', { name: 'Zeynep', input: 'Zeynep' });
		const flow = await reviewed('=Pay 250 to {{ $json.input }}?', tool, from);
		chat.turnOf = once({ tool: 'Transfer', said: { hitlParameters: {} } });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('51. the older order of execution: what is asked runs, and nothing else', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?');
		const flow = await stage.createCalled(
			[[TASK, working], ...behindReview(working, asking, payment())],
			{ executionOrder: 'v0' },
		);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		const number = await began(flow);
		const status = await waitFor('an end', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(flow.id);
			return newest && newest.status !== 'running' && newest.status !== 'new' ? newest : undefined;
		});
		const messages = stage.sandbox.messages().slice(number);
		for (const message of messages) await stage.press(message, 'Approve');
		await sleepMs(5_000);
		expect(status.status).not.toBe('waiting');
		expect(chat.deeds.length).toBeLessThanOrEqual(messages.length);
	}, 120_000);

	it.each([
		['Approve', 'Decline', ['Transfer']],
		['Decline', 'Approve', ['Close']],
	])(
		'52. two reviews in one turn, %s and %s: what was approved runs, and nothing else',
		async (one, other, names) => {
			const working = agent();
			const first = review('=Transfer {{ $tool.parameters.amount }}?');
			const second = { ...review('=Close {{ $tool.parameters.amount }}?'), name: 'Ask another' };
			const doing = (name: string) =>
				deedTool(
					name,
					chat.toolUrl,
					`={{ { name: '${name}', amount: $fromAI('amount', 'How much', 'string') } }}`,
				);
			const flow = await stage.createCalled([
				[TASK, working],
				...behindReview(working, first, doing('Transfer')),
				[asTool(doing('Close')), second],
				[asTool(second), working],
			]);
			const said = { toolParameters: { amount: '1' }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Transfer', said }, { tool: 'Close', said });
			const number = await began(flow);
			await (await questionOf(flow, number))?.press(one);
			await (await questionOf(flow, number + 1))?.press(other);
			await ends(flow);
			expect(chat.deeds).toEqual(names.map((name) => ({ name, amount: '1' })));
		},
		120_000,
	);

	it('53. what a button of n8n makes runs as it is shown: an override by $fromAI, in a loop', async () => {
		const jsonBody =
			"={{ { amount: /*n8n-auto-generated-fromAI-override*/ $fromAI('Amount', ``, 'string'), to: $json.name } }}";
		const asking = review('=Pay {{ $tool.parameters.Amount }} to {{ $json.name }}?');
		const flow = await inLoop(asking, deedTool('Transfer', chat.toolUrl, jsonBody));
		const said = { toolParameters: { Amount: '250' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep') ? once({ tool: 'Transfer', said })(asked) : 'Nothing to do.';
		expect(await approveAll(flow)).toEqual({
			asked: [withCall('Pay 250 to Zeynep?', 'Transfer', { Amount: '250' })],
			done: [{ amount: '250', to: 'Zeynep' }],
		});
	}, 120_000);

	it('54. second call of an agent without a loop: SQL does not run with the item of the agent itself', async () => {
		const database = await startPostgres();
		try {
			const query = "UPDATE bills SET paid = $1 WHERE name = '{{ $('Task').item.json.name }}'";
			const tool = await sqlWith(database.port, query, AMOUNT);
			const flow = await reviewed('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?', tool);
			const call = (amount: string) => [
				{ tool: 'Pay', said: { toolParameters: { amount }, hitlParameters: {} } },
			];
			chat.turnOf = (asked) =>
				callsBefore(asked) < 2 ? call(String(callsBefore(asked) + 1)) : tellAll(asked);
			const { asked } = await approveAll(flow);
			for (const statement of database.statements) expect(statement).toContain("name = 'Zeynep'");
			expect(asked.length).toBe(database.statements.length);
		} finally {
			await database.close();
		}
	}, 120_000);

	it('55. a tool of this package behind a review: runs as it is shown, with the key of the item', async () => {
		const from = set('Task', { name: 'Zeynep', key: PERSON.publicKey });
		const flow = await reviewed(
			'=Verify {{ $tool.parameters.payload }}?',
			verify('={{ $json.key }}'),
			from,
		);
		const toolParameters = { payload: signedBy(PERSON) };
		chat.turnOf = once({ tool: VERIFY, said: { toolParameters, hitlParameters: {} } });
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Approve');
		expect(verified(await ends(flow))).toContain('"valid":true');
	}, 120_000);

	it('56. a field of the item with the name of what the model is asked for: asks nobody', async () => {
		const jsonBody = "={{ { to: $json.to, memo: $fromAI('to', 'Whom to greet', 'string') } }}";
		const flow = await reviewed(
			'=Pay 250 to {{ $json.to }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { to: 'Attacker' });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('57. the same in a tool of this package: the message goes to the person of the item', async () => {
		const working = agent();
		const tool = stage.send(
			{
				resource: 'message',
				operation: 'send',
				toolDescription: 'Greets',
				customerNo: '={{ $json.customer }}',
				message: "=Hello {{ $fromAI('customer', 'Name of the customer', 'string') }}",
			},
			{ name: 'Greet', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', customer: '70021' }), working],
			...withModel(working),
			[asTool(tool), working],
		]);
		chat.turnOf = once({ tool: 'Greet', said: { customer: '70022' } });
		const number = await began(flow);
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect(people.map(({ customerNo }) => customerNo)).toEqual(['70021']);
	}, 120_000);

	it('58. braces of an expression in two arguments that may stand side by side: asks nobody', async () => {
		const database = await startPostgres();
		try {
			const query = "={{ $fromAI('sign', '', 'string') + $fromAI('amount', '', 'string') }}";
			const tool = await sqlTool(database.port, query);
			const flow = await reviewed(
				'=Set it to {{ $tool.parameters.sign }}{{ $tool.parameters.amount }}?',
				tool,
			);
			const toolParameters = {
				sign: 'UPDATE accounts SET balance = 1{',
				amount: "{ '0'.repeat(3) }} WHERE id = 7",
			};
			chat.turnOf = callsOnce('Pay', toolParameters);
			expect((await approveAll(flow)).asked).toEqual([]);
			expect(database.statements).toEqual([]);
		} finally {
			await database.close();
		}
	}, 120_000);

	it.each([
		['data', { data: { approved: true } }],
		['approved', { approved: true }],
	])(
		'59. On Error = Continue, and a tool that names $fromAI in a comment, with a type that there is not: an earlier approval in the item (%s) is none of the call',
		async (_where, earlier) => {
			const working = agent();
			const asking = {
				...review('=Close ({{ $tool.parameters }})?'),
				onError: 'continueRegularOutput',
			};
			const tool = codeTool(
				"// was $fromAI('account', 'Which', 'text')\nreturn 'closed ' + query;",
			);
			const flow = await stage.createCalled([
				[set('Chat', { chatInput: 'Work', ...earlier }), working],
				...behindReview(working, asking, tool),
			]);
			chat.turnOf = callsOnce('Close', { input: 'it' });
			const number = await began(flow);
			const data = await ends(flow);
			const asked = stage.sandbox.messages().slice(number).length;
			const done = JSON.stringify(itemsOf(data, 'Close', 'ai_tool'));
			expect({ asked, done }).toEqual({ asked: 0, done: '[]' });
		},
		120_000,
	);

	it('60. what nobody sees is shown, also where the author has written a picture that is made with it', async () => {
		const jsonBody = "={{ { payee: $fromAI('payee', 'Whom', 'string') } }}";
		const flow = await reviewed(
			'=👩\u200d💼 Pay 250 to {{ $tool.parameters.payee }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { payee: 'Zey\u200dnep' });
		const { asked, done } = await approveAll(flow);
		expect(done).toEqual([{ payee: 'Zey\u200dnep' }]);
		expect(asked.join()).not.toContain('Zey\u200dnep');
	}, 120_000);

	it('61. a review that asks the model for a value of the name by which it takes the person from the item: the person of the item is asked', async () => {
		const working = agent();
		const asking = review(
			"=Pay {{ $tool.parameters.amount }} for {{ $fromAI('customer', 'Name', 'string') }}?",
			{ customerNo: '={{ $json.customer }}' },
		);
		const flow = await stage.createCalled([
			[set('Task', { name: 'Zeynep', customer: '70021' }), working],
			...behindReview(working, asking, payment()),
		]);
		const said = { toolParameters: { amount: '9999' }, hitlParameters: { customer: '70022' } };
		chat.turnOf = once({ tool: 'Transfer', said });
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Approve');
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect(people.map(({ customerNo }) => customerNo)).toEqual(['70021']);
	}, 120_000);

	const BY_ACCOUNT = 'UPDATE accounts SET balance = balance + $1 WHERE id = $2';
	const ACCOUNT = set('Task', { name: 'Zeynep', account: '70021' });

	it('62. a comma in what the model says does not move the account that is paid', async () => {
		const database = await startPostgres();
		try {
			const values = "={{ $fromAI('amount', 'How much', 'string') }},{{ $json.account }}";
			const tool = await sqlWith(database.port, BY_ACCOUNT, values);
			const flow = await reviewed(
				'=Transfer {{ $tool.parameters.amount }} TL to {{ $json.name }} (account {{ $json.account }})?',
				tool,
				ACCOUNT,
			);
			chat.turnOf = callsOnce('Pay', { amount: '250,42' });
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? expect.stringContaining('70021') : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('63. the same as a list: what was read runs', async () => {
		const database = await startPostgres();
		try {
			const values = "={{ [$fromAI('amount', 'How much', 'string'), $json.account] }}";
			const tool = await sqlWith(database.port, BY_ACCOUNT, values);
			const flow = await reviewed('=Transfer {{ $tool.parameters.amount }} TL?', tool, ACCOUNT);
			chat.turnOf = callsOnce('Pay', { amount: '250,42' });
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements }).toEqual({
				asked: [withCall('Transfer 250,42 TL?', 'Pay', { amount: '250,42' })],
				statements: ["UPDATE accounts SET balance = balance + '250,42' WHERE id = '70021'"],
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('64. what JavaScript replaces in a replacement does not change the statement behind what the person reads', async () => {
		const database = await startPostgres();
		try {
			const query =
				"UPDATE notes SET text = '{{ $fromAI('note', 'Text', 'string').replaceAll(\"'\", \"''\") }}' WHERE id = 7";
			const flow = await reviewed(
				'=Write {{ $tool.parameters.note }}?',
				await sqlTool(database.port, query),
			);
			const note = 'x$` --';
			chat.turnOf = callsOnce('Pay', { note });
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? `UPDATE notes SET text = '${note}' WHERE id = 7` : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('65. the code of a Code Tool does not take from the item what the model has put there, although all is shown', async () => {
		const flow = await reviewed(
			'=Close the account of {{ $json.chatInput }} ({{ $tool.parameters }})?',
			codeTool("return 'closed ' + $json.chatInput;"),
			set('Chat', { chatInput: 'Zeynep' }),
		);
		const toolParameters = { input: 'as asked', chatInput: 'Attacker' };
		chat.turnOf = callsOnce('Close', toolParameters);
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		const done = JSON.stringify(itemsOf(await ends(flow), 'Close', 'ai_tool'));
		expect({ asked: question?.text, done }).toEqual({
			asked: question?.text,
			done: expect.not.stringContaining('closed Attacker'),
		});
	}, 120_000);

	it('66. a tool that takes the whole item and asks for a name of its fields: nobody reads another thing', async () => {
		const broker = await startBroker();
		try {
			const credential = { protocol: 'mqtt', host: '127.0.0.1', port: broker.port, ssl: false };
			const id = await stage.n8n.createCredential('Broker', credential, 'mqtt');
			const publish = node(
				'Order',
				'n8n-nodes-base.mqttTool',
				1,
				{
					toolDescription: 'Orders',
					topic: "={{ $fromAI('to', 'Which channel', 'string') }}",
					sendInputData: true,
					options: {},
				},
				{ credentials: { mqtt: { id, name: 'Broker' } } },
			);
			const flow = await reviewed(
				'=Order for {{ $json.to }}, by the channel {{ $tool.parameters.to }}?',
				publish,
			);
			chat.turnOf = callsOnce('Order', { to: 'Ali' });
			const { asked } = await approveAll(flow);
			expect({ asked, published: broker.published.join() }).toEqual({
				asked,
				published: asked.length > 0 ? expect.stringContaining('"to":"Zeynep"') : '',
			});
		} finally {
			await broker.close();
		}
	}, 120_000);

	it('67. a field that the item does not have, and the model is asked for under its name', async () => {
		const jsonBody =
			"={{ { to: $json.iban ?? 'House', memo: $fromAI('iban', 'An IBAN for the memo', 'string') } }}";
		const flow = await reviewed(
			"=Pay 250 to {{ $json.iban ?? 'House' }}, memo {{ $tool.parameters.iban }}?",
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { iban: 'Attacker' });
		const { asked, done } = await approveAll(flow);
		expect({ asked, done }).toEqual({
			asked,
			done: asked.length > 0 ? [{ to: 'House', memo: 'Attacker' }] : [],
		});
	}, 120_000);

	it('68. in a loop: the tools of an agent behind a review do not run with the item of another round', async () => {
		const helper = subAgent(3);
		const each = loop();
		const working = agent();
		const asking = review(
			'=Let the helper do "{{ $tool.parameters.prompt }}" for {{ $json.name }}?',
		);
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('Split').item.json.name } }}";
		const list = ['Ali', 'Zeynep', 'Can'].map((name) => ({ name }));
		const flow = await stage.createCalled([
			[set('Task', { list }), splitOut('list'), each],
			[output(each, 1), working, each],
			...behindReview(working, asking, helper),
			...withModel(helper),
			[asTool(deedTool('Transfer', chat.toolUrl, jsonBody)), helper],
		]);
		const said = { toolParameters: { prompt: 'Pay 250' }, hitlParameters: {} };
		chat.turnOf = (asked) => {
			if (offered(asked).includes('Transfer'))
				return once({ tool: 'Transfer', said: { amount: '250' } })(asked);
			return isFor(asked, 'Zeynep') ? once({ tool: 'Helper', said })(asked) : 'Nothing to do.';
		};
		const { asked, done } = await approveAll(flow);
		for (const deed of done)
			expect({ asked, deed }).toMatchObject({ asked, deed: { to: 'Zeynep' } });
	}, 120_000);

	it('69. the name of the tool without braces shows nothing: the call stands below', async () => {
		const flow = await reviewed('=May I do $tool.name: {{ $tool.parameters }}?', bankTools(), CHAT);
		const toolParameters = { account: '1' };
		chat.turnOf = callsOnce('Bank_manage', toolParameters);
		expect(await approveAll(flow)).toEqual({
			asked: [
				withCall(`May I do $tool.name: ${JSON.stringify(toolParameters)}?`, 'Bank_manage', {
					account: '1',
				}),
			],
			done: [{ name: 'manage', arguments: toolParameters }],
		});
	}, 120_000);

	it('70. what is dangerous is not pushed out of sight with blanks', async () => {
		const database = await startPostgres();
		try {
			const values = "={{ [$fromAI('sql', 'The statement', 'string')] }}";
			const flow = await reviewed(
				'=May I run {{ $tool.parameters.sql }}',
				await sqlWith(database.port, 'CALL run($1)', values),
			);
			const gap = '\n'.repeat(3_000);
			const sql = `SELECT 1;${gap}UPDATE accounts SET balance = 9999 WHERE id = 7;${gap}SELECT 2`;
			chat.turnOf = callsOnce('Pay', { sql });
			const number = await began(flow);
			const question = await questionOf(flow, number);
			await question?.press('Decline');
			await ends(flow);
			expect(question?.text).toMatch(/^May I run SELECT 1;/);
			expect(question?.text).not.toMatch(/\s{100}/);
		} finally {
			await database.close();
		}
	}, 120_000);

	it('71. a text where the tool asks for a number does not become another receiver in JSON', async () => {
		const jsonBody = `={ "to": "{{ $json.to }}", "amount": {{ $fromAI('amount', 'How much', 'number') }} }`;
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { amount: '250, "to": "Attacker"' });
		const { asked, done } = await approveAll(flow);
		expect({ asked, done: JSON.stringify(done) }).toEqual({
			asked,
			done: expect.not.stringContaining('Attacker'),
		});
	}, 120_000);

	it('72. right use: a statement with parameters, behind a chat, in two calls one after the other', async () => {
		const database = await startPostgres();
		try {
			const values = "={{ [$fromAI('amount', 'How much', 'number'), $json.account] }}";
			const tool = await sqlWith(database.port, BY_ACCOUNT, values);
			const from = set('Chat', {
				sessionId: 'a1b2',
				action: 'sendMessage',
				chatInput: 'Work for Zeynep',
				account: '70021',
			});
			const flow = await reviewed(
				'=Transfer {{ $tool.parameters.amount }} TL to account {{ $json.account }}?',
				tool,
				from,
			);
			const call = (amount: number) => [
				{ tool: 'Pay', said: { toolParameters: { amount }, hitlParameters: {} } },
			];
			chat.turnOf = (asked) =>
				callsBefore(asked) < 2 ? call(callsBefore(asked) + 1) : tellAll(asked);
			const { asked } = await approveAll(flow);
			expect({ asked, count: database.statements.length }).toEqual({
				asked: [1, 2].map((amount) =>
					withCall(`Transfer ${amount} TL to account 70021?`, 'Pay', { amount }),
				),
				count: 2,
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('73. right use: a request with JSON as text, behind a webhook, in two calls one after the other', async () => {
		const jsonBody = `={\n  "amount": {{ $fromAI('amount', 'How much', 'number') }},\n  "to": "{{ $json.body.to }}",\n  "note": {{ JSON.stringify($fromAI('note', 'Note', 'string')) }}\n}`;
		const from = set('Called', {
			headers: { host: 'bank' },
			params: {},
			query: {},
			body: { to: 'Zeynep' },
			webhookUrl: 'https://n8n.bank/webhook/pay',
			executionMode: 'production',
		});
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }} to {{ $json.body.to }} ({{ $tool.parameters.note }})?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
			from,
		);
		const call = (amount: number) => [
			{
				tool: 'Transfer',
				said: { toolParameters: { amount, note: 'rent' }, hitlParameters: {} },
			},
		];
		chat.turnOf = (asked) =>
			callsBefore(asked) < 2 ? call(callsBefore(asked) + 1) : tellAll(asked);
		expect(await approveAll(flow)).toEqual({
			asked: [1, 2].map((amount) =>
				withCall(`Pay ${amount} to Zeynep (rent)?`, 'Transfer', { amount, note: 'rent' }),
			),
			done: [1, 2].map((amount) => ({ amount, to: 'Zeynep', note: 'rent' })),
		});
	}, 120_000);

	it('74. right use: a message of this package to the person of the item, with the words of the model', async () => {
		const tool = stage.send(
			{
				resource: 'message',
				operation: 'send',
				toolDescription: 'Writes to the customer',
				customerNo: '={{ $json.customerNo }}',
				message: "={{ $fromAI('text', 'What to write', 'string') }}",
			},
			{ name: 'Write', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const from = set('Press', {
			event: 'textReceived',
			customerNo: '70021',
			text: 'Where is my card?',
			messageId: 'm-1',
		});
		const flow = await reviewed(
			'=Write "{{ $tool.parameters.text }}" to {{ $json.customerNo }}?',
			tool,
			from,
		);
		const said = { toolParameters: { text: 'It is on its way.' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Write', said });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		await ends(flow);
		expect(
			stage.sandbox
				.messages()
				.slice(number)
				.map(({ text }) => text),
		).toEqual([
			withCall('Write "It is on its way." to 70021?', 'Write', said.toolParameters),
			'It is on its way.',
		]);
	}, 120_000);

	it('75. a text where the tool asks for true or false is not read as the one and run as the other', async () => {
		const jsonBody = `={ "to": "{{ $json.to }}", "dry": {{ $fromAI('dry', 'Only try it', 'boolean') }} }`;
		const flow = await reviewed(
			"={{ $tool.parameters.dry ? 'Try a payment' : 'Pay' }} of 250 to {{ $json.to }}?",
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { dry: 'false' });
		const { asked, done } = await approveAll(flow);
		expect({ asked, done }).toEqual({
			asked,
			done: asked.length > 0 ? [{ to: 'Zeynep', dry: true }] : [],
		});
	}, 120_000);

	it('76. a workflow as the tool: nor does what it takes from the item come from the model, although all is shown', async () => {
		const child = await stage.n8n.createWorkflow(
			workflow('Pays', [
				[
					node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, {
						workflowInputs: { values: [{ name: 'to' }] },
					}),
					httpPost('Do', chat.toolUrl, '={{ { to: $json.to } }}'),
				],
			]),
		);
		const tool = node('Pay', '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
			description: 'Pays the bill',
			workflowId: { __rl: true, mode: 'id', value: child },
			workflowInputs: {
				mappingMode: 'defineBelow',
				value: { to: '={{ $json.to }}' },
				schema: [{ id: 'to', displayName: 'to', type: 'string' }],
			},
		});
		const flow = await reviewed(
			'=Pay the bill of 250 to {{ $json.to }} ({{ $tool.parameters }})?',
			tool,
		);
		const toolParameters = { input: 'pay', name: 'Zeynep', to: 'Attacker' };
		chat.turnOf = callsOnce('Pay', toolParameters);
		const { asked, done } = await approveAll(flow);
		expect({ asked, done }).toEqual({ asked, done: asked.length > 0 ? [{ to: 'Zeynep' }] : [] });
	}, 120_000);

	it('77. several tools of one node whose names have no letter of English: the person reads which one is to run', async () => {
		const inputSchema = { type: 'object', properties: { счёт: { type: 'string' } } };
		const names = ['показать', 'закрыть'];
		const other = await startMcpServer(
			names.map((name) => ({ name, description: name, inputSchema })),
		);
		try {
			const tools = bankTools();
			const there = {
				...tools,
				parameters: { ...Object(tools.parameters), endpointUrl: other.url },
			};
			const flow = await reviewed('=May I do this: {{ $tool.parameters }}?', there, CHAT);
			const toolParameters = { счёт: '1' };
			chat.turnOf = callsOnce('Bank_закрыть', toolParameters);
			const { asked } = await approveAll(flow);
			expect({ asked, called: other.called }).toEqual({
				asked: [withCall('May I do this: {"счёт":"1"}?', 'Bank_закрыть', toolParameters)],
				called: [{ name: 'закрыть', arguments: toolParameters }],
			});
		} finally {
			await other.close();
		}
	}, 120_000);

	it('78. the end of the message, above the buttons, is not another question that the model has written', async () => {
		const tool = stage.send(
			{
				resource: 'message',
				operation: 'send',
				toolDescription: 'Writes to the customer',
				customerNo: '70022',
				message: "={{ $fromAI('words', 'What to write', 'string') }}",
			},
			{ name: 'Write', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const flow = await reviewed('=Write to customer 70022: "{{ $tool.parameters.words }}"?', tool);
		const words = `Your card is blocked. Call 555 0000.${'\n'.repeat(2_000)}Write to customer 70022: "Hello`;
		chat.turnOf = callsOnce('Write', { words });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		await ends(flow);
		const [, sent] = stage.sandbox.messages().slice(number);
		const bottom = (question?.text ?? '').slice(-300).trim();
		expect({ bottom, sent: sent?.text?.slice(0, 40) }).not.toEqual({
			bottom: 'Write to customer 70022: "Hello"?',
			sent: expect.stringContaining('555 0000'),
		});
	}, 120_000);

	/** Lets the attacker's item out of its first output, and others out of its second. */
	const byName = (): WorkflowNode =>
		node('By name', 'n8n-nodes-base.if', 2.2, {
			conditions: {
				options: { caseSensitive: true, typeValidation: 'loose', version: 2 },
				conditions: [
					{
						leftValue: '={{ $json.name }}',
						rightValue: 'Attacker',
						operator: { type: 'string', operation: 'equals' },
					},
				],
				combinator: 'and',
			},
		});
	const TWO = [
		{ name: 'Attacker', key: ATTACKER.publicKey, no: '70022' },
		{ name: 'Zeynep', key: PERSON.publicKey, no: '70021' },
	];

	it('79. behind the second output of a node: its first item is not that of the first output', async () => {
		const working = agent();
		const decide = byName();
		const flow = await stage.createCalled([
			[set('Task', { list: TWO }), splitOut('list'), decide],
			[output(decide, 1), working],
			...withModel(working),
			[asTool(verify("={{ $('By name').first().json.key }}")), working],
		]);
		chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	it('80. the same for a review: nobody else is asked', async () => {
		const working = agent();
		const decide = byName();
		const asking = review('=Pay {{ $tool.parameters.amount }}?', {
			customerNo: "={{ $('By name').first().json.no }}",
		});
		const flow = await stage.createCalled([
			[set('Task', { list: TWO }), splitOut('list'), decide],
			[output(decide, 1), working],
			...behindReview(working, asking, payment()),
		]);
		chat.turnOf = callsOnce('Transfer', { amount: '9999' });
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Approve');
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect(people.map(({ customerNo }) => customerNo)).not.toContain('70022');
	}, 120_000);

	it('81. in a loop: the first item of another node is not paid in the place of the one that is read', async () => {
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('Split').first().json.name } }}";
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.name }}?');
		const flow = await inLoop(asking, deedTool('Transfer', chat.toolUrl, jsonBody));
		const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep') ? once({ tool: 'Transfer', said })(asked) : 'Nothing to do.';
		const { asked, done } = await approveAll(flow);
		for (const deed of done) expect({ asked, deed }).toMatchObject({ deed: { to: 'Zeynep' } });
	}, 120_000);

	it('82. a loop whose agent works in the first round already: the first item is not that of the round before', async () => {
		const working = agent();
		const each = loop();
		const flow = await stage.createCalled([
			[set('Task', { list: TWO }), splitOut('list'), each],
			[output(each, 1), working, each],
			...withModel(working),
			[asTool(verify("={{ $('Split').first().json.key }}")), working],
		]);
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep')
				? once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } })(asked)
				: 'Nothing to do.';
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	/** An agent that works behind a plain node, which stands behind the second output of another. */
	const behindSecond = (working: WorkflowNode): Row[] => {
		const decide = byName();
		return [
			[set('Task', { list: TWO }), splitOut('list'), decide],
			[output(decide, 1), node('Edit', 'n8n-nodes-base.noOp', 1), working],
		];
	};

	it.each(["$('By name').first()", "$('By name').last()", "$('By name').all()[0]"])(
		'83. a node further before, of whose outputs the second goes to the agent: nothing is verified with the key of the first (%s)',
		async (from) => {
			const working = agent();
			const flow = await stage.createCalled([
				...behindSecond(working),
				...withModel(working),
				[asTool(verify(`={{ ${from}.json.key }}`)), working],
			]);
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
			expect(verified(await flow.run())).not.toContain('"valid":true');
		},
		120_000,
	);

	it('84. the same for a review: nobody else is asked, and nobody else is paid', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.name }}?', {
			customerNo: "={{ $('By name').first().json.no }}",
		});
		const jsonBody = `={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('By name').first().json.name } }}`;
		const flow = await stage.createCalled([
			...behindSecond(working),
			...behindReview(working, asking, deedTool('Transfer', chat.toolUrl, jsonBody)),
		]);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect({
			asked: question?.text,
			people: people.map(({ customerNo }) => customerNo),
			done: JSON.stringify(chat.deeds),
		}).toEqual({
			asked: question?.text,
			people: expect.not.arrayContaining(['70022']),
			done: expect.not.stringContaining('Attacker'),
		});
	}, 120_000);

	it.each(["$('By name').item", '$json', "$('Split').item"])(
		'85. %s is that of the agent there',
		async (from) => {
			const working = agent();
			const flow = await stage.createCalled([
				...behindSecond(working),
				...withModel(working),
				[asTool(verify(`={{ ${from}.json.key }}`.replace('$json.json', '$json'))), working],
			]);
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
			expect(verified(await flow.run())).toContain('"valid":false');
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(PERSON) } });
			expect(verified(await flow.run())).toContain('"valid":true');
		},
		120_000,
	);

	it.each(['$node["By name"]', "$items('By name')[0]"])(
		'86. %s, by its older names: nothing is verified with the key of the first output',
		async (from) => {
			const working = agent();
			const flow = await stage.createCalled([
				...behindSecond(working),
				...withModel(working),
				[asTool(verify(`={{ ${from}.json.key }}`)), working],
			]);
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
			expect(verified(await flow.run())).not.toContain('"valid":true');
		},
		120_000,
	);

	it('87. the tool of an agent behind a review does not take from the item what the model of that agent says', async () => {
		const helper = subAgent(3);
		const working = agent();
		const asking = review('=Let the helper do "{{ $tool.parameters.prompt }}" for {{ $json.to }}?');
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, helper),
			...withModel(helper),
			[
				asTool(deedTool('Transfer', chat.toolUrl, "={{ { amount: '250', to: $json.to } }}")),
				helper,
			],
		]);
		const said = { toolParameters: { prompt: 'Pay the bill' }, hitlParameters: {} };
		chat.turnOf = (asked) =>
			offered(asked).includes('Transfer')
				? once({ tool: 'Transfer', said: { to: 'Attacker' } })(asked)
				: once({ tool: 'Helper', said })(asked);
		const { asked, done } = await approveAll(flow);
		for (const deed of done) expect({ asked, deed }).toMatchObject({ deed: { to: 'Zeynep' } });
	}, 120_000);

	it('88. one approval runs a tool once, also one with Retry On Fail that fails afterwards', async () => {
		const jsCode = `${doing()}\nthrow new Error('No answer in time');`;
		const tool = { ...codeTool(jsCode), retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
		const flow = await reviewed('=Pay ({{ $tool.parameters }})?', tool, CHAT);
		chat.turnOf = callsOnce('Close', { input: '250' });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Approve');
		await sleepMs(5_000);
		expect({ asked: question?.text, done: chat.deeds.length }).toEqual({
			asked: question?.text,
			done: question ? 1 : 0,
		});
	}, 120_000);

	it('89. a dollar sign and what JavaScript takes for more behind it, in two values that stand side by side', async () => {
		const database = await startPostgres();
		try {
			const query =
				"UPDATE notes SET text = '{{ $fromAI('one', '', 'string') + $fromAI('other', '', 'string') }}' WHERE id = 7";
			const flow = await reviewed(
				'=Write {{ $tool.parameters }} with {{ $tool.name }}?',
				await sqlTool(database.port, query),
			);
			const toolParameters = { one: 'x$', other: "' --" };
			chat.turnOf = callsOnce('Pay', toolParameters);
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? expect.stringContaining("x$' --") : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('90. a value of nothing does not move the ones behind it', async () => {
		const database = await startPostgres();
		try {
			const values =
				"={{ $fromAI('memo', 'Memo', 'string') }},{{ $json.amount }},{{ $json.account }},{{ $json.branch }}";
			const tool = await sqlWith(
				database.port,
				'INSERT INTO payments (memo, amount, account) VALUES ($1, $2, $3)',
				values,
			);
			const flow = await reviewed(
				'=Pay {{ $json.amount }} to account {{ $json.account }}, memo {{ $tool.parameters.memo }}?',
				tool,
				set('Task', { name: 'Zeynep', amount: 250, account: 70021, branch: 42 }),
			);
			chat.turnOf = callsOnce('Pay', { memo: '' });
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? expect.stringMatching(/VALUES \((''|null), /) : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('91. right use: a list of one Query Parameter, and a comma in what the model says', async () => {
		const database = await startPostgres();
		try {
			const values = "={{ [$fromAI('note', 'Note', 'string')] }}";
			const tool = await sqlWith(database.port, 'INSERT INTO notes VALUES ($1)', values);
			const flow = await reviewed('=Write {{ $tool.parameters.note }}?', tool);
			chat.turnOf = callsOnce('Pay', { note: 'first, second' });
			await approveAll(flow);
			expect(database.statements).toEqual(["INSERT INTO notes VALUES ('first, second')"]);
		} finally {
			await database.close();
		}
	}, 120_000);

	it('92. in the agent itself the first item of such a node is that of the output that leads to it', async () => {
		const working = agent();
		Object.assign(working.parameters as object, {
			text: "=Work for {{ $('By name').first().json.name }}",
		});
		const flow = await stage.createCalled([...behindSecond(working), ...withModel(working)]);
		const before = chat.requests.length;
		chat.turnOf = tellAll;
		await flow.run();
		const said = chat.requests.slice(before).flatMap(saidBefore);
		expect(said.join()).toContain('Work for Zeynep');
	}, 120_000);

	it('93. nor with line breaks and a few dots', async () => {
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }} to Zeynep?', payment());
		const gap = `${'\n'.repeat(18)}.`.repeat(60);
		const amount = `9999${gap}\nPay 1`;
		chat.turnOf = callsOnce('Transfer', { amount });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Decline');
		await ends(flow);
		expect((question?.text ?? '').split('\n').length).toBeLessThan(100);
	}, 120_000);

	it.each([
		['a number', '={{ $tool.parameters.amount }}', '250'],
		['true', '={{ $tool.parameters.amount > 1 }}', 'true'],
	])(
		'94. a message that an expression gives as %s shows the call as well',
		async (_what, message, text) => {
			const jsonBody = "={{ { amount: $fromAI('amount', 'How much', 'number') } }}";
			const flow = await reviewed(message, deedTool('Transfer', chat.toolUrl, jsonBody));
			const toolParameters = { amount: 250 };
			chat.turnOf = callsOnce('Transfer', toolParameters);
			expect(await approveAll(flow)).toEqual({
				asked: [withCall(text, 'Transfer', toolParameters)],
				done: [toolParameters],
			});
		},
		120_000,
	);

	it('95. in a loop: nothing is verified with the key of a node in it that ran in another round alone', async () => {
		const working = agent();
		const each = loop();
		const decide = byName();
		const lookup = node('Lookup', 'n8n-nodes-base.noOp', 1);
		const flow = await stage.createCalled([
			[set('Task', { list: TWO }), splitOut('list'), each],
			[output(each, 1), decide, lookup, working, each],
			[output(decide, 1), working],
			...withModel(working),
			[asTool(verify("={{ $('Lookup').first().json.key }}")), working],
		]);
		chat.turnOf = (asked) =>
			isFor(asked, 'Zeynep')
				? once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } })(asked)
				: 'Nothing to do.';
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	it('96. right use: a node whose name has an apostrophe, and an amount in dollars', async () => {
		const task = set("Today's task", { name: 'Zeynep', to: 'Zeynep' });
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'number'), to: $('Today\\'s task').item.json.to } }}";
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }} $ (US dollars) to {{ $json.name }} $ (sic)?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
			task,
		);
		const toolParameters = { amount: 250 };
		chat.turnOf = callsOnce('Transfer', toolParameters);
		expect((await approveAll(flow)).done).toEqual([{ amount: 250, to: 'Zeynep' }]);
	}, 120_000);

	it('97. a number without end, of which nothing is left while the person is asked: asks nobody', async () => {
		const jsonBody = "={{ { amount: $fromAI('amount', 'How much', 'number', '9999') } }}";
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		const said = '{"toolParameters":{"amount":1e999},"hitlParameters":{}}';
		chat.turnOf = once({ tool: 'Transfer', said });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('98. a credential that looks at a node of which n8n gives a tool the first output: nothing is verified with its key', async () => {
		const valid = async (key: string, by: Phone): Promise<boolean> => {
			const name = `Key of ${key}`;
			const id = await stage.n8n.createCredential(name, {
				serverUrl: stage.sandbox.url,
				botToken: 'unused',
				appSecret: 'unused',
				...FORMAT,
				payloadSignatureKeys: 'company',
				payloadSignaturePublicKey: `={{ ${key} }}`,
			});
			const working = agent();
			const checking = {
				...stage.send(
					{
						resource: 'signedPayload',
						operation: 'verify',
						toolDescription: 'Verifies',
						payload: "={{ $fromAI('payload', 'What was signed', 'string') }}",
						signatureSettings: 'credential',
					},
					{ name: VERIFY, type: 'n8n-nodes-diyalog.diyalogTool' },
				),
				credentials: { diyalogApi: { id, name } },
			};
			const flow = await stage.createCalled([
				...behindSecond(working),
				...withModel(working),
				[asTool(checking), working],
			]);
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(by) } });
			return verified(await flow.run()).includes('"valid":true');
		};
		expect(await valid("$('By name').first().json.key", ATTACKER)).toBe(false);
		expect(await valid('$json.key', ATTACKER)).toBe(false);
		expect(await valid('$json.key', PERSON)).toBe(true);
	}, 120_000);

	it('99. a review whose person the model says: asks nobody', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?', {
			customerNo: "={{ $fromAI('who', 'Who approves', 'string') }}",
		});
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
		]);
		const said = { toolParameters: { amount: '250' }, hitlParameters: { who: '70022' } };
		chat.turnOf = once({ tool: 'Transfer', said });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('100. right use: SQL with the name of a column that the model is asked for', async () => {
		const database = await startPostgres();
		try {
			const query = "UPDATE bills b SET b.paid = $1 WHERE b.name = '{{ $json.name }}'";
			const values = "={{ [$fromAI('paid', 'How much', 'number')] }}";
			const flow = await reviewed('=Pay the bill?', await sqlWith(database.port, query, values));
			chat.turnOf = callsOnce('Pay', { paid: 250 });
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements }).toEqual({
				asked: [withCall('Pay the bill?', 'Pay', { paid: 250 })],
				statements: ["UPDATE bills b SET b.paid = 250 WHERE b.name = 'Zeynep'"],
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	/** A loop in which the agent works from the second round on, behind a plain node. */
	const fromSecondRound = (working: WorkflowNode): Row[] => {
		const decide = byName();
		const each = loop();
		return [
			[set('Task', { list: TWO }), splitOut('list'), each],
			[output(each, 1), decide],
			[output(decide, 0), each],
			[output(decide, 1), node('Edit', 'n8n-nodes-base.noOp', 1), working, each],
		];
	};

	it.each(['first()', 'item'])(
		'103. a loop whose agent works from the second round on: nobody else is paid (%s)',
		async (which) => {
			const working = agent();
			const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.name }}?');
			const jsonBody = `={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('Split').${which}.json.name } }}`;
			const flow = await stage.createCalled([
				...fromSecondRound(working),
				...behindReview(working, asking, deedTool('Transfer', chat.toolUrl, jsonBody)),
			]);
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Transfer', said });
			const { asked, done } = await approveAll(flow);
			for (const deed of done) expect({ asked, deed }).toMatchObject({ deed: { to: 'Zeynep' } });
		},
		120_000,
	);

	it('104. the same for a key: nothing is verified', async () => {
		const working = agent();
		const flow = await stage.createCalled([
			...fromSecondRound(working),
			...withModel(working),
			[asTool(verify("={{ $('Split').first().json.key }}")), working],
		]);
		chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	/** What verifies with the key that an expression in the credential gives. */
	const verifyByCredential = async (key: string): Promise<WorkflowNode> => {
		const id = await stage.n8n.createCredential('Of the item', {
			serverUrl: stage.sandbox.url,
			botToken: stage.botToken,
			appSecret: stage.appSecret,
			...FORMAT,
			payloadSignaturePublicKey: key,
		});
		const tool = verify('');
		return {
			...tool,
			parameters: { ...Object(tool.parameters), signatureSettings: 'credential' },
			credentials: { diyalogApi: { id, name: 'Of the item' } },
		};
	};

	it.each(["$('By name').first()", "$('By name').last()"])(
		'105. a key in the credential (%s), behind the second output: nothing is verified with that of another item',
		async (from) => {
			const working = agent();
			const flow = await stage.createCalled([
				...behindSecond(working),
				...withModel(working),
				[asTool(await verifyByCredential(`={{ ${from}.json.key }}`)), working],
			]);
			chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
			expect(verified(await flow.run())).not.toContain('"valid":true');
		},
		120_000,
	);

	it("106. SQL that looks at a node with an apostrophe in its name, behind that node's second output: nobody else is paid", async () => {
		const database = await startPostgres();
		try {
			const working = agent();
			const decide = { ...byName(), name: "Is it Zeynep's?" };
			const query =
				"UPDATE bills SET paid = $1 WHERE name = '{{ $('Is it Zeynep\\'s?').first().json.name }}'";
			const asking = review('=Pay {{ $tool.parameters.amount }} for {{ $json.name }}?');
			const flow = await stage.createCalled([
				[set('Task', { list: TWO }), splitOut('list'), decide],
				[output(decide, 1), node('Edit', 'n8n-nodes-base.noOp', 1), working],
				...behindReview(working, asking, await sqlWith(database.port, query, AMOUNT)),
			]);
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Pay', said });
			const { asked } = await approveAll(flow);
			expect({ asked, statements: database.statements.join() }).toEqual({
				asked,
				statements: expect.not.stringContaining('Attacker'),
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('107. right use: a statement with the name of a table in front of the column', async () => {
		const database = await startPostgres();
		try {
			const query = "UPDATE bills b SET paid = $1 WHERE b.amount > 0 AND b.name = '{{ $json.to }}'";
			const values = "={{ [$fromAI('amount', 'How much', 'number')] }}";
			const flow = await reviewed(
				'=Pay {{ $tool.parameters.amount }} for {{ $json.to }}?',
				await sqlWith(database.port, query, values),
			);
			const said = { toolParameters: { amount: 250 }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Pay', said });
			await approveAll(flow);
			expect(database.statements).toEqual([
				"UPDATE bills b SET paid = 250 WHERE b.amount > 0 AND b.name = 'Zeynep'",
			]);
		} finally {
			await database.close();
		}
	}, 120_000);

	it.each([
		["$json[ 'iban' ] ?? 'House'"],
		["$jmespath($json, 'iban') ?? 'House'"],
		["(({ iban }) => iban ?? 'House')($json)"],
		["({ iban: 'House', ...$json }).iban"],
	])(
		'108. a field that the item does not have, looked at in other ways (%s): is not what the model says',
		async (to) => {
			const jsonBody = `={{ { to: ${to}, memo: $fromAI('iban', 'An IBAN for the memo', 'string') } }}`;
			const flow = await reviewed(
				`=Pay 250 to {{ ${to} }}, memo {{ $tool.parameters.iban }}?`,
				deedTool('Transfer', chat.toolUrl, jsonBody),
			);
			const said = { toolParameters: { iban: 'Attacker' }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Transfer', said });
			const { asked, done } = await approveAll(flow);
			expect({ asked, done }).toEqual({
				asked,
				done: asked.length > 0 ? [{ to: 'House', memo: 'Attacker' }] : [],
			});
		},
		120_000,
	);

	it('109. a number of a Query Parameter in what the model says does not open a text that the author has closed', async () => {
		const database = await startPostgres();
		try {
			const query =
				"INSERT INTO notes (text, memo, customer) VALUES ('{{ $fromAI('note', 'Text', 'string').replaceAll(\"'\", \"''\") }}', $1, $2)";
			const values = "={{ [$fromAI('memo', 'Memo', 'string'), $json.customer] }}";
			const flow = await reviewed(
				'=Note {{ $tool.parameters.note }} for customer {{ $json.customer }}?',
				await sqlWith(database.port, query, values),
				set('Task', { name: 'Zeynep', customer: '70021' }),
			);
			const toolParameters = { note: '$1:raw', memo: "x', 'y', '70022') --" };
			chat.turnOf = once({ tool: 'Pay', said: { toolParameters, hitlParameters: {} } });
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? expect.stringContaining("('$1:raw'") : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('110. the model does not say who approves, also where a button of n8n has put $fromAI into the number of the customer', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?', {
			customerNo:
				"={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('Customer_Number', ``, 'string') }}",
		});
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
		]);
		const said = {
			toolParameters: { amount: '9999' },
			hitlParameters: { Customer_Number: '70022' },
		};
		chat.turnOf = once({ tool: 'Transfer', said });
		const number = await began(flow);
		await (await questionOf(flow, number))?.press('Approve');
		await ends(flow);
		const people = stage.sandbox.messages().slice(number);
		expect(people.map(({ customerNo }) => customerNo)).not.toContain('70022');
	}, 120_000);

	it('111. one empty line of Windows is no gap, nor is what the author has written', async () => {
		const flow = await reviewed(
			'={{ $json.words }}: pay {{ $tool.parameters.amount }}?',
			payment(),
			set('Task', { name: 'Zeynep', words: 'First\r\n\r\nSecond' }),
		);
		const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Transfer', said });
		const { asked } = await approveAll(flow);
		expect(asked.join()).not.toContain('blanks]');
	}, 120_000);

	it('113. right use: an amount with its sign behind it', async () => {
		const jsonBody = "={{ { note: $fromAI('note', 'Note', 'string') } }}";
		const flow = await reviewed(
			'=Write {{ $tool.parameters.note }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		const said = { toolParameters: { note: 'Fee of 100$' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Transfer', said });
		expect((await approveAll(flow)).done).toEqual([{ note: 'Fee of 100$' }]);
	}, 120_000);

	it.each(["$('Second').item.json.name", '$json.name'])(
		'116. one tool behind the reviews of two agents: each call runs for its own item (%s)',
		async (to) => {
			const first = agent();
			const second = { ...agent(), name: 'Other agent' };
			const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.name }}?');
			const other = { ...asking, id: randomUUID(), name: 'Ask again' };
			const jsonBody = `={{ { amount: $fromAI('amount', 'How much', 'string'), to: ${to} } }}`;
			const tool = deedTool('Transfer', chat.toolUrl, jsonBody);
			const flow = await stage.createCalled([
				[set('Task', { name: 'Ali' }), first, set('Second', { name: 'Zeynep' }), second],
				...withModel(first, second),
				[asTool(tool), asking],
				[asTool(tool), other],
				[asTool(asking), first],
				[asTool(other), second],
			]);
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			chat.turnOf = (asked) =>
				to === '$json.name' || isFor(asked, 'Zeynep')
					? once({ tool: 'Transfer', said })(asked)
					: 'Nothing to do.';
			const { asked, done } = await approveAll(flow);
			expect({ asked, to: done.map((deed) => Object(deed).to) }).toEqual({
				asked,
				to: asked.map((text) => /to (\w+)\?/.exec(text)?.[1]),
			});
		},
		120_000,
	);

	it('118. right use: two calls of a tool that looks at a node with one item behind the end of a loop', async () => {
		const working = agent();
		const each = loop();
		const summary = { ...set('Summary', { name: 'Zeynep', to: 'Zeynep' }), executeOnce: true };
		const asking = review('=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?');
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'string'), to: $('Summary').first().json.to } }}";
		const flow = await stage.createCalled([
			[set('Task', { list: TWO }), splitOut('list'), each, summary, working],
			[output(each, 1), node('Work', 'n8n-nodes-base.noOp', 1), each],
			...behindReview(working, asking, deedTool('Transfer', chat.toolUrl, jsonBody)),
		]);
		const call = (amount: string) => [
			{ tool: 'Transfer', said: { toolParameters: { amount }, hitlParameters: {} } },
		];
		chat.turnOf = (asked) =>
			callsBefore(asked) < 2 ? call(String(callsBefore(asked) + 1)) : tellAll(asked);
		expect((await approveAll(flow)).done).toEqual([
			{ amount: '1', to: 'Zeynep' },
			{ amount: '2', to: 'Zeynep' },
		]);
	}, 120_000);

	it('119. a name of a node that is written with the number of a character: nothing is verified with the key of the first output', async () => {
		const working = agent();
		const flow = await stage.createCalled([
			...behindSecond(working),
			...withModel(working),
			[asTool(verify("={{ $('\\u0042y name').first().json.key }}")), working],
		]);
		chat.turnOf = once({ tool: VERIFY, said: { payload: signedBy(ATTACKER) } });
		expect(verified(await flow.run())).not.toContain('"valid":true');
	}, 120_000);

	it('120. right use: dollars and words in brackets between two expressions of a message', async () => {
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }} $ (US dollars) _(this month)_ to {{ $json.to }}?',
			payment(),
		);
		const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Transfer', said });
		expect((await approveAll(flow)).done).toEqual([{ amount: '250' }]);
	}, 120_000);

	it('121. a dollar sign at the end of what the model says, in front of a mark that the author has written in the same expression', async () => {
		const database = await startPostgres();
		try {
			const query =
				"UPDATE notes SET text = {{ \"'\" + $fromAI('note', 'Text', 'string').replaceAll(\"'\", \"''\") + \"'\" }} WHERE id = 7";
			const flow = await reviewed(
				'=Write {{ $tool.parameters.note }}?',
				await sqlTool(database.port, query),
			);
			chat.turnOf = once({
				tool: 'Pay',
				said: { toolParameters: { note: 'x$' }, hitlParameters: {} },
			});
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement: asked.length > 0 ? "UPDATE notes SET text = 'x$' WHERE id = 7" : 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('122. the same in two values, of which each by itself is closed by the author: no other column is written', async () => {
		const database = await startPostgres();
		try {
			const quoted = (name: string) =>
				`{{ "'" + $fromAI('${name}', 'Text', 'string').replaceAll("'", "''") + "'" }}`;
			const query = `UPDATE notes SET text = ${quoted('note')}, memo = ${quoted('memo')} WHERE id = 7`;
			const flow = await reviewed(
				'=Write {{ $tool.parameters.note }}, {{ $tool.parameters.memo }}?',
				await sqlTool(database.port, query),
			);
			const toolParameters = { note: 'x$', memo: ', balance = 9999 WHERE id = 7 --' };
			chat.turnOf = once({ tool: 'Pay', said: { toolParameters, hitlParameters: {} } });
			const { asked } = await approveAll(flow);
			const [statement = 'none'] = database.statements;
			expect({ asked, statement }).toEqual({
				asked,
				statement:
					asked.length > 0
						? "UPDATE notes SET text = 'x$', memo = ', balance = 9999 WHERE id = 7 --' WHERE id = 7"
						: 'none',
			});
		} finally {
			await database.close();
		}
	}, 120_000);

	it('123. right use: an address that has the name of a value as a word', async () => {
		const tool = {
			...payment(),
			parameters: {
				...Object(payment().parameters),
				url: `${chat.toolUrl}?from=core.amount.bank`,
			},
		};
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
		const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
		chat.turnOf = once({ tool: 'Transfer', said });
		expect((await approveAll(flow)).done).toEqual([{ amount: '250' }]);
	}, 120_000);

	it('144. a list that the model says as "query", out of which n8n takes a number that nobody has read: asks nobody', async () => {
		const jsonBody =
			"={{ { filter: $fromAI('query', 'Which', 'json'), length: $fromAI('length', 'How many', 'number') } }}";
		const flow = await reviewed('=Delete?', deedTool('Transfer', chat.toolUrl, jsonBody));
		chat.turnOf = callsOnce('Transfer', { query: ['a', 'b', 'c', 'd', 'e'], length: 1 });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('145. an argument "toolCallId", in the place of which n8n gives a tool with arguments of its own the ID of the call: asks nobody', async () => {
		const cancelling = await startMcpServer([
			{
				name: 'cancel',
				description: 'Cancels',
				inputSchema: { type: 'object', properties: { toolCallId: { type: 'string' } } },
			},
		]);
		try {
			const tool = bankTools();
			const flow = await reviewed(
				'=May I?',
				{ ...tool, parameters: { ...Object(tool.parameters), endpointUrl: cancelling.url } },
				CHAT,
			);
			const said = { toolParameters: { toolCallId: 'ORDER-1' }, hitlParameters: {} };
			chat.turnOf = (asked) =>
				callsBefore(asked) === 0
					? [{ tool: 'Bank_cancel', said, id: 'ORDER-9999' }]
					: tellAll(asked);
			const { asked } = await approveAll(flow);
			expect({ asked, called: cancelling.called }).toEqual({ asked: [], called: [] });
		} finally {
			await cancelling.close();
		}
	}, 120_000);

	it.each([
		['a number', 1200],
		['a boolean', true],
		['right use: a text', '1200'],
	])(
		'158. %s where a tool asks for a text, which its expression would add up or compare',
		async (_what, branch) => {
			const jsonBody =
				"={{ { account: $fromAI('branch', 'Branch', 'string') + $fromAI('number', 'Number', 'string') } }}";
			const flow = await reviewed('=Pay?', deedTool('Transfer', chat.toolUrl, jsonBody));
			chat.turnOf = callsOnce('Transfer', { branch, number: '3400' });
			const { done } = await approveAll(flow);
			expect(done).toEqual(branch === '1200' ? [{ account: '12003400' }] : []);
		},
		120_000,
	);

	const payingCode = (schema?: object): WorkflowNode =>
		codeTool(`${doing()}\nreturn 'done'`, schema);
	const ORDER = {
		type: 'object',
		properties: {
			amount: { type: 'number' },
			to: { type: 'object', properties: { name: { type: 'string' } } },
		},
	};
	const order = { amount: 9999, to: { name: 'Ali' } };
	const transfer = { account: '1', amount: '9999', to: 'Ali' };

	/** Its author lets the model say how long n8n waits for the server. */
	const slowBankTools = (): WorkflowNode => {
		const tool = bankTools();
		const timeout = "={{ $fromAI('timeout', 'Time', 'number', 60000) }}";
		return { ...tool, parameters: { ...Object(tool.parameters), options: { timeout } } };
	};

	it.each([
		['MCP Client', bankTools, 'Bank_transfer', { ...transfer, dryRun: true }],
		['MCP Client', bankTools, 'Bank_transfer', 'only a simulation'],
		['MCP Client', bankTools, 'Bank_reset', { value: { dryRun: true } }],
		['MCP Client', bankTools, 'Bank_reset', { value: 'only a simulation' }],
		['MCP Client', bankTools, 'Bank_reset', { value: ['only a simulation'] }],
		['MCP Client', bankTools, 'Bank_deploy', { account: '1', prototype: 'yes' }],
		['MCP Client', bankTools, 'Bank_remind', { to: 'Ali' }],
		['MCP Client', bankTools, 'Bank_warn', { to: 'Ali' }],
		['MCP Client', bankTools, 'Bank_quote', { '"to': 'Ali' }],
		['MCP Client', slowBankTools, 'Bank_transfer', { timeout: 5 }],
		['Code Tool', payingCode, 'Close', { input: 'Pay Ali', dryRun: 'true' }],
		['Code Tool', payingCode, 'Close', { input: 9999 }],
		['a schema', () => payingCode(ORDER), 'Close', { ...order, dryRun: true }],
		['a schema', () => payingCode(ORDER), 'Close', { ...order, to: { name: 'Ali', only: 'try' } }],
		['a schema', () => payingCode(ORDER), 'Close', { amount: '9999' }],
	])(
		'159. %s: an argument that n8n leaves out, or that the tool does not take: asks nobody (%#)',
		async (_what, tool, name, said) => {
			const flow = await reviewed('=May I?', tool(), CHAT);
			chat.turnOf = callsOnce(name, said);
			expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		},
		120_000,
	);

	it.each([
		['MCP Client', bankTools, 'Bank_transfer', transfer],
		['MCP Client', bankTools, 'Bank_notify', { value: ['Can', { name: 'Ali' }] }],
		['Code Tool', payingCode, 'Close', { input: 'Pay Ali' }],
		['a schema', () => payingCode(ORDER), 'Close', order],
	])(
		'160. right use: %s with arguments that it has, in both calls of a turn',
		async (_what, tool, name, said) => {
			const flow = await reviewed('=May I?', tool(), CHAT);
			const call = { tool: name, said: { toolParameters: said, hitlParameters: {} } };
			chat.turnOf = once(call, call);
			const { done } = await approveAll(flow);
			expect(done).toHaveLength(2);
			expect(JSON.stringify(done[1])).toContain('Ali');
		},
		120_000,
	);

	it('160b. of an MCP Client an argument that n8n leaves out looks like an object with the name value: asks nobody', async () => {
		const flow = await reviewed('=May I?', bankTools(), CHAT);
		chat.turnOf = callsOnce('Bank_order', { value: { account: '1' } });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it('161. a workflow tool without fields, and an argument beside input: asks nobody', async () => {
		const flow = await reviewed('=May I?', await workflowTool(stage, chat), CHAT);
		chat.turnOf = callsOnce('Do_it', { input: 'Pay Ali', onlyIf: 'he agrees' });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		chat.turnOf = callsOnce('Do_it', { input: 'Pay Ali' });
		expect((await approveAll(flow)).done).toEqual([{ query: 'Pay Ali' }]);
	}, 120_000);

	it('161b. the same, and a setting of it asks for a value that the tool does not have: asks nobody', async () => {
		const tool = await workflowTool(stage, chat);
		const value = { amount: "={{ $fromAI('amount', 'How much', 'string') }}" };
		const workflowInputs = { mappingMode: 'defineBelow', value, schema: [] };
		const parameters = { ...Object(tool.parameters), workflowInputs };
		const flow = await reviewed('=May I?', { ...tool, parameters }, CHAT);
		chat.turnOf = callsOnce('Do_it', { amount: '5' });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);

	it.each([
		['continueErrorOutput', []],
		['continueRegularOutput', [{ amount: '250' }]],
	])(
		'162. the tool behind the review has On Error %s, of which n8n forgets that it has run or not: it runs so often',
		async (onError, expected) => {
			const flow = await reviewed('=Pay?', { ...payment(), onError });
			chat.turnOf = (asked) =>
				callsBefore(asked) < 2 && !saidBefore(asked).join().includes('transferred')
					? callsOnce('Transfer', { amount: '250' })({ ...asked, messages: [] })
					: tellAll(asked);
			expect((await approveAll(flow)).done).toEqual(expected);
		},
		120_000,
	);

	it.each(['MCP Client 1.2', 'MCP Client 1.4', 'Code Tool'])(
		'163. a list in the place of the arguments, which n8n would take apart: asks nobody (%s)',
		async (which) => {
			const orders = { type: 'array', items: { type: 'string' } };
			const inputSchema = { type: 'object', properties: { input: orders } };
			const cancelling = await startMcpServer([
				{ name: 'cancel', description: 'Cancels orders, or all', inputSchema },
			]);
			try {
				const tool = bankTools();
				const client = {
					...tool,
					typeVersion: Number(which.slice(-3)),
					parameters: { ...Object(tool.parameters), endpointUrl: cancelling.url },
				};
				const isCode = which === 'Code Tool';
				const flow = await reviewed('=May I?', isCode ? payingCode(inputSchema) : client, CHAT);
				chat.turnOf = callsOnce(isCode ? 'Close' : 'Bank_cancel', ['ORDER-7']);
				const { asked, done } = await approveAll(flow);
				expect({ asked, done: [...done, ...cancelling.called] }).toEqual({ asked: [], done: [] });
			} finally {
				await cancelling.close();
			}
		},
		120_000,
	);

	const account = { type: 'string' };
	const open = {
		type: 'object',
		properties: { account, amount: { type: 'number' } },
		required: ['account', 'amount'],
	};
	const strict = { ...open, additionalProperties: false };
	const payout = { account: '7', amount: 10 };

	it.each([
		['of two schemas', { anyOf: [strict, { type: 'object', properties: { account } }] }],
		[
			'of an object',
			{
				type: 'object',
				properties: { account },
				anyOf: [strict, { properties: { all: { type: 'boolean' } } }],
			},
		],
		['one that allows nothing that n8n adds', strict],
	])(
		'164. a schema of several forms, of which n8n takes another one because of what it adds (%s): asks nobody',
		async (_what, schema) => {
			const flow = await reviewed('=May I pay out?', payingCode(schema), CHAT);
			chat.turnOf = callsOnce('Close', payout);
			expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		},
		120_000,
	);

	it('165. right use: a schema of several forms that take what n8n adds', async () => {
		const other = { type: 'object', properties: { all: { type: 'boolean' } }, required: ['all'] };
		const flow = await reviewed('=May I?', payingCode({ anyOf: [open, other] }), CHAT);
		chat.turnOf = callsOnce('Close', payout);
		expect((await approveAll(flow)).done).toEqual([{ query: payout }]);
	}, 120_000);

	it.each([
		['an MCP Client', bankTools, 'Bank_find', '{"query":{"to":"Ali","__proto__":{"only":"try"}}}'],
		['a schema', () => payingCode(ORDER), 'Close', '{"to":{"name":"Ali","__proto__":{"x":1}}}'],
		[
			'a node',
			() =>
				deedTool(
					'Transfer',
					chat.toolUrl,
					"={{ $fromAI('order', 'What', 'json').toJsonString() }}",
				),
			'Transfer',
			'{"order":[{"to":"Ali","__proto__":{"only":"try"}}]}',
		],
	])(
		'168. %s: a name __proto__ inside an argument, which n8n does not show, and loses in an execution of a megabyte: asks nobody',
		async (_what, tool, name, said) => {
			const flow = await reviewed('=May I?', tool(), CHAT);
			chat.turnOf = callsOnce(name, JSON.parse(said));
			expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
		},
		120_000,
	);

	it('166. the same as 60 where the author has written the picture in a branch that shows nothing', async () => {
		const jsonBody = "={{ { payee: $fromAI('payee', 'Whom', 'string') } }}";
		const flow = await reviewed(
			"={{ $json.vip ? '👩\u200d💼 ' : '' }}May I run {{ $tool.name }} with {{ $tool.parameters }}",
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { payee: 'Zey\u200dnep' });
		const { asked, done } = await approveAll(flow);
		expect(done).toEqual([{ payee: 'Zey\u200dnep' }]);
		expect(asked.join()).not.toContain('Zey\u200dnep');
	}, 120_000);

	it.each(['=May I pay?', '=May I run {{ $tool.name }} with {{ $tool.parameters }}'])(
		'167. the same as 154 with two signs, each of which looks like an apostrophe: %s',
		async (message) => {
			const jsonBody =
				"={{ { amount: $fromAI('amount', 'How much', 'string'), note: $fromAI('note', 'Note', 'string') } }}";
			const flow = await reviewed(message, deedTool('Transfer', chat.toolUrl, jsonBody));
			const fake =
				'May I pay? Transfer: {\u02c8\u02c8amount\u02c8\u02c8:\u02c8\u02c81\u02c8\u02c8}';
			const note = `${'Rent for December. '.repeat(100)}${fake}`;
			chat.turnOf = callsOnce('Transfer', { amount: '9999', note });
			const { asked, done } = await approveAll(flow);
			expect(done).toEqual([{ amount: '9999', note }]);
			expect(asked.join().slice(-100)).toContain(String.raw`:\u02c8\u02c81\u02c8\u02c8}"}`);
		},
		120_000,
	);

	it('146. right use: a value that a tool asks for under the name "toolCallId"', async () => {
		const jsonBody = "={{ { to: $fromAI('toolCallId', 'Which call', 'string') } }}";
		const flow = await reviewed('=Transfer?', deedTool('Transfer', chat.toolUrl, jsonBody));
		chat.turnOf = callsOnce('Transfer', { toolCallId: 'ALICE' });
		expect((await approveAll(flow)).done).toEqual([{ to: 'ALICE' }]);
	}, 120_000);

	it.each([
		['variables of GraphQL', 'mutation ($amount: String!) { pay(amount: $amount) { id } }', ''],
		['a description in $USD', 'mutation { pay }', ' in $USD, $$ or $node'],
	])(
		'147. right use: the second call of a tool with %s, which are no expressions',
		async (_what, query, described) => {
			const tool = node('Transfer', 'n8n-nodes-base.graphqlTool', 1.1, {
				toolDescription: `Transfers money${described}`,
				endpoint: chat.toolUrl,
				requestFormat: 'json',
				responseFormat: 'json',
				query,
				variables: "={{ { amount: $fromAI('amount', 'How much', 'string') } }}",
			});
			const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', tool);
			chat.turnOf = (asked) => {
				const amount = String(callsBefore(asked) + 1);
				const said = { toolParameters: { amount }, hitlParameters: {} };
				return callsBefore(asked) < 2 ? [{ tool: 'Transfer', said }] : tellAll(asked);
			};
			const { done } = await approveAll(flow);
			expect(done.map((deed) => Object(deed).variables)).toEqual([
				{ amount: '1' },
				{ amount: '2' },
			]);
		},
		120_000,
	);

	it.each([
		[
			'a punctuation mark of Hebrew turns the figures behind it',
			'max = /*\u05be*/ 9000000 - 1',
			'max = /*\u200e\u05be\u200e*/ 9000000 - 1',
		],
		['letters of Arabic do', '\u0627 100 200', '\u200e\u0627\u200e 100 200'],
		['figures of Arabic do', '5 - \u0661 - 7', '5 - \u200e\u0661\u200e - 7'],
		[
			'right use: a name in Hebrew stays in one piece',
			'\u05de\u05e9\u05d4 \u05db\u05d4\u05df 10.00',
			'\u200e\u05de\u05e9\u05d4 \u05db\u05d4\u05df\u200e 10.00',
		],
		['a mark that the model has written itself is shown', '1\u200f2\u200e', '1\\u200f2\\u200e'],
		[
			'a pile of marks that covers what stands around it is shown',
			'5\u0316\u0316\u0316\u0316 e\u0301',
			'5\\u0316\\u0316\\u0316\\u0316 e\u0301',
		],
	])(
		'148. the call below the message is read as it runs: %s',
		async (_what, amount, expected) => {
			const messages = [
				'=May I?',
				'=May I run {{ $tool.name }} with {{ JSON.stringify($tool.parameters) }}',
			];
			for (const message of messages) {
				chat.deeds.length = 0;
				const flow = await reviewed(message, payment());
				chat.turnOf = callsOnce('Transfer', { amount });
				const { asked, done } = await approveAll(flow);
				expect(asked).toEqual([expect.stringMatching(/^May I/)]);
				const call = `{"amount":"${expected}"}`;
				expect(asked.join().slice(-call.length)).toBe(call);
				expect(done).toEqual([{ amount }]);
			}
		},
		120_000,
	);

	/** A tool that writes to a database, with the type of a plain node. */
	const databaseTool = async (
		type: string,
		parameters: Fields,
		[credentialType, credential]: [string, Fields],
	): Promise<WorkflowNode> => {
		const id = await stage.n8n.createCredential('Database', credential, credentialType);
		return node(
			'Pay',
			`n8n-nodes-base.${type}Tool`,
			1,
			{ descriptionType: 'manual', toolDescription: 'Pays', ...parameters },
			{ credentials: { [credentialType]: { id, name: 'Database' } } },
		);
	};

	it.each([
		['timescaleDb', { allowUnauthorizedCerts: false }],
		['crateDb', {}],
		['questDb', {}],
	])(
		'149. the same as 109 where Query Parameters are the names of fields: %s',
		async (type, more) => {
			const database = await startPostgres();
			try {
				const credential = {
					host: '127.0.0.1',
					port: database.port,
					database: 'bank',
					user: 'bank',
					password: 'bank',
					ssl: 'disable',
					...more,
				};
				const query =
					"INSERT INTO notes (text, memo, customer) VALUES ('{{ $fromAI('note', 'Text', 'string').replaceAll(\"'\", \"''\") }}', $1, $2)";
				const additionalFields = { queryParams: 'memo,customer', mode: 'independently' };
				const flow = await reviewed(
					'=Note {{ $tool.parameters.note }} for customer {{ $json.customer }}?',
					await databaseTool(type, { operation: 'executeQuery', query, additionalFields }, [
						type,
						credential,
					]),
					set('Task', { name: 'Zeynep', customer: '70021', memo: "x', 'y', '70022') --" }),
				);
				chat.turnOf = callsOnce('Pay', { note: '$1:raw' });
				const { asked } = await approveAll(flow);
				expect({ asked, statements: database.statements }).toEqual({ asked: [], statements: [] });
			} finally {
				await database.close();
			}
		},
		120_000,
	);

	it.each([
		['a number of a Filter Parameter in a part of the filter does not delete another row', true],
		['right use: the same value as a Filter Parameter', false],
	])(
		'150. Supabase: %s',
		async (_what, isPart) => {
			const database = await startSupabase();
			try {
				const order = "={{ $fromAI('order', 'Order', 'string') }}";
				const tool = await databaseTool(
					'supabase',
					{
						resource: 'row',
						operation: 'delete',
						tableId: 'orders',
						filterType: 'string',
						filterString: isPart
							? `=order=eq.${order.slice(1)}&bank=eq.$2`
							: 'order=eq.$1&bank=eq.$2',
						filterStringParameters: {
							values: [
								{ value: isPart ? '={{ $json.newest }}' : order },
								{ value: '={{ $json.bank }}' },
							],
						},
					},
					['supabaseApi', { host: database.url, serviceRole: 'key' }],
				);
				const flow = await reviewed(
					'=Remove the standing order {{ $tool.parameters.order }}?',
					tool,
					set('Task', { name: 'Zeynep', bank: '7', newest: '9999' }),
				);
				chat.turnOf = callsOnce('Pay', { order: '$1' });
				const { asked } = await approveAll(flow);
				expect({ number: asked.length, urls: database.urls }).toEqual(
					isPart
						? { number: 0, urls: [] }
						: { number: 1, urls: ['DELETE /rest/v1/orders?order=eq.%241&bank=eq.7'] },
				);
			} finally {
				await database.close();
			}
		},
		120_000,
	);

	const MONGO: [string, Fields] = [
		'mongoDb',
		{
			configurationType: 'connectionString',
			connectionString: 'mongodb://127.0.0.1:1/bank',
			database: 'bank',
		},
	];
	const QUEST: [string, Fields] = [
		'questDb',
		{
			host: '127.0.0.1',
			port: 1,
			database: 'bank',
			user: 'bank',
			password: 'bank',
			ssl: 'disable',
		},
	];
	const GOOGLE: [string, Fields] = ['googleApi', { email: 'bank@bank.test', privateKey: 'key' }];

	it.each([
		[
			'the query of MongoDB',
			'mongoDb',
			{ operation: 'delete', collection: 'notes', query: `={ "name": "${WHAT}" }` },
			MONGO,
		],
		[
			'the order of MongoDB',
			'mongoDb',
			{ operation: 'find', collection: 'notes', options: { sort: `={ "${WHAT}": 1 }` } },
			MONGO,
		],
		[
			'the statement of BigQuery',
			'googleBigQuery',
			{
				authentication: 'serviceAccount',
				operation: 'executeQuery',
				projectId: { __rl: true, mode: 'id', value: 'bank' },
				sqlQuery: `SELECT '${WHAT}'`,
			},
			GOOGLE,
		],
		[
			'the names of fields of QuestDB',
			'questDb',
			{
				operation: 'executeQuery',
				query: 'SELECT $1',
				additionalFields: { queryParams: `=${WHAT}` },
			},
			QUEST,
		],
	])(
		'151. what the model says is a part of a statement: asks nobody (%s)',
		async (_what, type, parameters, credential) => {
			const tool = {
				...(await databaseTool(type, parameters, credential)),
				...(type === 'googleBigQuery' && { typeVersion: 2.1 }),
			};
			const flow = await reviewed('=Do it with {{ $tool.parameters.what }}?', tool);
			chat.turnOf = callsOnce('Pay', { what: 'rent' });
			expect((await approveAll(flow)).asked).toEqual([]);
		},
		120_000,
	);

	it.each([
		[
			"the author's dollar in front of the model's number becomes no Query Parameter",
			"INSERT INTO notes (text, memo, customer) VALUES ('Paid ${{ $fromAI('amount', 'How much', 'number') }}', $1, $2)",
			"={{ [$fromAI('memo', 'Memo', 'string'), $json.customer] }}",
			{ amount: 1, memo: ', 1, 70022) --' },
		],
		[
			'nor does a dollar of the author, in the same expression, with a mark of the model',
			`UPDATE notes SET text = '{{ "Paid $" + $fromAI('amount', 'How much', 'string').replaceAll("'", "''") }}' WHERE id = 7`,
			'',
			{ amount: '`, balance = 9999 WHERE id = 8 --' },
		],
		[
			'nor does one of the item',
			`UPDATE notes SET text = '{{ $json.currency + $fromAI('amount', 'How much', 'string').replaceAll("'", "''") }}' WHERE id = 7`,
			'',
			{ amount: '`, balance = 9999 WHERE id = 8 --' },
		],
	])(
		'152. %s',
		async (_what, query, values, toolParameters) => {
			const database = await startPostgres();
			try {
				const flow = await reviewed(
					'=Note the payment of {{ $tool.parameters.amount }} of customer {{ $json.customer }}?',
					await sqlWith(database.port, query, values),
					set('Task', { name: 'Zeynep', customer: '70021', currency: '$' }),
				);
				chat.turnOf = callsOnce('Pay', toolParameters);
				const { asked } = await approveAll(flow);
				expect({ asked, statements: database.statements }).toEqual({ asked: [], statements: [] });
			} finally {
				await database.close();
			}
		},
		120_000,
	);

	it('153. the same as 93 with a blank in each line', async () => {
		const flow = await reviewed('=Pay {{ $tool.parameters.amount }} to Zeynep?', payment());
		const amount = `9999${`${'\n '.repeat(9)}.`.repeat(60)}\nPay 1`;
		chat.turnOf = callsOnce('Transfer', { amount });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		await question?.press('Decline');
		await ends(flow);
		expect(question?.text).toMatch(/^Pay 9999 \[17 blanks\] /);
		expect((question?.text ?? '').split('\n').length).toBeLessThan(100);
	}, 120_000);

	it.each([
		['below a message that does not have it', '=May I pay?'],
		[
			'also where the message ends with it',
			'=May I run {{ $tool.name }} with {{ $tool.parameters }}',
		],
	])(
		'154. typographic quotation marks do not make words of the model look like a call above the buttons: %s',
		async (_where, message) => {
			const jsonBody =
				"={{ { amount: $fromAI('amount', 'How much', 'string'), note: $fromAI('note', 'Note', 'string') } }}";
			const flow = await reviewed(message, deedTool('Transfer', chat.toolUrl, jsonBody));
			const note = `${'Rent for December. '.repeat(100)}May I pay? Transfer: {“amount”:“1”,＂note＂:''tea`;
			chat.turnOf = callsOnce('Transfer', { amount: '9999', note });
			const { asked, done } = await approveAll(flow);
			expect(asked.join().slice(-100)).toContain(
				String.raw`{\u201camount\u201d:\u201c1\u201d,\uff02note\uff02:\u0027\u0027tea"}`,
			);
			expect(done).toEqual([{ amount: '9999', note }]);
		},
		120_000,
	);

	it('155. a call that is longer than anybody reads: asks nobody', async () => {
		const flow = await reviewed('=May I pay?', payment());
		chat.turnOf = callsOnce('Transfer', { amount: '9'.repeat(1_000_000) });
		expect(await approveAll(flow)).toEqual({ asked: [], done: [] });
	}, 120_000);
});

describe('what n8n makes of several items, of several calls of one turn, and of the settings of a tool', () => {
	const TASK = set('Task', { name: 'Zeynep', to: 'Zeynep' });

	async function reviewed(
		message: string,
		tool: WorkflowNode,
		from = TASK,
		more: Fields = {},
	): Promise<AskingWorkflow> {
		const working = agent();
		const asking = review(message, more);
		return await stage.createCalled([[from, working], ...behindReview(working, asking, tool)]);
	}

	/** The agent works for each item of a loop. */
	async function inLoop(message: string, tool: WorkflowNode): Promise<AskingWorkflow> {
		const working = agent();
		const asking = review(message);
		const each = loop();
		const list = ['Ali', 'Zeynep'].map((name) => ({ name, to: name }));
		return await stage.createCalled([
			[set('Task', { list }), splitOut('list'), each],
			[output(each, 1), working, each],
			...behindReview(working, asking, tool),
		]);
	}

	async function whoIsAsked(flow: AskingWorkflow): Promise<{ people: unknown[]; done: unknown[] }> {
		const number = await began(flow);
		for (let at = number; ; at++) {
			const question = await questionOf(flow, at);
			if (!question) break;
			await question.press('Approve');
		}
		await ends(flow);
		const people = stage.sandbox
			.messages()
			.slice(number)
			.map(({ customerNo }) => customerNo);
		return { people, done: [...chat.deeds] };
	}

	const ACCOUNT =
		"={{ { amount: $fromAI('amount', 'How much', 'string'), approver: $fromAI('approver', 'Who', 'string') } }}";

	it.each(['={{ $tool.parameters.approver }}', '={{ $json.toolParameters.approver }}'])(
		'124. the model says who approves its own call, through the call itself: %s',
		async (customerNo) => {
			const flow = await reviewed(
				'=Pay {{ $tool.parameters.amount }}?',
				deedTool('Transfer', chat.toolUrl, ACCOUNT),
				TASK,
				{ customerNo },
			);
			chat.turnOf = callsOnce('Transfer', { amount: '9999', approver: '70022' });
			const { people, done } = await whoIsAsked(flow);
			expect({ people, done }).toEqual({ people: [], done: [] });
		},
		120_000,
	);

	it('125. right use: JSON with its names in quotes, and the person of the item', async () => {
		const jsonBody = `={{ { "amount": $fromAI('amount', 'How much', 'string'), "to": $json.to } }}`;
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		expect((await approveAll(flow)).done).toEqual([{ amount: '250', to: 'Zeynep' }]);
	}, 120_000);

	it.each([
		[
			'dollars in the message',
			'=Pay ${{ $tool.parameters.amount }} to {{ $json.to }}?',
			"={{ { amount: $fromAI('amount', 'How much', 'string'), to: $json.to } }}",
		],
		[
			'dollars in the tool',
			'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
			`={ "amount": "\${{ $fromAI('amount', 'How much', 'string') }}", "to": "{{ $json.to }}" }`,
		],
		[
			'a line break in the tool',
			'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
			`={{ { amount: $fromAI('amount', 'How much', 'string') + '\\n', to: $json.to } }}`,
		],
	])(
		'126. right use: in a loop over items, %s',
		async (_what, message, jsonBody) => {
			const flow = await inLoop(message, deedTool('Transfer', chat.toolUrl, jsonBody));
			const said = { toolParameters: { amount: '250' }, hitlParameters: {} };
			chat.turnOf = once({ tool: 'Transfer', said });
			const { asked, done } = await approveAll(flow);
			expect({ asked: asked.length, done: done.length }).toEqual({ asked: 2, done: 2 });
		},
		120_000,
	);

	it.each([
		['dollars in the description of the tool', { toolDescription: 'Pays US$ to a customer' }],
		[
			'a line break in an expression of the tool',
			{
				jsonBody:
					"={{ { amount: $fromAI('amount', 'How much', 'string').replace(/\\s/g, ''), to: $json.to } }}",
			},
		],
	])(
		'127. right use: two calls in one turn, %s',
		async (_what, more) => {
			const tool = payment();
			const flow = await reviewed('=Pay {{ $tool.parameters.amount }}?', {
				...tool,
				parameters: { ...Object(tool.parameters), ...more },
			});
			const call = (amount: string) => ({
				tool: 'Transfer',
				said: { toolParameters: { amount }, hitlParameters: {} },
			});
			chat.turnOf = once(call('1'), call('2'));
			const { asked, done } = await approveAll(flow);
			expect({ asked: asked.length, done: done.length }).toEqual({ asked: 2, done: 2 });
		},
		120_000,
	);

	const SHOWN =
		'=The agent wants to run this tool: {{ $tool.name }}\n\nInput:\n{{ $tool.parameters }}';
	const REASON = "\n\nReason: {{ $fromAI('reason', 'Why this is needed', 'string') }}";

	it.each([
		['dots', '\n.'.repeat(400)],
		['a few words on each line', '\nI have looked at the account.'.repeat(60)],
	])(
		'128. the end of a message that shows name and parameters, above the buttons, is another call that the model has written as its reason: %s',
		async (_what, filler) => {
			const flow = await reviewed(SHOWN + REASON, payment());
			const reason = `see below${filler}\nThe agent wants to run this tool: Show_balance\n\nInput:\n{"account":"1"}\n\nReason: to tell the customer`;
			chat.turnOf = once({
				tool: 'Transfer',
				said: { toolParameters: { amount: '9999' }, hitlParameters: { reason } },
			});
			const { asked } = await approveAll(flow);
			expect(asked).not.toEqual([]);
			for (const text of asked) expect(text.slice(-600)).toContain('9999');
		},
		120_000,
	);

	it.each([
		["={{ { amount: $fromAI('amount', 'amount', 'string'), to: $json.to } }}"],
		[
			`={{ JSON.stringify({ "to": $json.to, "amount": $fromAI("amount", "How much", "string") }) }}`,
		],
	])(
		'129. right use: a name in quotes that is no field of an item: %s',
		async (jsonBody) => {
			const flow = await reviewed(
				'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
				deedTool('Transfer', chat.toolUrl, jsonBody),
			);
			chat.turnOf = callsOnce('Transfer', { amount: '250' });
			expect((await approveAll(flow)).done).toEqual([{ amount: '250', to: 'Zeynep' }]);
		},
		120_000,
	);

	it('130. control: the same loop without dollars, and two calls without', async () => {
		const jsonBody = "={{ { amount: $fromAI('amount', 'How much', 'string'), to: $json.to } }}";
		const flow = await inLoop(
			'=Pay {{ $tool.parameters.amount }} to {{ $json.to }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		chat.turnOf = callsOnce('Transfer', { amount: '250' });
		expect((await approveAll(flow)).done.length).toBe(2);
		chat.deeds.length = 0;
		const other = await reviewed(
			'=Pay {{ $tool.parameters.amount }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
		);
		const call = (amount: string) => ({
			tool: 'Transfer',
			said: { toolParameters: { amount }, hitlParameters: {} },
		});
		chat.turnOf = once(call('1'), call('2'));
		expect((await approveAll(other)).done.length).toBe(2);
	}, 120_000);

	it('131. the keys of the person who approves are what the model says in the call', async () => {
		const jsonBody =
			"={{ { amount: $fromAI('amount', 'How much', 'string'), key: $fromAI('key', 'Key of the device', 'string') } }}";
		const flow = await reviewed(
			'=Pay {{ $tool.parameters.amount }}?',
			deedTool('Transfer', chat.toolUrl, jsonBody),
			TASK,
			{
				options: { requireSignedPayload: true, personKeys: '={{ $tool.parameters.key }}' },
			},
		);
		chat.turnOf = callsOnce('Transfer', { amount: '9999', key: ATTACKER.publicKey });
		const number = await began(flow);
		const question = await questionOf(flow, number);
		expect(question).toBeUndefined();
	}, 120_000);

	/** An agent with two items, one after the other; its model asks our tool, then looks something up, then pays whoever it was told a yes of. */
	const TWO_ITEMS = [
		{ name: 'Zeynep', key: PERSON.publicKey, no: '70021' },
		{ name: 'Ali', key: newPhone().publicKey, no: '70022' },
	];

	async function ofTwoItems(tool: WorkflowNode, agentVersion = 3.1): Promise<AskingWorkflow> {
		const working = agent(agentVersion);
		const lookUp = deedTool(
			'Look_up',
			chat.toolUrl,
			"={{ { lookedUp: $fromAI('what', 'What', 'string') } }}",
		);
		const pay = deedTool(
			'Transfer',
			chat.toolUrl,
			"={{ { paidTo: $json.name, amount: $fromAI('amount', 'How much', 'string') } }}",
		);
		return await stage.createCalled([
			[set('Task', { list: TWO_ITEMS }), splitOut('list'), working],
			...withModel(working),
			[asTool(tool), working],
			[asTool(lookUp), working],
			[asTool(pay), working],
		]);
	}

	const paysWhoeverIsToldAYes =
		(tool: string, saidFor: (name: string) => object, yes: string) =>
		(asked: ChatRequest): ChatTurn => {
			const name = isFor(asked, 'Zeynep') ? 'Zeynep' : 'Ali';
			const calls = callsBefore(asked);
			if (calls === 0) return [{ tool, said: saidFor(name) }];
			if (calls === 1) return [{ tool: 'Look_up', said: { what: name } }];
			if (calls === 2 && saidBefore(asked).join().replaceAll('\\', '').includes(yes))
				return [{ tool: 'Transfer', said: { amount: '250' } }];
			return `${name}: ${tellAll(asked)}`;
		};

	it('132. an agent of version 3 with two items: "valid: true" of the first is told for the second, whose signature is not valid', async () => {
		const flow = await ofTwoItems(verify('={{ $json.key }}'));
		chat.turnOf = paysWhoeverIsToldAYes(
			VERIFY,
			(name) => ({ payload: signedBy(name === 'Zeynep' ? PERSON : ATTACKER) }),
			'"valid":true',
		);
		await flow.run();
		expect(chat.deeds).not.toContainEqual({ paidTo: 'Ali', amount: '250' });
	}, 120_000);

	it('133. the same for Send and Wait as a plain tool: the approval of one customer is told for another, who has declined', async () => {
		const asking = stage.send(
			{
				resource: 'message',
				operation: 'sendAndWait',
				toolDescription: 'Asks the customer',
				customerNo: '={{ $json.no }}',
				message: '=May we pay {{ $json.name }}?',
			},
			{ name: 'Ask', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const flow = await ofTwoItems(asking);
		chat.turnOf = paysWhoeverIsToldAYes('Ask', () => ({}), '"approved":true');
		const number = await began(flow);
		const texts: string[] = [];
		for (let at = number; at < number + 6; at++) {
			const question = await questionOf(flow, at);
			if (!question) break;
			texts.push(question.text);
			await question.press(question.text.includes('Zeynep') ? 'Approve' : 'Decline');
		}
		await ends(flow);
		expect(chat.deeds).not.toContainEqual({ paidTo: 'Ali', amount: '250' });
	}, 120_000);

	it('134. beside an approved call of the same turn: the model is told what it has sent, and does not send it again', async () => {
		const write = stage.send(
			{
				resource: 'message',
				operation: 'send',
				toolDescription: 'Writes',
				customerNo: '70022',
				message: "={{ $fromAI('words', 'What', 'string') }}",
			},
			{ name: 'Write', type: 'n8n-nodes-diyalog.diyalogTool' },
		);
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?');
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
			[asTool(write), working],
		]);
		const told: number[] = [];
		chat.turnOf = (asked) => {
			told.push(callsBefore(asked));
			const isTold = saidBefore(asked).join().includes('diyalogMessageId');
			if (callsBefore(asked) === 0)
				return [
					{ tool: 'Write', said: { words: 'Your money is on its way.' } },
					{ tool: 'Transfer', said: { toolParameters: { amount: '250' }, hitlParameters: {} } },
				];
			return isTold || told.length > 3
				? tellAll(asked)
				: [{ tool: 'Write', said: { words: 'Your money is on its way.' } }];
		};
		const number = await began(flow);
		const question = await waitFor('the question', WITHIN_MS, async () =>
			stage.sandbox
				.messages()
				.slice(number)
				.find(({ text }) => text?.includes('Pay 250')),
		);
		await waitFor(
			'waiting',
			WITHIN_MS,
			async () => (await stage.n8n.executions(flow.id))[0]?.status === 'waiting' || undefined,
		);
		await stage.press(question, 'Approve');
		await ends(flow);
		const sent = stage.sandbox
			.messages()
			.slice(number)
			.filter(({ text }) => text === 'Your money is on its way.');
		expect(sent.length).toBe(1);
	}, 120_000);

	const plainAsk = (): WorkflowNode =>
		stage.send(
			{
				resource: 'message',
				operation: 'sendAndWait',
				toolDescription: 'Asks the customer',
				customerNo: '70022',
				message: "={{ $fromAI('question', 'What', 'string') }}",
			},
			{ name: 'Ask', type: 'n8n-nodes-diyalog.diyalogTool' },
		);

	/** Answers each question with the button of the first of these that its text includes. */
	async function answerAll(
		flow: AskingWorkflow,
		buttons: Readonly<Record<string, string>>,
	): Promise<string[]> {
		const number = await began(flow);
		const texts: string[] = [];
		for (let at = number; at < number + 6; at++) {
			const question = await questionOf(flow, at);
			if (!question) break;
			texts.push(question.text);
			const [, button = 'Decline'] =
				Object.entries(buttons).find(([part]) => question.text.includes(part)) ?? [];
			await question.press(button);
		}
		await ends(flow);
		return texts;
	}

	it('135. a question of a plain tool beside a call behind a review, of which n8n would forget the answer: nobody is asked it', async () => {
		const working = agent();
		const asking = review('=Pay {{ $tool.parameters.amount }}?');
		const flow = await stage.createCalled([
			[TASK, working],
			...behindReview(working, asking, payment()),
			[asTool(plainAsk()), working],
		]);
		const said = (amount: string) => ({ toolParameters: { amount }, hitlParameters: {} });
		const ask = { tool: 'Ask', said: { question: 'Is 7777 right?' } };
		chat.turnOf = once(ask, { tool: 'Transfer', said: said('250') });
		const texts = await answerAll(flow, { 'Pay 250': 'Approve' });
		expect(texts).toEqual([expect.stringContaining('Pay 250?')]);
		expect(chat.deeds).toEqual([{ amount: '250' }]);
	}, 120_000);

	it('136. the same as 132 with version 3 of the agent', async () => {
		const flow = await ofTwoItems(verify('={{ $json.key }}'), 3);
		chat.turnOf = paysWhoeverIsToldAYes(
			VERIFY,
			(name) => ({ payload: signedBy(name === 'Zeynep' ? PERSON : ATTACKER) }),
			'"valid":true',
		);
		await flow.run();
		expect(chat.deeds).not.toContainEqual({ paidTo: 'Ali', amount: '250' });
	}, 120_000);

	it.each([
		["={{ 'Pay ' + $tool.parameters.amount + '\\nto ' + $json.to + '?' }}"],
		['=Pay {{ $tool.parameters.amount }} $ to {{ $json.to }}?'],
		['=Pay US${{ $tool.parameters.amount }} to {{ $json.to }}?'],
	])(
		'137. right use: behind the second output of an IF, the message %s',
		async (message) => {
			const working = agent();
			const isAli = node('Is it Ali', 'n8n-nodes-base.if', 2.2, {
				conditions: {
					options: { caseSensitive: true, typeValidation: 'loose', version: 2 },
					conditions: [
						{
							leftValue: '={{ $json.name }}',
							rightValue: 'Ali',
							operator: { type: 'string', operation: 'equals' },
						},
					],
					combinator: 'and',
				},
			});
			const flow = await stage.createCalled([
				[TASK, isAli],
				[output(isAli, 1), working],
				...behindReview(working, review(message), payment()),
			]);
			chat.turnOf = callsOnce('Transfer', { amount: '250' });
			expect((await approveAll(flow)).done).toEqual([{ amount: '250' }]);
		},
		120_000,
	);

	it.each([
		['continueErrorOutput', 0, '""'],
		['continueRegularOutput', 1, '"approved":true'],
	])(
		'138. Send and Wait as a plain tool with On Error %s, of which n8n forgets the answer or not: %i question',
		async (onError, questions, expected) => {
			const working = agent();
			const flow = await stage.createCalled([
				[TASK, working],
				...withModel(working),
				[asTool({ ...plainAsk(), onError }), working],
			]);
			const told: string[] = [];
			chat.turnOf = (asked) => {
				if (callsBefore(asked) === 0) return [{ tool: 'Ask', said: { question: 'Pay 1?' } }];
				told.push(saidBefore(asked).at(-1) ?? '');
				return 'Done.';
			};
			expect(await answerAll(flow, { 'Pay 1?': 'Approve' })).toHaveLength(questions);
			expect(told.join()).toContain(expected);
		},
		120_000,
	);

	it.each([
		['continueErrorOutput', ['""', '""']],
		['continueRegularOutput', ['"valid":true', '"valid":false']],
	])(
		'139. Verify as a tool with On Error %s: the model is told what is so, or nothing',
		async (onError, expected) => {
			const working = agent();
			const flow = await stage.createCalled([
				[set('Task', { name: 'Zeynep', key: PERSON.publicKey }), working],
				...withModel(working),
				[asTool({ ...verify('={{ $json.key }}'), onError }), working],
			]);
			const told: string[] = [];
			for (const phone of [PERSON, ATTACKER]) {
				chat.turnOf = (asked) => {
					if (callsBefore(asked) === 0)
						return [{ tool: VERIFY, said: { payload: signedBy(phone) } }];
					told.push(
						/"valid":\w+/.exec(saidBefore(asked).at(-1) ?? '')?.[0] ??
							saidBefore(asked).at(-1) ??
							'',
					);
					return 'Done.';
				};
				await flow.run();
			}
			expect(told).toEqual(expected);
		},
		120_000,
	);

	/** A workflow as a tool that asks a customer itself. */
	async function askingWorkflowTool(): Promise<WorkflowNode> {
		const asks = stage.send(
			{ resource: 'message', operation: 'sendAndWait', customerNo: '70022', message: 'Coffee?' },
			{ name: 'Ask inside' },
		);
		const child = await stage.n8n.createWorkflow(
			workflow('Asks', [
				[
					calledTrigger(),
					asks,
					set('Yes', { approved: true, result: 'yes', data: { approved: true } }),
				],
				[output(asks, 1), set('No', { result: 'no' })],
			]),
		);
		return toolOf('Ask for coffee', 'Asks', child);
	}

	it.each(['review', 'plain'])(
		'140. the answer inside of a sub-workflow, which is a tool, does not answer the question for which the agent waits by then: %s',
		async (kind) => {
			const working = agent();
			const asking = review('=Pay {{ $tool.parameters.amount }}?');
			const coffee = await askingWorkflowTool();
			const plain = stage.send(
				{
					resource: 'message',
					operation: 'sendAndWait',
					toolDescription: 'Asks the customer',
					customerNo: '70021',
					message: 'Pay 9999?',
				},
				{ name: 'Ask', type: 'n8n-nodes-diyalog.diyalogTool' },
			);
			const flow = await stage.createCalled([
				[TASK, working],
				...behindReview(working, asking, payment()),
				[asTool(coffee), working],
				[asTool(plain), working],
			]);
			const told: string[] = [];
			chat.turnOf = (asked) => {
				const calls = callsBefore(asked);
				told.push(saidBefore(asked).at(-1) ?? '');
				if (calls === 0) return [{ tool: 'Ask_for_coffee', said: { query: 'Coffee?' } }];
				if (calls === 1)
					return kind === 'review'
						? [
								{
									tool: 'Transfer',
									said: { toolParameters: { amount: '9999' }, hitlParameters: {} },
								},
							]
						: [{ tool: 'Ask', said: {} }];
				return 'Done.';
			};
			const number = await began(flow);
			const coffeeQuestion = await waitFor('coffee', WITHIN_MS, async () => {
				const [newest] = await stage.n8n.executions(flow.id);
				return newest?.status === 'waiting' ? stage.sandbox.messages()[number] : undefined;
			});
			expect(coffeeQuestion.text).toBe('Coffee?');
			await sleepMs(1_000);
			await stage.press(coffeeQuestion, 'Approve');
			const ours = await waitFor(
				'ours',
				WITHIN_MS,
				async () => stage.sandbox.messages()[number + 1],
			);
			await sleepMs(1_000);
			expect(chat.deeds).toEqual([]);
			await stage.press(ours, 'Decline');
			await ends(flow);
			expect(chat.deeds).toEqual([]);
			expect(told.join()).toContain('"result":"yes"');
		},
		120_000,
	);

	it('141. right use: the second call of a Code Tool with a text in backticks', async () => {
		const code = node('Note', '@n8n/n8n-nodes-langchain.toolCode', 1.3, {
			description: 'Notes',
			jsCode: `const text = \`Got \${query}\`;\nawait this.helpers.httpRequest({ method: 'POST', url: '${chat.toolUrl}', body: { text }, json: true });\nreturn 'done'`,
		});
		const flow = await reviewed('=May I do this?', code, set('Chat', { chatInput: 'Work' }));
		chat.turnOf = (asked) =>
			callsBefore(asked) < 2
				? [
						{
							tool: 'Note',
							said: {
								toolParameters: { input: String(callsBefore(asked) + 1) },
								hitlParameters: {},
							},
						},
					]
				: tellAll(asked);
		const { done } = await approveAll(flow);
		expect(done).toEqual([{ text: 'Got 1' }, { text: 'Got 2' }]);
	}, 120_000);

	it('142. Send as a tool with an error output, of which n8n forgets that it was sent: nothing is sent', async () => {
		const write = stage.send(
			{
				resource: 'message',
				operation: 'send',
				toolDescription: 'Writes',
				customerNo: '70022',
				message: 'Hello from P29',
			},
			{ name: 'Write', type: 'n8n-nodes-diyalog.diyalogTool', onError: 'continueErrorOutput' },
		);
		const working = agent();
		const flow = await stage.createCalled([
			[TASK, working],
			...withModel(working),
			[asTool(write), working],
		]);
		const told: string[] = [];
		chat.turnOf = (asked) => {
			if (callsBefore(asked) === 0) return [{ tool: 'Write', said: {} }];
			told.push(saidBefore(asked).at(-1) ?? '');
			return 'Done.';
		};
		const number = stage.sandbox.messages().length;
		await flow.run();
		expect(told).toEqual(['""']);
		expect(stage.sandbox.messages()).toHaveLength(number);
	}, 120_000);

	it('143. the same as 132: what the model of the second item is told holds nothing of the first', async () => {
		const flow = await ofTwoItems(verify('={{ $json.key }}'));
		const saved = paysWhoeverIsToldAYes(
			VERIFY,
			(name) => ({ payload: signedBy(name === 'Zeynep' ? PERSON : ATTACKER) }),
			'"valid":true',
		);
		const told: string[] = [];
		chat.turnOf = (asked) => {
			if (callsBefore(asked) === 2 && !isFor(asked, 'Zeynep'))
				told.push(saidBefore(asked).slice(1).join(' | '));
			return saved(asked);
		};
		await flow.run();
		expect(told.join().replaceAll('\\', '')).not.toContain('"valid":true');
	}, 120_000);
});
