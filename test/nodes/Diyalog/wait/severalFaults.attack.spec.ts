import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { waitFor } from '../../../../tools/system';
import { Door } from '../../../e2e/harness/door';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/* Several people are asked while Diyalog, or n8n's database, fails for some of what is done. */

const SECRET = randomBytes(16).toString('hex');
const PEOPLE = [
	{ customerNo: '70021', userId: '2074022437' },
	{ customerNo: '70022', userId: '2074022438' },
	{ customerNo: '70023', userId: '2074022439' },
] as const;

const door = new Door();
let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		customers: [...PEOPLE],
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	const serverUrl = await door.open();
	door.target = sandbox.url;
	credentials = { serverUrl, botToken: 'bot-token', appSecret: SECRET };
	trigger = await instance.serveTrigger({
		credentials,
		parameters: {
			events: ['buttonPressed'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
	});
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
	await door.close();
	door.breaksOff = false;
	door.concerns = () => true;
});

const QUESTION: INodeParameters = {
	ask: 'several',
	specifyPeople: 'json',
	peopleJson: JSON.stringify(PEOPLE.map(({ customerNo }) => customerNo)),
	rule: 'atLeast',
	approvalsNeeded: 2,
};

/** Diyalog does not say whether these have got their messages. */
function leaveUncertain(...which: number[]): void {
	door.breaksOff = true;
	door.concerns = (body) => which.some((index) => body.includes(`"${PEOPLE[index]?.customerNo}"`));
}

const messagesTo = (index: number) =>
	sandbox.messages().filter(({ customerNo }) => customerNo === PEOPLE[index]?.customerNo);
const got = () => PEOPLE.map((_, index) => messagesTo(index).length);

async function say(by: number, payload = 'approve'): Promise<unknown> {
	const body = envelope(
		entry(
			{ message: { mid: 'other', text: `[${messagesTo(by).at(-1)?.messageId}]:${payload}` } },
			{ ...PEOPLE[by], timestamp: Date.now() },
		),
	);
	expect((await postSigned(trigger.url, body, SECRET)).status).toBe(200);
	return trigger.executions.flat().at(-1);
}

const waitsAgain = async ({ id }: WaitingExecution) =>
	await waitFor('n8n', 10_000, () => !instance.running.has(id) || undefined);

const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };

it('1. two of three may have got it: they get it once, and can approve', async () => {
	leaveUncertain(0, 1);
	const asked = await instance.ask(credentials, QUESTION, {}, RETRY);
	expect(got()).toEqual([1, 1, 1]);
	expect(await say(0)).toMatchObject({ notResumedReason: 'counted' });
	await waitsAgain(asked);
	expect(await say(0, 'decline')).toMatchObject({ notResumedReason: 'alreadyAnswered' });
	expect(await say(1)).toMatchObject({ resumed: true });
	expect(asked.continuations).toMatchObject([[{ decision: 'approved', answers: [{}, {}] }]]);
});

it('2. the tool of an agent: who may have got it does not get it again, although an answer was counted since', async () => {
	leaveUncertain(0);
	const input: IDataObject = { about: 'a', toolCallId: 'call_1' };
	const tool = { type: 'n8n-nodes-diyalog.diyalogTool' };
	const calledBy = { item: {}, said: { about: 'a' } };
	const asked = await instance.ask(credentials, QUESTION, input, tool, calledBy);
	await say(1);
	await waitsAgain(asked);
	door.breaksOff = false;
	await instance.loop(asked, { ...input, toolCallId: 'call_2' });
	expect(got()).toEqual([1, 2, 2]);
});

it('3. the database fails after n8n has stored that an answer is counted: it is counted when the database is back', async () => {
	const asked = await instance.ask(credentials, QUESTION);
	let failures = 2;
	Object.defineProperty(credentials, 'appSecret', {
		enumerable: true,
		get: () => {
			if (failures > 0 && instance.running.has(asked.id) && failures-- > 0)
				throw new Error('the database fails');
			return SECRET;
		},
	});
	expect(await say(0, 'decline')).toMatchObject({ notResumedReason: 'counted' });
	await waitsAgain(asked);
	expect(failures).toBe(0);
	expect(await say(0)).toMatchObject({ notResumedReason: 'alreadyAnswered' });
	expect(asked.onTimeout[0]?.json).toMatchObject({ answers: [{ decision: 'declined' }] });
});
