import { randomBytes } from 'node:crypto';
import { SupplyDataContext } from 'n8n-core';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import {
	diyalogTool,
	diyalogTools,
	itemOfCall,
	retryFromList,
	runDiyalogNode,
} from '../../../support/nodeRuntime';
import { FaultyServer } from '../../../support/faultyServer';
import type { Behaviour } from '../../../support/faultyServer';

/* Retry On Fail where the node is the tool of an agent: each try has a run of its own. */

let server: FaultyServer;
let behaviour: Behaviour = { kind: 'resetAfterBody' };

beforeEach(async () => {
	behaviour = { kind: 'resetAfterBody' };
	server = await FaultyServer.start(() => behaviour);
});
afterEach(async () => await server.close());

const setup = (message = 'Pay?', settings = {}) => ({
	parameters: {
		resource: 'otp',
		operation: 'send',
		otpMode: 'none',
		customerNo: '={{ $json.customerNo ?? "70021" }}',
		message,
		options: { maxRetries: 0 },
	},
	credentials: { serverUrl: server.url, botToken: 'token', appSecret: '' },
	settings: { retryOnFail: true, maxTries: 3, waitBetweenTries: 1, ...settings },
});

it('1. what may have arrived is sent once, however often n8n tries', async () => {
	await expect(diyalogTool(setup())({ about: 'a' })).rejects.toThrow(/may have been delivered/);
	expect(server.requests).toBe(1);
});

it('2. also where the text is another one in each try', async () => {
	const tool = diyalogTool(setup('=Pay? {{ Math.random() }}'));
	await expect(tool({ about: 'a' })).rejects.toThrow(/may have been delivered/);
	expect(server.requests).toBe(1);
});

it('3. also when the model asks for the same again', async () => {
	const tool = diyalogTool(setup());
	await expect(tool({ about: 'a' })).rejects.toThrow();
	await expect(tool({ about: 'a' })).rejects.toThrow(/may have been delivered/);
	expect(server.requests).toBe(1);
});

it('4. another call of the model goes out, and so does the same after it was accepted', async () => {
	const tool = diyalogTool(setup());
	await expect(tool({ about: 'a' })).rejects.toThrow();
	behaviour = { kind: 'accept' };
	await tool({ about: 'b' });
	await tool({ about: 'b' });
	expect(server.requests).toBe(3);
});

it('5. what certainly did not arrive is tried again', async () => {
	behaviour = { kind: 'refuse', status: 429, text: '' };
	await expect(diyalogTool(setup())({ about: 'a' })).rejects.toThrow();
	expect(server.requests).toBe(3);
});

it('6. the node in a workflow, with three tries: once', async () => {
	const { error } = await runDiyalogNode(setup());
	expect(error?.message).toContain('may have been delivered');
	expect(server.requests).toBe(1);
});

describe('an agent that works on several items at once', () => {
	it('7. sends to each customer', async () => {
		behaviour = { kind: 'accept' };
		const newTool = diyalogTools(setup());
		const [first, second] = [newTool(), newTool()];
		await first({ customerNo: '70021' });
		await second({ customerNo: '70022' });
		expect(server.requests).toBe(2);
	});

	it.each([
		['8. verifies no code with the words of another call', {}],
		[
			'10. verifies no code with the words of another call, with Retry On Fail',
			{ retryOnFail: true },
		],
	])('%s, also where n8n does not tell that it is a tool', async (_what, settings) => {
		const issue = (customerNo: string, code: string): string => {
			const expiresAtMs = Date.now() + 60_000;
			const issued = { code, customerNo, messageId: 'm', transaction: [], expiresAtMs };
			return issueChallenge(deriveKeys('token'), issued, randomBytes);
		};
		const { prototype } = SupplyDataContext;
		const tells = Object.getOwnPropertyDescriptor(prototype, 'isToolExecution');
		for (const doesTell of [true, false]) {
			if (!doesTell) Reflect.deleteProperty(prototype, 'isToolExecution');
			const newTool = diyalogTools({
				...setup('', settings),
				parameters: {
					resource: 'otp',
					operation: 'verify',
					challenge: '={{ $fromAI("challenge", "", "string") }}',
					code: '={{ $fromAI("code", "", "string") }}',
					customerNo: '={{ $fromAI("customerNo", "", "string") }}',
					transaction: {},
					limits: {},
				},
			});
			const [first, second] = [newTool(), newTool()];
			const right = { challenge: issue('70021', '481516'), code: '481516', customerNo: '70021' };
			const wrong = { challenge: issue('70022', '234200'), code: '000000', customerNo: '70022' };
			try {
				expect(await first(right)).toContain('"valid":true');
				// n8n would give it what was said in the first call.
				expect(await second(wrong)).toContain('said in this call');
			} finally {
				if (tells) Object.defineProperty(prototype, 'isToolExecution', tells);
			}
		}
	});
});

it('9. the model asks for the same again, without Retry On Fail', async () => {
	const tool = diyalogTool(setup('Pay?', { retryOnFail: false }));
	await expect(tool({ about: 'a' })).rejects.toThrow(/may have been delivered/);
	await expect(tool({ about: 'a' })).rejects.toThrow(/may have been delivered/);
	expect(server.requests).toBe(1);
});

it.each(['send', 'sendAndWait'])(
	'11. the model asks for the same again after the execution was stored, as when another tool waits: %s',
	async (operation) => {
		const once = setup('Pay?', { retryOnFail: false, type: 'n8n-nodes-diyalog.diyalogTool' });
		const called = {
			...once,
			credentials: { ...once.credentials, appSecret: 'secret' },
			parameters: { ...once.parameters, responseType: 'approval', operation },
			calledBy: { item: {}, said: { about: 'a' } },
		};
		const { run, error } = await runDiyalogNode(called, [itemOfCall(called)]);
		expect(error?.message).toContain('may have been delivered');
		const again = await retryFromList(called, run);
		expect(again.error?.message).toContain('may have been delivered');
		expect(server.requests).toBe(1);
	},
);
