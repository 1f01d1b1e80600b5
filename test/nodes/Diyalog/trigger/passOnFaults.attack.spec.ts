import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { sleepMs, waitFor } from '../../../../tools/system';
import { OneN8n } from '../../../support/oneN8n';
import type { Started } from '../../../support/oneN8n';
import { postSigned } from '../../../support/sign';
import { entry, envelope, written } from '../../../support/webhookBodies';

/*
 * Faults while a call is passed on. Diyalog was told 200, so another trigger gets the call sooner or later: whoever stood in between,
 * however slow n8n is, and whatever its addresses were meanwhile.
 */

const SECRET = randomBytes(16).toString('hex');

let n8n: OneN8n;

beforeEach(async () => {
	n8n = await OneN8n.start();
});

afterEach(async () => {
	await n8n.close();
});

/** @param knownUrl what n8n takes for its own address */
const start = async (
	id: string,
	options: INodeParameters = {},
	staticData: IDataObject = {},
	knownUrl = n8n.url,
	events = ['buttonPressed', 'textReceived'],
): Promise<Started> =>
	await n8n.run(id, {
		credentials: { appSecret: SECRET },
		parameters: { events, options },
		staticData,
		knownUrl,
		isActivated: Object.keys(staticData).length === 0,
	});

const press = (id: string, size = 0) => envelope(written(`[${id}]:approve${'x'.repeat(size)}`));

const post = async ({ url }: Started, body: string) => (await postSigned(url, body, SECRET)).status;

const idsOf = ({ server }: Started) => server.executions.flat().map(({ messageId }) => messageId);

const keptOf = ({ trigger }: Started) =>
	String(trigger.staticData.keptCalls ?? '')
		.split(',')
		.filter(Boolean).length;

/** What the trigger has put out after some seconds, in which a call is tried again. */
async function idsAfterSomeTime(of: Started): Promise<unknown[]> {
	await waitFor('the call', 8_000, () => (idsOf(of).length > 0 ? true : undefined)).catch(
		() => undefined,
	);
	return idsOf(of);
}

it.each([
	['a proxy that lets Diyalog through and not n8n', 403, '<html>403 Forbidden</html>'],
	['a proxy that wants a password', 407, 'Proxy Authentication Required'],
	['a login in front of n8n', 401, '<html>Authorization required</html>'],
	['a load balancer that knows no such host', 421, 'Misdirected Request'],
])('1. %s refuses for a moment (%i): the call goes on afterwards', async (_what, status, text) => {
	const second = await start('second');
	n8n.faults.set('/webhook/second/', { status, text });
	const first = await start('first', { alsoPassOnTo: [second.url] });
	expect(await post(first, press('a'))).toBe(200);
	n8n.faults.clear();
	expect(await idsAfterSomeTime(second)).toEqual(['a']);
});

it('2. n8n takes four seconds to store the execution of the other trigger, and then fails: the call goes on again', async () => {
	const second = await start('second');
	const first = await start('first', { alsoPassOnTo: [second.url] });
	Object.assign(second.server, { storesAfterMs: 4_000, isDiskFull: true });
	expect(await post(first, press('a'))).toBe(200);
	await waitFor('that n8n has failed', 10_000, () =>
		second.trigger.log.find((line) => line.includes('did not store')),
	);
	Object.assign(second.server, { storesAfterMs: 0, isDiskFull: false });
	await idsAfterSomeTime(second);
	// Diyalog does not repeat it, and would not help: it is not passed on again.
	expect(await post(first, press('b'))).toBe(200);
	await sleepMs(3_000);
	expect(idsOf(second).sort()).toEqual(['a', 'b']);
}, 40_000);

it.each([
	['another', () => 'http://localhost:5678'],
	['the same', () => n8n.url],
])(
	'3. n8n was started once with %s WEBHOOK_URL: what was kept goes on when it is right again',
	async (_what, urlOf) => {
		const second = await start('second');
		const options = { alsoPassOnTo: [second.url] };
		const first = await start('first', options);
		n8n.switchOff('second');
		expect(await post(first, press('a'))).toBe(200);
		expect(keptOf(first)).toBe(1);
		// Its process ends.
		await first.trigger.deactivate();
		const wrong = await start('first', options, first.trigger.staticData, urlOf());
		await post(wrong, press('b'));
		await sleepMs(500);
		await wrong.trigger.deactivate();
		const right = await start('first', options, wrong.trigger.staticData);
		n8n.publish('second', second.server);
		await post(right, press('c'));
		await waitFor('what was kept', 8_000, () =>
			idsOf(second).length > 1 ? true : undefined,
		).catch(() => undefined);
		expect(idsOf(second)).toContain('a');
	},
	30_000,
);

it('5. as long as n8n has another WEBHOOK_URL, nothing goes anywhere, and one line says that what was kept stays', async () => {
	const second = await start('second');
	const options = { alsoPassOnTo: [second.url] };
	const first = await start('first', options);
	n8n.switchOff('second');
	expect(await post(first, press('a'))).toBe(200);
	await first.trigger.deactivate();
	const wrong = await start('first', options, first.trigger.staticData, 'http://localhost:5678');
	n8n.calls.length = 0;
	for (const id of ['b', 'c']) expect(await post(wrong, press(id))).toBe(200);
	await sleepMs(5_000);
	expect(n8n.callsTo('second')).toEqual([]);
	expect(keptOf(wrong)).toBe(1);
	const { log } = wrong.trigger;
	expect(log.filter((line) => line.includes('stays kept for a day'))).toHaveLength(1);
	expect(log.filter((line) => line.includes('lost'))).toEqual([]);
}, 30_000);

describe('4. the other trigger needs a second for each call, and gets five in a second', () => {
	const CALLS = 100;

	async function lostOf(burst: number): Promise<{ taken: number; lost: string[] }> {
		const second = await start('second');
		second.server.storesAfterMs = 1_000;
		const first = await start('first', { alsoPassOnTo: [second.url] });
		const posts: Array<Promise<number>> = [];
		for (let call = 0; call < CALLS; call++) {
			// As large as a batch of ten events.
			posts.push(post(first, press(`m-${call}`, 5_000)));
			if (call >= burst) await sleepMs(200);
		}
		expect(new Set(await Promise.all(posts))).toEqual(new Set([200]));
		await waitFor('that nothing is in line', 90_000, () => {
			const { length } = n8n.callsTo('second').filter(({ status }) => status === 200);
			const isOver = length === CALLS || first.trigger.log.some((line) => line.includes('lost'));
			return isOver ? true : undefined;
		});
		await sleepMs(3_000);
		return {
			taken: new Set(idsOf(second)).size,
			lost: first.trigger.log.filter((line) => line.includes('lost')),
		};
	}

	it('from the beginning: none is lost', async () => {
		expect(await lostOf(0)).toEqual({ taken: CALLS, lost: [] });
	}, 150_000);

	it('behind a burst of 12: none is lost', async () => {
		expect((await lostOf(12)).lost).toEqual([]);
	}, 150_000);
});

describe('one call that is never taken keeps no other one from its trigger', () => {
	const FIREWALL = { status: 403, text: '<html>403 Forbidden</html>', ifHolding: '<script>' };

	const readOf = (count: number) => {
		const mids = Array.from({ length: count }, (_, index) => `t-${index}`);
		return envelope(entry({ reads: { mids, watermark: Date.now() } }));
	};

	it('6. more message ids than the other trigger takes, of which this one wants none', async () => {
		const events = ['buttonPressed', 'messageRead'];
		const second = await start('second', {}, {}, n8n.url, events);
		const first = await start('first', { alsoPassOnTo: [second.url] });
		expect(await post(first, readOf(1_001))).toBe(200);
		await waitFor('that it is refused', 5_000, () =>
			n8n.callsTo('second').some(({ status }) => status === 400) ? true : undefined,
		);
		expect(await post(first, press('a'))).toBe(200);
		await idsAfterSomeTime(second);
		await sleepMs(12_000);
		expect(idsOf(second)).toEqual(['a']);
	}, 40_000);

	it.each([403, 404, 500])(
		'7. a text that a firewall in front of n8n refuses (%i), typed by a customer',
		async (status) => {
			const second = await start('second');
			const first = await start('first', { alsoPassOnTo: [second.url] });
			n8n.faults.set('/webhook/second/', { ...FIREWALL, status });
			expect(await post(first, envelope(written('<script>alert(1)</script>')))).toBe(200);
			for (const id of ['a', 'b', 'c']) expect(await post(first, press(id))).toBe(200);
			await idsAfterSomeTime(second);
			await sleepMs(12_000);
			expect(idsOf(second)).toEqual(['a', 'b', 'c']);
		},
		40_000,
	);

	it('7b. and customers who write much meanwhile push out nobody', async () => {
		const second = await start('second');
		const first = await start('first', { alsoPassOnTo: [second.url] });
		n8n.faults.set('/webhook/second/', FIREWALL);
		expect(await post(first, envelope(written('<script>alert(1)</script>')))).toBe(200);
		expect(await post(first, press('a'))).toBe(200);
		for (let index = 0; index < 25; index++)
			expect(await post(first, press(`m-${index}`, 10_000))).toBe(200);
		await sleepMs(15_000);
		expect(idsOf(second)).toContain('a');
		expect(first.trigger.log.filter((line) => line.includes('lost'))).toEqual([]);
	}, 60_000);

	it('14. texts and presses by turns: a line in ten seconds at most, and none that is untrue', async () => {
		const second = await start('second');
		const first = await start('first', { alsoPassOnTo: [second.url] });
		n8n.faults.set('/webhook/second/', FIREWALL);
		for (let index = 0; index < 15; index++) {
			await post(first, envelope(written(`<script>${index}</script>`)));
			expect(await post(first, press(`p-${index}`))).toBe(200);
			await sleepMs(100);
		}
		await waitFor('all presses', 10_000, () => (idsOf(second).length === 15 ? true : undefined));
		expect(first.trigger.log).toEqual([
			expect.stringContaining('trigger second did not take a call'),
		]);
	}, 60_000);

	it('7c. thirty such texts are tried seldom and say little, and go on when the firewall lets them', async () => {
		const second = await start('second');
		const first = await start('first', { alsoPassOnTo: [second.url] });
		n8n.faults.set('/webhook/second/', FIREWALL);
		const presses = Array.from({ length: 40 }, (_, index) => `p-${index}`);
		for (let index = 0; index < 30; index++)
			await post(first, envelope(written(`<script>${index}</script>`)));
		for (const id of presses) {
			expect(await post(first, press(id))).toBe(200);
			await sleepMs(200);
		}
		await waitFor('all presses', 5_000, () =>
			idsOf(second).length === presses.length ? true : undefined,
		);
		expect(idsOf(second)).toEqual(presses);
		const refused = n8n.callsTo('second').filter(({ status }) => status === 403);
		expect(refused.length).toBeLessThan(80);
		expect(first.trigger.log.length).toBeLessThan(10);
		n8n.faults.clear();
		await waitFor('all texts', 40_000, () =>
			second.server.executions.length === 30 + presses.length ? true : undefined,
		);
	}, 90_000);
});

it('12. n8n takes 14 seconds to store the execution of the other trigger, and then fails: the call goes on again', async () => {
	const second = await start('second');
	const first = await start('first', { alsoPassOnTo: [second.url] });
	Object.assign(second.server, { storesAfterMs: 14_000, isDiskFull: true });
	expect(await post(first, press('a'))).toBe(200);
	await waitFor('that n8n has failed', 20_000, () =>
		second.trigger.log.find((line) => line.includes('did not store')),
	);
	// It was tried again meanwhile, and that one was not told that the first was taken.
	expect(n8n.callsTo('second').length).toBeGreaterThan(1);
	Object.assign(second.server, { storesAfterMs: 0, isDiskFull: false });
	await waitFor('the call', 20_000, () => (idsOf(second).length > 0 ? true : undefined));
	expect(idsOf(second)).toEqual(['a']);
	expect(first.trigger.log.filter((line) => line.includes('lost'))).toEqual([]);
}, 60_000);

it('11. a proxy starts anew in a moment (502): the calls go on in the order in which they came', async () => {
	const second = await start('second');
	const first = await start('first', { alsoPassOnTo: [second.url] });
	n8n.faults.set('/webhook/second/', { status: 502, text: 'Bad Gateway' });
	expect(await post(first, press('a'))).toBe(200);
	n8n.faults.clear();
	for (const id of ['b', 'c']) expect(await post(first, press(id))).toBe(200);
	await waitFor('all calls', 15_000, () => (idsOf(second).length === 3 ? true : undefined));
	expect(idsOf(second)).toEqual(['a', 'b', 'c']);
}, 30_000);

it('10. n8n is killed while a call is passed on, another one was taken meanwhile: the repetition is taken', async () => {
	const second = await start('second');
	const options = { alsoPassOnTo: [second.url] };
	const first = await start('first', options);
	n8n.faults.set('/webhook/second/', 'silence');
	const [long, short] = [press('long'), press('short')];
	const lasting = post(first, long);
	await waitFor('that it is passed on', 5_000, () => n8n.callsTo('second')[0]);
	n8n.faults.clear();
	expect(await post(first, short)).toBe(200);
	expect(idsOf(first)).toEqual(['short']);
	const restarted = await start('first', options, first.trigger.staticData);
	for (const body of [long, short]) expect(await post(restarted, body)).toBe(200);
	expect(idsOf(restarted)).toEqual(['long']);
	expect(await lasting).toBe(200);
}, 30_000);

describe('what stands in front of n8n says OK, and is no trigger', () => {
	it('8. to every call for a moment: the call goes on afterwards, and the log says so', async () => {
		const second = await start('second');
		n8n.faults.set('/webhook/second/', { status: 200, text: 'OK' });
		const first = await start('first', { alsoPassOnTo: [second.url] });
		expect(await post(first, press('a'))).toBe(200);
		n8n.faults.clear();
		expect(await idsAfterSomeTime(second)).toEqual(['a']);
		expect(first.trigger.log[0]).toContain('what answered with 200 is no Diyalog Trigger');
	}, 30_000);

	it('8b. a proxy takes the header of the reply away: calls are tried again, start each workflow once, and the log says why', async () => {
		const second = await start('second');
		const first = await start('first', { alsoPassOnTo: [second.url] });
		n8n.removedHeaders.push('x-diyalog-trigger');
		expect(await post(first, press('a'))).toBe(200);
		await waitFor('another try', 8_000, () =>
			n8n.callsTo('second').length > 1 ? true : undefined,
		);
		expect(idsOf(second)).toEqual(['a']);
		expect(first.trigger.log[0]).toContain('or its header x-diyalog-trigger was removed');
		n8n.removedHeaders.pop();
		await waitFor('that it is taken', 20_000, () =>
			first.trigger.log.find((line) => line.includes('takes the calls')),
		);
		expect(idsOf(second)).toEqual(['a']);
	}, 40_000);

	it('9. only who has authenticated and passes on reads that it is a trigger', async () => {
		const { url } = await start('second');
		const whoReplies = async (secret: string, headers: Readonly<Record<string, string>>) =>
			(await postSigned(url, press('a'), secret, headers)).headers.get('x-diyalog-trigger');
		const mark = { 'x-diyalog-passed-on': 'unproved' };
		expect(await whoReplies('another secret', mark)).toBeNull();
		expect(await whoReplies(SECRET, {})).toBeNull();
		expect(await whoReplies(SECRET, mark)).toBe('authenticated');
	});
});
