import type { OpenBook } from '../memory/markBook';
import { gapAfter, placesOf } from '../memory/marks';
import type { Mark, RateLimit } from '../memory/marks';
import type { CodeKeys } from './keys';

/** How often codes may be sent to one customer. */
export interface SendLimits {
	sends: RateLimit;
	/** how long after the first code the next may follow; it doubles with each; 0 for no gap */
	firstGapSeconds: number;
}

/** Whether a code may be sent to a customer now. */
export type SendPermit = { granted: true; giveBack: () => Promise<void> } | { granted: false };

/**
 * Asks for sending a code to a customer; it counts as sent unless it is given back.
 *
 * @param customer the customer's keyed fingerprint
 * @throws what the store throws
 */
export async function permitSend(
	keys: CodeKeys,
	{ book, store }: OpenBook,
	customer: Buffer,
	{ sends, firstGapSeconds }: SendLimits,
	nowMs: number,
): Promise<SendPermit> {
	if (sends.count === 0) return { granted: true, giveBack: async () => undefined };
	const who = customer.toString('base64url');
	const places = placesOf(keys.mark, 'send', who, sends, nowMs);
	const gapAt = (sent: number) => gapAfter(keys.mark, 'gap', who, firstGapSeconds, sent, nowMs);
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
