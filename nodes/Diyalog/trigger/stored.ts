import { randomUUID } from 'node:crypto';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { isObject } from '../input/json';
import { BoundedMap } from '../lib/boundedMap';
import { idsOf } from './triggerId';
import type { Identified } from './triggerId';

/*
 * What n8n's database keeps of a trigger: the static data of its workflow. It stands under the node's id, because n8n keeps data of a
 * node under its name, and whoever gives it another name would lose all of it. n8n loads the data of the whole workflow for each call
 * and saves them over what other calls have saved meanwhile. So a trigger writes what this process knows of the other triggers of the
 * workflow as well.
 */

/** Tells what was written from here from what another process wrote, or this one before a restart. */
const OWN_PROCESS = randomUUID();
const PROCESS_FIELD = 'writtenBy';

const nameOf = (node: string): string => `Diyalog Trigger ${node}`;

/** More workflows with triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_WORKFLOWS = 1_000;

/** What this process has written last, by workflow and trigger. */
const byWorkflow = new BoundedMap<string, Map<string, IDataObject>>(MAX_WORKFLOWS);

type Storing = Identified & Pick<IWebhookFunctions, 'getWorkflowStaticData'>;

/** What is there is what this process knows, or older; another process knows more of what it has written itself. */
const isOwn = (there: unknown): boolean =>
	!isObject(there) || Object(there)[PROCESS_FIELD] === OWN_PROCESS;

const writtenIn = (workflow: string) =>
	byWorkflow.getOrMake(workflow, () => new Map<string, IDataObject>());

/** What n8n has stored of a trigger, of unknown shape: people can edit it. */
export function readStored(context: Storing): IDataObject {
	const { node } = idsOf(context);
	const there = context.getWorkflowStaticData('global')[nameOf(node)];
	return isObject(there) ? (there as IDataObject) : {};
}

/** Has n8n store again what is known of the triggers of a workflow. */
export function storeAgain(context: Storing): void {
	const { workflow } = idsOf(context);
	const staticData = context.getWorkflowStaticData('global');
	for (const [name, stored] of writtenIn(workflow))
		if (isOwn(staticData[name])) staticData[name] = stored;
}

/** Has n8n store fields of a trigger, at the end of the call; the other fields stay. */
export function store(context: Storing, fields: IDataObject): void {
	const { workflow, node } = idsOf(context);
	const name = nameOf(node);
	const written = writtenIn(workflow);
	const staticData = context.getWorkflowStaticData('global');
	const own = isOwn(staticData[name]) ? written.get(name) : undefined;
	const stored = { ...(own ?? readStored(context)), ...fields, [PROCESS_FIELD]: OWN_PROCESS };
	written.set(name, stored);
	staticData[name] = stored;
	storeAgain(context);
}
