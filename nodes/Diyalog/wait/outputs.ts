import type { Decision } from './decide';

/** The response type of a question that says nothing else. */
export const DEFAULT_RESPONSE_TYPE = 'approval';

const NO_ANSWER = 'No Answer';

/** The outputs of a question, by response type: what was hoped for, nobody in time, the contrary. */
export const QUESTION_OUTPUTS = {
	approval: ['Approved', NO_ANSWER, 'Declined'],
	choice: ['Answered', NO_ANSWER],
	code: ['Right Code', NO_ANSWER, 'Too Many Attempts'],
	freeText: ['Answered', NO_ANSWER],
} as const;

const OUTPUTS: Readonly<Record<Decision, number>> = {
	approved: 0,
	codeMatched: 0,
	chosen: 0,
	answered: 0,
	expired: 1,
	declined: 2,
	tooManyAttempts: 2,
};

/** The output through which a decision leaves. */
export const outputOf = (decision: Decision): number => OUTPUTS[decision];
