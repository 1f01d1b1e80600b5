import { waitFor } from '../support/system';
import { record } from './harness/figures';
import { Stage } from './harness/waiting';

/*
 * Many customers answer in the same second. An answer that does not get through in time has to come out of the trigger:
 * nobody else knows of it. How many get through is reported.
 */

const WAITING = 200;
const BATCH = 10;

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set({ sandbox: { batch: { maxEvents: BATCH, maxWaitMs: 1_000 } } });
}, 900_000);

afterAll(async () => {
	await stage?.clear();
}, 60_000);

it(`${WAITING} answers at once: each continues its execution once, or comes out of the trigger`, async () => {
	const { n8n, sandbox } = stage;
	const workflow = await stage.createAsking({
		limitWaitTime: {
			values: { limitType: 'afterTimeInterval', resumeAmount: 1, resumeUnit: 'hours' },
		},
	});
	for (let index = 0; index < WAITING; index++)
		await fetch(workflow.url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{}',
		});
	await waitFor('all executions wait', 120_000, async () =>
		(await n8n.executionCount(workflow.id, 'waiting')) === WAITING ? true : undefined,
	);
	await sandbox.flush();
	const delivered = sandbox.webhookLog().length;
	for (const { messageId } of sandbox.messages())
		sandbox.pressButton({ messageId, button: 'Approve' });
	await sandbox.flush();
	const webhooks = sandbox.webhookLog().slice(delivered);
	expect(webhooks.filter(({ status }) => status !== 200)).toHaveLength(0);
	const slowestMs = Math.max(...webhooks.map(({ durationMs = 0 }) => durationMs));

	interface Item {
		messageId: string;
		resumed: boolean;
		notResumedReason?: string;
	}
	const items = (await waitFor('all answers have come out', 60_000, async () => {
		const all = await stage.triggered();
		return all.length >= WAITING ? all : undefined;
	})) as Item[];
	expect(new Set(items.map(({ messageId }) => messageId)).size).toBe(WAITING);
	const lost = items.filter(({ resumed }) => !resumed);
	const reasons = [...new Set(lost.map(({ notResumedReason }) => notResumedReason))].join(', ');
	const continued = await waitFor('the executions that continued have ended', 60_000, async () => {
		const ended = await n8n.executionCount(workflow.id, 'success', 'error', 'crashed');
		const waiting = await n8n.executionCount(workflow.id, 'waiting');
		return ended + waiting === WAITING ? ended : undefined;
	});
	// An answer that came too late for the trigger may have continued its execution all the same.
	expect(continued).toBeGreaterThanOrEqual(WAITING - lost.length);
	await record({
		part: 'Load',
		what: `${WAITING} waiting executions answered in the same moment`,
		found: `${continued} continued once each, ${lost.length} answers came out of the trigger as not resumed${reasons && ` (${reasons})`} in time`,
		detail: `the slowest batch was answered after ${(slowestMs / 1_000).toFixed(1)} s`,
		target: `${WAITING} continued once each`,
		met: continued === WAITING,
	});
}, 400_000);
