import { randomUUID } from 'node:crypto';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { isObject } from '../input/json';
import { BoundedMap, BoundedSet } from '../lib/boundedMap';
import { workflowOf } from '../lib/workflow';
import { idsOf } from './triggerId';
import type { Identified } from './triggerId';

/*
 * What n8n's database keeps of a trigger: the static data of its workflow. It stands under the node's id, because n8n keeps data of a
 * node under its name, and whoever gives it another name would lose all of it. n8n loads the data of the whole workflow for each call
 * and saves them over what other calls have saved meanwhile. So a call writes what this process knows of all triggers of the
 * workflow as well.
 */

/** Each writing has a name of its own, which begins with that of the process it came from. */
const OWN_PROCESS = randomUUID();
const WRITING_FIELD = 'writing';

let writings = 0;

const PREFIX = 'Diyalog Trigger ';
const nameOf = (node: string): string => `${PREFIX}${node}`;

/** More workflows with triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_WORKFLOWS = 1_000;

/** Calls that began before a writing of another process was taken over may still have it. */
const MAX_TAKEN_OVER = 100;

/** Names of writings of other processes, or of this one before a restart, that are known here. */
export type TakenOver = BoundedSet<unknown>;

export const noneTakenOver = (): TakenOver => new BoundedSet(MAX_TAKEN_OVER);

/** What this process has written of a trigger last. */
interface Written {
	stored: IDataObject;
	/** those that are part of it */
	takenOver: TakenOver;
}

/** By workflow and trigger. */
const byWorkflow = new BoundedMap<string, Map<string, Written>>(MAX_WORKFLOWS);

type Storing = Identified & Pick<IWebhookFunctions, 'getWorkflowStaticData'>;

/** The name of the writing that something comes from; undefined of what older versions have written. */
export const writingOf = (there: unknown): unknown => Object(there)[WRITING_FIELD];

/** Whether what is there is what this process has written, or part of it; else another process knows more. */
const isPartOf = (there: unknown, { takenOver }: Written): boolean =>
	!isObject(there) ||
	String(writingOf(there)).startsWith(OWN_PROCESS) ||
	takenOver.has(writingOf(there));

const writtenIn = (workflow: string) =>
	byWorkflow.getOrMake(workflow, () => new Map<string, Written>());

/**
 * What n8n has stored of a trigger, of unknown shape: people can edit it. Until something is stored, it is what older versions have
 * stored under the node's name.
 */
export function readStored(context: Storing): IDataObject {
	const { node } = idsOf(context);
	const there = context.getWorkflowStaticData('global')[nameOf(node)];
	return isObject(there) ? (there as IDataObject) : context.getWorkflowStaticData('node');
}

/**
 * Has n8n store what is known of the triggers of a workflow, where it is newer than what this call has.
 *
 * @param isAgain also what this call has already, because n8n may have taken that for stored
 */
export function storeKnown(context: Storing, isAgain = false): void {
	const { workflow } = idsOf(context);
	const staticData = context.getWorkflowStaticData('global');
	for (const [name, written] of writtenIn(workflow)) {
		const there = staticData[name];
		const isNewer = writingOf(there) !== writingOf(written.stored);
		if (isPartOf(there, written) && (isNewer || isAgain)) staticData[name] = written.stored;
	}
}

/**
 * Has n8n store what is known of a trigger as it is when it saves it. n8n asks for that as JSON, and when it has stored the execution that
 * the call starts (2.41).
 *
 * @param onSave is called at that moment, and may store more
 */
export function storeOnSave(context: Storing, onSave: () => void): void {
	const { node } = idsOf(context);
	const name = nameOf(node);
	const staticData = context.getWorkflowStaticData('global');
	const toJSON = (): object => {
		onSave();
		return { ...Object(staticData[name]) };
	};
	storeKnown(context, true);
	const stored = { [WRITING_FIELD]: `${OWN_PROCESS} 0`, ...readStored(context) };
	staticData[name] = Object.defineProperty(stored, 'toJSON', { value: toJSON });
}

/** Has n8n store fields of a trigger, at the end of the call; the other fields stay. */
export function store(context: Storing, fields: IDataObject): void {
	const { workflow, node } = idsOf(context);
	const name = nameOf(node);
	const written = writtenIn(workflow);
	const staticData = context.getWorkflowStaticData('global');
	const there = staticData[name];
	const own = written.get(name);
	const isOwn = own !== undefined && isPartOf(there, own);
	const takenOver = own?.takenOver ?? noneTakenOver();
	const base = isOwn ? own.stored : readStored(context);
	if (!isOwn && isObject(there)) takenOver.add(writingOf(there));
	const stored = { ...base, ...fields, [WRITING_FIELD]: `${OWN_PROCESS} ${++writings}` };
	written.set(name, { stored, takenOver });
	staticData[name] = stored;
	storeKnown(context);
}

const nodesOf = (context: Storing) => Object.values(workflowOf(context)?.nodes ?? {});

/** What is stored under ids that no node of the workflow has any more: somebody has deleted a trigger, or a tool has made it anew. */
function orphansOf(context: Storing): string[] {
	const { node } = idsOf(context);
	const others = Object.keys(context.getWorkflowStaticData('global')).filter(
		(name) => name.startsWith(PREFIX) && name !== nameOf(node),
	);
	if (others.length === 0) return others;
	const nodes = nodesOf(context).map(({ id }) => nameOf(id));
	return nodes.length === 0 ? [] : others.filter((name) => !nodes.includes(name));
}

export const hasOrphans = (context: Storing): boolean => orphansOf(context).length > 0;

/** Whether the workflow has no other trigger that could be the one that was made anew. */
function isOnlyTrigger(context: Storing): boolean {
	const { type } = context.getNode();
	return nodesOf(context).filter((each) => each.type === type).length === 1;
}

/**
 * Takes what is stored in a field of triggers that are no longer there, out of what n8n stores.
 *
 * @param isOurs whether this trigger can go on with any of it; else it is left to another trigger of the workflow
 */
export function takeOrphaned(
	context: Storing,
	field: string,
	isOurs: (taken: unknown) => boolean,
): unknown[] {
	const { workflow } = idsOf(context);
	const staticData = context.getWorkflowStaticData('global');
	return orphansOf(context).flatMap((name) => {
		const { [field]: taken, ...rest } = Object(staticData[name]) as IDataObject;
		if (taken === undefined || taken === '') return [];
		if (!isOnlyTrigger(context) && !isOurs(taken)) return [];
		// No later call of this process writes it back.
		writtenIn(workflow).delete(name);
		staticData[name] = rest;
		return [taken];
	});
}
