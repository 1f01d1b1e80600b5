import type { Workflow } from 'n8n-workflow';
import { lazily, z } from './zod';

const contextSchema = lazily(() =>
	z.object({
		workflow: z.custom<Workflow>((value) => typeof value === 'object' && value !== null),
	}),
);

/** The workflow as n8n works with it. Nodes are not promised it: it is taken from the context of a call. */
export const workflowOf = (context: object): Workflow | undefined =>
	contextSchema().safeParse(context).data?.workflow;
