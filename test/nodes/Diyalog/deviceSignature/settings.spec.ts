import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { payloadSignatureFields } from '../../../../nodes/Diyalog/deviceSignature/fields';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	jwsCredential,
	NOW,
	pairs,
	pkcs8,
	pressOf,
	rs256Credential,
	secret,
	spki,
} from '../../../support/signedPayloads';
import type { Credential } from '../../../support/signedPayloads';

const shortRsa = generateKeyPairSync('rsa', { modulusLength: 2047 });

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
			{ ...rs256Credential, payloadSignaturePublicKey: spki(shortRsa) },
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
			payloadSignaturePublicKey: spki(shortRsa),
		});
		expect(setup).toMatchObject({
			advice: expect.stringContaining(
				'needs an RSA key of at least 2048 bits; this is an RSA key of 2047 bits',
			),
		});
		expect(JSON.stringify(setup)).not.toContain(spki(shortRsa).slice(60, 90));
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
