import type { IDataObject, INode, INodeParameters } from 'n8n-workflow';
import { REFUSED, UNCERTAIN } from '../../../support/faults';
import { FaultyServer } from '../../../support/faultyServer';
import type { Behaviour } from '../../../support/faultyServer';
import { startDiyalogNode } from '../../../support/nodeRuntime';
import { freePort, sleepMs } from '../../../../tools/system';

/* Each test says how many times the person got the message. */

let server: FaultyServer;

afterEach(async () => await server.close());

const accept: Behaviour = { kind: 'accept' };

async function send(
	behave: (requestNumber: number) => Behaviour,
	{
		options = {},
		settings = {},
		items = [{ messageId: 'm-0' }],
	}: { options?: IDataObject; settings?: Partial<INode>; items?: IDataObject[] } = {},
) {
	server = await FaultyServer.start(behave);
	return await sendTo(server.url, options, settings, items);
}

const startSending = (
	serverUrl: string,
	options: IDataObject,
	settings: Partial<INode>,
	items: IDataObject[],
) =>
	startDiyalogNode(
		{
			parameters: {
				resource: 'otp',
				operation: 'send',
				otpMode: 'none',
				customerNo: '70021',
				message: '={{ $json.text ?? "Hello" }}',
				options: { timeout: 10, messageId: '={{ $json.messageId }}', ...options },
			} as INodeParameters,
			credentials: { serverUrl, botToken: 'my-token' },
			settings,
		},
		items.map((json) => ({ json })),
	);

const sendTo = async (...parameters: Parameters<typeof startSending>) =>
	await startSending(...parameters).done;

const manyItems = (count: number): IDataObject[] =>
	Array.from({ length: count }, (_, index) => ({ messageId: `m-${index}` }));

describe('nobody can tell whether it arrived: never repeated', () => {
	it.each(UNCERTAIN)('%s', async (_, behaviour, message, times) => {
		// Long enough to be sent in many pieces.
		const items = [{ messageId: 'm-0', text: 'Hello '.repeat(16_000) }];
		const { error } = await send(() => behaviour, { items, options: { timeout: 2 } });
		expect(error).toMatchObject({
			message: expect.stringMatching(message) as string,
			description: expect.stringContaining('may or may not have been delivered') as string,
		});
		expect(server.requests).toBe(1);
		expect(server.times('m-0')).toBe(times);
	});
});

describe('refused for good: never repeated', () => {
	it.each(REFUSED)('%s', async (_, status, text) => {
		const headers = { 'retry-after': '0' };
		const { error } = await send(() => ({ kind: 'refuse', status, text, headers }));
		expect(error).toMatchObject({ httpCode: String(status) });
		expect(error).toHaveProperty('description', expect.stringContaining('Diyalog said: "'));
		expect(error).toHaveProperty('description', expect.not.stringContaining('may or may not'));
		expect(server.requests).toBe(1);
		expect(server.times('m-0')).toBe(0);
	});
});

describe('certainly not delivered: repeated', () => {
	const busy = (status: number, headers?: Record<string, string>): Behaviour => ({
		kind: 'refuse',
		status,
		text: 'busy',
		headers,
	});

	it.each<[string, Behaviour]>([
		['429', busy(429)],
		['429 with Retry-After', busy(429, { 'retry-after': '0' })],
		['503 with Retry-After', busy(503, { 'retry-after': '0' })],
		['429 with a date', busy(429, { 'retry-after': new Date().toUTCString() })],
	])('%s, twice, then accepted: once', async (_, behaviour) => {
		const { error } = await send((number) => (number <= 2 ? behaviour : accept));
		expect(error).toBeUndefined();
		expect(server.requests).toBe(3);
		expect(server.times('m-0')).toBe(1);
	});

	it('a storm of 429: gives up after the retries, nobody got it', async () => {
		const options = { maxRetries: 2 };
		const { error } = await send(() => busy(429, { 'retry-after': '0' }), { options });
		expect(error).toMatchObject({
			message: 'The server takes no more requests for the moment',
			httpCode: '429',
		});
		expect(server.requests).toBe(3);
		expect(server.times('m-0')).toBe(0);
	});

	it('waits as long as Retry-After asks', async () => {
		const begin = Date.now();
		await send((number) => (number === 1 ? busy(429, { 'retry-after': '1' }) : accept));
		expect(Date.now() - begin).toBeGreaterThanOrEqual(1_000);
		expect(server.times('m-0')).toBe(1);
	});

	it('does not wait for longer than a minute', async () => {
		const { error } = await send(() => busy(429, { 'retry-after': '3600' }));
		expect(error).toMatchObject({ httpCode: '429' });
		expect(server.requests).toBe(1);
	});

	it('retries can be turned off', async () => {
		await send(() => busy(429), { options: { maxRetries: 0 } });
		expect(server.requests).toBe(1);
	});

	it('a server that starts only after the first attempt: once', async () => {
		const port = await freePort();
		const sending = sendTo(`http://127.0.0.1:${port}`, {}, {}, [{ messageId: 'm-0' }]);
		await sleepMs(100);
		server = await FaultyServer.start(() => accept, port);
		expect((await sending).error).toBeUndefined();
		expect(server.times('m-0')).toBe(1);
	});
});

describe('many items', () => {
	const continuing = { onError: 'continueRegularOutput' as const };

	it('go out side by side, never more than allowed, and come back in order', async () => {
		const { items } = await send(() => ({ kind: 'accept', afterMs: 10 }), {
			items: manyItems(200),
			options: { concurrency: 7 },
		});
		expect(items.map(({ json }) => json.messageId)).toEqual(
			manyItems(200).map(({ messageId }) => messageId),
		);
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual(
			manyItems(200).map((_, item) => ({ item })),
		);
		expect(server.maxInFlight).toBeGreaterThan(1);
		expect(server.maxInFlight).toBeLessThanOrEqual(7);
	});

	it('one by one with a concurrency of 1', async () => {
		await send(() => accept, { items: manyItems(20), options: { concurrency: 1 } });
		expect(server.maxInFlight).toBe(1);
	});

	it('all kinds of faults among them: each person at most once, no item lost', async () => {
		const faults: Behaviour[] = [
			accept,
			{ kind: 'resetAfterBody' },
			{ kind: 'refuse', status: 500, text: 'Not delivered due to recepient not found.' },
			{ kind: 'refuse', status: 429, text: '', headers: { 'retry-after': '0' } },
			{ kind: 'resetDuringAnswer' },
			{ kind: 'accept', contentType: 'text/html' },
		];
		const { items } = await send((number) => faults[number % faults.length] ?? accept, {
			items: manyItems(120),
			settings: continuing,
			options: { concurrency: 20 },
		});
		expect(items).toHaveLength(120);
		for (const [index, { json, pairedItem }] of items.entries()) {
			expect(pairedItem).toEqual({ item: index });
			const times = server.times(`m-${index}`);
			expect(times).toBeLessThanOrEqual(1);
			if (json.error === undefined) expect([json.messageId, times]).toEqual([`m-${index}`, 1]);
		}
		expect(items.filter(({ json }) => json.error === undefined).length).toBeGreaterThan(20);
	});

	it('read the credential once for all of them, and once more to see that it is the same for all', async () => {
		const { decryptions } = await send(() => accept, { items: manyItems(100) });
		expect(decryptions).toBe(2);
		expect(server.requests).toBe(100);
	});

	it('cancelling starts no further send', async () => {
		server = await FaultyServer.start(() => ({ kind: 'accept', afterMs: 30 }));
		const options = { concurrency: 2 };
		const { done, cancel } = startSending(server.url, options, {}, manyItems(200));
		await sleepMs(300);
		cancel();
		await done.catch(() => undefined);
		// What was on its way when it was cancelled still arrives.
		await sleepMs(200);
		const requests = server.requests;
		expect(requests).toBeGreaterThan(0);
		await sleepMs(200);
		expect(server.requests).toBe(requests);
		expect(requests).toBeLessThan(60);
	});

	it('cancelling ends the wait for a retry', async () => {
		const behaviour: Behaviour = {
			kind: 'refuse',
			status: 429,
			text: '',
			headers: { 'retry-after': '20' },
		};
		server = await FaultyServer.start(() => behaviour);
		const { done, cancel } = startSending(server.url, {}, {}, manyItems(1));
		await sleepMs(200);
		cancel();
		await done.catch(() => undefined);
		expect(server.requests).toBe(1);
	});

	it('the same ids for all of them are passed on as they are', async () => {
		const { items } = await send(() => accept, { items: manyItems(3) });
		expect(new Set(items.map(({ json }) => json.diyalogMessageId)).size).toBe(1);
	});

	it('a wrong token stops the rest instead of failing each of them', async () => {
		const refuse: Behaviour = {
			kind: 'refuse',
			status: 503,
			text: 'You may be using wrong token.',
		};
		const { items } = await send(() => refuse, {
			items: manyItems(1_000),
			settings: continuing,
			options: { concurrency: 10 },
		});
		expect(server.requests).toBeLessThanOrEqual(10);
		expect(items).toHaveLength(1_000);
		expect(items[999]?.json.error).toMatch(/^Not sent: Diyalog did not accept the bot token/);
	});

	it('but not the words of a customer that a refusal quotes', async () => {
		const quoting: Behaviour = {
			kind: 'refuse',
			status: 400,
			text: 'The request content was malformed: Expected Int, but got "You may be using wrong token."',
		};
		const { items } = await send((number) => (number === 1 ? quoting : accept), {
			items: manyItems(20),
			settings: continuing,
			options: { concurrency: 1 },
		});
		expect(items.filter(({ json }) => 'error' in json)).toHaveLength(1);
		expect(items[0]?.json.error).toMatch(/^Diyalog could not read the message/);
	});

	it('unknown customers do not stop the rest', async () => {
		const refuse: Behaviour = {
			kind: 'refuse',
			status: 500,
			text: 'Not delivered due to recepient not found.',
		};
		await send((number) => (number % 2 ? refuse : accept), {
			items: manyItems(50),
			settings: continuing,
		});
		expect(server.requests).toBe(50);
	});

	it('without Continue On Fail nothing is started after the first failure', async () => {
		const refuse: Behaviour = {
			kind: 'refuse',
			status: 400,
			text: 'The request content was malformed: x',
		};
		const { error } = await send((number) => (number === 3 ? refuse : accept), {
			items: manyItems(100),
			options: { concurrency: 1 },
		});
		expect(error).toMatchObject({ context: { itemIndex: 2 } });
		expect(server.requests).toBe(3);
	});
});

describe('Retry On Fail, which runs the whole node again', () => {
	const retrying = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

	it('what was accepted is not sent again, and its result is returned', async () => {
		const refuse: Behaviour = {
			kind: 'refuse',
			status: 400,
			text: 'The request content was malformed: x',
		};
		const { items, error } = await send((number) => (number === 5 ? refuse : accept), {
			items: manyItems(10),
			options: { concurrency: 1 },
			settings: retrying,
		});
		expect(error).toBeUndefined();
		expect(items.map(({ json }) => json.messageId)).toEqual(
			manyItems(10).map(({ messageId }) => messageId),
		);
		// Ten messages and the refused one once more: those before it are not among the repeated ones.
		expect(server.requests).toBe(11);
		for (const index of manyItems(10).keys()) expect(server.times(`m-${index}`)).toBe(1);
	});

	it('what may have arrived is not sent again either', async () => {
		const { error } = await send((number) => (number === 2 ? { kind: 'resetAfterBody' } : accept), {
			items: manyItems(3),
			options: { concurrency: 1 },
			settings: retrying,
		});
		expect(error).toMatchObject({ message: expect.stringMatching(/broke off/) as string });
		expect(server.times('m-0')).toBe(1);
		expect(server.times('m-1')).toBe(1);
		expect(server.times('m-2')).toBe(0);
	});

	it('with Continue On Fail each person gets it at most once as well', async () => {
		const { items } = await send((number) => (number === 1 ? { kind: 'resetAfterBody' } : accept), {
			items: manyItems(5),
			options: { concurrency: 1 },
			settings: { ...retrying, onError: 'continueRegularOutput' },
		});
		expect(items).toHaveLength(5);
		for (const index of manyItems(5).keys()) expect(server.times(`m-${index}`)).toBe(1);
	});
});
