import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { SandboxConfigInput } from '../../../../sandbox/config';
import { serveTrigger } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

const SECRET = 'the-app-secret';
const SIGNING_KEY = 'k'.repeat(64);
const PAYLOAD = 'onayla: 1.250,00 ₺ → Şükrü';

let server: WebhookServer;
let sandbox: Sandbox;

afterEach(async () => {
	await sandbox.close();
	await server.close();
	expect(server.escaped).toEqual([]);
});

interface Scheme {
	signData: SandboxConfigInput['signData'];
	/** the credential that verifies it; `publicKey` is the pair's public half, if there is one */
	credential: (publicKey: string) => Record<string, unknown>;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
	'JWS with a secret': {
		signData: { scheme: 'jws', algorithm: 'HS256', key: SIGNING_KEY },
		credential: () => ({
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: SIGNING_KEY,
		}),
	},
	'JWS with ES256': {
		signData: { scheme: 'jws', algorithm: 'ES256' },
		credential: (payloadSignaturePublicKey) => ({
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'ES256',
			payloadSignaturePublicKey,
		}),
	},
	'payload and RSA signature': {
		signData: { scheme: 'separator', algorithm: 'RS256', separator: '|', encoding: 'hex' },
		credential: (payloadSignaturePublicKey) => ({
			payloadSignature: 'separated',
			payloadSignatureMethod: 'rsaSha256',
			payloadSignatureSeparator: '|',
			payloadSignatureEncoding: 'hex',
			payloadSignaturePublicKey,
		}),
	},
};

/** A customer presses a button whose payload the company's app signs; the press reaches a trigger that checks it. */
async function press(scheme: Scheme, { forged = false, options = {}, changed = {} } = {}) {
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 10 },
		signData: scheme.signData,
	});
	sandbox.setFaults({ forgeSignature: forged });
	const verification = { ...scheme.credential(sandbox.publicKey ?? ''), ...changed };
	server = await serveTrigger({
		parameters: { events: ['buttonPressed'], authentication: 'signature', options },
		credentials: { appSecret: SECRET, ...verification } as never,
	});
	sandbox.setWebhookUrl('bot', server.url);
	const buttonsV2 = [
		{ type: 'postback', title: 'Signed', payload: PAYLOAD, payloadHidden: true },
		{ type: 'postback', title: 'Plain', payload: PAYLOAD },
	];
	const body = { customerNo: '70021', messageId: 'transfer-17', mokMessage: 'Onay?', buttonsV2 };
	await fetch(`${sandbox.url}/v1/bots/sendmok/token`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});
	return async (button: string) => {
		sandbox.pressButton({ messageId: 'transfer-17', button });
		await sandbox.flush();
		return server.executions.flat();
	};
}

describe.each(Object.entries(SCHEMES))('%s', (_, scheme) => {
	it('a signed press comes out with its inner payload', async () => {
		const pressButton = await press(scheme, { options: { onlySigned: true } });
		expect(await pressButton('Signed')).toEqual([
			expect.objectContaining({
				payloadSignature: 'valid',
				payload: PAYLOAD,
				messageId: 'transfer-17',
			}),
		]);
	});

	it('a forged signature is invalid, and the payload stays as it came', async () => {
		const pressButton = await press(scheme, { forged: true });
		const [item] = await pressButton('Signed');
		expect(item).toMatchObject({ payloadSignature: 'invalid' });
		expect(item?.payload).not.toBe(PAYLOAD);
	});

	it('an unsigned press is invalid as well', async () => {
		const pressButton = await press(scheme);
		expect(await pressButton('Plain')).toEqual([
			expect.objectContaining({ payloadSignature: 'invalid', payload: PAYLOAD }),
		]);
	});

	it('only signed presses: forged and unsigned ones start nothing', async () => {
		const pressButton = await press(scheme, { forged: true, options: { onlySigned: true } });
		expect(await pressButton('Signed')).toEqual([]);
		expect(await pressButton('Plain')).toEqual([]);
	});
});

it('without a scheme nothing is checked and the payload passes untouched', async () => {
	const scheme = SCHEMES['JWS with a secret'];
	if (!scheme) throw new Error('The scheme has gone');
	const pressButton = await press(scheme, { changed: { payloadSignature: 'none' } });
	const [item] = await pressButton('Signed');
	expect(item).toMatchObject({ payloadSignature: 'notChecked' });
	expect(String(item?.payload).split('.')).toHaveLength(3);
});

it('a key that does not fit keeps the trigger from being activated', async () => {
	const scheme = SCHEMES['JWS with ES256'];
	if (!scheme) throw new Error('The scheme has gone');
	await press(scheme);
	const credentials = {
		appSecret: SECRET,
		...scheme.credential(sandbox.publicKey ?? ''),
		payloadSignatureAlgorithm: 'RS256',
	};
	const parameters = { events: ['buttonPressed'], authentication: 'signature' };
	await expect(serveTrigger({ parameters, credentials })).rejects.toThrow(
		'The Public Key does not fit the chosen algorithm',
	);
});
