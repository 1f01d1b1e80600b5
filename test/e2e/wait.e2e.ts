import { randomBytes } from 'node:crypto';
import { fromMessageId, resumeUrlOf } from '../../nodes/Diyalog/wait/resumeReference';
import { writeToChat } from '../support/chatSocket';
import { endsWithin } from '../support/endsWithin';
import { fs, sleepMs, waitFor } from '../../tools/system';
import { firstItemOf, nodesRun } from '../../tools/n8n/executions';
import { Stage } from './harness/waiting';
import type { Asked } from './harness/waiting';
import {
	calledTrigger,
	marked,
	node,
	noOp,
	output,
	splitOut,
	subWorkflow,
	waysOf,
	workflow,
} from './harness/workflows';

/* Send and Wait for Response in a real n8n, with taps on the phone of the sandbox. */

/** What the device signs with; HS256 needs 32 bytes. */
const SIGNING_SECRET = randomBytes(32).toString('hex');

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set({
		credential: {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: SIGNING_SECRET,
		},
		sandbox: {
			signData: {
				scheme: 'jws',
				algorithm: 'HS256',
				key: SIGNING_SECRET,
			},
		},
	});
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

/** The execution has not continued, and still does when the right answer comes. */
async function stillWaits(asked: Asked): Promise<void> {
	expect(await asked.status()).toBe('waiting');
}

const CHOICES = {
	choice: [
		{ title: 'Blue', value: 'blue' },
		{ title: 'Red', value: 'red' },
		{ title: 'Call me', value: '' },
	],
};

describe('every kind of response', () => {
	it('approve: one item with the approval, the press with resumed: true', async () => {
		const asked = await (await stage.createAsking({})).start();
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toEqual({
			data: {
				approved: true,
				responder: { customerNo: '70021', userId: '243540663' },
				respondedAt: expect.any(String),
			},
			approved: true,
			decision: 'approved',
			value: 'approve',
			messageId: asked.message.messageId,
			customerNo: '70021',
			userId: '243540663',
			payloadSignature: 'invalid',
			sentAt: expect.any(String),
			respondedAt: expect.any(String),
			input: expect.objectContaining({ body: { order: 17 } }),
		});
		expect(asked.message.messageId).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ event: 'buttonPressed', payload: 'approve', resumed: true }),
		]);
	});

	it('decline, with labels of its own and a readable messageId', async () => {
		const approvalOptions = { values: { approveLabel: 'Onayla', disapproveLabel: 'Reddet' } };
		const options = { messageIdPrefix: 'transfer-17' };
		const asked = await (await stage.createAsking({ approvalOptions, options })).start();
		expect(asked.message.messageId).toMatch(/^transfer-17\.\d+\.[\w-]{22}\.0\.[\w-]{70}$/);
		expect(asked.message.messageId.length).toBeLessThanOrEqual(128);
		await stage.press(asked.message, 'Reddet');
		expect(await asked.outcome()).toMatchObject({
			data: { approved: false },
			approved: false,
			decision: 'declined',
		});
	});

	it('choice: the value of the button', async () => {
		const workflow = await stage.createAsking({ responseType: 'choice', choices: CHOICES });
		const red = await workflow.start();
		await stage.press(red.message, 'Red');
		expect(await red.outcome()).toMatchObject({
			decision: 'chosen',
			value: 'red',
			approved: false,
		});
		const title = await workflow.start();
		await stage.press(title.message, 'Call me');
		expect(await title.outcome()).toMatchObject({ decision: 'chosen', value: 'Call me' });
	});

	it('free text: what the customer writes', async () => {
		const asked = await (await stage.createAsking({ responseType: 'freeText' })).start();
		await stage.type('Yarın ara 👍');
		expect(await asked.outcome()).toMatchObject({
			decision: 'answered',
			value: 'Yarın ara 👍',
			approved: false,
		});
	});

	it('code: the right digits approve, blanks and dashes forgiven', async () => {
		const asked = await (
			await stage.createAsking({ responseType: 'code', expectedCode: '={{ $json.body.number }}' })
		).start({ number: '4071' });
		await stage.type(' 40-71 ');
		expect(await asked.outcome()).toMatchObject({
			decision: 'codeMatched',
			approved: true,
			value: null,
		});
	});

	it('code: three wrong ones, each answered, end it', async () => {
		const asked = await (
			await stage.createAsking({
				responseType: 'code',
				expectedCode: '58',
				options: { wrongCodeReply: 'Yanlış kod.' },
			})
		).start();
		const replies = () =>
			stage.sandbox.messages().filter(({ mokMessage }) => mokMessage === 'Yanlış kod.');
		for (const [index, code] of ['57', '59', '60'].entries()) {
			expect(replies()).toHaveLength(index);
			await stage.type(code);
			if (index < 2) {
				await waitFor('the reply', 10_000, () => (replies().length > index ? true : undefined));
				await waitFor('the execution waits again', 20_000, async () =>
					(await asked.status()) === 'waiting' ? true : undefined,
				);
			}
		}
		expect(await asked.outcome()).toMatchObject({
			data: { approved: false },
			decision: 'tooManyAttempts',
			approved: false,
		});
	});

	it('code: right after a wrong one', async () => {
		const asked = await (
			await stage.createAsking({ responseType: 'code', expectedCode: '58' })
		).start();
		const before = stage.sandbox.messages().length;
		await stage.type('85');
		await waitFor('the reply', 10_000, () => stage.sandbox.messages()[before]);
		await stage.type('58');
		expect(await asked.outcome()).toMatchObject({ decision: 'codeMatched', approved: true });
	});

	it('a signed payload where one is required', async () => {
		const workflow = await stage.createAsking({ options: { requireSignedPayload: true } });
		const asked = await workflow.start();
		stage.sandbox.setFaults({ forgeSignature: true });
		await stage.press(asked.message, 'Approve');
		stage.sandbox.setFaults({ forgeSignature: false });
		await stillWaits(asked);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'notSigned' }),
		]);
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({
			decision: 'approved',
			payloadSignature: 'valid',
		});
	});
});

describe('time', () => {
	it('is up: an item that says so, never the input as if approved', async () => {
		const workflow = await stage.createCalled(
			marked(stage.ask({ options: endsWithin(0.05, 'minutes') })),
		);
		const asked = await workflow.start();
		const outcome = await asked.outcome(100_000);
		expect(outcome).toMatchObject({
			data: { approved: false, responder: null, respondedAt: null },
			approved: false,
			decision: 'expired',
			value: null,
			respondedAt: null,
			input: expect.objectContaining({ body: { order: 17 } }),
		});
		expect(waysOf(nodesRun(await asked.record()))).toEqual([1]);
		// Too late.
		await stage.press(asked.message, 'Approve');
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
		]);
	}, 150_000);
});

describe('what is not accepted leaves the execution waiting', () => {
	it('the press of another customer', async () => {
		const asked = await (await stage.createAsking({})).start();
		const typed = `[${asked.message.messageId}]:approve`;
		await stage.type(typed, '70022');
		await stillWaits(asked);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'otherPerson' }),
		]);
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	});

	it('a payload that was not issued, typed by hand', async () => {
		const asked = await (await stage.createAsking({})).start();
		await stage.type(`[${asked.message.messageId}]:yes`);
		await stillWaits(asked);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'notIssued' }),
		]);
	});

	it('calls of the resume address: without a signature, with a forged one, and with the genuine one but no proof', async () => {
		const asked = await (await stage.createAsking({ responseType: 'freeText' })).start();
		const base = `${stage.n8n.url}/webhook-waiting/${asked.executionId}`;
		const reference = fromMessageId(asked.message.messageId, [stage.appSecret]);
		if (!reference) throw new Error('The messageId is no reference');
		const genuine = resumeUrlOf(reference, `${stage.n8n.url}/webhook-waiting`);
		const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
		const answers = [
			await fetch(base, { method: 'POST' }),
			await fetch(`${base}/x?turn=x&signature=${'0'.repeat(64)}`, { method: 'POST' }),
		];
		expect(answers.map(({ status }) => status)).toEqual([401, 401]);
		const unproved = await fetch(genuine, json);
		expect(unproved.status).toBe(401);
		expect(await unproved.json()).toEqual({ receptions: [] });
		const otherTurn = genuine.replace(`turn=${reference.turn}`, `turn=${'A'.repeat(16)}`);
		expect((await fetch(otherTurn, json)).status).toBe(401);
		await stillWaits(asked);
	});

	it('a double press resumes once, the second one says so', async () => {
		const workflow = await stage.createAsking({});
		const asked = await workflow.start();
		const { messageId, id } = asked.message;
		stage.sandbox.pressButton({ messageId, id, button: 'Approve' });
		await sleepMs(5);
		stage.sandbox.pressButton({ messageId, id, button: 'Approve' });
		await stage.sandbox.flush();
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		const items = await stage.triggeredFor(messageId, 2);
		expect(items.map((item) => JSON.stringify(item).includes('"resumed":true')).sort()).toEqual([
			false,
			true,
		]);
		expect(await stage.n8n.executions(workflow.id)).toHaveLength(1);
	});

	it('a loop of two turns: a late press of the first does not answer the second', async () => {
		const ask = stage.ask();
		const again = node('Again?', 'n8n-nodes-base.if', 2.2, {
			conditions: {
				options: { version: 2, typeValidation: 'loose', caseSensitive: true, leftValue: '' },
				combinator: 'and',
				conditions: [
					{
						id: 'c',
						leftValue: '={{ $runIndex }}',
						rightValue: 1,
						operator: { type: 'number', operation: 'lt' },
					},
				],
			},
			options: {},
		});
		const workflow = await stage.createCalled([[ask], [output(ask, 2), again, ask]]);
		const asked = await workflow.start();
		const count = stage.sandbox.messages().length;
		await stage.press(asked.message, 'Decline');
		const second = await waitFor(
			'the second message',
			10_000,
			() => stage.sandbox.messages()[count],
		);
		expect(second.messageId).not.toBe(asked.message.messageId);
		await waitFor('the second wait', 10_000, async () =>
			(await asked.status()) === 'waiting' ? true : undefined,
		);
		await stage.press(asked.message, 'Approve');
		await stillWaits(asked);
		const [, late] = await stage.triggeredFor(asked.message.messageId, 2);
		expect(late).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
		await stage.press(second, 'Decline');
		expect(await asked.outcome()).toMatchObject({ decision: 'declined' });
	});
});

describe('a link to a page instead of a tap', () => {
	it('opening decides nothing, confirming does, once', async () => {
		const asked = await (await stage.createAsking({ options: { answerBy: 'link' } })).start();
		const [approve, decline] = asked.message.buttonsV2 ?? [];
		expect(approve).toMatchObject({ type: 'web_url', title: 'Approve' });
		const url = approve?.payload ?? '';
		for (const method of ['GET', 'HEAD', 'GET']) await fetch(url, { method });
		await stillWaits(asked);
		const page = await fetch(url);
		expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
		expect(await page.text()).toContain('<button type="submit">Approve</button>');
		const tampered = await fetch(
			(decline?.payload ?? '').replace('answer=decline', 'answer=approve'),
			{
				method: 'POST',
			},
		);
		expect(tampered.status).toBe(401);
		await stillWaits(asked);
		const confirmed = await fetch(url, {
			method: 'POST',
			headers: { 'content-type': 'application/x-www-form-urlencoded' },
		});
		expect(confirmed.status).toBe(200);
		expect(await asked.outcome()).toMatchObject({
			decision: 'approved',
			approved: true,
			userId: null,
		});
	});
});

describe('around it', () => {
	it('more than one input item: a clear message before anything is sent', async () => {
		const workflow = await stage.createCalled([[splitOut('body.list'), stage.ask()]]);
		const before = stage.sandbox.messages().length;
		await expect(workflow.start({ list: [1, 2] })).rejects.toThrow(
			'got 2 items, and can wait for one',
		);
		expect(stage.sandbox.messages()).toHaveLength(before);
	});

	it('a sub-workflow asks, its parent waits and goes on with the answer', async () => {
		const child = await stage.n8n.createWorkflow(
			workflow('Asks for its parent', [[calledTrigger(), stage.ask()]]),
		);
		const parent = await stage.createCalled([[subWorkflow(child)]]);
		const before = stage.sandbox.messages().length;
		await fetch(parent.url, { method: 'POST' });
		const message = await waitFor('the message', 10_000, () => stage.sandbox.messages()[before]);
		const statusOf = async (workflow: string) => (await stage.n8n.executions(workflow))[0];
		for (const workflow of [child, parent.id]) {
			await waitFor('both wait', 10_000, async () =>
				(await statusOf(workflow))?.status === 'waiting' ? true : undefined,
			);
		}
		await stage.press(message, 'Approve');
		const done = await waitFor('the parent goes on', 20_000, async () => {
			const execution = await statusOf(parent.id);
			return execution?.status === 'success' ? execution : undefined;
		});
		expect(firstItemOf(await stage.n8n.executionData(done.id), 'Sub')).toMatchObject({
			decision: 'approved',
			approved: true,
		});
	});

	it('n8n killed with -9 while an execution waits, and started again', async () => {
		const asked = await (await stage.createAsking({})).start();
		await stage.n8n.kill();
		await stage.n8n.boot();
		await stage.n8n.login();
		await stillWaits(asked);
		await stage.n8n.webhookUrl(
			new URL(stage.sandbox.config.bots[0]?.webhook.url ?? '').pathname.slice(9),
		);
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	}, 120_000);

	it('a stranger at the WebSocket of chats does not continue what waits for a person', async () => {
		const flow = await stage.createAsking({}, noOp('After'));
		const asked = await flow.start();
		await writeToChat(stage.n8n.url, asked.executionId, 'approved');
		await sleepMs(5_000);
		expect(await asked.status()).toBe('waiting');
	}, 120_000);

	it('the log says why answers were not taken, and holds no secret', async () => {
		const log = await fs.readFile(stage.n8n.logFile, 'utf8');
		expect(log).toContain('does not take an answer: it comes from somebody who was not asked.');
		expect(log).toContain('does not take an answer: this button was not part of the message');
		expect(log).not.toContain(stage.appSecret);
	});
});
