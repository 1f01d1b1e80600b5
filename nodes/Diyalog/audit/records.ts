import type { Verification } from '../codes/verify';
import type { CheckedPayload, PayloadSignature } from '../deviceSignature/press';
import type { Expectation, RefusalReason, Wait } from '../wait/decide';
import type { Ending } from '../wait/outcome';
import type { Answer } from '../wait/passedOnAnswer';
import type { GivenAnswer, Group } from '../wait/people';
import { neededFor } from '../wait/rules';
import { checksOfAnswer, checksOfCode, CHECKS_OF_LINK } from './checks';
import type { AuditPerson } from './people';
import type { AuditPlan, Origin } from './plan';
import type {
	AnswerBy,
	AskedPerson,
	AuditEvent,
	AuditRecord,
	DeviceSigned,
	Sending,
	SignedWith,
} from './record';

/* The records, made of what the operations know anyway. */

/** What every record begins with. */
const beginning = (event: AuditEvent, at: string, origin: Origin) =>
	({ audit: 'diyalog', version: 1, event, at, ...origin }) as const;

/** A code was sent, or was to be. */
export const codeSentRecord = (
	origin: Origin,
	at: string,
	sent: {
		messageId: string | null;
		people: AuditPerson[];
		transactionBound: boolean;
		expiresAt?: string;
	},
	sending: Sending,
): AuditRecord => ({ ...beginning('codeSent', at, origin), ...sent, ...sending });

/**
 * A code was verified.
 *
 * @param verification undefined when that failed, and nobody knows whether the code is right
 */
export function codeVerifiedRecord(
	origin: Origin,
	at: string,
	about: { messageId: string | null; people: AuditPerson[] },
	verification: Verification | undefined,
): AuditRecord {
	const record = { ...beginning('codeVerified', at, origin), ...about };
	if (!verification) return { ...record, outcome: 'error' };
	const { reason, attemptsLeft } = verification;
	return { ...record, outcome: reason, checks: checksOfCode(reason), attemptsLeft };
}

const signedWith = (evidence: SignedWith): SignedWith => ({
	format: evidence.format,
	algorithm: evidence.algorithm,
	keyThumbprint: evidence.keyThumbprint,
});

/** A signed payload was verified. */
export const payloadVerifiedRecord = (
	origin: Origin,
	at: string,
	about: { messageId: string | null; people: AuditPerson[] },
	{ payloadSignature, reason, evidence }: CheckedPayload,
): AuditRecord => ({
	...beginning('payloadVerified', at, origin),
	...about,
	outcome: payloadSignature === 'valid' ? 'valid' : 'invalid',
	...(reason !== undefined && { reason }),
	checks: {
		deviceSignature: payloadSignature,
		...(evidence && { signature: signedWith(evidence) }),
	},
});

const ANSWER_BY: Readonly<Record<Expectation['kind'], AnswerBy>> = {
	button: 'tap',
	link: 'link',
	freeText: 'text',
	code: 'code',
	receipt: 'receipt',
};

const ruleOf = ({ rule, people }: Group): AuditRecord['rule'] => ({
	kind: rule.kind,
	needed: neededFor(rule, people.length),
});

function sendingTo({ people }: Group, index: number): Pick<AskedPerson, 'sending'> {
	const person = people[index];
	if (!person) return {};
	// Diyalog has taken the message of a person who turned out to be the same as another one.
	if (person.unreached === undefined || person.userId !== undefined) return { sending: 'sent' };
	return { sending: person.uncertain ? 'unknown' : 'notSent' };
}

const deviceSigned = ({
	payloadSignature,
	evidence,
}: Pick<Ending, 'payloadSignature' | 'evidence'>): DeviceSigned => ({
	...(payloadSignature !== null && { deviceSignature: payloadSignature }),
	...(evidence && { signature: signedWith(evidence) }),
});

function answerOf({ answers }: Group, index: number): Partial<AskedPerson> {
	const given = answers.find(({ person }) => person === index);
	if (!given) return {};
	const { decision, respondedAt } = given;
	return { decision, respondedAt, ...deviceSigned(given) };
}

/** What is the same in all records of a question. */
const aboutQuestion = ({ expectation, messageId, deadline, group }: Wait) => ({
	messageId,
	answerBy: ANSWER_BY[expectation.kind],
	...(expectation.kind === 'button' && { signatureRequired: expectation.requireSignedPayload }),
	...(group && { rule: ruleOf(group) }),
	deadline,
});

/**
 * A question was asked, or was to be.
 *
 * @param wait of several people with what became of each, where that is known
 */
export function askedRecord(
	{ origin, people }: AuditPlan,
	wait: Wait,
	at: string,
	sending: Sending,
): AuditRecord {
	const { group, expiresAt } = wait;
	// Of a sending that has failed as a whole nothing says what became of each person.
	const isKnown = sending.reason === undefined;
	return {
		...beginning('asked', at, origin),
		...aboutQuestion(wait),
		people:
			group && isKnown
				? people.map((person, index) => ({ ...person, ...sendingTo(group, index) }))
				: people,
		...sending,
		...(expiresAt !== undefined && { expiresAt }),
	};
}

function checksOfEnding({ expectation, group }: Wait, ending: Ending): AuditRecord['checks'] {
	if (expectation.kind === 'link') return CHECKS_OF_LINK;
	// The last code that could be tried was looked at, and wrong.
	const fault = ending.decision === 'tooManyAttempts' ? 'wrongCode' : undefined;
	return { ...checksOfAnswer(expectation, group !== undefined, fault), ...deviceSigned(ending) };
}

/**
 * A question has ended.
 *
 * @param at when; of one that nobody answered its deadline
 */
export function endedRecord(
	{ origin, people }: AuditPlan,
	wait: Wait,
	ending: Ending,
	at: string,
): AuditRecord {
	const { group } = wait;
	const { decision, reason, respondedAt } = ending;
	return {
		...beginning('ended', at, origin),
		...aboutQuestion(wait),
		people: group
			? people.map((person, index) => ({
					...person,
					...sendingTo(group, index),
					...answerOf(group, index),
				}))
			: people,
		outcome: decision,
		...(reason !== undefined && { reason }),
		...(respondedAt !== null && { respondedAt, checks: checksOfEnding(wait, ending) }),
	};
}

/** Whose question an answer belongs to: the message says so. */
const askedOf = (people: readonly AuditPerson[], wait: Wait, number: number): AuditPerson[] => {
	const asked = wait.group ? people[number] : people[0];
	return asked ? [asked] : [];
};

/**
 * What the waiting node has found of a signature that it requires, by the reason for which it then took no answer. For any
 * other reason it has not come to the signature.
 */
const FOUND_OF_SIGNATURE: Partial<Record<RefusalReason, PayloadSignature>> = {
	notSigned: 'invalid',
	notIssued: 'valid',
	alreadyAnswered: 'valid',
	tooLong: 'valid',
};

/**
 * An answer was not taken.
 *
 * @param isCheckable whether the credential still says how signatures are checked
 */
export function refusedRecord(
	{ origin, people }: AuditPlan,
	wait: Wait,
	{ number, occurredAt: respondedAt, payloadSignature }: Answer,
	reason: RefusalReason | 'notWaiting',
	by: AuditPerson,
	at: string,
	isCheckable: boolean,
): AuditRecord {
	const { expectation, group, wrongCodes } = wait;
	const record = {
		...beginning('answered', at, origin),
		...aboutQuestion(wait),
		// The number counts the people of that turn, who may have been others.
		people: reason === 'earlierTurn' ? [] : askedOf(people, wait, number),
		by,
		outcome: 'refused' as const,
		reason,
		respondedAt,
	};
	if (reason === 'notWaiting') return record;
	const isAsked = expectation.kind === 'button' && expectation.requireSignedPayload;
	const found = reason === 'notSigned' && !isCheckable ? 'notChecked' : FOUND_OF_SIGNATURE[reason];
	const deviceSignature = isAsked ? found : payloadSignature;
	const checks = {
		...checksOfAnswer(expectation, group !== undefined, reason),
		...(deviceSignature && { deviceSignature }),
	};
	if (reason !== 'wrongCode' || expectation.kind !== 'code') return { ...record, checks };
	const attempts = Math.max(wrongCodes, number) + 1;
	return { ...record, checks, attemptsLeft: Math.max(0, expectation.maxAttempts - attempts) };
}

/** An answer of one of several people counts. */
export function countedRecord(
	{ origin, people }: AuditPlan,
	wait: Wait,
	given: GivenAnswer,
	by: AuditPerson,
	at: string,
): AuditRecord {
	const { person, decision, respondedAt } = given;
	return {
		...beginning('answered', at, origin),
		...aboutQuestion(wait),
		people: askedOf(people, wait, person),
		by,
		outcome: 'counted',
		decision,
		checks: { ...checksOfAnswer(wait.expectation, true), ...deviceSigned(given) },
		respondedAt,
	};
}
