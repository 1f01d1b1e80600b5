import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../../sandbox/server';
import type { Sandbox } from '../../../sandbox/server';
import { freePort } from '../../../tools/system';
import { N8n } from '../../../tools/n8n/n8n';
import type { N8nProcess } from '../../../tools/n8n/process';
import { postSigned } from '../../support/sign';
import { startRoundRobin } from './roundRobin';
import { inPostgres, startPostgres, startRedis } from './services';
import type { Service } from './services';

/** n8n distributed over processes, as banks run it: the main process serves the editor alone. */
export interface QueueMode {
	n8n: N8n;
	workers: N8nProcess[];
	/** takes all calls of webhooks, unless there are more */
	webhookProcess: N8nProcess;
	/** all that take calls of webhooks */
	webhookProcesses: N8nProcess[];
	/** where calls of webhooks are taken */
	webhookUrl: string;
	/** carries out a statement in n8n's database, and gives what it prints */
	sql(statement: string): Promise<string>;
	stop(): Promise<void>;
}

/**
 * n8n notices after about a minute that a worker has died; for tests after some seconds.
 * Source: https://docs.n8n.io/hosting/configuration/environment-variables/queue-mode/
 */
const NOTICE_DEAD_WORKERS_SOON: NodeJS.ProcessEnv = {
	QUEUE_WORKER_LOCK_DURATION: '8000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
	QUEUE_WORKER_STALLED_INTERVAL: '4000',
};

/**
 * Starts PostgreSQL, Redis, and n8n as one main process, two workers and webhook processes.
 *
 * @param webhookProcessCount with more than one of them a load balancer takes the calls
 */
export async function startQueueMode(webhookProcessCount = 1): Promise<QueueMode> {
	const ends: Array<() => Promise<void>> = [];
	const stop = async () => {
		for (const end of ends.splice(0).reverse()) await end();
	};
	const service = async (start: () => Promise<Service>): Promise<NodeJS.ProcessEnv> => {
		const { settings, stop: end } = await start();
		ends.push(end);
		return settings;
	};
	const start = async (): Promise<QueueMode> => {
		const webhookPort = await freePort();
		const balancer = webhookProcessCount > 1 ? await startRoundRobin() : undefined;
		if (balancer) ends.push(balancer.close);
		const webhookUrl = balancer?.url ?? `http://127.0.0.1:${webhookPort}`;
		const database = await service(startPostgres);
		const n8n = await N8n.prepare({
			settings: {
				...database,
				...(await service(startRedis)),
				EXECUTIONS_MODE: 'queue',
				// Where all processes say that webhooks, and with them waiting executions, are reached.
				WEBHOOK_URL: `${webhookUrl}/`,
				OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
				N8N_DISABLE_PRODUCTION_MAIN_PROCESS: 'true',
				...NOTICE_DEAD_WORKERS_SOON,
			},
		});
		ends.push(async () => {
			await n8n.stop();
			await n8n.remove();
		});
		await n8n.setUp();
		const workers = [await n8n.addProcess('worker'), await n8n.addProcess('worker')];
		const webhookProcess = await n8n.addProcess('webhook', {}, webhookPort);
		const webhookProcesses = [webhookProcess];
		while (webhookProcesses.length < webhookProcessCount)
			webhookProcesses.push(await n8n.addProcess('webhook'));
		balancer?.targets.push(...webhookProcesses.map(({ url }) => url));
		const sql = async (statement: string) => await inPostgres(database, statement);
		return { n8n, workers, webhookProcess, webhookProcesses, webhookUrl, sql, stop };
	};
	return await start().catch(async (error: unknown) => {
		await stop();
		throw error;
	});
}

/** n8n in queue mode with two webhook processes, Diyalog's double with a bot, and a credential for it. */
export interface QueueStage {
	queue: QueueMode;
	sandbox: Sandbox;
	credentialId: string;
	/** Posts a signed call to one of the processes, as a load balancer may choose, and gives the status of the answer. */
	post(process: number, webhookId: string, body: string): Promise<number>;
	clear(): Promise<void>;
}

/** Starts n8n in queue mode with two webhook processes beside Diyalog's double. */
export async function setQueueStage(): Promise<QueueStage> {
	const appSecret = randomBytes(16).toString('hex');
	const bot = { name: 'bot', token: randomBytes(16).toString('hex'), webhook: { appSecret } };
	const sandbox = await startSandbox({ bots: [bot] });
	const queue = await startQueueMode(2).catch(async (error: unknown) => {
		await sandbox.close();
		throw error;
	});
	const clear = async () => {
		await queue.stop();
		await sandbox.close();
	};
	const credential = { serverUrl: sandbox.url, botToken: bot.token, appSecret };
	const credentialId = await queue.n8n.createCredential('Diyalog', credential);
	const post = async (process: number, webhookId: string, body: string) => {
		const base = queue.webhookProcesses[process % 2]?.url ?? '';
		return (await postSigned(`${base}/webhook/${webhookId}/webhook`, body, appSecret)).status;
	};
	return { queue, sandbox, credentialId, post, clear };
}
