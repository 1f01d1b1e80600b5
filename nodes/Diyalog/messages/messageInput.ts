import { shownText } from '../codes/placeholders';
import { addProblem } from '../input/problem';
import type { Entered } from '../input/shown';
import { filledObject } from '../input/json';
import { messageIdText, optionalText, requiredText } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import {
	buttonsFromData,
	buttonsSchema,
	MAX_BUTTONS,
	questionButtonsSchema,
	requireButtons,
	requireDistinct,
} from './buttons';
import { cardsFromData, cardsSchema, requireCards, requireDistinctCards } from './carousel';
import { documentedMessageSchema } from './documentedMessage';
import { documentSchema } from './document';
import type { MediaFile } from './document';
import {
	quickRepliesFromData,
	quickRepliesSchema,
	requireQuickReplies,
	toQuickReply,
} from './quickReplies';
import { recipientSchema } from './recipient';
import type { DiyalogRecipient } from './recipient';
import type { MessageContent } from './sendMessage';

/* What was entered for a message of SendMessage, checked before anything is sent. */

/** A checked message; one without an id gets a new one. */
export interface MessageInput {
	recipient: DiyalogRecipient;
	content: MessageContent;
	messageId: string | undefined;
}

const messageText = lazily(() =>
	requiredText('Enter the text that the person reads.').transform(shownText),
);

const optionsSchema = lazily(() => z.object({ messageId: messageIdText() }).prefault({}));

/** A message with the recipient and the id that the fields of every operation hold. */
const withRecipient = (content: z.ZodType<MessageContent>) =>
	z
		.intersection(recipientSchema(), z.object({ options: optionsSchema() }))
		.and(content.transform((made) => ({ content: made })))
		.transform(
			({ recipient, options: { messageId }, content: made }): MessageInput => ({
				recipient,
				content: made,
				messageId,
			}),
		);

const pressableText = lazily(() =>
	z
		.discriminatedUnion('below', [
			z.object({ below: z.literal('nothing'), message: messageText() }),
			z.object({
				below: z.literal('buttons'),
				message: messageText(),
				buttons: buttonsSchema(),
				buttonsJson: buttonsFromData(),
			}),
			z.object({
				below: z.literal('quickReplies'),
				message: messageText(),
				quickReplies: quickRepliesSchema(),
				quickRepliesJson: quickRepliesFromData(),
			}),
		])
		.transform((entered, context): MessageContent => {
			const { message: text } = entered;
			if (entered.below === 'nothing') return { text };
			if (entered.below === 'quickReplies') {
				const replies = entered.quickRepliesJson ?? entered.quickReplies;
				requireQuickReplies(replies, context, 'quickReplies');
				return { text, quickReplies: requireDistinct(replies, context, 'quickReplies') };
			}
			return { text, buttons: requireButtons(entered.buttonsJson ?? entered.buttons, context) };
		}),
);

const fromFields = lazily(() => withRecipient(pressableText()));

const fromJson = lazily(() =>
	z
		.object({
			messageJson: filledObject().pipe(documentedMessageSchema()),
			options: optionsSchema(),
		})
		.transform(({ messageJson, options }, context): MessageInput => {
			const { messageId, content } = messageJson;
			if (messageId !== undefined && ![undefined, messageId].includes(options.messageId)) {
				return addProblem(
					context,
					'has a messageId, and so has Message ID under Options',
					'Give one of them.',
					'messageJson',
				);
			}
			const inside = 'buttons' in content ? content.templateMessageId : undefined;
			return { ...messageJson, messageId: messageId ?? options.messageId ?? inside };
		}),
);

/** What was entered for a message: a text with what can be pressed, or the whole as JSON. */
export const sendSchema = ({ specifyMessage }: Entered): z.ZodType<MessageInput> =>
	specifyMessage === 'json' ? fromJson() : fromFields();

/** What was entered for a question, with the buttons that it needs. More than a phone shows become quick replies. */
export const questionSchema = lazily(() =>
	withRecipient(
		z
			.object({ message: messageText(), buttons: questionButtonsSchema() })
			.transform(({ message: text, buttons }): MessageContent => {
				if (buttons.length === 0) return { text };
				if (buttons.length <= MAX_BUTTONS) return { text, buttons };
				return {
					text,
					quickReplies: buttons.map(toQuickReply),
				};
			}),
	),
);

/** What was entered for a carousel. */
export const carouselSchema = lazily(() =>
	withRecipient(
		z
			.object({ cards: cardsSchema(), cardsJson: cardsFromData(), options: optionsSchema() })
			.transform(({ cards, cardsJson, options: { messageId } }, context): MessageContent => {
				const all = cardsJson ?? cards;
				requireCards(all, context, 'cards');
				return { cards: requireDistinctCards(all, messageId, context, 'cards') };
			}),
	),
);

/**
 * What was entered for a document.
 *
 * @param file that is sent
 */
export const documentMessageSchema = (file: MediaFile) =>
	withRecipient(documentSchema(file).transform((document): MessageContent => ({ document })));

/** Data that an expression gives as an object becomes JSON: an app reads a text. */
const triggerData = lazily(() =>
	z
		.preprocess(
			(entered) =>
				typeof entered === 'object' && entered !== null ? JSON.stringify(entered) : entered,
			optionalText(),
		)
		.transform((text) => text ?? ''),
);

/** What was entered for an app trigger. */
export const appTriggerSchema = lazily(() =>
	withRecipient(
		z
			.object({
				message: messageText(),
				command: requiredText('Enter the command that your app understands.'),
				data: triggerData(),
			})
			.transform(
				({ message: text, command, data }): MessageContent => ({
					text,
					trigger: { command, data },
				}),
			),
	),
);
