import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { formatNamed, newPhone, plain } from '../../../support/signedFormats';

/* Proofs of a hostile reader: Verify Signed Payload. */

const PERSON = newPhone();
const OTHER = newPhone();
const SEPARATED = formatNamed('payload, separator, signature');

async function verified(
	parameters: INodeParameters,
	credentials: Record<string, string | boolean>,
	inputs: IDataObject[] = [{}],
	more: object = {},
) {
	const { items, error } = await runDiyalogNode(
		{
			parameters: { resource: 'signedPayload', operation: 'verify', ...parameters },
			credentials: {
				serverUrl: 'http://127.0.0.1:9',
				botToken: 'token-of-the-bot',
				appSecret: 'app secret',
				...credentials,
			},
			...more,
		},
		inputs.map((json) => ({ json })),
	);
	return { error: error?.message, found: items.map(({ json }) => json) };
}

describe('K1. Using Fields Below: a key from data', () => {
	it('is a JWK object', async () => {
		const jwk = createPublicKey(PERSON.publicKey).export({ format: 'jwk' });
		const { error, found } = await verified(
			{
				payload: SEPARATED.signed(PERSON, 'approve', ''),
				signatureSettings: 'fields',
				...SEPARATED.settings,
				payloadSignaturePublicKey: '={{ $json.jwk }}',
			},
			{},
			[{ jwk: jwk as IDataObject }],
		);
		expect(error ?? found).not.toMatch?.(/is empty/);
	});
});

it('K2. signature alone, and the signed text was left empty: an error that says so', async () => {
	const format = formatNamed('signature alone');
	const { error, found } = await verified(
		{ payload: format.signed(PERSON, 'approve', '') },
		{ ...format.settings, payloadSignaturePublicKey: PERSON.publicKey },
	);
	expect({ error, found }).toEqual({ error: expect.stringMatching(/Signed Text/), found: [] });
});

it("K3. many items, each with its own key, payload, id and text: none is checked with another's", async () => {
	const phones = Array.from({ length: 40 }, newPhone);
	const format = formatNamed('signature alone, of message and payload');
	const inputs = phones.map((phone, index) => {
		const by = index % 3 === 0 ? (phones[(index + 1) % phones.length] ?? phone) : phone;
		const id = `id-${index}`;
		return {
			key: index % 5 === 0 ? [phone.publicKey] : phone.publicKey,
			payload: format.signed(by, `pay ${index}`, index % 7 === 0 ? 'id-x' : id),
			id,
			text: index % 4 === 0 ? [`pay ${index}`, 'other'] : `pay ${index}`,
		};
	});
	const { found } = await verified(
		{
			payload: '={{ $json.payload }}',
			messageId: '={{ $json.id }}',
			signedText: '={{ $json.text }}',
			signatureSettings: 'person',
			personKeys: '={{ $json.key }}',
		},
		format.settings,
		inputs as IDataObject[],
		{ settings: { onError: 'continueRegularOutput' } },
	);
	const valid = found.filter((json) => json.valid === true).map((json) => json.payload);
	const expected = inputs.flatMap((_, index) =>
		index % 3 !== 0 && index % 7 !== 0 ? [`pay ${index}`] : [],
	);
	expect([...valid].sort()).toEqual([...expected].sort());
});

it('K4. a secret that is nothing but blanks', () => {
	for (const secret of [' ', '\n', '\t \n']) {
		const set = createPayloadVerifier({
			...plain('separated', { payloadSignatureSeparator: '.' }),
			payloadSignatureMethod: 'hmacSha256',
			payloadSignatureSecret: secret,
		});
		expect({ secret, ok: set.ok }).toEqual({ secret, ok: false });
	}
});

describe('K5. how long hostile texts take', () => {
	const BIG = 999_000;
	const key = { payloadSignaturePublicKey: PERSON.publicKey };
	const jws = { ...formatNamed('JWS of the payload alone').settings, ...key };
	const json = { ...formatNamed('JSON').settings, ...key };
	const separated = { ...SEPARATED.settings, ...key };
	const alone = { ...formatNamed('signature alone').settings, ...key };
	const many = (text: string) => text.repeat(Math.floor(BIG / text.length));
	const b64 = (text: string) => Buffer.from(text).toString('base64url');
	const texts: Record<string, string> = {
		brackets: many('['),
		objects: many('{"a":'),
		nested: `{"payload":"a","signature":"AAAA","x":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
		names: `{${Array.from({ length: 60_000 }, (_, index) => `"n${index}":1`).join(',')},"payload":"a","signature":"AAAA"}`,
		escapes: `{"payload":"${many('\\u0061').slice(0, 900_000)}","signature":"AAAA"}`,
		quotes: `{"payload":"${many('\\"').slice(0, 900_000)}","signature":"AAAA"}`,
		oneQuote: `"${many('\\')}`,
		dots: many('.'),
		blanks: many(' '),
		blankSignature: `approve.${many(' ')}`,
		base64: `approve.${many('AAAA')}`,
		hex: many('0a'),
		jwsHeader: `${b64(`{"alg":"ES256","x":${'['.repeat(300_000)}${']'.repeat(300_000)}}`)}.AAAA.AAAA`,
		jwsParts: `${b64('{"alg":"ES256"}')}.${many('AAAA')}.AAAA`,
		jwe: `${many('AAAA').slice(0, 900_000)}.A.A.A.A`,
		armor: `${many('\n').slice(0, 900_000)}-----BEGIN PGP MESSAGE`,
		surrogates: many('\ud800'),
	};
	it.each(Object.keys(texts))('%s', (name) => {
		const slow: string[] = [];
		for (const [format, settings] of Object.entries({ jws, json, separated, alone })) {
			const set = createPayloadVerifier(settings);
			if (!set.ok) throw new Error(set.title);
			const from = performance.now();
			const checked = set.verify(
				{ messageId: 'm', payload: texts[name] ?? '', customerNo: null, issued: ['a'] },
				new Date(),
			);
			const ms = performance.now() - from;
			expect(checked.payloadSignature).toBe('invalid');
			slow.push(`${format} ${Math.round(ms)}`);
		}
		process.stderr.write(`${name}: ${slow.join(', ')} ms\n`);
	});

	it('keys', () => {
		const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 4096 });
		const pem = rsa.export({ type: 'spki', format: 'pem' }).toString();
		const prefix = '-----BEGIN A-----';
		const sets: Record<string, unknown> = {
			pemBegins: prefix.repeat(5_800),
			pemLabel: `-----BEGIN ${'A '.repeat(49_900)}`,
			pemDashes: '-----BEGIN PUBLIC KEY-----'.repeat(3_800),
			commas: ','.repeat(99_000),
			escapesN: '\\n'.repeat(49_000),
			json: '['.repeat(99_000),
			jsonObjects: `${'{"keys":['.repeat(9_000)}`,
			twenty: Array.from({ length: 20 }, () => pem),
			bigRsa: { kty: 'RSA', n: 'f'.repeat(99_000), e: 'AQAB' },
			bigE: { kty: 'RSA', n: 'f'.repeat(2_700), e: 'f'.repeat(2_600) },
			ssh: 'ssh-rsa AAAA '.repeat(7_000),
			beginSecret: '- BEGIN '.repeat(12_000),
		};
		for (const [name, personKeys] of Object.entries(sets)) {
			const slow: string[] = [];
			for (const method of ['ecdsaSha256', 'rsaSha256', 'ed25519', 'hmacSha256']) {
				const from = performance.now();
				createPayloadVerifier(
					{ ...plain('separated', { payloadSignatureSeparator: '.' }), payloadSignatureMethod: method },
					personKeys,
				);
				slow.push(`${method} ${Math.round(performance.now() - from)}`);
			}
			process.stderr.write(`keys ${name}: ${slow.join(', ')} ms\n`);
		}
	});

	it('an encrypted private key that asks for two thousand million rounds', () => {
		const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
		const der = privateKey.export({
			type: 'pkcs8',
			format: 'der',
			cipher: 'aes-256-cbc',
			passphrase: 'a',
		});
		// PBKDF2: INTEGER of the rounds, two bytes (2048), made as large as they may be.
		const at = der.indexOf(Buffer.from('02020800', 'hex'));
		const rounds = Buffer.from(der);
		if (at >= 0) rounds.writeUInt16BE(0x7fff, at + 2);
		const from = performance.now();
		const set = createPayloadVerifier(
			plain('separated', { payloadSignatureSeparator: '.' }),
			rounds.toString('base64'),
		);
		process.stderr.write(`pkcs8 (${at}): ${Math.round(performance.now() - from)} ms, ${JSON.stringify(set)}\n`);
		expect(set.ok).toBe(false);
	});
});

it('K6. whatever is changed in a signed payload, nothing else is called valid', () => {
	const secret = 'a secret of the bank that is long enough for everything here';
	const hmac = { ...plain('separated', { payloadSignatureSeparator: '.' }), payloadSignatureMethod: 'hmacSha256', payloadSignatureSecret: secret };
	const signedHmac = `approve.${createHmac('sha256', secret).update('approve').digest('base64')}`;
	const cases: Array<[Record<string, string | boolean>, string]> = [
		[hmac, signedHmac],
		...['JWS that names the message', 'JWS of the payload alone', 'payload, separator, signature', 'JSON', 'signature alone'].map(
			(name): [Record<string, string | boolean>, string] => {
				const format = formatNamed(name);
				return [
					{ ...format.settings, payloadSignaturePublicKey: PERSON.publicKey },
					format.signed(PERSON, 'approve', 'transfer-17'),
				];
			},
		),
	];
	let seed = 7;
	const random = (below: number) => {
		seed = (seed * 48_271) % 2_147_483_647;
		return seed % below;
	};
	const characters = '.{}":,\\ \n=+/-_AZaz09\u0000é~';
	for (const [settings, signed] of cases) {
		const set = createPayloadVerifier(settings);
		if (!set.ok) throw new Error(set.title);
		const press = (payload: string) =>
			set.verify({ messageId: 'transfer-17', payload, customerNo: null, issued: ['approve'] }, new Date());
		expect(press(signed)).toMatchObject({ payloadSignature: 'valid', payload: 'approve' });
		for (let round = 0; round < 1_500; round++) {
			const at = random(signed.length);
			const count = random(3);
			const put = characters[random(characters.length)] ?? '';
			const text = signed.slice(0, at) + (random(4) === 0 ? '' : put) + signed.slice(at + count);
			const checked = press(text);
			if (checked.payloadSignature === 'valid') expect(checked.payload).toBe('approve');
		}
	}
});

it("K7. evidence: the text, the signature and the thumbprint prove it to node:crypto, with the key that has signed", async () => {
	const { verify, createHash } = await import('node:crypto');
	for (const name of ['JWS that names the message', 'payload, separator, signature', 'JSON']) {
		const format = formatNamed(name);
		const { found } = await verified(
			{
				payload: format.signed(PERSON, 'approve', 'transfer-17'),
				messageId: 'transfer-17',
				signatureSettings: 'person',
				personKeys: `={{ ${JSON.stringify([OTHER.publicKey, PERSON.publicKey])} }}`,
			},
			format.settings,
		);
		const [json = {}] = found;
		const evidence = json.evidence as Record<string, string>;
		const key = createPublicKey(PERSON.publicKey);
		const spki = key.export({ type: 'spki', format: 'der' });
		expect(evidence.keyThumbprint).toBe(createHash('sha256').update(spki).digest('hex'));
		const signature = Buffer.from(evidence.signature ?? '', 'base64');
		expect(verify('sha256', Buffer.from(evidence.signedText ?? ''), key, signature)).toBe(true);
	}
	expect(sign).toBeDefined();
});
