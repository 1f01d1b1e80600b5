import type { INodeProperties } from 'n8n-workflow';
import { MAX_CODE_LENGTH, MIN_CODE_LENGTH } from '../../codes/code';
import {
	DEFAULT_FIRST_GAP_S,
	DEFAULT_MAX_CODES,
	DEFAULT_RESEND_WINDOW_MINUTES,
	DEFAULT_VALID_MINUTES,
	MAX_VALID_MINUTES,
} from '../../codes/settings';
import { limitsOption } from '../limits.fields';

/** What a code confirms: the same field for sending and for verifying it. */
export const transactionField: INodeProperties = {
	displayName: 'Transaction',
	name: 'transaction',
	type: 'collection',
	placeholder: 'Add Field',
	default: {},
	description:
		'What the customer confirms with the code. The message has to show it. The code is accepted for nothing else.',
	options: [
		{
			displayName: 'Action or Purpose',
			name: 'purpose',
			type: 'string',
			default: '',
			placeholder: 'e.g. login',
			description:
				'What the code is for, as the customer reads it. Shown by {purpose} in the message.',
		},
		{
			displayName: 'Amount',
			name: 'amount',
			type: 'string',
			default: '',
			placeholder: 'e.g. 1,250.00',
			description: 'The amount as the customer reads it. Shown by {amount} in the message.',
		},
		{
			displayName: 'Currency',
			name: 'currency',
			type: 'string',
			default: '',
			placeholder: 'e.g. TRY',
			description: 'Shown by {currency} in the message',
		},
		{
			displayName: 'Other Fields',
			name: 'otherFields',
			type: 'fixedCollection',
			typeOptions: { multipleValues: true },
			placeholder: 'Add Field',
			default: {},
			options: [
				{
					displayName: 'Field',
					name: 'field',
					values: [
						{
							displayName: 'Name',
							name: 'name',
							type: 'string',
							default: '',
							placeholder: 'e.g. account',
							description:
								'Letters, digits, - and _. In braces it stands for the value in the message.',
						},
						{
							displayName: 'Value',
							name: 'value',
							type: 'string',
							default: '',
							placeholder: 'e.g. login',
						},
					],
				},
			],
		},
		{
			displayName: 'Payee',
			name: 'payee',
			type: 'string',
			default: '',
			placeholder: 'e.g. City Waterworks',
			description: 'The person or company that gets the money. Shown by {payee} in the message.',
		},
	],
};

/** The fields of an operation that sends a code. */
export const codeFields: INodeProperties[] = [
	{
		displayName: 'OTP',
		name: 'otpMode',
		type: 'options',
		options: [
			{
				name: 'Generate',
				value: 'generate',
				description:
					'The node makes a random code. The item has a challenge. The operation Verify needs it to check the code that the customer types.',
			},
			{
				name: 'Given',
				value: 'given',
				description: 'The code comes from elsewhere',
			},
			{
				name: 'None',
				value: 'none',
				description: 'The message carries no code',
			},
		],
		default: 'generate',
		description: 'Where the code comes from',
	},
	{
		displayName: 'OTP Value',
		name: 'otpValue',
		type: 'string',
		displayOptions: { show: { otpMode: ['given'] } },
		default: '',
		placeholder: 'e.g. 123456',
		description: 'The code itself',
		hint: 'The customer reads only the message: put {code} into it',
	},
	{
		displayName: 'Auto-Fill in the App',
		name: 'autoFill',
		type: 'boolean',
		displayOptions: { show: { otpMode: ['generate', 'given'] } },
		default: true,
		description:
			"Whether Diyalog's mobile SDK also gives the code to your company's app. The app can then fill it in. This is useful for a login. Turn it off for a payment: the app could complete the payment without the person.",
	},
	{ ...transactionField, displayOptions: { show: { otpMode: ['generate'] } } },
];

/** The options of an operation that sends a code. */
export const codeOptions: INodeProperties[] = [
	// A code from elsewhere is mostly checked there, and so is what it is for.
	{ ...transactionField, displayOptions: { show: { '/otpMode': ['given'] } } },
	{
		displayName: 'Code Length',
		name: 'codeLength',
		type: 'number',
		typeOptions: { minValue: MIN_CODE_LENGTH, maxValue: MAX_CODE_LENGTH },
		displayOptions: { show: { '/otpMode': ['generate'] } },
		default: MIN_CODE_LENGTH,
	},
	{
		displayName: 'Code Characters',
		name: 'codeCharacters',
		type: 'options',
		options: [
			{ name: 'Digits', value: 'digits' },
			{
				name: 'Letters and Digits',
				value: 'lettersAndDigits',
				description: 'Without vowels and without characters that look alike',
			},
		],
		displayOptions: { show: { '/otpMode': ['generate'] } },
		default: 'digits',
	},
	{
		displayName: 'Valid for (Minutes)',
		name: 'validMinutes',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_VALID_MINUTES },
		displayOptions: { show: { '/otpMode': ['generate', 'given'] } },
		default: DEFAULT_VALID_MINUTES,
		description: 'How long the operation Verify accepts the code',
	},
	limitsOption({
		displayName: 'Resend Limits',
		name: 'resendLimits',
		displayOptions: { show: { '/otpMode': ['generate'] } },
		description: `How often this node sends codes to one customer. ${DEFAULT_MAX_CODES} in ${DEFAULT_RESEND_WINDOW_MINUTES} minutes, also without this option.`,
		thing: 'code',
		count: {
			displayName: 'Codes in the Window',
			name: 'maxCodes',
			typeOptions: { minValue: 0, maxValue: 100 },
			description: 'How many codes one customer can get within the window. 0 for no limit.',
		},
		maxWindowMinutes: 1_440,
		maxGapSeconds: 600,
		usual: {
			count: DEFAULT_MAX_CODES,
			windowMinutes: DEFAULT_RESEND_WINDOW_MINUTES,
			firstGapSeconds: DEFAULT_FIRST_GAP_S,
		},
	}),
];
