import { lazily, z } from '../lib/zod';

/** An accepted response has about 80 characters; this leaves room for a long refusal, and none for a flood. */
export const MAX_RESPONSE_BYTES = 65_536;

/** A body as n8n's request helper streams it; only what is needed of a Node stream. */
interface BodyStream extends AsyncIterable<unknown> {
	destroy(error?: Error): void;
}

const isBodyStream = (value: unknown): value is BodyStream =>
	typeof value === 'object' &&
	value !== null &&
	Symbol.asyncIterator in value &&
	'destroy' in value &&
	typeof value.destroy === 'function';

const streamSchema = lazily(() => z.custom<BodyStream>(isBodyStream));

/** The response could not be read to its end. The code is one that the network's errors have as well. */
class ResponseError extends Error {
	override readonly name = 'ResponseError';

	readonly code = 'ECONNABORTED';

	constructor() {
		super('The response was not read to its end');
	}
}

/**
 * Reads a streamed response as UTF-8 text. n8n's own reading has no limit in size, and its timeout ends with the headers
 * of a response that is streamed, so both are kept here.
 *
 * @param body the body of the full response
 * @param deadline fires when the whole response should have been there
 * @returns the text; no more than the first {@link MAX_RESPONSE_BYTES} bytes of it
 * @throws ResponseError, or the stream's own error, when the response breaks off or takes too long
 */
export async function readResponseBody(body: unknown, deadline: AbortSignal): Promise<string> {
	const stream = streamSchema().parse(body);
	const chunks: Buffer[] = [];
	let size = 0;
	const read = async (): Promise<void> => {
		for await (const chunk of stream) {
			const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
			chunks.push(bytes);
			size += bytes.length;
			// Leaving the loop ends the stream, and with it the connection.
			if (size >= MAX_RESPONSE_BYTES) return;
		}
	};
	await beforeDeadline(read(), deadline, () => stream.destroy());
	return Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES).toString('utf8');
}

/** Waits for the work until the deadline; a stream that is waiting for data cannot be interrupted, only left behind. */
async function beforeDeadline(
	work: Promise<void>,
	deadline: AbortSignal,
	abandon: () => void,
): Promise<void> {
	let stopWaiting = () => {};
	const tooLate = new Promise<never>((_resolve, reject) => {
		stopWaiting = () => {
			abandon();
			reject(new ResponseError());
		};
	});
	if (deadline.aborted) stopWaiting();
	deadline.addEventListener('abort', stopWaiting, { once: true });
	try {
		await Promise.race([work, tooLate]);
	} finally {
		deadline.removeEventListener('abort', stopWaiting);
		// What the abandoned stream says later concerns nobody.
		work.catch(() => undefined);
	}
}
