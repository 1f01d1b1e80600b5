import fc from 'fast-check';
import type { SignatureCheck } from '../../../../nodes/Diyalog/wait/evidence';
import { randomBytes } from 'node:crypto';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { normaliseCode } from '../../../../nodes/Diyalog/codes/code';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { checkCode } from '../../../../nodes/Diyalog/codes/checks';
import { codeDigest, decide } from '../../../../nodes/Diyalog/wait/decide';
import { checkMessage, checkQuestion } from '../../../support/entered';

/* Codes that are none, or that somebody else would read as another one. */

const keys = deriveKeys('token-of-the-otp-bot');
const NOTHING = ['', ' ', '-', '- - -', '...', '___', '\u200b', '1'.repeat(101)];

const prepareGiven = (otpValue: string) =>
	checkMessage({ otpMode: 'given', message: 'Your code is {code}.', otpValue });

/** Whether what was entered passes for the code that was sent. */
function passes(sent: string, entered: unknown): boolean {
	const challenge = issueChallenge(
		keys,
		{ code: sent, customerNo: '70021', messageId: 'm', transaction: [], expiresAtMs: 2_000 },
		randomBytes,
	);
	const given = { challenge, code: entered, customerNo: '70021', transaction: {} };
	return checkCode(keys, given, 1_000).rightCode;
}

it.each(NOTHING.slice(1))('1. a given code that is none is not sent: %j', (code) => {
	// Blanks count as no code at all, and then the text has nothing to show.
	const field = code === ' ' ? 'Message' : 'OTP Value';
	expect(prepareGiven(code)).toMatchObject({ valid: false, problem: { field } });
});

it('2. nothing verifies a challenge without a code', () => {
	const accepted = NOTHING.flatMap((sent) => NOTHING.filter((entered) => passes(sent, entered)));
	expect(accepted).toEqual([]);
	expect(passes('123456', '123-456')).toBe(true);
});

it.each([
	['a superscript', '12²', '122'],
	['a fraction', '½', '1/2'],
	['a circled digit', '①23', '123'],
	['a Roman numeral', 'Ⅳ7', 'IV7'],
	['a ligature', 'ﬁ12', 'FI12'],
	['a dotless i', 'ı12', 'I12'],
	['a dotted capital I', 'İ12', 'I12'],
	['a sharp s', 'ß12', 'SS12'],
	['an accent', 'e\u030112', 'E12'],
	['a Kelvin sign', '\u212a12', 'K12'],
	['a long s', 'ſ12', 'S12'],
	['a Cyrillic letter', 'А12', 'A12'],
])('3. %s is not sent, and passes for nothing else', (_what, unclear, plain) => {
	expect(prepareGiven(unclear).valid).toBe(false);
	expect(passes(plain, unclear)).toBe(false);
	expect(passes(unclear, plain)).toBe(false);
	expect(prepareGiven(plain).valid).toBe(true);
});

it.each([1e21, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, null, undefined, {}, []])(
	'4. %p passes for no code',
	(entered) => {
		expect(normaliseCode(entered, 6)).toBe('');
		expect(passes('', entered)).toBe(false);
	},
);

it('5. two texts pass for each other only if they differ in capitals, blanks, dashes, dots or the script of digits', () => {
	const character = fc.oneof(
		fc.constantFrom(...'0123456789abcxyzABCXYZ -._–\u200b０９٣३Ａｚ²½①ßıİéſ'),
		fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
	);
	const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(''));
	const digits: Readonly<Record<string, string>> = { '０': '0', '９': '9', '٣': '3', '३': '3' };
	const plain = (value: string): string =>
		value
			.replace(/[０９٣३]/g, (digit) => digits[digit] ?? '')
			.replace(/ｚ/g, 'Z')
			.replace(/Ａ/g, 'A')
			.replace(/[ ._–\u200b-]/g, '')
			.replace(/[a-z]/g, (letter) => letter.toUpperCase());
	const known = /^[0-9A-Z]*$/;
	fc.assert(
		fc.property(text, text, (one, other) => {
			const [a, b] = [plain(one), plain(other)];
			if (!known.test(a) || !known.test(b)) return;
			expect(normaliseCode(one) === normaliseCode(other)).toBe(a === b);
		}),
		{ numRuns: 2_000 },
	);
	fc.assert(
		fc.property(text, (entered) => {
			expect(normaliseCode(entered)).toMatch(/^[!-~]*$/);
		}),
	);
});

it.each([`1${' '.repeat(150)}2`, -12, 1e21, '--'])(
	'6. an expected code that is none is not waited for: %p',
	(expectedCode) => {
		expect(checkQuestion({ responseType: 'code', expectedCode }, {})).toMatchObject({
			valid: false,
			problem: { field: 'Expected Code' },
		});
	},
);

it('7. an empty answer does not match a digest of nothing', () => {
	const secret = 'app-secret';
	const wait = {
		turn: 't',
		customerNo: '70021',
		messageId: 'm',
		messageIdPrefix: '',
		sentAt: new Date(0).toISOString(),
		deadline: new Date(9_000).toISOString(),
		expectation: {
			kind: 'code' as const,
			codeDigest: codeDigest('', 't', secret),
			maxAttempts: 3,
			wrongCodeReply: '',
		},
		wrongCodes: 0,
	};
	const answer = {
		kind: 'text' as const,
		turn: 't',
		number: 0,
		customerNo: '70021',
		userId: '1',
		text: ' - ',
		payloadSignature: 'notChecked' as const,
		occurredAt: new Date(1_000).toISOString(),
	};
	const checkSignature: SignatureCheck = () => {
		throw new Error('A text has no signature');
	};
	const surroundings = { now: new Date(1_000), appSecrets: [secret], checkSignature };
	expect(decide(wait, answer, surroundings)).toMatchObject({ accepted: false });
});
