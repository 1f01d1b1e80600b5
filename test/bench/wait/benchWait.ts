import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Stage } from '../../e2e/harness/waiting';
import { httpPost, node } from '../../e2e/harness/workflows';
import { postSigned } from '../../support/sign';
import { print, sleepMs, waitFor } from '../../../tools/system';
import { envelope, written } from '../../support/webhookBodies';
import { median } from '../send/samples';
import { ARRIVES_WITHIN_MS, ID, Receiver } from './receiver';

/*
 * How long it takes from a customer's press until the workflow goes on: the signed call that Diyalog makes, the trigger,
 * and the resume; against a direct call of the resume address of n8n's Wait node. Both in turns, in one n8n.
 */

const ROUNDS = 40;
const WARM_UP_ROUNDS = 5;
/** n8n stores a waiting execution a moment after it shows it as waiting. */
const CALM_MS = 150;
const TARGET = 1.5;

const WAIT = 'Wait for a call';

/** Sends the press as Diyalog does, and gives the time until the workflow has gone on, in milliseconds. */
type Sample = () => Promise<number>;

async function diyalogSample(stage: Stage, receiver: Receiver): Promise<Sample> {
	const done = httpPost('Done', `=${receiver.url}/done-${ID}`, '{}');
	const workflow = await stage.createAsking({}, done);
	const webhookUrl = stage.sandbox.config.bots[0]?.webhook.url ?? '';
	return async () => {
		const id = randomUUID();
		const { message } = await workflow.start({ id });
		await sleepMs(CALM_MS);
		const body = envelope(written(`[${message.messageId}]:approve`));
		const beginMs = performance.now();
		const answered = postSigned(webhookUrl, body, stage.appSecret);
		const { atMs } = await receiver.arrival(`done-${id}`);
		await answered;
		return atMs - beginMs;
	};
}

const resumeUrlSchema = z.object({ url: z.string() });

async function waitNodeSample(stage: Stage, receiver: Receiver): Promise<Sample> {
	const { n8n } = stage;
	const asks = `={{ JSON.stringify({ url: $execution.resumeUrl }) }}`;
	const parameters = { resume: 'webhook', httpMethod: 'POST', options: {} };
	const { id: workflowId, url } = await stage.createCalled([
		[
			httpPost('Ask', `=${receiver.url}/asked-${ID}`, asks),
			node(WAIT, 'n8n-nodes-base.wait', 1.1, parameters, { webhookId: randomUUID() }),
			httpPost('Done', `=${receiver.url}/done-${ID}`, '{}'),
		],
	]);
	const headers = { 'content-type': 'application/json' };
	return async () => {
		const id = randomUUID();
		await fetch(url, { method: 'POST', headers, body: JSON.stringify({ id }) });
		const { body } = await receiver.arrival(`asked-${id}`);
		await waitFor('the waiting execution', ARRIVES_WITHIN_MS, async () =>
			(await n8n.executions(workflowId))[0]?.status === 'waiting' ? true : undefined,
		);
		await sleepMs(CALM_MS);
		const { url: resumeUrl } = resumeUrlSchema.parse(body);
		const beginMs = performance.now();
		const answered = fetch(resumeUrl, { method: 'POST', headers, body: '{}' });
		const { atMs } = await receiver.arrival(`done-${id}`);
		await answered;
		return atMs - beginMs;
	};
}

async function inTurns(
	samples: Readonly<Record<string, Sample>>,
): Promise<Record<string, number[]>> {
	const times = Object.fromEntries(Object.keys(samples).map((name) => [name, new Array<number>()]));
	for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
		for (const [name, sample] of Object.entries(samples)) {
			const ms = await sample();
			if (round >= 0) times[name]?.push(ms);
		}
	}
	return times;
}

const SETTINGS: ReadonlyArray<{ name: string; trigger: Readonly<Record<string, unknown>> }> = [
	{ name: 'Diyalog, the press comes out of the trigger as well', trigger: {} },
	{ name: 'Diyalog, Only Unmatched', trigger: { options: { onlyUnmatched: true } } },
];

async function compare(
	name: string,
	trigger: Readonly<Record<string, unknown>>,
	receiver: Receiver,
): Promise<void> {
	const stage = await Stage.set({ trigger });
	try {
		const times = await inTurns({
			[name]: await diyalogSample(stage, receiver),
			'direct POST to a Wait node': await waitNodeSample(stage, receiver),
		});
		for (const [what, all] of Object.entries(times)) {
			print(`${what}: median ${median(all).toFixed(1)} ms of ${all.length}`);
		}
		const [ours = 0, direct = 1] = Object.values(times).map(median);
		const ratio = ours / direct;
		const verdict = ratio <= TARGET ? 'met' : 'missed';
		print(`${ratio.toFixed(2)}x (target: at most ${TARGET}x, ${verdict})\n`);
	} finally {
		await stage.clear();
	}
}

/** Prints the medians and their ratios. A missed target is reported, not punished. */
export async function benchWait(): Promise<void> {
	const receiver = await Receiver.start();
	try {
		for (const { name, trigger } of SETTINGS) await compare(name, trigger, receiver);
	} finally {
		await receiver.close();
	}
}
