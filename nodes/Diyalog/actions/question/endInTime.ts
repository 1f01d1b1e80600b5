import { sleep } from 'n8n-workflow';
import type { IExecuteFunctions } from 'n8n-workflow';
import { postEnd } from '../../trigger/selfCall';
import { endsAtMs } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import { TURN_PARAMETER } from '../../wait/resumeReference';

/*
 * n8n looks once a minute for waits that end within the next 70 seconds (2.41: wait-tracker.js, getWaitingExecutions). A
 * shorter one may be over by then, and ends up to a minute late. So the process that asked ends it in time, by a call of the
 * resume address. The execution waits all the while, so that any process can take its receipt or answer. When the call does
 * not get through, or n8n was restarted meanwhile, n8n ends the wait when it looks.
 */

/** Before the end of longer waits n8n looks for sure. */
const SHORT_MS = 65_000;

/** Timers may be early by a millisecond. */
const MARGIN_MS = 10;

/** An execution that has not begun to wait, and a process whose clock is behind, are asked again. */
const TRIES = 4;
const FIRST_PAUSE_MS = 500;

const TIME_IS_UP = JSON.stringify({ timeIsUp: true });

/** Whether a call of the resume address says that the time is up. It needs no proof: it ends only what is over. */
export const saysTimeIsUp = (body: unknown): boolean =>
	typeof body === 'object' && body !== null && 'timeIsUp' in body;

/** The turns of the short waits that this process is to end. */
const toEnd = new Set<string>();

/** An answer was taken in this process, so that a wait need not be ended. */
export const hasEnded = ({ turn }: Wait): void => void toEnd.delete(turn);

async function end(context: IExecuteFunctions, turn: string, url: string): Promise<void> {
	for (let tried = 0; tried < TRIES && toEnd.has(turn); tried++) {
		if (tried > 0) await sleep(FIRST_PAUSE_MS * 2 ** (tried - 1));
		const found = await postEnd(context, url, TIME_IS_UP);
		if (found === 'running' || found === 'unsure') continue;
		if (found.resumed || found.notResumedReason !== 'notOver') toEnd.delete(turn);
		if (found.resumed || !found.isLost) continue;
		context.logger.warn(
			`Diyalog: execution ${context.getExecutionId()} was not continued in time, because n8n could not reach itself. n8n continues it within a minute.`,
		);
	}
	toEnd.delete(turn);
}

/** Sees to it that a short wait ends in time. It holds up neither the execution nor an n8n that stops. */
export function endInTime(context: IExecuteFunctions, wait: Wait): void {
	const waitMs = endsAtMs(wait) - Date.now();
	if (waitMs > SHORT_MS) return;
	const { turn } = wait;
	const url = context.getSignedResumeUrl({ [TURN_PARAMETER]: turn });
	toEnd.add(turn);
	const timer = AbortSignal.timeout(Math.max(0, Math.ceil(waitMs)) + MARGIN_MS);
	timer.addEventListener('abort', () => void end(context, turn, url), { once: true });
}
