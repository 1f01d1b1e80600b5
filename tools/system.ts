/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals,
   @n8n/community-nodes/no-dangerous-functions, @n8n/community-nodes/require-node-api-error --
   the one door of demo and tests to the operating system; nothing here is published */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
	closeSync,
	createWriteStream,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';

export { connect, existsSync, fs, http, https, os, path, readdirSync, readFileSync, sleepMs };
export type { AddressInfo, ChildProcess };

export const requireCommonJs = createRequire(__filename);
export const env = process.env;
export const args = process.argv.slice(2);
export const projectRoot = path.resolve(__dirname, '..');

/** A mistake of the person who started a tool: a sentence, no stack. */
export class UsageError extends Error {}

/** What this process has computed so far, in milliseconds; other programs on the machine take no part in it. */
export function busyMs(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}

/** Whether this process may do everything on this machine. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/** Ends this process with an exit code once its output is written. */
export function exitWith(code: number): void {
	process.exitCode = code;
}

/** Ends this process now, and with it everything that it started. */
export function exitNow(code: number): void {
	process.exit(code);
}

/** Calls back whenever a person or a system wants this process to end. */
export function onInterrupt(callback: () => void): void {
	process.on('SIGINT', callback);
	process.on('SIGTERM', callback);
}

/** What would outlive this process if it ended early: servers in process groups of their own, and temporary folders. */
const leftovers = { processes: new Set<ChildProcess>(), folders: new Set<string>() };

/** Registered with the first thing that could be left over. */
function cleanUpAtExit(): void {
	if (leftovers.processes.size + leftovers.folders.size > 0) return;
	process.once('exit', () => {
		for (const child of leftovers.processes) signalGroup(child, 'SIGKILL');
		for (const folder of leftovers.folders) rmSync(folder, { recursive: true, force: true });
	});
}

export const print = (text = ''): void => void process.stdout.write(`${text}\n`);

/** A port on loopback that is free now. */
export async function freePort(): Promise<number> {
	return await new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() =>
				typeof address === 'object' && address
					? resolve(address.port)
					: reject(new Error('No free port on loopback')),
			);
		});
	});
}

/** Whether nothing listens on this port of loopback. */
export async function isPortFree(port: number): Promise<boolean> {
	return await new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
}

export interface RunOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	/** a file that takes all output, for long commands */
	logFile?: string;
}

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws Error with the end of its output when it fails
 */
export async function run(
	command: string,
	commandArgs: readonly string[],
	options: RunOptions = {},
): Promise<string> {
	const child = spawn(command, commandArgs, {
		cwd: options.cwd,
		env: options.env ?? process.env,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const log = options.logFile ? createWriteStream(options.logFile, { flags: 'a' }) : undefined;
	let stdout = '';
	let tail = '';
	const take = (chunk: Buffer) => {
		log?.write(chunk);
		tail = (tail + chunk.toString()).slice(-4_000);
	};
	child.stdout.on('data', (chunk: Buffer) => {
		stdout += chunk.toString();
		take(chunk);
	});
	child.stderr.on('data', take);
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', resolve);
	});
	log?.end();
	if (code === 0) return stdout;
	throw new Error(`${command} ${commandArgs.join(' ')} ended with ${code}:\n${tail}`);
}

/**
 * Runs a command to its end and lets the person see what it prints.
 *
 * @returns its exit code
 */
export async function runVisibly(
	command: string,
	commandArgs: readonly string[],
	options: Pick<RunOptions, 'cwd' | 'env'>,
): Promise<number> {
	const child = spawn(command, commandArgs, {
		...options,
		stdio: ['ignore', 'inherit', 'inherit'],
	});
	return await new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve(code ?? 1));
	});
}

/** Starts a server as a process group of its own, all its output in a file. */
export function startProcess(
	command: string,
	commandArgs: readonly string[],
	options: Required<RunOptions>,
): ChildProcess {
	// It writes into the file itself: with a pipe to a process that was killed, n8n would log forever that it cannot log.
	const log = openSync(options.logFile, 'a');
	const child = spawn(command, commandArgs, {
		cwd: options.cwd,
		env: options.env,
		stdio: ['ignore', log, log],
		detached: true,
	});
	closeSync(log);
	cleanUpAtExit();
	leftovers.processes.add(child);
	return child;
}

/** Sends a signal to a process and all that it started; a process that has ended already is no error. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	try {
		process.kill(-child.pid, signal);
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
	}
}

/** Waits for a process to end. */
export async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	await new Promise((resolve) => child.once('close', resolve));
}

/** A new empty folder that the caller removes; what is left of it goes when this process ends. */
export async function temporaryFolder(purpose: string): Promise<string> {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), `n8n-nodes-diyalog-${purpose}-`));
	cleanUpAtExit();
	leftovers.folders.add(folder);
	return folder;
}

/** Every file below a folder. */
export async function filesBelow(folder: string): Promise<string[]> {
	const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
	return entries
		.filter((entry) => entry.isFile())
		.map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/**
 * Waits until a condition holds.
 *
 * @param what names the condition in the error
 * @param probe returns undefined for "not yet"
 * @throws Error when it does not hold in time
 */
export async function waitFor<T>(
	what: string,
	timeoutMs: number,
	probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const found = await probe();
		if (found !== undefined) return found;
		if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1_000} s`);
		await sleepMs(100);
	}
}
