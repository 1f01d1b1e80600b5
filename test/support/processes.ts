import type { IExecuteFunctions } from 'n8n-workflow';
import { KnownMarks, MarkBook } from '../../nodes/Diyalog/memory/markBook';
import type { OpenBook } from '../../nodes/Diyalog/memory/markBook';
import { lockedStore, nodeStore } from '../../nodes/Diyalog/memory/processedData';
import type { ProcessedDataTable } from './processedDataTable';

/** What nodes see of n8n: the helpers of one workflow's node, on a table that several processes may share. */
export function contextOn(table: ProcessedDataTable, nodeId = 'verify'): IExecuteFunctions {
	const contextData = { workflow: { id: 'w', active: true }, node: { id: nodeId } };
	const helpers: Record<string, unknown> = {};
	for (const name of [
		'checkProcessedAndRecord',
		'removeProcessed',
		'clearAllProcessedItems',
	] as const) {
		helpers[name] = async (...args: unknown[]) => {
			const withContext: unknown[] =
				name === 'clearAllProcessedItems'
					? [args[0], contextData, args[1]]
					: [args[0], args[1], contextData, args[2]];
			return await (table[name] as (...all: unknown[]) => Promise<unknown>).apply(
				table,
				withContext,
			);
		};
	}
	return { helpers } as unknown as IExecuteFunctions;
}

/** How the processes of n8n are kept apart: by the lock of Verify, or not at all. */
export type Kind = 'locked' | 'plain';

/** One process of n8n: what it knows by itself, and its way to the table. */
export function processOn(
	table: ProcessedDataTable,
	clock: () => number,
	kind: Kind = 'locked',
): OpenBook {
	const context = contextOn(table);
	return {
		book: new MarkBook(new KnownMarks(), clock, clock),
		store: kind === 'locked' ? lockedStore(context, Math.random) : nodeStore(context),
	};
}

/** A book without a table; `names` are those of all marks that were written. */
export function namesIn(clock: () => number): { names: string[]; opened: OpenBook } {
	const names: string[] = [];
	const add = async (added: string[]) => {
		names.push(...added);
		return new Set(added);
	};
	return { names, opened: { book: new MarkBook(new KnownMarks(), clock, clock), store: { add } } };
}

export const times = <T>(count: number, make: (index: number) => T): T[] =>
	Array.from({ length: count }, (_, index) => make(index));
