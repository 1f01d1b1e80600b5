import { z } from 'zod';

/** RFC 3986: a scheme, and none of the characters that have to be percent-encoded. */
function isUri(text: string): boolean {
	return /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]+$/i.test(text) && URL.canParse(text);
}

/** An entry of buttonsV2: the same in SendOTP and in the templates of SendMessage. */
export const buttonSchema = z
	.object({
		type: z.enum(['postback', 'web_url']),
		title: z.string(),
		payload: z.string(),
		payloadHidden: z.boolean().optional(),
		payloadSeenByUser: z.string().optional(),
	})
	.refine((button) => button.type === 'postback' || isUri(button.payload), {
		path: ['payload'],
		message: 'must be a valid URI for a web_url button',
	});

export type Button = z.infer<typeof buttonSchema>;
