import { randomBytes } from 'node:crypto';
import { issueChallenge, openChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import type { IssuedCode } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { checkCode, reasonOf } from '../../../../nodes/Diyalog/codes/checks';
import type { Checks } from '../../../../nodes/Diyalog/codes/checks';
import { readTransaction } from '../../../../nodes/Diyalog/codes/transaction';

/* Whoever has a challenge tries to learn from it or to change it. */

const keys = deriveKeys('bot-token');
const NOW = 1_795_388_361_002;
const OTP: IssuedCode = {
	code: '481516',
	customerNo: '70021',
	messageId: 'transfer-17',
	transaction: readTransaction({ amount: '1,250.00', payee: 'City Waterworks' }) ?? [],
	expiresAtMs: NOW + 60_000,
};
const challenge = issueChallenge(keys, OTP, randomBytes);

/** Whether everything is right that needs no memory. */
const isRight = (checks: Checks): boolean => reasonOf(checks, 0, false) === 'ok';

const given = (overrides: object = {}) => ({
	challenge,
	code: '481516',
	customerNo: '70021',
	transaction: { amount: '1,250.00', payee: 'City Waterworks' },
	...overrides,
});

it('0. the untouched challenge is opened, and everything fits', () => {
	expect(openChallenge(keys, challenge)).toMatchObject({
		messageId: 'transfer-17',
		codeLength: 6,
		expiresAtMs: OTP.expiresAtMs,
	});
	expect(isRight(checkCode(keys, given(), NOW))).toBe(true);
});

it('1. any single character changed, removed, doubled or inserted', () => {
	const others = 'ABab01-_.+/= \n';
	for (let position = 0; position < challenge.length; position++) {
		const before = challenge.slice(0, position);
		const character = challenge.charAt(position);
		const after = challenge.slice(position + 1);
		const altered = [before + after, before + character + character + after];
		for (const other of others) {
			if (other !== character) altered.push(before + other + after);
			altered.push(before + other + character + after);
		}
		for (const token of altered) {
			// Doubling one of two equal characters, or inserting beside one, may give the same token as another change.
			if (token === challenge) continue;
			expect(openChallenge(keys, token)).toBeUndefined();
		}
	}
});

it('2. every other last character, whose unused bits decoding ignores', () => {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	for (const messageId of ['', 'a', 'ab', 'abc']) {
		const token = issueChallenge(keys, { ...OTP, messageId }, randomBytes);
		const others = [...alphabet].filter((last) => last !== token.slice(-1));
		const opened = others.filter((last) => openChallenge(keys, token.slice(0, -1) + last));
		expect(opened).toEqual([]);
	}
});

it('3. any single bit flipped', () => {
	const sealed = Buffer.from(challenge.slice(4), 'base64url');
	for (let bit = 0; bit < sealed.length * 8; bit++) {
		const flipped = Buffer.from(sealed);
		flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
		expect(openChallenge(keys, `dc1.${flipped.toString('base64url')}`)).toBeUndefined();
	}
});

it('4. cut off, with and without its tag', () => {
	for (let length = 0; length < challenge.length; length++) {
		expect(openChallenge(keys, challenge.slice(0, length))).toBeUndefined();
	}
});

it('5. two challenges spliced together', () => {
	const other = issueChallenge(keys, { ...OTP, customerNo: '70022' }, randomBytes);
	for (let position = 5; position < challenge.length; position++) {
		const spliced = challenge.slice(0, position) + other.slice(position);
		if (spliced === challenge || spliced === other) continue;
		expect(openChallenge(keys, spliced)).toBeUndefined();
	}
});

it.each([undefined, null, 1, {}, [], '', 'dc1.', 'dc2.AAAA', 'x'.repeat(5_000_000)])(
	'6. something else altogether',
	(token) => {
		expect(openChallenge(keys, token)).toBeUndefined();
		expect(isRight(checkCode(keys, given({ challenge: token }), NOW))).toBe(false);
	},
);

it('7. an old challenge after the bot token was changed', () => {
	expect(openChallenge(deriveKeys('new-bot-token'), challenge)).toBeUndefined();
});

it('8. reading code, customer, payee or message id from it', () => {
	const token = challenge.slice(4);
	const readings = [token, Buffer.from(token, 'base64url').toString('latin1')];
	for (const reading of readings) {
		for (const secret of ['481516', '70021', 'Waterworks', 'transfer-17', 'bot-token']) {
			expect(reading).not.toContain(secret);
		}
	}
});

it('9. even what is inside shows neither code nor customer', () => {
	const opened = openChallenge(keys, challenge);
	const inside = JSON.stringify(opened);
	expect(inside).toContain('transfer-17');
	expect(inside).not.toMatch(/481516|70021|Waterworks/);
});

it('10. no id and no challenge comes twice, and the same code looks different in each', () => {
	const opened = Array.from({ length: 20_000 }, () =>
		openChallenge(keys, issueChallenge(keys, OTP, randomBytes)),
	);
	expect(new Set(opened.map((each) => each?.id)).size).toBe(opened.length);
	expect(new Set(opened.map((each) => each?.code.toString('hex'))).size).toBe(opened.length);
});

it.each([
	['another code', { code: '481517' }],
	['no code', { code: '' }],
	['the fingerprint of nothing', { code: null }],
	['another customer', { customerNo: '70022' }],
	['no customer', { customerNo: undefined }],
	['another amount', { transaction: { amount: '1,250.01', payee: 'City Waterworks' } }],
	['another payee', { transaction: { amount: '1,250.00', payee: 'City Waterwork' } }],
	['no transaction', { transaction: {} }],
	['a field more', { transaction: { ...given().transaction, currency: 'TRY' } }],
	['a transaction that is none', { transaction: 'all' }],
])('11. with %s', (_, overrides) => {
	expect(isRight(checkCode(keys, given(overrides), NOW))).toBe(false);
});

it('12. when it is over, to the millisecond', () => {
	expect(isRight(checkCode(keys, given(), OTP.expiresAtMs - 1))).toBe(true);
	expect(isRight(checkCode(keys, given(), OTP.expiresAtMs))).toBe(false);
});

it('13. no transaction was bound, and a forged one that cannot be read is given', () => {
	const plain = issueChallenge(keys, { ...OTP, transaction: [] }, randomBytes);
	expect(isRight(checkCode(keys, given({ challenge: plain, transaction: {} }), NOW))).toBe(true);
	const unreadable = given({ challenge: plain, transaction: { amount: { a: 1 } } });
	expect(isRight(checkCode(keys, unreadable, NOW))).toBe(false);
});

/** Putting 200 kB of accents into their order takes minutes, twice as many four times as long; here in pieces, which do not. */
const ACCENTS = `a${'\u0301'.repeat(200)}${'\u0323'.repeat(200)}`.repeat(300);

it.each([
	['a value', { amount: '1,250.00', payee: ACCENTS }],
	['the name of a field', { otherFields: { field: [{ name: ACCENTS, value: '1' }] } }],
])(
	'14. %s of a transaction with accents without end is put into order nowhere',
	(_, transaction) => {
		const spy = jest.spyOn(String.prototype, 'normalize');
		try {
			expect(isRight(checkCode(keys, given({ transaction }), NOW))).toBe(false);
			const lengths = spy.mock.contexts.map((text) => String(text).length);
			expect(Math.max(0, ...lengths)).toBeLessThan(1_000);
		} finally {
			spy.mockRestore();
		}
	},
);

it('15. a payee with four parts to each of its characters is still one', () => {
	const parts = '\u1f82'.normalize('NFD').repeat(140);
	expect(parts).toHaveLength(560);
	expect(readTransaction({ payee: parts })).toEqual([
		{ name: 'payee', value: '\u1f82'.repeat(140) },
	]);
	expect(readTransaction({ payee: `${parts}a` })).toBeUndefined();
});
