/** The option of a question that limits how long it waits, for `options`. */
export const endsWithin = (
	resumeAmount: number,
	resumeUnit: 'seconds' | 'minutes' | 'hours' | 'days',
) => ({
	limitWaitTime: { values: { limitType: 'afterTimeInterval', resumeAmount, resumeUnit } },
});
