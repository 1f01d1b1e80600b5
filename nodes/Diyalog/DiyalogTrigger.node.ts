import { NodeConnectionTypes } from 'n8n-workflow';
import type {
	IHookFunctions,
	INodeType,
	INodeTypeDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { diyalogApiTest } from './diyalogApiTest';
import { requireUsableSettings } from './trigger/activation';
import { handleStatusCallback, handleWebhook } from './trigger/handleWebhook';
import { stopPassingOn } from './trigger/otherTriggers';
import {
	LISTENING_HINTS,
	LISTENING_TOOLTIP,
	PUBLISHED_MESSAGE,
	TRIGGER_PANEL,
} from './trigger/serverConf';
import { TRIGGER_SUBTITLE, triggerFields } from './trigger/settings';

export class DiyalogTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Diyalog Trigger',
		name: 'diyalogTrigger',
		icon: { light: 'file:../../icons/diyalog.svg', dark: 'file:../../icons/diyalog.dark.svg' },
		group: ['trigger'],
		// Not 1: for a trigger of version 1 n8n evaluates an expression on every call, which costs it a V8 isolate.
		version: 2,
		subtitle: TRIGGER_SUBTITLE,
		// n8n's node panel shows it for both nodes, which it lists as one.
		description:
			'Sends messages, one-time passwords (OTP) and approvals over the Diyalog messenger, and starts the workflow when somebody presses a button, writes, gets or reads a message',
		defaults: { name: 'Diyalog Trigger' },
		builderHint: {
			searchHint:
				'Takes presses of buttons, texts and receipts from the Diyalog messenger. Each item has event, messageId, userId and customerNo; a press has payload (without the message ID), a text has text. Diyalog calls one trigger for each bot. That one also hands answers to executions that wait in Send and Wait for Response, whatever its events.',
			relatedNodes: [
				{
					nodeType: 'n8n-nodes-diyalog.diyalog',
					relationHint: 'Sends the messages and asks the questions that people answer',
				},
			],
		},
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'diyalogApi', required: true, testedBy: 'diyalogApiTest' }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				responseData: 'OK',
				path: 'webhook',
			},
			{
				// n8n knows two names of webhooks; the older status callback takes the second.
				name: 'setup',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// The documented answer; a server may wait for this very text.
				responseData: 'OK',
				// Diyalog appends this name to the base address that its administrator configures.
				path: 'updatemokstatus',
				ndvHideUrl: '={{ !$parameter["events"].includes("statusCallback") }}',
			},
		],
		triggerPanel: TRIGGER_PANEL,
		eventTriggerDescription: LISTENING_TOOLTIP,
		activationMessage: PUBLISHED_MESSAGE,
		hints: LISTENING_HINTS,
		properties: triggerFields,
	};

	methods = { credentialTest: { diyalogApiTest } };

	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				await requireUsableSettings(this);
				return true;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				return true;
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				stopPassingOn(this);
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return this.getWebhookName() === 'setup'
			? await handleStatusCallback(this)
			: await handleWebhook(this);
	}
}
