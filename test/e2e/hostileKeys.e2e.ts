import { createHmac, createPublicKey } from 'node:crypto';
import { newPhone, plain } from '../support/signedFormats';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { Stage } from './harness/waiting';
import { marked } from './harness/workflows';

/* Keys of people, as a workflow gets them, in a real n8n. */

const PERSON = newPhone();
let stage: Stage;

beforeAll(async () => {
	const credential = plain('separated', { payloadSignatureMethod: 'hmacSha256' });
	stage = await Stage.set({ credential: { ...credential, payloadSignatureKeys: 'person' } });
}, 900_000);
afterAll(async () => await stage?.clear(), 60_000);

/** Verify behind a webhook, and what has left it. */
async function verified(body: object): Promise<string> {
	const checking = stage.send(
		{
			resource: 'signedPayload',
			operation: 'verify',
			payload: '={{ $json.body.payload }}',
			signatureSettings: 'person',
			personKeys: '={{ $json.body.keys }}',
		},
		{ name: 'Verify' },
	);
	const flow = await stage.createCalled([[checking], ...marked(checking)]);
	await fetch(flow.url, {
		method: 'POST',
		body: JSON.stringify(body),
		headers: { 'Content-Type': 'application/json' },
	});
	return await waitFor('an end', 120_000, async () => {
		const [newest] = await stage.n8n.executions(flow.id);
		const isOver = newest && !['running', 'new', 'waiting'].includes(newest.status);
		return isOver ? await stage.n8n.executionData(newest.id) : undefined;
	});
}

it('1. public keys as a list in JSON are no secret: who knows them signs nothing', async () => {
	const spki = createPublicKey(PERSON.publicKey).export({ type: 'spki', format: 'der' });
	const keys = JSON.stringify([spki.toString('base64')]);
	const mac = createHmac('sha256', keys).update('approve').digest('base64');
	const data = await verified({ keys, payload: `approve.${mac}` });
	expect(itemsOf(data, 'Output 0')).toEqual([]);
}, 180_000);

it('2. a list of 20 secrets, each a list as long as it may be, does not hold n8n up', async () => {
	const keys = Array(20).fill(`[${Array(49_990).fill(1)}]`);
	let isOver = false;
	const over = verified({ keys, payload: 'approve.AAAA' }).finally(() => (isOver = true));
	let longestMs = 0;
	while (!isOver) {
		const started = performance.now();
		// A connection that has been idle for as long as n8n stood is closed by it.
		await fetch(`${stage.n8n.url}/healthz`, { headers: { Connection: 'close' } }).catch(
			() => undefined,
		);
		longestMs = Math.max(longestMs, performance.now() - started);
		await sleepMs(50);
	}
	await over;
	expect(longestMs).toBeLessThan(2_000);
}, 240_000);

it('3. all options as one expression: n8n passes none of them on, so the question is an unsigned one, as docs/security.md says', async () => {
	const asking = stage.ask({ options: '={{ { requireSignedPayload: true } }}' });
	const flow = await stage.createCalled([[asking]]);
	await fetch(flow.url, { method: 'POST' });
	const message = await waitFor('the question', 20_000, () => stage.sandbox.messages()[0]);
	expect(message.buttonsV2?.[0]?.payload).not.toContain('~');
}, 60_000);
