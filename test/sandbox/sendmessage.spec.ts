import type { SandboxConfigInput } from '../../sandbox/config';
import type { Sandbox } from '../../sandbox/server';
import type { Receiver } from '../support/receiver';
import {
	button,
	card,
	closeAll,
	control,
	CUSTOMER_NO,
	eventually,
	kinds,
	noReplies,
	otp,
	reply,
	send,
	sendMessage,
	sendRaw,
	start,
	toCustomer,
	toEmployee,
	TOKEN,
} from './support';

afterEach(closeAll);

const MALFORMED = /^The request content was malformed: ./;
const hello = kinds.text('Hello');
const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);
const titles = (count: number) => Array.from({ length: count }, (_each, index) => `B${index + 1}`);
const buttons = (count: number) => titles(count).map((title) => button(title));

const without = (object: object, field: string) =>
	Object.fromEntries(Object.entries(object).filter(([key]) => key !== field));
const template = (payload: object) => ({
	...noReplies,
	attachment: { type: 'template', payload },
});
const buttonPayload = kinds.buttons('Which?', [button('A')]).attachment.payload;
const carouselPayload = kinds.carousel([card('One')]).attachment.payload;
const file = kinds.document('a.txt', Buffer.from('a')).document;
const withFile = (more: object) => ({ ...noReplies, document: { ...file, ...more } });

function messaging(receiver: Receiver) {
	return receiver.received.flatMap(({ body }) =>
		JSON.parse(body).entry.map((entry: { messaging: object[] }) => entry.messaging[0]),
	);
}

async function recipientsOf(sandbox: Sandbox, receiver: Receiver): Promise<unknown[]> {
	await sandbox.flush();
	return messaging(receiver).map(({ recipient }) => recipient);
}

async function delivered(config: SandboxConfigInput, message: object, recipient?: object) {
	const { sandbox, receiver } = await start({ documentDelayMs: 0, ...config });
	const answer = await sendMessage(sandbox, message, recipient);
	expect(answer).toMatchObject({ status: 200 });
	await eventually(() => sandbox.messages().length === 1);
	return { sandbox, receiver, message: sandbox.messages()[0], answer: JSON.parse(answer.text) };
}

describe('each kind is stored as it was sent', () => {
	const replies = titles(11).map((title) => reply(title, { payloadSeenByUser: 'x' }));
	const elements = Array.from({ length: 10 }, (_each, index) => card(`${index}`, buttons(3)));
	it.each([
		['text', hello, { text: 'Hello' }],
		[
			'quickReplies',
			{ ...hello, quickRepliesV2: replies },
			{ text: 'Hello', quickReplies: replies },
		],
		['buttons', kinds.buttons('Which?', buttons(10)), { text: 'Which?', buttonsV2: buttons(10) }],
		['carousel', kinds.carousel(elements), { elements }],
		['carousel', kinds.carousel([{ buttons: [], buttonsV2: buttons(4) }]), {}],
		['document', withFile({}), { document: { ...file, size: 1 } }],
		['document', withFile({ video: { width: 1, height: 1, duration: 1 } }), {}],
		['document', withFile({ voice: { duration: 0 }, mimeType: 'audio/ogg' }), {}],
		['document', kinds.document('p.png', PNG, { photo: { width: 1, height: 1 } }), {}],
		[
			'appTrigger',
			kinds.appTrigger('Open', 'card', ''),
			{ text: 'Open', trigger: { command: 'card', data: '' } },
		],
	])('%s', async (kind, body, stored) => {
		const { message, answer } = await delivered({}, { ...body, messageId: 'mine' });
		const names = { customerNo: CUSTOMER_NO, userId: '243540663', messageId: 'mine' };
		expect(message).toMatchObject({ kind, ...names, ...stored });
		expect(answer).toEqual({ recipient_id: '243540663', message_id: message?.id });
	});

	it('and gets an id of Diyalog where the sender gave none', async () => {
		const { message, answer } = await delivered({ ids: { answer: 'sender' } }, hello);
		expect(message?.messageId).toBe(message?.id);
		expect(answer.message_id).toBe(message?.id);
	});

	it('the sender’s id comes back where that is configured', async () => {
		const own = { ...hello, messageId: 'mine' };
		expect((await delivered({ ids: { answer: 'sender' } }, own)).answer.message_id).toBe('mine');
	});

	it('under a path prefix', async () => {
		await delivered({ pathPrefix: '/messaging' }, hello);
	});
});

describe('what the documentation refuses', () => {
	it.each([
		['quickReplies missing', without(hello, 'quickReplies')],
		['quickRepliesV2 missing', without(hello, 'quickRepliesV2')],
		['quickReplies missing beside a template', without(template(buttonPayload), 'quickReplies')],
		['quickRepliesV2 missing beside a document', without(withFile({}), 'quickRepliesV2')],
		['quickReplies not empty', { ...hello, quickReplies: [reply('A')] }],
		['nothing to show', noReplies],
		['a text and a template', { ...template(buttonPayload), text: 'Hello' }],
		['a text and a document', { ...withFile({}), text: 'Hello' }],
		['a document and a template', { ...withFile({}), ...template(buttonPayload) }],
		['a document and a trigger', { ...withFile({}), trigger: { command: 'a', data: '' } }],
		['quick replies without text', { ...noReplies, quickRepliesV2: [reply('A')] }],
		['quick replies of a document', { ...withFile({}), quickRepliesV2: [reply('A')] }],
		['quick replies of a template', { ...template(buttonPayload), quickRepliesV2: [reply('A')] }],
		[
			'quick replies of a trigger',
			{ ...kinds.appTrigger('a', 'b', 'c'), quickRepliesV2: [reply('A')] },
		],
		['12 quick replies', kinds.quickReplies('Which?', titles(12))],
		['a quick reply without contentType', { ...hello, quickRepliesV2: [button('A')] }],
		[
			'a quick reply without payload',
			{ ...hello, quickRepliesV2: [without(reply('A'), 'payload')] },
		],
		['text a number', { ...hello, text: 1 }],
		['messageId a number', { ...hello, messageId: 1 }],
		...Object.keys(buttonPayload).map((field): [string, object] => [
			`a button template without ${field}`,
			template(without(buttonPayload, field)),
		]),
		['a button template with elements', template({ ...buttonPayload, elements: [card('A')] })],
		['a button of another type', kinds.buttons('Which?', [button('A', { type: 'phone' })])],
		['another template', template({ ...buttonPayload, templateType: 'list' })],
		['another attachment', { ...noReplies, attachment: { type: 'image', payload: {} } }],
		...Object.keys(carouselPayload).map((field): [string, object] => [
			`a carousel without ${field}`,
			template(without(carouselPayload, field)),
		]),
		['a carousel without cards', kinds.carousel([])],
		['11 cards', kinds.carousel(Array(11).fill(card('One')))],
		['a card without buttons', kinds.carousel([without(card('One'), 'buttons')])],
		['a card without buttonsV2', kinds.carousel([without(card('One'), 'buttonsV2')])],
		['a carousel with buttons', template({ ...carouselPayload, buttonsV2: [button('A')] })],
		['a document without name', { ...noReplies, document: without(file, 'fileName') }],
		['a document without data', { ...noReplies, document: without(file, 'fileData') }],
		['a photo with half a size', withFile({ photo: { width: 1 } })],
		['a size that is not whole', withFile({ photo: { width: 1.5, height: 1 } })],
		['a duration in text', withFile({ voice: { duration: '3' } })],
		['a video without duration', withFile({ video: { width: 1, height: 1 } })],
		['photo and voice', withFile({ photo: { width: 1, height: 1 }, voice: { duration: 1 } })],
		['a trigger without text', without(kinds.appTrigger('a', 'b', 'c'), 'text')],
		['a trigger without command', { ...hello, trigger: { data: '' } }],
		['a trigger without data', { ...hello, trigger: { command: 'a' } }],
		['a trigger with an object', { ...hello, trigger: { command: 'a', data: {} } }],
	])('%s: 400 malformed', async (_what, message) => {
		const { sandbox } = await start({ documentDelayMs: 0 });
		const { status, text } = await sendMessage(sandbox, message);
		expect([status, text]).toEqual([400, expect.stringMatching(MALFORMED)]);
		expect(sandbox.messages()).toEqual([]);
	});

	it.each([
		['none', {}],
		['customer and employee', { ...toCustomer, ...toEmployee }],
		['employee and id', { ...toEmployee, id: '3021457781' }],
		['customer and id', { ...toCustomer, id: '243540663' }],
		['id as a number', { id: 243540663 }],
		['missing', undefined],
	])('recipient %s: 400 malformed', async (_what, recipient) => {
		const { sandbox } = await start();
		const body = JSON.stringify({ recipient, message: hello });
		const refused = await sendRaw(sandbox, body, TOKEN, 'application/json', 'sendmessage');
		expect([refused.status, refused.text]).toEqual([400, expect.stringMatching(MALFORMED)]);
	});

	it.each([
		{ appCustomerId: 'nobody' },
		{ appStaffId: 'nobody' },
		{ id: '1' },
		{ appCustomerId: 'E100' },
		{ appStaffId: CUSTOMER_NO },
		{ appCustomerId: '' },
	])('an unknown recipient, %j: 500 in the documented spelling', async (recipient) => {
		const { sandbox } = await start();
		const notFound = { status: 500, text: 'Not delivered due to recepient not found.' };
		expect(await sendMessage(sandbox, hello, recipient)).toEqual(notFound);
	});

	it('a wrong token before anything else, and a bot that is not alive', async () => {
		const { sandbox } = await start({
			bots: [
				{ name: 'on', token: TOKEN },
				{ name: 'off', token: 'off', active: false },
			],
		});
		const wrong = { status: 503, text: 'You may be using wrong token.' };
		expect(await sendMessage(sandbox, {}, {}, 'wrong')).toEqual(wrong);
		expect(await sendRaw(sandbox, 'x', 'wrong', 'text/plain', 'sendmessage')).toEqual(wrong);
		const notAlive = { status: 500, text: 'Sender bot is not alive.' };
		expect(await sendMessage(sandbox, hello, { id: '1' }, 'off')).toEqual(notAlive);
		expect((await sendMessage(sandbox, {}, toCustomer, 'off')).status).toBe(400);
	});
});

describe('the data of a document', () => {
	const zeros = (bytes: number) => kinds.document('big.bin', new Uint8Array(bytes));
	const noImage = 'File as photo cannot be parsed due to it is not a image file.';
	const tooLarge = 'Exceeded max file size of 5MB';
	const photo = { photo: { width: 1, height: 1 } };
	it.each([
		['5,000,000 bytes', zeros(5_000_000), tooLarge],
		['9 MB', zeros(9_000_000), tooLarge],
		['no bytes', zeros(0), 'File data bytes is empty'],
		['letters that are not base64', withFile({ fileData: 'a*==' }), 'File data bytes not valid'],
		['half a base64', withFile({ fileData: 'YWJ' }), 'File data bytes not valid'],
		['padding alone', withFile({ fileData: '====' }), 'File data bytes not valid'],
		['a data URL', withFile({ fileData: 'data:;base64,YQ==' }), 'File data bytes not valid'],
		['a text as photo', withFile(photo), noImage],
		['a PDF as photo', kinds.document('a.png', Buffer.from('%PDF-1.7'), photo), noImage],
		['SVG as photo', kinds.document('a.svg', Buffer.from('<svg/>'), photo), noImage],
	])('%s: 400', async (_what, message, text) => {
		const { sandbox } = await start({ documentDelayMs: 0 });
		expect(await sendMessage(sandbox, message)).toEqual({ status: 400, text });
		await sandbox.flush();
		expect(sandbox.messages()).toEqual([]);
	});

	it('4,999,999 bytes arrive, whole', async () => {
		const bytes = Buffer.alloc(4_999_999, 'Diyalog');
		const { sandbox, message } = await delivered({}, kinds.document('big.bin', bytes));
		expect(message?.document?.size).toBe(4_999_999);
		expect(Buffer.from(message?.document?.fileData ?? '', 'base64').equals(bytes)).toBe(true);
		const url = new URL(`/sandbox/documents/${message?.id}`, sandbox.url);
		expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(bytes)).toBe(true);
		const { json } = await control(sandbox, 'GET', '/sandbox/messages');
		expect(json).toMatchObject([{ document: { fileName: 'big.bin', fileData: '' } }]);
	});

	it('a body over 16 MiB', async () => {
		const { sandbox } = await start();
		const { status, text } = await sendMessage(sandbox, zeros(13_000_000));
		expect([status, text]).toEqual([413, 'The request content is larger than 16 MiB.']);
	});

	it.each([
		['text/html', {}, 'application/octet-stream', 'attachment'],
		['text/javascript', {}, 'application/octet-stream', 'attachment'],
		['image/svg+xml', {}, 'application/octet-stream', 'attachment'],
		['text/html', photo, 'image/png', null],
		['audio/mpeg', { voice: { duration: 1 } }, 'audio/mpeg', null],
		['video/mp4; x="', {}, 'application/octet-stream', 'attachment'],
	])('of type %s with %j is served as %s', async (mimeType, more, type, disposition) => {
		const body = kinds.document('x.html', PNG, { mimeType, ...more });
		const { sandbox, message } = await delivered({}, body);
		const { headers } = await fetch(new URL(`/sandbox/documents/${message?.id}`, sandbox.url));
		expect(headers.get('content-type')).toBe(type);
		expect(headers.get('content-disposition')).toBe(disposition);
		expect(headers.get('x-content-type-options')).toBe('nosniff');
	});

	it('of which there is none: 404', async () => {
		const { sandbox } = await start();
		expect((await control(sandbox, 'GET', '/sandbox/documents/1')).status).toBe(404);
	});

	it('is on the phone later than the answer, and so are its events', async () => {
		const { sandbox, receiver } = await start({ documentDelayMs: 200 });
		await sendMessage(sandbox, { ...withFile({}), messageId: 'late' });
		await sendMessage(sandbox, { ...hello, messageId: 'soon' });
		await sandbox.flush();
		expect(sandbox.messages().map(({ messageId }) => messageId)).toEqual(['soon']);
		expect(messaging(receiver)).toHaveLength(2);
		expect(sandbox.timesReceived({ customerNo: CUSTOMER_NO, messageId: 'late' })).toBe(0);
		await eventually(() => sandbox.messages().length === 2);
		await sandbox.flush();
		expect(messaging(receiver).slice(2)).toMatchObject([
			{ messageEcho: { mid: 'late' } },
			{ delivery: { mids: ['late'] } },
		]);
	});

	it('closing does not wait for what is on its way', async () => {
		const { sandbox } = await start({ documentDelayMs: 60_000 });
		await sendMessage(sandbox, withFile({}));
		const startedAt = Date.now();
		await sandbox.close();
		expect(Date.now() - startedAt).toBeLessThan(2_000);
		expect(sandbox.messages()).toEqual([]);
	});
});

describe('presses', () => {
	it('a quick reply, by title or index: the webhook of a button', async () => {
		const { sandbox, receiver } = await start();
		const body = { ...kinds.text('Which?'), quickRepliesV2: [reply('A'), reply('B')] };
		await sendMessage(sandbox, { ...body, messageId: 'one' });
		expect(sandbox.pressButton({ messageId: 'one', button: 'B' })).toMatchObject({
			shown: 'b',
			text: '[one]:b',
		});
		await sendMessage(sandbox, { ...body, messageId: 'two' });
		sandbox.pressButton({ messageId: 'two', button: 0 });
		await sandbox.flush();
		const texts = messaging(receiver).flatMap(({ message }) => message?.text ?? []);
		expect(texts).toEqual(['[one]:b', '[two]:a']);
		expect(sandbox.messages().map(({ presses }) => presses)).toEqual([[1], [0]]);
	});

	it.each([
		['one was tapped', (sandbox: Sandbox) => void press(sandbox)],
		['a message follows', async (sandbox: Sandbox) => await sendMessage(sandbox, hello)],
		['an OTP follows', async (sandbox: Sandbox) => await send(sandbox)],
		[
			'the person writes',
			(sandbox: Sandbox) => void sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'hm' }),
		],
	])('quick replies are gone once %s', async (_what, follow) => {
		const { sandbox } = await start();
		const body = kinds.quickReplies('Which?', ['A', 'B'], { messageId: 'one' });
		await sendMessage(sandbox, body);
		await sendMessage(sandbox, hello, toEmployee);
		await follow(sandbox);
		expect(() => press(sandbox)).toThrow('The quick replies are gone');
	});
	const press = (sandbox: Sandbox) => sandbox.pressButton({ messageId: 'one', button: 'A' });

	it('a button template carries the id of its template', async () => {
		const body = { ...kinds.buttons('Which?', buttons(2), 'inside'), messageId: 'outside' };
		const { sandbox } = await delivered({}, body);
		for (const messageId of ['inside', 'outside']) {
			expect(sandbox.pressButton({ messageId, button: 'B2' }).text).toBe('[inside]:b2');
		}
	});

	it('a card carries its own id if it has one, else the message’s', async () => {
		const cards = [
			card('One', [button('Take')]),
			card('Two', [button('Look'), button('Take', { payload: 'two' })], { messageId: 'card-2' }),
		];
		const { sandbox } = await delivered({}, kinds.carousel(cards, { messageId: 'all' }));
		const texts = [
			sandbox.pressButton({ messageId: 'all', button: 'Take' }),
			sandbox.pressButton({ messageId: 'all', button: 2 }),
			sandbox.pressButton({ messageId: 'card-2', button: 'Take' }),
			sandbox.pressButton({ messageId: 'card-2', button: 0 }),
		].map(({ text }) => text);
		expect(texts).toEqual(['[all]:take', '[card-2]:two', '[card-2]:two', '[card-2]:look']);
		expect(sandbox.messages()[0]?.presses).toEqual([0, 2, 2, 1]);
	});

	it.each([
		['SendOTP', undefined],
		['a button template', kinds.buttons('Which?', buttons(10), otp.messageId)],
		['a carousel', kinds.carousel([card('One', buttons(10))], { messageId: otp.messageId })],
	])('%s: only the first 3 of 10 buttons are on the phone', async (_what, message) => {
		const { sandbox } = await start();
		const sent = message
			? await sendMessage(sandbox, message)
			: await send(sandbox, { ...otp, buttonsV2: buttons(10) });
		expect(sent.status).toBe(200);
		sandbox.pressButton({ messageId: otp.messageId, button: 2 });
		for (const pressed of ['B4', 3, 9]) {
			expect(() => sandbox.pressButton({ messageId: otp.messageId, button: pressed })).toThrow(
				/^Button (4|10) is not on the phone: a phone shows 3\./,
			);
		}
		const overHttp = { messageId: otp.messageId, button: 'B4' };
		expect((await control(sandbox, 'POST', '/sandbox/press', overHttp)).status).toBe(409);
		expect(sandbox.messages()[0]?.presses).toEqual([2]);
	});

	it('an app trigger posts nothing', async () => {
		const body = { ...kinds.appTrigger('Open', 'card', '7'), messageId: 'one' };
		const { sandbox } = await delivered({}, body);
		const press = { messageId: 'one', button: 0 };
		expect(await control(sandbox, 'POST', '/sandbox/press', press)).toMatchObject({
			status: 409,
			json: { error: expect.stringContaining('no webhook') },
		});
	});

	const hidden = { payloadHidden: true, payloadSeenByUser: 'Evet' };
	it.each([
		['a quick reply', { ...hello, quickRepliesV2: [reply('Yes', hidden)], messageId: 'm' }, 'm'],
		['a button', { ...kinds.buttons('?', [button('Yes', hidden)], 'm') }, 'm'],
		[
			'a card',
			kinds.carousel([card('One', [button('Yes', hidden)], { messageId: 'c' })], {
				messageId: 'm',
			}),
			'c',
		],
	])(
		'%s with a hidden payload comes back signed, or not from an old app',
		async (_what, body, id) => {
			const { sandbox } = await start();
			const claims = async (recipient: object) => {
				await sendMessage(sandbox, body, recipient);
				const answer = sandbox.pressButton({ messageId: 'm', button: 'Yes' });
				expect(answer).toMatchObject({ shown: 'Evet', signature: 'genuine' });
				const jws = answer.text.slice(`[${id}]:`.length);
				return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
			};
			const common = { payload: 'yes', messageId: id, iat: expect.any(Number) };
			expect(await claims(toCustomer)).toEqual({ ...common, customerNo: CUSTOMER_NO });
			expect(await claims(toEmployee)).toEqual({ ...common, employeeNo: 'E100' });
			await control(sandbox, 'PUT', '/sandbox/faults', { signDataUnsupported: true });
			await sendMessage(sandbox, body);
			expect(sandbox.pressButton({ messageId: 'm', button: 'Yes' })).toMatchObject({
				text: `[${id}]:yes`,
				shown: 'Evet',
				signature: 'missing',
			});
		},
	);
});

describe('people', () => {
	it.each([
		[toCustomer, { customerNo: CUSTOMER_NO }, 'Ayşe Yılmaz'],
		[{ id: '243540663' }, { customerNo: CUSTOMER_NO }, 'Ayşe Yılmaz'],
		[toEmployee, { employeeNo: 'E100' }, 'Deniz Arslan'],
		[{ id: '3021457781' }, { employeeNo: 'E100' }, 'Deniz Arslan'],
	])('%j reaches %j', async (recipient, person, name) => {
		const { sandbox } = await start();
		const body = { ...kinds.buttons('Which?', buttons(1), 'one'), messageId: 'one' };
		const { text } = await sendMessage(sandbox, body, recipient);
		const userId = JSON.parse(text).recipient_id;
		const all = [...sandbox.config.customers, ...sandbox.config.employees];
		expect(all.find((each) => each.userId === userId)?.name).toBe(name);
		expect(sandbox.messages()).toMatchObject([{ ...person, userId }]);
		for (const named of [person, { userId }]) {
			expect(sandbox.timesReceived({ ...named, messageId: 'one' })).toBe(1);
			expect(sandbox.pressButton({ ...named, messageId: 'one', button: 0 })).toMatchObject(person);
			expect(sandbox.typeText({ ...named, text: 'hm' })).toMatchObject(person);
		}
		expect(sandbox.timesReceived({ customerNo: '70022', messageId: 'one' })).toBe(0);
		const query = new URLSearchParams({ ...person, messageId: 'one' });
		const times = await control(sandbox, 'GET', `/sandbox/times-received?${query}`);
		expect(times.json).toEqual({ times: 1 });
		const pressed = { ...person, messageId: 'one', button: 0 };
		expect((await control(sandbox, 'POST', '/sandbox/press', pressed)).status).toBe(200);
		const typed = { ...person, text: 'hm' };
		expect((await control(sandbox, 'POST', '/sandbox/type', typed)).status).toBe(200);
		const read = await control(sandbox, 'POST', '/sandbox/read', { userId });
		expect(read.json).toMatchObject([{ messageId: 'one', readAt: expect.any(Number) }]);
		expect(sandbox.markRead(person)).toEqual([]);
	});

	it.each([
		[{}, 400, 'Name the person'],
		[{ employeeNo: 'E999' }, 404, 'no employee'],
		[{ userId: '1' }, 404, 'nobody'],
		[{ customerNo: CUSTOMER_NO, employeeNo: 'E100' }, 404, 'no employee'],
	])('%j: %i', async (person, status, words) => {
		const { sandbox } = await start();
		const answer = await control(sandbox, 'POST', '/sandbox/type', { ...person, text: 'x' });
		expect(answer).toEqual({ status, json: { error: expect.stringContaining(words) } });
	});

	it('SendOTP does not reach employees', async () => {
		const { sandbox } = await start();
		expect((await send(sandbox, { ...otp, customerNo: 'E100' })).status).toBe(500);
	});

	it.each([
		['missing', { id: '3021457781' }],
		['empty', { appCustomerId: '', id: '3021457781' }],
		['staffId', { appCustomerId: 'E100', id: '3021457781' }],
	] as const)('the events of an employee, with %s customer number', async (form, recipient) => {
		const { sandbox, receiver } = await start({ employeeAppCustomerId: form });
		sandbox.setFaults({ customerNoInEvents: 'empty' });
		await sendMessage(sandbox, hello, toEmployee);
		expect(await recipientsOf(sandbox, receiver)).toEqual([recipient, recipient]);
	});

	it.each([
		['present', { appCustomerId: CUSTOMER_NO, id: '243540663' }],
		['missing', { id: '243540663' }],
		['empty', { appCustomerId: '', id: '243540663' }],
	] as const)('the events of a customer, with %s customer number', async (form, recipient) => {
		const { sandbox, receiver } = await start();
		const put = await control(sandbox, 'PUT', '/sandbox/faults', { customerNoInEvents: form });
		expect(put.json).toMatchObject({ customerNoInEvents: form });
		await send(sandbox);
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'hm' });
		expect(await recipientsOf(sandbox, receiver)).toEqual(Array(3).fill(recipient));
	});

	it('two with one user id are no configuration', async () => {
		const employees = [{ employeeNo: 'E1', userId: '243540663' }];
		await expect(start({ employees })).rejects.toThrow('two people have the same userId');
	});
});

it('the list of OTPs holds what SendOTP sent, and nothing else', async () => {
	const { sandbox } = await start();
	await send(sandbox);
	await sendMessage(sandbox, hello);
	await sendMessage(sandbox, hello, toEmployee);
	const list = async (query: string) =>
		(await control(sandbox, 'GET', `/sandbox/messages${query}`)).json;
	expect(await list('')).toHaveLength(3);
	expect(await list('?kind=otp')).toMatchObject([{ kind: 'otp', messageId: otp.messageId }]);
	const csv = await (await fetch(new URL('/sandbox/messages.csv', sandbox.url))).text();
	expect(csv.trim().split('\r\n')).toHaveLength(2);
});
