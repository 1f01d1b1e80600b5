import { createHmac } from 'node:crypto';
import {
	attemptOf,
	base64url,
	bound,
	check,
	CLAIMS,
	es256,
	fullVerifierFor,
	hmacCredential,
	hs256,
	INNER,
	jwsCredential,
	macOf,
	MESSAGE_ID,
	MINUTE_S,
	NOW,
	NOW_S,
	P256_ORDER,
	pairs,
	pressOf,
	secret,
	spki,
	token,
	unboundJws,
	valid,
} from '../../../support/signedPayloads';
import type { SignedPress } from '../../../../nodes/Diyalog/deviceSignature/press';

/* A signature alone, a signature in JSON, blanks inside signatures, and why something is invalid. */

const jsonCredential = { ...hmacCredential, payloadSignature: 'json' };
const aloneCredential = { ...hmacCredential, payloadSignature: 'signatureOnly' };
const MAC = macOf(`${MESSAGE_ID}:${INNER}`);
const GENUINE = JSON.stringify({ payload: INNER, signature: MAC });

const verdictOf = (credential: object, press: SignedPress) =>
	fullVerifierFor({ ...credential })(press, NOW);

describe('a signature in JSON', () => {
	const rest = `"signature":"${MAC}"}`;
	const inner = JSON.stringify(INNER);

	it.each([
		['as it is', GENUINE],
		['with blanks', JSON.stringify(JSON.parse(GENUINE), null, '\t')],
		['in the other order', JSON.stringify({ signature: MAC, payload: INNER })],
		[
			'with further members',
			JSON.stringify({ v: 1, payload: INNER, signature: MAC, x: [{ payload: 'x' }] }),
		],
		[
			'with names of further members that repeat inside',
			`{"a":{"payload":1},"b":{"payload":2,"signature":3},"payload":${inner},${rest}`,
		],
		['with a member named __proto__', `{"__proto__":{"payload":"x"},"payload":${inner},${rest}`],
	])('%s: valid', (_what, payload) => {
		expect(verdictOf(jsonCredential, pressOf(payload))).toMatchObject(valid(INNER));
	});

	const attacks: Array<[string, string]> = [
		['1. the payload twice, the genuine one last', `{"payload":"x","payload":${inner},${rest}`],
		['2. the payload twice, the genuine one first', `{"payload":${inner},"payload":"x",${rest}`],
		['3. the payload twice, the same', `{"payload":${inner},"payload":${inner},${rest}`],
		[
			'4. the payload twice, written with an escape',
			`{"p\\u0061yload":"x","payload":${inner},${rest}`,
		],
		['5. the signature twice', `{"payload":${inner},"signature":"00",${rest}`],
		['6. a further member twice', `{"x":1,"payload":${inner},"x":2,${rest}`],
		[
			'7. twice, behind braces and quotes inside a text',
			`{"x":"{\\"payload\\":[","payload":"y","payload":${inner},${rest}`,
		],
		['8. twice, behind an object', `{"x":{"y":[{}]},"payload":"y","payload":${inner},${rest}`],
		['9. both members only behind __proto__', `{"__proto__":${GENUINE}}`],
		[
			'10. the signature only behind __proto__',
			`{"payload":${inner},"__proto__":{"signature":"${MAC}"}}`,
		],
		['11. in a list', `[${GENUINE}]`],
		['12. as a text', JSON.stringify(GENUINE)],
		['13. null', 'null'],
		['14. something behind it', `${GENUINE}x`],
		['15. itself behind it', GENUINE + GENUINE],
		['16. without its end', GENUINE.slice(0, -1)],
		['17. a byte order mark in front', `\uFEFF${GENUINE}`],
		['18. no signature', JSON.stringify({ payload: INNER })],
		['19. an empty signature', JSON.stringify({ payload: INNER, signature: '' })],
		['20. a signature of blanks', JSON.stringify({ payload: INNER, signature: ' \n' })],
		['21. a signature of null', JSON.stringify({ payload: INNER, signature: null })],
		['22. a signature in a list', JSON.stringify({ payload: INNER, signature: [MAC] })],
		['23. another payload', JSON.stringify({ payload: 'x', signature: MAC })],
		[
			'24. a payload that is an object',
			JSON.stringify({ payload: { payload: INNER }, signature: MAC }),
		],
		['25. a payload that is a number', `{"payload":5,"signature":"${macOf(`${MESSAGE_ID}:5`)}"}`],
		['26. names in capitals', JSON.stringify({ Payload: INNER, Signature: MAC })],
		[
			'27. half an emoji',
			JSON.stringify({ payload: '\uD83D', signature: macOf(`${MESSAGE_ID}:\uFFFD`) }),
		],
		[
			'28. the payload signed without its message',
			JSON.stringify({ payload: INNER, signature: macOf(INNER) }),
		],
		['29. payload, separator, signature', bound(INNER)],
		[
			'30. the JSON form of a JWS',
			JSON.stringify({
				protected: base64url({ alg: 'HS256' }),
				payload: base64url(CLAIMS),
				signature: MAC,
			}),
		],
		['31. unsigned', INNER],
		['32. a MiB of brackets', '{"payload":'.repeat(1e5)],
		['33. a MiB of quotes', `{${'"'.repeat(1 << 20)}`],
	];
	it.each(attacks)('%s', (_name, payload) => {
		expect(verdictOf(jsonCredential, pressOf(payload))).toMatchObject({
			payloadSignature: 'invalid',
			payload,
		});
	});

	it('34. pressed on another message', () => {
		expect(verdictOf(jsonCredential, { ...pressOf(GENUINE), messageId: 'pay:18' })).toMatchObject({
			payloadSignature: 'invalid',
			reason: 'signature',
		});
	});

	it('a MiB of other members is read, and nothing of it mistaken', () => {
		const many = Object.fromEntries(
			Array.from({ length: 6e4 }, (_, index) => [`m${index}`, '{"]']),
		);
		const payload = JSON.stringify({ ...many, payload: INNER, signature: MAC });
		expect(verdictOf(jsonCredential, pressOf(payload))).toMatchObject(valid(INNER));
	});
});

describe('a signature alone', () => {
	const issued = ['decline', INNER, 'later', ''];
	const press = (payload: string, more: Partial<SignedPress> = {}): SignedPress => ({
		...pressOf(payload),
		issued,
		...more,
	});

	it.each(issued)('belongs to the payload that was issued: %j', (payload) => {
		const checked = verdictOf(aloneCredential, press(macOf(`${MESSAGE_ID}:${payload}`)));
		expect(checked).toMatchObject({
			...valid(payload),
			evidence: { format: 'signatureOnly', signedText: `${MESSAGE_ID}:${payload}` },
		});
	});

	it('without binding, to the payload alone', () => {
		const unbound = { ...aloneCredential, payloadSignatureBinding: false };
		expect(verdictOf(unbound, press(macOf(INNER)))).toMatchObject(valid(INNER));
		expect(verdictOf(unbound, press(MAC)).payloadSignature).toBe('invalid');
	});

	it('is not checked where nobody knows what was issued', () => {
		for (const payload of [MAC, 'approve', '']) {
			expect(verdictOf(aloneCredential, pressOf(payload))).toEqual({
				payloadSignature: 'notChecked',
				payload,
			});
		}
	});

	const attacks: Array<[string, SignedPress]> = [
		['1. nothing was issued', press(MAC, { issued: [] })],
		['2. for a payload that was not issued', press(macOf(`${MESSAGE_ID}:approve all`))],
		['3. for another message', press(macOf(`pay:18:${INNER}`))],
		['4. on another message', press(MAC, { messageId: 'pay:18' })],
		['5. for the payload without its message', press(macOf(INNER))],
		['6. the payload itself', press(INNER)],
		['7. the payload and its signature', press(bound(INNER))],
		['8. nothing', press('')],
		['9. blanks', press(' \n')],
		['10. half of it', press(MAC.slice(0, 32))],
		['11. twice', press(MAC + MAC)],
		[
			'12. of another hash',
			press(createHmac('sha512', secret).update(`${MESSAGE_ID}:${INNER}`).digest('hex')),
		],
		['13. with another secret', press(hs256('x')(`${MESSAGE_ID}:${INNER}`).toString('hex'))],
		['14. Diyalog’s own sample', press('12a22113123131213aaab444cb3c224bcb')],
		['15. zeros', press('0'.repeat(64))],
		['16. with a mark in front', press(`0x${MAC}`)],
	];
	it.each(attacks)('%s', (_name, attacked) => {
		expect(verdictOf(aloneCredential, press(MAC))).toMatchObject(valid(INNER));
		const checked = verdictOf(aloneCredential, attacked);
		expect(checked).toMatchObject({ payloadSignature: 'invalid', payload: attacked.payload });
		expect(checked.evidence).toBeUndefined();
	});

	it('of another format does not look at what was issued', () => {
		const changed = bound('something else');
		expect(verdictOf(hmacCredential, press(changed))).toMatchObject(valid('something else'));
		expect(verdictOf(hmacCredential, press(MAC)).payloadSignature).toBe('invalid');
	});
});

describe('blanks inside a signature', () => {
	const inBase64 = { ...aloneCredential, payloadSignatureEncoding: 'base64' };
	const mac = hs256(secret)(`${MESSAGE_ID}:${INNER}`);
	const press = (payload: string) => ({ ...pressOf(payload), issued: [INNER] });

	it.each([
		['a line break at the end, as Android’s Base64.DEFAULT has it', `${mac.toString('base64')}\n`],
		['line breaks inside', mac.toString('base64').replace(/(.{10})/g, '$1\r\n')],
		['blanks and tabs', ` ${mac.toString('base64url').replace(/(.{7})/g, '$1 \t')}`],
	])('%s: read', (_what, payload) => {
		expect(verdictOf(inBase64, press(payload))).toMatchObject(valid(INNER));
		const separated = { ...inBase64, payloadSignature: 'separated' };
		expect(verdictOf(separated, pressOf(`${INNER}.${payload}`))).toMatchObject(valid(INNER));
		const json = { ...inBase64, payloadSignature: 'json' };
		const object = JSON.stringify({ payload: INNER, signature: payload });
		expect(verdictOf(json, pressOf(object))).toMatchObject(valid(INNER));
	});

	it('hexadecimal with blanks: read', () => {
		const payload = MAC.replace(/(..)/g, '$1 ');
		expect(verdictOf(aloneCredential, press(payload))).toMatchObject(valid(INNER));
	});

	it.each([
		['a blank that is no plain one', '\u00a0'],
		['a blank without width', '\u200b'],
		['a byte order mark', '\ufeff'],
		['NUL', '\0'],
		['a line feed written out', '\\n'],
		['a form feed', '\f'],
		['padding', '='],
		['a dot', '.'],
	])('%s: refused', (_what, character) => {
		const text = mac.toString('base64');
		for (const at of [0, 9, text.length]) {
			const payload = text.slice(0, at) + character + text.slice(at);
			expect(verdictOf(inBase64, press(payload))).toMatchObject({
				payloadSignature: 'invalid',
				reason: 'malformed',
			});
		}
	});

	it('in a JWS there are none', () => {
		const jws = token(CLAIMS);
		for (const payload of [
			`${jws}\n`,
			` ${jws}`,
			jws.replace('.', '\n.'),
			jws.replace('.', '. '),
		]) {
			expect(verdictOf(jwsCredential, pressOf(payload)).payloadSignature).toBe('invalid');
		}
	});

	it('blanks belong to the payload, not to the signature: they were signed or they were not', () => {
		const payload = `${INNER} .${MAC}`;
		expect(verdictOf(hmacCredential, pressOf(payload)).payloadSignature).toBe('invalid');
	});
});

/** Nobody without a key can make these of one signature; whoever has one signature can. */
describe('other writings of one signature', () => {
	const credential = {
		payloadSignature: 'separated',
		payloadSignatureMethod: 'ecdsaSha256',
		payloadSignaturePublicKey: spki(pairs.p256),
	};
	const made = es256()(`${MESSAGE_ID}:${INNER}`);
	const mirrored = () => {
		const order = BigInt(`0x${P256_ORDER}`);
		const s = order - BigInt(`0x${made.subarray(32).toString('hex')}`);
		return Buffer.concat([
			made.subarray(0, 32),
			Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
		]);
	};

	it('are valid for the same payload and message, and for nothing else', () => {
		const texts = [
			made.toString('base64'),
			made.toString('base64url'),
			`${made.toString('base64')}\n`,
			mirrored().toString('base64'),
			es256(pairs.p256, 'der')(`${MESSAGE_ID}:${INNER}`).toString('base64'),
		];
		expect(new Set(texts).size).toBe(5);
		for (const text of texts) {
			expect(check(attemptOf(credential, `${INNER}.${text}`))).toEqual(valid(INNER));
			expect(check(attemptOf(credential, `x.${text}`)).payloadSignature).toBe('invalid');
		}
	});
});

describe('why a payload is invalid', () => {
	const reasonOf = (credential: object, payload: string, more: Partial<SignedPress> = {}) =>
		verdictOf(credential, { ...pressOf(payload), ...more }).reason;

	it.each<[string, string | undefined, string | undefined]>([
		['no token', reasonOf(jwsCredential, 'approve'), 'malformed'],
		['another algorithm', reasonOf(jwsCredential, token(CLAIMS, { alg: 'ES384' })), 'malformed'],
		[
			'another key',
			reasonOf(jwsCredential, token(CLAIMS, undefined, es256(pairs.stranger))),
			'signature',
		],
		[
			'too late',
			reasonOf(jwsCredential, token({ ...CLAIMS, exp: NOW_S - 60 * MINUTE_S })),
			'expired',
		],
		[
			'too early',
			reasonOf(jwsCredential, token({ ...CLAIMS, nbf: NOW_S + 60 * MINUTE_S })),
			'notYetValid',
		],
		[
			'issued later',
			reasonOf(jwsCredential, token({ ...CLAIMS, iat: NOW_S + 60 * MINUTE_S })),
			'notYetValid',
		],
		[
			'another message',
			reasonOf(jwsCredential, token({ ...CLAIMS, messageId: 'pay:18' })),
			'otherMessage',
		],
		['no message', reasonOf(jwsCredential, token({ payload: INNER })), 'otherMessage'],
		[
			'another customer',
			reasonOf(jwsCredential, token({ ...CLAIMS, customerNo: '1' })),
			'otherCustomer',
		],
		['nobody', reasonOf(jwsCredential, token(CLAIMS), { customerNo: null }), 'otherCustomer'],
		[
			'content without payload',
			reasonOf(jwsCredential, token({ messageId: MESSAGE_ID })),
			'malformed',
		],
		['content that is no JSON', reasonOf(jwsCredential, token('approve')), 'malformed'],
		['nothing wrong', reasonOf(unboundJws, token('approve')), undefined],
		['no separator', reasonOf(hmacCredential, 'approve'), 'malformed'],
		['another signature', reasonOf(hmacCredential, `approve.${MAC}`), 'signature'],
		['OpenPGP', reasonOf(hmacCredential, '-----BEGIN PGP MESSAGE-----\n\nhQEMA\n'), 'encrypted'],
		['CMS', reasonOf(jsonCredential, '-----BEGIN CMS-----\nMIAG\n'), 'encrypted'],
		[
			'a JWE as JSON',
			reasonOf(jsonCredential, '{"protected":"e30","ciphertext":"AA"}'),
			'encrypted',
		],
		['five parts that are no JWE', reasonOf(jwsCredential, 'e30.a.b.c.d'), 'malformed'],
		['five parts without JSON', reasonOf(jwsCredential, '....'), 'malformed'],
	])('%s', (_what, reason, expected) => {
		expect(reason).toBe(expected);
	});

	it('what is wrong first says nothing of a signature that nobody has made', () => {
		const forged = token({ ...CLAIMS, exp: 1 }, undefined, es256(pairs.stranger));
		expect(reasonOf(jwsCredential, forged)).toBe('signature');
	});
});
