import { constants, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createPayloadVerifier } from '../../nodes/Diyalog/deviceSignature/verifier';
import type {
	CheckedPayload,
	PayloadVerifier,
	SignedPress,
} from '../../nodes/Diyalog/deviceSignature/press';

/*
 * Payloads as the app of a company signs them, or as nobody should, and what the verifier says of them.
 */

export const NOW = new Date('2026-11-23T12:00:00Z');
export const NOW_S = NOW.getTime() / 1_000;
export const MINUTE_S = 60;
export const MESSAGE_ID = 'pay:17';
export const CUSTOMER_NO = '70021';
export const INNER = 'Onayla "ş" 👋';
export const CLAIMS = { payload: INNER, messageId: MESSAGE_ID, customerNo: CUSTOMER_NO };

export type Credential = Record<string, unknown>;

/** The whole of what the verifier says. */
export function fullVerifierFor(credential: Credential, personKeys?: unknown): PayloadVerifier {
	const setup = createPayloadVerifier(credential, personKeys);
	if (!setup.ok) throw new Error(`${setup.title}. ${setup.advice}`);
	return setup.verify;
}

/** The verdict and the payload alone. */
export function verifierFor(credential: Credential, personKeys?: unknown): PayloadVerifier {
	const verify = fullVerifierFor(credential, personKeys);
	return (press, now) => {
		const { payloadSignature, payload } = verify(press, now);
		return { payloadSignature, payload };
	};
}

export const pressOf = (payload: string): SignedPress => ({
	messageId: MESSAGE_ID,
	payload,
	customerNo: CUSTOMER_NO,
});

export const valid = (payload: string): CheckedPayload => ({ payloadSignature: 'valid', payload });
export const invalid = (payload: string): CheckedPayload => ({
	payloadSignature: 'invalid',
	payload,
});

/** Everything that decides about one verdict; an attack changes one thing of it. */
export interface Attempt {
	credential: Credential;
	press: SignedPress;
	now: Date;
}

export const attemptOf = (credential: Credential, payload: string): Attempt => ({
	credential,
	press: pressOf(payload),
	now: NOW,
});

export const check = ({ credential, press, now }: Attempt) => verifierFor(credential)(press, now);

export const withPayload = (attempt: Attempt, change: (payload: string) => string): Attempt => ({
	...attempt,
	press: { ...attempt.press, payload: change(attempt.press.payload) },
});

export const pairs = {
	p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
	p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
	k256: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
	rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
	ed25519: generateKeyPairSync('ed25519'),
	ed448: generateKeyPairSync('ed448'),
	stranger: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

export const spki = ({ publicKey }: { publicKey: KeyObject }) =>
	publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const pkcs8 = ({ privateKey }: { privateKey: KeyObject }) =>
	privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export const secret = randomBytes(32).toString('hex');

export const base64url = (content: unknown) =>
	Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString(
		'base64url',
	);

export type Signer = (input: string) => Buffer;

export const es256 =
	(pair = pairs.p256, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Signer =>
	(input) =>
		sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding });

/** A token as an app would make it, or as nobody should: header and content are taken as they are. */
export function token(
	content: unknown,
	header: unknown = { alg: 'ES256' },
	signer = es256(),
): string {
	const input = `${base64url(header)}.${base64url(content)}`;
	return `${input}.${signer(input).toString('base64url')}`;
}

export const jwsCredential: Credential = {
	payloadSignature: 'jws',
	payloadSignatureAlgorithm: 'ES256',
	payloadSignaturePublicKey: spki(pairs.p256),
	payloadSignatureBinding: true,
};
export const unboundJws: Credential = { ...jwsCredential, payloadSignatureBinding: false };
export const rs256Credential: Credential = {
	...jwsCredential,
	payloadSignatureAlgorithm: 'RS256',
	payloadSignaturePublicKey: spki(pairs.rsa),
};
export const rs256: Signer = (input) => sign('sha256', Buffer.from(input), pairs.rsa.privateKey);
export const hs256 =
	(key: string): Signer =>
	(input) =>
		createHmac('sha256', key).update(input).digest();

export type Attack = [name: string, genuine: () => Attempt, attack: (attempt: Attempt) => Attempt];

/** The attack that changes the payload as it was pressed. */
export const changed = (change: (payload: string) => string) => (attempt: Attempt) =>
	withPayload(attempt, change);

/** The order of P-256, at the edge of what r and s may be. */
export const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

export const esAttempt = () => attemptOf(jwsCredential, token(CLAIMS));
export const rsAttempt = () => attemptOf(rs256Credential, token(CLAIMS, { alg: 'RS256' }, rs256));

const HASHES = ['sha256', 'sha384', 'sha512'] as const;

/** How an app signs in each method; the test of the fields asserts that none is missing. */
export interface Method {
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

export const methods: Array<[string, Method]> = [
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

export const hmacCredential: Credential = {
	payloadSignature: 'separated',
	payloadSignatureMethod: 'hmacSha256',
	payloadSignatureSecret: secret,
	payloadSignatureEncoding: 'hex',
};
export const macOf = (text: string) => hs256(secret)(text).toString('hex');
export const bound = (inner: string) => `${inner}.${macOf(`${MESSAGE_ID}:${inner}`)}`;
