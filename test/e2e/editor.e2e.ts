import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { Editor } from './harness/editor';
import { record } from './harness/figures';
import { N8n } from '../../tools/n8n/n8n';
import { node, workflow } from './harness/workflows';

/* What a person does in n8n's editor, by clicking in a real browser. The pictures of the README come from here. */

const PART = 'Editor';
const PICTURES = '.cache/screenshots';
const TOKEN = randomBytes(16).toString('hex');
const CUSTOMER_NO = '70021';
/** Only the port changes between runs; pictures show a server as a bank's is called. */
const SHOWN_IMAGE = 'https://www.example.com/transfer.png';

/** Who gets a message of the resource Message. */
const RECIPIENT = ['Recipient', 'Customer Number'];

describeWithChromium('the editor', () => {
	let n8n: N8n;
	let sandbox: Sandbox;
	let browser: Browser;
	let editor: Editor;

	beforeAll(async () => {
		sandbox = await startSandbox({ bots: [{ name: 'bot', token: TOKEN }] });
		n8n = await N8n.start();
		browser = await launchChromium();
	}, 900_000);

	afterAll(async () => {
		await browser?.close();
		await n8n?.stop();
		await n8n?.remove();
		await sandbox?.close();
	}, 60_000);

	const open = async (theme: 'light' | 'dark' = 'light') => {
		editor = await Editor.open(browser, n8n, theme);
		await editor.newWorkflow();
	};
	afterEach(async () => {
		const { complaints } = editor;
		await editor.close();
		expect(complaints).toEqual([]);
	});
	const proved = async (what: string, found: string) =>
		await record({ part: PART, what, found, target: 'by clicking', met: true });

	it.each(['light', 'dark'] as const)(
		'both nodes are found by "diyalog" and "otp", with icon and description (%s)',
		async (theme) => {
			await open(theme);
			const icon = theme === 'light' ? 'diyalog.svg' : 'diyalog.dark.svg';
			for (const words of ['otp', 'diyalog']) {
				const entries = await editor.searchNode(words, 'Diyalog');
				// n8n shows a node and its trigger as one entry, with the description of the trigger.
				expect(await entries.count()).toBe(1);
				expect(await entries.innerText()).toContain(
					'Sends messages, one-time passwords (OTP) and approvals over',
				);
				expect(await entries.locator('img').first().getAttribute('src')).toContain(`/${icon}`);
				await editor.page.waitForFunction(
					`document.querySelector('img[src$="/${icon}"]').naturalWidth > 0`,
				);
			}
			await (await editor.searchNode('diyalog', 'Diyalog')).click();
			const entries = await editor.openSection('Actions');
			await entries.getByText('Send an OTP', { exact: true }).waitFor();
			expect(await entries.allInnerTexts()).toContain('On button pressed');
			await editor.picture(`${PICTURES}/editor-nodes-${theme}.png`);
			await proved(`both nodes in the node panel, ${theme} theme`, `icon ${icon}, description`);
		},
		60_000,
	);

	it('a credential is made and tested', async () => {
		await open();
		await (await editor.searchNode('diyalog', 'Diyalog')).click();
		await (await editor.openSection('Actions')).getByText('Send an OTP', { exact: true }).click();
		await editor.openNewCredential();
		const always = ['Server URL', 'Bot Token', 'App Secret', 'Previous App Secret'];
		expect(await editor.credentialLabels()).toEqual([
			...always,
			'Status Callback Token',
			'Signed Payloads',
			'Allowed HTTP Request Domains',
		]);
		await editor.chooseInCredential('payloadSignature', 'JSON Web Signature (JWS)');
		expect(await editor.credentialLabels()).toEqual(
			expect.arrayContaining(['Signature Algorithm', 'Public Key']),
		);
		expect(await editor.credentialLabels()).not.toContain('Separator');
		expect(await editor.credentialLabels()).not.toContain('Signing Secret');
		await editor.chooseInCredential('payloadSignature', 'Do Not Check');
		expect(await editor.credentialLabels()).not.toContain('Public Key');

		await editor.fillCredential('serverUrl', sandbox.url);
		await editor.fillCredential('botToken', 'not-the-token');
		await editor.saveRefusedCredential('Diyalog did not accept the bot token');
		await editor.fillCredential('serverUrl', 'http://127.0.0.1:1');
		await editor.saveRefusedCredential('The Diyalog server refused the connection');
		await editor.fillCredential('serverUrl', sandbox.url);
		await editor.fillCredential('botToken', TOKEN);
		expect(await editor.saveAcceptedCredential()).toMatchObject({ data: { status: 'OK' } });
		expect(sandbox.messages()).toEqual([]);
		await proved('credential tested: wrong token, wrong address, right ones', 'said so each time');
	}, 60_000);

	it('an OTP with an image and two buttons is built and sent', async () => {
		await open();
		await (await editor.searchNode('otp', 'Diyalog')).click();
		await (await editor.openSection('Actions')).getByText('Send an OTP', { exact: true }).click();
		await editor.fill('customerNo', CUSTOMER_NO);
		await editor.fill('message', 'Transfer of 1,250.00 TL to Ada Flowers?');
		await editor.choose('otpMode', 'None');
		await editor.choose('below', 'Buttons');
		await editor.add('Add Button');
		await editor.fill('buttons.button[0].title', 'Approve');
		await editor.fill('buttons.button[0].payload', 'approve');
		await editor.add('Add Button');
		await editor.fill('buttons.button[1].title', 'Details');
		const forAnswer = await editor.labels();
		expect(forAnswer.filter((label) => label === 'Sign Payload on the Device')).toHaveLength(2);
		expect(forAnswer).not.toContain('Address');
		await editor.choose('buttons.button[1].type', 'Open Web Page');
		const forPage = await editor.labels();
		expect(forPage.filter((label) => label === 'Sign Payload on the Device')).toHaveLength(1);
		expect(forPage.filter((label) => label === 'Payload')).toHaveLength(1);
		expect(forPage).toContain('Address');
		await editor.fill('buttons.button[1].payload', 'https://www.example.com/transfer-17');
		await editor.addField('Options', 'Image URL');
		await editor.fill('options.imageUrl', SHOWN_IMAGE);
		await editor.addField('Options', 'Message ID');
		await editor.fill('options.messageId', 'transfer-17');
		await editor.executeUntil('transfer-17');
		expect(sandbox.messages()).toHaveLength(1);
		expect(sandbox.messages()[0]).toMatchObject({
			customerNo: CUSTOMER_NO,
			messageId: 'transfer-17',
			mokMessage: 'Transfer of 1,250.00 TL to Ada Flowers?',
			imageUrl: SHOWN_IMAGE,
			buttonsV2: [
				{ type: 'postback', title: 'Approve', payload: 'approve' },
				{ type: 'web_url', title: 'Details', payload: 'https://www.example.com/transfer-17' },
			],
		});
		await editor.picture(`${PICTURES}/editor-send.png`);
		await proved('an OTP with image and two buttons', 'built and sent, received once, as entered');
	}, 60_000);

	const addAction = async (action: string): Promise<void> => {
		await (await editor.searchNode('otp', 'Diyalog')).click();
		await (await editor.openSection('Actions')).getByText(action, { exact: true }).click();
		await editor.node.waitFor();
	};
	/** Chooses a response type of the opened node, and looks at the canvas. */
	const respondBy = async (name: string, responseType: string): Promise<string[]> => {
		await editor.openNode(name);
		await editor.choose('responseType', responseType);
		await editor.closeNode();
		return await editor.outputNames(name);
	};

	it.each([
		['Send a message', 'send', ['Specify Message', ...RECIPIENT, 'Message', 'Below the Text']],
		['Send a carousel of cards', 'sendCarousel', [...RECIPIENT, 'Specify Cards', 'Cards']],
		[
			'Send a document',
			'sendDocument',
			[...RECIPIENT, 'Input Data Field Name', 'Send As', 'Additional Fields'],
		],
		['Send an app trigger', 'sendAppTrigger', [...RECIPIENT, 'Message', 'Command', 'Data']],
		[
			'Ask and wait for an answer',
			'sendAndWait',
			['Ask', ...RECIPIENT, 'Message', 'Response Type', 'Approval Options'],
		],
	])(
		'%s: few fields, in the order of use',
		async (action, operation, fields) => {
			await open();
			await addAction(action);
			await editor.picture(`${PICTURES}/panel-message-${operation}.png`);
			expect(await editor.labels()).toEqual(['Resource', 'Operation', ...fields, 'Options']);
			await proved(`the panel of ${action}`, `${fields.length} fields beside the options`);
		},
		60_000,
	);

	it.each([
		['Send a carousel of cards', 'sendCarousel', 'Card', 'cards.card'],
		['Send a message', 'send', 'Quick Reply', 'quickReplies.quickReply'],
		['Ask and wait for an answer', 'sendAndWait', 'Choice', 'choices.choice'],
	])(
		'%s: collapsed entries show their titles',
		async (action, operation, entry, path) => {
			await open();
			await editor.collapseEntries();
			await editor.newWorkflow();
			await addAction(action);
			if (operation === 'send') await editor.choose('below', 'Quick Replies');
			if (operation === 'sendAndWait') await editor.choose('responseType', 'Choice');
			const titles = ['Gold', 'Travel'];
			for (const [index, title] of titles.entries()) {
				await editor.add(`Add ${entry}`);
				await editor.fill(`${path}[${index}].title`, title);
			}
			await editor.picture(`${PICTURES}/panel-message-${operation}-entries.png`);
			for (const title of titles) await editor.node.getByText(title, { exact: true }).waitFor();
		},
		60_000,
	);

	it('several people: chosen by clicking, each with the fields of its kind', async () => {
		await open();
		await addAction('Ask and wait for an answer');
		await editor.choose('ask', 'Several People');
		expect(await editor.labels()).toEqual([
			'Resource',
			'Operation',
			'Ask',
			'Specify People',
			'People',
			'Message',
			'Response Type',
			'Approval Options',
			'Rule',
			'Options',
		]);
		for (const [index, number] of ['E100', 'E101', 'E102'].entries()) {
			await editor.add('Add Person');
			await editor.choose(`people.person[${index}].recipientType`, 'Employee');
			await editor.fill(`people.person[${index}].employeeNo`, number);
		}
		await editor.choose('rule', 'At Least');
		await editor.picture(`${PICTURES}/panel-message-sendAndWait-several.png`);
		expect(await editor.labels()).toEqual(expect.arrayContaining(['Approvals Needed']));
		await proved('three people and a rule', 'by clicking, eight fields at first');
	}, 60_000);

	it('an OTP: what is rare lies in the options', async () => {
		await open();
		await addAction('Send an OTP');
		const first = ['Resource', 'Operation', 'Specify Message', 'Customer Number', 'Message', 'OTP'];
		const last = ['Below the Text', 'Options'];
		const generated = [...first, 'Auto-Fill in the App', 'Transaction', ...last];
		await editor.picture(`${PICTURES}/panel-otp-send.png`);
		expect(await editor.labels()).toEqual(generated);
		await editor.choose('otpMode', 'Given');
		const given = [...first, 'OTP Value', 'Auto-Fill in the App', ...last];
		expect(await editor.labels()).toEqual(given);
		await editor.choose('otpMode', 'Generate');
		await editor.addField('Options', 'Resend Limits');
		await editor.node.getByText('Codes in the Window', { exact: true }).waitFor();
		expect(await editor.labels()).toEqual(
			expect.arrayContaining(['Codes in the Window', 'Window (Minutes)', 'First Gap (Seconds)']),
		);
		await proved(
			'the panel of Send an OTP',
			'eight fields, for a given code and for a generated one',
		);
	}, 60_000);

	it('a question by a link is an option, and the notice above says what it is worth', async () => {
		await open();
		await addAction('Send an OTP and wait for an answer');
		const notices = async () => await editor.node.innerText();
		expect(await notices()).toContain('The answer comes in through a Diyalog Trigger');
		await editor.addField('Options', 'Answer By');
		await editor.choose('options.answerBy', 'Link to a Page');
		expect(await notices()).toContain('Anybody with the link can answer');
		expect(await notices()).not.toContain('The answer comes in through a Diyalog Trigger');
		await editor.addField('Options', 'Question Limits');
		expect(await editor.labels()).toEqual(
			expect.arrayContaining([
				'Questions in the Window',
				'Window (Minutes)',
				'First Gap (Seconds)',
			]),
		);
		await editor.picture(`${PICTURES}/panel-otp-sendAndWait-options.png`);
		await proved('Answer By and Question Limits', 'added as options, by clicking');
	}, 60_000);

	it('every decision is a branch that is drawn from its name', async () => {
		const ASK = 'Send an OTP and wait for an answer';
		await open();
		await addAction(ASK);
		await editor.closeNode();
		await editor.picture(`${PICTURES}/editor-outputs-new.png`);
		expect(await editor.outputNames(ASK)).toEqual(['Approved', 'No Answer', 'Declined']);
		await editor.addBehind(ASK, 0, 'No Operation, do nothing');
		await editor.addBehind(ASK, 1, 'No Operation, do nothing');
		await editor.addBehind(ASK, 2, 'No Operation, do nothing');
		await editor.picture(`${PICTURES}/editor-outputs.png`);
		const drawn = await editor.branches(ASK);
		expect(drawn).toHaveLength(3);
		for (const [responseType, names, lines] of [
			['Code', ['Right Code', 'No Answer', 'Too Many Attempts'], drawn],
			['Approval', ['Approved', 'No Answer', 'Declined'], drawn],
			// The editor takes a line away whose output is gone; it never moves one to another.
			['Choice', ['Answered', 'No Answer'], drawn.slice(0, 2)],
			['Free Text', ['Answered', 'No Answer'], drawn.slice(0, 2)],
			['Approval', ['Approved', 'No Answer', 'Declined'], drawn.slice(0, 2)],
		] as const) {
			expect(await respondBy(ASK, responseType)).toEqual(names);
			expect(await editor.branches(ASK)).toEqual(lines);
			await editor.picture(`${PICTURES}/editor-outputs-${responseType.replace(' ', '')}.png`);
		}
		await proved(
			'each decision is a branch',
			'three drawn by clicking, named for each response type',
		);
	}, 120_000);

	it('the trigger tells what to give to the administrator', async () => {
		await open();
		await (await editor.searchNode('diyalog', 'Diyalog')).click();
		const entries = await editor.openSection('Triggers');
		await entries.getByText('On button pressed', { exact: true }).click();
		await editor.node
			.getByText('give its Production URL to the administrator of the Diyalog server')
			.waitFor();
		expect(await editor.node.innerText()).not.toContain('Unsafe');
		expect(await editor.parameter('serverConf').locator('textarea').inputValue()).toContain(
			'subscribed_webhook_events',
		);
		await editor.node.getByText('Webhook URLs', { exact: true }).click();
		await editor.node.getByText('Production URL', { exact: true }).click();
		const urls = async () =>
			(await editor.node.innerText()).match(/http:\S+\/webhook\/[\w-]+\/\w+/g) ?? [];
		expect((await urls()).map((url) => url.split('/').at(-1))).toEqual(['webhook']);
		await editor.picture(`${PICTURES}/editor-trigger.png`);
		await editor.choose('authentication', 'None (Unsafe)');
		await editor.node.getByText('Unsafe: anybody who knows the URL').waitFor();
		await editor.chooseAlso('events', 'Status Callback');
		expect((await urls()).map((url) => url.split('/').at(-1))).toContain('updatemokstatus');
		await proved("the trigger's panel", 'Production URL and lines for server.conf shown');
	}, 60_000);

	it('the human review tool is listed for agents, and asks in the chat', async () => {
		const langchain = '@n8n/n8n-nodes-langchain';
		const chat = node(
			'Chat',
			`${langchain}.chatTrigger`,
			1.1,
			{ options: {} },
			{ webhookId: 'chat' },
		);
		const agent = node('Agent', `${langchain}.agent`, 3.1, { options: {} });
		const workflowId = await n8n.createWorkflow(workflow('Agent', [[chat, agent]]));
		editor = await Editor.open(browser, n8n, 'light');
		await editor.openWorkflow(workflowId);
		await editor.offerTools();
		const entries = await editor.openGroup('Human review', 'Diyalog');
		expect(await entries.count()).toBe(1);
		await editor.picture(`${PICTURES}/editor-human-review.png`);
		await entries.click();
		await editor.addToWorkflow();
		await editor.node.waitFor();
		const labels = await editor.labels();
		expect(labels).toEqual(
			expect.arrayContaining(['Message', 'Customer Number', 'Approval Options']),
		);
		// n8n leaves nothing but approvals to a review.
		expect(labels).not.toContain('Response Type');
		await editor.picture(`${PICTURES}/editor-human-review-fields.png`);
		await proved(
			'the human review tool',
			'listed for an agent under "Human review", with its fields',
		);
	}, 60_000);
});
