/**
 * JSON with 64-bit ids kept exact.
 *
 * Diyalog's ids are 64-bit integers. They are documented as strings, yet some fields are shown as bare numbers, and
 * JSON.parse rounds those beyond 2^53 to a neighbour, that is to somebody else's id.
 */

/** A cheap test for a bare number that could be too long; it may also match inside a string, which costs only time. */
const MAYBE_LONG_INTEGER = /[:[,\s]-?\d{16}/;

/**
 * A string literal (skipped) or a number literal (looked at). A string that never ends is taken to the end of the text:
 * if it failed to match, every further quote would be tried again, which takes minutes on a hostile megabyte. It takes as little
 * as it can: V8 remembers each step of what takes as much, and throws after some millions.
 */
const STRING_OR_NUMBER = /"[^"\\]*?(?:\\[^][^"\\]*?)*?(?:"|\\?$)|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

const PLAIN_INTEGER = /^-?\d{16,}$/;

function quoteUnsafeInteger(literal: string): string {
	if (!PLAIN_INTEGER.test(literal) || Number.isSafeInteger(Number(literal))) return literal;
	return `"${literal}"`;
}

/**
 * Parses JSON text like JSON.parse, but an integer that a JavaScript number cannot hold exactly becomes a string of
 * its digits. Fractions and numbers with an exponent stay numbers.
 *
 * @param text JSON text
 * @returns the parsed value, of unknown shape
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactJson(text: string): unknown {
	if (!MAYBE_LONG_INTEGER.test(text) && !/^-?\d{16}/.test(text)) return JSON.parse(text);
	return JSON.parse(text.replace(STRING_OR_NUMBER, quoteUnsafeInteger));
}

/**
 * A string of JSON. One with a colon behind it is a name. It takes as little as it can: V8 remembers each step of
 * what takes as much, and throws after some millions.
 */
const STRING_OR_NAME = /"[^"\\]*?(?:\\.[^"\\]*?)*?"(\s*:)?/g;

function namesInText(json: string): number {
	let count = 0;
	for (const [, colon] of json.matchAll(STRING_OR_NAME)) if (colon !== undefined) count += 1;
	return count;
}

/** How many names a parsed value and all within it have: of those that stood twice in an object JSON.parse keeps the last. */
function namesInValue(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0;
	const inside: unknown[] = Object.values(value);
	const own = Array.isArray(value) ? 0 : inside.length;
	return inside.reduce((count: number, each) => count + namesInValue(each), own);
}

/**
 * Whether any object in a text of JSON has the same name twice: programs do not agree on which of the two counts (RFC 8259, 4).
 *
 * @param value what the text was parsed as, by either reader
 */
export const repeatsAnyName = (text: string, value: unknown): boolean =>
	namesInText(text) !== namesInValue(value);
