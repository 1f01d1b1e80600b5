import { z } from 'zod';
import { inPostgres } from '../../e2e/harness/services';
import { installN8n } from '../../../tools/n8n/install';
import { fs, path, run } from '../../../tools/system';

/* n8n's database, seen by a second connection: many waiting executions are put into it as copies of a real one. */

const BYTES_PER_MIB = 2 ** 20;
const MS_PER_S = 1_000;

/** What differs between the two databases. */
interface Dialect {
	/** carries out a statement, and gives the text that it selects */
	sql(statement: string): Promise<string>;
	/** `1 .. count` as rows `n(i)`, for a FROM */
	numbers(count: number): string;
	/** a moment so many seconds from now, which may be an expression */
	inSeconds(seconds: string): string;
	columns(table: string): string;
	/** how long a query takes within the database, in milliseconds */
	queryMs(query: string): Promise<number>;
	sizeMib(): Promise<number>;
}

/** n8n's database of either kind. */
export class Database {
	constructor(private readonly dialect: Dialect) {}

	private async columns(table: string, ...without: string[]): Promise<string[]> {
		const names = (await this.dialect.sql(this.dialect.columns(table))).split('\n');
		return names.map((name) => name.trim()).filter((name) => name && !without.includes(name));
	}

	/**
	 * Copies an execution that waits.
	 *
	 * @param dueInS when their waits are over, in seconds from now; `n.i` counts the copies from 1
	 */
	async copyWaiting(id: string, count: number, dueInS: string): Promise<void> {
		if (count === 0) return;
		const { dialect } = this;
		const newest = await dialect.sql('SELECT max(id) FROM execution_entity');
		const quoted = (names: string[]) => names.map((name) => `"${name}"`).join(', ');
		const own = await this.columns('execution_entity', 'id');
		const selected = own
			.map((name) => (name === 'waitTill' ? dialect.inSeconds(dueInS) : `e."${name}"`))
			.join(', ');
		await dialect.sql(
			`INSERT INTO execution_entity (${quoted(own)})
			SELECT ${selected} FROM ${dialect.numbers(count)}, execution_entity e WHERE e.id = ${id}`,
		);
		const data = await this.columns('execution_data', 'executionId');
		await dialect.sql(
			`INSERT INTO execution_data ("executionId", ${quoted(data)})
			SELECT e.id, ${data.map((name) => `d."${name}"`).join(', ')}
			FROM execution_entity e, execution_data d WHERE e.id > ${newest} AND d."executionId" = ${id}`,
		);
	}

	/** How many executions wait whose time is up within so many seconds. */
	async waiting(withinS: number): Promise<number> {
		return Number(await this.dialect.sql(`SELECT count(*) ${this.due(withinS)}`));
	}

	/** How long the query takes with which n8n looks once a minute for waits that are over soon, in milliseconds. */
	async pollMs(): Promise<number> {
		const query = `SELECT id, "waitTill" ${this.due(70)} AND "deletedAt" IS NULL ORDER BY "waitTill"`;
		return await this.dialect.queryMs(query);
	}

	private due(withinS: number): string {
		return `FROM execution_entity WHERE status = 'waiting' AND "waitTill" <= ${this.dialect.inSeconds(String(withinS))}`;
	}

	async sizeMib(): Promise<number> {
		return await this.dialect.sizeMib();
	}
}

/** Runs with the Node that runs n8n, which has SQLite built in. */
const SCRIPT = `
const { DatabaseSync } = require('node:sqlite');
const [file, sql] = process.argv.slice(1);
const database = new DatabaseSync(file);
database.exec('PRAGMA busy_timeout = 60000');
const began = performance.now();
const rows = database.prepare(sql).all();
const ms = performance.now() - began;
database.close();
console.log(JSON.stringify({ rows: rows.map((row) => Object.values(row).join('|')), ms }));
`;

const printedSchema = z.object({ rows: z.array(z.string()), ms: z.number() });

export function sqlite(userFolder: string): Database {
	const file = path.join(userFolder, '.n8n', 'database.sqlite');
	const query = async (statement: string) => {
		const { nodeBin } = await installN8n();
		const words = ['--no-warnings', '-e', SCRIPT, file, statement];
		return printedSchema.parse(JSON.parse(await run(path.join(nodeBin, 'node'), words)));
	};
	return new Database({
		sql: async (statement) => (await query(statement)).rows.join('\n'),
		numbers: (count) =>
			`(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${count}) SELECT i FROM c) n`,
		inSeconds: (seconds) =>
			`strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || (${seconds}) || ' seconds')`,
		columns: (table) => `SELECT name FROM pragma_table_info('${table}')`,
		queryMs: async (statement) => (await query(statement)).ms,
		sizeMib: async () => {
			const sizes = ['', '-wal'].map(
				async (suffix) => (await fs.stat(file + suffix).catch(() => undefined))?.size ?? 0,
			);
			return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / BYTES_PER_MIB;
		},
	});
}

/** @param settings those of the started PostgreSQL */
export function postgres(settings: NodeJS.ProcessEnv): Database {
	const sql = async (statement: string) => await inPostgres(settings, statement);
	return new Database({
		sql,
		numbers: (count) => `generate_series(1, ${count}) n(i)`,
		inSeconds: (seconds) => `now() + (${seconds}) * interval '1 second'`,
		columns: (table) =>
			`SELECT column_name FROM information_schema.columns WHERE table_name = '${table}'`,
		queryMs: async (statement) => {
			const plan = await sql(`EXPLAIN (ANALYZE, TIMING OFF) ${statement}`);
			return Number(/Execution Time: ([\d.]+) ms/.exec(plan)?.[1] ?? Number.NaN);
		},
		sizeMib: async () => Number(await sql("SELECT pg_database_size('n8n')")) / BYTES_PER_MIB,
	});
}

export const secondsSince = (beginMs: number): number => (performance.now() - beginMs) / MS_PER_S;
