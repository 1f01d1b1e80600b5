/* What is checked, and what comes of it. */

/** A press as the webhook reports it, or a text with its signature from elsewhere. */
export interface SignedPress {
	messageId: string;
	payload: string;
	customerNo: string | null;
	/** the payloads that may have been signed; needed where the signature stands alone, and looked at only there */
	issued?: readonly string[];
}

/**
 * How many times a signature that stands alone is tried: each of the payloads with each of the keys. With the slowest of them that takes
 * about half a second, in which n8n does nothing else. Beyond that nothing is checked.
 */
export const MAX_TRIES = 400;

/** The same for each press of a question, of which anybody who was asked can cause many. */
export const MAX_TRIES_OF_PRESS = 60;

/** Whether the payload of a press was signed by the company's app. */
export type PayloadSignature = 'notChecked' | 'valid' | 'invalid';

/** Why a payload is invalid: the first thing that was found. */
export type InvalidReason =
	/** not of the format that is set; an unsigned payload too */
	| 'malformed'
	/** encrypted, so nothing of it can be read */
	| 'encrypted'
	/** no key that was entered has made this signature */
	| 'signature'
	/** signed, yet its time is over */
	| 'expired'
	/** signed, yet its time has not come: a clock is wrong */
	| 'notYetValid'
	/** signed for another message, or for none where one has to be named */
	| 'otherMessage'
	/** signed for another customer */
	| 'otherCustomer';

/** What proves to somebody else later that the payload was signed. Holds no secret. */
export interface SignatureEvidence {
	format: 'jws' | 'separated' | 'signatureOnly' | 'json';
	/** the value under which the credential stores it: ES256, ecdsaSha256, ... */
	algorithm: string;
	/** SHA-256 of the key's SubjectPublicKeyInfo (DER), lower-case hexadecimal; null for a secret */
	keyThumbprint: string | null;
	/** the very text whose UTF-8 bytes were signed; of a JWS header, dot and content as they came */
	signedText: string;
	/** base64; that of ECDSA as DER, so that openssl checks it as it stands */
	signature: string;
}

export interface CheckedPayload {
	payloadSignature: PayloadSignature;
	/** the inner payload when the signature is valid, the payload as received otherwise */
	payload: string;
	/** there when valid */
	evidence?: SignatureEvidence;
	/** there when invalid */
	reason?: InvalidReason;
}

/** Checks one press; never throws. */
export type PayloadVerifier = (press: SignedPress, now: Date) => CheckedPayload;
