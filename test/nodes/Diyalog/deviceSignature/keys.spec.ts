import {
	attemptOf,
	check,
	CLAIMS,
	INNER,
	jwsCredential,
	pairs,
	rs256Credential,
	rsAttempt,
	spki,
	token,
	valid,
} from '../../../support/signedPayloads';

describe('how a public key may be written', () => {
	const pem = spki(pairs.p256);
	it.each([
		['as it is', pem],
		['in one line, as a masked field leaves it', pem.replaceAll('\n', '')],
		['with blanks for line breaks', pem.replaceAll('\n', ' ')],
		['with \\n for line breaks', pem.replaceAll('\n', '\\n')],
		['with Windows line breaks', pem.replaceAll('\n', '\r\n')],
		['with text around it', `Key of the app:\n${pem}\nend`],
	])('%s', (_how, publicKey) => {
		const credential = { ...jwsCredential, payloadSignaturePublicKey: publicKey };
		expect(check(attemptOf(credential, token(CLAIMS)))).toEqual(valid(INNER));
	});

	it('as PKCS #1', () => {
		const publicKey = pairs.rsa.publicKey.export({ type: 'pkcs1', format: 'pem' });
		const credential = { ...rs256Credential, payloadSignaturePublicKey: publicKey };
		expect(check({ ...rsAttempt(), credential })).toEqual(valid(INNER));
	});
});
