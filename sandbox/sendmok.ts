import { z } from 'zod';
import { describeIssues } from './config';

/** A refusal in Diyalog's documented words. The bodies are plain text. */
export class Refusal extends Error {
	constructor(
		readonly status: number,
		text: string,
	) {
		super(text);
	}
}

export const wrongToken = () => new Refusal(503, 'You may be using wrong token.');
export const botNotAlive = () => new Refusal(500, 'Sender bot is not alive.');
// "recepient" is Diyalog's own spelling, which callers have to recognise.
export const unknownCustomer = () => new Refusal(500, 'Not delivered due to recepient not found.');
export const malformed = (detail: string) =>
	new Refusal(400, `The request content was malformed: ${detail}`);

/** RFC 3986: a scheme, and none of the characters that have to be percent-encoded. */
function isUri(text: string): boolean {
	return /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]+$/i.test(text) && URL.canParse(text);
}

const buttonSchema = z
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

// Unknown fields are dropped, not refused: the documentation does not forbid them, and Diyalog's
// other message types share this body with fields of their own.
const otpSchema = z.object({
	customerNo: z.string(),
	messageId: z.string(),
	mokMessage: z.string(),
	mokValue: z.string().optional(),
	imageUrl: z.string().optional(),
	txCode: z.string().optional(),
	deviceId: z.string().optional(),
	buttonsV2: z.array(buttonSchema).optional(),
});

export type Otp = z.infer<typeof otpSchema>;
export type OtpButton = z.infer<typeof buttonSchema>;

export function parseOtp(contentType: string | undefined, rawBody: unknown): Otp {
	if (!isJsonType(contentType)) throw malformed('Content-Type must be application/json.');
	const result = otpSchema.safeParse(parseJson(rawBody));
	if (!result.success) throw malformed(describeIssues(result.error));
	return result.data;
}

export function isJsonType(contentType: string | undefined): boolean {
	return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

export function parseJson(rawBody: unknown): unknown {
	if (!Buffer.isBuffer(rawBody)) throw malformed('there is no body.');
	try {
		const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody));
		return json;
	} catch {
		// The parser's own message quotes the body, which holds a one-time password.
		throw malformed('the body is not JSON in UTF-8.');
	}
}
