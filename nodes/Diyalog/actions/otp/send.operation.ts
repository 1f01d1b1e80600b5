import type { INodeProperties } from 'n8n-workflow';
import {
	belowField,
	buttonsFields,
	customerNoField,
	jsonMessageFields,
	messageIdField,
	otpOptions,
	shownAlso,
	unlessJson,
} from '../fields';
import { auditOption, withSendRecord } from '../audit';
import type { Operation } from '../operation';
import { parameterReader, readFields } from '../parameters';
import { startSending } from '../sending';
import { optionsField, sendOptions } from '../sendOptions';
import { codeFields, codeOptions } from './code.fields';
import { otpMessages } from './otpMessage';

const textFields: INodeProperties[] = [
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
			'The text that the customer reads. {code} stands for the code, and {minutes} for how long it is valid. {purpose}, {amount}, {currency}, {payee} and other names in braces stand for the fields of the transaction.',
	},
];

/** Nothing can be verified without it, and it is easily overlooked among what comes out. */
const challengeNotice: INodeProperties = {
	displayName:
		'The output has a <b>challenge</b>. Your app has to keep it, and to give it back with the code that the customer types. The operation <b>Verify</b> needs both.',
	name: 'challengeNotice',
	type: 'notice',
	displayOptions: { show: { otpMode: ['generate'] } },
	default: '',
};

/** A message as JSON has these itself. */
const isInJson = (field: INodeProperties): INodeProperties =>
	shownAlso(field, { show: { '/specifyMessage': ['fields'] } });

/** Without a code there is nothing that could be verified. */
const sendAuditOption: INodeProperties = {
	...auditOption,
	displayOptions: { show: { '/otpMode': ['generate', 'given'] } },
};

const EXAMPLE =
	'{ "customerNo": "70021", "messageId": "17", "mokMessage": "Your code is {code}." }';

const fields: INodeProperties[] = [
	...jsonMessageFields(textFields, EXAMPLE),
	...codeFields.map((field) => (field.name === 'otpValue' ? unlessJson(field) : field)),
	challengeNotice,
	...[belowField('buttons'), ...buttonsFields({ show: { below: ['buttons'] } })].map(unlessJson),
	optionsField([
		...sendOptions,
		...codeOptions,
		sendAuditOption,
		...[messageIdField, ...otpOptions].map(isInJson),
	]),
];

/** Sends a one-time password, or any message with buttons, through Diyalog's SendOTP API. */
export const send: Operation = {
	name: 'Send',
	value: 'send',
	action: 'Send an OTP',
	description: 'Send a one-time password to a customer, with a picture and up to 3 buttons',
	fields,
	keepsSettled: true,
	async start(context, settled) {
		return await startSending(context, settled, (client) => {
			const read = parameterReader(context);
			const toMessage = otpMessages(context, client, fields);
			return (itemIndex) => {
				const entered = readFields(read, fields, itemIndex);
				const message = toMessage(entered, itemIndex);
				return withSendRecord(context, client.credentials, entered, message);
			};
		});
	},
};
