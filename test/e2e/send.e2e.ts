import { randomBytes } from 'node:crypto';
import { FaultyServer } from '../support/faultyServer';
import type { Behaviour } from '../support/faultyServer';
import { fs, waitFor } from '../../tools/system';
import { postJson } from '../../tools/postJson';
import { errorOf, itemsOf } from '../../tools/n8n/executions';
import { N8n } from '../../tools/n8n/n8n';
import { filesHolding } from '../../tools/n8n/secrets';
import { ANSWERS_AT_THE_END, send, webhook, workflow } from './harness/workflows';

/* Sending in a real n8n: whatever goes wrong, no secret is left in what n8n writes, and nobody gets a message twice. */

const TOKEN = `bot/token+${randomBytes(12).toString('hex')}=`;
const APP_SECRET = randomBytes(16).toString('hex');
const CODE = '7391548260';

/** What happens to the first message, the second, and so on. */
const FAULTS: Array<{ what: string; behaviour: Behaviour; message: string; times: number }> = [
	{
		what: 'a proxy that shows the address',
		behaviour: {
			kind: 'refuse',
			status: 404,
			text: `Cannot POST /v1/bots/sendmok/${encodeURIComponent(TOKEN)} (${TOKEN})`,
		},
		message: "The server's answer is not one of Diyalog's",
		times: 0,
	},
	{
		what: 'a redirect that repeats the address',
		behaviour: {
			kind: 'refuse',
			status: 302,
			text: '',
			headers: { location: `http://127.0.0.1:1/login?from=${encodeURIComponent(TOKEN)}` },
		},
		message: "The server's answer is not one of Diyalog's",
		times: 0,
	},
	{
		what: 'a wrong token',
		behaviour: { kind: 'refuse', status: 503, text: `You may be using wrong token. ${TOKEN}` },
		message: 'Diyalog did not accept the bot token',
		times: 0,
	},
	{
		what: 'a reset after the body',
		behaviour: { kind: 'resetAfterBody' },
		message:
			'The connection to the Diyalog server broke off, and the message may have been delivered',
		times: 1,
	},
	{
		what: 'an endless answer',
		behaviour: { kind: 'endlessAnswer' },
		message: "The server's answer is not one of Diyalog's, and the message may have been delivered",
		times: 1,
	},
	{
		what: 'no answer',
		behaviour: { kind: 'silence' },
		message: 'The Diyalog server did not answer in time, and the message may have been delivered',
		times: 1,
	},
];

let n8n: N8n;
let server: FaultyServer;
let workflowId: string;
let url: string;
let behaviour: Behaviour = { kind: 'accept' };

beforeAll(async () => {
	n8n = await N8n.start({ settings: { N8N_LOG_LEVEL: 'debug' } });
	server = await FaultyServer.start(() => behaviour);
	const credentialId = await n8n.createCredential('Diyalog', {
		serverUrl: server.url,
		botToken: TOKEN,
		appSecret: APP_SECRET,
	});
	const sending = send(
		credentialId,
		{
			message: `Your code is ${CODE}.`,
			otpValue: CODE,
			options: { timeout: 1, messageId: '={{ $json.body.messageId }}' },
		},
		{ retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
	);
	const rows = [[webhook('send', ANSWERS_AT_THE_END), sending]];
	workflowId = await n8n.createWorkflow(workflow('Send', rows));
	url = await n8n.webhookUrl('send');
}, 900_000);

afterAll(async () => {
	await server.close();
	await n8n.stop();
	await n8n.remove();
}, 60_000);

async function call(messageId: string): Promise<void> {
	await postJson(url, { messageId });
}

async function executionsAre(count: number): Promise<string[]> {
	return await waitFor(`${count} finished executions`, 20_000, async () => {
		const executions = await n8n.executions(workflowId);
		const finished = executions.filter(({ status }) => ['success', 'error'].includes(status));
		return finished.length === count ? finished.map(({ id }) => id) : undefined;
	});
}

/** The part of a stored execution that its error takes. */
async function storedError(id: string): Promise<string> {
	return JSON.stringify(errorOf(await n8n.executionData(id)) ?? null);
}

it('an accepted message is there, so that the search below can find something', async () => {
	await call('accepted');
	const [id = ''] = await executionsAre(1);
	expect(itemsOf(await n8n.executionData(id), 'Send')).toEqual([
		expect.objectContaining({ messageId: 'accepted', userId: '243540663' }),
	]);
	expect(server.times('accepted')).toBe(1);
});

it.each(FAULTS.map((fault, index) => ({ ...fault, index })))(
	'$what: a clear error, once tried again by Retry On Fail, at most once delivered',
	async ({ behaviour: next, message, times, index }) => {
		behaviour = next;
		await call(`fault-${index}`);
		const [newest = ''] = await executionsAre(index + 2);
		const error = await storedError(newest);
		expect(error).toContain(message);
		expect(error).not.toContain(CODE);
		expect(server.times(`fault-${index}`)).toBe(times);
	},
);

it('no secret is in anything that n8n wrote', async () => {
	await n8n.stop();
	for (const secret of [TOKEN, APP_SECRET]) {
		const { files, searched } = await filesHolding(n8n.userFolder, secret);
		expect(files).toEqual([]);
		expect(searched).toBeGreaterThan(100);
	}
	expect((await filesHolding(n8n.userFolder, 'fault-0')).files).not.toEqual([]);
	const log = await fs.readFile(n8n.logFile, 'utf8');
	expect(log).toContain('debug');
	expect(log).not.toContain(CODE);
}, 60_000);
