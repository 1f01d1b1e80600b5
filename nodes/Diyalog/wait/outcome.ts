import type { IDataObject } from 'n8n-workflow';
import type { Decision, Wait } from './decide';

/** How a wait ended, beside what is known from the start. */
export interface Ending {
	decision: Decision;
	approved: boolean;
	value: string | null;
	/** the customer's id in Diyalog; null when nobody answered, or by a link */
	userId: string | null;
	payloadSignature: string | null;
	/** ISO 8601; null when nobody answered */
	respondedAt: string | null;
}

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
	{ messageId, customerNo, sentAt, challenge, expiresAt }: Wait,
	{ approved, decision, value, userId, payloadSignature, respondedAt }: Ending,
	input: IDataObject,
): IDataObject {
	return {
		// n8n's human review of AI agents reads the approval here, and shows who gave it.
		data: { approved, responder: userId === null ? null : { customerNo, userId }, respondedAt },
		approved,
		decision,
		value,
		messageId,
		customerNo,
		userId,
		payloadSignature,
		sentAt,
		respondedAt,
		...(challenge !== undefined && { challenge, expiresAt }),
		input,
	};
}
