import { knownNames, listFromData, listOf, pressableFromData } from '../input/json';
import { addProblem, decided } from '../input/problem';
import { lazily, z } from '../lib/zod';
import { asEntered, optionalShownText, optionalUrl, payloadText, titleText } from './buttons';
import type { DiyalogButton } from './buttons';

/*
 * Quick replies: choices above the text field, which vanish after a tap.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-quickreplies
 */

export const MAX_QUICK_REPLIES = 11;

/** One quick reply as Diyalog takes it, its fields in the documented order. */
const quickReplyShape = lazily(() =>
	z.object({
		contentType: z.literal('text').default('text'),
		title: titleText(),
		payload: payloadText(),
		payloadHidden: z.boolean().optional(),
		payloadSeenByUser: optionalShownText(),
		imageUrl: optionalUrl(),
	}),
);

const quickReplySchema = lazily(() => decided('payloadHidden').pipe(quickReplyShape()));

/** A quick reply under the documented names, and no others: a misspelled payloadHidden would send an unsigned one. */
export const documentedQuickReply = lazily(() =>
	z
		.unknown()
		.transform((entered, context): unknown =>
			knownNames(entered, context, Object.keys(quickReplyShape().shape)),
		)
		.pipe(quickReplySchema()),
);

/** A quick reply as Diyalog takes it. */
export interface QuickReply {
	contentType: 'text';
	title: string;
	payload: string;
	payloadHidden?: boolean;
	payloadSeenByUser?: string;
	imageUrl?: string;
}

/** A quick reply that does what a button would. */
export const toQuickReply = (button: DiyalogButton): QuickReply => ({
	contentType: 'text',
	title: button.title,
	payload: button.payload,
	...(button.type === 'postback' && {
		payloadHidden: button.payloadHidden,
		payloadSeenByUser: button.payloadSeenByUser,
	}),
});

/**
 * Refuses none, and more than Diyalog takes.
 *
 * @param path of the field within what is checked
 */
export function requireQuickReplies(
	replies: readonly QuickReply[],
	context: z.RefinementCtx,
	...path: string[]
): readonly QuickReply[] {
	if (replies.length > 0 && replies.length <= MAX_QUICK_REPLIES) return replies;
	return addProblem(
		context,
		`has ${replies.length} quick replies`,
		`Give 1 to ${MAX_QUICK_REPLIES} of them: Diyalog takes no more.`,
		...path,
	);
}

/** What the editor's field for quick replies holds. */
export const quickRepliesSchema = lazily(() =>
	z
		.object({ quickReply: listOf(quickReplySchema()).default([]) })
		.prefault({})
		.transform(({ quickReply }) => quickReply.map(asEntered)),
);

const QUICK_REPLY_NAMES = ['contentType', 'payloadHidden', 'payloadSeenByUser', 'imageUrl'];

/** Quick replies that data gives: texts, or objects. */
export const quickRepliesFromData = lazily(() =>
	listFromData(
		z
			.unknown()
			.transform((entry, context): unknown => {
				const reply = pressableFromData(entry, context, QUICK_REPLY_NAMES);
				if (reply?.type !== 'web_url') return reply;
				return addProblem(
					context,
					'has an address',
					'A quick reply opens no web page: use buttons for that.',
				);
			})
			.pipe(quickReplySchema()),
	),
);
