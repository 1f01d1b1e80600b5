import { SEND_AND_WAIT_OPERATION } from 'n8n-workflow';
import type { INodeProperties } from 'n8n-workflow';
import { MAX_BUTTONS } from '../../messages/buttons';
import { customerNoField, otpOptions, shownAlso } from '../fields';
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
import { codeFields, codeOptions } from './code.fields';
import { otpMessages } from './otpMessage';

/** A code beside the question is the exception here, so the field says where it would be. */
const codeInQuestionFields = codeFields.map((field) =>
	field.name === 'otpMode'
		? {
				...field,
				displayName: 'OTP in the Message',
				default: 'none',
				description: 'Whether the message carries a code as well, and where that comes from',
			}
		: field,
);

const fields: INodeProperties[] = [
	...questionNotices,
	...peopleFields(
		[customerNoField],
		'texts, or of objects',
		'["70021", { "customerNo": "70022" }]',
	),
	questionField,
	...responseFields(MAX_BUTTONS),
	...ruleFields,
	...codeInQuestionFields.map((field) => shownAlso(field, { show: { ask: ['one'] } })),
	questionOptionsField([...codeOptions, ...otpOptions]),
];

const KIND: KindOfQuestion = { fields, maxChoices: MAX_BUTTONS, askable: 'customers' };

/** Sends a message, waits without using anything, and continues with the customer's answer. */
export const sendAndWait: Operation = {
	name: 'Send and Wait for Response',
	value: SEND_AND_WAIT_OPERATION,
	action: 'Send an OTP and wait for an answer',
	description:
		'Send a message to a customer and continue with the answer: approval, choice, text or code',
	fields,
	branches: 'question',
	async start(context, settled) {
		return await startAsking(context, settled, KIND, (client) =>
			otpMessages(context, client, fields),
		);
	},
};
