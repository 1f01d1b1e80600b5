import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { FaultyServer } from '../../../../support/faultyServer';
import { runDiyalogNode } from '../../../../support/nodeRuntime';

/*
 * Settings as no editor leaves them: expressions that fail, that give nothing or something else, and fields that a stored workflow
 * does not have. None may cost a neighbour, send something else than was meant, or send more at once than was allowed.
 */

let server: FaultyServer;

beforeEach(async () => {
	server = await FaultyServer.start(() => ({ kind: 'accept', afterMs: 20 }));
});
afterEach(async () => await server.close());

const FILE = { data: Buffer.from('Hello').toString('base64'), mimeType: 'text/plain' };

const itemsOf = (count: number): INodeExecutionData[] =>
	Array.from({ length: count }, (_, index) => ({
		json: { index, messageId: `m-${index}` },
		binary: { data: FILE },
	}));

const NOWHERE = "={{ $('Nowhere').first().json.id }}";
const FAILS_FIRST = `={{ $json.index === 0 ? $('Nowhere').first().json.id : undefined }}`;

async function run(
	parameters: IDataObject,
	{ count = 1, onError }: { count?: number; onError?: 'continueRegularOutput' } = {},
) {
	const given = { resource: 'message', operation: 'send', customerNo: 'C-70021', ...parameters };
	const setup = {
		parameters: given as never,
		credentials: { serverUrl: server.url, botToken: 'my-token', appSecret: 'secret' },
		settings: { onError },
	};
	return await runDiyalogNode(setup, itemsOf(count));
}

const goesOn = { count: 3, onError: 'continueRegularOutput' as const };
const HELLO = { message: 'Hello' };
const OTP = { ...HELLO, resource: 'otp', otpMode: 'none' };

describe('an option whose expression fails for the first item', () => {
	it.each<[string, IDataObject]>([
		['Message ID', { ...HELLO, options: { messageId: FAILS_FIRST } }],
		['Timeout', { ...HELLO, options: { timeout: FAILS_FIRST } }],
		['Maximum Retries', { ...OTP, options: { maxRetries: FAILS_FIRST } }],
		[
			'Message ID of a document',
			{ operation: 'sendDocument', options: { messageId: FAILS_FIRST } },
		],
	])('1. %s: costs no neighbour', async (_what, parameters) => {
		const { items, error } = await run(parameters, goesOn);
		expect(error).toBeUndefined();
		expect(items.map(({ json }) => 'error' in json)).toEqual([true, false, false]);
		expect(server.requests).toBe(2);
	});

	it('1b. leaves Concurrency what it is', async () => {
		const options = { concurrency: 1, messageId: FAILS_FIRST };
		await run({ ...HELLO, options }, { ...goesOn, count: 8 });
		expect([server.requests, server.maxInFlight]).toEqual([7, 1]);
	});

	it('1c. Concurrency itself: the operation has its own', async () => {
		const { items } = await run(
			{ operation: 'sendDocument', options: { concurrency: NOWHERE } },
			{ ...goesOn, count: 12 },
		);
		expect(server.maxInFlight).toBeLessThanOrEqual(5);
		expect(items).toHaveLength(12);
	});
});

it('2. each item has its own Maximum Retries', async () => {
	await server.close();
	server = await FaultyServer.start(() => ({ kind: 'refuse', status: 429, text: '' }));
	const options = { concurrency: 1, maxRetries: '={{ $json.index }}' };
	await run({ ...HELLO, options }, { ...goesOn, count: 2 });
	expect(server.requests).toBe(3);
});

it.each([1.0001, '={{ 100 / 3 }}'])(
	'2b. a Timeout of %s seconds stops nothing',
	async (timeout) => {
		for (const message of [HELLO, OTP]) {
			const { error } = await run({ ...message, options: { timeout } });
			expect(error).toBeUndefined();
		}
		expect(server.requests).toBe(2);
	},
);

describe('fields that a stored workflow does not have take their defaults', () => {
	it.each<[string, IDataObject]>([
		['Send', HELLO],
		['Send with buttons', { ...HELLO, below: 'buttons', buttons: oneButton() }],
		['Send Carousel', { operation: 'sendCarousel', cards: { card: [{ title: 'A' }] } }],
		['Send Document', { operation: 'sendDocument' }],
		['Send App Trigger', { operation: 'sendAppTrigger', ...HELLO, command: 'Open' }],
		['OTP Send', { resource: 'otp', message: 'Code {code}' }],
		['OTP Send without a code', { resource: 'otp', message: 'Hello', otpMode: 'none' }],
		['Send and Wait', { operation: 'sendAndWait', ...HELLO }],
		['OTP Send and Wait', { resource: 'otp', operation: 'sendAndWait', ...HELLO }],
	])('3. %s', async (_what, parameters) => {
		const given = { resource: 'message', operation: 'send', customerNo: 'C-70021', ...parameters };
		const setup = {
			parameters: given as never,
			// As a retry from the list of executions finds them: nobody has filled in what came later.
			stored: given as never,
			credentials: { serverUrl: server.url, botToken: 'my-token', appSecret: 'secret' },
		};
		const { error } = await runDiyalogNode(setup, itemsOf(1));
		expect(error).toBeUndefined();
		expect(server.requests).toBe(1);
	});
});

function oneButton(more: IDataObject = {}): IDataObject {
	return { button: [{ type: 'postback', title: 'Yes', payload: 'yes', ...more }] };
}

describe('a choice that is none is refused by name', () => {
	const NOTHING = '={{ undefined }}';
	const json = '["Yes", "No"]';
	const asked = { ...HELLO, operation: 'sendAndWait', responseType: 'choice' };
	const buttons = { ...HELLO, below: 'buttons', buttons: oneButton(), buttonsJson: json };
	const replies = { ...HELLO, below: 'quickReplies', quickRepliesJson: json };
	const cards = { operation: 'sendCarousel', cards: { card: [{ title: 'A' }] } };

	it.each<[string, string, IDataObject]>([
		['Specify Message', 'specifyMessage', { ...HELLO, messageJson: '{}' }],
		['Specify Message', 'specifyMessage', { ...OTP, messageJson: '{}' }],
		['Specify Buttons', 'specifyButtons', buttons],
		['Specify Buttons', 'specifyButtons', { ...buttons, ...OTP }],
		['Specify Quick Replies', 'specifyQuickReplies', replies],
		['Specify Cards', 'specifyCards', { ...cards, cardsJson: '[{ "title": "A" }]' }],
		['Specify Choices', 'specifyChoices', { ...asked, choicesJson: json }],
		['Recipient', 'recipientType', HELLO],
		['Below the Text', 'below', HELLO],
		['Send As', 'sendAs', { operation: 'sendDocument' }],
		['OTP', 'otpMode', { ...OTP, otpValue: '481516' }],
		['Response Type', 'responseType', { ...HELLO, operation: 'sendAndWait' }],
		['Answer By', 'answerBy', { ...HELLO, operation: 'sendAndWait' }],
	])('4. %s', async (label, name, parameters) => {
		const isOption = name === 'answerBy';
		for (const value of [NOTHING, '={{ null }}', 'other', '', '={{ ["json"] }}', 'Fields']) {
			const choice = { [name]: value };
			const { error } = await run({ ...parameters, ...(isOption ? { options: choice } : choice) });
			expect([value, error?.message]).toEqual([
				value,
				expect.stringContaining(`${label} has a value that is not possible`) as string,
			]);
		}
		expect(server.requests).toBe(0);
	});
});

describe('Message ID beside a message as JSON', () => {
	const json = (message: IDataObject) => ({
		specifyMessage: 'json',
		messageJson: JSON.stringify({ recipient: { appCustomerId: 'C-70021' }, message }),
	});
	const template = (messageId?: string) => ({
		attachment: {
			type: 'template',
			payload: {
				templateType: 'button',
				text: 'Hello',
				messageId,
				buttonsV2: [{ type: 'postback', title: 'Yes', payload: 'yes' }],
			},
		},
	});
	const options = { messageId: 'transfer-17' };

	it.each([
		['a text', { text: 'Hello' }],
		['a text with the same', { text: 'Hello', messageId: 'transfer-17' }],
		['a template', template()],
		['a template with an id inside', template('inside')],
	])('5. counts: %s', async (_what, message) => {
		const { items } = await run({ ...json(message), options });
		expect(items[0]?.json.messageId).toBe('transfer-17');
		expect(server.times('transfer-17')).toBe(1);
	});

	it('5b. is refused beside another one', async () => {
		const { error } = await run({ ...json({ text: 'Hello', messageId: 'other' }), options });
		expect(error?.message).toContain('Message (JSON) has a messageId, and so has Message ID');
		expect(server.requests).toBe(0);
	});

	it('5c. without it, that of a template is the id of the message', async () => {
		const { items } = await run(json(template('inside')));
		expect(items[0]?.json.messageId).toBe('inside');
	});
});

describe('Concurrency that is none', () => {
	const document = { fileName: 'a.txt', fileData: FILE.data };
	const asJson = {
		specifyMessage: 'json',
		messageJson: JSON.stringify({
			recipient: { appCustomerId: 'C-70021' },
			message: { document },
		}),
	};

	it.each<[string, unknown]>([
		['a text', '={{ "many" }}'],
		['no number', '={{ NaN }}'],
		['endless', '={{ Infinity }}'],
		['endless as text', 'Infinity'],
		['negative', -3],
		['nothing', '={{ undefined }}'],
		['null', '={{ null }}'],
		['empty', ''],
		['a list', '={{ [900] }}'],
		['a date', '={{ new Date() }}'],
		['a switch', '={{ true }}'],
	])('6. %s: documents go out five at a time', async (_what, concurrency) => {
		for (const given of [{ operation: 'sendDocument' }, asJson]) {
			const options = { concurrency } as IDataObject;
			const { items, error } = await run({ ...given, options }, { count: 16 });
			expect(error).toBeUndefined();
			expect(items).toHaveLength(16);
			expect(server.maxInFlight).toBeGreaterThan(1);
			expect(server.maxInFlight).toBeLessThanOrEqual(5);
		}
	});

	it('6b. of a document as JSON, when nothing is said', async () => {
		await run({ ...asJson, options: {} }, { count: 16 });
		expect(server.requests).toBe(16);
		expect(server.maxInFlight).toBeLessThanOrEqual(5);
	});

	/** The whole message by an expression; a document from a place on. */
	const whole = (documentsFrom: number) =>
		`({ recipient: { appCustomerId: 'C-70021' }, message: $json.index < ${documentsFrom}
			? { text: 'Hello' } : { document: { fileName: 'a.txt', fileData: '${FILE.data}' } } })`;

	it.each<[string, (expression: string) => string]>([
		['a text', (expression) => `={{ JSON.stringify${expression} }}`],
		['an object', (expression) => `={{ ${expression} }}`],
	])('6d. messages as JSON, %s: texts go out side by side, documents do not', async (_, of) => {
		const texts = { specifyMessage: 'json', messageJson: of(whole(100)) };
		expect((await run(texts, { count: 40 })).items).toHaveLength(40);
		expect(server.maxInFlight).toBeGreaterThan(5);
		expect(server.maxInFlight).toBeLessThanOrEqual(50);
		await server.close();
		server = await FaultyServer.start(() => ({ kind: 'accept', afterMs: 20 }));
		const documents = { specifyMessage: 'json', messageJson: of(whole(1)) };
		expect((await run(documents, { count: 21 })).items).toHaveLength(21);
		expect(server.maxInFlight).toBeLessThanOrEqual(5);
	});

	it('6c. of other messages: no more than fifty', async () => {
		await run({ ...HELLO, options: { concurrency: '={{ "many" }}' } }, { count: 120 });
		expect(server.requests).toBe(120);
		expect(server.maxInFlight).toBeLessThanOrEqual(50);
	});
});

describe('Sign Payload on the Device, when an expression says nothing', () => {
	const quickReplies = (more: IDataObject) => ({
		...HELLO,
		below: 'quickReplies',
		quickReplies: { quickReply: [{ title: 'Yes', payload: 'yes', ...more }] },
	});
	const buttons = (more: IDataObject) => ({ ...HELLO, below: 'buttons', buttons: oneButton(more) });

	it.each<[string, IDataObject]>([
		['a button', buttons({ payloadHidden: '={{ $json.nope }}' })],
		['a button', buttons({ payloadHidden: '={{ null }}' })],
		[
			'a button of an OTP',
			{ ...OTP, below: 'buttons', buttons: oneButton({ payloadHidden: '={{ undefined }}' }) },
		],
		[
			'a button of a card',
			{
				operation: 'sendCarousel',
				cards: {
					card: [{ title: 'A', buttons: oneButton({ payloadHidden: '={{ $json.nope }}' }) }],
				},
			},
		],
		['a quick reply', quickReplies({ payloadHidden: '={{ $json.nope }}' })],
		[
			'a button from data',
			{
				...HELLO,
				below: 'buttons',
				specifyButtons: 'json',
				buttonsJson: '={{ [{ title: "Yes", payloadHidden: $json.nope }] }}',
			},
		],
		[
			'a quick reply from data',
			{
				...HELLO,
				below: 'quickReplies',
				specifyQuickReplies: 'json',
				quickRepliesJson: '={{ [{ title: "Yes", payloadHidden: null }] }}',
			},
		],
	])('7. %s is refused', async (_what, parameters) => {
		const { error } = await run(parameters);
		expect(error?.message).toContain('is neither on nor off');
		expect(server.requests).toBe(0);
	});

	it('7b. but not where it is off, or on, or not there', async () => {
		for (const more of [{}, { payloadHidden: false }, { payloadHidden: true }])
			expect((await run(buttons(more))).error).toBeUndefined();
	});
});

describe('two that a press could not tell apart', () => {
	const twice = [
		{ type: 'postback', title: 'Yes', payload: 'yes' },
		{ type: 'postback', title: 'No', payload: 'yes' },
	];
	const web = twice.map((button) => ({
		...button,
		type: 'web_url',
		payload: 'https://www.example.com',
	}));

	it.each<[string, string, IDataObject]>([
		['Buttons', 'buttons', { ...HELLO, below: 'buttons', buttons: { button: twice } }],
		['Buttons', 'buttons of an OTP', { ...OTP, below: 'buttons', buttons: { button: twice } }],
		[
			'Buttons (JSON)',
			'buttons from data',
			{
				...HELLO,
				below: 'buttons',
				specifyButtons: 'json',
				buttonsJson: '["Yes", { "title": "No", "value": "Yes" }]',
			},
		],
		[
			'Card 1: Buttons',
			'buttons of a card',
			{
				operation: 'sendCarousel',
				cards: { card: [{ title: 'A', buttons: { button: twice } }] },
			},
		],
		[
			'Quick Replies',
			'quick replies',
			{ ...HELLO, below: 'quickReplies', quickReplies: { quickReply: twice } },
		],
	])('8. %s: %s are refused', async (label, _what, parameters) => {
		const { error } = await run(parameters);
		expect(error?.message).toContain(`${label} has the same payload twice`);
		expect(server.requests).toBe(0);
	});

	it.each<[string, IDataObject]>([
		['open one web page', { ...HELLO, below: 'buttons', buttons: { button: web } }],
		[
			'stand on two cards',
			{
				operation: 'sendCarousel',
				cards: {
					card: ['a', 'b'].map((messageId) => ({
						title: messageId,
						messageId,
						buttons: { button: twice.slice(0, 1) },
					})),
				},
			},
		],
	])('8b. but not buttons that %s', async (_what, parameters) => {
		expect((await run(parameters)).error).toBeUndefined();
	});
});

it('9. a name in braces in the name of a file stays as it is: nothing is put in its place', async () => {
	const mediaOptions = { fileName: '{code}-{amount}.txt' };
	const { items, error } = await run({ operation: 'sendDocument', mediaOptions });
	expect(error).toBeUndefined();
	expect(items[0]?.json).not.toHaveProperty('challenge');
	expect(server.lastBody).toContain('"fileName":"{code}-{amount}.txt"');
});

describe('an expression in the credential', () => {
	const runWith = async (botToken: string, parameters: IDataObject, count: number) => {
		const given = { resource: 'message', operation: 'send', customerNo: '1', ...parameters };
		const setup = {
			parameters: given as never,
			credentials: { serverUrl: server.url, botToken, appSecret: 'secret' },
			settings: { onError: 'continueRegularOutput' as const },
		};
		const { items, decryptions } = await runDiyalogNode(setup, itemsOf(count));
		const tokens = server.paths.map((path) => path.split('/').pop());
		return { errors: items.map(({ json }) => json.error), tokens, decryptions };
	};
	const OTHER = expect.stringContaining(
		'Diyalog API credential is not the same for this item as for the first',
	) as unknown;

	it.each([
		['={{ $json.messageId }}', ['m-0'], [undefined, OTHER, OTHER]],
		['={{ $input.item.json.messageId }}', ['m-0'], [undefined, OTHER, OTHER]],
		[`={{ $json.index === 1 ? 'b' : 'a' }}`, ['a', 'a'], [undefined, OTHER, undefined]],
		[`={{ ['a', 'a'][$json.index] }}`, ['a', 'a'], [undefined, undefined, OTHER]],
		// Behind the last item these give what they give for the first.
		[`={{ $itemIndex === 1 ? 'b' : 'a' }}`, ['a', 'a'], [undefined, OTHER, undefined]],
		[
			`={{ $input.all()[$itemIndex]?.json.index === 2 ? 'b' : 'a' }}`,
			['a', 'a'],
			[undefined, undefined, OTHER],
		],
		[`={{ $json?.index === 1 ? 'b' : 'a' }}`, ['a', 'a'], [undefined, OTHER, undefined]],
	])('10. %s: no item leaves with the token of another one', async (token, used, expected) => {
		for (const parameters of [HELLO, OTP]) {
			server.paths.splice(0);
			const { tokens, errors } = await runWith(token, parameters, 3);
			expect([tokens, errors]).toEqual([used, expected]);
		}
	});

	it.each(['plain', `={{ 'a' + 'b' }}`, '={{ $workflow.id }}', 'a=$json'])(
		'10b. %s looks at no item: all are sent, and it is not read for each',
		async (token) => {
			const { errors, decryptions } = await runWith(token, HELLO, 20);
			expect(errors).toEqual(Array.from({ length: 20 }));
			expect(decryptions).toBe(2);
		},
	);

	it('10c. one item alone has its own token', async () => {
		const { tokens, decryptions } = await runWith('={{ $json.messageId }}', HELLO, 1);
		expect([tokens, decryptions]).toEqual([['m-0'], 1]);
	});
});
