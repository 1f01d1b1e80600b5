import { randomUUID } from 'node:crypto';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { isObject } from '../input/json';
import { BoundedMap, BoundedSet } from '../lib/boundedMap';
import { workflowOf } from '../lib/workflow';
import { idsOf, triggerIn } from './triggerId';
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

/** The id of the node's address: a tool can make the node anew under another id of its own. */
const WEBHOOK_FIELD = 'webhookId';

/** Since when others are no longer there, epoch ms. */
const ORPHANS_FIELD = 'orphansSince';

/** What no other part of the trigger has stored. */
const OWN_FIELDS = [WRITING_FIELD, WEBHOOK_FIELD, ORPHANS_FIELD];

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
	/** epoch ms */
	writtenAtMs: number;
}

/** By workflow and trigger. */
const byWorkflow = new BoundedMap<string, Map<string, Written>>(MAX_WORKFLOWS);

type Storing = Identified & Pick<IWebhookFunctions, 'getWorkflowStaticData'>;

/** People can edit what is stored: whatever is no text is none. */
export const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The name of the writing that something comes from; undefined of what older versions have written. */
export const writingOf = (there: unknown): unknown => Object(there)[WRITING_FIELD];

/** Whether this process has written what is there. */
const isOwnWriting = (there: unknown): boolean => textIn(writingOf(there)).startsWith(OWN_PROCESS);

/** Whether what is there is what this process has written, or part of it; else another process knows more. */
const isPartOf = (there: unknown, { takenOver }: Written): boolean =>
	!isObject(there) || isOwnWriting(there) || takenOver.has(writingOf(there));

const writtenIn = (workflow: string) =>
	byWorkflow.getOrMake(workflow, () => new Map<string, Written>());

/** What n8n had stored when a call began. */
interface Found {
	/** of all triggers */
	all: IDataObject;
	/** of the call's own trigger: others have written it, or have removed it, since this process knows it */
	isFromOthers: boolean;
}

/** Longer than a body may come and n8n may hold a call back. Receivers know by themselves what they have taken within that time. */
const CALL_LASTS_MS = 10 * 60_000;

/** Of calls that have written since. */
const before = new WeakMap<Storing, Found>();

function foundBy(context: Storing): Found {
	const known = before.get(context);
	if (known) return known;
	const { workflow, node } = idsOf(context);
	const all = context.getWorkflowStaticData('global');
	const own = writtenIn(workflow).get(nameOf(node));
	const { [nameOf(node)]: there } = all;
	if (!own) return { all, isFromOthers: false };
	// A call that began before the first writing finds none either.
	const isRemoved = Date.now() - own.writtenAtMs > CALL_LASTS_MS;
	const isThere = writingOf(there) !== undefined;
	return { all, isFromOthers: isThere ? !isPartOf(there, own) : isRemoved };
}

/** Keeps what the call has found; what it writes takes the place of objects, and does not change them. */
function keepAsFound(context: Storing): void {
	const { all, isFromOthers } = foundBy(context);
	if (!before.has(context)) before.set(context, { all: { ...all }, isFromOthers });
}

/** What n8n stores of a call's own trigger. Until something is stored, it is what older versions have stored under the node's name. */
function ownIn(context: Storing, all: IDataObject): IDataObject {
	const { [nameOf(idsOf(context).node)]: there } = all;
	return isObject(there) ? (there as IDataObject) : context.getWorkflowStaticData('node');
}

/** What n8n had stored of a trigger when the call began, as {@link readStored}. */
export function readAsFound(context: Storing): { stored: IDataObject; isFromOthers: boolean } {
	const { all, isFromOthers } = foundBy(context);
	return { stored: ownIn(context, all), isFromOthers };
}

const newWriting = (): string => `${OWN_PROCESS} ${++writings}`;

const addressOf = (context: Storing): IDataObject => {
	const { webhook } = idsOf(context);
	return webhook === undefined ? {} : { [WEBHOOK_FIELD]: webhook };
};

/** What n8n has stored of a trigger, of unknown shape: people can edit it. */
export const readStored = (context: Storing): IDataObject =>
	ownIn(context, context.getWorkflowStaticData('global'));

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
	keepAsFound(context);
	const there = staticData[name];
	const own = written.get(name);
	const isOwn = own !== undefined && isPartOf(there, own);
	const takenOver = own?.takenOver ?? noneTakenOver();
	const base = isOwn ? own.stored : readStored(context);
	if (!isOwn && isObject(there)) takenOver.add(writingOf(there));
	const stored = { ...base, ...fields, ...addressOf(context), [WRITING_FIELD]: newWriting() };
	written.set(name, { stored, takenOver, writtenAtMs: Date.now() });
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

const orphanIn = (context: Storing, name: string): IDataObject =>
	Object(context.getWorkflowStaticData('global')[name]) as IDataObject;

const isEmpty = (value: unknown): boolean => value === undefined || value === '';

/** Whether a field of triggers that are no longer there holds anything. */
export const hasOrphaned = (context: Storing, field: string): boolean =>
	orphansOf(context).some((name) => !isEmpty(orphanIn(context, name)[field]));

/** What this process remembers of a trigger that its workflow has no more, and what n8n had stored of it when the call began. */
interface Gone<T> {
	remembered: T;
	found: IDataObject;
}

/**
 * Triggers that this process remembers, and the workflow has no more. Others take over what they keep, and somebody may restore them.
 *
 * @param byTrigger what is remembered, by the triggers' ids
 */
export function goneAmong<T>(context: Storing, byTrigger: ReadonlyMap<string, T>): Array<Gone<T>> {
	const { workflow, trigger } = idsOf(context);
	const start = triggerIn(workflow, '');
	const others = [...byTrigger.keys()].filter((id) => id !== trigger && id.startsWith(start));
	if (others.length === 0) return [];
	const there = nodesOf(context).map(({ id }) => triggerIn(workflow, id));
	if (there.length === 0) return [];
	const gone = others.filter((id) => !there.includes(id));
	return gone.flatMap((id) => {
		const remembered = byTrigger.get(id);
		const { [nameOf(id.slice(start.length))]: found } = foundBy(context).all;
		return remembered === undefined ? [] : { remembered, found: Object(found) as IDataObject };
	});
}

/** Removes what is stored of a trigger that is no longer there, so that no later call of this process writes it back. */
function replaceOrphan(context: Storing, name: string, left: IDataObject): void {
	const { workflow } = idsOf(context);
	const staticData = context.getWorkflowStaticData('global');
	keepAsFound(context);
	const fields = Object.keys(left).filter((field) => !isEmpty(left[field]));
	const isOver = fields.every((field) => OWN_FIELDS.includes(field));
	writtenIn(workflow).delete(name);
	if (isOver) delete staticData[name];
	// Its own process, if that is another one, finds that others were there.
	else staticData[name] = { ...left, [WRITING_FIELD]: newWriting() };
}

/**
 * Takes what is stored in some fields of triggers that are no longer there, out of what n8n stores. Whoever has the address of such a
 * trigger is that trigger. Of others without a successor it takes what it may.
 *
 * @param isOurs whether this trigger may go on with it; else it is left to another trigger of the workflow. It is given whether there is
 * another one
 */
export function takeOrphaned(
	context: Storing,
	fields: readonly string[],
	isOurs: (taken: IDataObject, isOnlyTrigger: boolean) => boolean,
): IDataObject[] {
	const orphans = orphansOf(context);
	if (orphans.length === 0) return [];
	const { webhook } = idsOf(context);
	const { type } = context.getNode();
	const nodes = nodesOf(context);
	const isOnly = nodes.filter((each) => each.type === type).length === 1;
	return orphans.flatMap((name) => {
		const there = orphanIn(context, name);
		if (fields.every((field) => isEmpty(there[field]))) return [];
		const { [WEBHOOK_FIELD]: former } = there;
		const isSame = former !== undefined && former === webhook;
		const hasOther = !isSame && nodes.some(({ webhookId = '' }) => webhookId === former);
		if (!isSame && (hasOther || !isOurs(there, isOnly))) return [];
		const left = Object.entries(there).filter(([field]) => !fields.includes(field));
		replaceOrphan(context, name, Object.fromEntries(left));
		return [there];
	});
}

/** What nobody has taken over for so long is removed. Kept calls and answers live no longer. */
const MAX_ORPHANED_MS = 24 * 60 * 60_000;

/**
 * Removes what is stored of triggers that have not been there for a day. Somebody may restore them until then.
 *
 * @returns how many
 */
export function forgetOrphans(context: Storing, nowMs: number): number {
	const orphans = orphansOf(context);
	const known = Object(readStored(context)[ORPHANS_FIELD]) as IDataObject;
	if (orphans.length === 0 && Object.keys(known).length === 0) return 0;
	const sinceOf = (name: string): number => {
		const { [name]: since } = known;
		return typeof since === 'number' ? Math.min(since, nowMs) : nowMs;
	};
	const old = orphans.filter((name) => nowMs - sinceOf(name) > MAX_ORPHANED_MS);
	for (const name of old) replaceOrphan(context, name, {});
	const left = orphans.filter((name) => !old.includes(name));
	const since = Object.fromEntries(left.map((name) => [name, sinceOf(name)]));
	if (JSON.stringify(since) !== JSON.stringify(known)) store(context, { [ORPHANS_FIELD]: since });
	return old.length;
}
