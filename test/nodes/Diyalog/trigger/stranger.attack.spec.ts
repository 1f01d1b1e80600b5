import { randomUUID } from 'node:crypto';
import type { INodeParameters } from 'n8n-workflow';
import { DiyalogApi } from '../../../../credentials/DiyalogApi.credentials';
import { SeenEvents } from '../../../../nodes/Diyalog/events/seenEvents';
import { explainMismatch } from '../../../../nodes/Diyalog/events/signature';
import { entriesIn } from '../../../../nodes/Diyalog/input/problem';
import type { Entry } from '../../../../nodes/Diyalog/input/problem';
import { isKnownMessage, rememberMessage } from '../../../../nodes/Diyalog/messages/knownMessages';
import { triggerFields } from '../../../../nodes/Diyalog/trigger/settings';
import { toMessageId } from '../../../../nodes/Diyalog/wait/resumeReference';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import type { CredentialData } from '../../../support/nodeRuntime';
import { rawPost } from '../../../support/rawRequest';
import { hmacSha1, postSigned, postStatus } from '../../../support/sign';
import { waitFor } from '../../../../tools/system';
import { entry, envelope, written } from '../../../support/webhookBodies';
import { serve, serveImported } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * What somebody without a secret can cost, numbered. Nothing that they send may take more than linear time and memory,
 * fill the log, read the credential for each call, or escape as an error: n8n stores an execution for each error.
 */

const SECRET = 'the-app-secret';
const OTHER_SECRET = 'of-somebody-else';
const JSON_TYPE = { 'content-type': 'application/json' };

let server: WebhookServer;
let trigger: TriggerUnderTest;

beforeEach(async () => {
	trigger = new TriggerUnderTest({
		parameters: { events: ['buttonPressed', 'statusCallback'], authentication: 'signature' },
		credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
	});
	server = await serve(trigger);
});

afterEach(async () => {
	await server.close();
	expect(server.escaped).toEqual([]);
});

const press = (id = 'a') => envelope(written(`[${id}]:approve`));

async function expectHonestCallAccepted() {
	const before = server.executions.length;
	expect((await postSigned(server.url, press('honest'), SECRET)).status).toBe(200);
	expect(server.executions).toHaveLength(before + 1);
}

/** How many characters JSON.stringify writes meanwhile. */
function writtenBy(action: () => unknown): number {
	let characters = 0;
	const { stringify } = JSON;
	const spy = jest.spyOn(JSON, 'stringify').mockImplementation((...given) => {
		const text = stringify(...(given as Parameters<typeof stringify>));
		characters += text?.length ?? 0;
		return text;
	});
	action();
	spy.mockRestore();
	return characters;
}

describe('a wrong signature', () => {
	const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

	it.each([
		['1. over 4 KB nested to the end', nested(2_000)],
		['2. over 128 KB nested 1,000 deep', `[${Array(64).fill(nested(1_000)).join()}]`],
		[
			'2b. over 16 KB nested deeply behind closing brackets in a text',
			`["${']'.repeat(3_000)}",${nested(2_000)}]`,
		],
		['2c. the same with each level hidden', `${'["]\\"]",'.repeat(1_200)}0${']'.repeat(1_200)}`],
		['3. over a megabyte of empty lists', `[${'[],'.repeat(349_000)}[]]`],
		[
			'4. over 16 KB of numbers, 16 deep',
			`${'['.repeat(15)}${'0,'.repeat(8_000)}0${']'.repeat(15)}`,
		],
	])('%s is explained in linear space', (_, text) => {
		const body = Buffer.from(text);
		const header = hmacSha1(body, OTHER_SECRET);
		const characters = writtenBy(() => explainMismatch(body, header, [SECRET]));
		expect(characters).toBeLessThanOrEqual(40 * 16_384);
	});

	it('5. 200 times is explained once, and logged once', async () => {
		const bodies = Array.from({ length: 200 }, (_, index) => press(String(index)));
		let explained = 0;
		const { parse } = JSON;
		const spy = jest.spyOn(JSON, 'parse').mockImplementation((...given) => {
			if (bodies.includes(given[0])) explained++;
			return parse(...given) as unknown;
		});
		for (const body of bodies) await postSigned(server.url, body, OTHER_SECRET);
		spy.mockRestore();
		expect(explained).toBeLessThanOrEqual(1);
		expect(trigger.log.length).toBe(1);
		expect(trigger.log[0]).toContain('its X-Signature was made with another secret');
	});

	it('6. a flood of one kind does not hide another kind', async () => {
		for (let call = 0; call < 50; call++) await postSigned(server.url, press(), OTHER_SECRET);
		await fetch(server.url, { method: 'POST', headers: JSON_TYPE, body: press() });
		expect(trigger.log.length).toBe(2);
		expect(trigger.log[1]).toContain('no X-Signature header');
	});
});

it('6b. the next line after a flood says how many were refused without one', async () => {
	for (let call = 0; call < 50; call++) await postSigned(server.url, press(), OTHER_SECRET);
	const later = performance.now() + 10_000;
	const clock = jest.spyOn(performance, 'now').mockImplementation(() => later);
	await postSigned(server.url, press(), OTHER_SECRET);
	clock.mockRestore();
	expect(trigger.log.length).toBe(2);
	expect(trigger.log[1]).toContain('49 more of this kind came before it');
});

describe('the credential', () => {
	it('7. is not read for each of 100 forged calls, one after the other or at once', async () => {
		const forged = async () => await postSigned(server.url, press(), OTHER_SECRET);
		const before = trigger.decryptions;
		const beginMs = performance.now();
		for (let call = 0; call < 50; call++) await forged();
		await Promise.all(Array.from({ length: 50 }, forged));
		const secondsBegun = Math.ceil((performance.now() - beginMs) / 1_000);
		expect(trigger.decryptions - before).toBeLessThanOrEqual(1 + 2 * secondsBegun);
		await expectHonestCallAccepted();
	});

	it('8. that cannot be read is no error that escapes, and no approval', async () => {
		trigger.failDecryption = true;
		expect((await postSigned(server.url, press(), SECRET)).status).toBe(503);
		const callback = { method: 'POST', headers: { ...JSON_TYPE, 'auth-token': 'callback' } };
		expect((await fetch(server.statusUrl, { ...callback, body: '{}' })).status).toBe(503);
		expect(server.executions).toEqual([]);
		expect(trigger.log.join()).toContain('could not be read');
		trigger.failDecryption = false;
		await waitFor('the credential is read again', 5_000, async () =>
			(await postSigned(server.url, press('honest'), SECRET)).status === 200 ? true : undefined,
		);
		expect(server.executions).toHaveLength(1);
	});

	it.each([[null], [7], [{}]])('9. with %j for a secret accepts nothing', async (appSecret) => {
		await server.close();
		trigger = new TriggerUnderTest({
			parameters: { events: ['buttonPressed'], authentication: 'signature' },
			credentials: { appSecret: SECRET },
		});
		server = await serve(trigger);
		trigger.changeCredential({ appSecret: appSecret as never });
		for (const secret of ['', 'null', '7', '[object Object]']) {
			expect((await postSigned(server.url, press(), secret || 'x')).status).toBe(401);
		}
		expect(server.executions).toEqual([]);
	});
});

describe('a body that n8n leaves to the node', () => {
	const signature = (body: string) => `X-Signature: ${hmacSha1(body, SECRET)}`;
	const body = press();

	it.each([
		['10. compressed', ['Content-Encoding: gzip', `Content-Length: ${body.length}`], body, 415],
		['11. compressed in an unknown way', ['Content-Encoding: x', 'Content-Length: 2'], '{}', 415],
		['12. without a length', ['Transfer-Encoding: chunked'], `2\r\n{}\r\n0\r\n\r\n`, 411],
		['13. of a length of two mebibytes', ['Content-Length: 2097152'], '{', 413],
	])('%s is refused unread', async (_, headers, sent, status) => {
		expect(await rawPost(server.url, [...headers, signature(sent)], sent)).toBe(status);
		expect(server.bodiesRead).toBe(0);
		expect(server.executions).toEqual([]);
	});

	it('14. cut off in the middle is no error that escapes', async () => {
		const headers = [`Content-Length: ${body.length}`, signature(body)];
		expect(await rawPost(server.url, headers, body.slice(0, 20), { hangUp: true })).toBe(0);
		await expectHonestCallAccepted();
	});

	it('15. with its length is read', async () => {
		const headers = [`Content-Length: ${body.length}`, signature(body)];
		expect(await rawPost(server.url, headers, body)).toBe(200);
		expect(server.executions).toHaveLength(1);
	});
});

describe('headers', () => {
	const body = press();
	const right = hmacSha1(body, SECRET);
	const length = `Content-Length: ${body.length}`;
	const type = 'Content-Type: application/json';

	it.each([
		[
			'16. the right signature after a wrong one',
			[type, 'X-Signature: 00', `X-Signature: ${right}`],
		],
		[
			'17. the right signature before a wrong one',
			[type, `X-Signature: ${right}`, 'X-Signature: 00'],
		],
		['18. the right signature twice', [type, `X-Signature: ${right}`, `X-Signature: ${right}`]],
		['19. a signature with bytes that are no ASCII', [type, `X-Signature: ${right}\xff`]],
		['20. a signature of 15,000 blanks', [type, `X-Signature: ${' '.repeat(15_000)}x`]],
	])('%s', async (_, headers) => {
		expect(await rawPost(server.url, [length, ...headers], body)).toBe(401);
		expect(server.executions).toEqual([]);
		await expectHonestCallAccepted();
	});

	it.each([
		['21. a form behind JSON', [type, 'Content-Type: text/plain'], 200],
		['22. JSON behind a form', ['Content-Type: text/plain', type], 415],
		['23. an empty content type', ['Content-Type:'], 415],
	])('%s: the first content type counts', async (_, types, status) => {
		const headers = [length, ...types, `X-Signature: ${right}`];
		expect(await rawPost(server.url, headers, body)).toBe(status);
	});

	it.each([
		['24. the right token after a wrong one', ['Auth-Token: x', 'Auth-Token: callback']],
		['25. the right token twice', ['Auth-Token: callback', 'Auth-Token: callback']],
	])('%s', async (_, tokens) => {
		const callback = '{"messageId":"a","status":"Approved","customerNo":"1"}';
		const headers = [type, `Content-Length: ${callback.length}`, ...tokens];
		expect(await rawPost(server.statusUrl, headers, callback)).toBe(401);
		expect(server.executions).toEqual([]);
	});

	it('26. a status callback without its token is refused with its body unread', async () => {
		const headers = ['Content-Length: 100000'];
		expect(await rawPost(server.statusUrl, headers, '')).toBe(401);
		expect(server.bodiesRead).toBe(0);
	});
});

describe('made-up ids', () => {
	/** As that of a question, under a secret that is not the bank's. */
	const madeUp = toMessageId(
		{
			executionId: '1',
			nodeId: '3f0d1f3e-3f54-4b3c-8f51-0a4f6c8d9e10',
			turn: Buffer.alloc(12, 1).toString('base64url'),
			signature: 'ab'.repeat(32),
			number: 0,
		},
		'transfer',
		OTHER_SECRET,
	);

	async function withoutAuthentication(use: (url: string) => Promise<void>): Promise<string[]> {
		const open = new TriggerUnderTest({
			parameters: { events: ['buttonPressed'], authentication: 'none' },
			credentials: { appSecret: SECRET },
		});
		const served = await serve(open);
		await use(served.url).finally(served.close);
		return open.log;
	}

	const echoOf = (...ids: string[]) =>
		envelope(...ids.map((mid) => entry({ messageEcho: { mid } })));

	const post = async (url: string, body: string) =>
		await fetch(url, { method: 'POST', headers: JSON_TYPE, body });

	it('27. told to a trigger that authenticates nothing, as sent messages: no trigger knows them', async () => {
		await withoutAuthentication(async (url) => void (await post(url, echoOf('urgent'))));
		expect(isKnownMessage('urgent')).toBe(false);
	});

	it('28. and push out no message that was sent', async () => {
		rememberMessage('transfer-17');
		await withoutAuthentication(async (url) => {
			for (let call = 0; call < 11; call++) {
				const ids = Array.from({ length: 999 }, (_, index) => `made-up-${call}-${index}`);
				await post(url, echoOf(...ids));
			}
		});
		expect(isKnownMessage('transfer-17')).toBe(true);
	});

	it.each([true, false])(
		'28b. nor do recorded calls that are refused for their age, with entry.time: %s',
		async (hasTime) => {
			const postEchoes = async (name: string, ageMinutes: number) => {
				const time = Date.now() - ageMinutes * 60_000;
				const given = Array.from({ length: 999 }, (_, index) => ({
					...entry({ messageEcho: { mid: `${name}-${index}` } }, { time }),
					...(!hasTime && { time: undefined }),
				}));
				return (await postSigned(server.url, envelope(...given), SECRET)).status;
			};
			expect(await postEchoes(`fresh-${hasTime}`, 0)).toBe(200);
			for (let call = 0; call < 11; call++) expect(await postEchoes(`old-${call}`, 60)).toBe(401);
			expect(isKnownMessage(`fresh-${hasTime}-0`)).toBe(true);
			expect(isKnownMessage('old-10-0')).toBe(false);
		},
	);

	it('29. of questions, in one call to a trigger that authenticates nothing: one line in the log', async () => {
		const presses = Array.from({ length: 999 }, (_, index) => written(`[${madeUp}]:${index}`));
		const log = await withoutAuthentication(
			async (url) => void (await post(url, envelope(...presses))),
		);
		expect(log).toHaveLength(1);
	});

	it('30. of questions, typed by a customer a hundred times: one line in ten seconds', async () => {
		for (let index = 0; index < 100; index++)
			await postSigned(server.url, envelope(written(`[${madeUp}]:${index}`)), SECRET);
		expect(trigger.log).toEqual([expect.stringContaining('different App Secrets')]);
	});
});

describe('a recorded call that is played a hundred times costs one line in ten seconds', () => {
	const MINUTE_MS = 60_000;

	/** Two thousand events of which the first half is forgotten. */
	function afterFlood(): string {
		const seen = new SeenEvents();
		for (let index = 0; index < 2_000; index++) {
			const sentAtMs = Date.now() - (index < 1_000 ? MINUTE_MS : MINUTE_MS / 2);
			seen.add({ text: String(index).padStart(10, 'f'), sentAtMs });
		}
		seen.forgetOld(Date.now(), 1);
		return seen.toText();
	}

	const aMinuteAgo = () => ({ time: Date.now() - MINUTE_MS });
	const withParts = (...parts: object[]) => {
		const good = entry({ message: { mid: 'a', text: '[a]:approve' } }) as { messaging: object[] };
		return { ...good, messaging: [...good.messaging, ...parts] };
	};
	const broken = {
		payloadSignature: 'jws',
		payloadSignatureAlgorithm: 'HS256',
		payloadSignatureSecret: '',
	};

	it.each([
		['31. with a malformed part', () => [withParts({ hello: 1 })], {}, 'malformed part(s)'],
		[
			'32. with one time only',
			() => [written('[a]:approve', { timestamp: undefined })],
			{},
			'one of entry.time and messaging.timestamp is missing',
		],
		[
			'33. with a part that is too old',
			() => [
				written('[old]:approve', { time: Date.now() - 60 * MINUTE_MS }),
				written('[a]:approve'),
			],
			{},
			'left out a part of a call',
		],
		[
			'34. while signed payloads cannot be checked',
			() => [written('[a]:approve')],
			broken,
			'Diyalog Trigger: ',
		],
		[
			'35. of a time that was forgotten',
			() => [written('[forgotten]:approve', aMinuteAgo()), written('[a]:approve')],
			{},
			'does not remember all events',
		],
	])('%s', async (_what, entriesOf, credential, said) => {
		await server.close();
		const credentials = { appSecret: SECRET };
		trigger = new TriggerUnderTest(
			{ parameters: { events: ['buttonPressed'], authentication: 'signature' }, credentials },
			undefined,
			{ seenEvents: afterFlood() },
		);
		server = await serve(trigger);
		trigger.changeCredential({ ...credentials, ...credential });
		const recorded = envelope(...entriesOf());
		for (let time = 0; time < 100; time++)
			expect((await postSigned(server.url, recorded, SECRET)).status).toBe(200);
		expect(server.executions).toHaveLength(1);
		expect(trigger.log).toEqual([expect.stringContaining(said)]);
	});
});

describe('36. a workflow that was imported as published, with a setting that the editor does not offer', () => {
	const right = { events: ['buttonPressed', 'statusCallback'], authentication: 'signature' };
	const credentials = { appSecret: SECRET, statusCallbackToken: 'callback' };

	let id: string;

	beforeEach(() => {
		id = randomUUID();
	});

	const importedWith = async (parameters: object) => {
		await server.close();
		trigger = new TriggerUnderTest({ parameters: { ...right, ...parameters }, credentials }, id);
		server = await serveImported(trigger);
	};

	describe.each([
		[
			'a text for a switch',
			{ options: { onlySigned: 'no' } },
			'Only Signed Presses is neither on nor off. Turn it on or off, or remove the option.',
		],
		[
			'a number for a switch',
			{ options: { onlyUnmatched: 1 } },
			'Only Unmatched is neither on nor off. Turn it on or off, or remove the option.',
		],
		[
			'a text for a number',
			{ options: { freshnessMinutes: '15' } },
			'Maximum Age (Minutes) is not a number of minutes. Enter a number, e.g. 15, or 0 for any age.',
		],
		[
			'a text for a list',
			{ options: { alsoPassOnTo: 'https://n8n.example/webhook/a/webhook' } },
			'Also Pass On To is not a list. Enter each value in a row of its own, or remove the option.',
		],
		[
			'a text for a list of a filter',
			{ filters: { customerNumbers: '70021' } },
			'Customer Number is not a list. Enter each value in a row of its own, or remove the option.',
		],
		[
			'a number for a text',
			{ options: { n8nAddress: 5678 } },
			'N8n Address is not a text. Enter it anew, or remove the option.',
		],
		[
			'a text for the events',
			{ events: 'buttonPressed' },
			'Events has a value that is not possible. Choose one of the values that the field offers, or check the expression.',
		],
		[
			'a switch for the way of authentication',
			{ authentication: true },
			'Authentication has a value that is not possible. Choose one of the values that the field offers, or check the expression.',
		],
		[
			'an expression that fails',
			{ authentication: '={{ $fromAI() }}' },
			'A setting cannot be read. Look for an expression among the settings, and enter a value in its place.',
		],
	])('%s', (_what, parameters, said) => {
		beforeEach(async () => await importedWith(parameters));

		it('each call is to be repeated (503), also an unsigned one, and costs a line in ten seconds', async () => {
			const unsigned = { method: 'POST', headers: JSON_TYPE, body: press() };
			for (let call = 0; call < 25; call++) {
				expect((await fetch(server.url, unsigned)).status).toBe(503);
				expect((await postSigned(server.url, press(), OTHER_SECRET)).status).toBe(503);
				expect((await postSigned(server.url, press(), SECRET)).status).toBe(503);
				expect(await postStatus(server.statusUrl, 'Approved')).toBe(503);
			}
			expect(trigger.log).toEqual([`Diyalog Trigger refused a call: ${said}`]);
			expect(trigger.decryptions).toBe(0);
			expect(server.executions).toEqual([]);
		});

		it('with its body unread, and a stranger learns nothing of the settings', async () => {
			for (const url of [server.url, server.statusUrl])
				expect(await rawPost(url, ['Content-Length: 100000'], '')).toBe(503);
			expect(server.bodiesRead).toBe(0);
			const reply = await fetch(server.url, { method: 'POST', headers: JSON_TYPE, body: '{}' });
			expect(await reply.text()).toBe('Calls cannot be taken now.');
		});

		it('the repetition is taken when the setting is right', async () => {
			const body = press(randomUUID());
			expect((await postSigned(server.url, body, SECRET)).status).toBe(503);
			await importedWith({});
			expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
			expect(server.executions).toHaveLength(1);
		});
	});
});

describe('37. a call is taken or refused, and nothing escapes, with', () => {
	const WRONG = [null, 7, 'x', [{ toString: 1 }], {}];
	const namesOf = (fields: readonly Entry[]) => fields.map(({ name }) => name);
	const inside = (name: string) =>
		namesOf(triggerFields.filter((field) => field.name === name).flatMap(entriesIn));

	it.each([
		['a field of the credential', namesOf(new DiyalogApi().properties), 'credential'],
		['an option', inside('options'), 'options'],
		['a filter', inside('filters'), 'filters'],
	] as const)('%s of any type', async (_what, names, where) => {
		expect(names.length).toBeGreaterThan(3);
		for (const name of names)
			for (const wrong of WRONG) {
				await server.close();
				const changed = { [name]: wrong };
				trigger = new TriggerUnderTest({
					parameters: {
						events: ['buttonPressed', 'statusCallback'],
						authentication: 'signature',
						...(where !== 'credential' && { [where]: changed }),
					} as INodeParameters,
					credentials: {
						appSecret: SECRET,
						statusCallbackToken: 'callback',
						payloadSignature: 'jws',
						payloadSignatureAlgorithm: 'HS256',
						payloadSignatureSecret: 's'.repeat(40),
						...(where === 'credential' && changed),
					} as CredentialData,
				});
				server = await serveImported(trigger);
				const statuses = [
					(await postSigned(server.url, press(), OTHER_SECRET)).status,
					(await postSigned(server.url, press(), SECRET)).status,
					await postStatus(server.statusUrl, 'Approved'),
				];
				expect([401, 503]).toContain(statuses[0]);
				for (const status of statuses) expect([200, 401, 503]).toContain(status);
				expect(server.escaped).toEqual([]);
			}
	});
});
