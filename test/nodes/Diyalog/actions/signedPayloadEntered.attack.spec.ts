import { createHmac, createPublicKey } from 'node:crypto';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { parsePress } from '../../../../nodes/Diyalog/events/press';
import { formatNamed, newPhone, plain } from '../../../support/signedFormats';
import { verified } from '../../../support/verifiedPayload';

/* What Verify Signed Payload must not call valid, by what is entered. */

const PHONE = newPhone();

it("1. a person's public keys as a list in JSON, and a credential with an HMAC: who knows them signs nothing", async () => {
	const spki = createPublicKey(PHONE.publicKey).export({ type: 'spki', format: 'der' });
	const keys = JSON.stringify([spki.toString('base64')]);
	const parameters = {
		payload: '={{ $json.payload }}',
		messageId: 'transfer-17',
		signatureSettings: 'person',
		personKeys: '={{ $json.keys }}',
	};
	const mac = createHmac('sha256', keys).update('transfer-17:approve').digest('base64');
	const credential = plain('separated', {
		payloadSignatureMethod: 'hmacSha256',
		payloadSignatureBinding: true,
	});
	const found = await verified(parameters, credential, { keys, payload: `approve.${mac}` });
	expect(found).not.toMatchObject({ valid: true });
});

describe.each(['JWS that names the message', 'signature alone, of message and payload'])(
	'2. %s: a press with blanks around the message ID, which was typed',
	(name) => {
		const format = formatNamed(name);
		const credential = { ...format.settings, payloadSignaturePublicKey: PHONE.publicKey };
		const signed = format.signed(PHONE, 'approve', 'transfer-17');

		it.each([' transfer-17', 'transfer-17\n', '\u00a0transfer-17', '\ufefftransfer-17'])(
			'%j is no message that the phone has signed for, and the verifier says so: Verify does too',
			async (typed) => {
				const press = parsePress(`[${typed}]:${signed}`);
				if (!press) throw new Error('It is no press');
				const setup = createPayloadVerifier(credential);
				if (!setup.ok) throw new Error(setup.title);
				const issued = ['approve'];
				expect(
					setup.verify({ ...press, customerNo: null, issued }, new Date()).payloadSignature,
				).toBe('invalid');
				const parameters = {
					payload: '={{ $json.payload }}',
					messageId: '={{ $json.messageId }}',
					signedText: 'approve',
				};
				expect(await verified(parameters, credential, { ...press })).toEqual({
					error: 'Message ID has blanks around it [item 0]',
				});
			},
		);
	},
);

describe('3. Signature Alone with more texts and keys than are tried', () => {
	const keys = Array.from({ length: 20 }, () => newPhone().publicKey);
	const { settings, signed } = formatNamed('signature alone, of message and payload');
	const with20 = (count: number) => {
		const texts = Array.from({ length: count - 1 }, (_, index) => `decline ${index}`);
		const parameters = {
			payload: '={{ $json.payload }}',
			messageId: 'transfer-17',
			signedText: '={{ $json.texts }}',
			signatureSettings: 'person',
			personKeys: '={{ $json.keys }}',
		};
		const payload = signed(PHONE, 'approve', 'transfer-17');
		const mine = [...keys.slice(1), PHONE.publicKey];
		const input = { keys: mine, texts: [...texts, 'approve'], payload };
		return verified(parameters, { ...settings, payloadSignatureKeys: 'person' }, input);
	};

	it('21 texts with 20 keys: refused with a sentence, not called invalid', async () => {
		const { error } = await with20(21);
		expect(error).toMatch(/^Signed Text has too many entries for so many keys/);
	});

	it('20 texts with 20 keys: the last of both counts', async () => {
		expect(await with20(20)).toMatchObject({ valid: true, payload: 'approve' });
	});
});
