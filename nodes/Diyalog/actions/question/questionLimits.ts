import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { deriveKey } from '../../lib/crypto';
import type { QuestionLimits } from '../../wait/waitInput';
import { requireBotToken } from '../botToken';
import { permitOf } from '../permit';
import type { Permit } from '../permit';
import type { Message } from '../sending';

/*
 * How often one person is asked: who has somebody's password could have them asked until they approve to have peace.
 * Source: OWASP ASVS 5.0, 6.6.4; NIST SP 800-63B-4, 3.1.3.2.
 */

/** Who is asked: the label of the field that says so, and what tells the person from others. */
function whoIsAsked({ messageTo, recipient }: Message): { field: string; who: string } {
	const person = messageTo ?? { appCustomerId: recipient.customerNo };
	const who = JSON.stringify(person);
	if ('appStaffId' in person) return { field: 'Employee Number', who };
	return { field: 'id' in person ? 'Diyalog User ID' : 'Customer Number', who };
}

/** Asks for both. What the first has counted is given back when the second refuses or fails. */
const both =
	(first: Permit, second: Permit): Permit =>
	async (sentAt) => {
		const giveBackFirst = await first(sentAt);
		let giveBackSecond: (() => Promise<void>) | undefined;
		try {
			giveBackSecond = await second(sentAt);
		} finally {
			// When that fails too, the question counts as asked: the refusal is the news.
			if (!giveBackSecond) await giveBackFirst().catch(() => undefined);
		}
		return async () => void (await Promise.all([giveBackFirst(), giveBackSecond()]));
	};

/**
 * Counts questions against the limits of this node, before whatever else counts their messages.
 *
 * @param limits undefined for none
 * @returns makes the message to one person such that it is counted
 * @throws NodeApiError when there are limits, and the credential has no token to derive their key from
 */
export function questionLimiter(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	limits: QuestionLimits | undefined,
): (message: Message) => Message {
	if (!limits) return (message) => message;
	const key = deriveKey(requireBotToken(context.getNode(), credentials, 0), 'question mark');
	const { maxQuestions: count, windowMinutes, firstGapSeconds } = limits;
	const sendLimits = { sends: { count, windowMinutes }, firstGapSeconds };
	return (message) => {
		const { field, who } = whoIsAsked(message);
		const permit = permitOf(context, key, who, sendLimits, 0, {
			field,
			problem: 'has got as many questions as Question Limits allow',
			advice: 'Let the person wait, and find out who has caused so many questions.',
		});
		return { ...message, permit: message.permit ? both(permit, message.permit) : permit };
	};
}
