import fc from 'fast-check';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import {
	attemptOf,
	base64url,
	check,
	CLAIMS,
	es256,
	invalid,
	jwsCredential,
	methods,
	NOW,
	pairs,
	rs256Credential,
	token,
	unboundJws,
	verifierFor,
} from '../../../support/signedPayloads';

describe('without a scheme', () => {
	it.each([[{}], [{ payloadSignature: 'none' }], [{ payloadSignature: undefined }]])(
		'%j checks nothing and changes nothing',
		(credential) => {
			for (const payload of ['', 'approve', token(CLAIMS)]) {
				expect(check(attemptOf(credential, payload))).toEqual({
					payloadSignature: 'notChecked',
					payload,
				});
			}
		},
	);

	it('does not look at what was once entered for a scheme', () => {
		const stale = { payloadSignature: 'none', payloadSignaturePublicKey: 'nothing', x: null };
		expect(createPayloadVerifier(stale).ok).toBe(true);
	});
});

describe('arbitrary texts', () => {
	const verifiers = [
		jwsCredential,
		unboundJws,
		rs256Credential,
		...methods.map(([, m]) => m.credential),
	].map((credential) => verifierFor(credential));
	const anyText = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
		fc.tuple(fc.json(), fc.json(), fc.string()).map((made) => made.map(base64url).join('.')),
		fc.tuple(fc.string(), fc.base64String()).map((made) => made.join('.')),
		fc.json().map((content) => token(content, { alg: 'ES256' }, es256(pairs.stranger))),
	);

	it('are never valid, and nothing throws', () => {
		fc.assert(
			fc.property(anyText, anyText, anyText, (payload, messageId, customerNo) => {
				for (const verify of verifiers) {
					expect(verify({ payload, messageId, customerNo }, NOW)).toEqual(invalid(payload));
				}
			}),
			{ numRuns: 200 },
		);
	});
});
