import { createHmac, createPublicKey, verify } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { waitFor } from '../../../../tools/system';
import { formatNamed, FORMATS, newPhone, plain } from '../../../support/signedFormats';
import type { Phone } from '../../../support/signedFormats';
import {
	messageIdOf,
	PEOPLE,
	sentPayload,
	SignedQuestions,
} from '../../../support/signedQuestions';
import type { Asked } from '../../../support/signedQuestions';

/*
 * Questions that only the person's own phone can answer. The company's app signs, with keys that the test makes; what comes
 * is posted as Diyalog posts it.
 */

const phones = PEOPLE.map(newPhone);
const phoneOf = (index: number): Phone => {
	const phone = phones[index];
	if (!phone) throw new Error('There is no such phone');
	return phone;
};
const COMPANY = newPhone();

const questions = new SignedQuestions();

/** Why nothing was sent. */
async function refusal(asking: Promise<Asked>): Promise<string> {
	const error: unknown = await asking.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(questions.sandbox.messages()).toEqual([]);
	return JSON.stringify(error);
}

/** The options of a question that has to be signed, with the keys of one person. */
const signedBy = (...keys: Phone[]): INodeParameters => ({
	options: {
		requireSignedPayload: true,
		personKeys: keys.map(({ publicKey }) => publicKey).join('\n'),
	},
});

const REFUSED = { resumed: false };
const NOT_SIGNED = { resumed: false, notResumedReason: 'notSigned' };

describe.each(Object.entries(FORMATS))('%s', (_, format) => {
	it("1. only the customer's own phone approves", async () => {
		await questions.use(format);
		const asked = await questions.ask(signedBy(phoneOf(0)));
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
		for (const forged of forgeries)
			expect(await questions.press(asked, forged)).toMatchObject(REFUSED);
		expect(asked.execution.continuations).toEqual([]);
		expect(await questions.press(asked, right)).toMatchObject({ resumed: true });
		expect(asked.execution.continuations).toMatchObject([
			[{ decision: 'approved', value: 'approve', payloadSignature: 'valid' }],
		]);
	});

	it('2. a signature of an earlier question fits no later one', async () => {
		await questions.use(format);
		const first = await questions.ask(signedBy(phoneOf(0)));
		const signed = format.signed(phoneOf(0), sentPayload(first), messageIdOf(first));
		expect(await questions.press(first, signed)).toMatchObject({ resumed: true });
		const second = await questions.ask(signedBy(phoneOf(0)));
		expect(await questions.press(second, signed)).toMatchObject(REFUSED);
		// Also what the phone would have signed if it had been asked for the other message.
		const about = format.signed(phoneOf(0), sentPayload(first), messageIdOf(second));
		expect(await questions.press(second, about)).toMatchObject(REFUSED);
		expect(second.execution.continuations).toEqual([]);
		const right = format.signed(phoneOf(0), sentPayload(second), messageIdOf(second));
		expect(await questions.press(second, right)).toMatchObject({ resumed: true });
	});

	it('3. the evidence is enough for somebody else to check', async () => {
		await questions.use(format);
		const asked = await questions.ask({
			message: 'Pay 250 TL?',
			...signedBy(phoneOf(1), phoneOf(0)),
		});
		const signed = format.signed(phoneOf(0), sentPayload(asked), messageIdOf(asked));
		await questions.press(asked, signed);
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
		await questions.use(format);
		const peopleJson = JSON.stringify(
			PEOPLE.map(({ customerNo }, index) => ({
				customerNo,
				personKeys: phoneOf(index).publicKey,
			})),
		);
		const asked = await questions.ask({
			ask: 'several',
			specifyPeople: 'json',
			peopleJson,
			rule: 'atLeast',
			approvalsNeeded: 2,
			options: { requireSignedPayload: true },
		});
		const signed = (of: number, key = of) =>
			format.signed(phoneOf(key), sentPayload(asked, of), messageIdOf(asked, of));
		expect(await questions.press(asked, signed(0, 1), 0)).toMatchObject(NOT_SIGNED);
		expect(await questions.press(asked, signed(1, 0), 1)).toMatchObject(NOT_SIGNED);
		expect(await questions.press(asked, sentPayload(asked, 2), 2)).toMatchObject(NOT_SIGNED);
		expect(await questions.press(asked, signed(0), 0)).toMatchObject({
			notResumedReason: 'counted',
		});
		await waitFor(
			'n8n',
			10_000,
			() => !questions.instance.running.has(asked.execution.id) || undefined,
		);
		expect(await questions.press(asked, signed(2, 0), 2)).toMatchObject(NOT_SIGNED);
		expect(await questions.press(asked, signed(1), 1)).toMatchObject({ resumed: true });
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
		await questions.use(SEPARATED, {
			payloadSignatureKeys: 'company',
			payloadSignaturePublicKey: COMPANY.publicKey,
		});
		const options = { requireSignedPayload: true, personKeys: '={{ $json.keys }}' };
		expect(await refusal(questions.ask({ options }, { keys: personKeys as IDataObject }))).toMatch(
			/Person's Keys/,
		);
		expect(questions.sandbox.messages()).toEqual([]);
	});

	it('6. keys without Require Signed Payload: nothing is sent', async () => {
		await questions.use(SEPARATED);
		const { publicKey: personKeys } = phoneOf(0);
		expect(await refusal(questions.ask({ options: { personKeys } }))).toMatch(
			/Require Signed Payload is off/,
		);
		expect(questions.sandbox.messages()).toEqual([]);
	});

	it('7. a credential of which each person has keys, and a question without any', async () => {
		await questions.use(SEPARATED);
		expect(await refusal(questions.ask({ options: { requireSignedPayload: true } }))).toMatch(
			/each person has keys/,
		);
		expect(questions.sandbox.messages()).toEqual([]);
	});

	it('8. secrets of a person would be stored by n8n', async () => {
		await questions.use({
			...SEPARATED,
			settings: plain('separated', { payloadSignatureMethod: 'hmacSha256' }),
		});
		const options = { requireSignedPayload: true, personKeys: 'a secret of this person' };
		expect(await refusal(questions.ask({ options }))).toMatch(/would be secrets/);
		expect(questions.sandbox.messages()).toEqual([]);
	});

	it('9. a private key is refused, and stands in no error', async () => {
		await questions.use(SEPARATED);
		const pem = phoneOf(0).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
		const options = { requireSignedPayload: true, personKeys: pem };
		const error = await refusal(questions.ask({ options }));
		expect(error).toMatch(/private key/);
		expect(error).not.toContain(pem.slice(60, 90));
	});

	it('10. keys for some of several people', async () => {
		await questions.use(SEPARATED, {
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
		expect(await refusal(questions.ask(several([withKeys, '70022'])))).toMatch(/1 of 2 people/);
		expect(
			await refusal(questions.ask(several([withKeys, { customerNo: '70022', personKeys: '' }]))),
		).toMatch(/empty keys/);
		expect(questions.sandbox.messages()).toEqual([]);
	});

	it("11. the trigger finds the company's signature valid: the person's own is needed all the same", async () => {
		await questions.use(
			SEPARATED,
			{ payloadSignatureKeys: 'person' },
			{ payloadSignatureKeys: 'company', payloadSignaturePublicKey: COMPANY.publicKey },
		);
		const asked = await questions.ask(signedBy(phoneOf(0)));
		const payload = sentPayload(asked);
		expect(await questions.press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject({
			payloadSignature: 'valid',
			...NOT_SIGNED,
		});
		expect(await questions.press(asked, SEPARATED.signed(phoneOf(0), payload, ''))).toMatchObject({
			resumed: true,
		});
	});

	it('12. the key in the credential is changed while the question waits: the old one counts beside the new one', async () => {
		const both = `${newPhone().publicKey}\n${COMPANY.publicKey}`;
		await questions.use(SEPARATED, { payloadSignaturePublicKey: COMPANY.publicKey });
		const asked = await questions.ask({ options: { requireSignedPayload: true } });
		const payload = sentPayload(asked);
		Object.assign(questions.credentials, { payloadSignaturePublicKey: newPhone().publicKey });
		expect(await questions.press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject(
			NOT_SIGNED,
		);
		Object.assign(questions.credentials, { payloadSignaturePublicKey: both });
		expect(await questions.press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject({
			resumed: true,
		});
	});

	it('13. the credential checks nothing any more: nothing is approved', async () => {
		await questions.use(SEPARATED, { payloadSignaturePublicKey: COMPANY.publicKey });
		const asked = await questions.ask({ options: { requireSignedPayload: true } });
		const payload = sentPayload(asked);
		Object.assign(questions.credentials, { payloadSignature: 'none' });
		expect(await questions.press(asked, payload)).toMatchObject(NOT_SIGNED);
		expect(await questions.press(asked, SEPARATED.signed(COMPANY, payload, ''))).toMatchObject(
			NOT_SIGNED,
		);
		expect(asked.execution.continuations).toEqual([]);
	});
});

it('14. the text is left out of the evidence where it must not be stored', async () => {
	await questions.use(SEPARATED);
	const { options } = signedBy(phoneOf(0)) as { options: INodeParameters };
	const asked = await questions.ask({ options: { ...options, leaveTextOut: true } });
	await questions.press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), ''));
	const [[item = {}] = []] = asked.execution.continuations;
	expect(item.evidence).toMatchObject({ button: 'Approve' });
	expect(item.evidence).not.toHaveProperty('text');
});

it('15. a text with a code in it is no evidence: the code would be stored', async () => {
	await questions.use(SEPARATED);
	const asked = await questions.ask({
		message: 'Pay? Your code: {code}',
		otpMode: 'generate',
		...signedBy(phoneOf(0)),
	});
	await questions.press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), ''));
	const [[item = {}] = []] = asked.execution.continuations;
	expect(item).toMatchObject({ decision: 'approved', challenge: expect.any(String) });
	expect(item.evidence).not.toHaveProperty('text');
});

it('16. what an earlier trigger passes on, without the payload as it came, is checked as it is', async () => {
	await questions.use(SEPARATED, {}, { payloadSignature: 'none' });
	const asked = await questions.ask(signedBy(phoneOf(0)));
	expect(await questions.press(asked, sentPayload(asked))).toMatchObject(NOT_SIGNED);
	expect(
		await questions.press(asked, SEPARATED.signed(phoneOf(0), sentPayload(asked), '')),
	).toMatchObject({
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
	await questions.use(SEPARATED, {
		payloadSignatureKeys: 'company',
		payloadSignaturePublicKey: COMPANY.publicKey,
	});
	const person = PEOPLE.map(({ customerNo }) => ({ customerNo, personKeys: '={{ $json.keys }}' }));
	const asked = questions.ask(
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
	await questions.use(SEPARATED);
	const key = pointOf(phoneOf(0));
	const asked = await questions.ask({ options: { requireSignedPayload: true, personKeys: key } });
	Object.assign(questions.credentials, { payloadSignatureMethod: 'hmacSha256' });
	const payload = sentPayload(asked);
	const forged = createHmac('sha256', key).update(payload).digest('base64');
	expect(await questions.press(asked, `${payload}.${forged}`)).toMatchObject(NOT_SIGNED);
	expect(asked.execution.continuations).toEqual([]);
});

it('19. several people: a token of hundreds of kilobytes is not stored with each answer', async () => {
	const format = formatNamed('JWS of the payload alone');
	await questions.use(format);
	const people = PEOPLE.map(({ customerNo }, index) => ({
		customerNo,
		personKeys: phoneOf(index).publicKey,
	}));
	const asked = await questions.ask({
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
	expect(await questions.press(asked, huge)).toMatchObject({ notResumedReason: 'tooLong' });
	const right = format.signed(phoneOf(0), payload, '');
	expect(await questions.press(asked, right)).toMatchObject({ notResumedReason: 'counted' });
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
		await questions.use(SEPARATED, { payloadSignaturePublicKey, [field]: expression }, ofTrigger);
		const asked = questions.ask(
			{ options: { requireSignedPayload: true } },
			{ key: COMPANY.publicKey },
		);
		expect(await refusal(asked)).toMatch(/looks at the item/);
	},
);

it('20b. an expression that looks at no item is as good as a key', async () => {
	const payloadSignaturePublicKey = `={{ '${COMPANY.publicKey.replaceAll('\n', '')}' }}`;
	await questions.use(SEPARATED, {
		payloadSignaturePublicKey,
		botToken: "={{ $json.bot ?? 'bot-token' }}",
	});
	const asked = await questions.ask({ options: { requireSignedPayload: true } });
	expect(asked.messages).toHaveLength(1);
});
