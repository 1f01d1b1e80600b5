import { OWNER } from '../tools/n8n/n8n';
import {
	args,
	exitNow,
	exitWith,
	isPortFree,
	onInterrupt,
	print,
	UsageError,
} from '../tools/system';
import { checkDemo } from './check';
import { startDemo } from './start';
import type { Demo } from './start';

/*
 * The main job in a real n8n: send an OTP, press a button, react to the press.
 * `npm run demo` stays for looking around; `npm run demo -- --check` proves that it works and ends.
 */

const USAGE = `Usage: npm run demo -- [--check] [--n8n-port <number>] [--sandbox-port <number>]

  --check         run once, check what came out, stop; exit code 0 only if all of it is right
  --n8n-port      port of n8n (5678; with --check any free one)
  --sandbox-port  port of the Diyalog sandbox (5681; with --check any free one)`;

interface DemoOptions {
	check: boolean;
	n8nPort: number;
	sandboxPort: number;
}

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

function printWhereToLook({ n8n, sandbox, workflows, credential }: Demo): void {
	print(`
The demo is running.

n8n      ${n8n.url}
         log in with ${OWNER.email} and password ${OWNER.password}
         send:    ${n8n.url}/workflow/${workflows.sending}
         react:   ${n8n.url}/workflow/${workflows.reacting}
         approve: ${n8n.url}/workflow/${workflows.approving}
phone    ${sandbox.url}/sandbox#70021
         the phone of customer 70021, and every webhook that the sandbox posts
credential, if you want to enter it yourself
         Server URL   ${credential.serverUrl}
         Bot Token    ${credential.botToken}
         App Secret   ${credential.appSecret}
log      ${n8n.logFile}

1. Open the phone and the send workflow side by side.
2. Choose the arrow beside "Execute workflow", then "Try it here", then "Execute workflow". Or:
   curl -X POST ${n8n.url}/webhook/send-otp -H 'Content-Type: application/json' -d '{"customerNo":"70021"}'
3. Press Approve on the phone, and look at the executions of the react workflow.
4. Execute the approve workflow in the same way: it waits until you press a button on the phone.
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
	await requireFreePort(options.n8nPort, '--n8n-port');
	await requireFreePort(options.sandboxPort, '--sandbox-port');
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
