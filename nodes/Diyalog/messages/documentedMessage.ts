import { shownText } from '../codes/placeholders';
import { documentedObject, isObject, knownNames, listOf } from '../input/json';
import { addIssues, addProblem } from '../input/problem';
import { messageIdText, requiredIdentifier, requiredText } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import { buttonsV2Schema } from './buttons';
import { cardShape, requireCards, requireContent } from './carousel';
import { baseName, fileSizeProblem } from './document';
import { documentedQuickReply, requireQuickReplies } from './quickReplies';
import type { DiyalogRecipient } from './recipient';
import type { MessageContent } from './sendMessage';

/*
 * A whole message as JSON, under the names that Diyalog documents. Empty lists that Diyalog wants to see may be left out. What
 * would not be sent is refused.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

const person = lazily(() => requiredIdentifier('Enter the number or ID of the person.'));

const recipientSchema = lazily(() =>
	documentedObject({
		appCustomerId: person().optional(),
		appStaffId: person().optional(),
		id: person().optional(),
	}).transform((recipient, context): DiyalogRecipient => {
		const { appCustomerId, appStaffId, id } = recipient;
		const given = [appCustomerId, appStaffId, id].filter((each) => each !== undefined);
		if (given.length !== 1) {
			return addProblem(
				context,
				`names ${given.length} people`,
				'Give exactly one of appCustomerId, appStaffId and id.',
			);
		}
		if (appCustomerId !== undefined) return { appCustomerId };
		return appStaffId === undefined ? { id: given[0] ?? '' } : { appStaffId };
	}),
);

/**
 * A list which Diyalog wants to see and which stays empty.
 *
 * @param advice where its entries belong
 */
const emptyList = (advice: string) =>
	listOf(z.unknown())
		.default([])
		.transform((entries, context): readonly [] =>
			entries.length === 0 ? [] : addProblem(context, 'has to be an empty list', advice),
		);

const oldButtons = lazily(() =>
	emptyList('It is the old form of Diyalog: put the buttons into buttonsV2.'),
);

const common = lazily(() => ({
	messageId: messageIdText(),
	quickReplies: emptyList('It is the old form of Diyalog: put the replies into quickRepliesV2.'),
}));
const withoutQuickReplies = lazily(() => ({
	...common(),
	quickRepliesV2: emptyList(
		'Only a message that is a text has quick replies. Send them with a text.',
	),
}));

const ONE_KIND = 'Give one of attachment, document and trigger: a message is of one kind.';

const shown = (advice: string) => requiredText(advice).transform(shownText);
const text = lazily(() => shown('Enter the text that the person reads.'));

const buttonTemplate = lazily(() => ({
	templateType: z.literal('button'),
	text: text(),
	messageId: messageIdText(),
	buttons: oldButtons(),
	buttonsV2: buttonsV2Schema()
		.default([])
		.transform((buttons, context) =>
			buttons.length > 0
				? buttons
				: addProblem(
						context,
						'is empty',
						'Give 1 to 3 buttons, or send a text without attachment.',
					),
		),
	elements: emptyList('Elements are the cards of the templateType generic.'),
}));

const card = lazily(() =>
	documentedObject({
		...cardShape(),
		buttons: oldButtons(),
		buttonsV2: buttonsV2Schema().default([]),
	})
		.transform(({ buttonsV2: buttons, ...rest }) => ({ ...rest, buttons }))
		.transform(requireContent),
);

const genericTemplate = lazily(() => ({
	templateType: z.literal('generic'),
	elements: listOf(card()).transform((cards, context) => requireCards(cards, context)),
	buttons: oldButtons(),
	buttonsV2: emptyList('Buttons belong to an element: put them into its buttonsV2.'),
}));

const NO_TEMPLATE = [
	'is not a template that can be sent',
	'Use button, or generic for cards.',
] as const;

const NO_ATTACHMENT = [
	'is not an attachment that can be sent',
	'Use template. Diyalog describes no other: send an image, audio, video or file as document.',
] as const;

const templateSchema = lazily(() =>
	z
		.unknown()
		.transform((payload, context): unknown => {
			const type = isObject(payload) ? payload.templateType : undefined;
			if (isObject(payload) && type !== 'button' && type !== 'generic')
				return addProblem(context, ...NO_TEMPLATE, 'templateType');
			const names = Object.keys(type === 'generic' ? genericTemplate() : buttonTemplate());
			return knownNames(payload, context, names);
		})
		.pipe(
			z.discriminatedUnion('templateType', [
				z.object(buttonTemplate()),
				z.object(genericTemplate()),
			]),
		),
);

const templateMessage = lazily(() =>
	documentedObject(
		{
			...withoutQuickReplies(),
			attachment: documentedObject({
				type: z
					.unknown()
					.transform((type, context) =>
						type === 'template' ? type : addProblem(context, ...NO_ATTACHMENT),
					),
				payload: templateSchema(),
			}),
		},
		{ text: 'Put it into the payload of the attachment.', document: ONE_KIND, trigger: ONE_KIND },
	).transform(({ messageId, attachment: { payload } }) => {
		const content: MessageContent =
			payload.templateType === 'generic'
				? { cards: payload.elements }
				: {
						text: payload.text,
						buttons: payload.buttonsV2,
						templateMessageId: payload.messageId,
					};
		return { messageId, content };
	}),
);

const wholeNumber = lazily(() =>
	z
		.unknown()
		.transform((number, context) =>
			typeof number === 'number' && Number.isSafeInteger(number) && number > 0
				? number
				: addProblem(context, 'is not a whole number', 'Give pixels or seconds, 1 or more.'),
		),
);
const size = lazily(() => ({ width: wholeNumber(), height: wholeNumber() }));

/** How many bytes base64 stands for. It ends with two signs for padding at most. */
function bytesIn(base64: string): number {
	const padding = /={0,2}$/.exec(base64.slice(-2))?.[0] ?? '';
	return Math.floor(((base64.length - padding.length) * 3) / 4);
}

const textOnly = (advice: string) =>
	z
		.unknown()
		.transform((text, context) =>
			typeof text === 'string' ? text : addProblem(context, 'is not a text', advice),
		);

const FILE_NAME = 'Enter the name under which the file is shown.';

const documentMessage = lazily(() =>
	documentedObject(
		{
			...withoutQuickReplies(),
			document: documentedObject({
				fileName: requiredText(FILE_NAME).transform(
					(name, context) =>
						baseName(name) ?? addProblem(context, 'is not the name of a file', FILE_NAME),
				),
				fileData: textOnly('Give the bytes of the file in base64.').transform((base64, context) => {
					const found = fileSizeProblem(bytesIn(base64));
					return found ? addProblem(context, found.problem, found.advice) : base64;
				}),
				mimeType: textOnly('Give a type such as application/pdf, or leave it out.').optional(),
				photo: documentedObject(size()).optional(),
				video: documentedObject({ ...size(), duration: wholeNumber() }).optional(),
				voice: documentedObject({ duration: wholeNumber() }).optional(),
			}).transform((document, context) => {
				const { photo, video, voice } = document;
				const kinds = [photo, video, voice].filter((kind) => kind !== undefined);
				if (kinds.length <= 1) return document;
				const advice = 'Give one of photo, video and voice, or none.';
				return addProblem(context, `is shown in ${kinds.length} ways`, advice);
			}),
		},
		{ text: 'A document has no text: send the text as a message of its own.', trigger: ONE_KIND },
	).transform(({ messageId, document }) => ({ messageId, content: { document } })),
);

const triggerMessage = lazily(() =>
	documentedObject({
		...withoutQuickReplies(),
		text: text(),
		trigger: documentedObject({
			command: requiredText('Enter the command that your app understands.'),
			data: textOnly('Give a text, which may be empty: "".'),
		}),
	}).transform(({ messageId, ...content }) => ({
		messageId,
		content: { text: content.text, trigger: content.trigger },
	})),
);

const textMessage = lazily(() =>
	documentedObject({
		...common(),
		text: text(),
		quickRepliesV2: listOf(documentedQuickReply())
			.default([])
			.transform((replies, context) =>
				replies.length > 0 ? requireQuickReplies(replies, context) : replies,
			),
	}).transform(({ messageId, text: words, quickRepliesV2 }) => ({
		messageId,
		content: { text: words, quickReplies: quickRepliesV2 },
	})),
);

type Documented = { messageId: string | undefined; content: MessageContent };

/** The kind of a message shows in which of these it has. */
const kindOf = (message: Readonly<Record<string, unknown>>): z.ZodType<Documented> => {
	if (Object.hasOwn(message, 'attachment')) return templateMessage();
	if (Object.hasOwn(message, 'document')) return documentMessage();
	return Object.hasOwn(message, 'trigger') ? triggerMessage() : textMessage();
};

/** The names of all kinds: a misspelled one may be that of another kind. */
const MESSAGE_NAMES = [
	'messageId',
	'text',
	'attachment',
	'document',
	'trigger',
	'quickReplies',
	'quickRepliesV2',
];

const messageSchema = lazily(() =>
	z.unknown().transform((message, context): Documented => {
		knownNames(message, context, MESSAGE_NAMES);
		const { data, error } = kindOf(isObject(message) ? message : {}).safeParse(message);
		if (data) return data;
		return addIssues(context, error);
	}),
);

/** More characters than any message has that is no document. */
const LARGE_CHARACTERS = 100_000;

/** Whether a message as JSON may take much memory, as a document does. A text of JSON is not parsed for it. */
export function isLargeJson(json: unknown): boolean {
	if (typeof json === 'string')
		return json.length > LARGE_CHARACTERS || json.includes('"document"');
	return isObject(json) && isObject(json.message) && 'document' in json.message;
}

/** The whole body of SendMessage. */
export const documentedMessageSchema = lazily(() =>
	documentedObject({
		recipient: recipientSchema(),
		message: messageSchema(),
	}).transform(({ recipient, message }) => ({ recipient, ...message })),
);
