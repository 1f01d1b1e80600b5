import type { CheckedPayload, SignatureEvidence, SignedPress } from '../deviceSignature/press';
import { lazily, z } from '../lib/zod';

/* What proves to somebody else, later, that this person's device signed this answer. */

export const evidenceSchema = lazily(() =>
	z.object({
		text: z.string().optional(),
		button: z.string(),
		signedPayload: z.string(),
		signedText: z.string(),
		signature: z.string(),
		format: z.enum(['jws', 'separated', 'signatureOnly', 'json']),
		algorithm: z.string(),
		keyThumbprint: z.string().nullable(),
		messageId: z.string(),
		sentAt: z.string(),
		respondedAt: z.string(),
		checkedAt: z.string(),
	}),
);

/** What the item holds of a signed answer. Its comments are what people read in n8n. */
export type Evidence = {
	/** the text as it was sent; missing if it has a code in it, or if it is left out */
	text?: string;
	/** the words on the button that was pressed */
	button: string;
	/** the payload as the phone sent it */
	signedPayload: string;
	/** of the message that was answered */
	messageId: string;
	/** ISO 8601 */
	sentAt: string;
	/** when the button was pressed, as Diyalog says, ISO 8601 */
	respondedAt: string;
	/** when the signature was checked, ISO 8601 */
	checkedAt: string;
} & SignatureEvidence;

/** Checks a press with a person's own keys, or with the credential's where there are none. */
export type SignatureCheck = (press: SignedPress, personKeys: unknown) => CheckedPayload;

/** A payload that fits this turn alone, so that a signature over nothing else does too. */
export const payloadOfTurn = (payload: string, turn: string): string => `${payload}~${turn}`;

/** What was asked, and what is kept of it. */
export interface SignedQuestion {
	messageId: string;
	personKeys?: unknown;
	evidenceText?: string;
	sentAt: string;
	/** the payloads of its buttons */
	issued: readonly string[];
}

/** The answer as it came from the phone, whatever the trigger made of it. */
export interface GivenSigned {
	payload: string;
	customerNo: string | null;
	/** ISO 8601 */
	respondedAt: string;
}

/** A signed answer: which payload was signed, and what proves it. */
export interface SignedAnswer {
	payload: string;
	evidence: Omit<Evidence, 'button'>;
}

/**
 * Has an answer checked as it came from the phone.
 *
 * @returns undefined when it is not validly signed with one of the person's keys
 */
export function readSigned(
	{ messageId, personKeys, evidenceText: text, sentAt, issued }: SignedQuestion,
	{ payload: signedPayload, customerNo, respondedAt }: GivenSigned,
	check: SignatureCheck,
	now: Date,
): SignedAnswer | undefined {
	const press = { messageId, payload: signedPayload, customerNo, issued };
	const { payloadSignature, payload, evidence } = check(press, personKeys);
	if (payloadSignature !== 'valid' || !evidence) return undefined;
	const times = { sentAt, respondedAt, checkedAt: now.toISOString() };
	const said = text === undefined ? {} : { text };
	return { payload, evidence: { ...said, signedPayload, ...evidence, messageId, ...times } };
}
