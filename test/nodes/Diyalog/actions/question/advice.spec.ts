import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { startSandbox } from '../../../../../sandbox/server';
import type { Sandbox } from '../../../../../sandbox/server';
import { startDiyalogNode } from '../../../../support/nodeRuntime';
import { postSigned } from '../../../../support/sign';
import { WaitingInstance } from '../../../../support/waitingInstance';
import { entry, envelope } from '../../../../support/webhookBodies';

/* Advice beside the output of a question, as n8n keeps it with an execution that waits. */

const LONG = 'ş'.repeat(181);
const NO_CALL = /has had no call from Diyalog with this App Secret/;

let sandbox: Sandbox;
let instance: WaitingInstance;
let appSecret: string;

beforeEach(async () => {
	appSecret = randomBytes(16).toString('hex');
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret } }],
	});
});

afterEach(async () => {
	await sandbox.close();
	await instance.close();
});

const credentials = () => ({ serverUrl: sandbox.url, botToken: 'bot-token', appSecret });

async function adviceFor(parameters: INodeParameters): Promise<string[]> {
	const setup = {
		credentials: credentials(),
		parameters: {
			resource: 'message',
			operation: 'sendAndWait',
			customerNo: '70021',
			message: 'Do you approve?',
			...parameters,
		},
	};
	const { run } = await startDiyalogNode(setup, [{ json: {} }], {
		url: instance.url,
		executionId: '1',
	}).done;
	expect(run.waitTill).toBeDefined();
	const tasks = Object.values(run.data.resultData.runData).flat();
	return (tasks.at(-1)?.hints ?? []).map(({ message }) => message);
}

async function call(secret: string): Promise<number> {
	const trigger = await instance.serveTrigger({
		credentials: credentials(),
		parameters: {
			events: ['buttonPressed'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
	});
	const event = entry({ message: { mid: '1', text: '[no-question]:approve' } });
	return (await postSigned(trigger.url, envelope(event), secret)).status;
}

describe('whether Diyalog reaches this n8n', () => {
	it('is doubted until it has called', async () => {
		expect(await adviceFor({})).toEqual([expect.stringMatching(NO_CALL)]);
		expect(await call(appSecret)).toBe(200);
		expect(await adviceFor({})).toEqual([]);
	});

	it('is doubted after a call with another App Secret, which proves nothing', async () => {
		expect(await call('another-secret')).toBe(401);
		expect(await adviceFor({})).toEqual([expect.stringMatching(NO_CALL)]);
	});

	it('does not matter to an answer by a link', async () => {
		expect(await adviceFor({ options: { answerBy: 'link' } })).toEqual([]);
	});
});

describe('what else may leave a question without an answer', () => {
	it.each(['message', 'otp'])('a text that a locked phone cuts, of %s', async (resource) => {
		await call(appSecret);
		expect(await adviceFor({ resource, message: LONG })).toEqual([
			expect.stringMatching(/^The message is longer than about 180 characters/),
		]);
		expect(await adviceFor({ resource, message: LONG.slice(1) })).toEqual([]);
	});

	it('people who could not be asked', async () => {
		await call(appSecret);
		const people =
			'[{ "employeeNo": "E100" }, { "employeeNo": "E999" }, { "customerNo": "70021" }]';
		const several = { ask: 'several', specifyPeople: 'json', peopleJson: people, rule: 'first' };
		const advice = await adviceFor(several);
		expect(advice).toEqual([expect.stringMatching(/^1 of 3 people cannot answer/)]);
		expect(advice.join()).not.toContain('E999');
	});
});
