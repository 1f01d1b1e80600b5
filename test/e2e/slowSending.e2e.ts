import { waitFor } from '../../tools/system';
import { Door } from './harness/door';
import { Stage } from './harness/waiting';

/* Diyalog delivers a question at once and takes long to say so. The customer answers before that. */

let stage: Stage;
const door = new Door();

beforeAll(async () => {
	const serverUrl = await door.open();
	stage = await Stage.set({ credential: { serverUrl } });
	door.target = stage.sandbox.url;
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await door.close();
}, 60_000);

/** What became of a tap that came before Diyalog's word. */
async function tapAfter(holdMs: number) {
	door.holdMs = holdMs;
	const before = stage.sandbox.messages().length;
	const workflow = await stage.createAsking({ options: { timeout: 600 } });
	await fetch(workflow.url, { method: 'POST' });
	const message = await stage.messageAfter(before);
	await stage.press(message, 'Approve');
	const [execution] = await waitFor('the end', 120_000, async () => {
		const found = await stage.n8n.executions(workflow.id);
		return ['success', 'error'].includes(found[0]?.status ?? '') ? found : undefined;
	});
	const [item] = await stage.triggeredFor(message.messageId);
	return { status: execution?.status, item };
}

it('1. after 40 seconds: the tap counts', async () => {
	expect(await tapAfter(40_000)).toMatchObject({ status: 'success', item: { resumed: true } });
}, 200_000);

it('2. after 75 seconds, with a timeout of ten minutes: the question is given up before the tap is', async () => {
	expect(await tapAfter(75_000)).toMatchObject({
		status: 'error',
		item: { resumed: false, notResumedReason: 'notWaiting' },
	});
}, 200_000);
