import { constants, sign } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	attemptOf,
	base64url,
	changed,
	check,
	CLAIMS,
	es256,
	esAttempt,
	hs256,
	INNER,
	invalid,
	jwsCredential,
	MESSAGE_ID,
	MINUTE_S,
	NOW,
	NOW_S,
	P256_ORDER,
	pairs,
	pressOf,
	rs256,
	rs256Credential,
	rsAttempt,
	spki,
	token,
	unboundJws,
	valid,
	verifierFor,
	withPayload,
} from '../../../support/signedPayloads';
import type { Attack, Attempt, Signer } from '../../../support/signedPayloads';

const bareSignature = (r: string, s: string) =>
	Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex').toString('base64url');

const unboundAttempt = () => attemptOf(unboundJws, token({ payload: INNER }));

/** The same key, other content or header. */
const signedAnew = (content: unknown, header?: unknown, signer?: Signer) => (attempt: Attempt) =>
	withPayload(attempt, () => token(content, header, signer));
const resigned = (signature: string) => (attempt: Attempt) =>
	withPayload(attempt, (jws) => jws.slice(0, jws.lastIndexOf('.') + 1) + signature);
const parts = (jws: string): [string, string, string] => {
	const [header = '', content = '', signature = ''] = jws.split('.');
	return [header, content, signature];
};

/** The next character of the alphabet: other unused bits at the end of 64 bytes, the same bytes. */
function withOtherUnusedBits(jws: string): string {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	const other = jws.slice(0, -1) + alphabet[alphabet.indexOf(jws.slice(-1)) + 1];
	expect(Buffer.from(parts(other)[2], 'base64url')).toEqual(
		Buffer.from(parts(jws)[2], 'base64url'),
	);
	return other;
}

const jwsAttacks: Attack[] = [
	[
		'1. alg none, no signature',
		esAttempt,
		changed((jws) => `${base64url({ alg: 'none' })}.${parts(jws)[1]}.`),
	],
	['2. alg None', esAttempt, signedAnew(CLAIMS, { alg: 'None' }, () => Buffer.alloc(0))],
	['3. alg nOnE', esAttempt, signedAnew(CLAIMS, { alg: 'nOnE' }, () => Buffer.alloc(0))],
	['4. alg none with the right signature', esAttempt, signedAnew(CLAIMS, { alg: 'none' })],
	[
		'5. alg HS256, the RSA public key as its secret',
		rsAttempt,
		signedAnew(CLAIMS, { alg: 'HS256' }, hs256(spki(pairs.rsa))),
	],
	[
		'6. alg RS256, yet an HMAC with the public key',
		rsAttempt,
		signedAnew(CLAIMS, { alg: 'RS256' }, hs256(spki(pairs.rsa))),
	],
	['7. alg es256 in small letters', esAttempt, signedAnew(CLAIMS, { alg: 'es256' })],
	['8. no alg', esAttempt, signedAnew(CLAIMS, { typ: 'JWT' })],
	['9. alg in a list', esAttempt, signedAnew(CLAIMS, { alg: ['ES256'] })],
	['10. alg only behind __proto__', esAttempt, signedAnew(CLAIMS, '{"__proto__":{"alg":"ES256"}}')],
	['11. a header that is a list', esAttempt, signedAnew(CLAIMS, ['alg', 'ES256'])],
	['12. a header that is no JSON', esAttempt, signedAnew(CLAIMS, '{"alg":"ES256"')],
	['13. a header of null', esAttempt, signedAnew(CLAIMS, 'null')],
	['14. the last character cut off', esAttempt, changed((jws) => jws.slice(0, -1))],
	['15. the first character cut off', esAttempt, changed((jws) => jws.slice(1))],
	['16. the signature stripped', esAttempt, resigned('')],
	[
		'17. the signature stripped with its dot',
		esAttempt,
		changed((jws) => parts(jws).slice(0, 2).join('.')),
	],
	['18. both dots missing', esAttempt, changed((jws) => jws.replaceAll('.', ''))],
	['19. a dot at the end', esAttempt, changed((jws) => `${jws}.`)],
	['20. a dot at the beginning', esAttempt, changed((jws) => `.${jws}`)],
	['21. a doubled dot', esAttempt, changed((jws) => jws.replace('.', '..'))],
	['22. a fourth part', esAttempt, changed((jws) => `${jws}.${parts(jws)[2]}`)],
	['23. padding', esAttempt, changed((jws) => `${jws}==`)],
	['24. a non-canonical last character', esAttempt, changed(withOtherUnusedBits)],
	['25. a line break at the end', esAttempt, changed((jws) => `${jws}\n`)],
	[
		'26. a blank inside the signature',
		esAttempt,
		changed((jws) => `${jws.slice(0, -9)} ${jws.slice(-9)}`),
	],
	['27. a NUL at the end', esAttempt, changed((jws) => `${jws}\0`)],
	['28. half an emoji at the end', esAttempt, changed((jws) => `${jws}\uD83D`)],
	[
		'29. the content of another genuine token',
		esAttempt,
		changed((jws) =>
			[parts(jws)[0], parts(token({ ...CLAIMS, payload: 'x' }))[1], parts(jws)[2]].join('.'),
		),
	],
	[
		'30. the signature of another genuine token',
		esAttempt,
		resigned(parts(token({ ...CLAIMS, payload: 'x' }))[2]),
	],
	['31. signed with another key', esAttempt, signedAnew(CLAIMS, undefined, es256(pairs.stranger))],
	[
		'32. another key, embedded as jwk',
		esAttempt,
		signedAnew(
			CLAIMS,
			{ alg: 'ES256', jwk: pairs.stranger.publicKey.export({ format: 'jwk' }) },
			es256(pairs.stranger),
		),
	],
	[
		'33. another key, behind jku, x5u and kid',
		esAttempt,
		signedAnew(
			CLAIMS,
			{
				alg: 'ES256',
				jku: 'https://example.com/k',
				x5u: 'https://example.com/c',
				kid: '../../dev/null',
			},
			es256(pairs.stranger),
		),
	],
	['34. crit', esAttempt, signedAnew(CLAIMS, { alg: 'ES256', crit: ['exp'], exp: 9e9 })],
	['35. crit that is empty', esAttempt, signedAnew(CLAIMS, { alg: 'ES256', crit: [] })],
	['36. crit of null', esAttempt, signedAnew(CLAIMS, { alg: 'ES256', crit: null })],
	[
		'37. an unencoded payload (b64)',
		esAttempt,
		signedAnew(CLAIMS, { alg: 'ES256', b64: false, crit: ['b64'] }),
	],
	['38. r = s = 0 (CVE-2022-21449)', esAttempt, resigned(bareSignature('', ''))],
	['39. r = s = n', esAttempt, resigned(bareSignature(P256_ORDER, P256_ORDER))],
	['40. r = 0, s = 1', esAttempt, resigned(bareSignature('', '1'))],
	['41. a signature in DER', esAttempt, signedAnew(CLAIMS, undefined, es256(pairs.p256, 'der'))],
	['42. a signature on another curve', esAttempt, signedAnew(CLAIMS, undefined, es256(pairs.p384))],
	[
		'43. zeros around r and s',
		esAttempt,
		signedAnew(CLAIMS, undefined, (input) =>
			Buffer.concat([Buffer.alloc(1), es256()(input), Buffer.alloc(1)]),
		),
	],
	['44. a signature of zeros, RSA', rsAttempt, resigned(Buffer.alloc(256).toString('base64url'))],
	[
		'45. a signature of one, RSA',
		rsAttempt,
		resigned(Buffer.from('1'.padStart(512, '0'), 'hex').toString('base64url')),
	],
	[
		'46. an RSA signature with zeros in front',
		rsAttempt,
		signedAnew(CLAIMS, { alg: 'RS256' }, (input) => Buffer.concat([Buffer.alloc(1), rs256(input)])),
	],
	[
		'47. PSS where PKCS #1 v1.5 is set',
		rsAttempt,
		signedAnew(CLAIMS, { alg: 'RS256' }, (input) =>
			sign('sha256', Buffer.from(input), {
				key: pairs.rsa.privateKey,
				padding: constants.RSA_PKCS1_PSS_PADDING,
			}),
		),
	],
	[
		'48. pressed on another message',
		esAttempt,
		(attempt) => ({ ...attempt, press: { ...attempt.press, messageId: 'pay:18' } }),
	],
	[
		'49. pressed by another customer',
		esAttempt,
		(attempt) => ({ ...attempt, press: { ...attempt.press, customerNo: '70022' } }),
	],
	['50. another message in the token', esAttempt, signedAnew({ ...CLAIMS, messageId: 'pay:18' })],
	['51. another customer in the token', esAttempt, signedAnew({ ...CLAIMS, customerNo: '70022' })],
	['52. no message in the token', esAttempt, signedAnew({ payload: INNER })],
	['54. a customer of null', esAttempt, signedAnew({ ...CLAIMS, customerNo: null })],
	['55. no payload in the token', esAttempt, signedAnew({ messageId: MESSAGE_ID })],
	[
		'56. a payload that is an object',
		esAttempt,
		signedAnew({ ...CLAIMS, payload: { payload: INNER } }),
	],
	[
		'57. claims only behind __proto__',
		esAttempt,
		signedAnew(`{"__proto__":${JSON.stringify(CLAIMS)}}`),
	],
	['58. claims in a list', esAttempt, signedAnew([CLAIMS])],
	['59. content that is no JSON', esAttempt, signedAnew(`${JSON.stringify(CLAIMS)}x`)],
	[
		'60. without binding, yet another message named',
		unboundAttempt,
		signedAnew({ payload: INNER, messageId: 'pay:18' }),
	],
	[
		'61. without binding, yet another customer named',
		unboundAttempt,
		signedAnew({ payload: INNER, customerNo: '70022' }),
	],
	[
		'62. without binding, another message and a bare object',
		unboundAttempt,
		signedAnew({ messageId: 'pay:18' }),
	],
	['63. expired', esAttempt, signedAnew({ ...CLAIMS, exp: NOW_S - 16 * MINUTE_S })],
	['64. not yet begun', esAttempt, signedAnew({ ...CLAIMS, nbf: NOW_S + 16 * MINUTE_S })],
	['65. issued in the future', esAttempt, signedAnew({ ...CLAIMS, iat: NOW_S + 16 * MINUTE_S })],
	['66. exp as a text', esAttempt, signedAnew({ ...CLAIMS, exp: String(NOW_S + MINUTE_S) })],
	['67. exp of null', esAttempt, signedAnew({ ...CLAIMS, exp: null })],
	[
		'68. exp beyond all numbers',
		esAttempt,
		signedAnew(`{"payload":"a","messageId":"pay:17","exp":1e999}`),
	],
	[
		'69. a clock without a time',
		() => attemptOf(jwsCredential, token({ ...CLAIMS, exp: NOW_S })),
		(attempt) => ({ ...attempt, now: new Date(NaN) }),
	],
	[
		'70. the JSON form of a JWS',
		esAttempt,
		changed((jws) =>
			JSON.stringify({
				protected: parts(jws)[0],
				payload: parts(jws)[1],
				signature: parts(jws)[2],
			}),
		),
	],
	['71. nothing at all', esAttempt, changed(() => '')],
	['72. two dots', esAttempt, changed(() => '..')],
	['73. an unsigned payload', esAttempt, changed(() => INNER)],
	['74. the inner payload before the token', esAttempt, changed((jws) => `${INNER}.${jws}`)],
	['75. a 1 MiB signature', esAttempt, changed((jws) => jws + 'A'.repeat(1 << 20))],
];

describe('attacks on a JWS', () => {
	it.each(jwsAttacks)('%s', (_name, genuine, attack) => {
		const attempt = genuine();
		expect(check(attempt)).toEqual(valid(INNER));
		const attacked = attack(attempt);
		expect(check(attacked)).toEqual(invalid(attacked.press.payload));
	});

	it('5b. that public key as the secret of whoever chooses HS256: refused', () => {
		const credential = { ...jwsCredential, payloadSignatureAlgorithm: 'HS256' };
		const withSecret = (payloadSignatureSecret: string) => ({
			...credential,
			payloadSignatureSecret,
		});
		const jws = (key: string) => token(CLAIMS, { alg: 'HS256' }, hs256(key));
		const publicKey = spki(pairs.rsa);
		expect(createPayloadVerifier(withSecret(publicKey))).toMatchObject({
			title: 'The Signing Secret is a public key, with which anybody could sign',
		});
		const random = publicKey.replaceAll('-', '*');
		expect(check(attemptOf(withSecret(random), jws(random)))).toEqual(valid(INNER));
	});

	it('53. a message id that is a number, though of the same digits', () => {
		const attempt = attemptOf(jwsCredential, token({ payload: INNER, messageId: '17' }));
		const pressed = { ...attempt, press: { ...attempt.press, messageId: '17' } };
		expect(check(pressed)).toEqual(valid(INNER));
		const attacked = signedAnew({ payload: INNER, messageId: 17 })(pressed);
		expect(check(attacked)).toEqual(invalid(attacked.press.payload));
	});

	it('76. the other alphabet of base64', () => {
		const jws = Array.from({ length: 50 }, () => token(CLAIMS)).find((made) => /[-_]/.test(made));
		expect(check(attemptOf(jwsCredential, jws ?? ''))).toEqual(valid(INNER));
		const other = (jws ?? '').replaceAll('-', '+').replaceAll('_', '/');
		expect(check(attemptOf(jwsCredential, other))).toEqual(invalid(other));
	});

	it('77. content that is not UTF-8', () => {
		const made = (bytes: Buffer) => {
			const input = `${base64url({ alg: 'ES256' })}.${bytes.toString('base64url')}`;
			return `${input}.${es256()(input).toString('base64url')}`;
		};
		expect(check(attemptOf(unboundJws, made(Buffer.from('ş'))))).toEqual(valid('ş'));
		const broken = made(Buffer.from([0xc5]));
		expect(check(attemptOf(unboundJws, broken))).toEqual(invalid(broken));
	});

	it('78. a salt of another length than the hash', () => {
		const credential = { ...rs256Credential, payloadSignatureAlgorithm: 'PS256' };
		const ps256 =
			(saltLength: number): Signer =>
			(input) => {
				const padding = constants.RSA_PKCS1_PSS_PADDING;
				return sign('sha256', Buffer.from(input), {
					key: pairs.rsa.privateKey,
					padding,
					saltLength,
				});
			};
		const salted = (length: number) => token(CLAIMS, { alg: 'PS256' }, ps256(length));
		expect(check(attemptOf(credential, salted(32)))).toEqual(valid(INNER));
		const short = salted(20);
		expect(check(attemptOf(credential, short))).toEqual(invalid(short));
	});

	it('80. content that says its payload twice', () => {
		const twice = (names: string) => {
			const content = `{${names},"messageId":${JSON.stringify(MESSAGE_ID)}}`;
			const input = `${base64url({ alg: 'ES256' })}.${Buffer.from(content).toString('base64url')}`;
			return `${input}.${es256()(input).toString('base64url')}`;
		};
		const once = `"payload":${JSON.stringify(INNER)}`;
		expect(check(attemptOf(jwsCredential, twice(once)))).toEqual(valid(INNER));
		for (const names of [`"payload":"decline",${once}`, `"p\\u0061yload":"decline",${once}`]) {
			const jws = twice(names);
			expect(check(attemptOf(jwsCredential, jws))).toEqual(invalid(jws));
			expect(check(attemptOf(unboundJws, jws))).toEqual(invalid(jws));
		}
	});

	it('79. every cut of a token', () => {
		const jws = token(CLAIMS);
		const verify = verifierFor(jwsCredential);
		for (let length = 0; length < jws.length; length++) {
			expect(verify(pressOf(jws.slice(0, length)), NOW).payloadSignature).toBe('invalid');
		}
		expect(verify(pressOf(jws), NOW)).toEqual(valid(INNER));
	});
});
