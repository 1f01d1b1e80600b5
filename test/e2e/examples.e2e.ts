import { randomBytes } from 'node:crypto';
import { startChatServer } from '../support/chatServer';
import { startReceiver } from '../support/receiver';
import type { Receiver } from '../support/receiver';
import { fs, path, projectRoot, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import type { StoredMessage } from '../../sandbox/diyalog';
import { exampleFiles, readExample } from '../../tools/n8n/examples';
import type { Example } from '../../tools/n8n/examples';
import { errorOf, firstItemOf, nodesRun } from '../../tools/n8n/executions';
import { Stage } from './harness/waiting';

/* Every workflow of examples/, imported into one real n8n as it is and run to its ends. */

/** Examples that need a stage of their own, and the test that runs them. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
	'confirm-payment.json': 'otp.e2e.ts',
	'login-by-code.json': 'otp.e2e.ts',
	'reset-password.json': 'otp.e2e.ts',
	'step-up-by-tap.json': 'stepUp.e2e.ts',
};

const ARRIVES_WITHIN_MS = 20_000;
/** n8n looks once a minute at what is to go on. */
const EXPIRES_WITHIN_MS = 100_000;

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
		sandbox: { signData: { scheme: 'jws', algorithm: 'HS256', key: SIGNING_SECRET } },
	});
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

/** An example in n8n, which begins with a call. */
class Running {
	private constructor(
		private readonly workflowId: string,
		private readonly url: string,
	) {}

	/** @param change what a test cannot wait for, or that has to be entered before it works */
	static async example(
		file: string,
		webhookPath: string,
		change = (example: Example): Example => example,
	): Promise<Running> {
		const example = change(await readExample(file, stage.credentialId));
		const workflowId = await stage.n8n.createWorkflow(example);
		return new Running(workflowId, await stage.n8n.webhookUrl(webhookPath));
	}

	/** Calls the workflow and waits for the question on a phone. */
	async start(body: object = {}): Promise<StoredMessage> {
		const before = stage.sandbox.messages().length;
		await postJson(this.url, body);
		return await this.question(before);
	}

	/** The newest execution, unless it failed. */
	private async latest() {
		const [newest] = await stage.n8n.executions(this.workflowId);
		if (newest?.status === 'error')
			throw new Error(JSON.stringify(errorOf(await stage.n8n.executionData(newest.id))));
		return newest;
	}

	/** The message that comes next after some that are there, once its execution waits. */
	async question(before: number): Promise<StoredMessage> {
		const message = await waitFor('the question', EXPIRES_WITHIN_MS, async () => {
			await this.latest();
			return stage.sandbox.messages()[before];
		});
		await this.newest('waiting');
		return message;
	}

	/** The data of the newest execution, once it is in a state. */
	async newest(status: string): Promise<string> {
		const id = await waitFor(`the state ${status}`, EXPIRES_WITHIN_MS, async () => {
			const newest = await this.latest();
			return newest?.status === status ? newest.id : undefined;
		});
		return await stage.n8n.executionData(id);
	}

	/** Takes it back, as n8n has one workflow for a webhook's path. */
	async end(): Promise<void> {
		await stage.n8n.switchTo(this.workflowId, 'deactivate');
	}

	/** Which of some nodes ran in the newest execution, once that has ended. */
	async ran(...nodes: string[]): Promise<string[]> {
		const data = await this.newest('success');
		return nodes.filter((node) => firstItemOf(data, node) !== undefined);
	}
}

/** Presses a button and gives the question that follows. */
async function pressAndGoOn(running: Running, message: StoredMessage, button: string) {
	const before = stage.sandbox.messages().length;
	await stage.press(message, button);
	return await running.question(before);
}

/** Puts the Diyalog Trigger of an example in the place of the stage's own, for as long as something lasts. */
async function withTriggerOf(example: Example, work: () => Promise<void>): Promise<void> {
	const [bot] = stage.sandbox.config.bots;
	const own = bot?.webhook.url ?? '';
	const name = bot?.name ?? '';
	stage.sandbox.setWebhookUrl(name, await stage.n8n.webhookUrl(example.triggerPaths[0] ?? ''));
	try {
		await work();
	} finally {
		stage.sandbox.setWebhookUrl(name, own);
	}
}

const replaced = (example: Example, text: string, by: string): Example => {
	const whole = JSON.stringify(example);
	if (!whole.includes(text)) throw new Error(`The example does not contain ${text} any more`);
	return JSON.parse(whole.replace(text, by)) as Example;
};

async function sendOtpAndReact(): Promise<void> {
	const sending = await Running.example('send-otp.json', 'send-otp');
	const url = await stage.n8n.webhookUrl('send-otp');
	const example = await readExample('react-to-press.json', stage.credentialId);
	const reacting = await stage.n8n.createWorkflow(example);
	const reactionTo = async (message: StoredMessage, button: string): Promise<string> => {
		const done = await stage.n8n.executionCount(reacting, 'success');
		await stage.press(message, button);
		await waitFor('the reaction', ARRIVES_WITHIN_MS, async () =>
			(await stage.n8n.executionCount(reacting, 'success')) > done ? true : undefined,
		);
		const [newest] = await stage.n8n.executions(reacting);
		return await stage.n8n.executionData(newest?.id ?? '');
	};
	await withTriggerOf(example, async () => {
		for (const [button, branch] of [
			['Approve', 'Carry out the transfer'],
			['Dismiss', 'Cancel the transfer'],
		] as const) {
			const before = stage.sandbox.messages().length;
			await postJson(url, {});
			const message = await stage.messageAfter(before);
			expect(await sending.ran('Send OTP')).toEqual(['Send OTP']);
			const data = await reactionTo(message, button);
			expect(firstItemOf(data, branch)).toMatchObject({ messageId: message.messageId });
		}
		const asking = await Running.example('approve-transfer.json', 'approve-transfer');
		const question = await asking.start();
		await stage.press(question, 'Onayla');
		expect(await asking.ran('Carry out the transfer')).toEqual(['Carry out the transfer']);
		const late = await reactionTo(question, 'Onayla');
		expect(firstItemOf(late, 'Button pressed')).toMatchObject({ resumed: false });
		expect(nodesRun(late)).toEqual(['Button pressed', 'No late answer']);
		await asking.end();
	});
}

/** Long enough for a tap of this test, and no longer. */
const SHORT = '"resumeAmount":0.2,';
/** Long enough for the taps of several people, which are counted one after the other. */
const TAPS_OF_SEVERAL = '"resumeAmount":0.4,';
const waiting = (minutes: number): string => `"resumeAmount":${minutes},`;

async function approveTransfer(): Promise<void> {
	const ends = ['Carry out the transfer', 'Say that nobody answered', 'Say that it was declined'];
	const running = await Running.example('approve-transfer.json', 'approve-transfer', (example) =>
		replaced(
			example,
			'"options":{"messageIdPrefix":"transfer"',
			`"options":{"limitWaitTime":{"values":{"limitType":"afterTimeInterval",${SHORT}"resumeUnit":"minutes"}},"messageIdPrefix":"transfer"`,
		),
	);
	await stage.press(await running.start(), 'Onayla');
	expect(await running.ran(...ends)).toEqual(['Carry out the transfer']);
	await stage.press(await running.start(), 'Reddet');
	expect(await running.ran(...ends)).toEqual(['Say that it was declined']);
	await running.start();
	expect(await running.ran(...ends)).toEqual(['Say that nobody answered']);
}

async function escalate(): Promise<void> {
	const nodes = [
		'Ask the second person',
		'Raise the limit',
		'Say that nobody answered',
		'Leave it as it is',
	];
	const running = await Running.example('escalate.json', 'escalate', (example) =>
		[1, 2].reduce((each) => replaced(each, waiting(10), SHORT), example),
	);
	await stage.press(await running.start(), 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['Raise the limit']);

	const refused = await running.start();
	expect(refused).toMatchObject({ customerNo: '70021' });
	await stage.press(refused, 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['Leave it as it is']);

	const first = await running.start({ branch: 'Beşiktaş' });
	const second = await running.question(stage.sandbox.messages().length);
	expect(second).toMatchObject({ customerNo: '70022' });
	expect(second.mokMessage).toContain('Beşiktaş şubesinin kasa limiti 500.000,00 TL');
	// Too late: this is not the question that is waited for.
	await stage.press(first, 'Reddet');
	await stage.press(second, 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['Ask the second person', 'Raise the limit']);

	await running.start();
	await stage.press(await running.question(stage.sandbox.messages().length), 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['Ask the second person', 'Leave it as it is']);

	await running.start();
	await running.question(stage.sandbox.messages().length);
	expect(await running.ran(...nodes)).toEqual([
		'Ask the second person',
		'Say that nobody answered',
	]);
}

async function remindThenEscalate(): Promise<void> {
	const nodes = [
		'Remind',
		'Ask the next person',
		'Release the payments',
		'Say that nobody answered',
		'Hold them back',
	];
	const path = 'remind-then-escalate';
	const running = await Running.example(`${path}.json`, path, (example) =>
		[1, 2, 3].reduce((each) => replaced(each, waiting(10), SHORT), example),
	);
	const next = async () => await running.question(stage.sandbox.messages().length);

	await stage.press(await running.start(), 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['Release the payments']);
	await stage.press(await running.start(), 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['Hold them back']);

	const first = await running.start({ payments: 'Aralık maaşları' });
	const reminder = await next();
	expect(reminder).toMatchObject({ customerNo: '70021' });
	expect(reminder.mokMessage).toContain('Hatırlatma: Aralık maaşları');
	// After the reminder only its own buttons count.
	await stage.press(first, 'Reddet');
	await stage.press(reminder, 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['Remind', 'Release the payments']);

	await running.start();
	await stage.press(await next(), 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['Remind', 'Hold them back']);

	for (const [button, end] of [
		['Onayla', 'Release the payments'],
		['Reddet', 'Hold them back'],
		[undefined, 'Say that nobody answered'],
	] as const) {
		await running.start({ payments: 'Aralık maaşları' });
		await next();
		const asked = await next();
		expect(asked).toMatchObject({ customerNo: '70022' });
		expect(asked.mokMessage).toContain('Aralık maaşları için 1.840.000,00 TL');
		if (button) await stage.press(asked, button);
		expect(await running.ran(...nodes)).toEqual(['Remind', 'Ask the next person', end]);
	}
}

async function reasonForDecline(): Promise<void> {
	const nodes = [
		'Prepare the contract',
		'Say that nobody answered',
		'Ask why',
		'Keep the reason',
		'Go on without a reason',
	];
	const path = 'reason-for-decline';
	const running = await Running.example(`${path}.json`, path, (example) =>
		replaced(
			replaced(example, waiting(30), SHORT),
			'"options":{"messageIdPrefix":"loan"',
			`"options":{"limitWaitTime":{"values":{"limitType":"afterTimeInterval",${SHORT}"resumeUnit":"minutes"}},"messageIdPrefix":"loan"`,
		),
	);
	await stage.press(await running.start(), 'Kabul ediyorum');
	expect(await running.ran(...nodes)).toEqual(['Prepare the contract']);

	const question = await pressAndGoOn(running, await running.start(), 'İstemiyorum');
	expect(question).toMatchObject({
		customerNo: '70021',
		mokMessage: 'Neden istemediğinizi kısaca yazar mısınız?',
	});
	await stage.type('Faiz yüksek.');
	expect(await running.ran(...nodes)).toEqual(['Ask why', 'Keep the reason']);
	const data = await running.newest('success');
	expect(firstItemOf(data, 'Keep the reason')).toMatchObject({
		decision: 'answered',
		value: 'Faiz yüksek.',
		input: { decision: 'declined' },
	});

	await pressAndGoOn(running, await running.start(), 'İstemiyorum');
	expect(await running.ran(...nodes)).toEqual(['Ask why', 'Go on without a reason']);

	await running.start();
	expect(await running.ran(...nodes)).toEqual(['Say that nobody answered']);
}

async function twoApprovals(): Promise<void> {
	const ends = ['Ask the second person', 'Carry out the transfer', 'Do not carry it out'];
	const running = await Running.example('two-approvals.json', 'two-approvals', (example) =>
		[1, 2].reduce((each) => replaced(each, waiting(15), SHORT), example),
	);
	const second = await pressAndGoOn(running, await running.start(), 'Onayla');
	expect(second).toMatchObject({ customerNo: '70022' });
	await stage.press(second, 'Onayla');
	expect(await running.ran(...ends)).toEqual(['Ask the second person', 'Carry out the transfer']);

	await stage.press(await pressAndGoOn(running, await running.start(), 'Onayla'), 'Reddet');
	expect(await running.ran(...ends)).toEqual(['Ask the second person', 'Do not carry it out']);

	await pressAndGoOn(running, await running.start(), 'Onayla');
	expect(await running.ran(...ends)).toEqual(['Ask the second person', 'Do not carry it out']);

	await stage.press(await running.start(), 'Reddet');
	expect(await running.ran(...ends)).toEqual(['Do not carry it out']);

	await running.start();
	expect(await running.ran(...ends)).toEqual(['Do not carry it out']);
}

async function twoApprovalsOfOnePerson(): Promise<void> {
	const running = await Running.example('two-approvals.json', 'two-approvals-alone', (example) =>
		replaced(example, '"path":"two-approvals"', '"path":"two-approvals-alone"'),
	);
	const before = stage.sandbox.messages().length;
	await postJson(`${stage.n8n.url}/webhook/two-approvals-alone`, {
		firstPerson: '70021',
		secondPerson: ' 70021',
	});
	expect(await running.ran('Do not carry it out')).toEqual(['Do not carry it out']);
	expect(stage.sandbox.messages()).toHaveLength(before);
}

async function agentWithHumanReview(): Promise<void> {
	const chat = await startChatServer({
		toolParameters: { payee: 'Zeynep Işık', amount: '250' },
		hitlParameters: {},
	});
	try {
		const openAi = await stage.n8n.createCredential(
			'OpenAI',
			{ apiKey: 'a-key', url: chat.url, header: false },
			'openAiApi',
		);
		const running = await Running.example('agent-with-human-review.json', 'agent', (example) => {
			const bound = replaced(
				example,
				'"openAiApi":{"id":""',
				`"openAiApi":{"id":${JSON.stringify(openAi)}`,
			);
			return replaced(bound, 'https://core-banking.example.com/transfers', chat.toolUrl);
		});
		const declined = await running.start({ customerNo: '70022' });
		expect(declined).toMatchObject({
			customerNo: '70022',
			text: 'Yapay zekâ asistanı Zeynep Işık adına 250 TL göndermek istiyor. Onaylıyor musunuz?\n\nTransfer_money: {"payee":"Zeynep Işık","amount":"250"}',
		});
		await stage.press(declined, 'Reddet');
		expect(await running.ran('Agent', 'Transfer money')).toEqual(['Agent']);
		expect(chat.deeds).toEqual([]);

		await stage.press(await running.start(), 'Onayla');
		expect(await running.ran('Agent')).toEqual(['Agent']);
		expect(chat.deeds).toEqual([{ payee: 'Zeynep Işık', amount: '250' }]);
	} finally {
		await chat.close();
	}
}

async function deliveryDashboard(): Promise<void> {
	const example = await readExample('delivery-dashboard.json', stage.credentialId);
	await stage.n8n.createWorkflow(example);
	const send = await stage.n8n.webhookUrl('delivery-dashboard-send');
	const look = async (): Promise<string> => {
		const response = await fetch(`${stage.n8n.url}/webhook/delivery-dashboard`);
		expect(response.headers.get('content-type')).toContain('text/html');
		return await response.text();
	};
	const row = (...cells: Array<string | number>) =>
		`<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
	expect(await look()).not.toContain('<td>');
	await withTriggerOf(example, async () => {
		// Different customers: the next code to the same one would have to wait.
		for (const [txCode, customerNo] of [
			['LOGIN', '70021'],
			['LOGIN', '70022'],
			['<b>', '123456789'],
		]) {
			expect((await postJson(send, { txCode, customerNo })).status).toBe(200);
		}
		stage.sandbox.markRead({ customerNo: '70021' });
		await stage.sandbox.flush();
		const rows = [row('LOGIN', 2, 2, 1), row('&#60;b&#62;', 1, 1, 0)];
		await waitFor('the counts', ARRIVES_WITHIN_MS, async () => {
			const page = await look();
			return rows.every((each) => page.includes(each)) ? true : undefined;
		});
	});
}

async function askAnEmployee(): Promise<void> {
	const paid = 'Carry out the payment';
	const tell = (result: string) => `Tell the customer: ${result}`;
	const nodes = [paid, ...['paid', 'nobody answered', 'declined'].map(tell)];
	const path = 'ask-an-employee';
	const running = await Running.example(`${path}.json`, path, (example) =>
		replaced(example, waiting(30), SHORT),
	);
	for (const [button, ran, said] of [
		['Onayla', [paid, tell('paid')], 'ödemeniz yapıldı.'],
		['Reddet', [tell('declined')], 'ödemeniz onaylanmadı ve yapılmadı.'],
		[undefined, [tell('nobody answered')], 'ödemeniz yapılmadı: onay süresi doldu.'],
	] as const) {
		// The app that asks for a payment does not choose its approver.
		const question = await running.start({ customerNo: '70022', employeeNo: 'E101' });
		expect(question).toMatchObject({ employeeNo: 'E100' });
		const before = stage.sandbox.messages().length;
		if (button) await stage.press(question, button);
		expect(await running.ran(...nodes)).toEqual(ran);
		expect(stage.sandbox.messages().slice(before)).toEqual([
			expect.objectContaining({
				customerNo: '70022',
				text: expect.stringContaining(`Zeynep Işık adına 48.000,00 TL ${said}`) as string,
			}),
		]);
	}
}

async function receipt(): Promise<void> {
	const ends = ['Keep the answer', 'Go on without an answer'];
	const running = await Running.example('receipt.json', 'receipt', (example) =>
		replaced(example, waiting(60), SHORT),
	);
	for (const [button, value] of [
		['Çok iyiydi', '5'],
		['Beni arayın', 'callMe'],
		[undefined, undefined],
	] as const) {
		const sent = await running.start({ customerNo: '70022', payee: 'Ada Işık' });
		const { document } = sent;
		expect(sent).toMatchObject({ customerNo: '70022', kind: 'document' });
		expect(document?.fileName).toMatch(/^dekont-[\d-]{10}\.txt$/);
		const text = Buffer.from(document?.fileData ?? '', 'base64').toString();
		expect(text).toContain('Alıcı: Ada Işık\nTutar: 1.250,00 TL');

		const question = stage.sandbox.messages().at(-1) ?? sent;
		expect(question).toMatchObject({ customerNo: '70022', kind: 'quickReplies' });
		expect(question.quickReplies).toHaveLength(5);
		if (button) await stage.press(question, button);
		expect(await running.ran(...ends)).toEqual([ends[button ? 0 : 1]]);
		const kept = firstItemOf(await running.newest('success'), 'Keep the answer');
		if (button) expect(kept).toMatchObject({ decision: 'chosen', value });
	}
}

interface Scenario {
	/** of examples/ */
	files: string[];
	what: string;
	run: () => Promise<void>;
}

/** What has come to phones behind some messages that were there, in the order of the employees. */
const askedAfter = (before: number): StoredMessage[] =>
	stage.sandbox
		.messages()
		.slice(before)
		.sort((one, other) => (one.employeeNo ?? '').localeCompare(other.employeeNo ?? ''));

/** What has come to one customer behind some messages that were there. */
const messagesTo = (customerNo: string, before: number): StoredMessage[] =>
	stage.sandbox
		.messages()
		.slice(before)
		.filter((message) => message.customerNo === customerNo);

/** Several press a button at the same moment. */
async function pressAll(messages: ReadonlyArray<StoredMessage | undefined>, button: string) {
	for (const message of messages) {
		if (!message) throw new Error('Somebody was not asked');
		stage.sandbox.pressButton({ messageId: message.messageId, id: message.id, button });
	}
	await stage.sandbox.flush();
}

async function fourEyesPayment(): Promise<void> {
	const path = 'four-eyes-payment';
	const nodes = [
		'The customer signs',
		'Carry out the payment',
		'The customer did not answer',
		'The customer declined',
		'Too few employees answered',
		'Two employees declined',
	];
	const running = await Running.example(`${path}.json`, path, (example) =>
		[30, 10].reduce((each, minutes) => replaced(each, waiting(minutes), TAPS_OF_SEVERAL), example),
	);
	const start = async () => {
		const before = stage.sandbox.messages().length;
		await running.start({ customerNo: '70022', payee: 'Ada Işık' });
		const asked = askedAfter(before);
		expect(asked.map(({ employeeNo }) => employeeNo)).toEqual(['E100', 'E101', 'E102']);
		return asked;
	};
	/** The question to the customer, once two employees have approved it. */
	const untilCustomer = async () => {
		const [first, second, third] = await start();
		const before = stage.sandbox.messages().length;
		await pressAll([second], 'Reddet');
		await pressAll([first, third], 'Onayla');
		const customer = await waitFor('the question to the customer', EXPIRES_WITHIN_MS, () =>
			messagesTo('70022', before).at(0),
		);
		expect(customer.mokMessage).toContain('Ada Işık adına 480.000,00 TL');
		await running.newest('waiting');
		return customer;
	};

	await stage.press(await untilCustomer(), 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['The customer signs', 'Carry out the payment']);
	const done = firstItemOf(await running.newest('success'), 'Carry out the payment');
	expect(done).toMatchObject({ decision: 'approved', payloadSignature: 'valid' });

	await stage.press(await untilCustomer(), 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['The customer signs', 'The customer declined']);

	// An app that does not sign, or whose signature is not the customer's, has not approved.
	const unsigned = await untilCustomer();
	try {
		for (const fault of [{ signDataUnsupported: true }, { forgeSignature: true }]) {
			stage.sandbox.setFaults({ signDataUnsupported: false, forgeSignature: false, ...fault });
			await stage.press(unsigned, 'Onayla');
		}
	} finally {
		stage.sandbox.setFaults({ signDataUnsupported: false, forgeSignature: false });
	}
	const refused = { resumed: false, notResumedReason: 'notSigned' };
	expect(await stage.triggeredFor(unsigned.messageId, 2)).toEqual([
		expect.objectContaining(refused),
		expect.objectContaining(refused),
	]);
	expect(await running.ran(...nodes)).toEqual([
		'The customer signs',
		'The customer did not answer',
	]);

	const [one, two] = await start();
	await pressAll([one, two], 'Reddet');
	expect(await running.ran(...nodes)).toEqual(['Two employees declined']);

	const [alone] = await start();
	await pressAll([alone, alone], 'Onayla');
	expect(await running.ran(...nodes)).toEqual(['Too few employees answered']);
}

async function onCall(): Promise<void> {
	const ends = ['Give them the case', 'Call the manager'];
	const employees = ['E100', 'E101', 'E102', 'E103', 'E104'];
	const running = await Running.example('on-call.json', 'on-call', (example) =>
		replaced(example, waiting(10), SHORT),
	);
	const before = stage.sandbox.messages().length;
	await running.start({ what: 'ATM 17 yanıt vermiyor' });
	const asked = askedAfter(before);
	expect(asked.map(({ employeeNo }) => employeeNo)).toEqual(employees);
	await pressAll([asked[3], asked[0]], 'Ben ilgileniyorum');
	expect(await running.ran(...ends)).toEqual(['Give them the case']);
	const given = firstItemOf(await running.newest('success'), 'Give them the case');
	const { employeeNo: taker = '' } = given as { employeeNo?: string };
	// Both have tapped at the same moment, and one of them has it.
	expect(['E100', 'E103']).toContain(taker);
	const told = await waitFor('all are told', ARRIVES_WITHIN_MS, () => {
		const messages = askedAfter(before + employees.length);
		return messages.length >= employees.length + 1 ? messages : undefined;
	});
	const textsOf = (text: string) =>
		told.filter((message) => message.text === text).map(({ employeeNo }) => employeeNo);
	expect(textsOf('Bu alarmı bir kişi üstlendi.')).toEqual(employees);
	expect(textsOf('Alarm sizde: ATM 17 yanıt vermiyor.')).toEqual([taker]);

	await running.start();
	expect(await running.ran(...ends)).toEqual(['Call the manager']);
}

async function onCallReachesNobody(): Promise<void> {
	const path = 'on-call-unreached';
	const running = await Running.example('on-call.json', path, (example) =>
		['E100', 'E101', 'E102', 'E103', 'E104'].reduce(
			(each, employeeNo) => replaced(each, `"${employeeNo}"`, `"unknown-${employeeNo}"`),
			replaced(example, '"path":"on-call"', `"path":"${path}"`),
		),
	);
	await postJson(`${stage.n8n.url}/webhook/${path}`, {});
	const ran = await running.ran('Give them the case', 'Call the manager');
	expect(ran).toEqual(['Call the manager']);
}

/** The example with the SMS provider of a test. */
const smsFallback = (example: Example, sms: Receiver): Example =>
	replaced(example, 'https://sms.example.com/messages', sms.url);

const codeIn = (text = ''): string => /\d{6}/.exec(text)?.[0] ?? '';

const smsOf = ({ received }: Receiver) =>
	JSON.parse(received.at(-1)?.body ?? '{}') as { to?: string; text?: string };

async function otpWithSmsFallback(): Promise<void> {
	const path = 'otp-with-sms-fallback';
	const sms = await startReceiver();
	try {
		const running = await Running.example(`${path}.json`, path, (example) => {
			// The test looks at what is not kept otherwise, and waits for a phone that is off less long.
			const kept = replaced(example, '"saveDataSuccessExecution":"none"', '"timezone":"UTC"');
			return smsFallback(replaced(kept, '"resumeAmount":20', '"resumeAmount":6'), sms);
		});
		const url = await stage.n8n.webhookUrl(path);
		const check = await stage.n8n.webhookUrl(`${path}-check`);
		/** Asks for a code, and gives the data of the execution once it has ended. */
		const send = async (customerNo: string): Promise<string> => {
			await postJson(url, { customerNo, phone: '+90 555 111 22 33' });
			return await waitFor('the end', EXPIRES_WITHIN_MS, async () => {
				const data = await running.newest('success');
				const login = firstItemOf(data, 'Login') as { customerNo?: string };
				return login.customerNo === customerNo ? data : undefined;
			});
		};
		const keptIn = (data: string) =>
			firstItemOf(data, 'Keep the challenge') as { challenge: string; decision: string };
		const verify = async (challenge: string, code: string, customerNo: string) =>
			(await postJson(check, { challenge, code, customerNo })).status;

		const before = stage.sandbox.messages().length;
		const delivered = keptIn(await send('70022'));
		const [inApp] = messagesTo('70022', before);
		expect(Object.keys(delivered).sort()).toEqual(['challenge', 'decision', 'expiresAt']);
		expect(delivered.decision).toBe('delivered');
		expect(sms.received).toEqual([]);
		const code = codeIn(inApp?.mokMessage);
		expect(code).not.toBe('');
		const wrong = code === '000000' ? '000001' : '000000';
		expect(await verify(delivered.challenge, wrong, '70022')).toBe(401);
		expect(await verify(delivered.challenge, code, '70021')).toBe(401);
		expect(await verify(delivered.challenge, code, '70022')).toBe(200);
		expect(await verify(delivered.challenge, code, '70022')).toBe(401);

		// A phone that is off gets the same code later: one of the two decides.
		stage.sandbox.setFaults({ phonesOff: true });
		const off = keptIn(await send('70021'));
		expect(off.decision).toBe('notDelivered');
		expect(sms.received).toHaveLength(1);
		expect(smsOf(sms).to).toBe('+90 555 111 22 33');
		stage.sandbox.setFaults({ phonesOff: false });
		const late = await waitFor('the code in the app', ARRIVES_WITHIN_MS, () =>
			messagesTo('70021', before).at(0),
		);
		expect(codeIn(late.mokMessage)).toBe(codeIn(smsOf(sms).text));
		expect(await verify(off.challenge, codeIn(smsOf(sms).text), '70021')).toBe(200);

		const unknown = keptIn(await send('404404'));
		expect(unknown.decision).toBe('notDelivered');
		expect(sms.received).toHaveLength(2);
		expect(await verify(unknown.challenge, codeIn(smsOf(sms).text), '404404')).toBe(200);

		sms.answer = { status: 500, text: 'no SMS today' };
		const failed = await send('404405');
		expect(firstItemOf(failed, 'Neither way worked')).toBeDefined();
		expect(firstItemOf(failed, 'Keep the challenge')).toBeUndefined();
	} finally {
		stage.sandbox.setFaults({ phonesOff: false });
		await sms.close();
	}
}

async function otpWithSmsFallbackKeepsNothing(): Promise<void> {
	const path = 'otp-with-sms-kept';
	const sms = await startReceiver();
	try {
		const example = smsFallback(
			[path, `${path}-check`].reduce(
				(each, other) =>
					replaced(
						each,
						`"path":"${other.replace(path, 'otp-with-sms-fallback')}"`,
						`"path":"${other}"`,
					),
				await readExample('otp-with-sms-fallback.json', stage.credentialId),
			),
			sms,
		);
		const workflowId = await stage.n8n.createWorkflow(example);
		const url = await stage.n8n.webhookUrl(path);
		for (const [status, customerNo] of [
			[200, '404406'],
			[500, '404407'],
		] as const) {
			const before = sms.received.length;
			sms.answer = { status, text: 'ok' };
			await postJson(url, { customerNo });
			await waitFor('the SMS', ARRIVES_WITHIN_MS, () => sms.received[before]);
			await waitFor('an execution that is deleted', ARRIVES_WITHIN_MS, async () =>
				(await stage.n8n.executions(workflowId)).length === 0 ? true : undefined,
			);
		}
	} finally {
		await sms.close();
	}
}

const SCENARIOS: Scenario[] = [
	{
		files: ['send-otp.json', 'react-to-press.json'],
		what: 'a press takes the branch of its payload, a late answer to a question none',
		run: sendOtpAndReact,
	},
	{
		files: ['approve-transfer.json'],
		what: 'only a tap on Approve carries it out',
		run: approveTransfer,
	},
	{
		files: ['escalate.json'],
		what: 'a refusal ends it; without an answer the second person is asked',
		run: escalate,
	},
	{
		files: ['remind-then-escalate.json'],
		what: 'without an answer the same person is asked again, then the next one, then nobody',
		run: remindThenEscalate,
	},
	{
		files: ['reason-for-decline.json'],
		what: 'who declines is asked why, and has declined without an answer too',
		run: reasonForDecline,
	},
	{
		files: ['two-approvals.json'],
		what: 'both have to approve; after a refusal nobody else is asked',
		run: twoApprovals,
	},
	{
		files: ['two-approvals.json'],
		what: 'one person twice is not two',
		run: twoApprovalsOfOnePerson,
	},
	{
		files: ['agent-with-human-review.json'],
		what: 'the tool runs after a tap only (the model is a stub)',
		run: agentWithHumanReview,
	},
	{
		files: ['delivery-dashboard.json'],
		what: 'counts what was sent, delivered and read by transaction code',
		run: deliveryDashboard,
	},
	{
		files: ['ask-an-employee.json'],
		what: 'only a tap of the employee carries it out; the customer is told each result',
		run: askAnEmployee,
	},
	{
		files: ['four-eyes-payment.json'],
		what: 'only two of three employees and the signed answer of the customer carry it out',
		run: fourEyesPayment,
	},
	{
		files: ['on-call.json'],
		what: 'the first who taps takes it, and all are told; without an answer the manager is next',
		run: onCall,
	},
	{
		files: ['on-call.json'],
		what: 'the manager is next when nobody could be asked',
		run: onCallReachesNobody,
	},
	{
		files: ['otp-with-sms-fallback.json'],
		what: 'the code arrives in the app, or by SMS, and is verified either way',
		run: otpWithSmsFallback,
	},
	{
		files: ['otp-with-sms-fallback.json'],
		what: 'n8n keeps no execution with a code, also when the SMS fails',
		run: otpWithSmsFallbackKeepsNothing,
	},
	{
		files: ['receipt.json'],
		what: 'the file arrives before the question, and each choice is a value',
		run: receipt,
	},
];

it.each(SCENARIOS.map(({ files, what, run }) => [`${files.join(', ')}: ${what}`, run] as const))(
	'%s',
	async (_name, run) => await run(),
	900_000,
);

it('every example is run, here or where it says', async () => {
	const here = SCENARIOS.flatMap(({ files }) => files);
	const files = await exampleFiles();
	expect([...new Set([...here, ...Object.keys(RUN_ELSEWHERE)])].sort()).toEqual(files.sort());
	for (const [file, test] of Object.entries(RUN_ELSEWHERE)) {
		const text = await fs.readFile(path.join(projectRoot, 'test', 'e2e', test), 'utf8');
		expect(text).toContain(`'${file}'`);
	}
});
