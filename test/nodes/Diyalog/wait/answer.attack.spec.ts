import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { INodeParameters } from 'n8n-workflow';
import { passOn } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import type { Answer } from '../../../../nodes/Diyalog/wait/passedOnAnswer';
import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { endsWithin } from '../../../support/endsWithin';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import type { WebhookServer } from '../../../support/webhookServer';
import { sleepMs, waitFor } from '../../../../tools/system';

/*
 * Attacks on executions that wait for an answer: node, trigger and Diyalog's double over real sockets. After each attack
 * the execution must still wait, and take the right answer.
 */

const SECRET = randomBytes(16).toString('hex');
const SIGNING_SECRET = randomBytes(32).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let trigger: WebhookServer;
let credentials: Record<string, string>;

const triggerParameters = (
	authentication: string,
	options: INodeParameters = {},
): INodeParameters => ({
	events: ['buttonPressed', 'textReceived'],
	authentication,
	filters: {},
	options,
});

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		batch: { maxWaitMs: 10 },
		signData: { scheme: 'jws', algorithm: 'HS256', key: SIGNING_SECRET },
	});
	credentials = {
		serverUrl: sandbox.url,
		botToken: 'bot-token',
		appSecret: SECRET,
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: 'HS256',
		payloadSignatureSecret: SIGNING_SECRET,
	};
	trigger = await instance.serveTrigger({
		credentials,
		parameters: triggerParameters('signature'),
	});
	sandbox.setWebhookUrl('bot', trigger.url);
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	expect(trigger.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

interface Asked {
	execution: WaitingExecution;
	message: StoredMessage;
}

async function ask(parameters: INodeParameters = {}): Promise<Asked> {
	const execution = await instance.ask(credentials, parameters);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	return { execution, message };
}

async function press({ message }: Asked, button = 'Approve'): Promise<void> {
	sandbox.pressButton({ messageId: message.messageId, id: message.id, button });
	await sandbox.flush();
}

async function type(text: string, customerNo = '70021'): Promise<void> {
	sandbox.typeText({ customerNo, text });
	await sandbox.flush();
}

const lastItem = () => trigger.executions.at(-1)?.at(-1);

/** The execution waits on, and the right press continues it, once. */
async function stillTakesTheRightAnswer(asked: Asked): Promise<void> {
	expect(asked.execution.continuations).toEqual([]);
	await press(asked);
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'approved', approved: true })],
	]);
}

/** The genuine resume address, as somebody may have got hold of it, and what a trigger would post there. */
function genuineCall({ message, execution }: Asked, given: Partial<Answer> = {}) {
	const reference = fromMessageId(message.messageId, [SECRET]);
	if (!reference) throw new Error('The messageId is no reference');
	const answer: Answer = {
		kind: 'press',
		turn: reference.turn,
		number: 0,
		customerNo: '70021',
		userId: '243540663',
		text: 'approve',
		payloadSignature: 'notChecked',
		occurredAt: new Date().toISOString(),
		...given,
	};
	return {
		url: resumeUrlOf(reference, `${instance.url}/webhook-waiting`),
		body: { answers: [passOn(answer, execution.id, SECRET)] },
		answer,
	};
}

const post = async (url: string, body: unknown): Promise<Response> =>
	await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});

it('1. the resume address alone, without proof', async () => {
	const asked = await ask();
	const { url, body } = genuineCall(asked);
	for (const forged of [
		{},
		{ approved: true },
		body.answers[0],
		{ answers: [] },
		{ answers: [{ ...body.answers[0], proof: undefined }] },
		{ answers: [{ ...body.answers[0], proof: '' }] },
		{ answers: Array.from({ length: 51 }, () => body.answers[0]) },
	]) {
		expect((await post(url, forged)).status).toBe(401);
	}
	await stillTakesTheRightAnswer(asked);
});

it('2. a proof made with another secret', async () => {
	const asked = await ask();
	const { url, answer } = genuineCall(asked);
	expect(
		(await post(url, { answers: [passOn(answer, asked.execution.id, 'guessed')] })).status,
	).toBe(401);
	await stillTakesTheRightAnswer(asked);
});

it('3. a genuine proof of another execution, played again here', async () => {
	const [first, second] = [await ask(), await ask()];
	const { body } = genuineCall(first);
	expect((await post(genuineCall(second).url, body)).status).toBe(401);
	await stillTakesTheRightAnswer(second);
});

it('4. an answer altered on the way', async () => {
	const asked = await ask();
	const { url, body } = genuineCall(asked, { text: 'decline' });
	const altered = JSON.parse(JSON.stringify(body).replace('decline', 'approve')) as unknown;
	expect((await post(url, altered)).status).toBe(401);
	await stillTakesTheRightAnswer(asked);
});

it('5. another customer who knows the messageId', async () => {
	const asked = await ask();
	await type(`[${asked.message.messageId}]:approve`, '70022');
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherPerson' });
	await stillTakesTheRightAnswer(asked);
});

it('6. a payload that no button has', async () => {
	const asked = await ask();
	for (const payload of ['Approve', 'approved', 'approve ', '', 'true', '{"payload":"approve"}']) {
		await type(`[${asked.message.messageId}]:${payload}`);
		expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notIssued' });
	}
	await stillTakesTheRightAnswer(asked);
});

it('7. an answer to an earlier turn', async () => {
	const asked = await ask();
	const { url, body } = genuineCall(asked, { turn: randomBytes(12).toString('base64url') });
	expect(await (await post(url, body)).json()).toEqual({
		receptions: [{ accepted: false, reason: 'earlierTurn' }],
	});
	await stillTakesTheRightAnswer(asked);
});

it('8. a press without a valid signature of the device, where one is required', async () => {
	const asked = await ask({ options: { requireSignedPayload: true } });
	await type(`[${asked.message.messageId}]:approve`);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	sandbox.setFaults({ forgeSignature: true });
	await press(asked);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	sandbox.setFaults({ forgeSignature: false });
	await stillTakesTheRightAnswer(asked);
});

it('9. a signature of the device that was made for another message', async () => {
	const [first, second] = [
		await ask({ options: { requireSignedPayload: true } }),
		await ask({ options: { requireSignedPayload: true } }),
	];
	sandbox.pressButton({ messageId: first.message.messageId, button: 'Approve' });
	await sandbox.flush();
	const [, token = ''] = JSON.stringify(sandbox.webhookLog().at(-1)).match(/\]:(ey[\w.-]+)/) ?? [];
	expect(token).not.toBe('');
	await type(`[${second.message.messageId}]:${token}`);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	await stillTakesTheRightAnswer(second);
});

it('10. an altered messageId: nothing of this instance is called', async () => {
	const asked = await ask();
	const { messageId } = asked.message;
	// Or it would be handed on as a text to the question, which is the last message delivered.
	await runDiyalogNode({
		credentials,
		parameters: {
			resource: 'otp',
			operation: 'send',
			otpMode: 'none',
			customerNo: '70021',
			message: 'News',
		},
	});
	for (let position = 0; position < messageId.length; position += 7) {
		const other = messageId[position] === 'x' ? 'y' : 'x';
		await type(`[${messageId.slice(0, position)}${other}${messageId.slice(position + 1)}]:approve`);
		expect(lastItem()).not.toMatchObject({ resumed: true });
	}
	expect(instance.calls).toEqual([]);
	await stillTakesTheRightAnswer(asked);
});

it('11. a press in the right form where a text is expected, and the other way round', async () => {
	const code = await ask({ responseType: 'code', expectedCode: '58' });
	await type(`[${code.message.messageId}]:58`);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherKind' });
	expect(code.execution.continuations).toEqual([]);
	const asked = await ask();
	await type('approve');
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'otherKind' });
	await stillTakesTheRightAnswer(asked);
});

it('12. fifty presses at the same moment continue it once', async () => {
	const asked = await ask();
	const { url, body } = genuineCall(asked);
	const answers = await Promise.all(
		Array.from({ length: 50 }, async () => await (await post(url, body)).text()),
	);
	expect(answers.filter((text) => text === '{"receptions":[{"accepted":true}]}')).toHaveLength(1);
	expect(asked.execution.continuations).toHaveLength(1);
});

it('13. a thousand codes guessed side by side: three are looked at', async () => {
	const asked = await ask({ responseType: 'code', expectedCode: '0999' });
	const guess = async (number: number) => {
		const text = String(number).padStart(4, '0');
		const { url, body } = genuineCall(asked, { kind: 'text', text });
		return await (await post(url, body)).text();
	};
	const answers: string[] = [];
	for (let wave = 0; wave < 4; wave++) {
		const numbers = Array.from({ length: 250 }, (_, index) => wave * 250 + index);
		answers.push(...(await Promise.all(numbers.map(guess))));
		await waitFor('n8n', 10_000, () => !instance.running.has(asked.execution.id) || undefined);
	}
	expect(answers.filter((text) => text.includes('wrongCode')).length).toBeLessThanOrEqual(2);
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'tooManyAttempts', approved: false })],
	]);
});

it('14. attempts are not forgotten with this process: the reply carries them on', async () => {
	const asked = await ask({ responseType: 'code', expectedCode: '58' });
	const { url, body } = genuineCall(asked, { kind: 'text', text: '57', number: 2 });
	expect(await (await post(url, body)).json()).toEqual({ receptions: [{ accepted: true }] });
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'tooManyAttempts' })],
	]);
});

it('15. each wrong code is answered, under a reference that counts on', async () => {
	const asked = await ask({ responseType: 'code', expectedCode: '58' });
	const before = sandbox.messages().length;
	await type('57');
	const reply = await waitFor('the reply', 5_000, () => sandbox.messages()[before]);
	const [first, second] = [asked.message, reply].map(({ messageId }) =>
		fromMessageId(messageId, [SECRET]),
	);
	expect(second).toEqual({ ...first, number: 1 });
});

it('16. an answer after the time is up, before n8n has noticed', async () => {
	const options = endsWithin(0.005, 'minutes');
	const asked = await ask({ options });
	await sleepMs(400);
	await press(asked);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'expired' });
	expect(asked.execution.continuations).toEqual([]);
	expect(asked.execution.onTimeout).toEqual([
		{
			json: expect.objectContaining({
				data: { approved: false, responder: null, respondedAt: null },
				approved: false,
				decision: 'expired',
			}),
			pairedItem: { item: 0 },
		},
	]);
});

it('17. a trigger that authenticates nothing continues nothing', async () => {
	const open = await instance.serveTrigger({ credentials, parameters: triggerParameters('none') });
	const asked = await ask();
	sandbox.setWebhookUrl('bot', open.url);
	await press(asked);
	expect(open.executions.at(-1)?.at(-1)).toMatchObject({
		resumed: false,
		notResumedReason: 'notAuthenticated',
	});
	expect(instance.calls).toEqual([]);
	sandbox.setWebhookUrl('bot', trigger.url);
	await stillTakesTheRightAnswer(asked);
});

it('18. five hundred bodies of every shape at the resume address', async () => {
	const asked = await ask();
	const { url } = genuineCall(asked);
	await fc.assert(
		fc.asyncProperty(fc.jsonValue(), async (body) => {
			const { status } = await post(url, body);
			return status === 401 || status === 400;
		}),
		{ numRuns: 500 },
	);
	await stillTakesTheRightAnswer(asked);
});

it('19. programs that look at links decide nothing', async () => {
	const asked = await ask({ options: { answerBy: 'link' } });
	const links = asked.message.buttonsV2?.map(({ payload }) => payload) ?? [];
	for (const link of links) {
		for (const method of ['GET', 'HEAD', 'GET']) await fetch(link, { method });
	}
	expect(asked.execution.continuations).toEqual([]);
	const [approve = ''] = links;
	const confirmed = await Promise.all(
		[1, 2, 3].map(async () => await fetch(approve, { method: 'POST' })),
	);
	expect(confirmed.filter(({ ok }) => ok)).toHaveLength(1);
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'approved', userId: null })],
	]);
});

it('20. a link cannot answer where a tap is expected, nor a tap where a link is', async () => {
	const asked = await ask();
	const { url } = genuineCall(asked);
	expect((await fetch(`${url}&answer=approve`, { method: 'POST' })).status).toBe(410);
	const linked = await ask({ options: { answerBy: 'link' } });
	const call = genuineCall(linked);
	expect(await (await post(call.url, call.body)).json()).toEqual({
		receptions: [{ accepted: false, reason: 'otherKind' }],
	});
	expect(linked.execution.continuations).toEqual([]);
	await stillTakesTheRightAnswer(asked);
});

it.each([
	['two items', {}, [{ approved: true }, { approved: true }]],
	['a wrong field', { responseType: 'code', expectedCode: 'x' }, [{ approved: true }]],
	['a customer unknown to Diyalog', { customerNo: 'nobody' }, [{ approved: true }]],
])(
	'21. an approval of an earlier step does not pass for one here when %s fail with On Error: Continue',
	async (_what, parameters, input) => {
		const { items, error } = await runDiyalogNode(
			{
				credentials,
				settings: { onError: 'continueRegularOutput' },
				parameters: {
					resource: 'otp',
					operation: 'sendAndWait',
					customerNo: '70021',
					message: 'Do you approve?',
					...parameters,
				},
			},
			input.map((json) => ({ json })),
		);
		expect(error).toBeUndefined();
		expect(items.map(({ json }) => json)).toEqual(input.map(() => ({ error: expect.any(String) })));
	},
);

const REPORT = { approvalOptions: { values: { offerReport: true, reportLabel: 'Not me' } } };
const SINGLE_REPORT = {
	approvalOptions: { values: { approvalType: 'single', offerReport: true } },
};

it.each([
	['', REPORT, 'Not me'],
	[', beside Approve Only', SINGLE_REPORT, "It Wasn't Me"],
])(
	'22. a report never approves%s, and an Approve after it changes nothing',
	async (_, more, title) => {
		const asked = await ask(more);
		await press(asked, title);
		await press(asked);
		expect(lastItem()).toMatchObject({ payload: 'approve', resumed: false });
		expect(asked.execution.continuations).toEqual([
			[
				expect.objectContaining({
					data: expect.objectContaining({ approved: false }),
					approved: false,
					decision: 'reported',
					value: 'report',
				}),
			],
		]);
		expect(asked.execution.continuedAt).toEqual([[2]]);
	},
);

it('23. a report that no button offers is typed by hand', async () => {
	const asked = await ask();
	for (const payload of ['report', 'reported', "It Wasn't Me"]) {
		await type(`[${asked.message.messageId}]:${payload}`);
		expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notIssued' });
	}
	await stillTakesTheRightAnswer(asked);
});

it('24. a report without a valid signature of the device, where one is required', async () => {
	const asked = await ask({ ...REPORT, options: { requireSignedPayload: true } });
	await type(`[${asked.message.messageId}]:report`);
	expect(lastItem()).toMatchObject({ resumed: false, notResumedReason: 'notSigned' });
	expect(asked.execution.continuations).toEqual([]);
	await press(asked, 'Not me');
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'reported', payloadSignature: 'valid' })],
	]);
});

it('25. a report by a link: opening it decides nothing, confirming it declines', async () => {
	const asked = await ask({ ...REPORT, options: { answerBy: 'link' } });
	const link = asked.message.buttonsV2?.find(({ title }) => title === 'Not me')?.payload ?? '';
	expect(await (await fetch(link)).text()).toContain('Not me');
	expect(asked.execution.continuations).toEqual([]);
	expect((await fetch(link, { method: 'POST' })).status).toBe(200);
	expect(asked.execution.continuations).toEqual([
		[expect.objectContaining({ decision: 'reported', approved: false, userId: null })],
	]);
});
