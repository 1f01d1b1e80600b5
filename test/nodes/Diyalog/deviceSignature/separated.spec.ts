import fc from 'fast-check';
import {
	attemptOf,
	bound,
	check,
	hmacCredential,
	hs256,
	INNER,
	invalid,
	macOf,
	MESSAGE_ID,
	methods,
	NOW,
	pressOf,
	secret,
	valid,
	verifierFor,
} from '../../../support/signedPayloads';

describe('payload<separator>signature', () => {
	const encodings = ['hex', 'base64', 'base64url'] as const;

	it.each(methods)('%s, in every encoding, bound or not', (_name, { credential, signer }) => {
		for (const encoding of encodings) {
			for (const isBound of [true, false]) {
				const chosen = {
					...credential,
					payloadSignatureEncoding: encoding === 'hex' ? 'hex' : 'base64',
					payloadSignatureBinding: isBound,
				};
				const input = isBound ? `${MESSAGE_ID}:${INNER}` : INNER;
				const other = isBound ? INNER : `${MESSAGE_ID}:${INNER}`;
				expect(check(attemptOf(chosen, `${INNER}.${signer(input).toString(encoding)}`))).toEqual(
					valid(INNER),
				);
				const unbound = `${INNER}.${signer(other).toString(encoding)}`;
				expect(check(attemptOf(chosen, unbound))).toEqual(invalid(unbound));
			}
		}
	});

	it.each(methods)('%s: nothing but what was signed is valid', (_name, { credential, signer }) => {
		const verify = verifierFor(credential);
		const signed = `${INNER}.${signer(`${MESSAGE_ID}:${INNER}`).toString('base64')}`;
		expect(verify(pressOf(signed), NOW)).toEqual(valid(INNER));
		const index = fc.nat({ max: signed.length - 1 });
		fc.assert(
			fc.property(index, fc.string({ unit: 'binary', maxLength: 2 }), (at, changed) => {
				const payload = signed.slice(0, at) + changed + signed.slice(at + 1);
				const checked = verify(pressOf(payload), NOW);
				if (checked.payloadSignature === 'valid') expect(checked.payload).toBe(INNER);
				else expect(checked).toEqual(invalid(payload));
			}),
			{ numRuns: 100 },
		);
	});

	it.each([
		['one character', '|'],
		['several characters', '::sig::'],
		['a line break', '\n'],
		['a character beyond 16 bits', '🔏'],
		['a dash', '-'],
	])('the separator: %s', (_what, separator) => {
		const credential = { ...hmacCredential, payloadSignatureSeparator: separator };
		const payload = `${INNER}${separator}${macOf(`${MESSAGE_ID}:${INNER}`)}`;
		expect(check(attemptOf(credential, payload))).toEqual(valid(INNER));
		const other = payload.replace(separator, '~');
		expect(check(attemptOf(credential, other))).toEqual(invalid(other));
	});

	it.each([
		['the separator', '1.250,00 ₺.'],
		['nothing', ''],
		['NUL bytes', 'a\0b\0'],
		['Turkish letters and emoji', 'İğüşıöç 👩‍👩‍👧'],
		['line breaks, colons and brackets', '[a]:b\r\n'],
		['1 MiB', 'x'.repeat(1 << 20)],
		['the replacement character', '\uFFFD'],
	])('a payload that holds %s', (_what, inner) => {
		expect(check(attemptOf(hmacCredential, bound(inner)))).toEqual(valid(inner));
	});

	it('hexadecimal in either case, base64 of either alphabet, padded or not', () => {
		const mac = hs256(secret)(`${MESSAGE_ID}:${INNER}`);
		const base64 = { ...hmacCredential, payloadSignatureEncoding: 'base64' };
		expect(
			check(attemptOf(hmacCredential, `${INNER}.${mac.toString('hex').toUpperCase()}`)),
		).toEqual(valid(INNER));
		for (const text of [mac.toString('base64'), mac.toString('base64url')]) {
			expect(check(attemptOf(base64, `${INNER}.${text}`))).toEqual(valid(INNER));
			expect(check(attemptOf(base64, `${INNER}.${text.replace('=', '')}`))).toEqual(valid(INNER));
		}
	});

	it('cannot tell id and payload apart where ids hold colons', () => {
		const payload = `c.${macOf('a:b:c')}`;
		const verify = verifierFor(hmacCredential);
		expect(verify({ ...pressOf(payload), messageId: 'a:b' }, NOW)).toEqual(valid('c'));
		const moved = `b:c.${macOf('a:b:c')}`;
		expect(verify({ ...pressOf(moved), messageId: 'a' }, NOW)).toEqual(valid('b:c'));
	});
});
