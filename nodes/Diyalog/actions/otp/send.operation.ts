import { randomUUID } from 'node:crypto';
import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { checkSendOtpInput, toSendOtpBody } from '../../messages/sendOtp';
import type { SendOtpAnswer, SendOtpBody } from '../../messages/sendOtp';
import { DiyalogClient } from '../../transport/client';
import { failureError, invalidInputError } from '../errors';
import type { Failure } from '../../transport/failures';
import { readSendOptions, sendOptionsField } from '../sendOptions';
import { SentMemory } from '../settled';
import type { Settled } from '../settled';
import type { Operation, OperationRun } from '../operation';
import { parameterReader } from '../parameters';
import type { ParameterReader } from '../parameters';
import { additionalFields, customerNoField } from '../fields';
import { otpFields } from './code.fields';
import { OtpIssuer, prepareItemOtp } from './otpIssuer';
import type { PreparedItemOtp } from './otpIssuer';

/** In the order of use; the type comes first because it decides about the rest. */
const buttonValues: INodeProperties[] = [
	{
		displayName: 'Type',
		name: 'type',
		type: 'options',
		options: [
			{
				name: 'Answer',
				value: 'postback',
				description: 'A press sends the payload back to you',
			},
			{
				name: 'Open Web Page',
				value: 'web_url',
				description: 'A press opens an address on the device; you are not told',
			},
		],
		default: 'postback',
	},
	{
		displayName: 'Title',
		name: 'title',
		type: 'string',
		default: '',
		placeholder: 'e.g. Approve',
		description: 'The words on the button',
	},
	{
		displayName: 'Payload',
		name: 'payload',
		type: 'string',
		displayOptions: { show: { type: ['postback'] } },
		default: '',
		placeholder: 'e.g. approve',
		description: 'What comes back through the Diyalog Trigger when the button is pressed',
	},
	{
		displayName: 'Address',
		name: 'payload',
		type: 'string',
		displayOptions: { show: { type: ['web_url'] } },
		default: '',
		placeholder: 'e.g. https://www.example.com/help',
		description: 'The web page that the button opens on the device',
	},
	{
		displayName: 'Sign Payload on the Device',
		name: 'payloadHidden',
		type: 'boolean',
		displayOptions: { show: { type: ['postback'] } },
		default: false,
		description:
			"Whether your company's app signs the payload on the customer's device before it comes back",
	},
	{
		displayName: 'Text Shown When Pressed',
		name: 'payloadSeenByUser',
		type: 'string',
		displayOptions: { show: { type: ['postback'] } },
		default: '',
		placeholder: 'e.g. Approved',
		description: 'What the chat shows after the press. If empty, it shows the payload itself.',
	},
];

const buttonFields: INodeProperties = {
	displayName: 'Buttons',
	name: 'buttons',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true, sortable: true },
	placeholder: 'Add Button',
	default: {},
	description:
		'What the customer can press under the message. A press starts the workflows with a Diyalog Trigger.',
	options: [
		{
			displayName: 'Button',
			name: 'button',
			values: buttonValues,
		},
	],
};

const fields: INodeProperties[] = [
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
	...otpFields,
	buttonFields,
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
	sendOptionsField,
];

/** One message, checked and ready to be sent, with the code that belongs to it. */
interface PreparedMessage {
	body: SendOtpBody;
	otp: PreparedItemOtp;
}

/** Reads and checks the parameters of one item; nothing has been sent when it throws. */
function prepareMessage(
	context: IExecuteFunctions,
	read: ParameterReader,
	itemIndex: number,
): PreparedMessage {
	const parameter = (name: string): unknown => read(name, itemIndex);
	const checked = checkSendOtpInput({
		customerNo: parameter('customerNo'),
		message: parameter('message'),
		messageId: parameter('messageId'),
		otpValue: parameter('otpMode') === 'given' ? parameter('otpValue') : undefined,
		buttons: parameter('buttons'),
		additionalFields: parameter('additionalFields'),
	});
	if (!checked.valid) throw invalidInputError(context.getNode(), checked.problem, itemIndex);
	const otp = prepareItemOtp(context, read, itemIndex, checked.input);
	const input = { ...checked.input, message: otp.message, otpValue: otp.code };
	return { body: toSendOtpBody(input, randomUUID), otp };
}

/** What the first refusal of the token says to all items behind it: not one more request is made. */
const notSentBecause = ({ title, ...failure }: Failure): Failure => ({
	...failure,
	title: `Not sent: ${title}`,
});

async function start(context: IExecuteFunctions): Promise<OperationRun> {
	const options = readSendOptions(context);
	const client = await DiyalogClient.create(context, options);
	const issuer = new OtpIssuer(context, () => client.otpKeys());
	const memory = SentMemory.ofSends(context);
	const parameter = parameterReader(context);
	let refusedToken: Failure | undefined;

	const sendItem = async (itemIndex: number): Promise<Settled> => {
		const { body, otp } = prepareMessage(context, parameter, itemIndex);
		if (refusedToken) return { failure: notSentBecause(refusedToken) };
		const earlier = memory.uncertainBefore(itemIndex, body.customerNo);
		if (earlier) return earlier;
		const sentAt = new Date();
		const giveBack = await issuer.permit(otp, body.customerNo, sentAt, itemIndex);
		const outcome = await client.sendOtp(body);
		if (outcome.accepted) {
			const challenge = issuer.challengeFor(otp, body, sentAt);
			return { result: { ...resultOf(body, outcome.answer, sentAt), ...challenge } };
		}
		// When that fails too, the code counts as sent: the failure to send is the news.
		if (outcome.failure.uncertain) memory.setUncertain(itemIndex, body.customerNo, outcome);
		else await giveBack().catch(() => undefined);
		if (outcome.failure.kind === 'wrongToken') refusedToken = outcome.failure;
		return { failure: outcome.failure };
	};

	const execute = async (itemIndex: number): Promise<IDataObject> => {
		const settled = memory.get(itemIndex) ?? (await sendItem(itemIndex));
		if ('result' in settled || settled.failure.uncertain) memory.set(itemIndex, settled);
		if ('failure' in settled) throw failureError(context.getNode(), settled.failure, itemIndex);
		return settled.result;
	};
	const endsWith = (itemIndex: number) => memory.keepFor(itemIndex);
	return { concurrency: options.concurrency, execute, endsWith };
}

const resultOf = (body: SendOtpBody, answer: SendOtpAnswer, sentAt: Date): IDataObject => ({
	customerNo: body.customerNo,
	messageId: body.messageId,
	recipientId: answer.recipientId,
	diyalogMessageId: answer.diyalogMessageId,
	sentAt: sentAt.toISOString(),
});

/** Sends a one-time password, or any message with buttons, through Diyalog's SendOTP API. */
export const send: Operation = {
	name: 'Send',
	value: 'send',
	action: 'Send an OTP',
	description: 'Send a one-time password or an approval request with buttons to a customer',
	fields,
	start,
};
