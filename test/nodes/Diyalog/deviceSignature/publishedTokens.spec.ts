import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { fullVerifierFor, NOW, pressOf, spki } from '../../../support/signedPayloads';
import { readVectors } from '../../../support/vectors';

/* Tokens that stand in RFCs: see test/vectors/jose/README.md. */

interface SignedToken {
	where: string;
	algorithm: string;
	key: JsonWebKey & { kty: string };
	token: string;
}

interface Tokens {
	signed: SignedToken[];
	encrypted: Array<{ where: string; token: string }>;
}

const ED25519: SignedToken = {
	where: 'RFC 8037, A.4',
	algorithm: 'EdDSA',
	key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
	token: [
		'eyJhbGciOiJFZERTQSJ9',
		'RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
		'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
	].join('.'),
};

/** RFC 7515's example for three algorithms ends then, 15 minutes' tolerance not counted. */
const EXPIRES_S = 1_300_819_380;
const BEFORE = new Date((EXPIRES_S - 60) * 1_000);

let tokens: Tokens;
beforeAll(async () => {
	tokens = await readVectors<Tokens>('jose/tokens.json');
});

const PLACES = [
	...['RFC 7515, A.1', 'RFC 7515, A.2', 'RFC 7515, A.3', 'RFC 7515, A.4'],
	...['RFC 7520, 4.1', 'RFC 7520, 4.2', 'RFC 7520, 4.3', 'RFC 7520, 4.4', 'RFC 8037, A.4'],
];

function published(place: string): SignedToken {
	const found = [...tokens.signed, ED25519].find(({ where }) => where === place);
	if (!found) throw new Error(`there is no token of ${place}`);
	return found;
}

const credentialOf = ({ algorithm, key }: SignedToken) => ({
	payloadSignature: 'jws',
	payloadSignatureAlgorithm: algorithm,
	payloadSignatureBinding: false,
	...(key.kty === 'oct'
		? { payloadSignatureSecret: key.k, payloadSignatureSecretEncoding: 'base64' }
		: { payloadSignaturePublicKey: spki({ publicKey: createPublicKey({ key, format: 'jwk' }) }) }),
});

it('every published token is tried', () => {
	expect([...tokens.signed, ED25519].map(({ where }) => where)).toEqual(PLACES);
});

it.each(PLACES)('%s: valid with its key, however that is entered, and with no other', (place) => {
	const example = published(place);
	const { token, key } = example;
	const credential = credentialOf(example);
	const [, content = ''] = token.split('.');
	const payload = Buffer.from(content, 'base64url').toString('utf8');
	for (const entered of [undefined, key, { keys: [key] }, [key]]) {
		const checked = fullVerifierFor(credential, entered)(pressOf(token), BEFORE);
		expect(checked).toMatchObject({ payloadSignature: 'valid', payload });
		expect(checked.evidence?.signedText).toBe(token.slice(0, token.lastIndexOf('.')));
	}
	const last = token.lastIndexOf('.') + 1;
	const other = token.slice(0, last) + (token[last] === 'A' ? 'B' : 'A') + token.slice(last + 1);
	expect(fullVerifierFor(credential)(pressOf(other), BEFORE)).toMatchObject({
		payloadSignature: 'invalid',
		reason: 'signature',
	});
});

it('its end is looked at where a token names one', () => {
	const ending = PLACES.map(published).filter(({ token }) =>
		Buffer.from(token.split('.')[1] ?? '', 'base64url').includes(String(EXPIRES_S)),
	);
	expect(ending.map(({ where }) => where)).toEqual(PLACES.slice(0, 3));
	for (const example of ending) {
		const checked = fullVerifierFor(credentialOf(example))(pressOf(example.token), NOW);
		expect(checked).toMatchObject({ payloadSignature: 'invalid', reason: 'expired' });
	}
});

it('the example of a private key as a JWK is refused', () => {
	const { key, algorithm } = ED25519;
	const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
	const credential = { payloadSignature: 'jws', payloadSignatureAlgorithm: algorithm };
	expect(createPayloadVerifier(credential, key)).toMatchObject({ ok: true });
	expect(createPayloadVerifier(credential, { ...key, d })).toMatchObject({
		title: "The person's key is a private key",
	});
});

it('encrypted tokens are told apart, in every format', () => {
	expect(tokens.encrypted.length).toBe(9);
	for (const payloadSignature of ['jws', 'separated', 'json', 'signatureOnly']) {
		const verify = fullVerifierFor(
			{
				payloadSignature,
				payloadSignatureAlgorithm: 'HS256',
				payloadSignatureMethod: 'hmacSha256',
				payloadSignatureSeparator: '|',
			},
			'k'.repeat(32),
		);
		for (const { token } of tokens.encrypted) {
			const press = { ...pressOf(token), issued: ['approve'] };
			expect(verify(press, NOW)).toEqual({
				payloadSignature: 'invalid',
				payload: token,
				reason: 'encrypted',
			});
		}
	}
});
