import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { fs, path, sleepMs, temporaryFolder, waitFor } from '../../tools/system';
import { postSigned, postStatus } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
import { itemsOfTrigger, Stage } from './harness/waiting';
import { trigger, workflow } from './harness/workflows';
import type { Fields } from './harness/workflows';

/*
 * n8n takes long between the end of webhook() and the row of the execution: an external hook (workflow.preExecute) asks a slow server. Then
 * n8n is killed. Whoever was not told 200 repeats the call, and it has to be carried out.
 */

let stage: Stage;
let folder: string;

const HOOK = (file: string) => `
const fs = require('node:fs');
module.exports = { workflow: { preExecute: [async function (workflow) {
	if (!workflow.name.startsWith('Slow') || !fs.existsSync(${JSON.stringify(file)})) return;
	const [ms, fails] = fs.readFileSync(${JSON.stringify(file)}, 'utf8').split(' ');
	await new Promise((resolve) => setTimeout(resolve, Number(ms)));
	if (fails) throw new Error('the slow server fails');
}] } };
`;

const slowFile = () => path.join(folder, 'slow');

beforeAll(async () => {
	folder = await temporaryFolder('hook');
	await fs.writeFile(path.join(folder, 'hook.js'), HOOK(slowFile()));
	stage = await Stage.set({ settings: { EXTERNAL_HOOK_FILES: path.join(folder, 'hook.js') } });
}, 900_000);

afterAll(async () => {
	await stage.clear();
	await fs.rm(folder, { recursive: true, force: true });
}, 60_000);

const slow = async (ms: number) => await fs.writeFile(slowFile(), String(ms));
const fast = async () => await fs.rm(slowFile(), { force: true });

const urlOf = (id: string) => `${stage.n8n.url}/webhook/${id}/webhook`;

async function publish(name: string, options: Fields = {}) {
	const webhookId = randomUUID();
	const id = await stage.n8n.createWorkflow(
		workflow(name, [[trigger(stage.credentialId, webhookId, { options })]]),
	);
	await stage.n8n.webhookUrl(`${webhookId}/webhook`);
	return { id, webhookId, url: urlOf(webhookId) };
}

const press = (id: string) => envelope(written(`[${id}]:approve`));

const post = async (url: string, body: string) =>
	await postSigned(url, body, stage.appSecret).then(
		({ status }) => status,
		() => 0,
	);

/** How many executions, in whatever state, hold it. */
async function timesOf(workflowId: string, name: string): Promise<number> {
	let times = 0;
	for (const { id } of await stage.n8n.executions(workflowId))
		if ((await stage.n8n.executionData(id)).includes(`"${name}"`)) times++;
	return times;
}

/**
 * How often a press starts the workflow of a trigger, if n8n needs long for it, takes another one meanwhile and is killed, and the
 * press is repeated.
 *
 * @param pressed the id of the message that it names
 */
async function timesAfterKill(
	{ id, url, webhookId }: Awaited<ReturnType<typeof publish>>,
	pressed: string,
	other: string,
): Promise<number> {
	const first = press(pressed);
	await slow(3_000);
	const pending = post(url, first);
	await sleepMs(500);
	await fast();
	expect(await post(url, press(other))).toBe(200);
	await sleepMs(500);
	await stage.n8n.kill();
	expect(await pending).toBe(0);
	await stage.n8n.boot();
	await stage.n8n.webhookUrl(`${webhookId}/webhook`);
	await post(url, first);
	await sleepMs(3_000);
	return await timesOf(id, pressed);
}

it('1. another press was taken meanwhile, and n8n is killed: the first one, which nobody replied to, is taken when it is repeated', async () => {
	const one = await publish('Slow one');
	expect(await post(one.url, press('warm'))).toBe(200);
	expect(await timesAfterKill(one, 'first-x', 'second-x')).toBe(1);
}, 120_000);

it('2. a call that is kept for another trigger, whose n8n needs long and is killed: it goes on after the restart', async () => {
	await fast();
	const receiver = await publish('Slow receiver');
	const first = await publish('First', { alsoPassOnTo: [receiver.url] });
	expect(await post(first.url, press('warm'))).toBe(200);
	await sleepMs(1_000);
	await slow(60_000);
	expect(await post(first.url, press('kept-x'))).toBe(200);
	// It is tried again meanwhile.
	await waitFor('another try', 40_000, async () =>
		(await fs.readFile(stage.n8n.logFile, 'utf8')).includes('did not answer in time')
			? true
			: undefined,
	);
	await sleepMs(8_000);
	await stage.n8n.kill();
	await fast();
	await stage.n8n.boot();
	for (const { webhookId } of [receiver, first]) await stage.n8n.webhookUrl(`${webhookId}/webhook`);
	expect(await post(first.url, press('next-x'))).toBe(200);
	await sleepMs(15_000);
	expect(await timesOf(receiver.id, 'kept-x')).toBe(1);
}, 180_000);

it('3. n8n fails to store the first press (500), and is restarted in good order: the press is taken when it is repeated', async () => {
	await fast();
	const one = await publish('Slow three');
	expect(await post(one.url, press('warm'))).toBe(200);
	await fs.writeFile(slowFile(), '2000 fails');
	const first = press('failed-x');
	const pending = post(one.url, first);
	await sleepMs(500);
	await fast();
	expect(await post(one.url, press('second-x'))).toBe(200);
	expect(await pending).toBe(500);
	await sleepMs(1_000);
	await stage.n8n.stop();
	await stage.n8n.boot();
	await stage.n8n.webhookUrl(`${one.webhookId}/webhook`);
	await post(one.url, first);
	await sleepMs(3_000);
	expect(await timesOf(one.id, 'failed-x')).toBe(1);
}, 120_000);

it('4. an answer that was carried out is on its way to another trigger, whose n8n needs long and is killed: it goes on after the restart', async () => {
	await fast();
	const receiver = await publish('Slow receiver of answers');
	const first = await publish('First of answers', { alsoPassOnTo: [receiver.url] });
	expect(await post(first.url, press('warm'))).toBe(200);
	await sleepMs(1_000);
	const asked = await (await stage.createAsking()).start();
	const { messageId } = asked.message;
	await slow(60_000);
	const approved = post(first.url, envelope(written(`[${messageId}]:approve`)));
	await sleepMs(2_000);
	await fast();
	// Another press, which is stored meanwhile.
	expect(await post(receiver.url, press('meanwhile-x'))).toBe(200);
	// It is kept, because the receiver has not said that it has taken it.
	expect(await approved).toBe(200);
	await asked.record();
	await sleepMs(500);
	await stage.n8n.kill();
	await stage.n8n.boot();
	for (const { webhookId } of [receiver, first]) await stage.n8n.webhookUrl(`${webhookId}/webhook`);
	expect(await post(first.url, press('next-y'))).toBe(200);
	await sleepMs(15_000);
	expect(await timesOf(receiver.id, 'next-y')).toBe(1);
	expect(await timesOf(receiver.id, messageId)).toBe(1);
}, 180_000);

it('5. an answer that did not get through, for which n8n needs long and is killed: it comes out when it is repeated', async () => {
	await fast();
	const one = await publish('Slow five');
	expect(await post(one.url, press('warm'))).toBe(200);
	const asked = await (await stage.createAsking()).start();
	// Made under another App Secret, as when node and trigger have two credentials.
	const forged = asked.message.messageId.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
	expect(await timesAfterKill(one, forged, 'second-z')).toBe(1);
}, 120_000);

describe('status callbacks of one message', () => {
	/** A trigger, and what it takes; of n8n nothing is stored but what it has stored by itself. */
	async function publishForCallbacks(name: string) {
		const webhookId = randomUUID();
		const credentialId = await stage.n8n.createCredential(`Diyalog of ${name}`, {
			serverUrl: stage.sandbox.url,
			botToken: 'bot-token',
			appSecret: stage.appSecret,
			statusCallbackToken: 'callback',
		});
		const id = await stage.n8n.createWorkflow(
			workflow(name, [[trigger(credentialId, webhookId, { events: ['statusCallback'] })]]),
		);
		const place = `${webhookId}/updatemokstatus`;
		await stage.n8n.webhookUrl(place);
		const say = async (status: string) =>
			await postStatus(`${stage.n8n.url}/webhook/${place}`, status);
		const restart = async () => {
			await stage.n8n.kill();
			await fast();
			await stage.n8n.boot();
			await stage.n8n.webhookUrl(place);
		};
		return { id, say, restart };
	}

	it('6. Approved is stored, Cancelled is under way, n8n is killed: each comes out when it is told again, and only Approved may be a repetition', async () => {
		await fast();
		const { id, say, restart } = await publishForCallbacks('Slow six');
		expect(await say('Approved')).toBe(200);
		await sleepMs(1_500);
		await slow(30_000);
		const cancelled = say('Cancelled');
		await sleepMs(600);
		await restart();
		expect(await cancelled).toBe(0);
		for (const status of ['Cancelled', 'Approved']) expect(await say(status)).toBe(200);
		await sleepMs(3_000);
		const items = z
			.array(z.object({ status: z.string(), mayBeRepeated: z.boolean() }))
			.parse(await itemsOfTrigger(stage.n8n, id));
		expect(items.map(({ status, mayBeRepeated }) => [status, mayBeRepeated]).sort()).toEqual([
			['Approved', false],
			['Approved', true],
			['Cancelled', false],
		]);
	}, 120_000);
});
