import { randomBytes } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { passOn } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { sleepMs, waitFor } from '../../../../tools/system';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';

/*
 * One call of a process leaves a question as it waits at that time. Whatever is counted, or cannot be counted, the question can be
 * answered afterwards.
 */

const SECRET = randomBytes(16).toString('hex');
const PEOPLE = [
	{ employeeNo: 'E100', userId: '3021457781' },
	{ employeeNo: 'E101', userId: '3187702265' },
	{ employeeNo: 'E102', userId: '3390118846' },
] as const;

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

const waitsAgain = async ({ id }: WaitingExecution) =>
	await waitFor('the wait', 20_000, () => (instance.running.has(id) ? undefined : true));

/** Posts an answer as any process of n8n would that a trigger runs in. */
async function answer(
	{ id }: WaitingExecution,
	messageId: string,
	said: { kind: 'text' | 'press'; text: string; userId: string; customerNo: string | null },
	occurredAt: string,
): Promise<string> {
	const reference = fromMessageId(messageId, [SECRET]);
	if (!reference) throw new Error('The messageId is no reference');
	const { turn, number } = reference;
	const given = { ...said, turn, number, payloadSignature: 'notChecked' as const, occurredAt };
	const response = await fetch(resumeUrlOf(reference, `${instance.url}/webhook-waiting`), {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ answers: [passOn(given, id, SECRET)] }),
	});
	return await response.text();
}

const decisions = ({ continuations }: WaitingExecution): unknown[] =>
	continuations.flat().map(({ decision }) => decision);

it('1. an answer of several people could not be counted: others decide, and nobody hears for ever that one is on its way', async () => {
	const own = { ...credentials };
	const execution = await instance.ask(own, {
		resource: 'message',
		ask: 'several',
		specifyPeople: 'json',
		peopleJson: PEOPLE.map(({ employeeNo }) => ({ employeeNo })),
		rule: 'atLeast',
		approvalsNeeded: 2,
	} as INodeParameters);
	const byNumber = new Map(
		sandbox.messages().map(({ messageId }) => {
			return [fromMessageId(messageId, [SECRET])?.number, messageId] as const;
		}),
	);
	const approve = async (by: 0 | 1 | 2): Promise<string> => {
		const { userId } = PEOPLE[by];
		const said = { kind: 'press', text: 'approve', userId, customerNo: null } as const;
		return await answer(execution, byNumber.get(by) ?? '', said, new Date().toISOString());
	};
	instance.storesAfterMs = 200;
	const first = approve(0);
	await sleepMs(100);
	// While the node runs again it cannot read what was counted.
	own.appSecret = 'another-one';
	expect(await first).toContain('"counted"');
	await waitsAgain(execution);
	own.appSecret = SECRET;
	expect(await approve(1)).toContain('"counted"');
	await waitsAgain(execution);
	expect(await approve(2)).toContain('"accepted":true');
	expect(decisions(execution)).toEqual(['approved']);
}, 60_000);

it('2. a wrong code, another one, and the first again by another process: the right code is taken', async () => {
	const execution = await instance.ask(credentials, {
		responseType: 'code',
		expectedCode: '482913',
		options: { maxAttempts: 6 },
	});
	const messageId = sandbox.messages().at(-1)?.messageId ?? '';
	const type = async (text: string, at: number): Promise<string> => {
		await waitsAgain(execution);
		const said = { kind: 'text', text, userId: '243540663', customerNo: '70021' } as const;
		return await answer(execution, messageId, said, new Date(at).toISOString());
	};
	const now = Date.now();
	for (const [index, code] of ['111111', '222222', '111111'].entries())
		expect(await type(code, now + (index % 2))).toContain('"wrongCode"');
	expect(await type('482913', Date.now())).toContain('"accepted":true');
	expect(decisions(execution)).toEqual(['codeMatched']);
}, 60_000);
