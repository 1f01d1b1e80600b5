import { lazily, z } from '../lib/zod';
import { evidenceSchema } from './evidence';
import type { Evidence } from './evidence';
import type { Rule } from './rules';

/* Several people who are asked one question: who they are, and what they have said so far. */

/** So many can be asked one question. */
export const MAX_PEOPLE = 50;

/** Whom SendMessage sends a message to; SendOTP takes the customer's number. */
export const messageToSchema = lazily(() =>
	z.union([
		z.strictObject({ appCustomerId: z.string() }),
		z.strictObject({ appStaffId: z.string() }),
		z.strictObject({ id: z.string() }),
	]),
);

const personSchema = lazily(() =>
	z.object({
		/** the number or id under which the person was asked */
		recipient: z.string(),
		/** the customer's number; null where the message was sent to an employee, or to an id of Diyalog */
		customerNo: z.string().min(1).nullable(),
		employeeNo: z.string().optional(),
		/** the person's id in Diyalog, from the response to the message */
		userId: z.string().min(1).optional(),
		messageTo: messageToSchema().optional(),
		/** when the message left, ISO 8601 */
		sentAt: z.string().optional(),
		messageId: z.string(),
		/** the keys of the person's own devices, in place of the credential's */
		personKeys: z.unknown().optional(),
		/** why the message was not sent, or may not have arrived */
		unreached: z.string().optional(),
		/** the message may have arrived all the same */
		uncertain: z.boolean().optional(),
	}),
);

/** One of several people who are asked. */
export type Person = z.output<ReturnType<typeof personSchema>>;

const givenAnswerSchema = lazily(() =>
	z.object({
		/** which of the people */
		person: z.number().int(),
		decision: z.enum(['approved', 'declined', 'reported', 'chosen', 'answered']),
		value: z.string().nullable(),
		/** the person's id in Diyalog */
		userId: z.string(),
		payloadSignature: z.enum(['notChecked', 'valid', 'invalid']),
		/** ISO 8601 */
		respondedAt: z.string(),
		/** where the answer had to be signed */
		evidence: evidenceSchema().optional(),
		/** tells this answer from others */
		proof: z.string(),
	}),
);

/** What one of them has answered; the first answer of a person counts. */
export type GivenAnswer = z.output<ReturnType<typeof givenAnswerSchema>>;

export const givenAnswersSchema = lazily(() => z.array(givenAnswerSchema()));

const ruleSchema = lazily(
	(): z.ZodType<Rule> =>
		z.discriminatedUnion('kind', [
			z.object({ kind: z.literal('first') }),
			z.object({ kind: z.literal('everyone') }),
			z.object({ kind: z.literal('atLeast'), count: z.number().int().min(1) }),
			z.object({ kind: z.literal('majority') }),
		]),
);

export const groupSchema = lazily(() =>
	z.object({
		rule: ruleSchema(),
		people: z.array(personSchema()),
		answers: givenAnswersSchema(),
	}),
);

/** The people of a question, the rule by which they decide, and their answers in the order of being taken. */
export type Group = z.output<ReturnType<typeof groupSchema>>;

/**
 * Whether answers of a person can count. Of a message that may have arrived nobody knows the id in Diyalog of who got it, so the
 * customer's number has to tell.
 */
export const canAnswer = ({ unreached, uncertain, customerNo }: Person): boolean =>
	unreached === undefined || (uncertain === true && customerNo !== null);

/** What the item says of one of several people. Its comments are what people read in n8n. */
export type PersonInItem = {
	/** the number or ID under which the person was asked */
	recipient: string;
	/** null for an employee, or a person who was asked by the ID of Diyalog */
	customerNo: string | null;
	/** only for an employee */
	employeeNo?: string;
};

/** What the item says of all of them. */
export type PeopleInItem = {
	/** their answers, in the order in which they came; the first answer of a person counts */
	answers: Array<
		PersonInItem & Omit<GivenAnswer, 'person' | 'proof' | 'evidence'> & { evidence?: Evidence }
	>;
	/** the people who got the message and did not answer */
	unanswered: PersonInItem[];
	/** the people who could not be sent the message, or may not have got it, with the reason */
	unreached: Array<PersonInItem & { reason: string }>;
};

const inItem = ({ recipient, customerNo, employeeNo }: Person): PersonInItem => ({
	recipient,
	customerNo,
	...(employeeNo !== undefined && { employeeNo }),
});

/** What the item says of the people of a question. */
export function peopleInItem({ people, answers }: Group): PeopleInItem {
	const open = people.filter((_, index) => !answers.some(({ person }) => person === index));
	return {
		answers: answers.flatMap(({ person: index, decision, value, userId, ...given }) => {
			const person = people[index];
			const { payloadSignature, respondedAt, evidence } = given;
			const answer = { userId, decision, value, payloadSignature, respondedAt };
			return person ? [{ ...inItem(person), ...answer, ...(evidence && { evidence }) }] : [];
		}),
		unanswered: open.filter(({ unreached }) => unreached === undefined).map(inItem),
		unreached: open.flatMap((person) =>
			person.unreached === undefined ? [] : [{ ...inItem(person), reason: person.unreached }],
		),
	};
}
