import { closeAll, control, CUSTOMER_NO, otp, send, start } from './support';

afterEach(closeAll);

const texts = (body: string) =>
	JSON.parse(body).entry.map(
		(entry: { messaging: Array<{ message?: { text: string } }> }) =>
			entry.messaging[0]?.message?.text,
	);

describe('faults on demand', () => {
	it('are all off at the start', async () => {
		const { sandbox } = await start();
		expect((await control(sandbox, 'PUT', '/sandbox/faults', {})).json).toEqual({
			duplicates: false,
			delayMs: 0,
			outOfOrder: false,
			unreachable: false,
			phonesOff: false,
			forgeSignature: false,
			otherPhonesKey: false,
			replaySignature: false,
			signDataUnsupported: false,
			customerNoInEvents: 'present',
		});
	});

	it('duplicates: the same bytes come twice, and once again when it is over', async () => {
		const { sandbox, receiver } = await start();
		await control(sandbox, 'PUT', '/sandbox/faults', { duplicates: true });
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'twice' });
		await sandbox.flush();
		sandbox.setFaults({ duplicates: false });
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'once' });
		await sandbox.flush();
		expect(receiver.received.map(({ body }) => texts(body))).toEqual([
			['twice'],
			['twice'],
			['once'],
		]);
		const [first, second] = receiver.received;
		expect(second).toEqual({ ...first, receivedAt: expect.any(Number) });
		expect(sandbox.webhookLog()).toHaveLength(3);
	});

	it('delays: the webhook is stamped when signed and arrives later', async () => {
		const { sandbox, receiver } = await start();
		sandbox.setFaults({ delayMs: 250 });
		await send(sandbox);
		await sandbox.flush();
		const [webhook] = receiver.received;
		const stampedAt = JSON.parse(webhook?.body ?? '').entry[0].time;
		expect((webhook?.receivedAt ?? 0) - stampedAt).toBeGreaterThanOrEqual(245);
	});

	it('out of order: newest first, over several batches', async () => {
		const { sandbox, receiver } = await start({ batch: { maxEvents: 2 } });
		sandbox.setFaults({ outOfOrder: true });
		for (const text of ['1', '2', '3']) sandbox.typeText({ customerNo: CUSTOMER_NO, text });
		await sandbox.flush();
		const bodies = receiver.received.map(({ body }) => texts(body).join());
		expect(bodies.sort()).toEqual(['1', '3,2']);
		expect(texts(sandbox.webhookLog()[0]?.body ?? '')).toEqual(['3', '2']);
	});

	it('phones that are off: Diyalog says sent, and delivered once they are on again', async () => {
		const { sandbox, receiver } = await start();
		sandbox.setFaults({ phonesOff: true });
		expect((await send(sandbox)).status).toBe(200);
		await sandbox.flush();
		expect(sandbox.messages()).toEqual([]);
		expect(receiver.received.map(({ body }) => /delivery|messageEcho/.exec(body)?.[0])).toEqual([
			'messageEcho',
		]);
		sandbox.setFaults({ phonesOff: false });
		await sandbox.flush();
		expect(sandbox.messages()).toHaveLength(1);
		expect(receiver.received.at(-1)?.body).toContain('"delivery"');
	});

	it('an unreachable receiver: lost, unless somebody sends it again', async () => {
		const { sandbox, receiver } = await start();
		sandbox.setFaults({ unreachable: true });
		await send(sandbox);
		await sandbox.flush();
		sandbox.setFaults({ unreachable: false });
		await sandbox.flush();
		expect(receiver.received).toEqual([]);
		const [lost] = sandbox.webhookLog();
		expect(lost?.error).toBe('Unreachable (switched on): not sent.');
		const again = await control(sandbox, 'POST', `/sandbox/webhooks/${lost?.id}/resend`, {});
		expect(again).toMatchObject({ status: 200, json: { status: 200, answer: 'ok' } });
		expect(receiver.received.map(({ body }) => body)).toEqual([lost?.body]);
		const unknown = await control(sandbox, 'POST', '/sandbox/webhooks/99/resend', {});
		expect(unknown.status).toBe(404);
	});

	it('closing does not wait for what is delayed', async () => {
		const { sandbox, receiver } = await start();
		sandbox.setFaults({ delayMs: 60_000 });
		await send(sandbox);
		const flushed = sandbox.flush();
		const startedAt = Date.now();
		await sandbox.close();
		await flushed;
		expect(Date.now() - startedAt).toBeLessThan(2_000);
		expect(receiver.received).toEqual([]);
		expect(sandbox.webhookLog()[0]?.error).toBe('The sandbox was closed before sending.');
	});
});

describe('the list of sent OTPs', () => {
	const sent = [
		{ ...otp, messageId: 'a', txCode: 'LOGIN', deviceId: 'phone-1' },
		{ ...otp, messageId: 'b', txCode: 'PAY-17', deviceId: 'phone-1' },
		{ ...otp, messageId: 'c', txCode: 'PAY-18', deviceId: 'phone-2', customerNo: '70022' },
		{ customerNo: '70022', messageId: 'd', mokMessage: 'neither code nor device' },
	];

	it.each([
		['', 'abcd'],
		['?txCode=PAY', 'bc'],
		['?deviceId=phone-1', 'ab'],
		['?txCode=PAY&deviceId=phone-1', 'b'],
		['?customerNo=70022', 'cd'],
		['?txCode=nothing', ''],
	])('filtered by "%s"', async (query, found) => {
		const { sandbox } = await start();
		for (const each of sent) await send(sandbox, each);
		const { json } = await control(sandbox, 'GET', `/sandbox/messages${query}`);
		expect((json as Array<{ messageId: string }>).map((each) => each.messageId).join('')).toBe(
			found,
		);
		const csv = await (await fetch(`${sandbox.url}/sandbox/messages.csv${query}`)).text();
		expect(csv.trim().split('\r\n')).toHaveLength(1 + found.length);
	});

	it('as CSV: no code in it, nothing that a spreadsheet would run', async () => {
		let now = Date.UTC(2026, 3, 17, 8, 0, 0);
		const { sandbox } = await start({}, { now: () => now, newId: () => '-7523925115459309081' });
		await send(sandbox, { ...otp, messageId: '=HYPERLINK("http://evil")', txCode: '@SUM(1)' });
		await send(sandbox, { ...otp, messageId: '+1', txCode: '\tx', deviceId: 'a,"b"\nc' });
		now += 1_000;
		sandbox.markRead({ customerNo: CUSTOMER_NO });
		sandbox.pressButton({ messageId: '+1', button: 'Dismiss' });
		const response = await fetch(`${sandbox.url}/sandbox/messages.csv`);
		expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
		expect(response.headers.get('content-disposition')).toBe('attachment; filename="otps.csv"');
		const times = ['"2026-04-17T08:00:00.000Z"', '"2026-04-17T08:00:01.000Z"'];
		expect(Buffer.from(await response.arrayBuffer()).toString('utf8')).toBe(
			'\uFEFFdeliveredAt,bot,customerNo,messageId,diyalogMessageId,copy,txCode,deviceId,readAt,pressed\r\n' +
				`${times[0]},"otp-bot","70021","'=HYPERLINK(""http://evil"")","-7523925115459309081","1",` +
				`"'@SUM(1)","628FAF5A-B690-4E1A-A0EC-1518A6334F0B",${times[1]},""\r\n` +
				`${times[0]},"otp-bot","70021","'+1","-7523925115459309081","1",` +
				`"'\tx","a,""b""\nc",${times[1]},"Dismiss"\r\n`,
		);
	});
});
