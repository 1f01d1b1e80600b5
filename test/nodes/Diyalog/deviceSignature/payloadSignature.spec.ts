import {
	constants,
	createHmac,
	createPublicKey,
	generateKeyPairSync,
	randomBytes,
	sign,
} from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { NodeHelpers } from 'n8n-workflow';
import { payloadSignatureFields } from '../../../../nodes/Diyalog/deviceSignature/fields';
import type { SignedPress } from '../../../../nodes/Diyalog/deviceSignature/formats';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import type {
	CheckedPayload,
	PayloadVerifier,
} from '../../../../nodes/Diyalog/deviceSignature/verifier';
import type { JoseRequest, JoseTokens } from '../../../support/joseTokens';
import { projectRoot, run } from '../../../../tools/system';

const NOW = new Date('2026-11-23T12:00:00Z');
const NOW_S = NOW.getTime() / 1_000;
const MINUTE_S = 60;
const MESSAGE_ID = 'pay:17';
const CUSTOMER_NO = '70021';
const INNER = 'Onayla "ş" 👋';
const CLAIMS = { payload: INNER, messageId: MESSAGE_ID, customerNo: CUSTOMER_NO };

const JWS_ALGORITHMS = [
	...['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
	...['ES256', 'ES384', 'ES512', 'EdDSA'],
];
const HASHES = ['sha256', 'sha384', 'sha512'] as const;

type Credential = Record<string, unknown>;

function verifierFor(credential: Credential): PayloadVerifier {
	const setup = createPayloadVerifier(credential);
	if (!setup.ok) throw new Error(`${setup.title}. ${setup.advice}`);
	return setup.verify;
}

const pressOf = (payload: string): SignedPress => ({
	messageId: MESSAGE_ID,
	payload,
	customerNo: CUSTOMER_NO,
});

const valid = (payload: string): CheckedPayload => ({ payloadSignature: 'valid', payload });
const invalid = (payload: string): CheckedPayload => ({ payloadSignature: 'invalid', payload });

/** Everything that decides about one verdict; an attack changes one thing of it. */
interface Attempt {
	credential: Credential;
	press: SignedPress;
	now: Date;
}

const attemptOf = (credential: Credential, payload: string): Attempt => ({
	credential,
	press: pressOf(payload),
	now: NOW,
});

const check = ({ credential, press, now }: Attempt) => verifierFor(credential)(press, now);

const withPayload = (attempt: Attempt, change: (payload: string) => string): Attempt => ({
	...attempt,
	press: { ...attempt.press, payload: change(attempt.press.payload) },
});

const pairs = {
	p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
	p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
	k256: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
	rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
	shortRsa: generateKeyPairSync('rsa', { modulusLength: 2047 }),
	ed25519: generateKeyPairSync('ed25519'),
	ed448: generateKeyPairSync('ed448'),
	stranger: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

const spki = ({ publicKey }: { publicKey: KeyObject }) =>
	publicKey.export({ type: 'spki', format: 'pem' }).toString();
const pkcs8 = ({ privateKey }: { privateKey: KeyObject }) =>
	privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const secret = randomBytes(32).toString('hex');

const base64url = (content: unknown) =>
	Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString(
		'base64url',
	);

type Signer = (input: string) => Buffer;

const es256 =
	(pair = pairs.p256, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Signer =>
	(input) =>
		sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding });

/** A token as an app would make it, or as nobody should: header and content are taken as they are. */
function token(content: unknown, header: unknown = { alg: 'ES256' }, signer = es256()): string {
	const input = `${base64url(header)}.${base64url(content)}`;
	return `${input}.${signer(input).toString('base64url')}`;
}

const jwsCredential: Credential = {
	payloadSignature: 'jws',
	payloadSignatureAlgorithm: 'ES256',
	payloadSignaturePublicKey: spki(pairs.p256),
	payloadSignatureBinding: true,
};
const unboundJws: Credential = { ...jwsCredential, payloadSignatureBinding: false };
const rs256Credential: Credential = {
	...jwsCredential,
	payloadSignatureAlgorithm: 'RS256',
	payloadSignaturePublicKey: spki(pairs.rsa),
};
const rs256: Signer = (input) => sign('sha256', Buffer.from(input), pairs.rsa.privateKey);
const hs256 =
	(key: string): Signer =>
	(input) =>
		createHmac('sha256', key).update(input).digest();

describe('without a scheme', () => {
	it.each([[{}], [{ payloadSignature: 'none' }], [{ payloadSignature: undefined }]])(
		'%j checks nothing and changes nothing',
		(credential) => {
			for (const payload of ['', 'approve', token(CLAIMS)]) {
				expect(check(attemptOf(credential, payload))).toEqual({
					payloadSignature: 'notChecked',
					payload,
				});
			}
		},
	);

	it('does not look at what was once entered for a scheme', () => {
		const stale = { payloadSignature: 'none', payloadSignaturePublicKey: 'nothing', x: null };
		expect(createPayloadVerifier(stale).ok).toBe(true);
	});
});

describe('tokens made by jose', () => {
	let made: Record<string, JoseTokens>;

	beforeAll(async () => {
		const claims = {
			...CLAIMS,
			iat: NOW_S,
			nbf: NOW_S - MINUTE_S,
			exp: NOW_S + MINUTE_S,
			extra: { 'a long number': 1e300 },
		};
		const request: JoseRequest = { algorithms: JWS_ALGORITHMS, claims, text: INNER };
		const tsx = 'node_modules/.bin/tsx';
		const program = ['test/support/joseTokens.ts', JSON.stringify(request)];
		made = JSON.parse(await run(tsx, program, { cwd: projectRoot }));
	});

	const tokensOf = (algorithm: string): JoseTokens => {
		const tokens = made[algorithm];
		if (!tokens) throw new Error(`jose made nothing for ${algorithm}`);
		return tokens;
	};

	const credentialFor = (algorithm: string, keys = tokensOf(algorithm)): Credential => ({
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: algorithm,
		payloadSignatureSecret: keys.secret,
		payloadSignaturePublicKey: keys.publicKey,
	});

	describe.each(JWS_ALGORITHMS)('%s', (algorithm) => {
		it('is valid for its message only', () => {
			const attempt = attemptOf(credentialFor(algorithm), tokensOf(algorithm).claimsToken);
			expect(check(attempt)).toEqual(valid(INNER));
			const elsewhere = { ...attempt, press: { ...attempt.press, messageId: 'pay:18' } };
			expect(check(elsewhere)).toEqual(invalid(attempt.press.payload));
		});

		it('carries a bare text where it is not bound to a message', () => {
			const { textToken, claimsToken } = tokensOf(algorithm);
			const credential = credentialFor(algorithm);
			const unbound = { ...credential, payloadSignatureBinding: 'false' };
			expect(check(attemptOf(credential, textToken))).toEqual(invalid(textToken));
			expect(check(attemptOf(unbound, textToken))).toEqual(valid(INNER));
			expect(check(attemptOf(unbound, claimsToken))).toEqual(valid(INNER));
		});

		it('is invalid under any other algorithm that the same key could serve', () => {
			const { claimsToken } = tokensOf(algorithm);
			const others = JWS_ALGORITHMS.filter((other) => other !== algorithm)
				.map((other) => createPayloadVerifier(credentialFor(other, tokensOf(algorithm))))
				.filter((setup) => setup.ok);
			for (const { verify } of others) {
				expect(verify(pressOf(claimsToken), NOW)).toEqual(invalid(claimsToken));
			}
			const sharesKeys = algorithm !== 'EdDSA' && !algorithm.startsWith('ES');
			expect(others.length > 0).toBe(sharesKeys);
		});

		it('is invalid once any single character is changed', () => {
			const { claimsToken } = tokensOf(algorithm);
			const verify = verifierFor(credentialFor(algorithm));
			const index = fc.nat({ max: claimsToken.length - 1 });
			const character = fc.oneof(
				fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ '),
				fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
			);
			fc.assert(
				fc.property(index, character, (at, changed) => {
					fc.pre(claimsToken[at] !== changed);
					const payload = claimsToken.slice(0, at) + changed + claimsToken.slice(at + 1);
					expect(verify(pressOf(payload), NOW)).toEqual(invalid(payload));
				}),
				{ numRuns: 300 },
			);
		});
	});
});

describe('published JWS examples', () => {
	const joe = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';
	const joe64 =
		'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
	const examples: Array<[string, string, JsonWebKey, string, string]> = [
		[
			'RFC 7515, A.2',
			'RS256',
			{
				kty: 'RSA',
				n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
				e: 'AQAB',
			},
			`eyJhbGciOiJSUzI1NiJ9.${joe64}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
			joe,
		],
		[
			'RFC 7515, A.3',
			'ES256',
			{
				kty: 'EC',
				crv: 'P-256',
				x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
				y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
			},
			`eyJhbGciOiJFUzI1NiJ9.${joe64}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
			joe,
		],
		[
			'RFC 7515, A.4',
			'ES512',
			{
				kty: 'EC',
				crv: 'P-521',
				x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
				y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
			},
			'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
			'Payload',
		],
		[
			'RFC 8037, A.4',
			'EdDSA',
			{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
			'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
			'Example of Ed25519 signing',
		],
	];

	it.each(examples)('%s, %s', (_where, algorithm, jwk, jws, inner) => {
		const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
		const credential = {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: algorithm,
			payloadSignaturePublicKey: spki({ publicKey }),
			payloadSignatureBinding: false,
		};
		const then = { ...attemptOf(credential, jws), now: new Date('2011-03-22T18:43:00Z') };
		expect(check(then)).toEqual(valid(inner));
		if (inner === joe) expect(check({ ...then, now: NOW })).toEqual(invalid(jws));
	});

	it('RFC 7515, A.1 has a key that is no text, so it cannot be entered as a secret', () => {
		const key = Buffer.from(
			'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
			'base64url',
		);
		expect(Buffer.from(key.toString('utf8'))).not.toEqual(key);
	});
});

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

	it('the same key twice: the last one counts', () => {
		const twice = '{"messageId":"pay:17","payload":"a","payload":"b"}';
		expect(check(attemptOf(jwsCredential, token(twice)))).toEqual(valid('b'));
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

/** r and s at the edges of what ECDSA allows. */
const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const bareSignature = (r: string, s: string) =>
	Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex').toString('base64url');

const esAttempt = () => attemptOf(jwsCredential, token(CLAIMS));
const rsAttempt = () => attemptOf(rs256Credential, token(CLAIMS, { alg: 'RS256' }, rs256));
const unboundAttempt = () => attemptOf(unboundJws, token({ payload: INNER }));

/** The same key, other content or header. */
const signedAnew = (content: unknown, header?: unknown, signer?: Signer) => (attempt: Attempt) =>
	withPayload(attempt, () => token(content, header, signer));
const resigned = (signature: string) => (attempt: Attempt) =>
	withPayload(attempt, (jws) => jws.slice(0, jws.lastIndexOf('.') + 1) + signature);
const changed = (change: (jws: string) => string) => (attempt: Attempt) =>
	withPayload(attempt, change);
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

type Attack = [string, () => Attempt, (attempt: Attempt) => Attempt];

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

	it('5b. that token would be valid for whoever chose HS256 with this secret', () => {
		const credential = {
			...jwsCredential,
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: spki(pairs.rsa),
		};
		const jws = token(CLAIMS, { alg: 'HS256' }, hs256(spki(pairs.rsa)));
		expect(check(attemptOf(credential, jws))).toEqual(valid(INNER));
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

	it('79. every cut of a token', () => {
		const jws = token(CLAIMS);
		const verify = verifierFor(jwsCredential);
		for (let length = 0; length < jws.length; length++) {
			expect(verify(pressOf(jws.slice(0, length)), NOW).payloadSignature).toBe('invalid');
		}
		expect(verify(pressOf(jws), NOW)).toEqual(valid(INNER));
	});
});

/** How an app signs in each method; the test of the fields asserts that none is missing. */
interface Method {
	credential: Credential;
	signer: Signer;
}

const pss = (hash: string, saltLength: number): Signer => {
	const padding = constants.RSA_PKCS1_PSS_PADDING;
	const key = { key: pairs.rsa.privateKey, padding, saltLength };
	return (input) => sign(hash, Buffer.from(input), key);
};

const methodsOf = (hash: (typeof HASHES)[number]): Array<[string, Method]> => {
	const suffix = hash.replace('sha', 'Sha');
	const separated = (name: string, keys: Credential): Credential => ({
		payloadSignature: 'separated',
		payloadSignatureMethod: `${name}${suffix}`,
		...keys,
	});
	const rsaKey = { payloadSignaturePublicKey: spki(pairs.rsa) };
	const ecdsa = (pair: typeof pairs.p256, dsaEncoding: 'der' | 'ieee-p1363'): Method => ({
		credential: separated('ecdsa', { payloadSignaturePublicKey: spki(pair) }),
		signer: (input) => sign(hash, Buffer.from(input), { key: pair.privateKey, dsaEncoding }),
	});
	const bytes = Number(hash.slice(3)) / 8;
	return [
		[
			`hmac${suffix}`,
			{
				credential: separated('hmac', { payloadSignatureSecret: secret }),
				signer: (input) => createHmac(hash, secret).update(input).digest(),
			},
		],
		[
			`rsa${suffix}`,
			{
				credential: separated('rsa', rsaKey),
				signer: (input) => sign(hash, Buffer.from(input), pairs.rsa.privateKey),
			},
		],
		...[bytes, 20, 0].map((salt): [string, Method] => [
			`rsaPss${suffix}, salt of ${salt} bytes`,
			{ credential: separated('rsaPss', rsaKey), signer: pss(hash, salt) },
		]),
		[`ecdsa${suffix}, P-256, DER`, ecdsa(pairs.p256, 'der')],
		[`ecdsa${suffix}, P-256, bare`, ecdsa(pairs.p256, 'ieee-p1363')],
		[`ecdsa${suffix}, P-384, DER`, ecdsa(pairs.p384, 'der')],
		[`ecdsa${suffix}, P-521, bare`, ecdsa(pairs.p521, 'ieee-p1363')],
	];
};

const methods: Array<[string, Method]> = [
	...HASHES.flatMap(methodsOf),
	[
		'ed25519',
		{
			credential: {
				payloadSignature: 'separated',
				payloadSignatureMethod: 'ed25519',
				payloadSignaturePublicKey: spki(pairs.ed25519),
			},
			signer: (input) => sign(null, Buffer.from(input), pairs.ed25519.privateKey),
		},
	],
];

describe('payload<separator>signature', () => {
	const encodings = ['hex', 'base64', 'base64url'] as const;

	it.each(methods)('%s, in every encoding, bound or not', (_name, { credential, signer }) => {
		for (const encoding of encodings) {
			for (const isBound of [true, false]) {
				const chosen = {
					...credential,
					payloadSignatureEncoding: encoding === 'hex' ? 'hex' : 'base64',
					payloadSignatureBinding: isBound,
				};
				const input = isBound ? `${MESSAGE_ID}:${INNER}` : INNER;
				const other = isBound ? INNER : `${MESSAGE_ID}:${INNER}`;
				expect(check(attemptOf(chosen, `${INNER}.${signer(input).toString(encoding)}`))).toEqual(
					valid(INNER),
				);
				const unbound = `${INNER}.${signer(other).toString(encoding)}`;
				expect(check(attemptOf(chosen, unbound))).toEqual(invalid(unbound));
			}
		}
	});

	it.each(methods)('%s: nothing but what was signed is valid', (_name, { credential, signer }) => {
		const verify = verifierFor(credential);
		const signed = `${INNER}.${signer(`${MESSAGE_ID}:${INNER}`).toString('base64')}`;
		expect(verify(pressOf(signed), NOW)).toEqual(valid(INNER));
		const index = fc.nat({ max: signed.length - 1 });
		fc.assert(
			fc.property(index, fc.string({ unit: 'binary', maxLength: 2 }), (at, changed) => {
				const payload = signed.slice(0, at) + changed + signed.slice(at + 1);
				const checked = verify(pressOf(payload), NOW);
				if (checked.payloadSignature === 'valid') expect(checked.payload).toBe(INNER);
				else expect(checked).toEqual(invalid(payload));
			}),
			{ numRuns: 100 },
		);
	});

	const hmacCredential: Credential = {
		payloadSignature: 'separated',
		payloadSignatureMethod: 'hmacSha256',
		payloadSignatureSecret: secret,
		payloadSignatureEncoding: 'hex',
	};
	const unbound: Credential = { ...hmacCredential, payloadSignatureBinding: false };
	const macOf = (text: string) => hs256(secret)(text).toString('hex');
	const bound = (inner: string) => `${inner}.${macOf(`${MESSAGE_ID}:${inner}`)}`;

	it.each([
		['one character', '|'],
		['several characters', '::sig::'],
		['a line break', '\n'],
		['a character beyond 16 bits', '🔏'],
		['a dash', '-'],
	])('the separator: %s', (_what, separator) => {
		const credential = { ...hmacCredential, payloadSignatureSeparator: separator };
		const payload = `${INNER}${separator}${macOf(`${MESSAGE_ID}:${INNER}`)}`;
		expect(check(attemptOf(credential, payload))).toEqual(valid(INNER));
		const other = payload.replace(separator, '~');
		expect(check(attemptOf(credential, other))).toEqual(invalid(other));
	});

	it.each([
		['the separator', '1.250,00 ₺.'],
		['nothing', ''],
		['NUL bytes', 'a\0b\0'],
		['Turkish letters and emoji', 'İğüşıöç 👩‍👩‍👧'],
		['line breaks, colons and brackets', '[a]:b\r\n'],
		['1 MiB', 'x'.repeat(1 << 20)],
		['the replacement character', '\uFFFD'],
	])('a payload that holds %s', (_what, inner) => {
		expect(check(attemptOf(hmacCredential, bound(inner)))).toEqual(valid(inner));
	});

	it('hexadecimal in either case, base64 of either alphabet, padded or not', () => {
		const mac = hs256(secret)(`${MESSAGE_ID}:${INNER}`);
		const base64 = { ...hmacCredential, payloadSignatureEncoding: 'base64' };
		expect(
			check(attemptOf(hmacCredential, `${INNER}.${mac.toString('hex').toUpperCase()}`)),
		).toEqual(valid(INNER));
		for (const text of [mac.toString('base64'), mac.toString('base64url')]) {
			expect(check(attemptOf(base64, `${INNER}.${text}`))).toEqual(valid(INNER));
			expect(check(attemptOf(base64, `${INNER}.${text.replace('=', '')}`))).toEqual(valid(INNER));
		}
	});

	it.each(
		[
			[
				'Jefe',
				'what do ya want for nothing?',
				'5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
			],
			[
				'Jefe',
				'what do ya want for nothing?',
				'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
			],
			[
				'Jefe',
				'what do ya want for nothing?',
				'164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
			],
			[
				'\x0b'.repeat(20),
				'Hi There',
				'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
			],
			[
				'\x0b'.repeat(20),
				'Hi There',
				'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
			],
			[
				'\x0b'.repeat(20),
				'Hi There',
				'87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
			],
		].map((row) => [`hmacSha${(row[2] ?? '').length * 4}`, ...row] as const),
	)('agrees with RFC 4231: %s', (method, key, data, mac) => {
		const credential = {
			...unbound,
			payloadSignatureMethod: method,
			payloadSignatureSecret: key,
		};
		expect(check(attemptOf(credential, `${data}.${mac}`))).toEqual(valid(data));
	});

	it('agrees with OpenSSL, and takes the key out of a certificate that has expired', () => {
		const certificate = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUOy5lzzU4Sp8c5hYuM8jdI82hlC4wCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLRXhhbXBsZSBBcHAwHhcNMjYxMTIzMDIyNzAyWhcNMjYxMTI0
MDIyNzAyWjAWMRQwEgYDVQQDDAtFeGFtcGxlIEFwcDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABB3fq7qzatp9zOsxcbSaQ1OkMMkexG4xG++nOaNxG6qxcBpdSB93
l7Oic3Z98PWJyZtX3nARw6EQWOgCOTua14WjUzBRMB0GA1UdDgQWBBQC/3AbLtIy
8UrOmG4N5R5NuHnC/jAfBgNVHSMEGDAWgBQC/3AbLtIy8UrOmG4N5R5NuHnC/jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDiq4ABN59d+c9veZ0iX
mkDfiWoact0O8uO1Xl4OWKccAiB+wRKJABQWghELjg9ZtbyyCOOAxVOGfRZKn/T6
tVfG3A==
-----END CERTIFICATE-----`;
		const credential = {
			payloadSignature: 'separated',
			payloadSignatureMethod: 'ecdsaSha256',
			payloadSignaturePublicKey: certificate,
		};
		const signed =
			'approve.MEYCIQDS8PTxJ0rfMUKI/i/3ydNhxk6ba32Gc/4/7X8GfiPxQgIhAO/rCMOBQlOoRlplwXEp1DtOb4h4/YO+iEIf8Tph8xpU';
		const attempt = { ...attemptOf(credential, signed), now: new Date('2040-01-01') };
		expect(check(attempt)).toEqual(valid('approve'));
		const swapped = withPayload(attempt, (payload) => payload.replace('approve', 'decline'));
		expect(check(swapped)).toEqual(invalid(swapped.press.payload));
	});

	it('cannot tell id and payload apart where ids hold colons', () => {
		const payload = `c.${macOf('a:b:c')}`;
		const verify = verifierFor(hmacCredential);
		expect(verify({ ...pressOf(payload), messageId: 'a:b' }, NOW)).toEqual(valid('c'));
		const moved = `b:c.${macOf('a:b:c')}`;
		expect(verify({ ...pressOf(moved), messageId: 'a' }, NOW)).toEqual(valid('b:c'));
	});

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
		[
			'9. a second signature behind',
			hmacAttempt,
			changed((signed) => `${signed}.${'0'.repeat(64)}`),
		],
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
			'22. a line break inside base64',
			base64Attempt,
			changed((signed) => signed.replace(/(.{9})$/, '\n$1')),
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

describe('arbitrary texts', () => {
	const verifiers = [
		jwsCredential,
		unboundJws,
		rs256Credential,
		...methods.map(([, m]) => m.credential),
	].map(verifierFor);
	const anyText = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
		fc.tuple(fc.json(), fc.json(), fc.string()).map((made) => made.map(base64url).join('.')),
		fc.tuple(fc.string(), fc.base64String()).map((made) => made.join('.')),
		fc.json().map((content) => token(content, { alg: 'ES256' }, es256(pairs.stranger))),
	);

	it('are never valid, and nothing throws', () => {
		fc.assert(
			fc.property(anyText, anyText, anyText, (payload, messageId, customerNo) => {
				for (const verify of verifiers) {
					expect(verify({ payload, messageId, customerNo }, NOW)).toEqual(invalid(payload));
				}
			}),
			{ numRuns: 200 },
		);
	});
});

describe('settings that cannot work', () => {
	const separated: Credential = {
		payloadSignature: 'separated',
		payloadSignatureMethod: 'hmacSha256',
		payloadSignatureSecret: secret,
	};
	const es = (publicKey: string): Credential => ({
		...jwsCredential,
		payloadSignaturePublicKey: publicKey,
	});
	const hs = (algorithm: string, bytes: number): Credential => ({
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: algorithm,
		payloadSignatureSecret: 'ş'.repeat(bytes / 2) + 'x'.repeat(bytes % 2),
	});
	const doesNotFit = 'The Public Key does not fit the chosen algorithm';
	const tooShort = 'The Signing Secret is too short for the chosen algorithm';
	const unreadable = 'The Public Key cannot be read';
	const noValue = (label: string) => `${label} has a value that is not possible`;
	const withoutAlgorithm = { ...jwsCredential, payloadSignatureAlgorithm: undefined };

	const refused: Array<[string, Credential, Credential, string]> = [
		[
			'an unknown scheme',
			jwsCredential,
			{ ...jwsCredential, payloadSignature: 'JWS' },
			noValue('Signed Payloads'),
		],
		['an empty scheme', {}, { payloadSignature: '' }, noValue('Signed Payloads')],
		['a scheme of null', {}, { payloadSignature: null }, noValue('Signed Payloads')],
		['no algorithm', jwsCredential, withoutAlgorithm, noValue('Signature Algorithm')],
		[
			'alg none',
			jwsCredential,
			{ ...jwsCredential, payloadSignatureAlgorithm: 'none' },
			noValue('Signature Algorithm'),
		],
		[
			'a name that every object has',
			jwsCredential,
			{ ...jwsCredential, payloadSignatureAlgorithm: 'constructor' },
			noValue('Signature Algorithm'),
		],
		[
			'a method of the other scheme',
			separated,
			{ ...separated, payloadSignatureMethod: 'HS256' },
			noValue('Signature Method'),
		],
		[
			'an unknown encoding',
			separated,
			{ ...separated, payloadSignatureEncoding: 'utf8' },
			noValue('Signature Encoding'),
		],
		[
			'a binding that is neither true nor false',
			separated,
			{ ...separated, payloadSignatureBinding: 'no' },
			noValue('Signature Covers the Message ID'),
		],
		[
			'a separator that is no text',
			separated,
			{ ...separated, payloadSignatureSeparator: 0 },
			noValue('Separator'),
		],
		[
			'an empty separator',
			separated,
			{ ...separated, payloadSignatureSeparator: '' },
			'The Separator is empty',
		],
		[
			'a separator made of base64',
			separated,
			{ ...separated, payloadSignatureSeparator: '==' },
			'The Separator can occur inside a signature',
		],
		[
			'a separator made of hexadecimal digits',
			{ ...separated, payloadSignatureEncoding: 'hex', payloadSignatureSeparator: 'sig' },
			{ ...separated, payloadSignatureEncoding: 'hex', payloadSignatureSeparator: 'C0' },
			'The Separator can occur inside a signature',
		],
		[
			'no secret',
			separated,
			{ ...separated, payloadSignatureSecret: '' },
			'The Signing Secret is empty',
		],
		[
			'a secret that is no text',
			separated,
			{ ...separated, payloadSignatureSecret: 12345 },
			'The Signing Secret is empty',
		],
		['HS256 with 31 bytes', hs('HS256', 32), hs('HS256', 31), tooShort],
		['HS384 with 47 bytes', hs('HS384', 48), hs('HS384', 47), tooShort],
		['HS512 with 63 bytes', hs('HS512', 64), hs('HS512', 63), tooShort],
		['no public key', es(spki(pairs.p256)), es(' \n'), 'The Public Key is empty'],
		[
			'a private key',
			es(spki(pairs.p256)),
			es(pkcs8(pairs.p256)),
			'The Public Key is a private key',
		],
		[
			'both keys',
			es(spki(pairs.p256)),
			es(spki(pairs.p256) + pkcs8(pairs.p256)),
			'The Public Key is a private key',
		],
		[
			'two public keys',
			es(spki(pairs.p256)),
			es(spki(pairs.p256).repeat(2)),
			'The Public Key holds several keys',
		],
		['a key that is no PEM', es(spki(pairs.p256)), es('ssh-ed25519 AAAA'), unreadable],
		[
			'a PEM of nothing',
			es(spki(pairs.p256)),
			es('-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----'),
			unreadable,
		],
		[
			'a damaged key',
			es(spki(pairs.p256)),
			es(spki(pairs.p256).replace(/[^-\n]{8}/g, 'AAAAAAAA')),
			unreadable,
		],
		['a key on another curve', es(spki(pairs.p256)), es(spki(pairs.p384)), doesNotFit],
		[
			'a curve that no algorithm has',
			es(spki(pairs.p256)),
			{
				...separated,
				payloadSignatureMethod: 'ecdsaSha256',
				payloadSignaturePublicKey: spki(pairs.k256),
			},
			doesNotFit,
		],
		['an RSA key for ES256', es(spki(pairs.p256)), es(spki(pairs.rsa)), doesNotFit],
		[
			'an elliptic-curve key for RS256',
			rs256Credential,
			{ ...rs256Credential, payloadSignaturePublicKey: spki(pairs.p256) },
			doesNotFit,
		],
		[
			'a short RSA key',
			rs256Credential,
			{ ...rs256Credential, payloadSignaturePublicKey: spki(pairs.shortRsa) },
			doesNotFit,
		],
		[
			'an Ed448 key for EdDSA',
			{ ...es(spki(pairs.ed25519)), payloadSignatureAlgorithm: 'EdDSA' },
			{ ...es(spki(pairs.ed448)), payloadSignatureAlgorithm: 'EdDSA' },
			doesNotFit,
		],
	];

	it.each(refused)('%s', (_what, working, broken, title) => {
		expect(createPayloadVerifier(working)).toMatchObject({ ok: true });
		const setup = createPayloadVerifier(broken);
		expect(setup).toEqual({ ok: false, title, advice: expect.stringMatching(/^[A-Z].*\.$/) });
	});

	it('says what the key is and what is needed, without showing it', () => {
		const setup = createPayloadVerifier({
			...rs256Credential,
			payloadSignaturePublicKey: spki(pairs.shortRsa),
		});
		expect(setup).toMatchObject({
			advice: expect.stringContaining(
				'needs an RSA key of at least 2048 bits; this is an RSA key of 2047 bits',
			),
		});
		expect(JSON.stringify(setup)).not.toContain(spki(pairs.shortRsa).slice(60, 90));
	});

	it('never throw, whatever a credential holds', () => {
		const names = payloadSignatureFields.map(({ name }) => name);
		const value = fc.oneof(
			fc.anything(),
			fc.constantFrom('jws', 'separated', 'ES256', 'ecdsaSha256', spki(pairs.p256), secret),
		);
		fc.assert(
			fc.property(fc.dictionary(fc.constantFrom(...names), value), (credential) => {
				const setup = createPayloadVerifier(credential);
				if (setup.ok) setup.verify(pressOf('x'), NOW);
				else expect(setup.advice).toMatch(/\.$/);
			}),
			{ numRuns: 500 },
		);
	});
});

describe('how a public key may be written', () => {
	const pem = spki(pairs.p256);
	it.each([
		['as it is', pem],
		['in one line, as a masked field leaves it', pem.replaceAll('\n', '')],
		['with blanks for line breaks', pem.replaceAll('\n', ' ')],
		['with \\n for line breaks', pem.replaceAll('\n', '\\n')],
		['with Windows line breaks', pem.replaceAll('\n', '\r\n')],
		['with text around it', `Key of the app:\n${pem}\nend`],
	])('%s', (_how, publicKey) => {
		const credential = { ...jwsCredential, payloadSignaturePublicKey: publicKey };
		expect(check(attemptOf(credential, token(CLAIMS)))).toEqual(valid(INNER));
	});

	it('as PKCS #1', () => {
		const publicKey = pairs.rsa.publicKey.export({ type: 'pkcs1', format: 'pem' });
		const credential = { ...rs256Credential, payloadSignaturePublicKey: publicKey };
		expect(check({ ...rsAttempt(), credential })).toEqual(valid(INNER));
	});
});

describe('the fields of the credential', () => {
	const optionsOf = (name: string): unknown[] =>
		payloadSignatureFields
			.filter((field) => field.name === name)
			.flatMap((field) => field.options ?? [])
			.map((option) => ('value' in option ? option.value : undefined));

	it('offer the algorithms that are verified here', () => {
		expect(optionsOf('payloadSignatureAlgorithm').sort()).toEqual([...JWS_ALGORITHMS].sort());
		const tested = new Set(methods.map(([, { credential }]) => credential.payloadSignatureMethod));
		expect(optionsOf('payloadSignatureMethod').sort()).toEqual([...tested].sort());
	});

	const defaults = Object.fromEntries(
		payloadSignatureFields.map((field) => [field.name, field.default]),
	);
	const shown = (values: Record<string, string>) =>
		payloadSignatureFields
			.filter((field) =>
				NodeHelpers.displayParameter({ ...defaults, ...values }, field, null, null),
			)
			.map(({ name }) => name.replace('payloadSignature', ''));

	it.each([
		[{}, ['']],
		[{ payloadSignature: 'jws' }, ['', 'Algorithm', 'PublicKey', 'Binding']],
		[
			{ payloadSignature: 'jws', payloadSignatureAlgorithm: 'HS384' },
			['', 'Algorithm', 'Secret', 'Binding'],
		],
		[
			{ payloadSignature: 'separated' },
			['', 'Method', 'PublicKey', 'Separator', 'Encoding', 'Binding'],
		],
		[
			{ payloadSignature: 'separated', payloadSignatureMethod: 'hmacSha512' },
			['', 'Method', 'Secret', 'Separator', 'Encoding', 'Binding'],
		],
	])('%j shows only what applies', (values, names) => {
		expect(shown(values)).toEqual(names);
	});

	it('work with their defaults once a key is entered', () => {
		for (const payloadSignature of ['jws', 'separated']) {
			const entered = {
				...defaults,
				payloadSignature,
				payloadSignaturePublicKey: spki(pairs.p256),
			};
			expect(createPayloadVerifier(entered)).toMatchObject({ ok: true });
		}
	});
});
