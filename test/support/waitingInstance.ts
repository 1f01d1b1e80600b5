import express from 'express';
import type { Request, Response } from 'express';
import type {
	IDataObject,
	INodeExecutionData,
	INodeParameters,
	IRun,
	IWebhookResponseData,
} from 'n8n-workflow';
import type { AddressInfo } from '../../tools/system';
import { sleepMs } from '../../tools/system';
import { runAgain, startDiyalogNode, TriggerUnderTest, WaitingNode } from './nodeRuntime';
import type { CredentialData, NodeSetup } from './nodeRuntime';
import { serve } from './webhookServer';
import type { WebhookServer } from './webhookServer';

const ENDED = { startTime: 0, executionIndex: 0, executionTime: 0, source: [] };

/** An execution that waits in "Send and Wait for Response", or has waited. */
export interface WaitingExecution {
	id: string;
	/** what passes on when the time is up, of all outputs */
	onTimeout: INodeExecutionData[];
	/** through which outputs that is */
	timeoutOutputs: number[];
	waitTill: Date;
	/** the items of every time it was continued: more than one would be a disaster */
	continuations: IDataObject[][];
	/** the outputs through which it was continued, each time */
	continuedAt: number[][];
}

/** The outputs through which something leaves. */
const usedOf = (outputs: ReadonlyArray<INodeExecutionData[] | null>): number[] =>
	outputs.flatMap((items, output) => (items?.length ? [output] : []));

/**
 * `fails`: the execution keeps waiting; `failsAfter`: it continues, but n8n is told that it failed; `hangsUp`: it continues,
 * and the connection breaks off.
 */
export type StoringFault = 'fails' | 'failsAfter' | 'hangsUp';

interface Stored extends WaitingExecution {
	setup: NodeSetup;
	/** as n8n stores it while it waits */
	data: IRun['data'];
}

/**
 * As much of an n8n as waiting executions need: it runs the node until it waits, and takes calls of resume addresses over
 * HTTP. It checks no signature of n8n: the end-to-end tests do.
 */
export class WaitingInstance {
	private readonly executions = new Map<string, Stored>();

	/** every call of a resume address: method and path with query */
	readonly calls: string[] = [];

	/** errors that the node let escape: n8n would end the execution with them */
	readonly escaped: unknown[] = [];

	/** what n8n's database does with the executions that are to continue, one after the other; nothing goes wrong after that */
	readonly storing: StoringFault[] = [];

	/** how long n8n takes to store that an execution continues */
	storesAfterMs = 0;

	/** n8n has not put them to wait yet, or runs them */
	readonly running = new Set<string>();

	private triggers: WebhookServer[] = [];

	private started = 0;

	private constructor(
		readonly url: string,
		private readonly stopServer: () => Promise<void>,
	) {}

	static async start(): Promise<WaitingInstance> {
		const app = express();
		const server = app.listen(0, '127.0.0.1');
		// On a busy machine it would end a connection at the moment at which a test uses it again.
		server.keepAliveTimeout = 0;
		await new Promise((resolve) => server.once('listening', resolve));
		const { port } = server.address() as AddressInfo;
		const instance = new WaitingInstance(`http://127.0.0.1:${port}`, async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		});
		// As docs/security.md advises to limit n8n.
		app.use(express.json({ strict: false, limit: '1mb' }), express.urlencoded({ extended: false }));
		app.all('/webhook-waiting/:executionId/:nodeId', async (request, response) => {
			await instance.handle(request, response);
		});
		return instance;
	}

	async close(): Promise<void> {
		for (const trigger of this.triggers) await trigger.close();
		await this.stopServer();
	}

	/**
	 * Runs the node until it waits.
	 *
	 * @param settings of the node, such as its name or `executeOnce`
	 */
	async ask(
		credentials: CredentialData,
		parameters: INodeParameters,
		input: IDataObject = {},
		settings: NodeSetup['settings'] = {},
		calledBy?: NodeSetup['calledBy'],
	): Promise<WaitingExecution> {
		const setup: NodeSetup = {
			credentials,
			settings,
			calledBy,
			parameters: {
				resource: 'otp',
				operation: 'sendAndWait',
				customerNo: '70021',
				message: 'Do you approve?',
				...parameters,
			},
		};
		const id = String(++this.started);
		const instance = { url: this.url, executionId: id };
		this.running.add(id);
		const { run, error } = await startDiyalogNode(setup, [{ json: input }], instance).done;
		this.running.delete(id);
		if (error) throw error;
		const execution: Stored = {
			id,
			setup,
			...waitingOf(run),
			continuations: [],
			continuedAt: [],
		};
		this.executions.set(id, execution);
		return execution;
	}

	/** What is stored of a wait becomes something else, for instance what an earlier release has stored. */
	restore({ id }: WaitingExecution, change: (wait: IDataObject) => IDataObject): void {
		const contexts = this.executions.get(id)?.data.executionData?.contextData ?? {};
		for (const context of Object.values(contexts)) {
			context.diyalogWait = change(context.diyalogWait as IDataObject);
		}
	}

	/** A loop comes back to the node with this item, after its question is over. */
	async loop({ id }: WaitingExecution, item: IDataObject): Promise<IRun> {
		const execution = this.executions.get(id);
		if (!execution) throw new Error('There is no such execution');
		const data = structuredClone(execution.data);
		const [waiting] = data.executionData?.nodeExecutionStack ?? [];
		// What is popped there is the run that waits; here it has ended, and stays.
		if (waiting) data.resultData.runData[waiting.node.name]?.push({ ...ENDED });
		return await runAgain(execution.setup, data, [[{ json: item }]], this.instanceOf(execution));
	}

	/** An active Diyalog Trigger of this instance. */
	async serveTrigger(setup: NodeSetup): Promise<WebhookServer> {
		const server = await serve(new TriggerUnderTest(setup, undefined, {}, { url: this.url }));
		this.triggers.push(server);
		return server;
	}

	private async handle(request: Request, response: Response): Promise<void> {
		this.calls.push(`${request.method} ${request.url}`);
		const id = String(request.params.executionId);
		if (this.running.has(id)) {
			response.status(409).json({ message: `The execution "${id}" is running already.` });
			return;
		}
		const execution = this.executions.get(id);
		if (!execution) {
			response.status(404).json({ message: 'The execution does not exist.' });
			return;
		}
		if (execution.continuations.length > 0) {
			response.status(409).json({ message: 'The execution has finished already.' });
			return;
		}
		try {
			const data = structuredClone(execution.data);
			const node = new WaitingNode(execution.setup, data, this.instanceOf(execution));
			const result = await node.call(request, response);
			if (result.workflowData) await this.continue(execution, data, result, response);
		} catch (error) {
			this.escaped.push(error);
			if (!response.headersSent) response.status(500).end();
		}
	}

	private readonly instanceOf = ({ id }: WaitingExecution) => ({ url: this.url, executionId: id });

	/** n8n lets an execution continue with what it has read if it waits, perhaps again, and answers when that is stored. */
	private async continue(
		execution: Stored,
		data: IRun['data'],
		{ workflowData = [], webhookResponse }: IWebhookResponseData,
		response: Response,
	): Promise<void> {
		const fault = this.storing.shift();
		await sleepMs(this.storesAfterMs);
		const waits = !this.running.has(execution.id) && execution.continuations.length === 0;
		const goesOn = waits && fault !== 'fails' && isStorable(workflowData);
		const isRunAgain = data.executionData?.nodeExecutionStack[0]?.node.disabled === false;
		if (goesOn && isRunAgain) this.running.add(execution.id);
		if (goesOn && !isRunAgain) {
			execution.continuations.push(workflowData.flatMap((items) => items.map(({ json }) => json)));
			execution.continuedAt.push(usedOf(workflowData));
		}
		if (fault === 'hangsUp') response.destroy();
		else if (!goesOn || fault)
			response.status(500).json({ message: 'There was a problem executing the workflow' });
		else response.status(200).send(webhookResponse);
		if (!goesOn || !isRunAgain) return;
		const run = await runAgain(execution.setup, data, workflowData, this.instanceOf(execution));
		Object.assign(execution, waitingOf(run));
		this.running.delete(execution.id);
	}
}

/** n8n writes items down as text, and does not continue where one refuses that. */
function isStorable(items: INodeExecutionData[][]): boolean {
	try {
		return JSON.stringify(items) !== undefined;
	} catch {
		return false;
	}
}

/** What n8n stores of an execution that waits, as text which it reads again. */
function waitingOf(run: IRun): Pick<Stored, 'data' | 'onTimeout' | 'timeoutOutputs' | 'waitTill'> {
	const [waiting] = run.data.executionData?.nodeExecutionStack ?? [];
	if (!run.waitTill || !waiting) throw new Error('The execution does not wait');
	return {
		// A clone would keep what makes no text of itself, and lose what does.
		data: JSON.parse(JSON.stringify(run.data)) as IRun['data'],
		// n8n looks at all outputs only if it was told to.
		onTimeout: waiting.metadata?.forwardAllOutputs
			? (waiting.data.main ?? []).flatMap((items) => items ?? [])
			: [],
		timeoutOutputs: usedOf(waiting.data.main ?? []),
		waitTill: run.waitTill,
	};
}
