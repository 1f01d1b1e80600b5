import { lazily, z } from '../lib/zod';
import { addProblem } from './problem';

const isAbsent = (value: unknown): value is '' | null | undefined =>
	value === undefined || value === null || value === '';

/** The digits of a number. One beyond 2^53 has already lost some on its way here: it may be the id of a stranger. */
function exactNumber(value: number, context: z.RefinementCtx): string {
	if (!Number.isFinite(value)) {
		const advice = 'Check the expression: it calculates with something that is no number.';
		return addProblem(context, 'is not a number', advice);
	}
	if (!Number.isInteger(value) || Number.isSafeInteger(value)) return String(value);
	return addProblem(
		context,
		'is a number too large to be exact',
		'Pass it as a text, so that no digit is lost (format the column of the spreadsheet as text).',
	);
}

/** The text of an id as people enter it: a string, trimmed, or a whole number as spreadsheets deliver it. */
function identifierText(value: unknown, context: z.RefinementCtx): string {
	if (typeof value === 'string') return wholeCharacters(value.trim(), context);
	if (typeof value !== 'number') {
		return addProblem(
			context,
			'is neither a text nor a number',
			'Check the expression: it has to give a text such as 70021.',
		);
	}
	if (!Number.isInteger(value) || value < 0) {
		return addProblem(context, 'is not a whole number', 'Enter it as digits only, e.g. 70021.');
	}
	return exactNumber(value, context);
}

const identifier = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((value, context) => (isAbsent(value) ? '' : identifierText(value, context))),
);

/** An id that has to be there. */
export const requiredIdentifier = (advice: string) =>
	identifier().transform((id, context) =>
		id === '' ? addProblem(context, 'is empty', advice) : id,
	);

/** An id that may be left empty; undefined then. */
export const optionalIdentifier = lazily(() =>
	identifier().transform((id) => (id === '' ? undefined : id)),
);

/** The id of a message that its sender chose; undefined when there is none. */
export const messageIdText = lazily(() =>
	optionalIdentifier().transform((id, context) => {
		// A press comes back as `[<messageId>]:<payload>`: with these two characters inside, nobody could tell where the id ends.
		if (!id?.includes(']:')) return id;
		return addProblem(
			context,
			'contains "]:"',
			'Use another id: Diyalog puts these characters between id and payload.',
		);
	}),
);

function plainText(value: unknown, context: z.RefinementCtx): string {
	if (typeof value === 'string') return value;
	if (typeof value === 'number') return exactNumber(value, context);
	if (typeof value === 'boolean') return String(value);
	return addProblem(
		context,
		'is not a text',
		'Check the expression: it has to give a text, not a list or an object.',
	);
}

const text = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((value, context) => (isAbsent(value) ? '' : plainText(value, context))),
);

/** A text that has to hold more than blanks; kept to the letter otherwise. */
export const requiredText = (advice: string) =>
	text().transform((entered, context) =>
		entered.trim() === '' ? addProblem(context, 'is empty', advice) : entered,
	);

/** A text that may be left empty; undefined then. */
export const optionalText = lazily(() =>
	text().transform((entered) => (entered === '' ? undefined : entered)),
);

/**
 * Refuses half of a character, as cutting a text leaves it: on its way it becomes another character.
 *
 * @param path of the field within what is checked
 */
export function wholeCharacters(
	entered: string,
	context: z.RefinementCtx,
	...path: string[]
): string {
	if (!/\p{Cs}/u.test(entered)) return entered;
	return addProblem(
		context,
		'holds half a character',
		'Check the expression: it cuts a text in the middle of a character, e.g. of an emoji.',
		...path,
	);
}

/**
 * An absolute http or https address without the characters that a URI cannot have (RFC 3986), of which Diyalog refuses the message.
 * Of a backslash, or of a name before the host, programs make different hosts.
 */
const HTTP_URL =
	/^https?:\/\/[^\s\\"<>{}|^`\p{Cc}\p{Cs}/?#@]+([/?#][^\s\\"<>{}|^`\p{Cc}\p{Cs}]*)?$/iu;

/** Browsers and servers take a few thousand. Putting the accents of a host into their order takes the square of their number. */
const MAX_URL_CHARACTERS = 8_192;

/** Refuses anything but an http(s) address: a device would open or fetch whatever stands there. */
export function httpUrlText(entered: string, context: z.RefinementCtx): string {
	const trimmed = entered.trim();
	if (trimmed.length > MAX_URL_CHARACTERS)
		return addProblem(context, `is longer than ${MAX_URL_CHARACTERS} characters`, 'Shorten it.');
	if (HTTP_URL.test(trimmed) && URL.canParse(trimmed)) return trimmed;
	const advice =
		'Enter a full address that begins with https:// or http://, e.g. https://www.example.com/help. Write characters such as braces and quotes as %7B and %22.';
	return addProblem(context, 'is not a web address', advice);
}

/**
 * A whole number that is refused outside its bounds: a rule of security must not be something else than it looks. What is left
 * empty is the fallback; null is what an expression gives nothing for, and a blank, a switch or a list is no number.
 */
export const wholeNumber = (min: number, max: number, fallback: number) =>
	z
		.unknown()
		.optional()
		.transform((entered, context): number => {
			if (entered === undefined || entered === '') return fallback;
			const isText = typeof entered === 'string' && entered.trim() !== '';
			const number = isText || typeof entered === 'number' ? Number(entered) : NaN;
			if (Number.isInteger(number) && number >= min && number <= max) return number;
			return addProblem(
				context,
				`is not a whole number from ${min} to ${max}`,
				entered === null
					? `Check the expression: it gives nothing. It has to give a number from ${min} to ${max}.`
					: `Enter a number from ${min} to ${max}.`,
			);
		});
