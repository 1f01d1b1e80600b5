import type { INodeProperties } from 'n8n-workflow';
import { additionalFields, buttonsField, customerNoField } from '../fields';
import type { Operation } from '../operation';
import { parameterReader, readFields } from '../parameters';
import { startSending } from '../sending';
import { sendOptionsField } from '../sendOptions';
import { codeFields } from './code.fields';
import { otpMessages } from './otpMessage';

const messageFields: INodeProperties[] = [
	customerNoField,
	{
		displayName: 'Message',
		name: 'message',
		type: 'string',
		typeOptions: { rows: 3 },
		required: true,
		default: '',
		placeholder: 'e.g. Your code is {code}. Do not share it with anyone.',
		description:
			'The text that the customer reads. {code} and {minutes} stand for the code and how long it is valid, {amount}, {currency}, {payee} and other names in braces for the fields of the transaction.',
	},
	...codeFields,
	buttonsField,
	{
		displayName: 'Message ID',
		name: 'messageId',
		type: 'string',
		default: '',
		placeholder: 'e.g. transfer-17',
		description:
			'Comes back with every press of a button, so that you know what was answered. If empty, a new UUID is used.',
	},
	additionalFields,
];

/** Sends a one-time password, or any message with buttons, through Diyalog's SendOTP API. */
export const send: Operation = {
	name: 'Send',
	value: 'send',
	action: 'Send an OTP',
	description: 'Send a one-time password or an approval request with buttons to a customer',
	fields: [...messageFields, sendOptionsField],
	keepsSettled: true,
	async start(context, settled) {
		return await startSending(context, settled, (client) => {
			const read = parameterReader(context);
			const toMessage = otpMessages(context, client, messageFields);
			return (itemIndex) => toMessage(readFields(read, messageFields, itemIndex), itemIndex);
		});
	},
};
