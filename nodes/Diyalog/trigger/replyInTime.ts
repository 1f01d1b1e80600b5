import type { IWebhookFunctions } from 'n8n-workflow';
import { isServerError } from '../transport/failures';

/** Diyalog shall have its reply within 5 seconds; this leaves 1.5 for the way and for a busy n8n. */
const REPLY_WITHIN_MS = 3_500;

/** The reply to a call that was found to come from Diyalog. */
export interface ReplyInTime {
	/** n8n must not reply any more */
	isSent(): boolean;
	/** n8n has replied, or would have, if Diyalog had not got its reply before */
	isOver(): boolean;
}

/**
 * Sees to it that Diyalog gets its reply in time. n8n replies when it has stored what the call starts; that can take
 * minutes where it holds executions back, and so can passing on answers to waiting executions. Then Diyalog is told that
 * the call was taken, and the work goes on.
 *
 * @param whenNotStored is called when n8n fails to store the execution, whether Diyalog is told or not
 */
export function replyInTime(context: IWebhookFunctions, whenNotStored: () => void): ReplyInTime {
	const response = context.getResponseObject();
	let isSent = false;
	let isOver = false;

	const end = () => {
		isOver = true;
		if (isServerError(response.statusCode)) whenNotStored();
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
	const replyFirst = () => {
		if (response.headersSent || response.destroyed) return;
		isSent = true;
		response.off('finish', end);
		response.status(200).type('text/plain').send('OK');
		silenceN8n();
	};
	timer.addEventListener('abort', replyFirst, { once: true });
	response.once('finish', end);
	response.once('close', () => {
		timer.removeEventListener('abort', replyFirst);
		if (isSent || isOver) return;
		// Diyalog has hung up, in the middle of the reply or before it.
		if (response.headersSent) end();
		else silenceN8n();
	});
	return { isSent: () => isSent, isOver: () => isOver };
}
