import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { freePort } from '../../../../tools/system';
import { WaitingInstance } from '../../../support/waitingInstance';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { TriggerUnderTest } from '../../../support/nodeRuntime';

/* What the trigger does with an answer that an execution waits for, beside the attacks on it. */

const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 10 },
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
});

afterEach(async () => {
	await sandbox.close();
	await instance.close();
});

const parameters = (given: INodeParameters = {}): INodeParameters => ({
	events: ['buttonPressed'],
	authentication: 'signature',
	filters: {},
	options: {},
	...given,
});

async function trigger(given: INodeParameters = {}): Promise<WebhookServer> {
	const server = await instance.serveTrigger({ credentials, parameters: parameters(given) });
	sandbox.setWebhookUrl('bot', server.url);
	return server;
}

async function askAndPress(node: INodeParameters = {}) {
	const execution = await instance.ask(credentials, node);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	sandbox.pressButton({ messageId: message.messageId, button: 0 });
	await sandbox.flush();
	return { execution, message };
}

it('continues the execution and says so; a press of an ordinary message has no such field', async () => {
	const { executions } = await trigger();
	const { execution, message } = await askAndPress();
	expect(execution.continuations).toHaveLength(1);
	sandbox.typeText({ customerNo: '70021', text: '[transfer-17]:approve' });
	await sandbox.flush();
	const [waitedFor, ordinary] = executions.flat();
	expect(waitedFor).toMatchObject({ messageId: message.messageId, resumed: true });
	expect(ordinary).toMatchObject({ messageId: 'transfer-17' });
	expect(ordinary).not.toHaveProperty('resumed');
});

it('a text continues the execution although texts are not among the events', async () => {
	const { executions } = await trigger();
	const execution = await instance.ask(credentials, { responseType: 'freeText' });
	sandbox.typeText({ customerNo: '70021', text: 'Yarın' });
	await sandbox.flush();
	expect(execution.continuations).toEqual([[expect.objectContaining({ value: 'Yarın' })]]);
	expect(executions).toEqual([]);
});

it('Only Unmatched leaves out what continued an execution, and a wrong code, and nothing else', async () => {
	const { executions } = await trigger({
		events: ['buttonPressed', 'textReceived'],
		options: { onlyUnmatched: true },
	});
	const { message } = await askAndPress();
	expect(executions).toEqual([]);
	sandbox.pressButton({ messageId: message.messageId, button: 0 });
	await sandbox.flush();
	expect(executions.flat()).toEqual([
		expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
	]);
	await instance.ask(credentials, { responseType: 'code', expectedCode: '58' });
	sandbox.typeText({ customerNo: '70021', text: '57' });
	await sandbox.flush();
	expect(executions.flat()).toHaveLength(1);
});

it.each([
	['presses', {}],
	['nothing but reads', { events: ['messageRead'] }],
	['other customers', { filters: { customerNumbers: ['1'] } }],
])(
	'an answer that does not get through comes out, also of a trigger for %s',
	async (_what, given) => {
		const server = await serve(
			new TriggerUnderTest(
				{
					credentials,
					parameters: parameters({
						...given,
						options: { n8nAddress: `http://127.0.0.1:${await freePort()}` },
					}),
				},
				undefined,
				{},
				{ url: instance.url },
			),
		);
		sandbox.setWebhookUrl('bot', server.url);
		const { execution } = await askAndPress();
		expect(execution.continuations).toEqual([]);
		expect(server.executions.flat()).toEqual([
			expect.objectContaining({
				payload: 'approve',
				resumed: null,
				notResumedReason: 'kept',
			}),
		]);
		await server.close();
	},
);

it('the same press delivered twice is passed on once', async () => {
	await trigger();
	sandbox.setFaults({ duplicates: true });
	const { execution } = await askAndPress();
	expect(execution.continuations).toHaveLength(1);
	expect(instance.calls).toHaveLength(1);
});

it.each([
	'127.0.0.1:5678',
	'http://127.0.0.1/n8n',
	'http://user:pass@127.0.0.1',
	'ftp://127.0.0.1',
	'x',
])('the address %s is refused when the workflow is published', async (n8nAddress) => {
	await expect(trigger({ options: { n8nAddress } })).rejects.toThrow(
		'N8n Address is not the address of a server',
	);
});
