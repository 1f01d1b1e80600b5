import { createHmac, createPublicKey } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { FORMATS, formatNamed, newPhone, plain } from '../../../support/signedFormats';
import { verified } from '../../../support/verifiedPayload';

/* What Verify Signed Payload must not call valid. */

const COMPANY = newPhone();
const PERSON = newPhone();
const OTHER_PERSON = newPhone();

const SEPARATED = formatNamed('payload, separator, signature');

it.each([
	['nothing', undefined],
	['null', null],
	['an empty text', ''],
	['an empty list', []],
])("1. %s in the place of a person's keys: the company's do not count", async (_, keys) => {
	const parameters = {
		payload: SEPARATED.signed(COMPANY, 'approve', ''),
		messageId: 'transfer-17',
		signatureSettings: 'person',
		personKeys: '={{ $json.keys }}',
	};
	const credential = { ...SEPARATED.settings, payloadSignaturePublicKey: COMPANY.publicKey };
	const found = await verified(parameters, credential, { keys: keys as string });
	expect(found).toMatchObject({ error: expect.stringMatching(/Keys/) });
});

describe.each([
	['jws', formatNamed('JWS that names the message')],
	['signatureOnly', formatNamed('signature alone, of message and payload')],
	['separated', { ...SEPARATED, settings: plain('separated', { payloadSignatureBinding: true }) }],
	['json', { ...formatNamed('JSON'), settings: plain('json', { payloadSignatureBinding: true }) }],
])('%s', (name, format) => {
	it('2. without a message ID nothing is valid that has to cover it', async () => {
		const signed =
			name === 'separated' || name === 'json'
				? format.signed(COMPANY, ':approve', '').replace(':approve', 'approve')
				: format.signed(COMPANY, 'approve', '');
		const credential = { ...format.settings, payloadSignaturePublicKey: COMPANY.publicKey };
		const parameters = { payload: signed, signedText: 'approve' };
		expect(await verified(parameters, credential)).toMatchObject({
			valid: false,
			reason: 'otherMessage',
		});
	});
});

it("3. the point of a person's key, as iOS gives it, is no secret", async () => {
	const key = createPublicKey(PERSON.publicKey)
		.export({ type: 'spki', format: 'der' })
		.subarray(-65)
		.toString('base64');
	const payload = `approve.${createHmac('sha256', key).update('approve').digest('base64')}`;
	const credential = { ...SEPARATED.settings, payloadSignatureMethod: 'hmacSha256' };
	const parameters = { payload, signatureSettings: 'person', personKeys: key };
	expect(await verified(parameters, credential)).toMatchObject({
		error: expect.stringMatching(/public key/),
	});
});

it.each(Object.entries(FORMATS))('4. %s: the key of somebody else', async (_, format) => {
	const parameters = {
		payload: format.signed(COMPANY, 'approve', 'transfer-17'),
		messageId: 'transfer-17',
		signedText: 'approve',
		signatureSettings: 'person',
		personKeys: PERSON.publicKey,
	};
	const credential = { ...format.settings, payloadSignaturePublicKey: COMPANY.publicKey };
	expect(await verified(parameters, credential)).toMatchObject({
		valid: false,
		reason: 'signature',
	});
});

describe('5. an expression in the credential gives a key for each item', () => {
	const items = [PERSON, OTHER_PERSON].map(({ publicKey }) => ({
		json: { key: publicKey, payload: SEPARATED.signed(PERSON, 'approve', '') },
	}));

	it.each(['={{ $json.key }}', '={{ $input.item.json.key }}', '={{ \\u0024json.key }}'])(
		'%s: the key of one item verifies no other',
		async (payloadSignaturePublicKey) => {
			const { items: found } = await runDiyalogNode(
				{
					parameters: {
						resource: 'signedPayload',
						operation: 'verify',
						payload: '={{ $json.payload }}',
					},
					credentials: {
						serverUrl: 'http://127.0.0.1:9',
						botToken: 'token-of-the-bot',
						...SEPARATED.settings,
						payloadSignaturePublicKey,
					},
					settings: { onError: 'continueRegularOutput' },
				},
				items,
			);
			expect(found.map(({ json }) => json)).toEqual([
				expect.objectContaining({ valid: true }),
				{ error: expect.stringContaining('is not the same for this item as for the first') },
			]);
		},
	);
});

it('6. an expression that the administrator has set for all credentials: the key of one item verifies no other', async () => {
	const items = [PERSON, OTHER_PERSON].map(({ publicKey: key }) => ({
		json: { key, payload: SEPARATED.signed(PERSON, 'approve', '') },
	}));
	const { items: found } = await runDiyalogNode(
		{
			parameters: {
				resource: 'signedPayload',
				operation: 'verify',
				payload: '={{ $json.payload }}',
			},
			credentials: { serverUrl: 'http://127.0.0.1:9', botToken: 'token-of-the-bot' },
			overwrites: { ...SEPARATED.settings, payloadSignaturePublicKey: '={{ $json.key }}' },
			settings: { onError: 'continueRegularOutput' },
		},
		items,
	);
	expect(found.map(({ json }) => json)).toEqual([
		expect.objectContaining({ valid: true }),
		{ error: expect.stringContaining('is not the same for this item as for the first') },
	]);
});

describe('7. what would hold n8n up for minutes is refused before it is looked through', () => {
	const text = '.'.repeat(1_000_001);
	const key = { payloadSignaturePublicKey: COMPANY.publicKey };

	const withKey = { ...SEPARATED.settings, ...key };

	it.each<[string, INodeParameters, Record<string, string | boolean>, RegExp]>([
		['a payload', { payload: text }, withKey, /longer than/],
		['a signed text', { signedText: text }, withKey, /longer than/],
		['signed texts together', { signedText: ['a', text] }, withKey, /longer than/],
		['a list', { signedText: Array.from({ length: 101 }, () => 'a') }, withKey, /more than 100/],
		[
			'a separator',
			{},
			{ ...withKey, payloadSignatureSeparator: '.'.repeat(101) },
			/The Separator is longer/,
		],
		[
			'a secret',
			{ signatureSettings: 'person', personKeys: '['.repeat(100_001) },
			{ ...withKey, payloadSignatureMethod: 'hmacSha256' },
			/longer than/,
		],
	])('%s', async (_what, parameters, credential, problem) => {
		const entered = { payload: 'approve.AAAA', ...parameters };
		expect(await verified(entered, credential)).toMatchObject({
			error: expect.stringMatching(problem),
		});
	});
});

describe('8. Using Fields Below, with the key as a JWK from data', () => {
	const parameters = { signatureSettings: 'fields', ...SEPARATED.settings };
	const jwk = createPublicKey(PERSON.publicKey).export({ format: 'jwk' }) as IDataObject;

	it.each([
		['the JWK', jwk],
		['a list', [jwk]],
		['a set', { keys: [jwk] }],
	])('%s: verifies what its phone has signed, and nothing else', async (_what, key) => {
		const found = async (by: typeof PERSON) =>
			await verified(
				{
					...parameters,
					payload: SEPARATED.signed(by, 'approve', ''),
					payloadSignaturePublicKey: '={{ $json.key }}',
				},
				{},
				{ key },
			);
		expect(await found(PERSON)).toMatchObject({ valid: true });
		expect(await found(OTHER_PERSON)).toMatchObject({ valid: false, reason: 'signature' });
	});
});

it('9. a signature alone, and no text that it could be of: an error that names the field', async () => {
	const format = formatNamed('signature alone');
	const credential = { ...format.settings, payloadSignaturePublicKey: PERSON.publicKey };
	const parameters = { payload: format.signed(PERSON, 'approve', '') };
	expect(await verified(parameters, credential)).toMatchObject({
		error: expect.stringContaining('Signature Settings'),
	});
});

it("10. many items, each with its own key, payload, message and text: none is checked with another's", async () => {
	const phones = Array.from({ length: 40 }, newPhone);
	const format = formatNamed('signature alone, of message and payload');
	const isForged = (index: number) => index % 3 === 0 || index % 7 === 0;
	const items = phones.map((phone, index) => {
		const by = index % 3 === 0 ? (phones[(index + 1) % phones.length] ?? phone) : phone;
		const messageId = `id-${index}`;
		const payload = format.signed(by, `pay ${index}`, index % 7 === 0 ? 'id-x' : messageId);
		return { json: { key: phone.publicKey, payload, messageId, text: `pay ${index}` } };
	});
	const { items: found } = await runDiyalogNode(
		{
			parameters: {
				resource: 'signedPayload',
				operation: 'verify',
				payload: '={{ $json.payload }}',
				messageId: '={{ $json.messageId }}',
				signedText: '={{ $json.text }}',
				signatureSettings: 'person',
				personKeys: '={{ $json.key }}',
			},
			credentials: {
				serverUrl: 'http://127.0.0.1:9',
				botToken: 'token-of-the-bot',
				...format.settings,
			},
		},
		items,
	);
	const valid = found.flatMap(({ json }) => (json.valid === true ? [json.payload] : []));
	expect(new Set(valid)).toEqual(
		new Set(phones.flatMap((_, index) => (isForged(index) ? [] : [`pay ${index}`]))),
	);
});

it.each([
	'JWS that names the message',
	'JWS of the payload alone',
	'payload, separator, signature',
	'JSON',
	'signature alone',
])('11. %s, changed in one place at random: another payload is never valid', (name) => {
	const format = formatNamed(name);
	const signed = format.signed(PERSON, 'approve', 'transfer-17');
	const verifier = createPayloadVerifier({
		...format.settings,
		payloadSignaturePublicKey: PERSON.publicKey,
	});
	if (!verifier.ok) throw new Error(verifier.title);
	const check = (payload: string) =>
		verifier.verify(
			{ messageId: 'transfer-17', payload, customerNo: null, issued: ['approve'] },
			new Date(),
		);
	expect(check(signed)).toMatchObject({ payloadSignature: 'valid', payload: 'approve' });
	let seed = 7;
	const below = (limit: number) => {
		seed = (seed * 48_271) % 2_147_483_647;
		return seed % limit;
	};
	const characters = '.{}":,\\ \n=+/-_AZaz09\u0000é~';
	for (let round = 0; round < 1_000; round++) {
		const at = below(signed.length);
		const put = characters.charAt(below(characters.length + 1));
		const changed = signed.slice(0, at) + put + signed.slice(at + below(3));
		const { payloadSignature, payload } = check(changed);
		if (payloadSignature === 'valid') expect(payload).toBe('approve');
	}
});
