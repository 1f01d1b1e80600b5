import { constants, createHmac, sign } from 'node:crypto';
import { NodeHelpers } from 'n8n-workflow';
import { JWS_ALGORITHMS, METHODS } from '../../../../nodes/Diyalog/deviceSignature/algorithms';
import type { Algorithms } from '../../../../nodes/Diyalog/deviceSignature/algorithms';
import { payloadSignatureFields } from '../../../../nodes/Diyalog/deviceSignature/fields';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	attemptOf,
	check,
	CLAIMS,
	INNER,
	invalid,
	MESSAGE_ID,
	methods,
	pairs,
	secret,
	spki,
	token,
	valid,
	withPayload,
} from '../../../support/signedPayloads';
import type { Signer } from '../../../support/signedPayloads';

const CHOOSERS: Array<[string, Algorithms]> = [
	['payloadSignatureAlgorithm', JWS_ALGORITHMS],
	['payloadSignatureMethod', METHODS],
];

const offered = CHOOSERS.flatMap(([chooser, table]) =>
	[...table].map(([value, algorithm]) => [chooser, value, algorithm] as const),
);

/** These values stand in credentials that people have stored. */
const STORED_JWS_ALGORITHMS = [
	...['ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512'],
	...['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
];

/** A key and how a device signs with it, found by the value alone: an algorithm that is added needs a branch here. */
function deviceOf(value: string): { keyText: string; sign: Signer } {
	const bits = /256|384|512/.exec(value)?.[0];
	const hash = `sha${bits}`;
	const withPair = ({ publicKey, privateKey }: typeof pairs.rsa, key: object = {}) => ({
		keyText: spki({ publicKey }),
		sign: (input: string) =>
			sign(bits ? hash : null, Buffer.from(input), { ...key, key: privateKey }),
	});
	if (/^(HS|hmac)/.test(value)) {
		const keyText = secret.repeat(2);
		return { keyText, sign: (input) => createHmac(hash, keyText).update(input).digest() };
	}
	if (/^(RS\d|rsaSha)/.test(value)) return withPair(pairs.rsa);
	if (/^(PS|rsaPss)/.test(value)) {
		const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
		return withPair(pairs.rsa, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
	}
	if (/^(ES|ecdsa)/.test(value)) {
		const pair = { '256': pairs.p256, '384': pairs.p384, '512': pairs.p521 }[bits ?? ''];
		if (pair) return withPair(pair, { dsaEncoding: 'ieee-p1363' });
	}
	if (/^ed/i.test(value)) return withPair(pairs.ed25519);
	throw new Error(`no device signs with ${value}`);
}

describe('the fields of the credential', () => {
	const optionsOf = (name: string) =>
		payloadSignatureFields
			.filter((field) => field.name === name)
			.flatMap((field) => field.options ?? [])
			.flatMap((option) => ('value' in option ? [option] : []));

	it('offer the algorithms that are verified here', () => {
		const values = (name: string) => optionsOf(name).map(({ value }) => value);
		expect(values('payloadSignatureAlgorithm').sort()).toEqual(STORED_JWS_ALGORITHMS);
		const tested = new Set(methods.map(([, { credential }]) => credential.payloadSignatureMethod));
		expect(values('payloadSignatureMethod').sort()).toEqual([...tested].sort());
	});

	it.each(CHOOSERS)(
		'%s: what is offered is the table, in the order of the names',
		(name, table) => {
			const options = optionsOf(name);
			expect(options).toEqual([...table].map(([value, { label }]) => ({ name: label, value })));
			const names = options.map((option) => option.name);
			expect([...names].sort((a, b) => a.localeCompare(b, 'en'))).toEqual(names);
		},
	);

	it.each(offered)('%s %s: signed with a real key, valid', (chooser, value, algorithm) => {
		const { keyText, sign: signer } = deviceOf(value);
		const common = { [chooser]: value, [algorithm.keyField]: keyText };
		const isJws = chooser === 'payloadSignatureAlgorithm';
		const made = isJws
			? token(CLAIMS, { alg: value }, signer)
			: `${INNER}.${signer(`${MESSAGE_ID}:${INNER}`).toString('base64')}`;
		const credential = { payloadSignature: isJws ? 'jws' : 'separated', ...common };
		expect(check(attemptOf(credential, made))).toEqual(valid(INNER));
		const forged = withPayload(attemptOf(credential, made), (text) => text.replace(/^./, 'x'));
		expect(check(forged)).toEqual(invalid(forged.press.payload));
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

	const hmac = { payloadSignatureMethod: 'hmacSha512' };
	const person = { payloadSignatureKeys: 'person' };
	const secrets = ['Secret', 'PreviousSecret', 'SecretEncoding'];
	it.each([
		[{}, ['']],
		[{ payloadSignature: 'jws' }, ['', 'Algorithm', 'Keys', 'PublicKey', 'Binding']],
		[{ payloadSignature: 'jws', ...person }, ['', 'Algorithm', 'Keys', 'Binding']],
		[
			{ payloadSignature: 'jws', payloadSignatureAlgorithm: 'HS384' },
			['', 'Algorithm', 'Keys', ...secrets, 'Binding'],
		],
		[
			{ payloadSignature: 'separated' },
			['', 'Method', 'Keys', 'PublicKey', 'Separator', 'Encoding', 'Binding'],
		],
		[
			{ payloadSignature: 'separated', ...hmac },
			['', 'Method', 'Keys', ...secrets, 'Separator', 'Encoding', 'Binding'],
		],
		[
			{ payloadSignature: 'signatureOnly', ...hmac, ...person },
			['', 'Method', 'Keys', 'SecretEncoding', 'Encoding', 'Binding'],
		],
		[{ payloadSignature: 'json' }, ['', 'Method', 'Keys', 'PublicKey', 'Encoding', 'Binding']],
		[{ payloadSignature: 'json', ...person }, ['', 'Method', 'Keys', 'Encoding', 'Binding']],
	])('%j shows only what applies', (values, names) => {
		expect(shown(values)).toEqual(names);
	});

	it('of a credential that is older than Whose Key are read as they were', () => {
		const stored = {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'ES256',
			payloadSignaturePublicKey: spki(pairs.p256),
			payloadSignatureBinding: true,
		};
		const read = NodeHelpers.getNodeParameters(
			payloadSignatureFields,
			stored,
			true,
			false,
			null,
			null,
		);
		expect(read).toEqual({ ...stored, payloadSignatureKeys: 'company' });
		expect(check(attemptOf(stored, token(CLAIMS)))).toEqual(valid(INNER));
	});

	it('work with their defaults once a key is entered', () => {
		const formats = optionsOf('payloadSignature').map(({ value }) => value);
		expect(formats).toEqual(['none', 'jws', 'json', 'separated', 'signatureOnly']);
		for (const payloadSignature of formats) {
			const entered = {
				...defaults,
				payloadSignature,
				payloadSignaturePublicKey: spki(pairs.p256),
			};
			expect(createPayloadVerifier(entered)).toMatchObject({ ok: true });
		}
	});
});
