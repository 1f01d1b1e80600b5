import type { IWebhookFunctions } from 'n8n-workflow';

/** What is had of n8n when a trigger is called, and when it is activated. */
export type Identified = Pick<IWebhookFunctions, 'getWorkflow' | 'getNode'>;

interface TriggerIds {
	workflow: string;
	node: string;
	trigger: string;
	/** of its address, which it keeps when a tool gives it another node id */
	webhook: string | undefined;
	credential: string | undefined;
}

/** What tells a trigger from all others of one n8n. */
export const triggerIn = (workflow: string, node: string): string => `${workflow}/${node}`;

const known = new WeakMap<Identified, TriggerIds>();

/** Found out once for a call: n8n copies the whole node whenever it is asked for it. */
export function idsOf(context: Identified): TriggerIds {
	const ids = known.get(context);
	if (ids) return ids;
	const { id, webhookId, credentials } = context.getNode();
	const workflow = context.getWorkflow().id ?? '';
	const found = {
		workflow,
		node: id,
		trigger: triggerIn(workflow, id),
		webhook: webhookId,
		credential: credentials?.diyalogApi?.id ?? undefined,
	};
	known.set(context, found);
	return found;
}

/** What tells a trigger from all others of one n8n: the ids of its workflow and of the node within it. */
export const triggerIdOf = (context: Identified): string => idsOf(context).trigger;

/** The id of the trigger's Diyalog API credential. */
export const credentialIdOf = (context: Identified): string | undefined =>
	idsOf(context).credential;
