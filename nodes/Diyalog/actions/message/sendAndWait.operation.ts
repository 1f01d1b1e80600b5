import { SEND_AND_WAIT_OPERATION } from 'n8n-workflow';
import type { INodeProperties } from 'n8n-workflow';
import { MAX_QUICK_REPLIES } from '../../messages/quickReplies';
import { questionSchema } from '../../messages/messageInput';
import { hintsOf, lengthHint } from '../hints';
import type { Operation } from '../operation';
import { startAsking } from '../question/ask';
import type { KindOfQuestion } from '../question/ask';
import { peopleFields, ruleFields } from '../question/people.fields';
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
	...peopleFields(
		recipientFields,
		'objects',
		'[{ "employeeNo": "E1007" }, { "customerNo": "70021" }]',
	),
	questionField,
	...responseFields(MAX_QUICK_REPLIES),
	...ruleFields,
	questionOptionsField(),
];

const KIND: KindOfQuestion = { fields, maxChoices: MAX_QUICK_REPLIES, askable: 'anybody' };

/** Asks a customer, an employee or several people, waits without using anything, and continues with the answer. */
export const sendAndWait: Operation = {
	name: 'Send and Wait for Response',
	value: SEND_AND_WAIT_OPERATION,
	action: 'Ask and wait for an answer',
	description:
		'Ask a customer, an employee or several people and continue with the answer: approval, choice, text or code',
	fields,
	branches: 'question',
	async start(context, settled) {
		const make = messages(context, fields);
		const hint = hintsOf(context);
		return await startAsking(context, settled, KIND, () => (entered) => {
			const message = make(questionSchema(), entered, 0);
			hint(lengthHint(message.text ?? ''));
			return message;
		});
	},
};
