import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { http, sleepMs, waitFor } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';
import type { WorkflowDefinition } from '../../tools/n8n/n8n';
import { ASK, Stage } from './harness/waiting';

/*
 * Wrong codes, which are counted by running the waiting node again, with everything that can be set, run, edited and killed
 * meanwhile in a real n8n: a wrong code never becomes an approval, and a question that was asked again can be answered.
 */

type Node = Readonly<Record<string, unknown>>;
type Settings = Readonly<Record<string, unknown>>;
type Definition = Pick<WorkflowDefinition, 'nodes' | 'connections'>;

const CLAIM = { approved: true, data: { approved: true }, amount: '250' };
const RIGHT = '4071';
const REPLY = 'Wrong code';
const CALL = 'Call';
const CLAIMING = 'Claim';
const AFTER = 'Transfer';
const WITHIN_MS = 40_000;

const customers = Array.from({ length: 100 }, (_, index) => ({
	customerNo: String(70_000 + index),
	userId: String(2_074_022_437 + index),
}));
let nextCustomer = 0;
const newCustomer = (): string => customers[nextCustomer++]?.customerNo ?? '';

/** Stands in front of the sandbox: what it does with an answer of Diyalog's can be changed. */
class Door {
	/** undefined lets the call through */
	refuse?: { status: number; headers: Record<string, string> };
	/** the message arrives, and the connection breaks off */
	breaksOff = false;
	/** how long an answer is held back; the message has arrived */
	holdMs = 0;
	requests = 0;
	target = '';

	private readonly server = http.createServer((request, response) => {
		void (async () => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk as Buffer);
			this.requests++;
			if (this.refuse) {
				response.writeHead(this.refuse.status, this.refuse.headers).end('no');
				return;
			}
			const answer = await fetch(`${this.target}${request.url}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: Buffer.concat(chunks),
			});
			const text = await answer.text();
			if (this.breaksOff) return void response.destroy();
			await sleepMs(this.holdMs);
			response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
		})();
	});

	async open(): Promise<string> {
		await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

const door = new Door();
let stage: Stage;
let chat: ChatServer;

beforeAll(async () => {
	chat = await startChatServer({ amount: '250' });
	const serverUrl = await door.open();
	stage = await Stage.set({
		credential: { serverUrl },
		sandbox: { customers },
		settings: {
			N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'false',
			EXECUTIONS_DATA_SAVE_ON_ERROR: 'none',
			EXECUTIONS_DATA_SAVE_ON_SUCCESS: 'none',
			EXECUTIONS_DATA_SAVE_ON_PROGRESS: 'true',
			EXECUTIONS_DATA_SAVE_MANUAL_EXECUTIONS: 'false',
			EXECUTIONS_DATA_PRUNE: 'true',
			EXECUTIONS_DATA_MAX_AGE: '1',
			EXECUTIONS_DATA_PRUNE_MAX_COUNT: '1',
			EXECUTIONS_DATA_PRUNE_SOFT_DELETE_INTERVAL: '1',
			N8N_EXECUTION_DATA_STORAGE_MODE: 'filesystem',
			N8N_DEFAULT_BINARY_DATA_MODE: 'filesystem',
		},
	});
	door.target = stage.sandbox.url;
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
	await door.close();
}, 60_000);

beforeEach(() => {
	door.refuse = undefined;
	door.breaksOff = false;
	door.holdMs = 0;
});

const main = (...outputs: string[][]) => ({
	main: outputs.map((names) => names.map((node) => ({ node, type: 'main', index: 0 }))),
});

const node = (
	name: string,
	type: string,
	typeVersion: number,
	parameters: object,
	more: Settings = {},
): Node => ({ id: randomUUID(), name, type, typeVersion, position: [0, 0], parameters, ...more });

const setNode = (name: string, json: unknown): Node =>
	node(name, 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify(json) });

const deedNode = (name: string, key: string): Node =>
	node(name, 'n8n-nodes-base.httpRequest', 4.2, {
		method: 'POST',
		url: chat.toolUrl,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: `={{ { key: '${key}', from: '${name}', item: $json } }}`,
		options: {},
	});

const minutes = (resumeAmount: number) => ({
	values: { limitType: 'afterTimeInterval', resumeAmount, resumeUnit: 'minutes' },
});

const askNode = (customerNo: string, parameters: object = {}, settings: Settings = {}): Node => ({
	...stage.askNode({
		customerNo,
		message: '=Pay {{ $json.amount }} TL',
		responseType: 'code',
		expectedCode: RIGHT,
		options: { limitWaitTime: minutes(10), wrongCodeReply: REPLY },
		...parameters,
	}),
	...settings,
});

const webhookStart = (path: string): Node =>
	node(
		CALL,
		'n8n-nodes-base.webhook',
		2,
		{ httpMethod: 'POST', path, responseMode: 'onReceived', options: {} },
		{ webhookId: randomUUID() },
	);

/** Claim -> Ask -> Transfer */
const chain = (key: string, begin: Node, ask: Node): Definition => ({
	nodes: [begin, setNode(CLAIMING, CLAIM), ask, deedNode(AFTER, key)],
	connections: {
		[String(begin.name)]: main([CLAIMING]),
		[CLAIMING]: main([ASK]),
		[ASK]: main([AFTER], [AFTER]),
	},
});

/** A workflow, called once. */
async function called(
	build: (begin: Node) => Definition,
	settings: Settings = {},
): Promise<string> {
	const path = randomUUID();
	const id = await stage.n8n.createWorkflow({
		name: 'Breaks',
		settings: { executionOrder: 'v1', ...settings },
		...build(webhookStart(path)),
	});
	await fetch(await stage.n8n.webhookUrl(path), { method: 'POST' });
	return id;
}

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());
const patch = async (id: string, body: object): Promise<unknown> =>
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, body, z.unknown());

/** Waits until the workflow has an execution that waits; gives its id. */
const waits = async (id: string): Promise<string> =>
	await waitFor('the wait', WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(id, 'waiting');
		return newest?.id;
	});

const messagesTo = (customerNo: string) =>
	stage.sandbox.messages().filter((message) => message.customerNo === customerNo);

/** Waits until a phone has got so many messages. */
const hasGot = async (customerNo: string, count: number) =>
	await waitFor(`${count} messages`, WITHIN_MS, () =>
		messagesTo(customerNo).length >= count ? messagesTo(customerNo) : undefined,
	);

const deedSchema = z.object({
	key: z.string(),
	from: z.string(),
	item: z
		.object({
			approved: z.unknown(),
			data: z.object({ approved: z.unknown() }).partial().optional(),
			decision: z.unknown(),
			output: z.unknown(),
			error: z.unknown(),
			input: z.unknown(),
		})
		.passthrough(),
});

const deedsOf = (key: string) =>
	chat.deeds.map((deed) => deedSchema.parse(deed)).filter((deed) => deed.key === key);

/** What came out, as words. */
const cameOut = (key: string): string[] =>
	deedsOf(key).map(({ from, item }) => {
		const { approved, data, decision, output } = item;
		const told = /"decision":"(\w+)"/.exec(String(output))?.[1];
		const claims = approved === true || data?.approved === true ? ' approved' : '';
		return `${from}: ${String(decision ?? told ?? JSON.stringify(item))}${claims}`;
	});

const outcome = async (key: string, count = 1): Promise<string[]> =>
	await waitFor(`what came out of ${key}`, 100_000, () =>
		cameOut(key).length >= count ? cameOut(key) : undefined,
	);

const ONCE = { executeOnce: true };
const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
const EVERYTHING = {
	...ONCE,
	...RETRY,
	onError: 'continueErrorOutput',
	alwaysOutputData: true,
};

interface Started {
	/** the workflow that asks */
	id: string;
	from: string;
	/** what comes out is a model's text, which approves nothing */
	isText?: boolean;
}

interface Way {
	way: string;
	start(key: string, customerNo: string): Promise<Started>;
	meanwhile?(started: Started): Promise<void>;
}

const production = (way: string, settings: Settings = {}, workflow: Settings = {}): Way => ({
	way,
	start: async (key, customerNo) => ({
		id: await called((begin) => chain(key, begin, askNode(customerNo, {}, settings)), workflow),
		from: AFTER,
	}),
});

const manual = (way: string, settings: Settings = {}, pinData: object = {}): Way => ({
	way,
	start: async (key, customerNo) => {
		const begin = node('Start', 'n8n-nodes-base.manualTrigger', 1, {});
		const { id } = await stage.n8n.saveWorkflow({
			name: 'By hand',
			...chain(key, begin, askNode(customerNo, {}, settings)),
			...{ pinData },
		});
		await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
		return { id, from: AFTER };
	},
});

const edited = (way: string, change: (id: string) => Promise<unknown>): Way => ({
	...production(way),
	meanwhile: async ({ id }) => void (await change(id)),
});

const subWorkflow = (way: string, waiting: boolean): Way => ({
	way,
	start: async (key, customerNo) => {
		const begin = node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, {
			inputSource: 'passthrough',
		});
		const { nodes } = chain(key, begin, askNode(customerNo));
		const child = await stage.n8n.createWorkflow({
			name: 'Child',
			settings: { executionOrder: 'v1' },
			nodes: waiting ? nodes.slice(0, 3) : nodes,
			connections: {
				Called: main([CLAIMING]),
				[CLAIMING]: main([ASK]),
				...(!waiting && { [ASK]: main([AFTER]) }),
			},
		});
		const parameters = {
			workflowId: { __rl: true, mode: 'id', value: child },
			options: { waitForSubWorkflow: waiting },
		};
		await called((start) => ({
			nodes: [
				start,
				node('Sub', 'n8n-nodes-base.executeWorkflow', 1.2, parameters),
				...(waiting ? [deedNode('Parent', key)] : []),
			],
			connections: { [CALL]: main(['Sub']), ...(waiting && { Sub: main(['Parent']) }) },
		}));
		return { id: child, from: waiting ? 'Parent' : AFTER };
	},
});

const agentTool = (parameters: object = {}, settings: Settings = {}, typeVersion = 3.1): Way => ({
	way: 'tool of an agent',
	start: async (key, customerNo) => {
		const apiKey = { apiKey: 'a-key', url: chat.url, header: false };
		const openAi = await stage.n8n.createCredential('Model', apiKey, 'openAiApi');
		const tool = {
			...askNode(
				customerNo,
				{ toolDescription: 'Asks the customer', message: 'Pay 250 TL', ...parameters },
				settings,
			),
			type: 'n8n-nodes-diyalog.diyalogTool',
		};
		const model = node(
			'Model',
			'@n8n/n8n-nodes-langchain.lmChatOpenAi',
			1.3,
			{
				model: { __rl: true, mode: 'id', value: 'test-model' },
				responsesApiEnabled: false,
				options: {},
			},
			{ credentials: { openAiApi: { id: openAi, name: 'Model' } } },
		);
		const agent = node('Agent', '@n8n/n8n-nodes-langchain.agent', typeVersion, {
			promptType: 'define',
			text: 'Send 250 TL to A. Yilmaz',
			options: {},
		});
		const path = (name: string, type: string) => ({ [type]: [[{ node: name, type, index: 0 }]] });
		const id = await called((begin) => ({
			nodes: [begin, agent, model, tool, deedNode(AFTER, key)],
			connections: {
				[CALL]: main(['Agent']),
				Model: path('Agent', 'ai_languageModel'),
				[ASK]: path('Agent', 'ai_tool'),
				Agent: main([AFTER]),
			},
		}));
		return { id, from: AFTER, isText: true };
	},
});

const ways: Way[] = [
	production('no settings'),
	production('all settings of the node', EVERYTHING),
	production('order v0, all settings of the node', EVERYTHING, { executionOrder: 'v0' }),
	production(
		'nothing saved',
		{},
		{
			saveDataSuccessExecution: 'none',
			saveDataErrorExecution: 'none',
			saveManualExecutions: false,
			saveExecutionProgress: false,
		},
	),
	manual('manual run'),
	manual('manual run, input pinned', ONCE, { [CLAIMING]: [{ json: CLAIM }] }),
	subWorkflow('sub-workflow that is waited for', true),
	subWorkflow('sub-workflow that is not waited for', false),
	agentTool(),
	edited('workflow deactivated and emptied meanwhile', async (id) => {
		await post(`/rest/workflows/${id}/deactivate`, {});
		await patch(id, {
			nodes: [node('Start', 'n8n-nodes-base.manualTrigger', 1, {})],
			connections: {},
		});
	}),
	edited('node made one that sends only, meanwhile', async (id) => {
		const schema = z.object({
			data: z.object({ nodes: z.array(z.record(z.unknown())), versionId: z.string() }),
		});
		const { nodes } = (await stage.n8n.request('GET', `/rest/workflows/${id}`, undefined, schema))
			.data;
		const changed = nodes.map((each) =>
			each.name === ASK
				? {
						...each,
						parameters: {
							resource: 'otp',
							operation: 'send',
							customerNo: '70099',
							message: 'x',
							otpMode: 'none',
						},
					}
				: each,
		);
		const saved = await stage.n8n.request(
			'PATCH',
			`/rest/workflows/${id}`,
			{ nodes: changed },
			schema,
		);
		await post(`/rest/workflows/${id}/activate`, { versionId: saved.data.versionId });
	}),
];

describe.each([
	['right after a wrong one', ['57', RIGHT], 'codeMatched approved'],
	['three wrong ones, then the right one', ['57', '58', '59', RIGHT], 'tooManyAttempts'],
] as const)('codes: %s', (what, codes, expected) => {
	it.each(ways)(
		'$way',
		async ({ way, start, meanwhile }) => {
			const key = `${what}, ${way}`;
			const customerNo = newCustomer();
			const started = await start(key, customerNo);
			await hasGot(customerNo, 1);
			await waits(started.id);
			await meanwhile?.(started);
			for (const [index, code] of codes.entries()) {
				await stage.type(code, customerNo);
				if (code === RIGHT || index === 2) continue;
				await hasGot(customerNo, index + 2);
				await waits(started.id);
				expect(cameOut(key)).toEqual([]);
			}
			const found = started.isText ? expected.replace(' approved', '') : expected;
			expect(await outcome(key)).toEqual([`${started.from}: ${found}`]);
			expect(messagesTo(customerNo).map(({ mokMessage }) => mokMessage)).toEqual([
				'Pay 250 TL',
				...codes.slice(0, expected === 'tooManyAttempts' ? 2 : 1).map(() => REPLY),
			]);
			await sleepMs(1_000);
			expect(cameOut(key)).toHaveLength(1);
		},
		150_000,
	);
});

it('two questions in parallel branches with a merge behind them: each has its own attempts', async () => {
	const key = 'parallel';
	const [one, other] = [newCustomer(), newCustomer()];
	const id = await called((begin) => ({
		nodes: [
			begin,
			setNode(CLAIMING, CLAIM),
			askNode(one),
			{ ...askNode(other), name: 'Ask too', position: [400, 200] },
			node('Merge', 'n8n-nodes-base.merge', 3.2, {}),
			deedNode(AFTER, key),
		],
		connections: {
			[CALL]: main([CLAIMING]),
			[CLAIMING]: main([ASK, 'Ask too']),
			[ASK]: main(['Merge']),
			'Ask too': { main: [[{ node: 'Merge', type: 'main', index: 1 }]] },
			Merge: main([AFTER]),
		},
	}));
	for (const [customerNo, codes] of [
		[one, ['57', '58', RIGHT]],
		[other, ['57', '58', '59', RIGHT]],
	] as const) {
		await hasGot(customerNo, 1);
		for (const [index, code] of codes.entries()) {
			if (index < 3) await waits(id);
			await stage.type(code, customerNo);
			if (index < 2) await hasGot(customerNo, index + 2);
		}
	}
	expect((await outcome(key, 2)).sort()).toEqual([
		`${AFTER}: codeMatched approved`,
		`${AFTER}: tooManyAttempts`,
	]);
}, 200_000);

it('a loop over items: attempts are counted anew for each question, and codes of earlier ones are worth nothing', async () => {
	const key = 'loop';
	const customerNo = newCustomer();
	const id = await called((begin) => ({
		nodes: [
			begin,
			setNode(CLAIMING, { list: [CLAIM, CLAIM, CLAIM] }),
			node('Split', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list', options: {} }),
			node('Loop', 'n8n-nodes-base.splitInBatches', 3, { options: {} }),
			askNode(customerNo, {}, EVERYTHING),
			deedNode(AFTER, key),
		],
		connections: {
			[CALL]: main([CLAIMING]),
			[CLAIMING]: main(['Split']),
			Split: main(['Loop']),
			Loop: main([], [ASK]),
			[ASK]: main([AFTER]),
			[AFTER]: main(['Loop']),
		},
	}));
	let got = 0;
	for (const codes of [
		['57', '58', RIGHT],
		['57', '58', '59'],
		['57', RIGHT],
	]) {
		await hasGot(customerNo, ++got);
		for (const code of codes) {
			await waits(id);
			await stage.type(code, customerNo);
			if (code !== RIGHT && code !== '59') await hasGot(customerNo, ++got);
		}
	}
	expect(await outcome(key, 3)).toEqual([
		`${AFTER}: codeMatched approved`,
		`${AFTER}: tooManyAttempts`,
		`${AFTER}: codeMatched approved`,
	]);
}, 200_000);

it('time is up after a wrong code: expired', async () => {
	const key = 'wrong, then nothing';
	const customerNo = newCustomer();
	const options = { limitWaitTime: minutes(0.2), wrongCodeReply: REPLY };
	const id = await called((begin) =>
		chain(key, begin, askNode(customerNo, { options }, EVERYTHING)),
	);
	await waits(id);
	await stage.type('57', customerNo);
	await hasGot(customerNo, 2);
	expect(await outcome(key)).toEqual([`${AFTER}: expired`]);
}, 150_000);

it('Diyalog takes no more messages for half a minute: the right code is taken all the same', async () => {
	const key = 'deaf';
	const customerNo = newCustomer();
	const id = await called((begin) => chain(key, begin, askNode(customerNo)));
	await waits(id);
	door.refuse = { status: 429, headers: { 'retry-after': '30' } };
	const before = door.requests;
	await stage.type('57', customerNo);
	await waitFor('the reply', WITHIN_MS, () => (door.requests > before ? true : undefined));
	await stage.type(RIGHT, customerNo);
	expect(await outcome(key)).toEqual([`${AFTER}: codeMatched approved`]);
}, 150_000);

describe('n8n killed with -9', () => {
	const KEPT = { saveDataErrorExecution: 'all', saveExecutionProgress: true };

	const crashed = async (id: string): Promise<string> =>
		await waitFor('the crashed execution', WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(id, 'crashed', 'error');
			return newest?.id;
		});

	async function killAndBoot(): Promise<void> {
		await stage.n8n.kill();
		await stage.n8n.boot();
		await stage.n8n.webhookUrl(stage.triggerPath);
	}

	describe.each([
		['as it was', false],
		['with the current workflow', true],
	])('retried %s', (_what, loadWorkflow) => {
		it('while a wrong code is counted: it can be answered when it is retried', async () => {
			const key = `killed, ${loadWorkflow}`;
			const customerNo = newCustomer();
			const id = await called((begin) => chain(key, begin, askNode(customerNo)), KEPT);
			await waits(id);
			door.holdMs = 8_000;
			await stage.type('57', customerNo);
			await hasGot(customerNo, 2);
			await killAndBoot();
			door.holdMs = 0;
			const execution = await crashed(id);
			await stage.type(RIGHT, customerNo);
			await sleepMs(3_000);
			expect(cameOut(key)).toEqual([]);
			void post(`/rest/executions/${execution}/retry`, { loadWorkflow }).catch((error: unknown) =>
				chat.deeds.push({ key, from: 'NOT RETRIED', item: { decision: String(error) } }),
			);
			const messages = await hasGot(customerNo, 3).catch(() => messagesTo(customerNo));
			expect(messages.map(({ mokMessage }) => mokMessage)).toEqual([
				'Pay 250 TL',
				REPLY,
				'Pay 250 TL',
			]);
			await waits(id);
			await stage.type(RIGHT, customerNo);
			expect(await outcome(key)).toEqual([`${AFTER}: codeMatched approved`]);
			expect(deedsOf(key)[0]?.item.input).toEqual(CLAIM);
		}, 200_000);
	});

	it('after an approval, retried with the current workflow: the customer is asked anew, with the same words', async () => {
		const key = 'killed after an approval';
		const customerNo = newCustomer();
		const after = {
			...stage.askNode({ operation: 'send', customerNo, message: 'Done', otpMode: 'none' }),
			name: 'Say so',
		};
		const id = await called(
			(begin) => {
				const { nodes, connections } = chain(key, begin, askNode(customerNo));
				return {
					nodes: [...nodes, after],
					connections: { ...connections, [ASK]: main(['Say so']), 'Say so': main([AFTER]) },
				};
			},
			{ ...KEPT, saveExecutionProgress: false },
		);
		await waits(id);
		door.holdMs = 8_000;
		await stage.type(RIGHT, customerNo);
		await hasGot(customerNo, 2);
		await killAndBoot();
		door.holdMs = 0;
		const execution = await crashed(id);
		void post(`/rest/executions/${execution}/retry`, { loadWorkflow: true }).catch(() => undefined);
		const texts = (await hasGot(customerNo, 3)).map(({ mokMessage }) => mokMessage);
		expect(texts).toEqual(['Pay 250 TL', 'Done', 'Pay 250 TL']);
		await waits(id);
		expect(cameOut(key)).toEqual([]);
		await stage.type(RIGHT, customerNo);
		await outcome(key);
		expect(cameOut(key)).toHaveLength(1);
	}, 200_000);
});

describe.each([
	['as it was', false],
	['with the current workflow', true],
])('retried from the list %s', (_what, loadWorkflow) => {
	it('Send with several items of which one failed: nobody gets the message twice', async () => {
		const list = [newCustomer(), newCustomer(), '99999', newCustomer()];
		const send = {
			...stage.askNode({
				operation: 'send',
				customerNo: '={{ $json.customerNo }}',
				message: 'Hello',
				otpMode: 'none',
				options: { concurrency: 1 },
			}),
			name: 'Send',
		};
		const id = await called(
			(begin) => ({
				nodes: [
					begin,
					setNode(CLAIMING, { list: list.map((customerNo) => ({ customerNo })) }),
					node('Split', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'list', options: {} }),
					send,
				],
				connections: {
					[CALL]: main([CLAIMING]),
					[CLAIMING]: main(['Split']),
					Split: main(['Send']),
				},
			}),
			{ saveDataErrorExecution: 'all' },
		);
		const failures = async (count: number) =>
			await waitFor(`${count} failures`, WITHIN_MS, async () => {
				const failed = await stage.n8n.executions(id, 'error');
				return failed.length >= count ? failed[0]?.id : undefined;
			});
		const got = () => list.map((customerNo) => messagesTo(customerNo).length);
		const failed = await failures(1);
		expect(got()).toEqual([1, 1, 0, 0]);
		await post(`/rest/executions/${failed}/retry`, { loadWorkflow });
		const again = await failures(2);
		await post(`/rest/executions/${again}/retry`, { loadWorkflow });
		await failures(3);
		expect(got()).toEqual([1, 1, 0, 0]);
	}, 100_000);

	it('while it waits: the retry is over at once, and the question can still be answered', async () => {
		const key = `retried while waiting, ${loadWorkflow}`;
		const customerNo = newCustomer();
		const id = await called((begin) => chain(key, begin, askNode(customerNo)));
		const execution = await waits(id);
		await stage.type('57', customerNo);
		await hasGot(customerNo, 2);
		await waits(id);
		await post(`/rest/executions/${execution}/retry`, { loadWorkflow });
		expect(await outcome(key)).toEqual([`${AFTER}: expired`]);
		await stage.type(RIGHT, customerNo);
		expect(await outcome(key, 2)).toEqual([`${AFTER}: expired`, `${AFTER}: codeMatched approved`]);
		expect(messagesTo(customerNo)).toHaveLength(2);
	}, 100_000);
});

describe.each([
	['Send, agent 2.2', { operation: 'send', otpMode: 'none' }, 2.2],
	['Send, agent 3.1', { operation: 'send', otpMode: 'none' }, 3.1],
	['Send and Wait, agent 3.1', {}, 3.1],
] as const)(
	'%s, whose model calls its tool again when it is told of a failure',
	(_what, parameters, version) => {
		it.each([
			['without settings', {}],
			['with Retry On Fail', RETRY],
			['with On Error: Continue', { onError: 'continueRegularOutput' }],
		])(
			'%s: what may have arrived is sent once',
			async (what, settings) => {
				const key = `${_what}, ${what}`;
				const customerNo = newCustomer();
				door.breaksOff = true;
				const { id } = await agentTool(parameters, settings, version).start(key, customerNo);
				await hasGot(customerNo, 1);
				await waitFor('the end', WITHIN_MS, async () =>
					(await stage.n8n.executions(id, 'new', 'running', 'waiting')).length === 0
						? true
						: undefined,
				);
				expect(messagesTo(customerNo)).toHaveLength(1);
			},
			100_000,
		);
	},
);
