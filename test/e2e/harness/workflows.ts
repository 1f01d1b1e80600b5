import { randomUUID } from 'node:crypto';
import type { WorkflowDefinition } from '../../../tools/n8n/n8n';

/*
 * Workflows as n8n's REST API takes them, written as rows of nodes: `[[call, ask, after], [output(ask, 1), failed]]`. Every
 * node is connected to the one before it, from first output to first input unless it says otherwise.
 */

export type Fields = Readonly<Record<string, unknown>>;

export interface WorkflowNode extends Fields {
	readonly name: string;
}

/** Where a connection begins or ends, if it is not a node's first output or input. */
interface Place {
	readonly node: WorkflowNode;
	/** counted from 0 */
	readonly output?: number;
	/** counted from 0 */
	readonly input?: number;
	/** what is connected; `main` unless given */
	readonly type?: string;
}

export type Row = ReadonlyArray<WorkflowNode | Place>;

/** An output of a node, counted from 0: what follows in the row comes behind it. */
export const output = (from: WorkflowNode, index: number): Place => ({ node: from, output: index });

/** An input of a node, counted from 0: what stands before it in the row goes into it. */
export const input = (to: WorkflowNode, index: number): Place => ({ node: to, input: index });

/** A node as a tool of the agent that follows in the row, or as what the review that follows has to approve. */
export const asTool = (tool: WorkflowNode): Place => ({ node: tool, type: 'ai_tool' });

/** A node as the model of the agent that follows in the row. */
export const asModel = (model: WorkflowNode): Place => ({ node: model, type: 'ai_languageModel' });

/**
 * A node, and what comes behind each of its outputs, counted from 0: nodes that go on to one another, or none.
 *
 * @param then where all of them go on
 */
export const branches = (
	from: WorkflowNode,
	behindEach: ReadonlyArray<readonly WorkflowNode[]>,
	...then: WorkflowNode[]
): Row[] =>
	behindEach
		.map((nodes, index) => [output(from, index), ...nodes, ...then])
		.filter((row) => row.length > 1);

/** The most outputs that a node of this package has, n8n's error output among them. */
const OUTPUTS = 4;

const WAY = 'Output ';

/** A node with one behind each of its outputs that tells that something left there. */
export const marked = (from: WorkflowNode, ...then: WorkflowNode[]): Row[] =>
	branches(
		from,
		Array.from({ length: OUTPUTS }, (_, index) => [noOp(WAY + index)]),
		...then,
	);

/** Where something left a {@link marked} node, by the nodes that ran. */
export const waysOf = (nodes: readonly string[]): number[] =>
	nodes
		.filter((name) => name.startsWith(WAY))
		.map((name) => Number(name.slice(WAY.length)))
		.sort();

/** A node that goes on in the same way behind each of its outputs. */
export const whicheverWay = (from: WorkflowNode, ...then: WorkflowNode[]): Row[] => {
	const [first, ...others] = then;
	if (!first) return [[from]];
	return [
		...Array.from({ length: OUTPUTS }, (_, index) => [output(from, index), first]),
		[first, ...others],
	];
};

const placeOf = (each: WorkflowNode | Place): Place =>
	'node' in each ? (each as Place) : { node: each as WorkflowNode };

/** A workflow of rows; a node that stands in several of them is one node. It is laid out as it is written. */
export function workflow(
	name: string,
	rows: readonly Row[],
	settings: Fields = {},
): WorkflowDefinition {
	const nodes = new Map<string, WorkflowNode>();
	const connections: Record<string, Record<string, object[][]>> = {};
	for (const [y, places] of rows.map((row) => row.map(placeOf)).entries()) {
		for (const [x, { node: from, output: at = 0, type = 'main' }] of places.entries()) {
			if (!nodes.has(from.name)) nodes.set(from.name, { position: [x * 220, y * 200], ...from });
			const to = places[x + 1];
			if (!to) continue;
			const outputs = ((connections[from.name] ??= {})[type] ??= []);
			while (outputs.length <= at) outputs.push([]);
			outputs[at]?.push({ node: to.node.name, type, index: to.input ?? 0 });
		}
	}
	return {
		name,
		nodes: [...nodes.values()],
		connections,
		settings: { executionOrder: 'v1', ...settings },
	};
}

/** The same rows behind a first node. */
export const behind = (start: WorkflowNode, [first = [], ...others]: readonly Row[]): Row[] => [
	[start, ...first],
	...others,
];

/** Any node; `more` is what stands beside its parameters: its settings, another name. */
export const node = (
	name: string,
	type: string,
	typeVersion: number,
	parameters: Fields = {},
	more: Fields = {},
): WorkflowNode => ({
	id: randomUUID(),
	name,
	type,
	typeVersion,
	parameters,
	...more,
});

/* Nodes of this package. */

const diyalogNode = (
	name: string,
	credentialId: string,
	parameters: Fields,
	more: Fields,
): WorkflowNode =>
	node(
		name,
		'n8n-nodes-diyalog.diyalog',
		1,
		{ resource: 'otp', customerNo: '70021', ...parameters },
		{ credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } }, ...more },
	);

/** The name of a node that asks, unless it has another one. */
export const ASK = 'Ask the customer';

/** Asks a customer and waits for the answer. */
export const ask = (
	credentialId: string,
	parameters: Fields = {},
	more: Fields = {},
): WorkflowNode =>
	diyalogNode(
		ASK,
		credentialId,
		{ operation: 'sendAndWait', message: 'Do you approve?', ...parameters },
		more,
	);

/** Sends a message, without a code unless the parameters have one. */
export const send = (
	credentialId: string,
	parameters: Fields = {},
	more: Fields = {},
): WorkflowNode =>
	diyalogNode(
		'Send',
		credentialId,
		{ operation: 'send', otpMode: 'otpValue' in parameters ? 'given' : 'none', ...parameters },
		more,
	);

/** Verifies a code. */
export const verify = (credentialId: string, parameters: Fields): WorkflowNode =>
	diyalogNode('Verify', credentialId, { operation: 'verify', ...parameters }, {});

/** Sends a message when a question was answered, so that the sandbox can tell how often that was done. */
export const carryOut = (credentialId: string): WorkflowNode =>
	send(
		credentialId,
		{
			customerNo: '={{ $json.customerNo }}',
			options: { messageId: '=done-{{ $json.messageId }}' },
			message: 'Done.',
		},
		{ name: 'Carry out' },
	);

/** Takes presses, unless the parameters say otherwise, at `<webhookId>/webhook`. */
export const trigger = (
	credentialId: string,
	webhookId: string,
	parameters: Fields = {},
): WorkflowNode =>
	node(
		'Diyalog Trigger',
		'n8n-nodes-diyalog.diyalogTrigger',
		2,
		{ events: ['buttonPressed'], authentication: 'signature', ...parameters },
		{ webhookId, credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } } },
	);

/* n8n's own nodes. */

/** Begins a workflow with a POST, which is answered at once unless the parameters say otherwise. */
export const webhook = (path: string, parameters: Fields = {}, more: Fields = {}): WorkflowNode =>
	node(
		'Call',
		'n8n-nodes-base.webhook',
		2,
		{ httpMethod: 'POST', path, responseMode: 'onReceived', options: {}, ...parameters },
		{ webhookId: randomUUID(), ...more },
	);

/** For {@link webhook}: answers with what the last node puts out. */
export const ANSWERS_AT_THE_END: Fields = { responseMode: 'lastNode' };

/** Begins a workflow that is run by hand. */
export const manualTrigger = (): WorkflowNode => node('Start', 'n8n-nodes-base.manualTrigger', 1);

/** Begins a workflow that another one calls. */
export const calledTrigger = (): WorkflowNode =>
	node('Called', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, { inputSource: 'passthrough' });

/** Calls another workflow. */
export const subWorkflow = (id: string, waitForSubWorkflow = true): WorkflowNode =>
	node('Sub', 'n8n-nodes-base.executeWorkflow', 1.2, {
		workflowId: { __rl: true, mode: 'id', value: id },
		options: { waitForSubWorkflow },
	});

export const noOp = (name: string): WorkflowNode => node(name, 'n8n-nodes-base.noOp', 1);

/** Puts out one item, whatever comes in. */
export const set = (name: string, json: unknown): WorkflowNode =>
	node(name, 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify(json) });

/** Makes items of a list in a field. */
export const splitOut = (field: string): WorkflowNode =>
	node('Split', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: field, options: {} });

/** Puts out one item after the other behind its output 1, each when the one before comes back. */
export const loop = (): WorkflowNode =>
	node('Loop', 'n8n-nodes-base.splitInBatches', 3, { options: {} });

const postOf = (url: string, jsonBody: string): Fields => ({
	method: 'POST',
	url,
	sendBody: true,
	specifyBody: 'json',
	jsonBody,
	options: {},
});

/** Posts JSON, of which the text may be an expression. */
export const httpPost = (name: string, url: string, jsonBody: string): WorkflowNode =>
	node(name, 'n8n-nodes-base.httpRequest', 4.2, postOf(url, jsonBody));

/** Tells what came to it, and under which key: the deed that somebody has to approve. */
export const deed = (name: string, url: string, key: string): WorkflowNode =>
	httpPost(name, url, `={{ { key: '${key}', from: '${name}', item: $json } }}`);

/** The same as a tool of an agent: it posts what the model asks for. */
export const deedTool = (
	name: string,
	url: string,
	jsonBody: string,
	more: Fields = {},
): WorkflowNode =>
	node(
		name,
		'n8n-nodes-base.httpRequestTool',
		4.2,
		{ toolDescription: 'Transfers money', ...postOf(url, jsonBody) },
		more,
	);

/** An agent with one thing to do. */
export const agent = (typeVersion = 3.1): WorkflowNode =>
	node('Agent', '@n8n/n8n-nodes-langchain.agent', typeVersion, {
		promptType: 'define',
		text: 'Send 250 TL to A. Yilmaz',
		options: {},
	});

/** The model of an agent. */
export const chatModel = (credentialId: string): WorkflowNode =>
	node(
		'Model',
		'@n8n/n8n-nodes-langchain.lmChatOpenAi',
		1.3,
		{
			model: { __rl: true, mode: 'id', value: 'test-model' },
			responsesApiEnabled: false,
			options: {},
		},
		{ credentials: { openAiApi: { id: credentialId, name: 'Model' } } },
	);
