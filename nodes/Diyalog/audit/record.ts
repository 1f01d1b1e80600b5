import type { Reason } from '../codes/checks';
import type { InvalidReason, PayloadSignature, SignatureEvidence } from '../deviceSignature/press';
import { escaped } from '../lib/escaped';
import type { FailureKind } from '../transport/failures';
import type { RefusalReason } from '../wait/decide';
import type { Decision } from '../wait/decisions';
import type { NotDeliveredReason } from '../wait/outcome';
import type { GivenAnswer } from '../wait/people';
import type { Origin } from './plan';
import type { AuditPerson } from './people';

/*
 * The audit record: who, what, when, where, how it ended and which checks were made. It holds no code, no secret, no text
 * of a message and nothing that a person wrote. docs/audit.md says it field by field; what changes there is another version.
 */

export type AuditEvent =
	| 'codeSent'
	| 'codeVerified'
	| 'payloadVerified'
	| 'asked'
	| 'answered'
	| 'ended';

/** How a check ended. One that was not made, or not any more, is not there. */
export type Held = 'held' | 'failed';

/** The checks of an answer or a code, each by what has to be right. */
export type CheckName =
	| 'call'
	| 'message'
	| 'person'
	| 'deadline'
	| 'kind'
	| 'payload'
	| 'firstAnswer'
	| 'length'
	| 'challenge'
	| 'transaction'
	| 'attempts'
	| 'code'
	| 'unused';

/** What has signed on the person's device. */
export type SignedWith = Pick<SignatureEvidence, 'format' | 'algorithm' | 'keyThumbprint'>;

/** What is said of a signature of the device. */
export interface DeviceSigned {
	deviceSignature?: PayloadSignature;
	/** there when it is valid, and had to be there */
	signature?: SignedWith;
}

/** What became of sending a message: `unknown` when it may have arrived, `partly` when of several people not all are known to have it. */
export type SendingOutcome = 'sent' | 'notSent' | 'unknown' | 'partly';

/** How a message went out. */
export interface Sending {
	outcome: SendingOutcome;
	/** notPermitted: a limit was reached, or could not be asked */
	reason?: FailureKind | 'notPermitted';
}

/** One of those who were asked, and what became of it where that are several. */
export type AskedPerson = AuditPerson & {
	sending?: SendingOutcome;
	decision?: GivenAnswer['decision'];
	/** ISO 8601, as Diyalog says */
	respondedAt?: string;
} & DeviceSigned;

/** How an answer is given. */
export type AnswerBy = 'tap' | 'link' | 'text' | 'code' | 'receipt';

export interface AuditRecord extends Origin {
	audit: 'diyalog';
	version: 1;
	event: AuditEvent;
	/** by the clock of this n8n, UTC, ISO 8601; of a question that nobody answered its deadline */
	at: string;
	messageId: string | null;
	/** whom it is about */
	people: AskedPerson[];
	/** who has answered, where that was not taken or several are asked */
	by?: AuditPerson;
	/** how it ended; `error` when it could not be found out */
	outcome:
		| SendingOutcome
		| Decision
		| Reason
		| Exclude<PayloadSignature, 'notChecked'>
		| 'counted'
		| 'refused'
		| 'error';
	/** why, where the outcome does not say it */
	reason?: Sending['reason'] | RefusalReason | 'notWaiting' | InvalidReason | NotDeliveredReason;
	/** which checks were made */
	checks?: Partial<Record<CheckName, Held>> & DeviceSigned;
	/** of an answer of several people that counts */
	decision?: GivenAnswer['decision'];
	answerBy?: AnswerBy;
	/** whether the answer has to be signed on the device */
	signatureRequired?: boolean;
	rule?: { kind: string; needed: number };
	/** how many more codes can be tried */
	attemptsLeft?: number;
	/** whether the code is accepted for one transaction alone */
	transactionBound?: boolean;
	/** ISO 8601 */
	respondedAt?: string;
	/** until when an answer is taken, ISO 8601 */
	deadline?: string;
	/** until when the code is accepted, ISO 8601 */
	expiresAt?: string;
}

const LINE_PREFIX = 'Diyalog audit: ';

/** Everything but what every program reads and shows alike. */
const NOT_PLAIN = /[^\x20-\x7e]/g;

/**
 * A record as one line for the log: what stands behind the first blank behind the colon is JSON (RFC 8259), in ASCII, so that
 * nothing in it ends the line or is read otherwise.
 */
export const lineOf = (record: AuditRecord): string =>
	LINE_PREFIX + JSON.stringify(record).replace(NOT_PLAIN, escaped);
