import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { connect, sleepMs, waitFor } from '../../tools/system';
import { createChain, deedsOf, linksOf } from './harness/chain';
import { Stage } from './harness/waiting';

/*
 * n8n lets an execution go on with what it has read of it, if it waits: also if it waits for the next question by then. What was
 * decided is carried out once all the same, and the next question has all of its own time. All settings of n8n are the usual ones.
 */

let stage: Stage;
let chat: ChatServer;

beforeAll(async () => {
	chat = await startChatServer({});
	stage = await Stage.set();
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);

/** Begins a call whose body does not come yet. The function sends it, and gives the status of the reply. */
async function begin(url: string, body: string, chunked = false): Promise<() => Promise<string>> {
	const { hostname, port, pathname, search } = new URL(url);
	const socket = connect(Number(port), hostname);
	let said = '';
	socket.on('data', (data) => (said += data.toString()));
	socket.on('error', () => undefined);
	const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
	const head = `POST ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n`;
	socket.write(head);
	await sleepMs(1_000);
	return async () => {
		socket.write(chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body);
		await waitFor('a reply', 20_000, () => (said === '' ? undefined : said));
		return said.split(' ')[1] ?? '';
	};
}

it('1. a link is confirmed once more, and refused, by calls that were begun before and whose bodies come late', async () => {
	const workflow = await createChain(stage, chat, 'link', { options: { answerBy: 'link' } });
	const asked = await workflow.start();
	const [yes = '', no = ''] = linksOf(asked);
	const calls = [
		await begin(yes, '{}'),
		await begin(no, '{}'),
		await begin(yes, '{}', true),
		await begin(no, '{"answer":"decline"}', true),
	];
	expect((await fetch(yes, { method: 'POST' })).status).toBe(200);
	await waitFor('the second question', 20_000, () => stage.sandbox.messages()[1]);
	await sleepMs(3_000);
	for (const send of calls) expect(await send()).toBe('400');
	await sleepMs(3_000);
	expect(deedsOf(chat, 'link')).toEqual(['Transfer: approved']);
	expect(await asked.status()).toBe('waiting');
}, 120_000);

it('1b. while nobody has confirmed, a call with a body confirms nothing', async () => {
	const workflow = await createChain(stage, chat, 'body', { options: { answerBy: 'link' } });
	const asked = await workflow.start();
	const [yes = ''] = linksOf(asked);
	expect((await fetch(yes, { method: 'POST', body: 'x' })).status).toBe(400);
	expect(await asked.status()).toBe('waiting');
	const confirmed = await fetch(yes, { method: 'POST' });
	expect([confirmed.status, await confirmed.text()]).toEqual([200, expect.stringContaining('✓')]);
	await sleepMs(2_000);
	expect(deedsOf(chat, 'body')).toEqual(['Transfer: approved']);
}, 120_000);

/** The address that everybody can make of the message ID: see resumeReference.ts. */
function resumeUrlIn(messageId: string): string {
	const [executionId, node = '', , seal = ''] = messageId.split('.');
	const bytes = Buffer.from(seal, 'base64url');
	const hex = Buffer.from(node, 'base64url').toString('hex');
	const nodeId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
	const turn = bytes.subarray(0, 12).toString('base64url');
	const signature = bytes.subarray(12, 44).toString('hex');
	return `${stage.n8n.url}/webhook-waiting/${executionId}/${nodeId}?turn=${turn}&signature=${signature}`;
}

it('2. a customer approves with a tap, and has said before that the time is up', async () => {
	const workflow = await createChain(stage, chat, 'tap', { options: endsWithin(10, 'seconds') });
	const asked = await workflow.start();
	const url = resumeUrlIn(asked.message.messageId);
	const timeIsUp = await begin(url, '{"timeIsUp":true}');
	const inAddress = await begin(`${url}&timeIsUp=1`, '{}');
	const beganMs = Date.now();
	await stage.press(asked.message, 'Approve');
	await sleepMs(21_000 - (Date.now() - beganMs));
	expect([await timeIsUp(), await inAddress()]).toEqual(['401', '401']);
	await sleepMs(3_000);
	expect(deedsOf(chat, 'tap')).toEqual(['Transfer: approved']);
	expect(await asked.status()).toBe('waiting');
}, 120_000);

it('3. a question that is answered just before its end: the next one has all of its own time', async () => {
	const workflow = await createChain(stage, chat, 'timer', { options: endsWithin(60, 'seconds') });
	const asked = await workflow.start();
	const count = stage.sandbox.messages().length;
	await sleepMs(57_000);
	await stage.press(asked.message, 'Approve');
	const second = await waitFor(
		'the second question',
		20_000,
		() => stage.sandbox.messages()[count],
	);
	// The first would have ended by now, however late n8n looks.
	await sleepMs(100_000);
	expect(await asked.status()).toBe('waiting');
	await stage.press(second, 'Approve');
	await waitFor('the end', 20_000, () => deedsOf(chat, 'timer')[1]);
	expect(deedsOf(chat, 'timer')).toEqual(['Transfer: approved', 'Second approved: approved']);
}, 240_000);
