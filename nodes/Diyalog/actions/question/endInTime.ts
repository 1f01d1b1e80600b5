import { sleep } from 'n8n-workflow';
import type { IExecuteFunctions } from 'n8n-workflow';
import { postEnd } from '../../trigger/selfCall';
import { endsAtMs, n8nLooksFromMs } from '../../wait/decide';
import type { Wait } from '../../wait/decide';
import { TURN_PARAMETER } from '../../wait/resumeReference';

/*
 * The process that asked ends a wait in time, by a call of the resume address: n8n is told a later time (see n8nEndsAt). The execution
 * waits all the while, so that any process can take its receipt or answer. When the call does not get through, or n8n was restarted
 * meanwhile, n8n ends the wait at that later time.
 */

/** Longer waits may end later: each of them would take up memory all the while. */
const LONGEST_MS = 15 * 60_000;

/** So many waits at most, for the same reason: 36 MB. */
const MAX_WAITS = 20_000;

/** Timers may be early by a millisecond. */
const MARGIN_MS = 10;

/** An execution that has not begun to wait, and a process whose clock is behind, are asked again. */
const TRIES = 4;
const FIRST_PAUSE_MS = 500;

/** Parameter of the resume URL that says that the time is up. n8n signs it with the rest, so only the node can say so. */
const END_PARAMETER = 'timeIsUp';

/** Whether a call of the resume address says that the time is up. */
export const saysTimeIsUp = (query: object): boolean => END_PARAMETER in query;

/** The turns of the waits that this process is to end. */
const toEnd = new Set<string>();

/** An answer was taken in this process, so that a wait need not be ended. */
export const hasEnded = ({ turn }: Wait): void => void toEnd.delete(turn);

/** What waits are ended with. Each execution brings the same, and the data of all that wait must not stay in memory. */
let latest: Pick<IExecuteFunctions, 'helpers' | 'logger'> | undefined;

async function end(executionId: string, turn: string, url: string, untilMs: number) {
	const isDue = () => toEnd.has(turn) && Date.now() <= untilMs;
	for (let tried = 0; tried < TRIES && latest && isDue(); tried++) {
		if (tried > 0) await sleep(FIRST_PAUSE_MS * 2 ** (tried - 1));
		const found = await postEnd(latest, url);
		if (found === 'running' || found === 'held' || found === 'unsure') continue;
		if (found.resumed || found.notResumedReason !== 'notOver') toEnd.delete(turn);
		if (found.resumed || !found.isLost) continue;
		latest.logger.warn(
			`Diyalog: execution ${executionId} was not continued in time, because the call of n8n's own public address failed (${found.notResumedReason}). n8n continues it within 90 seconds.`,
		);
	}
	toEnd.delete(turn);
}

/** So many at once: a thousand may end in the same second. n8n ends those for which there is no time left. */
const AT_ONCE = 20;

const due: Array<() => Promise<void>> = [];
let underWay = 0;

/** Also those of waits that have ended: a timer cannot be taken back. */
let timers = 0;

function endDue(): void {
	for (let next; underWay < AT_ONCE && (next = due.shift()); ) {
		underWay++;
		void next().finally(() => {
			underWay--;
			endDue();
		});
	}
}

/** Sees to it that a wait ends in time. It holds up neither the execution nor an n8n that stops. */
export function endInTime(context: IExecuteFunctions, wait: Wait): void {
	if (Date.parse(wait.deadline) - Date.now() > LONGEST_MS || timers >= MAX_WAITS) return;
	const { turn } = wait;
	const waitMs = endsAtMs(wait) - Date.now();
	const executionId = context.getExecutionId();
	const url = context.getSignedResumeUrl({ [TURN_PARAMETER]: turn, [END_PARAMETER]: '1' });
	latest = context;
	const untilMs = n8nLooksFromMs(wait);
	toEnd.add(turn);
	timers++;
	const timer = AbortSignal.timeout(Math.max(0, Math.ceil(waitMs)) + MARGIN_MS);
	const atEnd = (): void => {
		timers--;
		if (!toEnd.has(turn)) return;
		due.push(async () => await end(executionId, turn, url, untilMs));
		endDue();
	};
	timer.addEventListener('abort', atEnd, { once: true });
}
