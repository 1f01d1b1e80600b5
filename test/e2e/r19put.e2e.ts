import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs } from '../../tools/system';
import { postSigned } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
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


it('K. a tool reads the workflow, and writes it back with its static data; n8n is restarted', async () => {
	const a = randomUUID();
	const id = await stage.n8n.createWorkflow(workflow('K', [[triggerOf(a), noOp('A')]]));
	await isUp(a);
	console.log('K', await post(a, press('earlier')));
	await sleepMs(1_500);
	const schema = z.object({ data: z.record(z.unknown()) });
	const { data } = await stage.n8n.request('GET', `/rest/workflows/${id}`, undefined, schema);
	const body = press('transfer-17');
	console.log('K', await post(a, body), await post(a, body));
	await sleepMs(1_500);
	const { name, nodes, connections, settings, staticData, versionId } = data;
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, { name, nodes, connections, settings, staticData, versionId }, z.unknown());
	await stage.n8n.switchTo(id, 'activate');
	await sleepMs(2_000);
	const s = JSON.stringify((await saved(id)).staticData);
	console.log('K before', await idsOf(id), 'static as read', s === JSON.stringify(staticData));
	await stage.n8n.kill();
	await stage.n8n.boot();
	await isUp(a);
	console.log('K', await post(a, body));
	await sleepMs(3_000);
	console.log('K after', await idsOf(id));
}, 120_000);
