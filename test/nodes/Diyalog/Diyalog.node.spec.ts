import type { INodeParameters } from 'n8n-workflow';
import { startSandbox } from '../../../sandbox/server';
import type { Sandbox } from '../../../sandbox/server';
import { documentedJson } from '../../support/fixtures';
import { runDiyalogNode } from '../../support/nodeRuntime';
import { freePort } from '../../../tools/system';

const TOKEN = 'a/token+to=send';
const DEAD_TOKEN = 'token-of-a-sleeping-bot';

let sandbox: Sandbox;

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [
			{ name: 'awake', token: TOKEN },
			{ name: 'asleep', token: DEAD_TOKEN, active: false },
		],
		pathPrefix: '/diyalog',
	});
});

afterAll(async () => await sandbox.close());

const credentials = (overrides: object = {}) => ({
	serverUrl: sandbox.url,
	botToken: TOKEN,
	appSecret: 'secret',
	...overrides,
});

const sendParameters = (overrides: INodeParameters = {}): INodeParameters => ({
	resource: 'otp',
	operation: 'send',
	customerNo: '={{ $json.customerNo }}',
	message: 'Your one-time password is 481516.',
	otpMode: 'given',
	otpValue: '481516',
	buttons: {},
	options: {},
	...overrides,
});

const items = (...customers: unknown[]) =>
	customers.map((customerNo) => ({ json: { customerNo } as never }));

describe('send', () => {
	it('sends each item and puts out its ids as exact text', async () => {
		const before = Date.now();
		const { items: output, error } = await runDiyalogNode(
			{ parameters: sendParameters(), credentials: credentials() },
			items('70021', 70022),
		);
		expect(error).toBeUndefined();
		expect(output.map(({ json }) => json)).toEqual([
			{
				customerNo: '70021',
				messageId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/) as string,
				userId: '243540663',
				diyalogMessageId: expect.stringMatching(/^-?\d+$/) as string,
				sentAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
				challenge: expect.stringMatching(/^dc1\.[\w-]+$/) as string,
				expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
			},
			expect.objectContaining({ customerNo: '70022', userId: '1588406039' }),
		]);
		expect(output.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
		const sentAt = Date.parse(String(output[0]?.json.sentAt));
		expect(sentAt).toBeGreaterThanOrEqual(before);
		const stored = sandbox
			.messages()
			.find(({ messageId }) => messageId === output[0]?.json.messageId);
		expect(stored).toMatchObject({
			customerNo: '70021',
			mokMessage: 'Your one-time password is 481516.',
			mokValue: '481516',
			id: output[0]?.json.diyalogMessageId,
		});
		expect(output[0]?.json.messageId).not.toBe(output[1]?.json.messageId);
	});

	it('delivers the documented example as documented', async () => {
		const documented = documentedJson('sendotp-request.json');
		const parameters = sendParameters({
			customerNo: '123456789',
			message: 'Your one time password is "123456" ',
			otpValue: '33',
			options: {
				messageId: 'messageId-74',
				imageUrl: 'https://dlgmessenger.com/otp.jpg',
				txCode: 'LOG2',
				deviceId: '628FAF5A-B690-4E1A-A0EC-1518A6334F0B',
			},
			below: 'buttons',
			buttons: {
				button: [
					{
						type: 'postback',
						title: 'Approve',
						payload: '123456',
						payloadHidden: true,
						payloadSeenByUser: 'Onaylıyorum',
					},
					{
						type: 'postback',
						title: 'Dismiss',
						payload: 'cancelled',
						payloadHidden: false,
						payloadSeenByUser: 'İptal Edildi',
					},
				],
			},
		});
		const { error } = await runDiyalogNode({ parameters, credentials: credentials() });
		expect(error).toBeUndefined();
		const stored = sandbox.messages().find(({ messageId }) => messageId === 'messageId-74');
		expect(stored).toMatchObject(documented as object);
	});

	it('refuses bad input before anything is sent, naming the field and the item', async () => {
		const sentBefore = sandbox.messages().length;
		const { error, items: output } = await runDiyalogNode(
			{ parameters: sendParameters(), credentials: credentials() },
			items(2 ** 53),
		);
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: 'Customer Number is a number too large to be exact [item 0]',
			context: { itemIndex: 0 },
		});
		expect(output).toEqual([]);
		expect(sandbox.messages()).toHaveLength(sentBefore);
	});

	it('costs no neighbour with Continue On Fail', async () => {
		const { items: output, error } = await runDiyalogNode(
			{
				parameters: sendParameters(),
				credentials: credentials(),
				settings: { onError: 'continueRegularOutput' },
			},
			items('70021', '', 'nobody', '70022'),
		);
		expect(error).toBeUndefined();
		expect(output.map(({ json }) => json)).toEqual([
			expect.objectContaining({ customerNo: '70021' }),
			{
				error:
					"Customer Number is empty [item 1]. Enter the customer's number in your company's system. Nothing was sent for this item.",
			},
			{ error: expect.stringContaining('Diyalog does not know this person') as string },
			expect.objectContaining({ customerNo: '70022' }),
		]);
		expect(output.map(({ pairedItem }) => pairedItem)).toEqual(
			[0, 1, 2, 3].map((item) => ({ item })),
		);
	});

	it('keeps an expression error an error of its item', async () => {
		const { items: output } = await runDiyalogNode(
			{
				parameters: sendParameters({ message: "={{ $('Missing').first().json.text }}" }),
				credentials: credentials(),
				settings: { onError: 'continueRegularOutput' },
			},
			items('70021'),
		);
		expect(output).toEqual([
			{ json: { error: expect.stringMatching(/Missing|node/) as string }, pairedItem: { item: 0 } },
		]);
	});
});

describe("Diyalog's refusals", () => {
	it.each([
		[
			'a wrong token',
			{ botToken: 'wrong' },
			'70021',
			'Diyalog did not accept the bot token',
			'503',
		],
		['an unknown customer', {}, 'nobody', 'Diyalog does not know this person', '500'],
		[
			'a sleeping bot',
			{ botToken: DEAD_TOKEN },
			'70021',
			'The bot is not active on the Diyalog server',
			'500',
		],
	])('%s is a sentence with its status', async (_, overrides, customerNo, message, httpCode) => {
		const { error } = await runDiyalogNode(
			{ parameters: sendParameters(), credentials: credentials(overrides) },
			items(customerNo),
		);
		expect(error).toMatchObject({
			name: 'NodeApiError',
			message,
			httpCode,
			context: { itemIndex: 0 },
		});
		expect(error).toHaveProperty('description', expect.stringMatching(/\.$/));
	});

	it('another service at the address is told apart', async () => {
		const overrides = { serverUrl: sandbox.url.replace('/diyalog', '/elsewhere') };
		const { error } = await runDiyalogNode(
			{ parameters: sendParameters(), credentials: credentials(overrides) },
			items('70021'),
		);
		expect(error).toMatchObject({
			message: "The server's answer is not one of Diyalog's",
			httpCode: '404',
		});
	});

	it('an unreachable server is told apart', async () => {
		const overrides = { serverUrl: `http://127.0.0.1:${await freePort()}` };
		const { error } = await runDiyalogNode(
			{ parameters: sendParameters(), credentials: credentials(overrides) },
			items('70021'),
		);
		expect(error).toMatchObject({ message: 'The Diyalog server refused the connection' });
	});

	it.each([
		['a wrong token', /did not accept/, () => sandbox.url],
		[
			'another service',
			/not one of Diyalog's/,
			() => sandbox.url.replace('/diyalog', '/elsewhere'),
		],
		['no server', /refused the connection/, () => 'http://127.0.0.1:1'],
		['an unusable address', /Server URL is not a web address/, () => 'no address'],
	])('no trace of the run holds the token, with %s', async (_, sentence, serverUrl) => {
		const botToken = 'my-token';
		const { run, error } = await runDiyalogNode(
			{
				parameters: sendParameters(),
				credentials: credentials({ botToken, serverUrl: serverUrl() }),
			},
			items('70021'),
		);
		expect(error).toHaveProperty('message', expect.stringMatching(sentence));
		expect(traceOf(run)).not.toContain(botToken);
		expect(traceOf(error)).not.toContain(botToken);
		// Nor does the error hold what was to be sent, which n8n would store with it.
		expect(traceOf(error)).not.toMatch(/481516|70021/);
	});
});

/** Everything reachable from an object, non-enumerable parts such as cause and stack included. */
function traceOf(root: unknown): string {
	const seen = new Set<unknown>();
	const texts: string[] = [];
	const visit = (value: unknown): void => {
		if (typeof value === 'string') texts.push(value);
		if (typeof value !== 'object' || value === null || seen.has(value)) return;
		seen.add(value);
		for (const key of Reflect.ownKeys(value)) visit(Reflect.get(value, key));
	};
	visit(root);
	return texts.join('\n');
}
