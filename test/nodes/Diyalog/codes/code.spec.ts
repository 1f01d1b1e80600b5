import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { generateCode, normaliseCode } from '../../../../nodes/Diyalog/codes/code';
import type { CodeCharacters } from '../../../../nodes/Diyalog/codes/code';

const ALPHABETS: Record<CodeCharacters, string> = {
	digits: '0123456789',
	lettersAndDigits: '3479CDFHJKMNPQRTWXY',
};

/** Pearson's statistic of observed counts against the same count for all. */
function chiSquare(counts: number[]): number {
	const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
	return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Upper quantile of the chi-square distribution that one run in ten million exceeds (Wilson and Hilferty). */
function chiSquareLimit(degrees: number): number {
	const normalQuantile = 5.2;
	const part = 2 / (9 * degrees);
	return degrees * (1 - part + normalQuantile * Math.sqrt(part)) ** 3;
}

function countsAt(position: number | 'any', characters: CodeCharacters, codes: string[]): number[] {
	const alphabet = ALPHABETS[characters];
	const counts = new Array<number>(alphabet.length).fill(0);
	for (const code of codes) {
		const counted = position === 'any' ? [...code] : [code.charAt(position)];
		for (const character of counted) {
			const index = alphabet.indexOf(character);
			counts[index] = (counts[index] ?? 0) + 1;
		}
	}
	return counts;
}

describe.each(['digits', 'lettersAndDigits'] as const)('generated codes of %s', (characters) => {
	it('have the length asked for and only characters of the alphabet', () => {
		fc.assert(
			fc.property(fc.integer({ min: 6, max: 10 }), (length) => {
				const code = generateCode(characters, length, randomBytes);
				expect(code).toHaveLength(length);
				expect([...code].every((character) => ALPHABETS[characters].includes(character))).toBe(
					true,
				);
			}),
		);
	});

	it('are uniform in every position', () => {
		const codes = Array.from({ length: 60_000 }, () => generateCode(characters, 6, randomBytes));
		const limit = chiSquareLimit(ALPHABETS[characters].length - 1);
		for (const position of [0, 1, 2, 3, 4, 5, 'any'] as const) {
			expect(chiSquare(countsAt(position, characters, codes))).toBeLessThan(limit);
		}
	});

	it('no two positions depend on each other', () => {
		const size = ALPHABETS[characters].length;
		const pairs = new Array<number>(size * size).fill(0);
		for (let count = 0; count < 60_000; count++) {
			const [first = '', second = ''] = generateCode(characters, 6, randomBytes);
			const alphabet = ALPHABETS[characters];
			const index = alphabet.indexOf(first) * size + alphabet.indexOf(second);
			pairs[index] = (pairs[index] ?? 0) + 1;
		}
		expect(chiSquare(pairs)).toBeLessThan(chiSquareLimit(pairs.length - 1));
	});

	it('take each of the fair byte values the same number of times, and no other', () => {
		const alphabet = ALPHABETS[characters];
		const values = Array.from({ length: 256 }, (_, value) => value);
		const perCharacter = new Map<string, number>();
		for (const value of values) {
			const bytes = (count: number) => Uint8Array.from({ length: count }, () => value);
			const fair = value < 256 - (256 % alphabet.length);
			if (!fair) continue;
			const code = generateCode(characters, 6, bytes);
			expect(code).toBe(code.charAt(0).repeat(6));
			perCharacter.set(code.charAt(0), (perCharacter.get(code.charAt(0)) ?? 0) + 1);
		}
		expect(new Set(perCharacter.values())).toEqual(new Set([Math.floor(256 / alphabet.length)]));
		expect(perCharacter.size).toBe(alphabet.length);
	});
});

it('the uniformity test can fail: a remainder without rejection is found out', () => {
	const biased = Array.from({ length: 60_000 }, () =>
		[...randomBytes(6)].map((byte) => ALPHABETS.digits.charAt(byte % 10)).join(''),
	);
	expect(chiSquare(countsAt('any', 'digits', biased))).toBeGreaterThan(chiSquareLimit(9));
});

it('a byte that would prefer some characters is thrown away', () => {
	const stream = [255, 250, 1, 253, 2, 3, 254, 4, 5, 6];
	const bytes = (count: number) => Uint8Array.from(stream.splice(0, count));
	expect(generateCode('digits', 6, bytes)).toBe('123456');
});

describe('what people type', () => {
	it.each([
		['as sent', '123456'],
		['with a blank', '123 456'],
		['with blanks around', '  123456\n'],
		['with a dash', '123-456'],
		['with an en dash', '123–456'],
		['with a minus sign', '123−456'],
		['with a no-break space', '123\u00a0456'],
		['with a zero-width space', '123\u200b456'],
		['with a mark of direction', '\u200f123456\u200e'],
		['full-width', '１２３４５６'],
		['Arabic', '١٢٣٤٥٦'],
		['Persian', '۱۲۳۴۵۶'],
		['Devanagari', '१२३४५६'],
		['Thai', '๑๒๓๔๕๖'],
		['mathematical bold', '𝟏𝟐𝟑𝟒𝟓𝟔'],
		['mathematical monospace', '𝟷𝟸𝟹𝟺𝟻𝟼'],
		['Adlam, beyond 16 bits', '𞥑𞥒𞥓𞥔𞥕𞥖'],
		['a mixture', '１२٣-４ ٥6'],
		['a number', 123456],
	])('%s', (_, entered) => {
		expect(normaliseCode(entered, 6)).toBe('123456');
	});

	it('every digit of every script is the one it stands for', () => {
		const digit = /^\p{Nd}$/u;
		for (let codePoint = 0, index = 0; codePoint < 0x20000; codePoint++) {
			const text = String.fromCodePoint(codePoint);
			if (!digit.test(text)) {
				expect(index % 10).toBe(0);
				index = 0;
				continue;
			}
			expect(normaliseCode(text)).toBe(String(index++ % 10));
		}
	});

	it('a number is filled up with the zeros that it lost', () => {
		expect(normaliseCode(1234, 6)).toBe('001234');
	});

	it('small letters are taken for capitals', () => {
		expect(normaliseCode('cdf-h34')).toBe('CDFH34');
	});

	it.each([undefined, null, {}, ['123456'], true, '', -1, 1.5, Number.NaN, '1'.repeat(101)])(
		'%p is no code',
		(entered) => {
			expect(normaliseCode(entered, 6)).toBe('');
		},
	);
});
