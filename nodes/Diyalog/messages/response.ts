import { parseExactJson } from '../lib/exactJson';
import { lazily, z } from '../lib/zod';

const exactId = lazily(() => z.union([z.string().min(1), z.number().int()]).transform(String));

const responseSchema = lazily(() =>
	z
		.object({ recipient_id: exactId(), message_id: exactId() })
		.transform(({ recipient_id, message_id }) => ({
			userId: recipient_id,
			diyalogMessageId: message_id,
		})),
);

/** Diyalog's response to an accepted message; both ids are 64-bit integers as text. */
export type MessageResponse = z.output<ReturnType<typeof responseSchema>>;

/**
 * Reads Diyalog's response to an accepted message.
 *
 * @param text the body of a 2xx response; 64-bit ids would lose digits if it were parsed as ordinary JSON
 * @returns the ids, or undefined when the text is not such a response
 */
export function parseMessageResponse(text: string): MessageResponse | undefined {
	try {
		return responseSchema().safeParse(parseExactJson(text)).data;
	} catch {
		return undefined;
	}
}
