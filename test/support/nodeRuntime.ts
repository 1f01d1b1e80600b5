import {
	DataDeduplicationService,
	ExecutionLifecycleHooks,
	ExternalSecretsProxy,
	SupplyDataContext,
	WebhookContext,
	WorkflowExecute,
	HookContext,
} from 'n8n-core';
import { makeHandleToolInvocation } from 'n8n-core/dist/execution-engine/node-execution-context/utils/get-input-connection-data';
import { createRunExecutionData, ICredentialsHelper, Workflow } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	ICredentials,
	ICredentialType,
	IDataObject,
	IExecuteData,
	IHttpRequestOptions,
	INode,
	INodeExecutionData,
	INodeParameters,
	ITaskData,
	INodeType,
	INodeTypes,
	IRequestOptionsSimplified,
	IRun,
	IVersionedNodeType,
	IWebhookData,
	IWebhookDescription,
	IWebhookResponseData,
	IWorkflowExecuteAdditionalData,
	WorkflowActivateMode,
	WorkflowExecuteMode,
	Logger,
} from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { DiyalogApi } from '../../credentials/DiyalogApi.credentials';
import { Diyalog } from '../../nodes/Diyalog/Diyalog.node';
import { DiyalogTrigger } from '../../nodes/Diyalog/DiyalogTrigger.node';
import { ProcessedDataTable } from './processedDataTable';

/*
 * Runs our nodes with the real classes of n8n-core: parameters, expressions, credentials, HTTP and retries are n8n's
 * own. Only what n8n keeps in its database stands here as an object.
 */

const NODE_CLASSES: Readonly<Record<string, INodeType>> = {
	'n8n-nodes-diyalog.diyalog': new Diyalog(),
	// As n8n makes it for agents; of version 3 they have n8n run it like any other node.
	'n8n-nodes-diyalog.diyalogTool': new Diyalog(),
	'n8n-nodes-diyalog.diyalogTrigger': new DiyalogTrigger(),
};

/** Stands before the node under test; its items are given to that node directly. */
const inputNode: INodeType = {
	description: {
		displayName: 'Test Input',
		name: 'testInput',
		group: [],
		version: 1,
		description: 'Gives items',
		defaults: {},
		inputs: [],
		outputs: ['main'],
		properties: [],
	},
};

class NodeTypes implements INodeTypes {
	getByName(type: string): INodeType | IVersionedNodeType {
		return this.getByNameAndVersion(type);
	}

	getByNameAndVersion(type: string): INodeType {
		return NODE_CLASSES[type] ?? inputNode;
	}

	getKnownTypes(): IDataObject {
		return {};
	}
}

/** Decrypted credentials by type; `authenticate` is the credential's own. */
export type CredentialData = ICredentialDataDecryptedObject;

class CredentialsHelper extends ICredentialsHelper {
	private readonly types: Readonly<Record<string, ICredentialType>> = {
		diyalogApi: new DiyalogApi(),
	};

	/** how often a node asked for the decrypted data */
	decryptions = 0;

	/** n8n cannot give the credential: it was deleted, or its key is another one */
	isBroken = false;

	constructor(
		public data: CredentialData,
		/** what the administrator of the server has set for all credentials of the type */
		private readonly overwrites: CredentialData = {},
	) {
		super();
	}

	getParentTypes(): string[] {
		return [];
	}

	isCredentialUsableByNode(): boolean {
		return true;
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
		options: IHttpRequestOptions | IRequestOptionsSimplified,
	): Promise<IHttpRequestOptions> {
		const authenticate = this.types[typeName]?.authenticate;
		if (typeof authenticate !== 'function') throw new Error(`${typeName} does not authenticate`);
		return await authenticate(credentials, {
			...options,
			url: String('url' in options ? options.url : ''),
		});
	}

	async preAuthentication(): Promise<undefined> {
		return undefined;
	}

	async runPreAuthentication(): Promise<undefined> {
		return undefined;
	}

	async getCredentials(): Promise<ICredentials> {
		throw new Error('Encrypted credentials are not needed here');
	}

	async getDecrypted(
		...[, , , mode, executeData, raw, values]: Parameters<ICredentialsHelper['getDecrypted']>
	): Promise<ICredentialDataDecryptedObject> {
		this.decryptions++;
		if (this.isBroken) throw new Error('The credential could not be decrypted');
		if (raw) return { ...this.data };
		const data = { ...this.overwrites, ...this.data };
		if (!values) return data;
		const { workflow, runExecutionData, runIndex, itemIndex, node, connectionInputData } = values;
		return workflow.expression.getParameterValue(
			data as INodeParameters,
			runExecutionData,
			runIndex,
			itemIndex,
			node.name,
			connectionInputData,
			mode,
			{},
			executeData,
			false,
			data as INodeParameters,
		) as ICredentialDataDecryptedObject;
	}

	async updateCredentials(): Promise<void> {}

	async updateCredentialsOauthTokenData(): Promise<void> {}

	getCredentialsProperties() {
		return [];
	}
}

const INSTANCE_URL = 'http://127.0.0.1:5678';

/** Where a node runs. */
export interface Instance {
	/** address of the n8n that it belongs to */
	url?: string;
	executionId?: string;
}

function additionalDataFor(
	credentialsHelper: ICredentialsHelper,
	workflow: Workflow,
	{ url = INSTANCE_URL, executionId = '1' }: Instance = {},
): IWorkflowExecuteAdditionalData {
	const unused = async (): Promise<never> => {
		throw new Error('Not part of this runtime');
	};
	const hooks = new ExecutionLifecycleHooks('manual', '1', {
		id: workflow.id,
		name: 'Test',
		active: false,
		isArchived: false,
		createdAt: new Date(),
		updatedAt: new Date(),
		nodes: Object.values(workflow.nodes),
		connections: workflow.connectionsBySourceNode,
		versionId: '1',
		activeVersionId: null,
	});
	return {
		credentialsHelper,
		executeWorkflow: unused,
		getRunExecutionData: unused,
		getRuntimeCredential: unused,
		startRunnerTask: unused,
		hooks,
		executionId,
		currentNodeExecutionIndex: 0,
		restApiUrl: `${url}/rest`,
		instanceBaseUrl: url,
		formBaseUrl: `${url}/form`,
		formWaitingBaseUrl: `${url}/form-waiting`,
		formTestBaseUrl: `${url}/form-test`,
		webhookBaseUrl: `${url}/webhook`,
		webhookWaitingBaseUrl: `${url}/webhook-waiting`,
		webhookTestBaseUrl: `${url}/webhook-test`,
		mcpBaseUrl: `${url}/mcp`,
		mcpTestBaseUrl: `${url}/mcp-test`,
		variables: {},
		externalSecretsProxy: new ExternalSecretsProxy(),
		logAiEvent: () => undefined,
	};
}

/** What the nodes under test remember in n8n's database. */
export const processedData = new ProcessedDataTable();
void DataDeduplicationService.init(processedData);

/** How a node under test is set up. */
export interface NodeSetup {
	parameters: INodeParameters;
	/** what a stored execution holds of them, where n8n does not fill in defaults any more */
	stored?: INodeParameters;
	credentials: CredentialData;
	/** what the administrator of the server has set for all credentials of the type */
	overwrites?: CredentialData;
	/** the agent of version 3 that has called the node as its tool: its item, and what the model gave */
	calledBy?: {
		item: IDataObject;
		said: IDataObject;
		/** how many items the agent works on; 1 unless told otherwise */
		items?: number;
		/** which run of the agent it is; 0 unless told otherwise */
		run?: number;
		/** behind which output of the node before the agent stands; 0 unless told otherwise */
		output?: number;
		/** what has left the node before the agent, "Customers"; it has not run unless told otherwise */
		before?: IDataObject[];
	};
	/** settings of the node such as `onError` or `retryOnFail` */
	settings?: Partial<INode>;
}

const nodeNamed = (name: string, type: string, setup?: NodeSetup): INode => ({
	id: `id-of-${name}`,
	name,
	type,
	typeVersion: type.endsWith('Trigger') ? 2 : 1,
	position: [0, 0],
	parameters: setup?.parameters ?? {},
	credentials: setup && { diyalogApi: { id: '1', name: 'Diyalog' } },
	...setup?.settings,
});

/** What running the Diyalog node gave: its output items, or the error that stopped it. */
export interface NodeRun {
	/** of all outputs */
	items: INodeExecutionData[];
	/** by output */
	outputs: INodeExecutionData[][];
	error: Error | undefined;
	run: IRun;
	/** how often the node asked for the decrypted credential */
	decryptions: number;
}

/** A run of the Diyalog node that is under way. */
export interface StartedRun {
	done: Promise<NodeRun>;
	/** What "Stop" in the editor does. */
	cancel(): void;
}

const INPUT = 'Input';

/** @param output of what stands before the input, behind which that stands */
const workflowOf = (node: INode, output = 0): Workflow =>
	new Workflow({
		id: '1',
		nodes: [nodeNamed('Customers', 'test.input'), nodeNamed(INPUT, 'test.input'), node],
		connections: {
			Customers: {
				main: [
					...Array.from({ length: output }, () => []),
					[{ node: INPUT, type: 'main', index: 0 }],
				],
			},
			[INPUT]: { main: [[{ node: node.name, type: 'main', index: 0 }]] },
		},
		active: false,
		nodeTypes: new NodeTypes(),
		settings: { executionOrder: 'v1' },
	});

/** What left a node. */
function leavingOf(taskData: ITaskData | undefined): Pick<NodeRun, 'items' | 'outputs'> {
	const outputs = (taskData?.data?.main ?? []).map((items) => items ?? []);
	return { items: outputs.flat(), outputs };
}

/** What n8n has on its stack of an agent that waits for what its tool says, which it has called once or twice. */
const agentOf = (
	{ name: nodeName }: INode,
	{ item, said: input, items = 1, run }: Required<NodeSetup>['calledBy'],
): IExecuteData => ({
	node: nodeNamed(INPUT, 'test.input'),
	data: { main: [Array.from({ length: items }, () => ({ json: item }))] },
	source: null,
	runIndex: run,
	metadata: {
		nodeWasResumed: true,
		subNodeExecutionData: {
			actions: [0, 1].map((runIndex) => ({
				nodeName,
				runIndex,
				action: {
					actionType: 'ExecutionNodeAction',
					nodeName,
					input,
					type: 'ai_tool',
					id: `call_${runIndex + 1}`,
					metadata: { itemIndex: 0 },
				},
			})),
			metadata: {},
		},
	},
});

/** With what n8n pairs the item of a tool: always the first one, whichever the call is about. */
const FIRST_BEFORE = { previousNode: 'Customers', previousNodeOutput: 0, previousNodeRun: 0 };

/** What such an agent calls its tool with: n8n lays what the model says over the item. */
export const itemOfCall = ({ calledBy }: NodeSetup): INodeExecutionData => ({
	json: { ...calledBy?.item, ...calledBy?.said, toolCallId: 'call_1' },
	...(calledBy?.before && { pairedItem: { item: 0, sourceOverwrite: FIRST_BEFORE } }),
});

/** The run of a node that has given these items. */
const runOf = (items: IDataObject[]): ITaskData => ({
	data: { main: [items.map((json) => ({ json }))] },
	executionIndex: 0,
	executionTime: 0,
	startTime: 0,
	source: [],
});

/** Starts the Diyalog node for the given input items, through the real WorkflowExecute. */
export function startDiyalogNode(
	setup: NodeSetup,
	inputItems: INodeExecutionData[] = [{ json: {} }],
	instance: Instance = {},
): StartedRun {
	const node = nodeNamed('Diyalog', 'n8n-nodes-diyalog.diyalog', setup);
	const workflow = workflowOf(node, setup.calledBy?.output);
	const before = setup.calledBy?.before;
	const start: IExecuteData = {
		node: setup.stored ? { ...node, parameters: setup.stored } : node,
		data: { main: [inputItems] },
		source: { main: [{ previousNode: INPUT }] },
		...(before && {
			metadata: { preserveSourceOverwrite: true, preservedSourceOverwrite: FIRST_BEFORE },
		}),
	};
	const runExecutionData = createRunExecutionData({
		...(before && { resultData: { runData: { Customers: [runOf(before)] } } }),
		executionData: {
			nodeExecutionStack: [start, ...(setup.calledBy ? [agentOf(node, setup.calledBy)] : [])],
		},
	});
	const credentialsHelper = new CredentialsHelper(setup.credentials, setup.overwrites);
	const additionalData = additionalDataFor(credentialsHelper, workflow, instance);
	const executor = new WorkflowExecute(additionalData, 'manual', runExecutionData);
	const running = executor.processRunExecutionData(workflow);
	const read = (run: IRun): NodeRun => {
		const [taskData] = run.data.resultData.runData[node.name] ?? [];
		return {
			...leavingOf(taskData),
			error: taskData?.error ?? run.data.resultData.error,
			run,
			decryptions: credentialsHelper.decryptions,
		};
	};
	return { done: running.then(read), cancel: () => running.cancel() };
}

/** Runs the Diyalog node to its end. */
export const runDiyalogNode = async (
	setup: NodeSetup,
	inputItems?: INodeExecutionData[],
): Promise<NodeRun> => await startDiyalogNode(setup, inputItems).done;

/** Retries a failed execution from the list of executions, as n8n does: with what it has stored of it, as text. */
export async function retryFromList(setup: NodeSetup, { data }: IRun): Promise<NodeRun> {
	const stored = JSON.parse(JSON.stringify(data)) as IRun['data'];
	const workflow = workflowOf(nodeNamed('Diyalog', 'n8n-nodes-diyalog.diyalog', setup));
	delete stored.resultData.error;
	stored.resultData.runData.Diyalog?.pop();
	const credentialsHelper = new CredentialsHelper(setup.credentials);
	const additionalData = additionalDataFor(credentialsHelper, workflow, {});
	const executor = new WorkflowExecute(additionalData, 'retry', createRunExecutionData(stored));
	const run = await executor.processRunExecutionData(workflow);
	const [taskData] = run.data.resultData.runData.Diyalog ?? [];
	const error = taskData?.error ?? run.data.resultData.error;
	return { ...leavingOf(taskData), error, run, decryptions: credentialsHelper.decryptions };
}

/** Continues an execution that waited, as n8n does when the webhook of its node has asked for running the node again. */
export async function runAgain(
	setup: NodeSetup,
	stored: IRun['data'],
	workflowData: INodeExecutionData[][],
	instance: Instance,
): Promise<IRun> {
	const [waiting] = stored.executionData?.nodeExecutionStack ?? [];
	if (!waiting) throw new Error('Nothing waits');
	waiting.data.main = workflowData;
	stored.waitTill = undefined;
	stored.resultData.runData[waiting.node.name]?.pop();
	const workflow = workflowOf(waiting.node);
	const additionalData = additionalDataFor(
		new CredentialsHelper(setup.credentials),
		workflow,
		instance,
	);
	return await new WorkflowExecute(additionalData, 'manual', stored).processRunExecutionData(
		workflow,
	);
}

/** The Diyalog node as the tool of an agent in one execution: called with what the model gives, with n8n's own retries. */
export const diyalogTool = (
	setup: NodeSetup,
	items?: INodeExecutionData[],
	callerType?: string,
): ((args: IDataObject) => Promise<unknown>) => diyalogTools(setup, items, callerType)();

/** Type of what calls a tool that a worker runs for an MCP Server Trigger. */
export const BY_WORKER = 'a worker';

/** Makes such tools of one execution: an agent has one for each of its items, made before the first one is called. */
export function diyalogTools(
	setup: NodeSetup,
	items: INodeExecutionData[] = [{ json: {} }],
	callerType = 'test.input',
): () => (args: IDataObject) => Promise<unknown> {
	const node = nodeNamed('Diyalog', 'n8n-nodes-diyalog.diyalog', setup);
	const agent = nodeNamed('Agent', callerType);
	const workflow = new Workflow({
		id: '1',
		nodes: [agent, node],
		connections: { Diyalog: { ai_tool: [[{ node: agent.name, type: 'ai_tool', index: 0 }]] } },
		active: false,
		nodeTypes: new NodeTypes(),
	});
	const runExecutionData = createRunExecutionData();
	const additionalData = additionalDataFor(new CredentialsHelper(setup.credentials), workflow);
	// A worker that runs a tool of an MCP Server Trigger names the tool itself.
	const executed = callerType === BY_WORKER ? node : agent;
	const executeData: IExecuteData = { node: executed, data: { main: [items] }, source: null };
	return () =>
		makeHandleToolInvocation(
			(runIndex) =>
				new SupplyDataContext(
					workflow,
					node,
					additionalData,
					'manual',
					runExecutionData,
					runIndex,
					items,
					{},
					'ai_tool',
					executeData,
					[],
				),
			node,
			new Diyalog(),
			runExecutionData,
		);
}

/** n8n's names of a trigger's two webhooks. */
export type WebhookName = 'default' | 'setup';

/** The Diyalog Trigger of an active workflow, to be called through a real HTTP server. */
export class TriggerUnderTest {
	private readonly trigger = new DiyalogTrigger();

	private readonly node: INode;

	private readonly workflow: Workflow;

	private readonly credentialsHelper: CredentialsHelper;

	private get storedAs(): string {
		return `Diyalog Trigger ${this.node.id}`;
	}

	/** warnings and errors that the trigger wrote to n8n's log */
	readonly log: string[] = [];

	/** what n8n keeps of the node in its database */
	get staticData(): IDataObject {
		const stored = this.workflow.getStaticData('global')[this.storedAs];
		return (stored ?? {}) as IDataObject;
	}

	/** what n8n keeps of the whole workflow */
	get workflowData(): IDataObject {
		return this.workflow.getStaticData('global');
	}

	/**
	 * @param workflowId a trigger of the same id is the same one, for instance after a restart
	 * @param staticData what n8n kept of it in its database
	 * @param instance the n8n that it belongs to
	 */
	constructor(
		setup: NodeSetup,
		workflowId: string = randomUUID(),
		staticData: IDataObject = {},
		private readonly instance: Instance = {},
	) {
		this.node = nodeNamed('Diyalog Trigger', 'n8n-nodes-diyalog.diyalogTrigger', setup);
		this.workflow = new Workflow({
			id: workflowId,
			staticData: { global: { [this.storedAs]: staticData } },
			nodes: [this.node],
			connections: {},
			active: true,
			nodeTypes: new NodeTypes(),
			settings: { executionOrder: 'v1' },
		});
		this.credentialsHelper = new CredentialsHelper(setup.credentials);
	}

	/** how often the decrypted credential was asked for */
	get decryptions(): number {
		return this.credentialsHelper.decryptions;
	}

	/** how often something was written to what n8n saves after a call */
	staticDataWrites = 0;

	/** n8n cannot give the trigger its credential as long as this is on. */
	set failDecryption(isBroken: boolean) {
		this.credentialsHelper.isBroken = isBroken;
	}

	/** Somebody saves the credential with other values. */
	changeCredential(data: CredentialData): void {
		this.credentialsHelper.data = data;
	}

	/** What n8n answers to a call that started an execution. */
	responseDataOf(webhookName: WebhookName): string {
		return String(this.descriptionOf(webhookName).responseData);
	}

	private descriptionOf(webhookName: WebhookName): IWebhookDescription {
		const { webhooks = [] } = this.trigger.description;
		const description = webhooks.find(({ name }) => name === webhookName);
		if (!description) throw new Error(`The trigger has no webhook ${webhookName}`);
		return description;
	}

	/** Somebody publishes the workflow anew, with other nodes beside the trigger: n8n activates what has not changed no more. */
	publishWith(others: INode[]): void {
		this.workflow.setNodes([this.node, ...others]);
	}

	/** What n8n does when the workflow is activated. */
	async activate(): Promise<void> {
		const context = this.hookContext('trigger', 'activate');
		const { checkExists, create } = this.trigger.webhookMethods.default;
		if (!(await checkExists.call(context))) await create.call(context);
	}

	/**
	 * What n8n does when the workflow is deactivated.
	 *
	 * @param isPublished false: when nobody listens in the editor any more; the workflow that n8n makes for that is not active
	 */
	async deactivate(isPublished = true): Promise<void> {
		this.workflow.active = isPublished;
		await this.trigger.webhookMethods.default.delete.call(this.hookContext('internal', 'update'));
		this.workflow.active = true;
	}

	private hookContext(mode: WorkflowExecuteMode, activation: WorkflowActivateMode): HookContext {
		const { additionalData, webhookData } = this.contextParts();
		return this.logged(
			new HookContext(this.workflow, this.node, additionalData, mode, activation, webhookData),
		);
	}

	/** The same context, of which the lines for people are kept. */
	private logged<T extends object>(context: T): T {
		const keep = (line: string): void => void this.log.push(line);
		const ignore = (): void => undefined;
		const logger: Logger = { debug: ignore, info: ignore, warn: keep, error: keep };
		return Object.defineProperty(context, 'logger', { value: logger });
	}

	/** What n8n does when the workflow's webhook is called. */
	async call(
		request: Request,
		response: Response,
		webhookName: WebhookName = 'default',
	): Promise<IWebhookResponseData> {
		const { additionalData, webhookData } = this.contextParts(webhookName);
		additionalData.httpRequest = request;
		additionalData.httpResponse = response;
		const { workflow, node } = this;
		const context = this.logged(
			new WebhookContext(workflow, node, additionalData, 'webhook', webhookData, [], null),
		);
		// n8n marks the data as changed when it is written, and takes the mark away when it has saved them.
		this.workflow.staticData.__dataChanged = false;
		response.once('close', () => {
			if (this.workflow.staticData.__dataChanged) this.staticDataWrites++;
		});
		return await this.trigger.webhook.call(context);
	}

	private contextParts(webhookName: WebhookName = 'default') {
		const additionalData = additionalDataFor(this.credentialsHelper, this.workflow, this.instance);
		const webhookDescription = this.descriptionOf(webhookName);
		const webhookData: IWebhookData = {
			httpMethod: 'POST',
			node: this.node.name,
			path: webhookDescription.path,
			webhookDescription,
			workflowId: '1',
			workflowExecuteAdditionalData: additionalData,
		};
		return { additionalData, webhookData };
	}
}

/** A Diyalog node in an execution that waits, as n8n loads it from its database when its resume address is called. */
export class WaitingNode {
	private readonly node: INode;

	private readonly workflow: Workflow;

	private readonly diyalog = new Diyalog();

	/** @param stored what n8n has stored of the execution */
	constructor(
		private readonly setup: NodeSetup,
		private readonly stored: IRun['data'],
		private readonly instance: Required<Instance>,
	) {
		const [waiting] = stored.executionData?.nodeExecutionStack ?? [];
		if (waiting) waiting.node.disabled = true;
		this.node = nodeNamed('Diyalog', 'n8n-nodes-diyalog.diyalog', setup);
		this.workflow = new Workflow({
			id: '1',
			nodes: [nodeNamed('Input', 'test.input'), this.node],
			connections: {},
			active: true,
			nodeTypes: new NodeTypes(),
			settings: { executionOrder: 'v1' },
		});
	}

	/** What n8n does when the resume address is called and its signature is right. */
	async call(request: Request, response: Response): Promise<IWebhookResponseData> {
		const credentialsHelper = new CredentialsHelper(this.setup.credentials);
		const additionalData = additionalDataFor(credentialsHelper, this.workflow, this.instance);
		additionalData.httpRequest = request;
		additionalData.httpResponse = response;
		const [webhookDescription] = this.diyalog.description.webhooks ?? [];
		if (!webhookDescription) throw new Error('The node has no webhook');
		const context = new WebhookContext(
			this.workflow,
			this.node,
			additionalData,
			'webhook',
			{
				httpMethod: 'POST',
				node: this.node.name,
				path: this.node.id,
				webhookDescription,
				workflowId: '1',
				workflowExecuteAdditionalData: additionalData,
			},
			[],
			this.stored,
		);
		return await this.diyalog.webhook.call(context);
	}
}
