import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { waitFor } from '../../../../tools/system';
import { postSigned } from '../../../support/sign';
import { formatNamed, FORMATS, newPhone, plain } from '../../../support/signedFormats';
import type { Format, Phone } from '../../../support/signedFormats';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import { entry, envelope } from '../../../support/webhookBodies';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Questions that only the person's own phone can answer. The company's app signs, with keys that the test makes; what comes
 * is posted as Diyalog posts it.
 */

const SECRET = randomBytes(16).toString('hex');
const PEOPLE = [
	{ customerNo: '70021', userId: '2074022437' },
	{ customerNo: '70022', userId: '2074022438' },
	{ customerNo: '70023', userId: '2074022439' },
] as const;

const phones = PEOPLE.map(newPhone);
const phoneOf = (index: number): Phone => {
	const phone = phones[index];
	if (!phone) throw new Error('There is no such phone');
	return phone;
};
const COMPANY = newPhone();

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string | boolean>;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		customers: [...PEOPLE],
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

/** What the app signs, and an active trigger with the same credential unless it has another one. */
async function use(
	{ settings }: Format,
	others: Record<string, string | boolean> = { payloadSignatureKeys: 'person' },
	ofTrigger: Record<string, string | boolean> = {},
): Promise<void> {
	credentials = {
		serverUrl: sandbox.url,
		botToken: 'bot-token',
		appSecret: SECRET,
		...settings,
		...others,
	};
	trigger = await instance.serveTrigger({
		credentials: { ...credentials, ...ofTrigger },
		parameters: {
			events: ['buttonPressed'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
	});
}

interface Asked {
	execution: WaitingExecution;
	messages: StoredMessage[];
}

async function ask(parameters: INodeParameters, input: IDataObject = {}): Promise<Asked> {
	const before = sandbox.messages().length;
	const execution = await instance.ask(credentials, parameters, input);
	return { execution, messages: sandbox.messages().slice(before) };
}

/** Why nothing was sent. */
async function refusal(asking: Promise<Asked>): Promise<string> {
	const error: unknown = await asking.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(sandbox.messages()).toEqual([]);
	return JSON.stringify(error);
}

/** The options of a question that has to be signed, with the keys of one person. */
const signedBy = (...keys: Phone[]): INodeParameters => ({
	options: {
		requireSignedPayload: true,
		personKeys: keys.map(({ publicKey }) => publicKey).join('\n'),
	},
});

function sentPayload({ messages }: Asked, to = 0, button = 0): string {
	const payload = messages[to]?.buttonsV2?.[button]?.payload;
	if (payload === undefined) throw new Error('There is no such button');
	return payload;
}

/** What the trigger says of a press. */
async function press({ messages }: Asked, payload: string, by = 0): Promise<unknown> {
	const text = `[${messages[by]?.messageId}]:${payload}`;
	const about = { ...PEOPLE[by], timestamp: Date.now() };
	const body = envelope(entry({ message: { mid: 'other', text } }, about));
	expect((await postSigned(trigger.url, body, SECRET)).status).toBe(200);
	return trigger.executions.flat().at(-1);
}

const REFUSED = { resumed: false };
const NOT_SIGNED = { resumed: false, notResumedReason: 'notSigned' };
const messageIdOf = ({ messages }: Asked, of = 0): string => messages[of]?.messageId ?? '';

describe.each(Object.entries(FORMATS))('%s', (_, format) => {
	it("1. only the customer's own phone approves", async () => {
		await use(format);
		const asked = await ask(signedBy(phoneOf(0)));
		const id = messageIdOf(asked);
		const payload = sentPayload(asked);
		expect(asked.messages[0]?.buttonsV2?.[0]).toMatchObject({
			title: 'Approve',
			payloadSeenByUser: 'Approve',
			payloadHidden: true,
		});
		expect(payload).not.toBe('approve');
		const right = format.signed(phoneOf(0), payload, id);
		const other = format.signed(phoneOf(0), sentPayload(asked, 0, 1), id);
		const forgeries = [
			payload,
			'approve',
			format.signed(phoneOf(1), payload, id),
			format.signed(COMPANY, payload, id),
			format.signed(phoneOf(0), 'approve', id),
			right.slice(0, -6),
			`${right.slice(0, right.length / 2)}${other.slice(other.length / 2)}`,
		];
		for (const forged of forgeries) expect(await press(asked, forged)).toMatchObject(REFUSED);
		expect(asked.execution.continuations).toEqual([]);
		expect(await press(asked, right)).toMatchObject({ resumed: true });
		expect(asked.execution.continuations).toMatchObject([
			[{ decision: 'approved', value: 'approve', payloadSignature: 'valid' }],
		]);
	});

	it('2. a signature of an earlier question fits no later one', async () => {
		await use(format);
		const first = await ask(signedBy(phoneOf(0)));
		const signed = format.signed(phoneOf(0), sentPayload(first), messageIdOf(first));
		expect(await press(first, signed)).toMatchObject({ resumed: true });
		const second = await ask(signedBy(phoneOf(0)));
		expect(await press(second, signed)).toMatchObject(REFUSED);
		// Also what the phone would have signed if it had been asked for the other message.
		const about = format.signed(phoneOf(0), sentPayload(first), messageIdOf(second));
		expect(await press(second, about)).toMatchObject(REFUSED);
		expect(second.execution.continuations).toEqual([]);
		const right = format.signed(phoneOf(0), sentPayload(second), messageIdOf(second));
		expect(await press(second, right)).toMatchObject({ resumed: true });
	});

	it('3. the evidence is enough for somebody else to check', async () => {
		await use(format);
		const asked = await ask({ message: 'Pay 250 TL?', ...signedBy(phoneOf(1), phoneOf(0)) });
		const signed = format.signed(phoneOf(0), sentPayload(asked), messageIdOf(asked));
		await press(asked, signed);
		const [[item = {}] = []] = asked.execution.continuations;
		const evidence = item.evidence as Record<string, string>;
		expect(evidence).toMatchObject({
			text: 'Pay 250 TL?',
			button: 'Approve',
			signedPayload: signed,
			messageId: messageIdOf(asked),
			format: format.settings.payloadSignature,
			respondedAt: item.respondedAt,
			sentAt: item.sentAt,
		});
		// As docs/evidence.md says.
		expect(messageIdOf(asked)).toContain(sentPayload(asked).split('~').at(-1));
		expect(
			verify(
				'sha256',
				Buffer.from(evidence.signedText ?? ''),
				phoneOf(0).publicKey,
				Buffer.from(evidence.signature ?? '', 'base64'),
			),
		).toBe(true);
	});

	it('4. several people: each has to sign with a key of their own', async () => {
		await use(format);
		const peopleJson = JSON.stringify(
			PEOPLE.map(({ customerNo }, index) => ({
				customerNo,
				personKeys: phoneOf(index).publicKey,
			})),
		);
		const asked = await ask({
			ask: 'several',
			specifyPeople: 'json',
			peopleJson,
			rule: 'atLeast',
			approvalsNeeded: 2,
			options: { requireSignedPayload: true },
		});
		const signed = (of: number, key = of) =>
			format.signed(phoneOf(key), sentPayload(asked, of), messageIdOf(asked, of));
		expect(await press(asked, signed(0, 1), 0)).toMatchObject(NOT_SIGNED);
		expect(await press(asked, signed(1, 0), 1)).toMatchObject(NOT_SIGNED);
		expect(await press(asked, sentPayload(asked, 2), 2)).toMatchObject(NOT_SIGNED);
		expect(await press(asked, signed(0), 0)).toMatchObject({ notResumedReason: 'counted' });
		await waitFor('n8n', 10_000, () => !instance.running.has(asked.execution.id) || undefined);
		expect(await press(asked, signed(2, 0), 2)).toMatchObject(NOT_SIGNED);
		expect(await press(asked, signed(1), 1)).toMatchObject({ resumed: true });
		expect(asked.execution.continuations).toMatchObject([
			[
				{
					decision: 'approved',
					answers: [
						{ customerNo: '70021', payloadSignature: 'valid', evidence: { button: 'Approve' } },
						{ customerNo: '70022', payloadSignature: 'valid', evidence: { button: 'Approve' } },
					],
				},
			],
		]);
	});
});

const SEPARATED = formatNamed('payload, separator, signature');

describe('keys', () => {
	it.each([
		['nothing', undefined],
		['null', null],
		['an empty text', ''],
		['blanks', '  \n'],
		['an empty list', []],
		['an empty object', {}],
	])('5. %s in the place of keys: nothing is sent', async (_, personKeys) => {
		await use(SEPARATED, {
			payloadSignatureKeys: 'company',
			payloadSignaturePublicKey: COMPANY.publicKey,
		});
		const options = { requireSignedPayload: true, personKeys: '={{ $json.keys }}' };
		expect(await refusal(ask({ options }, { keys: personKeys as IDataObject }))).toMatch(
			/Person's Keys/,
		);
		expect(sandbox.messages()).toEqual([]);
	});

	it('6. keys without Require Signed Payload: nothing is sent', async () => {
		await use(SEPARATED);
		const { publicKey: personKeys } = phoneOf(0);
		expect(await refusal(ask({ options: { personKeys } }))).toMatch(
			/Require Signed Payload is off/,
		);
		expect(sandbox.messages()).toEqual([]);
	});

	it('7. a credential of which each person has keys, and a question without any', async () => {
		await use(SEPARATED);
		expect(await refusal(ask({ options: { requireSignedPayload: true } }))).toMatch(
			/each person has keys/,
		);
		expect(sandbox.messages()).toEqual([]);
	});

	it('8. secrets of a person would be stored by n8n', async () => {
		await use({
			...SEPARATED,
			settings: plain('separated', { payloadSignatureMethod: 'hmacSha256' }),
		});
		const options = { requireSignedPayload: true, personKeys: 'a secret of this person' };
		expect(await refusal(ask({ options }))).toMatch(/would be secrets/);
		expect(sandbox.messages()).toEqual([]);
	});

	it('9. a private key is refused, and stands in no error', async () => {
		await use(SEPARATED);
		const pem = phoneOf(0).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
		const options = { requireSignedPayload: true, personKeys: pem };
		const error = await refusal(ask({ options }));
		expect(error).toMatch(/private key/);
		expect(error).not.toContain(pem.slice(60, 90));
	});

	it('10. keys for some of several people', async () => {
		await use(SEPARATED, {
			payloadSignatureKeys: 'company',
			payloadSignaturePublicKey: COMPANY.publicKey,
		});
		const several = (peopleJson: unknown): INodeParameters => ({
			ask: 'several',
			specifyPeople: 'json',
			peopleJson: JSON.stringify(peopleJson),
			rule: 'everyone',
			options: { requireSignedPayload: true },
		});
		const [first] = PEOPLE;
		const withKeys = { customerNo: first.customerNo, personKeys: phoneOf(0).publicKey };
		expect(await refusal(ask(several([withKeys, '70022'])))).toMatch(/1 of 2 people/);
		expect(
			await refusal(ask(several([withKeys, { customerNo: '70022', personKeys: '' }]))),
		).toMatch(/empty keys/);
		expect(sandbox.messages()).toEqual([]);
	});

	it("11. the trigger finds the company's signature valid: the person's own is needed all the same", async () => {
		await use(
			SEPARATED,
			{ payloadSignatureKeys: 'person' },
			{ payloadSignatureKeys: 'company', payloadSignaturePublicKey: COMPANY.publicKey },
		);
		const asked = await ask(signedBy(phoneOf(0)));
		const payload = sentPayload(asked);
		expect(await press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject({
			payloadSignature: 'valid',
			...NOT_SIGNED,
		});
		expect(await press(asked, SEPARATED.signed(phoneOf(0), payload, ''))).toMatchObject({
			resumed: true,
		});
	});

	it('12. the key in the credential is changed while the question waits: the old one counts beside the new one', async () => {
		const both = `${newPhone().publicKey}\n${COMPANY.publicKey}`;
		await use(SEPARATED, { payloadSignaturePublicKey: COMPANY.publicKey });
		const asked = await ask({ options: { requireSignedPayload: true } });
		const payload = sentPayload(asked);
		Object.assign(credentials, { payloadSignaturePublicKey: newPhone().publicKey });
		expect(await press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject(NOT_SIGNED);
		Object.assign(credentials, { payloadSignaturePublicKey: both });
		expect(await press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject({
			resumed: true,
		});
	});

	it('13. the credential checks nothing any more: nothing is approved', async () => {
		await use(SEPARATED, { payloadSignaturePublicKey: COMPANY.publicKey });
		const asked = await ask({ options: { requireSignedPayload: true } });
		const payload = sentPayload(asked);
		Object.assign(credentials, { payloadSignature: 'none' });
		expect(await press(asked, payload)).toMatchObject(NOT_SIGNED);
		expect(await press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject(NOT_SIGNED);
		expect(asked.execution.continuations).toEqual([]);
	});
});

it('14. the text is left out of the evidence where it must not be stored', async () => {
	await use(SEPARATED);
	const { options } = signedBy(phoneOf(0)) as { options: INodeParameters };
	const asked = await ask({ options: { ...options, leaveTextOut: true } });
	await press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), ''));
	const [[item = {}] = []] = asked.execution.continuations;
	expect(item.evidence).toMatchObject({ button: 'Approve' });
	expect(item.evidence).not.toHaveProperty('text');
});

it('15. a text with a code in it is no evidence: the code would be stored', async () => {
	await use(SEPARATED);
	const asked = await ask({
		message: 'Pay? Your code: {code}',
		otpMode: 'generate',
		...signedBy(phoneOf(0)),
	});
	await press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), ''));
	const [[item = {}] = []] = asked.execution.continuations;
	expect(item).toMatchObject({ decision: 'approved', challenge: expect.any(String) });
	expect(item.evidence).not.toHaveProperty('text');
});

it('16. what an earlier trigger passes on, without the payload as it came, is checked as it is', async () => {
	await use(SEPARATED, {}, { payloadSignature: 'none' });
	const asked = await ask(signedBy(phoneOf(0)));
	expect(await press(asked, sentPayload(asked))).toMatchObject(NOT_SIGNED);
	expect(await press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), ''))).toMatchObject({
		resumed: true,
	});
});

it.each([
	['nothing', undefined],
	['null', null],
	['an empty text', ''],
	['blanks', ' \n'],
	['an empty list', []],
])("17. %s in place of everybody's keys: nothing is sent", async (_, keys) => {
	await use(SEPARATED, {
		payloadSignatureKeys: 'company',
		payloadSignaturePublicKey: COMPANY.publicKey,
	});
	const person = PEOPLE.map(({ customerNo }) => ({ customerNo, personKeys: '={{ $json.keys }}' }));
	const asked = ask(
		{
			ask: 'several',
			people: { person },
			rule: 'everyone',
			options: { requireSignedPayload: true },
		},
		{ keys: keys as string },
	);
	expect(await refusal(asked)).toMatch(/keys/);
});

/** The bytes of a point as iOS gives them. */
const pointOf = ({ publicKey }: Phone): string =>
	createPublicKey(publicKey)
		.export({ type: 'spki', format: 'der' })
		.subarray(-65)
		.toString('base64');

it('18. the credential is changed to an HMAC while the question waits: no public key becomes a secret', async () => {
	await use(SEPARATED);
	const key = pointOf(phoneOf(0));
	const asked = await ask({ options: { requireSignedPayload: true, personKeys: key } });
	Object.assign(credentials, { payloadSignatureMethod: 'hmacSha256' });
	const payload = sentPayload(asked);
	const forged = createHmac('sha256', key).update(payload).digest('base64');
	expect(await press(asked, `${payload}.${forged}`)).toMatchObject(NOT_SIGNED);
	expect(asked.execution.continuations).toEqual([]);
});

it('19. several people: a token of hundreds of kilobytes is not stored with each answer', async () => {
	const format = formatNamed('JWS of the payload alone');
	await use(format);
	const people = PEOPLE.map(({ customerNo }, index) => ({
		customerNo,
		personKeys: phoneOf(index).publicKey,
	}));
	const asked = await ask({
		ask: 'several',
		specifyPeople: 'json',
		peopleJson: JSON.stringify(people),
		rule: 'everyone',
		options: { requireSignedPayload: true },
	});
	const payload = sentPayload(asked);
	const huge = formatNamed('JWS of the payload alone').signed(phoneOf(0), payload, '', {
		more: 'a'.repeat(300_000),
	});
	expect(await press(asked, huge)).toMatchObject({ notResumedReason: 'tooLong' });
	const right = format.signed(phoneOf(0), payload, '');
	expect(await press(asked, right)).toMatchObject({ notResumedReason: 'counted' });
});

it.each([
	['payloadSignaturePublicKey', '={{ $json.key }}'],
	['payloadSignaturePublicKey', "={{ $json.isRich ? 'of the rich' : $json.key }}"],
	['payloadSignature', "={{ $json.key ? 'separated' : 'none' }}"],
])(
	'20. %s of the credential looks at the item, and the answer is checked without one: nothing is sent',
	async (field, expression) => {
		const { publicKey: payloadSignaturePublicKey } = COMPANY;
		const ofTrigger = { ...SEPARATED.settings, payloadSignaturePublicKey };
		await use(SEPARATED, { payloadSignaturePublicKey, [field]: expression }, ofTrigger);
		const asked = ask({ options: { requireSignedPayload: true } }, { key: COMPANY.publicKey });
		expect(await refusal(asked)).toMatch(/looks at the item/);
	},
);

it('20b. an expression that looks at no item is as good as a key', async () => {
	const payloadSignaturePublicKey = `={{ '${COMPANY.publicKey.replaceAll('\n', '')}' }}`;
	await use(SEPARATED, { payloadSignaturePublicKey, botToken: "={{ $json.bot ?? 'bot-token' }}" });
	const asked = await ask({ options: { requireSignedPayload: true } });
	expect(asked.messages).toHaveLength(1);
});
