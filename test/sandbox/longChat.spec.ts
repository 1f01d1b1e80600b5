import type { Browser, Page } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { closeAll, CUSTOMER_NO, send, start } from './support';

/* A chat that is longer than the screen: everything in it stays whole, and the newest message is in view. */

const PICTURES = '.cache/screenshots';
const MESSAGES = 30;

const press = (title: string) => ({
	type: 'postback',
	title,
	payload: 'p',
	payloadSeenByUser: title,
});
const link = (title: string) => ({ type: 'web_url', title, payload: 'https://example.com' });
const LONG_TITLE = 'Evet, bu ödemeyi kendi hesabımdan yapmak istiyorum ve onaylıyorum';
const LONG_WORD = 'TR330006100519786457841326'.repeat(6);

/** One message of each kind; the chat repeats them. */
const kinds = (picture: string): object[] => [
	{ mokMessage: 'Giriş kodunuz 482913. 3 dakika geçerlidir; kimseyle paylaşmayın.' },
	{ mokMessage: 'With a picture', imageUrl: picture, buttonsV2: [press('Approve')] },
	{ mokMessage: 'Two buttons', buttonsV2: [press('Approve'), press('Decline')] },
	{ mokMessage: 'Three', buttonsV2: [press(LONG_TITLE), press(LONG_WORD), link('Details')] },
	{ mokMessage: LONG_WORD, buttonsV2: [link(LONG_TITLE)] },
	{ mokMessage: 'First line\n\nSecond line\n'.repeat(5), mokValue: '482913' },
	{
		mokMessage: 'No picture, no page',
		imageUrl: `javascript:${LONG_WORD}`,
		buttonsV2: [{ type: 'web_url', title: 'Page', payload: `javascript:${LONG_WORD}` }],
	},
];

/** What a person would see to be cut: in each bubble, its buttons, the header and the list of phones. */
const CUT = `(() => {
	const cut = [];
	const chat = document.getElementById('chat').getBoundingClientRect();
	const within = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1 &&
		inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
	const screen = { left: 0, right: innerWidth, top: -Infinity, bottom: Infinity };
	for (const bubble of document.querySelectorAll('.bubble')) {
		const say = (what) => cut.push(what + ': ' + bubble.textContent.slice(0, 30));
		const box = bubble.getBoundingClientRect();
		if (bubble.scrollHeight > bubble.clientHeight) say('squashed');
		if (bubble.scrollWidth > bubble.clientWidth) say('too wide inside');
		if (box.left < chat.left || box.right > chat.right || !within(box, screen)) say('beside the chat');
		for (const part of bubble.querySelectorAll('p, footer, img, .answers > *')) {
			const own = part.getBoundingClientRect();
			if (own.height < 10 || own.width < 10 || !within(own, box)) say(part.tagName + ' not visible');
		}
	}
	const last = document.querySelector('.bubble:last-child').getBoundingClientRect();
	if (last.bottom > chat.bottom + 1 || last.bottom < chat.top) cut.push('newest not in view');
	const active = document.querySelector('#phones [aria-current]').getBoundingClientRect();
	const phones = document.getElementById('phones').getBoundingClientRect();
	if (!within(active, phones) || !within(active, screen)) cut.push('phone in use not in view');
	return cut;
})()`;

describeWithChromium('a long chat', () => {
	let browser: Browser;
	let page: Page;

	beforeAll(async () => {
		browser = await launchChromium();
	});
	afterEach(async () => {
		await page.context().close();
		await closeAll();
	});
	afterAll(async () => await browser.close());

	it.each([
		['light', 1240, 860],
		['dark', 1240, 860],
		['light', 380, 740],
		['dark', 380, 740],
	] as const)('%s, %d px wide: nothing is cut off', async (colorScheme, width, height) => {
		const customers = ['Ada Lovelace', 'Grace Hopper', 'Mehmet Öztürk', 'Zeynep Işık'].map(
			(name, index) => ({
				customerNo: index === 3 ? CUSTOMER_NO : `8000${index}`,
				userId: `9000${index}`,
				name,
			}),
		);
		const { sandbox } = await start({ batch: { maxWaitMs: 50 }, customers });
		const context = await browser.newContext({ colorScheme, viewport: { width, height } });
		page = await context.newPage();
		page.setDefaultTimeout(8_000);
		await page.goto(`${sandbox.url}/sandbox#${CUSTOMER_NO}`);
		const all = kinds(`${sandbox.url}/sandbox/icon.svg`);
		for (let index = 0; index < MESSAGES; index++) {
			const kind = all[index % all.length];
			const sent = await send(sandbox, {
				customerNo: CUSTOMER_NO,
				messageId: `m-${index}`,
				...kind,
				// What the app fills in is the last message's code, and takes room from the chat.
				...(index === MESSAGES - 1 && { mokValue: '482913' }),
			});
			expect(sent.status).toBe(200);
		}
		await page
			.locator('.bubble')
			.nth(MESSAGES - 1)
			.waitFor();
		await page.getByRole('button', { name: 'Decline' }).last().click();
		await page.locator('.bubble.mine').waitFor();
		sandbox.typeText({ customerNo: CUSTOMER_NO, text: `Kodum gelmedi 👋 ${LONG_WORD}` });
		await page.locator('.bubble.mine').nth(1).waitFor();
		await page.waitForFunction(
			'[...document.images].every(({ naturalWidth }) => naturalWidth > 0)',
		);
		await page.screenshot({ path: `${PICTURES}/long-chat-${colorScheme}-${width}.png` });
		expect(await page.evaluate(CUT)).toEqual([]);
		expect(await page.locator('.filled').isVisible()).toBe(true);
		expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);

		await page.evaluate(`document.getElementById('chat').scrollTop -= 900`);
		await page.screenshot({ path: `${PICTURES}/long-chat-older-${colorScheme}-${width}.png` });
		await page.getByRole('button', { name: 'Sent OTPs' }).click();
		await page
			.locator('#otps tr')
			.nth(MESSAGES - 1)
			.waitFor();
		await page.screenshot({
			path: `${PICTURES}/sent-otps-${colorScheme}-${width}.png`,
			fullPage: true,
		});
		const table = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.table'))`;
		expect(await page.evaluate(table)).toBe(0);
	});
});
