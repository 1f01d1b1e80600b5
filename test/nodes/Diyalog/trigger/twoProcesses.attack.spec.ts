import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import { waitFor } from '../../../../tools/system';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Two processes of one n8n take the status callbacks of one trigger. n8n loads the static data when a call begins, and saves all of
 * them when it ends: a call that began before writes back what the other process has written meanwhile.
 */

const SECRET = 'the-app-secret';
const TOKEN = 'callback';
const setup = {
	parameters: {
		events: ['statusCallback', 'buttonPressed'],
		authentication: 'signature',
		options: {},
	},
	credentials: { appSecret: SECRET, statusCallbackToken: TOKEN },
};

type Process = typeof TriggerUnderTest;

/** The code of the trigger as another process loads it, which knows nothing of this one. */
function loadAnew(): Process {
	let loaded: typeof NodeRuntime | undefined;
	jest.isolateModules(() => {
		loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
	});
	if (!loaded) throw new Error('It could not be loaded');
	return loaded.TriggerUnderTest;
}

const servers: WebhookServer[] = [];
const id = randomUUID();
let database: string;
let one: Process;
let other: Process;

beforeEach(() => {
	[one, other] = [loadAnew(), loadAnew()];
	database = '{}';
});

afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});

/** A call that has loaded what is in the database now. */
async function begin(Process: Process, storesAfterMs = 0) {
	const trigger = new Process(setup, id, JSON.parse(database) as IDataObject);
	const server = await serve(trigger);
	server.storesAfterMs = storesAfterMs;
	servers.push(server);
	return {
		hasStored: () => server.executions.length > 0,
		/** n8n hands it to the trigger, and saves its static data. */
		async goOn(status: string, messageId = 'a', expected = 200): Promise<unknown[]> {
			const { status: answered } = await fetch(server.statusUrl, {
				method: 'POST',
				headers: { 'content-type': 'application/json', 'auth-token': TOKEN },
				body: JSON.stringify({ messageId, status, customerNo: '1', secretData: '' }),
			});
			expect(answered).toBe(expected);
			if (answered === 200) database = JSON.stringify(trigger.staticData);
			return server.executions.flat().map(({ status: each }) => each);
		},
		/** The same with a press. */
		async take(body: string): Promise<unknown[]> {
			expect((await postSigned(server.url, body, SECRET)).status).toBe(200);
			database = JSON.stringify(trigger.staticData);
			return server.executions.flat().map(({ messageId }) => messageId);
		},
	};
}

it('1. Approved, Cancelled, Approved are three events, also when a call of the other process overlaps with the second', async () => {
	expect(await (await begin(other)).goOn('Approved')).toEqual(['Approved']);
	// It has begun before the next one, and ends after it.
	const overlapping = await begin(other);
	expect(await (await begin(one)).goOn('Cancelled')).toEqual(['Cancelled']);
	await overlapping.goOn('SentToUser', 'b');
	expect(await (await begin(one)).goOn('Approved')).toEqual(['Approved']);
}, 30_000);

it('2. the same, and the second is repeated: it starts nothing again', async () => {
	await (await begin(other)).goOn('Approved', 'c');
	const overlapping = await begin(other);
	expect(await (await begin(one)).goOn('Cancelled', 'c')).toEqual(['Cancelled']);
	await overlapping.goOn('SentToUser', 'd');
	expect(await (await begin(one)).goOn('Cancelled', 'c')).toEqual([]);
}, 30_000);

it('3. one has taken a press; the other one, whose call had begun before, saves older static data and gets its repetition: it starts once more, as documented, and not a third time', async () => {
	const press = envelope(written('[once]:approve'));
	const overlapping = await begin(other);
	expect(await (await begin(one)).take(press)).toEqual(['once']);
	expect(await overlapping.take(envelope(written('[another]:approve')))).toEqual(['another']);
	// Nobody works on the first call any more.
	expect(await (await begin(other)).take(press)).toEqual(['once']);
	for (const process of [one, other]) expect(await (await begin(process)).take(press)).toEqual([]);
}, 30_000);

it('3b. the same, and the one that has taken it has taken another press since: it starts nothing', async () => {
	const press = envelope(written('[once-b]:approve'));
	const overlapping = await begin(other);
	expect(await (await begin(one)).take(press)).toEqual(['once-b']);
	await overlapping.take(envelope(written('[another-b]:approve')));
	await (await begin(one)).take(envelope(written('[next-b]:approve')));
	expect(await (await begin(other)).take(press)).toEqual([]);
}, 30_000);

it('4. two take another status of one message, and neither knows of the other: nobody knows which was the last, so each may come again', async () => {
	await (await begin(other)).goOn('SentToUser', 'e');
	const overlapping = await begin(other);
	expect(await (await begin(one)).goOn('Approved', 'e')).toEqual(['Approved']);
	expect(await overlapping.goOn('Cancelled', 'e')).toEqual(['Cancelled']);
	expect(await (await begin(one)).goOn('Approved', 'e')).toEqual(['Approved']);
	expect(await (await begin(other)).goOn('Approved', 'e')).toEqual([]);
}, 30_000);

it('5. the other one has taken a later status: it counts for both', async () => {
	await (await begin(one)).goOn('Approved', 'f');
	await (await begin(other)).goOn('Cancelled', 'f');
	expect(await (await begin(one)).goOn('Cancelled', 'f')).toEqual([]);
	expect(await (await begin(one)).goOn('Approved', 'f')).toEqual(['Approved']);
	expect(await (await begin(other)).goOn('Cancelled', 'f')).toEqual(['Cancelled']);
}, 30_000);

it('6. one process still has an older release, which stores no counts and leaves those that it finds: Approved, Cancelled, Approved are three events', async () => {
	await (await begin(one)).goOn('SentToUser', 'g');
	await (await begin(one)).goOn('Approved', 'g');
	await (await begin(one)).goOn('Approved', 'h');
	const before = JSON.parse(database) as IDataObject;
	await (await begin(other)).goOn('Cancelled', 'g');
	const after = JSON.parse(database) as IDataObject;
	const { statusCounts, outcomes } = before;
	database = JSON.stringify({ ...after, statusCounts, outcomes });
	expect(await (await begin(one)).goOn('Approved', 'g')).toEqual(['Approved']);
}, 30_000);

it('7. one takes long to store Cancelled, so that it is to be repeated: Approved, which comes behind it to the other one, is not lost', async () => {
	await (await begin(one)).goOn('Approved', 'i');
	await (await begin(one, 6_000)).goOn('Cancelled', 'i', 503);
	expect(await (await begin(other)).goOn('Cancelled', 'i')).toEqual(['Cancelled']);
	expect(await (await begin(other)).goOn('Approved', 'i')).toEqual(['Approved']);
}, 30_000);

/** By whom, and which. */
type Turn = readonly ['one' | 'other', string];

it.each<readonly [string, readonly Turn[]]>([
	[
		'8. each takes some',
		[
			['one', 'Approved'],
			['other', 'Cancelled'],
			['other', 'Approved'],
			['one', 'Cancelled'],
			['other', 'Approved'],
		],
	],
	[
		'9. one takes more than the other knows of',
		[
			['one', 'Approved'],
			['other', 'Cancelled'],
			['other', 'Approved'],
			['other', 'Cancelled'],
			['other', 'Approved'],
			['one', 'Cancelled'],
			['one', 'Timeout'],
			['other', 'Approved'],
		],
	],
])(
	'%s, and nothing overlaps: none is lost, and a repetition starts nothing',
	async (name, turns) => {
		for (const [by, status] of turns) {
			const process = by === 'one' ? one : other;
			expect(await (await begin(process)).goOn(status, name)).toEqual([status]);
			expect(await (await begin(process)).goOn(status, name)).toEqual([]);
		}
	},
	30_000,
);

it('10. Approved is under way at one, the other takes Approved and Cancelled, Approved is under way at one again, and n8n has stored the first when one is killed: the second is not lost', async () => {
	const first = await begin(one, 9_000);
	await first.goOn('Approved', 'j', 503);
	for (const status of ['Approved', 'Cancelled'])
		expect(await (await begin(other)).goOn(status, 'j')).toEqual([status]);
	await (await begin(one, 16_000)).goOn('Approved', 'j', 503);
	await waitFor('the first', 15_000, () => (first.hasStored() ? true : undefined));
	await (await begin(one)).goOn('SentToUser', 'k');
	expect(await (await begin(loadAnew())).goOn('Approved', 'j')).toEqual(['Approved']);
}, 60_000);
