import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { IDataObject, INode, INodeParameters } from 'n8n-workflow';
import { fromMessageId } from '../../../../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../../../../sandbox/server';
import type { Sandbox } from '../../../../../sandbox/server';
import { runDiyalogNode } from '../../../../support/nodeRuntime';
import { WaitingInstance } from '../../../../support/waitingInstance';
import type { WaitingExecution } from '../../../../support/waitingInstance';

/* Attacks on what n8n stores of an execution that waits. Two e2e tests, timeout and nodeNames, do the same in n8n. */

const SECRET = randomBytes(16).toString('hex');
const CLAIM = { approved: true, data: { approved: true } };

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

const ask = async (
	settings: Partial<INode>,
	parameters: INodeParameters = {},
): Promise<WaitingExecution> => await instance.ask(credentials, parameters, CLAIM, settings);

/** Runs a node whose customer Diyalog does not know. */
const fail = async (settings: Partial<INode>, parameters: INodeParameters = {}) =>
	await runDiyalogNode(
		{
			credentials,
			settings,
			parameters: {
				resource: 'otp',
				operation: 'sendAndWait',
				customerNo: 'nobody',
				message: 'Do you approve?',
				...parameters,
			},
		},
		[{ json: CLAIM }],
	);

const press = async (): Promise<void> => {
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	sandbox.pressButton({ messageId: message.messageId, id: message.id, button: 'Approve' });
	await sandbox.flush();
};

it.each([
	['Execute Once', { executeOnce: true }],
	['Execute Once and Retry On Fail', { executeOnce: true, retryOnFail: true }],
	['On Error: Continue', { onError: 'continueRegularOutput' }],
	['On Error: Error Output', { onError: 'continueErrorOutput' }],
] as const)('1. the time is up with %s: what comes out is no approval', async (_what, settings) => {
	const { onTimeout, timeoutOutputs } = await ask(settings);
	expect(timeoutOutputs).toEqual([1]);
	expect(onTimeout).toEqual([
		{
			json: expect.objectContaining({
				data: { approved: false, responder: null, respondedAt: null },
				approved: false,
				decision: 'expired',
				input: CLAIM,
			}),
			pairedItem: { item: 0 },
		},
	]);
});

it.each([
	['a customer unknown to Diyalog', {}],
	['a wrong field', { responseType: 'code', expectedCode: 'x' }],
])('2. %s: the error output does not carry an approval of an earlier step', async (_what, more) => {
	const { run } = await fail({ onError: 'continueErrorOutput' }, more);
	const main = run.data.resultData.runData.Diyalog?.[0]?.data?.main ?? [];
	const failed = main.pop();
	expect(main).toEqual(main.map(() => []));
	expect(main).toHaveLength(3);
	expect(failed).toEqual([{ json: { error: expect.any(String) }, pairedItem: { item: 0 } }]);
});

it.each([
	['stops', {}],
	['goes on', { onError: 'continueRegularOutput' }],
	['has an error output', { onError: 'continueErrorOutput' }],
] as const)(
	'10. Always Output Data would let an empty item out of Approved: refused, when the workflow %s',
	async (_what, settings) => {
		const sent = sandbox.messages().length;
		const { outputs, error } = await fail({ ...settings, alwaysOutputData: true });
		const [item] = outputs.flat();
		expect(outputs[0] ?? []).toEqual([]);
		expect(outputs.flat()).toHaveLength('onError' in settings ? 1 : 0);
		expect(error?.message ?? item?.json.error).toMatch(
			/^Always Output Data would let an empty item out/,
		);
		expect(sandbox.messages()).toHaveLength(sent);
	},
);

it('3. a message that was not sent leaves the input as it was, for Retry On Fail and for a retry from the list', async () => {
	const { run, error } = await fail({ executeOnce: true });
	expect(error).toBeDefined();
	const [entry] = run.data.executionData?.nodeExecutionStack ?? [];
	expect(entry?.data.main).toEqual([[expect.objectContaining({ json: CLAIM })]]);
	expect(entry?.source?.main).toHaveLength(1);
	const kept: unknown = run.data.executionData?.contextData['node:Diyalog'];
	expect(JSON.parse(JSON.stringify(kept))).toEqual({ sentMessages: null });
});

/** What every object of JavaScript has: n8n does not find nodes of these names, or lets no expression read them. */
const RESERVED = [
	'__proto__',
	'constructor',
	'prototype',
	'toString',
	'toLocaleString',
	'valueOf',
	'hasOwnProperty',
	'isPrototypeOf',
	'propertyIsEnumerable',
];

/** Texts that mean something to n8n's expressions or to JavaScript, between any others. */
const PARTS = [
	'}}',
	'{{',
	'"',
	"'",
	'`',
	'\\',
	'\u2028',
	'\u2029',
	'\n',
	'${',
	'//',
	'/*',
	']',
	'\ud83d',
];
const names = fc.oneof(
	fc
		.array(fc.oneof(fc.constantFrom(...PARTS), fc.string({ unit: 'binary', maxLength: 3 })), {
			minLength: 1,
			maxLength: 8,
		})
		.map((parts) => parts.join('')),
	fc.constantFrom(...RESERVED, 'length'),
);

it('4. whatever the node is named: its question can be answered, or it is not sent', async () => {
	let refused = 0;
	await fc.assert(
		fc.asyncProperty(names, async (name) => {
			fc.pre(name !== 'Input');
			const sent = sandbox.messages().length;
			const execution = await ask({ name }).catch(() => undefined);
			if (!execution) {
				refused++;
				expect(sandbox.messages()).toHaveLength(sent);
				expect(RESERVED).toContain(name);
				return;
			}
			await press();
			expect(execution).toMatchObject({
				continuations: [[{ decision: 'approved', input: CLAIM }]],
			});
		}),
		{
			numRuns: 60,
			examples: [['__proto__'], ['constructor'], ['a}}b'], ['\u2028']].map(([n]) => [n ?? '']),
		},
	);
	expect(refused).toBeGreaterThan(0);
}, 60_000);

it.each(['a', 'ask-2_b', 'ask.1', 'a b', 'ç', 'a%b', 'a@b', 'a?b', randomUUID()])(
	'5. with the node id %s the question can be answered',
	async (id) => {
		const execution = await ask({ id });
		await press();
		expect(execution.continuations).toEqual([[expect.objectContaining({ approved: true })]]);
	},
);

it.each([
	['a UUID in capitals', randomUUID().toUpperCase(), 'The ID of this node is too long'],
	['300 characters', 'x'.repeat(300), 'The ID of this node is too long'],
	['a slash', 'a/b', 'The ID of this node cannot stand in an address'],
	['two dots', '..', 'The ID of this node cannot stand in an address'],
	['nothing', '', 'The ID of this node cannot stand in an address'],
])(
	'6. a node id with %s is refused with the true reason, before it is sent',
	async (_what, id, reason) => {
		const sent = sandbox.messages().length;
		await expect(ask({ id })).rejects.toMatchObject({
			message: expect.stringContaining(reason),
		});
		expect(sandbox.messages()).toHaveLength(sent);
	},
);

it('7. what went in is stored once, however large: in the context and in what comes out it is the same object', async () => {
	const { run } = await fail({}, { customerNo: '70021' });
	const { contextData, nodeExecutionStack } = run.data.executionData ?? {};
	const kept = contextData?.['node:Diyalog']?.diyalogInput;
	expect(kept).toEqual(CLAIM);
	expect(nodeExecutionStack?.[0]?.data.main?.[1]?.[0]?.json.input).toBe(kept);
	expect(run.data.resultData.runData.Diyalog?.[0]?.data?.main?.[1]?.[0]?.json.input).toBe(kept);
});

describe('an item that pretends to be a wrong code', () => {
	const CODE = { responseType: 'code', expectedCode: '58' };

	/** What anybody can make who knows the messageId of a question. */
	function imitation(messageId: string): IDataObject {
		const reference = fromMessageId(messageId, [SECRET]);
		return { diyalogAgain: { turn: reference?.turn ?? '', wrongCode: 'x' } };
	}

	it('8. a loop comes back with it: no question that is over is asked again', async () => {
		const execution = await ask({}, CODE);
		const first = sandbox.messages().at(-1);
		const sent = sandbox.messages().length;
		const again = await instance.loop(execution, imitation(first?.messageId ?? ''));
		expect(sandbox.messages()).toHaveLength(sent);
		expect(again.waitTill).toBeUndefined();
		expect(again.data.resultData.error?.message).toContain('question that is over');
	});

	it('9. a loop comes back with the turn of another question: this one is asked anew', async () => {
		const other = await ask({}, CODE);
		const otherId = sandbox.messages().at(-1)?.messageId ?? '';
		const execution = await ask({}, CODE);
		const again = await instance.loop(execution, imitation(otherId));
		expect(again.waitTill).toBeDefined();
		expect(sandbox.messages().at(-1)).toMatchObject({ mokMessage: 'Do you approve?' });
		expect(other.continuations).toEqual([]);
	});
});
