import { randomBytes } from 'node:crypto';
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { customerFingerprint, issueChallenge } from '../../codes/challenge';
import type { KeptChallenge } from '../../codes/challenge';
import type { CodeKeys } from '../../codes/keys';
import type { SendOtpInput } from '../../messages/sendOtp';
import { permitOf } from '../permit';
import type { Permit } from '../permit';
import type { Message } from '../sending';
import { codeKeysOf } from './codeKeys';

const MS_PER_MINUTE = 60_000;

/** The challenge that belongs to a code. */
function challengeFor(
	keys: CodeKeys,
	{ code, customerNo, transaction, validMinutes }: SendOtpInput & { code: string },
	messageId: string,
	sentAt: Date,
): KeptChallenge {
	const expiresAtMs = sentAt.getTime() + validMinutes * MS_PER_MINUTE;
	const issued = { code, customerNo, messageId, transaction, expiresAtMs };
	return {
		expiresAt: new Date(expiresAtMs).toISOString(),
		// Last: n8n's table has a column for each name in this order, and this one is wider than all others.
		challenge: issueChallenge(keys, issued, randomBytes),
	};
}

/** Watches over the codes that one run of the node sends, and makes their challenges. */
export class CodeIssuer {
	private derived: CodeKeys | undefined;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly credentials: ICredentialDataDecryptedObject,
	) {}

	/** What the code of a message adds to its sending; nothing for a message without one. */
	watchOver(
		input: SendOtpInput,
		messageId: string,
		itemIndex: number,
	): Pick<Message, 'permit' | 'added'> {
		const { code } = input;
		if (code === undefined) return {};
		const keys = this.keysFor(itemIndex);
		return {
			permit: input.otpMode === 'generate' ? this.permit(keys, input, itemIndex) : undefined,
			added: (sentAt) => challengeFor(keys, { ...input, code }, messageId, sentAt),
		};
	}

	private keysFor(itemIndex: number): CodeKeys {
		return (this.derived ??= codeKeysOf(this.context.getNode(), this.credentials, itemIndex));
	}

	/** Counts a generated code against the customer's resend limits. */
	private permit(
		keys: CodeKeys,
		{ customerNo, resendLimits: { maxCodes, windowMinutes, firstGapSeconds } }: SendOtpInput,
		itemIndex: number,
	): Permit {
		const limits = { sends: { count: maxCodes, windowMinutes }, firstGapSeconds };
		const customer = customerFingerprint(keys, customerNo).toString('base64url');
		return permitOf(this.context, keys.mark, customer, limits, itemIndex, {
			field: 'Customer Number',
			problem: 'has got as many codes as Resend Limits allow',
			advice: 'Let the customer wait until then.',
		});
	}
}
