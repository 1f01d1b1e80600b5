import { saidBefore, startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { freePort, waitFor } from '../../tools/system';
import {
	agent,
	beginAt,
	dataAtEnd,
	nextQuestion,
	once,
	paymentTool,
	reviewedAgent,
	reviewTool,
} from './harness/agents';
import { Stage } from './harness/waiting';
import type { AskingWorkflow } from './harness/waiting';
import { set } from './harness/workflows';

/*
 * Calls of AI agents whose wait n8n ends itself, as the process that asked does not: the wait is longer than 15 minutes, n8n does not
 * reach its own address, or it was started again. n8n loses calls then; none of these runs.
 */

const ENDED_WITHIN_MS = 240_000;
const STARTS_WITHIN_MS = 900_000;

let stage: Stage;
let chat: ChatServer;
let modelId: string;

beforeAll(async () => {
	chat = await startChatServer({});
	const nobody = `http://127.0.0.1:${await freePort()}/`;
	stage = await Stage.set({ settings: { WEBHOOK_URL: nobody } });
	await stage.addTrigger({ options: { n8nAddress: stage.n8n.url } });
	const apiKey = { apiKey: 'a-key', url: chat.url, header: false };
	modelId = await stage.n8n.createCredential('Model', apiKey, 'openAiApi');
}, STARTS_WITHIN_MS);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);

beforeEach(() => {
	chat.deeds.length = 0;
});

const payingCall = (amount: string) => ({
	tool: 'Transfer',
	said: { toolParameters: { amount }, hitlParameters: {} },
});

/** A workflow whose agent calls a tool behind a review three times in one turn, and has asked for the first call. */
async function askedFirst(): Promise<{ flow: AskingWorkflow; number: number }> {
	const working = agent();
	const options = endsWithin(20, 'seconds');
	const asking = reviewTool(stage, '=Pay {{ $tool.parameters.amount }}?', { options });
	const flow = await stage.createCalled([
		[set('Task', { name: 'Zeynep' }), working],
		...reviewedAgent(modelId, working, asking, paymentTool(chat)),
	]);
	chat.turnOf = once(payingCall('1'), payingCall('2'), payingCall('3'));
	const number = await beginAt(stage, flow);
	await nextQuestion(stage, flow.id, number);
	return { flow, number };
}

const questionsFrom = (number: number): string[] =>
	stage.sandbox
		.messages()
		.slice(number)
		.map(({ text = '' }) => text.split('?')[0] ?? '');

/** What the model was told last of its calls. */
function toldOfCalls(): string[] {
	const [last] = chat.requests.slice(-1);
	if (!last) return [];
	return saidBefore({ ...last, messages: last.messages.filter(({ role }) => role === 'tool') });
}

const REJECTED: unknown = expect.stringContaining('User rejected');

it('1. n8n ends the wait for the first of three calls: the last one, of which n8n forgets what it was called with, is not asked', async () => {
	const { flow, number } = await askedFirst();
	const second = await nextQuestion(stage, flow.id, number + 1, ENDED_WITHIN_MS);
	await second?.press('Approve');
	await dataAtEnd(stage, flow.id);
	expect(questionsFrom(number)).toEqual(['Pay 1', 'Pay 2']);
	expect(chat.deeds).toEqual([{ amount: '2' }]);
	expect(toldOfCalls()).toEqual([expect.stringContaining('transferred')]);
}, 400_000);

it('2. n8n is started again meanwhile: it takes no answer, no other call is asked, and nothing runs', async () => {
	const { flow, number } = await askedFirst();
	await stage.n8n.stop();
	await stage.n8n.boot();
	await stage.n8n.webhookUrl(stage.triggerPath);
	const message = await stage.messageAfter(number);
	await stage.press(message, 'Approve');
	expect(await stage.triggeredFor(message.messageId)).toEqual([
		expect.objectContaining({ resumed: false, notResumedReason: 'notWaiting' }),
	]);
	await waitFor('the end', ENDED_WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(flow.id);
		return newest?.status === 'error' ? true : undefined;
	});
	expect(questionsFrom(number)).toEqual(['Pay 1']);
	expect(chat.deeds).toEqual([]);
	expect(toldOfCalls()).toEqual([REJECTED, REJECTED, REJECTED]);
}, 400_000);
