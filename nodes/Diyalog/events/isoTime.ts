const MS_PER_MINUTE = 60_000;

/** `SS.mmmZ`, the part of an ISO time that changes within a minute. */
const WITHIN_MINUTE_CHARACTERS = 7;

const startOf = (minute: number): string =>
	new Date(minute * MS_PER_MINUTE).toISOString().slice(0, -WITHIN_MINUTE_CHARACTERS);

/** Writing a date costs as much as checking a whole entry, and the times of a batch lie close together. */
let last = { minute: 0, text: startOf(0) };

/**
 * An epoch time in ISO 8601, the same as `new Date(epochMs).toISOString()`.
 *
 * @param epochMs whole milliseconds that a Date can hold
 */
export function isoTime(epochMs: number): string {
	const minute = Math.floor(epochMs / MS_PER_MINUTE);
	if (minute !== last.minute) last = { minute, text: startOf(minute) };
	const rest = epochMs - minute * MS_PER_MINUTE;
	const seconds = String(Math.floor(rest / 1_000)).padStart(2, '0');
	return `${last.text}${seconds}.${String(rest % 1_000).padStart(3, '0')}Z`;
}
