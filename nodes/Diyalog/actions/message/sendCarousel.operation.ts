import type { INodeProperties } from 'n8n-workflow';
import { carouselSchema } from '../../messages/messageInput';
import { buttonsField, fieldsOrJson, messageIdField, TITLED_ENTRIES } from '../fields';
import type { Operation } from '../operation';
import { optionsField, sendOptions } from '../sendOptions';
import { recipientFields } from './message.fields';
import { startSendingMessages } from './messages';

const cardsField: INodeProperties = {
	displayName: 'Cards',
	name: 'cards',
	type: 'fixedCollection',
	typeOptions: TITLED_ENTRIES,
	placeholder: 'Add Card',
	default: {},
	description: 'What the person swipes through, 1 to 10',
	options: [
		{
			displayName: 'Card',
			name: 'card',
			values: [
				{
					displayName: 'Title',
					name: 'title',
					type: 'string',
					default: '',
					placeholder: 'e.g. Gold Card',
				},
				{
					displayName: 'Text',
					name: 'subtitle',
					type: 'string',
					default: '',
					placeholder: 'e.g. No fee in the first year',
				},
				{
					displayName: 'Image URL',
					name: 'imageUrl',
					type: 'string',
					default: '',
					placeholder: 'e.g. https://www.example.com/gold.png',
					description: 'Address of a picture that is shown on the card',
				},
				buttonsField,
				{
					displayName: 'Card ID',
					name: 'messageId',
					type: 'string',
					default: '',
					placeholder: 'e.g. gold-card',
					description:
						'Comes back as messageId when a button of this card is pressed. If empty, the Message ID comes back.',
				},
			],
		},
	],
};

const fields: INodeProperties[] = [
	...recipientFields,
	...fieldsOrJson(
		cardsField,
		'specifyCards',
		'objects',
		'[{ "title": "Gold Card", "buttons": ["I Want It"] }]',
	),
	optionsField([...sendOptions, messageIdField]),
];

/** Sends cards to swipe through Diyalog's SendMessage API. */
export const sendCarousel: Operation = {
	name: 'Send Carousel',
	value: 'sendCarousel',
	action: 'Send a carousel of cards',
	description: 'Send up to 10 cards to swipe, each with a picture, texts and up to 3 buttons',
	fields,
	keepsSettled: true,
	async start(context, settled) {
		return await startSendingMessages(context, settled, fields, carouselSchema);
	},
};
