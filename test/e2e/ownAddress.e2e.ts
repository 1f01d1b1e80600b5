import { z } from 'zod';
import { FaultyServer } from '../support/faultyServer';
import { freePort, fs, http, waitFor } from '../../tools/system';
import { serveAnswer } from '../support/answerServer';
import type { AnswerServer } from '../support/answerServer';
import { Stage } from './harness/waiting';
import type { Asked } from './harness/waiting';

/*
 * An n8n that cannot reach its own public address, as behind hairpin NAT, or reaches something else there. Diyalog gets
 * its answer in time, the press is kept, and the option N8n Address makes it arrive.
 */

/** Diyalog waits no longer for the answer to a webhook. */
const DIYALOG_WAITS_MS = 5_000;

const STARTS_WITHIN_MS = 900_000;

let stage: Stage;

const clear = async () => await stage.clear();

/** Asks and presses Approve; Diyalog has to get its answer in time whatever becomes of the press. */
async function askAndPress() {
	const asked = await (await stage.createAsking({})).start();
	await stage.press(asked.message, 'Approve');
	const delivery = stage.sandbox.webhookLog().at(-1);
	expect(delivery).toMatchObject({ status: 200 });
	expect(delivery?.durationMs).toBeLessThan(DIYALOG_WAITS_MS);
	return asked;
}

/** So long n8n is asked again, or may keep a call open; then the answer is kept. */
const UNKNOWN_WITHIN_MS = 150_000;

async function expectKept(advice: string): Promise<Asked> {
	const asked = await askAndPress();
	const { messageId } = asked.message;
	await waitFor('the item', UNKNOWN_WITHIN_MS, async () =>
		(await stage.triggered()).some((item) => JSON.stringify(item).includes(messageId))
			? true
			: undefined,
	);
	expect(await stage.triggeredFor(messageId)).toEqual([
		expect.objectContaining({ payload: 'approve', resumed: null, notResumedReason: 'kept' }),
	]);
	expect(await asked.status()).toBe('waiting');
	const lines = (await fs.readFile(stage.n8n.logFile, 'utf8')).split('\n');
	expect(
		lines.filter((line) => line.includes(`did not reach execution ${asked.executionId}: `)),
	).toEqual([expect.stringContaining(advice)]);
	return asked;
}

/** What stands between n8n and itself: it fails, or hands every call on. */
async function startBetween(port: number) {
	let fails = true;
	const handOn = async (request: http.IncomingMessage, response: http.ServerResponse) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		if (fails) return void response.writeHead(502).end('Bad Gateway');
		const { status, text } = await post(`${stage.n8n.url}${request.url}`, Buffer.concat(chunks));
		response.writeHead(status).end(text);
	};
	const server = http.createServer((request, response) => void handOn(request, response));
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	return {
		recover: () => void (fails = false),
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

async function post(url: string, body: Buffer) {
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
	return { status: response.status, text: await response.text() };
}

const workflowSchema = z.object({ data: z.object({ staticData: z.unknown() }) });

/** What n8n's database has of a workflow's static data. */
async function storedOf(workflowId: string): Promise<string> {
	const resource = `/rest/workflows/${workflowId}`;
	const { data } = await stage.n8n.request('GET', resource, undefined, workflowSchema);
	return JSON.stringify(data.staticData ?? null);
}

describe('nobody listens at the public address', () => {
	beforeAll(async () => {
		const nobody = `http://127.0.0.1:${await freePort()}/`;
		stage = await Stage.set({ settings: { WEBHOOK_URL: nobody } });
	}, STARTS_WITHIN_MS);

	afterAll(clear, 60_000);

	it('the press is kept; with N8n Address another one continues the execution', async () => {
		const asked = await expectKept('Set N8n Address in the options of the trigger');
		await stage.addTrigger({ options: { n8nAddress: stage.n8n.url } });
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved', approved: true });
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ resumed: true }),
		]);
	});

	it('kept also by a trigger that is set to put out something else', async () => {
		await stage.addTrigger({ events: ['messageRead'], options: { onlyUnmatched: true } });
		await expectKept('Set N8n Address in the options of the trigger');
	});

	it('an address that accepts and never answers: Diyalog is answered in time all the same', async () => {
		const silent = await FaultyServer.start(() => ({ kind: 'silence' }));
		try {
			await stage.addTrigger({ options: { n8nAddress: silent.url } });
			await expectKept('n8n failed, did not say what it did with the answer');
		} finally {
			await silent.close();
		}
	}, 200_000);

	it('an address that fails: asked again for a minute, then the answer is kept', async () => {
		const failing = await serveAnswer({ status: 500, text: 'Oops', headers: {} });
		try {
			await stage.addTrigger({ options: { n8nAddress: failing.url } });
			await expectKept('n8n failed, did not say what it did with the answer');
		} finally {
			await failing.close();
		}
	}, 200_000);

	it.each([
		['cannot be reached', false],
		['fails for a minute, long after Diyalog has its answer', true],
	])(
		'n8n %s, and is killed with -9: the kept answer continues the execution with the next call, once',
		async (_what, isThere) => {
			const port = await freePort();
			const n8nAddress = `http://127.0.0.1:${port}`;
			const { workflowId } = await stage.addTrigger({ options: { n8nAddress } });
			let between = isThere ? await startBetween(port) : undefined;
			try {
				const asked = await expectKept('');
				await waitFor('the kept answer in the database', 20_000, async () =>
					(await storedOf(workflowId)).includes(asked.message.messageId) ? true : undefined,
				);
				await stage.n8n.kill();
				await stage.n8n.boot();
				between ??= await startBetween(port);
				between.recover();
				await stage.type('hello');
				expect(await asked.outcome()).toMatchObject({ decision: 'approved', approved: true });
				await stage.press(asked.message, 'Approve');
				expect(await stage.triggeredFor(asked.message.messageId, 2)).toEqual(
					expect.arrayContaining([
						expect.objectContaining({ resumed: null, notResumedReason: 'kept' }),
						expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
					]),
				);
				await waitFor('that it is kept no more', 20_000, async () =>
					(await storedOf(workflowId)).includes(asked.message.messageId) ? undefined : true,
				);
			} finally {
				await between?.close();
			}
		},
		240_000,
	);

	describe('N8n Address is that of something else', () => {
		let other: AnswerServer;

		afterEach(async () => {
			await other.close();
		});

		it.each([
			[200, '<html>Welcome</html>'],
			[404, '<html>Not Found</html>'],
			[409, 'Conflict'],
			[302, ''],
			[200, '{"accepted":"yes"}'],
		])('with %i %s', async (status, text) => {
			other = await serveAnswer({ status, text, headers: { location: stage.n8n.url } });
			await stage.addTrigger({ options: { n8nAddress: other.url } });
			await expectKept('another program than n8n answered at this address');
		});
	});
});

/** The one name under which workflows may call loopback. */
const ALLOWED = 'localhost';

describe('n8n forbids workflows to call loopback addresses (SSRF protection)', () => {
	beforeAll(async () => {
		const sandboxPort = await freePort();
		stage = await Stage.set({
			settings: { N8N_SSRF_PROTECTION_ENABLED: 'true', N8N_SSRF_ALLOWED_HOSTNAMES: ALLOWED },
			sandbox: { port: sandboxPort },
			credential: { serverUrl: `http://${ALLOWED}:${sandboxPort}` },
		});
	}, STARTS_WITHIN_MS);

	afterAll(clear, 60_000);

	it('also itself: the press is kept; with an allowed N8n Address another one continues the execution', async () => {
		const asked = await expectKept('Set N8n Address in the options of the trigger');
		await stage.addTrigger({ options: { n8nAddress: `http://${ALLOWED}:${stage.n8n.port}` } });
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved', approved: true });
	});
});
