import type { IWebhookFunctions } from 'n8n-workflow';
import { BoundedMap } from '../lib/boundedMap';
import { triggerIdOf } from './triggerId';

/*
 * Why calls were refused, for the log. Anybody can have a call refused, so a line is written for the first one of a kind and
 * then for none of that kind for some seconds; the next line says how many there were meanwhile.
 */

const QUIET_FOR_MS = 10_000;

/** More triggers than one n8n has by far, each with some kinds; only so that the map cannot grow for ever. */
const MAX_KINDS = 10_000;

/** The last line of a kind. */
interface LastLine {
	writtenAtMs: number;
	/** refused since then, without a line */
	unsaid: number;
}

type Level = 'warn' | 'error';

const lastLines = new BoundedMap<string, LastLine>(MAX_KINDS);

/**
 * Says something in the log, unless the like was said of this trigger some seconds ago.
 *
 * @param kind what has lines of its own, so that a flood of one kind does not hide another
 * @param line makes the line; only called when it is written, so that this may cost something
 * @param level error: people have to do something, or calls are lost
 */
export function sayRarely(
	context: Pick<IWebhookFunctions, 'getWorkflow' | 'getNode' | 'logger'>,
	kind: string,
	line: () => string,
	level: Level = 'warn',
): void {
	const id = JSON.stringify([triggerIdOf(context), kind]);
	const nowMs = performance.now();
	const last = lastLines.get(id);
	if (last && nowMs - last.writtenAtMs < QUIET_FOR_MS) {
		last.unsaid++;
		return;
	}
	lastLines.set(id, { writtenAtMs: nowMs, unsaid: 0 });
	const { unsaid = 0 } = last ?? {};
	const others = unsaid > 0 ? ` ${unsaid} more of this kind came before it, without a line.` : '';
	context.logger[level](`Diyalog Trigger${line()}${others}`);
}

/**
 * Says in the log why a call was refused, unless it was said of this trigger some seconds ago.
 *
 * @param reason finds out the reason
 */
export function sayRefused(
	context: IWebhookFunctions,
	kind: string,
	reason: () => string,
	level?: Level,
): void {
	sayRarely(context, kind, () => ` refused a call: ${reason()}`, level);
}
