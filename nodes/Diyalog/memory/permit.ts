import type { KeyObject } from 'node:crypto';
import type { OpenBook } from './markBook';
import { gapAfter, placesOf } from './marks';
import type { Mark, RateLimit } from './marks';

/** How often something may be sent to one person. */
export interface SendLimits {
	sends: RateLimit;
	/** how long after the first the next may follow; it doubles with each; 0 for no gap */
	firstGapSeconds: number;
}

/** Whether it may be sent to a person now. */
export type SendPermit = { granted: true; giveBack: () => Promise<void> } | { granted: false };

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
		return { granted: false };
	}
	const keep = [...place.keep, ...(gapNow ? gapAt(placeIndex + 1).keep : [])];
	await book.write(store, keep);
	return {
		granted: true,
		giveBack: async () => void (await book.write(store, [], [...taken, ...keep])),
	};
}
