import { randomBytes } from 'node:crypto';
import { startSandbox } from '../sandbox/server';
import { readExample } from '../tools/n8n/examples';
import { N8n } from '../tools/n8n/n8n';
import { print } from '../tools/system';

/** How long the sandbox gathers events before it posts them. Diyalog takes 5 s, which is long for a demo. */
const BATCH_WAIT_MS = 1_000;

/** The examples that send a code and verify it, each behind two webhooks. */
const CODE_TEMPLATES = [
	{ file: 'login-by-code.json', path: 'login' },
	{ file: 'confirm-payment.json', path: 'payment' },
	{ file: 'reset-password.json', path: 'reset' },
];

/** Each example that sends codes has a customer of its own: the next code to the same one would have to wait. */
const CUSTOMERS = [
	{ customerNo: '70021', userId: '243540663', name: 'Ayşe Yılmaz' },
	{ customerNo: '70022', userId: '1588406039', name: 'Mehmet Öztürk' },
	{ customerNo: '123456789', userId: '2074022437', name: 'Zeynep Işık' },
	{ customerNo: '70023', userId: '1199830041', name: 'Can Aydın' },
];

interface Ports {
	/** 0 for a free one */
	n8nPort: number;
	/** 0 for a free one */
	sandboxPort: number;
}

const demoBot = () => ({
	name: 'demo-bot',
	// Characters that a URL has to encode, as a real token may have them.
	token: `demo/token+${randomBytes(12).toString('hex')}=`,
	webhook: { id: 'OTP', appSecret: randomBytes(24).toString('hex') },
});

/** Starts n8n and the sandbox, and puts the examples into n8n. */
export async function startDemo({ n8nPort, sandboxPort }: Ports) {
	const bot = demoBot();
	const sandbox = await startSandbox({
		port: sandboxPort,
		bots: [bot],
		batch: { maxWaitMs: BATCH_WAIT_MS },
		customers: CUSTOMERS,
	});
	print('Starting n8n ...');
	const n8n = await N8n.start({
		port: n8nPort,
		// Everything n8n is able to say, so that a token in its log would be found.
		settings: { N8N_LOG_LEVEL: 'debug' },
	}).catch(async (error: unknown) => {
		await sandbox.close();
		throw error;
	});
	const stop = async () => {
		await n8n.stop();
		await sandbox.close();
		await n8n.remove();
	};

	const credential = {
		serverUrl: sandbox.url,
		botToken: bot.token,
		appSecret: bot.webhook.appSecret,
	};
	const credentialId = await n8n.createCredential('Diyalog', credential);
	const reacting = await readExample('react-to-press.json', credentialId);
	const sending = await readExample('send-otp.json', credentialId);
	const approving = await readExample('approve-transfer.json', credentialId);
	const steppingUp = await readExample('step-up-by-tap.json', credentialId);
	const workflows = {
		reacting: await n8n.createWorkflow(reacting),
		sending: await n8n.createWorkflow(sending),
		approving: await n8n.createWorkflow(approving),
		steppingUp: await n8n.createWorkflow(steppingUp),
	};
	for (const { file, path } of CODE_TEMPLATES) {
		await n8n.createWorkflow(await readExample(file, credentialId));
		await n8n.webhookUrl(`${path}-start`);
		await n8n.webhookUrl(`${path}-finish`);
	}
	sandbox.setWebhookUrl(bot.name, await n8n.webhookUrl(reacting.triggerPaths[0] ?? ''));
	await n8n.webhookUrl('send-otp');
	await n8n.webhookUrl('approve-transfer');
	await n8n.webhookUrl('step-up-start');
	return { n8n, sandbox, bot, credential, workflows, stop };
}

/** A running demo. */
export type Demo = Awaited<ReturnType<typeof startDemo>>;
