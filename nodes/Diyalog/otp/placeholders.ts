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

/** Whether a text has a placeholder for which there is no value. */
export function hasUnknownPlaceholder(template: string, values: PlaceholderValues): boolean {
	const texts = textsOf(values);
	return [...template.matchAll(PLACEHOLDER)].some(([, name = '']) => !texts.has(name));
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
