import { fromMessageId, resumeUrlOf } from '../../nodes/Diyalog/wait/resumeReference';
import { sleepMs } from '../../tools/system';
import { Stage } from './harness/waiting';

/* What somebody who was asked, and so has the resume address, can make n8n do without any proof. */

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set({ settings: { NODE_OPTIONS: '--max-old-space-size=2048' } });
}, 900_000);

afterAll(async () => {
	await stage?.clear();
}, 60_000);

/** For how long n8n has answered nobody. */
async function longestSilence(of: () => Promise<unknown>): Promise<number> {
	let longest = 0;
	let isOver = false;
	const watching = (async () => {
		while (!isOver) {
			const beganAt = performance.now();
			await fetch(`${stage.n8n.url}/healthz`).catch(() => undefined);
			longest = Math.max(longest, performance.now() - beganAt);
			await sleepMs(20);
		}
	})();
	await of();
	isOver = true;
	await watching;
	return longest;
}

it.each([
	['900 kB', 450_000],
	['16 MB, as much as n8n takes', 8_000_000],
])(
	'a body of %s at the resume address, all of it answers that are none: n8n answers everybody else all the while',
	async (_what, count) => {
		const asked = await (await stage.createAsking({})).start();
		const reference = fromMessageId(asked.message.messageId, [stage.appSecret]);
		if (!reference) throw new Error('The messageId is no reference');
		const url = resumeUrlOf(reference, `${stage.n8n.url}/webhook-waiting`);
		const body = `{"answers":[${'0,'.repeat(count)}0]}`;
		let status = 'none';
		const silentMs = await longestSilence(async () => {
			status = await fetch(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body,
			}).then(
				(response) => String(response.status),
				(error: unknown) => String(error),
			);
		});
		const isAlive = (await fetch(`${stage.n8n.url}/healthz`).catch(() => undefined))?.ok ?? false;
		expect({ status, isAlive, isSilent: silentMs > 1_500 }).toMatchObject({
			isAlive: true,
			isSilent: false,
		});
	},
	300_000,
);
