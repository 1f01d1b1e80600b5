import { generateKeyPairSync } from 'node:crypto';
import type { verify } from 'node:crypto';
import { MAX_TRIES_OF_PRESS } from '../../../../nodes/Diyalog/deviceSignature/press';
import { startSandbox } from '../../../../sandbox/server';
import { fs, path, projectRoot, sleepMs, waitFor } from '../../../../tools/system';
import { FaultyServer } from '../../../support/faultyServer';
import { postSigned } from '../../../support/sign';
import { formatNamed, newPhone, plain } from '../../../support/signedFormats';
import {
	messageIdOf,
	PEOPLE,
	SECRET,
	sentPayload,
	SignedQuestions,
} from '../../../support/signedQuestions';
import { entry, envelope } from '../../../support/webhookBodies';

/* Settings of questions from expressions that give nothing, and what many keys with many choices cost. */

const questions = new SignedQuestions();
const COMPANY = newPhone();

const people = {
	ask: 'several',
	specifyPeople: 'json',
	peopleJson: JSON.stringify(PEOPLE.map(({ customerNo }) => ({ customerNo }))),
	rule: 'atLeast',
};

it.each(['={{ $json.needed }}', '={{ null }}', '={{ $json.a?.b }}'])(
	'1. Approvals Needed as an expression that gives nothing, %s: the question does not go out for two approvals of three',
	async (approvalsNeeded) => {
		await questions.use(formatNamed('payload, separator, signature'), {
			payloadSignatureKeys: 'company',
			payloadSignaturePublicKey: COMPANY.publicKey,
		});
		const outcome = await questions
			.ask({ ...people, approvalsNeeded, options: { auditRecord: 'item' } })
			.then(
				({ execution }) => JSON.stringify(execution.onTimeout[0]?.json.audit),
				() => 'refused',
			);
		expect(outcome).toBe('refused');
		expect(questions.sandbox.messages()).toEqual([]);
	},
);

it('1b. three approvals were meant, and the field of the item is misspelled: two do not approve', async () => {
	await questions.use(formatNamed('payload, separator, signature'), {
		payloadSignatureKeys: 'company',
		payloadSignaturePublicKey: COMPANY.publicKey,
	});
	const asked = await questions
		.ask({ ...people, approvalsNeeded: '={{ $json.aprovals }}', options: {} }, { approvals: 3 })
		.catch(() => undefined);
	if (!asked) return;
	await questions.press(asked, 'approve', 0);
	await waitFor(
		'n8n',
		10_000,
		() => !questions.instance.running.has(asked.execution.id) || undefined,
	);
	await questions.press(asked, 'approve', 1);
	expect(asked.execution.continuations).toEqual([]);
}, 30_000);

/* n8n drops options that the editor does not show before a node is asked. docs/security.md says so under Not protected. */
it('2. Require Signed Payload at a question for a typed code: n8n does not pass it on, as is documented', async () => {
	await questions.use(formatNamed('payload, separator, signature'));
	const asked = await questions.ask({
		responseType: 'code',
		expectedCode: '58',
		options: { requireSignedPayload: true, personKeys: COMPANY.publicKey },
	});
	expect(asked.messages).toHaveLength(1);
	const text = await fs.readFile(path.join(projectRoot, 'docs/security.md'), 'utf8');
	expect(text).toContain('**Options that the response type does not show.**');
});

/** The longest for which this process has done nothing else. */
function watchStanding(): () => number {
	let stoodMs = 0;
	let isOver = false;
	void (async () => {
		while (!isOver) {
			const beganAt = performance.now();
			await sleepMs(5);
			stoodMs = Math.max(stoodMs, performance.now() - beganAt);
		}
	})();
	return () => {
		isOver = true;
		return stoodMs;
	};
}

const CHOICES = {
	resource: 'message',
	responseType: 'choice',
	choices: {
		choice: Array.from({ length: 11 }, (_, index) => ({
			title: `Choice ${index}`,
			value: String(index),
		})),
	},
};

const keysOfP521 = (count: number): string =>
	Array.from({ length: count }, () =>
		generateKeyPairSync('ec', { namedCurve: 'secp521r1' })
			.publicKey.export({ type: 'spki', format: 'der' })
			.toString('base64'),
	).join(',');

const ALONE = {
	settings: plain('signatureOnly', { payloadSignatureMethod: 'ecdsaSha512' }),
	signed: () => '',
};

/** Of the right length, so that it is looked at as one. */
const NO_SIGNATURE = Buffer.alloc(132, 1).toString('base64');

it('3b. signature alone, 20 keys and 11 choices: nobody is asked', async () => {
	await questions.use(ALONE);
	const options = { requireSignedPayload: true, personKeys: keysOfP521(20) };
	const outcome = await questions.ask({ ...CHOICES, recipientType: 'customer', options }).then(
		() => 'asked',
		(error: unknown) => (error as { message?: string }).message,
	);
	expect(outcome).toMatch(/20 keys for each of 11 buttons/);
	expect(questions.sandbox.messages()).toEqual([]);
});

it('3. one call with a press of each of 12 people who have as many keys as 11 choices allow, signature alone: n8n does not stand for over a second', async () => {
	const many = Array.from({ length: 12 }, (_, index) => ({
		customerNo: String(80_000 + index),
		userId: String(3_000_000 + index),
	}));
	await questions.sandbox.close();
	questions.sandbox = await startSandbox({
		customers: many,
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	await questions.use(ALONE);
	const asked = await questions.ask({
		...CHOICES,
		ask: 'several',
		specifyPeople: 'json',
		peopleJson: JSON.stringify(
			many.map(({ customerNo }) => ({ customerNo, personKeys: keysOfP521(5) })),
		),
		rule: 'everyone',
		options: { requireSignedPayload: true },
	});
	expect(asked.messages).toHaveLength(12);
	const at = Date.now();
	const body = envelope(
		...many.map((person, index) => {
			const text = `[${messageIdOf(asked, index)}]:${NO_SIGNATURE}`;
			return entry({ message: { mid: `m${index}`, text } }, { ...person, timestamp: at + index });
		}),
	);
	const stood = watchStanding();
	await postSigned(questions.trigger.url, body, SECRET);
	await waitFor(
		'what becomes of all presses',
		60_000,
		() => questions.trigger.executions.flat().length >= many.length || undefined,
	);
	const stoodMs = stood();
	expect(asked.execution.continuations).toEqual([]);
	expect(stoodMs).toBeLessThan(1_000);
}, 90_000);

it('4. a call with 10 presses of one person with as many keys and choices: no more signatures are checked than they allow', async () => {
	await questions.use(ALONE);
	const asked = await questions.ask({
		...CHOICES,
		recipientType: 'customer',
		options: { requireSignedPayload: true, personKeys: keysOfP521(5) },
	});
	const text = `[${messageIdOf(asked)}]:${NO_SIGNATURE}`;
	const at = Date.now();
	const body = envelope(
		...Array.from({ length: 10 }, (_, index) =>
			entry({ message: { mid: `m${index}`, text } }, { ...PEOPLE[0], timestamp: at + index }),
		),
	);
	const checks = jest.spyOn(jest.requireActual<{ verify: typeof verify }>('node:crypto'), 'verify');
	try {
		await postSigned(questions.trigger.url, body, SECRET);
		await waitFor(
			'what becomes of all presses',
			60_000,
			() => questions.trigger.executions.flat().length >= 10 || undefined,
		);
		expect(asked.execution.continuations).toEqual([]);
		expect(checks.mock.calls.length).toBeGreaterThan(0);
		// A signature over a curve is tried in both encodings.
		expect(checks.mock.calls.length).toBeLessThanOrEqual(2 * 10 * MAX_TRIES_OF_PRESS);
	} finally {
		checks.mockRestore();
	}
}, 90_000);

it('5. sentAt of the evidence is no earlier than the message left: Diyalog asked for three seconds of patience', async () => {
	let acceptedAtMs = 0;
	const server = await FaultyServer.start((request) => {
		if (request > 1) acceptedAtMs = Date.now();
		return request === 1
			? { kind: 'refuse', status: 429, text: 'busy', headers: { 'Retry-After': '3' } }
			: { kind: 'accept' };
	});
	try {
		await questions.use(formatNamed('payload, separator, signature'), {
			payloadSignatureKeys: 'company',
			payloadSignaturePublicKey: COMPANY.publicKey,
		});
		questions.credentials.serverUrl = server.url;
		const { execution } = await questions.ask({ options: { requireSignedPayload: true } });
		expect(acceptedAtMs).toBeGreaterThan(0);
		const sentAtMs = Date.parse(String(execution.onTimeout[0]?.json.sentAt));
		expect(acceptedAtMs - sentAtMs).toBeLessThan(1_000);
	} finally {
		await server.close();
	}
}, 30_000);

it.each(['={{ $json.attempts }}', '={{ null }}'])(
	'6. Maximum Attempts as an expression that gives nothing, %s: no three guesses in place of the one that was meant',
	async (maxAttempts) => {
		await questions.use(formatNamed('payload, separator, signature'));
		const outcome = await questions
			.ask({ responseType: 'code', expectedCode: '58', options: { maxAttempts } })
			.then(
				() => 'asked',
				() => 'refused',
			);
		expect(outcome).toBe('refused');
	},
);

it.each(['={{ $json.limit }}', '={{ null }}', ''])(
	'7. Question Limits as an expression that gives nothing, %j: the person is not asked as often as by default',
	async (maxQuestions) => {
		await questions.use(formatNamed('payload, separator, signature'));
		const outcome = await questions
			.ask({ options: { questionLimits: { values: { maxQuestions, windowMinutes: 60 } } } })
			.then(
				() => 'asked',
				() => 'refused',
			);
		expect(outcome).toBe(maxQuestions === '' ? 'asked' : 'refused');
	},
);

it('8. a token that names the customer, in an event that names none: it counts for nobody, as is documented', async () => {
	const format = formatNamed('JWS of the payload alone');
	await questions.use(format);
	const asked = await questions.ask({
		options: { requireSignedPayload: true, personKeys: COMPANY.publicKey },
	});
	const { customerNo, userId } = PEOPLE[0];
	const press = async (named: string) => {
		const token = format.signed(COMPANY, sentPayload(asked), messageIdOf(asked), {
			customerNo: named,
		});
		const text = `[${messageIdOf(asked)}]:${token}`;
		const about = { customerNo: null, userId, timestamp: Date.now() };
		const body = envelope(entry({ message: { mid: 'other', text } }, about));
		expect((await postSigned(questions.trigger.url, body, SECRET)).status).toBe(200);
		return questions.trigger.executions.flat().at(-1);
	};
	expect(await press('70022')).toMatchObject({ resumed: false });
	expect(await press(customerNo)).toMatchObject({ resumed: false });
	expect(asked.execution.continuations).toEqual([]);
});

it("9. an expression gives the key of one person for everybody: what that person's phone signed counts for nobody else", async () => {
	const format = formatNamed('payload, separator, signature');
	await questions.use(format);
	const peopleJson = JSON.stringify(
		PEOPLE.map(({ customerNo }) => ({ customerNo, personKeys: COMPANY.publicKey })),
	);
	const asked = await questions
		.ask({ ...people, peopleJson, approvalsNeeded: 2, options: { requireSignedPayload: true } })
		.catch(() => undefined);
	if (!asked) return;
	const signed = format.signed(COMPANY, sentPayload(asked), messageIdOf(asked));
	expect(await questions.press(asked, signed, 0)).toMatchObject({ notResumedReason: 'counted' });
	await waitFor(
		'n8n',
		10_000,
		() => !questions.instance.running.has(asked.execution.id) || undefined,
	);
	await questions.press(asked, signed, 1);
	expect(asked.execution.continuations).toEqual([]);
}, 30_000);
