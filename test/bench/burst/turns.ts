import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { runConcurrently } from '../../../nodes/Diyalog/actions/concurrency';
import { itemsOf, parse } from '../../../tools/n8n/executions';
import type { AddedTrigger, Stage } from '../../e2e/harness/waiting';
import { node, noOp } from '../../e2e/harness/workflows';
import { cpuMsBetween, watchProcess } from '../send/samples';
import { endsWithin } from '../../support/endsWithin';
import { postSigned } from '../../support/sign';
import { os, sleepMs, waitFor } from '../../../tools/system';
import { envelope, written } from '../../support/webhookBodies';

/*
 * Many executions wait, and all are answered in the same moment: by signed calls as Diyalog makes them, or by a direct call
 * of the resume address of each.
 */

/** Of Diyalog, in one call. */
export const PRESSES_IN_A_CALL = 10;

const START_AT_ONCE = 20;
const READ_AT_ONCE = 8;
const WITHIN_MS = 600_000;
/** n8n stores a waiting execution a moment after it shows it as waiting. */
const CALM_MS = 2_000;
/** n8n gives up writing to SQLite after a while: what then still waits or runs does not go on by itself. */
const STUCK_AFTER_MS = 60_000;
const WATCH_EVERY_MS = 200;

const WAIT = 'Wait for a call';
const END = 'End';

/** What one turn found. */
export interface Turn {
	/** from the first call until n8n's record says that the last execution has ended */
	timeMs: number;
	/** CPU time of n8n's main process meanwhile: other programs on the machine change it little */
	cpuMs: number;
	/** executions whose last node ran exactly once */
	continuedOnce: number;
	/** executions whose last node ran more than once */
	continuedTwice: number;
	/** calls that were not answered with 200 */
	refusedCalls: number;
	slowestCallMs: number;
	/** what came out of the trigger for answers that continued their execution, but says otherwise; why, for each */
	untrue: string[];
	/** what came out of the trigger */
	items: number;
	load: number;
}

/** One way to let executions wait, and to answer all of them. */
export interface Contestant {
	name: string;
	turn(count: number): Promise<Turn>;
}

const recordSchema = z.object({
	data: z.object({
		workflowId: z.coerce.string(),
		status: z.string(),
		stoppedAt: z.string().nullish(),
		data: z.string(),
	}),
});
type ExecutionRecord = z.output<typeof recordSchema>['data'];

const tokenSchema = z.object({ resumeToken: z.string() });

const itemSchema = z.object({
	messageId: z.string(),
	resumed: z.boolean().nullish(),
	notResumedReason: z.string().optional(),
});

/** A workflow of which many executions can wait at once. */
interface WaitingWorkflow {
	id: string;
	/** starts one execution */
	url: string;
}

/** Starts executions, and gives their ids when all of them wait. */
async function startWaiting(
	{ n8n }: Stage,
	{ id, url }: WaitingWorkflow,
	count: number,
): Promise<string[]> {
	const headers = { 'content-type': 'application/json' };
	const start = async () => {
		const response = await fetch(url, { method: 'POST', headers, body: '{}' });
		await response.text();
		if (!response.ok) throw new Error(`n8n did not start an execution: ${response.status}`);
	};
	await runConcurrently(count, START_AT_ONCE, start, () => true);
	await waitFor('all executions wait', WITHIN_MS, async () => {
		await sleepMs(500);
		return (await n8n.executionCount(id, 'waiting')) === count ? true : undefined;
	});
	await sleepMs(CALM_MS);
	const newest = Math.max(...(await n8n.executions(id)).map((each) => Number(each.id)));
	// Nothing else has begun meanwhile; whoever reads them checks it.
	return Array.from({ length: count }, (_, index) => String(newest - index));
}

async function readAll(
	{ n8n }: Stage,
	{ id: workflowId }: WaitingWorkflow,
	ids: readonly string[],
): Promise<ExecutionRecord[]> {
	const records: ExecutionRecord[] = [];
	const read = async (index: number) => {
		const resource = `/rest/executions/${ids[index]}`;
		const { data } = await n8n.request('GET', resource, undefined, recordSchema);
		if (data.workflowId !== workflowId) throw new Error(`${resource} is of another workflow`);
		records[index] = data;
	};
	await runConcurrently(ids.length, READ_AT_ONCE, read, () => true);
	return records;
}

interface Called {
	refusedCalls: number;
	slowestCallMs: number;
}

/** Makes all calls in one moment, or so many of them at a time. */
async function callAll(
	calls: ReadonlyArray<() => Promise<Response>>,
	atOnce = calls.length,
): Promise<Called> {
	let refusedCalls = 0;
	let slowestCallMs = 0;
	const call = async (index: number) => {
		const beginMs = performance.now();
		const response = await calls[index]?.().catch(() => undefined);
		await response?.text();
		slowestCallMs = Math.max(slowestCallMs, performance.now() - beginMs);
		if (response?.status !== 200) refusedCalls++;
	};
	await runConcurrently(calls.length, atOnce, call, () => true);
	return { refusedCalls, slowestCallMs };
}

/** Answers all, and finds out what became of the executions. */
async function answerAll(
	stage: Stage,
	workflow: WaitingWorkflow,
	ids: readonly string[],
	answer: () => Promise<Called>,
): Promise<Turn> {
	const stopWatching = watchProcess(stage.n8n.pid ?? 0, WATCH_EVERY_MS);
	await sleepMs(2 * WATCH_EVERY_MS);
	const beginMs = Date.now();
	const answered = answer();
	let open = ids.length;
	let changedAtMs = Date.now();
	while (open > 0 && Date.now() - changedAtMs < STUCK_AFTER_MS) {
		await sleepMs(1_000);
		const now = await stage.n8n.executionCount(workflow.id, 'waiting', 'running');
		if (now !== open) changedAtMs = Date.now();
		open = now;
	}
	const load = os.loadavg()[0] ?? 0;
	const samples = await stopWatching();
	const called = await answered;
	const records = await readAll(stage, workflow, ids);
	const runs = records.map(({ data }) => itemsOf(data, END).length);
	const ended = records.filter(({ status }) => status === 'success');
	const endMs = Math.max(...ended.map(({ stoppedAt }) => Date.parse(stoppedAt ?? '')));
	return {
		...called,
		timeMs: endMs - beginMs,
		cpuMs: cpuMsBetween(samples, beginMs, endMs),
		continuedOnce: runs.filter((times) => times === 1).length,
		continuedTwice: runs.filter((times) => times > 1).length,
		untrue: [],
		items: 0,
		load,
	};
}

/**
 * Send and Wait for Response, answered through a trigger.
 *
 * @param startsExecutions whether the presses come out of the trigger as well
 */
export async function diyalog(
	stage: Stage,
	name: string,
	trigger: AddedTrigger,
	startsExecutions: boolean,
): Promise<Contestant> {
	const workflow = await stage.createAsking(
		{
			...endsWithin(5, 'hours'),
		},
		noOp(END),
	);
	return {
		name,
		turn: async (count) => {
			const known = stage.sandbox.messages().length;
			const ids = await startWaiting(stage, workflow, count);
			const messageIds = stage.sandbox
				.messages()
				.slice(known)
				.map(({ messageId }) => messageId);
			if (messageIds.length !== count) throw new Error(`${messageIds.length} of ${count} messages`);
			const bodies = Array.from({ length: Math.ceil(count / PRESSES_IN_A_CALL) }, (_, index) => {
				const from = index * PRESSES_IN_A_CALL;
				const pressed = messageIds.slice(from, from + PRESSES_IN_A_CALL);
				return envelope(...pressed.map((messageId) => written(`[${messageId}]:approve`)));
			});
			const calls = bodies.map(
				(body) => async () => await postSigned(trigger.url, body, stage.appSecret),
			);
			const turn = await answerAll(stage, workflow, ids, async () => await callAll(calls));
			if (startsExecutions) {
				await waitFor('all calls have come out of the trigger', WITHIN_MS, async () => {
					await sleepMs(1_000);
					const open = await stage.n8n.executionCount(trigger.workflowId, 'running', 'new');
					return open === 0 ? true : undefined;
				});
			}
			const expected = new Set(messageIds);
			// The trigger starts one execution for each call; the last hundred are read.
			const items = z
				.array(itemSchema)
				.parse(await stage.triggered(trigger.workflowId))
				.filter(({ messageId }) => expected.has(messageId));
			// Where all executions have continued, every item that says otherwise is untrue.
			const untrue = items
				.filter(({ resumed }) => resumed !== true)
				.map(({ notResumedReason }) => notResumedReason ?? 'no reason');
			return { ...turn, items: items.length, untrue };
		},
	};
}

/**
 * n8n's own Wait node, each execution answered by a call of its resume address.
 *
 * @param atOnce so many calls are made at a time; all in one moment unless given
 */
export async function waitNode(stage: Stage, name: string, atOnce?: number): Promise<Contestant> {
	const { n8n } = stage;
	const parameters = { resume: 'webhook', httpMethod: 'POST', options: {} };
	const wait = node(WAIT, 'n8n-nodes-base.wait', 1.1, parameters, { webhookId: randomUUID() });
	const workflow = await stage.createCalled([[wait, noOp(END)]]);
	const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
	return {
		name,
		turn: async (count) => {
			const ids = await startWaiting(stage, workflow, count);
			// What $execution.resumeUrl says, without a node that asks for it.
			const urls = (await readAll(stage, workflow, ids)).map(({ data }, index) => {
				const { resumeToken } = tokenSchema.parse(parse(data));
				return `${n8n.url}/webhook-waiting/${ids[index]}?signature=${resumeToken}`;
			});
			const calls = urls.map((url) => async () => await fetch(url, init));
			return await answerAll(stage, workflow, ids, async () => await callAll(calls, atOnce));
		},
	};
}
