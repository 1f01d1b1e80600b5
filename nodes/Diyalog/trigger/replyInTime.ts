import type { IWebhookFunctions } from 'n8n-workflow';

/** Diyalog shall have its reply within 5 seconds; this leaves 1.5 for the way and for a busy n8n. */
const REPLY_WITHIN_MS = 3_500;

/** What Diyalog reads when something in a call is stored nowhere yet. */
export const NOT_TAKEN_YET = 'Not all of the call was taken yet. Repeat it.';

/** The reply to a call that was found to come from Diyalog. */
export interface ReplyInTime {
	/** n8n must not reply any more */
	isSent(): boolean;
	/** n8n has replied, or would have, if Diyalog had not got its reply before */
	isOver(): boolean;
	/** resolves when it is over, with whether n8n has stored what the call starts */
	whenOver: Promise<boolean>;
	/** the call starts nothing, and Diyalog has its reply: n8n says nothing more */
	end(): void;
	/** replies at once, whatever n8n says later; unless Diyalog has its reply */
	send(status: ReplyStatus, text: string): void;
}

/** Taken, or to be repeated. */
export type ReplyStatus = 200 | 503;

/**
 * Sees to it that Diyalog gets its reply in time. n8n replies when it has stored what the call starts; that can take
 * minutes where it holds executions back, and so can passing on answers to waiting executions. Then Diyalog gets its reply
 * before, and the work goes on.
 *
 * @param whenNotStored is called when n8n fails to store the execution, whether Diyalog is told or not
 * @param early what is said then: that the call was taken, or shall be repeated; undefined when nothing is, and n8n's reply is awaited
 */
export function replyInTime(
	context: IWebhookFunctions,
	whenNotStored: () => void,
	early: () => ReplyStatus | undefined,
): ReplyInTime {
	const response = context.getResponseObject();
	let isSent = false;
	let isOver = false;
	let tellOver: (isStored: boolean) => void;
	const whenOver = new Promise<boolean>((resolve) => {
		tellOver = resolve;
	});

	const end = () => {
		isOver = true;
		const isStored = response.statusCode < 400;
		if (!isStored) whenNotStored();
		tellOver(isStored);
	};
	/** n8n replies all the same, later; what it says tells whether it has stored what the call starts. */
	const silenceN8n = () => {
		response.setHeader = () => response;
		response.send = () => {
			end();
			return response;
		};
		response.json = response.send;
	};
	const timer = AbortSignal.timeout(REPLY_WITHIN_MS);
	const send = (status: ReplyStatus, text: string) => {
		if (response.headersSent || response.closed) return;
		isSent = true;
		response.off('finish', end);
		response.status(status).type('text/plain').send(text);
		// From here on it tells what n8n says.
		response.status(200);
		silenceN8n();
	};
	const replyFirst = () => {
		const status = early();
		if (status !== undefined) send(status, status === 200 ? 'OK' : NOT_TAKEN_YET);
	};
	// Diyalog may have hung up while it was authenticated, and nothing says so any more.
	if (response.closed) silenceN8n();
	timer.addEventListener('abort', replyFirst, { once: true });
	response.once('finish', end);
	response.once('close', () => {
		timer.removeEventListener('abort', replyFirst);
		if (isSent || isOver) return;
		// Diyalog has hung up, in the middle of the reply or before it.
		if (response.headersSent) end();
		else silenceN8n();
	});
	return { isSent: () => isSent, isOver: () => isOver, whenOver, end, send };
}
