import { createHash, createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { SandboxConfigInput } from '../../sandbox/config';
import type { PersonRequest } from '../../sandbox/people';
import type { Sandbox } from '../../sandbox/server';
import { button, closeAll, control, CUSTOMER_NO, kinds, send, sendMessage, start } from './support';

/* A key per phone, where others read it, and the switches that make an app sign as none should. */

afterEach(closeAll);

type SignData = NonNullable<SandboxConfigInput['signData']>;

const perPhone: SignData = { scheme: 'separator', algorithm: 'ES256', keys: 'perPhone' };
const AYSE = { customerNo: CUSTOMER_NO };
const MEHMET = { customerNo: '70022' };
const DENIZ = { employeeNo: 'E100' };

/** Asks the person something and has the hidden button pressed; returns what stands behind "[id]:". */
async function ask(sandbox: Sandbox, person: PersonRequest, messageId: string, payload = 'yes') {
	const { customerNo, employeeNo } = person;
	const yes = button('Yes', { payload, payloadHidden: true });
	const recipient = customerNo ? { appCustomerId: customerNo } : { appStaffId: employeeNo };
	const message = { ...kinds.buttons('Agreed?', [yes], messageId), messageId };
	expect((await sendMessage(sandbox, message, recipient)).status).toBe(200);
	const { text, signature } = sandbox.pressButton({ messageId, button: 'Yes' });
	expect(text.startsWith(`[${messageId}]:`)).toBe(true);
	return { payload: text.slice(messageId.length + 3), signature };
}

/** Whether the payload is signed, for this message, with the key. */
function holds(signed: string, messageId: string, pem = ''): boolean {
	const end = signed.lastIndexOf('.');
	const input = Buffer.from(`${messageId}:${signed.slice(0, end)}`);
	return verify('sha256', input, pem, Buffer.from(signed.slice(end + 1), 'base64'));
}

const pemOf = (sandbox: Sandbox, person: PersonRequest) => sandbox.phoneKey(person).pem;

describe('a key per phone', () => {
	it('signs for its own person alone, customer or employee', async () => {
		const { sandbox } = await start({ signData: perPhone });
		const people = [AYSE, MEHMET, DENIZ];
		const table = [];
		for (const [index, person] of people.entries()) {
			const { payload, signature } = await ask(sandbox, person, `m${index}`);
			expect(signature).toBe('genuine');
			table.push(people.map((each) => holds(payload, `m${index}`, pemOf(sandbox, each))));
		}
		expect(table).toEqual([
			[true, false, false],
			[false, true, false],
			[false, false, true],
		]);
		expect(sandbox.publicKey).toBeUndefined();
	});

	it('stays the same as long as the sandbox runs, whoever needs it first', async () => {
		const { sandbox } = await start({ signData: perPhone });
		const before = pemOf(sandbox, AYSE);
		const first = await ask(sandbox, AYSE, 'm1');
		const other = await ask(sandbox, MEHMET, 'm2');
		expect(holds(first.payload, 'm1', before)).toBe(true);
		expect(pemOf(sandbox, AYSE)).toBe(before);
		expect(holds(other.payload, 'm2', pemOf(sandbox, MEHMET))).toBe(true);
		const again = await start({ signData: perPhone });
		expect(pemOf(again.sandbox, AYSE)).not.toBe(before);
	});

	it('is the same for all where it is shared', async () => {
		const { sandbox } = await start({ signData: { algorithm: 'ES256' } });
		expect(sandbox.phoneKey(AYSE)).toMatchObject({ isShared: true, pem: sandbox.publicKey });
		expect(sandbox.phoneKey(DENIZ)).toEqual(sandbox.phoneKey(AYSE));
	});

	it('may be given for some phones, named in three ways', async () => {
		const pairs = [1, 2, 3].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
		const keys = pairs.map(({ privateKey }) =>
			privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
		);
		const [one = '', two = '', three = ''] = keys;
		const phoneKeys = [
			{ ...AYSE, key: one },
			{ userId: '1588406039', key: two },
			{ ...DENIZ, key: three },
		];
		const { sandbox } = await start({ signData: { ...perPhone, phoneKeys } });
		for (const [index, person] of [AYSE, MEHMET, DENIZ].entries()) {
			const pem = pairs[index]?.publicKey.export({ type: 'spki', format: 'pem' });
			expect(pemOf(sandbox, person)).toBe(pem);
			expect(
				holds((await ask(sandbox, person, `m${index}`)).payload, `m${index}`, pem as string),
			).toBe(true);
		}
		expect(pemOf(sandbox, { customerNo: '123456789' })).toContain('BEGIN PUBLIC KEY');
		const state = await control(sandbox, 'GET', `/sandbox/state?customerNo=${CUSTOMER_NO}`);
		const seen = JSON.stringify([state.json, (await key(sandbox, '?customerNo=70021')).json]);
		for (const each of keys) expect(seen).not.toContain(each.split('\n')[1]);
	});

	it.each([
		['of nobody', { customerNo: '1' }, 'signData.phoneKeys.0 names nobody who has a phone.'],
		['without a name', {}, 'signData.phoneKeys.0 names nobody who has a phone.'],
		['of another type', AYSE, 'signData.phoneKeys.0.key is no private key for ES256.'],
	])('%s is refused at the start, without being shown', async (_what, named, says) => {
		const text = 'not-a-key';
		const signData = { ...perPhone, phoneKeys: [{ ...named, key: text }] };
		const error: unknown = await start({ signData }).catch((e: unknown) => e);
		expect(String(error)).toContain(says);
		expect(String(error)).not.toContain(text);
	});

	it.each<[string, SignData, string]>([
		['one for all', { ...perPhone, key: 'x' }, 'signData.key: is for keys "shared"'],
		['some where it is shared', { phoneKeys: [{ ...AYSE, key: 'x' }] }, 'are for keys "perPhone"'],
		[
			'two of one phone',
			{
				...perPhone,
				algorithm: 'HS256',
				phoneKeys: [
					{ ...AYSE, key: 'x' },
					{ userId: '243540663', key: 'y' },
				],
			},
			'signData.phoneKeys.1: the phone has a key already.',
		],
		[
			'one of two phones',
			{
				...perPhone,
				algorithm: 'HS256',
				phoneKeys: [
					{ ...AYSE, key: 'x' },
					{ ...MEHMET, key: 'x' },
				],
			},
			'two phones have the same key',
		],
	])('that does not fit is refused: %s', async (_what, signData, says) => {
		const error: unknown = await start({ signData }).catch((e: unknown) => e);
		expect(String(error)).toContain(says);
	});
});

async function key(sandbox: Sandbox, query: string) {
	return await control(sandbox, 'GET', `/sandbox/key${query}`);
}

describe('reading it', () => {
	it.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const)(
		'%s: PEM, SPKI, JWK and thumbprint are of one key',
		async (algorithm) => {
			const { sandbox } = await start({ signData: { ...perPhone, algorithm } });
			const { status, json } = await key(sandbox, '?employeeNo=E100');
			expect(status).toBe(200);
			expect(json).toEqual(sandbox.phoneKey(DENIZ));
			const { pem = '', spki = '', jwk, thumbprint, ...more } = sandbox.phoneKey(DENIZ);
			expect(more).toEqual({ scheme: 'separator', algorithm, isShared: false });
			const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
			expect(spki).toBe(der.toString('base64'));
			expect(thumbprint).toBe(createHash('sha256').update(der).digest('hex'));
			expect(jwk?.kid).toBe(thumbprint);
			expect(jwk).not.toHaveProperty('d');
			const fromJwk = createPublicKey({ key: { ...jwk }, format: 'jwk' });
			expect(fromJwk.equals(createPublicKey(pem))).toBe(true);
		},
	);

	it('a secret that the sandbox made is shown, one of the configuration is not', async () => {
		const phoneKeys = [{ ...MEHMET, key: 'configured-secret' }];
		const signData: SignData = { ...perPhone, algorithm: 'HS256', phoneKeys };
		const { sandbox } = await start({ signData });
		const { secret = '', ...more } = sandbox.phoneKey(AYSE);
		expect(more).toEqual({ scheme: 'separator', algorithm: 'HS256', isShared: false });
		const { payload } = await ask(sandbox, AYSE, 'm1');
		expect(payload).toBe(`yes.${createHmac('sha256', secret).update('m1:yes').digest('base64')}`);
		const configured = await key(sandbox, '?customerNo=70022');
		expect(configured.json).toEqual(more);
		const mac = createHmac('sha256', 'configured-secret').update('m2:yes').digest('base64');
		expect((await ask(sandbox, MEHMET, 'm2')).payload).toBe(`yes.${mac}`);
		expect(sandbox.phoneKey(DENIZ).secret).not.toBe(secret);
	});

	it('the secret of all phones is shown unless it is configured', async () => {
		const made = await start();
		expect(made.sandbox.phoneKey(AYSE).secret).toMatch(/^sandbox-signing-secret/);
		const configured = await start({ signData: { key: 'mine' } });
		expect(configured.sandbox.phoneKey(AYSE)).not.toHaveProperty('secret');
	});

	it.each([
		['', 400, 'Name the person by customerNo, employeeNo or userId.'],
		['?customerNo=1', 404, 'There is no customer "1".'],
		['?employeeNo=1', 404, 'There is no employee "1".'],
	])('of "%s" is refused', async (query, status, error) => {
		const { sandbox } = await start({ signData: perPhone });
		expect(await key(sandbox, query)).toEqual({ status, json: { error } });
	});
});

describe('the switches', () => {
	it('a key that is on no phone', async () => {
		const { sandbox } = await start({ signData: perPhone });
		await control(sandbox, 'PUT', '/sandbox/faults', { forgeSignature: true });
		const { payload, signature } = await ask(sandbox, AYSE, 'm1');
		expect(signature).toBe('forged');
		expect(payload).toMatch(/^yes\./);
		const { customers, employees } = sandbox.config;
		const held = [...customers, ...employees].filter(({ userId }) =>
			holds(payload, 'm1', pemOf(sandbox, { userId })),
		);
		expect(held).toEqual([]);
	});

	it('another phone’s key: genuine there, not here', async () => {
		const { sandbox } = await start({ signData: perPhone });
		await control(sandbox, 'PUT', '/sandbox/faults', { otherPhonesKey: true });
		const { payload, signature } = await ask(sandbox, AYSE, 'm1');
		expect(signature).toBe('otherPhone');
		expect(holds(payload, 'm1', pemOf(sandbox, AYSE))).toBe(false);
		expect(holds(payload, 'm1', pemOf(sandbox, MEHMET))).toBe(true);
		const other = await ask(sandbox, DENIZ, 'm2');
		expect(holds(other.payload, 'm2', pemOf(sandbox, DENIZ))).toBe(false);
		expect(holds(other.payload, 'm2', pemOf(sandbox, AYSE))).toBe(true);
	});

	it('another phone’s key: the claims are those of the person who pressed', async () => {
		const { sandbox } = await start({ signData: { ...perPhone, scheme: 'jws' } });
		sandbox.setFaults({ otherPhonesKey: true });
		const { payload } = await ask(sandbox, AYSE, 'm1');
		const claims = JSON.parse(Buffer.from(payload.split('.')[1] ?? '', 'base64url').toString());
		expect(claims).toMatchObject({ payload: 'yes', messageId: 'm1', customerNo: CUSTOMER_NO });
	});

	it('another phone’s key is refused where there is none', async () => {
		const shared = await start({ signData: { algorithm: 'ES256' } });
		const body = { otherPhonesKey: true, duplicates: true };
		const refused = await control(shared.sandbox, 'PUT', '/sandbox/faults', body);
		expect(refused).toEqual({
			status: 409,
			json: {
				error: 'All phones have the same key. Start the sandbox with signData.keys "perPhone".',
			},
		});
		expect(shared.sandbox.setFaults({})).toMatchObject({
			otherPhonesKey: false,
			duplicates: false,
		});
		const [alone] = shared.sandbox.config.customers;
		const customers = alone ? [alone] : [];
		const { sandbox } = await start({ signData: perPhone, customers, employees: [] });
		sandbox.setFaults({ otherPhonesKey: true });
		await expect(ask(sandbox, AYSE, 'm1')).rejects.toThrow('There is no other phone');
		expect(sandbox.messages()[0]?.presses).toEqual([]);
	});

	it.each(['jws', 'separator', 'signatureOnly', 'json'] as const)(
		'an earlier signature again, byte for byte: %s',
		async (scheme) => {
			const { sandbox } = await start({ signData: { ...perPhone, scheme } });
			await ask(sandbox, AYSE, 'm1', 'first');
			const earlier = await ask(sandbox, AYSE, 'm]:2', 'second');
			await ask(sandbox, MEHMET, 'm3', 'of another person');
			await control(sandbox, 'PUT', '/sandbox/faults', { replaySignature: true });
			const expected = { payload: earlier.payload, signature: 'replayed' };
			expect(await ask(sandbox, AYSE, 'm4', 'third')).toEqual(expected);
			// A replay is no signature of its own: the next one is the same again.
			expect(await ask(sandbox, AYSE, 'm5', 'fourth')).toEqual(expected);
			sandbox.setFaults({ replaySignature: false });
			expect((await ask(sandbox, AYSE, 'm6')).signature).toBe('genuine');
		},
	);

	it('an earlier signature is not one of the same message, and none is made up', async () => {
		const { sandbox } = await start({ signData: perPhone });
		await ask(sandbox, AYSE, 'm1');
		sandbox.setFaults({ replaySignature: true });
		const press = await control(sandbox, 'POST', '/sandbox/press', { messageId: 'm1', button: 0 });
		expect(press).toEqual({
			status: 409,
			json: {
				error: 'This phone has signed nothing for an earlier message. Let it sign one first.',
			},
		});
		await expect(ask(sandbox, MEHMET, 'm2')).rejects.toThrow('has signed nothing');
		expect(sandbox.messages().map(({ presses }) => presses)).toEqual([[0], []]);
	});

	it('an old app signs nothing, whatever else is on', async () => {
		const { sandbox } = await start({ signData: perPhone });
		await ask(sandbox, AYSE, 'm1');
		const others = { forgeSignature: true, otherPhonesKey: true, replaySignature: true };
		sandbox.setFaults({ signDataUnsupported: true, ...others });
		expect(await ask(sandbox, AYSE, 'm2')).toEqual({ payload: 'yes', signature: 'missing' });
	});

	it('leave alone what is not hidden', async () => {
		const { sandbox } = await start({ signData: perPhone });
		sandbox.setFaults({ otherPhonesKey: true, replaySignature: true });
		await send(sandbox);
		const answer = sandbox.pressButton({ messageId: 'messageId-74', button: 'Approve' });
		expect(answer.text).toBe('[messageId-74]:123456');
		expect(answer).not.toHaveProperty('signature');
	});
});
