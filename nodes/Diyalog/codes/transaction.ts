import { listOf } from '../input/json';
import { addProblem } from '../input/problem';
import { lazily, z } from '../lib/zod';

/*
 * What the customer approves with a code: amount, currency, payee and whatever else a flow needs. It is shown in the text
 * and bound into the challenge.
 * Source: dynamic linking, Commission Delegated Regulation (EU) 2018/389, article 5.
 */

/** One field of a transaction, as the customer reads it. */
export interface TransactionField {
	name: string;
	value: string;
}

/** The fields of a transaction, sorted by name; the same transaction always gives the same list. */
export type Transaction = readonly TransactionField[];

/** Placeholders that are no field of a transaction. */
export const RESERVED_NAMES = ['code', 'minutes'];

/** Fields that every transaction can have. */
export const FIXED_NAMES = ['amount', 'currency', 'payee', 'purpose'];

/** A field that has one of its own by now may still be entered among the others. */
const OWN_NAMES = [...RESERVED_NAMES, ...FIXED_NAMES.filter((each) => each !== 'purpose')];

const MAX_VALUE_CHARACTERS = 140;

const MAX_NAME_CHARACTERS = 40;

/** So many characters can become one when a text is composed. */
const PARTS_OF_A_CHARACTER = 4;

/**
 * A text composed as Unicode has it; undefined for one that stays longer than that. Putting accents into their order takes
 * the square of their number, minutes for 200 kB of them, and a transaction may come from anybody.
 */
function composed(text: string, maxCharacters: number): string | undefined {
	const trimmed = text.trim();
	if (trimmed.length > PARTS_OF_A_CHARACTER * maxCharacters) return undefined;
	const whole = trimmed.normalize('NFC').trim();
	return whole.length > maxCharacters ? undefined : whole;
}

/** Line breaks and invisible characters, with which a value could look like another one or forge a line of the text. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const value = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((entered, context): string => {
			if (entered === undefined || entered === null) return '';
			if (typeof entered !== 'string' && typeof entered !== 'number') {
				return addProblem(context, 'is not a text', 'Check the expression: it has to give a text.');
			}
			if (typeof entered === 'number' && !(Math.abs(entered) <= Number.MAX_SAFE_INTEGER)) {
				return addProblem(context, 'is a number too large to be exact', 'Pass it as a text.');
			}
			const text = composed(String(entered), MAX_VALUE_CHARACTERS);
			if (text === undefined) {
				return addProblem(
					context,
					`is longer than ${MAX_VALUE_CHARACTERS} characters`,
					'Shorten it.',
				);
			}
			if (UNSHOWABLE.test(text)) {
				return addProblem(
					context,
					'contains line breaks or invisible characters',
					'Remove them: the customer has to see exactly what is approved.',
				);
			}
			return text;
		}),
);

const NAME = /^[\p{L}\p{N}_-]+$/u;

const name = lazily(() =>
	z.string().transform((entered, context): string => {
		const text = composed(entered, MAX_NAME_CHARACTERS) ?? '';
		const advice = 'Use letters, digits, - and _ only, e.g. account.';
		if (!NAME.test(text)) return addProblem(context, 'is not a usable name', advice);
		if (!OWN_NAMES.includes(text)) return text;
		return addProblem(
			context,
			'is the name of a field that exists already',
			'Choose another name.',
		);
	}),
);

/** What the editor's field Transaction holds, checked. */
export const transactionSchema = lazily(() =>
	z
		.object({
			amount: value(),
			currency: value(),
			payee: value(),
			purpose: value(),
			otherFields: z
				.object({ field: listOf(z.object({ name: name(), value: value() })).default([]) })
				.default({ field: [] }),
		})
		.partial()
		.transform(({ otherFields, ...fixed }, context): Transaction => {
			const fields = [
				...Object.entries(fixed).map(([key, text]) => ({ name: key, value: text ?? '' })),
				...(otherFields?.field ?? []),
			].filter((field) => field.value !== '');
			const names = new Set(fields.map((field) => field.name));
			if (names.size < fields.length) {
				return addProblem(context, 'has two fields of the same name', 'Give each its own name.');
			}
			return fields.sort((a, b) => (a.name < b.name ? -1 : 1));
		}),
);

/**
 * Reads a transaction that may come from anybody, such as the caller of a webhook.
 *
 * @returns the transaction, or undefined for what can be none
 */
export const readTransaction = (raw: unknown): Transaction | undefined =>
	transactionSchema().safeParse(raw ?? {}).data;

/** A transaction as one text; different transactions never have the same. */
export const canonicalTransaction = (transaction: Transaction): string =>
	JSON.stringify(transaction.map(({ name: key, value: text }) => [key, text]));
