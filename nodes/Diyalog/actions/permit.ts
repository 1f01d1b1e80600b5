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
 * @throws NodeOperationError when the person has got enough for now
 */
export type Permit = (sentAt: Date) => Promise<() => Promise<void>>;

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
		throw invalidInputError(context.getNode(), problem, itemIndex);
	};
