import type { Reason } from '../codes/checks';
import type { Expectation, RefusalReason } from '../wait/decide';
import type { AuditRecord, CheckName, Held } from './record';

/*
 * Which checks were made follows from the reason: they decide in a fixed order, so those before the one that failed held, and
 * nothing is said of those behind it.
 */

type Steps<R extends string> = ReadonlyArray<readonly [check: CheckName, failsWith: R]>;

function upTo<R extends string>(
	steps: Steps<R>,
	reason: R | undefined,
): Partial<Record<CheckName, Held>> {
	const at = steps.findIndex(([, failsWith]) => failsWith === reason);
	const made = at < 0 ? steps : steps.slice(0, at + 1);
	return Object.fromEntries(
		made.map(([check], index): [CheckName, Held] => [check, index === at ? 'failed' : 'held']),
	);
}

/** In the order of codes/checks.ts. */
const OF_CODE: Steps<Reason> = [
	['challenge', 'malformed'],
	['person', 'otherCustomer'],
	['transaction', 'otherTransaction'],
	['deadline', 'expired'],
	['attempts', 'tooManyAttempts'],
	['code', 'wrongCode'],
	['unused', 'used'],
];

export const checksOfCode = (reason: Reason): AuditRecord['checks'] => upTo(OF_CODE, reason);

/** Why an answer is no yes. None comes after the attempts are used up, since the question ends then; the check is made all the same. */
type AnswerFault = RefusalReason | 'tooManyAttempts';

/** In the order of wait/decide.ts. That a trigger with the same App Secret has authenticated the call stands before them all. */
const OF_ANY_ANSWER: Steps<AnswerFault> = [
	['message', 'earlierTurn'],
	['person', 'otherPerson'],
	['deadline', 'expired'],
	['kind', 'otherKind'],
];
const OF_PAYLOAD: Steps<AnswerFault> = [['payload', 'notIssued']];
const OF_TYPED_CODE: Steps<AnswerFault> = [
	['attempts', 'tooManyAttempts'],
	['code', 'wrongCode'],
];
const OF_SEVERAL: Steps<AnswerFault> = [
	['firstAnswer', 'alreadyAnswered'],
	['length', 'tooLong'],
];

/** The device's signature is checked where the payload is, before it. */
const NOT_REACHED: AnswerFault = 'notSigned';

/**
 * The checks of an answer that came through a trigger.
 *
 * @param fault undefined when there is none
 */
export function checksOfAnswer(
	{ kind }: Pick<Expectation, 'kind'>,
	isForSeveral: boolean,
	fault?: AnswerFault,
): Partial<Record<CheckName, Held>> {
	const steps: Steps<AnswerFault> = [
		...OF_ANY_ANSWER,
		...(kind === 'button' && fault !== NOT_REACHED ? OF_PAYLOAD : []),
		...(kind === 'code' ? OF_TYPED_CODE : []),
		...(isForSeveral && fault !== NOT_REACHED ? OF_SEVERAL : []),
	];
	return { call: 'held', ...upTo(steps, fault) };
}

/** A link says nothing of who has opened it. n8n has checked its signature. */
export const CHECKS_OF_LINK: Partial<Record<CheckName, Held>> = {
	call: 'held',
	message: 'held',
	deadline: 'held',
	payload: 'held',
};
