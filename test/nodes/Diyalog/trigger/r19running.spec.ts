import { randomBytes, randomUUID } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { http, sleepMs, waitFor } from '../../../../tools/system';
import type { AddressInfo } from '../../../../tools/system';
import { TriggerUnderTest } from '../../../support/nodeRuntime';
import type * as NodeRuntime from '../../../support/nodeRuntime';
import { postSigned } from '../../../support/sign';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';
import type { EntryParts } from '../../../support/webhookBodies';
import { entry, envelope } from '../../../support/webhookBodies';
import { serve } from '../../../support/webhookServer';
import type { WebhookServer } from '../../../support/webhookServer';

/*
 * Attacks on answers that are kept because they could not be passed on, numbered: one is carried out once, in time, and by nobody
 * but the waiting node; what is not carried out is not claimed to be.
 */

const SECRET = randomBytes(16).toString('hex');
const OTHER_SECRET = randomBytes(16).toString('hex');
const HOUR_MS = 60 * 60_000;

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:1';

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string>;
let workflowId: string;
let trigger: TriggerUnderTest;
let server: WebhookServer | undefined;
let closeAfterwards: (() => Promise<void>) | undefined;

/** The trigger as it is from now on: another process has another memory, and what n8n has stored. */
async function become(
	options: INodeParameters,
	id = workflowId,
	staticData: IDataObject = trigger?.staticData ?? {},
	Trigger = TriggerUnderTest,
	authentication = 'signature',
): Promise<void> {
	await server?.close();
	const stored = JSON.parse(JSON.stringify(staticData)) as IDataObject;
	const parameters = { events: ['buttonPressed'], authentication, options };
	const n8n = { url: instance.url };
	trigger = new Trigger({ credentials, parameters }, id, stored, n8n);
	server = await serve(trigger);
}

/** The code of the trigger as another process loads it, which knows nothing of this one. */
function loadAnew(): typeof TriggerUnderTest {
	let loaded: typeof NodeRuntime | undefined;
	jest.isolateModules(() => {
		loaded = jest.requireActual<typeof NodeRuntime>('../../../support/nodeRuntime');
	});
	if (!loaded || loaded.TriggerUnderTest === TriggerUnderTest) throw new Error('It is the same');
	return loaded.TriggerUnderTest;
}

/** What stands between n8n and itself: it gives so many wrong answers, each after so many milliseconds, and then hands calls on. */
async function startBetween(...wrongAfterMs: number[]) {
	let answered = 0;
	const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const afterMs = wrongAfterMs.shift();
		if (afterMs !== undefined) {
			await sleepMs(afterMs);
			response.writeHead(404).end('Nobody is here');
		} else {
			const headers = { 'content-type': 'application/json' };
			const body = Buffer.concat(chunks).toString();
			const handed = await fetch(`${instance.url}${request.url}`, {
				method: 'POST',
				headers,
				body,
			});
			response.writeHead(handed.status).end(await handed.text());
		}
		answered++;
	};
	const listener = http.createServer((request, response) => void answer(request, response));
	await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
	closeAfterwards = async () => {
		listener.closeAllConnections();
		await new Promise((resolve) => listener.close(resolve));
	};
	const { port } = listener.address() as AddressInfo;
	return { url: `http://127.0.0.1:${port}`, answered: () => answered };
}

const works = async () => await become({});
const restarts = async (staticData?: IDataObject) => {
	workflowId = randomUUID();
	await become({}, workflowId, staticData);
};

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
	credentials = { serverUrl: sandbox.url, botToken: 'bot-token', appSecret: SECRET };
	workflowId = randomUUID();
	await become({ n8nAddress: NOWHERE }, workflowId, {});
});

afterEach(async () => {
	jest.useRealTimers();
	expect(instance.escaped).toEqual([]);
	expect(server?.escaped).toEqual([]);
	await server?.close();
	server = undefined;
	await closeAfterwards?.();
	closeAfterwards = undefined;
	await sandbox.close();
	await instance.close();
});

interface Asked {
	execution: WaitingExecution;
	message: StoredMessage;
}

async function ask(given: INodeParameters = {}, appSecret = SECRET): Promise<Asked> {
	const execution = await instance.ask({ ...credentials, appSecret }, given);
	const message = sandbox.messages().at(-1);
	if (!message) throw new Error('Nothing was sent');
	return { execution, message };
}

/** The status that a call of Diyalog with these events is answered with. */
const statusOf = async (...events: object[]): Promise<number> =>
	(await postSigned(server?.url ?? '', envelope(...events), SECRET)).status;

/** One call of Diyalog with these events. */
async function post(...events: object[]): Promise<void> {
	expect(await statusOf(...events)).toBe(200);
}

const said = (text: string, at = Date.now(), more: EntryParts = {}, mid = 'other') =>
	entry({ message: { mid, text } }, { time: Date.now(), timestamp: at, ...more });

const pressed = ({ message }: Asked, payload: string, at?: number, more?: EntryParts) =>
	said(`[${message.messageId}]:${payload}`, at, more);

const say = async (text: string, at?: number, mid?: string) => await post(said(text, at, {}, mid));

const tap = async ({ message }: Asked, payload = 'approve', at = Date.now()) =>
	await say(`[${message.messageId}]:${payload}`, at);

/** Any call of Diyalog. */
const nextCall = async () => await say(`[any-${randomUUID()}]:x`);

const items = () => (server?.executions ?? []).flat();

interface StoredAnswer {
	messageId: string;
	answer: string;
	proof: string;
	keptAtMs: number;
}

const stored = (): StoredAnswer[] =>
	JSON.parse(String(trigger.staticData.keptAnswers || '[]')) as StoredAnswer[];

const decisions = ({ execution }: Asked) => execution.continuations.map(([item]) => item?.decision);

const logged = async (text: string) =>
	await waitFor(text, 10_000, () => trigger.log.find((line) => line.includes(text)));

const KEPT = { resumed: null, notResumedReason: 'kept' };


it('J. the execution runs for a minute after the answer, n8n fails to store the item, the call is repeated when it waits', async () => {
	let isRunning = true;
	let handedOn = 0;
	const listener = http.createServer((request, response) => {
		void (async () => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk as Buffer);
			if (isRunning) {
				response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'The execution "1" is running already.' }));
				return;
			}
			handedOn++;
			const handed = await fetch(`${instance.url}${request.url}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.concat(chunks).toString() });
			response.writeHead(handed.status).end(await handed.text());
		})();
	});
	await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
	closeAfterwards = async () => {
		listener.closeAllConnections();
		await new Promise((resolve) => listener.close(resolve));
	};
	const { port } = listener.address() as AddressInfo;
	await become({ n8nAddress: `http://127.0.0.1:${port}` }, workflowId, {});
	const asked = await ask();
	const body = envelope(pressed(asked, 'approve', Date.now()));
	if (server) server.isDiskFull = true;
	// Diyalog hangs up after 2 seconds.
	await postSigned(server?.url ?? '', body, SECRET, {}, AbortSignal.timeout(2_000)).catch(() => undefined);
	await waitFor('not stored', 80_000, () => trigger.log.find((line) => line.includes('did not store')));
	if (server) server.isDiskFull = false;
	isRunning = false;
	expect((await postSigned(server?.url ?? '', body, SECRET)).status).toBe(200);
	console.log('J', items(), 'decisions', decisions(asked), 'asked n8n', handedOn, 'stored outcomes', trigger.staticData.outcomes);
	expect(decisions(asked)).toEqual(['approved']);
}, 120_000);
