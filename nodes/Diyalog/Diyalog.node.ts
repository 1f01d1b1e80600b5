import { NodeConnectionTypes } from 'n8n-workflow';
import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { properties, resources } from './actions';
import { executeOperation } from './actions/execute';
import { outputsOf, WAITING_TOOLTIP } from './actions/outputs';
import { onMessage } from './actions/question/chatMessages';
import { resumeWebhooks, takeAnswer } from './actions/question/takeAnswer';
import { subtitleOf } from './actions/subtitle';
import { diyalogApiTest } from './diyalogApiTest';

export class Diyalog implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Diyalog',
		name: 'diyalog',
		icon: { light: 'file:../../icons/diyalog.svg', dark: 'file:../../icons/diyalog.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: subtitleOf(resources),
		description:
			'Send messages, one-time passwords (OTP) and questions over the Diyalog messenger, and wait for the answer',
		defaults: { name: 'Diyalog' },
		usableAsTool: true,
		builderHint: {
			searchHint:
				'Sends one-time passwords (OTP), messages and approvals to customers and employees over the Diyalog messenger. Message > Send and Wait for Response asks one or several people and goes on with the answer, as decision, value and customerNo; the outputs of an approval are Approved, No Answer, Declined, in this order. OTP > Send with Generate makes a code and puts out challenge; OTP > Verify, also in another workflow with the same credential, checks code and challenge and goes on through Valid or Invalid, with the reason.',
			relatedNodes: [
				{
					nodeType: 'n8n-nodes-diyalog.diyalogTrigger',
					relationHint:
						'Takes what people press and write. Send and Wait for Response continues only while one with the same credential is published.',
				},
			],
		},
		inputs: [NodeConnectionTypes.Main],
		outputs: outputsOf(resources),
		credentials: [{ name: 'diyalogApi', required: true, testedBy: 'diyalogApiTest' }],
		waitingNodeTooltip: WAITING_TOOLTIP,
		webhooks: resumeWebhooks,
		properties,
	};

	methods = { credentialTest: { diyalogApiTest } };

	onMessage = onMessage;

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeOperation(this);
	}

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await takeAnswer(this);
	}
}
