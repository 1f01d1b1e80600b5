import { z } from 'zod';
import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { sleepMs, waitFor } from '../../tools/system';
import { Door } from './harness/door';
import { Stage } from './harness/waiting';
import {
	ASK,
	behind,
	branches,
	calledTrigger,
	deed,
	input,
	loop,
	manualTrigger,
	node,
	noOp,
	output,
	set,
	splitOut,
	subWorkflow,
	whicheverWay,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/*
 * Wrong codes, which are counted by running the waiting node again, with everything that can be set, run, edited and killed
 * meanwhile in a real n8n: a wrong code never becomes an approval, and a question that was asked again can be answered.
 */

const CLAIM = { approved: true, data: { approved: true }, amount: '250' };
const RIGHT = '4071';
const REPLY = 'Wrong code';
const CLAIMING = 'Claim';
const AFTER = 'Transfer';
const DIYALOG_TOOL = 'n8n-nodes-diyalog.diyalogTool';
const WITHIN_MS = 40_000;

const customers = Array.from({ length: 100 }, (_, index) => ({
	customerNo: String(70_000 + index),
	userId: String(2_074_022_437 + index),
}));
let nextCustomer = 0;
const newCustomer = (): string => customers[nextCustomer++]?.customerNo ?? '';

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

const ask = (customerNo: string, parameters: Fields = {}, settings: Fields = {}): WorkflowNode =>
	stage.ask(
		{
			customerNo,
			message: '=Pay {{ $json.amount }} TL',
			responseType: 'code',
			expectedCode: RIGHT,
			options: { ...endsWithin(10, 'minutes'), wrongCodeReply: REPLY },
			...parameters,
		},
		settings,
	);

const claim = (): WorkflowNode => set(CLAIMING, CLAIM);
const transfer = (key: string): WorkflowNode => deed(AFTER, chat.toolUrl, key);

const REFUSE = 'Refuse';

/** What stands behind each output of a question; Transfer behind the first alone. */
const tellers = (key: string): WorkflowNode[][] =>
	[AFTER, 'Give up', REFUSE, 'Failed'].map((name) => [deed(name, chat.toolUrl, key)]);

/** Claim -> Ask -> Transfer, or what else is done when there is no right code */
const chain = (key: string, question: WorkflowNode): Row[] => [
	[claim(), question],
	...branches(question, tellers(key)),
];

/** A workflow, called once. */
async function called(rows: readonly Row[], settings: Fields = {}): Promise<string> {
	const { id, url } = await stage.createCalled(rows, settings);
	await fetch(url, { method: 'POST' });
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
};

interface Started {
	/** the workflow that asks */
	id: string;
	/** what tells what came out, if not the node behind the output of the decision */
	from?: string;
	/** what comes out is a model's text, which approves nothing */
	isText?: boolean;
}

interface Way {
	way: string;
	start(key: string, customerNo: string): Promise<Started>;
	meanwhile?(started: Started): Promise<void>;
}

const production = (way: string, settings: Fields = {}, ofWorkflow: Fields = {}): Way => ({
	way,
	start: async (key, customerNo) => ({
		id: await called(chain(key, ask(customerNo, {}, settings)), ofWorkflow),
	}),
});

const manual = (way: string, settings: Fields = {}, pinData: Fields = {}): Way => ({
	way,
	start: async (key, customerNo) => {
		const rows = behind(manualTrigger(), chain(key, ask(customerNo, {}, settings)));
		const { id } = await stage.n8n.saveWorkflow({ ...workflow('By hand', rows), pinData });
		await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
		return { id };
	},
});

const edited = (way: string, change: (id: string) => Promise<unknown>): Way => ({
	...production(way),
	meanwhile: async ({ id }) => void (await change(id)),
});

const bySubWorkflow = (way: string, waits: boolean): Way => ({
	way,
	start: async (key, customerNo) => {
		const question = ask(customerNo);
		const id = await stage.n8n.createWorkflow(
			workflow('Child', [
				[calledTrigger(), claim(), question],
				// The parent gets what comes out of the last node at its first output.
				...(waits ? whicheverWay(question, noOp('End')) : branches(question, tellers(key))),
			]),
		);
		const sub = subWorkflow(id, waits);
		await called([waits ? [sub, deed('Parent', chat.toolUrl, key)] : [sub]]);
		return waits ? { id, from: 'Parent' } : { id };
	},
});

const agentTool = (parameters: Fields = {}, settings: Fields = {}, typeVersion = 3.1): Way => ({
	way: 'tool of an agent',
	start: async (key, customerNo) => {
		const tool = ask(
			customerNo,
			{ toolDescription: 'Asks the customer', message: 'Pay 250 TL', ...parameters },
			{ type: DIYALOG_TOOL, ...settings },
		);
		const { agent, rows } = await stage.agentWith(tool, chat.url, typeVersion);
		const id = await called([[agent, transfer(key)], ...rows]);
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
	bySubWorkflow('sub-workflow that is waited for', true),
	bySubWorkflow('sub-workflow that is not waited for', false),
	agentTool(),
	edited('workflow deactivated and emptied meanwhile', async (id) => {
		await post(`/rest/workflows/${id}/deactivate`, {});
		const { nodes, connections } = workflow('Empty', [[manualTrigger()]]);
		await patch(id, { nodes, connections });
	}),
	edited('node made one that sends only, meanwhile', async (id) => {
		const parameters = {
			resource: 'otp',
			operation: 'send',
			customerNo: '70099',
			message: 'x',
			otpMode: 'none',
		};
		const { nodes } = await stage.saved(id);
		await patch(id, {
			nodes: nodes.map((each) => (each.name === ASK ? { ...each, parameters } : each)),
		});
		const { versionId } = await stage.saved(id);
		await post(`/rest/workflows/${id}/activate`, { versionId });
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
			const from = started.from ?? (expected === 'tooManyAttempts' ? REFUSE : AFTER);
			expect(await outcome(key)).toEqual([`${from}: ${found}`]);
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
	const before = claim();
	const merge = node('Merge', 'n8n-nodes-base.merge', 3.2);
	const [asking, askingToo] = [ask(one), ask(other, {}, { name: 'Ask too' })];
	const id = await called([
		[before, asking, merge, transfer(key)],
		[output(asking, 2), merge],
		[before, askingToo, input(merge, 1)],
		[output(askingToo, 2), input(merge, 1)],
	]);
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
	const turns = loop();
	const question = ask(customerNo, {}, EVERYTHING);
	const id = await called([
		[set(CLAIMING, { list: [CLAIM, CLAIM, CLAIM] }), splitOut('list'), turns],
		[output(turns, 1), question],
		...branches(question, tellers(key), turns),
	]);
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
		`${REFUSE}: tooManyAttempts`,
		`${AFTER}: codeMatched approved`,
	]);
}, 200_000);

it('time is up after a wrong code: expired', async () => {
	const key = 'wrong, then nothing';
	const customerNo = newCustomer();
	const options = { ...endsWithin(0.2, 'minutes'), wrongCodeReply: REPLY };
	const id = await called(chain(key, ask(customerNo, { options }, EVERYTHING)));
	await waits(id);
	await stage.type('57', customerNo);
	await hasGot(customerNo, 2);
	expect(await outcome(key)).toEqual(['Give up: expired']);
}, 150_000);

it('Diyalog takes no more messages for half a minute: the right code is taken all the same', async () => {
	const key = 'deaf';
	const customerNo = newCustomer();
	const id = await called(chain(key, ask(customerNo)));
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
		['as it was', false, 'v1'],
		['as it was', false, 'v0'],
		['with the current workflow', true, 'v1'],
		['with the current workflow', true, 'v0'],
	])('retried %s, %s, order %s', (_what, loadWorkflow, executionOrder) => {
		it('while a wrong code is counted: it can be answered when it is retried', async () => {
			const key = `killed, ${loadWorkflow}, ${executionOrder}`;
			const customerNo = newCustomer();
			const id = await called(chain(key, ask(customerNo)), { ...KEPT, executionOrder });
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
		const sayDone = stage.send({ customerNo, message: 'Done', otpMode: 'none' });
		const id = await called([[claim(), ask(customerNo), sayDone, transfer(key)]], {
			...KEPT,
			saveExecutionProgress: false,
		});
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
		const send = stage.send({
			customerNo: '={{ $json.customerNo }}',
			message: 'Hello',
			otpMode: 'none',
			options: { concurrency: 1 },
		});
		const items = set(CLAIMING, { list: list.map((customerNo) => ({ customerNo })) });
		const id = await called([[items, splitOut('list'), send]], { saveDataErrorExecution: 'all' });
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
		const id = await called(chain(key, ask(customerNo)));
		const execution = await waits(id);
		await stage.type('57', customerNo);
		await hasGot(customerNo, 2);
		await waits(id);
		await post(`/rest/executions/${execution}/retry`, { loadWorkflow });
		expect(await outcome(key)).toEqual(['Give up: expired']);
		await stage.type(RIGHT, customerNo);
		expect(await outcome(key, 2)).toEqual(['Give up: expired', `${AFTER}: codeMatched approved`]);
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
