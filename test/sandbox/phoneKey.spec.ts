import { createPublicKey } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import type { SandboxConfigInput } from '../../sandbox/config';
import { describeWithChromium, launchChromium } from '../support/chromium';
import { button, closeAll, CUSTOMER_NO, eventually, kinds, sendMessage, start } from './support';

/* The key of a phone, as somebody copies it, and the switches about signatures. */

const PICTURES = '.cache/screenshots';
const perPhone = { algorithm: 'ES256', keys: 'perPhone' } as const;
const AYSE = { customerNo: CUSTOMER_NO };
const MEHMET = { customerNo: '70022' };

describeWithChromium('the key of a phone', () => {
	let browser: Browser;
	let page: Page;
	let complaints: string[];

	beforeAll(async () => {
		browser = await launchChromium();
	});
	afterEach(async () => {
		await page.context().close();
		await closeAll();
		expect(complaints).toEqual([]);
	});
	afterAll(async () => await browser.close());

	async function open(signData: SandboxConfigInput['signData'], width = 1240, height = 860) {
		const { sandbox } = await start({ batch: { maxWaitMs: 50 }, signData });
		const context = await browser.newContext({ viewport: { width, height } });
		await context.grantPermissions(['clipboard-read', 'clipboard-write']);
		page = await context.newPage();
		page.setDefaultTimeout(8_000);
		complaints = [];
		page.on('pageerror', (error) => complaints.push(error.message));
		page.on('console', (message) => {
			if (message.type() === 'error') complaints.push(message.text());
		});
		await page.goto(`${sandbox.url}/sandbox#${CUSTOMER_NO}`);
		await page.getByText('Live', { exact: true }).waitFor();
		return sandbox;
	}

	const openTab = async (name: string) =>
		await page.locator('#tabs').getByRole('button', { name, exact: true }).click();
	const shown = async () => await page.locator('#key').textContent();
	const pasted = async () => await page.evaluate<string>('navigator.clipboard.readText()');
	const copy = async () => await page.getByRole('button', { name: 'Copy', exact: true }).click();
	const widthOfPage = async () =>
		await page.evaluate<number>('document.documentElement.scrollWidth');

	it('is copied as PEM, as base64 and as JWK, of the phone that is shown', async () => {
		const sandbox = await open(perPhone);
		await openTab('Key');
		await page.getByText('This key is on this phone alone.').waitFor();
		const { pem = '', spki, jwk, thumbprint = '' } = sandbox.phoneKey(AYSE);
		for (const [form, text] of [
			['PEM', pem],
			['Base64 (SPKI)', spki],
			['JWK', JSON.stringify(jwk, null, 2)],
		] as const) {
			await page.getByLabel('Format').selectOption(form);
			expect(await shown()).toBe(text);
			await copy();
			await page.getByRole('button', { name: 'Copied' }).waitFor();
			expect(await pasted()).toBe(text);
		}
		expect(await page.locator('#key-thumbprint').textContent()).toContain(thumbprint);

		await page.getByRole('link', { name: 'Mehmet Öztürk' }).click();
		const others = sandbox.phoneKey(MEHMET);
		await page.locator('#key-thumbprint', { hasText: others.thumbprint }).waitFor();
		expect(await shown()).toBe(JSON.stringify(others.jwk, null, 2));
		await copy();
		const copied = createPublicKey({ key: JSON.parse(await pasted()), format: 'jwk' });
		expect(copied.export({ type: 'spki', format: 'pem' })).toBe(others.pem);
	});

	it('is selected and copied where the browser keeps its clipboard from the page', async () => {
		const sandbox = await open(perPhone);
		await page.evaluate(
			`Object.defineProperty(navigator, 'clipboard', { get: () => undefined, configurable: true })`,
		);
		await openTab('Key');
		await page.getByText('This key is on this phone alone.').waitFor();
		await copy();
		await page.getByRole('button', { name: 'Copied' }).waitFor();
		expect(await page.evaluate('String(getSelection()).trim()')).toBe(
			sandbox.phoneKey(AYSE).pem?.trim(),
		);
		await page.evaluate('delete navigator.clipboard');
		expect((await pasted()).trim()).toBe(sandbox.phoneKey(AYSE).pem?.trim());
	});

	it('is still shown, and selected, when something else happens', async () => {
		const sandbox = await open(perPhone);
		await openTab('Key');
		await page.getByText('This key is on this phone alone.').waitFor();
		await page.evaluate(`getSelection().selectAllChildren(document.getElementById('key'))`);
		await sendMessage(sandbox, kinds.text('Hello'));
		await page.getByText('Hello').waitFor();
		await eventually(() => sandbox.messages()[0]?.readAt !== undefined);
		await page.getByText('· read').waitFor();
		expect(await page.evaluate('String(getSelection()).length')).toBeGreaterThan(100);
	});

	it('is a secret of all phones by default', async () => {
		const sandbox = await open({});
		await openTab('Key');
		await page.getByText('All phones have this secret.').waitFor();
		expect(await shown()).toBe(sandbox.phoneKey(AYSE).secret);
		expect(await page.getByLabel('Format').isVisible()).toBe(false);
		await copy();
		expect(await pasted()).toBe(sandbox.phoneKey(AYSE).secret);
	});

	it('is not shown where it is a secret of the configuration', async () => {
		await open({ key: 'configured-secret' });
		await openTab('Key');
		await page.getByText('It stands in your configuration.').waitFor();
		expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
		expect(await page.content()).not.toContain('configured-secret');
	});

	it('is nobody’s where nobody is shown', async () => {
		const sandbox = await open(perPhone);
		await page.goto(`${sandbox.url}/sandbox#nobody`);
		await openTab('Key');
		await page.getByText('There is no such person, so no key.').waitFor();
		expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
	});

	it('the switches: another phone’s key, an earlier signature, an old app', async () => {
		const sandbox = await open(perPhone);
		await openTab('Switches');
		const agree = async (messageId: string) => {
			const yes = button('Yes', { payloadHidden: true });
			const message = { ...kinds.buttons('Do you agree?', [yes], messageId), messageId };
			await sendMessage(sandbox, message);
			const answers = page.getByRole('button', { name: 'Yes' });
			await eventually(() => sandbox.messages().at(-1)?.messageId === messageId);
			await page.locator('.bubble:last-child .answers').waitFor();
			await answers.last().click();
		};
		const flip = async (name: string, isOn: boolean) => {
			const faults = page.waitForResponse('**/sandbox/faults');
			await page.getByLabel(name).setChecked(isOn);
			expect((await faults).status()).toBe(200);
		};
		await flip('Earlier signature again', true);
		await agree('m1');
		await page.getByText('This phone has signed nothing for an earlier message.').waitFor();
		// The browser writes down each refused request.
		expect(complaints.splice(0).join()).toContain('409');
		await flip('Earlier signature again', false);
		await page.getByRole('button', { name: 'Yes' }).click();
		await page.getByText('signed by the company app').waitFor();
		await flip('Earlier signature again', true);
		await agree('m2');
		await page.getByText('an earlier signature again ·').waitFor();
		await flip('Earlier signature again', false);
		await flip('Another phone’s key', true);
		await agree('m3');
		await page.getByText('signed by another phone ·').waitFor();
		await flip('Old app', true);
		await agree('m4');
		await page.getByText('not signed, the app is too old ·').waitFor();
		await page.screenshot({ path: `${PICTURES}/phone-signatures.png` });
	});

	it('the switch for another phone’s key is not there where all have the same', async () => {
		await open({ algorithm: 'ES256' });
		await openTab('Switches');
		expect(await page.getByLabel('Forged signatures').isVisible()).toBe(true);
		expect(await page.getByLabel('Another phone’s key').isVisible()).toBe(false);
	});

	it.each([
		['light', 1240, 860],
		['dark', 1240, 860],
		['light', 380, 740],
		['dark', 380, 740],
	] as const)(
		'fits, %s, %d px; its pictures are in .cache/screenshots',
		async (colorScheme, width, height) => {
			await open({ ...perPhone, algorithm: 'PS256' }, width, height);
			await page.emulateMedia({ colorScheme });
			await openTab('Switches');
			await page.getByLabel('Old app').scrollIntoViewIfNeeded();
			await page.screenshot({ path: `${PICTURES}/phone-switches-${colorScheme}-${width}.png` });
			expect(await widthOfPage()).toBe(width);
			await openTab('Key');
			for (const form of ['JWK', 'Base64 (SPKI)', 'PEM']) {
				await page.getByLabel('Format').selectOption(form);
				expect(await widthOfPage()).toBe(width);
			}
			await page.locator('#key-thumbprint').scrollIntoViewIfNeeded();
			await page.screenshot({ path: `${PICTURES}/phone-key-${colorScheme}-${width}.png` });
			const tabs = await page.evaluate<number[]>(
				`[...document.querySelectorAll('#tabs button')].map((tab) => tab.getBoundingClientRect().right)`,
			);
			expect(Math.max(...tabs)).toBeLessThanOrEqual(width - 12);
		},
	);
});
