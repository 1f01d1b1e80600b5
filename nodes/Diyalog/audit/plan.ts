import { lazily, z } from '../lib/zod';
import { auditPersonSchema } from './people';

/* What is known from the start of the records that a question will have. It is stored with what is waited for. */

/** Where records go. */
export const AUDIT_TO = ['item', 'log', 'both'] as const;

export type AuditTo = (typeof AUDIT_TO)[number];

const originSchema = lazily(() =>
	z.object({
		workflowId: z.string().nullable(),
		executionId: z.string().nullable(),
		nodeId: z.string(),
		nodeName: z.string(),
		/** `<resource>.<operation>` */
		operation: z.string(),
	}),
);

/** Where something happened. */
export type Origin = z.output<ReturnType<typeof originSchema>>;

const planSchema = lazily(() =>
	z.object({
		to: z.enum(AUDIT_TO),
		origin: originSchema(),
		/** in the order of the question's people */
		people: z.array(auditPersonSchema()),
	}),
);

export type AuditPlan = z.output<ReturnType<typeof planSchema>>;

/** Reads what a question stored; undefined where it is to have no record. */
export const readPlan = (stored: unknown): AuditPlan | undefined =>
	stored === undefined ? undefined : planSchema().safeParse(stored).data;
