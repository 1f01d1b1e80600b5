import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	attemptOf,
	base64url,
	check,
	CLAIMS,
	es256,
	fullVerifierFor,
	hs256,
	jwsCredential,
	NOW,
	pairs,
	pkcs8,
	pressOf,
	spki,
	token,
} from '../../../support/signedPayloads';

/* Keys that must not be taken, and keys that must not be mistaken. */

type Pair = typeof pairs.p256;

const METHOD_OF = { ec: 'ecdsaSha256', rsa: 'rsaSha256', ed25519: 'ed25519' } as const;
type Kind = keyof typeof METHOD_OF;

const setupOf = (kind: Kind, entered: unknown) =>
	createPayloadVerifier(
		{ payloadSignature: 'separated', payloadSignatureMethod: METHOD_OF[kind] },
		entered,
	);

/** Refused, with sentences that hold nothing of what was entered. */
function expectRefused(kind: Kind, entered: unknown, title: string | RegExp): void {
	const setup = setupOf(kind, entered);
	const expected = typeof title === 'string' ? title : expect.stringMatching(title);
	expect(setup).toEqual({ ok: false, title: expected, advice: expect.stringMatching(/\.$/) });
	const text = typeof entered === 'string' ? entered : JSON.stringify(entered);
	if (text && text.length > 100) expect(JSON.stringify(setup)).not.toContain(text.slice(50, 80));
}

const jwkOf = (key: KeyObject): JsonWebKey => key.export({ format: 'jwk' });
const derOf = ({ publicKey }: { publicKey: KeyObject }): Buffer =>
	publicKey.export({ type: 'spki', format: 'der' });
const pointOf = (pair: Pair, bytes: number): Buffer => derOf(pair).subarray(-2 * bytes - 1);
const numberOf = (pair: Pair): Buffer => Buffer.from(jwkOf(pair.privateKey).d ?? '', 'base64url');
const base64 = (bytes: Buffer): string => bytes.toString('base64');

const PRIVATE = "The person's key is a private key";
const UNREADABLE = "The person's key cannot be read";
const WEAK = "The person's key is too weak: signatures could be forged";

describe('1. private keys', () => {
	const { p256, p384, p521, rsa, ed25519 } = pairs;
	const secretOf = (pair: Pair, type: 'pkcs8' | 'sec1' | 'pkcs1') =>
		pair.privateKey.export({ type, format: 'der' });
	const encrypted = (pair: Pair, format: 'pem' | 'der') =>
		pair.privateKey.export({
			type: 'pkcs8',
			format,
			cipher: 'aes-256-cbc',
			passphrase: 'x',
		} as never);
	const encryptedPem = String(encrypted(p256, 'pem'));
	const encryptedDer = Buffer.from(encrypted(p256, 'der'));
	const edJwk = jwkOf(ed25519.privateKey);
	const naclKey = ['d', 'x'].map((name) => Buffer.from(String(edJwk[name]), 'base64url'));
	const forms: Array<[string, Kind, unknown]> = [
		['PKCS #8 as PEM', 'ec', pkcs8(p256)],
		['SEC 1 as PEM', 'ec', p256.privateKey.export({ type: 'sec1', format: 'pem' })],
		['PKCS #1 as PEM', 'rsa', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
		['encrypted, as PEM', 'ec', encryptedPem],
		['a PEM file as Base64', 'ec', base64(Buffer.from(pkcs8(p256)))],
		['PEM behind the public key', 'ec', spki(p256) + pkcs8(p256)],
		['PKCS #8 as Base64', 'ec', base64(secretOf(p256, 'pkcs8'))],
		['PKCS #8 as hexadecimal', 'rsa', secretOf(rsa, 'pkcs8').toString('hex')],
		[
			'PKCS #8 as base64url with line breaks',
			'ed25519',
			secretOf(ed25519, 'pkcs8')
				.toString('base64url')
				.replace(/(.{20})/g, '$1\n'),
		],
		['SEC 1 as Base64', 'ec', base64(secretOf(p521, 'sec1'))],
		['PKCS #1 as Base64', 'rsa', base64(secretOf(rsa, 'pkcs1'))],
		['encrypted, as Base64', 'ec', base64(encryptedDer)],
		['of another kind than needed', 'rsa', base64(secretOf(p256, 'sec1'))],
		[
			'behind a public key and a comma',
			'ec',
			`${base64(derOf(p256))},${base64(secretOf(p256, 'pkcs8'))}`,
		],
		['a JWK', 'ec', jwkOf(p256.privateKey)],
		['a JWK as text', 'rsa', JSON.stringify(jwkOf(rsa.privateKey))],
		['a JWK of Ed25519', 'ed25519', edJwk],
		['a JWK that holds the half of an RSA key', 'rsa', { ...jwkOf(rsa.publicKey), dp: 'AQAB' }],
		['a JWK of a secret', 'ec', { kty: 'oct', k: 'a'.repeat(43) }],
		[
			'in a JWK set, beside a public one',
			'ec',
			{ keys: [jwkOf(p256.publicKey), jwkOf(p256.privateKey)] },
		],
		[
			'in a JWK set, of another algorithm',
			'ec',
			{ keys: [jwkOf(p256.publicKey), { ...jwkOf(rsa.privateKey), alg: 'RS512' }] },
		],
		['what iOS gives, P-256', 'ec', base64(Buffer.concat([pointOf(p256, 32), numberOf(p256)]))],
		['what iOS gives, P-384', 'ec', base64(Buffer.concat([pointOf(p384, 48), numberOf(p384)]))],
		[
			'what iOS gives, P-521',
			'ec',
			Buffer.concat([pointOf(p521, 66), numberOf(p521)]).toString('hex'),
		],
		['what NaCl calls a secret key', 'ed25519', base64(Buffer.concat(naclKey))],
	];
	it.each(forms)('%s', (_form, kind, entered) => expectRefused(kind, entered, PRIVATE));

	it('of several, the one is named that it is', () => {
		const entered = [spki(p256), pkcs8(p256)];
		expectRefused('ec', entered, "The person's key (number 2) is a private key");
		expectRefused('ec', JSON.stringify(entered), "The person's key (number 2) is a private key");
	});

	it('a public key of P-384 is not taken for the private one of P-256, which is as long', () => {
		expect(pointOf(p384, 48).length).toBe(
			Buffer.concat([pointOf(p256, 32), numberOf(p256)]).length,
		);
		expect(setupOf('ec', base64(pointOf(p384, 48)))).toMatchObject({ ok: true });
	});
});

describe('2. a public key as the secret of an HMAC', () => {
	const { p256, rsa } = pairs;
	const forms: Array<[string, string]> = [
		['PEM', spki(rsa)],
		['PEM in one line', spki(p256).replaceAll('\n', '')],
		['PKCS #1', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
		['Base64', base64(derOf(p256))],
		[
			'base64url with line breaks',
			derOf(rsa)
				.toString('base64url')
				.replace(/(.{64})/g, '$1\r\n'),
		],
		['hexadecimal', derOf(p256).toString('hex')],
		['a JWK', JSON.stringify(jwkOf(rsa.publicKey))],
		['a JWK set, as it is published', JSON.stringify({ keys: [jwkOf(p256.publicKey)] })],
		['a list of JWKs', JSON.stringify([jwkOf(p256.publicKey)])],
		['a line of OpenSSH', `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'x'.repeat(43)} a@example.com`],
		['the same with options', `restrict ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB${'x'.repeat(40)}`],
		['its bytes alone', `AAAAC3NzaC1lZDI1NTE5AAAAI${'x'.repeat(43)}`],
		['an armoured block', `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${'x'.repeat(64)}`],
	];
	it.each(forms)('%s', (_form, text) => {
		for (const payloadSignatureSecretEncoding of ['text', 'base64', 'hex']) {
			const credential = {
				payloadSignature: 'separated',
				payloadSignatureMethod: 'hmacSha256',
				payloadSignatureSecretEncoding,
			};
			const title = expect.stringContaining('is a public key, with which anybody could sign');
			expect(createPayloadVerifier(credential, text)).toMatchObject({ ok: false, title });
			const own = { ...credential, payloadSignatureSecret: text };
			expect(createPayloadVerifier(own)).toMatchObject({ ok: false, title });
			const secrets = {
				payloadSignatureSecret: 'ab'.repeat(32),
				payloadSignaturePreviousSecret: text,
			};
			expect(createPayloadVerifier({ ...credential, ...secrets })).toMatchObject({
				ok: false,
				title,
			});
		}
	});

	it('as the text of a JWK in Base64 or hexadecimal', () => {
		for (const encoding of ['base64', 'hex'] as const) {
			const text = Buffer.from(JSON.stringify(jwkOf(p256.publicKey))).toString(encoding);
			const credential = {
				payloadSignature: 'separated',
				payloadSignatureMethod: 'hmacSha256',
				payloadSignatureSecretEncoding: encoding,
			};
			const title = expect.stringContaining('is a public key, with which anybody could sign');
			expect(createPayloadVerifier(credential, text)).toMatchObject({ ok: false, title });
		}
	});

	it('as a JWK object', () => {
		const credential = { payloadSignature: 'separated', payloadSignatureMethod: 'hmacSha256' };
		expect(createPayloadVerifier(credential, jwkOf(rsa.publicKey))).toMatchObject({ ok: false });
		const secret = { kty: 'oct', k: base64url('s'.repeat(32)) };
		expect(createPayloadVerifier(credential, secret)).toMatchObject({ ok: true });
	});

	it('a random secret of 32 bytes is none, though it could be one for Ed25519', () => {
		const credential = { payloadSignature: 'separated', payloadSignatureMethod: 'hmacSha256' };
		for (const encoding of ['base64', 'hex'] as const) {
			const text = Buffer.alloc(32, 7).toString(encoding);
			expect(createPayloadVerifier(credential, text)).toMatchObject({ ok: true });
		}
	});
});

describe('3. a JWK that says it is for something else', () => {
	const key = jwkOf(pairs.p256.publicKey);
	const forbidding: Array<[string, object]> = [
		['alg of another algorithm', { alg: 'ES384' }],
		['alg of an HMAC', { alg: 'HS256' }],
		['alg none', { alg: 'none' }],
		['alg of key agreement', { alg: 'ECDH-ES' }],
		['use enc', { use: 'enc' }],
		['an empty use', { use: '' }],
		['key_ops without verify', { key_ops: ['sign'] }],
		['no key_ops', { key_ops: [] }],
	];
	it.each(forbidding)('%s', (_what, members) => {
		const setup = (entered: unknown) => createPayloadVerifier(jwsCredential, entered);
		const allowed = { ...key, alg: 'ES256', use: 'sig', key_ops: ['verify'] };
		expect(setup(allowed)).toMatchObject({ ok: true });
		expect(setup({ keys: [allowed] })).toMatchObject({ ok: true });
		const title = "The person's key is not for checking signatures with the chosen algorithm";
		expect(setup({ ...allowed, ...members })).toMatchObject({ ok: false, title });
		expect(setup({ keys: [{ ...allowed, ...members }] })).toMatchObject({ ok: false });
	});

	it('in a set it is passed over: what it has signed is invalid', () => {
		const keys = [
			{ ...key, use: 'enc' },
			jwkOf(pairs.stranger.publicKey),
			{ kty: 'unknown' },
			null,
			jwkOf(pairs.rsa.publicKey),
		];
		const verify = fullVerifierFor(jwsCredential, { keys });
		const made = (pair: Pair) => pressOf(token(CLAIMS, undefined, es256(pair)));
		expect(verify(made(pairs.p256), NOW).payloadSignature).toBe('invalid');
		expect(verify(made(pairs.stranger), NOW).payloadSignature).toBe('valid');
	});

	it.each([
		['use that is no text', { use: ['sig'] }],
		['key_ops that is no list', { key_ops: 'verify' }],
		['alg that is no text', { alg: 256 }],
	])('%s', (_what, members) => {
		expect(createPayloadVerifier(jwsCredential, { ...key, ...members })).toMatchObject({
			ok: false,
		});
	});
});

describe('4. the kid of a JWS', () => {
	const withKid = (pair: Pair, kid: string) => ({ ...jwkOf(pair.publicKey), kid });
	const set = { keys: [withKid(pairs.p256, 'phone 1'), withKid(pairs.stranger, 'phone 2')] };
	const verdict = (pair: Pair, kid: unknown, keys: unknown = set) => {
		const jws = token(CLAIMS, { alg: 'ES256', kid }, es256(pair));
		return fullVerifierFor(jwsCredential, keys)(pressOf(jws), NOW).payloadSignature;
	};
	it.each<[unknown, string, string]>([
		['phone 1', 'valid', 'invalid'],
		['phone 2', 'invalid', 'valid'],
		// Only a hint: where it names none of the keys, each of them may have signed.
		['phone 3', 'valid', 'valid'],
		[undefined, 'valid', 'valid'],
		['', 'valid', 'valid'],
		['__proto__', 'valid', 'valid'],
		['constructor', 'valid', 'valid'],
		[1, 'valid', 'valid'],
		[['phone 1'], 'valid', 'valid'],
		[null, 'valid', 'valid'],
		['../../dev/null', 'valid', 'valid'],
	])('%j: the first phone %s, the second %s', (kid, first, second) => {
		expect([verdict(pairs.p256, kid), verdict(pairs.stranger, kid)]).toEqual([first, second]);
	});

	it('names a key of somebody else: invalid all the same', () => {
		const mine = { keys: [withKid(pairs.p256, 'phone 1')] };
		expect(verdict(pairs.stranger, 'phone 2', mine)).toBe('invalid');
		expect(verdict(pairs.stranger, 'phone 1', mine)).toBe('invalid');
		expect(verdict(pairs.p256, 'phone 2', mine)).toBe('valid');
	});

	it('is that of two keys: either', () => {
		const both = { keys: set.keys.map((key) => ({ ...key, kid: 'same' })) };
		expect(verdict(pairs.p256, 'same', both)).toBe('valid');
		expect(verdict(pairs.stranger, 'same', both)).toBe('valid');
	});
});

/** One value of DER with its length. */
const der = (tag: number, ...parts: Buffer[]): Buffer => {
	const content = Buffer.concat(parts);
	const { length } = content;
	const size =
		length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
	return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const P256_ID = Buffer.from('301306072a8648ce3d020106082a8648ce3d030107', 'hex');
const onP256 = (point: Buffer): Buffer => der(0x30, P256_ID, der(3, Buffer.from([0]), point));
const pem = (label: string, bytes: Buffer): string =>
	`-----BEGIN ${label}-----\n${base64(bytes)}\n-----END ${label}-----\n`;

describe('5. points that are none', () => {
	const point = pointOf(pairs.p256, 32);
	const beside = Buffer.concat([point.subarray(0, 64), Buffer.from([(point[64] ?? 0) ^ 1])]);
	const hybrid = Buffer.concat([Buffer.from([6 + ((point[64] ?? 0) & 1)]), point.subarray(1)]);
	const points: Array<[string, Buffer]> = [
		// Node itself ends its process over this one as soon as it is asked for the curve.
		['infinity', Buffer.from([0])],
		['infinity in the length of a point', Buffer.alloc(65)],
		['beside the curve', beside],
		['zero', Buffer.concat([Buffer.from([4]), Buffer.alloc(64)])],
		['beyond the field', Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 0xff)])],
		['compressed, without a point', Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 0xff)])],
		['hybrid', hybrid],
		['cut', point.subarray(0, 64)],
		['empty', Buffer.alloc(0)],
	];
	const certificate = Buffer.from(
		[
			'MIIBgDCCASegAwIBAgIUOy5lzzU4Sp8c5hYuM8jdI82hlC4wCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLRXhhbXBsZSBBcHAwHhcN',
			'MjYxMTIzMDIyNzAyWhcNMjYxMTI0MDIyNzAyWjAWMRQwEgYDVQQDDAtFeGFtcGxlIEFwcDBZMBMGByqGSM49AgEGCCqGSM49AwEH',
			'A0IABB3fq7qzatp9zOsxcbSaQ1OkMMkexG4xG++nOaNxG6qxcBpdSB93l7Oic3Z98PWJyZtX3nARw6EQWOgCOTua14WjUzBRMB0G',
			'A1UdDgQWBBQC/3AbLtIy8UrOmG4N5R5NuHnC/jAfBgNVHSMEGDAWgBQC/3AbLtIy8UrOmG4N5R5NuHnC/jAPBgNVHRMBAf8EBTAD',
			'AQH/MAoGCCqGSM49BAMCA0cAMEQCIDiq4ABN59d+c9veZ0iXmkDfiWoact0O8uO1Xl4OWKccAiB+wRKJABQWghELjg9ZtbyyCOOA',
			'xVOGfRZKn/T6tVfG3A==',
		].join(''),
		'base64',
	);

	/** The certificate with another key in it; nobody looks at its signature. */
	function certified(point: Buffer): Buffer {
		const at = certificate.indexOf(P256_ID) - 2;
		const body = certificate.subarray(4);
		const inner = body.subarray(4, body.readUInt16BE(2) + 4);
		const rest = body.subarray(body.readUInt16BE(2) + 4);
		const [before, after] = [inner.subarray(0, at - 8), inner.subarray(at - 8 + 91)];
		return der(0x30, der(0x30, before, onP256(point), after), rest);
	}

	it('a certificate made so is one', () => {
		expect(certified(pointOf(pairs.p256, 32))).not.toEqual(certificate);
		expect(setupOf('ec', base64(certified(pointOf(pairs.p256, 32))))).toMatchObject({ ok: true });
	});

	it.each(points)('%s: as SubjectPublicKeyInfo, PEM, certificate and by itself', (_what, bytes) => {
		expect(setupOf('ec', base64(onP256(point)))).toMatchObject({ ok: true });
		const refused = /^The person's key (cannot be read|does not fit|is empty)/;
		expectRefused('ec', base64(onP256(bytes)), refused);
		expectRefused('ec', pem('PUBLIC KEY', onP256(bytes)), refused);
		expectRefused('ec', base64(certified(bytes)), refused);
		expectRefused('ec', pem('CERTIFICATE', certified(bytes)), refused);
		if (bytes.length !== 64) expectRefused('ec', bytes.toString('hex'), refused);
	});

	it('a JWK beside the curve', () => {
		const jwk = jwkOf(pairs.p256.publicKey);
		expectRefused('ec', { ...jwk, y: jwk.x }, UNREADABLE);
		expectRefused('ec', { ...jwk, x: '', y: '' }, UNREADABLE);
		expectRefused('ec', { ...jwk, crv: 'P-384' }, UNREADABLE);
		expectRefused('ec', { ...jwk, crv: 'secp256k1' }, UNREADABLE);
	});
});

describe('6. weak keys, in every form', () => {
	const rsaJwk = jwkOf(pairs.rsa.publicKey);
	const keyOf = (key: JsonWebKey) => createPublicKey({ key, format: 'jwk' });
	const formsOf = (publicKey: KeyObject): unknown[] => [
		spki({ publicKey }),
		base64(derOf({ publicKey })),
		derOf({ publicKey }).toString('hex'),
		jwkOf(publicKey),
		JSON.stringify(jwkOf(publicKey)),
		{ keys: [jwkOf(publicKey)] },
		[spki({ publicKey })],
	];
	it('an RSA key with the exponent 3 or 1', () => {
		for (const e of ['Aw', 'AQ']) {
			const key = keyOf({ ...rsaJwk, e });
			const pkcs1 = key.export({ type: 'pkcs1', format: 'pem' });
			const bare = base64(key.export({ type: 'pkcs1', format: 'der' }));
			for (const form of [...formsOf(key), pkcs1, bare]) expectRefused('rsa', form, WEAK);
		}
	});

	it('a short RSA key', () => {
		const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
		for (const form of formsOf(publicKey).slice(0, 5)) {
			expectRefused('rsa', form, "The person's key does not fit the chosen algorithm");
		}
		expectRefused('rsa', { keys: [jwkOf(publicKey)] }, UNREADABLE);
	});

	it('an RSA key that is longer than OpenSSL checks', () => {
		const n = Buffer.alloc(2049, 0xff).toString('base64url');
		expectRefused('rsa', { ...rsaJwk, n }, "The person's key does not fit the chosen algorithm");
	});

	it('an Ed25519 key of small order', () => {
		for (const hex of [`01${'00'.repeat(31)}`, '00'.repeat(32), `ec${'ff'.repeat(30)}7f`]) {
			const bytes = Buffer.from(hex, 'hex');
			const key = keyOf({ kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') });
			for (const form of [...formsOf(key), hex, base64(bytes)])
				expectRefused('ed25519', form, WEAK);
		}
	});
});

describe('7. bytes behind or around a key', () => {
	const spkiDer = derOf(pairs.p256);
	it.each([
		['a byte behind it', Buffer.concat([spkiDer, Buffer.alloc(1)])],
		['itself behind it', Buffer.concat([spkiDer, spkiDer])],
		['its last byte cut off', spkiDer.subarray(0, -1)],
		[
			'a length without end',
			Buffer.concat([Buffer.from([0x30, 0x80]), spkiDer.subarray(2), Buffer.alloc(2)]),
		],
		['a length of its length', Buffer.from('3088ffffffffffffffff', 'hex')],
		[
			'a length that is longer than needed',
			Buffer.concat([Buffer.from([0x30, 0x82, 0, 0x59, 0x30]), spkiDer.subarray(2)]),
		],
	])('%s', (_what, bytes) => {
		expectRefused('ec', base64(bytes), UNREADABLE);
		expectRefused('ec', pem('PUBLIC KEY', bytes), UNREADABLE);
	});

	it('a byte behind an RSA key, whose length is written in another way', () => {
		const bytes = derOf(pairs.rsa);
		expect(setupOf('rsa', base64(bytes))).toMatchObject({ ok: true });
		expectRefused('rsa', base64(Buffer.concat([bytes, Buffer.alloc(1)])), UNREADABLE);
	});
});

describe('8. texts without measure', () => {
	const tooLong = "The person's key is longer than 100000 characters";
	const one = base64(derOf(pairs.p256));
	it.each<[string, unknown, string | RegExp]>([
		['a MiB of letters', 'A'.repeat(1 << 20), tooLong],
		['a MiB of brackets', '['.repeat(1 << 20), tooLong],
		['a MiB of beginnings of PEM', '-----BEGIN '.repeat(1e5), tooLong],
		['as many of these as may be', '-----BEGIN A-----'.repeat(5_800), UNREADABLE],
		['lists in lists', `${'['.repeat(49_000)}${']'.repeat(49_000)}`, UNREADABLE],
		['commas', ','.repeat(99_999), "The person's key holds more than 20 keys"],
		['blanks', ' '.repeat(1 << 20), "The person's key is empty"],
		['a JWK with a long member', { kty: 'RSA', e: 'AQAB', n: 'A'.repeat(1 << 20) }, UNREADABLE],
		['a list of 100,000 keys', Array(1e5).fill(one), "The person's key holds more than 20 keys"],
	])('%s', (_what, entered, title) => expectRefused('ec', entered, title));
});

describe('9. more than 20 keys', () => {
	const keys = (count: number) => Array.from({ length: count }, () => pairs.p256.publicKey);
	const ways: Array<[string, (count: number) => unknown]> = [
		['a list of texts', (count) => keys(count).map((publicKey) => spki({ publicKey }))],
		['a list of JWKs', (count) => keys(count).map(jwkOf)],
		['a list as JSON', (count) => JSON.stringify(keys(count).map(jwkOf))],
		['a JWK set', (count) => ({ keys: keys(count).map(jwkOf) })],
		[
			'two JWK sets',
			(count) => [{ keys: keys(10).map(jwkOf) }, { keys: keys(count - 10).map(jwkOf) }],
		],
		[
			'PEM',
			(count) =>
				keys(count)
					.map((publicKey) => spki({ publicKey }))
					.join(''),
		],
		[
			'commas',
			(count) =>
				keys(count)
					.map((publicKey) => base64(derOf({ publicKey })))
					.join(','),
		],
		['two texts', (count) => [spki(pairs.p256).repeat(10), spki(pairs.p256).repeat(count - 10)]],
	];
	it.each(ways)('%s: 20 are read, 21 are not', (_way, made) => {
		expect(setupOf('ec', made(20))).toMatchObject({ ok: true });
		expectRefused('ec', made(21), "The person's key holds more than 20 keys");
	});
});

describe('10. a person without a key', () => {
	const company = { ...jwsCredential };
	const genuine = pressOf(token(CLAIMS));
	it.each<[unknown]>([
		[null],
		[''],
		[' \n'],
		[[]],
		[{}],
		[{ keys: [] }],
		[[null]],
		[['']],
		[false],
		[0],
		['null'],
		['[]'],
	])('%j never falls back to the key of the company', (entered) => {
		expect(fullVerifierFor(company)(genuine, NOW).payloadSignature).toBe('valid');
		expect(createPayloadVerifier(company, entered)).toMatchObject({ ok: false });
		const eachHisOwn = { ...company, payloadSignatureKeys: 'person' };
		expect(createPayloadVerifier(eachHisOwn, entered)).toMatchObject({ ok: false });
	});

	it('is not checked where each person has keys and nobody’s were given, whatever the credential still holds', () => {
		const verify = fullVerifierFor({ ...company, payloadSignatureKeys: 'person' });
		expect(verify(genuine, NOW)).toEqual({
			payloadSignature: 'notChecked',
			payload: genuine.payload,
		});
	});

	it('with a key: that of the company signs nothing for her any more', () => {
		const own = spki(pairs.stranger);
		for (const payloadSignatureKeys of ['company', 'person']) {
			const verify = fullVerifierFor({ ...company, payloadSignatureKeys }, own);
			expect(verify(genuine, NOW)).toMatchObject({
				payloadSignature: 'invalid',
				reason: 'signature',
			});
			const hers = pressOf(token(CLAIMS, undefined, es256(pairs.stranger)));
			expect(verify(hers, NOW).payloadSignature).toBe('valid');
		}
	});
});

describe('11. several keys', () => {
	const verify = fullVerifierFor(jwsCredential, [spki(pairs.p256), spki(pairs.stranger)]);
	const third = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	it('each of them may sign, and the evidence says which has', () => {
		const thumbprints = [pairs.p256, pairs.stranger].map((pair) => {
			const made = pressOf(token(CLAIMS, undefined, es256(pair)));
			const { payloadSignature, evidence } = verify(made, NOW);
			expect(payloadSignature).toBe('valid');
			return evidence?.keyThumbprint;
		});
		expect(new Set(thumbprints).size).toBe(2);
	});

	it('no other may', () => {
		const made = pressOf(token(CLAIMS, undefined, es256(third)));
		expect(verify(made, NOW)).toMatchObject({ payloadSignature: 'invalid', reason: 'signature' });
	});

	it('one that cannot be used is not passed over in silence', () => {
		const credential = jwsCredential;
		for (const bad of ['x', spki(pairs.rsa), spki(pairs.p384), '']) {
			expect(createPayloadVerifier(credential, [spki(pairs.p256), bad])).toMatchObject({
				ok: false,
			});
		}
	});
});

describe('12. an algorithm that comes with the message', () => {
	it.each(['HS256', 'RS256', 'ES384', 'none', 'EdDSA'])('%s', (alg) => {
		const attacks = [
			token(CLAIMS, { alg }, hs256(spki(pairs.p256))),
			token(CLAIMS, { alg }, hs256(base64(derOf(pairs.p256)))),
			token(CLAIMS, { alg }, () => Buffer.alloc(0)),
			token(CLAIMS, { alg }),
		];
		for (const jws of attacks) {
			for (const key of [
				spki(pairs.p256),
				base64(derOf(pairs.p256)),
				jwkOf(pairs.p256.publicKey),
			]) {
				expect(fullVerifierFor(jwsCredential, key)(pressOf(jws), NOW).payloadSignature).toBe(
					'invalid',
				);
			}
		}
		expect(check(attemptOf(jwsCredential, token(CLAIMS))).payloadSignature).toBe('valid');
	});

	it('Ed25519 by its newer name is EdDSA, and nothing else is', () => {
		const credential = { ...jwsCredential, payloadSignatureAlgorithm: 'EdDSA' };
		const verify = fullVerifierFor(credential, spki(pairs.ed25519));
		const signer = (input: string) => sign(null, Buffer.from(input), pairs.ed25519.privateKey);
		const verdictOf = (alg: unknown) =>
			verify(pressOf(token(CLAIMS, { alg }, signer)), NOW).payloadSignature;
		expect(['EdDSA', 'Ed25519', 'ed25519', 'Ed448', 'ES256', ['EdDSA']].map(verdictOf)).toEqual([
			...['valid', 'valid', 'invalid', 'invalid', 'invalid', 'invalid'],
		]);
	});
});
