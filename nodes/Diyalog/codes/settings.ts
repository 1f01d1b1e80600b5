import { addProblem } from '../input/problem';
import { wholeNumber } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import { MAX_CODE_LENGTH, MIN_CODE_LENGTH, generateCode, normaliseCode } from './code';
import type { RandomBytes } from './code';
import { fieldsNotShown, fillPlaceholders, findUnfilled } from './placeholders';
import { transactionSchema } from './transaction';
import type { Transaction } from './transaction';

/* How the code of a message is made, and the text with the code in it. */

/** NIST SP 800-63B-4, 3.1.3 and OWASP ASVS 5.0, 6.5.5: at most 10 minutes. */
export const MAX_VALID_MINUTES = 10;
export const DEFAULT_VALID_MINUTES = 5;

export const DEFAULT_MAX_CODES = 5;
export const DEFAULT_RESEND_WINDOW_MINUTES = 10;
export const DEFAULT_FIRST_GAP_S = 15;

/** What the fields of a code hold. Those that the editor does not show are undefined. */
export const codeShape = lazily(() => ({
	/** undefined where the message can have none */
	otpMode: z.enum(['none', 'given', 'generate']).default('none'),
	/** of a code that the node makes */
	transaction: transactionSchema().prefault({}),
}));

/** What the options of a code hold. */
export const codeOptionsShape = lazily(() => ({
	/** of a code that is given */
	transaction: transactionSchema().prefault({}),
	codeLength: wholeNumber(MIN_CODE_LENGTH, MAX_CODE_LENGTH, MIN_CODE_LENGTH),
	codeCharacters: z.enum(['digits', 'lettersAndDigits']).default('digits'),
	validMinutes: wholeNumber(1, MAX_VALID_MINUTES, DEFAULT_VALID_MINUTES),
	resendLimits: z
		.object({
			values: z
				.object({
					maxCodes: wholeNumber(0, 100, DEFAULT_MAX_CODES),
					windowMinutes: wholeNumber(1, 1_440, DEFAULT_RESEND_WINDOW_MINUTES),
					firstGapSeconds: wholeNumber(0, 600, DEFAULT_FIRST_GAP_S),
				})
				.prefault({}),
		})
		.prefault({})
		.transform(({ values }) => values),
}));

/** How the code of a message is made, checked. */
export type CodeSettings = z.output<
	z.ZodObject<ReturnType<typeof codeShape> & ReturnType<typeof codeOptionsShape>>
>;

/** A text before its code is put in. */
export interface CodeText extends CodeSettings {
	message: string;
	/** the code in mode `given`; undefined when there is none */
	otpValue?: string;
}

/** A text with the code in it. */
export interface CodeInText {
	message: string;
	/** undefined when the message has none */
	code: string | undefined;
	transaction: Transaction;
}

/**
 * Makes the code of one message and puts it into the text, or says why that cannot be sent.
 *
 * @param input with the text as it was entered
 * @param context takes the problem
 */
export function withCode(
	{ message: template, otpValue, ...settings }: CodeText,
	context: z.RefinementCtx,
	randomBytes: RandomBytes,
): CodeInText {
	const { otpMode, codeCharacters, codeLength, validMinutes, transaction } = settings;
	const problemOf = (field: string, problem: string, advice: string) =>
		addProblem(context, problem, advice, field);
	if (otpMode === 'none' || (otpMode === 'given' && otpValue === undefined)) {
		if (transaction.length > 0 && otpMode === 'given') {
			return problemOf(
				'otpValue',
				'is empty, but there is a transaction to confirm',
				'Enter the code, or let the node generate one.',
			);
		}
		const unfilled = findUnfilled(template);
		if (unfilled) return problemOf('message', unfilled.problem, unfilled.advice);
		return { message: template, code: undefined, transaction: [] };
	}
	if (otpValue !== undefined && normaliseCode(otpValue) === '') {
		return problemOf(
			'otpValue',
			'is not a code that could be verified',
			'Use letters from A to Z and digits, together with blanks and dashes at most 100 characters.',
		);
	}
	const code = otpValue ?? generateCode(codeCharacters, codeLength, randomBytes);
	const values = { code, minutes: validMinutes, transaction };
	const unfilled = findUnfilled(template, values);
	if (unfilled) return problemOf('message', unfilled.problem, unfilled.advice);
	if (otpMode === 'generate' && !template.includes('{code}')) {
		return problemOf(
			'message',
			'does not contain {code}',
			'Write {code} where the customer reads the code that the node makes.',
		);
	}
	const [notShown] = fieldsNotShown(template, transaction);
	if (notShown !== undefined) {
		return problemOf(
			'message',
			`does not show the field ${notShown} of Transaction`,
			`Write {${notShown}} into the text. The customer has to read what the code confirms.`,
		);
	}
	return { message: fillPlaceholders(template, values), code, transaction };
}
