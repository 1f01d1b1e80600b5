import type { KeyObject } from 'node:crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import type { InputProblem } from '../input/problem';
import { nodeBook } from '../memory/books';
import { permitSend } from '../memory/permit';
import type { SendLimits } from '../memory/permit';
import { invalidInputError } from './errors';

/**
 * Counts a message against limits.
 *
 * @returns takes it back, for a message that was certainly not sent
 * @throws NodeOperationError when the person has got enough for now, with `retryAfterSeconds` in its context
 */
export type Permit = (sentAt: Date) => Promise<() => Promise<void>>;

const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;

/** From two minutes on nobody counts seconds. */
const MOST_SECONDS_IN_WORDS = 120;

function inWords(seconds: number): string {
	if (seconds === 1) return '1 second';
	if (seconds <= MOST_SECONDS_IN_WORDS) return `${seconds} seconds`;
	return `${Math.ceil(seconds / SECONDS_PER_MINUTE)} minutes`;
}

/**
 * What counts a message to one person against limits of this node.
 *
 * @param key names what is remembered; one for each kind of thing that is sent
 * @param who tells the person from others
 * @param problem what the error says when the person has got enough
 */
export const permitOf =
	(
		context: IExecuteFunctions,
		key: KeyObject,
		who: string,
		limits: SendLimits,
		itemIndex: number,
		problem: InputProblem,
	): Permit =>
	async (sentAt) => {
		const permit = await permitSend(key, nodeBook(context), who, limits, sentAt.getTime());
		if (permit.granted) return permit.giveBack;
		const seconds = Math.max(1, Math.ceil((permit.nextAtMs - sentAt.getTime()) / MS_PER_SECOND));
		const error = invalidInputError(
			context.getNode(),
			{ ...problem, problem: `${problem.problem}: the next is possible in ${inWords(seconds)}` },
			itemIndex,
		);
		error.context.retryAfterSeconds = seconds;
		throw error;
	};
