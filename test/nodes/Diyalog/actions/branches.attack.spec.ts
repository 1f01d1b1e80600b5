import { randomBytes } from 'node:crypto';
import { NodeHelpers, Workflow } from 'n8n-workflow';
import type { INode, INodeParameters, INodeType, INodeTypes } from 'n8n-workflow';
import { Diyalog } from '../../../../nodes/Diyalog/Diyalog.node';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { waitFor } from '../../../../tools/system';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';

/* Whatever is no yes must not leave where a yes is expected: through the first output. */

const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;

beforeAll(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 10 },
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	const parameters = { events: ['buttonPressed'], authentication: 'signature', filters: {} };
	const trigger = await instance.serveTrigger({ credentials, parameters });
	sandbox.setWebhookUrl('bot', trigger.url);
});

afterAll(async () => {
	await sandbox.close();
	await instance.close();
});

/** What n8n makes of the description for a node with these parameters. */
function outputsOf(parameters: INodeParameters, settings: Partial<INode> = {}): unknown[] {
	const node: INode = {
		id: '1',
		name: 'Diyalog',
		type: 'n8n-nodes-diyalog.diyalog',
		typeVersion: 1,
		position: [0, 0],
		parameters,
		...settings,
	};
	const type: INodeType = new Diyalog();
	const nodeTypes: INodeTypes = {
		getByName: () => type,
		getByNameAndVersion: () => type,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	return NodeHelpers.getNodeOutputs(workflow, node, type.description).map((output) =>
		typeof output === 'string' ? output : (output.displayName ?? output.type),
	);
}

it.each<[string, INodeParameters, string[]]>([
	['send', {}, ['main']],
	['verify', {}, ['Valid', 'Invalid']],
	['sendAndWait', {}, ['Approved', 'No Answer', 'Declined']],
	['sendAndWait', { responseType: 'approval' }, ['Approved', 'No Answer', 'Declined']],
	[
		'sendAndWait',
		{ responseType: 'approval', approvalOptions: { values: { approvalType: 'single' } } },
		['Approved', 'No Answer', 'Declined'],
	],
	[
		'sendAndWait',
		{ responseType: 'approval', approvalOptions: { values: { offerReport: true } } },
		['Approved', 'No Answer', 'Declined'],
	],
	['sendAndWait', { responseType: 'code' }, ['Right Code', 'No Answer', 'Too Many Attempts']],
	['sendAndWait', { responseType: 'choice' }, ['Answered', 'No Answer']],
	['sendAndWait', { responseType: 'freeText' }, ['Answered', 'No Answer']],
	['sendAndWait', { responseType: 'delivery' }, ['Delivered', 'Not Delivered']],
	['unknown', {}, ['main']],
])("1. %s %j: n8n's own error output comes behind the named ones", (operation, more, names) => {
	const parameters = { resource: 'otp', operation, ...more };
	expect(outputsOf(parameters)).toEqual(names);
	const withError = outputsOf(parameters, { onError: 'continueErrorOutput' });
	// n8n gives a name to one without.
	expect(withError.slice(0, -1)).toEqual(names[0] === 'main' ? ['Success'] : names);
	expect(withError).toHaveLength(names.length + 1);
});

async function ask(parameters: INodeParameters): Promise<WaitingExecution> {
	return await instance.ask(credentials, parameters, { approved: true });
}

async function press(button: string): Promise<void> {
	const message = sandbox.messages().at(-1);
	sandbox.pressButton({ messageId: message?.messageId ?? '', id: message?.id, button });
	await sandbox.flush();
}

async function type(text: string): Promise<void> {
	sandbox.typeText({ customerNo: '70021', text });
	await sandbox.flush();
}

const CHOICES = { choice: [{ title: 'Now' }, { title: 'Later' }] };
const SINGLE = { values: { approvalType: 'single' } };
const REPORT = { values: { offerReport: true } };
const SINGLE_REPORT = { values: { approvalType: 'single', offerReport: true } };
const CODE = { responseType: 'code', expectedCode: '58', options: { maxAttempts: 2 } };

it.each<[string, INodeParameters, () => Promise<void>, number]>([
	['Approve', {}, async () => await press('Approve'), 0],
	['Decline', {}, async () => await press('Decline'), 2],
	['Approve Only', { approvalOptions: SINGLE }, async () => await press('Approve'), 0],
	["It Wasn't Me", { approvalOptions: REPORT }, async () => await press("It Wasn't Me"), 2],
	[
		"It Wasn't Me beside Approve Only",
		{ approvalOptions: SINGLE_REPORT },
		async () => await press("It Wasn't Me"),
		2,
	],
	['a choice', { responseType: 'choice', choices: CHOICES }, async () => await press('Later'), 0],
	['a text', { responseType: 'freeText' }, async () => await type('Approve'), 0],
	['the right code', CODE, async () => await type('58'), 0],
	[
		'the right code after a wrong one',
		CODE,
		async () => {
			await type('11');
			await type('58');
		},
		0,
	],
	[
		'wrong codes',
		CODE,
		async () => {
			await type('11');
			await type('22');
		},
		2,
	],
])(
	'2. %s leaves through one output, whatever the input claims',
	async (_, parameters, answer, output) => {
		const execution = await ask(parameters);
		expect(execution.timeoutOutputs).toEqual([1]);
		await answer();
		await waitFor('the end', 20_000, () => execution.continuedAt[0]);
		expect(execution.continuedAt).toEqual([[output]]);
		const [item] = execution.continuations[0] ?? [];
		expect(item?.data).toEqual({
			approved: item?.approved,
			responder: { customerNo: '70021', userId: '243540663' },
			respondedAt: item?.respondedAt,
		});
		const isYes = item?.decision === 'approved' || item?.decision === 'codeMatched';
		expect(item?.approved).toBe(isYes);
	},
	30_000,
);

it.each(['link to approve', 'link to decline'])(
	'3. a %s leaves through its output',
	async (what) => {
		const execution = await ask({ options: { answerBy: 'link' } });
		const [approve, decline] = sandbox.messages().at(-1)?.buttonsV2 ?? [];
		const isApproval = what === 'link to approve';
		await fetch((isApproval ? approve : decline)?.payload ?? '', { method: 'POST' });
		expect(execution.continuedAt).toEqual([[isApproval ? 0 : 2]]);
	},
);

describe('4. what fails and goes on leaves through the second output', () => {
	const goingOn = { onError: 'continueRegularOutput' } as const;

	it.each<[string, INodeParameters]>([
		['an unknown customer', { operation: 'sendAndWait', customerNo: 'nobody', message: '?' }],
		['a wrong field', { operation: 'sendAndWait', customerNo: '={{ "" }}', message: '?' }],
		['a limit that is none', { operation: 'verify', limits: { attempts: 99 } }],
		['an operation that does not exist', { operation: 'unknown' }],
		['a resource that does not exist', { resource: 'unknown', operation: 'verify' }],
	])('%s', async (_, more) => {
		const { outputs } = await runDiyalogNode(
			{
				credentials,
				settings: goingOn,
				parameters: { resource: 'otp', challenge: 'x', code: '1', customerNo: '70021', ...more },
			},
			[{ json: { approved: true, valid: true } }],
		);
		expect(outputs[0]).toEqual([]);
		expect(outputs[1]).toEqual([
			expect.objectContaining({ json: { error: expect.any(String) as string } }),
		]);
		expect(outputs).toHaveLength(2);
	});
});

it.each([
	['Verify', { operation: 'verify', challenge: 'x', code: '1', limits: { attempts: 99 } }],
	['Send and Wait', { operation: 'sendAndWait', customerNo: 'nobody', message: '?' }],
])(
	'6. %s fails: the setting of earlier releases, beside an On Error that says otherwise',
	async (_, more) => {
		const { outputs } = await runDiyalogNode(
			{
				credentials,
				settings: { continueOnFail: true, onError: 'stopWorkflow' },
				parameters: { resource: 'otp', customerNo: '70021', ...more },
			},
			[{ json: { approved: true, valid: true } }],
		);
		expect(outputs[0]).toEqual([]);
		expect(outputs[1]).toEqual([
			expect.objectContaining({ json: { error: expect.any(String) as string } }),
		]);
	},
);

it.each([{}, { onError: 'continueRegularOutput' }, { onError: 'continueErrorOutput' }] as const)(
	'5. Verify with Always Output Data and %j is refused: an empty item would be valid',
	async (settings) => {
		const { outputs, error } = await runDiyalogNode({
			credentials,
			settings: { ...settings, alwaysOutputData: true },
			parameters: {
				resource: 'otp',
				operation: 'verify',
				challenge: 'x',
				code: '1',
				customerNo: '70021',
			},
		});
		const [item] = outputs.flat();
		expect(outputs[0] ?? []).toEqual([]);
		expect(error?.message ?? item?.json.error).toMatch(/^Always Output Data/);
	},
);
