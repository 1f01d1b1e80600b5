import { sign } from 'node:crypto';
import { callsBefore, saidBefore } from '../../support/chatServer';
import type { ChatRequest, ChatServer, ChatTurn } from '../../support/chatServer';
import { plain } from '../../support/signedFormats';
import type { Phone } from '../../support/signedFormats';
import { Stage } from './waiting';
import { node } from './workflows';
import type { WorkflowNode } from './workflows';

/* An AI agent, its model, and our node as a tool that verifies what people have signed. */

export const FORMAT = plain('separated', { payloadSignatureSeparator: '.' });

export const signedBy = ({ privateKey }: Phone): string =>
	`approve.${sign('sha256', Buffer.from('approve'), privateKey).toString('base64')}`;

/** An n8n with a model. */
export async function setStageOf(
	{ url }: ChatServer,
	version?: string,
): Promise<{ stage: Stage; modelId: string }> {
	const credential = { ...FORMAT, payloadSignatureKeys: 'person' };
	const stage = await Stage.set({ credential, ...(version !== undefined && { version }) });
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
