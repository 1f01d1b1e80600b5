/**
 * How far Diyalog's clock and ours may be apart. The same that Diyalog's own HMAC-authenticated APIs accept.
 * Source: https://diyalog-im.github.io/docs/diyalog-api-authentication
 */
export const DEFAULT_FRESHNESS_MINUTES = 15;

const MS_PER_MINUTE = 60_000;

/**
 * Whether an entry was sent recently enough to be taken. A recorded call keeps its valid signature for ever; its age is
 * what gives a replay away. An entry from the future is refused as well, or it could be replayed until then.
 *
 * @param toleranceMinutes 0 or less takes entries of any age
 */
export function isFresh(
	{ sentAtMs }: { sentAtMs: number },
	now: Date,
	toleranceMinutes: number,
): boolean {
	if (toleranceMinutes <= 0) return true;
	return Math.abs(now.getTime() - sentAtMs) <= toleranceMinutes * MS_PER_MINUTE;
}
