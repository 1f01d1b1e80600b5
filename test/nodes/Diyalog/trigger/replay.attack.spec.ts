import type { INode, INodeParameters } from 'n8n-workflow';
import { SeenEvents } from '../../../../nodes/Diyalog/events/seenEvents';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { heapBytes } from '../../../support/heap';
import { postSigned, postStatus } from '../../../support/sign';
import { sleepMs } from '../../../../tools/system';
import { envelope, entry, written } from '../../../support/webhookBodies';
import { serve, statusesOf } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';
import { ALL_BUT_THE_DATE } from '../../../support/testClock';

/* Attacks with what was sent before, numbered: nothing is taken twice, and what cannot be told is refused, not taken. */

const MINUTE_MS = 60_000;
const MAX_AGE_MS = 15 * MINUTE_MS;
const START_MS = Date.UTC(2026, 10, 24);

/** So many in 15 minutes at 50 a second. */
const EVENTS = 45_000;

const fingerprint = (index: number) => String(index).padStart(10, 'f');
const at = (index: number) => START_MS + index * 20;

/** What a process knows after a restart. */
function restored(stored: unknown): SeenEvents {
	const seen = new SeenEvents();
	seen.merge(stored);
	return seen;
}

/** Jest's own expect takes seconds for so many. */
function expectNotTaken(seen: SeenEvents, index: number, sentAtMs: number): void {
	const novelty = seen.add({ text: fingerprint(index), sentAtMs });
	if (novelty === 'new') throw new Error(`${index} is taken twice`);
}

describe('50 events a second', () => {
	const now = at(EVENTS);
	let seen: SeenEvents;
	let stored: string;

	beforeAll(() => {
		seen = new SeenEvents();
		for (let index = 0; index < EVENTS; index++) {
			const novelty = seen.add({ text: fingerprint(index), sentAtMs: at(index) });
			if (novelty !== 'new') throw new Error(`${index} is ${novelty}`);
			if (index % 100 === 0) seen.forgetOld(at(index), MAX_AGE_MS);
		}
		seen.forgetOld(now, MAX_AGE_MS);
		stored = seen.toText();
	});

	const replayed = (memory: SeenEvents) =>
		Array.from({ length: EVENTS }, (_, index) =>
			memory.add({ text: fingerprint(index), sentAtMs: at(index) }),
		).filter((novelty) => novelty === 'new').length;

	it('1. all of 15 minutes replayed: none is taken', () => expect(replayed(seen)).toBe(0));

	it('2. and after a restart: none is taken, from half a megabyte of text', () => {
		expect(replayed(restored(stored))).toBe(0);
		expect(stored.length).toBeLessThan(500_000);
	});

	it('3. for hours: the memory stays as small, and nothing of the last 15 minutes is taken twice', () => {
		const memory = restored(stored);
		const hours = 4 * EVENTS;
		for (let index = EVENTS; index < hours; index++) {
			memory.add({ text: fingerprint(index), sentAtMs: at(index) });
			if (index % 100 === 0) memory.forgetOld(at(index), MAX_AGE_MS);
		}
		memory.forgetOld(at(hours), MAX_AGE_MS);
		const text = memory.toText();
		expect(text.length).toBeLessThan(500_000);
		const restarted = restored(text);
		for (let index = 0; index < hours; index++) {
			expectNotTaken(restarted, index, at(index));
		}
	});

	it('4. sent from 15 minutes ahead: known until they are too old, half an hour later', () => {
		const memory = new SeenEvents();
		const ahead = 2 * EVENTS;
		for (let index = 0; index < ahead; index++) {
			memory.add({ text: fingerprint(index), sentAtMs: at(index) + MAX_AGE_MS });
			if (index % 1_000 === 0) memory.forgetOld(at(index), MAX_AGE_MS);
		}
		const restarted = restored(memory.toText());
		for (let index = 0; index < ahead; index++) {
			expectNotTaken(restarted, index, at(index) + MAX_AGE_MS);
		}
		expect(restarted.add({ text: 'fresh56789', sentAtMs: at(ahead) + MAX_AGE_MS })).toBe('new');
	});
});

describe('a flood beyond what fits', () => {
	const FLOOD = 250_000;
	const flooded = () => {
		const seen = new SeenEvents();
		for (let index = 0; index < FLOOD; index++) {
			seen.add({ text: fingerprint(index), sentAtMs: START_MS + index });
			if (index % 1_000 === 0) seen.forgetOld(START_MS + index, MAX_AGE_MS);
		}
		seen.forgetOld(START_MS + FLOOD, MAX_AGE_MS);
		return seen;
	};

	it.each([
		['5. in one process', (seen: SeenEvents) => seen],
		['6. after a restart', (seen: SeenEvents) => restored(seen.toText())],
	])('%s: what was forgotten is refused, what comes is taken', (_, restart) => {
		const seen = restart(flooded());
		expect(seen.toText().length).toBeLessThan(1_100_000);
		for (let index = 0; index < FLOOD; index += 7) {
			expectNotTaken(seen, index, START_MS + index);
		}
		expect(seen.add({ text: 'unseen6789', sentAtMs: START_MS })).toBe('untold');
		expect(seen.add({ text: 'unseen6789', sentAtMs: START_MS + FLOOD })).toBe('new');
	});

	it('7. of events that each come from another time, with calls of any age', () => {
		const seen = new SeenEvents();
		for (let index = 0; index < FLOOD; index++) {
			seen.add({ text: fingerprint(index), sentAtMs: START_MS + index * MINUTE_MS });
			if (index % 10_000 === 0) seen.forgetOld(START_MS, 0);
		}
		seen.forgetOld(START_MS, 0);
		expect(seen.toText().length).toBeLessThan(1_100_000);
		expect(seen.add({ text: fingerprint(0), sentAtMs: START_MS })).toBe('untold');
	});
});

describe('what was forgotten', () => {
	it('8. is refused also when Maximum Age is raised afterwards', () => {
		const seen = new SeenEvents();
		for (let index = 0; index < 2_000; index++)
			seen.add({ text: fingerprint(index), sentAtMs: START_MS });
		seen.forgetOld(START_MS + 20 * MINUTE_MS, MAX_AGE_MS);
		seen.forgetOld(START_MS + 20 * MINUTE_MS, 60 * MINUTE_MS);
		expect(seen.add({ text: fingerprint(0), sentAtMs: START_MS })).not.toBe('new');
	});

	it('9. was not: the last thousand are known for days, also if a server repeats them then', () => {
		const seen = new SeenEvents();
		for (let index = 0; index < 900; index++)
			seen.add({ text: fingerprint(index), sentAtMs: START_MS });
		const later = START_MS + 3 * 24 * 60 * MINUTE_MS;
		seen.forgetOld(later, MAX_AGE_MS);
		expect(seen.add({ text: fingerprint(5), sentAtMs: later })).toBe('repeated');
	});

	it('10. is not what was repeated meanwhile: the repetition can be played again as well', () => {
		const seen = new SeenEvents();
		seen.add({ text: 'the-answer', sentAtMs: START_MS });
		const repeated = { text: 'the-answer', sentAtMs: START_MS + 14 * MINUTE_MS };
		expect(seen.add(repeated)).toBe('repeated');
		for (let index = 0; index < 2_000; index++)
			seen.add({ text: fingerprint(index), sentAtMs: START_MS + 15 * MINUTE_MS });
		seen.forgetOld(START_MS + 20 * MINUTE_MS, MAX_AGE_MS);
		expect(restored(seen.toText()).add(repeated)).toBe('repeated');
	});
});

it('59. the last thousand are known whenever they came, also where most of them came in one moment', () => {
	const HOUR_MS = 60 * MINUTE_MS;
	const seen = new SeenEvents();
	for (let index = 0; index < 1_001; index++) {
		const sentAtMs = START_MS + (index < 990 ? 0 : HOUR_MS + index * 1_000);
		seen.add({ text: fingerprint(index), sentAtMs });
		seen.forgetOld(sentAtMs, MAX_AGE_MS);
	}
	for (let index = 1; index < 1_001; index++) expectNotTaken(seen, index, START_MS + 2 * HOUR_MS);
});

describe('what was taken back', () => {
	const event = { text: 'taken-back', sentAtMs: START_MS };

	it('11. is taken when it is repeated, also beside a memory that still knows it', () => {
		const seen = new SeenEvents();
		seen.add(event);
		const other = seen.toText();
		seen.forget(event);
		seen.merge(other);
		expect(seen.add(event)).toBe('new');
		expect(seen.add(event)).toBe('repeated');
	});

	it('11b. was taken by another process, before or after this one has failed: it is known', () => {
		const other = restored(undefined);
		other.add(event);
		for (const isBefore of [true, false]) {
			const seen = new SeenEvents();
			seen.add(event, true);
			if (isBefore) seen.merge(other.toText());
			seen.forget(event);
			if (!isBefore) seen.merge(other.toText());
			expect(restored(seen.toText()).add(event)).toBe('repeated');
			expect(seen.add(event, true)).toBe('repeated');
		}
	});

	it('11c. is taken back once more: no memory that still knows it from here counts', () => {
		const seen = new SeenEvents();
		seen.add(event);
		const other = seen.toText();
		seen.forget(event);
		expect(seen.add(event, true)).toBe('new');
		seen.merge(other);
		seen.forget(event);
		seen.merge(other);
		expect(seen.add(event, true)).toBe('new');
	});

	it('12. is taken also when a flood has moved on what is forgotten', () => {
		const seen = new SeenEvents();
		seen.add(event);
		seen.forget(event);
		for (let index = 0; index < 2_000; index++)
			seen.add({ text: fingerprint(index), sentAtMs: START_MS });
		seen.forgetOld(START_MS + 20 * MINUTE_MS, MAX_AGE_MS);
		expect(seen.add(event)).toBe('new');
	});
});

it('48. more calls under way than are known as such: what they have taken is stored all the same', () => {
	const seen = new SeenEvents();
	const events = Array.from({ length: 25_100 }, (_, index) => ({
		text: fingerprint(index),
		sentAtMs: START_MS,
	}));
	for (const event of events) seen.add(event, true);
	// Another call ends and is stored, much later.
	seen.add({ text: 'the-other-', sentAtMs: START_MS + MINUTE_MS });
	seen.toText();
	for (const event of events) seen.settle(event);
	expect(restored(seen.toText()).add({ text: fingerprint(50), sentAtMs: START_MS })).toBe(
		'repeated',
	);
});

it('13. memories of two processes know together what each has taken and forgotten', () => {
	const one = new SeenEvents();
	const other = new SeenEvents();
	for (let index = 0; index < 3_000; index++)
		(index % 2 ? one : other).add({ text: fingerprint(index), sentAtMs: at(index) });
	for (let index = 0; index < 2_000; index++)
		other.add({ text: fingerprint(9_000_000 + index), sentAtMs: START_MS - 60 * MINUTE_MS });
	other.forgetOld(START_MS, MAX_AGE_MS);
	one.merge(other.toText());
	for (let index = 0; index < 3_000; index++)
		expect(one.add({ text: fingerprint(index), sentAtMs: at(index) })).toBe('repeated');
	expect(one.add({ text: 'unseen6789', sentAtMs: START_MS - 60 * MINUTE_MS })).toBe('untold');
});

it.each([[undefined], [null], [7], [''], ['x'.repeat(1_000)], ['zz,q:'], [',:,:::,-:-'], [{}]])(
	'14. a memory that is damaged (%j) costs no event',
	(stored) => {
		const seen = restored(stored);
		expect(seen.add({ text: 'the-answer', sentAtMs: START_MS })).toBe('new');
		expect(restored(seen.toText()).add({ text: 'the-answer', sentAtMs: START_MS })).toBe(
			'repeated',
		);
	},
);

describe('through the trigger', () => {
	const SECRET = 'the-app-secret';
	const SIGNING_SECRET = 'k'.repeat(32);
	let server: WebhookServer;
	let trigger: TriggerUnderTest;

	const credentials = {
		appSecret: SECRET,
		statusCallbackToken: 'callback',
		payloadSignature: 'separated',
		payloadSignatureSeparator: '.',
		payloadSignatureMethod: 'hmacSha256',
		payloadSignatureEncoding: 'hex',
		payloadSignatureSecret: SIGNING_SECRET,
	};
	const setup = (options = {}) => ({
		parameters: {
			events: ['buttonPressed', 'statusCallback'],
			authentication: 'signature',
			options,
		},
		credentials,
	});

	beforeEach(async () => {
		trigger = new TriggerUnderTest(setup());
		server = await serve(trigger);
	});

	/** Another trigger in place of the first; with a stored memory, the same one after a restart. */
	const serveAnew = async (next: TriggerUnderTest): Promise<void> => {
		await server.close();
		trigger = next;
		server = await serve(trigger);
	};

	afterEach(async () => {
		await server.close();
		expect(server.escaped).toEqual([]);
	});

	const post = async (body: string) => (await postSigned(server.url, body, SECRET)).status;

	it('15. a recorded call after the key of signed payloads was changed', async () => {
		const recorded = envelope(written('[a]:approve.00ff'));
		await post(recorded);
		trigger.changeCredential({ ...credentials, payloadSignature: 'none' });
		await sleepMs(1_100);
		await post(recorded);
		expect(server.executions).toHaveLength(1);
	});

	it('16. two presses of one button at different times are two events', async () => {
		const time = Date.now();
		await post(envelope(written('[a]:x', { time, timestamp: time - 2 })));
		await post(envelope(written('[a]:x', { time, timestamp: time - 1 })));
		expect(server.executions).toHaveLength(2);
	});

	it('17. a recorded call after a restart, beside 3,000 others', async () => {
		const time = Date.now();
		const bodies = Array.from({ length: 300 }, (_, batch) =>
			envelope(
				...Array.from({ length: 10 }, (_unused, index) =>
					written(`[m-${batch}-${index}]:x`, { time }),
				),
			),
		);
		for (const body of bodies) await post(body);
		expect(server.executions).toHaveLength(300);
		const stored = JSON.parse(JSON.stringify(trigger.staticData)) as object;
		await serveAnew(new TriggerUnderTest(setup(), 'after-restart', { ...stored }));
		for (const body of bodies) expect(await post(body)).toBe(200);
		expect(server.executions).toEqual([]);
	});

	it('18. an event that cannot be told is refused with a line in the log', async () => {
		const seen = new SeenEvents();
		for (let index = 0; index < 2_000; index++) {
			const sentAtMs = Date.now() - (index < 1_000 ? MINUTE_MS : MINUTE_MS / 2);
			seen.add({ text: fingerprint(index), sentAtMs });
		}
		seen.forgetOld(Date.now(), 1);
		const stored = { seenEvents: seen.toText() };
		await serveAnew(new TriggerUnderTest(setup(), 'after-flood', stored));
		expect(await post(envelope(written('[a]:x', { time: Date.now() - MINUTE_MS })))).toBe(200);
		expect(server.executions).toEqual([]);
		expect(trigger.log.join()).toContain('refused 1 event(s)');
		expect(await post(envelope(written('[b]:x')))).toBe(200);
		expect(server.executions).toHaveLength(1);
	});

	it('45. a recorded call played again writes nothing to the database', async () => {
		const recorded = envelope(written('[a]:x'));
		await post(recorded);
		const before = trigger.staticDataWrites;
		for (let call = 0; call < 20; call++) await post(recorded);
		expect(trigger.staticDataWrites).toBe(before);
		await post(envelope(written('[b]:x')));
		expect(trigger.staticDataWrites).toBeGreaterThan(before);
	});

	it('46. what n8n could not store is not known after a restart either, once something else was taken', async () => {
		server.isDiskFull = true;
		const failed = envelope(written('[a]:x'));
		expect(await post(failed)).toBe(500);
		server.isDiskFull = false;
		await post(envelope(written('[b]:x')));
		const stored = JSON.parse(JSON.stringify(trigger.staticData)) as object;
		await serveAnew(new TriggerUnderTest(setup(), 'taken-back-restarted', { ...stored }));
		expect(await post(failed)).toBe(200);
		expect(server.executions).toHaveLength(1);
	});

	describe('a repetition that comes while the first call is under way', () => {
		const pressed = written('[a]:x');
		const press = envelope(pressed);
		const postTwice = async () => {
			const first = post(press);
			await sleepMs(300);
			return await Promise.all([first, post(press)]);
		};

		it('49. n8n stores the first: the repetition is told that it was taken, and not before', async () => {
			server.storesAfterMs = 1_500;
			const first = post(press);
			await sleepMs(300);
			let isTold = false;
			const second = post(press).finally(() => {
				isTold = true;
			});
			await sleepMs(700);
			expect(isTold).toBe(false);
			expect(await Promise.all([first, second])).toEqual([200, 200]);
			expect(server.executions).toHaveLength(1);
		});

		it('49b. n8n fails to store the first: nobody is told that it was taken, and the next repetition is', async () => {
			Object.assign(server, { storesAfterMs: 1_500, isDiskFull: true });
			expect(await postTwice()).toEqual([500, 503]);
			Object.assign(server, { storesAfterMs: 0, isDiskFull: false });
			expect(await post(press)).toBe(200);
			expect(server.executions).toHaveLength(1);
		});

		it('49c. n8n takes long: the repetition is to be repeated, until n8n has stored the first', async () => {
			server.storesAfterMs = 5_000;
			const [, repeated] = await postTwice();
			expect(repeated).toBe(503);
			expect(server.executions).toHaveLength(0);
			await sleepMs(2_500);
			expect(await post(press)).toBe(200);
			expect(server.executions).toHaveLength(1);
		}, 15_000);

		it('49d. in one call with something new: that starts an execution, and the call is to be repeated', async () => {
			server.storesAfterMs = 5_000;
			const first = post(press);
			await sleepMs(300);
			server.storesAfterMs = 0;
			const both = envelope(pressed, written('[b]:x'));
			expect(await post(both)).toBe(503);
			await first;
			await sleepMs(2_500);
			expect(await post(both)).toBe(200);
			expect(server.executions).toHaveLength(2);
		}, 15_000);
	});

	it('60. a recorded call of 1,000 receipts that is played again while n8n holds the first one back: nothing stays of that in memory', async () => {
		const receipts = { ...setup(), parameters: { ...setup().parameters, events: ['messageRead'] } };
		await serveAnew(new TriggerUnderTest(receipts, 'held-back'));
		// Longer than all that follows takes where others work as well.
		server.storesAfterMs = 60_000;
		const mids = Array.from({ length: 1_000 }, (_, index) => `message-${index}`);
		const body = envelope(entry({ reads: { mids, watermark: Date.now() } }));
		const first = post(body).catch(() => 0);
		await sleepMs(500);
		const replay = async () => await Promise.all(Array.from({ length: 100 }, () => post(body)));
		await replay();
		const before = heapBytes();
		for (let round = 0; round < 3; round++) expect(new Set(await replay())).toEqual(new Set([503]));
		expect(heapBytes() - before).toBeLessThan(20e6);
		await server.close();
		server = await serve(trigger);
		await first;
	}, 90_000);

	/** As the editor makes them. */
	const other = (name: string, type: string, parameters: INodeParameters): INode => ({
		id: name,
		name,
		type,
		typeVersion: 1,
		position: [0, 0],
		parameters,
	});
	const CALLED = 'n8n-nodes-base.executeWorkflow';
	const TOOL = '@n8n/n8n-nodes-langchain.toolWorkflow';
	const SCHEDULE = 'n8n-nodes-base.scheduleTrigger';
	const every = (...interval: INodeParameters[]) => ({ rule: { interval } });

	it.each<[string, string, INodeParameters]>([
		['a sub-workflow from an address', CALLED, { source: 'url', workflowUrl: 'http://x' }],
		['a sub-workflow from a file', CALLED, { source: 'localFile', workflowPath: '/x' }],
		['a sub-workflow from an item', TOOL, { source: 'parameter', workflowJson: '={{ $json.x }}' }],
		['a sub-workflow from an item decides where', CALLED, { source: '={{ $json.from }}' }],
		['a mailbox', 'n8n-nodes-base.emailReadImap', {}],
		['every two hours', SCHEDULE, every({ field: 'hours', hoursInterval: 2 })],
		['every two days, behind an hour', SCHEDULE, every({ field: 'hours' }, { daysInterval: 2 })],
		['every 25 minutes', SCHEDULE, every({ field: 'minutes', minutesInterval: 25 })],
		['as an item says', SCHEDULE, every({ field: 'weeks', weeksInterval: '={{ 2 }}' })],
	])(
		'57. beside %s nothing is taken, because n8n would forget it',
		async (name, type, parameters) => {
			trigger.publishWith([other(name, type, parameters)]);
			expect(await post(envelope(written('[a]:x')))).toBe(503);
			expect(trigger.log.join()).toContain(`The node ${name} writes to the static data`);
			expect([server.executions, trigger.staticDataWrites]).toEqual([[], 0]);
		},
	);

	it.each<[string, string, INodeParameters]>([
		['a sub-workflow that n8n has stored', CALLED, { workflowId: { value: '7' } }],
		['a tool that n8n has stored', TOOL, { source: 'database', workflowId: '7' }],
		['a sub-workflow that is written down', TOOL, { source: 'parameter', workflowJson: '{}' }],
		['each hour', SCHEDULE, every({ field: 'hours' })],
		['each day at nine', SCHEDULE, every({ triggerAtHour: 9 })],
		['every 15 minutes', SCHEDULE, every({ field: 'minutes', minutesInterval: 15 })],
		['every 45 seconds', SCHEDULE, every({ field: 'seconds', secondsInterval: 45 })],
		['a cron expression', SCHEDULE, every({ field: 'cronExpression', expression: '0 9 * * 1' })],
		['another node', 'n8n-nodes-base.httpRequest', { url: '={{ $json.url }}', source: 'url' }],
	])('58. beside %s all is taken', async (name, type, parameters) => {
		trigger.publishWith([other(name, type, parameters)]);
		expect(await post(envelope(written('[a]:x')))).toBe(200);
		expect(server.executions).toHaveLength(1);
	});

	it('47. beside a node that would have n8n forget it, nothing is taken, and only who is authenticated causes a line', async () => {
		const jsCode = "$getWorkflowStaticData('global').count = 1;";
		const counter = other('Count', 'n8n-nodes-base.code', { jsCode });
		const press = envelope(written('[a]:x'));
		trigger.publishWith([counter]);
		const forged = await postSigned(server.url, press, 'another secret');
		expect([forged.status, trigger.log.join()]).toEqual([
			401,
			expect.not.stringContaining('The node Count'),
		]);
		for (let call = 0; call < 3; call++) expect(await post(press)).toBe(503);
		expect(trigger.log.filter((line) => line.includes('The node Count writes'))).toHaveLength(1);
		expect([server.executions, trigger.staticDataWrites]).toEqual([[], 0]);
		trigger.publishWith([{ ...counter, disabled: true }]);
		expect(await post(press)).toBe(200);
		expect(server.executions).toHaveLength(1);
	});

	describe('a tool has made the trigger anew, under another id of its node', () => {
		const GONE = 'Diyalog Trigger gone';
		const type = 'n8n-nodes-diyalog.diyalogTrigger';
		const at = (webhookId: string) => ({ ...setup(), settings: { webhookId } });

		/** What a trigger has stored that has taken this press. */
		async function takenAt(webhookId: string, body: string): Promise<object> {
			await serveAnew(new TriggerUnderTest(at(webhookId)));
			expect(await post(body)).toBe(200);
			expect(server.executions).toHaveLength(1);
			return JSON.parse(JSON.stringify(trigger.staticData)) as object;
		}

		async function anew(webhookId: string, gone: object, own = {}): Promise<void> {
			await serveAnew(new TriggerUnderTest(at(webhookId), undefined, own));
			trigger.workflowData[GONE] = { ...gone };
		}

		const withAnother = (webhookId: string) =>
			trigger.publishWith([
				{
					id: 'another',
					webhookId,
					name: 'Another',
					type,
					typeVersion: 2,
					position: [0, 0],
					parameters: {},
				},
			]);

		it('61. a recorded call starts nothing, also after one more restart, and nothing stays under the former id', async () => {
			const body = envelope(written('[a]:approve'));
			await anew('same', await takenAt('same', body));
			withAnother('other');
			expect(await post(body)).toBe(200);
			expect(server.executions).toEqual([]);
			expect(trigger.workflowData[GONE]).toBeUndefined();
			const stored = JSON.parse(JSON.stringify(trigger.staticData)) as object;
			await serveAnew(new TriggerUnderTest(at('same'), undefined, { ...stored }));
			expect(await post(body)).toBe(200);
			expect(server.executions).toEqual([]);
		});

		it('61b. of an older release, which stored no address: the only trigger of the workflow takes it', async () => {
			const body = envelope(written('[a]:approve'));
			await anew('same', { ...(await takenAt('same', body)), webhookId: undefined });
			expect(await post(body)).toBe(200);
			expect([server.executions, trigger.workflowData[GONE]]).toEqual([[], undefined]);
		});

		it('61c. of a trigger at another address, beside another trigger, or beside what it has taken itself: it takes nothing of it', async () => {
			const body = envelope(written('[a]:approve'));
			const gone = await takenAt('former', body);
			const own = await takenAt('mine', envelope(written('[b]:approve')));
			await anew('mine', gone, own);
			expect(await post(body)).toBe(200);
			expect(server.executions).toHaveLength(1);
			await anew('mine', gone);
			withAnother('former');
			expect(await post(body)).toBe(200);
			expect(server.executions).toHaveLength(1);
			expect(trigger.workflowData[GONE]).toEqual(gone);
		});

		it('61d. of a status callback too: one that says the same may be a repetition', async () => {
			await serveAnew(new TriggerUnderTest(at('same')));
			for (const status of ['Approved', 'Cancelled']) await postStatus(server.statusUrl, status);
			await anew('same', JSON.parse(JSON.stringify(trigger.staticData)) as object);
			for (const status of ['Cancelled', 'Timeout']) await postStatus(server.statusUrl, status);
			expect(statusesOf(server)).toEqual([
				['Cancelled', true],
				['Timeout', false],
			]);
		});

		it('61e. what nobody has taken over is removed after a day, and stays until then', async () => {
			const gone = await takenAt('former', envelope(written('[a]:approve')));
			await anew('mine', gone);
			withAnother('other');
			await post(envelope(written('[b]:approve')));
			expect(trigger.workflowData[GONE]).toEqual(gone);
			const { orphansSince } = trigger.staticData;
			expect(Object.keys(Object(orphansSince))).toEqual([GONE]);
			const dayAgo = { [GONE]: Date.now() - 25 * 60 * MINUTE_MS };
			await anew('mine', gone, { orphansSince: dayAgo });
			withAnother('other');
			await post(envelope(written('[c]:approve')));
			expect(trigger.workflowData[GONE]).toBeUndefined();
			expect(trigger.log.join()).toContain('deleted from this workflow a day ago is removed');
			expect(trigger.staticData.orphansSince).toEqual({});
		});
	});

	describe('status callbacks carry no time: each comes out, and says whether one that says the same was taken before', () => {
		const callback = async (status: string, customerNo = '1', messageId = 'a') =>
			await postStatus(server.statusUrl, status, { customerNo, messageId });

		const restartAs = async (name: string) => {
			const stored = JSON.parse(JSON.stringify(trigger.staticData)) as object;
			await serveAnew(new TriggerUnderTest(setup(), name, { ...stored }));
		};

		it('19. Approved, Cancelled, Approved, each twice: none is lost', async () => {
			for (const status of ['Approved', 'Cancelled', 'Approved'])
				for (let time = 0; time < 2; time++) expect(await callback(status)).toBe(200);
			expect(statusesOf(server)).toEqual([
				['Approved', false],
				['Approved', true],
				['Cancelled', false],
				['Cancelled', true],
				['Approved', true],
				['Approved', true],
			]);
		});

		it('20. those of other messages and customers, and with other signed data, are no repetition', async () => {
			await callback('Approved');
			await callback('Approved', '2');
			await callback('Approved', '1', 'b');
			await postStatus(server.statusUrl, 'Approved', { messageId: 'a', secretData: 'signed' });
			expect(statusesOf(server)).toEqual(Array.from({ length: 4 }, () => ['Approved', false]));
		});

		it('21. that n8n could not store are no repetition when they come again, and those before them are', async () => {
			await callback('Approved');
			server.isDiskFull = true;
			for (const status of ['Cancelled', 'Approved']) expect(await callback(status)).toBe(500);
			server.isDiskFull = false;
			for (const status of ['Approved', 'Cancelled']) expect(await callback(status)).toBe(200);
			expect(statusesOf(server)).toEqual([
				['Approved', false],
				['Approved', true],
				['Cancelled', false],
			]);
		});

		it('50. two that say the same at once, of which n8n stores neither: the next one is no repetition', async () => {
			Object.assign(server, { isDiskFull: true, storesAfterMs: 300 });
			const first = callback('Approved');
			await sleepMs(100);
			expect(await Promise.all([first, callback('Approved')])).toEqual([500, 500]);
			Object.assign(server, { isDiskFull: false, storesAfterMs: 0 });
			expect(await callback('Approved')).toBe(200);
			expect(statusesOf(server)).toEqual([['Approved', false]]);
		});

		it('51. two at once, of which n8n stores the first: that one alone is known after a restart', async () => {
			server.storesAfterMs = 300;
			const first = callback('Approved');
			await sleepMs(100);
			const second = callback('Cancelled');
			expect(await first).toBe(200);
			server.isDiskFull = true;
			expect(await second).toBe(500);
			await restartAs('callbacks-51');
			for (const status of ['Approved', 'Cancelled']) await callback(status);
			expect(statusesOf(server)).toEqual([
				['Approved', true],
				['Cancelled', false],
			]);
		});

		it('54. that n8n could not store is not known after a restart either, once something else was taken', async () => {
			server.isDiskFull = true;
			expect(await callback('Cancelled')).toBe(500);
			server.isDiskFull = false;
			await callback('Approved', '1', 'another');
			await restartAs('callbacks-54');
			expect(await callback('Cancelled')).toBe(200);
			expect(statusesOf(server)).toEqual([['Cancelled', false]]);
		});

		it('53. Only New Status Callbacks: one that comes again while the first is under way, which n8n does not store in the end, is not told OK', async () => {
			await serveAnew(new TriggerUnderTest(setup({ onlyNewStatuses: true })));
			Object.assign(server, { isDiskFull: true, storesAfterMs: 500 });
			const first = callback('Approved');
			await sleepMs(100);
			expect(await Promise.all([first, callback('Approved')])).toEqual([500, 503]);
			Object.assign(server, { isDiskFull: false, storesAfterMs: 0 });
			for (let time = 0; time < 2; time++) expect(await callback('Approved')).toBe(200);
			expect(statusesOf(server)).toEqual([['Approved', false]]);
		});

		it.each([true, false])(
			'55. many events of a clock ahead have pushed out what was before, Only New Status Callbacks: %s: no status counts as known for that',
			async (onlyNewStatuses) => {
				const seen = new SeenEvents();
				for (let index = 0; index < 2_000; index++) {
					const sentAtMs = Date.now() + (index < 1_000 ? 10 : 14) * MINUTE_MS;
					seen.add({ text: fingerprint(index), sentAtMs });
				}
				seen.forgetOld(Date.now() + 30 * MINUTE_MS, MINUTE_MS);
				expect(seen.add({ text: fingerprint(9_999), sentAtMs: Date.now() })).toBe('untold');
				const data = { seenEvents: seen.toText() };
				await serveAnew(new TriggerUnderTest(setup({ onlyNewStatuses }), undefined, data));
				for (let time = 0; time < 2; time++) expect(await callback('Approved')).toBe(200);
				const again = onlyNewStatuses ? [] : [['Approved', true]];
				expect(statusesOf(server)).toEqual([['Approved', false], ...again]);
			},
		);

		describe('the clock of n8n is not that of Diyalog', () => {
			const setClock = (minutes: number) =>
				jest.useFakeTimers({
					now: START_MS + minutes * MINUTE_MS,
					doNotFake: [...ALL_BUT_THE_DATE],
				});

			afterEach(() => jest.useRealTimers());

			const flood = async (name: string) => {
				for (let batch = 0; batch < 11; batch++)
					await Promise.all(
						Array.from({ length: 100 }, async (_, index) => {
							expect(await callback('Approved', '1', `${name}-${batch}-${index}`)).toBe(200);
						}),
					);
			};

			it('62. it was ahead for 20 minutes in which many came: no event is refused when it is right, and no repetition of a status passes for new', async () => {
				setClock(180);
				await flood('before');
				setClock(200);
				await flood('after');
				setClock(21);
				expect(await post(envelope(written('[a]:x')))).toBe(200);
				expect(server.executions.at(-1)).toMatchObject([{ messageId: 'a' }]);
				await restartAs('clock-62');
				expect(await post(envelope(written('[b]:x')))).toBe(200);
				await callback('Approved', '1', 'after-0-0');
				const again = { messageId: 'after-0-0', mayBeRepeated: true };
				expect(server.executions.flat()).toMatchObject([{ messageId: 'b' }, again]);
			}, 60_000);

			it('63. an older release had events count as forgotten until a time to come: until then they are to be repeated, and none is told OK', async () => {
				const seen = new SeenEvents();
				for (let index = 0; index < 2_000; index++) {
					const minutes = index < 1_000 ? 180 : 200;
					seen.add({ text: fingerprint(index), sentAtMs: START_MS + minutes * MINUTE_MS });
				}
				seen.forgetOld(START_MS + 200 * MINUTE_MS, MAX_AGE_MS);
				setClock(175);
				const data = { seenEvents: seen.toText() };
				await serveAnew(new TriggerUnderTest(setup(), 'clock-63', data));
				const early = envelope(written('[early]:x'));
				expect(await post(early)).toBe(503);
				expect(trigger.log.join()).toContain('refused 1 event(s) for now (503)');
				setClock(181);
				expect(await post(early)).toBe(503);
				expect(server.executions).toEqual([]);
				expect(await post(envelope(written('[later]:x')))).toBe(200);
				expect(server.executions).toHaveLength(1);
			});
		});

		it('52. one that n8n has not stored is not known when n8n is killed: whoever leaves repetitions out loses nothing', async () => {
			await callback('Timeout');
			const stored = JSON.stringify(trigger.staticData);
			server.storesAfterMs = 20_000;
			expect(await callback('Approved')).toBe(200);
			await serveAnew(
				new TriggerUnderTest(setup(), 'callbacks-52', { ...(JSON.parse(stored) as object) }),
			);
			for (const status of ['Approved', 'Timeout']) await callback(status);
			expect(statusesOf(server)).toEqual([
				['Approved', false],
				['Timeout', true],
			]);
		}, 20_000);
	});

	describe('times', () => {
		const now = () => Date.now();
		const press = (parts: object) => {
			const given = entry({ message: { mid: 'm', text: '[a]:x' } }) as {
				time?: unknown;
				messaging: Array<{ timestamp?: unknown }>;
			};
			const [element] = given.messaging;
			Object.assign(given, parts);
			if (element && 'timestamp' in parts) element.timestamp = parts.timestamp;
			return envelope(given);
		};
		const iso = (epochMs: number) => new Date(epochMs).toISOString();

		it.each([
			['23. in seconds', (ms: number) => Math.floor(ms / 1_000), 1_000],
			['24. with a fraction of a millisecond', (ms: number) => ms + 0.5, 1],
			['25. in seconds with a fraction', (ms: number) => ms / 1_000, 1],
			['26. as text', (ms: number) => String(ms), 1],
			['27. in seconds as text', (ms: number) => String(Math.floor(ms / 1_000)), 1_000],
		])('%s are understood', async (_, writing, within) => {
			const time = now();
			expect(await post(press({ time: writing(time), timestamp: writing(time - 5_000) }))).toBe(
				200,
			);
			const [item] = server.executions.flat();
			expect(Math.abs(Date.parse(String(item?.sentAt)) - time)).toBeLessThanOrEqual(within);
			expect(Math.abs(Date.parse(String(item?.occurredAt)) - time + 5_000)).toBeLessThanOrEqual(
				within,
			);
		});

		it.each([
			['28. in seconds', -16 * MINUTE_MS, (ms: number) => ms / 1_000],
			['29. as text', -16 * MINUTE_MS, String],
			['30. in seconds, from the future', 16 * MINUTE_MS, (ms: number) => ms / 1_000],
		])('a recorded call with its times %s is too old', async (_, offset, writing) => {
			const time = writing(now() + offset);
			expect(await post(press({ time, timestamp: time }))).toBe(401);
			expect(server.executions).toEqual([]);
		});

		it('31. without timestamp: the time of sending is taken, and the log says so', async () => {
			const time = now();
			const body = press({ time, timestamp: undefined });
			for (let call = 0; call < 2; call++) expect(await post(body)).toBe(200);
			expect(server.executions.flat()).toEqual([
				expect.objectContaining({ occurredAt: iso(time), sentAt: iso(time) }),
			]);
			expect(trigger.log.join()).toContain('one of entry.time and messaging.timestamp is missing');
		});

		it('32. without time of sending: a fresh timestamp is taken, an old one is refused', async () => {
			expect(await post(press({ time: undefined, timestamp: now() - 16 * MINUTE_MS }))).toBe(401);
			expect(server.executions).toEqual([]);
			expect(await post(press({ time: undefined, timestamp: now() - MINUTE_MS }))).toBe(200);
			expect(server.executions).toHaveLength(1);
		});

		it.each([
			['33. with no time at all', {}, {}],
			['34. with no time at all and calls of any age', { freshnessMinutes: 0 }, {}],
			['35. with null for both times', {}, { time: null, timestamp: null }],
		])('%s: refused, and the log names the field', async (_, options, parts) => {
			await serveAnew(new TriggerUnderTest(setup(options)));
			await post(press({ time: undefined, timestamp: undefined, ...parts }));
			expect(server.executions).toEqual([]);
			expect(trigger.log.join()).toContain('messaging.timestamp');
		});

		it.each([
			['36. a time that is no time', { time: 'yesterday-secret' }, 'entry.time'],
			['37. a timestamp that is no time', { timestamp: 'yesterday-secret' }, 'messaging.timestamp'],
			['38. a timestamp that no Date can hold', { timestamp: 9e15 }, 'messaging.timestamp'],
			['39. an infinite one', { timestamp: '9'.repeat(20) }, 'messaging.timestamp'],
			['40. a hexadecimal one', { timestamp: '0x1999999999' }, 'messaging.timestamp'],
		])('%s: the log names the field, not what it holds', async (_, parts, field) => {
			expect(await post(press(parts))).toBe(200);
			expect(server.executions).toEqual([]);
			expect(trigger.log.join()).toContain(field);
			expect(trigger.log.join()).not.toContain('secret');
		});
	});

	it('41. a signed call that is no webhook says so in the log', async () => {
		expect(await post('{"object":"page","entry":[]}')).toBe(400);
		expect(trigger.log.join()).toContain('"object": "dialog"');
	});

	it.each([
		['42. 100,000 message ids in one delivery', ['messageDelivered'], 100_000, 400, 0],
		['43. 1,000 of them', ['messageDelivered'], 1_000, 200, 1_000],
		['44. 100,000 that nobody asks for, beside a press', ['buttonPressed'], 100_000, 200, 1],
	])('%s', async (_, events, count, status, items) => {
		await serveAnew(
			new TriggerUnderTest({ ...setup(), parameters: { ...setup().parameters, events } }),
		);
		const mids = Array.from({ length: count }, (_unused, index) => String(index));
		const delivery = entry({ delivery: { mids } });
		const body = events.includes('buttonPressed')
			? envelope(delivery, written('[a]:x'))
			: envelope(delivery);
		expect(await post(body)).toBe(status);
		expect(server.executions.flat()).toHaveLength(items);
	});
});
