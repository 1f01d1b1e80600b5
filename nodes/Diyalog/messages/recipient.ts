import { requiredIdentifier } from '../input/schemas';
import { lazily, z } from '../lib/zod';

/*
 * Whom a message of SendMessage is for.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

/** A person as SendMessage takes it: a customer, an employee, or either by the id that Diyalog gave. */
export type DiyalogRecipient = { appCustomerId: string } | { appStaffId: string } | { id: string };

/** What the fields about the recipient hold, under their own names. */
export const enteredRecipient = lazily(() =>
	z.discriminatedUnion('recipientType', [
		z.object({
			recipientType: z.literal('customer'),
			customerNo: requiredIdentifier("Enter the customer's number in your company's system."),
		}),
		z.object({
			recipientType: z.literal('employee'),
			employeeNo: requiredIdentifier("Enter the employee's number in your company's system."),
		}),
		z.object({
			recipientType: z.literal('user'),
			userId: requiredIdentifier("Enter the person's ID in Diyalog, e.g. userId of an event."),
		}),
	]),
);

/** A recipient as the fields say it. */
export type EnteredRecipient = z.output<ReturnType<typeof enteredRecipient>>;

/** What the fields about the recipient hold, as SendMessage takes it. */
export const recipientSchema = lazily(() =>
	enteredRecipient().transform((entered): { recipient: DiyalogRecipient } => {
		if (entered.recipientType === 'customer')
			return { recipient: { appCustomerId: entered.customerNo } };
		if (entered.recipientType === 'employee')
			return { recipient: { appStaffId: entered.employeeNo } };
		return { recipient: { id: entered.userId } };
	}),
);

/** Whom a message is for, as its item says it. */
export interface Recipient {
	/** the customer's number in the company's system; null for an employee, or where it is not known */
	customerNo: string | null;
	/** only for an employee */
	employeeNo?: string;
}

/** What an item says of a recipient. */
export const recipientInItem = (recipient: DiyalogRecipient): Recipient => {
	if ('appStaffId' in recipient) return { customerNo: null, employeeNo: recipient.appStaffId };
	return { customerNo: 'appCustomerId' in recipient ? recipient.appCustomerId : null };
};
