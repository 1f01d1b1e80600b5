import type { INodeProperties } from 'n8n-workflow';
import {
	DEFAULT_APPROVE_LABEL,
	DEFAULT_DECLINE_LABEL,
	DEFAULT_MAX_ATTEMPTS,
	DEFAULT_MAX_QUESTIONS,
	DEFAULT_QUESTION_WINDOW_MINUTES,
	DEFAULT_REPORT_LABEL,
	DEFAULT_RESPONSE_TYPE,
	DEFAULT_WRONG_CODE_REPLY,
	MAX_QUESTION_GAP_S,
	MAX_QUESTION_WINDOW_MINUTES,
	MAX_QUESTIONS,
} from '../../wait/waitInput';
import { MAX_BUTTONS } from '../../messages/buttons';
import { auditOption } from '../audit';
import { fieldsOrJson, TITLED_ENTRIES } from '../fields';
import { limitsOption } from '../limits.fields';
import { askOptions, optionsField } from '../sendOptions';
import { personKeysField } from './people.fields';

/*
 * The fields of "Send and Wait for Response". message, responseType and approvalOptions have the names that n8n looks for
 * when it makes a human review tool for AI agents of the node.
 */

/** How the answer comes back. */
export const questionNotices: INodeProperties[] = [
	{
		displayName:
			'The answer comes in through a <b>Diyalog Trigger</b> with the same credential, in any published workflow of this n8n. Without such a trigger nobody can answer. This node then ends with "expired" when the time is up. That is after 5 minutes, or after Limit Wait Time under Options.',
		name: 'triggerNotice',
		type: 'notice',
		displayOptions: { hide: { '/options.answerBy': ['link'], responseType: ['delivery'] } },
		default: '',
	},
	{
		displayName:
			'Diyalog tells a <b>Diyalog Trigger</b> with the same credential, in any published workflow of this n8n, that the message was delivered. Without such a trigger every message counts as not delivered when the time is up. That is after 30 seconds, or after Limit Wait Time under Options.',
		name: 'deliveryNotice',
		type: 'notice',
		displayOptions: { show: { responseType: ['delivery'] } },
		default: '',
	},
	{
		displayName:
			'Each button opens a page of this n8n that asks to confirm. Anybody with the link can answer. If Diyalog can reach n8n, Tap in the Chat is better.',
		name: 'linkNotice',
		type: 'notice',
		displayOptions: {
			show: { '/options.answerBy': ['link'] },
			hide: { responseType: ['delivery'] },
		},
		default: '',
	},
];

const responseTypeField = (maxChoices: number): INodeProperties => ({
	displayName: 'Response Type',
	name: 'responseType',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Approval',
			value: 'approval',
			description:
				'The person approves or declines with a button. A tap is no login: use Code for that.',
		},
		{
			name: 'Choice',
			value: 'choice',
			description:
				maxChoices > MAX_BUTTONS
					? `The person taps one of 2 to ${maxChoices} choices, or of 2 to ${MAX_BUTTONS} by Link to a Page`
					: `The person taps one of 2 to ${maxChoices} choices`,
		},
		{
			name: 'Code',
			value: 'code',
			description: 'The person types digits that are shown elsewhere (number matching)',
		},
		{
			name: 'Delivery',
			value: 'delivery',
			description: 'No answer: the message only has to reach the phone',
		},
		{ name: 'Free Text', value: 'freeText', description: 'The person writes a text' },
	],
	default: DEFAULT_RESPONSE_TYPE,
});

/** In the order of use; the type comes first because it decides about the rest. */
const approvalFields: INodeProperties[] = [
	{
		displayName: 'Type of Approval',
		name: 'approvalType',
		type: 'options',
		options: [
			{ name: 'Approve and Decline', value: 'double' },
			{ name: 'Approve Only', value: 'single' },
		],
		default: 'double',
	},
	{
		displayName: 'Approve Button Label',
		name: 'approveLabel',
		type: 'string',
		default: DEFAULT_APPROVE_LABEL,
		placeholder: 'e.g. Approve',
	},
	{
		displayName: 'Decline Button Label',
		name: 'disapproveLabel',
		type: 'string',
		displayOptions: { show: { approvalType: ['double'] } },
		default: DEFAULT_DECLINE_LABEL,
		placeholder: 'e.g. Decline',
	},
	{
		displayName: "Offer It Wasn't Me",
		name: 'offerReport',
		type: 'boolean',
		default: false,
		description:
			'Whether to add a button for people who did not cause the question. A press on it declines, with the decision "reported".',
	},
	{
		displayName: "It Wasn't Me Button Label",
		name: 'reportLabel',
		type: 'string',
		displayOptions: { show: { offerReport: [true] } },
		default: DEFAULT_REPORT_LABEL,
		placeholder: "e.g. It Wasn't Me",
	},
];

const approvalOptionsField: INodeProperties = {
	displayName: 'Approval Options',
	name: 'approvalOptions',
	type: 'fixedCollection',
	placeholder: 'Add Option',
	displayOptions: { show: { responseType: ['approval'] } },
	default: {},
	options: [{ displayName: 'Values', name: 'values', values: approvalFields }],
};

const choicesField: INodeProperties = {
	displayName: 'Choices',
	name: 'choices',
	type: 'fixedCollection',
	typeOptions: TITLED_ENTRIES,
	placeholder: 'Add Choice',
	default: {},
	options: [
		{
			displayName: 'Choice',
			name: 'choice',
			values: [
				{
					displayName: 'Title',
					name: 'title',
					type: 'string',
					default: '',
					placeholder: 'e.g. Call Me Back',
					description: 'The words on the button or quick reply',
				},
				{
					displayName: 'Value',
					name: 'value',
					type: 'string',
					default: '',
					placeholder: 'e.g. callBack',
					description: 'What comes out when it is tapped. If empty, the title.',
				},
			],
		},
	],
};

const expectedCodeField: INodeProperties = {
	displayName: 'Expected Code',
	name: 'expectedCode',
	type: 'string',
	typeOptions: { password: true },
	required: true,
	displayOptions: { show: { responseType: ['code'] } },
	default: '',
	placeholder: 'e.g. {{ $json.number }}',
	description:
		'The 2 to 10 digits that you show to the person elsewhere, for example on the page where they log in. For a login, use at least 6 random digits. Do not write the digits into the message.',
};

const answerByOption: INodeProperties = {
	displayName: 'Answer By',
	name: 'answerBy',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { '/responseType': ['approval', 'choice'] } },
	options: [
		{
			name: 'Tap in the Chat',
			value: 'tap',
			description: 'A tap is the answer. Diyalog has to reach a Diyalog Trigger.',
		},
		{
			name: 'Link to a Page',
			value: 'link',
			description:
				'A button opens a page of this n8n that asks to confirm. The device has to reach n8n.',
		},
	],
	default: 'tap',
};

const limitWaitTimeOption: INodeProperties = {
	displayName: 'Limit Wait Time',
	name: 'limitWaitTime',
	type: 'fixedCollection',
	description:
		'How long the person has for the answer, a year at most. Without this option it is 5 minutes, or 30 seconds for a delivery. When the time is up, the workflow goes on through No Answer or Not Delivered.',
	default: { values: { limitType: 'afterTimeInterval', resumeAmount: 5, resumeUnit: 'minutes' } },
	options: [
		{
			displayName: 'Values',
			name: 'values',
			values: [
				{
					displayName: 'Limit Type',
					name: 'limitType',
					type: 'options',
					options: [
						{ name: 'After Time Interval', value: 'afterTimeInterval' },
						{ name: 'At Specified Time', value: 'atSpecifiedTime' },
					],
					default: 'afterTimeInterval',
				},
				{
					displayName: 'Amount',
					name: 'resumeAmount',
					type: 'number',
					typeOptions: { minValue: 0, numberPrecision: 2 },
					displayOptions: { show: { limitType: ['afterTimeInterval'] } },
					default: 5,
				},
				{
					displayName: 'Unit',
					name: 'resumeUnit',
					type: 'options',
					displayOptions: { show: { limitType: ['afterTimeInterval'] } },
					options: [
						{ name: 'Days', value: 'days' },
						{ name: 'Hours', value: 'hours' },
						{ name: 'Minutes', value: 'minutes' },
						{ name: 'Seconds', value: 'seconds' },
					],
					default: 'minutes',
				},
				{
					displayName: 'Max Date and Time',
					name: 'maxDateAndTime',
					type: 'dateTime',
					displayOptions: { show: { limitType: ['atSpecifiedTime'] } },
					default: '',
				},
			],
		},
	],
};

const questionLimitsOption = limitsOption({
	displayName: 'Question Limits',
	name: 'questionLimits',
	description:
		'How often this node asks one person. This helps against an attacker who causes questions until the person approves. Without this option there is no limit.',
	thing: 'question',
	count: {
		displayName: 'Questions in the Window',
		name: 'maxQuestions',
		typeOptions: { minValue: 1, maxValue: MAX_QUESTIONS },
		description: 'How many questions one person can get within the window',
	},
	maxWindowMinutes: MAX_QUESTION_WINDOW_MINUTES,
	maxGapSeconds: MAX_QUESTION_GAP_S,
	usual: {
		count: DEFAULT_MAX_QUESTIONS,
		windowMinutes: DEFAULT_QUESTION_WINDOW_MINUTES,
		firstGapSeconds: 0,
	},
});

const waitOptions: INodeProperties[] = [
	answerByOption,
	limitWaitTimeOption,
	questionLimitsOption,
	auditOption,
	{
		displayName: 'Leave Text Out of Evidence',
		name: 'leaveTextOut',
		type: 'boolean',
		displayOptions: { show: { '/responseType': ['approval', 'choice'] } },
		default: false,
		description:
			'Whether to leave the text of the message out of the evidence. Use this if you must not store the text.',
	},
	{
		displayName: 'Maximum Attempts',
		name: 'maxAttempts',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 10 },
		displayOptions: { show: { '/responseType': ['code'] } },
		default: DEFAULT_MAX_ATTEMPTS,
		description:
			'How many wrong codes end the wait. The workflow then goes on through Too Many Attempts, with the decision "tooManyAttempts".',
	},
	{
		displayName: 'Message ID Prefix',
		name: 'messageIdPrefix',
		type: 'string',
		default: '',
		placeholder: 'e.g. transfer-17',
		description:
			'The beginning of the message ID, for people who read logs. Use at most 21 letters, digits, _ and -. The rest of the ID finds this execution again.',
	},
	{
		...personKeysField,
		displayOptions: {
			show: { '/responseType': ['approval', 'choice'] },
			hide: { '/ask': ['several'] },
		},
	},
	{
		displayName: 'Require Signed Payload',
		name: 'requireSignedPayload',
		type: 'boolean',
		displayOptions: { show: { '/responseType': ['approval', 'choice'] } },
		default: false,
		description:
			"Whether your company's app has to sign the answer on the person's device. The credential says how, and this node checks it.",
	},
	{
		displayName: 'Reply to a Wrong Answer',
		name: 'wrongReply',
		type: 'string',
		displayOptions: { show: { '/responseType': ['approval', 'choice'] } },
		default: '',
		placeholder: 'e.g. Please tap one of the buttons.',
		description:
			'The reply when an answer cannot be used, for example a text instead of a tap. It is sent 3 times at most. If empty, none is sent.',
	},
	{
		displayName: 'Reply When Decided',
		name: 'decidedReply',
		type: 'string',
		displayOptions: { hide: { '/responseType': ['delivery'] } },
		default: '',
		placeholder: 'e.g. {answer}: {count} of {asked}',
		description:
			'The message to all people after the decision, because the buttons stay in the chat. Not with Link to a Page. {answer} stands for the button, {count} for how many chose it, and {asked} for how many were asked. If empty, none is sent.',
	},
	{
		displayName: 'Wrong Code Reply',
		name: 'wrongCodeReply',
		type: 'string',
		displayOptions: { show: { '/responseType': ['code'] } },
		default: DEFAULT_WRONG_CODE_REPLY,
		description: 'What the person reads after a wrong code',
	},
];

/** @param added what the kind of message has beside the options of every question */
export const questionOptionsField = (added: readonly INodeProperties[] = []): INodeProperties =>
	optionsField([...waitOptions, ...askOptions, ...added]);

export const questionField: INodeProperties = {
	displayName: 'Message',
	name: 'message',
	type: 'string',
	typeOptions: { rows: 3 },
	required: true,
	default: '',
	placeholder: 'e.g. Do you approve the transfer of 250 TL to A. Yılmaz?',
	description: 'The text that the person reads',
};

/**
 * What is said about the answer, in the order of the editor.
 *
 * @param maxChoices how many of them the kind of message can show
 */
export const responseFields = (maxChoices: number): INodeProperties[] => [
	responseTypeField(maxChoices),
	approvalOptionsField,
	...fieldsOrJson(
		choicesField,
		'specifyChoices',
		'texts, or of objects',
		'["Card", { "title": "Loan", "value": "loan" }]',
		{ show: { responseType: ['choice'] } },
	),
	expectedCodeField,
];
