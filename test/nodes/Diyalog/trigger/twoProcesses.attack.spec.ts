import { randomUUID } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
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
const setup = (options: INodeParameters) => ({
	parameters: { events: ['statusCallback', 'buttonPressed'], authentication: 'signature', options },
	credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
});

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
async function begin(Process: Process, options: INodeParameters = {}) {
	const trigger = new Process(setup(options), id, JSON.parse(database) as IDataObject);
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
		/** n8n cannot store what it starts, and saves nothing. */
		async fail(post: (server: WebhookServer) => Promise<number>): Promise<void> {
			server.isDiskFull = true;
			expect(await post(server)).toBe(500);
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

describe('one cannot store what a call starts, and the other one takes the repetition: the call starts nothing more', () => {
	const failed = (body: string) => async (server: WebhookServer) =>
		(await postSigned(server.url, body, SECRET)).status;

	it('4. a press, and both take others meanwhile', async () => {
		const press = envelope(written('[once-4]:approve'));
		await (await begin(one)).fail(failed(press));
		expect(await (await begin(other)).take(press)).toEqual(['once-4']);
		for (const process of [one, other])
			await (await begin(process)).take(envelope(written(`[next-${servers.length}]:approve`)));
		for (const process of [other, one, loadAnew()])
			expect(await (await begin(process)).take(press)).toEqual([]);
	}, 30_000);

	it('4b. a press, and the one that has failed takes another one last: who starts anew knows the press', async () => {
		const press = envelope(written('[once-4b]:approve'));
		await (await begin(one)).fail(failed(press));
		expect(await (await begin(other)).take(press)).toEqual(['once-4b']);
		await (await begin(one)).take(envelope(written('[next-4b]:approve')));
		expect(await (await begin(loadAnew())).take(press)).toEqual([]);
	}, 30_000);

	it('4c. a status callback, Only New Status Callbacks', async () => {
		const options = { onlyNewStatuses: true };
		await (
			await begin(one, options)
		).fail(async ({ statusUrl }) => await postStatus(statusUrl, 'Approved', { messageId: 'd' }));
		const again = async (process: Process) =>
			await (await begin(process, options)).goOn('Approved', 'd');
		expect(await again(other)).toEqual([['Approved', false]]);
		for (const process of [other, one]) expect(await again(process)).toEqual([]);
	}, 30_000);
});
