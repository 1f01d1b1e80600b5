import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { hmacSha1 } from '../support/sign';
import { entry, envelope } from '../support/webhookBodies';
import { sleepMs, waitFor } from '../../tools/system';
import { createChain, deedsOf, linksOf } from './harness/chain';
import { Stage } from './harness/waiting';
import { node } from './harness/workflows';

/*
 * n8n has room for one execution at a time (N8N_CONCURRENCY_PRODUCTION_LIMIT) and holds answers back, also beyond the end of their
 * question. What was decided is carried out once, and nothing else beside it.
 */

let stage: Stage;
let chat: ChatServer;

beforeAll(async () => {
	chat = await startChatServer({});
	stage = await Stage.set({ settings: { N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' } });
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);

/** Takes the room of n8n; several of these follow one another. */
async function hold(...seconds: number[]): Promise<void> {
	for (const [index, amount] of seconds.entries()) {
		const parameters = { resume: 'timeInterval', amount, unit: 'seconds' };
		const blocker = await stage.createCalled([
			[node('Pause', 'n8n-nodes-base.wait', 1.1, parameters)],
		]);
		const begun = fetch(blocker.url, { method: 'POST' });
		if (index === 0) await begun;
		else void begun.catch(() => undefined);
		await sleepMs(500);
	}
}

const click = async (url = '') => (await fetch(url, { method: 'POST' })).status;

const tap = async (messageId: string): Promise<number> => {
	const message = { mid: 'other', text: `[${messageId}]:approve` };
	const body = envelope(entry({ message }, { timestamp: Date.now() }));
	const signature = hmacSha1(body, stage.appSecret);
	const headers = { 'content-type': 'application/json', 'x-signature': signature };
	const url = `${stage.n8n.url}/webhook/${stage.triggerPath}`;
	return (await fetch(url, { method: 'POST', headers, body })).status;
};

it.each([
	['twice', 0],
	['and then its refusal', 1],
])(
	'1. a link is confirmed, %s, while it is held back',
	async (what, second) => {
		const workflow = await createChain(stage, chat, what, { options: { answerBy: 'link' } });
		const links = linksOf(await workflow.start());
		await hold(15);
		const statuses = await Promise.all([
			click(links[0]),
			sleepMs(1_000).then(async () => await click(links[second])),
		]);
		await sleepMs(8_000);
		expect(statuses).toEqual([200, 409]);
		expect(deedsOf(chat, what)).toEqual(['Transfer: approved']);
	},
	120_000,
);

it('2. a tap in time is held back for much longer than its question has: n8n ends it, and the tap is not carried out as well', async () => {
	const workflow = await createChain(stage, chat, 'late', {
		options: endsWithin(15, 'seconds'),
	});
	const asked = await workflow.start();
	await hold(62);
	expect(await tap(asked.message.messageId)).toBe(200);
	await waitFor('the end of the question', 180_000, () => deedsOf(chat, 'late')[0]);
	await sleepMs(10_000);
	expect(deedsOf(chat, 'late')).toEqual(['Give up: expired']);
	const [item] = await stage.triggeredFor(asked.message.messageId);
	expect(item).not.toMatchObject({ resumed: true });
}, 300_000);

it('2b. one that is held back a little beyond the end of its question is carried out', async () => {
	const workflow = await createChain(stage, chat, 'little', {
		options: endsWithin(20, 'seconds'),
	});
	const asked = await workflow.start();
	await hold(25);
	expect(await tap(asked.message.messageId)).toBe(200);
	await waitFor('the end of the question', 60_000, () => deedsOf(chat, 'little')[0]);
	await sleepMs(100_000);
	expect(deedsOf(chat, 'little')).toEqual(['Transfer: approved']);
	expect(await asked.status()).toBe('waiting');
}, 300_000);

it('3. a tap is held back for three minutes, and Diyalog calls meanwhile: it is carried out once', async () => {
	const workflow = await createChain(stage, chat, 'long', {});
	const asked = await workflow.start();
	await hold(62, 62, 62);
	expect(await tap(asked.message.messageId)).toBe(200);
	await sleepMs(122_000);
	void tap('another-message').catch(() => undefined);
	await sleepMs(90_000);
	expect(deedsOf(chat, 'long')).toEqual(['Transfer: approved']);
	expect(await asked.status()).toBe('waiting');
}, 400_000);
