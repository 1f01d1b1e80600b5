import { createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { JWS_ALGORITHMS } from '../../../../nodes/Diyalog/deviceSignature/algorithms';
import {
	openOpenSsl,
	signedByJdk,
	webCryptoForms,
	whyNoJdk,
	whyNoOpenSsl,
} from '../../../support/devices';
import type { Signed } from '../../../support/devices';
import type { JoseRequest, JoseTokens } from '../../../support/joseTokens';
import {
	base64url,
	CLAIMS,
	fullVerifierFor,
	INNER,
	MESSAGE_ID,
	NOW,
	pressOf,
	spki,
} from '../../../support/signedPayloads';
import { describeUnless } from '../../../support/skip';
import { projectRoot, run } from '../../../../tools/system';

/* Every form of a key that JDK, OpenSSL, jose and WebCrypto give, read; and what they sign, valid in each format. */

const TEXT = `${MESSAGE_ID}:${INNER}`;

/** What a JWS signs: header, dot and content. */
const inputFor = (algorithm: string) => `${base64url({ alg: algorithm })}.${base64url(CLAIMS)}`;

const bare = (base64: string) => Buffer.from(base64, 'base64').toString('base64url');

/** The payload as an app would send it, in each of the formats that the signature fits. */
function sentIn({ isJws, method, signature }: Signed): Array<[string, string]> {
	if (isJws) return [['jws', `${inputFor(method)}.${bare(signature)}`]];
	return [
		['separated', `${INNER}|${signature}`],
		['json', JSON.stringify({ payload: INNER, signature })],
		['signatureOnly', signature],
	];
}

/** Checks a signature under each form of its key, in each format. */
function expectRead(signed: Signed): void {
	for (const [form, key] of signed.forms) {
		for (const [payloadSignature, payload] of sentIn(signed)) {
			const verify = fullVerifierFor(
				{
					payloadSignature,
					payloadSignatureAlgorithm: signed.method,
					payloadSignatureMethod: signed.method,
					payloadSignatureSeparator: '|',
					payloadSignatureSecretEncoding: 'base64',
				},
				key,
			);
			const press = { ...pressOf(payload), issued: ['something else', INNER] };
			const { payloadSignature: found, payload: inner } = verify(press, NOW);
			expect([form, payloadSignature, found, inner]).toEqual([
				form,
				payloadSignature,
				'valid',
				INNER,
			]);
			const elsewhere = verify({ ...press, messageId: 'pay:18' }, NOW);
			expect(elsewhere.payloadSignature).toBe('invalid');
		}
	}
}

const formsOf = (signed: Signed[]): number =>
	signed.reduce((sum, { forms }) => sum + forms.length, 0);

const PUBLIC_ALGORITHMS = [...JWS_ALGORITHMS.keys()].filter((name) => !name.startsWith('HS'));

describeUnless(whyNoJdk(), 'a JDK', () => {
	it('what Android gives and signs: 197 times a form of a key and a signature', async () => {
		const inputs = Object.fromEntries(PUBLIC_ALGORITHMS.map((name) => [name, inputFor(name)]));
		const signed = await signedByJdk(TEXT, inputs);
		signed.forEach(expectRead);
		expect(formsOf(signed)).toBe(197);
	});
});

describeUnless(whyNoOpenSsl(), 'OpenSSL', () => {
	it('keys, certificates and chains: 96 times a form of a key and a signature', async () => {
		const openssl = await openOpenSsl();
		const signed: Signed[] = [];
		const sign = async (name: string, method: string, ...hash: string[]) => {
			const isJws = JWS_ALGORITHMS.has(method);
			const signature = await openssl.sign(name, isJws ? inputFor(method) : TEXT, ...hash);
			signed.push({ method, isJws, forms: await openssl.formsOf(name, curves[name]), signature });
		};
		const curves: Record<string, string> = { p256: 'P-256', p384: 'P-384', p521: 'P-521' };
		for (const [name, curve] of Object.entries(curves)) {
			await openssl.makeKey(name, 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`);
			await sign(
				name,
				`ecdsaSha${name === 'p521' ? 512 : name.slice(1)}`,
				`-sha${name === 'p521' ? 512 : name.slice(1)}`,
			);
		}
		await openssl.makeKey('rsa', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
		await openssl.makeKey('ed25519', 'ED25519');
		const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
		await sign('rsa', 'rsaSha256', '-sha256');
		await sign('rsa', 'rsaPssSha256', '-sha256', ...pss);
		await sign('rsa', 'RS512', '-sha512');
		await sign('rsa', 'PS384', '-sha384', ...pss);
		await sign('ed25519', 'ed25519');
		await sign('ed25519', 'EdDSA');
		signed.forEach(expectRead);
		expect(formsOf(signed)).toBe(96);
	});

	it('checks what the evidence holds, a bare r and s too, and computes the same thumbprint', async () => {
		const openssl = await openOpenSsl();
		const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
			'sign',
			'verify',
		]);
		const key = Buffer.from(await webcrypto.subtle.exportKey('raw', pair.publicKey));
		const jwk = await webcrypto.subtle.exportKey('jwk', pair.publicKey);
		const pem = spki({ publicKey: createPublicKey({ key: { ...jwk }, format: 'jwk' }) });
		for (let round = 0; round < 20; round++) {
			const payload = `approve~${randomBytes(9).toString('hex')}`;
			const signature = await webcrypto.subtle.sign(
				{ name: 'ECDSA', hash: 'SHA-256' },
				pair.privateKey,
				Buffer.from(`${MESSAGE_ID}:${payload}`),
			);
			const credential = {
				payloadSignature: 'separated',
				payloadSignatureMethod: 'ecdsaSha256',
			};
			const sent = `${payload}.${Buffer.from(signature).toString('base64')}`;
			const { evidence } = fullVerifierFor(credential, key.toString('hex'))(pressOf(sent), NOW);
			expect(evidence).toMatchObject({ format: 'separated', algorithm: 'ecdsaSha256' });
			const { said, thumbprint } = await openssl.judge(
				pem,
				evidence?.signedText ?? '',
				evidence?.signature ?? '',
			);
			expect(said).toBe('Verified OK');
			expect(thumbprint).toBe(evidence?.keyThumbprint);
		}
	});
});

it('jose: 60 times a form of a key and a token', async () => {
	const request: JoseRequest = { algorithms: PUBLIC_ALGORITHMS, claims: CLAIMS, text: INNER };
	const program = ['test/support/joseTokens.ts', JSON.stringify(request)];
	const output = await run('node_modules/.bin/tsx', program, { cwd: projectRoot });
	const made: Record<string, JoseTokens> = JSON.parse(output);
	const all = Object.values(made).map(({ jwk }) => jwk);
	let forms = 0;
	for (const [algorithm, { jwk, publicKey, claimsToken }] of Object.entries(made)) {
		const keys = [publicKey, jwk, JSON.stringify(jwk), [jwk], { keys: all }];
		for (const key of [...keys, JSON.stringify({ keys: all })]) {
			forms++;
			const credential = { payloadSignature: 'jws', payloadSignatureAlgorithm: algorithm };
			const checked = fullVerifierFor(credential, key)(pressOf(claimsToken), NOW);
			expect([algorithm, checked.payloadSignature]).toEqual([algorithm, 'valid']);
		}
	}
	expect(forms).toBe(60);
});

it('WebCrypto: 96 times a form of a key and a signature', async () => {
	const { subtle } = webcrypto;
	const signed: Signed[] = [];
	const usages: webcrypto.KeyUsage[] = ['sign', 'verify'];
	const add = async (
		[method, algorithm]: [string, string],
		pair: webcrypto.CryptoKeyPair,
		options: webcrypto.Algorithm | webcrypto.EcdsaParams | webcrypto.RsaPssParams,
	) => {
		const forms = await webCryptoForms(pair.publicKey);
		for (const [name, text] of [
			[method, TEXT],
			[algorithm, inputFor(algorithm)],
		]) {
			const bytes = await subtle.sign(options, pair.privateKey, Buffer.from(text ?? ''));
			const signature = Buffer.from(bytes).toString('base64');
			signed.push({ method: name ?? '', isJws: name === algorithm, forms, signature });
		}
	};
	for (const [curve, bits] of [
		['P-256', 256],
		['P-384', 384],
		['P-521', 512],
	] as const) {
		const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, usages);
		const hash = `SHA-${bits}`;
		await add([`ecdsaSha${bits}`, `ES${bits}`], pair, { name: 'ECDSA', hash });
		const publicExponent = new Uint8Array([1, 0, 1]);
		for (const [name, method, jws] of [
			['RSASSA-PKCS1-v1_5', 'rsaSha', 'RS'],
			['RSA-PSS', 'rsaPssSha', 'PS'],
		] as const) {
			const made = await subtle.generateKey(
				{ name, modulusLength: 2048, publicExponent, hash },
				true,
				usages,
			);
			await add([`${method}${bits}`, `${jws}${bits}`], made, { name, saltLength: bits / 8 });
		}
	}
	const pair = await subtle.generateKey({ name: 'Ed25519' }, true, usages);
	if ('publicKey' in pair) await add(['ed25519', 'EdDSA'], pair, { name: 'Ed25519' });
	signed.forEach(expectRead);
	expect(formsOf(signed)).toBe(96);
});
