import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Stage } from '../../e2e/harness/waiting';
import { httpPost, node } from '../../e2e/harness/workflows';
import { postSigned } from '../../support/sign';
import { print, sleepMs, waitFor } from '../../../tools/system';
import { envelope, written } from '../../support/webhookBodies';
import type { BenchOptions, Row } from '../benchmark';
import { median } from '../send/samples';
import { ARRIVES_WITHIN_MS, ID, Receiver } from './receiver';

/*
 * How long it takes from a customer's press until the workflow goes on: the signed call that Diyalog makes, the trigger,
 * and the resume; against a direct call of the resume address of n8n's Wait node. Both in turns, in one n8n.
 */

const FULL = { rounds: 40, warmUpRounds: 5 };
/** To see that the benchmark works; its figures say little. */
const QUICK = { rounds: 5, warmUpRounds: 1 };
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
	{ rounds, warmUpRounds }: typeof FULL,
): Promise<Record<string, number[]>> {
	const times = Object.fromEntries(Object.keys(samples).map((name) => [name, new Array<number>()]));
	for (let round = -warmUpRounds; round < rounds; round++) {
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
	extent: typeof FULL,
): Promise<Row> {
	const stage = await Stage.set({ trigger });
	try {
		const samples = {
			[name]: await diyalogSample(stage, receiver),
			'direct POST to a Wait node': await waitNodeSample(stage, receiver),
		};
		const times = await inTurns(samples, extent);
		for (const [what, all] of Object.entries(times)) {
			print(`${what}: median ${median(all).toFixed(1)} ms of ${all.length}`);
		}
		const [ours = 0, direct = 1] = Object.values(times).map(median);
		const ratio = ours / direct;
		return {
			what: `A tap against a direct call of a Wait node: ${name}`,
			measured: `${ratio.toFixed(2)}x`,
			target: `at most ${TARGET}x`,
			met: ratio <= TARGET,
		};
	} finally {
		await stage.clear();
	}
}

/** Prints the medians and gives their ratios. */
export async function benchWait({ quick }: BenchOptions): Promise<Row[]> {
	const receiver = await Receiver.start();
	const rows: Row[] = [];
	try {
		for (const { name, trigger } of SETTINGS)
			rows.push(await compare(name, trigger, receiver, quick ? QUICK : FULL));
		return rows;
	} finally {
		await receiver.close();
	}
}
