import fc from 'fast-check';
import { canonicalTransaction, readTransaction } from '../../../../nodes/Diyalog/codes/transaction';
import { checkMessage } from '../../../support/entered';

const prepared = (template: string, raw: object = {}, otpValue?: string) => {
	const checked = checkMessage({ otpMode: 'generate', message: template, otpValue, ...raw });
	if (!checked.valid) throw new Error(`${checked.problem.field} ${checked.problem.problem}`);
	return checked.input;
};

const PAYMENT = { amount: '1,250.00', currency: 'TRY', payee: 'City Waterworks' };
const PAYMENT_TEXT = '{code} pays {amount} {currency} to {payee}, for {minutes} minutes.';

describe('the text', () => {
	it('shows code, minutes and transaction', () => {
		const { message, code } = prepared(PAYMENT_TEXT, {
			transaction: PAYMENT,
			options: { validMinutes: 3 },
		});
		expect(code).toMatch(/^\d{6}$/);
		expect(message).toBe(`${code} pays 1,250.00 TRY to City Waterworks, for 3 minutes.`);
	});

	it('shows a code that was given, and leaves braces around more than a name alone', () => {
		const { message } = prepared('{code} {"a": 1} {x y}', { otpMode: 'given' }, '4815');
		expect(message).toBe('4815 {"a": 1} {x y}');
	});

	it('without a code is kept to the letter', () => {
		const text = '{ "code": 1 } {{ $json.x }}\n';
		expect(prepared(text, { otpMode: 'none' })).toMatchObject({ message: text, code: undefined });
		expect(prepared(text, { otpMode: 'given' })).toMatchObject({ message: text, code: undefined });
	});

	it.each([
		['without {code}', 'Your code.', {}, /Message does not contain \{code\}/],
		['with an unknown name', '{code} {cod}', {}, /Message contains a name in braces/],
		['with a field that is empty', '{code} {amount}', {}, /Message contains a name in braces/],
		[
			'without the payee',
			'{code} pays {amount} {currency}',
			{ transaction: PAYMENT },
			/does not show the field payee of Transaction/,
		],
		[
			'with the amount only as part of another number',
			'{code} pays 1,250.00 {currency} to {payee}',
			{ transaction: { ...PAYMENT, amount: '250.00' } },
			/does not show the field amount of Transaction/,
		],
	])('%s is refused', (_, template, raw, expected) => {
		expect(() => prepared(template, raw)).toThrow(expected);
	});

	it('a transaction without a code is refused', () => {
		expect(() => prepared('Pay?', { otpMode: 'given', options: { transaction: PAYMENT } })).toThrow(
			/OTP Value is empty/,
		);
	});

	it('may show a value in words of its own', () => {
		const transaction = { otherFields: { field: [{ name: 'purpose', value: 'login' }] } };
		expect(prepared('Your code for login: {code}', { transaction }).message).toMatch(/login: \d/);
	});
});

it('shows any value that can be entered, and only as it was entered', () => {
	const value = fc
		.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
		.filter((text) => !text.includes('{') && (readTransaction({ payee: text })?.length ?? 0) > 0);
	fc.assert(
		fc.property(value, (payee) => {
			const [field] = readTransaction({ payee }) ?? [];
			const { message, code } = prepared('{code} {payee}', { transaction: { payee } });
			expect(message).toBe(`${code} ${field?.value}`);
			const inWords = prepared(`{code} to ${field?.value} !`, { transaction: { payee } });
			expect(inWords.message).toBe(`${inWords.code} to ${field?.value} !`);
		}),
		{ examples: [['a-b'], ['a/b'], ['$&'], ['a.b*'], ['(x)'], ['\\d']] },
	);
});

describe('settings', () => {
	it.each([
		[{ options: { codeLength: 5 } }, 'Code Length'],
		[{ options: { codeLength: 11 } }, 'Code Length'],
		[{ options: { codeLength: 6.5 } }, 'Code Length'],
		[{ options: { validMinutes: 11 } }, 'Valid for (Minutes)'],
		[{ options: { validMinutes: 0 } }, 'Valid for (Minutes)'],
		[{ options: { codeCharacters: 'emoji' } }, 'Code Characters'],
		[{ otpMode: 'maybe' }, 'OTP'],
		[{ options: { resendLimits: { values: { maxCodes: -1 } } } }, 'Codes in the Window'],
		[{ transaction: { payee: 'A\nB' } }, 'Payee'],
		[{ transaction: { payee: '\u202eAB' } }, 'Payee'],
		[{ transaction: { amount: { a: 1 } } }, 'Amount'],
		[{ transaction: { amount: 2 ** 60 } }, 'Amount'],
		[{ transaction: { payee: 'x'.repeat(141) } }, 'Payee'],
		[{ transaction: { otherFields: { field: [{ name: 'code', value: '1' }] } } }, 'Field 1: Name'],
		[{ transaction: { otherFields: { field: [{ name: 'a b', value: '1' }] } } }, 'Field 1: Name'],
		[
			{
				transaction: {
					otherFields: {
						field: [
							{ name: 'a', value: '1' },
							{ name: 'a', value: '2' },
						],
					},
				},
			},
			'Transaction',
		],
	])('%j is refused, naming the field', (raw, field) => {
		expect(checkMessage({ otpMode: 'generate', message: '{code}', ...raw })).toMatchObject({
			valid: false,
			problem: { field, advice: expect.stringMatching(/\.$/) as string },
		});
	});

	it('are as safe as they should be when nothing is entered', () => {
		const { code, messageId, ...input } = prepared('{code}');
		expect(messageId).toBeUndefined();
		expect(input).toEqual({
			customerNo: '70021',
			message: code,
			buttons: [],
			autoFill: true,
			otpMode: 'generate',
			codeLength: 6,
			codeCharacters: 'digits',
			validMinutes: 5,
			transaction: [],
			resendLimits: { maxCodes: 5, windowMinutes: 10, firstGapSeconds: 15 },
		});
	});
});

describe('a transaction', () => {
	const canonical = (raw: unknown) => canonicalTransaction(readTransaction(raw) ?? []);

	it('is the same in any order, with blanks around, and as a number', () => {
		expect(canonical({ payee: ' A ', amount: 5 })).toBe(canonical({ amount: '5', payee: 'A' }));
	});

	it('is another one when anything differs', () => {
		const texts = [
			{},
			{ amount: '5' },
			{ payee: '5' },
			{ amount: '5', payee: 'A' },
			{ amount: '5,A', payee: '' },
			{ amount: '5', otherFields: { field: [{ name: 'x', value: 'A' }] } },
		].map(canonical);
		expect(new Set(texts).size).toBe(texts.length);
	});
});
