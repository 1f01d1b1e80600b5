import type { INodeProperties } from 'n8n-workflow';
import { appTriggerSchema } from '../../messages/messageInput';
import { messageIdField } from '../fields';
import type { Operation } from '../operation';
import { optionsField, sendOptions } from '../sendOptions';
import { recipientFields, textField } from './message.fields';
import { startSendingMessages } from './messages';

const fields: INodeProperties[] = [
	...recipientFields,
	{ ...textField, placeholder: 'e.g. Please tap here to see your new card.' },
	{
		displayName: 'Command',
		name: 'command',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. OpenCards',
		description: "What a tap on the message tells your company's app",
	},
	{
		displayName: 'Data',
		name: 'data',
		type: 'string',
		default: '',
		placeholder: 'e.g. {{ { card: $json.card } }}',
		description: 'What the app gets beside the command. An object becomes JSON.',
	},
	optionsField([...sendOptions, messageIdField]),
];

/** Sends a text whose tap is an event inside the company's app. */
export const sendAppTrigger: Operation = {
	name: 'Send App Trigger',
	value: 'sendAppTrigger',
	action: 'Send an app trigger',
	description:
		"Send a text. A tap on it makes your company's app do something. You are not told of the tap.",
	fields,
	keepsSettled: true,
	async start(context, settled) {
		return await startSendingMessages(context, settled, fields, appTriggerSchema);
	},
};
