import type { IDataObject, INode, INodeExecutionData } from 'n8n-workflow';
import { REFUSED, UNCERTAIN } from '../../../support/faults';
import { FaultyServer } from '../../../support/faultyServer';
import type { Behaviour } from '../../../support/faultyServer';
import { startDiyalogNode } from '../../../support/nodeRuntime';

/* What faults.spec.ts shows of an OTP, of every other operation that sends: side by side, each with a server of its own. */

const TEXT = 'A text for nobody else';

const FILE = { data: Buffer.from(TEXT).toString('base64'), mimeType: 'text/plain' };

/** A message as JSON, its recipient as the item says. */
const asJson = (message: IDataObject): IDataObject => ({
	operation: 'send',
	specifyMessage: 'json',
	messageJson: `={ "recipient": { "appCustomerId": "{{ $json.customerNo }}" }, "message": ${JSON.stringify(message)} }`,
});

const OPERATIONS: Record<string, IDataObject> = {
	send: {
		operation: 'send',
		message: TEXT,
		below: 'buttons',
		specifyButtons: 'json',
		buttonsJson: '["Yes"]',
	},
	sendAsJson: asJson({ text: TEXT }),
	documentAsJson: asJson({ document: { fileName: 'a.txt', fileData: FILE.data } }),
	sendCarousel: { operation: 'sendCarousel', cards: { card: [{ title: TEXT }] } },
	sendAppTrigger: { operation: 'sendAppTrigger', message: TEXT, command: 'Open' },
	sendDocument: { operation: 'sendDocument', sendAs: 'document' },
};

/** For one item alone. */
const QUESTION = { sendAndWait: { operation: 'sendAndWait', message: TEXT } };

async function sendEach(
	behave: (requestNumber: number) => Behaviour,
	{
		settings = {},
		options = {},
		recipients = ['C-70021'],
		operations = OPERATIONS,
	}: {
		settings?: Partial<INode>;
		options?: IDataObject;
		recipients?: string[];
		operations?: Record<string, IDataObject>;
	} = {},
) {
	const sending = Object.entries(operations).map(async ([operation, given]) => {
		const server = await FaultyServer.start(behave);
		const items = recipients.map(
			(customerNo, index): INodeExecutionData => ({
				json: { customerNo, messageId: `m-${index}` },
				binary: { data: FILE },
			}),
		);
		const ownOptions = { timeout: 2, messageId: '={{ $json.messageId }}', ...options };
		const setup = {
			parameters: {
				resource: 'message',
				customerNo: '={{ $json.customerNo }}',
				...given,
				options: ownOptions,
			} as never,
			credentials: { serverUrl: server.url, botToken: 'my-token', appSecret: 'my-secret' },
			settings,
		};
		const run = await startDiyalogNode(setup, items).done;
		await server.close();
		return { operation, server, ...run };
	});
	return await Promise.all(sending);
}

const sendAndAsk = async (behave: (requestNumber: number) => Behaviour) =>
	await sendEach(behave, { operations: { ...OPERATIONS, ...QUESTION } });

/** What an execution keeps of an error. */
const kept = (error: unknown): string =>
	JSON.stringify(error, Object.getOwnPropertyNames(Object(error))) + String(error);

describe('nobody can tell whether it arrived: never repeated', () => {
	it.each(UNCERTAIN)('%s', async (_, behaviour, message, times) => {
		for (const { operation, server, error } of await sendAndAsk(() => behaviour)) {
			expect([operation, error]).toMatchObject([
				operation,
				{
					message: expect.stringMatching(message) as string,
					description: expect.stringContaining('may or may not have been delivered') as string,
				},
			]);
			expect([operation, server.requests, server.deliveries]).toEqual([
				operation,
				1,
				// A body of one piece is there before the connection is reset.
				behaviour.kind === 'resetDuringBody' ? expect.any(Number) : times,
			]);
			for (const secret of ['my-token', 'my-secret', TEXT, FILE.data, 'C-70021'])
				expect([operation, kept(error)]).toEqual([operation, expect.not.stringContaining(secret)]);
		}
	});
});

describe('refused for good: never repeated', () => {
	it.each(REFUSED)('%s', async (_, status, text) => {
		const headers = { 'retry-after': '0' };
		const all = await sendAndAsk(() => ({ kind: 'refuse', status, text, headers }));
		for (const { operation, server, error } of all) {
			expect([operation, error]).toMatchObject([operation, { httpCode: String(status) }]);
			expect(error).toHaveProperty('description', expect.stringContaining('Diyalog said: "'));
			expect(error).toHaveProperty('description', expect.not.stringContaining('may or may not'));
			expect([operation, server.requests, server.deliveries]).toEqual([operation, 1, 0]);
		}
	});
});

it.each([
	['429', undefined],
	['429 with Retry-After', { 'retry-after': '0' }],
])('%s, twice, then accepted: once', async (_, headers) => {
	const behave = (number: number): Behaviour =>
		number <= 2 ? { kind: 'refuse', status: 429, text: 'busy', headers } : { kind: 'accept' };
	for (const { operation, server, error } of await sendAndAsk(behave)) {
		expect([operation, error]).toEqual([operation, undefined]);
		expect([operation, server.requests, server.deliveries]).toEqual([operation, 3, 1]);
	}
});

it('429 for good: gives up, and nobody got it', async () => {
	const headers = { 'retry-after': '0' };
	const all = await sendAndAsk(() => ({ kind: 'refuse', status: 429, text: TEXT, headers }));
	for (const { operation, server, error } of all) {
		expect([operation, error]).toMatchObject([operation, { httpCode: '429' }]);
		expect([operation, server.requests, server.deliveries]).toEqual([operation, 4, 0]);
		expect(kept(error)).not.toContain(TEXT);
	}
});

it('one bad item costs no neighbour; items come out in order, each with its pair', async () => {
	const recipients = ['C-70021', '', 'C-70023'];
	const settings = { onError: 'continueRegularOutput' as const };
	const all = await sendEach(() => ({ kind: 'accept' }), { settings, recipients });
	for (const { operation, server, items } of all) {
		expect([operation, items]).toEqual([
			operation,
			[
				expect.objectContaining({ pairedItem: { item: 0 } }),
				{
					json: {
						error: expect.stringMatching(
							/(?:Customer Number|appCustomerId) is empty \[item 1\].*Nothing was sent/,
						) as string,
					},
					pairedItem: { item: 1 },
				},
				expect.objectContaining({ pairedItem: { item: 2 } }),
			],
		]);
		expect(items.map(({ json }) => json.messageId)).toEqual(['m-0', undefined, 'm-2']);
		expect([operation, server.requests]).toEqual([operation, 2]);
	}
});

it('Retry On Fail sends again what was certainly not sent, and nothing else', async () => {
	const recipients = ['C-70021', 'C-70022', 'C-70023'];
	const settings = { retryOnFail: true, maxTries: 3, waitBetweenTries: 0 };
	const refusedOnce = (number: number): Behaviour =>
		number === 2
			? { kind: 'refuse', status: 500, text: 'Sender bot is not alive.' }
			: { kind: 'accept' };
	const options = { concurrency: 1 };
	for (const { operation, server, error } of await sendEach(refusedOnce, {
		settings,
		recipients,
		options,
	})) {
		expect([operation, error]).toEqual([operation, undefined]);
		expect([0, 1, 2].map((item) => server.times(`m-${item}`))).toEqual([1, 1, 1]);
		expect([operation, server.requests]).toEqual([operation, 4]);
	}
	const unsure = (number: number): Behaviour => ({
		kind: number === 2 ? 'resetAfterBody' : 'accept',
	});
	for (const { operation, server, error } of await sendEach(unsure, {
		settings,
		recipients,
		options,
	})) {
		expect([operation, error]).toMatchObject([
			operation,
			{ message: expect.any(String) as string },
		]);
		expect([operation, server.times('m-0'), server.times('m-1')]).toEqual([operation, 1, 1]);
	}
});
