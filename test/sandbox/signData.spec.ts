import { constants, createHmac, generateKeyPairSync, verify, webcrypto } from 'node:crypto';
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

const isEdwards = (algorithm: Algorithm) => algorithm === 'EdDSA' || algorithm === 'Ed25519';
const hashes = { '256': 'SHA-256', '384': 'SHA-384', '512': 'SHA-512' };
const curves = { '256': 'P-256', '384': 'P-384', '512': 'P-521' };

/** Another implementation than the one that signs: WebCrypto, with the parameters of RFC 7518. */
function jwsParameters(algorithm: Algorithm) {
	const size = (['256', '384', '512'] as const).find((bits) => algorithm.endsWith(bits)) ?? '256';
	const hash = hashes[size];
	if (isEdwards(algorithm)) return { name: 'Ed25519' };
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
	'Ed25519',
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

/** Whether somebody who has the key and knows what was to be signed accepts the signature. */
function holds(signData: SignData, input: string, signature: Buffer, publicKey: string): boolean {
	const { algorithm = 'HS256', ecdsaEncoding: dsaEncoding = 'der' } = signData;
	const bytes = Buffer.from(input);
	const hash = `sha${algorithm.slice(2)}`;
	if (algorithm.startsWith('HS')) {
		return createHmac(hash, KEY).update(bytes).digest().equals(signature);
	}
	if (isEdwards(algorithm)) return verify(null, bytes, publicKey, signature);
	if (!algorithm.startsWith('PS')) {
		return verify(hash, bytes, { key: publicKey, dsaEncoding }, signature);
	}
	const padding = constants.RSA_PKCS1_PSS_PADDING;
	const saltLength = Number(algorithm.slice(2)) / 8;
	return verify(hash, bytes, { key: publicKey, padding, saltLength }, signature);
}

/** Takes payload and signature apart again; the payload of a signature alone is the one that was issued. */
const parts = {
	separator: (text: string) => {
		const end = text.lastIndexOf('|');
		return { payload: text.slice(0, end), signature: text.slice(end + 1) };
	},
	signatureOnly: (text: string) => ({ payload: PAYLOAD, signature: text }),
	json: (text: string) => {
		const object = JSON.parse(text);
		expect(Object.keys(object)).toEqual(['payload', 'signature']);
		return object as { payload: string; signature: string };
	},
};
const PAYLOAD = 'Onayla "ş" 👋|~turn';

describe.each(['separator', 'signatureOnly', 'json'] as const)(
	'a hidden payload as %s',
	(scheme) => {
		const rows: SignData[] = [
			{ algorithm: 'HS256', encoding: 'hex', bindMessageId: false },
			{ algorithm: 'HS512', encoding: 'base64', lineBreaks: true },
			{ algorithm: 'RS256', encoding: 'base64', lineBreaks: true, bindMessageId: false },
			{ algorithm: 'PS384', encoding: 'base64url' },
			{ algorithm: 'ES256', encoding: 'base64', bindMessageId: false },
			{ algorithm: 'ES256', encoding: 'hex', ecdsaEncoding: 'ieee-p1363' },
			{ algorithm: 'ES384', encoding: 'base64url', ecdsaEncoding: 'ieee-p1363' },
			{ algorithm: 'ES512', encoding: 'base64', ecdsaEncoding: 'der', lineBreaks: true },
			{ algorithm: 'EdDSA', encoding: 'base64url', bindMessageId: false },
			{ algorithm: 'Ed25519', encoding: 'hex' },
		];

		it.each(rows.map((row) => [JSON.stringify(row), row] as const))('%s', async (_row, row) => {
			const key = row.algorithm?.startsWith('HS') ? KEY : undefined;
			const signData: SignData = { scheme, separator: '|', key, ...row };
			const bound = `pay:17:${PAYLOAD}`;
			const [input, other] = row.bindMessageId === false ? [PAYLOAD, bound] : [bound, PAYLOAD];
			const genuine = await press(signData, PAYLOAD);
			const { payload, signature } = parts[scheme](genuine.signed);
			expect(payload).toBe(PAYLOAD);
			const bytes = Buffer.from(signature, row.encoding);
			expect(holds(signData, input, bytes, genuine.publicKey)).toBe(true);
			expect(holds(signData, other, bytes, genuine.publicKey)).toBe(false);
			const written = bytes.toString(row.encoding);
			const lines = (written.match(/.{1,76}/g) ?? []).map((line) => `${line}\n`).join('');
			expect(signature).toBe(row.lineBreaks ? lines : written);
			if (row.lineBreaks) expect(lines.split('\n').length).toBeGreaterThan(2);
			const isEcdsa = row.algorithm?.startsWith('ES') ?? false;
			expect(isEcdsa && bytes[0] === 0x30 && bytes.length % 32 !== 0).toBe(
				isEcdsa && row.ecdsaEncoding !== 'ieee-p1363',
			);

			const forged = await press(signData, PAYLOAD, true);
			const forgedBytes = Buffer.from(parts[scheme](forged.signed).signature, row.encoding);
			expect(holds(signData, input, forgedBytes, forged.publicKey)).toBe(false);
		});
	},
);

it('a signature alone has nothing of the payload in it, as in the sample of the documentation', async () => {
	const config = { scheme: 'signatureOnly', encoding: 'hex', key: KEY } as const;
	expect((await press(config, PAYLOAD)).signed).toMatch(/^[0-9a-f]{64}$/);
});

it('a JWS may name its key', async () => {
	const { signed, publicKey } = await press({ algorithm: 'ES256', keyId: true });
	const der = Buffer.from(publicKey.replace(/-----[^-]+-----|\s/g, ''), 'base64');
	const digest = await webcrypto.subtle.digest('SHA-256', der);
	const kid = Buffer.from(digest).toString('hex');
	expect(decoded(signed.split('.')[0])).toEqual({ alg: 'ES256', kid });
	expect(await isValidJws('ES256', signed, publicKey)).toBe(true);
	const secret = await press({ algorithm: 'HS256', keyId: true, key: KEY });
	expect(decoded(secret.signed.split('.')[0])).toEqual({ alg: 'HS256' });
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
