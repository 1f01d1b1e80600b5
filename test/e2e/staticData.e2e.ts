import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { itemsOf } from '../../tools/n8n/executions';
import { fs, http, sleepMs, waitFor } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';
import { postSigned } from '../support/sign';
import { envelope, written } from '../support/webhookBodies';
import { Stage } from './harness/waiting';
import { node, noOp, trigger, workflow } from './harness/workflows';
import type { Fields, WorkflowNode } from './harness/workflows';

/*
 * n8n keeps the static data of a workflow as one thing, which others write as well: a Code node, another trigger of the workflow, and
 * whoever gives the trigger another name. After a restart nothing is taken twice, and what was kept for others goes on.
 */

const FIRST = 'Diyalog Trigger';
const SECOND = 'Second';

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set();
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

const urlOf = (id: string) => `${stage.n8n.url}/webhook/${id}/webhook`;

const press = (id: string) => envelope(written(`[${id}]:approve`));

async function post(id: string, body: string): Promise<number> {
	return (await postSigned(urlOf(id), body, stage.appSecret)).status;
}

const isUp = async (...ids: string[]) => {
	for (const id of ids) await stage.n8n.webhookUrl(`${id}/webhook`);
};

const triggerOf = (id: string, options: Fields = {}, name = FIRST): WorkflowNode => ({
	...trigger(stage.credentialId, id, { options }),
	name,
});

/** A Code node that counts, as its documentation shows it. */
const counter = (): WorkflowNode =>
	node('Count', 'n8n-nodes-base.code', 2, {
		jsCode: `const data = $getWorkflowStaticData('global');
data.count = (data.count ?? 0) + 1;
return $input.all();`,
	});

/** It remembers there what it has seen. */
const poller = (): WorkflowNode =>
	node('Feed', 'n8n-nodes-base.rssFeedReadTrigger', 1, { feedUrl: 'http://127.0.0.1:9/feed' });

const wait = (): WorkflowNode =>
	node('Wait', 'n8n-nodes-base.wait', 1.1, { resume: 'timeInterval', amount: 2, unit: 'seconds' });

const idsSchema = z.array(z.object({ messageId: z.string() }));

/** What a trigger has put out, oldest first. */
async function idsOf(workflowId: string, name = FIRST): Promise<string[]> {
	const all: string[] = [];
	const executions = await stage.n8n.executions(workflowId);
	for (const { id } of [...executions].sort((a, b) => Number(a.id) - Number(b.id))) {
		const items = idsSchema.parse(itemsOf(await stage.n8n.executionData(id), name));
		all.push(...items.map(({ messageId }) => messageId));
	}
	return all;
}

const ended = async (workflowId: string, count: number) =>
	await waitFor(`${count} executions`, 30_000, async () =>
		(await stage.n8n.executionCount(workflowId, 'success')) >= count ? true : undefined,
	);

const staticDataOf = async (workflowId: string): Promise<string> => {
	const schema = z.object({ data: z.object({ staticData: z.unknown() }) });
	const resource = `/rest/workflows/${workflowId}`;
	const { data } = await stage.n8n.request('GET', resource, undefined, schema);
	return JSON.stringify(data.staticData);
};

async function switchOff(workflowId: string, id: string): Promise<void> {
	await stage.n8n.switchTo(workflowId, 'deactivate');
	await waitFor(`${id} is off`, 20_000, async () =>
		(await fetch(urlOf(id), { method: 'POST' })).status === 404 ? true : undefined,
	);
}

async function restart(...ids: string[]): Promise<void> {
	await stage.n8n.kill();
	await stage.n8n.boot();
	await isUp(...ids);
}

/** A published workflow with two triggers, of which the first passes on to the second. */
async function startBoth(options: Fields = {}): Promise<{ id: string; a: string; b: string }> {
	const [a, b] = [randomUUID(), randomUUID()];
	const id = await stage.n8n.createWorkflow(
		workflow('Both', [
			[triggerOf(a, { alsoPassOnTo: [urlOf(b)], ...options }), noOp('A')],
			[triggerOf(b, {}, SECOND), noOp('B')],
		]),
	);
	await isUp(a, b);
	return { id, a, b };
}

/** A trigger that has taken a call, and keeps it for another one that is switched off. */
async function keepsForAnother(...behind: WorkflowNode[]) {
	const [a, b] = [randomUUID(), randomUUID()];
	const other = await stage.n8n.createWorkflow(workflow('B', [[triggerOf(b)]]));
	const first = triggerOf(a, { alsoPassOnTo: [urlOf(b)] });
	const id = await stage.n8n.createWorkflow(workflow('A', [[first, ...behind]]));
	await isUp(a, b);
	await switchOff(other, b);
	expect(await post(a, press('kept'))).toBe(200);
	await ended(id, 1);
	return { a, b, other, first, id };
}

/** Everything that was kept has come, or 20 seconds are over. */
const allCome = async (workflowId: string, count: number): Promise<string[]> => {
	await waitFor('all', 20_000, async () =>
		(await idsOf(workflowId)).length >= count ? true : undefined,
	).catch(() => undefined);
	return (await idsOf(workflowId)).sort();
};

it('1. two triggers in one workflow, one passes on to the other: after a restart a repetition starts neither of them', async () => {
	const { id, a, b } = await startBoth();
	const body = press('once');
	expect(await post(a, body)).toBe(200);
	await ended(id, 2);
	await sleepMs(1_000);
	await restart(a, b);
	expect(await post(a, body)).toBe(200);
	await sleepMs(5_000);
	expect([await idsOf(id), await idsOf(id, SECOND)]).toEqual([['once'], ['once']]);
}, 180_000);

it('1b. the same with calls after a restart, when n8n loads what the process before it has written', async () => {
	const { id, a, b } = await startBoth();
	const [before, after] = [press('before'), press('after')];
	expect(await post(a, before)).toBe(200);
	await ended(id, 2);
	await sleepMs(1_000);
	await restart(a, b);
	expect(await post(a, after)).toBe(200);
	await ended(id, 4);
	await sleepMs(1_000);
	await restart(a, b);
	for (const body of [before, after]) expect(await post(a, body)).toBe(200);
	await sleepMs(5_000);
	const once = ['before', 'after'];
	expect([await idsOf(id), await idsOf(id, SECOND)]).toEqual([once, once]);
}, 240_000);

it('1c. many calls at once, each of which n8n saves over the others: after a restart none is taken again', async () => {
	const a = randomUUID();
	const id = await stage.n8n.createWorkflow(workflow('A', [[triggerOf(a), noOp('A')]]));
	await isUp(a);
	const bodies = Array.from({ length: 200 }, (_, index) => press(`at-once-${index}`));
	const postAll = async () => {
		const left = [...bodies];
		const postSome = async () => {
			for (let body = left.pop(); body !== undefined; body = left.pop())
				expect(await post(a, body)).toBe(200);
		};
		await Promise.all(Array.from({ length: 16 }, postSome));
	};
	await postAll();
	await ended(id, bodies.length);
	await sleepMs(1_000);
	await restart(a);
	await postAll();
	await sleepMs(5_000);
	expect(await stage.n8n.executionCount(id, 'success')).toBe(bodies.length);
}, 240_000);

it('2. the same in two workflows', async () => {
	const [a, b] = [randomUUID(), randomUUID()];
	const other = await stage.n8n.createWorkflow(workflow('B', [[triggerOf(b)]]));
	const id = await stage.n8n.createWorkflow(
		workflow('A', [[triggerOf(a, { alsoPassOnTo: [urlOf(b)] })]]),
	);
	await isUp(a, b);
	const body = press('once');
	expect(await post(a, body)).toBe(200);
	await ended(id, 1);
	await ended(other, 1);
	await sleepMs(1_000);
	await restart(a, b);
	expect(await post(a, body)).toBe(200);
	await sleepMs(5_000);
	expect([await idsOf(id), await idsOf(other)]).toEqual([['once'], ['once']]);
}, 180_000);

it.each([
	['code that writes there', (): WorkflowNode => counter()],
	['a trigger that asks another server now and then', (): WorkflowNode => poller()],
	[
		'a trigger that counts intervals',
		(): WorkflowNode =>
			node('Tick', 'n8n-nodes-base.scheduleTrigger', 1.2, {
				rule: { interval: [{ field: 'hours', hoursInterval: 2 }] },
			}),
	],
	[
		'a sub-workflow that is not stored in n8n',
		(): WorkflowNode =>
			node('Call', 'n8n-nodes-base.executeWorkflow', 1.2, {
				source: 'url',
				workflowUrl: 'http://127.0.0.1:9/workflow.json',
			}),
	],
])('3. a workflow with %s cannot be published', async (_what, other) => {
	const [refused, taken] = [randomUUID(), randomUUID()];
	await stage.n8n.createWorkflow(workflow('A', [[triggerOf(refused), noOp('A')], [other()]]));
	// n8n publishes in the background, one after the other.
	await stage.n8n.createWorkflow(workflow('B', [[triggerOf(taken)]]));
	await isUp(taken);
	await waitFor('why it is not published', 20_000, async () => {
		const log = await fs.readFile(stage.n8n.logFile, 'utf8');
		return log.includes(`The node ${other().name} writes to the static data`) ? true : undefined;
	});
	expect((await fetch(urlOf(refused), { method: 'POST' })).status).toBe(404);
});

it('3a. a note about it stops nobody', async () => {
	const [id, content] = [randomUUID(), 'No $getWorkflowStaticData here'];
	const note = node('Note', 'n8n-nodes-base.stickyNote', 1, { content });
	await stage.n8n.createWorkflow(workflow('A', [[triggerOf(id), noOp('A')], [note]]));
	await isUp(id);
}, 60_000);

describe('3b. a workflow that takes some seconds', () => {
	it('a call that was taken is not taken again after a restart', async () => {
		const a = randomUUID();
		const id = await stage.n8n.createWorkflow(workflow('A', [[triggerOf(a), wait()]]));
		await isUp(a);
		const body = press('once');
		for (const each of [press('before'), body]) {
			expect(await post(a, each)).toBe(200);
			await sleepMs(4_000);
		}
		await ended(id, 2);
		await sleepMs(1_000);
		await restart(a);
		expect(await post(a, body)).toBe(200);
		await sleepMs(5_000);
		expect(await idsOf(id)).toEqual(['before', 'once']);
	}, 180_000);

	it('a call that is kept for another trigger goes on after a restart', async () => {
		const [a, b] = [randomUUID(), randomUUID()];
		const other = await stage.n8n.createWorkflow(workflow('B', [[triggerOf(b)]]));
		const first = triggerOf(a, { alsoPassOnTo: [urlOf(b)] });
		const id = await stage.n8n.createWorkflow(workflow('A', [[first, wait()]]));
		await isUp(a, b);
		await switchOff(other, b);
		expect(await post(a, press('kept'))).toBe(200);
		await ended(id, 1);
		await sleepMs(1_000);
		const kept = await staticDataOf(id);
		expect(await idsOf(other)).toEqual([]);
		await restart(a);
		await stage.n8n.switchTo(other, 'activate');
		await isUp(b);
		expect(await post(a, press('next'))).toBe(200);
		expect(await allCome(other, 2)).toEqual(['kept', 'next']);
		expect(kept).toContain('"keptCalls":"ey');
	}, 180_000);
});

describe('4. somebody gives the trigger another name, publishes it, and n8n is started again', () => {
	async function rename(id: string): Promise<void> {
		const { nodes, connections } = await stage.saved(id);
		const renamed = JSON.stringify({ nodes, connections }).replaceAll(`"${FIRST}"`, '"Renamed"');
		const change = JSON.parse(renamed) as object;
		await stage.n8n.request('PATCH', `/rest/workflows/${id}`, change, z.unknown());
		const { versionId } = await stage.saved(id);
		const resource = `/rest/workflows/${id}/activate`;
		await stage.n8n.request('POST', resource, { versionId }, z.unknown());
		await sleepMs(2_000);
	}

	it('a call that was taken is not taken again', async () => {
		const a = randomUUID();
		const id = await stage.n8n.createWorkflow(workflow('A', [[triggerOf(a)]]));
		await isUp(a);
		const body = press('once');
		expect(await post(a, body)).toBe(200);
		await ended(id, 1);
		await rename(id);
		// As long as the process lives it knows.
		expect(await post(a, body)).toBe(200);
		await restart(a);
		expect(await post(a, body)).toBe(200);
		await sleepMs(4_000);
		expect([...(await idsOf(id)), ...(await idsOf(id, 'Renamed'))]).toEqual(['once']);
	}, 180_000);

	it('a call that was kept before a restart goes on', async () => {
		const [a, b] = [randomUUID(), randomUUID()];
		const other = await stage.n8n.createWorkflow(workflow('B', [[triggerOf(b)]]));
		const first = triggerOf(a, { alsoPassOnTo: [urlOf(b)] });
		const id = await stage.n8n.createWorkflow(workflow('A', [[first]]));
		await isUp(a, b);
		await switchOff(other, b);
		expect(await post(a, press('kept'))).toBe(200);
		await ended(id, 1);
		expect(await idsOf(other)).toEqual([]);
		await restart(a);
		await rename(id);
		await stage.n8n.switchTo(other, 'activate');
		await isUp(a, b);
		expect(await post(a, press('next'))).toBe(200);
		expect(await allCome(other, 2)).toEqual(['kept', 'next']);
	}, 180_000);
});

/** Somebody changes a published workflow and publishes it again. */
async function publishAgain(id: string, rows: Parameters<typeof workflow>[1]): Promise<void> {
	const { nodes, connections } = workflow('A', rows);
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, { nodes, connections }, z.unknown());
	const { versionId } = await stage.saved(id);
	const resource = `/rest/workflows/${id}/activate`;
	await stage.n8n.request('POST', resource, { versionId }, z.unknown());
	await sleepMs(3_000);
}

describe('5. a node that writes there is added to a workflow that is published', () => {
	it('calls are refused, and the log says why; without that node they are taken, once', async () => {
		const a = randomUUID();
		const first = triggerOf(a);
		const id = await stage.n8n.createWorkflow(workflow('A', [[first, noOp('A')]]));
		await isUp(a);
		await publishAgain(id, [[first, counter()]]);
		const body = press('once');
		expect(await post(a, body)).toBe(503);
		const log = await fs.readFile(stage.n8n.logFile, 'utf8');
		const said = log.split('\n').filter((line) => line.includes('refused a call: The node Count'));
		expect(said).toHaveLength(1);
		expect((await postSigned(urlOf(a), body, 'another secret')).status).toBe(401);
		expect(await idsOf(id)).toEqual([]);
		await publishAgain(id, [[first, noOp('A')]]);
		expect(await post(a, body)).toBe(200);
		await ended(id, 1);
		await sleepMs(1_000);
		await restart(a);
		expect(await post(a, body)).toBe(200);
		await sleepMs(5_000);
		expect(await idsOf(id)).toEqual(['once']);
	}, 180_000);

	it('a call that was kept before for another trigger goes on after a restart', async () => {
		const { a, b, other, first, id } = await keepsForAnother(noOp('A'));
		await publishAgain(id, [[first, counter()]]);
		const next = press('next');
		expect(await post(a, next)).toBe(503);
		await restart(a);
		expect(await post(a, next)).toBe(503);
		await publishAgain(id, [[first, noOp('A')]]);
		await stage.n8n.switchTo(other, 'activate');
		await isUp(b);
		expect(await post(a, next)).toBe(200);
		expect(await allCome(other, 2)).toEqual(['kept', 'next']);
	}, 180_000);
});

describe('6. a call that starts nothing lasts while another one is taken', () => {
	let way: http.Server;

	afterAll(async () => {
		way.closeAllConnections();
		await new Promise((resolve) => way.close(resolve));
	});

	/** n8n needs some seconds to continue an execution. */
	beforeAll(async () => {
		way = http.createServer((request, response) => {
			const chunks: Buffer[] = [];
			request.on('data', (chunk: Buffer) => chunks.push(chunk));
			request.on('end', () => {
				const { url: path = '', headers } = request;
				void sleepMs(path.includes('webhook-waiting') ? 3_000 : 0).then(() => {
					const on = http.request(`${stage.n8n.url}${path}`, { method: 'POST', headers }, (got) => {
						response.writeHead(got.statusCode ?? 0, got.headers);
						got.pipe(response);
					});
					on.on('error', () => response.writeHead(502).end());
					on.end(Buffer.concat(chunks));
				});
			});
		});
		await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
	});

	const slowUrl = () => `http://127.0.0.1:${(way.address() as AddressInfo).port}`;

	it('an answer that an execution has used, passed on to another trigger of the workflow: after a restart it starts that one once', async () => {
		const { id, a, b } = await startBoth({ onlyUnmatched: true });
		stage.sandbox.setWebhookUrl('bot', urlOf(a));
		const asked = await (await stage.createAsking({})).start();
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		await ended(id, 1);
		await sleepMs(2_000);
		const called = stage.sandbox.webhookLog().at(-1);
		await restart(a, b);
		expect(await stage.sandbox.resendWebhook(called?.id ?? 0)).toMatchObject({ status: 200 });
		await sleepMs(5_000);
		expect([await idsOf(id), await idsOf(id, SECOND)]).toEqual([[], [asked.message.messageId]]);
	}, 180_000);

	it('an answer that takes n8n some seconds, and a press meanwhile: after a restart the press starts nothing again', async () => {
		const a = randomUUID();
		const first = triggerOf(a, { onlyUnmatched: true, n8nAddress: slowUrl() });
		const id = await stage.n8n.createWorkflow(workflow('A', [[first, noOp('A')]]));
		await isUp(a);
		stage.sandbox.setWebhookUrl('bot', urlOf(a));
		const asked = await (await stage.createAsking({})).start();
		const pressed = stage.press(asked.message, 'Approve');
		await sleepMs(1_000);
		const body = press('meanwhile');
		expect(await post(a, body)).toBe(200);
		await ended(id, 1);
		await pressed;
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		await sleepMs(2_000);
		await restart(a);
		expect(await post(a, body)).toBe(200);
		await sleepMs(5_000);
		expect(await idsOf(id)).toEqual(['meanwhile']);
	}, 180_000);

	it('the same with a call that is kept for another trigger by the other one: it goes on after a restart', async () => {
		const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
		const other = await stage.n8n.createWorkflow(workflow('C', [[triggerOf(c)]]));
		const id = await stage.n8n.createWorkflow(
			workflow('Both', [
				[triggerOf(a, { onlyUnmatched: true, n8nAddress: slowUrl() }), noOp('A')],
				[triggerOf(b, { alsoPassOnTo: [urlOf(c)] }, SECOND), noOp('B')],
			]),
		);
		await isUp(a, b, c);
		await switchOff(other, c);
		stage.sandbox.setWebhookUrl('bot', urlOf(a));
		const asked = await (await stage.createAsking({})).start();
		const pressed = stage.press(asked.message, 'Approve');
		await sleepMs(1_000);
		expect(await post(b, press('kept'))).toBe(200);
		await ended(id, 1);
		await pressed;
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		await sleepMs(2_000);
		await restart(a, b);
		await stage.n8n.switchTo(other, 'activate');
		await isUp(c);
		expect(await post(b, press('next'))).toBe(200);
		expect(await allCome(other, 2)).toEqual(['kept', 'next']);
	}, 180_000);

	it('6e. n8n is killed before it has taken an answer, which a proxy has sent again meanwhile: neither call is told that it was taken', async () => {
		const a = randomUUID();
		await stage.n8n.createWorkflow(
			workflow('A', [[triggerOf(a, { n8nAddress: slowUrl() }), noOp('A')]]),
		);
		await isUp(a);
		stage.sandbox.setWebhookUrl('bot', urlOf(a));
		const asked = await (await stage.createAsking({})).start();
		const pressed = stage.press(asked.message, 'Approve');
		await sleepMs(500);
		const { id = 0 } = stage.sandbox.webhookLog().at(-1) ?? {};
		const again = stage.sandbox.resendWebhook(id);
		await sleepMs(1_000);
		await stage.n8n.kill();
		await pressed;
		const statuses = [stage.sandbox.webhookLog().find((call) => call.id === id), await again];
		for (const call of statuses) expect(call?.status).not.toBe(200);
		await stage.n8n.boot();
		await isUp(a);
		expect(await stage.sandbox.resendWebhook(id)).toMatchObject({ status: 200 });
		expect(await asked.outcome(20_000)).toMatchObject({ decision: 'approved' });
	}, 180_000);

	it.each([
		['no other call comes', false],
		['another call is taken meanwhile', true],
	])(
		'6d. n8n is killed before it has taken an answer, %s: the answer counts when Diyalog repeats it',
		async (_what, isOther) => {
			const a = randomUUID();
			const first = triggerOf(a, { n8nAddress: slowUrl() });
			const id = await stage.n8n.createWorkflow(workflow('A', [[first, noOp('A')]]));
			await isUp(a);
			stage.sandbox.setWebhookUrl('bot', urlOf(a));
			const asked = await (await stage.createAsking({})).start();
			const pressed = stage.press(asked.message, 'Approve');
			await sleepMs(500);
			if (isOther) {
				expect(await post(a, press('other'))).toBe(200);
				await ended(id, 1);
			}
			await stage.n8n.kill();
			await pressed;
			const called = stage.sandbox.webhookLog().at(-1);
			expect(called?.status).not.toBe(200);
			await stage.n8n.boot();
			await isUp(a);
			expect(await asked.status()).toBe('waiting');
			expect(await stage.sandbox.resendWebhook(called?.id ?? 0)).toMatchObject({ status: 200 });
			expect(await asked.outcome(20_000)).toMatchObject({ decision: 'approved' });
		},
		180_000,
	);
});

describe('7. a call is kept for another trigger, and somebody publishes the workflow with something else in it', () => {
	/** The trigger with other fields is published. */
	async function publishWith(id: string, changed: Fields): Promise<void> {
		const { nodes, connections } = await stage.saved(id);
		const change = { nodes: nodes.map((each) => ({ ...each, ...changed })), connections };
		await stage.n8n.request('PATCH', `/rest/workflows/${id}`, change, z.unknown());
		const { versionId } = await stage.saved(id);
		const resource = `/rest/workflows/${id}/activate`;
		await stage.n8n.request('POST', resource, { versionId }, z.unknown());
		await sleepMs(4_000);
	}

	it.each([
		['an empty list, and then with the old one', { options: {} }, false],
		['the trigger under another node id, as a tool makes it anew', undefined, true],
	])(
		'%s: the call goes on, or the log says that it is lost, and nothing of it stays',
		async (_what, parameters, hasOtherId) => {
			const { a, b, other, first, id } = await keepsForAnother();
			await sleepMs(500);
			expect(await staticDataOf(id)).toContain('"keptCalls":"ey');
			const { parameters: before } = first;
			if (parameters)
				await publishWith(id, { parameters: { ...(before as Fields), ...parameters } });
			await publishWith(id, { parameters: before, ...(hasOtherId && { id: randomUUID() }) });
			await isUp(a);
			await stage.n8n.switchTo(other, 'activate');
			await isUp(b);
			expect(await post(a, press('next'))).toBe(200);
			await sleepMs(12_000);
			const log = (await fs.readFile(stage.n8n.logFile, 'utf8')).split('\n');
			const isReported = log.some((line) => line.includes(b) && line.includes('lost'));
			const ids = await idsOf(other);
			expect(ids).toContain('next');
			expect(ids.includes('kept') || isReported).toBe(true);
			// What was taken goes with the next call.
			expect(await post(a, press('last'))).toBe(200);
			await sleepMs(1_000);
			expect(await staticDataOf(id)).not.toContain('"keptCalls":"ey');
		},
		120_000,
	);
});

describe('8. a tool puts the same workflow into n8n again, of which the nodes have no ids', () => {
	async function deploy(id: string, rows: WorkflowNode[][]): Promise<void> {
		const { versionId } = await stage.saved(id);
		const { nodes, connections } = workflow('A', rows);
		const bare = nodes.map((each) => ({ ...each, id: undefined }));
		const change = { nodes: bare, connections, versionId };
		await stage.n8n.request('PATCH', `/rest/workflows/${id}`, change, z.unknown());
		await stage.n8n.switchTo(id, 'activate');
		await sleepMs(3_000);
	}

	it('a call that was taken is not taken again, and the former id has nothing stored any more', async () => {
		const a = randomUUID();
		const rows = [[triggerOf(a), noOp('A')]];
		const id = await stage.n8n.createWorkflow(workflow('A', rows));
		await isUp(a);
		const body = press('once');
		expect(await post(a, body)).toBe(200);
		await ended(id, 1);
		await sleepMs(1_000);
		for (let time = 0; time < 2; time++) {
			await deploy(id, rows);
			await isUp(a);
			expect(await post(a, body)).toBe(200);
			await sleepMs(2_000);
		}
		await restart(a);
		expect(await post(a, body)).toBe(200);
		await sleepMs(4_000);
		expect(await idsOf(id)).toEqual(['once']);
		expect((await staticDataOf(id)).match(/"Diyalog Trigger /g)).toHaveLength(1);
	}, 180_000);

	it('with an empty list, while a call is kept for another trigger: the log says that it is lost, and nothing of it stays', async () => {
		const { a, b, id } = await keepsForAnother(noOp('A'));
		await sleepMs(500);
		await deploy(id, [[triggerOf(a), noOp('A')]]);
		await isUp(a);
		for (const each of ['next', 'last']) expect(await post(a, press(each))).toBe(200);
		await sleepMs(4_000);
		const log = (await fs.readFile(stage.n8n.logFile, 'utf8')).split('\n');
		expect(log.some((line) => line.includes(b) && line.includes('lost'))).toBe(true);
		expect(await staticDataOf(id)).not.toContain('"keptCalls":"ey');
	}, 120_000);
});
