import { createHmac, generateKeyPairSync, verify, webcrypto } from 'node:crypto';
import type { SandboxConfigInput } from '../../sandbox/config';
import { closeAll, CUSTOMER_NO, otp, send, start } from './support';

afterEach(closeAll);

type SignData = NonNullable<SandboxConfigInput['signData']>;
type Algorithm = NonNullable<SignData['algorithm']>;

const KEY = 'a secret of more than sixty-four bytes, because HS512 asks for as many as that';
const NOW = 1_795_388_366_730;

/** Presses a payloadHidden button and returns what the webhook would carry behind "[id]:". */
async function press(signData: SignData, payload = '123456', forge = false) {
	const { sandbox } = await start({ signData }, { now: () => NOW, newId: () => '1' });
	const button = { type: 'postback', title: 'Approve', payload, payloadHidden: true };
	await send(sandbox, { ...otp, messageId: 'pay:17', buttonsV2: [button] });
	sandbox.setFaults({ forgeSignature: forge });
	const { text, signature } = sandbox.pressButton({ messageId: 'pay:17', button: 0 });
	expect(signature).toBe(forge ? 'forged' : 'genuine');
	expect(text).toMatch(/^\[pay:17\]:/);
	return { signed: text.slice('[pay:17]:'.length), publicKey: sandbox.publicKey ?? '' };
}

const hashes = { '256': 'SHA-256', '384': 'SHA-384', '512': 'SHA-512' };
const curves = { '256': 'P-256', '384': 'P-384', '512': 'P-521' };

/** Another implementation than the one that signs: WebCrypto, with the parameters of RFC 7518. */
function jwsParameters(algorithm: Algorithm) {
	const size = (['256', '384', '512'] as const).find((bits) => algorithm.endsWith(bits)) ?? '256';
	const hash = hashes[size];
	if (algorithm === 'EdDSA') return { name: 'Ed25519' };
	if (algorithm.startsWith('HS')) return { name: 'HMAC', hash };
	if (algorithm.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5', hash };
	if (algorithm.startsWith('PS')) return { name: 'RSA-PSS', hash, saltLength: Number(size) / 8 };
	return { name: 'ECDSA', hash, namedCurve: curves[size] };
}

async function isValidJws(algorithm: Algorithm, jws: string, publicKey: string): Promise<boolean> {
	const parameters = jwsParameters(algorithm);
	const isHmac = algorithm.startsWith('HS');
	const der = Buffer.from(publicKey.replace(/-----[^-]+-----|\s/g, ''), 'base64');
	const key = await webcrypto.subtle.importKey(
		isHmac ? 'raw' : 'spki',
		isHmac ? Buffer.from(KEY) : der,
		parameters,
		false,
		['verify'],
	);
	const [head, body, signature = ''] = jws.split('.');
	const input = Buffer.from(`${head}.${body}`);
	const bytes = Buffer.from(signature, 'base64url');
	return await webcrypto.subtle.verify(parameters, key, bytes, input);
}

const decoded = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());

describe.each([
	'HS256',
	'HS384',
	'HS512',
	'RS256',
	'RS384',
	'RS512',
	'PS256',
	'PS384',
	'PS512',
	'ES256',
	'ES384',
	'ES512',
	'EdDSA',
] as const)('a hidden payload as JWS with %s', (algorithm) => {
	const key = algorithm.startsWith('HS') ? KEY : undefined;

	it('is signed together with its message and customer', async () => {
		const { signed, publicKey } = await press({ algorithm, key }, 'Onayla "ş" 👋');
		const [head, body] = signed.split('.');
		expect(decoded(head)).toEqual({ alg: algorithm });
		expect(decoded(body)).toEqual({
			payload: 'Onayla "ş" 👋',
			messageId: 'pay:17',
			customerNo: CUSTOMER_NO,
			iat: 1_795_388_366,
		});
		expect(await isValidJws(algorithm, signed, publicKey)).toBe(true);
	});

	it('says the same under a signature that does not hold, when forging is on', async () => {
		const { signed, publicKey } = await press({ algorithm, key }, '123456', true);
		expect(decoded(signed.split('.')[1])).toMatchObject({ payload: '123456' });
		expect(await isValidJws(algorithm, signed, publicKey)).toBe(false);
	});
});

describe('a hidden payload as payload<separator>signature', () => {
	const scheme = 'separator';

	it.each([
		['hex', '|', true, 'pay:17:123456'],
		['base64', '.', true, 'pay:17:123456'],
		['base64url', '::', false, '123456'],
	] as const)('HMAC in %s after "%s", bound to the message: %s', async (...row) => {
		const [encoding, separator, bindMessageId, input] = row;
		const config = { scheme, algorithm: 'HS256', key: KEY, encoding, separator, bindMessageId };
		const mac = createHmac('sha256', KEY).update(input).digest(encoding);
		expect((await press(config as SignData)).signed).toBe(`123456${separator}${mac}`);
		expect((await press(config as SignData, '123456', true)).signed).not.toContain(mac);
	});

	it.each([
		['RS256', 'der'],
		['ES256', 'der'],
		['ES384', 'ieee-p1363'],
	] as const)('%s, %s', async (algorithm, ecdsaEncoding) => {
		const holds = async (forge: boolean) => {
			const config = { scheme, algorithm, ecdsaEncoding } as const;
			const { signed, publicKey } = await press(config, '123456', forge);
			const signature = Buffer.from(signed.slice('123456.'.length), 'base64');
			const key = { key: publicKey, dsaEncoding: ecdsaEncoding };
			const hash = algorithm === 'ES384' ? 'sha384' : 'sha256';
			return verify(hash, Buffer.from('pay:17:123456'), key, signature);
		};
		expect([await holds(false), await holds(true)]).toEqual([true, false]);
	});
});

describe('the key', () => {
	const pem = (curve: string) =>
		generateKeyPairSync('ec', {
			namedCurve: curve,
			privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
			publicKeyEncoding: { type: 'spki', format: 'pem' },
		});

	it('may be given', async () => {
		const { privateKey, publicKey } = pem('P-256');
		const pressed = await press({ algorithm: 'ES256', key: privateKey });
		expect(pressed.publicKey).toBe(publicKey);
		expect(await isValidJws('ES256', pressed.signed, publicKey)).toBe(true);
	});

	it.each([
		['of another curve', 'ES256', pem('P-384').privateKey],
		['of another type', 'RS256', pem('P-256').privateKey],
		['that is none', 'EdDSA', 'not a key'],
	] as const)('%s is refused at the start, without being shown', async (_what, algorithm, key) => {
		const error: unknown = await start({ signData: { algorithm, key } }).catch((e: unknown) => e);
		expect(String(error)).toContain(`signData.key is no private key for ${algorithm}`);
		expect(String(error)).not.toContain(key);
	});

	it('signs nothing where the payload is not hidden', async () => {
		const { sandbox } = await start();
		await send(sandbox);
		const answer = sandbox.pressButton({ messageId: otp.messageId, button: 'Approve' });
		expect(answer.text).toBe('[messageId-74]:123456');
		expect(answer).not.toHaveProperty('signature');
	});
});
