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
