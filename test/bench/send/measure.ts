import { z } from 'zod';
import { parse } from '../../../tools/n8n/executions';
import { N8n } from '../../../tools/n8n/n8n';
import { sleepMs, waitFor } from '../../../tools/system';
import type { AnsweringServer } from './answeringServer';
import { cpuMsBetween, peakGrowthBytes, watchProcess } from './samples';
import type { Started } from './started';
import { makeItems, SENDING_NODE, sendingWorkflow } from './variants';
import type { Variant } from './variants';

/** How a variant reaches the server. */
export type Protocol = 'http' | 'https';

/** What one execution cost. */
export interface Run {
	/** the sending node's time as n8n recorded it */
	timeMs: number;
	/** CPU time of n8n's main process meanwhile */
	cpuMs: number;
	/** the most requests that the server had at once */
	maxInFlight: number;
	/** how much memory n8n took at most in the whole execution, over its level before */
	peakGrowthBytes: number;
}

const BOT_TOKEN = 'benchmark-token';

/** How long n8n comes to rest before a run; its memory in this time is the level from which growth counts. */
const CALM_MS = 1_000;
/** An execution is stored a little after its webhook was answered. */
const RECORDED_WITHIN_MS = 60_000;

const nodeRunSchema = z.object({
	startTime: z.number(),
	executionTime: z.number(),
	executionStatus: z.literal('success'),
	data: z.object({ main: z.tuple([z.array(z.object({ json: z.record(z.unknown()) }))]) }),
});
const recordSchema = z.object({
	resultData: z.object({ runData: z.object({ [SENDING_NODE]: z.tuple([nodeRunSchema]) }) }),
});

/** One n8n and the workflows that it was given. */
export class Bench {
	private readonly webhooks = new Map<string, { url: string; workflowId: string }>();

	private constructor(
		private readonly n8n: N8n,
		private readonly server: AnsweringServer,
		private readonly credentialIds: Readonly<Record<Protocol, string>>,
		readonly stop: () => Promise<void>,
	) {}

	/** Starts an n8n, set as for production, with this package in it. */
	static async start(server: AnsweringServer, started: Started): Promise<Bench> {
		const settings = { NODE_ENV: 'production', NODE_EXTRA_CA_CERTS: server.certFile };
		const n8n = await N8n.start({ settings });
		const stop = await started.add(async () => {
			await n8n.stop();
			await n8n.remove();
		});
		const credential = async (protocol: Protocol) =>
			await n8n.createCredential(protocol, {
				serverUrl: server.urls[protocol],
				botToken: BOT_TOKEN,
			});
		const credentialIds = { http: await credential('http'), https: await credential('https') };
		return new Bench(n8n, server, credentialIds, stop);
	}

	private async deploy(variant: Variant, protocol: Protocol) {
		const name = `${variant.key}-${protocol}`;
		const known = this.webhooks.get(name);
		if (known) return known;
		const target = {
			baseUrl: this.server.urls[protocol],
			botToken: BOT_TOKEN,
			credentialId: this.credentialIds[protocol],
		};
		const workflowId = await this.n8n.createWorkflow(sendingWorkflow(variant, target, name));
		const webhook = { url: await this.n8n.webhookUrl(name), workflowId };
		this.webhooks.set(name, webhook);
		return webhook;
	}

	private async newestExecution(workflowId: string): Promise<string | undefined> {
		return (await this.n8n.executions(workflowId)).map(({ id }) => id)[0];
	}

	/** The sending node's part of the record of the execution that follows a known one. */
	private async recordAfter(workflowId: string, previous: string | undefined) {
		const id = await waitFor('the execution is recorded', RECORDED_WITHIN_MS, async () => {
			const newest = await this.newestExecution(workflowId);
			return newest === previous ? undefined : newest;
		});
		const record = recordSchema.parse(parse(await this.n8n.executionData(id)));
		return record.resultData.runData[SENDING_NODE][0];
	}

	/**
	 * Sends items through a variant and measures it.
	 *
	 * @throws Error when not every item was sent exactly once and answered
	 */
	async run(variant: Variant, protocol: Protocol, count: number): Promise<Run> {
		const { url, workflowId } = await this.deploy(variant, protocol);
		const previous = await this.newestExecution(workflowId);
		await this.server.takeStats();
		const body = JSON.stringify({ items: makeItems(count) });
		const stopWatching = watchProcess(this.n8n.pid ?? 0);
		await sleepMs(CALM_MS);
		const beginMs = Date.now();
		const headers = { 'Content-Type': 'application/json' };
		const response = await fetch(url, { method: 'POST', headers, body });
		const samples = await stopWatching();
		const { requests, maxInFlight } = await this.server.takeStats();
		if (!response.ok) throw new Error(`${variant.label}: ${await response.text()}`);
		const { startTime, executionTime, data } = await this.recordAfter(workflowId, previous);
		const answered = data.main[0].filter(({ json }) => json.error === undefined).length;
		if (requests !== count || answered !== count) {
			throw new Error(`${variant.label}: ${count} items, ${requests} sent, ${answered} answered`);
		}
		return {
			timeMs: executionTime,
			cpuMs: cpuMsBetween(samples, startTime, startTime + executionTime),
			maxInFlight,
			peakGrowthBytes: peakGrowthBytes(samples, beginMs),
		};
	}
}
