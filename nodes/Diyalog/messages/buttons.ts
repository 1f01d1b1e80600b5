import { z } from 'zod/v4';
import { shownText } from '../codes/placeholders';
import { httpUrlText, optionalText, requiredText } from '../input/schemas';

/*
 * Buttons under a message; the same in every kind of message that Diyalog's bots send.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api
 */

const title = requiredText('Enter the words that stand on the button, e.g. Approve.').transform(
	shownText,
);

const postbackSchema = z.object({
	type: z.literal('postback'),
	title,
	payload: requiredText('Enter what the press sends back to you, e.g. approve.'),
	payloadHidden: z.boolean().optional(),
	payloadSeenByUser: optionalText.transform((text, context) =>
		text === undefined ? undefined : shownText(text, context),
	),
});

const webUrlSchema = z.object({
	type: z.literal('web_url'),
	title,
	payload: requiredText(
		'Enter the address that the button opens, e.g. https://www.example.com.',
	).transform(httpUrlText),
});

/** What the editor's field Buttons holds. */
export const buttonsSchema = z
	.object({
		button: z.array(z.discriminatedUnion('type', [postbackSchema, webUrlSchema])).default([]),
	})
	.prefault({})
	.transform(({ button }) => button.map(toButton));

/** One button as Diyalog takes it. */
export interface DiyalogButton {
	type: 'postback' | 'web_url';
	title: string;
	/** postback: comes back through the webhook; web_url: the address that the device opens */
	payload: string;
	/** postback only: the payload comes back signed by the company's app */
	payloadHidden?: true;
	/** shown in the chat when pressed, instead of the payload */
	payloadSeenByUser?: string;
}

function toButton(
	button: z.output<typeof postbackSchema> | z.output<typeof webUrlSchema>,
): DiyalogButton {
	if (button.type === 'web_url') return button;
	const { type, payload, payloadHidden, payloadSeenByUser } = button;
	return {
		type,
		title: button.title,
		payload,
		payloadHidden: payloadHidden || undefined,
		payloadSeenByUser,
	};
}
