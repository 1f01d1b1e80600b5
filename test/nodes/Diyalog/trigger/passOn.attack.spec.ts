import { randomBytes, randomUUID } from 'node:crypto';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INode,
	INodeParameters,
} from 'n8n-workflow';
import { SeenEvents } from '../../../../nodes/Diyalog/events/seenEvents';
import { KeptCalls } from '../../../../nodes/Diyalog/passOn/keptCalls';
import { MARK_HEADER, PLAIN_MARK, makeMark, readMark } from '../../../../nodes/Diyalog/passOn/mark';
import type { PassedOn } from '../../../../nodes/Diyalog/passOn/mark';
import { atN8nAddress } from '../../../../nodes/Diyalog/trigger/selfCall';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { sleepMs, waitFor } from '../../../../tools/system';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import type { TriggerUnderTest } from '../../../support/nodeRuntime';
import { OneN8n } from '../../../support/oneN8n';
import type { Started as StartedTrigger } from '../../../support/oneN8n';
import { hmacSha1, postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import { entry, envelope, written } from '../../../support/webhookBodies';
import type { EntryParts } from '../../../support/webhookBodies';
import { statusesOf } from '../../../support/webhookServer';
import { ALL_BUT_THE_DATE } from '../../../support/testClock';

/*
 * Attacks on calls that one trigger passes on to others, numbered: each event reaches each trigger once, an answer is passed on to
 * its execution once, nobody but Diyalog causes any of it, and one bad trigger costs no other.
 */

const SECRET = randomBytes(16).toString('hex');
const TOKEN = 'callback-token';
const MINUTE_MS = 60_000;

interface Started extends StartedTrigger {
	items: () => IDataObject[];
}

interface Setup extends INodeParameters {
	events?: string[];
	authentication?: string;
	options?: INodeParameters;
}

let instance: WaitingInstance;
let n8n: OneN8n;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	n8n = await OneN8n.start(instance.url);
});

afterEach(async () => {
	await n8n.close();
	await instance.close();
	for (const { escaped } of n8n.started) expect(escaped).toEqual([]);
});

async function start(
	id: string,
	parameters: Setup = {},
	staticData: IDataObject = {},
	workflowId: string = randomUUID(),
	secrets: ICredentialDataDecryptedObject = {},
): Promise<Started> {
	const started = await n8n.run(id, {
		credentials: { appSecret: SECRET, statusCallbackToken: TOKEN, ...secrets },
		parameters,
		staticData,
		workflowId,
	});
	return { ...started, items: () => started.server.executions.flat() };
}

/** A trigger that passes its calls on. */
const startPassing = async (to: string[], more: Setup = {}, id = 'first') =>
	await start(id, { ...more, options: { alsoPassOnTo: to, ...more.options } });

const press = (id: string, parts?: EntryParts) => envelope(written(`[${id}]:approve`, parts));

const post = async ({ url }: Started, body: string | Buffer, headers = {}) =>
	(await postSigned(url, body, SECRET, headers)).status;

const idsOf = ({ items }: Started) => items().map(({ messageId }) => messageId);

const gets = async (of: Started, count: number) =>
	await waitFor(`${count} items of ${of.id}`, 15_000, () =>
		of.items().length >= count ? true : undefined,
	);

const stored = ({ trigger }: Started) => String(trigger.staticData.keptCalls ?? '');

const keptOf = (of: Started) => stored(of).split(',').filter(Boolean).length;

const logged = async ({ trigger }: Started, text: string) =>
	await waitFor(text, 15_000, () => trigger.log.find((line) => line.includes(text)));

const markFor = (
	id: string,
	body: string,
	said: Partial<PassedOn> = {},
	path: 'webhook' | 'updatemokstatus' = 'webhook',
) =>
	makeMark(
		{
			takenAtMs: Date.now(),
			passedOnAtMs: Date.now(),
			outcomes: new Map(),
			isComplete: true,
			...said,
		},
		{ id, isTest: false, path, body: Buffer.from(body) },
		SECRET,
	);

it('1. the call goes on as it came, whatever the first trigger is set to, and each one filters for itself', async () => {
	const second = await start('second', { filters: { payloads: ['approve'] } });
	const third = await start('third', { filters: { payloads: ['decline'] } });
	const first = await startPassing([second.url, third.url], { events: ['messageRead'] });
	const body = ` {"object":"dialog", "entry":[${JSON.stringify(written('[ä]:approve'))},${JSON.stringify(written('[ö]:decline'))}]}\n`;
	const type = 'application/json; charset=UTF-8';
	expect(await post(first, body, { 'content-type': type })).toBe(200);
	await gets(second, 1);
	await gets(third, 1);
	expect([idsOf(first), idsOf(second), idsOf(third)]).toEqual([[], ['ä'], ['ö']]);
	const [call] = n8n.callsTo('second');
	expect(call?.body).toEqual(Buffer.from(body));
	expect(call?.headers).toMatchObject({ 'content-type': type });
	expect(stored(first)).toBe('');
});

it('2. two triggers that pass on to each other: each call starts each of them once', async () => {
	const first = await startPassing([n8n.urlOf('second')], {}, 'first');
	const second = await startPassing([first.url], {}, 'second');
	await post(first, press('a'));
	await post(second, press('b'));
	await gets(first, 2);
	await gets(second, 2);
	await sleepMs(300);
	expect([idsOf(first), idsOf(second)]).toEqual([
		['a', 'b'],
		['a', 'b'],
	]);
	expect(n8n.calls).toHaveLength(4);
});

it.each([
	['a forged signature', press('a'), { 'x-signature': '0'.repeat(40) }],
	['no webhook', '{}', {}],
	['a recorded call', press('a', { time: Date.now() - 20 * MINUTE_MS }), {}],
	['a type that is not taken', press('a'), { 'content-type': 'text/plain' }],
])('3. a stranger has nothing passed on: %s', async (_what, body, headers) => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	expect(await post(first, body, headers)).toBeGreaterThanOrEqual(400);
	await sleepMs(300);
	expect(n8n.callsTo('second')).toEqual([]);
	expect(stored(first)).toBe('');
});

it.each([
	['a plain mark', () => PLAIN_MARK],
	['one without a MAC', (body: string) => markFor('first', body).replace(/\..*/, '')],
	['one of another receiver', (body: string) => markFor('second', body)],
	['one of another body', () => markFor('first', press('other'))],
	['one of the other path', (body: string) => markFor('first', body, {}, 'updatemokstatus')],
	['one changed', (body: string) => markFor('first', body).replace(/^./, 'f')],
	['much', () => 'x'.repeat(6_000)],
	['nothing', () => '.'],
])('4. %s suppresses nothing', async (_what, markOf) => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	const body = press('a');
	expect(await post(first, body, { [MARK_HEADER]: markOf(body) })).toBe(200);
	await gets(second, 1);
	expect(idsOf(first)).toEqual(['a']);
});

it('5. a recorded call with its mark, played again: nothing new, neither at its receiver nor elsewhere', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	const third = await start('third');
	await post(first, press('a'));
	await gets(second, 1);
	const [call] = n8n.callsTo('second');
	const mark = { [MARK_HEADER]: String(call?.headers[MARK_HEADER]) };
	const body = call?.body ?? Buffer.alloc(0);
	for (const each of [first, second]) expect(await post(each, body, mark)).toBe(200);
	await sleepMs(300);
	expect([idsOf(first), idsOf(second)]).toEqual([['a'], ['a']]);
	// Without the mark it would be taken there as well: it is signed, and fresh.
	expect(await post(third, body, mark)).toBe(200);
	expect(idsOf(third)).toEqual(['a']);
	expect(n8n.callsTo('second')).toHaveLength(2);
});

const AGES: Array<[string, number, number, number | undefined, number]> = [
	['taken in time and passed on now', 40, 40, 0, 200],
	['without a mark', 40, 40, undefined, 401],
	['recorded and played again', 40, 40, 20, 401],
	['too old when it was taken', 80, 40, 0, 401],
];

it.each(AGES)(
	'6. a call of long ago, %s (sent %i, taken %i, passed on %s minutes ago): %i',
	async (_what, sent, taken, passedOn, status) => {
		const second = await start('second');
		const now = Date.now();
		const body = press('late', { time: now - sent * MINUTE_MS });
		const said = {
			takenAtMs: now - taken * MINUTE_MS,
			passedOnAtMs: now - (passedOn ?? 0) * MINUTE_MS,
		};
		const mark = passedOn === undefined ? {} : { [MARK_HEADER]: markFor('second', body, said) };
		for (let time = 0; time < 2; time++) expect(await post(second, body, mark)).toBe(status);
		expect(idsOf(second)).toEqual(status === 200 ? ['late'] : []);
	},
);

it.each([
	['may have been taken before that', 31, []],
	['was passed on for the first time', undefined, ['since']],
])(
	'7. the receiver has forgotten what it took half an hour ago; what %s',
	async (_what, sinceMinutes, taken) => {
		const now = Date.now();
		const seen = new SeenEvents();
		for (let index = 0; index < 2_000; index++) {
			const sentAtMs = now - (index < 1_000 ? 30 : 20) * MINUTE_MS;
			seen.add({ text: `event${10_000 + index}`, sentAtMs });
		}
		seen.forgetOld(now, 15 * MINUTE_MS);
		const second = await start('second', {}, { seenEvents: seen.toText() });
		const body = press('since', { time: now - 31 * MINUTE_MS });
		const mark = markFor('second', body, {
			takenAtMs: now - 31 * MINUTE_MS,
			...(sinceMinutes && { mayBeKnownSinceMs: now - sinceMinutes * MINUTE_MS }),
		});
		expect(await post(second, body, { [MARK_HEADER]: mark })).toBe(200);
		expect(idsOf(second)).toEqual(taken);
		expect(second.trigger.log.join().includes('refused 1 event')).toBe(taken.length === 0);
	},
);

it('41. any age is taken: a recorded call that both have forgotten is new to neither', async () => {
	const now = Date.now();
	const seen = new SeenEvents();
	for (let index = 0; index < 100_000; index++)
		seen.add({ text: `event${String(index).padStart(5, '0')}`, sentAtMs: now - 3_600_000 });
	seen.forgetOld(now, 0);
	const forgotten = { seenEvents: seen.toText() };
	const second = await start('second', { options: { freshnessMinutes: 0 } }, forgotten);
	const options = { freshnessMinutes: 0, alsoPassOnTo: [second.url] };
	const first = await start('first', { options }, forgotten);
	const old = { time: now - 7_200_000 };
	expect(await post(first, press('recorded', old))).toBe(200);
	await waitFor('the call', 5_000, () => n8n.callsTo('second')[0]?.status);
	expect([idsOf(first), idsOf(second)]).toEqual([[], []]);
	expect(second.trigger.log.join()).toContain('refused 1 event');
	await post(first, press('new'));
	await gets(second, 1);
	expect(idsOf(second)).toEqual(['new']);
}, 60_000);

describe('answers of waiting executions', () => {
	let sandbox: Sandbox;

	beforeEach(async () => {
		sandbox = await startSandbox({
			bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
		});
	});

	afterEach(async () => {
		await sandbox.close();
	});

	async function ask(parameters: INodeParameters = {}) {
		const credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
		const execution = await instance.ask(credentials, parameters);
		const message = sandbox.messages().at(-1);
		if (!message) throw new Error('Nothing was sent');
		return { execution, messageId: message.messageId };
	}

	const waitingCalls = () => n8n.calls.filter(({ path }) => path.startsWith('/webhook-waiting/'));

	it('8. an answer continues its execution once, and every trigger says so', async () => {
		const second = await start('second');
		const unmatched = await start('unmatched', { options: { onlyUnmatched: true } });
		const first = await startPassing([second.url, unmatched.url]);
		const { execution, messageId } = await ask();
		await post(first, envelope(written(`[${messageId}]:approve`), written('hello')));
		await gets(second, 2);
		await gets(unmatched, 1);
		expect(execution.continuations).toHaveLength(1);
		expect(waitingCalls()).toHaveLength(1);
		for (const each of [first, second])
			expect(each.items()).toContainEqual(
				expect.objectContaining({ messageId, payload: 'approve', resumed: true }),
			);
		expect(unmatched.items()).toEqual([expect.objectContaining({ text: 'hello' })]);
	});

	it('9. a late answer is told once that it is late', async () => {
		const options = { lateAnswerReply: 'Closed' };
		const second = await start('second', { options });
		const first = await startPassing([second.url], { options });
		const { messageId } = await ask();
		await post(first, envelope(written(`[${messageId}]:approve`)));
		await post(first, envelope(written(`[${messageId}]:decline`)));
		await gets(second, 2);
		await sleepMs(500);
		expect(second.items()[1]).toMatchObject({ resumed: false, notResumedReason: 'notWaiting' });
		expect(waitingCalls()).toHaveLength(1);
		const closed = sandbox
			.messages()
			.filter((message) => JSON.stringify(message).includes('Closed'));
		expect(closed.length).toBeLessThanOrEqual(1);
	});

	it('10. an answer of which the mark says nothing is not passed on again, and nothing is claimed of it', async () => {
		const second = await start('second', { options: { onlyUnmatched: true } });
		const { execution, messageId } = await ask();
		const body = envelope(written(`[${messageId}]:approve`));
		const mark = markFor('second', body, { isComplete: false });
		expect(await post(second, body, { [MARK_HEADER]: mark })).toBe(200);
		expect(second.items()).toEqual([
			expect.objectContaining({ messageId, resumed: null, notResumedReason: 'notTold' }),
		]);
		expect(execution.continuations).toEqual([]);
		expect(waitingCalls()).toEqual([]);
	});

	it('42. the first one takes a part of a call only: nothing is claimed of the rest', async () => {
		const second = await start('second', { options: { freshnessMinutes: 60 } });
		const first = await startPassing([second.url]);
		const { messageId } = await ask();
		const late = written(`[${messageId}]:approve`, { time: Date.now() - 20 * MINUTE_MS });
		await post(first, envelope(late, written('hello')));
		await gets(second, 2);
		expect(second.items()).toContainEqual(
			expect.objectContaining({ messageId, resumed: null, notResumedReason: 'notTold' }),
		);
	});

	it('11. n8n takes a minute to say what it did: others get the call before, and are told nothing untrue', async () => {
		const second = await start('second');
		const first = await startPassing([second.url]);
		const { messageId } = await ask();
		n8n.faults.set('/webhook-waiting/', 'silence');
		const status = post(first, envelope(written(`[${messageId}]:approve`)));
		await gets(second, 1);
		expect(second.items()).toEqual([
			expect.objectContaining({ messageId, resumed: null, notResumedReason: 'notTold' }),
		]);
		expect(await status).toBe(200);
	});
});

it('12. a mark has room for so many answers, and says when it has not told all', () => {
	const addressed = { id: 'x', isTest: false, path: 'webhook' as const, body: Buffer.from('{}') };
	const outcomes = new Map(
		Array.from({ length: 1_000 }, (_, index) => [
			`event${String(index).padStart(5, '0')}`,
			{ resumed: false as const, notResumedReason: 'ö'.repeat(20) },
		]),
	);
	const said = { takenAtMs: 1, passedOnAtMs: 2, outcomes, isComplete: true };
	const mark = makeMark(said, addressed, SECRET);
	expect(mark.length).toBeLessThan(4_096);
	const read = readMark(mark, addressed, ['', SECRET]);
	expect(read).toMatchObject({ takenAtMs: 1, passedOnAtMs: 2, isComplete: false });
	expect(read?.outcomes.size).toBeGreaterThan(20);
	const few = new Map([...outcomes].slice(0, 10));
	expect(
		readMark(makeMark({ ...said, outcomes: few }, addressed, SECRET), addressed, [SECRET]),
	).toEqual({ ...said, outcomes: few });
	for (const secrets of [[], [''], ['other']])
		expect(readMark(mark, addressed, secrets)).toBeUndefined();
});

it('13. a workflow that is switched off gets what was kept when it is switched on again, in order and once', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	for (const id of ['a', 'b', 'c']) expect(await post(first, press(id))).toBe(200);
	expect(idsOf(first)).toEqual(['a', 'b', 'c']);
	expect(keptOf(first)).toBe(3);
	n8n.publish('second', second.server);
	await gets(second, 3);
	await post(first, press('d'));
	await gets(second, 4);
	expect(idsOf(second)).toEqual(['a', 'b', 'c', 'd']);
	expect(keptOf(first)).toBe(0);
	expect(first.trigger.log.filter((line) => line.includes('did not take a call'))).toHaveLength(1);
	expect(first.trigger.log.filter((line) => line.includes('again.'))).toHaveLength(1);
});

it('14. after a restart: what was kept goes on when the trigger is activated, also if an old copy of the database comes back', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	await post(first, press('a'));
	const copy = { ...first.trigger.staticData };
	n8n.publish('second', second.server);
	const parameters = { options: { alsoPassOnTo: [second.url] } };
	const again = await start('first', parameters, copy);
	await gets(second, 1);
	await start('first', parameters, copy);
	await waitFor('the call again', 10_000, () => n8n.callsTo('second')[2]?.status);
	expect(idsOf(second)).toEqual(['a']);
	expect(again.trigger.log).toEqual([]);
});

it.each([
	['changed', (text: string) => text.replace(/^./, (one) => (one === 'x' ? 'y' : 'x'))],
	['of somebody else', () => 'eyJhIjoxfQ.e30.MAC'],
	['much', () => 'x.y.z,'.repeat(100_000)],
	['no text', () => 7],
])('15. what is stored is %s: nothing of it goes on', async (_what, change) => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	await post(first, press('a'));
	const copy = { ...first.trigger.staticData, keptCalls: change(stored(first)) };
	n8n.calls.length = 0;
	await start('first', { options: { alsoPassOnTo: [second.url] } }, copy as IDataObject);
	await sleepMs(300);
	expect(n8n.callsTo('second').length).toBeLessThanOrEqual(1);
	expect(second.items()).toEqual([]);
});

it('16. one that hangs, one that fails and one that refuses cost neither the others nor this workflow anything', async () => {
	const good = await start('good');
	for (const id of ['hanging', 'failing', 'refusing']) await start(id);
	n8n.faults.set('/webhook/hanging/', 'silence');
	n8n.faults.set('/webhook/failing/', 500);
	n8n.faults.set('/webhook/refusing/', {
		status: 401,
		text: 'The X-Signature header is missing or wrong.',
	});
	const urls = ['hanging', 'failing', 'refusing', 'good'].map((id) => n8n.urlOf(id));
	const first = await startPassing(urls);
	for (const id of ['a', 'b']) expect(await post(first, press(id))).toBe(200);
	await gets(good, 2);
	expect([idsOf(first), idsOf(good)]).toEqual([
		['a', 'b'],
		['a', 'b'],
	]);
	expect(keptOf(first)).toBe(2);
	await logged(first, 'trigger refusing is lost: it refused with 401');
	await logged(
		first,
		'trigger failing did not take a call that was passed on: it answered with 500',
	);
});

it('17. a call too large to be kept: Diyalog shall repeat it, and the repetition goes on', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.faults.set('/webhook/second/', 500);
	const body = envelope(written(`[a]:${'x'.repeat(50_000)}`));
	expect(await post(first, body)).toBe(503);
	await gets(first, 1);
	n8n.faults.clear();
	await sleepMs(1_100);
	expect(await post(first, body)).toBe(200);
	await gets(second, 1);
	expect([idsOf(first), idsOf(second)]).toEqual([['a'], ['a']]);
	expect(stored(first)).toBe('');
});

it('18. n8n failed to store the execution of this workflow: the repetition starts it, and others start once', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	const body = press('a');
	first.server.isDiskFull = true;
	expect(await post(first, body)).toBe(500);
	first.server.isDiskFull = false;
	expect(await post(first, body)).toBe(200);
	await gets(first, 1);
	expect([idsOf(first), idsOf(second)]).toEqual([['a'], ['a']]);
});

const STRANGE_ADDRESSES: Array<[string, (url: string) => string]> = [
	['another host', () => 'https://evil.example/webhook/second/webhook'],
	['another port', () => 'http://127.0.0.1:1/webhook/second/webhook'],
	['another protocol', (url) => url.replace('http:', 'ftp:')],
	['a name in front', (url) => url.replace('127.0.0.1', '127.0.0.1@evil.example')],
	['a user', (url) => url.replace('//', '//user@')],
	['another endpoint', (url) => url.replace('/webhook/', '/rest/')],
	['a waiting execution', (url) => url.replace('/webhook/', '/webhook-waiting/')],
	['a way up', (url) => url.replace('/second/', '/../rest/second/')],
	['a way up in code', (url) => url.replace('/second/', '/%2e%2e/rest/second/')],
	['no trigger of ours', (url) => url.replace(/webhook$/, '')],
	['a query', (url) => `${url}?a=b`],
	['no address', () => 'second'],
	['an expression', () => '{{ $json.url }}'],
	['this trigger', (url) => url.replace('second', 'first')],
];

it.each(STRANGE_ADDRESSES)(
	'19. %s is refused when the workflow is published, and never called',
	async (_what, change) => {
		const second = await start('second');
		const address = change(second.url);
		await expect(startPassing([address])).rejects.toThrow('Also Pass On To');
		const first = await startPassing([]);
		const { trigger: imported } = await n8n.run('first', {
			credentials: { appSecret: SECRET },
			parameters: { options: { alsoPassOnTo: [address, second.url] } },
			isActivated: false,
		});
		expect(await post(first, press('a'))).toBe(200);
		await gets(second, 1);
		expect(n8n.calls.map(({ path }) => path)).toEqual([
			'/webhook/first/webhook',
			'/webhook/second/webhook',
		]);
		expect(imported.log.join()).toContain('so this entry passes nothing on');
	},
);

it('20. more than ten, or one twice, is refused', async () => {
	const urls = Array.from({ length: 11 }, (_, index) => n8n.urlOf(`t${index}`));
	await expect(startPassing(urls)).rejects.toThrow('more than 10');
	await expect(startPassing([urls[0] ?? '', urls[0] ?? ''])).rejects.toThrow('twice');
});

it('21. no redirection is followed', async () => {
	const second = await start('second');
	const elsewhere = await start('elsewhere');
	n8n.faults.set('/webhook/second/', { status: 307, text: '', location: elsewhere.url });
	const first = await startPassing([second.url]);
	expect(await post(first, press('a'))).toBe(200);
	expect(n8n.callsTo('elsewhere')).toEqual([]);
	expect(keptOf(first)).toBe(1);
	await logged(first, 'is no Diyalog Trigger');
});

it('22. a page that says 200 has not taken the call', async () => {
	n8n.faults.set('/webhook/second/', { status: 200, text: '<html>Log in</html>' });
	const first = await startPassing([n8n.urlOf('second')]);
	await post(first, press('a'));
	expect(keptOf(first)).toBe(1);
});

it('23. triggers that authenticate nothing: a plain mark stops their loop, and nothing is kept', async () => {
	const none = { authentication: 'none' };
	const first = await startPassing([n8n.urlOf('second')], none, 'first');
	const second = await startPassing([first.url], none, 'second');
	await post(first, press('a'));
	await gets(second, 1);
	await sleepMs(300);
	expect(n8n.calls).toHaveLength(2);
	n8n.switchOff('second');
	expect(await post(first, press('b'))).toBe(503);
	expect(stored(first)).toBe('');
});

it('24. a flood while a target is dead: few tries, and a bounded place', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	for (let call = 0; call < 700; call++) await post(first, press(`m-${call}`));
	expect(first.items()).toHaveLength(700);
	expect(keptOf(first)).toBeLessThanOrEqual(500);
	expect(stored(first).length).toBeLessThanOrEqual(300_000);
	expect(n8n.callsTo('second').length).toBeLessThan(60);
	await logged(first, 'too many later calls are kept for it');
}, 120_000);

it('25. one that is off for ever leaves the room of others alone', async () => {
	const second = await start('second');
	const first = await startPassing([n8n.urlOf('dead'), second.url]);
	for (let call = 0; call < 300; call++) await post(first, press(`full-${call}`));
	await gets(second, 300);
	n8n.switchOff('second');
	for (let call = 0; call < 100; call++) await post(first, press(`m-${call}`));
	n8n.publish('second', second.server);
	await gets(second, 400);
	expect(idsOf(second)[300]).toBe('m-0');
	expect(keptOf(first)).toBeLessThanOrEqual(250);
}, 120_000);

describe('a test URL', () => {
	it('26. nobody listens: one try, nothing kept, no line', async () => {
		const first = await startPassing([n8n.urlOf('building', 'webhook', 'webhook-test')]);
		expect(await post(first, press('a'))).toBe(200);
		await waitFor('the try', 5_000, () => n8n.callsTo('building')[0]?.status);
		await sleepMs(1_500);
		expect(n8n.callsTo('building')).toHaveLength(1);
		expect(stored(first)).toBe('');
		expect(first.trigger.log).toEqual([]);
	});

	it('27. of this very trigger is allowed: its draft is another listener', async () => {
		const first = await startPassing([n8n.urlOf('first', 'webhook', 'webhook-test')]);
		await post(first, press('a'));
		await waitFor('the try', 5_000, () =>
			n8n.calls.find(({ path }) => path === '/webhook-test/first/webhook'),
		);
	});
});

describe('status callbacks', () => {
	const callback = (status: string) =>
		JSON.stringify({ messageId: 'm', status, customerNo: '1', secretData: '' });

	const said = ({ server }: Started) => statusesOf(server);

	const postCallback = async (id: string, body: string, headers = {}) => {
		const response = await fetch(n8n.urlOf(id, 'updatemokstatus'), {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'auth-token': TOKEN, ...headers },
			body,
		});
		return [response.status, await response.text()];
	};

	it('28. go to the same path of the others, also if this trigger wants none; one that wants none is not asked again', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		const third = await start('third');
		const first = await startPassing([second.url, third.url]);
		for (const status of ['Approved', 'Cancelled', 'Approved'])
			expect(await postCallback('first', callback(status))).toEqual([200, 'OK']);
		await gets(second, 3);
		expect(second.items().map(({ status }) => status)).toEqual([
			'Approved',
			'Cancelled',
			'Approved',
		]);
		expect(first.items()).toEqual([]);
		expect(n8n.callsTo('third')).toHaveLength(3);
		expect(keptOf(first)).toBe(0);
	});

	it('29. kept ones go on in order; an old copy of the database does not turn a status back; no token is stored', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		const first = await startPassing([second.url]);
		n8n.switchOff('second');
		for (const status of ['Approved', 'Cancelled']) await postCallback('first', callback(status));
		expect(keptOf(first)).toBe(2);
		const copy = { ...first.trigger.staticData };
		expect(Buffer.from(stored(first), 'base64url').toString()).not.toContain(TOKEN);
		expect(stored(first)).not.toContain(TOKEN);
		n8n.publish('second', second.server);
		await gets(second, 2);
		await start('first', { options: { alsoPassOnTo: [second.url] } }, copy);
		const known = n8n.callsTo('second').length;
		await waitFor('both again', 10_000, () => n8n.callsTo('second')[known + 1]?.status);
		expect(second.items().map(({ status }) => status)).toEqual(['Approved', 'Cancelled']);
	});

	it('48. Cancelled alone is refused on its way: Approved, Cancelled, Approved all start the receiver, though late', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		await startPassing([second.url]);
		const forbidden = { status: 403, text: 'Forbidden', ifHolding: 'Cancelled' };
		n8n.faults.set('/webhook/second/', forbidden);
		for (const status of ['Approved', 'Cancelled', 'Approved'])
			expect(await postCallback('first', callback(status))).toEqual([200, 'OK']);
		await gets(second, 2);
		n8n.faults.clear();
		await gets(second, 3);
		expect(said(second)).toEqual([
			['Approved', false],
			['Approved', true],
			['Cancelled', false],
		]);
	}, 40_000);

	it('48b. the first trigger is killed before it has stored what the receiver has taken: of its repetition the receiver says so', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		const options = { alsoPassOnTo: [second.url] };
		const first = await start('first', { events: ['statusCallback'], options });
		await postCallback('first', callback('Approved'));
		const copy = { ...first.trigger.staticData };
		await postCallback('first', callback('Cancelled'));
		await gets(second, 2);
		const again = await start('first', { events: ['statusCallback'], options }, copy);
		await sleepMs(10);
		await postCallback('first', callback('Cancelled'));
		await gets(second, 3);
		expect(said(again)).toEqual([['Cancelled', false]]);
		expect(said(second).at(-1)).toEqual(['Cancelled', true]);
	});

	it('30. with a wrong token nothing goes on', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		await startPassing([second.url]);
		const [status] = await postCallback('first', callback('Approved'), { 'auth-token': 'guessed' });
		expect(status).toBe(401);
		await sleepMs(300);
		expect(n8n.callsTo('second')).toEqual([]);
	});

	it('36. a trigger that authenticates nobody lends its token to no stranger', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		await startPassing([second.url], { authentication: 'none' });
		await postCallback('first', callback('Approved'), { 'auth-token': 'guessed' });
		await waitFor('the call', 5_000, () => n8n.callsTo('second')[0]?.status);
		expect(n8n.callsTo('second').map(({ status }) => status)).toEqual([401]);
		expect(second.items()).toEqual([]);
	});

	it('37. two that name each other make no loop, and one with another App Secret takes nothing', async () => {
		const urls = ['first', 'second'].map((id) => n8n.urlOf(id));
		const setup = (to = '') => ({ events: ['statusCallback'], options: { alsoPassOnTo: [to] } });
		await start('first', setup(urls[1]));
		const second = await start('second', setup(urls[0]), {}, randomUUID(), {
			appSecret: 'another-one',
		});
		expect(await postCallback('first', callback('Approved'))).toEqual([200, 'OK']);
		await sleepMs(1_000);
		expect(n8n.callsTo('first')).toHaveLength(1);
		expect(n8n.callsTo('second').map(({ status }) => status)).toEqual([401]);
		expect(second.items()).toEqual([]);
	});

	it('39. the token goes nowhere, whatever address somebody enters as that of n8n', async () => {
		const second = await start('second', { events: ['statusCallback'] });
		await startPassing([second.url], { options: { n8nAddress: n8n.url } });
		await postCallback('first', callback('Approved'));
		await gets(second, 1);
		const [call] = n8n.callsTo('second');
		expect(JSON.stringify(call?.headers)).not.toContain(TOKEN);
	});

	it.each([
		['of another receiver', (body: string) => markFor('first', body, {}, 'updatemokstatus'), 401],
		['of another body', () => markFor('second', callback('Cancelled'), {}, 'updatemokstatus'), 401],
		['of the other path', (body: string) => markFor('second', body), 401],
		['of nobody', () => PLAIN_MARK, 401],
		[
			'of half an hour ago',
			(body: string) =>
				markFor('second', body, { passedOnAtMs: Date.now() - 30 * MINUTE_MS }, 'updatemokstatus'),
			401,
		],
		['that is genuine', (body: string) => markFor('second', body, {}, 'updatemokstatus'), 200],
	])('40. no token, and a mark %s', async (_what, markOf, status) => {
		const second = await start('second', { events: ['statusCallback'] });
		const body = callback('Approved');
		const headers = { 'auth-token': '', [MARK_HEADER]: markOf(body) };
		for (let time = 0; time < 2; time++)
			expect((await postCallback('second', body, headers))[0]).toBe(status);
		expect(second.items()).toHaveLength(status === 200 ? 1 : 0);
	});
});

it('31. a repeated call does not go on again to who has it', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	const body = press('a');
	for (let time = 0; time < 20; time++) expect(await post(first, body)).toBe(200);
	expect(n8n.callsTo('second')).toHaveLength(1);
});

it('32. the app_secret is being changed: the mark is made with the one that Diyalog has signed with', async () => {
	const second = await start('second');
	const options = { alsoPassOnTo: [second.url] };
	const first = await start('first', { options }, {}, randomUUID(), {
		appSecret: 'the-new-one',
		previousAppSecret: SECRET,
	});
	await post(first, press('a'));
	await gets(second, 1);
	const [call] = n8n.callsTo('second');
	const addressed = { id: 'second', isTest: false, path: 'webhook' as const };
	const mark = String(call?.headers[MARK_HEADER]);
	expect(
		readMark(mark, { ...addressed, body: call?.body ?? Buffer.alloc(0) }, [SECRET]),
	).toBeDefined();
});

it('33. a call without a Content-Type goes on', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	const body = press('a');
	const response = await fetch(first.url, {
		method: 'POST',
		headers: { 'x-signature': hmacSha1(body, SECRET) },
		body: new Blob([body]),
	});
	expect(response.status).toBe(200);
	await gets(second, 1);
});

it('34. a receipt that nobody waits for goes on as well', async () => {
	const second = await start('second', { events: ['messageDelivered'] });
	const first = await startPassing([second.url]);
	await post(first, envelope(entry({ delivery: { mids: ['a'], watermark: Date.now() } })));
	await gets(second, 1);
	expect(first.items()).toEqual([]);
});

it('35. one that is taken out of the list gets nothing any more of what was kept', async () => {
	const second = await start('second');
	const third = await start('third');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	await post(first, press('a'));
	const next = await start(
		'first',
		{ options: { alsoPassOnTo: [third.url] } },
		first.trigger.staticData,
	);
	n8n.calls.length = 0;
	await post(next, press('b'));
	await gets(third, 1);
	expect(keptOf(next)).toBe(0);
	expect(idsOf(third)).toEqual(['b']);
});

it('38. two slashes at the beginning of a path name no other host', () => {
	expect(atN8nAddress('https://n8n.example//webhook/a/webhook', 'http://127.0.0.1:5678')).toBe(
		'http://127.0.0.1:5678//webhook/a/webhook',
	);
});

it('43b. one that somebody has listened to in the editor goes on, without a call of Diyalog', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	await post(first, press('a'));
	await first.trigger.deactivate(false);
	n8n.publish('second', second.server);
	await gets(second, 1);
	expect(idsOf(second)).toEqual(['a']);
});

it('43. one that is unpublished tries nothing any more, and goes on when it is published', async () => {
	const second = await start('second');
	const first = await startPassing([second.url]);
	n8n.switchOff('second');
	await post(first, press('a'));
	await first.trigger.deactivate();
	n8n.publish('second', second.server);
	await sleepMs(2_500);
	expect(idsOf(second)).toEqual([]);
	await first.trigger.activate();
	await gets(second, 1);
	expect(idsOf(second)).toEqual(['a']);
});

/** A trigger has kept presses for another one, and is published with an empty list; then the other one takes calls again. */
async function emptyList(...ids: string[]) {
	const second = await start('second');
	const workflowId = randomUUID();
	const options = { alsoPassOnTo: [second.url] };
	const first = await start('first', { options }, {}, workflowId);
	n8n.switchOff('second');
	for (const id of ids) expect(await post(first, press(id))).toBe(200);
	expect(keptOf(first)).toBe(ids.length);
	const emptied = await start('first', {}, first.trigger.staticData, workflowId);
	n8n.publish('second', second.server);
	return { second, emptied, options, workflowId };
}

it('44. one whose list is empty now tries nothing any more of what was kept', async () => {
	const { second, emptied } = await emptyList('a');
	await sleepMs(2_500);
	expect(idsOf(second)).toEqual([]);
	expect(stored(emptied)).toBe('');
});

it('6b. a receiver with a smaller Maximum Age refuses what the first one takes, and the log says why', async () => {
	const second = await start('second');
	const first = await startPassing([second.url], { options: { freshnessMinutes: 60 } });
	expect(await post(first, press('late', { time: Date.now() - 20 * MINUTE_MS }))).toBe(200);
	await sleepMs(3_000);
	expect(first.trigger.log.filter((line) => line.includes('lost'))).toEqual([
		expect.stringMatching(/trigger second is lost: .* Its Maximum Age is less than here\.$/),
	]);
	expect(idsOf(second)).toEqual([]);
}, 20_000);

it('44b. whoever empties the list of one that has kept calls finds in the log that they are lost', async () => {
	const { second, emptied, options, workflowId } = await emptyList('a', 'b');
	// Published with the old list again.
	const again = await start('first', { options }, emptied.trigger.staticData, workflowId);
	await post(again, press('c'));
	await gets(second, 1);
	await sleepMs(5_000);
	const isReported = [emptied, again].some(({ trigger }) => trigger.log.join().includes('lost'));
	expect(isReported ? ['a', 'b', 'c'] : idsOf(second).sort()).toEqual(['a', 'b', 'c']);
}, 30_000);

describe('several processes share what is stored', () => {
	const target = 'second';
	const pending = { isKept: true, isUnderWay: false };
	const call = (id: string, takenAtMs: number) => ({
		id,
		path: 'webhook' as const,
		body: Buffer.from(id),
		contentType: 'application/json',
		signature: '',
		takenAtMs,
		outcomes: new Map(),
		isComplete: true,
	});

	/** What a process reads, and what it takes over then. */
	const reads = (process: KeptCalls, text: string, nowMs: number) => {
		expect(process.merge(text, [SECRET], nowMs)).toBe(0);
		process.takeOver(nowMs);
		return process.next(target)?.id;
	};

	it('45. each call is passed on by one of them, and by another one when that has ended', () => {
		const one = new KeptCalls('one', 0);
		const two = new KeptCalls('two', 0);
		one.add(call('a', 1_000), target, pending, 1_000);
		two.add(call('b', 2_000), target, pending, 2_000);
		expect(reads(two, one.toText(SECRET), 2_000)).toBe('b');
		expect(reads(one, two.toText(SECRET), 3_000)).toBe('a');
		// Both are still written by either.
		for (const each of [one, two]) expect(each.toText(SECRET).split(',')).toHaveLength(2);
		one.settle('a', target);
		expect(reads(two, one.toText(SECRET), 4_000)).toBe('b');
		expect(two.pendingOf('a', target)).toBeUndefined();
		// One that begins later, and so after the end of the others.
		const restarted = new KeptCalls('restarted', 5_000);
		expect(reads(restarted, two.toText(SECRET), 6_000)).toBe('b');
		expect(restarted.pendingOf('b', target)?.mayBeKnownSinceMs).toBe(2_000);
		// Who has not ended leaves it.
		expect(reads(two, restarted.toText(SECRET), 7_000)).toBeUndefined();
		// Whoever keeps it says nothing any more.
		expect(reads(two, restarted.toText(SECRET), 6_000 + 11 * MINUTE_MS)).toBe('b');
		// It had gone on when it was said to be kept elsewhere.
		expect(two.pendingOf('b', target)?.mayBeKnownSinceMs).toBe(2_000);
	});

	it('46. the clock went back, and n8n was started again: what was kept is passed on all the same', () => {
		const before = new KeptCalls('before', 0);
		before.add(call('a', 9_000_000), target, pending, 9_000_000);
		const after = new KeptCalls('after', 1_000);
		expect(reads(after, before.toText(SECRET), 2_000)).toBe('a');
	});

	it('46b. of what a deleted trigger has kept, one takes only what it can read and what is for its own list', () => {
		const deleted = new KeptCalls('deleted', 0);
		deleted.add(call('a', 1_000), 'other', pending, 1_000);
		deleted.add(call('b', 1_000), target, pending, 1_000);
		const text = deleted.toText(SECRET);
		expect(KeptCalls.isAnyFor([target], text, [SECRET])).toBe(true);
		expect(KeptCalls.isAnyFor([target], text, ['another secret', SECRET])).toBe(true);
		expect(KeptCalls.isAnyFor([target], text, ['another secret'])).toBe(false);
		expect(KeptCalls.isAnyFor(['a third'], text, [SECRET])).toBe(false);
		expect(KeptCalls.isAnyFor([], text, [SECRET])).toBe(false);
		for (const strange of [undefined, '', 'x', 7, [text]])
			expect(KeptCalls.isAnyFor([target], strange, [SECRET])).toBe(false);
	});

	it('46c. whoever empties the list and needs no App Secret any more finds in the log that it is lost', async () => {
		const before = new KeptCalls('before', 0);
		before.add(call('a', Date.now()), target, pending, Date.now());
		const staticData = { keptCalls: before.toText(SECRET) };
		const emptied = await start('first', { authentication: 'none' }, staticData);
		expect(await post(emptied, press('b'))).toBe(200);
		expect(emptied.trigger.log.join()).toContain('are lost: Also Pass On To is empty');
		expect(stored(emptied)).toBe('');
	});

	it('46d. one that is made anew under another id, with an empty list: the log says what is lost, and nothing of it stays', async () => {
		const before = new KeptCalls('before', 0);
		before.add(call('a', Date.now()), target, pending, Date.now());
		const emptied = await start('first', {});
		emptied.trigger.workflowData['Diyalog Trigger gone'] = {
			keptCalls: before.toText(SECRET),
			webhookId: 'first',
		};
		expect(await post(emptied, press('b'))).toBe(200);
		await logged(
			emptied,
			'to be passed on to trigger second is lost: it is not in Also Pass On To',
		);
		expect(emptied.trigger.workflowData['Diyalog Trigger gone']).toBeUndefined();
	});

	it('47. one gives up what it keeps itself only', () => {
		const one = new KeptCalls('one', 0);
		const two = new KeptCalls('two', 0);
		for (let index = 0; index < 600; index++)
			(index % 2 ? one : two).add(call(`call-${index}`, index), target, pending, index);
		one.merge(two.toText(SECRET), [SECRET], 1_000);
		expect(one.limit(1_000, [target])).toHaveLength(50);
		expect(one.toText(SECRET).split(',')).toHaveLength(550);
	});
});

describe('a trigger has kept a call, is made anew or deleted, and comes back after hours', () => {
	const HOUR_MS = 60 * MINUTE_MS;
	const began = Date.now();
	beforeEach(() => {
		jest.useFakeTimers({ now: began, doNotFake: [...ALL_BUT_THE_DATE] });
	});

	afterEach(() => {
		jest.useRealTimers();
	});

	/** The code of the trigger as another process loads it, which knows nothing of this one. */
	function loadAnew(): typeof TriggerUnderTest {
		let loaded: typeof NodeRuntime | undefined;
		jest.isolateModules(() => {
			loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
		});
		if (!loaded) throw new Error('It could not be loaded');
		return loaded.TriggerUnderTest;
	}

	interface Place {
		/** of its address; the first one's unless told otherwise */
		id?: string;
		secret?: string;
		others?: INode[];
		process?: typeof TriggerUnderTest;
	}

	/** The workflow of the trigger that passes on, as n8n has stored it, in whichever process. */
	class Workflow {
		private data: IDataObject = {};

		private readonly workflowId = randomUUID();

		private readonly own = loadAnew();

		constructor(private readonly to: string) {}

		/** It is published with one trigger, of this node id. */
		async publish(
			nodeId: string,
			{ id = 'first', secret = SECRET, others, process = this.own }: Place = {},
		) {
			const started = await n8n.run(id, {
				credentials: { appSecret: secret },
				parameters: { options: { alsoPassOnTo: [this.to] } },
				workflowId: this.workflowId,
				nodeId,
				workflowData: this.data,
				others,
				Process: process,
			});
			const { trigger } = started;
			const save = () => (this.data = JSON.parse(JSON.stringify(trigger.workflowData)));
			save();
			return {
				...started,
				take: async (name: string) => {
					expect((await postSigned(started.url, press(name), secret)).status).toBe(200);
					save();
				},
				end: async () => await trigger.deactivate(),
			};
		}
	}

	/** Presses that the test itself names have one letter. */
	const taken = (of: Started) => idsOf(of).filter((id) => String(id).length === 1);

	/** A receiver that takes much itself, so that it has forgotten after hours what it has taken. */
	async function startReceiver() {
		const second = await start('second');
		const hoursPass = async () => {
			for (const hour of [1, 2]) {
				jest.setSystemTime(began + hour * HOUR_MS);
				for (let part = 0; part < 2; part++) {
					const names = Array.from({ length: 800 }, (_, index) => `flood-${hour}-${part}-${index}`);
					const body = envelope(...names.map((name) => written(`[${name}]:approve`)));
					expect((await postSigned(second.server.url, body, SECRET)).status).toBe(200);
				}
			}
		};
		return { second, hoursPass };
	}

	const isTaken = async (of: Started, ...names: string[]) => {
		await waitFor(names.join(), 20_000, () =>
			names.every((name) => taken(of).includes(name)) ? true : undefined,
		);
	};

	/** In the same process the one that comes back knows that it was taken over; in another one the receiver cannot tell, and says so. */
	it.each([
		['made anew in the same process', 'first', 'same', 0],
		[
			'deleted, and another trigger of the workflow takes over in the same process',
			'other',
			'same',
			0,
		],
		['made anew, and called in another process', 'first', 'another', 1],
		['deleted, and another trigger takes over in another process', 'other', 'another', 1],
		['made anew, and called in another process, then in its own', 'first', 'both', 1],
	])(
		'49. %s: the receiver is started once',
		async (_what, id, where, untold) => {
			const { second, hoursPass } = await startReceiver();
			const workflow = new Workflow(second.url);
			n8n.switchOff('second');
			const former = await workflow.publish('former');
			await former.take('p');
			expect(String(former.trigger.staticData.keptCalls)).not.toBe('');
			await former.end();
			const anew = await workflow.publish('anew', {
				id,
				...(where !== 'same' && { process: loadAnew() }),
			});
			n8n.publish('second', second.server);
			await anew.take('q');
			await isTaken(second, 'p', 'q');
			await sleepMs(300);
			await anew.take('r');
			await anew.end();
			if (where === 'both') {
				const here = await workflow.publish('anew', { id });
				await here.take('o');
				await here.end();
			}
			await hoursPass();
			const again = await workflow.publish('former');
			await again.take('s');
			await isTaken(second, 's');
			await again.take('t');
			await isTaken(second, 't');
			await sleepMs(4_000);
			expect(taken(second).filter((name) => name !== 'o')).toEqual(['p', 'q', 'r', 's', 't']);
			const refused = second.trigger.log.filter((line) => line.includes('refused 1 event'));
			expect(refused).toHaveLength(untold);
			expect(again.trigger.log.join()).not.toContain('lost');
		},
		60_000,
	);

	it.each([
		['the first ones of a process', false],
		['the first ones after a restart', true],
	])(
		'49d. two calls overlap, %s, and nobody takes over: the receiver gets what both have kept, although it has forgotten much meanwhile',
		async (_what, isRestarted) => {
			const { second, hoursPass } = await startReceiver();
			const workflow = new Workflow(second.url);
			if (isRestarted) {
				const before = await workflow.publish('node', { process: loadAnew() });
				await before.take('o');
				await before.end();
			}
			n8n.switchOff('second');
			const [one, other] = [await workflow.publish('node'), await workflow.publish('node')];
			await one.take('p');
			await other.take('q');
			await one.end();
			await hoursPass();
			n8n.publish('second', second.server);
			const again = await workflow.publish('node');
			await again.take('s');
			await isTaken(second, 'p', 'q', 's');
		},
		60_000,
	);

	it('49b. deleted, and nobody can take over what it keeps: the receiver gets it once it is restored, although it has forgotten much meanwhile', async () => {
		const { second, hoursPass } = await startReceiver();
		const workflow = new Workflow(second.url);
		n8n.switchOff('second');
		const former = await workflow.publish('former');
		await former.take('p');
		await former.end();
		const type = 'n8n-nodes-diyalog.diyalogTrigger';
		const position: [number, number] = [0, 0];
		const other = await workflow.publish('other', {
			id: 'other',
			secret: 'another-one',
			others: [{ id: 'third', name: 'Third', type, typeVersion: 2, position, parameters: {} }],
		});
		for (const name of ['n', 'o']) await other.take(name);
		await other.end();
		await hoursPass();
		n8n.publish('second', second.server);
		const again = await workflow.publish('former');
		await again.take('s');
		await isTaken(second, 's');
		expect(taken(second)).toEqual(['p', 's']);
		expect(second.trigger.log.join()).not.toContain('refused 1 event');
	}, 60_000);

	it('49c. made anew while n8n stores what a call has started, which is kept as well: the receiver gets it once', async () => {
		const { second } = await startReceiver();
		const workflow = new Workflow(second.url);
		n8n.switchOff('second');
		const former = await workflow.publish('former');
		await former.take('o');
		former.server.storesAfterMs = 2_000;
		const long = former.take('p');
		await sleepMs(500);
		const anew = await workflow.publish('anew');
		await anew.take('q');
		await former.end();
		await anew.end();
		// n8n saves all of the static data as this call has them.
		await long;
		n8n.publish('second', second.server);
		const again = await workflow.publish('anew');
		await again.take('r');
		await isTaken(second, 'o', 'p', 'q', 'r');
		await sleepMs(4_000);
		await again.take('s');
		await isTaken(second, 's');
		expect(taken(second).sort()).toEqual(['o', 'p', 'q', 'r', 's']);
		expect(again.trigger.workflowData).not.toHaveProperty(['Diyalog Trigger former', 'keptCalls']);
	}, 60_000);
});
