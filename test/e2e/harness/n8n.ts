import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ChildProcess } from '../../support/system';
import {
	ended,
	freePort,
	fs,
	path,
	signalGroup,
	startProcess,
	temporaryFolder,
	waitFor,
} from '../../support/system';
import { installN8n, withNode } from './install';
import { installPackage } from './package';

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 20_000;
const WEBHOOK_WITHIN_MS = 30_000;

/** The owner that the harness creates; n8n listens on loopback only and its data is thrown away. */
export const OWNER = {
	email: 'owner@example.com',
	firstName: 'Demo',
	lastName: 'Owner',
	password: 'Diyalog-demo-1',
};

export interface N8nOptions {
	/** tarball of this package */
	tarball: string;
	/** 0 for a free one */
	port?: number;
	/** more settings of n8n */
	settings?: NodeJS.ProcessEnv;
}

/** A workflow as n8n's REST API takes it. */
export interface WorkflowDefinition {
	name: string;
	nodes: ReadonlyArray<Readonly<Record<string, unknown>>>;
	connections: Readonly<Record<string, unknown>>;
	settings?: Readonly<Record<string, unknown>>;
}

const dataOf = <T extends z.ZodTypeAny>(schema: T) => z.object({ data: schema });
const idSchema = z.object({ id: z.coerce.string() });
const workflowSchema = idSchema.extend({ versionId: z.string() });
const executionListSchema = z.object({
	results: z
		.array(idSchema.extend({ status: z.string(), workflowId: z.string() }))
		// n8n asks for running ones first and then for ended ones: one that ends meanwhile is in both answers.
		.transform((all) => [...new Map(all.map((each) => [each.id, each])).values()]),
});
const executionSchema = idSchema.extend({ status: z.string(), data: z.string() });

/** One execution in the list of a workflow. */
export type ExecutionSummary = z.output<typeof executionListSchema>['results'][number];

/** A real n8n with its data in a folder of its own, driven through its REST API. */
export class N8n {
	private process: ChildProcess | undefined;

	private cookie = '';

	private readonly browserId = randomBytes(8).toString('hex');

	private constructor(
		readonly userFolder: string,
		readonly port: number,
		private readonly start_: (self: N8n) => ChildProcess,
	) {}

	get url(): string {
		return `http://127.0.0.1:${this.port}`;
	}

	/** The main process of n8n; undefined when it was never started. */
	get pid(): number | undefined {
		return this.process?.pid;
	}

	/** Everything n8n printed. */
	get logFile(): string {
		return path.join(this.userFolder, 'n8n.log');
	}

	/** Installs what is needed, starts n8n with this package in it and creates its owner. */
	static async start(options: N8nOptions): Promise<N8n> {
		const { nodeBin, script } = await installN8n();
		const userFolder = await temporaryFolder('n8n');
		await installPackage(options.tarball, userFolder);
		const port = options.port || (await freePort());
		const brokerPort = await freePort();
		const settings: NodeJS.ProcessEnv = {
			...withNode(nodeBin),
			N8N_USER_FOLDER: userFolder,
			N8N_PORT: String(port),
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_HOST: '127.0.0.1',
			N8N_RUNNERS_BROKER_PORT: String(brokerPort),
			N8N_DIAGNOSTICS_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
			N8N_TEMPLATES_ENABLED: 'false',
			N8N_PERSONALIZATION_ENABLED: 'false',
			N8N_ENCRYPTION_KEY: randomBytes(24).toString('hex'),
			N8N_SECURE_COOKIE: 'false',
			N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
			...options.settings,
		};
		const n8n = new N8n(userFolder, port, (self) =>
			startProcess('node', [script, 'start'], {
				cwd: userFolder,
				env: settings,
				logFile: self.logFile,
			}),
		);
		await n8n.setUp().catch(async (error: unknown) => {
			await n8n.kill();
			throw error;
		});
		return n8n;
	}

	private async setUp(): Promise<void> {
		await this.boot();
		await this.request('POST', '/rest/owner/setup', OWNER, z.unknown());
		await this.login();
	}

	/** Starts the process, for the first time or again after stop or kill, and waits until it answers. */
	async boot(): Promise<void> {
		const child = this.start_(this);
		this.process = child;
		await waitFor('n8n is ready', READY_WITHIN_MS, async () => {
			if (child.exitCode !== null) throw new Error(`n8n ended at once:\n${await this.logTail()}`);
			return (await this.answersOk()) ? true : undefined;
		});
	}

	private async answersOk(): Promise<boolean> {
		try {
			const ready = await fetch(`${this.url}/healthz/readiness`);
			const editor = await fetch(this.url);
			return ready.ok && editor.ok && (await editor.text()).includes('<html');
		} catch {
			return false;
		}
	}

	/** The end of n8n's log, for error messages. */
	async logTail(): Promise<string> {
		const log = await fs.readFile(this.logFile, 'utf8').catch(() => '');
		return log.slice(-3_000);
	}

	/** Stops n8n in good order. */
	async stop(): Promise<void> {
		const child = this.process;
		if (!child) return;
		signalGroup(child, 'SIGTERM');
		const stopped = ended(child).then(() => true);
		await waitFor('n8n stops', STOP_WITHIN_MS, async () =>
			(await Promise.race([stopped, Promise.resolve(undefined)])) === true ? true : undefined,
		).catch(async () => await this.kill());
	}

	/** Kills n8n with -9. */
	async kill(): Promise<void> {
		if (!this.process) return;
		signalGroup(this.process, 'SIGKILL');
		await ended(this.process);
	}

	/** Removes n8n's data; call it after stop. */
	async remove(): Promise<void> {
		await fs.rm(this.userFolder, { recursive: true, force: true });
	}

	/** One call of n8n's REST API as the logged-in owner. */
	async request<T extends z.ZodTypeAny>(
		method: string,
		resource: string,
		body: unknown,
		schema: T,
	): Promise<z.output<T>> {
		const response = await fetch(`${this.url}${resource}`, {
			method,
			headers: {
				'content-type': 'application/json',
				'browser-id': this.browserId,
				cookie: this.cookie,
			},
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		if (!response.ok) {
			throw new Error(`${method} ${resource} answered ${response.status}: ${text.slice(0, 500)}`);
		}
		const setCookie = response.headers.getSetCookie().find((line) => line.startsWith('n8n-auth='));
		if (setCookie) this.cookie = setCookie.slice(0, setCookie.indexOf(';'));
		return schema.parse(text === '' ? undefined : JSON.parse(text));
	}

	async login(): Promise<void> {
		const body = { emailOrLdapLoginId: OWNER.email, password: OWNER.password };
		await this.request('POST', '/rest/login', body, z.unknown());
	}

	async createCredential(
		name: string,
		data: Readonly<Record<string, unknown>>,
		type = 'diyalogApi',
	): Promise<string> {
		const body = { name, type, data };
		const created = await this.request('POST', '/rest/credentials', body, dataOf(idSchema));
		return created.data.id;
	}

	/** What the editor's credential test says. */
	async testCredential(
		data: Readonly<Record<string, unknown>>,
	): Promise<{ status: string; message: string }> {
		const credentials = { id: '', name: 'Tested', type: 'diyalogApi', data };
		const schema = dataOf(z.object({ status: z.string(), message: z.string() }));
		return (await this.request('POST', '/rest/credentials/test', { credentials }, schema)).data;
	}

	/** Creates a workflow and activates it. */
	async createWorkflow(definition: WorkflowDefinition): Promise<string> {
		const body = { settings: { executionOrder: 'v1' }, ...definition };
		const { data } = await this.request('POST', '/rest/workflows', body, dataOf(workflowSchema));
		const activation = { versionId: data.versionId };
		await this.request('POST', `/rest/workflows/${data.id}/activate`, activation, z.unknown());
		return data.id;
	}

	/**
	 * Waits until n8n has registered a POST webhook, which it does some time after a workflow was activated. It asks with
	 * GET, so that nothing is started: n8n then answers which method it would have wanted.
	 *
	 * @param webhookPath the path below `/webhook/`
	 * @param base where webhooks are served; the main process unless told otherwise
	 * @returns the webhook's address
	 */
	async webhookUrl(webhookPath: string, base = this.url): Promise<string> {
		const url = `${base}/webhook/${webhookPath}`;
		return await waitFor(`the webhook ${webhookPath}`, WEBHOOK_WITHIN_MS, async () => {
			const text = await (await fetch(url)).text();
			return text.includes('make a POST request') ? url : undefined;
		});
	}

	async executions(workflowId: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const resource = `/rest/executions?filter=${filter}&limit=100`;
		return (await this.request('GET', resource, undefined, dataOf(executionListSchema))).data
			.results;
	}

	/** The data of one execution as n8n stores it (its `flatted` text). */
	async executionData(id: string): Promise<string> {
		const schema = dataOf(executionSchema);
		return (await this.request('GET', `/rest/executions/${id}`, undefined, schema)).data.data;
	}
}
