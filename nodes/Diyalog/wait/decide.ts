import { deriveKey, hmacSha256, isUnderOneOf } from '../lib/crypto';
import { parsePress } from '../events/press';
import { normaliseCode } from '../codes/code';
import { lazily, z } from '../lib/zod';
import { isApproval } from './decisions';
import type { Decision } from './decisions';
import { readSigned } from './evidence';
import type { Evidence, SignatureCheck } from './evidence';
import type { Answer } from './passedOnAnswer';
import { groupSchema, messageToSchema } from './people';

/*
 * What an execution waits for, and whether an answer is it. Whatever is not refused here decides about somebody's money,
 * so everything is compared with what was sent: the turn, the person, the payload, the time.
 */

const issuedButtonSchema = lazily(() =>
	z.object({
		payload: z.string(),
		title: z.string(),
		decision: z.enum(['approved', 'declined', 'reported', 'chosen']),
		/** what the workflow gets, e.g. the value of a choice */
		value: z.string(),
	}),
);

/** A button as it was sent, and what pressing it means. */
export type IssuedButton = z.output<ReturnType<typeof issuedButtonSchema>>;

const expectationSchema = lazily(() =>
	z.discriminatedUnion('kind', [
		z.object({
			kind: z.literal('button'),
			buttons: z.array(issuedButtonSchema()),
			/** take only a payload that the person's device has signed validly */
			requireSignedPayload: z.boolean(),
		}),
		z.object({
			kind: z.literal('link'),
			/** opened on the device; the payload says which link it was */
			buttons: z.array(issuedButtonSchema()),
		}),
		z.object({ kind: z.literal('freeText') }),
		z.object({
			kind: z.literal('code'),
			/** keyed digest of the expected code: the execution's record must not hold it */
			codeDigest: z.string(),
			maxAttempts: z.number().int(),
			wrongCodeReply: z.string(),
		}),
		/** no answer at all: Diyalog's word that the message is on the phone */
		z.object({ kind: z.literal('receipt') }),
	]),
);

/** What is taken as an answer. */
export type Expectation = z.output<ReturnType<typeof expectationSchema>>;

const waitSchema = lazily(() =>
	z.object({
		/** of the message that is waited for now; an older one belongs to an earlier turn of a loop */
		turn: z.string(),
		/** which asked, and which answers find */
		executionId: z.string().optional(),
		/** tells apart each time that it is waited for this answer */
		state: z.string().optional(),
		/** the customer's number; null where the message was sent to an employee, or to an id of Diyalog */
		customerNo: z.string().min(1).nullable(),
		employeeNo: z.string().optional(),
		/** the person's id in Diyalog, from the response to the message */
		userId: z.string().min(1).optional(),
		/** how SendMessage names the person; SendOTP takes the customer's number */
		messageTo: messageToSchema().optional(),
		messageId: z.string(),
		messageIdPrefix: z.string(),
		/** ISO 8601 */
		sentAt: z.string(),
		/** ISO 8601 */
		deadline: z.string(),
		expectation: expectationSchema(),
		/** of the code in the message, for verifying it; only where there is one */
		challenge: z.string().optional(),
		/** until when that code is accepted, ISO 8601 */
		expiresAt: z.string().optional(),
		/** how many wrong codes have been given so far */
		wrongCodes: z.number().int().default(0),
		/** the proof of the last of them */
		lastWrongCode: z.string().optional(),
		/** what all who were asked are told when it is decided */
		decidedReply: z.string().optional(),
		/** what a person is told whose answer cannot be used */
		wrongReply: z.string().optional(),
		/** the keys of the person's own devices, in place of the credential's; any of them may sign */
		personKeys: z.unknown().optional(),
		/** the text as it was sent, where it is kept as evidence */
		evidenceText: z.string().optional(),
		/** of the audit records that it is to have, where they go and what they say from the start */
		audit: z.unknown().optional(),
		/** who was asked, where that are several people */
		group: groupSchema().optional(),
	}),
);

/** What an execution waits for, as it is stored with it. */
export type Wait = z.output<ReturnType<typeof waitSchema>>;

/** Reads a stored wait; undefined when there is none. */
export const readWait = (stored: unknown): Wait | undefined => waitSchema().safeParse(stored).data;

/** Why an answer was not taken and the execution keeps waiting. */
export type RefusalReason =
	| 'earlierTurn'
	| 'otherPerson'
	| 'expired'
	| 'otherKind'
	| 'notIssued'
	| 'notSigned'
	| 'alreadyAnswered'
	| 'tooLong'
	| 'wrongCode';

/** Whether an answer ends the wait, and how. */
export type Verdict =
	| {
			accepted: true;
			decision: Decision;
			approved: boolean;
			value: string | null;
			/** where the answer had to be signed */
			evidence?: Evidence;
	  }
	| { accepted: false; reason: RefusalReason };

const refused = (reason: RefusalReason): Verdict => ({ accepted: false, reason });

const taken = (decision: Decision, value: string | null): Verdict => ({
	accepted: true,
	decision,
	approved: isApproval(decision),
	value,
});

/** What pressing an issued button means; refused when the payload was not issued. */
export function decideButton(buttons: readonly IssuedButton[], payload: string): Verdict {
	const button = buttons.find((each) => each.payload === payload);
	return button ? taken(button.decision, button.value) : refused('notIssued');
}

/** The signature is checked here, whatever the trigger found: it knows neither the person's keys nor what was issued. */
function decideSignedButton(
	asked: Wait & { buttons: readonly IssuedButton[] },
	{ text, signedPayload = text, customerNo, occurredAt: respondedAt }: Answer,
	checkSignature: SignatureCheck,
	now: Date,
): Verdict {
	const { buttons } = asked;
	const question = { ...asked, issued: buttons.map(({ payload }) => payload) };
	const given = { payload: signedPayload, customerNo, respondedAt };
	const signed = readSigned(question, given, checkSignature, now);
	if (!signed) return refused('notSigned');
	const verdict = decideButton(buttons, signed.payload);
	const button = buttons.find(({ payload }) => payload === signed.payload)?.title ?? '';
	return verdict.accepted ? { ...verdict, evidence: { ...signed.evidence, button } } : verdict;
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
	{ turn, text, number }: Answer,
	wrongCodes: number,
	appSecrets: readonly string[],
): Verdict {
	const attempts = Math.max(wrongCodes, number) + 1;
	if (attempts > maxAttempts) return taken('tooManyAttempts', null);
	// Nothing that was typed may fit a code that is none.
	const isCode = normaliseCode(text) !== '';
	const matches = isUnderOneOf(appSecrets, Buffer.from(expected), (secret) =>
		Buffer.from(codeDigest(text, turn, secret)),
	);
	if (matches && isCode) return taken('codeMatched', null);
	return attempts >= maxAttempts ? taken('tooManyAttempts', null) : refused('wrongCode');
}

/**
 * How much later than it was given an answer may arrive: Diyalog gathers events for up to 5 seconds, and is given as much
 * again for the way.
 * Source: https://diyalog-im.github.io/docs/webhook
 */
const GRACE_MS = 10_000;

/**
 * When the execution goes on by itself. A receipt is given no time for its way: what it is waited for, is better done too
 * early than too late, and says nothing that a later receipt could contradict.
 */
export const endsAtMs = ({ deadline, expectation }: Pick<Wait, 'deadline' | 'expectation'>) =>
	Date.parse(deadline) + (expectation.kind === 'receipt' ? 0 : GRACE_MS);

/**
 * n8n looks once a minute for waits that end within the next 70 seconds, and sets a timer (2.41: wait-tracker.js). It ends with it
 * whatever the execution waits for at that time, also the next question. So n8n is told a later time, at which nobody can answer any more,
 * and the node ends its question itself.
 */
const N8N_LOOKS_AHEAD_MS = 70_000;
/** What n8n may take to store that an execution goes on. */
const N8N_STORES_WITHIN_MS = 10_000;
/** What n8n may hold up a call that came in time. */
const N8N_HOLDS_UP_MS = 10_000;

/** From when on n8n may be about to end the wait. */
export const n8nLooksFromMs = (wait: Pick<Wait, 'deadline' | 'expectation'>): number =>
	endsAtMs(wait) + N8N_HOLDS_UP_MS;

/** When n8n ends the wait, if the node could not. */
export const n8nEndsAt = (wait: Pick<Wait, 'deadline' | 'expectation'>): Date =>
	new Date(n8nLooksFromMs(wait) + N8N_STORES_WITHIN_MS + N8N_LOOKS_AHEAD_MS);

/** Given in time, and no later here than Diyalog's batches explain. */
function isInTime({ deadline }: Wait, { occurredAt }: Answer, now: Date): boolean {
	const lateMs = now.getTime() - Date.parse(deadline);
	return lateMs <= 0 || (lateMs <= GRACE_MS && Date.parse(occurredAt) <= Date.parse(deadline));
}

/**
 * Whether an answer comes from the person who was asked. The id of Diyalog tells that wherever it is known. The customer's
 * number has to fit as well, where both have one; what stands there for employees means nothing.
 */
function isFromWhoWasAsked(
	asked: Pick<Wait, 'customerNo' | 'messageTo' | 'userId'>,
	{ customerNo, userId }: Answer,
): boolean {
	const isOtherCustomer =
		asked.customerNo !== null && customerNo !== null && asked.customerNo !== customerNo;
	if (isOtherCustomer) return false;
	// Diyalog may have said that somebody else got it.
	if (asked.messageTo && 'id' in asked.messageTo && asked.messageTo.id !== userId) return false;
	if (asked.userId !== undefined) return asked.userId === userId;
	// Of a question of an earlier release, or when Diyalog has not said who got the message.
	return asked.customerNo !== null && asked.customerNo === customerNo;
}

/** What a decision needs beside wait and answer. */
export interface DecisionSurroundings {
	now: Date;
	/** of the credential: the App Secret, and while it is being changed the previous one */
	appSecrets: readonly string[];
	checkSignature: SignatureCheck;
}

/**
 * Decides about an answer that an authenticated trigger has passed on.
 *
 * @returns how the wait ends, or why it goes on
 */
export function decide(
	wait: Wait,
	answer: Answer,
	{ now, appSecrets, checkSignature }: DecisionSurroundings,
): Verdict {
	const { expectation } = wait;
	if (answer.turn !== wait.turn) return refused('earlierTurn');
	if (!isFromWhoWasAsked(wait, answer)) return refused('otherPerson');
	if (!isInTime(wait, answer, now)) return refused('expired');
	if (expectation.kind === 'receipt') {
		if (answer.kind !== 'receipt') return refused('otherKind');
		return taken('delivered', answer.text === 'read' ? 'read' : 'delivered');
	}
	if (expectation.kind === 'button') {
		if (answer.kind !== 'press') return refused('otherKind');
		const { buttons, requireSignedPayload } = expectation;
		if (!requireSignedPayload) return decideButton(buttons, answer.text);
		return decideSignedButton({ ...wait, buttons }, answer, checkSignature, now);
	}
	if (answer.kind !== 'text') return refused('otherKind');
	if (expectation.kind === 'freeText') return taken('answered', answer.text);
	if (expectation.kind === 'code') {
		// The press of another message is no guess.
		if (parsePress(answer.text)) return refused('otherKind');
		return decideCode(expectation, answer, wait.wrongCodes, appSecrets);
	}
	return refused('otherKind');
}
