import type { INodeProperties } from 'n8n-workflow';
import { isLargeJson } from '../../messages/documentedMessage';
import { sendSchema } from '../../messages/messageInput';
import {
	belowField,
	buttonsFields,
	jsonMessageFields,
	messageIdField,
	quickRepliesFields,
} from '../fields';
import type { Operation } from '../operation';
import { jsonSendOptions, optionsField } from '../sendOptions';
import { recipientFields, textField } from './message.fields';
import { startSendingMessages } from './messages';

const fields: INodeProperties[] = [
	...jsonMessageFields(
		[
			...recipientFields,
			textField,
			belowField('buttons', 'quickReplies'),
			...buttonsFields({ show: { below: ['buttons'] } }),
			...quickRepliesFields({ show: { below: ['quickReplies'] } }),
		],
		'{ "recipient": { "appCustomerId": "70021" }, "message": { "text": "Hello" } }',
	),
	optionsField([...jsonSendOptions, messageIdField]),
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
		return await startSendingMessages(context, settled, fields, sendSchema, ({ messageJson }) =>
			isLargeJson(messageJson),
		);
	},
};
