import { createHmac } from 'node:crypto';
import {
	attemptOf,
	bound,
	changed,
	check,
	CLAIMS,
	es256,
	hmacCredential,
	hs256,
	INNER,
	invalid,
	macOf,
	MESSAGE_ID,
	P256_ORDER,
	pairs,
	secret,
	spki,
	token,
	valid,
	withPayload,
} from '../../../support/signedPayloads';
import type { Attack, Attempt } from '../../../support/signedPayloads';

const hmacAttempt = () => attemptOf(hmacCredential, bound(INNER));
const ecdsaAttempt = () =>
	attemptOf(
		{
			payloadSignature: 'separated',
			payloadSignatureMethod: 'ecdsaSha256',
			payloadSignaturePublicKey: spki(pairs.p256),
			payloadSignatureEncoding: 'hex',
		},
		`${INNER}.${es256()(`${MESSAGE_ID}:${INNER}`).toString('hex')}`,
	);
const signature = (text: string) => (attempt: Attempt) =>
	withPayload(attempt, () => `${INNER}.${text}`);
const base64Attempt = () =>
	attemptOf(
		{ ...hmacCredential, payloadSignatureEncoding: 'base64' },
		`${INNER}.${hs256(secret)(`${MESSAGE_ID}:${INNER}`).toString('base64')}`,
	);

const attacks: Attack[] = [
	['1. the separator missing', hmacAttempt, changed((signed) => signed.replace('.', ''))],
	['2. the signature missing', hmacAttempt, signature('')],
	['3. separator and signature missing', hmacAttempt, changed(() => INNER)],
	['4. nothing at all', hmacAttempt, changed(() => '')],
	['5. only the separator', hmacAttempt, changed(() => '.')],
	['6. the payload swapped', hmacAttempt, changed((signed) => signed.replace(INNER, 'Reddet'))],
	['7. something put in front', hmacAttempt, changed((signed) => `x.${signed}`)],
	['8. something put behind the signature', hmacAttempt, changed((signed) => `${signed}00`)],
	['9. a second signature behind', hmacAttempt, changed((signed) => `${signed}.${'0'.repeat(64)}`)],
	['10. the separator doubled', hmacAttempt, changed((signed) => signed.replace('.', '..'))],
	[
		'11. pressed on another message',
		hmacAttempt,
		(attempt) => ({ ...attempt, press: { ...attempt.press, messageId: 'pay:18' } }),
	],
	['12. the payload signed without its message', hmacAttempt, signature(macOf(INNER))],
	[
		'13. signed with another secret',
		hmacAttempt,
		signature(hs256('x')(`${MESSAGE_ID}:${INNER}`).toString('hex')),
	],
	[
		'14. signed without a secret',
		hmacAttempt,
		signature(hs256('')(`${MESSAGE_ID}:${INNER}`).toString('hex')),
	],
	[
		'15. an HMAC of another hash',
		hmacAttempt,
		signature(createHmac('sha512', secret).update(`${MESSAGE_ID}:${INNER}`).digest('hex')),
	],
	['16. the first half of the HMAC', hmacAttempt, changed((signed) => signed.slice(0, -32))],
	['17. one digit short', hmacAttempt, changed((signed) => signed.slice(0, -1))],
	['18. no hexadecimal digit at the end', hmacAttempt, changed((signed) => `${signed}zz`)],
	[
		'19. base64 where hexadecimal is set',
		hmacAttempt,
		changed(() => base64Attempt().press.payload),
	],
	[
		'20. hexadecimal where base64 is set',
		base64Attempt,
		changed(() => hmacAttempt().press.payload),
	],
	['21. too much padding', base64Attempt, changed((signed) => `${signed}=`)],
	[
		'22. a character inside that no base64 has',
		base64Attempt,
		changed((signed) => signed.replace(/(.{9})$/, '\u00a0$1')),
	],
	[
		'23. unused bits at the end of base64',
		base64Attempt,
		changed((signed) =>
			signed.replace(
				/(.)=$/,
				(_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`,
			),
		),
	],
	['25. r = s = 0, bare (CVE-2022-21449)', ecdsaAttempt, signature('0'.repeat(128))],
	['26. r = s = 0, DER', ecdsaAttempt, signature('3006020100020100')],
	['27. r = s = n, bare', ecdsaAttempt, signature(P256_ORDER.repeat(2))],
	['28. an empty DER sequence', ecdsaAttempt, signature('3000')],
	[
		'29. bytes behind the DER signature',
		ecdsaAttempt,
		signature(`${es256(pairs.p256, 'der')(`${MESSAGE_ID}:${INNER}`).toString('hex')}00`),
	],
	[
		'30. ECDSA with another key',
		ecdsaAttempt,
		signature(es256(pairs.stranger)(`${MESSAGE_ID}:${INNER}`).toString('hex')),
	],
	['31. a JWS', ecdsaAttempt, changed(() => token(CLAIMS))],
	['32. a 1 MiB signature', ecdsaAttempt, changed((signed) => signed + '0'.repeat(1 << 20))],
];

describe('attacks on payload<separator>signature', () => {
	it.each(attacks)('attack %s', (_name, genuine, attack) => {
		const attempt = genuine();
		expect(check(attempt)).toEqual(valid(INNER));
		const attacked = attack(attempt);
		expect(attacked).not.toEqual(attempt);
		expect(check(attacked)).toEqual(invalid(attacked.press.payload));
	});

	it('attack 24. half a surrogate pair for the replacement character, whose bytes are the same', () => {
		const signed = bound('\uFFFD');
		expect(check(attemptOf(hmacCredential, signed))).toEqual(valid('\uFFFD'));
		const attacked = signed.replace('\uFFFD', '\uD83D');
		expect(check(attemptOf(hmacCredential, attacked))).toEqual(invalid(attacked));
	});
});
