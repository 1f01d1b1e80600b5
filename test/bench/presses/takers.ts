import { randomBytes, randomUUID } from 'node:crypto';
import { runConcurrently } from '../../../nodes/Diyalog/actions/concurrency';
import { firstOutputOf } from '../../../tools/n8n/executions';
import type { N8n } from '../../../tools/n8n/n8n';
import { sleepMs, waitFor } from '../../../tools/system';
import { trigger, webhook, workflow } from '../../e2e/harness/workflows';
import type { Row } from '../../e2e/harness/workflows';
import { postSigned } from '../../support/sign';
import { entry, envelope, written } from '../../support/webhookBodies';
import { BY_HAND, byHand } from './byHand';
import { groupCpuMs } from './groupCpu';

/* What takes calls of Diyalog, in one n8n, and how many of them in a second. */

const SECRET = randomBytes(16).toString('hex');
const CALLS_AT_ONCE = 10;
const ENDS_WITHIN_MS = 300_000;
/** What a call is stored with a moment after it was answered. */
const CALM_MS = 500;

/** One way to take calls. */
export interface Taker {
	workflowId: string;
	url: string;
	/** the node whose items are what was taken */
	end: string;
}

/** What so many calls took. */
export interface Taken {
	callsPerSecond: number;
	/** of n8n, its task runner included */
	cpuMsPerCall: number;
}

const press = (): object => written(`[${randomUUID()}]:approve`);

/** A batch of so many presses, each of another message. */
export const presses = (count: number) => (): string =>
	envelope(...Array.from({ length: count }, press));

/** A batch of so many receipts, which a trigger for presses leaves out. */
export const receipts = (count: number) => (): string =>
	envelope(
		...Array.from({ length: count }, () =>
			entry({ reads: { mids: [randomUUID()], watermark: Date.now() } }),
		),
	);

async function taker(n8n: N8n, name: string, row: Row, path: string, end: string): Promise<Taker> {
	const workflowId = await n8n.createWorkflow(workflow(name, [row]));
	return { workflowId, url: await n8n.webhookUrl(path), end };
}

/** Everything that takes calls here. */
export interface Takers {
	diyalog: Taker;
	byHand: Taker;
	/** n8n's Webhook node, which takes calls from anybody */
	plain: Taker;
	/** the same, only from callers with the right header */
	headerAuth: Taker;
}

/** Publishes all of them in one n8n. */
export async function publish(n8n: N8n): Promise<Takers> {
	const diyalogId = await n8n.createCredential('Diyalog', {
		serverUrl: 'http://127.0.0.1:1',
		botToken: 'token',
		appSecret: SECRET,
	});
	const cryptoId = await n8n.createCredential('Crypto', { hmacSecret: SECRET }, 'crypto');
	const header = { name: 'x-api-key', value: SECRET };
	const headerId = await n8n.createCredential('Header', header, 'httpHeaderAuth');
	const triggerId = randomUUID();
	const authenticated = webhook(
		'authenticated',
		{ authentication: 'headerAuth' },
		{ credentials: { httpHeaderAuth: { id: headerId, name: 'Header' } } },
	);
	return {
		diyalog: await taker(
			n8n,
			'Diyalog Trigger',
			[trigger(diyalogId, triggerId)],
			`${triggerId}/webhook`,
			'Diyalog Trigger',
		),
		byHand: await taker(n8n, 'By hand', byHand('by-hand', cryptoId), 'by-hand', BY_HAND.end),
		plain: await taker(n8n, 'Webhook', [webhook('plain')], 'plain', 'Call'),
		headerAuth: await taker(n8n, 'Header Auth', [authenticated], 'authenticated', 'Call'),
	};
}

const post = async (url: string, body: string, secret = SECRET): Promise<number> => {
	const response = await postSigned(url, body, secret, { 'x-api-key': SECRET });
	await response.text();
	return response.status;
};

const successes = async (n8n: N8n, { workflowId }: Taker): Promise<number> =>
	await n8n.executionCount(workflowId, 'success');

/**
 * Posts so many calls, and waits until the executions that they start have ended.
 *
 * @throws Error when a call is not answered with 200, or more or fewer executions come of it
 */
export async function take(
	n8n: N8n,
	taker: Taker,
	calls: number,
	body: () => string,
	startsExecution: boolean,
): Promise<Taken> {
	const expected = (await successes(n8n, taker)) + (startsExecution ? calls : 0);
	const bodies = Array.from({ length: calls }, body);
	const pid = n8n.pid ?? 0;
	const cpuBeforeMs = await groupCpuMs(pid);
	const beginMs = performance.now();
	const postOne = async (index: number) => {
		const status = await post(taker.url, bodies[index] ?? '');
		if (status !== 200) throw new Error(`A call was answered with ${status}`);
	};
	await runConcurrently(calls, CALLS_AT_ONCE, postOne, () => true);
	await waitFor(`${expected} executions`, ENDS_WITHIN_MS, async () => {
		return (await successes(n8n, taker)) >= expected ? true : undefined;
	});
	const seconds = (performance.now() - beginMs) / 1_000;
	const cpuMs = (await groupCpuMs(pid)) - cpuBeforeMs;
	const found = await successes(n8n, taker);
	if (found !== expected) throw new Error(`${found} executions in place of ${expected}`);
	return { callsPerSecond: calls / seconds, cpuMsPerCall: cpuMs / calls };
}

/** How many items came out of a taker in all its executions. */
async function itemsTaken(n8n: N8n, { workflowId, end }: Taker): Promise<number> {
	let count = 0;
	for (const { id } of await n8n.executions(workflowId, 'success'))
		count += firstOutputOf(await n8n.executionData(id), end).length;
	return count;
}

/**
 * Sees that a taker does what it is compared for: takes every press of a genuine call, none of a forged one, and none a
 * second time.
 *
 * @throws Error when it does not
 */
export async function check(n8n: N8n, taker: Taker, count: number): Promise<void> {
	const before = await itemsTaken(n8n, taker);
	const [genuine, forged] = [presses(count)(), presses(count)()];
	await post(taker.url, forged, 'another secret');
	await post(taker.url, genuine);
	await waitFor('a genuine call is taken', ENDS_WITHIN_MS, async () =>
		(await itemsTaken(n8n, taker)) >= before + count ? true : undefined,
	);
	await post(taker.url, genuine);
	await post(taker.url, forged, 'another secret');
	await sleepMs(CALM_MS);
	await waitFor('everything has ended', ENDS_WITHIN_MS, async () =>
		(await n8n.executionCount(taker.workflowId, 'running', 'new')) === 0 ? true : undefined,
	);
	const taken = (await itemsTaken(n8n, taker)) - before;
	if (taken !== count) throw new Error(`${taker.end}: ${taken} presses in place of ${count}`);
}
