import type { z } from 'zod';
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
export const unknownRecipient = () => new Refusal(500, 'Not delivered due to recepient not found.');
export const malformed = (detail: string) =>
	new Refusal(400, `The request content was malformed: ${detail}`);
export const fileTooLarge = () => new Refusal(400, 'Exceeded max file size of 5MB');
export const fileNotValid = () => new Refusal(400, 'File data bytes not valid');
export const fileEmpty = () => new Refusal(400, 'File data bytes is empty');
export const fileNoImage = () =>
	new Refusal(400, 'File as photo cannot be parsed due to it is not a image file.');

/** The body of a request to Diyalog's API. Throws a Refusal that never quotes it. */
export function parseBody<Schema extends z.ZodTypeAny>(
	schema: Schema,
	contentType: string | undefined,
	rawBody: unknown,
): z.output<Schema> {
	if (!isJsonType(contentType)) throw malformed('Content-Type must be application/json.');
	const result = schema.safeParse(parseJson(rawBody));
	if (!result.success) throw malformed(describeIssues(result.error));
	const data: z.output<Schema> = result.data;
	return data;
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
