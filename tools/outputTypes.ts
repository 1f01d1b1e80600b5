import type { Audited } from '../nodes/Diyalog/actions/audit';
import type { SentMessage } from '../nodes/Diyalog/actions/sending';
import type { SignedPayloadVerification } from '../nodes/Diyalog/actions/signedPayload/verify.operation';
import type { KeptChallenge } from '../nodes/Diyalog/codes/challenge';
import type { Verification } from '../nodes/Diyalog/codes/verify';
import type { Recipient } from '../nodes/Diyalog/messages/recipient';
import type { TriggerItem } from '../nodes/Diyalog/trigger/handleWebhook';
import type { Outcome } from '../nodes/Diyalog/wait/outcome';

/*
 * What comes out of the nodes, as the types that they work with say it. An item with an error is n8n's own.
 */

/** SendOTP reaches customers alone. */
interface Customer {
	customerNo: string;
}

type SentOtp = Customer & SentMessage & Partial<KeptChallenge> & Audited;

type Sent = Recipient & SentMessage;

/** Of several customers none has decided when the time is up. */
type OtpOutcome = Omit<Outcome<string>, 'customerNo' | 'employeeNo'> &
	Pick<Outcome, 'customerNo'> &
	Audited;

type MessageOutcome = Omit<Outcome, keyof KeptChallenge> & Audited;

/**
 * By where n8n looks for a schema below the folder of a node: the node's version, its resource and operation. Both nodes lie
 * in one folder, and are told apart by their versions.
 */
export interface OutputTypes {
	'v1.0.0/message/send': Sent;
	'v1.0.0/message/sendAndWait': MessageOutcome;
	'v1.0.0/message/sendAppTrigger': Sent;
	'v1.0.0/message/sendCarousel': Sent;
	'v1.0.0/message/sendDocument': Sent;
	'v1.0.0/otp/send': SentOtp;
	'v1.0.0/otp/sendAndWait': OtpOutcome;
	'v1.0.0/otp/verify': Verification & Audited;
	'v1.0.0/signedPayload/verify': SignedPayloadVerification & Audited;
	/** The editor does not store defaults. Without this n8n's AI builder would take the trigger's for that of the default. */
	'v1.0.0/output': SentOtp;
	'v2.0.0/output': TriggerItem;
}
