import { z } from 'zod/v4';
import { shownText } from '../codes/placeholders';
import { isObject, listOf } from '../input/json';
import { addIssues, addProblem } from '../input/problem';
import { messageIdText, requiredIdentifier, requiredText } from '../input/schemas';
import { buttonSchema, requireVisible, TOO_MANY_BUTTONS } from './buttons';
import { cardShape, requireCards, requireContent } from './carousel';
import { baseName, fileSizeProblem } from './document';
import { quickReplySchema, requireQuickReplies } from './quickReplies';
import type { DiyalogRecipient } from './recipient';
import type { MessageContent } from './sendMessage';

/*
 * A whole message as JSON, under the names that Diyalog documents. Empty lists that Diyalog wants to see may be left out.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

const person = requiredIdentifier('Enter the number or ID of the person.');

const recipientSchema = z
	.strictObject({
		appCustomerId: person.optional(),
		appStaffId: person.optional(),
		id: person.optional(),
	})
	.transform((recipient, context): DiyalogRecipient => {
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
	});

/** A list of the old form, which Diyalog wants to see and which stays empty. */
const emptyList = listOf(z.never()).default([]);

const common = { messageId: messageIdText, quickReplies: emptyList };
const withoutQuickReplies = { ...common, quickRepliesV2: emptyList };

const shown = (advice: string) => requiredText(advice).transform(shownText);
const text = shown('Enter the text that the person reads.');

const buttonsV2 = listOf(buttonSchema)
	.default([])
	.transform((buttons, context) => requireVisible(buttons, context, TOO_MANY_BUTTONS));

const buttonTemplate = z.strictObject({
	templateType: z.literal('button'),
	text,
	messageId: messageIdText,
	buttons: emptyList,
	buttonsV2: buttonsV2.refine((buttons) => buttons.length > 0),
	elements: emptyList,
});

const card = z
	.strictObject({ ...cardShape, buttons: emptyList, buttonsV2 })
	.transform(({ buttonsV2: buttons, ...rest }) => ({ ...rest, buttons }))
	.transform(requireContent);

const genericTemplate = z.strictObject({
	templateType: z.literal('generic'),
	elements: listOf(card).transform((cards, context) => requireCards(cards, context)),
	buttons: emptyList,
	buttonsV2: emptyList,
});

const templateMessage = z
	.strictObject({
		...withoutQuickReplies,
		attachment: z.strictObject({
			type: z.literal('template'),
			payload: z.discriminatedUnion('templateType', [buttonTemplate, genericTemplate]),
		}),
	})
	.transform(({ messageId, attachment: { payload } }) => {
		const content: MessageContent =
			payload.templateType === 'generic'
				? { cards: payload.elements }
				: {
						text: payload.text,
						buttons: payload.buttonsV2,
						templateMessageId: payload.messageId,
					};
		return { messageId, content };
	});

const wholeNumber = z.number().int().min(1);
const size = { width: wholeNumber, height: wholeNumber };

/** How many bytes base64 stands for. It ends with two signs for padding at most. */
function bytesIn(base64: string): number {
	const padding = /={0,2}$/.exec(base64.slice(-2))?.[0] ?? '';
	return Math.floor(((base64.length - padding.length) * 3) / 4);
}

const FILE_NAME = 'Enter the name under which the file is shown.';

const documentMessage = z
	.strictObject({
		...withoutQuickReplies,
		document: z.strictObject({
			fileName: requiredText(FILE_NAME).transform(
				(name, context) =>
					baseName(name) ?? addProblem(context, 'is not the name of a file', FILE_NAME),
			),
			fileData: z.string().transform((base64, context) => {
				const found = fileSizeProblem(bytesIn(base64));
				return found ? addProblem(context, found.problem, found.advice) : base64;
			}),
			mimeType: z.string().optional(),
			photo: z.strictObject(size).optional(),
			video: z.strictObject({ ...size, duration: wholeNumber }).optional(),
			voice: z.strictObject({ duration: wholeNumber }).optional(),
		}),
	})
	.transform(({ messageId, document }) => ({ messageId, content: { document } }));

const triggerMessage = z
	.strictObject({
		...withoutQuickReplies,
		text,
		trigger: z.strictObject({
			command: requiredText('Enter the command that your app understands.'),
			data: z.string(),
		}),
	})
	.transform(({ messageId, ...content }) => ({
		messageId,
		content: { text: content.text, trigger: content.trigger },
	}));

const textMessage = z
	.strictObject({
		...common,
		text,
		quickRepliesV2: listOf(quickReplySchema)
			.default([])
			.transform((replies, context) =>
				replies.length > 0 ? requireQuickReplies(replies, context) : replies,
			),
	})
	.transform(({ messageId, text: words, quickRepliesV2 }) => ({
		messageId,
		content: { text: words, quickReplies: quickRepliesV2 },
	}));

type Documented = { messageId: string | undefined; content: MessageContent };

/** The kind of a message shows in which of these it has. */
const kindOf = (message: Readonly<Record<string, unknown>>): z.ZodType<Documented> => {
	if (Object.hasOwn(message, 'attachment')) return templateMessage;
	if (Object.hasOwn(message, 'document')) return documentMessage;
	return Object.hasOwn(message, 'trigger') ? triggerMessage : textMessage;
};

const messageSchema = z.unknown().transform((message, context): Documented => {
	// It is looked at as it came: a copy of what has the name __proto__ would have other fields.
	if (!isObject(message))
		return addProblem(context, 'is not an object', 'Give one in braces: {...}.');
	const { data, error } = kindOf(message).safeParse(message);
	if (data) return data;
	return addIssues(context, error);
});

/** The whole body of SendMessage. */
export const documentedMessageSchema = z
	.strictObject({ recipient: recipientSchema, message: messageSchema })
	.transform(({ recipient, message }) => ({ recipient, ...message }));
