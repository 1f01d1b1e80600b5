import { randomBytes } from 'node:crypto';
import type { IExecuteFunctions } from 'n8n-workflow';
import { nodeBook } from '../../memory/books';
import type { SendOtpBody, SendOtpInput } from '../../messages/sendOtp';
import { customerFingerprint, issueChallenge } from '../../codes/challenge';
import type { CodeKeys } from '../../codes/keys';
import { permitSend } from '../../codes/permit';
import { checkOtpSettings, prepareOtp } from '../../codes/settings';
import type { OtpSettings, PreparedOtp } from '../../codes/settings';
import { invalidInputError } from '../errors';
import type { ParameterReader } from '../parameters';

/** The code of one item, in its text. */
export interface PreparedItemOtp extends PreparedOtp {
	settings: OtpSettings;
}

/** Which fields the editor shows in each mode; those that it does not show cannot be read. */
const FIELDS_OF_MODE: Readonly<Record<string, readonly string[]>> = {
	generate: ['codeLength', 'codeCharacters', 'validMinutes', 'transaction', 'resendLimits'],
	given: ['validMinutes', 'transaction'],
};

/**
 * Reads how the code of an item is to be made, and makes it.
 *
 * @param input the message as it was entered and checked
 * @throws NodeOperationError when that cannot be sent
 */
export function prepareItemOtp(
	context: IExecuteFunctions,
	read: ParameterReader,
	itemIndex: number,
	{ message, otpValue }: SendOtpInput,
): PreparedItemOtp {
	const otpMode = read('otpMode', itemIndex);
	const names = FIELDS_OF_MODE[String(otpMode)] ?? [];
	const fields = Object.fromEntries(names.map((name) => [name, read(name, itemIndex)]));
	const settings = checkOtpSettings({ otpMode, ...fields });
	if (!settings.valid) throw invalidInputError(context.getNode(), settings.problem, itemIndex);
	const otp = prepareOtp(message, otpValue, settings.input, randomBytes);
	if (!otp.valid) throw invalidInputError(context.getNode(), otp.problem, itemIndex);
	return { ...otp.input, settings: settings.input };
}

/** What is added to the output of an item that has a code. */
export type IssuedChallenge = { challenge: string; expiresAt: string } | Record<string, never>;

const MS_PER_MINUTE = 60_000;

/** Watches over the codes that one run of the node sends, and makes their challenges. */
export class OtpIssuer {
	/** @param keys gives the keys for challenges when they are needed */
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly keys: () => CodeKeys,
	) {}

	/**
	 * Counts a generated code against the customer's resend limits.
	 *
	 * @returns takes it back, for a code that was certainly not sent
	 * @throws NodeOperationError when the customer has got enough codes for now
	 */
	async permit(
		{ settings: { otpMode, resendLimits } }: PreparedItemOtp,
		customerNo: string,
		now: Date,
		itemIndex: number,
	): Promise<() => Promise<void>> {
		if (otpMode !== 'generate') return async () => undefined;
		const keys = this.keys();
		const book = nodeBook(this.context);
		const { maxCodes, windowMinutes, firstGapSeconds } = resendLimits;
		const limits = { sends: { count: maxCodes, windowMinutes }, firstGapSeconds };
		const customer = customerFingerprint(keys, customerNo);
		const permit = await permitSend(keys, book, customer, limits, now.getTime());
		if (permit.granted) return permit.giveBack;
		const problem = {
			field: 'Customer Number',
			problem: 'has got as many codes as Resend Limits allow for now',
			advice: 'Let the customer wait a minute or more before asking for another code.',
		};
		throw invalidInputError(this.context.getNode(), problem, itemIndex);
	}

	/** The challenge that belongs to a code; nothing for a message without one. */
	challengeFor(
		{ code, transaction, validMinutes }: PreparedItemOtp,
		{ customerNo, messageId }: SendOtpBody,
		sentAt: Date,
	): IssuedChallenge {
		if (code === undefined) return {};
		const expiresAtMs = sentAt.getTime() + validMinutes * MS_PER_MINUTE;
		const otp = { code, customerNo, messageId, transaction, expiresAtMs };
		return {
			challenge: issueChallenge(this.keys(), otp, randomBytes),
			expiresAt: new Date(expiresAtMs).toISOString(),
		};
	}
}
