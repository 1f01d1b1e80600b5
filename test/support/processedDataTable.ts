import type {
	DeduplicationScope,
	ICheckProcessedContextData,
	ICheckProcessedOptions,
	IDataDeduplicator,
	IDeduplicationOutput,
} from 'n8n-workflow';
import { createHash } from 'node:crypto';
import { sleepMs } from '../../tools/system';

type Values = Array<string | number>;

/**
 * Stands for n8n's table processed_data and for the service in front of it, in the mode `entries`. As in n8n, adding is
 * reading a row, then writing it whole: whoever writes in between is overwritten. A row is inserted once; a second
 * insertion is an error of the database.
 */
export class ProcessedDataTable implements IDataDeduplicator {
	readonly rows = new Map<string, string[]>();

	/** how often each kind of statement ran */
	readonly statements = { select: 0, insert: 0, update: 0, delete: 0 };

	/** Set it to make the database unreachable. */
	failure: Error | undefined;

	/** Set it to hold a writing up between its reading and its writing; it gets the row's key. */
	beforeWriting: ((key: string) => Promise<void>) | undefined;

	/** @param delayMs how long a statement takes; random up to it, so that other orders come up */
	constructor(private readonly delayMs = 0) {}

	/** Everything that the table holds, as it would lie in a database file. */
	get content(): string {
		return JSON.stringify([...this.rows]);
	}

	async checkProcessedAndRecord(
		items: Values,
		scope: DeduplicationScope,
		contextData: ICheckProcessedContextData,
		{ maxEntries }: ICheckProcessedOptions,
	): Promise<IDeduplicationOutput> {
		const key = keyOf(scope, contextData);
		const row = await this.select(key);
		const hashes = items.map(hashOf);
		const before = new Set(row ?? []);
		const isOld = (item: string | number) => before.has(hashOf(item));
		const written = [...(row ?? []), ...hashes.filter((hash) => !before.has(hash))];
		if (maxEntries) written.splice(0, written.length - maxEntries);
		await this.beforeWriting?.(key);
		await (row ? this.update(key, written) : this.insert(key, written));
		return { new: items.filter((item) => !isOld(item)), processed: items.filter(isOld) };
	}

	async removeProcessed(
		items: Values,
		scope: DeduplicationScope,
		contextData: ICheckProcessedContextData,
	): Promise<void> {
		const key = keyOf(scope, contextData);
		const row = await this.select(key);
		const gone = new Set(items.map(hashOf));
		if (row)
			await this.update(
				key,
				row.filter((hash) => !gone.has(hash)),
			);
	}

	async clearAllProcessedItems(
		scope: DeduplicationScope,
		contextData: ICheckProcessedContextData,
	): Promise<void> {
		await this.takeTime('delete');
		this.rows.delete(keyOf(scope, contextData));
	}

	async getProcessedDataCount(
		scope: DeduplicationScope,
		contextData: ICheckProcessedContextData,
	): Promise<number> {
		return (await this.select(keyOf(scope, contextData)))?.length ?? 0;
	}

	private async select(key: string): Promise<string[] | undefined> {
		await this.takeTime('select');
		return this.rows.get(key)?.slice();
	}

	private async insert(key: string, hashes: string[]): Promise<void> {
		await this.takeTime('insert');
		if (this.rows.has(key)) {
			throw new Error(
				'SQLITE_CONSTRAINT: UNIQUE constraint failed: processed_data.workflowId, processed_data.context',
			);
		}
		this.rows.set(key, hashes);
	}

	private async update(key: string, hashes: string[]): Promise<void> {
		await this.takeTime('update');
		if (this.rows.has(key)) this.rows.set(key, hashes);
	}

	private async takeTime(statement: keyof typeof this.statements): Promise<void> {
		this.statements[statement]++;
		if (this.delayMs > 0) await sleepMs(Math.random() * this.delayMs);
		if (this.failure) throw this.failure;
	}
}

const keyOf = (scope: DeduplicationScope, { workflow, node }: ICheckProcessedContextData): string =>
	`${workflow.id}/${scope === 'node' ? `n:${node?.id ?? ''}` : ''}`;

const hashOf = (value: string | number): string =>
	createHash('md5').update(value.toString()).digest('base64');
