/*
 * One-time codes: making them, and reading what people type.
 * At least 6 random digits: NIST SP 800-63B-4, 3.1.3; at least 20 bits: OWASP ASVS 5.0, 6.5.4.
 */

/** What a code is made of. */
export type CodeCharacters = 'digits' | 'lettersAndDigits';

export const MIN_CODE_LENGTH = 6;
export const MAX_CODE_LENGTH = 10;

/**
 * No vowels, so that no words come out (RFC 8628, 6.1), and none of the pairs that look alike: 0 and O, 1 and I and L,
 * 2 and Z, 5 and S, 6 and G, 8 and B, U and V. Six of these are 25 bits.
 */
const ALPHABETS: Readonly<Record<CodeCharacters, string>> = {
	digits: '0123456789',
	lettersAndDigits: '3479CDFHJKMNPQRTWXY',
};

/** Gives bytes of a cryptographically secure random number generator. */
export type RandomBytes = (count: number) => Uint8Array;

const BYTE_VALUES = 256;

/**
 * Makes a code, each character chosen independently and with the same probability.
 *
 * @param length how many characters, 6 to 10
 * @param randomBytes the source of randomness, e.g. that of node:crypto
 */
export function generateCode(
	characters: CodeCharacters,
	length: number,
	randomBytes: RandomBytes,
): string {
	const alphabet = ALPHABETS[characters];
	// Bytes beyond the last whole multiple are thrown away: a remainder would prefer the first characters.
	const fairBelow = BYTE_VALUES - (BYTE_VALUES % alphabet.length);
	let code = '';
	while (code.length < length) {
		for (const byte of randomBytes(length - code.length)) {
			if (byte < fairBelow) code += alphabet.charAt(byte % alphabet.length);
		}
	}
	return code;
}

/** More than any code with any number of blanks in it; what is longer is no code. */
const MAX_ENTERED_CHARACTERS = 100;

const DIGITS_PER_SCRIPT = 10;

const isDecimalDigit = (codePoint: number): boolean =>
	/^\p{Nd}$/u.test(String.fromCodePoint(codePoint));

/** The ASCII digit for a digit of any script; Unicode keeps each script's ten digits together, from zero to nine. */
function asciiDigit(digit: string): string {
	const codePoint = digit.codePointAt(0) ?? 0;
	let aboveFirst = 0;
	while (isDecimalDigit(codePoint - aboveFirst - 1)) aboveFirst++;
	return String(aboveFirst % DIGITS_PER_SCRIPT);
}

/** Blanks, invisible characters, and everything that looks like a dash. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}\u2212_.]/gu;

/** The distance from a character of full width, as East Asian keyboards write it, to its ASCII twin. */
const FULL_WIDTH_OFFSET = 0xfee0;

const asciiTwin = (fullWidth: string): string =>
	String.fromCodePoint((fullWidth.codePointAt(0) ?? 0) - FULL_WIDTH_OFFSET);

/**
 * The code that somebody meant: without blanks, dashes, dots and underscores, in capitals, with ASCII digits in place of
 * those of other scripts (full-width, Arabic, Devanagari and so on). The same is done to the code that was sent, so that
 * both fit. Nothing else is folded: other letters, accents, fractions or circled digits make a text no code.
 *
 * @param entered what was typed; a number, as JSON and spreadsheets deliver it, has lost its leading zeros
 * @param length how long the code is that was sent; a number is filled up to it
 * @returns the code, or an empty text for what cannot be one
 */
export function normaliseCode(entered: unknown, length = 0): string {
	if (typeof entered === 'number') {
		return Number.isSafeInteger(entered) && entered >= 0
			? String(entered).padStart(length, '0')
			: '';
	}
	if (typeof entered !== 'string' || entered.length > MAX_ENTERED_CHARACTERS) return '';
	const code = entered
		.replace(/[\uff01-\uff5e]/g, asciiTwin)
		.replace(SEPARATORS, '')
		.replace(/(?![0-9])\p{Nd}/gu, asciiDigit);
	return /^[!-~]+$/.test(code) ? code.toUpperCase() : '';
}
