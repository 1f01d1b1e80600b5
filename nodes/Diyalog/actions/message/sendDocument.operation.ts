import type { INodeProperties } from 'n8n-workflow';
import type { Entered } from '../../input/shown';
import { FILE_FIELD } from '../../messages/document';
import { documentMessageSchema } from '../../messages/messageInput';
import { messageIdField } from '../fields';
import type { Operation } from '../operation';
import { documentSendOptions, optionsField } from '../sendOptions';
import { readFile } from './binaryFile';
import { recipientFields } from './message.fields';
import { startSendingMessages } from './messages';

const FILE_LABEL = 'Input Data Field Name';

/** The files whose sizes are read; of others they have to be entered. */
const PICTURES = 'PNG, JPEG, GIF, WebP, BMP, MP4 or MOV';

const sizeField = (
	displayName: string,
	name: string,
	sendAs: string[],
	unit: string,
	readFrom: string,
): INodeProperties => ({
	displayName,
	name,
	type: 'number',
	typeOptions: { minValue: 1, numberPrecision: 0 },
	displayOptions: { show: { '/sendAs': sendAs } },
	default: '',
	description: `In ${unit}. If empty, the node reads it from the file: ${readFrom}.`,
});

const fields: INodeProperties[] = [
	...recipientFields,
	{
		displayName: FILE_LABEL,
		name: FILE_FIELD,
		type: 'string',
		required: true,
		default: 'data',
		hint: 'The name of the input field that holds the file. The file has to be under 5 MB.',
	},
	{
		displayName: 'Send As',
		name: 'sendAs',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Document', value: 'document' },
			{ name: 'Photo', value: 'photo', description: 'The chat shows the picture' },
			{ name: 'Video', value: 'video' },
			{ name: 'Voice', value: 'voice', description: 'The chat shows a voice message' },
		],
		default: 'document',
		description: 'How the phone shows the file',
	},
	{
		displayName: 'Additional Fields',
		name: 'mediaOptions',
		type: 'collection',
		placeholder: 'Add Field',
		default: {},
		options: [
			sizeField(
				'Duration (Seconds)',
				'duration',
				['video', 'voice'],
				'seconds',
				'MP4, MOV, M4A, MP3, WAV, or Ogg with Opus or Vorbis',
			),
			{
				displayName: 'File Name',
				name: 'fileName',
				type: 'string',
				default: '',
				placeholder: 'e.g. receipt.pdf',
				description: 'The name that the person sees. If empty, the name of the file.',
			},
			sizeField('Height', 'height', ['photo', 'video'], 'pixels', PICTURES),
			sizeField('Width', 'width', ['photo', 'video'], 'pixels', PICTURES),
		],
	},
	optionsField([...documentSendOptions, messageIdField]),
];

/** Sends a file through Diyalog's SendMessage API. */
export const sendDocument: Operation = {
	name: 'Send Document',
	value: 'sendDocument',
	action: 'Send a document',
	description: 'Send a file under 5 MB, also as photo, video or voice message',
	fields,
	keepsSettled: true,
	async start(context, settled) {
		const schemaOf = async (entered: Entered, itemIndex: number) => {
			const field = String(entered[FILE_FIELD] ?? '');
			return documentMessageSchema(await readFile(context, itemIndex, field, FILE_LABEL));
		};
		return await startSendingMessages(context, settled, fields, schemaOf, () => true);
	},
};
