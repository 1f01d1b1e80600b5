import { z } from 'zod';
import { waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { readExample } from '../../tools/n8n/examples';
import type { Example } from '../../tools/n8n/examples';
import { errorOf, firstItemOf } from '../../tools/n8n/executions';
import { Stage } from './harness/waiting';

/* examples/step-up-by-tap: one message with buttons and a code; a tap decides, and without one the code does. */

const PAYMENT = { amount: '90,00 TL', payee: 'Zeynep Işık' };
/** n8n looks once a minute at what is to go on. */
const EXPIRES_WITHIN_MS = 100_000;

/** The example as it is, but for the two minutes that it waits: long enough for a tap of this test, and no longer. */
const withShortWait = (example: Example): Example => {
	const text = JSON.stringify(example);
	const short = text.replace('"resumeAmount":2,', '"resumeAmount":0.2,');
	if (short === text) throw new Error('The example does not wait for 2 minutes any more');
	return JSON.parse(short) as Example;
};

let stage: Stage;
let workflowId: string;
let urls: Record<'start' | 'finish', string>;

beforeAll(async () => {
	stage = await Stage.set();
	const example = await readExample('step-up-by-tap.json', stage.credentialId);
	workflowId = await stage.n8n.createWorkflow(withShortWait(example));
	urls = {
		start: await stage.n8n.webhookUrl('step-up-start'),
		finish: await stage.n8n.webhookUrl('step-up-finish'),
	};
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

/** Each time another customer: the next code to the same one would have to wait. */
async function ask(customerNo: string) {
	const before = stage.sandbox.messages().length;
	await postJson(urls.start, { ...PAYMENT, customerNo });
	const message = await waitFor('the message', 20_000, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		if (newest?.status === 'error') {
			throw new Error(JSON.stringify(errorOf(await stage.n8n.executionData(newest.id))));
		}
		return stage.sandbox.messages()[before];
	});
	const id = await waitFor('the waiting execution', 10_000, async () => {
		const [newest] = await stage.n8n.executions(workflowId);
		return newest?.status === 'waiting' ? newest.id : undefined;
	});
	return { message, id };
}

async function finished(id: string, withinMs = 20_000): Promise<string> {
	return await waitFor('the end', withinMs, async () => {
		const executions = await stage.n8n.executions(workflowId);
		const status = executions.find((execution) => execution.id === id)?.status;
		return status === 'success' ? await stage.n8n.executionData(id) : undefined;
	});
}

it('a tap pays; a refusal stops', async () => {
	const approved = await ask('70021');
	await stage.press(approved.message, 'Onayla');
	const data = await finished(approved.id);
	expect(firstItemOf(data, 'Pay')).toMatchObject({ decision: 'approved' });
	const declined = await ask('70022');
	await stage.press(declined.message, 'Reddet');
	expect(firstItemOf(await finished(declined.id), 'Stop')).toMatchObject({ decision: 'declined' });
});

it(
	'without a tap the code pays, once, and only what the customer read',
	async () => {
		const customerNo = '123456789';
		const { message, id } = await ask(customerNo);
		expect(message.mokMessage).toContain(`${PAYMENT.payee} adına ${PAYMENT.amount}`);
		const data = await finished(id, EXPIRES_WITHIN_MS);
		const { challenge } = z
			.object({ decision: z.literal('expired'), challenge: z.string() })
			.parse(firstItemOf(data, 'Let your app ask for the code'));
		const right = { ...PAYMENT, customerNo, challenge, code: message.mokValue };
		const statuses: number[] = [];
		for (const body of [{ ...right, amount: '9.000,00 TL' }, right, right]) {
			statuses.push((await postJson(urls.finish, body)).status);
		}
		expect(statuses).toEqual([401, 200, 401]);
	},
	EXPIRES_WITHIN_MS + 30_000,
);
