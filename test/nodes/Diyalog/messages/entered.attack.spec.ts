import type { INodeParameters } from 'n8n-workflow';
import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { WaitingInstance } from '../../../support/waitingInstance';

/*
 * Attacks on what is entered for messages and questions: switches about which an expression says nothing, words that look the
 * same, and data of any size from somebody else. Nothing is sent then.
 */

const SECRET = randomBytes(16).toString('hex');

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;

beforeAll(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = {
		serverUrl: sandbox.url,
		botToken: 'bot-token',
		appSecret: SECRET,
		payloadSignature: 'jws',
		signingAlgorithm: 'HS256',
		signingSecret: 'a'.repeat(64),
	};
});

afterAll(async () => {
	await sandbox.close();
	await instance.close();
});

/** The error with which a question is refused, before anything is sent. */
async function refusedQuestion(parameters: INodeParameters): Promise<string> {
	const before = sandbox.messages().length;
	const message = await instance.ask(credentials, parameters).then(
		() => 'nothing was refused',
		({ message: refusal }: Error) => refusal,
	);
	expect(sandbox.messages()).toHaveLength(before);
	return message;
}

async function send(parameters: INodeParameters): Promise<string | undefined> {
	const { error } = await runDiyalogNode({
		credentials,
		parameters: { operation: 'send', customerNo: '70021', message: 'Hello', ...parameters },
	});
	return error?.message;
}

/** The error with which a message is refused, before anything is sent. */
async function refusedMessage(parameters: INodeParameters): Promise<string> {
	const before = sandbox.messages().length;
	const message = await send(parameters);
	expect(sandbox.messages()).toHaveLength(before);
	return message ?? 'nothing was refused';
}

const asJson = (message: object): INodeParameters => ({
	resource: 'message',
	specifyMessage: 'json',
	messageJson: JSON.stringify({ recipient: { appCustomerId: '70021' }, message }),
});

const NOTHING = [
	'={{ $json.missing }}',
	'={{ undefined }}',
	'={{ null }}',
	'={{ "" }}',
	'={{ 0 }}',
];

describe('a switch about which an expression says nothing is not off:', () => {
	it.each(NOTHING)('1. Require Signed Payload %s', async (requireSignedPayload) => {
		expect(await refusedQuestion({ options: { requireSignedPayload } })).toMatch(
			/^Require Signed Payload (is neither on nor off|has a value that is not possible) /,
		);
	});

	it.each(NOTHING)(
		'2. Auto-Fill in the App %s, which would hand the code to it',
		async (autoFill) => {
			const code = { otpMode: 'generate', message: 'Your code is {code}.', autoFill };
			const expected =
				/^Auto-Fill in the App (is neither on nor off|has a value that is not possible) /;
			expect(await refusedMessage({ resource: 'otp', ...code })).toMatch(expected);
			expect(await refusedQuestion(code)).toMatch(expected);
		},
	);
});

const SAME = [
	['OK', 'OK'],
	['OK', ' OK '],
	['Approve', 'App\u200brove'],
	['Approve', '\u202dApprove'],
	['Approve', 'Ａpprove'],
	['I agree', 'I\u00a0agree'],
	['Yes', 'Yes\u3164'],
	['Yes', 'Yes\ufe0f'],
	['Öde', 'O\u0308de'],
] as const;

describe('two answers look the same:', () => {
	it.each(SAME)('3. Approve %j, Decline %j', async (approveLabel, disapproveLabel) => {
		const values = { approvalType: 'double', approveLabel, disapproveLabel };
		expect(await refusedQuestion({ approvalOptions: { values } })).toMatch(
			/^Decline Button Label looks like another button /,
		);
	});

	it('4. Approve has the words of Decline, which were left as they are', async () => {
		const values = { approvalType: 'double', approveLabel: 'Decline' };
		expect(await refusedQuestion({ approvalOptions: { values } })).toMatch(/looks like another/);
	});

	it.each(SAME)("4b. one of the other buttons %j, It Wasn't Me %j", async (other, reportLabel) => {
		const report = { offerReport: true, reportLabel };
		for (const values of [
			{ ...report, approveLabel: other },
			{ ...report, approveLabel: 'Go on', disapproveLabel: other },
			{ ...report, approvalType: 'single', approveLabel: other },
		]) {
			expect(await refusedQuestion({ approvalOptions: { values } })).toMatch(
				/^It Wasn't Me Button Label looks like another button /,
			);
		}
	});

	it("4c. an expression gives nothing for Offer It Wasn't Me", async () => {
		for (const offerReport of ['={{ null }}', '={{ undefined }}', '={{ "true" }}']) {
			expect(await refusedQuestion({ approvalOptions: { values: { offerReport } } })).toMatch(
				/^Offer It Wasn't Me (is neither on nor off|has a value that is not possible) /,
			);
		}
	});

	it.each(SAME)('5. choices %j and %j', async (one, other) => {
		const choices = [
			{ title: one, value: 'a' },
			{ title: other, value: 'b' },
		];
		const json = { specifyChoices: 'json', choicesJson: JSON.stringify(choices) };
		const expected = /^Choices has the same title twice /;
		expect(await refusedQuestion({ responseType: 'choice', ...json })).toMatch(expected);
		const byFields = { responseType: 'choice', choices: { choice: choices } };
		expect(await refusedQuestion({ resource: 'message', ...byFields })).toMatch(expected);
	});

	it('6. what a person can tell apart is asked', async () => {
		const choicesJson = '["Ol", "Öl", "ol", "Sil", "Şil", "1", "11"]';
		const question = { responseType: 'choice', specifyChoices: 'json', choicesJson };
		await instance.ask(credentials, { resource: 'message', ...question });
		const values = { approvalType: 'single', approveLabel: 'Decline' };
		await instance.ask(credentials, { approvalOptions: { values } });
	});
});

/** As long as n8n may stand still for one item, on a slow and busy machine. */
const SOON_MS = 3_000;

describe('data of any size from somebody else holds nothing up:', () => {
	const many = (entry: unknown) => JSON.stringify(Array<unknown>(500_000).fill(entry));
	const list = (entry: unknown) => Array<unknown>(500_000).fill(entry);
	const buttons = { type: 'template', payload: { templateType: 'button', text: 'x' } };
	const ofOtp = { resource: 'otp', below: 'buttons', specifyButtons: 'json' };

	it.each<[string, INodeParameters]>([
		['texts as buttons', { ...ofOtp, buttonsJson: many('a') }],
		['lists as buttons', { ...ofOtp, buttonsJson: many([]) }],
		[
			'quick replies',
			{
				resource: 'message',
				below: 'quickReplies',
				specifyQuickReplies: 'json',
				quickRepliesJson: many('a'),
			},
		],
		[
			'cards',
			{
				resource: 'message',
				operation: 'sendCarousel',
				specifyCards: 'json',
				cardsJson: many({ title: 'a' }),
			},
		],
		[
			'buttons of one card',
			{
				resource: 'message',
				operation: 'sendCarousel',
				specifyCards: 'json',
				cardsJson: JSON.stringify([{ title: 'a', buttons: list('a') }]),
			},
		],
		['quickReplies of a whole message', asJson({ text: 'x', quickReplies: list(1) })],
		['quickRepliesV2 of a whole message', asJson({ text: 'x', quickRepliesV2: list(1) })],
		[
			'buttonsV2 of a whole message',
			asJson({ attachment: { ...buttons, payload: { ...buttons.payload, buttonsV2: list(1) } } }),
		],
		[
			'buttonsV2 of a whole OTP',
			{
				resource: 'otp',
				specifyMessage: 'json',
				messageJson: JSON.stringify({
					customerNo: '70021',
					messageId: '1',
					mokMessage: 'x',
					buttonsV2: list(1),
				}),
			},
		],
	])('7. half a million of %s', async (_what, parameters) => {
		const start = performance.now();
		expect(await refusedMessage(parameters)).toMatch(/ has 500000 entries /);
		expect(performance.now() - start).toBeLessThan(SOON_MS);
	});

	it('8. half a million choices', async () => {
		const question = {
			responseType: 'choice',
			specifyChoices: 'json',
			choicesJson: many('a'),
		};
		const start = performance.now();
		expect(await refusedQuestion(question)).toMatch(/ has 500000 entries /);
		expect(performance.now() - start).toBeLessThan(SOON_MS);
	});

	it('9. a file of padding alone, which once took the square of its length', async () => {
		const document = { fileName: 'a.pdf', fileData: `${'='.repeat(4_000_000)}x` };
		const start = performance.now();
		await send(asJson({ document }));
		expect(performance.now() - start).toBeLessThan(SOON_MS);
	});

	it.each([
		['names in braces', '{a} '.repeat(2_000_000)],
		['letters beyond ASCII', 'ğ'.repeat(5_000_000)],
		['one string of JSON', `{"${'a'.repeat(10_000_000)}"}`],
	])('10. a text of megabytes: %s', async (_what, message) => {
		const start = performance.now();
		expect(await refusedMessage({ resource: 'message', message })).toMatch(
			/^Message is longer than 1000000 characters /,
		);
		expect(performance.now() - start).toBeLessThan(SOON_MS);
	});
});

describe('what stands in the place of a name in JSON is not repeated by the error:', () => {
	it.each(['70021', '482913', 'TR330006100519786457841326', 'bot-token', 'a1b2c3d4e5f6', 'Ayşe'])(
		'11. %s',
		async (name) => {
			const expected = /^Message \(JSON\): message has a name that is not known \[item 0\]$/;
			expect(await refusedMessage(asJson({ text: 'x', [name]: 1 }))).toMatch(expected);
		},
	);

	it('12. but a misspelled name is', async () => {
		expect(await refusedMessage(asJson({ text: 'x', quickRepliesV3: [] }))).toMatch(
			/has a name that is not known: quickRepliesV3 /,
		);
	});

	it.each([
		'{"__proto__":{"text":"x"}}',
		'{"text":"x","constructor":{"prototype":{"polluted":1}}}',
	])('13. %s changes no prototype, and is not sent', async (message) => {
		const messageJson = `{"recipient":{"appCustomerId":"70021"},"message":${message}}`;
		await refusedMessage({ resource: 'message', specifyMessage: 'json', messageJson });
		expect({}).not.toHaveProperty('polluted');
		expect({}).not.toHaveProperty('text');
	});
});

describe('a message takes the id of another one:', () => {
	it.each(['otp', 'message'])(
		'14. of a question that is asked, so that a press would answer that: with the resource %s',
		async (resource) => {
			await instance.ask(credentials, {});
			const messageId = sandbox.messages().at(-1)?.messageId ?? '';
			const offer = { title: 'Show Me the Offer', value: 'approve' };
			const buttons = { specifyButtons: 'json', buttonsJson: JSON.stringify([offer]) };
			const byFields = {
				resource,
				below: 'buttons',
				...buttons,
				options: { messageId },
			};
			const expected = /^Message ID is that of a question which an execution asks /;
			expect(await refusedMessage(byFields)).toMatch(expected);
			const text = { customerNo: '70021', messageId, mokMessage: 'x' };
			const whole = {
				resource,
				specifyMessage: 'json',
				messageJson: JSON.stringify(text),
			};
			expect(
				await refusedMessage(resource === 'otp' ? whole : asJson({ text: 'x', messageId })),
			).toMatch(expected);
		},
	);

	it('16. of a question, on a card or inside a template', async () => {
		await instance.ask(credentials, {});
		const messageId = sandbox.messages().at(-1)?.messageId ?? '';
		const cards = [{ title: 'a', messageId, buttons: ['approve'] }];
		const carousel = {
			resource: 'message',
			operation: 'sendCarousel',
			specifyCards: 'json',
		};
		const expected = /^Message ID is that of a question which an execution asks /;
		expect(await refusedMessage({ ...carousel, cardsJson: JSON.stringify(cards) })).toMatch(
			expected,
		);
		const button = { type: 'postback', title: 'a', payload: 'approve' };
		const payload = { templateType: 'button', text: 'x', messageId, buttonsV2: [button] };
		const attachment = { type: 'template', payload };
		expect(await refusedMessage(asJson({ messageId: 'other', attachment }))).toMatch(expected);
	});

	it('15. a card whose id nobody could read from a press', async () => {
		const cardsJson = JSON.stringify([{ title: 'a', messageId: 'gold]:approve', buttons: ['x'] }]);
		const carousel = {
			resource: 'message',
			operation: 'sendCarousel',
			specifyCards: 'json',
		};
		expect(await refusedMessage({ ...carousel, cardsJson })).toMatch(/ contains "\]:" /);
	});
});
