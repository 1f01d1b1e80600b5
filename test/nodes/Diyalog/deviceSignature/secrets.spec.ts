import { randomBytes } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	CLAIMS,
	fullVerifierFor,
	hs256,
	INNER,
	MESSAGE_ID,
	NOW,
	pressOf,
	token,
} from '../../../support/signedPayloads';
import type { Credential } from '../../../support/signedPayloads';

/* Secrets in each encoding, while they are changed, and a person's own. */

const bytes = randomBytes(48);
const signedWith = (key: Buffer | string) => {
	const mac = hs256(key as string)(`${MESSAGE_ID}:${INNER}`);
	return pressOf(`${INNER}.${mac.toString('base64')}`);
};
const credentialOf = (more: Credential): Credential => ({
	payloadSignature: 'separated',
	payloadSignatureMethod: 'hmacSha256',
	...more,
});
const verdictOf = (credential: Credential, key: Buffer | string, entered?: unknown) =>
	fullVerifierFor(credential, entered)(signedWith(key), NOW).payloadSignature;

const encoded = (encoding: string, text: string): Credential =>
	credentialOf({ payloadSignatureSecret: text, payloadSignatureSecretEncoding: encoding });

it.each([
	['base64', bytes.toString('base64')],
	['base64', bytes.toString('base64url')],
	['base64', `${bytes.toString('base64').replace(/(.{20})/g, '$1\n')}\n`],
	['hex', bytes.toString('hex')],
	[
		'hex',
		bytes
			.toString('hex')
			.toUpperCase()
			.replace(/(....)/g, '$1 '),
	],
])('%s: %j', (encoding, text) => {
	expect(verdictOf(encoded(encoding, text), bytes)).toBe('valid');
	expect(verdictOf(encoded(encoding, text), text)).toBe('invalid');
	expect(verdictOf(encoded('text', text), text)).toBe('valid');
	expect(verdictOf(encoded('text', text), bytes)).toBe('invalid');
	expect(verdictOf(credentialOf({ payloadSignatureSecret: text }), text)).toBe('valid');
});

it.each([
	['base64', 'not base64!'],
	['base64', `${bytes.toString('base64')}=`],
	['hex', 'abc'],
	['hex', bytes.toString('base64')],
])('%s: %j is refused', (encoding, text) => {
	expect(createPayloadVerifier(encoded(encoding, text))).toEqual({
		ok: false,
		title: 'The Signing Secret is not written in the chosen encoding',
		advice: expect.stringMatching(/Diyalog API credential\.$/),
	});
});

it('the length counts in bytes of the secret, not of its writing', () => {
	const jws = (encoding: string, text: string) =>
		createPayloadVerifier({
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: text,
			payloadSignatureSecretEncoding: encoding,
		});
	const title = 'The Signing Secret is too short for the chosen algorithm';
	expect(jws('hex', 'ab'.repeat(31))).toMatchObject({ ok: false, title });
	expect(jws('hex', 'ab'.repeat(32))).toMatchObject({ ok: true });
	expect(jws('text', 'ab'.repeat(16))).toMatchObject({ ok: true });
});

describe('while the secret is changed', () => {
	const [current, previous] = ['the current secret', 'the previous secret'];
	const both = credentialOf({
		payloadSignatureSecret: current,
		payloadSignaturePreviousSecret: previous,
	});
	it('both count, and no other', () => {
		expect(
			['current', 'previous', 'other'].map((name) => verdictOf(both, `the ${name} secret`)),
		).toEqual(['valid', 'valid', 'invalid']);
	});

	it('an empty one is none', () => {
		const one = { ...both, payloadSignaturePreviousSecret: '' };
		expect(verdictOf(one, current)).toBe('valid');
		expect(verdictOf(one, previous)).toBe('invalid');
		expect(createPayloadVerifier({ ...both, payloadSignatureSecret: '' })).toMatchObject({
			title: 'The Signing Secret is empty',
		});
	});

	it('the previous one has to be good as well', () => {
		const setup = createPayloadVerifier({
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: 'x'.repeat(32),
			payloadSignaturePreviousSecret: 'x'.repeat(31),
		});
		expect(setup).toMatchObject({
			title: 'The Previous Signing Secret is too short for the chosen algorithm',
		});
	});
});

describe('a secret of each person', () => {
	const company = credentialOf({ payloadSignatureSecret: 'of the company' });
	it('counts in place of those of the company', () => {
		expect(verdictOf(company, 'hers', 'hers')).toBe('valid');
		expect(verdictOf(company, 'of the company', 'hers')).toBe('invalid');
		expect(verdictOf(company, 'her second phone', ['hers', 'her second phone'])).toBe('valid');
	});

	it('in the encoding of the credential', () => {
		const inHex = { ...company, payloadSignatureSecretEncoding: 'hex' };
		expect(verdictOf(inHex, bytes, bytes.toString('hex'))).toBe('valid');
	});

	it('as a JWK or in a set, by its kid', () => {
		const jwk = { kty: 'oct', k: bytes.toString('base64url'), kid: '7' };
		const other = { ...jwk, k: Buffer.alloc(48, 1).toString('base64url'), kid: '8' };
		const credential = { payloadSignature: 'jws', payloadSignatureAlgorithm: 'HS256' };
		const verdict = (kid: string, entered: unknown) => {
			const jws = token(CLAIMS, { alg: 'HS256', kid }, hs256(bytes as never));
			return fullVerifierFor(credential, entered)(pressOf(jws), NOW).payloadSignature;
		};
		expect(verdict('7', jwk)).toBe('valid');
		expect(verdict('7', { keys: [other, jwk] })).toBe('valid');
		expect(verdict('8', { keys: [other, jwk] })).toBe('invalid');
		for (const bad of [
			{ ...jwk, alg: 'HS512' },
			{ ...jwk, k: '!' },
			{ ...jwk, use: 'enc' },
			{ keys: [] },
		]) {
			expect(createPayloadVerifier(credential, bad)).toMatchObject({ ok: false });
		}
	});

	it('evidence holds no thumbprint of it', () => {
		const { evidence } = fullVerifierFor(company, 'hers')(signedWith('hers'), NOW);
		expect(evidence).toMatchObject({ algorithm: 'hmacSha256', keyThumbprint: null });
		expect(JSON.stringify(evidence)).not.toContain('hers');
	});

	it.each([[Array(21).fill('x')], [12345], [{}], [[['x']]], [true]])('%j is refused', (entered) => {
		expect(createPayloadVerifier(company, entered)).toMatchObject({ ok: false });
	});
});
