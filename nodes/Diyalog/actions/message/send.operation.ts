import type { INodeProperties } from 'n8n-workflow';
import { isByFields, sendSchema } from '../../messages/messageInput';
import {
	buttonsFields,
	jsonMessageFields,
	messageIdField,
	quickRepliesFields,
	specifyMessageOption,
	unlessJson,
} from '../fields';
import type { Operation } from '../operation';
import { DOCUMENT_CONCURRENCY, jsonSendOptions, optionsField } from '../sendOptions';
import { recipientFields, textField } from './message.fields';
import { startSendingMessages } from './messages';

const buttons = buttonsFields({ below: ['buttons'] });
const quickReplies = quickRepliesFields({ below: ['quickReplies'] });

const fields: INodeProperties[] = [
	...jsonMessageFields(
		[
			...recipientFields,
			textField,
			{
				displayName: 'Below the Text',
				name: 'below',
				type: 'options',
				noDataExpression: true,
				options: [
					{ name: 'Buttons', value: 'buttons', description: 'Up to 3, which stay in the chat' },
					{ name: 'Nothing', value: 'nothing' },
					{
						name: 'Quick Replies',
						value: 'quickReplies',
						description: 'Up to 11 choices above the text field, which vanish after a tap',
					},
				],
				default: 'nothing',
				description: 'What the person can press',
			},
			...buttons.fields,
			...quickReplies.fields,
		],
		'{ "recipient": { "appCustomerId": "70021" }, "message": { "text": "Hello" } }',
	),
	optionsField([
		...jsonSendOptions,
		messageIdField,
		specifyMessageOption,
		unlessJson(buttons.option),
		unlessJson(quickReplies.option),
	]),
];

/** Sends a text, with buttons or quick replies, through Diyalog's SendMessage API. */
export const send: Operation = {
	name: 'Send',
	value: 'send',
	action: 'Send a message',
	description: 'Send a text with buttons or quick replies to a customer or an employee',
	fields,
	keepsSettled: true,
	async start(context, settled) {
		// What is given as JSON may be a document, which only reading it would tell.
		const mayBeJson = !isByFields(context.getNode().parameters);
		const concurrency = mayBeJson ? DOCUMENT_CONCURRENCY : undefined;
		return await startSendingMessages(context, settled, fields, sendSchema, concurrency);
	},
};
