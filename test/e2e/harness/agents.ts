import { sign } from 'node:crypto';
import { callsBefore, saidBefore } from '../../support/chatServer';
import type { ChatRequest, ChatServer, ChatTurn } from '../../support/chatServer';
import { plain } from '../../support/signedFormats';
import type { Phone } from '../../support/signedFormats';
import { path, projectRoot, waitFor } from '../../../tools/system';
import { Stage } from './waiting';
import type { AskingWorkflow } from './waiting';
import {
	asModel,
	asTool,
	calledTrigger,
	chatModel,
	deedTool,
	httpPost,
	node,
	workflow,
} from './workflows';
import type { Fields, Row, WorkflowNode } from './workflows';

/* An AI agent, its model, our node as a tool that verifies what people have signed, and its review of other tools. */

export const FORMAT = plain('separated', { payloadSignatureSeparator: '.' });

export const signedBy = ({ privateKey }: Phone): string =>
	`approve.${sign('sha256', Buffer.from('approve'), privateKey).toString('base64')}`;

/** Nodes that are none of n8n's and none of ours. */
const NODES_OF_OTHERS = path.join(projectRoot, 'test', 'support', 'nodesOfOthers');

/** An n8n with a model. */
export async function setStageOf(
	{ url }: ChatServer,
	version?: string,
): Promise<{ stage: Stage; modelId: string }> {
	const credential = { ...FORMAT, payloadSignatureKeys: 'person' };
	const settings = { N8N_CUSTOM_EXTENSIONS: NODES_OF_OTHERS };
	const stage = await Stage.set({
		credential,
		settings,
		...(version !== undefined && { version }),
	});
	const apiKey = { apiKey: 'a-key', url, header: false };
	return { stage, modelId: await stage.n8n.createCredential('Model', apiKey, 'openAiApi') };
}

export const agent = (typeVersion = 3.1): WorkflowNode =>
	node('Agent', '@n8n/n8n-nodes-langchain.agent', typeVersion, {
		promptType: 'define',
		text: '=Work for {{ $json.name }}',
		options: {},
	});

export const VERIFY = 'Verify';

export const verifyTool = (stage: Stage, personKeys: string): WorkflowNode =>
	stage.send(
		{
			resource: 'signedPayload',
			operation: 'verify',
			toolDescription: 'Verifies',
			payload: "={{ $fromAI('payload', 'What was signed', 'string') }}",
			signatureSettings: 'person',
			personKeys,
		},
		{ name: VERIFY, type: 'n8n-nodes-diyalog.diyalogTool' },
	);

export const tellAll = (asked: ChatRequest): string =>
	`I was told: ${saidBefore(asked).join(' | ')}`;

/** The model calls once, and then tells what it was told. */
export const once =
	(...turn: Exclude<ChatTurn, string>) =>
	(asked: ChatRequest): ChatTurn =>
		callsBefore(asked) === 0 ? turn : tellAll(asked);

export const REVIEW = 'Ask a person';
const WITHIN_MS = 60_000;

/** The review of a tool. */
export const reviewTool = (stage: Stage, message: string, parameters: Fields = {}): WorkflowNode =>
	stage.send(
		{ message, operation: undefined, otpMode: undefined, resource: undefined, ...parameters },
		{ name: REVIEW, type: 'n8n-nodes-diyalog.diyalogHitlTool' },
	);

/** What pays as much as the model says. */
export const paymentTool = ({ toolUrl }: ChatServer): WorkflowNode =>
	deedTool('Transfer', toolUrl, "={{ { amount: $fromAI('amount', 'How much', 'string') } }}");

/** A workflow that does what the model says, as a tool without fields. */
export async function workflowTool(stage: Stage, { toolUrl }: ChatServer): Promise<WorkflowNode> {
	const child = await stage.n8n.createWorkflow(
		workflow('Does it', [
			[calledTrigger(), httpPost('Do', toolUrl, '={{ { query: $json.query } }}')],
		]),
	);
	return toolOf('Do it', 'Does what it is told', child);
}

/** A workflow as a tool without fields: n8n hands it what the model has said as one text. */
export const toolOf = (name: string, description: string, child: string): WorkflowNode =>
	node(name, '@n8n/n8n-nodes-langchain.toolWorkflow', 2.2, {
		description,
		workflowId: { __rl: true, mode: 'id', value: child },
		workflowInputs: { mappingMode: 'defineBelow', value: {}, schema: [] },
	});

/** An agent whose tool a person has to approve. */
export const reviewedAgent = (
	modelId: string,
	working: WorkflowNode,
	asking: WorkflowNode,
	tool: WorkflowNode,
): Row[] => [
	[asModel(chatModel(modelId)), working],
	[asTool(tool), asking],
	[asTool(asking), working],
];

/** Starts a workflow, and tells how many messages there were before. */
export async function beginAt(stage: Stage, { url }: AskingWorkflow): Promise<number> {
	const count = stage.sandbox.messages().length;
	await fetch(url, { method: 'POST' });
	return count;
}

export interface AskedQuestion {
	text: string;
	customerNo: unknown;
	press: (button: string) => Promise<void>;
}

/** The question that comes next to the phone, or undefined when the execution has ended without one. */
export async function nextQuestion(
	stage: Stage,
	workflowId: string,
	number: number,
	withinMs = WITHIN_MS,
): Promise<AskedQuestion | undefined> {
	const found = await waitFor('a question or the end', withinMs, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		const message = stage.sandbox.messages()[number];
		if (newest?.status === 'waiting' && message) return message;
		return newest?.status === 'success' ? 'none' : undefined;
	});
	if (found === 'none') return undefined;
	const { text = '', customerNo } = found;
	return { text, customerNo, press: async (button) => await stage.press(found, button) };
}

/** The data of an execution that has succeeded. */
export const dataAtEnd = async (stage: Stage, workflowId: string): Promise<string> =>
	await waitFor('the end', WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		return newest?.status === 'success' ? await stage.n8n.executionData(newest.id) : undefined;
	});
