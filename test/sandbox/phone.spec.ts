import { createHmac } from 'node:crypto';
import type { Browser, Page, Route } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import type { Receiver } from '../support/receiver';
import type { Sandbox } from '../../sandbox/server';
import type { SandboxConfigInput } from '../../sandbox/config';
import { realSurroundings } from '../../sandbox/diyalog';
import { APP_SECRET, closeAll, CUSTOMER_NO, eventually, otp, send, start } from './support';

const KEY = 'the key of the company app in these tests';
const PICTURES = '.cache/screenshots';

describeWithChromium('the phone page', () => {
	let browser: Browser;
	let page: Page;
	let complaints: string[];

	beforeAll(async () => {
		browser = await launchChromium();
	});
	afterEach(async () => {
		await page.context().close();
		await closeAll();
		// Script errors and violations of the content security policy.
		expect(complaints).toEqual([]);
	});
	afterAll(async () => await browser.close());

	async function open(
		config: SandboxConfigInput = {},
		customerNo = CUSTOMER_NO,
		now = () => Date.now(),
	) {
		const batched = { batch: { maxWaitMs: 50 }, ...config };
		const started = await start(batched, { ...realSurroundings, now });
		const context = await browser.newContext({ viewport: { width: 1240, height: 860 } });
		page = await context.newPage();
		page.setDefaultTimeout(8_000);
		complaints = [];
		page.on('pageerror', (error) => complaints.push(error.message));
		page.on('console', (message) => {
			if (message.type() === 'error') complaints.push(message.text());
		});
		await show(started.sandbox, customerNo);
		return started;
	}

	async function show(sandbox: Sandbox, customerNo: string) {
		await page.goto(`${sandbox.url}/sandbox#${customerNo}`);
		await page.getByText('Live', { exact: true }).waitFor();
	}

	const bubbles = async () => await page.locator('.bubble > p').allTextContents();
	const texts = (receiver: Receiver) =>
		receiver.received.flatMap(({ body }) =>
			JSON.parse(body).entry.flatMap(
				(entry: { messaging: [{ message?: { text: string } }] }) =>
					entry.messaging[0].message?.text ?? [],
			),
		);

	it('send, bubble, press: the signed webhook with the signed payload arrives', async () => {
		const { sandbox, receiver } = await open({ signData: { algorithm: 'HS256', key: KEY } });
		const approve = { ...otp.buttonsV2[0], payloadHidden: true };
		await send(sandbox, { ...otp, imageUrl: undefined, buttonsV2: [approve] });
		await page.getByRole('button', { name: 'Approve' }).click();
		await page.getByText('Onaylıyorum').waitFor();
		expect(await bubbles()).toEqual([otp.mokMessage, 'Onaylıyorum']);
		expect(await page.getByText('signed by the company app').count()).toBe(1);
		expect(await page.locator('.answers .pressed').textContent()).toBe('Approve');
		await eventually(() => texts(receiver).length === 1);
		// A press that nobody waits for any more looks like this as well: it has arrived, and nothing came back.
		await page.getByText('sent to n8n, which answered 200').waitFor();

		const webhook = receiver.received.at(-1);
		const mac = createHmac('sha1', APP_SECRET).update(webhook?.body ?? '');
		expect(webhook?.signature).toBe(mac.digest('hex'));
		const [head, body, signature] = texts(receiver)[0].slice('[messageId-74]:'.length).split('.');
		const jwsMac = createHmac('sha256', KEY).update(`${head}.${body}`);
		expect(signature).toBe(jwsMac.digest('base64url'));
		expect(JSON.parse(Buffer.from(body, 'base64url').toString())).toMatchObject({
			payload: '123456',
			messageId: 'messageId-74',
			customerNo: CUSTOMER_NO,
		});
	});

	it('a tap that comes late, or again, says so', async () => {
		let minutes = 0;
		const { sandbox } = await open({}, CUSTOMER_NO, () => Date.now() + minutes * 60_000);
		const asks = async (messageId: string) =>
			await send(sandbox, { ...otp, messageId, imageUrl: undefined });
		const says = async () => await page.locator('.mine > .note:visible').allTextContents();
		const approve = page.getByRole('button', { name: 'Approve' }).last();
		await asks('in time');
		await approve.click();
		await page.getByText('answered 200').waitFor();
		expect(await says()).toEqual([]);
		await approve.click();
		await page.getByText('You have answered this message before.').waitFor();
		await asks('late');
		minutes = 6;
		await page.locator('.bubble.otp').nth(1).waitFor();
		await approve.click();
		await page.getByText('This message is older than the 5 minutes').waitFor();
		expect(await says()).toHaveLength(2);
	});

	it('works by keyboard alone: press, answer, another phone', async () => {
		const { sandbox, receiver } = await open();
		await send(sandbox, { ...otp, imageUrl: undefined });
		const dismiss = page.getByRole('button', { name: 'Dismiss' });
		await dismiss.waitFor();
		const focused = async () =>
			await page.evaluate('document.activeElement.ariaLabel ?? document.activeElement.textContent');
		const tabTo = async (name: string) => {
			for (let step = 0; step < 15 && (await focused()) !== name; step++) {
				await page.keyboard.press('Tab');
			}
			expect(await focused()).toBe(name);
		};
		await tabTo('Dismiss');
		await page.keyboard.press('Enter');
		await page.getByText('İptal Edildi').waitFor();
		// The page has been redrawn; the focus is where it was.
		expect(await focused()).toBe('Dismiss');
		await tabTo('Answer');
		await page.keyboard.type('Merhaba, kodum gelmedi 👋');
		await page.keyboard.press('Enter');
		await eventually(() => texts(receiver).length === 2);
		expect(texts(receiver)).toEqual(['[messageId-74]:cancelled', 'Merhaba, kodum gelmedi 👋']);
		await page.locator('#chat').getByText('Merhaba, kodum gelmedi').waitFor();
		await page.getByRole('link', { name: 'Mehmet Öztürk' }).focus();
		await page.keyboard.press('Enter');
		await page.getByText('No message yet.').waitFor();
		expect(await bubbles()).toEqual([]);
	});

	it('the code that the SDK hands to the app', async () => {
		const { sandbox } = await open();
		await send(sandbox, { ...otp, imageUrl: undefined, mokValue: '004711' });
		await page.getByText('004711').waitFor();
		expect(await page.locator('#filled').isVisible()).toBe(true);
		await send(sandbox, { ...otp, messageId: 'next', imageUrl: undefined, mokValue: undefined });
		await page.locator('#filled').waitFor({ state: 'hidden' });
		await page.getByRole('link', { name: 'Zeynep Işık' }).click();
		await page.getByText('No message yet.').waitFor();
		expect(await page.locator('#filled').isVisible()).toBe(false);
	});

	it('a web_url opens in a tab that cannot reach back', async () => {
		const { sandbox, receiver } = await open();
		const address = new URL('/', receiver.url).href;
		const button = { type: 'web_url', title: 'Details', payload: address };
		await send(sandbox, { ...otp, imageUrl: undefined, buttonsV2: [button] });
		const link = page.getByRole('link', { name: 'Details' });
		// Today's browsers imply it; older ones do not.
		expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
		const [popup] = await Promise.all([page.waitForEvent('popup'), link.click()]);
		await popup.waitForURL(address);
		expect(await popup.evaluate('window.opener')).toBe(null);
		expect(await popup.evaluate('document.referrer')).toBe('');
		await sandbox.flush();
		expect(texts(receiver)).toEqual([]);
	});

	it('is read when the page is visible, not before', async () => {
		const { sandbox } = await open();
		const setVisibility = async (state: string) =>
			await page.evaluate(`
				Object.defineProperty(document, 'visibilityState', { get: () => '${state}', configurable: true });
				document.dispatchEvent(new Event('visibilitychange'));
			`);
		await setVisibility('hidden');
		await send(sandbox, { ...otp, imageUrl: undefined });
		await page.getByRole('button', { name: 'Approve' }).waitFor();
		await page.waitForTimeout(200);
		expect(sandbox.messages()[0]?.readAt).toBeUndefined();
		await setVisibility('visible');
		await page.getByText('· read').waitFor();
		expect(sandbox.messages()[0]?.readAt).toEqual(expect.any(Number));
	});

	it('another customer’s message is neither shown nor read, only counted', async () => {
		const { sandbox } = await open();
		await send(sandbox, { ...otp, customerNo: '70022' });
		await page.getByRole('link', { name: 'Mehmet Öztürk 1' }).waitFor();
		expect(await bubbles()).toEqual([]);
		expect(sandbox.messages()[0]?.readAt).toBeUndefined();
	});

	it('the switches: duplicates, and forged signatures', async () => {
		const { sandbox, receiver } = await open({ signData: { algorithm: 'HS256', key: KEY } });
		await page.getByRole('button', { name: 'Switches' }).click();
		await page.getByLabel('Duplicates').check();
		await page.getByLabel('Forged signatures').check();
		await page.getByLabel('Delay (ms)').fill('20');
		await page.keyboard.press('Tab');
		await eventually(() => sandbox.setFaults({}).delayMs === 20);
		const approve = { ...otp.buttonsV2[0], payloadHidden: true };
		await send(sandbox, { ...otp, imageUrl: undefined, buttonsV2: [approve] });
		await page.getByRole('button', { name: 'Approve' }).click();
		await page.getByText('signature forged').waitFor();
		await eventually(() => texts(receiver).length === 2);
		const [first, second] = texts(receiver);
		expect(second).toBe(first);
		const [head, body, signature] = first.slice('[messageId-74]:'.length).split('.');
		const genuine = createHmac('sha256', KEY).update(`${head}.${body}`).digest('base64url');
		expect(signature).toHaveLength(genuine.length);
		expect(signature).not.toBe(genuine);
	});

	it('a switch stays as it was clicked while the server has not taken the change yet', async () => {
		const { sandbox } = await open();
		await page.getByRole('button', { name: 'Switches' }).click();
		const onTheWay: Route[] = [];
		await page.route('**/sandbox/faults', (route) => void onTheWay.push(route));
		await page.getByLabel('Duplicates').check();
		await send(sandbox, { ...otp, imageUrl: undefined });
		await page.getByRole('button', { name: 'Approve' }).waitFor();
		expect(await page.getByLabel('Duplicates').isChecked()).toBe(true);
		await onTheWay[0]?.continue();
		await eventually(() => sandbox.setFaults({}).duplicates);
		expect(await page.getByLabel('Duplicates').isChecked()).toBe(true);
	});

	it('the panel: each webhook as sent, the answer, sending again, another address', async () => {
		const { sandbox, receiver } = await open();
		receiver.answer = { status: 401, text: 'The signature <b>does not</b> match.' };
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'hello "[x]:{y}"' });
		await page.getByText('401', { exact: true }).click();
		const [shown, answer] = await page.locator('.sent pre').allTextContents();
		const [signature, ...body] = (shown ?? '').split('\n\n');
		expect(signature).toBe(`X-Signature: ${receiver.received[0]?.signature}`);
		const sent = receiver.received[0]?.body ?? '';
		expect(JSON.parse(body.join('\n\n'))).toEqual(JSON.parse(sent));
		expect(answer).toBe('401\n\nThe signature <b>does not</b> match.');
		const address = page.getByLabel('Webhook address of otp-bot');
		await address.fill(receiver.url.replace('/webhook', '/nowhere'));
		await page.getByRole('button', { name: 'Save' }).click();
		await eventually(() => sandbox.config.bots[0]?.webhook.url?.endsWith('/nowhere') ?? false);
		await page.getByRole('button', { name: 'Webhooks' }).click();
		await page.getByRole('button', { name: 'Send again' }).click();
		await page.getByText('404', { exact: true }).waitFor();
		expect(sandbox.webhookLog().map((webhook) => webhook.body)).toEqual([sent, sent]);
	});

	it('what waits can be sent at once', async () => {
		const { sandbox, receiver } = await open({ batch: { maxWaitMs: 60_000 } });
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: 'waiting' });
		await page.getByText('1 event waits to be posted').waitFor();
		await page.getByRole('button', { name: 'Send now' }).click();
		await page.getByText('Nothing waits to be posted').waitFor();
		expect(texts(receiver)).toEqual(['waiting']);
	});

	it('the list of sent OTPs, filtered and exported', async () => {
		const { sandbox } = await open();
		await send(sandbox, { ...otp, imageUrl: undefined, messageId: 'one', txCode: 'LOGIN' });
		await send(sandbox, { ...otp, imageUrl: undefined, messageId: 'two', txCode: 'PAY' });
		await page.getByRole('button', { name: 'Sent OTPs' }).click();
		const rows = page.locator('#otps tr');
		await rows.nth(1).waitFor();
		await page.getByLabel('Transaction code').fill('PAY');
		await page.getByRole('cell', { name: 'one' }).waitFor({ state: 'detached' });
		expect(await rows.count()).toBe(1);
		const download = page.waitForEvent('download');
		await page.getByRole('link', { name: 'Export CSV' }).click();
		expect((await download).suggestedFilename()).toBe('otps.csv');
		expect((await download).url()).toContain('txCode=PAY');
	});

	it('a hostile message shows its letters and does nothing', async () => {
		const { sandbox, receiver } = await open();
		const attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
		receiver.answer = { status: 500, text: attack };
		const button = { type: 'postback', title: attack, payload: attack, payloadSeenByUser: attack };
		const webUrl = { type: 'web_url', title: 'Click', payload: 'javascript:document.title=1' };
		const attacks = {
			mokMessage: attack,
			mokValue: attack,
			txCode: attack,
			messageId: attack,
			imageUrl: 'javascript:document.title=1',
			buttonsV2: [button, webUrl],
		};
		await send(sandbox, { ...otp, ...attacks });
		await page.locator('.answers button').click();
		await page.locator('.bubble.mine').waitFor();
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: attack });
		await page.getByText('500', { exact: true }).first().click();
		await page.getByRole('button', { name: 'Sent OTPs' }).click();
		await page.locator('#otps tr').waitFor();
		expect(await bubbles()).toEqual([
			'Picture not shown, its address is not http(s): javascript:document.title=1',
			attack,
			attack,
			attack,
		]);
		expect(await page.locator('.answers').textContent()).toBe(
			`${attack}Click (address is not http(s): javascript:document.title=1)`,
		);
		expect(await page.locator('#filled-code').textContent()).toBe(attack);
		expect(await page.locator('main img, main script, main a[href^=javascript]').count()).toBe(0);
		expect(await page.title()).toBe('Diyalog sandbox');
	});

	it('scripts that are not the sandbox’s own do not run, even if one got into the page', async () => {
		await open();
		await page.evaluate(`
			const script = document.createElement('script');
			script.textContent = 'document.title = 1';
			document.body.append(script);
		`);
		expect(await page.title()).toBe('Diyalog sandbox');
		expect(complaints).toHaveLength(1);
		expect(complaints.splice(0).join()).toContain('Content Security Policy');
	});

	it('a picture that is there is shown, one that is not says so', async () => {
		const { sandbox } = await open();
		const imageUrl = `${sandbox.url}/sandbox/icon.svg`;
		await send(sandbox, { ...otp, imageUrl, messageId: 'there' });
		await send(sandbox, { ...otp, imageUrl: `${sandbox.url}/none.png`, messageId: 'not there' });
		await page.getByText('Picture cannot be loaded').waitFor();
		expect(await page.evaluate('document.querySelector(".bubble img").naturalWidth')).toBe(60);
		expect(complaints.splice(0).join()).toContain('404');
	});

	it('says when the sandbox is gone', async () => {
		const { sandbox } = await open();
		const startedAt = Date.now();
		await sandbox.close();
		expect(Date.now() - startedAt).toBeLessThan(2_000);
		await page.getByText('Not connected').waitFor();
		complaints.splice(0);
	});

	it('fits a narrow screen; its pictures are in .cache/screenshots', async () => {
		const { sandbox, receiver } = await open();
		receiver.answer.text = '{"message":"Workflow was started"}';
		await send(sandbox, {
			customerNo: CUSTOMER_NO,
			messageId: 'login-1',
			mokMessage: 'Giriş kodunuz 482913. 3 dakika geçerlidir; kimseyle paylaşmayın.',
			mokValue: '482913',
		});
		await send(sandbox, {
			customerNo: CUSTOMER_NO,
			messageId: 'transfer-17',
			mokMessage: 'Transfer of 1.250,00 TL to Ada Çiçekçilik?',
			buttonsV2: [
				{ ...otp.buttonsV2[0], payload: 'approve', payloadHidden: true },
				otp.buttonsV2[1],
				{ type: 'web_url', title: 'Details', payload: 'https://example.com' },
			],
		});
		await page.getByRole('button', { name: 'Approve' }).click();
		await page.getByText('pressed a button: “').waitFor();
		await page.getByText('200', { exact: true }).first().click();
		await page.screenshot({ path: `${PICTURES}/sandbox-light.png` });
		await page.getByRole('button', { name: 'Sent OTPs', exact: true }).click();
		await page.screenshot({ path: `${PICTURES}/sandbox-otps.png` });
		await page.getByRole('button', { name: 'Webhooks', exact: true }).click();
		await page.emulateMedia({ colorScheme: 'dark' });
		await page.screenshot({ path: `${PICTURES}/sandbox-dark.png` });
		await page.setViewportSize({ width: 360, height: 740 });
		await page.screenshot({ path: `${PICTURES}/sandbox-narrow.png`, fullPage: true });
		for (const tab of ['Webhooks', 'Sent OTPs', 'Switches', 'Key']) {
			await page.getByRole('button', { name: tab, exact: true }).click();
			expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
			const name = tab.toLowerCase().replace(' ', '-');
			await page.screenshot({ path: `${PICTURES}/sandbox-narrow-${name}.png`, fullPage: true });
		}
		expect(await page.getByLabel('Answer').isVisible()).toBe(true);
	});
});
