import { randomBytes } from 'node:crypto';
import { OWNER, N8n } from '../tools/n8n/n8n';
import { readExample } from '../tools/n8n/examples';
import { packPackage } from '../tools/n8n/package';
import {
	args,
	exitNow,
	exitWith,
	fs,
	isPortFree,
	onInterrupt,
	print,
	temporaryFolder,
} from '../tools/system';
import { checkDemo } from './check';
import { startSandbox } from '../sandbox/server';

/*
 * The main job in a real n8n: send an OTP, press a button, react to the press.
 * `npm run demo` stays for looking around; `npm run demo -- --check` proves that it works and ends.
 */

const USAGE = `Usage: npm run demo -- [--check] [--n8n-port <number>] [--sandbox-port <number>]

  --check         run once, check what came out, stop; exit code 0 only if all of it is right
  --n8n-port      port of n8n (5678; with --check any free one)
  --sandbox-port  port of the Diyalog sandbox (5681; with --check any free one)`;

/** How long the sandbox gathers events before it posts them. Diyalog takes 5 s, which is long for a demo. */
const BATCH_WAIT_MS = 1_000;

/** The examples that send a code and verify it, each behind two webhooks. */
export const CODE_TEMPLATES = [
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

interface DemoOptions {
	check: boolean;
	n8nPort: number;
	sandboxPort: number;
}

/** A mistake of the person who started the demo: a sentence, no stack. */
class UsageError extends Error {}

function readPort(flag: string, fallback: number): number {
	const position = args.indexOf(flag);
	if (position < 0) return fallback;
	const port = Number(args[position + 1]);
	if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
	throw new UsageError(`${flag} needs a port number.\n\n${USAGE}`);
}

function readOptions(): DemoOptions {
	const known = ['--check', '--n8n-port', '--sandbox-port'];
	const unknown = args.find((word) => word.startsWith('-') && !known.includes(word));
	if (unknown) throw new UsageError(`There is no option ${unknown}.\n\n${USAGE}`);
	const check = args.includes('--check');
	return {
		check,
		n8nPort: readPort('--n8n-port', check ? 0 : 5678),
		sandboxPort: readPort('--sandbox-port', check ? 0 : 5681),
	};
}

async function requireFreePort(port: number, flag: string): Promise<void> {
	if (port === 0 || (await isPortFree(port))) return;
	throw new UsageError(
		`Port ${port} is in use by another program. Stop that program, or choose another port with ${flag}.`,
	);
}

const demoBot = () => ({
	name: 'demo-bot',
	// Characters that a URL has to encode, as a real token may have them.
	token: `demo/token+${randomBytes(12).toString('hex')}=`,
	webhook: { id: 'OTP', appSecret: randomBytes(24).toString('hex') },
});

async function startDemo({ n8nPort, sandboxPort }: DemoOptions) {
	await requireFreePort(n8nPort, '--n8n-port');
	await requireFreePort(sandboxPort, '--sandbox-port');
	const bot = demoBot();
	const packFolder = await temporaryFolder('pack');
	const tarball = await packPackage(packFolder);
	const sandbox = await startSandbox({
		port: sandboxPort,
		bots: [bot],
		batch: { maxWaitMs: BATCH_WAIT_MS },
		customers: CUSTOMERS,
	});
	print('Starting n8n ...');
	const n8n = await N8n.start({
		tarball,
		port: n8nPort,
		// Everything n8n is able to say, so that a token in its log would be found.
		settings: { N8N_LOG_LEVEL: 'debug' },
	}).catch(async (error: unknown) => {
		await sandbox.close();
		throw error;
	});
	await fs.rm(packFolder, { recursive: true, force: true });
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

function printWhereToLook({ n8n, sandbox, workflows }: Demo): void {
	print(`
The demo is running.

n8n      ${n8n.url}
         log in with ${OWNER.email} and password ${OWNER.password}
         send:    ${n8n.url}/workflow/${workflows.sending}
         react:   ${n8n.url}/workflow/${workflows.reacting}
         approve: ${n8n.url}/workflow/${workflows.approving}
phone    ${sandbox.url}/sandbox#70021
         the phone of customer 70021, and every webhook that the sandbox posts

1. Open the phone and the send workflow side by side.
2. Execute the workflow from "Try it here", or:
   curl -X POST ${n8n.url}/webhook/send-otp -H 'Content-Type: application/json' -d '{"customerNo":"70021"}'
3. Press Approve on the phone, and look at the executions of the react workflow.
4. Execute the approve workflow: it waits until you press a button on the phone.
5. Log in by code: ask for one, read it on the phone, and post it with the challenge to ${n8n.url}/webhook/login-finish
   curl -X POST ${n8n.url}/webhook/login-start -H 'Content-Type: application/json' -d '{"customerNo":"70021"}'

Everything is thrown away when you stop it with Ctrl+C.`);
}

async function main(): Promise<void> {
	let stop = async (): Promise<void> => {};
	let stopping = false;
	onInterrupt(() => {
		// Whoever presses Ctrl+C a second time does not want to wait.
		if (stopping) return exitNow(130);
		stopping = true;
		print('Stopping ...');
		void stop().finally(() => exitNow(130));
	});
	const options = readOptions();
	const demo = await startDemo(options);
	stop = demo.stop;
	if (!options.check) return printWhereToLook(demo);
	try {
		exitWith((await checkDemo(demo)) ? 0 : 1);
	} finally {
		await demo.stop();
	}
}

main().catch((error: unknown) => {
	if (error instanceof UsageError) print(error.message);
	else print(error instanceof Error ? (error.stack ?? error.message) : String(error));
	exitWith(1);
});
