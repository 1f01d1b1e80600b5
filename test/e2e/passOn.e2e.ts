import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { fs, http, sleepMs, waitFor } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';
import { Stage } from './harness/waiting';
import { trigger, workflow } from './harness/workflows';
import type { Fields } from './harness/workflows';

/*
 * One bot, one URL, several workflows in a real n8n: Also Pass On To. One of them listens in the editor, one fails for a minute, one
 * is switched off and on again, n8n is killed in between, and each event reaches each of them once.
 */

const STARTS_WITHIN_MS = 900_000;
const REACHES_WITHIN_MS = 150_000;

const FIRST = 'Diyalog Trigger';

let stage: Stage;
let between: Between;

interface Recorded {
	path: string;
	headers: http.IncomingHttpHeaders;
	body: Buffer;
}

/** Stands between n8n and itself, fails where it is told to, and records the rest. */
class Between {
	readonly recorded: Recorded[] = [];

	readonly failing = new Set<string>();

	private constructor(
		private readonly server: http.Server,
		readonly url: string,
	) {}

	static async start(): Promise<Between> {
		const server = http.createServer((request, response) => void made.handle(request, response));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		const made = new Between(server, `http://127.0.0.1:${port}`);
		return made;
	}

	to(id: string): Recorded[] {
		return this.recorded.filter(({ path }) => path.includes(id));
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private async handle(request: http.IncomingMessage, response: http.ServerResponse) {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const { url: path = '', headers } = request;
		const body = Buffer.concat(chunks);
		if ([...this.failing].some((id) => path.includes(id)))
			return void response.writeHead(502).end('Bad Gateway');
		this.recorded.push({ path, headers, body });
		const handedOn = http.request(`${stage.n8n.url}${path}`, { method: 'POST', headers }, (got) => {
			response.writeHead(got.statusCode ?? 0, got.headers);
			got.pipe(response);
		});
		handedOn.on('error', () => response.writeHead(502).end('Bad Gateway'));
		handedOn.end(body);
	}
}

interface Made {
	id: string;
	workflowId: string;
	url: string;
	testUrl: string;
}

const urlsOf = (id: string) => ({
	url: `${stage.n8n.url}/webhook/${id}/webhook`,
	testUrl: `${stage.n8n.url}/webhook-test/${id}/webhook`,
});

const definition = (id: string, options: Fields = {}) =>
	workflow(id, [
		[
			trigger(stage.credentialId, id, {
				events: ['buttonPressed', 'textReceived'],
				options: { n8nAddress: between.url, ...options },
			}),
		],
	]);

async function publish(options: Fields = {}, id: string = randomUUID()): Promise<Made> {
	const workflowId = await stage.n8n.createWorkflow(definition(id, options));
	await stage.n8n.webhookUrl(`${id}/webhook`);
	return { id, workflowId, ...urlsOf(id) };
}

const savedSchema = z.object({
	data: z.object({ staticData: z.unknown() }),
});

const saved = async (workflowId: string) =>
	(await stage.n8n.request('GET', `/rest/workflows/${workflowId}`, undefined, savedSchema)).data;

/** "Execute step" in the editor. */
async function listen(workflowId: string): Promise<void> {
	const body = { triggerToStartFrom: { name: FIRST } };
	const answered = await stage.n8n.request(
		'POST',
		`/rest/workflows/${workflowId}/run`,
		body,
		z.object({ data: z.object({ waitingForWebhook: z.boolean() }) }),
	);
	expect(answered.data.waitingForWebhook).toBe(true);
}

/** What a trigger has put out, oldest first. */
async function textsOf({ workflowId }: Made): Promise<unknown[]> {
	const items = z.array(z.object({ text: z.unknown() })).parse(await stage.triggered(workflowId));
	return items.map(({ text }) => text);
}

const got = async (of: Made, count: number) =>
	await waitFor(`${count} items of ${of.id}`, REACHES_WITHIN_MS, async () => {
		const texts = await textsOf(of);
		return texts.length >= count ? texts : undefined;
	});

const log = async () => await fs.readFile(stage.n8n.logFile, 'utf8');

const linesWith = async (...parts: string[]) =>
	(await log()).split('\n').filter((line) => parts.every((part) => line.includes(part)));

/** Diyalog posts there from now on. */
const diyalogPostsTo = ({ url }: Made) => stage.sandbox.setWebhookUrl('bot', url);

async function say(text: string): Promise<void> {
	await stage.type(text);
	expect(stage.sandbox.webhookLog().at(-1)).toMatchObject({ status: 200 });
}

beforeAll(async () => {
	between = await Between.start();
	stage = await Stage.set();
}, STARTS_WITHIN_MS);

afterAll(async () => {
	await between.close();
	await stage.clear();
}, 60_000);

it('one listens in the editor, one fails for a minute, one is off and on again, n8n is killed: each gets each event once', async () => {
	const buildingId = randomUUID();
	const { id: buildingWorkflow } = await stage.n8n.saveWorkflow(definition(buildingId));
	const building = { id: buildingId, workflowId: buildingWorkflow, ...urlsOf(buildingId) };
	const good = await publish();
	const failing = await publish();
	const off = await publish();
	const to = [building.testUrl, good.url, failing.url, off.url];
	const first = await publish({ alsoPassOnTo: to });
	diyalogPostsTo(first);
	await stage.n8n.switchTo(off.workflowId, 'deactivate');
	between.failing.add(failing.id);
	const failsUntil = Date.now() + 60_000;

	await say('before anybody listens');
	await listen(building.workflowId);
	await say('while it is built');
	expect(await got(building, 1)).toEqual(['while it is built']);
	await say('after it');
	const all = ['before anybody listens', 'while it is built', 'after it'];
	expect(await got(first, 3)).toEqual(all);
	expect(await got(good, 3)).toEqual(all);
	await waitFor('what is kept in the database', 20_000, async () =>
		JSON.stringify((await saved(first.workflowId)).staticData).includes('keptCalls":"ey')
			? true
			: undefined,
	);
	for (const { id } of [failing, off])
		expect(await linesWith('Diyalog Trigger', `trigger ${id} did not take a call`)).toHaveLength(1);
	expect(await linesWith('Diyalog Trigger', building.id)).toEqual([]);

	await stage.n8n.kill();
	await stage.n8n.boot();
	await stage.n8n.webhookUrl(`${first.id}/webhook`);
	await sleepMs(Math.max(0, failsUntil - Date.now()));
	between.failing.clear();
	// n8n does not activate triggers anew when it starts; the next call has what was kept go on.
	await say('behind them');
	expect(await got(failing, 4)).toEqual([...all, 'behind them']);
	await stage.n8n.switchTo(off.workflowId, 'activate');
	// Nobody calls: it goes on by itself.
	expect(await got(off, 4)).toEqual([...all, 'behind them']);
	await say('the last one');
	for (const each of [first, good, failing, off])
		expect(await got(each, 5)).toEqual([...all, 'behind them', 'the last one']);
	expect(await textsOf(building)).toEqual(['while it is built']);
	await waitFor('that nothing is kept', 20_000, async () =>
		JSON.stringify((await saved(first.workflowId)).staticData).includes('"keptCalls":""')
			? true
			: undefined,
	);
	expect(await linesWith(`trigger ${off.id} takes the calls`, 'again')).toHaveLength(1);
	expect(await log()).not.toContain(stage.appSecret);
}, 420_000);

it('somebody listens in the editor to a published trigger that keeps a call, and stops: it goes on by itself', async () => {
	const second = await publish();
	const first = await publish({ alsoPassOnTo: [second.url] });
	diyalogPostsTo(first);
	between.failing.add(second.id);
	await say('kept');
	await listen(first.workflowId);
	const stop = `/rest/test-webhook/${first.workflowId}`;
	await stage.n8n.request('DELETE', stop, undefined, z.unknown());
	await sleepMs(1_000);
	between.failing.clear();
	expect(await got(second, 1)).toEqual(['kept']);
}, 200_000);

it('A passes on to B and B to A: each event starts each of them once', async () => {
	const [a, b] = [randomUUID(), randomUUID()];
	const one = await publish({ alsoPassOnTo: [urlsOf(b).url] }, a);
	const other = await publish({ alsoPassOnTo: [one.url] }, b);
	diyalogPostsTo(one);
	await say('around');
	expect(await got(other, 1)).toEqual(['around']);
	diyalogPostsTo(other);
	await say('and around');
	expect(await got(one, 2)).toEqual(['around', 'and around']);
	await sleepMs(2_000);
	expect(await textsOf(other)).toEqual(['around', 'and around']);
	expect([between.to(a).length, between.to(b).length]).toEqual([1, 1]);
}, 120_000);

it('a recorded call with its mark, played again after n8n was killed, starts nothing', async () => {
	const second = await publish();
	const first = await publish({ alsoPassOnTo: [second.url] });
	diyalogPostsTo(first);
	await say('once');
	await got(second, 1);
	const [recorded] = between.to(second.id);
	if (!recorded) throw new Error('Nothing was passed on');
	await stage.n8n.kill();
	await stage.n8n.boot();
	for (const each of [first, second]) {
		await stage.n8n.webhookUrl(`${each.id}/webhook`);
		const headers = Object.fromEntries(
			Object.entries(recorded.headers)
				.filter(([name]) => /^(content-type|x-)/.test(name))
				.map(([name, value]) => [name, String(value)]),
		);
		const body = new Uint8Array(recorded.body);
		expect((await fetch(each.url, { method: 'POST', headers, body })).status).toBe(200);
	}
	await sleepMs(3_000);
	expect([await textsOf(first), await textsOf(second)]).toEqual([['once'], ['once']]);
}, 120_000);

it('an answer continues its execution once, and every trigger says so, also one that listens in the editor', async () => {
	const second = await publish();
	const buildingId = randomUUID();
	const { id: workflowId } = await stage.n8n.saveWorkflow(definition(buildingId));
	const building = { id: buildingId, workflowId, ...urlsOf(buildingId) };
	const first = await publish({ alsoPassOnTo: [second.url, building.testUrl] });
	diyalogPostsTo(first);
	await listen(workflowId);
	const asked = await (await stage.createAsking({})).start();
	await stage.press(asked.message, 'Approve');
	expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	for (const each of [first, second, building])
		expect(
			await waitFor('the item', 20_000, async () => (await stage.triggered(each.workflowId))[0]),
		).toMatchObject({ messageId: asked.message.messageId, resumed: true });
	expect(between.to('webhook-waiting')).toHaveLength(1);
}, 120_000);

it.each([
	['another host', () => 'https://n8n.example/webhook/x/webhook'],
	["n8n's own API", () => `${stage.n8n.url}/rest/x/webhook`],
])('the address of %s is refused when the workflow is published', async (_what, address) => {
	const [refused, taken] = [randomUUID(), randomUUID()];
	await stage.n8n.createWorkflow(definition(refused, { alsoPassOnTo: [address()] }));
	// n8n publishes in the background, one after the other.
	await publish({ alsoPassOnTo: [urlsOf(refused).url] }, taken);
	await waitFor('that it is not published', 20_000, async () =>
		(await (await fetch(urlsOf(refused).url)).text()).includes('is not registered.","hint"')
			? true
			: undefined,
	);
});
