import { z } from 'zod/v4';
import { deriveKey, equalBytes, hmacSha256 } from '../crypto/keys';
import { normaliseCode } from '../otp/code';
import type { Answer } from './passedOnAnswer';

/*
 * What an execution waits for, and whether an answer is it. Whatever is not refused here decides about somebody's money,
 * so everything is compared with what was sent: the turn, the customer, the payload, the time.
 */

/** How a wait can end. */
export type Decision =
	| 'approved'
	| 'declined'
	| 'chosen'
	| 'answered'
	| 'codeMatched'
	| 'tooManyAttempts'
	| 'expired';

const issuedButtonSchema = z.object({
	payload: z.string(),
	title: z.string(),
	decision: z.enum(['approved', 'declined', 'chosen']),
	/** what the workflow gets, e.g. the value of a choice */
	value: z.string(),
});

/** A button as it was sent, and what pressing it means. */
export type IssuedButton = z.output<typeof issuedButtonSchema>;

const expectationSchema = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('button'),
		buttons: z.array(issuedButtonSchema),
		/** take only a payload that the customer's device has signed validly */
		requireSignedPayload: z.boolean(),
	}),
	z.object({
		kind: z.literal('link'),
		/** opened on the device; the payload says which link it was */
		buttons: z.array(issuedButtonSchema),
	}),
	z.object({ kind: z.literal('freeText') }),
	z.object({
		kind: z.literal('code'),
		/** keyed digest of the expected code: the execution's record must not hold it */
		codeDigest: z.string(),
		maxAttempts: z.number().int(),
		wrongCodeReply: z.string(),
	}),
]);

/** What is taken as an answer. */
export type Expectation = z.output<typeof expectationSchema>;

const waitSchema = z.object({
	/** of the message that is waited for now; an older one belongs to an earlier turn of a loop */
	turn: z.string(),
	customerNo: z.string(),
	messageId: z.string(),
	messageIdPrefix: z.string(),
	/** ISO 8601 */
	sentAt: z.string(),
	/** ISO 8601 */
	deadline: z.string(),
	expectation: expectationSchema,
	/** of the code in the message, for verifying it; only where there is one */
	challenge: z.string().optional(),
	/** until when that code is accepted, ISO 8601 */
	expiresAt: z.string().optional(),
});

/** What an execution waits for, as it is stored with it. */
export type Wait = z.output<typeof waitSchema>;

/** Reads a stored wait; undefined when there is none. */
export const readWait = (stored: unknown): Wait | undefined => waitSchema.safeParse(stored).data;

/** Why an answer was not taken and the execution keeps waiting. */
export type RefusalReason =
	| 'earlierTurn'
	| 'otherCustomer'
	| 'expired'
	| 'otherKind'
	| 'notIssued'
	| 'notSigned'
	| 'wrongCode';

/** Whether an answer ends the wait, and how. */
export type Verdict =
	| { accepted: true; decision: Decision; approved: boolean; value: string | null }
	| { accepted: false; reason: Exclude<RefusalReason, 'wrongCode'> }
	| { accepted: false; reason: 'wrongCode'; attempts: number };

const refused = (reason: Exclude<RefusalReason, 'wrongCode'>): Verdict => ({
	accepted: false,
	reason,
});

/** Fails closed: only an approval and the right code approve; a choice and a text say nothing of that kind. */
const taken = (decision: Decision, value: string | null): Verdict => ({
	accepted: true,
	decision,
	approved: decision === 'approved' || decision === 'codeMatched',
	value,
});

/** Counts wrong answers to one turn: adds one, and tells how many there are now. */
export type AttemptCounter = (turn: string, atLeast: number) => number;

/** What pressing an issued button means; refused when the payload was not issued. */
export function decideButton(buttons: readonly IssuedButton[], payload: string): Verdict {
	const button = buttons.find((each) => each.payload === payload);
	return button ? taken(button.decision, button.value) : refused('notIssued');
}

/**
 * The digest under which an expected code is stored.
 *
 * @param turn of the message, so that equal codes have different digests
 */
export const codeDigest = (code: string, turn: string, appSecret: string): string =>
	hmacSha256(deriveKey(appSecret, 'expected code'), `${turn}\n${normaliseCode(code)}`).toString(
		'base64url',
	);

function decideCode(
	{ codeDigest: expected, maxAttempts }: Extract<Expectation, { kind: 'code' }>,
	{ turn, text, attempt }: Answer,
	appSecrets: readonly string[],
	countAttempt: AttemptCounter,
): Verdict {
	// Counted before it is compared: of guesses made side by side, none is free.
	const attempts = countAttempt(turn, attempt);
	if (attempts > maxAttempts) return taken('tooManyAttempts', null);
	// Nothing that was typed may fit a code that is none.
	const isCode = normaliseCode(text) !== '';
	const matches = appSecrets
		.filter((secret) => secret !== '')
		.some((secret) =>
			equalBytes(Buffer.from(codeDigest(text, turn, secret)), Buffer.from(expected)),
		);
	if (matches && isCode) return taken('codeMatched', null);
	if (attempts >= maxAttempts) return taken('tooManyAttempts', null);
	return { accepted: false, reason: 'wrongCode', attempts };
}

/** What a decision needs beside wait and answer. */
export interface DecisionSurroundings {
	now: Date;
	/** of the credential: the App Secret, and while it is being changed the previous one */
	appSecrets: readonly string[];
	countAttempt: AttemptCounter;
}

/**
 * Decides about an answer that an authenticated trigger has passed on.
 *
 * @returns how the wait ends, or why it goes on
 */
export function decide(
	wait: Wait,
	answer: Answer,
	{ now, appSecrets, countAttempt }: DecisionSurroundings,
): Verdict {
	const { expectation } = wait;
	if (answer.turn !== wait.turn) return refused('earlierTurn');
	if (answer.customerNo !== wait.customerNo) return refused('otherCustomer');
	if (now.getTime() > Date.parse(wait.deadline)) return refused('expired');
	if (expectation.kind === 'button') {
		if (answer.kind !== 'press') return refused('otherKind');
		if (expectation.requireSignedPayload && answer.payloadSignature !== 'valid') {
			return refused('notSigned');
		}
		return decideButton(expectation.buttons, answer.text);
	}
	if (answer.kind !== 'text') return refused('otherKind');
	if (expectation.kind === 'freeText') return taken('answered', answer.text);
	if (expectation.kind === 'code') {
		return decideCode(expectation, answer, appSecrets, countAttempt);
	}
	return refused('otherKind');
}
