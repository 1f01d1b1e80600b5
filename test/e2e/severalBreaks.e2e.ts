import { z } from 'zod';
import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { sleepMs, waitFor } from '../../tools/system';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { breakSqlite, mendSqlite } from './harness/database';
import { customersOf } from './harness/decisions';
import { Door } from './harness/door';
import { Stage } from './harness/waiting';
import {
	ASK,
	asTool,
	behind,
	branches,
	calledTrigger,
	deed,
	deedTool,
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
 * Questions to several people, whose answers are counted by running the waiting node again, and deliveries, with everything
 * that can be set, run, edited, broken and killed meanwhile in a real n8n: nothing is approved with fewer approvals than the
 * rule needs, and nothing leaves before the rule decides.
 */

const CLAIM = { approved: true, data: { approved: true }, amount: '250' };
const CLAIMING = 'Claim';
const AFTER = 'Transfer';
const GIVE_UP = 'Give up';
const REFUSE = 'Refuse';
const FAILED = 'Failed';
const DIYALOG_TOOL = 'n8n-nodes-diyalog.diyalogTool';
const WITHIN_MS = 60_000;
const AT_ONCE = 6;
/** How long counting takes: an execution that has not gone on by then waits again. */
const COUNTS_WITHIN_MS = 4_000;

const customers = customersOf(400);
let nextCustomer = 0;
const newPeople = (count = 3): string[] =>
	Array.from({ length: count }, () => customers[nextCustomer++]?.customerNo ?? '');

const door = new Door();
let stage: Stage;
let chat: ChatServer;

const SETTINGS = {
	EXECUTIONS_DATA_SAVE_ON_PROGRESS: 'true',
	N8N_EXECUTION_DATA_STORAGE_MODE: 'filesystem',
};

beforeAll(async () => {
	chat = await startChatServer({ toolParameters: { amount: '250' }, hitlParameters: {} });
	const serverUrl = await door.open();
	stage = await Stage.set({
		credential: { serverUrl },
		sandbox: { customers },
		settings: SETTINGS,
	});
	door.target = stage.sandbox.url;
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
	await door.close();
}, 60_000);

beforeEach(() => {
	door.breaksOff = false;
	door.holdMs = 0;
	door.concerns = () => true;
});

/** A question to several customers, of whom two have to approve unless the parameters say otherwise. */
const toPeople = (people: readonly string[], parameters: Fields = {}): Fields => ({
	message: '=Pay {{ $json.amount }} TL',
	ask: 'several',
	specifyPeople: 'json',
	peopleJson: JSON.stringify(people),
	rule: 'atLeast',
	approvalsNeeded: 2,
	options: endsWithin(10, 'minutes'),
	...parameters,
});

const claim = (): WorkflowNode => set(CLAIMING, CLAIM);

/** What stands behind each output of a question; Transfer behind the first alone. */
const tellers = (key: string): WorkflowNode[][] =>
	[AFTER, GIVE_UP, REFUSE, FAILED].map((name) => [deed(name, chat.toolUrl, key)]);

/** Claim -> Ask -> Transfer, or what else is done when nothing is approved */
const chain = (key: string, question: WorkflowNode): Row[] => [
	[claim(), question],
	...branches(question, tellers(key)),
];

async function called(rows: readonly Row[], settings: Fields = {}): Promise<string> {
	const { id, url } = await stage.createCalled(rows, settings);
	await fetch(url, { method: 'POST' });
	return id;
}

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());
const patch = async (id: string, body: object): Promise<unknown> =>
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, body, z.unknown());

const newestOf = async (id: string, ...statuses: string[]): Promise<string> =>
	await waitFor(`${statuses.join(' or ')} of ${id}`, WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(id);
		return newest && statuses.includes(newest.status) ? newest.id : undefined;
	});
const waits = async (id: string): Promise<string> => await newestOf(id, 'waiting');
const counts = async (id: string): Promise<string> => await newestOf(id, 'running');

const messagesTo = (customerNo = '') =>
	stage.sandbox.messages().filter((message) => message.customerNo === customerNo);

const hasGot = async (customerNo = '', count = 1) =>
	await waitFor(`message ${count} to ${customerNo}`, WITHIN_MS, () =>
		messagesTo(customerNo).at(count - 1),
	);

/** How many messages each of these has got. */
const got = (people: readonly string[]): number[] =>
	people.map((customerNo) => messagesTo(customerNo).length);

/** The newest message to a person is answered. */
async function press(customerNo = '', button = 'Approve', count = 1): Promise<void> {
	await stage.press(await hasGot(customerNo, count), button);
}

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
			answers: z.array(z.unknown()).optional(),
			input: z.unknown(),
		})
		.passthrough(),
});

const deedsOf = (key: string) =>
	chat.deeds.map((each) => deedSchema.parse(each)).filter((each) => each.key === key);

/** What came out, as words: where, the decision, whether it claims an approval, and how many answers it names. */
const cameOut = (key: string): string[] =>
	deedsOf(key).map(({ from, item }) => {
		const { approved, data, decision, output: said, error, answers } = item;
		const told = /"decision":"(\w+)"/.exec(String(said))?.[1];
		const claims = approved === true || data?.approved === true ? ' approved' : '';
		const what = String(decision ?? told ?? (error === undefined ? JSON.stringify(item) : 'error'));
		return `${from}: ${what}${claims}${answers ? ` by ${answers.length}` : ''}`;
	});

const outcome = async (key: string, count = 1, withinMs = 100_000): Promise<string[]> =>
	await waitFor(`what came out of ${key}`, withinMs, () =>
		cameOut(key).length >= count ? cameOut(key) : undefined,
	);

const ONCE = { executeOnce: true };
const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
const EVERYTHING = { ...ONCE, ...RETRY, onError: 'continueErrorOutput' };

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
	start(key: string, parameters: Fields): Promise<Started>;
	meanwhile?(started: Started): Promise<void>;
}

const production = (way: string, settings: Fields = {}, ofWorkflow: Fields = {}): Way => ({
	way,
	start: async (key, parameters) => ({
		id: await called(chain(key, stage.ask(parameters, settings)), ofWorkflow),
	}),
});

const manual = (
	way: string,
	settings: Fields = {},
	pinData: Fields = {},
	run: Fields = { triggerToStartFrom: { name: 'Start' } },
	ofWorkflow: Fields = {},
): Way => ({
	way,
	start: async (key, parameters) => {
		const rows = behind(manualTrigger(), chain(key, stage.ask(parameters, settings)));
		const definition = { ...workflow('By hand', rows, ofWorkflow), pinData };
		const { id } = await stage.n8n.saveWorkflow(definition);
		await post(`/rest/workflows/${id}/run`, run);
		return { id };
	},
});

const ran = (json: object, source: object[] = []) => [
	{
		startTime: Date.now(),
		executionTime: 1,
		executionIndex: 0,
		executionStatus: 'success',
		source,
		data: { main: [[{ json, pairedItem: { item: 0 } }]] },
	},
];

/** Runs a part of the workflow, up to a node. */
const partially = (destination: string): Fields => ({
	destinationNode: { nodeName: destination, mode: 'inclusive' },
	runData: { Start: ran({}), [CLAIMING]: ran(CLAIM, [{ previousNode: 'Start' }]) },
	dirtyNodeNames: [],
});

const edited = (way: string, change: (id: string) => Promise<unknown>): Way => ({
	...production(way),
	meanwhile: async ({ id }) => void (await change(id)),
});

async function publish(id: string, change: object): Promise<void> {
	await patch(id, change);
	const { versionId } = await stage.saved(id);
	await post(`/rest/workflows/${id}/activate`, { versionId });
}

async function editNode(id: string, change: (node: Fields) => Fields): Promise<void> {
	const { nodes } = await stage.saved(id);
	await publish(id, {
		nodes: nodes.map((each) => (each.name === ASK ? change(each) : each)),
	});
}

async function renameNode(id: string): Promise<void> {
	const { nodes, connections } = await stage.saved(id);
	const renamed = JSON.stringify({ nodes, connections }).replaceAll(`"${ASK}"`, '"Another name"');
	await publish(id, JSON.parse(renamed) as object);
}

const bySubWorkflow = (way: string, isWaitedFor: boolean): Way => ({
	way,
	start: async (key, parameters) => {
		const question = stage.ask(parameters);
		const id = await stage.n8n.createWorkflow(
			workflow('Child', [
				[calledTrigger(), claim(), question],
				...(isWaitedFor ? whicheverWay(question, noOp('End')) : branches(question, tellers(key))),
			]),
		);
		const sub = subWorkflow(id, isWaitedFor);
		await called([isWaitedFor ? [sub, deed('Parent', chat.toolUrl, key)] : [sub]]);
		return isWaitedFor ? { id, from: 'Parent' } : { id };
	},
});

const agentTool = (settings: Fields = {}): Way => ({
	way: 'tool of an agent',
	start: async (key, parameters) => {
		const tool = stage.ask(
			{ toolDescription: 'Asks', ...parameters, message: 'Pay 250 TL' },
			{ type: DIYALOG_TOOL, ...settings },
		);
		const { agent, rows } = await stage.agentWith(tool, chat.url, 3.1);
		const id = await called([[agent, deed(AFTER, chat.toolUrl, key)], ...rows]);
		return { id, from: AFTER, isText: true };
	},
});

const ways: Way[] = [
	production('no settings'),
	production('order v0', {}, { executionOrder: 'v0' }),
	production('all settings of the node', EVERYTHING),
	production('order v0, all settings of the node', EVERYTHING, { executionOrder: 'v0' }),
	production('On Error: Continue', { ...RETRY, onError: 'continueRegularOutput' }),
	production('a timeout of the workflow', {}, { executionTimeout: 3_600 }),
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
	manual('manual run, order v0', {}, {}, undefined, { executionOrder: 'v0' }),
	manual('manual run, input pinned', ONCE, { [CLAIMING]: [{ json: CLAIM }] }),
	manual('partial run up to the node behind', {}, {}, partially(AFTER)),
	bySubWorkflow('sub-workflow that is waited for', true),
	bySubWorkflow('sub-workflow that is not waited for', false),
	agentTool(),
	edited('workflow deactivated and emptied meanwhile', async (id) => {
		await post(`/rest/workflows/${id}/deactivate`, {});
		const { nodes, connections } = workflow('Empty', [[manualTrigger()]]);
		await patch(id, { nodes, connections });
	}),
	edited('node renamed meanwhile', renameNode),
	edited('node made one that asks one person meanwhile', async (id) => {
		await editNode(id, (each) => ({
			...each,
			parameters: { resource: 'otp', operation: 'sendAndWait', customerNo: '70399', message: 'x' },
		}));
	}),
];

const isPartial = ({ way }: Way): boolean => way.startsWith('partial');

/** Runs all ways side by side; what happened in each, or why not. */
async function play<T>(
	one: (way: Way, index: number) => Promise<T>,
): Promise<Map<string, T | Error>> {
	const found = new Map<string, T | Error>();
	await runConcurrently(
		ways.length,
		AT_ONCE,
		async (index) => {
			const way = ways[index];
			if (way) found.set(way.way, await one(way, index).catch((error: unknown) => error as Error));
		},
		() => true,
	);
	return found;
}

describe.each([
	[
		'two approvals of three, a decline between',
		['Approve', 'Decline', 'Approve'],
		'approved approved by 3',
		AFTER,
	],
	['two declines', ['Decline', 'Decline'], 'declined by 2', REFUSE],
	['a report after an approval', ['Approve', "It Wasn't Me"], 'reported by 2', REFUSE],
] as const)('1. several people: %s', (what, buttons, expected, output) => {
	let found: Map<string, unknown>;

	beforeAll(async () => {
		found = await play(async (each) => {
			const key = `${what}, ${each.way}`;
			const people = newPeople();
			const approvalOptions = { values: { offerReport: true } };
			const started = await each.start(key, toPeople(people, { approvalOptions }));
			for (const customerNo of people) await hasGot(customerNo);
			await waits(started.id);
			await each.meanwhile?.(started);
			const early: string[] = [];
			for (const [index, button] of buttons.entries()) {
				await waits(started.id);
				await press(people[index], button);
				if (index === buttons.length - 1) continue;
				await sleepMs(COUNTS_WITHIN_MS);
				early.push(...cameOut(key));
			}
			// Of a partial run nothing behind another output is run.
			if (isPartial(each) && output !== AFTER) await newestOf(started.id, 'success');
			else await outcome(key);
			await sleepMs(1_000);
			const text = started.isText ? expected.replace(' approved by', ' by') : expected;
			return {
				early,
				out: cameOut(key),
				expected: [
					`${started.from ?? output}: ${started.isText ? text.replace(/ by \d$/, '') : text}`,
				],
				messages: got(people),
			};
		});
	}, 400_000);

	it.each(ways)('$way', (each) => {
		const { way } = each;
		const result = found.get(way);
		if (result instanceof Error) throw result;
		const { expected: out } = result as { expected: string[] };
		const nothing = isPartial(each) && output !== AFTER;
		expect(result).toMatchObject({ early: [], out: nothing ? [] : out, messages: [1, 1, 1] });
	});
});

describe.each([
	['delivered', 'delivered', AFTER],
	['not delivered in time', 'notDelivered', GIVE_UP],
] as const)('2. %s', (what, decision, output) => {
	let found: Map<string, unknown>;

	beforeAll(async () => {
		stage.sandbox.setFaults({ phonesOff: output === GIVE_UP });
		found = await play(async (each) => {
			const key = `${what}, ${each.way}`;
			const [customerNo = ''] = newPeople(1);
			const started = await each.start(key, {
				customerNo,
				message: '=Pay {{ $json.amount }} TL',
				responseType: 'delivery',
				options: endsWithin(output === GIVE_UP ? 3 : 60, 'seconds'),
			});
			// What a phone that is off has got, the sandbox does not show.
			if (output !== GIVE_UP) await hasGot(customerNo);
			await each.meanwhile?.(started).catch(() => undefined);
			if (isPartial(each) && output !== AFTER) await newestOf(started.id, 'success');
			else await outcome(key);
			await sleepMs(1_000);
			return { out: cameOut(key), expected: [`${started.from ?? output}: ${decision}`] };
		});
		stage.sandbox.setFaults({ phonesOff: false });
	}, 400_000);

	it.each(ways)('$way', (each) => {
		const result = found.get(each.way);
		if (result instanceof Error) throw result;
		const { out, expected } = result as { out: string[]; expected: string[] };
		expect(out).toEqual(isPartial(each) && output !== AFTER ? [] : expected);
	});
});

describe.each(['v1', 'v0'])('order %s', (executionOrder) => {
	it.each([
		['On Error: Stop', {}, undefined],
		['On Error: Continue', { onError: 'continueRegularOutput' }, GIVE_UP],
		['an error output', { onError: 'continueErrorOutput' }, FAILED],
	])('3. Always Output Data, %s: nothing is sent', async (what, settings, output) => {
		for (const kind of ['several', 'delivery']) {
			// A delivery has two outputs of its own, so that of errors is the third.
			const from = kind === 'delivery' && output === FAILED ? REFUSE : output;
			const expected = from === undefined ? [] : [`${from}: error`];
			const key = `always ${what} ${kind} ${executionOrder}`;
			const people = newPeople();
			const delivery = { customerNo: people[0], message: 'x', responseType: 'delivery' };
			const question = stage.ask(kind === 'several' ? toPeople(people) : delivery, {
				...settings,
				alwaysOutputData: true,
			});
			const id = await called(chain(key, question), { executionOrder });
			await newestOf(id, 'success', 'error');
			expect(cameOut(key)).toEqual(expected);
			expect(got(people)).toEqual([0, 0, 0]);
		}
	});

	it.each([
		['On Error: Continue', { onError: 'continueRegularOutput' }, GIVE_UP],
		['an error output', { onError: 'continueErrorOutput' }, FAILED],
	])(
		'4. too few can be asked, %s, all settings: nobody is asked twice',
		async (what, settings, from) => {
			const key = `few ${what} ${executionOrder}`;
			const [known = ''] = newPeople(1);
			const question = stage.ask(toPeople([known, '99999', '99998']), {
				...RETRY,
				...ONCE,
				...settings,
			});
			await called(chain(key, question), { executionOrder });
			expect(await outcome(key)).toEqual([`${from}: error`]);
			expect(got([known])).toEqual([1]);
			await press(known);
			await sleepMs(1_000);
			expect(cameOut(key)).toHaveLength(1);
		},
	);

	it('5. a loop over items: answers are counted anew for each question', async () => {
		const key = `loop ${executionOrder}`;
		const people = newPeople();
		const turns = loop();
		const question = stage.ask(toPeople(people), EVERYTHING);
		const id = await called(
			[
				[set(CLAIMING, { list: [CLAIM, CLAIM, CLAIM] }), splitOut('list'), turns],
				[output(turns, 1), question],
				...branches(question, tellers(key), turns),
			],
			{ executionOrder },
		);
		for (const [turn, buttons] of [
			['Approve', 'Approve'],
			['Approve', 'Decline', 'Decline'],
			['Decline', 'Approve', 'Approve'],
		].entries()) {
			for (const [index, button] of buttons.entries()) {
				await hasGot(people[index], turn + 1);
				await waits(id);
				// What belongs to the turn before is worth nothing.
				if (turn > 0 && index === 0) await press(people[1], 'Approve', turn);
				await press(people[index], button, turn + 1);
				await sleepMs(COUNTS_WITHIN_MS);
			}
		}
		expect(await outcome(key, 3)).toEqual([
			`${AFTER}: approved approved by 2`,
			`${REFUSE}: declined by 3`,
			`${AFTER}: approved approved by 3`,
		]);
		expect(got(people)).toEqual([3, 3, 3]);
	}, 200_000);

	it('6. two runs of the node in line: each has its own answers', async () => {
		const key = `fork ${executionOrder}`;
		const people = newPeople();
		const fork = node('Fork', 'n8n-nodes-base.if', 2.2, {
			conditions: {
				options: { caseSensitive: true, typeValidation: 'loose', version: 2 },
				conditions: [
					{
						leftValue: '={{ $json.amount }}',
						rightValue: 500,
						operator: { type: 'number', operation: 'gt' },
					},
				],
				combinator: 'and',
			},
		});
		const question = stage.ask(toPeople(people));
		const id = await called(
			[
				[
					set(CLAIMING, { list: [250, 999].map((amount) => ({ ...CLAIM, amount })) }),
					splitOut('list'),
					fork,
				],
				[output(fork, 0), question],
				[output(fork, 1), question],
				...branches(question, tellers(key)),
			],
			{ executionOrder },
		);
		for (const [turn, buttons] of [
			['Decline', 'Decline'],
			['Approve', 'Approve'],
		].entries()) {
			for (const [index, button] of buttons.entries()) {
				await hasGot(people[index], turn + 1);
				await waits(id);
				await press(people[index], button, turn + 1);
				await sleepMs(COUNTS_WITHIN_MS);
			}
		}
		expect((await outcome(key, 2)).sort()).toEqual([
			`${REFUSE}: declined by 2`,
			`${AFTER}: approved approved by 2`,
		]);
		expect(got(people)).toEqual([2, 2, 2]);
	}, 200_000);
});

/* With the older order of execution n8n's Merge node drops what comes to its second input after the execution has waited. */
it('7. two questions in parallel branches with a merge behind them', async () => {
	const key = 'merge';
	const [one, other] = [newPeople(), newPeople()];
	const before = claim();
	const merge = node('Merge', 'n8n-nodes-base.merge', 3.2);
	const [asking, askingToo] = [
		stage.ask(toPeople(one)),
		stage.ask(toPeople(other), { name: 'Ask too' }),
	];
	const id = await called(
		[
			[before, asking, merge, deed(AFTER, chat.toolUrl, key)],
			[output(asking, 2), merge],
			[before, askingToo, input(merge, 1)],
			[output(askingToo, 2), input(merge, 1)],
		],
		{ executionOrder: 'v1' },
	);
	for (let question = 0; question < 2; question++) {
		const people = await waitFor(
			'a question',
			WITHIN_MS,
			() => [one, other].filter((each) => messagesTo(each[2]).length > 0)[question],
		);
		const button = people === one ? 'Approve' : 'Decline';
		for (const customerNo of people.slice(0, 2)) {
			await waits(id);
			await press(customerNo, button);
			await sleepMs(COUNTS_WITHIN_MS);
		}
	}
	expect((await outcome(key, 2)).sort()).toEqual([
		`${AFTER}: approved approved by 2`,
		`${AFTER}: declined by 2`,
	]);
}, 200_000);

describe('Diyalog fails for some of the people', () => {
	it.each([
		['no settings', {}],
		['all settings', EVERYTHING],
	])(
		'8. it does not say what became of some messages, %s: sent once, and whoever got it can answer',
		async (what, settings) => {
			const key = `uncertain ${what}`;
			const people = newPeople();
			door.concerns = (body) => body.includes(people[0] ?? '') || body.includes(people[1] ?? '');
			door.breaksOff = true;
			const id = await called(chain(key, stage.ask(toPeople(people), settings)));
			await waits(id);
			door.breaksOff = false;
			await press(people[0]);
			await sleepMs(COUNTS_WITHIN_MS);
			await waits(id);
			expect(cameOut(key)).toEqual([]);
			await press(people[1]);
			expect(await outcome(key)).toEqual([`${AFTER}: approved approved by 2`]);
			expect(got(people)).toEqual([1, 1, 1]);
		},
	);

	it('9. answers that come before all were asked', async () => {
		const key = 'early';
		const people = newPeople();
		door.concerns = (body) => body.includes(people[2] ?? '');
		// Longer than the trigger takes for three answers that it cannot pass on, and than it lets Diyalog wait.
		door.holdMs = 15_000;
		const id = await called(chain(key, stage.ask(toPeople(people))));
		await press(people[0]);
		await press(people[0], 'Decline');
		await press(people[2]);
		// While it is being asked, n8n has the execution running, and takes no answer.
		expect(cameOut(key)).toEqual([]);
		await counts(id);
		expect(await outcome(key)).toEqual([`${AFTER}: approved approved by 2`]);
		expect(got(people)).toEqual([1, 1, 1]);
	});
});

it('10. the time is up while an answer is counted: expired, and the item names the answer', async () => {
	const key = 'last second';
	const people = newPeople();
	const id = await called(
		chain(key, stage.ask(toPeople(people, { options: endsWithin(6, 'seconds') }))),
	);
	await waits(id);
	const asked = (await hasGot(people[0])).deliveredAt;
	const log = stage.sandbox.webhookLog().length;
	stage.sandbox.setFaults({ unreachable: true });
	await press(people[0]);
	stage.sandbox.setFaults({ unreachable: false });
	const [held] = stage.sandbox.webhookLog().slice(log);
	await sleepMs(asked + 15_000 - Date.now());
	if (held) await stage.sandbox.resendWebhook(held.id);
	expect(await outcome(key)).toEqual([`${GIVE_UP}: expired by 1`]);
	await press(people[1]);
	await sleepMs(2_000);
	expect(cameOut(key)).toHaveLength(1);
}, 150_000);

describe('the database fails', () => {
	afterEach(async () => await mendSqlite(stage.n8n.userFolder));

	it('11. when the execution is to continue, so that an answer is counted: counted once when it is back', async () => {
		const key = 'database, waiting';
		const people = newPeople();
		const id = await called(chain(key, stage.ask(toPeople(people))));
		await waits(id);
		await breakSqlite(stage.n8n.userFolder, 'waiting');
		await press(people[0]);
		await sleepMs(3_000);
		await mendSqlite(stage.n8n.userFolder);
		await sleepMs(2 * COUNTS_WITHIN_MS);
		await waits(id);
		await press(people[0], 'Decline');
		expect(cameOut(key)).toEqual([]);
		await press(people[1]);
		expect(await outcome(key)).toEqual([`${AFTER}: approved approved by 2`]);
	}, 100_000);

	it('12. when what was counted is to be stored: nothing is approved', async () => {
		const key = 'database, running';
		const people = newPeople();
		const id = await called(chain(key, stage.ask(toPeople(people))));
		await waits(id);
		await breakSqlite(stage.n8n.userFolder, 'running');
		await press(people[0]);
		await sleepMs(COUNTS_WITHIN_MS);
		await mendSqlite(stage.n8n.userFolder);
		await press(people[0]);
		await sleepMs(COUNTS_WITHIN_MS);
		expect(cameOut(key)).toEqual([]);
	}, 100_000);
});

describe('n8n killed with -9', () => {
	const KEPT = { saveDataErrorExecution: 'all', saveExecutionProgress: true };

	async function killAndBoot(): Promise<void> {
		await stage.n8n.kill();
		await stage.n8n.boot();
		await stage.n8n.webhookUrl(stage.triggerPath);
	}

	it.each([
		['as it was', false, 'v1'],
		['as it was', false, 'v0'],
		['with the current workflow', true, 'v1'],
		['with the current workflow', true, 'v0'],
	])(
		'13. while an answer is counted, retried %s, order %s: everybody is asked anew',
		async (what, loadWorkflow, executionOrder) => {
			const key = `killed ${what} ${executionOrder}`;
			const people = newPeople();
			const id = await called(chain(key, stage.ask(toPeople(people))), { ...KEPT, executionOrder });
			await waits(id);
			await press(people[0]);
			await counts(id);
			await killAndBoot();
			const execution = await newestOf(id, 'crashed', 'error');
			await press(people[1]);
			await sleepMs(2_000);
			expect(cameOut(key)).toEqual([]);
			void post(`/rest/executions/${execution}/retry`, { loadWorkflow }).catch(() => undefined);
			for (const customerNo of people) await hasGot(customerNo, 2);
			await waits(id);
			await press(people[1], 'Approve', 1);
			await sleepMs(COUNTS_WITHIN_MS);
			await press(people[1], 'Approve', 2);
			await sleepMs(COUNTS_WITHIN_MS);
			expect(cameOut(key)).toEqual([]);
			await waits(id);
			await press(people[2], 'Approve', 2);
			expect(await outcome(key)).toEqual([`${AFTER}: approved approved by 2`]);
			expect(deedsOf(key)[0]?.item.input).toEqual(CLAIM);
		},
		150_000,
	);

	it.each([
		['as it was', false],
		['with the current workflow', true],
	])(
		'14. retried from the list %s while it waits: the retry is over at once, the question goes on',
		async (what, loadWorkflow) => {
			const key = `retried ${what}`;
			const people = newPeople();
			const id = await called(chain(key, stage.ask(toPeople(people))));
			await waits(id);
			await press(people[0]);
			await sleepMs(COUNTS_WITHIN_MS);
			const execution = await waits(id);
			await post(`/rest/executions/${execution}/retry`, { loadWorkflow });
			expect(await outcome(key)).toEqual([`${GIVE_UP}: expired by 1`]);
			await press(people[1]);
			expect(await outcome(key, 2)).toEqual([
				`${GIVE_UP}: expired by 1`,
				`${AFTER}: approved approved by 2`,
			]);
			expect(got(people)).toEqual([1, 1, 1]);
		},
		100_000,
	);

	it('15. while it waits for a delivery of seconds: not delivered, a minute later at most', async () => {
		const key = 'killed delivery';
		const [customerNo] = newPeople(1);
		stage.sandbox.setFaults({ phonesOff: true });
		const delivery = { customerNo, message: 'x', responseType: 'delivery' };
		const id = await called(
			chain(key, stage.ask({ ...delivery, options: endsWithin(20, 'seconds') })),
		);
		await waits(id);
		await killAndBoot();
		expect(await outcome(key, 1, 120_000)).toEqual([`${GIVE_UP}: notDelivered`]);
		stage.sandbox.setFaults({ phonesOff: false });
		await stage.sandbox.flush();
		await sleepMs(2_000);
		expect(cameOut(key)).toHaveLength(1);
	}, 180_000);
});

describe('16. the human review of an agent, which has the fields about several people as well', () => {
	/** The workflow's id, once all who are asked have got the question. */
	async function reviewed(people: readonly string[], parameters: Fields): Promise<string> {
		const review = stage.ask(undefined, {
			type: 'n8n-nodes-diyalog.diyalogHitlTool',
			parameters: {
				message: '=Run {{ $tool.name }}?',
				options: endsWithin(10, 'minutes'),
				...parameters,
			},
		});
		const jsonBody = `={{ { key: 'review', from: 'Tool', item: { output: $fromAI('amount', 'How much', 'string') } } }}`;
		const tool = deedTool('Transfer money', chat.toolUrl, jsonBody);
		const { agent, rows } = await stage.agentWith(review, chat.url);
		const id = await called([[agent], ...rows, [asTool(tool), review]]);
		for (const customerNo of people) await hasGot(customerNo);
		return id;
	}

	it.each([
		['two approvals', 'Approve', 1],
		['two declines', 'Decline', 0],
	])(
		'%s of three',
		async (_what, button, done) => {
			const deeds = chat.deeds.length;
			const people = newPeople();
			const peopleJson = people.map((customerNo) => ({ customerNo }));
			const id = await reviewed(people, { ...toPeople(people), message: 'Run it?', peopleJson });
			await waits(id);
			await press(people[0], button);
			await sleepMs(COUNTS_WITHIN_MS);
			await waits(id);
			expect(chat.deeds).toHaveLength(deeds);
			await press(people[1], button);
			await newestOf(id, 'success');
			expect(chat.deeds).toHaveLength(deeds + done);
			expect(got(people)).toEqual([1, 1, 1]);
		},
		100_000,
	);

	it('a delivery, for instance of a node that was copied: it approves nothing', async () => {
		const deeds = chat.deeds.length;
		const people = newPeople(1);
		const id = await reviewed(people, { customerNo: people[0], responseType: 'delivery' });
		await newestOf(id, 'success');
		expect(chat.deeds).toHaveLength(deeds);
	}, 100_000);
});
