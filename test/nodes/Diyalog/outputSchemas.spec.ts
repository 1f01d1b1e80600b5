import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { loadOutputSchema, resolveOutputSchemaPath } from 'n8n-core';
import { z } from 'zod4';
import { resources } from '../../../nodes/Diyalog/actions';
import { issueChallenge } from '../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../nodes/Diyalog/codes/keys';
import { Diyalog } from '../../../nodes/Diyalog/Diyalog.node';
import { DiyalogTrigger } from '../../../nodes/Diyalog/DiyalogTrigger.node';
import { startSandbox } from '../../../sandbox/server';
import type { StoredMessage } from '../../../sandbox/diyalog';
import type { Sandbox } from '../../../sandbox/server';
import { filesBelow, fs, path, projectRoot, temporaryFolder } from '../../../tools/system';
import { schemasFromTypes } from '../../../tools/schemasFromTypes';
import type { JsonSchema } from '../../../tools/schemasFromTypes';
import { runDiyalogNode, startDiyalogNode } from '../../support/nodeRuntime';
import { postSigned } from '../../support/sign';
import { FORMATS, newPhone } from '../../support/signedFormats';
import { jwsCredential, token } from '../../support/signedPayloads';
import { WaitingInstance } from '../../support/waitingInstance';
import type { WaitingExecution } from '../../support/waitingInstance';
import { ALL_EVENTS, entry, envelope, written } from '../../support/webhookBodies';
import type { WebhookServer } from '../../support/webhookServer';

/*
 * The schemas as they were built, against what really comes out: no field and no value that the schema does not know, and
 * nothing in the schema that never comes out.
 */

const NODE_FOLDER = path.join(projectRoot, 'dist/nodes/Diyalog');
const TOKEN = 'token-of-the-bot';
const SECRET = randomBytes(16).toString('hex');

/** Everything that came out, by where its schema lies. */
const cameOut = new Map<string, IDataObject[]>();

const keep = (name: string, items: readonly IDataObject[]): void =>
	void cameOut.set(name, [...(cameOut.get(name) ?? []), ...items]);

let sandbox: Sandbox;
let instance: WaitingInstance;
let customers = 0;

/** Limits are kept for each customer. */
const userIdOf = (customerNo: string): string => String(830_000 + Number(customerNo));

const newCustomer = (): string => String(70_000 + customers++);

type Credential = Record<string, string>;

const FILE = { data: Buffer.from('a receipt').toString('base64'), mimeType: 'text/plain' };

const credentials = (more: object = {}): Credential => ({
	serverUrl: sandbox.url,
	botToken: TOKEN,
	appSecret: SECRET,
	statusCallbackToken: 'callback',
	...more,
});

const aTrigger = async (credential: Credential): Promise<WebhookServer> =>
	await instance.serveTrigger({
		credentials: credential,
		parameters: { events: ALL_EVENTS, authentication: 'signature', filters: {}, options: {} },
	});

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: TOKEN, webhook: { appSecret: SECRET } }],
		customers: Array.from({ length: 120 }, (_, index) => ({
			customerNo: String(70_000 + index),
			userId: String(900_000 + index),
		})),
	});
	instance = await WaitingInstance.start();
	await sendAndVerify();
	await sendMessages();
	await askAndAnswer('otp');
	await askAndAnswer('message');
	await signOnPhones();
	await receive();
}, 60_000);

afterAll(async () => {
	await instance.close();
	await sandbox.close();
});

/** Runs an operation that ends at once, and keeps what came out. */
async function run(
	operation: string,
	given: INodeParameters,
	resource = 'otp',
): Promise<IDataObject> {
	const parameters = { resource, operation, ...given };
	const setup = { parameters, credentials: credentials() };
	const { items, error } = await runDiyalogNode(setup, [{ json: {}, binary: { data: FILE } }]);
	if (error) throw error;
	keep(
		`v1.0.0/${resource}/${operation}`,
		items.map(({ json }) => json),
	);
	return items[0]?.json ?? {};
}

const codeOnPhone = (messageId: unknown): string =>
	sandbox.messages().find((message) => message.messageId === messageId)?.mokValue ?? '';

/** What a record says stands in docs/audit.md, and not in the schema. */
const RECORDED = { options: { auditRecord: 'item' } };

const WITH_CODE = { otpMode: 'generate', message: 'Your code is {code}.' };

/** Send with and without a code; Verify with every reason. */
async function sendAndVerify(): Promise<void> {
	await run('send', { customerNo: newCustomer(), message: 'Hello', otpMode: 'none' });
	const send = async (customerNo = newCustomer()) => {
		const { challenge, messageId } = await run('send', { customerNo, ...WITH_CODE });
		return { challenge: String(challenge), code: codeOnPhone(messageId), customerNo };
	};
	await run('send', { customerNo: newCustomer(), ...WITH_CODE, ...RECORDED });
	const right = await send();
	await run('verify', { ...right, code: '000' });
	await run('verify', { ...right, customerNo: newCustomer() });
	await run('verify', { ...right, transaction: { amount: '1' } });
	await run('verify', { ...right, challenge: 'none', ...RECORDED });
	await run('verify', right);
	await run('verify', right);
	const tried = await send();
	for (const code of ['000', '001']) {
		await run('verify', { ...tried, code, limits: { attempts: 1 } });
	}
	const { customerNo } = tried;
	const over = { code: '1234', customerNo, messageId: 'old', transaction: [], expiresAtMs: 1 };
	const challenge = issueChallenge(deriveKeys(TOKEN), over, randomBytes);
	await run('verify', { challenge, code: '1234', customerNo });
}

/** Every kind of message, to a customer and to an employee. */
async function sendMessages(): Promise<void> {
	const kinds: Array<[string, INodeParameters]> = [
		['send', { message: 'Hello' }],
		['sendAppTrigger', { message: 'Tap here', command: 'Open' }],
		['sendCarousel', { cards: { card: [{ title: 'One' }] } }],
		['sendDocument', {}],
	];
	for (const [operation, given] of kinds) {
		await run(operation, { ...given, customerNo: newCustomer() }, 'message');
		const employee = { recipientType: 'employee', employeeNo: 'E100' };
		await run(operation, { ...given, ...employee }, 'message');
	}
}

/** What a phone shows of a question. A document that was sent before it may be delivered after it. */
function questionOf({ onTimeout: [item] }: WaitingExecution): StoredMessage {
	const message = sandbox.messages().find(({ messageId }) => messageId === item?.json.messageId);
	if (!message) throw new Error('Nothing was sent');
	return message;
}

/** Every response type of Send and Wait with every ending, signed and unsigned, with a code in the question and without. */
async function askAndAnswer(resource: 'otp' | 'message'): Promise<void> {
	const waitName = `v1.0.0/${resource}/sendAndWait`;
	const signed = credentials({ ...jwsCredential, payloadSignatureBinding: true });
	const plainTrigger = await aTrigger(credentials());
	const signedTrigger = await aTrigger(signed);

	const ask = async (given: INodeParameters, credential = credentials()) => {
		const customerNo = newCustomer();
		const asked = { resource, customerNo, ...given };
		const execution = await instance.ask(credential, asked, { order: 17 });
		const message = questionOf(execution);
		return { execution, message, customerNo };
	};
	const say = async (trigger: WebhookServer, customerNo: string, mid: string, text: string) =>
		await postSigned(
			trigger.url,
			envelope(entry({ message: { mid, text } }, { customerNo, userId: userIdOf(customerNo) })),
			SECRET,
		);
	const press = async (given: INodeParameters, payload: string, trigger = plainTrigger) => {
		const credential = trigger === signedTrigger ? signed : credentials();
		const { execution, message, customerNo } = await ask(given, credential);
		const { messageId } = message;
		const sent =
			payload === 'signed'
				? token({ payload: message.buttonsV2?.[0]?.payload, messageId, customerNo })
				: payload;
		await say(trigger, customerNo, 'other', `[${messageId}]:${sent}`);
		keep(waitName, execution.continuations.flat());
	};
	const write = async (given: INodeParameters, text: string) => {
		const { execution, message, customerNo } = await ask(given);
		await say(plainTrigger, customerNo, message.messageId, text);
		keep(waitName, execution.continuations.flat());
	};

	await press(RECORDED, 'approve');
	await press(resource === 'otp' ? WITH_CODE : {}, 'decline');
	await press({ approvalOptions: { values: { offerReport: true } } }, 'report');
	await press({}, 'approve', signedTrigger);
	await press({}, 'signed', signedTrigger);
	const choices = { choice: [{ title: 'One' }, { title: 'Two' }] };
	await press({ responseType: 'choice', choices }, 'Two');
	await write({ responseType: 'freeText' }, 'What is this?');
	const sent = await ask({ responseType: 'delivery' });
	const { customerNo } = sent;
	const receipt = { delivery: { mids: [sent.message.messageId], watermark: Date.now() } };
	const by = { customerNo, userId: userIdOf(customerNo) };
	await postSigned(plainTrigger.url, envelope(entry(receipt, by)), SECRET);
	keep(waitName, sent.execution.continuations.flat());
	keep(
		waitName,
		sent.execution.onTimeout.map(({ json }) => json),
	);
	await write({ responseType: 'code', expectedCode: '42' }, '42');
	await write({ responseType: 'code', expectedCode: '42', options: { maxAttempts: 1 } }, '43');

	const several = async (given: INodeParameters, ...payloads: string[]) => {
		const people = [newCustomer(), newCustomer(), '404'];
		const peopleJson = JSON.stringify(people.map((number) => ({ customerNo: number })));
		const list = { ask: 'several', specifyPeople: 'json', peopleJson };
		const asked = await instance.ask(credentials(), { resource, ...list, ...given });
		keep(
			waitName,
			asked.onTimeout.map(({ json }) => json),
		);
		const entries = payloads.map((payload, index) => {
			const by = people[index] ?? '';
			const found = sandbox.messages().findLast((each) => each.customerNo === by);
			const text = `[${found?.messageId}]:${payload}`;
			const who = { customerNo: by, userId: userIdOf(by) };
			return entry({ message: { mid: 'other', text } }, who);
		});
		await postSigned(plainTrigger.url, envelope(...entries), SECRET);
		keep(waitName, asked.continuations.flat());
	};
	await several({ rule: 'first' }, 'approve');
	await several({ rule: 'atLeast' }, 'approve', 'approve');
	await several({ responseType: 'choice', choices, rule: 'majority' }, 'One', 'Two');

	if (resource === 'message') {
		const employee = { recipientType: 'employee', employeeNo: 'E100' };
		const asked = await instance.ask(credentials(), { resource, ...employee });
		const { messageId, userId } = questionOf(asked);
		const event = { message: { mid: 'other', text: `[${messageId}]:approve` } };
		const body = envelope(entry(event, { customerNo: undefined, userId }));
		await postSigned(plainTrigger.url, body, SECRET);
		keep(waitName, asked.continuations.flat());
	}

	const { execution, message } = await ask({ options: { answerBy: 'link' } });
	await fetch(message.buttonsV2?.[0]?.payload ?? '', { method: 'POST' });
	keep(waitName, execution.continuations.flat());

	// Nobody answers: what n8n passes on then is stored as the input.
	const unanswered = { resource, operation: 'sendAndWait', message: 'Yes?' };
	const { run: waiting } = await startDiyalogNode(
		{ parameters: { ...unanswered, customerNo: newCustomer() }, credentials: credentials() },
		[{ json: {} }],
		{ url: instance.url, executionId: '999' },
	).done;
	const nobody = { ...unanswered, responseType: 'delivery', customerNo: '404' };
	const { items: undelivered } = await startDiyalogNode(
		{ parameters: nobody, credentials: credentials() },
		[{ json: {} }],
		{ url: instance.url, executionId: '998' },
	).done;
	keep(
		waitName,
		undelivered.map(({ json }) => json),
	);
	const stored = waiting.data.executionData?.nodeExecutionStack[0]?.data.main ?? [];
	keep(
		waitName,
		stored.flatMap((items) => (items ?? []).map(({ json }) => json)),
	);

	// Nobody can tell whether it was taken.
	instance.storing.push('failsAfter');
	await press({}, 'approve');
	for (const { executions } of [plainTrigger, signedTrigger])
		keep('v2.0.0/output', executions.flat());
}

/** Presses the first button of a question, signed by the app. */
const presserOf =
	(trigger: WebhookServer, sign: (payload: string, messageId: string) => string) =>
	async (asked: WaitingExecution): Promise<IDataObject[]> => {
		const { messageId, customerNo = '', buttonsV2 } = questionOf(asked);
		const text = `[${messageId}]:${sign(buttonsV2?.[0]?.payload ?? '', messageId)}`;
		const by = { customerNo, userId: userIdOf(customerNo) };
		await postSigned(trigger.url, envelope(entry({ message: { mid: 'other', text } }, by)), SECRET);
		return asked.continuations.flat();
	};

/** Answers that a phone has signed, in every format: to a question, and as data. */
async function signOnPhones(): Promise<void> {
	const phone = newPhone();
	const personKeys = phone.publicKey;
	for (const { settings, signed } of Object.values(FORMATS)) {
		const credential = credentials({ ...settings, payloadSignatureKeys: 'person' });
		const trigger = await aTrigger(credential);
		const press = presserOf(trigger, (payload, messageId) => signed(phone, payload, messageId));
		for (const resource of ['otp', 'message']) {
			const one = { customerNo: newCustomer() };
			const options = { requireSignedPayload: true };
			const withKeys = { options: { ...options, personKeys } };
			const asked = await instance.ask(credential, { resource, ...one, ...withKeys });
			keep(`v1.0.0/${resource}/sendAndWait`, await press(asked));
			const people = [
				{ customerNo: newCustomer(), personKeys },
				{ customerNo: newCustomer(), personKeys: newPhone().publicKey },
			];
			const several = {
				ask: 'several',
				specifyPeople: 'json',
				peopleJson: JSON.stringify(people),
				rule: 'first',
				options,
			};
			const askedAll = await instance.ask(credential, { resource, ...several });
			keep(`v1.0.0/${resource}/sendAndWait`, await press(askedAll));
		}
		await verifySigned(settings, signed(phone, 'approve', 'transfer-17'), personKeys);
	}
	const secret = randomBytes(32).toString('hex');
	const hmac = {
		payloadSignature: 'json',
		payloadSignatureMethod: 'hmacSha256',
		payloadSignatureSecret: secret,
	};
	const sign = (payload: string, messageId: string): string => {
		const text = `${messageId}:${payload}`;
		const signature = createHmac('sha256', secret).update(text).digest('base64');
		return JSON.stringify({ payload, signature });
	};
	const withSecret = credentials(hmac);
	const press = presserOf(await aTrigger(withSecret), sign);
	for (const resource of ['otp', 'message']) {
		const options = { requireSignedPayload: true };
		const asked = await instance.ask(withSecret, { resource, customerNo: newCustomer(), options });
		keep(`v1.0.0/${resource}/sendAndWait`, await press(asked));
		const several = { ask: 'several', specifyPeople: 'json', rule: 'first', options };
		const peopleJson = JSON.stringify([1, 2].map(() => ({ customerNo: newCustomer() })));
		const askedAll = await instance.ask(withSecret, { resource, ...several, peopleJson });
		keep(`v1.0.0/${resource}/sendAndWait`, await press(askedAll));
	}
	await verifySigned(hmac, sign('approve', 'transfer-17'));
	for (const claims of [
		{ exp: 1 },
		{ nbf: 9e9 },
		{ messageId: 'other' },
		{ customerNo: 'other' },
	]) {
		const jws = { ...jwsCredential, payloadSignatureBinding: true };
		await verifySigned(jws, token({ payload: 'approve', messageId: 'transfer-17', ...claims }));
	}
	await verifySigned({ ...hmac, ...RECORDED }, 'approve');
	await verifySigned(hmac, JSON.stringify({ payload: 'approve', signature: 'YQ==' }));
	const part = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM' })).toString('base64url');
	await verifySigned(jwsCredential, `${part}..YWFhYWFhYWFhYWFh.YQ.YWFhYWFhYWFhYWFhYWFhYQ`);
}

const verifySigned = async (settings: object, payload: string, key?: string): Promise<unknown> =>
	await run(
		'verify',
		{
			payload,
			messageId: 'transfer-17',
			customerNo: '70021',
			signedText: 'approve',
			signatureSettings: 'fields',
			...settings,
			...(key !== undefined && { payloadSignaturePublicKey: key }),
		},
		'signedPayload',
	);

/** Every event that the trigger knows, with all that Diyalog names and with as little as it may. */
async function receive(): Promise<void> {
	const trigger = await aTrigger(credentials());
	const watermark = Date.now();
	const body = envelope(
		written('[transfer-17]:approve'),
		written('How much was it?'),
		entry({ messageEcho: { mid: 'transfer-17' } }),
		entry({ delivery: { mids: ['transfer-17'], watermark } }),
		entry({ delivery: { mids: [], watermark } }),
		entry({ reads: { mids: ['transfer-17'] } }),
		entry({ typing: { since: watermark } }),
		...[
			{ message: { mid: 'transfer-17', text: '[transfer-17]:approve' } },
			{ delivery: { mids: ['transfer-17'] } },
		].map((event) => entry(event, { customerNo: '' })),
	);
	await postSigned(trigger.url, body, SECRET);
	await fetch(trigger.statusUrl, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'auth-token': 'callback' },
		body: JSON.stringify({ messageId: randomUUID(), status: 'Approved', customerNo: '70021' }),
	});
	keep('v2.0.0/output', trigger.executions.flat());
}

const schemaAt = async (name: string): Promise<JsonSchema> =>
	JSON.parse(
		await fs.readFile(path.join(NODE_FOLDER, '__schema__', `${name}.json`), 'utf8'),
	) as JsonSchema;

/** A schema that lets nothing pass which it does not name. */
function closed(schema: JsonSchema): JsonSchema & { additionalProperties?: boolean } {
	const { properties } = schema;
	if (!properties) return schema;
	const inner = Object.entries(properties).map(([name, each]) => [name, closed(each)]);
	return { ...schema, properties: Object.fromEntries(inner) as never, additionalProperties: false };
}

const checkerOf = (schema: JsonSchema) => z.fromJSONSchema(closed(schema) as never);

/** What a schema says may stand where: each value of a choice, or each type. */
const said = ({ type, enum: choice, properties = {} }: JsonSchema, at = ''): string[] => [
	...[choice ?? type].flat().map((each) => `${at}: ${each}`),
	...Object.entries(properties).flatMap(([name, each]) => said(each, `${at}.${name}`)),
];

function typeOf(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}

/** What stood where in an item. */
function found({ enum: choice, properties = {} }: JsonSchema, value: unknown, at = ''): string[] {
	const here = `${at}: ${choice ? String(value) : typeOf(value)}`;
	if (typeof value !== 'object' || value === null) return [here];
	const inner = Object.entries(value).flatMap(([name, each]) => {
		const schema = properties[name];
		return schema ? found(schema, each, `${at}.${name}`) : [];
	});
	return [here, ...inner];
}

const operations = resources.flatMap(({ value: resource, operations: all }) =>
	all.map(({ value: operation }) => ({ resource, operation })),
);
const nodeVersion = new Diyalog().description.version;
const triggerVersion = new DiyalogTrigger().description.version;

const NAMES = [
	...operations.map(({ resource, operation }) => `v${nodeVersion}.0.0/${resource}/${operation}`),
	`v${triggerVersion}.0.0/output`,
];

describe.each(NAMES)('%s', (name) => {
	it('knows everything that comes out', async () => {
		const checker = checkerOf(await schemaAt(name));
		const items = cameOut.get(name) ?? [];
		expect(items.length).toBeGreaterThan(0);
		for (const item of items) {
			const { error } = checker.safeParse(item);
			expect({ item, issues: error?.issues }).toEqual({ item, issues: undefined });
		}
	});

	it('promises nothing that never comes out', async () => {
		const schema = await schemaAt(name);
		const all = (cameOut.get(name) ?? []).flatMap((item) => found(schema, item));
		expect([...new Set(all)].sort()).toEqual(said(schema).sort());
	});

	it('would notice a field more, a field less and another value', async () => {
		const checker = checkerOf(await schemaAt(name));
		const [item] = cameOut.get(name) ?? [];
		if (!item) throw new Error('Nothing came out');
		expect(checker.safeParse(item).success).toBe(true);
		expect(checker.safeParse({ ...item, more: 1 }).success).toBe(false);
		expect(checker.safeParse({ ...item, customerNo: 70_021 }).success).toBe(false);
		expect(checker.safeParse({ ...item, customerNo: undefined }).success).toBe(false);
	});

	it('is understood by the editor: it has fields, and each has a type', async () => {
		const schema = await schemaAt(name);
		expect(schema).toMatchObject({ type: 'object', version: 1 });
		expect(said(schema).filter((line) => line.includes('undefined'))).toEqual([]);
		expect(Object.keys(schema.properties ?? {})).not.toEqual([]);
	});
});

it('n8n finds each of them, and there are no others', async () => {
	const all = await filesBelow(path.join(NODE_FOLDER, '__schema__'));
	const names = all.map((file) => path.relative(path.join(NODE_FOLDER, '__schema__'), file));
	const expected = [...NAMES, `v${nodeVersion}.0.0/output`].map((name) => `${name}.json`);
	expect(names.sort()).toEqual(expected.sort());
	for (const place of operations) {
		const asked = { nodeDir: NODE_FOLDER, version: Number(nodeVersion), ...place };
		const { resource, operation } = place;
		expect(resolveOutputSchemaPath(asked)).toBe(
			path.join(NODE_FOLDER, '__schema__', `v${nodeVersion}.0.0/${resource}/${operation}.json`),
		);
	}
});

it("n8n's AI builder takes neither node for the other, also where a saved workflow leaves out defaults", async () => {
	const lookUp = (version: unknown) =>
		loadOutputSchema({ nodeDir: NODE_FOLDER, version: Number(version), versionFallback: true });
	const first = 'v1.0.0/otp/send';
	expect(lookUp(nodeVersion)).toEqual(await schemaAt(first));
	expect(lookUp(triggerVersion)).toEqual(await schemaAt(`v${triggerVersion}.0.0/output`));
});

it.each([
	['two types in one field', 'string | number'],
	['what JSON cannot hold', 'bigint'],
	['nothing but null', 'null'],
])('no schema is made of %s', async (_, type) => {
	const file = path.join(await temporaryFolder('schemas'), 'outputs.ts');
	await fs.writeFile(file, `export interface Outputs { a: { b: ${type} } }`);
	expect(() => schemasFromTypes(file, 'Outputs', { strict: true, types: [] })).toThrow();
});
