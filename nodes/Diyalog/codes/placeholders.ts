import { addProblem } from '../input/problem';
import type { z } from '../lib/zod';
import { RESERVED_NAMES, FIXED_NAMES } from './transaction';
import type { Transaction } from './transaction';

/** A name in braces: `{code}`, `{minutes}`, `{amount}`, or a field of the transaction. */
const PLACEHOLDER = /\{([\p{L}\p{N}_-]{1,40})\}/gu;

/** What stands for the placeholders of one text. */
export interface PlaceholderValues {
	code: string;
	/** how long the code is valid */
	minutes: number;
	transaction: Transaction;
}

const textsOf = ({ code, minutes, transaction }: PlaceholderValues): Map<string, string> =>
	new Map([
		...transaction.map(({ name, value }): [string, string] => [name, value]),
		['code', code],
		['minutes', String(minutes)],
	]);

/**
 * Puts values in place of placeholders, in one pass: what a value contains is never a placeholder. Others stay as they are.
 */
export function fillPlaceholders(template: string, values: PlaceholderValues): string {
	const texts = textsOf(values);
	return template.replace(PLACEHOLDER, (whole, name: string) => texts.get(name) ?? whole);
}

/** What a person may write for a placeholder: other letters, blanks inside. */
const LOOKALIKE = /\{\s*([\p{L}\p{N}_-]+)\s*\}/gu;

/** A string where JSON has one: behind a bracket, a colon or a comma. */
const JSON_STRING = /([{[:,]\s*)"(?:[^"\\]|\\.)*"/g;

/** What may be read as a name in braces, which can be wide or small. Of a text that has none nothing has to be looked at closely. */
const IN_BRACES = /[{｛﹛︷][^{｛﹛︷}｝﹜︸]{1,200}[}｝﹜︸]/gu;

/**
 * A text without the differences that people overlook: width, case, accents, the Turkish ı, invisible characters. A few
 * characters are taken apart at a time: putting many accents into their order takes the square of their number.
 */
const folded = (text: string): string =>
	text
		.replace(/\P{ASCII}{1,16}/gu, (few) => few.normalize('NFKD'))
		.replace(/[\p{M}\p{Cf}]/gu, '')
		.toLowerCase()
		.replaceAll('ı', 'i');

const namesIn = (text: string): string[] =>
	[...text.matchAll(LOOKALIKE)].map(([, name = '']) => name);

/** What JavaScript, and so an expression, makes of an object inside a text. */
const OBJECT_AS_TEXT = '[object Object]';

/** Signs that show nothing, though Unicode does not say so: of the Khitan script, Braille, music and hieroglyphs. */
export const BLANK_SIGNS = String.raw`\u{16fe4}\u2800\u{1d159}\u{13441}\u{13442}`;

/** A character that a person sees: neither a blank, nor ignorable, nor half of one. */
const SEEN = new RegExp(
	String.raw`[^\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}${BLANK_SIGNS}]`,
	'u',
);

/** Characters that show all that follows in the other direction, figures too: 10.00 is read as 00.01. */
const OVERRIDES = /[\u202d\u202e]/;

/** Diyalog states no limit. Looking through the megabytes that somebody else wrote would hold up all of n8n. */
const MAX_CHARACTERS = 1_000_000;

/** What is wrong with a text, and what to do. */
export interface Unfilled {
	problem: string;
	advice: string;
}

function adviceFor(name: string, values: PlaceholderValues | undefined): string {
	if (values && textsOf(values).has(name)) {
		return `Write {${name}} in exactly these characters, without blanks.`;
	}
	if (RESERVED_NAMES.includes(name)) {
		return `There is no code for this text. Take {${name}} out, or let the message have a code: choose Generate, or enter an OTP Value.`;
	}
	return `Fill in the field ${name} of the transaction, which belongs to a code, or write the value itself into the text.`;
}

/**
 * Finds what would leave as a name in braces instead of a value, e.g. "{code}", objects that became text, and what a person would
 * not see, or read otherwise than it stands there.
 *
 * The names of code, validity and transaction are ours wherever they stand and however they are written: a customer must
 * not approve an {amount} that nobody filled in. Any other single name in braces is refused too, because a field of the
 * transaction that was emptied cannot be told from a misspelled one. Data is let through: more than a name in braces, and
 * other names inside strings of JSON, as the parameters of an agent's tool may hold them ("/users/{id}").
 *
 * @param values what is put in place of placeholders; nothing for a text that has none
 */
export function findUnfilled(template: string, values?: PlaceholderValues): Unfilled | undefined {
	if (template.length > MAX_CHARACTERS) {
		return {
			problem: `is longer than ${MAX_CHARACTERS} characters`,
			advice: 'Shorten it: nobody could read that on a phone.',
		};
	}
	if (template !== '' && !SEEN.test(template)) {
		return {
			problem: 'shows nothing',
			advice: 'It holds only characters that nobody can see. Check the expression.',
		};
	}
	if (OVERRIDES.test(template)) {
		return {
			problem: 'turns the direction of writing',
			advice:
				'Remove the characters U+202D and U+202E: with them a person would read an amount from its end.',
		};
	}
	if (template.includes(OBJECT_AS_TEXT)) {
		return {
			problem: 'has an object where the customer should read a text',
			advice:
				'Take one of its fields in the expression, or all as JSON: {{ JSON.stringify(...) }}.',
		};
	}
	const texts = values ? textsOf(values) : new Map<string, string>();
	const rest = template.replace(PLACEHOLDER, (whole, name: string) =>
		texts.has(name) ? '.' : whole,
	);
	const text = rest.replace(IN_BRACES, folded);
	const found = new Set(namesIn(text));
	const ours = [...RESERVED_NAMES, ...FIXED_NAMES, ...texts.keys()];
	const name = ours.find((each) => found.has(folded(each)));
	const problem = 'contains a name in braces for which there is no value';
	if (name !== undefined) {
		return { problem: `${problem}: {${name}}`, advice: adviceFor(name, values) };
	}
	if (namesIn(text.replace(JSON_STRING, '$1""')).length === 0) return undefined;
	return {
		problem,
		advice: values
			? 'Use {code}, {minutes} and the fields of the transaction that are filled in, e.g. {amount}, or write it without braces.'
			: 'Write the value itself into the text, e.g. with an expression, or leave out the braces.',
	};
}

/** Refuses a text that a person would not read as it is meant. */
export function shownText(entered: string, context: z.RefinementCtx): string {
	const unfilled = findUnfilled(entered);
	return unfilled ? addProblem(context, unfilled.problem, unfilled.advice) : entered;
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Whether a text shows a value as a word or number of its own: 5 is not shown by 50, nor by 1,5. */
function shows(text: string, value: string): boolean {
	const alone = `(?<![\\p{L}\\p{N}]|\\p{N}[.,])${escaped(value)}(?![\\p{L}\\p{N}]|[.,]\\p{N})`;
	return new RegExp(alone, 'u').test(text);
}

/** The names of the transaction's fields whose value the customer would not read. */
export function fieldsNotShown(template: string, transaction: Transaction): string[] {
	const names = new Set([...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name));
	// Digits of the code must not pass for an amount.
	const rest = template.replace(PLACEHOLDER, ' ');
	return transaction
		.filter(({ name, value }) => !names.has(name) && !shows(rest, value))
		.map(({ name }) => name);
}
