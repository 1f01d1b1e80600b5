import { isObject, listFromData, listOf } from '../input/json';
import { addIssues, addProblem } from '../input/problem';
import { lazily, z } from '../lib/zod';
import { enteredRecipient } from '../messages/recipient';
import type { EnteredRecipient } from '../messages/recipient';
import { MAX_PEOPLE } from './people';
import { neededFor } from './rules';
import type { Rule } from './rules';

/* Several people who are to be asked, as they were entered, and the rule by which they decide. */

export const MIN_PEOPLE = 2;

/** Whom a question can go to: SendOTP knows customers alone. */
export type AskablePeople = 'customers' | 'anybody';

/** One of several people, with the keys of that person's devices where the credential's do not count. */
export type EnteredPerson = EnteredRecipient & { personKeys?: unknown };

/** Whether there is anything in what should be keys. */
const hasKeys = (keys: unknown): boolean => {
	if (typeof keys === 'string') return keys.trim() !== '';
	if (Array.isArray(keys)) return keys.length > 0;
	return isObject(keys) && Object.keys(keys).length > 0;
};

/**
 * A person's keys, or undefined where none are asked for.
 *
 * @param empty what is said of keys in which there is nothing, with the advice
 */
export const enteredKeys = (empty: readonly [problem: string, advice: string]) =>
	z
		.unknown()
		.optional()
		.transform((keys, context) =>
			keys === undefined || hasKeys(keys) ? keys : addProblem(context, ...empty),
		);

/** Where only customers can be asked, the fields do not say what the person is. */
const enteredCustomer = lazily(() =>
	z
		.looseObject({})
		.transform((entered) => ({ ...entered, recipientType: 'customer' }))
		.pipe(enteredRecipient()),
);

/** The names under which data gives a person, and which kind of person each gives. */
const NAMES = { customerNo: 'customer', employeeNo: 'employee', userId: 'user' } as const;

const isName = (name: string): name is keyof typeof NAMES => Object.hasOwn(NAMES, name);

/** A person as the fields would have given them. */
const asFields = (people: AskablePeople) =>
	z.unknown().transform((entry, context): unknown => {
		const isNumber = typeof entry === 'string' || typeof entry === 'number';
		if (isNumber && people === 'customers') return { customerNo: entry };
		const names = isObject(entry) ? Object.keys(entry) : [];
		const [name, ...others] = names.filter((each) => each !== 'personKeys');
		if (isObject(entry) && name !== undefined && others.length === 0 && isName(name)) {
			const keys = 'personKeys' in entry && { personKeys: entry.personKeys || null };
			if (people === 'anybody' || name === 'customerNo')
				return { recipientType: NAMES[name], [name]: entry[name], ...keys };
		}
		return addProblem(
			context,
			'does not say who the person is',
			people === 'customers'
				? 'Give a customer number, or an object such as { "customerNo": "70021" }. Employees are asked by the resource Message.'
				: 'Give an object with one of customerNo, employeeNo and userId, e.g. { "employeeNo": "E1007" }.',
		);
	});

/** The field as it is before anything is entered. Of an expression that gives this, null is left (see nothingAsNull). */
const UNTOUCHED = '';

/** A person with keys; an entry without them, or with a field that was left empty, has none. */
const withKeys = (recipient: z.ZodType<EnteredRecipient>) =>
	z
		.looseObject({ personKeys: z.unknown().optional() })
		.transform((entered, context): EnteredPerson => {
			const { data, error } = recipient.safeParse(entered);
			if (!data) return addIssues(context, error);
			const { personKeys } = entered;
			if (hasKeys(personKeys)) return { ...data, personKeys };
			if (!('personKeys' in entered) || personKeys === UNTOUCHED) return data;
			return addProblem(
				context,
				'has empty keys',
				"Give the public keys of the person's devices, or leave the field empty for everybody to use the credential's key.",
			);
		});

/** What the fields about several people hold. */
export const peopleSchema = (askable: AskablePeople) => {
	const person = withKeys(askable === 'customers' ? enteredCustomer() : enteredRecipient());
	return z.object({
		people: z
			.object({ person: listOf(person).default([]) })
			.prefault({})
			.transform((entered) => entered.person),
		peopleJson: listFromData(asFields(askable).pipe(person)),
	});
};

/**
 * Why these people cannot be asked.
 *
 * @returns what the sentence goes on with that the field's label begins
 */
export function peopleProblem(
	people: readonly EnteredPerson[],
): { problem: string; advice: string } | undefined {
	if (people.length < MIN_PEOPLE || people.length > MAX_PEOPLE) {
		return {
			problem: `has ${people.length} ${people.length === 1 ? 'entry' : 'entries'}`,
			advice: `Add ${MIN_PEOPLE} to ${MAX_PEOPLE} people, or choose One Person under Ask.`,
		};
	}
	if (
		new Set(people.map((person) => JSON.stringify({ ...person, personKeys: undefined }))).size ===
		people.length
	)
		return undefined;
	return {
		problem: 'has the same person twice',
		advice: 'Remove one of the two: each person counts once.',
	};
}

/** The rule of a question, and what is wrong with it for so many people. */
export function ruleProblem(
	rule: Rule,
	people: number,
): { problem: string; advice: string } | undefined {
	if (neededFor(rule, people) <= people) return undefined;
	return {
		problem: `is more than the ${people} people who are asked`,
		advice: 'Enter a number up to how many people are asked.',
	};
}
