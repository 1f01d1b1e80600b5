import { writeToChat } from '../support/chatSocket';
import { env, waitFor } from '../../tools/system';
import { nodesRun } from '../../tools/n8n/executions';
import { Stage } from './harness/waiting';
import { marked, waysOf } from './harness/workflows';

/* An early release of n8n, whose WebSocket of chats lets anybody continue what waits. */

let stage: Stage;

beforeAll(async () => {
	stage = await Stage.set({ version: env.DIYALOG_N8N_VERSION ?? '2.0.0' });
}, 900_000);

afterAll(async () => await stage?.clear(), 60_000);

it.each(['approval', 'code'])(
	'1. a stranger who knows no more than the number of an execution writes to the chat of n8n: nothing leaves as a yes (%s)',
	async (responseType) => {
		const question = stage.ask(
			responseType === 'code' ? { responseType, expectedCode: '12345678' } : { responseType },
		);
		const flow = await stage.createCalled(marked(question));
		const asked = await flow.start();
		await writeToChat(stage.n8n.url, asked.executionId, 'hello');
		const data = await waitFor('the end, or none', 20_000, async () => {
			if ((await asked.status()) !== 'success') return undefined;
			return await stage.n8n.executionData(asked.executionId);
		}).catch(() => '');
		const ways = data === '' ? [] : waysOf(nodesRun(data));
		expect(ways).not.toContain(0);
		expect(await asked.status()).toBe('waiting');
	},
	120_000,
);
