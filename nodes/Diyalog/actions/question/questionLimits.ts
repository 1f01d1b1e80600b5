import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { deriveKey } from '../../lib/crypto';
import { nodeBook } from '../../memory/books';
import { permitSend } from '../../memory/permit';
import type { QuestionLimits } from '../../wait/waitInput';
import { requireBotToken } from '../botToken';
import { invalidInputError } from '../errors';
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
	(first: Required<Message>['permit'], second: Required<Message>['permit']) =>
	async (sentAt: Date): Promise<() => Promise<void>> => {
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
 * Counts the question to one person against the limits of this node, before whatever else counts the message. To be called for
 * the message of each person.
 *
 * @param limits undefined for none
 * @throws NodeApiError when there are limits, and the credential has no token to derive their key from
 */
export function limitQuestions(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	limits: QuestionLimits | undefined,
	message: Message,
): Message {
	if (!limits) return message;
	const node = context.getNode();
	const key = deriveKey(requireBotToken(node, credentials, 0), 'question mark');
	const { field, who } = whoIsAsked(message);
	const { maxQuestions: count, windowMinutes, firstGapSeconds } = limits;
	const sends = { count, windowMinutes };
	const permit = async (sentAt: Date) => {
		const sendLimits = { sends, firstGapSeconds };
		const asked = await permitSend(key, nodeBook(context), who, sendLimits, sentAt.getTime());
		if (asked.granted) return asked.giveBack;
		const problem = {
			field,
			problem: 'has got as many questions as Question Limits allow for now',
			advice: 'Let the person wait, and find out who has caused so many questions.',
		};
		throw invalidInputError(node, problem, 0);
	};
	return { ...message, permit: message.permit ? both(permit, message.permit) : permit };
}
