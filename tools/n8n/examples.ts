import { z } from 'zod';
import { fs, path, projectRoot } from '../system';
import type { WorkflowDefinition } from './n8n';

const nodeSchema = z
	.object({
		name: z.string(),
		type: z.string(),
		webhookId: z.string().optional(),
		credentials: z.record(z.unknown()).optional(),
	})
	.passthrough();
const workflowSchema = z.object({
	name: z.string(),
	nodes: z.array(nodeSchema),
	connections: z.record(z.unknown()),
	settings: z.record(z.unknown()),
	pinData: z.record(z.unknown()).optional(),
});

const CREDENTIAL_TYPE = 'diyalogApi';

/** The workflows of the folder examples/. */
export const exampleFiles = async (): Promise<string[]> =>
	await fs.readdir(path.join(projectRoot, 'examples'));

/** A workflow of the folder examples/, its Diyalog nodes bound to a credential. */
export interface Example extends WorkflowDefinition {
	/** paths below n8n's `/webhook/` at which Diyalog may post, one for each Diyalog Trigger */
	triggerPaths: string[];
}

const TRIGGER_TYPE = 'n8n-nodes-diyalog.diyalogTrigger';

/**
 * Reads an example workflow.
 *
 * @param file its name in examples/, e.g. `send-otp.json`
 * @param credentialId the credential for its Diyalog nodes
 */
export async function readExample(file: string, credentialId: string): Promise<Example> {
	const text = await fs.readFile(path.join(projectRoot, 'examples', file), 'utf8');
	const { nodes, ...rest } = workflowSchema.parse(JSON.parse(text));
	const credentials = { [CREDENTIAL_TYPE]: { id: credentialId, name: 'Diyalog' } };
	return {
		...rest,
		nodes: nodes.map((node) =>
			node.credentials && CREDENTIAL_TYPE in node.credentials ? { ...node, credentials } : node,
		),
		triggerPaths: nodes
			.filter(({ type }) => type === TRIGGER_TYPE)
			.map(({ webhookId }) => `${webhookId ?? ''}/webhook`),
	};
}
