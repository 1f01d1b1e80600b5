import type { IDataObject } from 'n8n-workflow';
import type { PayloadSignature } from '../deviceSignature/verifier';
import type { Wait } from './decide';
import type { Decision } from './decisions';
import { peopleInItem } from './people';
import type { PeopleInItem } from './people';

/** The item that comes out of a wait. Its comments are what people read in n8n. */
export type Outcome<CustomerNo extends string | null = string | null> = {
	/** the answer as n8n's human review of AI agents reads and shows it */
	data: {
		approved: boolean;
		/** whose answer decided; null when nobody answered, or by a link */
		responder: { customerNo: CustomerNo; userId: string } | null;
		respondedAt: string | null;
	};
	/** true for the decisions approved and codeMatched alone */
	approved: boolean;
	decision: Decision;
	/** approve, decline or report, the value of the chosen button, or the text; null for a code, or when nobody answered */
	value: string | null;
	messageId: string;
	/** the customer's number; null where an employee was asked, or an id of Diyalog */
	customerNo: CustomerNo;
	/** only where an employee was asked */
	employeeNo?: string;
	/** the id in Diyalog of who answered; null when nobody answered, or by a link */
	userId: string | null;
	/** what checking the device's signature found; null when nobody answered, or by a link */
	payloadSignature: PayloadSignature | null;
	/** ISO 8601 */
	sentAt: string;
	/** ISO 8601; null when nobody answered */
	respondedAt: string | null;
	/** for Verify; only where the message has a code */
	challenge?: string;
	/** until when that code is accepted, ISO 8601 */
	expiresAt?: string;
	/** the item that went in */
	input: IDataObject;
} & Partial<PeopleInItem>;

/** How a wait ended, beside what is known from the start. */
export type Ending = Pick<
	Outcome,
	'decision' | 'approved' | 'value' | 'userId' | 'payloadSignature' | 'respondedAt'
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

/**
 * The JSON of the one item that comes out of a wait.
 *
 * @param input the JSON of the item that went in
 */
export function outcomeOf(
	{ messageId, customerNo, employeeNo, sentAt, challenge, expiresAt, group }: Wait,
	{ approved, decision, value, userId, payloadSignature, respondedAt }: Ending,
	input: IDataObject,
): Outcome {
	return {
		data: { approved, responder: userId === null ? null : { customerNo, userId }, respondedAt },
		approved,
		decision,
		value,
		messageId,
		customerNo,
		...(employeeNo !== undefined && { employeeNo }),
		userId,
		payloadSignature,
		sentAt,
		respondedAt,
		...(challenge !== undefined && { challenge, expiresAt }),
		...(group && peopleInItem(group)),
		input,
	};
}
