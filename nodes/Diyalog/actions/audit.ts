import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	INodeProperties,
	IWebhookFunctions,
} from 'n8n-workflow';
import { auditPerson, fingerprintsOf, shownId } from '../audit/people';
import type { AuditPerson, Fingerprints, Named } from '../audit/people';
import { AUDIT_TO } from '../audit/plan';
import type { AuditTo, Origin } from '../audit/plan';
import { lineOf } from '../audit/record';
import type { AuditRecord, Sending } from '../audit/record';
import { codeSentRecord, codeVerifiedRecord, payloadVerifiedRecord } from '../audit/records';
import { customerText } from '../codes/checks';
import type { Verification } from '../codes/verify';
import type { CheckedPayload } from '../deviceSignature/press';
import type { Entered } from '../input/shown';
import { botTokenOf } from '../transport/authenticate';
import type { Message } from './sending';
import type { Settled } from './settled';

/*
 * Audit records, into the item and into n8n's log. Whatever goes wrong with one changes nothing of what it is about.
 */

/** What an item has beside its own, where the option says so. Its comment is what people read in n8n. */
export type Audited = {
	/** the audit record; only with the option Audit Record */
	audit?: object;
};

export const auditOption: INodeProperties = {
	displayName: 'Audit Record',
	name: 'auditRecord',
	type: 'options',
	options: [
		{ name: 'In Both', value: 'both' },
		{ name: 'In the Item', value: 'item', description: 'As the field audit' },
		{
			name: 'In the Log',
			value: 'log',
			description: "As a line of JSON in n8n's log, at the level info",
		},
		{ name: 'Off', value: 'off' },
	],
	default: 'off',
	description:
		'Writes down who did what, when, with which result and which checks. Numbers are masked. Texts and codes are left out.',
};

/** Where records go; undefined for nowhere. What is none of the choices has been refused by then. */
export function auditTo({ options }: Entered): AuditTo | undefined {
	const { auditRecord }: { auditRecord?: unknown } = Object(options);
	return AUDIT_TO.find((each) => each === auditRecord);
}

/** What an action gives, or undefined when it throws. */
export function unlessItThrows<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		return undefined;
	}
}

type Context = IExecuteFunctions | IWebhookFunctions;

/** Makes a record; undefined when that fails, of which the log says no more than that. */
export function makeRecord(context: Context, make: () => AuditRecord): AuditRecord | undefined {
	const record = unlessItThrows(make);
	if (!record)
		unlessItThrows(() => context.logger.error('Diyalog: an audit record could not be made.'));
	return record;
}

/** Writes a record into the log, if it belongs there. */
export function logRecord({ logger }: Context, to: AuditTo, record: AuditRecord | undefined): void {
	if (record && to !== 'item') unlessItThrows(() => logger.info(lineOf(record)));
}

/** What an item has of a record. */
export const inItem = (to: AuditTo, record: AuditRecord | undefined): Audited =>
	record && to !== 'log' ? { audit: record } : {};

/** Writes a record where it belongs. */
function put(context: Context, to: AuditTo, make: () => AuditRecord): Audited {
	const record = makeRecord(context, make);
	logRecord(context, to, record);
	return inItem(to, record);
}

export const fingerprintsWith = (credentials: ICredentialDataDecryptedObject): Fingerprints =>
	fingerprintsOf(unlessItThrows(() => botTokenOf(credentials)));

/** Where this happens. */
export function originOf(context: IExecuteFunctions): Origin {
	const { id: nodeId, name: nodeName } = context.getNode();
	const chosen = (name: string) => String(context.getNodeParameter(name, 0));
	return {
		workflowId: context.getWorkflow().id ?? null,
		executionId: context.getExecutionId() || null,
		nodeId,
		nodeName,
		operation: `${chosen('resource')}.${chosen('operation')}`,
	};
}

const now = (): string => new Date().toISOString();

/** What became of a message, in the words of records. */
export function sendingOf(settled: Settled): Sending {
	if ('result' in settled) return { outcome: 'sent' };
	const { kind, uncertain, partly } = settled.failure;
	if (partly) return { outcome: 'partly', reason: kind };
	return { outcome: uncertain ? 'unknown' : 'notSent', reason: kind };
}

/** Its sending was refused, or could not be permitted. */
export const NOT_PERMITTED: Sending = { outcome: 'notSent', reason: 'notPermitted' };

/** The message with a code, with a record of each time that it is really sent. */
export function withSendRecord(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	entered: Entered,
	message: Message,
): Message {
	const to = auditTo(entered);
	const { added, recipient, messageId, transactionBound = false } = message;
	if (!to || !added) return message;
	const note = (sending: Sending, expiresAt?: string): Audited =>
		put(context, to, () => {
			const fingerprintOf = fingerprintsWith(credentials);
			const person: Named = { kind: 'customer', number: recipient.customerNo ?? '' };
			const about = {
				messageId: shownId(messageId, fingerprintOf),
				people: [auditPerson(person, fingerprintOf)],
				transactionBound,
				...(expiresAt !== undefined && { expiresAt }),
			};
			return codeSentRecord(originOf(context), now(), about, sending);
		});
	const recorded = async (send: () => Promise<Settled>): Promise<Settled> => {
		let isSettled = false;
		try {
			const settled = await send();
			isSettled = true;
			if (!('result' in settled)) {
				note(sendingOf(settled));
				return settled;
			}
			const { result } = settled;
			const audited = note(sendingOf(settled), String(result.expiresAt));
			return { ...settled, result: { ...result, ...audited } };
		} finally {
			if (!isSettled) note(NOT_PERMITTED);
		}
	};
	return { ...message, recorded };
}

/** Whom an operation is about that takes a customer's number. */
function customerIn(customerNo: unknown, fingerprintOf: Fingerprints): AuditPerson[] {
	const number = customerText(customerNo);
	return number === '' ? [] : [auditPerson({ kind: 'customer', number }, fingerprintOf)];
}

/** Verifies a code, with a record of it. */
export async function withVerifyRecord(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	entered: Entered,
	verify: () => Promise<Verification>,
): Promise<Verification & Audited> {
	const to = auditTo(entered);
	if (!to) return await verify();
	const note = (verification?: Verification): Audited =>
		put(context, to, () => {
			const fingerprintOf = fingerprintsWith(credentials);
			const about = {
				messageId: shownId(verification?.messageId, fingerprintOf),
				people: customerIn(entered.customerNo, fingerprintOf),
			};
			return codeVerifiedRecord(originOf(context), now(), about, verification);
		});
	let isVerified = false;
	try {
		const verification = await verify();
		isVerified = true;
		return { ...verification, ...note(verification) };
	} finally {
		if (!isVerified) note();
	}
}

/** What the item of a verified payload has of its record. */
export function recordOfPayload(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	entered: Entered,
	{ messageId, customerNo }: { messageId: string; customerNo: string | null },
	checked: CheckedPayload,
): Audited {
	const to = auditTo(entered);
	if (!to) return {};
	return put(context, to, () => {
		const fingerprintOf = fingerprintsWith(credentials);
		const about = {
			messageId: shownId(messageId, fingerprintOf),
			people: customerIn(customerNo, fingerprintOf),
		};
		return payloadVerifiedRecord(originOf(context), now(), about, checked);
	});
}
