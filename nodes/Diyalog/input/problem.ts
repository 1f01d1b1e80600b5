import type { INodeProperties, INodePropertyCollection, INodePropertyOptions } from 'n8n-workflow';
import { z } from '../lib/zod';
import { isShown } from './shown';
import type { Entered } from './shown';

/**
 * Why what was entered cannot be used: the field as the editor calls it (e.g. `Button 2: Title`), what is wrong as the
 * rest of that sentence, and what to do. Never the value: it may be a code or a customer's data.
 */
export interface InputProblem {
	field: string;
	problem: string;
	advice: string;
}

/** What checking found: the typed input, or its first problem. */
export type Checked<T> = { valid: true; input: T } | { valid: false; problem: InputProblem };

/**
 * Adds a problem to what a schema found: it continues the sentence that the field's label begins.
 * What it returns is no value; only a transformation chained behind it is skipped, not the rest of this one.
 *
 * @param path the field within what is checked, where the schema is that of several
 */
export function addProblem(
	context: z.RefinementCtx,
	problem: string,
	advice: string,
	...path: string[]
): never {
	context.addIssue({ code: 'custom', message: problem, params: { advice }, path, continue: false });
	return z.NEVER;
}

/** A switch about which an expression says nothing. What it protects must not be off because of that. */
const UNDECIDED = [
	'is neither on nor off',
	'Check the expression: it has to give true or false.',
] as const;

/**
 * Refuses an option that is there, and of which an expression says nothing.
 *
 * @param problem and advice; those of a switch unless told otherwise
 */
export const decided = (name: string, problem: readonly [string, string] = UNDECIDED) =>
	z
		.unknown()
		.transform((entered, context): unknown =>
			isEntered(entered) && name in entered && (entered[name] ?? undefined) === undefined
				? addProblem(context, ...problem, name)
				: entered,
		);

const isEntered = (value: unknown): value is Entered => typeof value === 'object' && value !== null;

/** A field, or one of those that it is made of. */
export type Entry = INodeProperties | INodePropertyCollection;

const isEntry = (option: Entry | INodePropertyOptions): option is Entry => 'displayName' in option;

export const entriesIn = (entry: Entry): readonly Entry[] =>
	'values' in entry ? entry.values : (entry.options ?? []).filter(isEntry);

/** The words under which people know a field, and which element of a list it belongs to. */
function labelOf(
	fields: readonly INodeProperties[],
	entered: unknown,
	path: readonly PropertyKey[],
): string {
	const all = isEntered(entered) ? entered : {};
	let entries: readonly Entry[] = fields;
	let values: Entered = all;
	const elements: string[] = [];
	let label = '';
	let inJson = false;
	for (const part of path) {
		if (typeof part === 'number') {
			elements.push(`${label} ${part + 1}`);
			label = '';
		}
		const named = entries.filter(({ name }) => name === part);
		const entry = named.find((each) => 'values' in each || isShown(each, values, all)) ?? named[0];
		if (entry) [label, entries] = [entry.displayName, entriesIn(entry)];
		else if (typeof part === 'string') {
			// What JSON holds has no field of its own: its names make a path.
			if (label !== '' && !inJson) elements.push(label);
			label = inJson && label !== '' ? `${label}.${part}` : part;
			[entries, inJson] = [[], true];
		}
		const value = values[String(part)];
		values = isEntered(value) ? value : {};
	}
	return [...elements, label].filter((words) => words !== '').join(': ') || 'Input';
}

/** A name that somebody wrote. Numbers, codes and tokens that stand in the place of one are not repeated. */
const MISSPELLED_NAME = /^[A-Za-z]{1,30}\d?$/;

/** How the error calls names that are not known. */
export const unknownName = (names: readonly string[]): string => {
	const shown = names.filter((name) => MISSPELLED_NAME.test(name)).slice(0, 3);
	const problem = 'has a name that is not known';
	return shown.length > 0 ? `${problem}: ${shown.join(', ')}` : problem;
};

const IMPOSSIBLE = {
	problem: 'has a value that is not possible',
	advice: 'Choose one of the values that the field offers, or check the expression.',
};

/** What is wrong, and what to do. */
function explain(issue: z.core.$ZodIssue | undefined): Omit<InputProblem, 'field'> {
	const { advice } = (issue?.code === 'custom' && issue.params) || {};
	if (issue && typeof advice === 'string') return { problem: issue.message, advice };
	if (issue?.code === 'invalid_type' && issue.expected === 'boolean')
		return { problem: UNDECIDED[0], advice: UNDECIDED[1] };
	return IMPOSSIBLE;
}

/**
 * Adds what another schema found.
 *
 * @param within where in what is checked that schema looked
 */
export function addIssues(
	context: z.RefinementCtx,
	{ issues }: z.ZodError,
	...within: string[]
): never {
	for (const issue of issues) {
		const { problem: message, advice } = explain(issue);
		const path = [...within, ...issue.path];
		context.addIssue({ code: 'custom', message, params: { advice }, path, continue: false });
	}
	return z.NEVER;
}

/**
 * Whether a field holds none of the values that it offers. What depends on it would not be shown, and so not be read: something
 * else than what was meant would be sent.
 */
const isNoChoice = ({ name, type, options = [] }: INodeProperties, entered: Entered): boolean =>
	type === 'options' &&
	name in entered &&
	!options.some((option) => 'value' in option && option.value === entered[name]);

/** The first field, also of those in a collection, that holds none of the values that it offers. */
function findNoChoice(
	fields: readonly Entry[],
	values: Entered,
	all: Entered,
): INodeProperties | undefined {
	for (const field of fields) {
		if ('values' in field || !isShown(field, values, all)) continue;
		if (isNoChoice(field, values)) return field;
		const inside = values[field.name];
		if (field.type !== 'collection' || !isEntered(inside)) continue;
		const found = findNoChoice(entriesIn(field), inside, all);
		if (found) return found;
	}
	return undefined;
}

/**
 * Checks what was entered.
 *
 * @param entered the node's parameters, as they came: texts, numbers from a spreadsheet, anything from an expression
 * @param fields of the editor, whose labels name the field that has a problem
 * @returns what the schema makes of it, or its first problem
 */
export function check<T>(
	schema: z.ZodType<T>,
	entered: unknown,
	fields: readonly INodeProperties[],
): Checked<T> {
	const all = isEntered(entered) ? entered : {};
	const noChoice = findNoChoice(fields, all, all);
	if (noChoice) return { valid: false, problem: { field: noChoice.displayName, ...IMPOSSIBLE } };
	const { success, data, error } = schema.safeParse(entered);
	if (success) return { valid: true, input: data };
	const [issue] = error.issues;
	const field = labelOf(fields, entered, issue?.path ?? []);
	return { valid: false, problem: { field, ...explain(issue) } };
}
