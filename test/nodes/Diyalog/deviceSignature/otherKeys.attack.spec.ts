import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { busyMs, fs, path, run, temporaryFolder } from '../../../../tools/system';
import { openOpenSsl, whyNoOpenSsl } from '../../../support/devices';
import { newPhone, plain } from '../../../support/signedFormats';
import type { Phone } from '../../../support/signedFormats';
import { describeUnless } from '../../../support/skip';

/* Keys that are read as something else than a careful reader would, and keys that take long to read. */

const ECDSA = plain('separated', { payloadSignatureBinding: true });
const HMAC = { ...ECDSA, payloadSignatureMethod: 'hmacSha256' };
const NOW = new Date('2026-11-29T12:00:00Z');

const press = (payload: string) => ({ messageId: 'transfer-17', payload, customerNo: null });
const signedBy = (privateKey: KeyObject | string): string =>
	`approve.${sign('sha256', Buffer.from('transfer-17:approve'), privateKey).toString('base64')}`;

/** What is said of a payload; why the keys were refused where they were. */
function said(credential: object, keys: unknown, payload: string): string {
	const setup = createPayloadVerifier({ ...credential }, keys);
	return setup.ok ? setup.verify(press(payload), NOW).payloadSignature : setup.title;
}

const derOf = ({ publicKey }: Phone): Buffer =>
	createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
const jwkOf = ({ publicKey }: Phone) => createPublicKey(publicKey).export({ format: 'jwk' });

const PHONE = newPhone();
const OTHER = newPhone();

describe('1. public keys as a list in JSON, which are read where the app signs with them, as the secret of an HMAC', () => {
	describe.each([
		['Base64', JSON.stringify([derOf(PHONE).toString('base64')])],
		['two in Base64', JSON.stringify([PHONE, OTHER].map((each) => derOf(each).toString('base64')))],
		['hexadecimal', JSON.stringify([derOf(PHONE).toString('hex')])],
		['a PEM file in Base64', JSON.stringify([Buffer.from(PHONE.publicKey).toString('base64')])],
		['JWK as text', JSON.stringify([JSON.stringify(jwkOf(PHONE))])],
		['JWK sets', JSON.stringify([{ keys: [jwkOf(PHONE)] }])],
		['slashes escaped', JSON.stringify([derOf(PHONE).toString('base64')]).replaceAll('/', '\\/')],
	])('%s: whoever knows them signs nothing that is valid', (_what, keys) => {
		const mac = createHmac('sha256', keys).update('transfer-17:approve').digest('base64');

		it("as a person's keys", () => {
			expect(said(ECDSA, keys, signedBy(PHONE.privateKey))).toBe('valid');
			expect(said(HMAC, keys, `approve.${mac}`)).toMatch(/is a public key/);
		});

		it('as the secret of the credential', () => {
			const company = { ...HMAC, payloadSignatureSecret: keys };
			expect(said(company, undefined, `approve.${mac}`)).toMatch(/is a public key/);
		});
	});
});

describe('1b. a public key among other things in the secret of an HMAC: refused, whoever knows it', () => {
	const spki = derOf(PHONE).toString('base64');
	it.each([
		['a word behind a comma', `${spki},x`],
		['a word in front', `x;${spki}`],
		['two in lines', `${spki}\n${derOf(OTHER).toString('base64')}`],
		['PEM that is damaged', PHONE.publicKey.replace(/-----END.*/, '')],
		['a JWK that names a member twice', JSON.stringify(jwkOf(PHONE)).replace('{', '{"x":"",')],
		['JSON as text in a list', JSON.stringify([JSON.stringify([spki])])],
		['a JWK in Base64', Buffer.from(JSON.stringify(jwkOf(PHONE))).toString('base64')],
		[
			'a line of OpenSSH in Base64',
			Buffer.from(`ssh-rsa AAAAB3Nza${'x'.repeat(50)}`).toString('base64'),
		],
	])('%s', (_what, secret) => {
		expect(said(HMAC, secret, '')).toMatch(/is a public key/);
		expect(said({ ...HMAC, payloadSignatureSecret: secret }, undefined, '')).toMatch(
			/is a public key/,
		);
	});

	const random = createHmac('sha512', 'a').update('secret');
	const bytes = random.digest();
	it.each([
		['random bytes in Base64', bytes.toString('base64')],
		['random bytes in hexadecimal', bytes.toString('hex')],
		['several words', `correct horse, battery; ${bytes.toString('hex')} staple`],
		['a list in JSON', JSON.stringify([bytes.toString('base64')])],
		['an object in JSON', JSON.stringify({ secret: bytes.toString('base64'), issuer: 'bank' })],
		['the JWK of a secret as text', JSON.stringify({ kty: 'oct', k: bytes.toString('base64url') })],
		['digits', '3'.repeat(200)],
	])('%s: a secret, as it was', (_what, secret) => {
		const mac = createHmac('sha256', secret).update('transfer-17:approve').digest('base64');
		expect(said(HMAC, secret, `approve.${mac}`)).toBe('valid');
	});
});

describe('2. names that stand twice in a key: programs do not agree on which of the two counts', () => {
	const [mine, others] = [jwkOf(PHONE), jwkOf(OTHER)];
	it.each([
		[
			'both coordinates',
			`{"kty":"EC","crv":"P-256","x":"${mine.x}","y":"${mine.y}","x":"${others.x}","y":"${others.y}"}`,
		],
		['a set', `{"keys":[${JSON.stringify(mine)}],"keys":[${JSON.stringify(others)}]}`],
	])('%s: refused', (_what, keys) => {
		expect(said(ECDSA, keys, signedBy(OTHER.privateKey))).toMatch(/cannot be read/);
	});

	it.each([
		['in front', { ...mine, x: `!!${mine.x}` }],
		['behind', { ...mine, x: `${mine.x}=AAAA` }],
	])('2b. characters that no base64url has, %s: refused', (_where, jwk) => {
		expect(said(ECDSA, jwk, signedBy(PHONE.privateKey))).toMatch(/cannot be read/);
	});
});

it('3. a name that stands twice in the header of a JWS', () => {
	const part = (text: string) => Buffer.from(text).toString('base64url');
	const content = part('{"payload":"approve","messageId":"transfer-17"}');
	const text = `${part('{"alg":"none","alg":"ES256"}')}.${content}`;
	const key = { key: PHONE.privateKey, dsaEncoding: 'ieee-p1363' as const };
	const token = `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
	const credential = { payloadSignature: 'jws', payloadSignatureAlgorithm: 'ES256' };
	expect(said(credential, PHONE.publicKey, token)).toBe('invalid');
});

describeUnless(whyNoOpenSsl(), 'with OpenSSL', () => {
	let folder: string;
	const at = async (name: string) => await fs.readFile(path.join(folder, name), 'utf8');
	const shell = async (commands: string) => await run('bash', ['-ec', commands], { cwd: folder });
	beforeAll(async () => {
		await openOpenSsl();
		folder = await temporaryFolder('chains');
		await shell(`exec 2> /dev/null
			for each in root middle phone; do openssl ecparam -name prime256v1 -genkey -noout -out $each.key; done
			openssl req -x509 -new -key root.key -subj /CN=Root -days 3650 -out root.pem
			printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' > middle.ext
			printf 'keyUsage=critical,digitalSignature\n' > phone.ext
			openssl req -new -key middle.key -subj /CN=Middle -out middle.csr
			openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile middle.ext -days 3000 -out middle.pem
			openssl req -new -key phone.key -subj /CN=Phone -out phone.csr
			openssl x509 -req -in phone.csr -CA middle.pem -CAkey middle.key -CAcreateserial -extfile phone.ext -days 3000 -out phone.pem`);
	});
	afterAll(async () => await fs.rm(folder, { recursive: true }));

	it('4. the authority of a whole chain signs nothing', async () => {
		const chain = (await at('phone.pem')) + (await at('middle.pem')) + (await at('root.pem'));
		expect(said(ECDSA, chain, signedBy(await at('phone.key')))).toBe('valid');
		for (const name of ['middle.key', 'root.key'])
			expect(said(ECDSA, chain, signedBy(await at(name)))).toBe('invalid');
	});

	it('4b. the authority of a chain in which a certificate is damaged: refused, or it signs nothing', async () => {
		const middle = (await at('middle.pem')).replace('-----END CERTIFICATE-----', '');
		const chain = (await at('phone.pem')) + middle + (await at('root.pem'));
		expect(said(ECDSA, chain, signedBy(await at('root.key')))).not.toBe('valid');
	});

	it('4c. the authority of a chain from which a certificate is missing signs nothing', async () => {
		const chain = (await at('phone.pem')) + (await at('root.pem'));
		expect(said(ECDSA, chain, signedBy(await at('root.key')))).not.toBe('valid');
	});

	it('4d. the authorities of a chain from which the certificate of the phone is missing sign nothing', async () => {
		const chain = (await at('middle.pem')) + (await at('root.pem'));
		for (const name of ['middle.key', 'root.key'])
			expect(said(ECDSA, chain, signedBy(await at(name)))).toMatch(/cannot be read/);
	});

	it('4e. the authorities of a chain that comes as a list, as Android gives it, sign nothing', async () => {
		const names = ['phone', 'middle', 'root'];
		const texts = await Promise.all(names.map(async (name) => await at(`${name}.pem`)));
		const bytes = texts.map((pem) => pem.replace(/-----[A-Z ]+-----|\n/g, ''));
		for (const chain of [texts, bytes, JSON.stringify(bytes), [...bytes].reverse()]) {
			expect(said(ECDSA, chain, signedBy(await at('phone.key')))).toBe('valid');
			for (const name of ['middle.key', 'root.key'])
				expect(said(ECDSA, chain, signedBy(await at(name)))).toBe('invalid');
		}
		for (const rest of [texts.slice(1), bytes.slice(1), JSON.stringify(bytes.slice(1))])
			expect(said(ECDSA, rest, signedBy(await at('middle.key')))).toMatch(/cannot be read/);
	});

	it('4f. a certificate that its phone has signed itself counts alone, whatever it says of itself', async () => {
		expect(said(ECDSA, await at('root.pem'), signedBy(await at('root.key')))).toBe('valid');
	});
});

describe('5. keys that stand in one text and are not all read: refused, none of them is passed over', () => {
	const bare = derOf(OTHER).toString('base64');
	it.each([
		['Base64 behind PEM', `${PHONE.publicKey}${bare}`],
		['Base64 in front of PEM', `${bare}\n${PHONE.publicKey}`],
		['Base64 behind a comma', `${PHONE.publicKey},${bare}`],
		['Base64 in lines', `${PHONE.publicKey}${bare.replace(/(.{64})/g, '$1\n')}`],
		['Base64 in a masked field', `${PHONE.publicKey}\\n${bare}`],
		['hexadecimal', `${PHONE.publicKey}${derOf(OTHER).toString('hex')}`],
		['a JWK', `${PHONE.publicKey}${JSON.stringify(jwkOf(OTHER))}`],
		['PEM without its first line', PHONE.publicKey + OTHER.publicKey.replace(/^.*\n/, '')],
		['PEM without its last line', PHONE.publicKey + OTHER.publicKey.replace(/-----END.*/, '')],
		['PEM whose lines differ', PHONE.publicKey + OTHER.publicKey.replace('END PUBLIC', 'END')],
		[
			'a PEM file in Base64 that is damaged',
			Buffer.from(PHONE.publicKey + OTHER.publicKey.slice(0, 90)).toString('base64'),
		],
	])('%s', (_what, keys) => {
		for (const { privateKey } of [PHONE, OTHER])
			expect(said(ECDSA, keys, signedBy(privateKey))).toMatch(/cannot be read/);
	});

	it('what OpenSSL writes beside PEM is passed over', () => {
		const beside = `Bag Attributes\n    friendlyName: phone\nsubject=/CN=App\n${PHONE.publicKey}`;
		expect(said(ECDSA, beside, signedBy(PHONE.privateKey))).toBe('valid');
	});
});

/** How long the process computes. */
function cpuMsOf(action: () => void): number {
	const before = busyMs();
	action();
	return busyMs() - before;
}

/** How long reading keys takes. */
const msOf = (credential: object, keys: unknown): number =>
	cpuMsOf(() => void createPayloadVerifier({ ...credential }, keys));

/** As long as a text may be. */
const listOf = (part: string): string =>
	`[${Array(Math.floor(99_990 / (part.length + 1))).fill(part)}]`;

/** Bytes that begin as a key or certificate does, and are none. */
const almostKeys = Array.from({ length: 1_600 }, (_, index) => {
	const bytes = Buffer.alloc(44, 0x30);
	bytes.writeUInt16BE(0x302a, 0);
	bytes.writeUInt32BE(index, 10);
	return bytes.toString('base64');
});

describe('6. what holds n8n up', () => {
	it.each([
		['a list of 1', listOf('1')],
		['a list of {}', listOf('{}')],
		['a list of []', listOf('[]')],
		['as many brackets as may be', '['.repeat(100_000)],
		['quotes', '"'.repeat(100_000)],
		['texts that begin like a key', almostKeys.join(',')],
		['a list of those', JSON.stringify(almostKeys)],
	])('a secret that is %s', (_what, secret) => {
		expect(msOf(HMAC, secret)).toBeLessThan(1_000);
	});

	it('20 secrets that are lists', () => {
		const secrets = Array(20).fill(listOf('1'));
		expect(msOf(HMAC, secrets)).toBeLessThan(200);
		expect(said(HMAC, secrets, '')).toMatch(/longer than 100000 characters/);
	});

	it.each([
		['a JWK with 500,000 key_ops', { ...jwkOf(PHONE), key_ops: Array(500_000).fill(1) }],
		['a JWK with 90,000 key_ops', { ...jwkOf(PHONE), key_ops: Array(90_000).fill(1) }],
		['20 of those', Array(20).fill({ ...jwkOf(PHONE), key_ops: Array(90_000).fill(1) })],
		['a set of a million keys', { keys: Array(1_000_000).fill(1) }],
		['20 sets of 90,000 keys', Array(20).fill({ keys: Array(90_000).fill(1) })],
		[
			'20 JWKs of 90,000 characters',
			Array(20).fill({ kty: 'RSA', e: 'AQAB', n: 'A'.repeat(90_000) }),
		],
	])('%s from data: refused', (_what, keys) => {
		expect(msOf(ECDSA, keys)).toBeLessThan(200);
		expect(said(ECDSA, keys, '')).toMatch(/cannot be read|longer than|more than 20 keys/);
	});

	it.each([
		['public keys', ECDSA],
		['secrets', HMAC],
	])('a list of 8 million %s, as fits into a webhook call of 16 MB', (_what, credential) => {
		const list = Array(8_000_000).fill(1);
		expect(msOf(credential, list)).toBeLessThan(200);
		expect(said(credential, list, '')).toMatch(/more than 20 keys/);
	});

	const rsa = (bits: number, exponent: number) => ({
		kty: 'RSA',
		n: Buffer.alloc(bits / 8, 0xff).toString('base64url'),
		e: Buffer.alloc(exponent, 0xff).toString('base64url'),
	});

	it('RSA of more than 8,192 bits is refused, whatever its exponent', () => {
		const credential = plain('signatureOnly', { payloadSignatureMethod: 'rsaSha256' });
		for (const bits of [8_200, 16_384])
			expect(said(credential, rsa(bits, 3), '')).toMatch(/does not fit the chosen algorithm/);
		expect(createPayloadVerifier(credential, rsa(8_192, 3))).toMatchObject({ ok: true });
	});

	const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({
		format: 'jwk',
	});
	const slowest: Array<[string, string, object, number]> = [
		['RSA of 8,192 bits', 'rsaSha256', rsa(8_192, 8), 1_024],
		['RSA of 3,072 bits with a long exponent', 'rsaSha256', rsa(3_072, 32), 384],
		['ECDSA on P-521', 'ecdsaSha512', p521, 132],
	];

	/** What is said of a signature that stands alone, with 20 keys, and how long that takes. */
	function tried(method: string, key: object, bytes: number, texts: number) {
		const credential = plain('signatureOnly', { payloadSignatureMethod: method });
		const setup = createPayloadVerifier(credential, Array(20).fill(key));
		if (!setup.ok) throw new Error(setup.title);
		const half = Buffer.alloc(bytes / 2, 0x11).fill(0, 0, 1);
		const payload = Buffer.concat([half, half]).toString('base64');
		const issued = Array.from({ length: texts }, (_, index) => `approve ${index}`);
		let found = '';
		const ms = cpuMsOf(() => {
			found = setup.verify({ ...press(payload), issued }, NOW).payloadSignature;
		});
		return { found, ms };
	}

	it.each(slowest)(
		'a signature alone, of 100 texts, with 20 keys: %s',
		(_what, method, key, bytes) => {
			const { found, ms } = tried(method, key, bytes, 100);
			expect(found).toBe('notChecked');
			expect(ms).toBeLessThan(100);
		},
	);

	it.each(slowest)('as many of those as are tried: %s', (_what, method, key, bytes) => {
		const { found, ms } = tried(method, key, bytes, 20);
		expect(found).toBe('invalid');
		// Half of it; the other half is for slower machines.
		expect(ms).toBeLessThan(1_500);
	});
});

describe('7. settings that an expression has left open', () => {
	it.each([
		['payloadSignatureKeys', 'Whose Key'],
		['payloadSignatureBinding', 'Signature Covers the Message ID'],
	])('%s: refused, whatever it means where the credential is older', (name, label) => {
		const credential = {
			payloadSignature: 'separated',
			payloadSignatureMethod: 'ecdsaSha256',
			payloadSignaturePublicKey: PHONE.publicKey,
		};
		const payload = signedBy(PHONE.privateKey);
		expect(said(credential, undefined, payload)).toBe('valid');
		for (const nothing of [undefined, null, '']) {
			expect(said({ ...credential, [name]: nothing }, undefined, payload)).toBe(
				`${label} has a value that is not possible`,
			);
		}
	});
});
