import { path, run } from '../../../tools/system';
import { installN8n } from '../../../tools/n8n/install';

/*
 * Faults of n8n's database, put into it from outside by a second connection. A trigger of the database refuses what n8n
 * writes; what n8n does about that is its own.
 */

/** What n8n writes: that an execution begins to run, one that waited or a new one, or that it begins to wait. */
export type Begin = 'waiting' | 'new' | 'running';

/** Runs with the Node that runs n8n: it has SQLite built in. */
const SCRIPT = `
const { DatabaseSync } = require('node:sqlite');
const [file, sql] = process.argv.slice(1);
const database = new DatabaseSync(file);
database.exec('PRAGMA busy_timeout = 20000');
database.exec(sql);
database.close();
`;

const LOCK = `
const { DatabaseSync } = require('node:sqlite');
const [file, forMs] = process.argv.slice(1);
const database = new DatabaseSync(file);
database.exec('PRAGMA busy_timeout = 20000; BEGIN EXCLUSIVE');
setTimeout(() => { database.exec('ROLLBACK'); database.close(); }, Number(forMs));
`;

async function inSqlite(userFolder: string, sql: string): Promise<void> {
	const { nodeBin } = await installN8n();
	const file = path.join(userFolder, '.n8n', 'database.sqlite');
	await run(path.join(nodeBin, 'node'), ['--no-warnings', '-e', SCRIPT, file, sql]);
}

/** From now on n8n cannot store that an execution of this state begins to run; that a running one begins to wait. */
export async function breakSqlite(userFolder: string, from: Begin): Promise<void> {
	const to = from === 'running' ? 'waiting' : 'running';
	await inSqlite(
		userFolder,
		`CREATE TRIGGER attack BEFORE UPDATE OF status ON execution_entity
		WHEN OLD.status = '${from}' AND NEW.status = '${to}'
		BEGIN SELECT RAISE(FAIL, 'the database fails'); END`,
	);
}

/** Holds n8n's whole database as another program does that writes to it; n8n gives up after some seconds. */
export async function lockSqlite(userFolder: string, forMs: number): Promise<void> {
	const { nodeBin } = await installN8n();
	const file = path.join(userFolder, '.n8n', 'database.sqlite');
	await run(path.join(nodeBin, 'node'), ['--no-warnings', '-e', LOCK, file, String(forMs)]);
}

/** Takes the fault away. */
export async function mendSqlite(userFolder: string): Promise<void> {
	await inSqlite(userFolder, 'DROP TRIGGER IF EXISTS attack');
}
