import { sign } from 'node:crypto';
import { z } from 'zod';
import { newPhone, plain } from '../support/signedFormats';
import type { Phone } from '../support/signedFormats';
import { itemsOf } from '../../tools/n8n/executions';
import { sleepMs, waitFor } from '../../tools/system';
import { Stage } from './harness/waiting';
import {
	behind,
	calledTrigger,
	loop,
	manualTrigger,
	marked,
	node,
	output,
	set,
	splitOut,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/* Verify Signed Payload in a real n8n, with every setting of a node, by hand and in part: nothing forged leaves through Valid. */

const PERSON = newPhone();
const ATTACKER = newPhone();
const FORMAT = plain('separated', {
	payloadSignatureSeparator: '.',
	payloadSignatureBinding: false,
});
const signedBy = ({ privateKey }: Phone, text: string): string =>
	`${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64')}`;

const KEY = PERSON.publicKey;
const item = (payload: unknown, more: object = {}) => ({
	payload,
	key: KEY,
	valid: true,
	approved: true,
	...more,
});
const GENUINE = item(signedBy(PERSON, 'good-1'));
const FORGED = item(signedBy(ATTACKER, 'evil-2'));
const OTHERS = item(signedBy(ATTACKER, 'evil-3'), { key: '' });
const LIST = [GENUINE, FORGED, OTHERS, item('evil-4'), item(''), item(signedBy(PERSON, 'good-5'))];

let stage: Stage;
beforeAll(async () => {
	stage = await Stage.set({ credential: { ...FORMAT, payloadSignatureKeys: 'person' } });
}, 900_000);
afterAll(async () => await stage?.clear(), 60_000);

const verify = (settings: Fields = {}): WorkflowNode =>
	stage.send(
		{
			resource: 'signedPayload',
			operation: 'verify',
			payload: '={{ $json.payload }}',
			signatureSettings: 'person',
			personKeys: '={{ $json.key }}',
		},
		{ name: 'Verify', ...settings },
	);

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());

async function ended(id: string): Promise<string> {
	const found = await waitFor('an end', 60_000, async () => {
		const [newest] = await stage.n8n.executions(id);
		return newest && !['running', 'new', 'waiting'].includes(newest.status) ? newest.id : undefined;
	});
	return await stage.n8n.executionData(found);
}

const SETTINGS: Array<[string, Fields]> = [
	['nothing set', {}],
	['continue', { onError: 'continueRegularOutput' }],
	['error output', { onError: 'continueErrorOutput' }],
	['always output data', { alwaysOutputData: true }],
	['always output data, continue', { alwaysOutputData: true, onError: 'continueRegularOutput' }],
	['always output data, error output', { alwaysOutputData: true, onError: 'continueErrorOutput' }],
	['retry', { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 }],
	[
		'retry, continue',
		{ retryOnFail: true, maxTries: 3, waitBetweenTries: 10, onError: 'continueRegularOutput' },
	],
	[
		'retry, error output',
		{ retryOnFail: true, maxTries: 3, waitBetweenTries: 10, onError: 'continueErrorOutput' },
	],
	['once', { executeOnce: true }],
	['continue on fail of earlier releases', { continueOnFail: true }],
];

const leftAsValid = (data: string): string => JSON.stringify(itemsOf(data, 'Output 0'));

const rowsOf = (list: unknown[], settings: Fields): Row[] => {
	const checking = verify(settings);
	return [[set('Task', { list }), splitOut('list'), checking], ...marked(checking)];
};

describe.each(SETTINGS)('%s', (_what, settings) => {
	it.each([
		['all at once', LIST],
		['a forged one first', [FORGED, GENUINE, item('')]],
		['what cannot be checked first', [item(''), FORGED, GENUINE]],
		['forged ones alone', [FORGED, OTHERS]],
	])(
		'1. %s: called, by hand and with pinned input',
		async (_which, list) => {
			const flow = await stage.createCalled(rowsOf(list, settings));
			await fetch(flow.url, { method: 'POST' });
			const called = leftAsValid(await ended(flow.id));
			expect(called).not.toContain('evil');
			const rows = behind(manualTrigger(), rowsOf(list, settings));
			const pinData = { Split: list.map((json) => ({ json })) };
			const { id } = await stage.n8n.saveWorkflow({ ...workflow('By hand', rows), pinData });
			await post(`/rest/workflows/${id}/run`, { triggerToStartFrom: { name: 'Start' } });
			expect(leftAsValid(await ended(id))).toBe(called);
		},
		60_000,
	);

	it('2. in a loop, one at a time', async () => {
		const checking = verify(settings);
		const each = loop();
		const flow = await stage.createCalled([
			[set('Task', { list: LIST }), splitOut('list'), each],
			[output(each, 1), checking],
			...marked(checking, each),
		]);
		await fetch(flow.url, { method: 'POST' });
		expect(leftAsValid(await ended(flow.id))).not.toContain('evil');
	}, 60_000);

	it('3. in part, up to it and to what is behind', async () => {
		const checking = verify(settings);
		const rows = behind(manualTrigger(), [
			[node('Items', 'n8n-nodes-base.noOp', 1), checking],
			...marked(checking),
		]);
		const { id } = await stage.n8n.saveWorkflow(workflow('In part', rows));
		const ran = (items: object[], source: object[] = []) => [
			{
				startTime: Date.now(),
				executionTime: 1,
				executionIndex: 0,
				executionStatus: 'success',
				source,
				data: { main: [items.map((json, index) => ({ json, pairedItem: { item: index } }))] },
			},
		];
		for (const destination of ['Verify', 'Output 0', 'Output 1']) {
			await post(`/rest/workflows/${id}/run`, {
				destinationNode: { nodeName: destination, mode: 'inclusive' },
				runData: { Start: ran([{}]), Items: ran([FORGED, OTHERS], [{ previousNode: 'Start' }]) },
				dirtyNodeNames: [],
			});
			await sleepMs(700);
			const data = await ended(id);
			expect(leftAsValid(data)).not.toContain('evil');
			expect(JSON.stringify(itemsOf(data, 'Verify'))).not.toContain('"valid":true');
		}
	}, 60_000);

	it('4. in a sub-workflow, whose items come back', async () => {
		const checking = verify(settings);
		const child = await stage.n8n.createWorkflow(
			workflow('Checks', [[calledTrigger(), checking], ...marked(checking)]),
		);
		const call = node('Call', 'n8n-nodes-base.executeWorkflow', 1.2, {
			workflowId: { __rl: true, mode: 'id', value: child },
			options: {},
		});
		const flow = await stage.createCalled([[set('Task', { list: LIST }), splitOut('list'), call]]);
		await fetch(flow.url, { method: 'POST' });
		await ended(flow.id);
		const [newest] = await stage.n8n.executions(child);
		const data = await stage.n8n.executionData(newest?.id ?? '');
		expect(leftAsValid(data)).not.toContain('evil');
	}, 60_000);
});
