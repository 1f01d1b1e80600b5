import type { SandboxConfigInput } from '../../sandbox/config';
import { pause } from '../../sandbox/host';
import { realSurroundings } from '../../sandbox/diyalog';
import type { Surroundings } from '../../sandbox/diyalog';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { startReceiver } from '../support/receiver';
import type { Receiver } from '../support/receiver';

export const TOKEN = 'a token/with:özel%20characters?';
export const APP_SECRET = 'app-secret-of-the-tests';
export const CUSTOMER_NO = '70021';

/** The documentation's SendOTP example, but for the customer. */
export const otp = {
	customerNo: CUSTOMER_NO,
	messageId: 'messageId-74',
	mokMessage: 'Your one time password is "123456" ',
	mokValue: '33',
	imageUrl: 'https://dlgmessenger.com/otp.jpg',
	txCode: 'LOG2',
	deviceId: '628FAF5A-B690-4E1A-A0EC-1518A6334F0B',
	buttonsV2: [
		{
			type: 'postback',
			title: 'Approve',
			payload: '123456',
			payloadSeenByUser: 'Onaylıyorum',
		},
		{
			type: 'postback',
			title: 'Dismiss',
			payload: 'cancelled',
			payloadSeenByUser: 'İptal Edildi',
		},
	],
};

const open: Array<{ close(): Promise<void> }> = [];

/** A sandbox with one bot whose webhook posts to a receiver of its own. */
export async function start(
	config: SandboxConfigInput = {},
	surroundings: Surroundings = realSurroundings,
): Promise<{ sandbox: Sandbox; receiver: Receiver }> {
	const receiver = await startReceiver();
	open.push(receiver);
	const webhook = { url: receiver.url, appSecret: APP_SECRET };
	const sandbox = await startSandbox(
		{ bots: [{ name: 'otp-bot', token: TOKEN, webhook }], ...config },
		surroundings,
	);
	open.push(sandbox);
	return { sandbox, receiver };
}

export async function closeAll(): Promise<void> {
	for (const each of open.splice(0)) await each.close();
}

export async function send(sandbox: Sandbox, body: unknown = otp, token = TOKEN) {
	return await sendRaw(sandbox, JSON.stringify(body), token);
}

export async function sendRaw(
	sandbox: Sandbox,
	body: string | Uint8Array,
	token = TOKEN,
	contentType = 'application/json',
	operation = 'sendmok',
) {
	const response = await fetch(`${sandbox.url}/v1/bots/${operation}/${encodeURIComponent(token)}`, {
		method: 'POST',
		headers: { 'content-type': contentType },
		body,
	});
	return { status: response.status, text: await response.text() };
}

/** What every message of SendMessage has to hold. */
export const noReplies = { quickReplies: [], quickRepliesV2: [] };
export const toCustomer = { appCustomerId: CUSTOMER_NO };
export const toEmployee = { appStaffId: 'E100' };

export const button = (title: string, more: object = {}) => ({
	type: 'postback',
	title,
	payload: title.toLowerCase(),
	...more,
});
export const reply = (title: string, more: object = {}) => ({
	contentType: 'text',
	title,
	payload: title.toLowerCase(),
	...more,
});
export const card = (title: string, buttonsV2: object[] = [], more: object = {}) => ({
	title,
	buttons: [],
	buttonsV2,
	...more,
});

/** A message of each kind that SendMessage has, without recipient. */
export const kinds = {
	text: (text: string, more: object = {}) => ({ ...noReplies, text, ...more }),
	quickReplies: (text: string, titles: string[], more: object = {}) => ({
		...noReplies,
		text,
		quickRepliesV2: titles.map((title) => reply(title)),
		...more,
	}),
	buttons: (text: string, buttonsV2: object[], messageId = 'template-1') => ({
		...noReplies,
		attachment: {
			type: 'template',
			payload: { templateType: 'button', messageId, text, buttons: [], buttonsV2, elements: [] },
		},
	}),
	carousel: (elements: object[], more: object = {}) => ({
		...noReplies,
		attachment: {
			type: 'template',
			payload: { templateType: 'generic', elements, buttons: [], buttonsV2: [] },
		},
		...more,
	}),
	document: (fileName: string, bytes: Uint8Array, more: object = {}) => ({
		...noReplies,
		document: { fileName, fileData: Buffer.from(bytes).toString('base64'), ...more },
	}),
	appTrigger: (text: string, command: string, data: string) => ({
		...noReplies,
		text,
		trigger: { command, data },
	}),
};

export async function sendMessage(
	sandbox: Sandbox,
	message: unknown,
	recipient: unknown = toCustomer,
	token = TOKEN,
) {
	const body = JSON.stringify({ recipient, message });
	return await sendRaw(sandbox, body, token, 'application/json', 'sendmessage');
}

/** A request to the sandbox's own interface. */
export async function control(sandbox: Sandbox, method: string, path: string, body?: unknown) {
	const response = await fetch(new URL(path, sandbox.url), {
		method,
		...(body === undefined
			? {}
			: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
	});
	const json: unknown = await response.json();
	return { status: response.status, json };
}

const never = new AbortController().signal;

/** Looks every few milliseconds, for at most three seconds. */
export async function eventually(isSo: () => boolean): Promise<void> {
	const deadline = Date.now() + 3_000;
	while (!isSo()) {
		if (Date.now() > deadline) throw new Error('It did not happen within three seconds.');
		await pause(5, never);
	}
}
