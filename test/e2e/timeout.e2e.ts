import { z } from 'zod';
import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { print, waitFor } from '../../tools/system';
import type { WorkflowDefinition } from '../../tools/n8n/n8n';
import { Stage } from './harness/waiting';
import type { CalledRows } from './harness/waiting';
import {
	ASK,
	asTool,
	behind,
	branches,
	calledTrigger,
	deed,
	deedTool,
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
 * Nobody answers: whatever the settings of node and workflow and whatever runs it, nothing leaves through "Approved", and no
 * item that comes out says approved, although the item that went in does. Short waits are ended by the node itself, longer ones
 * by n8n, which passes on what it has stored. All cases wait side by side.
 */

/** Says that an earlier step was approved. */
const CLAIM = { approved: true, data: { approved: true } };
const WAITS_WITHIN_MS = 30_000;
/** A case may wait twice. */
const ENDS_WITHIN_MS = 240_000;
const UNFINISHED = ['new', 'running', 'waiting'];

const CLAIMING = 'Claim';
const AFTER = 'Transfer';

let stage: Stage;
let chat: ChatServer;

beforeAll(async () => {
	chat = await startChatServer({
		toolParameters: { amount: '250' },
		// A model that was talked into it may claim anything.
		hitlParameters: CLAIM,
	});
	stage = await Stage.set();
}, 900_000);

afterAll(async () => {
	await stage.clear();
	await chat.close();
}, 60_000);

/** How long every case of the table waits now. */
let limitS = 0;

const limitedTo = (amount: number) => endsWithin(amount, 'seconds');

const ask = (key: string, settings: Fields = {}, parameters: Fields = {}): WorkflowNode =>
	stage.ask({ message: key, options: limitedTo(limitS), ...parameters }, settings);

const claim = (): WorkflowNode => set(CLAIMING, CLAIM);
/** Tells what came to it to the test. */
const tell = (name: string, key: string): WorkflowNode => deed(name, chat.toolUrl, key);

const NO_ANSWER = 'No answer';

/** A question, with one node behind each output that tells what came to it: Transfer and Second behind "Approved". */
const told = (key: string, question: WorkflowNode, ...then: WorkflowNode[]): Row[] => [
	...branches(
		question,
		[AFTER, NO_ANSWER, 'Declined', 'Failed'].map((name) => [tell(name, key)]),
		...then,
	),
	[question, tell('Second', key)],
];

/** Claim -> Ask, and what is behind its outputs. */
const chain = (key: string, question: WorkflowNode): Row[] => [
	[claim(), question],
	...told(key, question),
];

/** One line of the table. */
interface Case {
	setting: string;
	way: string;
	/** what has to come out, and at which node behind the question it did */
	expected: string[];
	/** the question is refused before it is sent */
	refused?: boolean;
	/** Starts it; gives the workflows that it runs. */
	start(key: string): Promise<string[]>;
}

async function callProduction(rows: CalledRows, settings: Fields = {}): Promise<string> {
	const { id, url } = await stage.createCalled(rows, settings);
	await fetch(url, { method: 'POST' });
	return id;
}

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());

/** Waits until the customer was asked and the execution waits. */
async function waits(id: string): Promise<string> {
	return await waitFor('the wait', WAITS_WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(id);
		return newest?.status === 'waiting' ? newest.id : undefined;
	});
}

const EXPIRED = [`${NO_ANSWER}: expired`];

/** A production call with settings of the node and of the workflow. */
const called = (
	setting: string,
	settings: Fields,
	ofWorkflow: Fields = {},
	parameters: Fields = {},
	expected = EXPIRED,
): Case => ({
	setting,
	way: 'production webhook',
	expected,
	start: async (key) => [
		await callProduction(chain(key, ask(key, settings, parameters)), ofWorkflow),
	],
});

async function patch(id: string, body: object): Promise<void> {
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, body, z.unknown());
}

const byHandOf = (key: string, settings: Fields): WorkflowDefinition =>
	workflow('By hand', behind(manualTrigger(), chain(key, ask(key, settings))));

const byHand = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'manual run',
	expected: EXPIRED,
	start: async (key) => {
		const { id } = await stage.n8n.saveWorkflow(byHandOf(key, settings));
		await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
		return [id];
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

const partially = (settings: Fields, destination = NO_ANSWER, expected = EXPIRED): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: `partial manual run up to ${destination}`,
	expected,
	start: async (key) => {
		const definition = { ...byHandOf(key, settings), pinData: {} };
		const { id } = await stage.n8n.saveWorkflow(definition);
		await post(`/rest/workflows/${id}/run`, {
			destinationNode: { nodeName: destination, mode: 'inclusive' },
			runData: { Start: ran({}), [CLAIMING]: ran(CLAIM, [{ previousNode: 'Start' }]) },
			dirtyNodeNames: [],
		});
		return [id];
	},
});

const pinnedBefore = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'manual run, input pinned',
	expected: EXPIRED,
	start: async (key) => {
		const pinData = { [CLAIMING]: [{ json: CLAIM }] };
		const { id } = await stage.n8n.saveWorkflow({ ...byHandOf(key, settings), pinData });
		await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
		return [id];
	},
});

const retried = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'retry from the list',
	expected: EXPIRED,
	start: async (key) => {
		// Diyalog does not know the first customer.
		const id = await callProduction(chain(key, ask(key, settings, { customerNo: '99999' })));
		const failed = await waitFor('the failure', WAITS_WITHIN_MS, async () => {
			const [newest] = await stage.n8n.executions(id);
			return newest?.status === 'error' ? newest.id : undefined;
		});
		const { nodes } = await stage.saved(id);
		await patch(id, {
			nodes: nodes.map((each) =>
				each.name === ASK ? { ...each, ...ask(key, settings), id: each.id } : each,
			),
		});
		void post(`/rest/executions/${failed}/retry`, { loadWorkflow: true }).catch(() => undefined);
		return [id];
	},
});

const stoppedAndRetried = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'stopped, then retried',
	expected: EXPIRED,
	start: async (key) => {
		const id = await callProduction(chain(key, ask(key, settings)));
		const execution = await waits(id);
		await post(`/rest/executions/${execution}/stop`, {});
		void post(`/rest/executions/${execution}/retry`, { loadWorkflow: false }).catch(
			() => undefined,
		);
		return [id];
	},
});

const bySubWorkflow = (settings: Fields, ofWorkflow: Fields = {}, isLast = false): Case => ({
	setting: [...Object.keys(settings), ...Object.keys(ofWorkflow)].join() || 'none',
	way: isLast ? 'sub-workflow with nothing behind the question' : 'sub-workflow',
	// The parent gets what came out at the first output of the last node.
	expected: isLast ? [] : ['Parent: expired'],
	start: async (key) => {
		const question = ask(key, settings);
		const rows = [
			[calledTrigger(), claim(), question],
			...(isLast ? [] : whicheverWay(question, noOp('End'))),
		];
		const child = await stage.n8n.createWorkflow(workflow('Child', rows, ofWorkflow));
		const parent = await callProduction([[claim(), subWorkflow(child), tell('Parent', key)]]);
		return [child, parent];
	},
});

const changedMeanwhile = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'deactivated and edited meanwhile',
	expected: EXPIRED,
	start: async (key) => {
		const id = await callProduction(chain(key, ask(key, settings)));
		await waits(id);
		await post(`/rest/workflows/${id}/deactivate`, {});
		const { nodes, connections } = workflow('Empty', [[manualTrigger()]]);
		await patch(id, { nodes, connections });
		return [id];
	},
});

const twoInputs = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'two connections into the node',
	expected: [...EXPIRED, ...EXPIRED],
	start: async (key) => {
		const question = ask(key, settings);
		return [
			await callProduction((call) => [
				[call, claim(), question],
				[call, set('Claim too', CLAIM), question],
				...told(key, question),
			]),
		];
	},
});

const secondTurn = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'second turn of a loop',
	expected: [...EXPIRED, 'Second: approved', 'Transfer: approved'],
	start: async (key) => {
		const turns = loop();
		// Long enough for the answer to the first one.
		const question = ask(key, settings, { options: limitedTo(limitS + 30) });
		const id = await callProduction([
			[set(CLAIMING, { list: [CLAIM, CLAIM] }), splitOut('list'), turns],
			[output(turns, 1), question],
			...told(key, question, turns),
		]);
		await waits(id);
		const message = stage.sandbox.messages().find(({ mokMessage }) => mokMessage === key);
		if (!message) throw new Error('Nobody was asked');
		await stage.press(message, 'Approve');
		return [id];
	},
});

const binary = (settings: Fields): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: 'input with a file',
	expected: EXPIRED,
	start: async (key) => {
		const options = { operation: 'toJson', mode: 'each', options: {} };
		const file = node('File', 'n8n-nodes-base.convertToFile', 1.1, options);
		const claimBesideIt = node(CLAIMING, 'n8n-nodes-base.set', 3.4, {
			mode: 'raw',
			jsonOutput: JSON.stringify(CLAIM),
			includeOtherFields: true,
			options: { stripBinary: false },
		});
		const question = ask(key, settings);
		return [await callProduction([[file, claimBesideIt, question], ...told(key, question)])];
	},
});

/** An agent with the node as its tool, or with a tool behind the node's human review. */
const byAgent = (
	typeVersion: number,
	review: boolean,
	settings: Fields,
	expected: string[],
): Case => ({
	setting: Object.keys(settings).join() || 'none',
	way: `${review ? 'human review' : 'plain tool'} of agent ${typeVersion}`,
	expected,
	start: async (key) => {
		const type = `n8n-nodes-diyalog.diyalog${review ? 'HitlTool' : 'Tool'}`;
		const parameters = review ? {} : { toolDescription: 'Asks the customer' };
		const tool = ask(key, { type, ...settings }, parameters);
		const jsonBody = `={{ { key: '${key}', from: 'Deed', amount: $fromAI('amount', 'How much', 'string') } }}`;
		const reviewed = deedTool('Deed', chat.toolUrl, jsonBody);
		const { agent, rows } = await stage.agentWith(tool, chat.url, typeVersion);
		return [
			await callProduction([
				[claim(), agent, tell(AFTER, key)],
				...rows,
				...(review ? [[asTool(reviewed), tool]] : []),
			]),
		];
	},
});

const ONCE = { executeOnce: true };
const RETRY = { retryOnFail: true, maxTries: 2, waitBetweenTries: 10 };
const REGULAR = { onError: 'continueRegularOutput' };
const ERROR_OUTPUT = { onError: 'continueErrorOutput' };
const EVERYTHING = { ...ONCE, ...RETRY, ...ERROR_OUTPUT };
const ALWAYS = { alwaysOutputData: true };
const NOBODY = { customerNo: '99999' };
const WRONG = { responseType: 'code', expectedCode: 'x' };
const FAILED_REGULAR = [`${NO_ANSWER}: error`];
const failing = ({ onError }: Fields): string[] => {
	if (onError === 'continueErrorOutput') return ['Failed: error'];
	return onError === 'continueRegularOutput' ? FAILED_REGULAR : [];
};
const REFUSED = ['Transfer: the model was told refused'];
const REJECTED = ['Transfer: the model was told rejected'];

const cases: Case[] = [
	called('none', {}),
	called('Execute Once', ONCE),
	called('Retry On Fail', RETRY),
	called('On Error: Stop', { onError: 'stopWorkflow' }),
	called('On Error: Continue', REGULAR),
	called('On Error: Error Output', ERROR_OUTPUT),
	called('all together', EVERYTHING),
	called('order v0', {}, { executionOrder: 'v0' }),
	called('order v0, all together', EVERYTHING, { executionOrder: 'v0' }),
	// n8n counts from the beginning, and ends it when it would go on.
	called('workflow timeout', ONCE, { executionTimeout: 10 }, {}, []),
	called('error workflow', ONCE, { errorWorkflow: 'none' }),
	called('save successful: none', ONCE, { saveDataSuccessExecution: 'none' }),
	called('save failed: none', ONCE, { saveDataErrorExecution: 'none' }),
	called('save progress', ONCE, { saveExecutionProgress: true }),
	called('fails, Stop', {}, {}, NOBODY, []),
	called('fails, Continue', REGULAR, {}, NOBODY, FAILED_REGULAR),
	called('fails, Error Output', ERROR_OUTPUT, {}, NOBODY, ['Failed: error']),
	called('fails, all together', EVERYTHING, {}, NOBODY, ['Failed: error']),
	...[{}, REGULAR, ERROR_OUTPUT, RETRY, { ...EVERYTHING, ...REGULAR }].flatMap((settings) =>
		['v0', 'v1'].map((executionOrder) => ({
			...called(
				`Always Output Data, ${Object.keys(settings).join()}`,
				{ ...ALWAYS, ...settings },
				{ executionOrder },
				{},
				failing(settings),
			),
			refused: true,
		})),
	),
	{ ...byHand(ALWAYS), expected: [], refused: true },
	{ ...partially({ ...ALWAYS, ...REGULAR }, AFTER, []), refused: true },
	called('wrong field, Error Output', ERROR_OUTPUT, {}, WRONG, ['Failed: error']),
	called('wrong field, Continue', REGULAR, {}, WRONG, FAILED_REGULAR),
	...[{}, ONCE].flatMap((settings) => [
		byHand(settings),
		partially(settings),
		partially(settings, AFTER, []),
		pinnedBefore(settings),
		retried(settings),
		stoppedAndRetried(settings),
		bySubWorkflow(settings),
		bySubWorkflow(settings, {}, true),
		changedMeanwhile(settings),
		twoInputs(settings),
		secondTurn(settings),
		binary(settings),
		byAgent(3.1, true, settings, REJECTED),
		byAgent(3.1, false, settings, ['Transfer: the model was told expired']),
		byAgent(2.2, false, settings, REFUSED),
	]),
	bySubWorkflow(ONCE, { saveDataSuccessExecution: 'none' }),
	byAgent(2.2, false, REGULAR, REFUSED),
	byAgent(2.2, false, RETRY, REFUSED),
	byAgent(3.1, true, { ...EVERYTHING, ...ALWAYS }, REJECTED),
];

const deedSchema = z.object({
	key: z.string(),
	from: z.string(),
	item: z.record(z.unknown()).optional(),
});
const claimSchema = z.object({
	approved: z.unknown(),
	data: z.object({ approved: z.unknown() }).partial().optional(),
	decision: z.string().optional(),
	error: z.unknown(),
	output: z.unknown(),
});

interface CameOut {
	text: string;
	approved: boolean;
}

/** What the model was told about its call; it repeats that. */
function heard(output: unknown): string {
	const text = String(output);
	const known: Array<[RegExp, string]> = [
		[/User rejected the tool call/, 'rejected'],
		[/This node cannot wait where it was called/, 'refused'],
		[/"decision":"expired"/, 'expired'],
	];
	const what = known.find(([pattern]) => pattern.test(text))?.[1];
	return what === undefined ? `said ${text}` : `the model was told ${what}`;
}

const unmarked = (item: object): string =>
	Object.keys(item).length === 0 ? 'an empty item' : 'THE INPUT';

/** What came out of a case, as words, and whether it passes for an approval. */
function cameOut(key: string): CameOut[] {
	return chat.deeds
		.map((deed) => deedSchema.parse(deed))
		.filter((deed) => deed.key === key)
		.map(({ from, item }) => {
			if (!item) return { text: `${from}: DONE`, approved: true };
			const { approved, data, decision, error, output } = claimSchema.parse(item);
			const what =
				decision ??
				(error !== undefined ? 'error' : output !== undefined ? heard(output) : unmarked(item));
			const claims = approved === true || data?.approved === true;
			return {
				text: `${from}: ${what}${claims && what !== 'approved' ? ' THAT SAYS APPROVED' : ''}`,
				approved: claims,
			};
		})
		.sort((one, other) => (one.text < other.text ? -1 : 1));
}

const isOver = async (workflows: readonly string[]): Promise<boolean> => {
	for (const id of workflows) {
		if ((await stage.n8n.executions(id, ...UNFINISHED)).length > 0) return false;
	}
	return true;
};

const printTable = (lines: string[][]): void => {
	const widths = [0, 1, 2].map((column) =>
		Math.max(...lines.map((line) => line[column]?.length ?? 0)),
	);
	for (const line of lines) {
		print(line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | '));
	}
};

it.each([
	['the node', 3],
	['n8n', 57],
])(
	'whatever is set and whatever runs it: no item says approved when nobody has answered, and %s ends the %i s',
	async (endedBy, seconds) => {
		limitS = seconds;
		const keyOf = (index: number) => `${endedBy}-${index}`;
		const started: Array<{ key: string; workflows: string[] }> = [];
		for (const [index, { start }] of cases.entries()) {
			const key = keyOf(index);
			// What does not even start is a line of the table too.
			const workflows = await start(key).catch((error: unknown) => {
				chat.deeds.push({ key, from: 'NOT STARTED', item: { decision: String(error) } });
				return [];
			});
			started.push({ key, workflows });
		}
		for (const { key, workflows } of started) {
			await waitFor(`the end of ${key}`, ENDS_WITHIN_MS, async () =>
				(await isOver(workflows)) ? true : undefined,
			).catch(() => undefined);
		}
		const found = cases.map(({ setting, way, expected, refused = expected === REFUSED }, index) => {
			const out = cameOut(keyOf(index));
			// Only the loop is answered, once.
			const approvals = out.filter(({ approved }) => approved).length;
			const texts = out.map(({ text }) => text);
			const asked = stage.sandbox
				.messages()
				.filter(({ mokMessage }) => mokMessage === keyOf(index)).length;
			return { setting, way, texts, expected, approvals, asked, refused };
		});
		printTable([
			['setting', 'way to run', 'what came out'],
			...found.map(({ setting, way, texts }) => [setting, way, texts.join(', ') || 'nothing']),
		]);
		for (const { setting, way, texts, expected, approvals, asked, refused } of found) {
			// Which of the two is quicker, when both are over, is n8n's affair.
			if (setting === 'workflow timeout' && texts.length > 0) {
				expect({ approvals, texts }).toEqual({ approvals: 0, texts: ['No answer: expired'] });
				continue;
			}
			const answers = expected.filter((text) => text.endsWith(': approved')).length;
			expect({ setting, way, texts, approvals }).toEqual({
				setting,
				way,
				texts: [...expected].sort(),
				approvals: answers,
			});
			if (refused) expect({ setting, way, asked }).toEqual({ setting, way, asked: 0 });
		}
	},
	900_000,
);
