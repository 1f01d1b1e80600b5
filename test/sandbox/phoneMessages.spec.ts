import type { Browser, Page } from 'playwright-core';
import { describeWithChromium, launchChromium } from '../support/chromium';
import type { Sandbox } from '../../sandbox/server';
import {
	button,
	card,
	closeAll,
	CUSTOMER_NO,
	eventually,
	kinds,
	otp,
	reply,
	send,
	sendMessage,
	start,
	toCustomer,
	toEmployee,
} from './support';

/* What SendMessage brings to a phone, as a person sees and taps it. */

const PICTURES = '.cache/screenshots';
const BRANCHES = ['Beşiktaş', 'Kadıköy', 'Üsküdar', 'Şişli', 'Başka bir şube'];
const ten = Array.from({ length: 10 }, (_each, index) => button(`B${index + 1}`));

/** One second of a 440 Hz tone. */
function wav(): Buffer {
	const rate = 8_000;
	const head = Buffer.alloc(44);
	head.write('RIFF');
	head.writeUInt32LE(36 + rate, 4);
	head.write('WAVEfmt ', 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20);
	head.writeUInt16LE(1, 22);
	head.writeUInt32LE(rate, 24);
	head.writeUInt32LE(rate, 28);
	head.writeUInt16LE(1, 32);
	head.writeUInt16LE(8, 34);
	head.write('data', 36);
	head.writeUInt32LE(rate, 40);
	const wave = (at: number) => 128 + 60 * Math.sin((at / rate) * 440 * 2 * Math.PI);
	return Buffer.concat([head, Buffer.from(Array.from({ length: rate }, (_each, at) => wave(at)))]);
}

describeWithChromium('what SendMessage brings to a phone', () => {
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

	async function open(address = CUSTOMER_NO, width = 1240, height = 860) {
		const started = await start({ batch: { maxWaitMs: 50 }, documentDelayMs: 20 });
		const context = await browser.newContext({ viewport: { width, height } });
		page = await context.newPage();
		page.setDefaultTimeout(8_000);
		complaints = [];
		page.on('pageerror', (error) => complaints.push(error.message));
		page.on('console', (message) => {
			if (message.type() === 'error') complaints.push(message.text());
		});
		await page.goto(`${started.sandbox.url}/sandbox#${address}`);
		await page.getByText('Live', { exact: true }).waitFor();
		return started;
	}

	async function drawPng(hue: number): Promise<Buffer> {
		const url = await page.evaluate<string>(`(() => {
			const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 400 });
			const paint = canvas.getContext('2d');
			const gradient = paint.createLinearGradient(0, 0, 640, 400);
			gradient.addColorStop(0, 'hsl(${hue} 70% 70%)');
			gradient.addColorStop(1, 'hsl(${hue + 60} 60% 35%)');
			paint.fillStyle = gradient;
			paint.fillRect(0, 0, 640, 400);
			return canvas.toDataURL('image/png');
		})()`);
		return Buffer.from(url.split(',')[1] ?? '', 'base64');
	}

	const fits = async (width: number) =>
		expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
	const webhookTexts = (sandbox: Sandbox) =>
		sandbox.webhookLog().flatMap(({ body }) => body.match(/"text":"[^"]*"/g) ?? []);

	it('quick replies stand above the text field and are gone after one tap', async () => {
		const { sandbox } = await open();
		await sendMessage(sandbox, {
			...kinds.text('Which branch?'),
			quickRepliesV2: BRANCHES.map((title, index) =>
				reply(title, { payloadSeenByUser: `${title} şubesi`, payload: `branch-${index}` }),
			),
			messageId: 'branch',
		});
		const bar = page.getByRole('group', { name: 'Quick replies' });
		await bar.getByRole('button', { name: 'Şişli' }).waitFor();
		expect(await bar.getByRole('button').allTextContents()).toEqual(BRANCHES);
		const [replies, composer] = [
			await bar.boundingBox(),
			await page.locator('#composer').boundingBox(),
		];
		expect((replies?.y ?? 0) + (replies?.height ?? 0)).toBeLessThanOrEqual((composer?.y ?? 0) + 1);
		expect(await page.locator('.bubble button').count()).toBe(0);
		await bar.getByRole('button', { name: 'Şişli' }).click();
		await page.locator('.bubble.mine').getByText('Şişli şubesi').waitFor();
		await bar.waitFor({ state: 'hidden' });
		await eventually(() => webhookTexts(sandbox).length === 1);
		expect(webhookTexts(sandbox)).toEqual(['"text":"[branch]:branch-3"']);
	});

	it('quick replies are gone when another message follows', async () => {
		const { sandbox } = await open();
		await sendMessage(sandbox, kinds.quickReplies('Which?', ['A', 'B']));
		const bar = page.getByRole('group', { name: 'Quick replies' });
		await bar.waitFor();
		await sendMessage(sandbox, kinds.quickReplies('And now?', ['C']));
		await bar.getByRole('button', { name: 'C' }).waitFor();
		expect(await bar.getByRole('button').allTextContents()).toEqual(['C']);
		await sendMessage(sandbox, kinds.text('Never mind.'));
		await bar.waitFor({ state: 'hidden' });
	});

	it('an employee has a phone, and is not taken for a customer', async () => {
		const { sandbox } = await open();
		const body = kinds.buttons('Raise the limit of branch 12?', [button('Approve')], 'limit');
		await sendMessage(sandbox, body, toEmployee);
		await page.getByRole('link', { name: 'Deniz Arslan 1' }).click();
		await page.getByText('Employee E100', { exact: true }).waitFor();
		await page.getByRole('button', { name: 'Approve' }).click();
		await page.locator('.bubble.mine').getByText('approve').waitFor();
		await page.getByLabel('Answer').fill('Tamam');
		await page.keyboard.press('Enter');
		await page.locator('.bubble.mine').nth(1).waitFor();
		await eventually(() => webhookTexts(sandbox).length === 2);
		expect(webhookTexts(sandbox)).toEqual(['"text":"[limit]:approve"', '"text":"Tamam"']);
		expect(sandbox.messages()[0]?.readAt).toEqual(expect.any(Number));
		await page.getByRole('link', { name: 'Elif Şahin' }).click();
		await page.getByText('Send one to employee E101').waitFor();
		await page.reload();
		await page.getByText('Employee E101', { exact: true }).waitFor();
	});

	it.each([
		['SendOTP', undefined, ['Buttons 4 to 10 are not shown: a phone shows 3']],
		[
			'a button template',
			kinds.buttons('Which?', ten.slice(0, 4)),
			['Button 4 is not shown: a phone shows 3'],
		],
		[
			'a carousel',
			kinds.carousel([card('One', ten.slice(0, 3)), card('Two', ten)]),
			['Buttons 4 to 10 on card 2 are not shown: a phone shows 3'],
		],
	])('%s: three buttons are drawn, and the panel says what is not', async (_what, body, hints) => {
		const { sandbox } = await open();
		if (body) await sendMessage(sandbox, body);
		else await send(sandbox, { ...otp, imageUrl: undefined, buttonsV2: ten });
		await page.getByRole('button', { name: 'B3' }).first().waitFor();
		const drawn = await page.locator('.answers').last().getByRole('button').allTextContents();
		expect(drawn).toEqual(['B1', 'B2', 'B3']);
		expect(
			await page.getByRole('list', { name: 'Hints' }).getByRole('listitem').allTextContents(),
		).toEqual(hints);
		await page.getByRole('link', { name: 'Elif Şahin' }).click();
		await page.getByText('No message yet').waitFor();
		expect(await page.locator('#hints').isVisible()).toBe(false);
	});

	it('a carousel is swiped, and the tap names its card', async () => {
		const { sandbox } = await open(CUSTOMER_NO, 380, 740);
		const cards = ['One', 'Two', 'Three'].map((title) =>
			card(title, [button('Take', { payload: title })], { messageId: `card-${title}` }),
		);
		await sendMessage(sandbox, kinds.carousel(cards, { messageId: 'all' }));
		const third = page.getByRole('group', { name: 'Card 3 of 3' });
		await third.waitFor();
		const endOf = async () =>
			await third.evaluate((node) => Math.floor(node.getBoundingClientRect().right));
		const startOf = async () => await third.evaluate((node) => node.getBoundingClientRect().left);
		const style = 'getComputedStyle(document.querySelector(".cards")).scrollSnapType';
		expect(await page.evaluate(style)).toBe('x mandatory');
		await fits(380);
		expect(await startOf()).toBeGreaterThan(380);
		await page.locator('.cards').evaluate((node) => node.scrollTo({ left: 10_000 }));
		expect(await endOf()).toBeLessThanOrEqual(380);
		await third.getByRole('button', { name: 'Take' }).click();
		await page.locator('.bubble.mine').getByText('Three').waitFor();
		expect(await page.locator('.pressed').count()).toBe(1);
		expect(await third.locator('.pressed').count()).toBe(1);
		await eventually(() => webhookTexts(sandbox).length === 1);
		expect(webhookTexts(sandbox)).toEqual(['"text":"[card-Three]:Three"']);
	});

	it('a document is downloaded under its name', async () => {
		const { sandbox } = await open();
		const bytes = Buffer.from('%PDF-1.7 receipt');
		await sendMessage(
			sandbox,
			kinds.document('Dekont ş.pdf', bytes, { mimeType: 'application/pdf' }),
		);
		const download = page.waitForEvent('download');
		const link = page.getByRole('link', { name: 'Dekont ş.pdf' });
		expect(await link.textContent()).toContain('16 bytes · application/pdf');
		await link.click();
		expect((await download).suggestedFilename()).toBe('Dekont ş.pdf');
		const chunks: Buffer[] = [];
		for await (const chunk of await (await download).createReadStream()) chunks.push(chunk);
		expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
	});

	it('a photo is shown, a voice message and a video have players', async () => {
		const { sandbox } = await open();
		const photo = { photo: { width: 640, height: 400 } };
		await sendMessage(sandbox, kinds.document('branch.png', await drawPng(200), photo));
		const voice = { mimeType: 'audio/wav', voice: { duration: 1 } };
		await sendMessage(sandbox, kinds.document('note.wav', wav(), voice));
		const video = { mimeType: 'audio/wav', video: { width: 64, height: 36, duration: 75 } };
		await sendMessage(sandbox, kinds.document('tour.wav', wav(), video));
		await page.locator('video').waitFor();
		await page.waitForFunction('document.querySelector(".photo img")?.naturalWidth === 640');
		await page.waitForFunction('document.querySelector("audio")?.duration === 1');
		await page.waitForFunction('document.querySelector("video")?.readyState > 0');
		expect(await page.getByText('8 kB · audio/wav · 1:15').count()).toBe(1);
	});

	it('what cannot be played stays a file with its duration', async () => {
		const { sandbox } = await open();
		const video = { mimeType: 'video/mp4', video: { width: 0, height: 0, duration: 5 } };
		await sendMessage(sandbox, kinds.document('broken.mp4', Buffer.from('no video'), video));
		await page.getByText('8 bytes · video/mp4 · 0:05').waitFor();
		await page.locator('video').waitFor({ state: 'detached' });
	});

	it('an app trigger says what the app would do, and posts nothing', async () => {
		const { sandbox } = await open();
		await sendMessage(sandbox, kinds.appTrigger('Your new card is ready.', 'openCard', '{"id":7}'));
		const tap = page.getByRole('button', { name: 'Open in the company app' });
		await tap.waitFor();
		expect(await page.getByText('openCard').isVisible()).toBe(false);
		await tap.click();
		const says = page.locator('.bubble').getByRole('status');
		expect(await says.textContent()).toBe(
			'The company app gets command openCard with data {"id":7}',
		);
		await sandbox.flush();
		expect(webhookTexts(sandbox)).toEqual([]);
		expect(await page.locator('.bubble.mine').count()).toBe(0);
	});

	it('hostile content of every kind shows its letters and does nothing', async () => {
		const { sandbox } = await open();
		const attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
		const imageUrl = 'javascript:document.title=1';
		const bad = button(attack, { payloadSeenByUser: attack });
		const messages = [
			kinds.text(attack),
			kinds.buttons(attack, [bad], attack),
			kinds.carousel([card(attack, [bad], { subtitle: attack, imageUrl, messageId: attack })]),
			kinds.document(attack, Buffer.from(attack), { mimeType: 'text/html' }),
			kinds.appTrigger(attack, attack, attack),
		];
		for (const each of messages) await sendMessage(sandbox, { ...each, messageId: attack });
		await page.locator('.bubble').nth(4).waitFor();
		const replies = [reply(attack, { payload: attack, imageUrl })];
		await sendMessage(sandbox, { ...kinds.text(attack), quickRepliesV2: replies });
		await page.getByRole('button', { name: 'Open in the company app' }).click();
		await page.getByRole('group', { name: 'Quick replies' }).getByRole('button').click();
		await page.locator('.bubble.mine').waitFor();
		const shown = await page.locator('#chat').textContent();
		expect(shown?.split(attack)).toHaveLength(13);
		expect(await page.locator('main img, main script, main a[href^=javascript]').count()).toBe(0);
		expect(await page.title()).toBe('Diyalog sandbox');
		// The document is HTML: opened by its address, it is saved and not shown.
		const id = sandbox.messages().find(({ kind }) => kind === 'document')?.id;
		const download = page.waitForEvent('download');
		await page.evaluate(`void (location.href = '/sandbox/documents/${id}')`);
		await download;
	});

	it('the list of OTPs holds OTPs alone', async () => {
		const { sandbox } = await open();
		await sendMessage(sandbox, kinds.text('Hello'));
		await send(sandbox, { ...otp, imageUrl: undefined, buttonsV2: ten });
		await page.getByRole('button', { name: 'Sent OTPs' }).click();
		await page.locator('#otps tr').first().waitFor();
		expect(await page.locator('#otps tr').count()).toBe(1);
	});

	it('the switches: an old app, events without customer number', async () => {
		const { sandbox } = await open();
		await page.getByRole('button', { name: 'Switches' }).click();
		await page.getByLabel('Old app').check();
		await page.getByLabel('Customer number in events').selectOption('missing');
		await eventually(() => sandbox.setFaults({}).customerNoInEvents === 'missing');
		const yes = button('Yes', { payloadHidden: true });
		await sendMessage(sandbox, kinds.buttons('Do you agree?', [yes]));
		await page.getByRole('button', { name: 'Yes' }).click();
		await page.getByText('not signed, the app is too old').waitFor();
		await eventually(() => webhookTexts(sandbox).length === 1);
		expect(webhookTexts(sandbox)).toEqual(['"text":"[template-1]:yes"']);
		expect(
			sandbox
				.webhookLog()
				.map(({ body }) => body)
				.join(),
		).not.toContain('appCustomerId');
		expect(await page.getByLabel('Customer number in events').inputValue()).toBe('missing');
	});

	it.each([
		['light', 1240, 900],
		['dark', 1240, 900],
		['light', 380, 740],
		['dark', 380, 740],
	] as const)(
		'a chat of all kinds, %s, %d px; its pictures are in .cache/screenshots',
		async (colorScheme, width, height) => {
			const { sandbox } = await open(CUSTOMER_NO, width, height);
			await page.emulateMedia({ colorScheme });
			const shoot = async (name: string) =>
				await page.screenshot({ path: `${PICTURES}/phone-${name}-${colorScheme}-${width}.png` });
			const icon = `${sandbox.url}/sandbox/icon.svg`;
			const flats = ['Moda, 2+1', 'Etiler, 3+1', 'Göztepe, 1+1'].map((title, index) =>
				card(title, [button('Görmek istiyorum'), button('Ara')].slice(0, 2 - (index % 2)), {
					subtitle: 'Aylık 45.000 TL, krediye uygun',
					imageUrl: icon,
					messageId: `flat-${index}`,
				}),
			);
			const shown = [
				kinds.text('Merhaba Ayşe Hanım, havaleniz yapıldı.'),
				kinds.document('Dekont-2026-04-17.pdf', Buffer.alloc(184_320), {
					mimeType: 'application/pdf',
				}),
				kinds.document('sube.png', await drawPng(190), { photo: { width: 640, height: 400 } }),
				kinds.document('not.wav', wav(), { mimeType: 'audio/wav', voice: { duration: 1 } }),
				kinds.carousel(flats),
				kinds.appTrigger('Yeni kartınız hazır.', 'openCard', 'card=7'),
				kinds.buttons('Limit artışını onaylıyor musunuz?', [button('Onayla'), button('Reddet')]),
			];
			for (const [index, each] of shown.entries()) {
				await sendMessage(sandbox, each);
				await eventually(() => sandbox.messages().length === index + 1);
			}
			await page.getByRole('button', { name: 'Open in the company app' }).click();
			await page.waitForFunction('document.querySelector(".photo img")?.naturalWidth === 640');
			await page.waitForTimeout(150);
			await shoot('last');
			await page.locator('.cards').scrollIntoViewIfNeeded();
			await shoot('carousel');
			await page.evaluate('document.getElementById("chat").scrollTop = 0');
			await shoot('documents');
			await sendMessage(
				sandbox,
				kinds.quickReplies('Hangi şube size yakın?', BRANCHES),
				toCustomer,
			);
			await page.getByRole('button', { name: 'Kadıköy' }).waitFor();
			await page.waitForTimeout(150);
			await shoot('replies');
			const newest = `(() => {
			const last = document.querySelector('.bubble:last-child').getBoundingClientRect();
			const chat = document.getElementById('chat').getBoundingClientRect();
			return last.bottom <= chat.bottom + 1 && last.top >= chat.top;
		})()`;
			expect(await page.evaluate(newest)).toBe(true);
			await fits(width);
			await page.getByRole('button', { name: 'Switches' }).click();
			await fits(width);
		},
	);
});
