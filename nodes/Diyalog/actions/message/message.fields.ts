import type { INodeProperties } from 'n8n-workflow';
import { customerNoField } from '../fields';

/* Fields that the operations of the resource Message share. */

/** Who gets the message. */
export const recipientFields: INodeProperties[] = [
	{
		displayName: 'Recipient',
		name: 'recipientType',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Customer', value: 'customer' },
			{ name: 'Diyalog User ID', value: 'user', description: 'A customer or an employee' },
			{ name: 'Employee', value: 'employee' },
		],
		default: 'customer',
		description: 'The person who gets the message',
	},
	{ ...customerNoField, displayOptions: { show: { recipientType: ['customer'] } } },
	{
		displayName: 'Employee Number',
		name: 'employeeNo',
		type: 'string',
		required: true,
		displayOptions: { show: { recipientType: ['employee'] } },
		default: '',
		placeholder: 'e.g. E1007',
		description: "The employee's number in your company's system, as Diyalog knows it",
	},
	{
		displayName: 'Diyalog User ID',
		name: 'userId',
		type: 'string',
		required: true,
		displayOptions: { show: { recipientType: ['user'] } },
		default: '',
		placeholder: 'e.g. {{ $json.userId }}',
		description:
			"The person's ID in Diyalog: userId of a sent message, or of any event but a status callback",
	},
];

/** The text that people read. */
export const textField: INodeProperties = {
	displayName: 'Message',
	name: 'message',
	type: 'string',
	typeOptions: { rows: 3 },
	required: true,
	default: '',
	placeholder: 'e.g. Your transfer was carried out.',
	description: 'The text that the person reads',
};
