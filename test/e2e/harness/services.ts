import { randomBytes } from 'node:crypto';
import type { ChildProcess } from '../../../tools/system';
import {
	ended,
	env,
	existsSync,
	freePort,
	fs,
	isRoot,
	path,
	readdirSync,
	run,
	signalGroup,
	startProcess,
	temporaryFolder,
	waitFor,
} from '../../../tools/system';

/*
 * What n8n's queue mode needs beside n8n, from the packages of the system: each on a free port of loopback, with a
 * password and its data in a temporary folder.
 */

const STARTS_WITHIN_MS = 60_000;
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/** A server beside n8n, and the settings with which n8n finds it. */
export interface Service {
	settings: NodeJS.ProcessEnv;
	stop(): Promise<void>;
}

/** The folder of PostgreSQL's programs, that of the newest version; undefined when it is not installed. */
function findPostgres(): string | undefined {
	if (!existsSync(DEBIAN_POSTGRES)) return undefined;
	return readdirSync(DEBIAN_POSTGRES)
		.sort((left, right) => Number(right) - Number(left))
		.map((version) => path.join(DEBIAN_POSTGRES, version, 'bin'))
		.find((folder) => existsSync(path.join(folder, 'initdb')));
}

const findRedis = (): string | undefined =>
	(env.PATH ?? '')
		.split(path.delimiter)
		.map((folder) => path.join(folder, 'redis-server'))
		.find(existsSync);

/** Why queue mode cannot be tested on this machine; undefined when it can. */
export function whyNoQueueMode(): string | undefined {
	const missing = [
		...(findPostgres() ? [] : ['PostgreSQL (Debian package postgresql)']),
		...(findRedis() ? [] : ['Redis (Debian package redis-server)']),
	];
	return missing.length === 0 ? undefined : `${missing.join(' and ')} not installed`;
}

interface User {
	uid: number;
	gid: number;
}

/** PostgreSQL refuses to run as root: then it gets the user of its package, or else that of nobody. */
async function postgresUser(): Promise<User | undefined> {
	if (!isRoot()) return undefined;
	const id = async (name: string): Promise<User> => ({
		uid: Number(await run('id', ['-u', name])),
		gid: Number(await run('id', ['-g', name])),
	});
	return await id('postgres').catch(async () => await id('nobody'));
}

/** The words of a command line that runs a program as that user. */
const asUser = (user: User | undefined, command: string[]): [string, string[]] => {
	const [program = '', ...rest] = user
		? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...command]
		: command;
	return [program, rest];
};

async function stopWith(child: ChildProcess, folder: string): Promise<void> {
	signalGroup(child, 'SIGKILL');
	await ended(child);
	await fs.rm(folder, { recursive: true, force: true });
}

async function started(
	name: string,
	child: ChildProcess,
	logFile: string,
	answers: () => Promise<unknown>,
): Promise<void> {
	await waitFor(`${name} answers`, STARTS_WITHIN_MS, async () => {
		if (child.exitCode !== null)
			throw new Error(`${name} ended at once:\n${await fs.readFile(logFile, 'utf8')}`);
		return await answers().then(
			() => true,
			() => undefined,
		);
	});
}

/** Starts a PostgreSQL with an empty database for n8n. */
export async function startPostgres(): Promise<Service> {
	const programs = findPostgres();
	if (!programs) throw new Error('PostgreSQL is not installed');
	const user = await postgresUser();
	const folder = await temporaryFolder('postgres');
	const [data, passwordFile] = [path.join(folder, 'data'), path.join(folder, 'password')];
	const password = randomBytes(16).toString('hex');
	await fs.writeFile(passwordFile, password, { mode: 0o600 });
	if (user) {
		await fs.chown(folder, user.uid, user.gid);
		await fs.chown(passwordFile, user.uid, user.gid);
	}
	const program = (name: string) => path.join(programs, name);
	const initdb = [program('initdb'), '-D', data, '-U', 'n8n', '--pwfile', passwordFile];
	const [command, commandArgs] = asUser(user, [
		...initdb,
		...['-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'],
	]);
	await run(command, commandArgs, { cwd: folder });
	const port = await freePort();
	const settings = [
		'unix_socket_directories=',
		'max_connections=200',
		'listen_addresses=127.0.0.1',
	];
	const server = [program('postgres'), '-D', data, '-p', String(port)];
	const logFile = path.join(folder, 'postgres.log');
	const child = startProcess(
		...asUser(user, [...server, ...settings.flatMap((setting) => ['-c', setting])]),
		{ cwd: folder, env, logFile },
	);
	const connection = ['-h', '127.0.0.1', '-p', String(port), '-U', 'n8n'];
	const stop = async () => await stopWith(child, folder);
	await started('PostgreSQL', child, logFile, async () => {
		await run(program('pg_isready'), connection);
		await run(program('createdb'), [...connection, 'n8n'], {
			env: { ...env, PGPASSWORD: password },
		});
	}).catch(async (error: unknown) => {
		await stop();
		throw error;
	});
	return {
		settings: {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: '127.0.0.1',
			DB_POSTGRESDB_PORT: String(port),
			DB_POSTGRESDB_DATABASE: 'n8n',
			DB_POSTGRESDB_USER: 'n8n',
			DB_POSTGRESDB_PASSWORD: password,
		},
		stop,
	};
}

/**
 * Carries out a statement in n8n's database beside n8n.
 *
 * @param settings those of the started PostgreSQL
 * @returns what it prints, bare
 */
export async function inPostgres(settings: NodeJS.ProcessEnv, statement: string): Promise<string> {
	const {
		DB_POSTGRESDB_HOST: host = '',
		DB_POSTGRESDB_PORT: port = '',
		DB_POSTGRESDB_USER: user = '',
		DB_POSTGRESDB_DATABASE: database = '',
		DB_POSTGRESDB_PASSWORD: password,
	} = settings;
	const where = ['-h', host, '-p', port, '-U', user, '-d', database];
	const how = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'];
	const program = path.join(findPostgres() ?? '', 'psql');
	const printed = await run(program, [...where, ...how, '-c', statement], {
		env: { ...env, PGPASSWORD: password },
	});
	return printed.trim();
}

/** Starts an empty Redis. */
export async function startRedis(): Promise<Service> {
	const program = findRedis();
	if (!program) throw new Error('Redis is not installed');
	const folder = await temporaryFolder('redis');
	const port = await freePort();
	const password = randomBytes(16).toString('hex');
	const configFile = path.join(folder, 'redis.conf');
	const config = ['bind 127.0.0.1', `port ${port}`, 'save ""', `requirepass ${password}`];
	await fs.writeFile(configFile, `${config.join('\n')}\ndir ${folder}\n`, { mode: 0o600 });
	const logFile = path.join(folder, 'redis.log');
	const child = startProcess(program, [configFile], { cwd: folder, env, logFile });
	const stop = async () => await stopWith(child, folder);
	await started('Redis', child, logFile, async () => {
		const log = await fs.readFile(logFile, 'utf8');
		if (!log.includes('Ready to accept connections')) throw new Error('not yet');
	}).catch(async (error: unknown) => {
		await stop();
		throw error;
	});
	return {
		settings: {
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(port),
			QUEUE_BULL_REDIS_PASSWORD: password,
		},
		stop,
	};
}
