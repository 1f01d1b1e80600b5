import { print } from '../../tools/system';
import { nodesRun } from '../../tools/n8n/executions';
import { endOf, Stage } from './harness/waiting';
import type { AskingWorkflow } from './harness/waiting';
import { marked, waysOf } from './harness/workflows';
import type { Fields } from './harness/workflows';
import { endsWithin } from '../support/endsWithin';

/* Send and Wait for Response with the response type Delivery, in production in a real n8n, with phones of the sandbox. */

/** A customer whom Diyalog does not know. */
const NOBODY = '99999';

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set();
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

beforeEach(() => void stage.sandbox.setFaults({ phonesOff: false, unreachable: false }));

const deliver = async (parameters: Fields = {}): Promise<AskingWorkflow> =>
	await stage.createCalled(marked(stage.ask({ responseType: 'delivery', ...parameters })));

it('delivered: the first output, no approval, and nothing out of the trigger', async () => {
	const data = await (await deliver()).run();
	expect(endOf(data)).toMatchObject({
		decision: 'delivered',
		value: 'delivered',
		approved: false,
		data: { approved: false, responder: null },
	});
	expect(waysOf(nodesRun(data))).toEqual([0]);
	expect(await stage.triggered()).toEqual([]);
});

it('read, where no call has told of the delivery', async () => {
	stage.sandbox.setFaults({ unreachable: true });
	const asked = await (await deliver()).start();
	await stage.sandbox.flush();
	expect(await asked.status()).toBe('waiting');
	stage.sandbox.setFaults({ unreachable: false });
	stage.sandbox.markRead({ customerNo: '70021' });
	await stage.sandbox.flush();
	expect(await asked.outcome()).toMatchObject({ decision: 'delivered', value: 'read' });
});

it.each([
	['a delivery', 'delivery', 1, 'notDelivered'],
	// Its answer may be on its way for 10 seconds more.
	['an approval', 'approval', 2, 'expired'],
])('%s that does not come within seconds: the second output', async (...given) => {
	const [, responseType, limitS, decision] = given;
	stage.sandbox.setFaults({ phonesOff: true });
	const workflow = await deliver({ responseType, options: endsWithin(limitS, 'seconds') });
	const beganAtMs = performance.now();
	const data = await workflow.run();
	const tookS = ((performance.now() - beganAtMs) / 1_000).toFixed(1);
	print(`${responseType} within ${limitS} s: the execution has ended after ${tookS} s`);
	expect(endOf(data)).toMatchObject({ decision, approved: false, value: null });
	expect(waysOf(nodesRun(data))).toEqual([1]);
});

it('somebody whom Diyalog does not know: the second output, at once', async () => {
	const data = await (await deliver({ customerNo: NOBODY })).run();
	expect(endOf(data)).toMatchObject({ decision: 'notDelivered', reason: 'unknownPerson' });
	expect(waysOf(nodesRun(data))).toEqual([1]);
});

it('a code in the message: its challenge comes out when it was not delivered', async () => {
	stage.sandbox.setFaults({ phonesOff: true });
	const code = {
		otpMode: 'generate',
		message: 'Your code is {code}.',
		options: endsWithin(1, 'seconds'),
	};
	const data = await (await deliver(code)).run();
	expect(endOf(data)).toMatchObject({
		decision: 'notDelivered',
		challenge: expect.any(String),
		expiresAt: expect.any(String),
	});
});
