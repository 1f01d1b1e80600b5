import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import { postSigned, postStatus } from '../../../support/sign';
import { envelope, written } from '../../../support/webhookBodies';
import { serve, statusesOf } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Two processes of one n8n take the status callbacks of one trigger. n8n loads the static data when a call begins, and saves all of
 * them when it ends: a call that began before writes back what the other process has written meanwhile.
 */

const SECRET = 'the-app-secret';
const setup = {
	parameters: {
		events: ['statusCallback', 'buttonPressed'],
		authentication: 'signature',
		options: {},
	},
	credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
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
async function begin(Process: Process) {
	const trigger = new Process(setup, id, JSON.parse(database) as IDataObject);
	const server = await serve(trigger);
	servers.push(server);
	return {
		/** n8n hands it to the trigger, and saves its static data. */
		async goOn(status: string, messageId = 'a'): Promise<unknown[]> {
			expect(await postStatus(server.statusUrl, status, { messageId })).toBe(200);
			database = JSON.stringify(trigger.staticData);
			return statusesOf(server);
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
	expect(await (await begin(other)).goOn('Approved')).toEqual([['Approved', false]]);
	// It has begun before the next one, and ends after it.
	const overlapping = await begin(other);
	expect(await (await begin(one)).goOn('Cancelled')).toEqual([['Cancelled', false]]);
	await overlapping.goOn('SentToUser', 'b');
	expect(await (await begin(other)).goOn('Approved')).toEqual([['Approved', true]]);
}, 30_000);

it('2. each takes some by turns: none is lost, and what the other has taken is known', async () => {
	const all: unknown[] = [];
	for (const [index, status] of ['Approved', 'Cancelled', 'Approved', 'Cancelled'].entries())
		all.push(...(await (await begin(index % 2 ? one : other)).goOn(status, 'c')));
	expect(all).toEqual([
		['Approved', false],
		['Cancelled', false],
		['Approved', true],
		['Cancelled', true],
	]);
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
