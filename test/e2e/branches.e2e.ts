import { endsWithin } from '../support/endsWithin';
import { z } from 'zod';
import { sleepMs } from '../../tools/system';
import { errorOf, errorsOf, firstItemOf, itemsOf, nodesRun } from '../../tools/n8n/executions';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import {
	ANSWERED,
	BY_CODE,
	CHOICE,
	customersOf,
	ended,
	failed,
	hasGot,
	messagesTo,
	nothing,
	pressing,
	SHORT,
	THREE_WRONG,
	typing,
	UNANSWERED,
	waits,
} from './harness/decisions';
import type { Decision } from './harness/decisions';
import { Door } from './harness/door';
import { Stage } from './harness/waiting';
import {
	ASK,
	behind,
	calledTrigger,
	loop,
	manualTrigger,
	marked,
	node,
	noOp,
	output,
	send,
	set,
	splitOut,
	subWorkflow,
	verify,
	waysOf,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/*
 * Every decision leaves through an output of its own. Behind each output stands a node that marks the way, and what counts is
 * which of them ran: behind "Approved", "Right Code" and "Valid" nothing may run but for an approval or a right code.
 */

const AT_ONCE = 6;

/** Says that an earlier step was approved. */
const CLAIM = { approved: true, data: { approved: true } };
/** A customer whom Diyalog does not know. */
const NOBODY = '99999';

const customers = customersOf(900);
let nextCustomer = 0;
const newCustomer = (): string => customers[nextCustomer++]?.customerNo ?? '';

const door = new Door();
let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set({
		credential: { serverUrl: await door.open() },
		sandbox: { customers },
	});
	door.target = stage.sandbox.url;
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await door.close();
}, 60_000);

const REGULAR = { onError: 'continueRegularOutput' };
const ERROR_OUTPUT = { onError: 'continueErrorOutput' };
const ALL_SETTINGS = { executeOnce: true, retryOnFail: true, maxTries: 2, waitBetweenTries: 10 };

/** How a workflow is run. */
interface Mode {
	mode: string;
	byHand: boolean;
	executionOrder: 'v0' | 'v1';
	/** of the node */
	settings?: Fields;
}

const MODES: readonly Mode[] = (['v1', 'v0'] as const).flatMap((executionOrder) => [
	{ mode: `production, order ${executionOrder}`, byHand: false, executionOrder },
	{ mode: `manual, order ${executionOrder}`, byHand: true, executionOrder },
]);
const MORE_MODES: readonly Mode[] = [
	...MODES,
	{
		mode: 'production, an error output',
		byHand: false,
		executionOrder: 'v1',
		settings: { ...ALL_SETTINGS, ...ERROR_OUTPUT },
	},
	{
		mode: 'production, order v0, On Error: Continue',
		byHand: false,
		executionOrder: 'v0',
		settings: { ...ALL_SETTINGS, ...REGULAR },
	},
];

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());

/** Runs a workflow of these rows behind its first node; gives the workflow's id. */
async function run(
	rows: readonly Row[],
	{ byHand, executionOrder }: Omit<Mode, 'mode'>,
): Promise<string> {
	if (!byHand) {
		const { id, url } = await stage.createCalled(rows, { executionOrder });
		await fetch(url, { method: 'POST' });
		return id;
	}
	const rowsByHand = behind(manualTrigger(), rows);
	const definition = workflow('By hand', rowsByHand, { executionOrder });
	const { id } = await stage.n8n.saveWorkflow(definition);
	await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
	return id;
}

const ask = (customerNo: string, parameters: Fields = {}, settings: Fields = {}): WorkflowNode =>
	stage.ask({ customerNo, ...parameters }, settings);

const claimed = (question: WorkflowNode, ...then: WorkflowNode[]): Row[] => [
	[set('Claim', CLAIM), question],
	...marked(question, ...then),
];

interface Found {
	decision: unknown;
	ways: number[];
}

async function decide([, parameters, answer]: Decision, mode: Mode): Promise<Found> {
	const customerNo = newCustomer();
	const question = ask(customerNo, parameters, mode.settings);
	const id = await run(claimed(question), mode);
	if (answer !== nothing) {
		await waits(stage, id);
		await answer(stage, customerNo, id);
	}
	const data = await ended(stage, id);
	const { decision } = z.object({ decision: z.unknown() }).parse(firstItemOf(data, ASK));
	return { decision, ways: waysOf(nodesRun(data)) };
}

describe('each decision leaves through its output and through no other', () => {
	const found = new Map<string, Found | Error>();
	const keyOf = (what: string, mode: string) => `${what}: ${mode}`;

	beforeAll(async () => {
		const cases = (decisions: readonly Decision[]) =>
			decisions.flatMap((decision) => MORE_MODES.map((mode) => ({ decision, mode })));
		const [answered, unanswered] = [cases(ANSWERED), cases(UNANSWERED)];
		const one = async ({ decision, mode }: (typeof answered)[number]) =>
			void found.set(
				keyOf(decision[0], mode.mode),
				await decide(decision, mode).catch((error: unknown) => error as Error),
			);
		// These wait side by side.
		const waiting = unanswered.map(one);
		const work = async (index: number) => {
			const each = answered[index];
			if (each) await one(each);
		};
		await runConcurrently(answered.length, AT_ONCE, work, () => true);
		await Promise.all(waiting);
	}, 600_000);

	describe.each(MORE_MODES)('$mode', ({ mode }) => {
		it.each([...ANSWERED, ...UNANSWERED])('%s', (what, _parameters, _answer, decision, way) => {
			expect(found.get(keyOf(what, mode))).toEqual({ decision, ways: [way] });
		});
	});
});

describe.each(MODES)('several codes in one run: $mode', (mode) => {
	const list = async (attempts: unknown) => {
		const sending = send(stage.credentialId, {
			customerNo: '={{ $json.customerNo }}',
			message: '{code}',
			otpMode: 'generate',
		});
		const to = Array.from({ length: 4 }, () => ({ customerNo: newCustomer() }));
		const items = set('Customers', { list: to });
		const sent = await ended(stage, await run([[items, splitOut('list'), sending]], mode));
		const challenges = z
			.array(z.object({ challenge: z.string(), customerNo: z.string() }))
			.parse(itemsOf(sent, 'Send'));
		return challenges.map(({ challenge, customerNo }, index) => ({
			challenge,
			customerNo,
			// The second is wrong, the third one belongs to somebody else.
			code: index === 1 ? 'wrong' : messagesTo(stage, customerNo).at(-1)?.mokValue,
			...(index === 2 && { customerNo: NOBODY }),
			attempts: index === 1 ? attempts : 5,
		}));
	};
	const verifying = (settings: Fields = {}): WorkflowNode => ({
		...verify(stage.credentialId, {
			challenge: '={{ $json.challenge }}',
			code: '={{ $json.code }}',
			customerNo: '={{ $json.customerNo }}',
			limits: { attempts: '={{ $json.attempts }}' },
		}),
		...settings,
	});
	const verified = async (guesses: unknown, settings?: Fields) => {
		const verification = verifying(settings);
		const rows = [
			[set('Guesses', { list: guesses }), splitOut('list'), verification],
			...marked(verification),
		];
		return await ended(stage, await run(rows, mode));
	};
	const left = (data: string) =>
		[0, 1, 2, 3].map((way) =>
			itemsOf(data, `Output ${way}`).map((item) => {
				const { reason, error } = z.object({ reason: z.unknown(), error: z.unknown() }).parse(item);
				return reason ?? (error === undefined ? item : 'error');
			}),
		);

	it('each leaves as valid or as invalid', async () => {
		const guesses = await list(5);
		expect(left(await verified(guesses))).toEqual([
			['ok', 'ok'],
			['wrongCode', 'otherCustomer'],
			[],
			[],
		]);
		expect(left(await verified(guesses.slice(0, 1)))).toEqual([[], ['used'], [], []]);
	});

	it.each([
		['On Error: Continue', REGULAR, [['ok', 'ok'], ['error', 'otherCustomer'], [], []]],
		['an error output', ERROR_OUTPUT, [['ok', 'ok'], ['otherCustomer'], ['error'], []]],
	])('one of them fails, %s', async (_what, settings, expected) => {
		expect(left(await verified(await list('many'), settings))).toEqual(expected);
	});

	it.each([
		['On Error: Stop', {}, []],
		['On Error: Continue', REGULAR, [1]],
		['an error output', ERROR_OUTPUT, [2]],
	])('Always Output Data, %s: refused, and no try is counted', async (_what, settings, ways) => {
		const guesses = await list(5);
		const data = await verified(guesses, { ...settings, alwaysOutputData: true });
		expect(waysOf(nodesRun(data))).toEqual(ways);
		const [way] = ways;
		const said = way === undefined ? errorsOf(data, 'Verify') : itemsOf(data, `Output ${way}`);
		expect(JSON.stringify(said)).toContain(REFUSAL);
		expect(left(await verified(guesses.slice(0, 1)))).toEqual([['ok'], [], [], []]);
	});
});

const REFUSAL = 'Always Output Data would let an empty item out of the first output';

describe.each(MODES)('what fails: $mode', (mode) => {
	it.each([
		['an approval, On Error: Stop', {}, {}, []],
		['an approval, On Error: Continue', {}, REGULAR, [1]],
		['an approval, an error output', {}, ERROR_OUTPUT, [3]],
		['a code, On Error: Continue', BY_CODE, REGULAR, [1]],
		['a code, an error output', BY_CODE, ERROR_OUTPUT, [3]],
		['a choice, On Error: Continue', CHOICE, REGULAR, [1]],
		['a choice, an error output', CHOICE, ERROR_OUTPUT, [2]],
		['a wrong field, On Error: Continue', { ...BY_CODE, expectedCode: 'x' }, REGULAR, [1]],
		['a wrong field, an error output', { ...BY_CODE, expectedCode: 'x' }, ERROR_OUTPUT, [3]],
	])('%s', async (_what, parameters, settings, ways) => {
		const before = stage.sandbox.messages().length;
		const question = ask(NOBODY, parameters, { ...ALL_SETTINGS, ...settings });
		const data = await ended(stage, await run(claimed(question), mode));
		expect(waysOf(nodesRun(data))).toEqual(ways);
		for (const way of ways) {
			expect(itemsOf(data, `Output ${way}`)).toEqual([{ error: expect.any(String) }]);
		}
		if (ways.length === 0) expect(errorOf(data)).toBeDefined();
		expect(stage.sandbox.messages()).toHaveLength(before);
	});

	it.each([
		['On Error: Stop', {}, []],
		['On Error: Continue', REGULAR, [1]],
		['an error output', ERROR_OUTPUT, [3]],
		['On Error: Continue, all settings', { ...ALL_SETTINGS, ...REGULAR }, [1]],
	])('Always Output Data, %s: refused, and nothing is sent', async (_what, settings, ways) => {
		const customerNo = newCustomer();
		const question = ask(customerNo, {}, { ...settings, alwaysOutputData: true });
		const data = await ended(stage, await run(claimed(question), mode));
		expect(waysOf(nodesRun(data))).toEqual(ways);
		const [way] = ways;
		const said = way === undefined ? errorsOf(data, ASK) : itemsOf(data, `Output ${way}`);
		expect(JSON.stringify(said)).toContain(REFUSAL);
		expect(messagesTo(stage, customerNo)).toEqual([]);
	});

	it.each([
		['On Error: Continue', REGULAR, 1],
		['an error output', ERROR_OUTPUT, 3],
	])('two items, %s: both leave as errors', async (_what, settings, way) => {
		const customerNo = newCustomer();
		const question = ask(customerNo, {}, settings);
		const rows = [
			[set('Claim', { list: [CLAIM, CLAIM] }), splitOut('list'), question],
			...marked(question),
		];
		const data = await ended(stage, await run(rows, mode));
		expect(waysOf(nodesRun(data))).toEqual([way]);
		expect(itemsOf(data, `Output ${way}`)).toHaveLength(2);
		expect(messagesTo(stage, customerNo)).toEqual([]);
	});
});

describe.each(['v1', 'v0'] as const)('order %s', (executionOrder) => {
	const production = { byHand: false, executionOrder };

	it('a loop whose items end in different branches', async () => {
		const to = [newCustomer(), newCustomer(), newCustomer(), newCustomer()];
		const list = to.map((customerNo, index) => ({ customerNo, minutes: index === 1 ? 0.05 : 10 }));
		const values = {
			limitType: 'afterTimeInterval',
			resumeAmount: '={{ $json.minutes }}',
			resumeUnit: 'minutes',
		};
		const question = ask('={{ $json.customerNo }}', { options: { limitWaitTime: { values } } });
		const turns = loop();
		const rows = [
			[set('Claim', { list }), splitOut('list'), turns],
			[output(turns, 1), question],
			...marked(question, turns),
			[turns, noOp('Done')],
		];
		const id = await run(rows, production);
		for (const [index, button] of ['Approve', undefined, 'Decline', 'Approve'].entries()) {
			const message = await hasGot(stage, to[index] ?? '', 1);
			await waits(stage, id);
			if (button) await stage.press(message, button);
		}
		const data = await ended(stage, id);
		const asked = [0, 1, 2, 3].map((way) =>
			z
				.array(z.object({ customerNo: z.string(), decision: z.string() }))
				.parse(itemsOf(data, `Output ${way}`))
				.map(({ customerNo, decision }) => [to.indexOf(customerNo), decision]),
		);
		expect(asked).toEqual([
			[
				[0, 'approved'],
				[3, 'approved'],
			],
			[[1, 'expired']],
			[[2, 'declined']],
			[],
		]);
		expect(itemsOf(data, 'Done')).toHaveLength(4);
	}, 200_000);

	describe.each([
		['approve', {}, pressing('Approve'), 0],
		['decline', {}, pressing('Decline'), 2],
		['three wrong codes', BY_CODE, THREE_WRONG, 2],
	] as const)('a sub-workflow: %s', (_what, parameters, answer, way) => {
		/** What a sub-workflow and its parent have done. */
		async function asked(rowsOf: (question: WorkflowNode) => Row[]) {
			const customerNo = newCustomer();
			const question = ask(customerNo, parameters);
			const rows = [[calledTrigger(), question], ...rowsOf(question)];
			const child = await stage.n8n.createWorkflow(workflow('Child', rows, { executionOrder }));
			const parent = await run(
				[[set('Claim', CLAIM), subWorkflow(child), noOp('Parent')]],
				production,
			);
			await waits(stage, child);
			await waits(stage, parent);
			await answer(stage, customerNo, child);
			return { child: await ended(stage, child), parent: await ended(stage, parent) };
		}

		it('ends in the branch, and its parent goes on with what is there', async () => {
			const { child, parent } = await asked((question) =>
				marked(question).map((row, index) => [...row, set(`End ${index}`, { way: index })]),
			);
			expect(waysOf(nodesRun(child))).toEqual([way]);
			expect(itemsOf(parent, 'Parent')).toEqual([{ way }]);
		}, 200_000);

		it('ends with the question: its parent goes on with an approval, and ends without one', async () => {
			const { parent } = await asked(() => []);
			expect(itemsOf(parent, 'Parent')).toEqual(
				way === 0 ? [expect.objectContaining({ decision: 'approved' })] : [],
			);
		}, 200_000);
	});

	it.each([
		['as it was, approve', false, 'Approve', 0],
		['as it was, decline', false, 'Decline', 2],
		['with the current workflow, approve', true, 'Approve', 0],
		['with the current workflow, decline', true, 'Decline', 2],
	])(
		'failed and retried from the list %s',
		async (_what, loadWorkflow, button, way) => {
			const customerNo = newCustomer();
			door.refuse = { status: 400, headers: {} };
			const id = await run(claimed(ask(customerNo)), production);
			const failure = await failed(stage, id);
			door.refuse = undefined;
			expect(waysOf(nodesRun(await stage.n8n.executionData(failure)))).toEqual([]);
			void post(`/rest/executions/${failure}/retry`, { loadWorkflow }).catch(() => undefined);
			await pressing(button)(stage, customerNo, await waits(stage, id));
			expect(waysOf(nodesRun(await ended(stage, id)))).toEqual([way]);
		},
		100_000,
	);

	describe('no way to make something else leave through the first output', () => {
		it('stopped while it waits, then answered', async () => {
			const customerNo = newCustomer();
			const id = await run(claimed(ask(customerNo)), production);
			await post(`/rest/executions/${await waits(stage, id)}/stop`, {});
			await pressing('Approve')(stage, customerNo, id);
			await sleepMs(1_000);
			expect(await stage.n8n.executions(id)).toHaveLength(1);
			expect(waysOf(nodesRun(await ended(stage, id)))).toEqual([]);
		}, 100_000);

		it('deleted while it waits, then answered', async () => {
			const customerNo = newCustomer();
			const id = await run(claimed(ask(customerNo)), production);
			await post('/rest/executions/delete', { ids: [await waits(stage, id)] });
			await pressing('Approve')(stage, customerNo, id);
			await sleepMs(1_000);
			expect(await stage.n8n.executions(id)).toEqual([]);
		}, 100_000);

		it.each([
			['as it was', false, {}],
			['with the current workflow', true, {}],
			['with the current workflow, which has other settings', true, {}, ERROR_OUTPUT],
			['with the current workflow, in which the customer has to answer otherwise', true, CHOICE],
		])(
			'retried while it waits, %s',
			async (_what, loadWorkflow, changed, settings: Fields = {}) => {
				const customerNo = newCustomer();
				const question = ask(customerNo);
				const id = await run(claimed(question), production);
				const waiting = await waits(stage, id);
				await change(id, { ...question, ...ask(customerNo, changed, settings), id: question.id });
				await post(`/rest/executions/${waiting}/retry`, { loadWorkflow });
				expect(waysOf(nodesRun(await ended(stage, id)))).toEqual([1]);
			},
			100_000,
		);

		it.each([
			['a wrong code', BY_CODE, typing('57')],
			['an approval', {}, pressing('Approve')],
			['nothing', SHORT, nothing],
		])(
			'the credential is gone when there is %s',
			async (_what, parameters, answer) => {
				const customerNo = newCustomer();
				const credential = await stage.n8n.createCredential('Soon gone', {
					serverUrl: stage.sandbox.url,
					botToken: stage.botToken,
					appSecret: stage.appSecret,
				});
				const credentials = { diyalogApi: { id: credential, name: 'Soon gone' } };
				const question = ask(customerNo, parameters, { ...REGULAR, credentials });
				const id = await run(claimed(question), production);
				const waiting = await waits(stage, id);
				await stage.n8n.request(
					'DELETE',
					`/rest/credentials/${credential}`,
					undefined,
					z.unknown(),
				);
				await answer(stage, customerNo, id);
				if (answer === nothing) await ended(stage, id);
				else await sleepMs(5_000);
				const ways = waysOf(nodesRun(await stage.n8n.executionData(waiting)));
				expect(ways.filter((way) => way !== 1)).toEqual([]);
			},
			200_000,
		);

		describe('run by hand from a later node', () => {
			const ran = (main: unknown[][], source: object[]) => [
				{
					startTime: Date.now(),
					executionTime: 1,
					executionIndex: 0,
					executionStatus: 'success',
					source,
					data: { main },
				},
			];
			const item = (json: object) => ({ json, pairedItem: { item: 0 } });

			async function runFrom(
				destination: string,
				before: unknown[],
				asked?: unknown[][],
				settings: Fields = {},
			): Promise<{ data?: string; customerNo: string }> {
				const customerNo = newCustomer();
				const rows = behind(manualTrigger(), claimed(ask(customerNo, {}, settings)));
				const definition = workflow('From a later node', rows, { executionOrder });
				const { id } = await stage.n8n.saveWorkflow({ ...definition, pinData: {} });
				await post(`/rest/workflows/${id}/run`, {
					destinationNode: { nodeName: destination, mode: 'inclusive' },
					runData: {
						Start: ran([[item({})]], []),
						Claim: ran([before], [{ previousNode: 'Start' }]),
						...(asked && { [ASK]: ran(asked, [{ previousNode: 'Claim' }]) }),
					},
					dirtyNodeNames: [],
				}).catch(() => undefined);
				await sleepMs(3_000);
				const [newestOne] = await stage.n8n.executions(id);
				if (!newestOne) return { customerNo };
				return { customerNo, data: await stage.n8n.executionData(newestOne.id) };
			}
			const wayOf = ({ data }: { data?: string }) =>
				data === undefined ? [] : itemsOf(data, 'Output 0');

			it.each([
				['approved', [[item({ decision: 'approved' })]], [{ decision: 'approved' }]],
				['declined', [[], [], [item({ decision: 'declined' })]], []],
				['expired', [[], [item({ decision: 'expired' })]], []],
			])('behind Approved, when it was %s', async (_what, asked, expected) => {
				expect(wayOf(await runFrom('Output 0', [item(CLAIM)], asked))).toEqual(expected);
			});

			it.each([
				['no setting', {}],
				['On Error: Continue', REGULAR],
				['Always Output Data', { alwaysOutputData: true }],
				['Always Output Data, On Error: Continue', { ...REGULAR, alwaysOutputData: true }],
			])('when nothing goes into the question: %s', async (_what, settings) => {
				expect(wayOf(await runFrom('Output 0', [], undefined, settings))).toEqual([]);
			});
		});
	});
});

/** Saves another node in the place of one with the same name. */
async function change(id: string, changed: WorkflowNode): Promise<void> {
	const { nodes } = await stage.saved(id);
	const body = {
		nodes: nodes.map((each) => (each.name === changed.name ? { ...each, ...changed } : each)),
	};
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, body, z.unknown());
}

it('a sub-workflow of an earlier node that ends late answers no question of its parent', async () => {
	const options = endsWithin(30, 'minutes');
	const [one, two, boss] = [newCustomer(), newCustomer(), newCustomer()];
	const child = ask('={{ $json.customerNo }}', { options });
	const childId = await stage.n8n.createWorkflow(
		workflow('Child', [
			[calledTrigger(), child, noOp('Yes')],
			[output(child, 2), set('No', { declinedBy: 'the customer' })],
		]),
	);
	const both = node('Both', 'n8n-nodes-base.executeWorkflow', 1.2, {
		workflowId: { __rl: true, mode: 'id', value: childId },
		mode: 'each',
		options: { waitForSubWorkflow: true },
	});
	const question = ask(boss, { options });
	const list = [one, two].map((customerNo) => ({ customerNo }));
	const id = await run(
		[
			[
				set('List', { list }),
				splitOut('list'),
				both,
				node('One', 'n8n-nodes-base.limit', 1, {}),
				question,
			],
			...marked(question),
		],
		{ byHand: false, executionOrder: 'v1' },
	);
	const [first, second] = await Promise.all([hasGot(stage, one, 1), hasGot(stage, two, 1)]);
	await stage.press(first, 0);
	await hasGot(stage, boss, 1);
	await waits(stage, id);
	await stage.press(second, 1);
	await sleepMs(10_000);
	const [execution] = await stage.n8n.executions(id);
	expect(execution?.status).toBe('waiting');
	expect(waysOf(nodesRun(await stage.n8n.executionData(execution?.id ?? '')))).toEqual([]);
}, 120_000);
