import { endsWithin } from '../support/endsWithin';
import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/server';
import type { Sandbox } from '../../sandbox/server';
import { postSigned } from '../support/sign';
import { describeUnless } from '../support/skip';
import { fs, isRoot, path, run, sleepMs, temporaryFolder, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { envelope, written } from '../support/webhookBodies';
import { errorOf, itemsOf } from '../../tools/n8n/executions';
import { extent } from './harness/extent';
import { record } from './harness/figures';
import { N8n } from '../../tools/n8n/n8n';
import { Stage } from './harness/waiting';
import { ANSWERS_AT_THE_END, send, trigger, webhook, workflow } from './harness/workflows';

/* What goes wrong on one machine: n8n is killed, Diyalog is away, the disk is full. Nothing may be lost or done twice. */

const PART = 'Faults';

describe('n8n killed with -9 while executions wait', () => {
	const WAITING = 50;
	const KILLS = extent(3, 20);
	const PRESSED_AT_A_KILL = 2;
	const LONG = endsWithin(2, 'hours');
	const ENDED = ['success', 'error', 'crashed', 'canceled'];
	let stage: Stage;

	beforeAll(async () => {
		stage = await Stage.set();
	}, 900_000);

	afterAll(async () => {
		await stage?.clear();
	}, 60_000);

	it(
		`loses none of ${WAITING} and continues none twice, killed ${KILLS} times`,
		async () => {
			const { n8n, sandbox } = stage;
			const workflow = await stage.createAsking({ options: LONG }, stage.carryOut());
			for (let index = 0; index < WAITING; index++) await postJson(workflow.url);
			const waitingAre = async (count: number) =>
				await waitFor(`${count} waiting executions`, 60_000, async () =>
					(await n8n.executionCount(workflow.id, 'waiting')) === count ? true : undefined,
				);
			await waitingAre(WAITING);
			const asked = sandbox
				.messages()
				.map(({ messageId, customerNo }) => ({ messageId, customerNo }));
			const timesDone = ({ messageId, customerNo }: (typeof asked)[number]) =>
				sandbox.timesReceived({ customerNo, messageId: `done-${messageId}` });
			const left = [...asked];
			const press = (count: number) => {
				for (const { messageId } of left.splice(0, count))
					sandbox.pressButton({ messageId, button: 'Approve' });
			};
			const repeatUnanswered = async () => {
				const unanswered = sandbox.webhookLog().filter(({ status }) => status !== 200);
				for (const { id } of unanswered) await sandbox.resendWebhook(id);
			};

			for (let kill = 0; kill < KILLS; kill++) {
				press(PRESSED_AT_A_KILL);
				const posted = sandbox.flush();
				// From right after the call to when the execution goes on.
				await sleepMs((kill * 40) % 400);
				await n8n.kill();
				await posted;
				await n8n.boot();
				await n8n.webhookUrl(stage.triggerPath);
				await repeatUnanswered();
			}
			const untouched = left.length;
			expect(await n8n.executionCount(workflow.id, 'waiting')).toBeGreaterThanOrEqual(untouched);
			while (left.length > 0) {
				press(10);
				await sandbox.flush();
			}
			await waitFor('all executions have ended', 120_000, async () =>
				(await n8n.executionCount(workflow.id, ...ENDED)) === WAITING ? true : undefined,
			);
			expect(asked.filter((each) => timesDone(each) > 1)).toEqual([]);
			const succeeded = await n8n.executionCount(workflow.id, 'success');
			const carriedOut = asked.filter((each) => timesDone(each) === 1).length;
			expect(WAITING - carriedOut).toBeLessThanOrEqual(WAITING - succeeded);
			// Those that nobody had answered when n8n was killed are never harmed.
			expect(succeeded).toBeGreaterThanOrEqual(untouched);
			await record({
				part: PART,
				what: `n8n killed with -9 ${KILLS} times while ${WAITING} executions wait`,
				found: `${succeeded} continued and succeeded once each, ${WAITING - succeeded} killed while they continued (marked as crashed), none lost, none twice; ${untouched} survived all kills waiting`,
				target: 'none lost, none twice',
				met: true,
			});
		},
		extent(240_000, 1_200_000),
	);
});

describe('Diyalog is away', () => {
	const AWAY_MS = extent(5_000, 60_000);
	const TOKEN = randomBytes(16).toString('hex');
	const bots = [{ name: 'bot', token: TOKEN }];
	let n8n: N8n;
	let sandbox: Sandbox;

	beforeAll(async () => {
		sandbox = await startSandbox({ bots });
		n8n = await N8n.start();
	}, 900_000);

	afterAll(async () => {
		await sandbox?.close();
		await n8n?.stop();
		await n8n?.remove();
	}, 60_000);

	it(`says so while it is, and sends again when it is back after ${AWAY_MS / 1_000} s`, async () => {
		const credentialId = await n8n.createCredential('Diyalog', {
			serverUrl: sandbox.url,
			botToken: TOKEN,
		});
		const sending = send(credentialId, {
			options: { messageId: '={{ $json.body.messageId }}' },
			message: 'Do you approve?',
		});
		const workflowId = await n8n.createWorkflow(
			workflow('Send', [[webhook('send', ANSWERS_AT_THE_END), sending]]),
		);
		const url = await n8n.webhookUrl('send');
		const call = async (messageId: string) => (await postJson(url, { messageId })).status;
		const port = Number(new URL(sandbox.url).port);
		await sandbox.close();
		const backAt = Date.now() + AWAY_MS;
		let failed = 0;
		while (Date.now() < backAt) {
			expect(await call(`away-${failed}`)).toBe(500);
			failed++;
		}
		sandbox = await startSandbox({ bots, port });
		expect(await call('back')).toBe(200);
		expect(sandbox.timesReceived({ customerNo: '70021', messageId: 'back' })).toBe(1);
		expect(sandbox.messages()).toHaveLength(1);
		const errors = await n8n.executions(workflowId, 'error');
		expect(await n8n.executionCount(workflowId, 'error')).toBe(failed);
		const error = JSON.stringify(errorOf(await n8n.executionData(errors[0]?.id ?? '')));
		expect(error).toContain('The Diyalog server refused the connection');
		expect(error).toContain('Nothing was sent');
		await record({
			part: PART,
			what: `Diyalog away for ${AWAY_MS / 1_000} s`,
			found: `${failed} executions failed with "refused the connection … Nothing was sent"; the next one after its return was delivered once`,
			target: 'a clear error, then normal again',
			met: true,
		});
	}, 180_000);
});

describeUnless(
	isRoot() ? undefined : 'only root can mount a small disk',
	"n8n's data folder takes nothing any more",
	() => {
		const SECRET = randomBytes(16).toString('hex');
		const TRIGGER_ID = 'f8d6c9b8-5a2b-4b0e-8f0c-2f2b3c4d5e06';
		let folder: string;
		let data: string;
		let n8n: N8n;

		beforeAll(async () => {
			folder = await temporaryFolder('full');
			data = path.join(folder, '.n8n');
			await fs.mkdir(data);
			await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', data]);
			n8n = await N8n.start({ userFolder: folder });
		}, 900_000);

		afterAll(async () => {
			await n8n?.kill();
			await run('umount', ['-l', data]);
			await n8n?.remove();
		}, 60_000);

		it('a full disk: the press is refused, and taken when Diyalog repeats it', async () => {
			const credentialId = await n8n.createCredential('Diyalog', {
				serverUrl: 'http://127.0.0.1:1',
				botToken: 'token',
				appSecret: SECRET,
			});
			const workflowId = await n8n.createWorkflow(
				workflow('Trigger', [[trigger(credentialId, TRIGGER_ID)]]),
			);
			const url = await n8n.webhookUrl(`${TRIGGER_ID}/webhook`);
			const press = async (messageId: string) => {
				const body = envelope(written(`[${messageId}]:approve`, { timestamp: 1_795_388_361_002 }));
				return (await postSigned(url, body, SECRET)).status;
			};
			// The last ones may have been stored as begun, but not as ended.
			const stored = async (count: number) =>
				await waitFor(`${count} executions`, 20_000, async () => {
					const states = ['success', 'running', 'new', 'error', 'crashed'];
					const found = await n8n.executionCount(workflowId, ...states);
					return found === count ? true : undefined;
				});
			expect(await press('before')).toBe(200);
			await stored(1);

			const filler = path.join(data, 'filler');
			await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']).catch(() => undefined);
			// The database takes some more where it has room within its files.
			let accepted = 1;
			let refused = await press('press-1');
			while (refused === 200 && accepted < 1_000) refused = await press(`press-${++accepted}`);
			expect(refused).toBeGreaterThanOrEqual(500);
			await stored(accepted);

			await fs.rm(filler);
			expect(await press(`press-${accepted}`)).toBe(200);
			await stored(accepted + 1);
			const repeated = await waitFor('the repeated press', 20_000, async () => {
				const [newest] = await n8n.executions(workflowId, 'success');
				const [item] = itemsOf(await n8n.executionData(newest?.id ?? ''), 'Diyalog Trigger');
				return JSON.stringify(item).includes(`"press-${accepted}"`) ? item : undefined;
			});
			expect(repeated).toMatchObject({ event: 'buttonPressed', payload: 'approve' });
			await record({
				part: PART,
				what: 'disk full',
				found: `a press that cannot be stored is answered with ${refused}, and taken when it is repeated after there is room; all that were answered with 200 are there`,
				target: 'a clear answer, nothing lost',
				met: true,
			});
		}, 120_000);

		it('a read-only data folder: n8n does not start, and says why', async () => {
			await n8n.stop();
			await run('mount', ['-o', 'remount,ro', data]);
			const said = await n8n.boot().then(
				() => 'started',
				(error: unknown) => String(error),
			);
			await run('mount', ['-o', 'remount,rw', data]);
			expect(said).toMatch(/read-?only|EROFS/i);
			await record({
				part: PART,
				what: 'read-only data folder',
				found: 'n8n does not start, and its log names the read-only folder',
				target: 'a clear message',
				met: true,
			});
		}, 180_000);
	},
);
