import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { freePort, fs, temporaryFolder, waitFor } from '../system';
import { installN8n, withNode } from './install';
import type { InstalledN8n } from './install';
import { installPackage, packPackage } from './package';
import { N8nProcess } from './process';
import type { Role } from './process';

const WEBHOOK_WITHIN_MS = 30_000;

/** The owner of every n8n that is started here, who logs in; n8n listens on loopback only and its data is thrown away. */
export const OWNER = {
	email: 'owner@example.com',
	firstName: 'Demo',
	lastName: 'Owner',
	password: 'Diyalog-demo-1',
};

export interface N8nOptions {
	/** 0 for a free one */
	port?: number;
	/** more settings of n8n, for all its processes; undefined takes away one that is set here */
	settings?: NodeJS.ProcessEnv;
	/** the release of n8n; the one that everything is tested with unless told otherwise */
	version?: string;
	/** an existing empty folder for n8n's data instead of a new one */
	userFolder?: string;
}

/** A workflow as n8n's REST API takes it. */
export interface WorkflowDefinition {
	name: string;
	nodes: ReadonlyArray<Readonly<Record<string, unknown>>>;
	connections: Readonly<Record<string, unknown>>;
	settings?: Readonly<Record<string, unknown>>;
	/** what nodes put out in manual runs, instead of running */
	pinData?: Readonly<Record<string, unknown>>;
}

const dataOf = <T extends z.ZodTypeAny>(schema: T) => z.object({ data: schema });
const idSchema = z.object({ id: z.coerce.string() });
const workflowSchema = idSchema.extend({ versionId: z.string() });
const executionListSchema = z.object({
	count: z.number(),
	results: z
		.array(idSchema.extend({ status: z.string(), workflowId: z.string() }))
		// n8n asks for running ones first and then for ended ones: one that ends meanwhile is in both answers.
		.transform((all) => [...new Map(all.map((each) => [each.id, each])).values()]),
});
const executionSchema = idSchema.extend({ status: z.string(), data: z.string() });

/** One execution in the list of a workflow. */
export type ExecutionSummary = z.output<typeof executionListSchema>['results'][number];

/** Ports on which no two processes may listen at once. */
async function freePorts(): Promise<{ port: number; brokerPort: number }> {
	return { port: await freePort(), brokerPort: await freePort() };
}

/** A real n8n with its data in a folder of its own, driven through its REST API. */
export class N8n {
	private cookie = '';

	private readonly browserId = randomBytes(8).toString('hex');

	private readonly main: N8nProcess;

	private readonly helpers: N8nProcess[] = [];

	private constructor(
		readonly userFolder: string,
		readonly port: number,
		private readonly installed: InstalledN8n,
		brokerPort: number,
		private readonly settings: NodeJS.ProcessEnv,
	) {
		this.main = this.newProcess('main', 'n8n', { port, brokerPort }, {});
	}

	get url(): string {
		return this.main.url;
	}

	/** The main process of n8n; undefined when it was never started. */
	get pid(): number | undefined {
		return this.main.pid;
	}

	/** Everything the main process printed. */
	get logFile(): string {
		return this.main.logFile;
	}

	/** Installs what is needed, starts n8n with this package in it and creates its owner. */
	static async start(options: N8nOptions = {}): Promise<N8n> {
		const n8n = await N8n.prepare(options);
		await n8n.setUp().catch(async (error: unknown) => {
			await n8n.kill();
			throw error;
		});
		return n8n;
	}

	/** Installs what is needed, without starting n8n. */
	static async prepare(options: N8nOptions = {}): Promise<N8n> {
		const installed = await installN8n(options.version);
		const userFolder = options.userFolder ?? (await temporaryFolder('n8n'));
		await installPackage(await packPackage(), userFolder);
		const { port, brokerPort } = await freePorts();
		const settings: NodeJS.ProcessEnv = {
			...withNode(installed.nodeBin),
			N8N_USER_FOLDER: userFolder,
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_HOST: '127.0.0.1',
			N8N_DIAGNOSTICS_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
			N8N_TEMPLATES_ENABLED: 'false',
			N8N_PERSONALIZATION_ENABLED: 'false',
			N8N_ENCRYPTION_KEY: randomBytes(24).toString('hex'),
			N8N_SECURE_COOKIE: 'false',
			N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
			...options.settings,
		};
		return new N8n(userFolder, options.port || port, installed, brokerPort, settings);
	}

	private newProcess(
		role: Role,
		name: string,
		{ port, brokerPort }: { port: number; brokerPort: number },
		settings: NodeJS.ProcessEnv,
	): N8nProcess {
		const { installed, userFolder } = this;
		const env: NodeJS.ProcessEnv = {
			...this.settings,
			N8N_PORT: String(port),
			N8N_RUNNERS_BROKER_PORT: String(brokerPort),
			...(role === 'worker' && {
				QUEUE_HEALTH_CHECK_ACTIVE: 'true',
				QUEUE_HEALTH_CHECK_PORT: String(port),
				N8N_WORKER_SERVER_ADDRESS: '127.0.0.1',
			}),
			...settings,
		};
		return new N8nProcess({ role, name, installed, userFolder, port, env });
	}

	/**
	 * Starts one more process of a queue mode beside the main one.
	 *
	 * @param settings of this process alone
	 * @param port 0 for a free one
	 */
	async addProcess(
		role: Exclude<Role, 'main'>,
		settings: NodeJS.ProcessEnv = {},
		port = 0,
	): Promise<N8nProcess> {
		const name = `n8n-${role}-${this.helpers.length + 1}`;
		const free = await freePorts();
		const helper = this.newProcess(role, name, { ...free, port: port || free.port }, settings);
		this.helpers.push(helper);
		await helper.boot();
		return helper;
	}

	/** Starts n8n for the first time and creates its owner. */
	async setUp(): Promise<void> {
		await this.boot();
		await this.request('POST', '/rest/owner/setup', OWNER, z.unknown());
		await this.login();
	}

	/** Starts the main process, for the first time or again after stop or kill, and waits until it answers. */
	async boot(): Promise<void> {
		await this.main.boot();
	}

	/** The end of the main process's log, for error messages. */
	async logTail(): Promise<string> {
		return await this.main.logTail();
	}

	/** Stops n8n in good order, first what works for the main process. */
	async stop(): Promise<void> {
		await Promise.all(this.helpers.map(async (helper) => await helper.stop()));
		await this.main.stop();
	}

	/** Kills all processes of n8n with -9. */
	async kill(): Promise<void> {
		await Promise.all([this.main, ...this.helpers].map(async (each) => await each.kill()));
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

	/**
	 * What the editor's credential test says.
	 *
	 * @param id of an existing credential, which older releases of n8n want
	 */
	async testCredential(
		data: Readonly<Record<string, unknown>>,
		id = '',
	): Promise<{ status: string; message: string }> {
		const credentials = { id, name: 'Tested', type: 'diyalogApi', data };
		const schema = dataOf(z.object({ status: z.string(), message: z.string() }));
		return (await this.request('POST', '/rest/credentials/test', { credentials }, schema)).data;
	}

	/** Creates a workflow as somebody leaves it in the editor: saved, not active. */
	async saveWorkflow(definition: WorkflowDefinition): Promise<z.output<typeof workflowSchema>> {
		const body = { active: false, settings: { executionOrder: 'v1' }, ...definition };
		return (await this.request('POST', '/rest/workflows', body, dataOf(workflowSchema))).data;
	}

	/** Creates a workflow and activates it. */
	async createWorkflow(definition: WorkflowDefinition): Promise<string> {
		const saved = await this.saveWorkflow(definition);
		await this.activate(saved);
		return saved.id;
	}

	/** Publishes a workflow, or takes it back. */
	async switchTo(workflowId: string, state: 'activate' | 'deactivate'): Promise<void> {
		const resource = `/rest/workflows/${workflowId}`;
		const { versionId } = (await this.request('GET', resource, undefined, dataOf(workflowSchema)))
			.data;
		await this.request('POST', `${resource}/${state}`, { versionId }, z.unknown());
	}

	private async activate({ id, versionId }: z.output<typeof workflowSchema>): Promise<void> {
		const resource = `/rest/workflows/${id}`;
		await this.request('POST', `${resource}/activate`, { versionId }, z.unknown()).catch(
			// Before there were published versions, a workflow was switched on.
			async () => await this.request('PATCH', resource, { active: true, versionId }, z.unknown()),
		);
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

	/** The newest executions of a workflow, at most a hundred; those in one of the states when some are given. */
	async executions(workflowId: string, ...status: string[]): Promise<ExecutionSummary[]> {
		return (await this.executionPage(workflowId, status)).results;
	}

	/** How many executions of a workflow are in one of these states, e.g. `success`. */
	async executionCount(workflowId: string, ...status: string[]): Promise<number> {
		return (await this.executionPage(workflowId, status)).count;
	}

	// Not paged: n8n sorts by time, but begins the next page behind an id, so that pages leave out executions that
	// several workers began in another order.
	private async executionPage(workflowId: string, status: string[]) {
		const filter = { workflowId, ...(status.length > 0 && { status }) };
		const query = new URLSearchParams({ filter: JSON.stringify(filter), limit: '100' });
		const resource = `/rest/executions?${query}`;
		return (await this.request('GET', resource, undefined, dataOf(executionListSchema))).data;
	}

	/** The data of one execution as n8n stores it (its `flatted` text). */
	async executionData(id: string): Promise<string> {
		const schema = dataOf(executionSchema);
		return (await this.request('GET', `/rest/executions/${id}`, undefined, schema)).data.data;
	}
}
