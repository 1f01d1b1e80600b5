import type { IWebhookFunctions } from 'n8n-workflow';

/** What tells a trigger from all others of one n8n: the ids of its workflow and of the node within it. */
export const triggerIdOf = (context: Pick<IWebhookFunctions, 'getWorkflow' | 'getNode'>): string =>
	`${context.getWorkflow().id ?? ''}/${context.getNode().id}`;
