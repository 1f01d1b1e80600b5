import { z } from 'zod/v4';
import { refuse } from '../input/schemas';
import { problemOf } from '../messages/sendOtp';
import type { InputProblem } from '../messages/sendOtp';
import { MAX_CODE_LENGTH, MIN_CODE_LENGTH, generateCode, normaliseCode } from './code';
import type { RandomBytes } from './code';
import { fieldsNotShown, fillPlaceholders, findUnfilled } from './placeholders';
import { transactionSchema } from './transaction';
import type { Transaction } from './transaction';

/** NIST SP 800-63B-4, 3.1.3 and OWASP ASVS 5.0, 6.5.5: at most 10 minutes. */
export const MAX_VALID_MINUTES = 10;
export const DEFAULT_VALID_MINUTES = 5;

export const DEFAULT_MAX_CODES = 5;
export const DEFAULT_RESEND_WINDOW_MINUTES = 10;
export const DEFAULT_FIRST_GAP_S = 15;

const DEFAULT_RESEND_LIMITS = {
	maxCodes: DEFAULT_MAX_CODES,
	windowMinutes: DEFAULT_RESEND_WINDOW_MINUTES,
	firstGapSeconds: DEFAULT_FIRST_GAP_S,
};

/** A number that is refused outside its bounds: a rule of security must not be something else than it looks. */
export const between = (min: number, max: number, fallback: number) =>
	z
		.unknown()
		.optional()
		.transform((entered, context): number => {
			if (entered === undefined || entered === null || entered === '') return fallback;
			const number = Number(entered);
			if (Number.isInteger(number) && number >= min && number <= max) return number;
			return refuse(
				context,
				`is not a whole number from ${min} to ${max}`,
				`Enter a number from ${min} to ${max}.`,
			);
		});

const otpSettingsSchema = z.object({
	otpMode: z.enum(['none', 'given', 'generate']).default('given'),
	codeLength: between(MIN_CODE_LENGTH, MAX_CODE_LENGTH, MIN_CODE_LENGTH),
	codeCharacters: z.enum(['digits', 'lettersAndDigits']).default('digits'),
	validMinutes: between(1, MAX_VALID_MINUTES, DEFAULT_VALID_MINUTES),
	transaction: transactionSchema.prefault({}),
	resendLimits: z
		.object({
			maxCodes: between(0, 100, DEFAULT_RESEND_LIMITS.maxCodes),
			windowMinutes: between(1, 1_440, DEFAULT_RESEND_LIMITS.windowMinutes),
			firstGapSeconds: between(0, 600, DEFAULT_RESEND_LIMITS.firstGapSeconds),
		})
		.partial()
		.transform((entered) => ({ ...DEFAULT_RESEND_LIMITS, ...entered }))
		.prefault({}),
});

/** How the code of a message is made, checked. */
export type OtpSettings = z.output<typeof otpSettingsSchema>;

/** What checking found. */
export type Checked<T> = { valid: true; input: T } | { valid: false; problem: InputProblem };

/** Checks how the code is to be made. Fields that the editor does not show are undefined. */
export function checkOtpSettings(raw: unknown): Checked<OtpSettings> {
	const parsed = otpSettingsSchema.safeParse(raw);
	if (parsed.success) return { valid: true, input: parsed.data };
	return { valid: false, problem: problemOf(parsed.error) };
}

/** A text with the code in it, ready to be sent. */
export interface PreparedOtp {
	message: string;
	/** undefined when the message has none */
	code: string | undefined;
	transaction: Transaction;
	validMinutes: number;
}

const problem = (field: string, text: string, advice: string): Checked<never> => ({
	valid: false,
	problem: { field, problem: text, advice },
});

/**
 * Makes the code of one message and puts it into the text, or says why that cannot be sent.
 *
 * @param template the text as it was entered
 * @param otpValue the code in mode `given`; undefined when there is none
 */
export function prepareOtp(
	template: string,
	otpValue: string | undefined,
	settings: OtpSettings,
	randomBytes: RandomBytes,
): Checked<PreparedOtp> {
	const { otpMode, codeCharacters, codeLength, validMinutes, transaction } = settings;
	if (otpMode === 'none' || (otpMode === 'given' && otpValue === undefined)) {
		if (transaction.length > 0 && otpMode === 'given') {
			return problem(
				'OTP Value',
				'is empty, but there is a transaction to confirm',
				'Enter the code, or let the node generate one.',
			);
		}
		const unfilled = findUnfilled(template);
		if (unfilled) return problem('Message', unfilled.problem, unfilled.advice);
		const input = { message: template, code: undefined, transaction: [], validMinutes };
		return { valid: true, input };
	}
	if (otpValue !== undefined && normaliseCode(otpValue) === '') {
		return problem(
			'OTP Value',
			'is not a code that could be verified',
			'Use letters from A to Z and digits, together with blanks and dashes at most 100 characters.',
		);
	}
	const code = otpValue ?? generateCode(codeCharacters, codeLength, randomBytes);
	const values = { code, minutes: validMinutes, transaction };
	const unfilled = findUnfilled(template, values);
	if (unfilled) return problem('Message', unfilled.problem, unfilled.advice);
	if (otpMode === 'generate' && !template.includes('{code}')) {
		return problem(
			'Message',
			'does not contain {code}',
			'Put {code} where the customer is to read the code that the node generates.',
		);
	}
	const [notShown] = fieldsNotShown(template, transaction);
	if (notShown !== undefined) {
		return problem(
			'Message',
			`does not show the transaction's field ${notShown}`,
			`Put {${notShown}} into the text: what is confirmed has to be what the customer reads.`,
		);
	}
	const message = fillPlaceholders(template, values);
	return { valid: true, input: { message, code, transaction, validMinutes } };
}
