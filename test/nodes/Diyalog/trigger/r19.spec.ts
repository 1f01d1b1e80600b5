import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { IDataObject } from 'n8n-workflow';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { hmacSha1, postSigned } from '../../../support/sign';
import { entry, envelope, written } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { sleepMs } from '../../../../tools/system';

const SECRET = 'the-app-secret';
const servers: WebhookServer[] = [];
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});
async function load(id: string, data: object = {}, options = {}, events = ['buttonPressed']) {
	const setup = {
		parameters: { events, authentication: 'signature', options },
		credentials: { appSecret: SECRET, statusCallbackToken: 't' },
	};
	const trigger = new TriggerUnderTest(setup, id, {});
	Object.assign(trigger.workflowData, JSON.parse(JSON.stringify(data)));
	const server = await serve(trigger);
	servers.push(server);
	return { trigger, server };
}
const own = (data: IDataObject) => {
	const name = Object.keys(data).find((each) => each.startsWith('Diyalog Trigger ')) ?? '';
	return data[name] as IDataObject;
};

it('A. made anew under another node id, in the same workflow: a repetition is taken twice', async () => {
	const body = envelope(written('[transfer-17]:approve'));
	const before = await load(randomUUID());
	expect((await postSigned(before.server.url, body, SECRET)).status).toBe(200);
	expect((await postSigned(before.server.url, body, SECRET)).status).toBe(200);
	expect(before.server.executions).toHaveLength(1);
	// what the db holds: under the old node id
	const db = { 'Diyalog Trigger old-id': own(before.trigger.workflowData) };
	const after = await load(randomUUID(), db);
	expect((await postSigned(after.server.url, body, SECRET)).status).toBe(200);
	console.log('A executions after', after.server.executions.length, Object.keys(after.trigger.workflowData));
});

it('A2. growth: 10 deployments with new node ids', async () => {
	let data: IDataObject = {};
	for (let deploy = 0; deploy < 6; deploy++) {
		const { trigger, server } = await load(randomUUID(), data);
		for (let call = 0; call < 3; call++) {
			const entries = Array.from({ length: 900 }, (_, n) => written(`[d${deploy}-${call}-${n}]:x`));
			expect((await postSigned(server.url, envelope(...entries), SECRET)).status).toBe(200);
		}
		await sleepMs(100);
		const all = JSON.parse(JSON.stringify(trigger.workflowData)) as IDataObject;
		data = {};
		for (const [name, value] of Object.entries(all)) {
			data[name === `Diyalog Trigger ${Object.keys(all).length}` ? name : /gone/.test(name) ? name : `Diyalog Trigger gone-${deploy}`] = value as IDataObject;
		}
		console.log('A2 deploy', deploy, 'names', Object.keys(data).length, 'bytes', JSON.stringify(data).length);
	}
});

it.each([
	['delivery null', { delivery: null }],
	['reads null', { reads: null }],
	['messageEcho null', { messageEcho: null }],
	['mids null', { delivery: { mids: null, watermark: 1 } }],
])('B. %s beside a press', async (what, more) => {
	const { server, trigger } = await load(randomUUID());
	const body = envelope(entry({ message: { mid: 'm', text: '[a]:approve' }, ...more }));
	const { status } = await postSigned(server.url, body, SECRET);
	console.log('B', what, status, server.executions.length, trigger.log);
});
it('B2. text null', async () => {
	const { server, trigger } = await load(randomUUID(), {}, {}, ['other', 'buttonPressed', 'messageDelivered']);
	const { status } = await postSigned(server.url, envelope(entry({ message: { mid: 'm', text: null } })), SECRET);
	console.log('B2', status, server.executions.length, trigger.log);
	const r = await postSigned(server.url, envelope(entry({ message: null, delivery: { mids: ['a'], watermark: Date.now() } })), SECRET);
	console.log('B2 message null+delivery', r.status, server.executions.length, trigger.log);
});

it('C. a body that takes longer than Maximum Age', async () => {
	const { server, trigger } = await load(randomUUID(), {}, { freshnessMinutes: 0.05 });
	const body = envelope(written('[late]:approve'));
	const sent = Date.now();
	const { hostname, port, pathname } = new URL(server.url);
	const answer = await new Promise<string>((resolve) => {
		let text = '';
		const socket = connect(Number(port), hostname, () => {
			socket.write(
				`POST ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Signature: ${hmacSha1(body, SECRET)}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, -1)}`,
			);
			setTimeout(() => socket.write(body.slice(-1)), 12_000);
		});
		socket.on('data', (part) => (text += String(part)));
		socket.on('close', () => resolve(text));
	});
	console.log('C', answer.split('\r\n')[0], 'age s', (Date.now() - sent) / 1000, 'executions', server.executions.length, trigger.log);
}, 30_000);
