import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { connect } from 'node:net';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { postSigned, hmacSha1 } from '../support/sign';
import { envelope, entry, written } from '../support/webhookBodies';
import { Stage } from './harness/waiting';
import { noOp, trigger, workflow } from './harness/workflows';
import type { Fields, WorkflowNode } from './harness/workflows';

let stage: Stage;
beforeAll(async () => {
	stage = await Stage.set();
}, 900_000);
afterAll(async () => {
	await stage.clear();
}, 60_000);
const urlOf = (id: string) => `${stage.n8n.url}/webhook/${id}/webhook`;
const press = (id: string) => envelope(written(`[${id}]:approve`));
const post = async (id: string, body: string) => (await postSigned(urlOf(id), body, stage.appSecret)).status;
const isUp = async (...ids: string[]) => {
	for (const id of ids) await stage.n8n.webhookUrl(`${id}/webhook`);
};
const idsSchema = z.array(z.object({ messageId: z.string() }));
async function idsOf(workflowId: string): Promise<string[]> {
	const all: string[] = [];
	for (const { id } of [...(await stage.n8n.executions(workflowId))].sort((a, b) => Number(a.id) - Number(b.id)))
		all.push(...idsSchema.parse(itemsOf(await stage.n8n.executionData(id), 'Diyalog Trigger')).map(({ messageId }) => messageId));
	return all;
}
const saved = async (workflowId: string) => {
	const schema = z.object({ data: z.object({ versionId: z.string(), nodes: z.array(z.record(z.unknown())), staticData: z.unknown() }) });
	return (await stage.n8n.request('GET', `/rest/workflows/${workflowId}`, undefined, schema)).data;
};
/** as a deployment does it: the same JSON, of which the nodes have no ids */
async function deploy(id: string, rows: WorkflowNode[][], name: string) {
	const { versionId } = await saved(id);
	const { nodes, connections } = workflow(name, rows);
	const bare = (nodes as unknown as Fields[]).map(({ id: _, ...rest }) => rest);
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, { name, nodes: bare, connections, versionId }, z.unknown());
	await stage.n8n.switchTo(id, 'activate');
}
const triggerOf = (id: string, options: Fields = {}) => trigger(stage.credentialId, id, { options });

it('A. deployed again without node ids: the repetition starts the workflow again', async () => {
	const a = randomUUID();
	const id = await stage.n8n.createWorkflow(workflow('Transfer', [[triggerOf(a), noOp('A')]]));
	await isUp(a);
	const body = press('transfer-17');
	console.log('A', [await post(a, body), await post(a, body)]);
	await sleepMs(3_000);
	console.log('A before', await idsOf(id), Object.keys(((await saved(id)).staticData as { global: object }).global));
	await deploy(id, [[triggerOf(a), noOp('A')]], 'Transfer');
	await sleepMs(3_000);
	await isUp(a);
	console.log('A', [await post(a, body)]);
	await sleepMs(3_000);
	console.log('A after', await idsOf(id), Object.keys(((await saved(id)).staticData as { global: object }).global));
}, 120_000);

it('D. kept call of an orphan whose successor passes nothing on', async () => {
	const [a, b] = [randomUUID(), randomUUID()];
	const other = await stage.n8n.createWorkflow(workflow('B', [[triggerOf(b)]]));
	const id = await stage.n8n.createWorkflow(workflow('D', [[triggerOf(a, { alsoPassOnTo: [urlOf(b)] }), noOp('A')]]));
	await isUp(a, b);
	await stage.n8n.switchTo(other, 'deactivate');
	await sleepMs(2_000);
	console.log('D', await post(a, press('kept')));
	await sleepMs(2_000);
	await deploy(id, [[triggerOf(a), noOp('A')]], 'D');
	await sleepMs(3_000);
	await isUp(a);
	const before = (await stage.n8n.logTail()).length;
	console.log('D', await post(a, press('next')), await post(a, press('next2')));
	await sleepMs(4_000);
	const data = JSON.stringify((await saved(id)).staticData);
	console.log('D still keeps', /keptCalls":"[^"]+/.test(data), (await stage.n8n.logTail()).slice(before - 2000).split('\n').filter((l) => /Diyalog/.test(l)));
}, 120_000);

it('B. null beside a press; C. slow body', async () => {
	const a = randomUUID();
	const id = await stage.n8n.createWorkflow(workflow('N', [[triggerOf(a, { freshnessMinutes: 0.1 }), noOp('A')]]));
	await isUp(a);
	console.log('B', await post(a, envelope(entry({ messageEcho: null, delivery: null, reads: null, message: { mid: 'm', text: '[nulls]:approve' } }))));
	const body = press('late');
	const { hostname, port, pathname } = new URL(urlOf(a));
	const answer = await new Promise<string>((resolve) => {
		let text = '';
		const socket = connect(Number(port), hostname, () => {
			socket.write(`POST ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Signature: ${hmacSha1(body, stage.appSecret)}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, -1)}`);
			setTimeout(() => socket.write(body.slice(-1)), 60_000);
		});
		socket.on('data', (part) => (text += String(part)));
		socket.on('close', () => resolve(text));
	});
	console.log('C', answer.split('\r\n')[0]);
	await waitFor('x', 5_000, async () => ((await idsOf(id)).length > 0 ? true : undefined)).catch(() => undefined);
	console.log('B/C', await idsOf(id));
}, 120_000);
