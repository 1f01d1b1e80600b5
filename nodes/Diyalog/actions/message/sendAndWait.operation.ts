import { SEND_AND_WAIT_OPERATION } from 'n8n-workflow';
import type { INodeProperties } from 'n8n-workflow';
import { MAX_QUICK_REPLIES } from '../../messages/quickReplies';
import { questionSchema } from '../../messages/messageInput';
import type { Operation } from '../operation';
import { startAsking } from '../question/ask';
import {
	questionField,
	questionNotices,
	questionOptionsField,
	responseFields,
} from '../question/question.fields';
import { recipientFields } from './message.fields';
import { messages } from './messages';

const fields: INodeProperties[] = [
	...questionNotices,
	...recipientFields,
	questionField,
	...responseFields(MAX_QUICK_REPLIES),
	questionOptionsField(),
];

/** Asks a customer or an employee, waits without using anything, and continues with the answer. */
export const sendAndWait: Operation = {
	name: 'Send and Wait for Response',
	value: SEND_AND_WAIT_OPERATION,
	action: 'Ask and wait for an answer',
	description:
		'Ask a customer or an employee and continue with the answer: approval, choice, text or code',
	fields,
	branches: 'question',
	async start(context, settled) {
		const make = messages(context, fields);
		return await startAsking(
			context,
			settled,
			fields,
			MAX_QUICK_REPLIES,
			() => (entered) => make(questionSchema, entered, 0),
		);
	},
};
