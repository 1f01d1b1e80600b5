import fc from 'fast-check';
import { JWS_ALGORITHMS } from '../../../../nodes/Diyalog/deviceSignature/algorithms';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import type { JoseRequest, JoseTokens } from '../../../support/joseTokens';
import {
	attemptOf,
	check,
	CLAIMS,
	hmacCredential,
	INNER,
	invalid,
	MINUTE_S,
	NOW,
	NOW_S,
	pressOf,
	valid,
	verifierFor,
	withPayload,
} from '../../../support/signedPayloads';
import type { Credential } from '../../../support/signedPayloads';
import { projectRoot, run } from '../../../../tools/system';

const ALGORITHMS = [...JWS_ALGORITHMS.keys()];

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
		const request: JoseRequest = { algorithms: ALGORITHMS, claims, text: INNER };
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

	describe.each(ALGORITHMS)('%s', (algorithm) => {
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
			const others = ALGORITHMS.filter((other) => other !== algorithm)
				.map((other) => createPayloadVerifier(credentialFor(other, tokensOf(algorithm))))
				.filter((setup) => setup.ok);
			for (const { verify } of others) {
				expect(verify(pressOf(claimsToken), NOW)).toMatchObject(invalid(claimsToken));
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

describe('payload<separator>signature', () => {
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
			...hmacCredential,
			payloadSignatureBinding: false,
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
});
