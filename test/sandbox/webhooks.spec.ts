import { createHmac } from 'node:crypto';
import type { Receiver } from '../support/receiver';
import {
	APP_SECRET,
	closeAll,
	control,
	CUSTOMER_NO,
	eventually,
	otp,
	send,
	start,
	TOKEN,
} from './support';

afterEach(closeAll);

/** The events received so far, in order: name, and what it says. */
function events(receiver: Receiver) {
	return receiver.received.flatMap(({ body }) =>
		JSON.parse(body).entry.map((entry: { messaging: [Record<string, unknown>] }) => {
			const { sender, recipient, timestamp, ...event } = entry.messaging[0];
			expect([sender, recipient, timestamp]).not.toContain(undefined);
			return event;
		}),
	);
}

const message = (mid: string, text: string) => ({ message: { mid, text } });
const eventsOf = (text: string) => JSON.parse(text).entry.length;

describe('the webhook', () => {
	it('is, byte for byte, a documented example', async () => {
		let now = 1560199028642;
		const { sandbox, receiver } = await start(
			{ batch: { maxWaitMs: 60_000 } },
			{ now: () => now, newId: () => '1' },
		);
		await send(sandbox, { ...otp, messageId: 'messageId-101' });
		now = 1560199033954;
		await sandbox.flush();
		const entry = (event: object) => ({
			id: 'OTP',
			time: 1560199033954,
			messaging: [
				{
					sender: { id: '1614379680' },
					recipient: { appCustomerId: '70021', id: '243540663' },
					timestamp: 1560199028642,
					...event,
				},
			],
		});
		const documented = {
			object: 'dialog',
			entry: [
				entry({ messageEcho: { app_id: 1614379680, is_echo: true, mid: 'messageId-101' } }),
				entry({ delivery: { mids: ['messageId-101'], watermark: 1560199028642 } }),
			],
		};
		expect(receiver.received.map(({ body }) => body)).toEqual([JSON.stringify(documented)]);
	});

	it('keeps a bot id beyond 2^53 exact, as the number of the examples', async () => {
		const { sandbox, receiver } = await start();
		const bot = sandbox.config.bots[0];
		if (bot) bot.botId = '9223372036854775807';
		await send(sandbox, { ...otp, messageId: '"app_id":"12"' });
		await sandbox.flush();
		expect(receiver.received[0]?.body).toContain('"app_id":9223372036854775807,');
		expect(events(receiver)[1]).toMatchObject({ delivery: { mids: ['"app_id":"12"'] } });
	});

	it.each([
		['hex', '', (mac: Buffer) => mac.toString('hex')],
		['HEX', 'sha1=', (mac: Buffer) => `sha1=${mac.toString('hex').toUpperCase()}`],
		['base64', '', (mac: Buffer) => mac.toString('base64')],
		['base64', 'sha1=', (mac: Buffer) => `sha1=${mac.toString('base64')}`],
	] as const)('is signed over its raw bytes: %s, prefix "%s"', async (encoding, prefix, write) => {
		const { sandbox, receiver } = await start({ signature: { encoding, prefix } });
		await send(sandbox);
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'İyi günler 👋' });
		await sandbox.flush();
		const webhook = receiver.received[0];
		const mac = createHmac('sha1', APP_SECRET).update(Buffer.from(webhook?.body ?? '', 'utf8'));
		expect(webhook?.body).toContain('İyi günler 👋');
		expect(webhook?.signature).toBe(write(mac.digest()));
	});

	it('tells of a press by the id of its message, and by mid of the last one delivered', async () => {
		const { sandbox, receiver } = await start();
		await send(sandbox, { ...otp, messageId: 'first' });
		await send(sandbox, { ...otp, messageId: 'second' });
		await send(sandbox, { ...otp, messageId: 'for another person', customerNo: '70022' });
		const answer = sandbox.pressButton({ messageId: 'first', button: 'Approve' });
		sandbox.pressButton({ messageId: 'first', button: 1 });
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: '[first]:123456' });
		await sandbox.flush();
		expect(answer).toMatchObject({ shown: 'Onaylıyorum', text: '[first]:123456' });
		expect(events(receiver).slice(-3)).toEqual([
			message('second', '[first]:123456'),
			message('second', '[first]:cancelled'),
			message('second', '[first]:123456'),
		]);
	});

	it('tells once of everything read', async () => {
		const { sandbox, receiver } = await start();
		await send(sandbox, { ...otp, messageId: 'first' });
		await send(sandbox, { ...otp, messageId: 'second' });
		expect(sandbox.markRead({ customerNo: CUSTOMER_NO })).toHaveLength(2);
		expect(sandbox.markRead({ customerNo: CUSTOMER_NO })).toEqual([]);
		await sandbox.flush();
		const reads = events(receiver).filter((event: object) => 'reads' in event);
		expect(reads).toEqual([
			{ reads: { mids: ['first', 'second'], watermark: expect.any(Number) } },
		]);
	});

	it('comes only for what the bot is subscribed to', async () => {
		const { sandbox, receiver } = await start();
		const bot = sandbox.config.bots[0];
		if (bot) bot.webhook.subscribedEvents = ['Messages'];
		await send(sandbox);
		sandbox.markRead({ customerNo: CUSTOMER_NO });
		sandbox.pressButton({ messageId: otp.messageId, button: 'Dismiss' });
		await sandbox.flush();
		expect(events(receiver)).toEqual([message(otp.messageId, '[messageId-74]:cancelled')]);
	});

	it('goes to the address of its own bot', async () => {
		const { sandbox, receiver } = await start({
			bots: [
				{ name: 'one', token: TOKEN },
				{ name: 'two', token: 'two', botId: '-2' },
			],
		});
		sandbox.setWebhookUrl('two', receiver.url);
		await send(sandbox, otp, TOKEN);
		await send(sandbox, otp, 'two');
		await sandbox.flush();
		expect(receiver.received).toHaveLength(1);
		expect(receiver.received[0]?.body).toContain('"sender":{"id":"-2"}');
		expect(sandbox.webhookLog().find((webhook) => webhook.botName === 'one')?.error).toBe(
			'Bot "one" has no webhook URL. Set one to receive this.',
		);
	});
});

describe('batching', () => {
	it('sends at the configured count without waiting', async () => {
		const { sandbox, receiver } = await start({ batch: { maxEvents: 3, maxWaitMs: 60_000 } });
		for (let index = 0; index < 7; index++) {
			sandbox.typeText({ customerNo: CUSTOMER_NO, text: `${index}` });
		}
		await eventually(() => receiver.received.length === 2);
		expect(receiver.received.map(({ body }) => eventsOf(body))).toEqual([3, 3]);
		await sandbox.flush();
		expect(receiver.received.map(({ body }) => eventsOf(body))).toEqual([3, 3, 1]);
	});

	it('sends what there is when the configured time is over, counted from the first event', async () => {
		const { sandbox, receiver } = await start({ batch: { maxEvents: 10, maxWaitMs: 300 } });
		const startedAt = Date.now();
		await send(sandbox);
		await eventually(() => Date.now() - startedAt > 150);
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'late' });
		expect(receiver.received).toEqual([]);
		await eventually(() => receiver.received.length > 0);
		expect(eventsOf(receiver.received[0]?.body ?? '')).toBe(3);
		const waitedMs = (receiver.received[0]?.receivedAt ?? 0) - startedAt;
		expect(waitedMs).toBeGreaterThanOrEqual(295);
		expect(waitedMs).toBeLessThan(445);
	});

	it('has the documented figures by default', async () => {
		const { sandbox } = await start();
		expect(sandbox.config.batch).toEqual({ maxEvents: 10, maxWaitMs: 5_000 });
	});
});

describe('the log', () => {
	it('keeps what was sent and answered, and nothing is sent again by itself', async () => {
		const { sandbox, receiver } = await start();
		receiver.answer = { status: 401, text: 'bad signature' };
		await send(sandbox);
		await sandbox.flush();
		await sandbox.flush();
		expect(receiver.received).toHaveLength(1);
		expect(sandbox.webhookLog()).toEqual([
			expect.objectContaining({
				botName: 'otp-bot',
				url: receiver.url,
				body: receiver.received[0]?.body,
				signature: receiver.received[0]?.signature,
				eventCount: 2,
				status: 401,
				answer: 'bad signature',
				durationMs: expect.any(Number),
			}),
		]);
	});

	it('says why there was no answer', async () => {
		const { sandbox, receiver } = await start();
		await receiver.close();
		await send(sandbox);
		await sandbox.flush();
		const [webhook] = sandbox.webhookLog();
		expect(webhook?.error).toContain('ECONNREFUSED');
		expect(webhook).not.toHaveProperty('status');
	});
});

describe('over HTTP', () => {
	it('everything a test in another process needs', async () => {
		const { sandbox, receiver } = await start({ bots: [{ name: 'the bot', token: TOKEN }] });
		const put = await control(sandbox, 'PUT', '/sandbox/bots/the%20bot/webhook', {
			url: receiver.url,
		});
		expect(put).toEqual({ status: 200, json: { url: receiver.url } });
		await send(sandbox);
		const press = { messageId: otp.messageId, button: 'Approve' };
		expect(await control(sandbox, 'POST', '/sandbox/press', press)).toMatchObject({
			status: 200,
			json: { shown: 'Onaylıyorum' },
		});
		const typed = { customerNo: CUSTOMER_NO, text: 'merhaba' };
		expect((await control(sandbox, 'POST', '/sandbox/type', typed)).status).toBe(200);
		const read = await control(sandbox, 'POST', '/sandbox/read', { customerNo: CUSTOMER_NO });
		expect(read.json).toHaveLength(1);
		expect((await control(sandbox, 'POST', '/sandbox/flush')).json).toEqual({ webhooks: 1 });
		expect(events(receiver).map((event: object) => Object.keys(event)[0])).toEqual([
			'messageEcho',
			'delivery',
			'message',
			'message',
			'reads',
		]);
		expect((await control(sandbox, 'GET', '/sandbox/webhooks')).json).toEqual(sandbox.webhookLog());
	});

	it.each([
		['POST', 'press', { messageId: 'unknown', button: 0 }, 404, 'No customer has got'],
		['POST', 'press', { messageId: otp.messageId, button: 'Nope' }, 404, '"Approve", "Dismiss"'],
		['POST', 'press', { messageId: otp.messageId }, 400, 'button'],
		['POST', 'type', { customerNo: 'nobody', text: 'x' }, 404, 'no customer'],
		['POST', 'type', { customerNo: CUSTOMER_NO, text: 'x', botName: 'no' }, 404, 'no bot'],
		['PUT', 'bots/otp-bot/webhook', { url: 'file:///etc/passwd' }, 400, 'http'],
		['PUT', 'bots/nobot/webhook', { url: 'http://a.b' }, 404, 'no bot'],
		['PUT', 'faults', { duplicate: true }, 400, 'duplicate'],
	])('%s /sandbox/%s %j: %i', async (method, path, body, status, words) => {
		const { sandbox } = await start();
		await send(sandbox);
		const answer = await control(sandbox, method, `/sandbox/${path}`, body);
		expect(answer.status).toBe(status);
		expect(JSON.stringify(answer.json).replaceAll('\\"', '"')).toContain(words);
	});

	it('a web_url button opens an address and posts nothing', async () => {
		const { sandbox, receiver } = await start();
		const button = { type: 'web_url', title: 'Open', payload: 'https://example.com' };
		await send(sandbox, { ...otp, buttonsV2: [button] });
		await sandbox.flush();
		const answer = await control(sandbox, 'POST', '/sandbox/press', {
			messageId: otp.messageId,
			button: 'Open',
		});
		await sandbox.flush();
		expect(answer.status).toBe(409);
		expect(receiver.received).toHaveLength(1);
	});
});
