import { createPublicKey, ECDH, generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { openOpenSsl, whyNoOpenSsl } from '../../../support/devices';
import { describeUnless } from '../../../support/skip';

/* Keys with which anybody could sign. */

const pemOf = (key: JsonWebKey): string =>
	createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();

const rsaOf = (bits: number): JsonWebKey =>
	generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });

const rsa = rsaOf(2048);

const rsaWith = (exponent: bigint): string => {
	const hex = exponent.toString(16);
	const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
	return pemOf({ ...rsa, e: bytes.toString('base64url') });
};

const setup = (method: string, texts: object) =>
	createPayloadVerifier({
		payloadSignature: 'separated',
		payloadSignatureMethod: method,
		...texts,
	});

const withKey = (method: string, payloadSignaturePublicKey: string) =>
	setup(method, { payloadSignaturePublicKey });

const WEAK = {
	ok: false,
	title: 'The Public Key is too weak: signatures could be forged',
};

it.each([1n, 2n, 3n, 17n, 65_535n, 65_536n, 65_538n, 2n ** 256n + 1n])(
	'1. an RSA key with the public exponent %p',
	(exponent) => {
		expect(withKey('rsaSha256', rsaWith(exponent))).toMatchObject(WEAK);
		const jws = {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'PS256',
			payloadSignaturePublicKey: rsaWith(exponent),
		};
		expect(createPayloadVerifier(jws)).toMatchObject(WEAK);
	},
);

it('2. an RSA key that is too short', () => {
	expect(withKey('rsaSha256', pemOf(rsaOf(1024)))).toMatchObject({ ok: false });
	expect(withKey('rsaSha256', rsaWith(65_537n))).toMatchObject({ ok: true });
});

/** 1 and so on, in 32 bytes from the lowest to the highest; with and without the sign of the other coordinate. */
const SMALL_ORDER = [
	`01${'00'.repeat(31)}`,
	`01${'00'.repeat(30)}80`,
	'00'.repeat(32),
	`${'00'.repeat(31)}80`,
	`ec${'ff'.repeat(30)}7f`,
	`ed${'ff'.repeat(30)}7f`,
	`ee${'ff'.repeat(31)}`,
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

it.each(SMALL_ORDER)('3. an Ed25519 key of small order: %s', (hex) => {
	const x = Buffer.from(hex, 'hex').toString('base64url');
	const key = pemOf({ kty: 'OKP', crv: 'Ed25519', x });
	expect(withKey('ed25519', key)).toMatchObject(WEAK);
});

it('4. an ordinary Ed25519 key is taken', () => {
	const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
	expect(withKey('ed25519', pemOf(key))).toMatchObject({ ok: true });
});

it.each(['secp256k1', 'secp224r1', 'prime192v1', 'brainpoolP256r1'])(
	'5. an elliptic-curve key on another curve: %s',
	(namedCurve) => {
		const { publicKey } = generateKeyPairSync('ec', { namedCurve });
		const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
		expect(withKey('ecdsaSha256', pem)).toMatchObject({ ok: false });
	},
);

it.each([' ', '\n', '\t \n'])('6b. a secret of blanks alone: %j', (payloadSignatureSecret) => {
	expect(setup('hmacSha256', { payloadSignatureSecret })).toMatchObject({ ok: false });
});

it('6. an empty secret', () => {
	expect(setup('hmacSha256', { payloadSignatureSecret: '' })).toMatchObject({ ok: false });
});

describeUnless(whyNoOpenSsl(), 'certificates', () => {
	it('7. more than there can be keys are not compared with one another', async () => {
		const openssl = await openOpenSsl();
		const certificates = await openssl.certificatesOfOneKey(21);
		// As Base64 of a file, of which several may stand in one text.
		const texts = [certificates.slice(0, 11), certificates.slice(11)].map((each) =>
			Buffer.from(each.join('')).toString('base64'),
		);
		expect(withKey('ed25519', texts.join(','))).toMatchObject({
			ok: false,
			title: 'The Public Key holds more than 20 keys',
		});
	});
});

it('8. the texts of a list are together no longer than one may be', () => {
	const { publicKey } = generateKeyPairSync('ed25519');
	const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
	const credential = { payloadSignature: 'separated', payloadSignatureMethod: 'ed25519' };
	const keys = (blanks: number) => Array(3).fill(`${pem}${' '.repeat(blanks)}`);
	expect(createPayloadVerifier(credential, keys(30_000))).toMatchObject({ ok: true });
	expect(createPayloadVerifier(credential, keys(40_000))).toMatchObject({
		ok: false,
		title: "The person's key is longer than 100000 characters",
	});
});

it.each(['uncompressed', 'compressed'] as const)(
	'9. a public key as a point, %s, is no secret',
	(form) => {
		const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
		const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
		const bytes = ECDH.convertKey(point, 'prime256v1', undefined, undefined, form);
		const secret = Buffer.from(bytes).toString('base64');
		expect(setup('hmacSha256', { payloadSignatureSecret: secret })).toMatchObject({
			ok: false,
			title: 'The Signing Secret is a public key, with which anybody could sign',
		});
	},
);

it.each([
	['lines of OpenSSH', 'sk-'],
	['armoured blocks', '-BEGIN '],
	['the words of such', 'BEGIN '],
	['both', 'sk- BEGIN PUBLI'],
])(
	'10. hostile secrets that begin like %s over and over, hundred of them, end in time',
	(_what, part) => {
		const secret = part.repeat(Math.floor(100_000 / part.length));
		for (let time = 0; time < 100; time++) {
			expect(setup('hmacSha256', { payloadSignatureSecret: secret })).not.toMatchObject({
				title: expect.stringContaining('is a public key'),
			});
		}
	},
	// A pattern that goes back takes more than a minute.
	30_000,
);
