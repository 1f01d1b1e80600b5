import type { INodeParameters } from 'n8n-workflow';
import { retryFromList, runDiyalogNode } from '../../../support/nodeRuntime';
import type { NodeRun } from '../../../support/nodeRuntime';
import { FaultyServer } from '../../../support/faultyServer';
import type { Behaviour } from '../../../support/faultyServer';

/* Send with several items of which one fails, and the execution is retried from the list: nobody gets a message twice. */

const accept: Behaviour = { kind: 'accept' };
const refuse: Behaviour = {
	kind: 'refuse',
	status: 400,
	text: 'The request content was malformed: x',
};
const breakOff: Behaviour = { kind: 'resetAfterBody' };

let server: FaultyServer;
let behaviours: Behaviour[];

beforeEach(async () => {
	behaviours = [];
	server = await FaultyServer.start((number) => behaviours[number - 1] ?? accept);
});
afterEach(async () => await server.close());

const items = [0, 1, 2].map((number) => ({ json: { messageId: `m-${number}` } }));

const setup = (message = 'Pay?', settings = {}) => ({
	parameters: {
		resource: 'otp',
		operation: 'send',
		otpMode: 'none',
		customerNo: '70021',
		message,
		options: { maxRetries: 0, concurrency: 1, messageId: '={{ $json.messageId }}' },
	},
	credentials: { serverUrl: server.url, botToken: 'token', appSecret: '' },
	settings,
});
const times = () => items.map(({ json }) => server.times(json.messageId));

it.each([
	['without Retry On Fail', {}, [refuse]],
	['with it', { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 }, [refuse, refuse]],
])('1. what was accepted is not sent again, %s', async (_what, settings, failures) => {
	behaviours = [accept, ...failures];
	const failed = await runDiyalogNode(setup('Pay?', settings), items);
	expect(failed.error?.message).toContain('could not read the message');
	expect(times()).toEqual([1, 0, 0]);
	const retried = await retryFromList(setup('Pay this?', settings), failed.run);
	expect(retried.items.map(({ json }) => json.messageId)).toEqual(['m-0', 'm-1', 'm-2']);
	expect(times()).toEqual([1, 1, 1]);
});

it('2. what may have arrived is sent again only by somebody who was told so', async () => {
	const side = {
		...setup(),
		parameters: {
			...setup().parameters,
			options: { ...setup().parameters.options, concurrency: 3 },
		},
	};
	behaviours = [breakOff, breakOff, accept];
	const failed = await runDiyalogNode(side, items);
	expect(failed.error?.message).toContain('broke off');
	const before = times();
	expect(before).toEqual([1, 1, 1]);
	const told = await retryFromList(side, failed.run);
	// The first is sent again, because the error was about it; now it is about the second.
	expect(times()).toEqual([2, 1, 1]);
	expect(told.error?.message).toContain('may have been delivered');
	const retried = await retryFromList(side, told.run);
	expect(retried.error).toBeUndefined();
	expect(times()).toEqual([2, 2, 1]);
});

it('3. an execution that succeeded keeps nothing of it', async () => {
	const { run } = await runDiyalogNode(setup(), items);
	expect(JSON.parse(JSON.stringify(run.data.executionData?.contextData))).toEqual({
		'node:Diyalog': { sentMessages: null },
	});
});

describe('another way of sending was chosen before the retry', () => {
	/** As n8n puts the node onto its stack: as it is now. */
	async function retryAs(parameters: INodeParameters, { run }: NodeRun): Promise<NodeRun> {
		const [entry] = run.data.executionData?.nodeExecutionStack ?? [];
		if (entry) Object.assign(entry.node, { parameters });
		return await retryFromList({ ...setup(), parameters }, run);
	}
	const options = { maxRetries: 0, concurrency: 1, messageId: '={{ $json.messageId }}' };
	const otp = {
		resource: 'otp',
		operation: 'send',
		otpMode: 'none',
		customerNo: '70021',
		message: 'Pay?',
		options,
	};
	const message = {
		resource: 'message',
		operation: 'send',
		customerNo: '70021',
		message: 'Pay?',
		options,
	};
	const trigger = { ...message, operation: 'sendAppTrigger', command: 'Open' };

	it.each<[string, INodeParameters, INodeParameters]>([
		['OTP, then Message', otp, message],
		['Message, then OTP', message, otp],
		['Message, then an app trigger', message, trigger],
	])('4. %s: nobody gets a message twice', async (_what, before, now) => {
		behaviours = [accept, refuse];
		const failed = await runDiyalogNode({ ...setup(), parameters: before }, items);
		expect(times()).toEqual([1, 0, 0]);
		const retried = await retryAs(now, failed);
		expect(retried.items.map(({ json }) => json.messageId)).toEqual(['m-0', 'm-1', 'm-2']);
		expect(times()).toEqual([1, 1, 1]);
	});

	it('4b. also not what may have arrived, of which nobody was told', async () => {
		behaviours = [breakOff, breakOff, accept];
		const side = { ...otp, options: { ...options, concurrency: 3 } };
		const failed = await runDiyalogNode({ ...setup(), parameters: side }, items);
		const retried = await retryAs(message, failed);
		expect(times()).toEqual([2, 1, 1]);
		expect(retried.error?.message).toContain('may have been delivered');
	});
});

it.each([
	['verify', { challenge: 'x', code: '1', transaction: {}, limits: {} }, 'malformed'],
	['sendAndWait', { responseType: 'approval' }, 'expired'],
])(
	'%s: what Send has settled is not what the node does now',
	async (operation, parameters, outcome) => {
		behaviours = [accept, refuse];
		const failed = await runDiyalogNode(setup(), items);
		const changed = setup('Pay?', { executeOnce: true });
		const now = {
			...changed,
			credentials: { ...changed.credentials, appSecret: 'secret' },
			parameters: { ...changed.parameters, ...parameters, operation },
		};
		// n8n puts the node onto its stack as it is now.
		const [entry] = failed.run.data.executionData?.nodeExecutionStack ?? [];
		if (entry) Object.assign(entry.node, { parameters: now.parameters, executeOnce: true });
		const retried = await retryFromList(now, failed.run);
		expect(retried.items.map(({ json }) => json.decision ?? json.reason)).toEqual([outcome]);
	},
);
