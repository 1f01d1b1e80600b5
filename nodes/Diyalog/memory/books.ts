import type { IExecuteFunctions } from 'n8n-workflow';
import { BoundedMap } from '../lib/boundedMap';
import { KnownMarks, MarkBook } from './markBook';
import type { OpenBook } from './markBook';
import { lockedStore, nodeStore } from './processedData';

/** Shared by all nodes of this process. */
const known = new KnownMarks();

/** More nodes than one n8n runs by far; only so that the map cannot grow for ever. */
const MAX_BOOKS = 1_000;

/** The books of this process; a workflow's id and a node's id are unique in one n8n. */
const books = new BoundedMap<string, MarkBook>(MAX_BOOKS);

const bookOf = (id: string): MarkBook =>
	books.getOrMake(id, () => new MarkBook(known, Date.now, () => performance.now()));

/** The book of all nodes of this workflow that share one: exact also across several processes of n8n. */
export const workflowBook = (context: IExecuteFunctions): OpenBook => ({
	book: bookOf(`${context.getWorkflow().id ?? ''}/`),
	store: lockedStore(context, Math.random),
});

/** The book of this node alone: exact within one process of n8n. */
export const nodeBook = (context: IExecuteFunctions): OpenBook => ({
	book: bookOf(`${context.getWorkflow().id ?? ''}/${context.getNode().id}`),
	store: nodeStore(context),
});
