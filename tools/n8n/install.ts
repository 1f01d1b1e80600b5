import { env, existsSync, fs, os, path, print, run, sleepMs, UsageError } from '../system';

export const N8N_VERSION = '2.41.1';
/** n8n 2.41 needs Node 24 or newer; the npm package `node` brings one, so that any Node can start this. */
export const NODE_VERSION = '24.21.0';

/** Names an n8n that somebody else has installed. */
const OWN_N8N = 'DIYALOG_N8N_BIN';
const OWN_N8N_HELP =
	'Give the path of the program n8n, for example /usr/local/bin/n8n, or take the variable away to have n8n installed.';

/** What an n8n that is started here is called in reports: its release, or the program that was named. */
export const n8nName = (): string => env[OWN_N8N] || (env.DIYALOG_N8N_VERSION ?? N8N_VERSION);

/** Where installed programs are kept between runs: outside the checkout, one folder for each version. */
export const cacheFolder = (): string =>
	env.DIYALOG_CACHE_DIR ??
	path.join(env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'n8n-nodes-diyalog');

/** An n8n that can be started. */
export interface InstalledN8n {
	/** folder of the Node that runs it, to be put first on PATH; empty where PATH has it already */
	nodeBin: string;
	/** what starts it, before n8n's own command */
	program: readonly [command: string, ...args: string[]];
}

const PROGRESS_EVERY_MS = 15_000;

async function withProgress<T>(what: string, usually: string, work: Promise<T>): Promise<T> {
	print(`Installing ${what} (usually ${usually}, only the first time) ...`);
	const begin = Date.now();
	let done = false;
	const report = async () => {
		while (!done) {
			await Promise.race([
				sleepMs(PROGRESS_EVERY_MS, undefined, { ref: false }),
				work.catch(() => undefined),
			]);
			if (!done) print(`  ${what}: ${Math.round((Date.now() - begin) / 1_000)} s ...`);
		}
	};
	const reporting = report();
	try {
		return await work;
	} finally {
		done = true;
		await reporting;
		print(`  ${what}: done after ${Math.round((Date.now() - begin) / 1_000)} s`);
	}
}

/**
 * Fills a folder of the cache once. The work is done in a folder beside it that is renamed at the end, so that an
 * interrupted installation is never taken for a complete one.
 */
async function once(
	folder: string,
	fill: (partial: string) => Promise<void>,
	project: object = {},
): Promise<void> {
	if (existsSync(folder)) return;
	await fs.mkdir(path.dirname(folder), { recursive: true });
	await removeAbandoned(`${folder}.partial-`);
	const partial = await fs.mkdtemp(`${folder}.partial-`);
	const manifest = JSON.stringify({ private: true, ...project });
	await fs.writeFile(path.join(partial, 'package.json'), manifest);
	await fill(partial);
	await fs.rename(partial, folder).catch(async (error: unknown) => {
		// Another process was faster: its installation is as good as this one.
		if (!existsSync(folder)) throw error;
		await fs.rm(partial, { recursive: true, force: true });
	});
}

/** Longer than any installation takes. */
const ABANDONED_AFTER_MS = 3_600_000;

/** Removes what interrupted installations left behind: 3 GB each. */
async function removeAbandoned(prefix: string): Promise<void> {
	const parent = path.dirname(prefix);
	for (const name of await fs.readdir(parent)) {
		const folder = path.join(parent, name);
		if (!folder.startsWith(prefix)) continue;
		const { mtimeMs } = await fs.stat(folder);
		const abandoned = Date.now() - mtimeMs > ABANDONED_AFTER_MS;
		if (abandoned) await fs.rm(folder, { recursive: true, force: true });
	}
}

const NPM_QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Installs Node for n8n, unless it is there; older releases of n8n need an older one, named by DIYALOG_NODE_VERSION. */
export async function installNode(): Promise<string> {
	const version = env.DIYALOG_NODE_VERSION ?? NODE_VERSION;
	const folder = path.join(cacheFolder(), `node-${version}`);
	await once(folder, async (cwd) => {
		const npmArgs = ['install', `node@${version}`, '--ignore-scripts=false', ...NPM_QUIET];
		const logFile = path.join(cwd, 'install.log');
		await withProgress(`Node ${version}`, '10 seconds', run('npm', npmArgs, { cwd, logFile }));
	});
	return path.join(folder, 'node_modules', '.bin');
}

/** Settings of n8n, npm and jest that are meant for the process that started us, not for an n8n that we start. */
const FOREIGN_SETTING = /^(N8N_|npm_|JEST_|NODE_ENV$|NODE_OPTIONS$|DB_|EXECUTIONS_|WEBHOOK_URL$)/;

/** The environment in which a program finds the given Node first. */
export const withNode = (nodeBin: string): NodeJS.ProcessEnv => ({
	...Object.fromEntries(Object.entries(env).filter(([name]) => !FOREIGN_SETTING.test(name))),
	PATH: [nodeBin, env.PATH ?? ''].filter((part) => part !== '').join(path.delimiter),
});

/**
 * Older releases of n8n take a library for spreadsheets from its maker's own server instead of a registry; newer ones take
 * this copy of it.
 */
const FOR_OLDER_RELEASES = { overrides: { xlsx: 'npm:@e965/xlsx@0.20.3' } };

/**
 * The n8n that DIYALOG_N8N_BIN names, which somebody else has installed: it is started as it is, with the program that its
 * first line names.
 *
 * @param version the release that is asked for; another one than usual cannot be had from there
 * @throws UsageError when there is no such program
 */
async function n8nOfOthers(file: string, version: string): Promise<InstalledN8n> {
	const command = path.resolve(file);
	const stat = await fs.stat(command).catch(() => undefined);
	if (!stat)
		throw new UsageError(`${OWN_N8N} names ${command}, which does not exist. ${OWN_N8N_HELP}`);
	const isProgram = await fs.access(command, fs.constants.X_OK).then(
		() => stat.isFile(),
		() => false,
	);
	if (!isProgram)
		throw new UsageError(`${OWN_N8N} names ${command}, which is no program. ${OWN_N8N_HELP}`);
	if (version !== N8N_VERSION)
		throw new UsageError(
			`${OWN_N8N} names an n8n, and n8n ${version} is asked for by its version. Take one of the two away.`,
		);
	return { nodeBin: '', program: [command] };
}

/**
 * Installs n8n and the Node that it needs into the cache, unless they are there or DIYALOG_N8N_BIN names another n8n.
 * No install script runs but that of sqlite3: a Kafka driver of n8n would want to be compiled otherwise.
 */
export async function installN8n(version = N8N_VERSION): Promise<InstalledN8n> {
	const ofOthers = env[OWN_N8N];
	if (ofOthers) return await n8nOfOthers(ofOthers, version);
	const nodeBin = await installNode();
	const folder = path.join(cacheFolder(), `n8n-${version}`);
	const project = version === N8N_VERSION ? {} : FOR_OLDER_RELEASES;
	const fill = async (cwd: string) => {
		const options = { cwd, env: withNode(nodeBin), logFile: path.join(cwd, 'install.log') };
		const install = async () => {
			await run('npm', ['install', `n8n@${version}`, '--ignore-scripts', ...NPM_QUIET], options);
			await run('npm', ['rebuild', 'sqlite3', '--ignore-scripts=false', ...NPM_QUIET], options);
		};
		await withProgress(`n8n ${version}`, '3 to 8 minutes', install());
	};
	await once(folder, fill, project);
	return { nodeBin, program: ['node', path.join(folder, 'node_modules', 'n8n', 'bin', 'n8n')] };
}

/** A headless Chromium that lies whole inside an npm package, so that it needs no other download. */
const CHROMIUM_PACKAGE = '@sparticuz/chromium';
const CHROMIUM_VERSION = '153.0.0';

const chromiumFolder = (): string => path.join(cacheFolder(), `chromium-${CHROMIUM_VERSION}`);

/** Where the Chromium of the cache is started from, whether it is installed or not. */
export const cachedChromium = (): string => path.join(chromiumFolder(), 'chromium');

/** Starts Chromium with the system's libraries or, where some are missing, with those of the package. */
const CHROMIUM_STARTER = `#!/bin/sh
here=$(dirname "$0")/unpacked
if ldd "$here/chromium" | grep -q 'not found'; then
	export LD_LIBRARY_PATH="$here/al2023/lib"
fi
exec "$here/chromium" "$@"
`;

/** Installs a Chromium into the cache, unless it is there. Linux on x86-64 only. */
export async function installChromium(): Promise<void> {
	await once(chromiumFolder(), async (cwd) => {
		const unpacked = path.join(cwd, 'unpacked');
		await fs.mkdir(unpacked);
		const logFile = path.join(cwd, 'install.log');
		const install = async () => {
			const name = `${CHROMIUM_PACKAGE}@${CHROMIUM_VERSION}`;
			await run('npm', ['install', name, '--ignore-scripts', ...NPM_QUIET], { cwd, logFile });
			const script = `import('${CHROMIUM_PACKAGE}').then((m) => m.default.executablePath())`;
			// The package unpacks its libraries only where it believes to be in the cloud that it was made for.
			const cloud = { TMPDIR: unpacked, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };
			await run('node', ['-e', script], { cwd, logFile, env: { ...withNode(''), ...cloud } });
			await fs.writeFile(path.join(cwd, 'chromium'), CHROMIUM_STARTER, { mode: 0o755 });
			await run(path.join(cwd, 'chromium'), ['--version', '--no-sandbox'], { cwd, logFile });
		};
		await withProgress(`Chromium ${CHROMIUM_VERSION}`, '10 seconds', install());
	});
}
