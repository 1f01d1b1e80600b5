import type { DiyalogButton } from './buttons';
import type { Card } from './carousel';
import type { DiyalogDocument } from './document';
import type { QuickReply } from './quickReplies';
import type { DiyalogRecipient } from './recipient';
import { parseMessageResponse } from './response';

/*
 * The body of Diyalog's SendMessage request, its fields in the order of the documented examples.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

/** What a tap on a message makes the company's app do. */
export interface AppTrigger {
	command: string;
	data: string;
}

/** What a message holds: one kind of those that Diyalog takes. */
export type MessageContent =
	| { text: string; quickReplies?: readonly QuickReply[] }
	| { text: string; buttons: readonly DiyalogButton[]; templateMessageId?: string }
	| { cards: readonly Card[] }
	| { document: DiyalogDocument }
	| { text: string; trigger: AppTrigger };

/** Has to be in every message, empty or not. */
const NO_QUICK_REPLIES = { quickReplies: [], quickRepliesV2: [] };

const template = (payload: object) => ({ attachment: { type: 'template', payload } });

function messageOf(content: MessageContent, messageId: string): object {
	if ('cards' in content) {
		const elements = content.cards.map(({ buttons, ...card }) => ({
			...card,
			buttons: [],
			buttonsV2: buttons,
		}));
		const payload = { templateType: 'generic', elements, buttons: [], buttonsV2: [] };
		return { messageId, ...template(payload), ...NO_QUICK_REPLIES };
	}
	if ('document' in content) return { messageId, document: content.document, ...NO_QUICK_REPLIES };
	const { text } = content;
	if ('trigger' in content)
		return { text, messageId, trigger: content.trigger, ...NO_QUICK_REPLIES };
	if ('buttons' in content) {
		const payload = {
			templateType: 'button',
			text,
			messageId: content.templateMessageId ?? messageId,
			buttons: [],
			buttonsV2: content.buttons,
			elements: [],
		};
		return { messageId, ...template(payload), ...NO_QUICK_REPLIES };
	}
	return { messageId, text, quickReplies: [], quickRepliesV2: content.quickReplies ?? [] };
}

/** The JSON body of `POST /v1/bots/sendmessage/<token>`. */
export const toMessageBody = (
	recipient: DiyalogRecipient,
	content: MessageContent,
	messageId: string,
) => ({ recipient, message: messageOf(content, messageId) });

/** The request that sends a message. */
export const messageRequest = (
	recipient: DiyalogRecipient,
	content: MessageContent,
	messageId: string,
) => ({
	path: '/v1/bots/sendmessage',
	body: toMessageBody(recipient, content, messageId),
	parse: parseMessageResponse,
});

/** The request that sends a text. */
export const textRequest = (recipient: DiyalogRecipient, messageId: string, text: string) =>
	messageRequest(recipient, { text }, messageId);
