import { randomUUID } from 'node:crypto';
import { ASK } from '../../e2e/harness/waiting';
import type { AddedTrigger, AskingWorkflow, Stage } from '../../e2e/harness/waiting';
import { postSigned } from '../../support/sign';
import { print, sleepMs } from '../../support/system';
import { envelope, written } from '../../support/webhookBodies';
import { ID, report, to } from '../wait/receiver';
import type { Receiver } from '../wait/receiver';
import { PRESSES_IN_A_CALL } from './turns';

/* How long one customer's press takes to continue his execution while another one taps on his own message. */

const TAPS = 200;
const CALM_MS = 500;
const TAPPER = '70021';
const OTHER = '70022';

/** What the impatient customer does meanwhile. */
const DISTURBANCES = {
	/** nothing */
	idle: undefined,
	/** his first tap approves, and the rest comes too late */
	approves: 'approve',
	/** he types what no button has, and is refused each time */
	refused: 'no-such-button',
} as const;

export type Disturbance = keyof typeof DISTURBANCES;

export type Delays = Readonly<Record<Disturbance, number[]>>;

function tapsOf(messageId: string, payload: string): string[] {
	const nowMs = Date.now();
	return Array.from({ length: TAPS / PRESSES_IN_A_CALL }, (_, call) =>
		envelope(
			...Array.from({ length: PRESSES_IN_A_CALL }, (__, tap) =>
				written(`[${messageId}]:${payload}`, {
					customerNo: TAPPER,
					// No two alike: those would pass for one.
					timestamp: nowMs - TAPS + call * PRESSES_IN_A_CALL + tap,
				}),
			),
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
	const done = report('Done', `=${receiver.url}/done-${ID}`, '{}', [600, 0]);
	const pressing = await stage.createAsking(
		{ customerNo: OTHER },
		{ nodes: [done], connections: { Call: to(ASK), [ASK]: to('Done') } },
	);
	const tapping: AskingWorkflow = await stage.createAsking({ customerNo: TAPPER });
	const post = async (body: string) => {
		const response = await postSigned(trigger.url, body, stage.appSecret);
		await response.text();
	};
	const attempt = async (disturbance: Disturbance): Promise<number> => {
		const { message: tapped } = await tapping.start();
		const id = randomUUID();
		const { message } = await pressing.start({ id });
		await sleepMs(CALM_MS);
		const payload = DISTURBANCES[disturbance];
		const bodies = payload === undefined ? [] : tapsOf(tapped.messageId, payload);
		const body = envelope(written(`[${message.messageId}]:approve`, { customerNo: OTHER }));
		const calls = bodies.map(post);
		const beginMs = performance.now();
		calls.push(post(body));
		const { atMs } = await receiver.arrival(`done-${id}`);
		await Promise.all(calls);
		await sleepMs(CALM_MS);
		return atMs - beginMs;
	};
	const delays = { idle: [] as number[], approves: [] as number[], refused: [] as number[] };
	// The first try warms up.
	for (let round = -1; round < tries; round++) {
		for (const disturbance of ['idle', 'approves', 'refused'] as const) {
			const ms = await attempt(disturbance);
			if (round < 0) continue;
			delays[disturbance].push(ms);
			print(`  try ${round + 1} of ${tries}, ${disturbance}: ${Math.round(ms)} ms`);
		}
	}
	return delays;
}
