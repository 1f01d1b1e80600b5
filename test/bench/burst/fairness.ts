import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AddedTrigger, AskingWorkflow, Stage } from '../../e2e/harness/waiting';
import { httpPost } from '../../e2e/harness/workflows';
import { postSigned } from '../../support/sign';
import { print, sleepMs, waitFor } from '../../../tools/system';
import { entry, envelope, written } from '../../support/webhookBodies';
import { ID } from '../wait/receiver';
import type { Receiver } from '../wait/receiver';
import { PRESSES_IN_A_CALL } from './turns';

/* How long one customer's press takes to continue his execution while another one taps on his own message. */

const TAPS = 200;
const CALM_MS = 500;
/** What was in line may take until then to come out of the trigger. */
const CALM_WITHIN_MS = 60_000;
const TAPPER = '70021';
const OTHER = '70022';

/** What the impatient customer does meanwhile. */
export const DISTURBANCES = [
	/** nothing */
	'idle',
	/** as many calls with as many events that no trigger wants: what n8n itself needs to take calls */
	'receipts',
	/** his first tap approves, and the rest comes too late */
	'approves',
	/** he types what no button has, and is refused each time */
	'refused',
	/** the same, and the other one presses in the middle of it */
	'refusedBefore',
] as const;

export type Disturbance = (typeof DISTURBANCES)[number];

/** After the taps, of a press in the middle of them. */
const MIDDLE_MS = 1_500;

export type Delays = Readonly<Record<Disturbance, number[]>>;

function callsOf(disturbance: Disturbance, messageId: string): string[] {
	if (disturbance === 'idle') return [];
	const payload = disturbance === 'approves' ? 'approve' : 'no-such-button';
	const nowMs = Date.now();
	return Array.from({ length: TAPS / PRESSES_IN_A_CALL }, (_, call) =>
		envelope(
			...Array.from({ length: PRESSES_IN_A_CALL }, (__, tap) => {
				// No two alike: those would pass for one.
				const timestamp = nowMs - TAPS + call * PRESSES_IN_A_CALL + tap;
				const parts = { customerNo: TAPPER, timestamp };
				return disturbance === 'receipts'
					? entry({ read: { mids: [randomUUID()], watermark: timestamp } }, parts)
					: written(`[${messageId}]:${payload}`, parts);
			}),
		),
	);
}

/** Measures all kinds in turns, so many times each, in milliseconds. */
export async function measureFairness(
	stage: Stage,
	trigger: AddedTrigger,
	receiver: Receiver,
	tries: number,
): Promise<Delays> {
	const done = httpPost('Done', `=${receiver.url}/done-${ID}`, '{}');
	const pressing = await stage.createAsking({ customerNo: OTHER }, done);
	const tapping: AskingWorkflow = await stage.createAsking({ customerNo: TAPPER });
	const post = async (body: string) => {
		const response = await postSigned(trigger.url, body, stage.appSecret);
		await response.text();
	};
	const attempt = async (disturbance: Disturbance): Promise<number> => {
		const asked = await tapping.start();
		const before = await stage.n8n.executionCount(trigger.workflowId, 'success');
		const id = randomUUID();
		const { message } = await pressing.start({ id });
		await sleepMs(CALM_MS);
		const bodies = callsOf(disturbance, asked.message.messageId);
		const body = envelope(written(`[${message.messageId}]:approve`, { customerNo: OTHER }));
		const posted = bodies.map(post);
		if (disturbance === 'refusedBefore') await sleepMs(MIDDLE_MS);
		const beginMs = performance.now();
		posted.push(post(body));
		const { atMs } = await receiver.arrival(`done-${id}`);
		await Promise.all(posted);
		// Nothing waits for the taps that are still in line.
		const stop = `/rest/executions/${asked.executionId}/stop`;
		if (disturbance !== 'approves') await stage.n8n.request('POST', stop, {}, z.unknown());
		const calls = disturbance === 'receipts' ? 1 : posted.length;
		await waitFor('all calls have come out of the trigger', CALM_WITHIN_MS, async () =>
			(await stage.n8n.executionCount(trigger.workflowId, 'success')) >= before + calls
				? true
				: undefined,
		);
		await sleepMs(CALM_MS);
		return atMs - beginMs;
	};
	const delays = { idle: [], receipts: [], approves: [], refused: [], refusedBefore: [] };
	const found: Record<Disturbance, number[]> = delays;
	// The first try warms up.
	for (let round = -1; round < tries; round++) {
		for (const disturbance of DISTURBANCES) {
			const ms = await attempt(disturbance);
			if (round < 0) continue;
			found[disturbance].push(ms);
			print(`  try ${round + 1} of ${tries}, ${disturbance}: ${Math.round(ms)} ms`);
		}
	}
	return found;
}
