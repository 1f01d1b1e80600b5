import { parseExactJson, repeatsAnyName } from '../lib/exactJson';
import { lazily, z } from '../lib/zod';
import { addProblem, unknownName } from './problem';

/* What people enter as JSON: what an expression gives, or JSON as text. */

/**
 * The value of a field for JSON; undefined when it is empty. A name that stands twice is refused: a text of somebody else which
 * an expression puts between quotes could otherwise end them, and say anew whom the message is for.
 */
export const jsonValue = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((entered, context): unknown => {
			if (typeof entered !== 'string') return entered ?? undefined;
			if (entered.trim() === '') return undefined;
			try {
				const value = parseExactJson(entered);
				if (!repeatsAnyName(entered, value)) return value;
				return addProblem(
					context,
					'has the same name twice',
					'Use an expression that gives the value itself: a text that is put between quotes may hold quotes of its own.',
				);
			} catch {
				return addProblem(
					context,
					'is not JSON',
					'Check quotes, commas and brackets, or use an expression that gives the value itself.',
				);
			}
		}),
);

/** Whether a value is an object with names, as JSON has it. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value that has to be an object with at least one name. */
export const filledObject = lazily(() =>
	jsonValue().transform((value, context): unknown => {
		const advice = 'Give one object in braces: {...}.';
		if (value === undefined || value === null) return addProblem(context, 'is empty', advice);
		if (!isObject(value)) return addProblem(context, 'is not an object', advice);
		return Object.keys(value).length > 0 ? value : addProblem(context, 'is empty', advice);
	}),
);

/**
 * Refuses what is no object, and a name that is not known: what it says would not be sent.
 *
 * @param names that are known
 * @param elsewhere names that Diyalog knows and that are not taken here, each with the reason and what to do
 */
export function knownNames(
	value: unknown,
	context: z.RefinementCtx,
	names: readonly string[],
	elsewhere: Readonly<Record<string, string>> = {},
): Readonly<Record<string, unknown>> {
	// It is looked at as it came: a copy of what has the name __proto__ would have other fields.
	if (!isObject(value)) {
		const problem = value === undefined ? 'is missing' : 'is not an object';
		return addProblem(
			context,
			problem,
			`Give one in braces, with these names: ${names.join(', ')}.`,
		);
	}
	const unknown = Object.keys(value).filter((name) => !names.includes(name));
	if (unknown.length === 0) return value;
	const known = unknown.find((name) => Object.hasOwn(elsewhere, name));
	const advice = known === undefined ? undefined : elsewhere[known];
	if (known !== undefined && advice !== undefined)
		return addProblem(context, `has a name that does not belong here: ${known}`, advice);
	return addProblem(context, unknownName(unknown), `Use these names: ${names.join(', ')}.`);
}

/** An object that has no other names than its shape. */
export const documentedObject = <T extends z.core.$ZodLooseShape>(
	shape: T,
	elsewhere?: Readonly<Record<string, string>>,
) =>
	z
		.unknown()
		.transform((value, context): unknown =>
			knownNames(value, context, Object.keys(shape), elsewhere),
		)
		.pipe(z.object(shape));

/** More than Diyalog takes of anything. Checking each of a million entries would hold up all of n8n for minutes. */
const MAX_ENTRIES = 100;

/** A list, each entry checked by itself. One that is far too long is refused before any entry is looked at. */
export const listOf = <T extends z.ZodType>(entry: T) =>
	z
		.unknown()
		.transform((value, context): unknown => {
			if (!Array.isArray(value))
				return addProblem(context, 'is not a list', 'Give a list in square brackets: [...].');
			if (value.length <= MAX_ENTRIES) return value;
			return addProblem(
				context,
				`has ${value.length} entries`,
				'Check the expression: Diyalog takes a few of them at most.',
			);
		})
		.pipe(z.array(entry));

/** A list that data gives; undefined when there is none. */
export const listFromData = <T extends z.ZodType>(entry: T) =>
	jsonValue().pipe(listOf(entry).optional());

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
	knownNames(entry, context, ['title', ...SENT_BACK, ...names]);
	const given = SENT_BACK.filter((name) => entry[name] !== undefined);
	if (given.length > 1) {
		return addProblem(context, `has both ${given.join(' and ')}`, 'Give one of them.');
	}
	const [name] = given;
	const { title, payload, value, url, ...rest } = entry;
	const { type = name === 'url' ? 'web_url' : 'postback' } = entry;
	const seen = names.includes('payloadSeenByUser') && type !== 'web_url' && title !== undefined;
	return {
		type,
		...rest,
		...(seen && { payloadSeenByUser: rest.payloadSeenByUser || title }),
		title,
		payload: payload ?? value ?? url ?? title,
	};
}
