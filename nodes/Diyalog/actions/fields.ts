import type { INodeProperties } from 'n8n-workflow';

/* Fields that every operation has that sends a message. */

export const customerNoField: INodeProperties = {
	displayName: 'Customer Number',
	name: 'customerNo',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. 70021',
	description: "The customer's number in your company's system, as Diyalog knows it",
};

/** In alphabetical order, as the editor lists them. */
export const additionalFields: INodeProperties = {
	displayName: 'Additional Fields',
	name: 'additionalFields',
	type: 'collection',
	placeholder: 'Add Field',
	default: {},
	options: [
		{
			displayName: 'Device ID',
			name: 'deviceId',
			type: 'string',
			default: '',
			placeholder: 'e.g. 628FAF5A-B690-4E1A-A0EC-1518A6334F0B',
			description: "The customer's device, for Diyalog's OTP reports only",
		},
		{
			displayName: 'Image URL',
			name: 'imageUrl',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://www.example.com/logo.png',
			description: 'Address of a picture that is shown with the message',
		},
		{
			displayName: 'Transaction Code',
			name: 'txCode',
			type: 'string',
			default: '',
			placeholder: 'e.g. LOGIN',
			description: "What the OTP is for, for Diyalog's OTP reports only",
		},
	],
};

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

export const buttonsField: INodeProperties = {
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
