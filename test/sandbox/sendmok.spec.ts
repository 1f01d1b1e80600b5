import { closeAll, control, otp, send, sendRaw, start, TOKEN } from './support';

afterEach(closeAll);

const without = (field: keyof typeof otp) =>
	Object.fromEntries(Object.entries(otp).filter(([key]) => key !== field));
const withButton = (button: object) => ({ ...otp, buttonsV2: [button] });
const postback = { type: 'postback', title: 'Approve', payload: 'yes' };

describe('an OTP that fits the documentation', () => {
	it('is answered with two strings that hold 64-bit integers', async () => {
		const { sandbox } = await start();
		const { status, text } = await send(sandbox);
		expect(status).toBe(200);
		const answer = JSON.parse(text);
		expect(Object.keys(answer)).toEqual(['recipient_id', 'message_id']);
		expect(answer.recipient_id).toBe('243540663');
		expect(answer.message_id).toMatch(/^-?\d+$/);
		expect(answer.message_id).toBe(sandbox.messages()[0]?.id);
	});

	it('answers with the documented example where its ids are given', async () => {
		const { sandbox } = await start({}, { now: Date.now, newId: () => '-7523925115459309081' });
		const { text } = await send(sandbox, { ...otp, customerNo: '123456789' });
		expect(text).toBe('{"recipient_id":"2074022437","message_id":"-7523925115459309081"}');
	});

	it('can answer with the id of the sender, as the prose of the documentation says', async () => {
		const { sandbox } = await start({ ids: { answer: 'sender' } });
		expect(JSON.parse((await send(sandbox)).text).message_id).toBe('messageId-74');
	});

	it('is stored as it was sent', async () => {
		const { sandbox } = await start();
		await send(sandbox);
		expect(sandbox.messages()).toEqual([expect.objectContaining(otp)]);
		expect((await control(sandbox, 'GET', '/sandbox/messages')).json).toEqual(sandbox.messages());
	});

	it.each([
		['without anything optional', { customerNo: '70021', messageId: '1', mokMessage: 'Hi' }],
		['with unknown fields', { ...otp, somethingNew: 1 }],
		['with a web_url button', withButton({ ...postback, type: 'web_url', payload: 'https://a.b' })],
		['with an empty payload', withButton({ ...postback, payload: '' })],
		['with 20 buttons', { ...otp, buttonsV2: Array(20).fill(postback) }],
	])('is accepted %s', async (_what, body) => {
		const { sandbox } = await start();
		expect(await send(sandbox, body)).toMatchObject({ status: 200 });
		expect(sandbox.messages()).toHaveLength(1);
	});

	it('reaches the person twice when it is posted twice', async () => {
		const { sandbox } = await start();
		const before = sandbox.timesReceived(otp);
		await Promise.all([send(sandbox), send(sandbox)]);
		await send(sandbox, { ...otp, customerNo: '70022' });
		expect([before, sandbox.timesReceived(otp)]).toEqual([0, 2]);
		expect(sandbox.messages().map((message) => message.copy)).toEqual([1, 2, 1]);
		const [first, second] = sandbox.messages();
		expect(first?.id).not.toBe(second?.id);
		const query = new URLSearchParams({ customerNo: '70021', messageId: 'messageId-74' });
		const overHttp = await control(sandbox, 'GET', `/sandbox/times-received?${query}`);
		expect(overHttp.json).toEqual({ times: 2 });
	});

	it('can be sent under a path prefix', async () => {
		const { sandbox } = await start({ pathPrefix: '/messaging/diyalog' });
		expect(sandbox.url).toMatch(/:\d+\/messaging\/diyalog$/);
		expect((await send(sandbox)).status).toBe(200);
	});

	it('takes a token of 1,000 characters', async () => {
		const token = 'x'.repeat(1_000);
		const { sandbox } = await start({ bots: [{ name: 'long', token }] });
		expect((await send(sandbox, otp, token)).status).toBe(200);
	});
});

describe('what the documentation refuses', () => {
	it.each([
		['customerNo missing', without('customerNo')],
		['messageId missing', without('messageId')],
		['mokMessage missing', without('mokMessage')],
		['customerNo a number', { ...otp, customerNo: 70021 }],
		['mokValue a number', { ...otp, mokValue: 33 }],
		['imageUrl null', { ...otp, imageUrl: null }],
		['buttonsV2 an object', { ...otp, buttonsV2: postback }],
		['a button of another type', withButton({ ...postback, type: 'phone' })],
		['a button without title', withButton({ type: 'postback', payload: 'yes' })],
		['a button without payload', withButton({ type: 'postback', title: 'Approve' })],
		['payloadHidden a string', withButton({ ...postback, payloadHidden: 'true' })],
		['payloadSeenByUser a number', withButton({ ...postback, payloadSeenByUser: 1 })],
		['a web_url that is no URI', withButton({ ...postback, type: 'web_url', payload: 'a b' })],
		[
			'a web_url with a space',
			withButton({ ...postback, type: 'web_url', payload: 'http://a/b c' }),
		],
		['an array', [otp]],
		['null', null],
	])('%s: 400 malformed', async (_what, body) => {
		const { sandbox } = await start();
		const { status, text } = await send(sandbox, body);
		expect(status).toBe(400);
		expect(text).toMatch(/^The request content was malformed: ./);
		expect(sandbox.messages()).toEqual([]);
	});

	it.each([
		['text that is not JSON', '{"customerNo": "70021"', 'application/json'],
		['no body', '', 'application/json'],
		['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'application/json'],
		['another content type', JSON.stringify(otp), 'text/plain'],
		['a content type that is none', JSON.stringify(otp), 'x'],
		['a content type that only begins alike', JSON.stringify(otp), 'application/jsonp'],
	])('%s: 400 malformed', async (_what, body, contentType) => {
		const { sandbox } = await start();
		const { status, text } = await sendRaw(sandbox, body, TOKEN, contentType);
		expect(status).toBe(400);
		expect(text).toMatch(/^The request content was malformed: ./);
	});

	it('a wrong token: 503, before the body is looked at', async () => {
		const { sandbox } = await start();
		const refused = { status: 503, text: 'You may be using wrong token.' };
		expect(await send(sandbox, otp, 'wrong')).toEqual(refused);
		expect(await sendRaw(sandbox, 'not JSON', 'wrong', 'text/plain')).toEqual(refused);
		expect(await send(sandbox, otp, encodeURIComponent(TOKEN))).toEqual(refused);
		expect(sandbox.messages()).toEqual([]);
	});

	it('an unknown customer: 500, in the documented spelling', async () => {
		const { sandbox } = await start();
		const answer = await send(sandbox, { ...otp, customerNo: 'nobody' });
		expect(answer).toEqual({
			status: 500,
			text: 'Not delivered due to recepient not found.',
		});
	});

	it('a bot that is not alive: 500, after the body and before the customer', async () => {
		const { sandbox } = await start({ bots: [{ name: 'off', token: TOKEN, active: false }] });
		const notAlive = { status: 500, text: 'Sender bot is not alive.' };
		expect(await send(sandbox)).toEqual(notAlive);
		expect(await send(sandbox, { ...otp, customerNo: 'nobody' })).toEqual(notAlive);
		expect((await send(sandbox, {})).status).toBe(400);
	});

	it('a body over 1 MiB', async () => {
		const { sandbox } = await start();
		const huge = { ...otp, mokMessage: 'x'.repeat(1024 * 1024) };
		expect(await send(sandbox, huge)).toMatchObject({ status: 413 });
	});
});

describe('the token', () => {
	it('is in no answer, whatever is asked', async () => {
		const token = 'secret-token-of-this-test';
		const { sandbox } = await start({ bots: [{ name: 'otp-bot', token }] });
		const paths = ['', '/', '/more', '%zz', '?a=b'].map(
			(end) => `${sandbox.url}/v1/bots/sendmok/${token}${end}`,
		);
		const answers: string[] = [];
		for (const path of paths) {
			for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
				answers.push(await (await fetch(path, { method })).text());
			}
		}
		for (const path of ['messages', 'webhooks', 'press']) {
			answers.push(await (await fetch(`${sandbox.url}/sandbox/${path}`)).text());
		}
		expect(answers).toHaveLength(23);
		expect(answers.filter((answer) => answer.includes(token))).toEqual([]);
		// The list above can only be right if answers quote something at all.
		expect(answers.join()).toContain('could not be found');
	});

	it('is not in the error of a configuration that does not fit', async () => {
		const bots = [
			{ name: 'a', token: 'the-same-token' },
			{ name: 'b', token: 'the-same-token' },
		];
		const error: unknown = await start({ bots }).catch((reason: unknown) => reason);
		expect(String(error)).toContain('two bots have the same token');
		expect(String(error)).not.toContain('the-same-token');
	});
});
