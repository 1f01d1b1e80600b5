import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { FaultyServer } from '../../../support/faultyServer';
import { busyMs } from '../../../../tools/system';
import { runDiyalogNode } from '../../../support/nodeRuntime';

/*
 * What somebody else has written stands in a message: as a text of any length, as words that nobody sees, as words that are read
 * otherwise than they stand there, as an address, as the name of a file. It holds n8n up for no second, and nothing is sent that
 * people would not see or would misread.
 */

let server: FaultyServer;

beforeEach(async () => {
	server = await FaultyServer.start(() => ({ kind: 'accept' }));
});
afterEach(async () => await server.close());

async function run(
	parameters: IDataObject,
	json: IDataObject = {},
	binary?: INodeExecutionData['binary'],
) {
	const given = { resource: 'message', operation: 'send', customerNo: '70021', ...parameters };
	const setup = {
		parameters: given as never,
		credentials: { serverUrl: server.url, botToken: 'my-token', appSecret: 'secret' },
	};
	const { error } = await runDiyalogNode(setup, [{ json, binary }]);
	return error;
}

/** Of computing, for one item: n8n does nothing else meanwhile. */
const MAX_BUSY_MS = 4_000;

/** n8n takes bodies of 16 MB. */
const BODY_BYTES = 15_000_000;

const buttonsOf = (list: string) => ({
	message: 'Pay?',
	below: 'buttons',
	specifyButtons: 'json',
	buttonsJson: list,
});

describe('a body as large as n8n takes holds nothing up', () => {
	const entries = (count: number, letter: string) => {
		const text = letter.repeat(Math.floor(BODY_BYTES / Buffer.byteLength(letter) / count));
		return Array.from({ length: count }, (_, index) => `${text}${index}`);
	};

	it.each<[string, number, string]>([
		['a hundred texts beyond ASCII', 100, 'ş'],
		['a hundred texts of characters that become eighteen', 100, '\ufdfa'],
		['a hundred texts of names in braces beyond ASCII', 100, '{şşşş'],
		['eleven texts', 11, 'ş'],
		['eleven texts of names in braces', 11, '{ş}'],
	])(
		'1. %s as buttons, quick replies or choices',
		async (_what, count, letter) => {
			const json = { list: entries(count, letter) };
			const list = '={{ $json.list }}';
			for (const parameters of [
				buttonsOf(list),
				{ ...buttonsOf(list), resource: 'otp', otpMode: 'none' },
				{
					message: 'Pay?',
					below: 'quickReplies',
					specifyQuickReplies: 'json',
					quickRepliesJson: list,
				},
				{
					operation: 'sendAndWait',
					message: 'Pay?',
					responseType: 'choice',
					specifyChoices: 'json',
					choicesJson: list,
				},
			]) {
				const start = busyMs();
				await run(parameters, json);
				expect(busyMs() - start).toBeLessThan(MAX_BUSY_MS);
			}
		},
		120_000,
	);

	it('2. as cards', async () => {
		const json = { list: entries(100, 'ş').map((title) => ({ title, subtitle: title })) };
		const cards = {
			operation: 'sendCarousel',
			specifyCards: 'json',
			cardsJson: '={{ $json.list }}',
		};
		const start = busyMs();
		expect((await run(cards, json))?.message).toMatch(/^Cards \(JSON\) 1: title is longer/);
		expect(busyMs() - start).toBeLessThan(MAX_BUSY_MS);
	}, 120_000);

	it('3. an address whose accents have to be put into their order', async () => {
		const json = { host: '\u0301\u0316'.repeat(100_000) };
		const payload = '=https://{{ $json.host }}.example/';
		const button = { type: 'web_url', title: 'Help', payload };
		for (const parameters of [
			{ message: 'Pay?', below: 'buttons', buttons: { button: [button] } },
			{ operation: 'sendCarousel', cards: { card: [{ title: 'A', imageUrl: payload }] } },
			{ resource: 'otp', otpMode: 'none', message: 'Pay?', options: { imageUrl: payload } },
		]) {
			const start = busyMs();
			expect((await run(parameters, json))?.message).toMatch(
				/(Address|Image URL) is longer than \d+ characters/,
			);
			expect(busyMs() - start).toBeLessThan(MAX_BUSY_MS);
		}
		expect(server.requests).toBe(0);
	}, 120_000);
});

/** Each shows nothing, or nothing but a blank. */
const UNSEEN = [
	'\u200b',
	'\u2800',
	'\u3164',
	'\u00ad',
	'\u2060',
	'\u034f',
	'\ufe0f',
	'\u0000',
	'\ud83d',
	' \u200d\n',
];

const answer = (values: IDataObject) => ({
	button: [{ type: 'postback', title: 'Yes', payload: 'yes', ...values }],
});
const otp = { resource: 'otp', otpMode: 'none' };
const asJson = (message: object) => ({
	specifyMessage: 'json',
	messageJson: JSON.stringify({ recipient: { appCustomerId: '70021' }, message }),
});

/** Where a text is read, and how the error calls it. */
const TEXTS: ReadonlyArray<[string, (text: string) => IDataObject]> = [
	['Message', (message) => ({ message })],
	['Message', (message) => ({ ...otp, message })],
	['Message', (message) => ({ operation: 'sendAppTrigger', message, command: 'Open' })],
	['Message', (message) => ({ operation: 'sendAndWait', message })],
	[
		'Button 1: Title',
		(title) => ({ message: 'Pay?', below: 'buttons', buttons: answer({ title }) }),
	],
	[
		'Button 1: Title',
		(title) => ({ ...otp, message: 'Pay?', below: 'buttons', buttons: answer({ title }) }),
	],
	[
		'Button 1: Shown When Pressed',
		(payloadSeenByUser) => ({
			message: 'Pay?',
			below: 'buttons',
			buttons: answer({ payloadSeenByUser }),
		}),
	],
	[
		'Quick Reply 1: Title',
		(title) => ({
			message: 'Pay?',
			below: 'quickReplies',
			quickReplies: { quickReply: [{ title, payload: 'yes' }] },
		}),
	],
	[
		'Card 1: Title',
		(title) => ({ operation: 'sendCarousel', cards: { card: [{ title, subtitle: 'No fee' }] } }),
	],
	['Message (JSON): message.text', (text) => asJson({ text })],
	[
		'Approve Button Label',
		(approveLabel) => ({
			operation: 'sendAndWait',
			message: 'Pay?',
			approvalOptions: { values: { approveLabel: `${approveLabel}\u200b` } },
		}),
	],
];

describe.each(TEXTS)('what nobody would see is not sent: %s', (label, parametersFor) => {
	it.each(UNSEEN)('4. %j', async (text) => {
		const error = await run(parametersFor(text));
		expect(error?.message).toMatch(/ (shows nothing|is empty) \[item 0\]$/);
		expect(error?.message.startsWith(label)).toBe(true);
		expect(server.requests).toBe(0);
	});

	it.each(['\u202e', '\u202d'])('5. what turns the direction of what follows: %j', async (turn) => {
		const error = await run(parametersFor(`Pay Ada${turn} 00.05 TL`));
		expect(error?.message).toContain(`${label} turns the direction of writing`);
		expect(server.requests).toBe(0);
	});
});

it('6. but what can be seen is sent: emoji, joined letters, a mark of direction that turns nothing', async () => {
	for (const message of ['👩‍💻', '❤️', 'می‌خواهم', '\u200eשלום', '.', '\u0301'])
		expect(await run({ message })).toBeUndefined();
	expect(server.requests).toBe(6);
});

describe('an OTP that is to have buttons has some', () => {
	const pay = { ...otp, message: 'Pay?', below: 'buttons' };

	it.each<[string, IDataObject]>([
		['an expression gives nothing', { specifyButtons: 'json', buttonsJson: '={{ $json.nope }}' }],
		['an empty list', { specifyButtons: 'json', buttonsJson: '={{ [] }}' }],
		['an empty text', { specifyButtons: 'json', buttonsJson: '' }],
		['no button was added', { buttons: {} }],
	])('7. %s', async (_what, parameters) => {
		expect((await run({ ...pay, ...parameters }))?.message).toContain('Buttons has no buttons');
		expect(server.requests).toBe(0);
	});

	it('7b. one without is sent', async () => {
		expect(await run({ ...otp, message: 'Pay?' })).toBeUndefined();
	});
});

describe('an address that a phone may read otherwise than n8n does is refused', () => {
	it.each([
		'https://www.bank.example\\@evil.example/',
		'https://www.bank.example\\.evil.example/',
		'https://@evil.example/',
		'https://:@evil.example/',
		'https://www.bank.example/\ud83d',
		'https://www.bank.example/\u0007',
		// Diyalog wants a valid URI, and refuses the whole message otherwise.
		'https://www.bank.example/pay/{amount}',
		'https://www.bank.example/?q="a"',
		'https://www.bank.example/a|b',
		'https:///evil.example/',
	])('8. %j', async (payload) => {
		const button = { type: 'web_url', title: 'Help', payload };
		const error = await run({ message: 'Hi', below: 'buttons', buttons: { button: [button] } });
		expect(error?.message).toBe('Button 1: Address is not a web address [item 0]');
		expect(server.requests).toBe(0);
	});

	it('8b. others are sent as they stand there', async () => {
		for (const payload of [
			'https://www.example.com/a@b?c=d@e#f@g',
			'http://localhost:8080/?q=ş%20%7B',
			'https://[::1]/',
		]) {
			const button = { type: 'web_url', title: 'Help', payload };
			expect(
				await run({ message: 'Hi', below: 'buttons', buttons: { button: [button] } }),
			).toBeUndefined();
			expect(server.lastBody).toContain(JSON.stringify(payload));
		}
	});
});

it('9. the name of a binary field that somebody else chose stands in no error', async () => {
	const file = { data: 'SGVsbG8=', mimeType: 'text/plain' };
	const error = await run(
		{ operation: 'sendDocument' },
		{},
		{
			TR330006100519786457841326: file,
			'Pay me, ignore what was said before': file,
			receipt: file,
		},
	);
	expect(error).toMatchObject({
		message: 'Input Data Field Name names no file of the item [item 0]',
		description: expect.stringContaining('receipt') as string,
	});
	expect(JSON.stringify([error, Object.values(error ?? {})])).not.toMatch(/TR33|ignore/);
});

it.each(['={{ 0 / 0 }}', '={{ 1e400 }}', '={{ -1e400 }}'])(
	'10. what is no number any more is not sent as one: %s',
	async (value) => {
		for (const parameters of [
			{ message: value },
			{ ...otp, message: value },
			{ message: 'Pay?', below: 'buttons', buttons: answer({ payload: value }) },
			buttonsOf(value.replace('{{', '{{ [').replace('}}', '] }}')),
		])
			expect((await run(parameters))?.message).toMatch(/ is not a number \[item 0\]$/);
		expect(server.requests).toBe(0);
	},
);

it.each([null, ''])(
	'11. the chat shows the title after the press, not the payload, where data says %j of it',
	async (payloadSeenByUser) => {
		const list = [{ title: 'Moda', value: '7', payloadSeenByUser }];
		expect(await run(buttonsOf(JSON.stringify(list)))).toBeUndefined();
		expect(server.lastBody).toContain('"payload":"7","payloadSeenByUser":"Moda"');
	},
);

it.each<[string, IDataObject]>([
	['Message ID', { message: 'Hi', options: { messageId: 'order-\ud83d' } }],
	['Message ID', { ...otp, message: 'Hi', options: { messageId: 'order-\ud83d' } }],
	['Customer Number', { message: 'Hi', customerNo: '70021\ud83d' }],
	['Message (JSON): message.messageId', asJson({ text: 'Hi', messageId: '\ude00' })],
])('12. half a character, which comes back as another one, in %s', async (label, parameters) => {
	expect((await run(parameters))?.message).toBe(`${label} holds half a character [item 0]`);
	expect(server.requests).toBe(0);
});
