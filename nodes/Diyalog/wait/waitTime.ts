const MS_PER_UNIT: Readonly<Record<WaitUnit, number>> = {
	seconds: 1_000,
	minutes: 60_000,
	hours: 3_600_000,
	days: 86_400_000,
};

export type WaitUnit = 'seconds' | 'minutes' | 'hours' | 'days';

/** How long to wait, in the words of n8n's own waiting nodes. */
export type WaitLimit =
	| { limitType: 'afterTimeInterval'; resumeAmount: number; resumeUnit: WaitUnit }
	| { limitType: 'atSpecifiedTime'; maxDateAndTime: string };

/** An approval that nobody gives within minutes is not one any more. */
export const DEFAULT_WAIT: WaitLimit = {
	limitType: 'afterTimeInterval',
	resumeAmount: 5,
	resumeUnit: 'minutes',
};

/** Longer than Diyalog gathers events; who waits for an SMS waits no longer. */
export const DEFAULT_DELIVERY_WAIT: WaitLimit = {
	limitType: 'afterTimeInterval',
	resumeAmount: 30,
	resumeUnit: 'seconds',
};

const MAX_WAIT_MS = 366 * MS_PER_UNIT.days;

/**
 * When the wait ends.
 *
 * @param toDate reads a point in time as the workflow's time zone understands it; an invalid Date when it is none
 * @returns undefined when that is not after now, or more than a year away
 */
export function deadlineOf(
	limit: WaitLimit,
	now: Date,
	toDate: (text: string) => Date,
): Date | undefined {
	const deadline =
		limit.limitType === 'afterTimeInterval'
			? new Date(now.getTime() + limit.resumeAmount * MS_PER_UNIT[limit.resumeUnit])
			: toDate(limit.maxDateAndTime);
	const waitMs = deadline.getTime() - now.getTime();
	return waitMs > 0 && waitMs <= MAX_WAIT_MS ? deadline : undefined;
}
