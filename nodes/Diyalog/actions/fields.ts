import type { IDisplayOptions, INodeProperties, INodePropertyTypeOptions } from 'n8n-workflow';

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

export const messageIdField: INodeProperties = {
	displayName: 'Message ID',
	name: 'messageId',
	type: 'string',
	default: '',
	placeholder: 'e.g. transfer-17',
	description:
		'Comes back with every event of this message, for example a press. So you know which message was answered. If empty, the node makes a new UUID.',
};

/** What SendOTP takes beside the text. */
export const otpOptions: INodeProperties[] = [
	{
		displayName: 'Device ID',
		name: 'deviceId',
		type: 'string',
		default: '',
		placeholder: 'e.g. 628FAF5A-B690-4E1A-A0EC-1518A6334F0B',
		description: "The customer's device. It appears only in Diyalog's OTP reports.",
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
		description: "What the OTP is for. It appears only in Diyalog's OTP reports.",
	},
];

const titleField: INodeProperties = {
	displayName: 'Title',
	name: 'title',
	type: 'string',
	default: '',
	placeholder: 'e.g. Approve',
	description: 'The words on the button or quick reply',
};

/** What a press sends back, and how, in the order of use. */
const payloadField: INodeProperties = {
	displayName: 'Payload',
	name: 'payload',
	type: 'string',
	default: '',
	placeholder: 'e.g. approve',
	description: 'What comes back through the Diyalog Trigger when it is pressed',
};

const furtherAnswerFields: INodeProperties[] = [
	{
		displayName: 'Sign Payload on the Device',
		name: 'payloadHidden',
		type: 'boolean',
		default: false,
		description:
			"Whether your company's app signs the payload on the customer's device before it comes back",
	},
	{
		displayName: 'Shown When Pressed',
		name: 'payloadSeenByUser',
		type: 'string',
		default: '',
		placeholder: 'e.g. Approved',
		description: 'What the chat shows after the press. If empty, the title.',
	},
];

const FOR_ANSWERS: IDisplayOptions = { show: { type: ['postback'] } };

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
				description: 'A press opens an address on the device. You are not told of the press.',
			},
		],
		default: 'postback',
	},
	titleField,
	{ ...payloadField, displayOptions: FOR_ANSWERS },
	{
		displayName: 'Address',
		name: 'payload',
		type: 'string',
		displayOptions: { show: { type: ['web_url'] } },
		default: '',
		placeholder: 'e.g. https://www.example.com/help',
		description: 'The web page that the button opens on the device',
	},
	...furtherAnswerFields.map((field) => ({ ...field, displayOptions: FOR_ANSWERS })),
];

/** Of several entries the editor shows the titles. */
export const TITLED_ENTRIES: INodePropertyTypeOptions = {
	multipleValues: true,
	sortable: true,
	fixedCollection: { itemTitle: '={{ $collection.item.value.title }}' },
};

export const buttonsField: INodeProperties = {
	displayName: 'Buttons',
	name: 'buttons',
	type: 'fixedCollection',
	typeOptions: TITLED_ENTRIES,
	placeholder: 'Add Button',
	default: {},
	description:
		'What the person can press under the message, up to 3. A press starts the workflow whose Diyalog Trigger has the URL that Diyalog calls.',
	options: [{ displayName: 'Button', name: 'button', values: buttonValues }],
};

const quickRepliesField: INodeProperties = {
	displayName: 'Quick Replies',
	name: 'quickReplies',
	type: 'fixedCollection',
	typeOptions: TITLED_ENTRIES,
	placeholder: 'Add Quick Reply',
	default: {},
	description:
		'What the person can press above the text field, 1 to 11. A press starts the workflow whose Diyalog Trigger has the URL that Diyalog calls.',
	options: [
		{
			displayName: 'Quick Reply',
			name: 'quickReply',
			values: [
				titleField,
				payloadField,
				...furtherAnswerFields,
				{
					displayName: 'Image URL',
					name: 'imageUrl',
					type: 'string',
					default: '',
					placeholder: 'e.g. https://www.example.com/yes.png',
					description: 'Address of a small picture beside the words',
				},
			],
		},
	],
};

/** Adds to when a field is shown. */
export const shownAlso = (field: INodeProperties, added: IDisplayOptions): INodeProperties => {
	const { show, hide } = field.displayOptions ?? {};
	return {
		...field,
		displayOptions: {
			...((show ?? added.show) && { show: { ...show, ...added.show } }),
			...((hide ?? added.hide) && { hide: { ...hide, ...added.hide } }),
		},
	};
};

const specifyField = (field: INodeProperties, name: string): INodeProperties => ({
	displayName: `Specify ${field.displayName}`,
	name,
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Using Fields Below', value: 'fields' },
		{ name: 'Using JSON', value: 'json', description: 'An expression can give any number of them' },
	],
	default: 'fields',
});

/**
 * A list by fields or from data.
 *
 * @param specify the name of the field that says which
 * @param entry what an entry of the list can be
 * @param example of JSON
 * @param displayOptions when they are shown at all
 */
export function fieldsOrJson(
	field: INodeProperties,
	specify: string,
	entry: 'texts, or of objects' | 'objects',
	example: string,
	displayOptions: IDisplayOptions = {},
): INodeProperties[] {
	const json: INodeProperties = {
		displayName: `${field.displayName} (JSON)`,
		name: `${field.name}Json`,
		type: 'json',
		default: '',
		placeholder: `e.g. ${example}`,
		description: `A list of ${entry}. Example: <code>${example}</code>.`,
	};
	return [
		specifyField(field, specify),
		shownAlso(field, { show: { [specify]: ['fields'] } }),
		shownAlso(json, { show: { [specify]: ['json'] } }),
	].map((each) => shownAlso(each, displayOptions));
}

/** Buttons by fields or from data. */
export const buttonsFields = (displayOptions?: IDisplayOptions): INodeProperties[] =>
	fieldsOrJson(
		buttonsField,
		'specifyButtons',
		'texts, or of objects',
		'[{ "title": "Approve", "value": "approve" }, "Decline"]',
		displayOptions,
	);

const NOTHING = { name: 'Nothing', value: 'nothing' };

const BELOW = [
	{ name: 'Buttons', value: 'buttons', description: 'Up to 3, which stay in the chat' },
	NOTHING,
	{
		name: 'Quick Replies',
		value: 'quickReplies',
		description: 'Up to 11 choices above the text field. They vanish after a tap.',
	},
];

/**
 * What stands below the text of a message.
 *
 * @param kinds of it that the kind of message can have, beside nothing
 */
export const belowField = (...kinds: string[]): INodeProperties => ({
	displayName: 'Below the Text',
	name: 'below',
	type: 'options',
	noDataExpression: true,
	options: BELOW.filter((option) => option === NOTHING || kinds.includes(option.value)),
	default: 'nothing',
	description: 'What the person can press',
});

/** Quick replies by fields or from data. */
export const quickRepliesFields = (displayOptions?: IDisplayOptions): INodeProperties[] =>
	fieldsOrJson(
		quickRepliesField,
		'specifyQuickReplies',
		'texts, or of objects',
		'["Yes", "No", { "title": "Later", "value": "later" }]',
		displayOptions,
	);

/** A field that a message as JSON takes the place of. */
export const unlessJson = (field: INodeProperties): INodeProperties =>
	shownAlso(field, { show: { specifyMessage: ['fields'] } });

/**
 * A whole message by fields or as one JSON object.
 *
 * @param fields that the JSON object takes the place of
 * @param example of JSON
 */
export const jsonMessageFields = (
	fields: readonly INodeProperties[],
	example: string,
): INodeProperties[] => [
	{
		displayName: 'Specify Message',
		name: 'specifyMessage',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Using Fields Below', value: 'fields' },
			{ name: 'Using JSON', value: 'json', description: 'One object as Diyalog documents it' },
		],
		default: 'fields',
	},
	{
		displayName: 'Message (JSON)',
		name: 'messageJson',
		type: 'json',
		displayOptions: { show: { specifyMessage: ['json'] } },
		default: '',
		placeholder: `e.g. ${example}`,
		description: `The message with its recipient, under the names that Diyalog documents. Other names are refused. Example: <code>${example}</code>.`,
	},
	...fields.map(unlessJson),
];
