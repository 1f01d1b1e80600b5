/** How a wait can end. */
export type Decision =
	| 'approved'
	| 'declined'
	| 'reported'
	| 'chosen'
	| 'answered'
	| 'codeMatched'
	| 'tooManyAttempts'
	| 'noMajority'
	| 'expired'
	| 'delivered'
	| 'notDelivered';

const OUTPUTS: Readonly<Record<Decision, number>> = {
	approved: 0,
	codeMatched: 0,
	chosen: 0,
	answered: 0,
	delivered: 0,
	expired: 1,
	notDelivered: 1,
	noMajority: 1,
	declined: 2,
	reported: 2,
	tooManyAttempts: 2,
};

/** The output through which a decision leaves: what was hoped for, nobody in time, the contrary. */
export const outputOf = (decision: Decision): number => OUTPUTS[decision];

/** How many outputs a decision can leave through at most. */
export const OUTPUT_COUNT = Math.max(...Object.values(OUTPUTS)) + 1;

/** Fails closed: only an approval and the right code approve; a choice, a text and a receipt say nothing of that kind. */
export const isApproval = (decision: Decision): boolean =>
	decision === 'approved' || decision === 'codeMatched';
