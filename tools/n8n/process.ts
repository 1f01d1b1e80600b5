import type { ChildProcess } from '../system';
import { ended, fs, path, signalGroup, startProcess, waitFor } from '../system';
import type { InstalledN8n } from './install';

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 20_000;

/** What a process of n8n is for; only queue mode has more than the main one. */
export type Role = 'main' | 'worker' | 'webhook';

/** n8n's command for each role, and where it says that it is ready. */
const ROLES: Readonly<Record<Role, { command: string; servesEditor: boolean }>> = {
	main: { command: 'start', servesEditor: true },
	worker: { command: 'worker', servesEditor: false },
	webhook: { command: 'webhook', servesEditor: false },
};

export interface N8nProcessOptions {
	role: Role;
	installed: InstalledN8n;
	/** n8n's data, and the log of this process */
	userFolder: string;
	/** tells the logs of several processes apart */
	name: string;
	/** where it serves HTTP; a worker serves only its state there */
	port: number;
	env: NodeJS.ProcessEnv;
}

/** One process of n8n, which can be stopped, killed and started again. */
export class N8nProcess {
	private child: ChildProcess | undefined;

	constructor(private readonly options: N8nProcessOptions) {}

	get url(): string {
		return `http://127.0.0.1:${this.options.port}`;
	}

	/** Its process id; undefined when it was never started. */
	get pid(): number | undefined {
		return this.child?.pid;
	}

	/** Everything it printed. */
	get logFile(): string {
		return path.join(this.options.userFolder, `${this.options.name}.log`);
	}

	/** Starts the process, for the first time or again after stop or kill, and waits until it answers. */
	async boot(): Promise<void> {
		const { role, installed, userFolder, env } = this.options;
		const [program, ...programArgs] = installed.program;
		const child = startProcess(program, [...programArgs, ROLES[role].command], {
			cwd: userFolder,
			env,
			logFile: this.logFile,
		});
		this.child = child;
		await waitFor(`n8n (${role}) is ready`, READY_WITHIN_MS, async () => {
			if (child.exitCode !== null || child.signalCode !== null)
				throw new Error(`n8n (${role}) ended at once:\n${await this.logTail()}`);
			return (await this.answersOk()) ? true : undefined;
		});
	}

	private async answersOk(): Promise<boolean> {
		try {
			const ready = await fetch(`${this.url}/healthz/readiness`);
			await ready.text();
			if (!ready.ok || !ROLES[this.options.role].servesEditor) return ready.ok;
			const editor = await fetch(this.url);
			return editor.ok && (await editor.text()).includes('<html');
		} catch {
			return false;
		}
	}

	/** The end of its log, for error messages. */
	async logTail(): Promise<string> {
		const log = await fs.readFile(this.logFile, 'utf8').catch(() => '');
		return log.slice(-3_000);
	}

	/** Stops the process in good order. */
	async stop(): Promise<void> {
		const { child } = this;
		if (!child) return;
		signalGroup(child, 'SIGTERM');
		const stopped = ended(child).then(() => true);
		await waitFor('n8n stops', STOP_WITHIN_MS, async () =>
			(await Promise.race([stopped, Promise.resolve(undefined)])) === true ? true : undefined,
		).catch(async () => await this.kill());
	}

	/** Kills the process with -9, and with it what it has started. */
	async kill(): Promise<void> {
		if (!this.child) return;
		signalGroup(this.child, 'SIGKILL');
		await ended(this.child);
	}
}
