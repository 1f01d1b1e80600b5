import { z } from 'zod/v4';
import { parseExactJson } from '../lib/exactJson';
import { addProblem } from './problem';

/* What people enter as JSON: what an expression gives, or JSON as text. */

/** The value of a field for JSON; undefined when it is empty. */
export const jsonValue = z
	.unknown()
	.optional()
	.transform((entered, context): unknown => {
		if (typeof entered !== 'string') return entered ?? undefined;
		if (entered.trim() === '') return undefined;
		try {
			return parseExactJson(entered);
		} catch {
			return addProblem(
				context,
				'is not JSON',
				'Check quotes, commas and brackets, or use an expression that gives the value itself.',
			);
		}
	});

/** Whether a value is an object with names, as JSON has it. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** More than Diyalog takes of anything. Checking each of a million entries would hold up all of n8n for minutes. */
const MAX_ENTRIES = 100;

/** A list, each entry checked by itself. One that is far too long is refused before any entry is looked at. */
export const listOf = <T extends z.ZodType>(entry: T) =>
	z
		.unknown()
		.transform((value, context): unknown => {
			if (!Array.isArray(value) || value.length <= MAX_ENTRIES) return value;
			return addProblem(
				context,
				`has ${value.length} entries`,
				'Check the expression: Diyalog takes a few of them at most.',
			);
		})
		.pipe(z.array(entry));

/** A list that data gives; undefined when there is none. */
export const listFromData = <T extends z.ZodType>(entry: T) =>
	jsonValue
		.transform((value, context): unknown => {
			if (value === undefined || Array.isArray(value)) return value;
			return addProblem(context, 'is not a list', 'Give a list in square brackets: [...].');
		})
		.pipe(listOf(entry).optional());

/** A text as an entry of a list: what stands for its title and for what it sends back. */
const isText = (value: unknown): value is string | number =>
	typeof value === 'string' || typeof value === 'number';

/** The names under which data may say what a press sends back. */
const SENT_BACK = ['payload', 'value', 'url'];

/**
 * An entry of a list that people press, as data gives it: a text, or an object with a title. What it sends back stands under
 * one of three names; without any it is the title. An address makes the entry open a web page.
 *
 * @param names what else it may have
 * @returns the entry as the fields of the editor would have given it
 */
export function pressableFromData(
	entry: unknown,
	context: z.RefinementCtx,
	names: readonly string[],
): Record<string, unknown> {
	if (isText(entry)) return { type: 'postback', title: entry, payload: entry };
	if (!isObject(entry)) {
		return addProblem(
			context,
			'is neither a text nor an object',
			'Give a text, or an object such as { "title": "Approve", "value": "approve" }.',
		);
	}
	const allowed = ['title', ...SENT_BACK, ...names];
	if (Object.keys(entry).some((name) => !allowed.includes(name))) {
		return addProblem(
			context,
			'has a name that is not known',
			`Use these names: ${allowed.join(', ')}.`,
		);
	}
	const given = SENT_BACK.filter((name) => entry[name] !== undefined);
	if (given.length > 1) {
		return addProblem(context, `has both ${given.join(' and ')}`, 'Give one of them.');
	}
	const [name] = given;
	const { title, payload, value, url, ...rest } = entry;
	const seen = names.includes('payloadSeenByUser') && name !== 'url' ? title : undefined;
	return {
		type: name === 'url' ? 'web_url' : 'postback',
		...(seen !== undefined && { payloadSeenByUser: seen }),
		...rest,
		title,
		payload: payload ?? value ?? url ?? title,
	};
}
