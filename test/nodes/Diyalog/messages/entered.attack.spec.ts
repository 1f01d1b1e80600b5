import type { INodeParameters } from 'n8n-workflow';
import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { busyMs, waitFor } from '../../../../tools/system';
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

const HELLO = { operation: 'send', customerNo: '70021', message: 'Hello', otpMode: 'none' };

async function send(parameters: INodeParameters): Promise<string | undefined> {
	const { error } = await runDiyalogNode({
		credentials,
		parameters: { ...HELLO, ...parameters },
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

it.each(['={{ $json.missing }}', '={{ null }}', '={{ "" }}'])(
	'2b. a number that an expression gives nothing for, %s: the error says what to look at',
	async (validMinutes) => {
		const { error } = await runDiyalogNode({
			credentials,
			parameters: { ...HELLO, resource: 'otp', otpMode: 'generate', options: { validMinutes } },
		});
		expect(error?.message).toMatch(/^Valid for \(Minutes\) is not a whole number from 1 to 10 /);
		expect(error).toHaveProperty('description', expect.stringMatching(/^Check the expression: /));
	},
);

const SAME = [
	['OK', 'OK'],
	['OK', ' OK '],
	['Approve', 'App\u200brove'],
	['Approve', '\u202aApprove'],
	['Approve', 'Ａpprove'],
	['I agree', 'I\u00a0agree'],
	['Yes', 'Yes\u3164'],
	['Yes', 'Yes\ufe0f'],
	['Öde', 'O\u0308de'],
	['Yes', 'Yes\u2800'],
	['Yes', 'Yes\u{1d159}'],
	['Yes', '\u{13441}Yes'],
	['I agree', 'I\u2800agree'],
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

/** As long as n8n may compute for one item. */
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
		const start = busyMs();
		expect(await refusedMessage(parameters)).toMatch(/ has 500000 entries /);
		expect(busyMs() - start).toBeLessThan(SOON_MS);
	});

	it('8. half a million choices', async () => {
		const question = {
			responseType: 'choice',
			specifyChoices: 'json',
			choicesJson: many('a'),
		};
		const start = busyMs();
		expect(await refusedQuestion(question)).toMatch(/ has 500000 entries /);
		expect(busyMs() - start).toBeLessThan(SOON_MS);
	});

	it('9. a file of padding alone, which once took the square of its length', async () => {
		const document = { fileName: 'a.pdf', fileData: `${'='.repeat(4_000_000)}x` };
		const start = busyMs();
		await send(asJson({ document }));
		expect(busyMs() - start).toBeLessThan(SOON_MS);
	});

	it.each([
		['names in braces', '{a} '.repeat(2_000_000)],
		['letters beyond ASCII', 'ğ'.repeat(5_000_000)],
		['one string of JSON', `{"${'a'.repeat(10_000_000)}"}`],
	])('10. a text of megabytes: %s', async (_what, message) => {
		const start = busyMs();
		expect(await refusedMessage({ resource: 'message', message })).toMatch(
			/^Message is longer than 1000000 characters /,
		);
		expect(busyMs() - start).toBeLessThan(SOON_MS);
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
			const expected = /^Message ID belongs to a question that an execution asks /;
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
		const expected = /^Message ID belongs to a question that an execution asks /;
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

describe('a name that would not be sent is refused:', () => {
	const button = { type: 'postback', title: 'Approve', payload: 'approve' };
	const page = { type: 'web_url', title: 'Help', payload: 'https://www.example.com' };
	const reply = { contentType: 'text', title: 'Yes', payload: 'yes' };
	const template = (payload: object, attachment: object = {}) =>
		asJson({
			attachment: {
				type: 'template',
				payload: { templateType: 'button', text: 'x', buttonsV2: [button], ...payload },
				...attachment,
			},
		});
	const carousel = (payload: object, element: object = {}) =>
		asJson({
			attachment: {
				type: 'template',
				payload: { templateType: 'generic', elements: [{ title: 'x', ...element }], ...payload },
			},
		});
	const document = (added: object) =>
		asJson({ document: { fileName: 'a.txt', fileData: 'YQ==', ...added } });
	const otp = (added: object): INodeParameters => ({
		resource: 'otp',
		specifyMessage: 'json',
		messageJson: JSON.stringify({ customerNo: '70021', mokMessage: 'x', ...added }),
	});
	const data = (buttonsJson: object[]): INodeParameters => ({
		resource: 'otp',
		below: 'buttons',
		specifyButtons: 'json',
		buttonsJson: JSON.stringify(buttonsJson),
	});

	/** The whole error: its first line, and what to do. */
	async function wholeRefusal(parameters: INodeParameters): Promise<string> {
		const before = sandbox.messages().length;
		const { error } = await runDiyalogNode({
			credentials,
			parameters: { ...HELLO, ...parameters },
		});
		expect(sandbox.messages()).toHaveLength(before);
		if (!error || !('description' in error)) return 'nothing was refused';
		return `${error.message} | ${String(error.description)}`;
	}

	const NOT_SENT = 'Nothing was sent for this item.';
	const PAYLOAD = 'Message (JSON): message.attachment.payload';

	it.each(['payloadhidden', 'payLoadHidden', 'payloadHiden', 'PayloadHidden', 'payloadHidden2'])(
		'17. %s on a button, which would be sent unsigned',
		async (name) => {
			const misspelled = { ...button, [name]: true };
			const said = (where: string) =>
				`${where} has a name that is not known: ${name} [item 0] | Use these names: type, title, payload, payloadHidden, payloadSeenByUser. ${NOT_SENT}`;
			expect(await wholeRefusal(template({ buttonsV2: [button, misspelled] }))).toBe(
				said(`${PAYLOAD}.buttonsV2 2`),
			);
			expect(await wholeRefusal(carousel({}, { buttonsV2: [misspelled] }))).toBe(
				said(`${PAYLOAD}.elements 1: buttonsV2 1`),
			);
			expect(await wholeRefusal(otp({ buttonsV2: [misspelled] }))).toBe(
				said('Message (JSON): buttonsV2 1'),
			);
			expect(
				await wholeRefusal(asJson({ text: 'x', quickRepliesV2: [{ ...reply, [name]: true }] })),
			).toBe(
				`Message (JSON): message.quickRepliesV2 1 has a name that is not known: ${name} [item 0] | Use these names: contentType, title, payload, payloadHidden, payloadSeenByUser, imageUrl. ${NOT_SENT}`,
			);
		},
	);

	it.each<[string, INodeParameters, string, string]>([
		[
			'beside the message',
			{
				...asJson({}),
				messageJson: '{"recipient":{"id":"1"},"message":{"text":"x"},"mesage":1}',
			},
			'Message (JSON) has a name that is not known: mesage',
			'recipient, message.',
		],
		[
			'of the recipient',
			{
				...asJson({}),
				messageJson: '{"recipient":{"id":"1","appCustomerid":"2"},"message":{"text":"x"}}',
			},
			'Message (JSON): recipient has a name that is not known: appCustomerid',
			'appCustomerId, appStaffId, id.',
		],
		[
			'of the message',
			asJson({ text: 'x', quickReplysV2: [reply] }),
			'Message (JSON): message has a name that is not known: quickReplysV2',
			'messageId, text, attachment, document, trigger, quickReplies, quickRepliesV2.',
		],
		[
			'of the attachment',
			template({}, { kind: 1 }),
			'Message (JSON): message.attachment has a name that is not known: kind',
			'type, payload.',
		],
		[
			'of the payload',
			template({ buttonsv2: [button] }),
			`${PAYLOAD} has a name that is not known: buttonsv2`,
			'templateType, text, messageId, buttons, buttonsV2, elements.',
		],
		[
			'of the payload of a carousel',
			carousel({ text: 'x' }),
			`${PAYLOAD} has a name that is not known: text`,
			'templateType, elements, buttons, buttonsV2.',
		],
		[
			'of an element',
			carousel({}, { imageurl: 'x' }),
			`${PAYLOAD}.elements 1 has a name that is not known: imageurl`,
			'title, imageUrl, subtitle, messageId, buttons, buttonsV2.',
		],
		[
			'of the document',
			document({ Photo: {} }),
			'Message (JSON): message.document has a name that is not known: Photo',
			'fileName, fileData, mimeType, photo, video, voice.',
		],
		[
			'of the photo',
			document({ photo: { width: 1, height: 1, heigth: 1 } }),
			'Message (JSON): message.document.photo has a name that is not known: heigth',
			'width, height.',
		],
		[
			'of the video',
			document({ video: { width: 1, height: 1, duration: 1, length: 1 } }),
			'Message (JSON): message.document.video has a name that is not known: length',
			'width, height, duration.',
		],
		[
			'of the voice message',
			document({ voice: { duration: 1, seconds: 1 } }),
			'Message (JSON): message.document.voice has a name that is not known: seconds',
			'duration.',
		],
		[
			'of the trigger',
			asJson({ text: 'x', trigger: { command: 'a', data: '', date: '' } }),
			'Message (JSON): message.trigger has a name that is not known: date',
			'command, data.',
		],
		[
			'of an OTP',
			otp({ mokvalue: '123456' }),
			'Message (JSON) has a name that is not known: mokvalue',
			'customerNo, messageId, mokMessage, mokValue, imageUrl, txCode, deviceId, buttonsV2.',
		],
		[
			'of a button as data',
			data([{ title: 'Approve', payloadhidden: true }]),
			'Buttons (JSON) 1 has a name that is not known: payloadhidden',
			'title, payload, value, url, type, payloadHidden, payloadSeenByUser.',
		],
	])('18. %s', async (_where, parameters, problem, names) => {
		expect(await wholeRefusal(parameters)).toBe(
			`${problem} [item 0] | Use these names: ${names} ${NOT_SENT}`,
		);
	});

	const OLD_FORM = /has to be an empty list .*old form of Diyalog/;
	const PAGE = /has a name that does not belong here: payload(Hidden|SeenByUser) .*postback/;

	it.each<[string, INodeParameters, RegExp]>([
		['quick replies of the old form', asJson({ text: 'x', quickReplies: [reply] }), OLD_FORM],
		['buttons of the old form', template({ buttons: [button] }), OLD_FORM],
		['buttons of the old form on a card', carousel({}, { buttons: [button] }), OLD_FORM],
		['elements under buttons', template({ elements: [{}] }), /elements has to be an empty list /],
		['buttons below all cards', carousel({ buttonsV2: [button] }), /into its buttonsV2/],
		['no button', template({ buttonsV2: [] }), /payload\.buttonsV2 is empty /],
		[
			'quick replies under a document',
			asJson({ document: { fileName: 'a', fileData: 'YQ==' }, quickRepliesV2: [reply] }),
			/quickRepliesV2 has to be an empty list .*text/,
		],
		[
			'a text beside an attachment',
			asJson({ text: 'x', attachment: { type: 'template', payload: {} } }),
			/message has a name that does not belong here: text .*payload of the attachment/,
		],
		[
			'a text beside a document',
			asJson({ text: 'x', document: { fileName: 'a', fileData: 'YQ==' } }),
			/message has a name that does not belong here: text .*message of its own/,
		],
		[
			'a trigger beside a document',
			asJson({ trigger: {}, document: { fileName: 'a', fileData: 'YQ==' } }),
			/message has a name that does not belong here: trigger .*one kind/,
		],
		[
			'a photo that is a voice message',
			document({ photo: { width: 1, height: 1 }, voice: { duration: 1 } }),
			/message\.document is shown in 2 ways /,
		],
		[
			'an attachment that Diyalog does not describe',
			asJson({ attachment: { type: 'image', payload: { url: 'https://x.example' } } }),
			/attachment\.type is not an attachment that can be sent .*as document/,
		],
		[
			'a template that Diyalog does not describe',
			template({ templateType: 'list' }),
			/templateType is not a template that can be sent .*button, or generic/,
		],
		[
			'a button of no type',
			template({ buttonsV2: [{ title: 'a', payload: 'b' }] }),
			/: type is not /,
		],
		['a signed web page', template({ buttonsV2: [{ ...page, payloadHidden: true }] }), PAGE],
		['a signed web page in an OTP', otp({ buttonsV2: [{ ...page, payloadHidden: true }] }), PAGE],
		[
			'a signed web page as data',
			data([{ title: 'a', url: 'https://x.example', payloadHidden: true }]),
			PAGE,
		],
		['words for a web page', otp({ buttonsV2: [{ ...page, payloadSeenByUser: 'x' }] }), PAGE],
	])('19. %s, with the reason', async (_what, parameters, expected) => {
		expect(await wholeRefusal(parameters)).toMatch(expected);
	});

	it.each(['true', 1, null, [true]])('23. payloadHidden is %j', async (payloadHidden) => {
		const undecided = /payloadHidden is neither on nor off .*true or false/;
		for (const parameters of [
			template({ buttonsV2: [{ ...button, payloadHidden }] }),
			asJson({ text: 'x', quickRepliesV2: [{ ...reply, payloadHidden }] }),
			otp({ buttonsV2: [{ ...button, payloadHidden }] }),
			data([{ title: 'a', payloadHidden }]),
		])
			expect(await wholeRefusal(parameters)).toMatch(undecided);
	});

	it('20. what is known is sent, every name of it', async () => {
		const answer = { ...button, payloadHidden: true, payloadSeenByUser: 'Approved' };
		const everything = [
			template({ messageId: 'm', buttons: [], buttonsV2: [answer, page], elements: [] }),
			carousel({ buttons: [], buttonsV2: [] }, { buttons: [], buttonsV2: [answer, page] }),
			document({ mimeType: 'text/plain', photo: undefined }),
			asJson({ text: 'x', quickReplies: [], quickRepliesV2: [{ ...reply, payloadHidden: true }] }),
			otp({ buttonsV2: [answer, page] }),
			data([{ title: 'a', type: 'web_url', payload: 'https://x.example' }, { ...answer }]),
		];
		for (const parameters of everything) expect(await send(parameters)).toBeUndefined();
	});

	const NOTHING_GIVEN = ['', ' ', 'null', '{}', '={{ {} }}', ...NOTHING.slice(0, 4)];
	const NO_OBJECT = ['[]', '"Hello"', '5', 'true', '={{ [1] }}', '={{ 5 }}', '={{ true }}'];
	const NO_JSON = ['Hello', '{"recipient":', "{'recipient':1}", '{recipient:{}}'];

	it.each([
		...NOTHING_GIVEN.map((given) => [given, 'is empty [item 0] | Give one object ']),
		...NO_OBJECT.map((given) => [given, 'is not an object [item 0] | Give one object ']),
		...NO_JSON.map((given) => [given, 'is not JSON [item 0] | Check quotes, ']),
	])('21. Message (JSON) is %j', async (messageJson, expected) => {
		for (const resource of ['otp', 'message']) {
			const refusal = await wholeRefusal({ resource, specifyMessage: 'json', messageJson });
			expect(refusal).toContain(`Message (JSON) ${expected}`);
		}
	});

	it.each(['null', '5', '"70021"', '["70021"]'])(
		'22. %s for recipient or message',
		async (part) => {
			const whole = (messageJson: string) => wholeRefusal({ ...asJson({}), messageJson });
			const expected = (name: string) =>
				`Message (JSON): ${name} is not an object [item 0] | Give one in braces, with these names: `;
			expect(await whole(`{"recipient":${part},"message":{"text":"x"}}`)).toContain(
				expected('recipient'),
			);
			expect(await whole(`{"recipient":{"id":"1"},"message":${part}}`)).toContain(
				expected('message'),
			);
			expect(await whole('{"recipient":{"id":"1"}}')).toContain('message is missing');
			expect(await whole('{"message":{"text":"x"}}')).toContain('recipient is missing');
		},
	);
});

describe('two presses that nobody could tell apart:', () => {
	const card = (title: string, messageId?: string) => ({
		title,
		messageId,
		buttons: [{ title: 'Approve', value: 'approve' }, 'Decline'],
	});
	const carousel = { resource: 'message', operation: 'sendCarousel', specifyCards: 'json' };
	const cardsOf = (...cards: object[]) => ({ ...carousel, cardsJson: JSON.stringify(cards) });
	const byFields = ({ title, messageId }: ReturnType<typeof card>) => ({
		title,
		messageId,
		buttons: { button: [{ type: 'postback', title: 'Approve', payload: 'approve' }] },
	});

	it.each<[string, INodeParameters]>([
		['without an id', cardsOf(card('Pay 10 TL'), card('Pay 90,000 TL'))],
		['with one id', cardsOf(card('Pay 10 TL', 'pay'), card('Pay 90,000 TL', 'pay'))],
		[
			'of which one has the id of the message',
			{ ...cardsOf(card('Pay 10 TL', 'm'), card('Pay 90,000 TL')), options: { messageId: 'm' } },
		],
		[
			'by fields',
			{
				...carousel,
				specifyCards: 'fields',
				cards: { card: [byFields(card('Pay 10 TL')), byFields(card('Pay 90,000 TL'))] },
			},
		],
	])('24. Approve stands on two cards %s', async (_what, parameters) => {
		expect(await refusedMessage(parameters)).toMatch(
			/^Cards has the same payload on two cards that have the same ID /,
		);
	});

	it('25. on cards with an id each it is sent', async () => {
		expect(await send(cardsOf(card('Pay 10 TL', 'a'), card('Pay 90,000 TL', 'b')))).toBeUndefined();
		expect(await send(cardsOf(card('Pay 10 TL', 'a'), card('Pay 90,000 TL')))).toBeUndefined();
	});
});

describe('what a press sends back would be something else than was meant:', () => {
	/** Digits are lost before the node gets it: in the workflow that would be the account of somebody else. */
	const ROUNDED =
		'={{ [{ title: "Ada", value: 2074022437123456789 }, { title: "Bob", value: 1 }] }}';
	const CUT = JSON.stringify([
		{ title: 'Cancel', value: '\ud83d\ude00'.slice(0, 1) },
		{ title: 'Pay', value: '\ufffd' },
	]);
	const sentBack = [
		['26. a number that has lost digits', ROUNDED, 'is a number too large to be exact'],
		['27. half a character, which arrives as another one', CUT, 'holds half a character'],
	] as const;

	it.each(sentBack)('%s, as a button or a quick reply', async (_what, list, problem) => {
		const buttons = { resource: 'message', below: 'buttons', specifyButtons: 'json' };
		expect(await refusedMessage({ ...buttons, buttonsJson: list })).toContain(
			`Buttons (JSON) 1: payload ${problem}`,
		);
		const replies = { resource: 'message', below: 'quickReplies', specifyQuickReplies: 'json' };
		expect(await refusedMessage({ ...replies, quickRepliesJson: list })).toContain(
			`Quick Replies (JSON) 1: payload ${problem}`,
		);
	});

	it.each(['tap', 'link'])('%s', async (answerBy) => {
		for (const [, choicesJson, problem] of sentBack) {
			const question = { responseType: 'choice', specifyChoices: 'json', choicesJson, answerBy };
			expect(await refusedQuestion({ resource: 'message', ...question })).toContain(
				`Choices (JSON) 1: value ${problem}`,
			);
		}
	});

	it('28. what is exact and whole is sent', async () => {
		const choicesJson =
			'={{ [{ title: "A", value: 9007199254740991 }, { title: "B", value: "😀" }, 1.5] }}';
		const question = { responseType: 'choice', specifyChoices: 'json', choicesJson };
		await instance.ask(credentials, { resource: 'message', ...question });
		expect(
			sandbox
				.messages()
				.at(-1)
				?.buttonsV2?.map(({ payload }) => payload),
		).toEqual(['9007199254740991', '😀', '1.5']);
	});
});

it('29. the name of a file as JSON hides what it is: what turns the direction of writing is taken out', async () => {
	const document = { fileName: '../invoice\u202efdp.exe', fileData: 'SGVsbG8=' };
	expect(await send(asJson({ document }))).toBeUndefined();
	// Documents arrive later.
	const arrived = await waitFor('the document', 5_000, () =>
		sandbox.messages().findLast(({ document: sent }) => sent?.fileName.endsWith('.exe')),
	);
	expect(JSON.stringify(arrived)).toContain('"fileName":"invoicefdp.exe"');
	expect(await refusedMessage(asJson({ document: { ...document, fileName: '\u202e' } }))).toContain(
		'fileName',
	);
});

describe('a text of a customer that is put into JSON as it is says whom the message is for, or what it is:', () => {
	const around = (text: string): INodeParameters => ({
		...asJson({}),
		messageJson: `{"recipient":{"appCustomerId":"70021"},"message":{"text":"${text}"}}`,
	});
	const page = '{"type":"web_url","title":"Log in","payload":"https://evil.example"}';
	const attachment = `{"type":"template","payload":{"templateType":"button","text":"x","buttonsV2":[${page}]}}`;

	it.each([
		['another recipient', 'x"},"recipient":{"appCustomerId":"666"},"message":{"text":"x'],
		['another message', `x"},"message":{"attachment":${attachment}},"message":{"text":"x`],
		['another text', 'x","text":"y'],
		['the same name, spelled otherwise', 'x","\\u0074ext":"y'],
		['blanks before the colon', 'x","text" \n : "y'],
	])('30. %s is refused', async (_what, text) => {
		expect(await refusedMessage(around(text))).toBe(
			'Message (JSON) has the same name twice [item 0]',
		);
	});

	it('30b. also in a list', async () => {
		const buttonsJson = `[{"title":"Yes","value":"yes","value":"no"}]`;
		const buttons = { below: 'buttons', specifyButtons: 'json', buttonsJson };
		expect(await refusedMessage({ resource: 'message', ...buttons })).toContain('same name twice');
	});

	it('31. names that only look so are sent', async () => {
		const texts = [
			'\\"text\\":\\"y',
			'{\\"a\\":1,\\"a\\":2}',
			'\\\\',
			'","messageId":"a:\\"b\\":c',
		];
		for (const text of texts) expect(await send(around(`x${text}`))).toBeUndefined();
		const replies = [
			{ title: 'a', payload: '1' },
			{ title: 'b', payload: '2' },
		];
		expect(await send(asJson({ text: 'x', quickRepliesV2: replies }))).toBeUndefined();
	});
});
