import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IExecuteFunctions,
	IWebhookFunctions,
} from 'n8n-workflow';
import { auditPerson } from '../../audit/people';
import type { Named } from '../../audit/people';
import { readPlan } from '../../audit/plan';
import type { AuditPlan } from '../../audit/plan';
import type { Sending } from '../../audit/record';
import { askedRecord, countedRecord, endedRecord, refusedRecord } from '../../audit/records';
import type { Entered } from '../../input/shown';
import type { RefusalReason, Wait } from '../../wait/decide';
import { outcomeOf } from '../../wait/outcome';
import type { Ending, Outcome } from '../../wait/outcome';
import type { Answer, Reception, TakenAnswer } from '../../wait/passedOnAnswer';
import type { GivenAnswer } from '../../wait/people';
import {
	auditTo,
	fingerprintsWith,
	inItem,
	logRecord,
	makeRecord,
	NOT_PERMITTED,
	originOf,
	sendingOf,
	unlessItThrows,
} from '../audit';
import type { Audited } from '../audit';
import type { Message } from '../sending';
import type { Settled } from '../settled';

/* The audit records of a question: asked, answered in vain or as one of several, ended. */

const whoIsAsked = ({ recipient, messageTo }: Message): Named => {
	const { customerNo, employeeNo } = recipient;
	if (customerNo !== null) return { kind: 'customer', number: customerNo };
	if (employeeNo !== undefined) return { kind: 'employee', number: employeeNo };
	return { kind: 'diyalogUser', number: messageTo && 'id' in messageTo ? messageTo.id : '' };
};

/** What is stored with a question for its records; nothing where it is to have none. */
export function planRecords(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	entered: Entered,
	messages: readonly Message[],
): { audit?: AuditPlan } {
	const to = auditTo(entered);
	if (!to) return {};
	const fingerprintOf = fingerprintsWith(credentials);
	const plan = unlessItThrows(() => {
		const people = messages.map((message) => auditPerson(whoIsAsked(message), fingerprintOf));
		return { audit: { to, origin: originOf(context), people } };
	});
	if (!plan)
		unlessItThrows(() => context.logger.error('Diyalog: an audit record could not be made.'));
	return plan ?? {};
}

const now = (): string => new Date().toISOString();

/** What asking came to: some of several people may not have got the message. */
function sendingOfAll(asked: { wait: Wait } | Settled): Sending {
	if (!('wait' in asked)) return sendingOf(asked);
	const { people = [] } = asked.wait.group ?? {};
	const isPartly = people.some(({ userId }) => userId === undefined);
	return { outcome: isPartly ? 'partly' : 'sent' };
}

/**
 * Asks, with a record of it.
 *
 * @param isKnown nothing is sent: what became of the message is known from an earlier try, and recorded
 */
export async function withAskedRecord<T extends { wait: Wait } | Settled>(
	context: IExecuteFunctions,
	wait: Wait,
	isKnown: boolean,
	ask: () => Promise<T>,
): Promise<T> {
	const plan = readPlan(wait.audit);
	if (!plan || plan.to === 'item' || isKnown) return await ask();
	const note = (sending: Sending, about: Wait): void =>
		logRecord(
			context,
			plan.to,
			makeRecord(context, () => askedRecord(plan, about, now(), sending)),
		);
	let isSettled = false;
	try {
		const asked = await ask();
		isSettled = true;
		note(sendingOfAll(asked), 'wait' in asked ? asked.wait : wait);
		return asked;
	} finally {
		if (!isSettled) note(NOT_PERMITTED, wait);
	}
}

/** Of a question that nobody answers n8n lets the stored item out, at a time when no code of this node runs. */
const recordOf = (plan: AuditPlan, wait: Wait, ending: Ending, at = wait.deadline) =>
	endedRecord(plan, wait, ending, at);

/**
 * The JSON of the one item that comes out of a wait, with its record.
 *
 * @param at when it has ended; the deadline unless told otherwise
 */
export function itemOf(
	wait: Wait,
	ending: Ending,
	input: IDataObject,
	at?: string,
): Outcome & Audited {
	const outcome = outcomeOf(wait, ending, input);
	const plan = readPlan(wait.audit);
	if (!plan) return outcome;
	const record = unlessItThrows(() => recordOf(plan, wait, ending, at));
	return { ...outcome, ...inItem(plan.to, record) };
}

/** Writes into the log that a question has ended. */
export function logEnded(
	context: IExecuteFunctions | IWebhookFunctions,
	wait: Wait,
	ending: Ending,
	at?: string,
): void {
	const plan = readPlan(wait.audit);
	if (!plan || plan.to === 'item') return;
	logRecord(
		context,
		plan.to,
		makeRecord(context, () => recordOf(plan, wait, ending, at)),
	);
}

/** Of these there is a line; of what is tried again, or was counted before, there is none. */
const RECORDED = {
	earlierTurn: true,
	otherPerson: true,
	expired: true,
	otherKind: true,
	notIssued: true,
	notSigned: true,
	alreadyAnswered: true,
	tooLong: true,
	wrongCode: true,
	notWaiting: true,
} satisfies Record<RefusalReason | 'notWaiting', true>;

const isRecorded = (reason: string): reason is keyof typeof RECORDED =>
	Object.hasOwn(RECORDED, reason);

/** What stands in the place of a customer's number means nothing where no customer was asked. */
function whoAnswers(
	{ customerNo, group }: Wait,
	{ customerNo: said, number, userId }: Answer,
	reason: RefusalReason | 'notWaiting',
): Named {
	const asked = group ? group.people[number]?.customerNo : customerNo;
	return asked && said && reason !== 'earlierTurn'
		? { kind: 'customer', number: said }
		: { kind: 'diyalogUser', number: userId };
}

/**
 * Writes into the log which answers of a call were not taken, and which of several people's count.
 *
 * @param counted those that did not count before
 * @param isCheckable whether signatures can be checked now with these keys of a person
 */
export function logAnswers(
	context: IWebhookFunctions,
	credentials: ICredentialDataDecryptedObject,
	wait: Wait,
	taken: readonly TakenAnswer[],
	receptions: readonly Reception[],
	counted: readonly GivenAnswer[],
	isCheckable: (personKeys: unknown) => boolean,
): void {
	const plan = readPlan(wait.audit);
	if (!plan || plan.to === 'item') return;
	const fingerprintOf = fingerprintsWith(credentials);
	const by = (named: Named) => auditPerson(named, fingerprintOf);
	for (const given of counted) {
		const who: Named = { kind: 'diyalogUser', number: given.userId };
		const make = () => countedRecord(plan, wait, given, by(who), now());
		logRecord(context, plan.to, makeRecord(context, make));
	}
	for (const [index, { answer, proof }] of taken.entries()) {
		const reception = receptions[index];
		if (!answer || !reception || reception.accepted || proof === wait.lastWrongCode) continue;
		const { reason } = reception;
		if (!isRecorded(reason)) continue;
		const { personKeys } = wait.group ? (wait.group.people[answer.number] ?? {}) : wait;
		const who = by(whoAnswers(wait, answer, reason));
		const make = () =>
			refusedRecord(plan, wait, answer, reason, who, now(), isCheckable(personKeys));
		logRecord(context, plan.to, makeRecord(context, make));
	}
}
