import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { endsWithin } from '../support/endsWithin';
import { startReceiver } from '../support/receiver';
import type { Receiver } from '../support/receiver';
import { postSigned } from '../support/sign';
import { sleepMs, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { envelope, written } from '../support/webhookBodies';
import { record } from './harness/figures';
import { Stage } from './harness/waiting';
import { httpPost } from './harness/workflows';

/*
 * Many customers answer in the same moment. Each execution has to continue once, and what comes out of the trigger has to
 * say so, however long n8n takes.
 */

const WAITING = 200;
const PRESSES_IN_A_CALL = 10;
const START_AT_ONCE = 20;

let stage: Stage;
let receiver: Receiver;

beforeAll(async () => {
	stage = await Stage.set();
	receiver = await startReceiver();
}, 900_000);

afterAll(async () => {
	await receiver?.close();
	await stage?.clear();
}, 60_000);

/** Tells which execution has continued, each time that it does. */
const report = (url: string) =>
	httpPost('Report', url, '={{ JSON.stringify({ id: $("Call").item.json.body.id }) }}');

const itemSchema = z.object({
	messageId: z.string(),
	resumed: z.boolean().nullable(),
	notResumedReason: z.string().optional(),
});

it(`${WAITING} answers in one moment: each continues its execution once, and the trigger says so`, async () => {
	const { n8n, sandbox } = stage;
	const workflow = await stage.createAsking(
		{ options: endsWithin(1, 'hours') },
		report(receiver.url),
	);
	const ids = Array.from({ length: WAITING }, () => randomUUID());
	const start = async (index: number) => {
		await (await postJson(workflow.url, { id: ids[index] })).text();
	};
	await runConcurrently(WAITING, START_AT_ONCE, start, () => true);
	await waitFor('all executions wait', 120_000, async () =>
		(await n8n.executionCount(workflow.id, 'waiting')) === WAITING ? true : undefined,
	);
	const messageIds = sandbox.messages().map(({ messageId }) => messageId);
	expect(messageIds).toHaveLength(WAITING);

	const url = sandbox.config.bots[0]?.webhook.url ?? '';
	const slowest = { ms: 0 };
	const call = async (from: number) => {
		const pressed = messageIds.slice(from, from + PRESSES_IN_A_CALL);
		const body = envelope(...pressed.map((messageId) => written(`[${messageId}]:approve`)));
		const beginMs = performance.now();
		const response = await postSigned(url, body, stage.appSecret);
		await response.text();
		slowest.ms = Math.max(slowest.ms, performance.now() - beginMs);
		return response.status;
	};
	const statuses = await Promise.all(
		Array.from({ length: WAITING / PRESSES_IN_A_CALL }, async (_, index) =>
			call(index * PRESSES_IN_A_CALL),
		),
	);
	expect(new Set(statuses)).toEqual(new Set([200]));

	await waitFor('all executions have ended', 120_000, async () =>
		(await n8n.executionCount(workflow.id, 'success', 'error', 'crashed')) === WAITING
			? true
			: undefined,
	);
	const items = await waitFor('all answers have come out', 120_000, async () => {
		const all = z.array(itemSchema).parse(await stage.triggered());
		return all.length >= WAITING ? all : undefined;
	});
	// What continues a second time would do so by now.
	await sleepMs(2_000);
	const continued = receiver.received.map(({ body }) => String(JSON.parse(body).id));
	const once = ids.filter((id) => continued.filter((each) => each === id).length === 1).length;
	const untrue = items.filter(({ resumed }) => resumed !== true);
	const reasons = [...new Set(untrue.map(({ notResumedReason }) => notResumedReason))].join(', ');
	await record({
		part: 'Load',
		what: `${WAITING} waiting executions answered in the same moment`,
		found: `${once} continued once each, ${continued.length - once} beyond that; ${untrue.length} items of the trigger say otherwise${reasons && ` (${reasons})`}`,
		detail: `the slowest call was answered after ${(slowest.ms / 1_000).toFixed(1)} s`,
		target: `${WAITING} continued once each, no item says otherwise`,
		met: once === WAITING && continued.length === WAITING && untrue.length === 0,
	});
	expect(continued.sort()).toEqual([...ids].sort());
	expect(await n8n.executionCount(workflow.id, 'success')).toBe(WAITING);
	expect(untrue).toEqual([]);
	expect(items.map(({ messageId }) => messageId).sort()).toEqual([...messageIds].sort());
}, 600_000);
