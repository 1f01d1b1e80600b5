import { sleep } from 'n8n-workflow';
import type { DeduplicationScope, IExecuteFunctions } from 'n8n-workflow';
import type { MarkStore } from './markBook';

/*
 * n8n's table processed_data, through the deduplication helpers that execute() has. It holds one row for a workflow and one
 * for each node, each a list of hashes. Adding reads the row and writes it back, not in one step: two processes at the same
 * time may overwrite each other's additions, unless something keeps them apart.
 */

/** So many marks are kept at most, the oldest are lost; about 1.3 MB in the database. */
const MAX_MARKS = 50_000;

const OPTIONS = { mode: 'entries', maxEntries: MAX_MARKS } as const;

/** n8n's database did not keep what has to be remembered; what it said is left out, as it may show a query. */
export class MemoryError extends Error {
	override readonly name = 'MemoryError';

	constructor() {
		super(
			"n8n's database did not remember this, so nothing was accepted or sent. Check that the workflow is saved, that the database is reachable, and that no Remove Duplicates node of this workflow has the scope Workflow",
		);
	}
}

const asMemoryError = (): MemoryError => new MemoryError();

/** Hides the store's own errors behind one sentence. */
const withClearErrors = (store: MarkStore): MarkStore => ({
	async add(names, forget) {
		try {
			return await store.add(names, forget);
		} catch {
			throw asMemoryError();
		}
	},
});

const LOCK = 'lock';
const MIN_WAIT_MS = 5;
const MAX_WAIT_MS = 25;

/** Hundreds of executions that begin at once hold n8n up for longer than ten seconds, with the lock in their middle. */
const ABANDONED_AFTER_MS = 60_000;

/** Whoever holds the lock for longer than this part of that time counts it as lost; the rest is for clocks and the way. */
const SAFE_PART = 0.5;

const isDuplicateKey = (error: unknown): boolean =>
	error instanceof Error && /unique|duplicate/i.test(error.message);

/**
 * Marks in one row of the table.
 *
 * @param scope `workflow`: the row that all nodes of the workflow share; `node`: this node's own
 */
const rowStore = ({ helpers }: IExecuteFunctions, scope: DeduplicationScope): MarkStore => ({
	async add(names, forget) {
		const record = async () => await helpers.checkProcessedAndRecord(names, scope, OPTIONS);
		// Another process may create the row just now; then it is there the second time.
		const { new: added } = await record().catch(async (error: unknown) =>
			isDuplicateKey(error) ? await record() : await Promise.reject(error),
		);
		if (forget.length > 0) await helpers.removeProcessed(forget, scope, OPTIONS);
		return new Set(added.map(String));
	},
});

/** Marks in the row of one node. */
export const nodeStore = (context: IExecuteFunctions): MarkStore =>
	withClearErrors(rowStore(context, 'node'));

/**
 * Tries to create the node's own row. Its key is unique in the database, so of several processes one succeeds; the others
 * find the row, or their insertion is refused.
 */
async function tryLock({ helpers }: IExecuteFunctions): Promise<boolean> {
	const attempt = helpers.checkProcessedAndRecord([LOCK], 'node', OPTIONS);
	return await attempt.then(
		({ new: added }) => added.length > 0,
		(error: unknown) => (isDuplicateKey(error) ? false : Promise.reject(error)),
	);
}

/**
 * Marks in the row that all nodes of the workflow share, with the node's own row as the lock that keeps the processes of
 * n8n apart: it is created before the marks are written and deleted afterwards.
 *
 * @param random gives a number from 0 up to 1, for the time between two tries
 * @param abandonedAfterMs how long a lock is waited for before it counts as left behind by a process that died; it is held
 * for some milliseconds otherwise
 */
export function lockedStore(
	context: IExecuteFunctions,
	random: () => number,
	abandonedAfterMs = ABANDONED_AFTER_MS,
): MarkStore {
	const { helpers } = context;
	const row = rowStore(context, 'workflow');
	/** @returns from when on it may have been held, on a clock that nobody sets: when the try that succeeded began */
	const lock = async (): Promise<number> => {
		let waitingSince = performance.now();
		for (;;) {
			const triedAt = performance.now();
			if (await tryLock(context)) return triedAt;
			if (performance.now() - waitingSince > abandonedAfterMs) {
				await helpers.clearAllProcessedItems('node', OPTIONS);
				waitingSince = performance.now();
			}
			await sleep(MIN_WAIT_MS + random() * (MAX_WAIT_MS - MIN_WAIT_MS));
		}
	};
	return withClearErrors({
		async add(names, forget) {
			const heldSince = await lock();
			const isStillHeld = () => performance.now() - heldSince <= abandonedAfterMs * SAFE_PART;
			try {
				// Being late to begin with, it must not overwrite what others have written since.
				if (!isStillHeld()) throw asMemoryError();
				const added = await row.add(names, forget);
				// Somebody may have taken the lock meanwhile and added the same: then both would be the first.
				if (!isStillHeld()) throw asMemoryError();
				return added;
			} finally {
				// A lock that was held for too long may be another's by now; if it is not, it will count as abandoned.
				if (isStillHeld()) await helpers.clearAllProcessedItems('node', OPTIONS);
			}
		},
	});
}
