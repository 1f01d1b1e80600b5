import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { hmacSha1 } from '../support/sign';
import { fs, sleepMs, waitFor } from '../../tools/system';
import { entry, envelope } from '../support/webhookBodies';
import { breakSqlite, mendSqlite } from './harness/database';
import type { Begin } from './harness/database';
import { Stage } from './harness/waiting';
import type { Asked, AskingWorkflow } from './harness/waiting';
import { node, whicheverWay } from './harness/workflows';

/*
 * Attacks on the way of an answer from Diyalog's call to the execution that waits for it, in a real n8n: its database fails,
 * it holds executions back, it is restarted. An answer is carried out once, or reported as what it is.
 */

/** How long Diyalog shall wait at most for its answer. */
const DIYALOG_WAITS_MS = 5_000;

/** What n8n logs when two answers are sent to one call, or when nobody expects an error. */
const ODD =
	/headers (after they are|already) sent|ERR_HTTP_HEADERS_SENT|ERR_STREAM|unhandled|uncaught/i;

let stage: Stage;
let workflow: AskingWorkflow;

beforeAll(async () => {
	stage = await Stage.set({
		settings: { N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' },
		// Only Signed Presses is not activated without it.
		credential: {
			payloadSignature: 'jws',
			payloadSignatureAlgorithm: 'HS256',
			payloadSignatureSecret: 'a'.repeat(64),
		},
	});
	workflow = await asking();
}, 900_000);

afterAll(async () => {
	await stage?.clear();
}, 60_000);

afterEach(async () => {
	await mendSqlite(stage.n8n.userFolder);
	expect(await log()).not.toMatch(ODD);
});

const log = async () => await fs.readFile(stage.n8n.logFile, 'utf8');

/** A workflow that asks, and sends a message for each time that it goes on, whichever way. */
async function asking(parameters: Readonly<Record<string, unknown>> = {}): Promise<AskingWorkflow> {
	return await stage.createCalled(whicheverWay(stage.ask(parameters), stage.carryOut()));
}

const timesDone = ({ message: { customerNo, messageId } }: Asked): number =>
	stage.sandbox.timesReceived({ customerNo, messageId: `done-${messageId}` });

interface Said {
	text: string;
	mid?: string;
	at?: number;
}

const bodyOf = (...all: Said[]): string =>
	envelope(
		...all.map(({ text, mid = 'other', at = Date.now() }) =>
			entry({ message: { mid, text } }, { timestamp: at }),
		),
	);

const pressOf = ({ message }: Asked, payload: string, at?: number): Said => ({
	text: `[${message.messageId}]:${payload}`,
	at,
});

/** Posts as Diyalog does, to the newest trigger. */
async function post(body: string, signal?: AbortSignal): Promise<{ status: number; ms: number }> {
	const began = performance.now();
	const url = `${stage.n8n.url}/webhook/${stage.triggerPath}`;
	const headers = {
		'content-type': 'application/json',
		'x-signature': hmacSha1(body, stage.appSecret),
	};
	const { status } = await fetch(url, { method: 'POST', headers, body, signal });
	return { status, ms: performance.now() - began };
}

/** Makes n8n's database fail, and mends it after so many failures that were logged, or so long. */
async function failing(
	begin: Begin,
	{ times = 1, ms = 0 }: { times?: number; ms?: number },
	act: () => Promise<void>,
): Promise<void> {
	const failures = async () => (await log()).split('There was a problem executing').length;
	const before = await failures();
	await breakSqlite(stage.n8n.userFolder, begin);
	const acting = act();
	await waitFor('a failure', 30_000, async () =>
		(await failures()) >= before + times ? true : undefined,
	);
	await sleepMs(ms);
	await mendSqlite(stage.n8n.userFolder);
	await acting;
}

describe('the database fails', () => {
	it.each([
		['once', { times: 1 }],
		['for 5 seconds', { times: 1, ms: 5_000 }],
	])(
		'1. %s: the approval is carried out once, and the item says so',
		async (_what, duration) => {
			const asked = await workflow.start();
			const tap = bodyOf(pressOf(asked, 'approve'));
			await failing('waiting', duration, async () => {
				const { status, ms } = await post(tap);
				expect(status).toBe(200);
				expect(ms).toBeLessThan(DIYALOG_WAITS_MS);
			});
			expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
			expect((await post(tap)).status).toBe(200);
			const { messageId } = asked.message;
			expect(await stage.triggeredFor(messageId)).toEqual([
				expect.objectContaining({ payload: 'approve', resumed: true }),
			]);
			await post(bodyOf(pressOf(asked, 'approve', Date.now() + 1)));
			expect(await stage.triggeredFor(messageId, 2)).toEqual([
				expect.objectContaining({ resumed: true }),
				expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
			]);
			expect(timesDone(asked)).toBe(1);
		},
		90_000,
	);

	it('2. for the item of the trigger alone: the repeated call says that the answer was taken', async () => {
		const asked = await workflow.start();
		const tap = bodyOf(pressOf(asked, 'approve'));
		await breakSqlite(stage.n8n.userFolder, 'new');
		expect((await post(tap)).status).toBeGreaterThanOrEqual(500);
		await mendSqlite(stage.n8n.userFolder);
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		expect((await post(tap)).status).toBe(200);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ payload: 'approve', resumed: true }),
		]);
		expect(timesDone(asked)).toBe(1);
	}, 60_000);

	it('3. a link page does not claim that the answer was taken, and a second try works', async () => {
		const asked = await (await asking({ options: { answerBy: 'link' } })).start();
		const url = asked.message.buttonsV2?.[0]?.payload ?? '';
		const confirm = async () => {
			const response = await fetch(url, { method: 'POST' });
			return { status: response.status, page: await response.text() };
		};
		await breakSqlite(stage.n8n.userFolder, 'waiting');
		const failed = await confirm();
		expect(failed.status).toBeGreaterThanOrEqual(500);
		expect(failed.page).not.toContain('✓');
		expect(await asked.status()).toBe('waiting');
		await mendSqlite(stage.n8n.userFolder);
		expect(await confirm()).toMatchObject({ status: 200, page: expect.stringContaining('✓') });
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		expect(timesDone(asked)).toBe(1);
	}, 60_000);
});

it('4. a link confirmed by a double click is carried out once', async () => {
	const links = await asking({ options: { answerBy: 'link' } });
	for (let round = 0; round < 5; round++) {
		const asked = await links.start();
		const url = asked.message.buttonsV2?.[0]?.payload ?? '';
		const click = async () => await (await fetch(url, { method: 'POST' })).text();
		const pages = await Promise.all([click(), click()]);
		expect(pages.filter((page) => page.includes('✓'))).toHaveLength(1);
		await asked.outcome();
		expect(timesDone(asked)).toBe(1);
	}
}, 90_000);

describe('n8n holds executions back', () => {
	const HELD_S = 20;
	let blocker: AskingWorkflow;

	beforeAll(async () => {
		const parameters = { resume: 'timeInterval', amount: HELD_S, unit: 'seconds' };
		blocker = await stage.createCalled([[node('Pause', 'n8n-nodes-base.wait', 1.1, parameters)]]);
	}, 60_000);

	/** Takes the only place for an execution. */
	async function hold(): Promise<void> {
		// n8n answers once the execution runs.
		await fetch(blocker.url, { method: 'POST' });
		expect(await stage.n8n.executionCount(blocker.id, 'running')).toBe(1);
	}

	it('5. Diyalog is answered in time, and the answer continues its execution once', async () => {
		const asked = await workflow.start();
		const tap = bodyOf(pressOf(asked, 'approve'));
		await hold();
		const { status, ms } = await post(tap);
		expect(status).toBe(200);
		expect(ms).toBeLessThan(DIYALOG_WAITS_MS);
		expect(await asked.status()).toBe('waiting');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		await sleepMs(1_000);
		expect((await post(tap)).status).toBe(200);
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ payload: 'approve', resumed: true }),
		]);
		expect(timesDone(asked)).toBe(1);
	}, 90_000);

	it('6. an ordinary press too, and its item comes out once, also when Diyalog repeats it', async () => {
		const id = `order-${randomBytes(4).toString('hex')}`;
		const body = bodyOf({ text: `[${id}]:approve` });
		await hold();
		const { status, ms } = await post(body);
		expect(status).toBe(200);
		expect(ms).toBeLessThan(DIYALOG_WAITS_MS);
		// Until n8n has stored it, a repetition may be all that is left of it.
		expect((await post(body)).status).toBe(503);
		await waitFor(
			'the item',
			60_000,
			async () =>
				(await stage.triggered()).some((item) => JSON.stringify(item).includes(id)) || undefined,
		);
		await sleepMs(1_000);
		expect(await stage.triggeredFor(id)).toHaveLength(1);
		expect((await post(body)).status).toBe(200);
		await sleepMs(1_000);
		expect(await stage.triggeredFor(id)).toHaveLength(1);
	}, 90_000);

	it.each([
		['has been answered', undefined],
		['has hung up', 1_000],
	])(
		'7. then its database fails, when Diyalog %s: the log says so, and a repeated call is taken',
		async (_what, hangUpAfterMs) => {
			const id = `order-${randomBytes(4).toString('hex')}`;
			const body = bodyOf({ text: `[${id}]:approve` });
			const before = (await log()).length;
			await hold();
			await breakSqlite(stage.n8n.userFolder, 'new');
			const signal = hangUpAfterMs === undefined ? undefined : AbortSignal.timeout(hangUpAfterMs);
			const answered = await post(body, signal).then(
				({ status }) => status,
				() => 'hung up',
			);
			expect(answered).toBe(hangUpAfterMs === undefined ? 200 : 'hung up');
			await waitFor(
				'the failure',
				60_000,
				async () =>
					(await log()).slice(before).includes('There was a problem executing') || undefined,
			);
			await mendSqlite(stage.n8n.userFolder);
			expect((await log()).slice(before)).toContain('n8n did not store the execution for 1 event');
			expect((await post(body)).status).toBe(200);
			expect(await stage.triggeredFor(id)).toHaveLength(1);
		},
		90_000,
	);
});

describe('who may answer, and with what', () => {
	it('8. a free text that looks like a press continues the execution', async () => {
		const asked = await (await asking({ responseType: 'freeText' })).start();
		await post(bodyOf({ text: '[urgent]: call me', mid: asked.message.messageId }));
		expect(await asked.outcome()).toMatchObject({
			decision: 'answered',
			value: '[urgent]: call me',
		});
		expect(await stage.triggeredFor('urgent')).toEqual([
			expect.objectContaining({ event: 'buttonPressed', resumed: true }),
		]);
	}, 60_000);

	it('9. Only Signed Presses: an unsigned press does not continue the execution', async () => {
		await stage.addTrigger({ options: { onlySigned: true } });
		const asked = await workflow.start();
		await post(bodyOf(pressOf(asked, 'approve')));
		await sleepMs(1_000);
		expect(await asked.status()).toBe('waiting');
		await stage.addTrigger();
		await post(bodyOf(pressOf(asked, 'approve')));
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
	}, 60_000);

	it('10. node and trigger with different App Secrets: an item and an error, whatever the events', async () => {
		const { n8n } = stage;
		const other = await n8n.createCredential('Other', {
			serverUrl: stage.sandbox.url,
			botToken: stage.botToken,
			appSecret: randomBytes(16).toString('hex'),
		});
		await stage.addTrigger({ events: ['messageRead'] });
		const credentials = { diyalogApi: { id: other, name: 'Other' } };
		const asked = await (await stage.createCalled([[stage.ask({}, { credentials })]])).start();
		const before = (await log()).length;
		await post(bodyOf(pressOf(asked, 'approve')));
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: false, notResumedReason: 'unproved' }),
		]);
		expect((await log()).slice(before)).toContain('different App Secrets');
		expect(await asked.status()).toBe('waiting');
	}, 60_000);

	it('11. while App Secrets are changed, old and new messages can be answered', async () => {
		await stage.addTrigger();
		const before = await workflow.start();
		const next = randomBytes(16).toString('hex');
		const data = {
			serverUrl: stage.sandbox.url,
			botToken: stage.botToken,
			appSecret: next,
			previousAppSecret: stage.appSecret,
		};
		const resource = `/rest/credentials/${stage.credentialId}`;
		const body = { name: 'Diyalog', type: 'diyalogApi', data };
		await stage.n8n.request('PATCH', resource, body, z.unknown());
		// A trigger keeps a credential for some seconds.
		await stage.addTrigger();
		const after = await workflow.start();
		for (const asked of [before, after]) {
			await post(bodyOf(pressOf(asked, 'approve')));
			expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		}
	}, 90_000);
});

/* At the end: after it was killed, n8n may take half a minute to activate another workflow. */
describe("n8n ends between Diyalog's call and the continuation", () => {
	it.each(['SIGTERM', 'SIGKILL'])(
		'12. by %s: nothing is carried out twice, and another tap works',
		async (signal) => {
			const { n8n } = stage;
			const [failed, racing] = [await workflow.start(), await workflow.start()];
			await breakSqlite(n8n.userFolder, 'waiting');
			const posted = post(bodyOf(pressOf(failed, 'approve'))).catch(() => undefined);
			await sleepMs(1_000);
			const racingPost = post(bodyOf(pressOf(racing, 'approve'))).catch(() => undefined);
			await sleepMs(200);
			const end = signal === 'SIGTERM' ? n8n.stop() : n8n.kill();
			await end;
			await Promise.all([posted, racingPost]);
			await mendSqlite(n8n.userFolder);
			await n8n.boot();
			await n8n.login();
			await n8n.webhookUrl(stage.triggerPath);
			for (const [index, asked] of [failed, racing].entries()) {
				expect(await asked.status()).toBe('waiting');
				await post(bodyOf(pressOf(asked, 'decline', Date.now() + index)));
				expect(await asked.outcome()).toMatchObject({ decision: 'declined' });
				expect(timesDone(asked)).toBe(1);
			}
		},
		180_000,
	);

	it.each(['SIGTERM', 'SIGKILL'])(
		'13. by %s right at the tap: carried out once at most, or still waiting',
		async (signal) => {
			const { n8n } = stage;
			const asked = await workflow.start();
			const posted = post(bodyOf(pressOf(asked, 'approve'))).catch(() => undefined);
			await sleepMs(signal === 'SIGTERM' ? 20 : 60);
			await (signal === 'SIGTERM' ? n8n.stop() : n8n.kill());
			await posted;
			await n8n.boot();
			await n8n.login();
			await n8n.webhookUrl(stage.triggerPath);
			const wasWaiting = (await asked.status()) === 'waiting';
			await post(bodyOf(pressOf(asked, 'approve', Date.now() + 5)));
			if (wasWaiting) await asked.outcome();
			await sleepMs(2_000);
			expect(timesDone(asked)).toBeLessThanOrEqual(1);
			expect(await asked.status()).toMatch(wasWaiting ? /success/ : /success|crashed|error/);
		},
		180_000,
	);
});
