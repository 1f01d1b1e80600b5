import type { IDataObject } from 'n8n-workflow';
import type { PayloadSignature } from '../deviceSignature/verifier';
import type { Wait } from './decide';
import type { Decision } from './decisions';
import type { Evidence } from './evidence';
import { peopleInItem } from './people';
import type { PeopleInItem } from './people';

/** No receipt came in time, or Diyalog does not know the person. */
export type NotDeliveredReason = 'noReceipt' | 'unknownPerson';

/** The item that comes out of a wait. Its comments are what people read in n8n. */
export type Outcome<CustomerNo extends string | null = string | null> = {
	/** the answer as n8n's human review of AI agents reads and shows it */
	data: {
		approved: boolean;
		/** the person whose answer decided; null if nobody answered, or for an answer by a link */
		responder: { customerNo: CustomerNo; userId: string } | null;
		respondedAt: string | null;
	};
	/** true only for the decisions approved and codeMatched */
	approved: boolean;
	decision: Decision;
	/** approve or decline, the value of the chosen button, or the text; delivered or read; null for a code, or when nothing came */
	value: string | null;
	/** why the message counts as not delivered; only with the decision notDelivered */
	reason?: NotDeliveredReason;
	messageId: string;
	/** the customer's number; null where an employee was asked, or an id of Diyalog */
	customerNo: CustomerNo;
	/** only where an employee was asked */
	employeeNo?: string;
	/** the Diyalog User ID of the person who answered; null if nobody answered, or for an answer by a link */
	userId: string | null;
	/** what the check of the device's signature found; null if nobody answered, or for an answer by a link */
	payloadSignature: PayloadSignature | null;
	/** what proves the answer later; only where one person had to sign it */
	evidence?: Evidence;
	/** ISO 8601 */
	sentAt: string;
	/** when the answer was given, or the message delivered or read, ISO 8601; null when nothing came */
	respondedAt: string | null;
	/** until when the code in the message is accepted, ISO 8601; only where it has one */
	expiresAt?: string;
	/** the item that went in */
	input: IDataObject;
	/** for Verify; only where the message has a code */
	challenge?: string;
} & Partial<PeopleInItem>;

/** How a wait ended, beside what is known from the start. */
export type Ending = Pick<
	Outcome,
	| 'decision'
	| 'approved'
	| 'value'
	| 'reason'
	| 'userId'
	| 'payloadSignature'
	| 'evidence'
	| 'respondedAt'
>;

/** Time is up. It is no approval. */
export const EXPIRED: Ending = {
	decision: 'expired',
	approved: false,
	value: null,
	userId: null,
	payloadSignature: null,
	respondedAt: null,
};

/** The message did not reach the person, as far as anybody knows. It is no approval. */
export const notDelivered = (reason: NotDeliveredReason): Ending => ({
	...EXPIRED,
	decision: 'notDelivered',
	reason,
});

/** How a wait ends when the time is up. */
export const endingInTime = ({ expectation }: Wait): Ending =>
	expectation.kind === 'receipt' ? notDelivered('noReceipt') : EXPIRED;

/**
 * The JSON of the one item that comes out of a wait.
 *
 * @param input the JSON of the item that went in
 */
export function outcomeOf(
	{ messageId, customerNo, employeeNo, sentAt, challenge, expiresAt, group }: Wait,
	{ approved, decision, value, reason, userId, payloadSignature, evidence, respondedAt }: Ending,
	input: IDataObject,
): Outcome {
	return {
		data: { approved, responder: userId === null ? null : { customerNo, userId }, respondedAt },
		approved,
		decision,
		value,
		...(reason !== undefined && { reason }),
		messageId,
		customerNo,
		...(employeeNo !== undefined && { employeeNo }),
		userId,
		payloadSignature,
		...(evidence && { evidence }),
		sentAt,
		respondedAt,
		...(challenge !== undefined && { expiresAt }),
		...(group && peopleInItem(group)),
		input,
		// Last: n8n's table has a column for each name in this order, and this one is wider than all others.
		...(challenge !== undefined && { challenge }),
	};
}
