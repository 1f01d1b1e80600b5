import type { Browser, Page } from 'playwright-core';
import type { StoredMessage } from '../../sandbox/diyalog';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { postSigned } from '../support/sign';
import { entry, envelope } from '../support/webhookBodies';
import { fs, path } from '../../tools/system';
import { firstItemOf, itemsOf } from '../../tools/n8n/executions';
import { Stage } from './harness/waiting';
import { node, send as sendNode } from './harness/workflows';
import type { Fields, WorkflowNode } from './harness/workflows';

/*
 * Every kind of message from a real n8n, read back from the server and seen on the phone page in Chromium; and questions that
 * employees answer there.
 */

const PICTURES = '.cache/screenshots';
const PHONE = { width: 400, height: 700 };
const EMPLOYEE = { resource: 'message', recipientType: 'employee', employeeNo: 'E100' };
const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** An item with a file of so many bytes, or with this one. */
const file = (content: number | string, mimeType: string, fileName: string): WorkflowNode => {
	const data =
		typeof content === 'number'
			? `Buffer.alloc(${content}, 7).toString('base64')`
			: JSON.stringify(content);
	const binary = `{ data: { data: ${data}, mimeType: '${mimeType}', fileName: '${fileName}' } }`;
	const jsCode = `return [{ json: {}, binary: ${binary} }];`;
	return node('File', 'n8n-nodes-base.code', 2, { jsCode });
};

describeWithChromium('messages', () => {
	let stage: Stage;
	let browser: Browser;
	const phones = new Map<string, Page>();

	beforeAll(async () => {
		stage = await Stage.set();
		browser = await launchChromium();
		await fs.mkdir(PICTURES, { recursive: true });
	}, 900_000);

	afterAll(async () => {
		await browser?.close();
		await stage?.clear();
	}, 60_000);

	/** The phone page of a person, as the sandbox addresses it. */
	async function phoneOf(person: string): Promise<Page> {
		const known = phones.get(person);
		if (known) return known;
		const context = await browser.newContext({ viewport: PHONE, colorScheme: 'light' });
		const page = await context.newPage();
		await page.goto(`${stage.sandbox.url}/sandbox#${person}`);
		phones.set(person, page);
		return page;
	}

	const picture = async (page: Page, name: string) =>
		await page.screenshot({ path: path.join(PICTURES, `message-${name}.png`) });

	const sender = (parameters: Fields, more: Fields = {}) =>
		stage.send({ resource: 'message', ...parameters }, more);

	/** Runs a sending workflow, and gives its first item and what came to the server. */
	async function send(parameters: Fields, ...before: WorkflowNode[]) {
		const count = stage.sandbox.messages().length;
		const sending = sender(parameters, { onError: 'continueRegularOutput' });
		const workflow = await stage.createCalled([[...before, sending]]);
		const item = firstItemOf(await workflow.run(), 'Send');
		const message = (item as { error?: string }).error
			? undefined
			: await stage.messageAfter(count);
		return { item, message };
	}

	const sentTo = (message: StoredMessage | undefined) => ({
		customerNo: '70021',
		userId: message?.userId,
		messageId: message?.messageId,
	});

	it.each<[string, Fields, object, (page: Page) => unknown]>([
		[
			'a text',
			{ message: 'Your transfer was carried out.' },
			{ kind: 'text', text: 'Your transfer was carried out.' },
			(page) => page.getByText('Your transfer was carried out.').waitFor(),
		],
		[
			'buttons',
			{
				message: 'How can we help you?',
				below: 'buttons',
				buttons: {
					button: [
						{ type: 'postback', title: 'Call Me', payload: 'call' },
						{ type: 'web_url', title: 'Read More', payload: 'https://www.example.com/help' },
					],
				},
			},
			{ kind: 'buttons', buttonsV2: [{ title: 'Call Me' }, { title: 'Read More' }] },
			(page) => page.getByRole('button', { name: 'Call Me' }).waitFor(),
		],
		[
			'quick replies from an expression',
			{
				message: 'Which branch do you want to visit?',
				below: 'quickReplies',
				specifyQuickReplies: 'json',
				quickRepliesJson: "={{ ['Moda', 'Levent', 'Kızılay', 'Alsancak', 'Lara'] }}",
			},
			{ kind: 'quickReplies', quickReplies: [{ title: 'Moda' }, {}, {}, {}, { title: 'Lara' }] },
			(page) => page.getByRole('button', { name: 'Lara' }).waitFor(),
		],
		[
			'a carousel',
			{
				operation: 'sendCarousel',
				cards: {
					card: [
						{
							title: 'Gold Card',
							subtitle: 'No fee in the first year',
							buttons: { button: [{ type: 'postback', title: 'I Want It', payload: 'gold' }] },
						},
						{ title: 'Travel Card', subtitle: 'Lounges and insurance', messageId: 'travel' },
					],
				},
			},
			{ kind: 'carousel', elements: [{ title: 'Gold Card' }, { messageId: 'travel' }] },
			(page) => page.getByText('Travel Card').waitFor(),
		],
		[
			'an app trigger',
			{
				operation: 'sendAppTrigger',
				message: 'Your new card is ready. Tap here to see it.',
				command: 'OpenCards',
				data: "={{ { card: 'gold' } }}",
			},
			{ trigger: { command: 'OpenCards', data: '{"card":"gold"}' } },
			(page) => page.getByText('Your new card is ready').waitFor(),
		],
		[
			'a whole message as JSON',
			{
				specifyMessage: 'json',
				messageJson:
					"={{ { recipient: { appCustomerId: '70021' }, message: { text: 'From one object' } } }}",
			},
			{ kind: 'text', text: 'From one object' },
			(page) => page.getByText('From one object').waitFor(),
		],
	])('%s', async (name, parameters, expected, seen) => {
		const phone = await phoneOf('70021');
		const { item, message } = await send(parameters);
		expect(message).toMatchObject(expected);
		expect(item).toMatchObject(sentTo(message));
		await seen(phone);
		await picture(phone, name.replaceAll(' ', '-'));
	});

	it('a photo, whose size the node reads from the file', async () => {
		const phone = await phoneOf('70022');
		const photo = { operation: 'sendDocument', customerNo: '70022', sendAs: 'photo' };
		const { message } = await send(photo, file(PIXEL, 'image/png', 'pixel.png'));
		expect(message?.document).toMatchObject({
			fileName: 'pixel.png',
			mimeType: 'image/png',
			photo: { width: 1, height: 1 },
		});
		await phone.getByText('pixel.png').or(phone.getByAltText('pixel.png')).first().waitFor();
		await picture(phone, 'a-photo');
	});

	it('a document of 4.9 MB arrives; of one of 5.1 MB not a byte leaves', async () => {
		const phone = await phoneOf('70022');
		const document = { operation: 'sendDocument', customerNo: '70022' };
		const { message } = await send(document, file(4_900_000, 'application/pdf', 'receipt.pdf'));
		expect(message?.document).toMatchObject({ fileName: 'receipt.pdf' });
		await phone.getByText('receipt.pdf').first().waitFor();
		await picture(phone, 'a-document');
		const count = stage.sandbox.messages().length;
		const { item } = await send(document, file(5_100_000, 'application/pdf', 'big.pdf'));
		expect(item).toEqual({
			error: expect.stringMatching(/too large.*under 5 MB.*Nothing was sent/s) as string,
		});
		expect(stage.sandbox.messages()).toHaveLength(count);
	});

	it('ten buttons from an expression, of which a phone shows three: refused', async () => {
		const count = stage.sandbox.messages().length;
		const { item } = await send({
			message: 'Choose',
			below: 'buttons',
			specifyButtons: 'json',
			buttonsJson: '={{ [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }}',
		});
		expect(item).toEqual({
			error: expect.stringMatching(/has 10 buttons, and a phone shows 3/) as string,
		});
		expect(stage.sandbox.messages()).toHaveLength(count);
	});

	it('an item whose token an expression in the credential makes another one does not leave with the first one', async () => {
		const botToken = `={{ $itemIndex === 1 ? 'of another bank' : '${stage.botToken}' }}`;
		const other = await stage.n8n.createCredential('By Item', {
			serverUrl: stage.sandbox.url,
			botToken,
			appSecret: stage.appSecret,
		});
		const jsCode = 'return [1, 2, 3].map((order) => ({ json: { order } }));';
		const many = node('Many', 'n8n-nodes-base.code', 2, { jsCode });
		const fields = { resource: 'message', message: '=Order {{ $json.order }}' };
		const settings = { onError: 'continueRegularOutput' };
		const count = stage.sandbox.messages().length;
		const byItem = sendNode(other, fields, settings);
		const workflow = await stage.createCalled([[many, byItem]]);
		expect(itemsOf(await workflow.run(), 'Send')).toEqual([
			expect.objectContaining({ customerNo: '70021' }),
			{ error: expect.stringContaining('is not the same for this item') as string },
			expect.objectContaining({ customerNo: '70021' }),
		]);
		const texts = stage.sandbox
			.messages()
			.slice(count)
			.map(({ text }) => text);
		expect(texts.sort()).toEqual(['Order 1', 'Order 3']);
		const forAll = await stage.createCalled([[many, sender(fields, settings)]]);
		expect(itemsOf(await forAll.run(), 'Send')).toHaveLength(3);
		expect(stage.sandbox.messages()).toHaveLength(count + 5);
	});

	it('an employee approves on the phone', async () => {
		const phone = await phoneOf('employee:E100');
		const asking = await stage.createAsking({ ...EMPLOYEE, message: 'Pay 500 TL to the city?' });
		const asked = await asking.start();
		// Somebody else who knows the messageId.
		const text = `[${asked.message.messageId}]:approve`;
		const event = entry({ message: { mid: 'x', text } }, { customerNo: 'E100', userId: '7' });
		const url = stage.sandbox.config.bots[0]?.webhook.url ?? '';
		await postSigned(url, envelope(event), stage.appSecret);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'otherPerson' }),
		]);
		expect(await asked.status()).toBe('waiting');
		await phone.getByRole('button', { name: 'Approve' }).last().click();
		await stage.sandbox.flush();
		expect(await asked.outcome()).toMatchObject({
			decision: 'approved',
			customerNo: null,
			employeeNo: 'E100',
			userId: asked.message.userId,
		});
		await picture(phone, 'an-employee');
	});

	it('five choices reach the phone as quick replies', async () => {
		const phone = await phoneOf('70021');
		const titles = ['Moda', 'Levent', 'Kızılay', 'Alsancak', 'Lara Branch'];
		const asking = await stage.createAsking({
			resource: 'message',
			message: 'Where do you want to pick up your card?',
			responseType: 'choice',
			specifyChoices: 'json',
			choicesJson: `={{ ${JSON.stringify(titles.map((title, value) => ({ title, value })))} }}`,
		});
		const asked = await asking.start();
		expect(asked.message).toMatchObject({ kind: 'quickReplies' });
		await picture(phone, 'five-choices');
		await phone.getByRole('button', { name: 'Lara Branch' }).click();
		await stage.sandbox.flush();
		expect(await asked.outcome()).toMatchObject({ decision: 'chosen', value: '4' });
	});

	it('an OTP with five choices is refused', async () => {
		const choicesJson = '={{ [1, 2, 3, 4, 5] }}';
		const fields = { responseType: 'choice', specifyChoices: 'json', choicesJson };
		const ask = stage.ask(fields, { onError: 'continueRegularOutput' });
		const workflow = await stage.createCalled([[ask]]);
		expect(JSON.stringify(itemsOf(await workflow.run(), ask.name))).toContain(
			'has 5 choices, and a phone shows 3 of them',
		);
	});

	it.each(['missing', 'empty'] as const)(
		'a customer whose number is %s in events approves',
		async (customerNoInEvents) => {
			stage.sandbox.setFaults({ customerNoInEvents });
			const asked = await (await stage.createAsking({ resource: 'message' })).start();
			await stage.press(asked.message, 'Approve');
			expect(await asked.outcome()).toMatchObject({ decision: 'approved', customerNo: '70021' });
			stage.sandbox.setFaults({ customerNoInEvents: 'present' });
		},
	);

	it('an employee types a wrong code, is told so in the same chat, and then the right one', async () => {
		const code = { responseType: 'code', expectedCode: '42', message: 'Which number do you see?' };
		const asked = await (await stage.createAsking({ ...EMPLOYEE, ...code })).start();
		const count = stage.sandbox.messages().length;
		const { userId } = asked.message;
		stage.sandbox.typeText({ userId, text: '41' });
		await stage.sandbox.flush();
		expect(await stage.messageAfter(count)).toMatchObject({ userId, kind: 'text' });
		stage.sandbox.typeText({ userId, text: '42' });
		await stage.sandbox.flush();
		expect(await asked.outcome()).toMatchObject({ decision: 'codeMatched', employeeNo: 'E100' });
	});
});
