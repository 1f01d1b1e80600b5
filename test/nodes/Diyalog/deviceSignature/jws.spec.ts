import {
	attemptOf,
	base64url,
	check,
	CLAIMS,
	INNER,
	invalid,
	jwsCredential,
	MESSAGE_ID,
	MINUTE_S,
	NOW_S,
	pairs,
	token,
	unboundJws,
	valid,
} from '../../../support/signedPayloads';

describe('what a signed token may hold', () => {
	it.each([
		['a payload of every kind of character', { ...CLAIMS, payload: 'a:b]\n\0"{}👍🏽ğüşıöç' }],
		['an empty payload', { ...CLAIMS, payload: '' }],
		['no customer', { payload: INNER, messageId: MESSAGE_ID }],
		['further claims', { ...CLAIMS, iss: 'app', aud: ['x'], sub: null }],
		['a payload of 1 MiB', { ...CLAIMS, payload: 'ş'.repeat(512 * 1024) }],
	])('%s', (_what, claims) => {
		expect(check(attemptOf(jwsCredential, token(claims)))).toEqual(valid(claims.payload));
	});

	it('any header beside alg and crit, without effect', () => {
		const jwk = pairs.stranger.publicKey.export({ format: 'jwk' });
		const header = {
			typ: 'JWT',
			kid: '7',
			jku: 'https://example.com',
			jwk,
			x5c: [1],
			alg: 'ES256',
		};
		expect(check(attemptOf(jwsCredential, token(CLAIMS, header)))).toEqual(valid(INNER));
	});

	it('the same name twice is invalid: programs do not agree which counts', () => {
		const twice = token('{"messageId":"pay:17","payload":"a","payload":"b"}');
		expect(check(attemptOf(jwsCredential, twice))).toEqual(invalid(twice));
	});

	it.each([
		['a text', 'approve'],
		['an empty text', ''],
		['a JSON array', '["payload"]'],
		['JSON null', 'null'],
		['an object without payload', '{"amount":12345678901234567890.5}'],
		['an object whose payload is no text', '{"payload":5}'],
		['deeply nested JSON', '['.repeat(200_000)],
		['a byte order mark', '\uFEFF{"payload":"a"}'],
	])('without binding, %s as the payload itself', (_what, content) => {
		expect(check(attemptOf(unboundJws, token(content)))).toEqual(valid(content));
		const jws = token(content);
		expect(check(attemptOf(jwsCredential, jws))).toEqual(invalid(jws));
	});

	it('takes 1 MiB of dots or brackets for no token, quickly', () => {
		for (const text of ['.'.repeat(1 << 20), `${base64url('['.repeat(1 << 20))}.e30.e30`]) {
			expect(check(attemptOf(jwsCredential, text))).toEqual(invalid(text));
		}
	});
});

describe('the clock', () => {
	const TOLERANCE_S = 15 * MINUTE_S;
	it.each([
		['exp', -TOLERANCE_S + 1, 'valid'],
		['exp', -TOLERANCE_S, 'invalid'],
		['exp', -TOLERANCE_S + 0.5, 'valid'],
		['nbf', TOLERANCE_S, 'valid'],
		['nbf', TOLERANCE_S + 1, 'invalid'],
		['iat', TOLERANCE_S, 'valid'],
		['iat', TOLERANCE_S + 1, 'invalid'],
		['iat', -1e9, 'valid'],
	])('%s %d s from now: %s', (claim, offsetS, verdict) => {
		const jws = token({ ...CLAIMS, [claim]: NOW_S + offsetS });
		for (const credential of [jwsCredential, unboundJws]) {
			expect(check(attemptOf(credential, jws)).payloadSignature).toBe(verdict);
		}
	});
});
