import type { KeyObject } from 'node:crypto';
import type { OpenBook } from './markBook';
import { gapAfter, gapPartMs, MORE_PARTS_THAN_ANY, placesOf, windowPartMs } from './marks';
import type { Mark, Place, RateLimit } from './marks';

/** How often something may be sent to one person. */
export interface SendLimits {
	sends: RateLimit;
	/** how long after the first the next may follow; it doubles with each; 0 for no gap */
	firstGapSeconds: number;
}

/** Whether it may be sent to a person now. */
export type SendPermit =
	| { granted: true; giveBack: () => Promise<void> }
	/** at the earliest, in epoch milliseconds; later where another process of n8n has sent more */
	| { granted: false; nextAtMs: number };

/** When something is free, of which all is free again when a part of time begins. */
function freeAtMs(isFree: (whenMs: number) => boolean, partMs: number, nowMs: number): number {
	const current = Math.floor(nowMs / partMs);
	for (let part = 1; part < MORE_PARTS_THAN_ANY; part++) {
		const whenMs = (current + part) * partMs;
		if (isFree(whenMs)) return whenMs;
	}
	return nowMs;
}

/**
 * Asks for sending something to a person; it counts as sent unless it is given back.
 *
 * @param key names what is remembered; one for each kind of thing that is sent
 * @param who tells the person from others; kept as a keyed fingerprint
 * @throws what the store throws
 */
export async function permitSend(
	key: KeyObject,
	{ book, store }: OpenBook,
	who: string,
	{ sends, firstGapSeconds }: SendLimits,
	nowMs: number,
): Promise<SendPermit> {
	if (sends.count === 0) return { granted: true, giveBack: async () => undefined };
	const places = placesOf(key, 'send', who, sends, nowMs);
	const gapAt = (sent: number) => gapAfter(key, 'gap', who, firstGapSeconds, sent, nowMs);
	const gapNow = firstGapSeconds > 0 ? gapAt(1) : undefined;
	const gapRow = gapNow ? [gapNow.take] : [];
	const [placeIndex, gapIndex] = await Promise.all([
		book.takeFirst(
			store,
			places.map(({ take }) => take),
		),
		book.takeFirst(store, gapRow),
	]);
	const place = placeIndex === undefined ? undefined : places[placeIndex];
	const taken: Mark[] = [...(place?.take ?? []), ...(gapIndex === undefined ? [] : gapRow.flat())];
	if (!place || placeIndex === undefined || (gapNow && gapIndex === undefined)) {
		await book.write(store, [], taken);
		const takes = (row: readonly Place[]) => row.map(({ take }) => take);
		const hasPlace = (whenMs: number) =>
			book.seemsFree(takes(placesOf(key, 'send', who, sends, whenMs)));
		const isGapOver = (whenMs: number) =>
			book.seemsFree(takes([gapAfter(key, 'gap', who, firstGapSeconds, 1, whenMs)]));
		const placeAtMs = place ? nowMs : freeAtMs(hasPlace, windowPartMs(sends.windowMinutes), nowMs);
		const gapAtMs =
			gapNow && gapIndex === undefined
				? freeAtMs(isGapOver, gapPartMs(firstGapSeconds), nowMs)
				: nowMs;
		return { granted: false, nextAtMs: Math.max(placeAtMs, gapAtMs) };
	}
	const keep = [...place.keep, ...(gapNow ? gapAt(placeIndex + 1).keep : [])];
	await book.write(store, keep);
	return {
		granted: true,
		giveBack: async () => void (await book.write(store, [], [...taken, ...keep])),
	};
}
