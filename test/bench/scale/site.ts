import { randomBytes, randomUUID } from 'node:crypto';
import { startSandbox } from '../../../sandbox/server';
import type { Sandbox } from '../../../sandbox/server';
import { N8n } from '../../../tools/n8n/n8n';
import { startQueueMode } from '../../e2e/harness/queueMode';
import { startPostgres } from '../../e2e/harness/services';
import type { Started } from '../send/started';
import { postgres, sqlite } from './database';
import type { Database } from './database';

/** How n8n is run. */
export type Mode = 'sqlite' | 'postgres' | 'queue';

/** What the processes of n8n are for. */
export type Role = 'main' | 'webhook' | 'worker';

/** n8n with a Diyalog server of the sandbox. */
export interface Site {
	mode: Mode;
	n8n: N8n;
	/** undefined in queue mode, where nothing is looked up in it */
	database?: Database;
	/** where calls of webhooks are taken */
	url: string;
	sandbox: Sandbox;
	appSecret: string;
	credentialId: string;
	/** the processes of n8n that work, by what they are for */
	pids: ReadonlyArray<readonly [Role, number]>;
}

const SETTINGS: NodeJS.ProcessEnv = {
	NODE_ENV: 'production',
	EXECUTIONS_DATA_PRUNE: 'false',
	N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
};

/** Many, as each may be sent so many codes only. */
const CUSTOMERS = 1_000;
export const customerOf = (index: number): string => String(71_000 + (index % CUSTOMERS));

type Running = Omit<Site, 'sandbox' | 'appSecret' | 'credentialId'>;

async function startN8n(mode: Mode, started: Started): Promise<Running> {
	if (mode === 'queue') {
		const queue = await startQueueMode();
		await started.add(queue.stop);
		const { n8n, workers, webhookProcess, webhookUrl: url } = queue;
		const pids: Array<[Role, number]> = [
			['main', n8n.pid ?? 0],
			['webhook', webhookProcess.pid ?? 0],
			...workers.map(({ pid = 0 }): [Role, number] => ['worker', pid]),
		];
		return { mode, n8n, url, pids };
	}
	let settings = SETTINGS;
	if (mode === 'postgres') {
		const service = await startPostgres();
		await started.add(service.stop);
		settings = { ...settings, ...service.settings };
	}
	const n8n = await N8n.start({ settings });
	await started.add(async () => {
		await n8n.stop();
		await n8n.remove();
	});
	const database = mode === 'postgres' ? postgres(settings) : sqlite(n8n.userFolder);
	return { mode, n8n, database, url: n8n.url, pids: [['main', n8n.pid ?? 0]] };
}

/** Starts all of it. */
export async function startSite(mode: Mode, started: Started): Promise<Site> {
	const appSecret = randomBytes(16).toString('hex');
	const bot = { name: 'bot', token: randomUUID(), webhook: { appSecret } };
	const sandbox = await startSandbox({
		bots: [bot],
		customers: [
			{ customerNo: '70021', userId: '243540663' },
			...Array.from({ length: CUSTOMERS }, (_, index) => ({
				customerNo: customerOf(index),
				userId: String(910_000 + index),
			})),
		],
	});
	await started.add(async () => await sandbox.close());
	const running = await startN8n(mode, started);
	const credentialId = await running.n8n.createCredential('Diyalog', {
		serverUrl: sandbox.url,
		botToken: bot.token,
		appSecret,
	});
	return { ...running, sandbox, appSecret, credentialId };
}
