import { randomUUID } from 'node:crypto';
import { fs, path, sleepMs, temporaryFolder, waitFor } from '../../tools/system';
import { postSigned } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
import { Stage } from './harness/waiting';
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

const CRED = { serverUrl: 'http://127.0.0.1:9', botToken: 't' };
/** How many executions, in whatever state, hold it. */
async function timesOf(workflowId: string, name: string): Promise<number> {
	let times = 0;
	for (const { id } of await stage.n8n.executions(workflowId))
		if ((await stage.n8n.executionData(id)).includes(`"${name}"`)) times++;
	return times;
}


it('E. Cancelled and Approved under way, Cancelled is stored, n8n is killed, Approved is repeated', async () => {
	const webhookId = randomUUID();
	const data = { ...CRED, appSecret: stage.appSecret, statusCallbackToken: 'callback' };
	const credentialId = await stage.n8n.createCredential('With token', data as never);
	const id = await stage.n8n.createWorkflow(
		workflow('Slow E', [[trigger(credentialId, webhookId, { events: ['statusCallback'] })]]),
	);
	const url = `${stage.n8n.url}/webhook/${webhookId}/updatemokstatus`;
	await stage.n8n.webhookUrl(`${webhookId}/updatemokstatus`);
	const say = async (status: string) =>
		await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'auth-token': 'callback' },
			body: JSON.stringify({ messageId: 'm', status, customerNo: '1', secretData: '' }),
		}).then((r) => r.status, () => 0);
	const all = async () => {
		const found: string[] = [];
		for (const { id: e } of (await stage.n8n.executions(id)).sort((a, b) => Number(a.id) - Number(b.id)))
			found.push(/"(Approved|Cancelled|SentToUser)"/.exec(await stage.n8n.executionData(e))?.[1] ?? '?');
		return found;
	};
	console.log('Approved', await say('Approved'));
	await sleepMs(1_500);
	await slow(1_500);
	const c = say('Cancelled');
	await sleepMs(400);
	await slow(30_000);
	const a = say('Approved');
	console.log('Cancelled', await c);
	await sleepMs(600);
	console.log('before the kill', await all());
	await stage.n8n.kill();
	console.log('Approved again, killed', await a);
	await fast();
	await stage.n8n.boot();
	await stage.n8n.webhookUrl(`${webhookId}/updatemokstatus`);
	console.log('Approved repeated', await say('Approved'));
	await sleepMs(3_000);
	console.log('E after', await all());
	expect(await all()).toEqual(['Approved', 'Cancelled', 'Approved']);
}, 180_000);
