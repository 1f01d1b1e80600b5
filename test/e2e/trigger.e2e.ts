import { createHmac, randomBytes } from 'node:crypto';
import { rawPost } from '../support/rawRequest';
import { fs, sleepMs, waitFor } from '../../tools/system';
import { hmacSha1, postSigned } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
import { itemsOf } from '../../tools/n8n/executions';
import { N8n } from '../../tools/n8n/n8n';
import { trigger, workflow } from './harness/workflows';

/* What only a real n8n can show of the trigger: its own body parser, its database, a restart. */

const SECRET = randomBytes(16).toString('hex');
const CALLBACK_TOKEN = randomBytes(16).toString('hex');
const WEBHOOK_ID = 'c8d6c9b8-5a2b-4b0e-8f0c-2f2b3c4d5e03';

let n8n: N8n;
let workflowId: string;
let url: string;

beforeAll(async () => {
	n8n = await N8n.start();
	const credentialId = await n8n.createCredential('Diyalog', {
		serverUrl: 'http://127.0.0.1:1',
		botToken: 'token',
		appSecret: SECRET,
		statusCallbackToken: CALLBACK_TOKEN,
	});
	const events = ['buttonPressed', 'statusCallback'];
	const node = trigger(credentialId, WEBHOOK_ID, { events });
	workflowId = await n8n.createWorkflow(workflow('Trigger', [[node]]));
	url = await n8n.webhookUrl(`${WEBHOOK_ID}/webhook`);
}, 900_000);

afterAll(async () => {
	await n8n.stop();
	await n8n.remove();
}, 60_000);

const EXECUTION_WITHIN_MS = 20_000;

async function executionsAre(count: number): Promise<string[]> {
	return await waitFor(`${count} finished executions`, EXECUTION_WITHIN_MS, async () => {
		const executions = await n8n.executions(workflowId);
		const finished = executions.filter(({ status }) => status === 'success');
		return finished.length === count ? finished.map(({ id }) => id) : undefined;
	});
}

const press = (id: string) =>
	envelope(written(`[${id}]:approve`, { timestamp: 1_795_388_361_002 }));

it('starts an execution for a signed press, and none for what is refused', async () => {
	expect((await postSigned(url, press('first'), SECRET)).status).toBe(200);
	const refused: Array<[string, number, () => Promise<Response>]> = [
		['a forged signature', 401, async () => await postSigned(url, press('x'), 'guessed')],
		[
			'the wrong content type',
			415,
			async () => await postSigned(url, press('x'), SECRET, { 'content-type': 'text/plain' }),
		],
		[
			'a multipart form',
			415,
			async () =>
				await postSigned(url, press('x'), SECRET, {
					'content-type': 'multipart/mixed; boundary=x',
				}),
		],
		['2 MiB', 413, async () => await postSigned(url, `{"pad":"${'x'.repeat(2_097_152)}"}`, SECRET)],
		['no webhook', 400, async () => await postSigned(url, '{}', SECRET)],
		['the wrong method', 404, async () => await fetch(url)],
	];
	for (const [what, status, call] of refused)
		expect([what, (await call()).status]).toEqual([what, status]);
	const notJson = await postSigned(url, '{', SECRET);
	expect(notJson.status).toBeGreaterThanOrEqual(400);
	expect(notJson.status).toBeLessThan(500);

	const [id = ''] = await executionsAre(1);
	expect(itemsOf(await n8n.executionData(id), 'Diyalog Trigger')).toEqual([
		expect.objectContaining({ event: 'buttonPressed', messageId: 'first', payload: 'approve' }),
	]);
});

it('takes a call without a content type, which n8n leaves unread', async () => {
	const body = press('untyped');
	const signature = hmacSha1(body, SECRET);
	const response = await fetch(url, {
		method: 'POST',
		headers: { 'x-signature': signature },
		body: new Blob([body]),
	});
	expect(response.status).toBe(200);
	await executionsAre(2);
});

it('answers a status callback with the text OK', async () => {
	const response = await fetch(url.replace(/webhook$/, 'updatemokstatus'), {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'auth-token': CALLBACK_TOKEN },
		body: '{"messageId":"a","status":"Approved","customerNo":"1","secretData":"x"}',
	});
	expect(response.status).toBe(200);
	expect(await response.text()).toBe('OK');
	await executionsAre(3);
});

it('starts nothing for a repeated event, also after a restart', async () => {
	const known = ['first', 'untyped'];
	for (const id of known) expect((await postSigned(url, press(id), SECRET)).status).toBe(200);
	const atOnce = Array.from({ length: 50 }, (_, index) => `at-once-${index}`);
	await Promise.all(atOnce.map(async (id) => await postSigned(url, press(id), SECRET)));
	await executionsAre(3 + atOnce.length);
	known.push(...atOnce);
	await n8n.stop();
	await n8n.boot();
	await n8n.webhookUrl(`${WEBHOOK_ID}/webhook`);
	for (const id of known) expect((await postSigned(url, press(id), SECRET)).status).toBe(200);
	expect((await postSigned(url, press('second'), SECRET)).status).toBe(200);
	const ids = await executionsAre(4 + atOnce.length);
	const items = await Promise.all(
		ids.map(async (id) => itemsOf(await n8n.executionData(id), 'Diyalog Trigger')),
	);
	const pressed = items.flat().map((item) => (item as { messageId: string }).messageId);
	for (const id of known) expect(pressed.filter((each) => each === id)).toHaveLength(1);
}, 180_000);

it('starts nothing for calls that are played again after n8n was killed', async () => {
	const before = (await n8n.executions(workflowId)).length;
	const ids = Array.from({ length: 20 }, (_, index) => `before-kill-${index}`);
	const bodies = ids.map(press);
	await Promise.all(bodies.map(async (body) => await postSigned(url, body, SECRET)));
	// One after the other from here on, so that the last one is answered when n8n dies.
	const last = press('last-before-kill');
	expect((await postSigned(url, last, SECRET)).status).toBe(200);
	await n8n.kill();
	await n8n.boot();
	await n8n.webhookUrl(`${WEBHOOK_ID}/webhook`);
	for (const body of [...bodies, last])
		expect((await postSigned(url, body, SECRET)).status).toBe(200);
	expect((await postSigned(url, press('after-kill'), SECRET)).status).toBe(200);
	await waitFor('the press after the kill', EXECUTION_WITHIN_MS, async () => {
		const [newest] = await n8n.executions(workflowId, 'success');
		const text = newest ? await n8n.executionData(newest.id) : '';
		return text.includes('after-kill') ? true : undefined;
	});
	expect(await n8n.executions(workflowId)).toHaveLength(before + bodies.length + 2);
}, 180_000);

it('stores nothing of a stranger whose body cannot be read', async () => {
	const before = await n8n.executionCount(workflowId, 'success', 'error');
	const garbage = 'no gzip';
	const length = `Content-Length: ${garbage.length}`;
	const statuses = [
		await rawPost(url, ['Content-Encoding: gzip', length], garbage),
		await rawPost(
			url,
			['Content-Encoding: gzip', 'Transfer-Encoding: chunked'],
			'1\r\nx\r\n0\r\n\r\n',
		),
		await rawPost(url, ['Content-Length: 20000000'], garbage),
		await rawPost(url, ['Content-Length: 1000'], garbage, { hangUp: true }),
	];
	expect(statuses).toEqual([415, 415, 413, 0]);
	await sleepMs(1_000);
	expect(await n8n.executionCount(workflowId, 'success', 'error')).toBe(before);
});

it('says in the log why a call was refused, without a secret', async () => {
	const log = await fs.readFile(n8n.logFile, 'utf8');
	expect(log).toContain(
		'Diyalog Trigger refused a call: its X-Signature was made with another secret',
	);
	expect(log).not.toContain(SECRET);
	expect(log).not.toContain(createHmac('sha1', SECRET).update(press('first')).digest('hex'));
});
