import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IWorkflowExecuteAdditionalData,
	Workflow,
} from 'n8n-workflow';
import { workflowOf } from '../lib/workflow';
import { lazily, z } from '../lib/zod';
import { CREDENTIAL_TYPE } from '../transport/client';
import { isTool, isToolExecution, looksAtOneOfSeveral } from './agentCall';
import { invalidInputError } from './errors';
import { hasOneValue } from './expressions';
import { isItemUncertain } from './toolExecution';

/*
 * An expression in the credential can give another server, token or key for each item, and the same number is somebody else's there.
 * The credential is read once, because n8n takes it from its database each time.
 */

/** What n8n reads credentials with. Nodes are not promised it; without it each item reads its own. */
const internalsSchema = lazily(() =>
	z.object({
		additionalData: z.custom<IWorkflowExecuteAdditionalData>(
			(value) => typeof value === 'object' && value !== null && 'credentialsHelper' in value,
		),
	}),
);

/**
 * The credential with its expressions, also those that the server's administrator has set for all credentials, which are not stored
 * with it. So it is taken from n8n as it is about to be evaluated.
 *
 * @returns undefined where n8n does not show it
 */
async function readRaw(context: IExecuteFunctions): Promise<object | undefined> {
	const { data: internals } = internalsSchema().safeParse(context);
	const node = context.getNode();
	const details = node.credentials?.[CREDENTIAL_TYPE];
	const running = workflowOf(context);
	if (!internals || !running || !details) return undefined;
	const { additionalData } = internals;
	let raw: object | undefined;
	const getParameterValue = (written: object): object => (raw = written);
	const workflow: Workflow = Object.create(running, {
		expression: { value: { getParameterValue } },
	});
	const nothing = { connectionInputData: [], itemIndex: 0, runExecutionData: null, runIndex: 0 };
	await additionalData.credentialsHelper
		.getDecrypted(
			additionalData,
			details,
			CREDENTIAL_TYPE,
			context.getMode(),
			context.getExecuteData(),
			false,
			{ ...nothing, node, workflow },
		)
		.catch(() => undefined);
	return raw;
}

/**
 * Whether an expression says how signatures are checked that looks at the item. When an answer comes, n8n evaluates the credential
 * without one, and gives something else.
 */
export async function checksByItem(context: IExecuteFunctions): Promise<boolean> {
	const fields = Object.entries((await readRaw(context)) ?? {});
	return fields.some(([name, value]) => name.startsWith('payloadSignature') && !hasOneValue(value));
}

/**
 * What refuses an item of which the credential is another one than that of the first: it must neither leave with that nor be
 * verified by it.
 *
 * @param credential of the first item
 * @returns undefined when there is one for all
 */
export async function sameCredential(
	context: IExecuteFunctions,
	credential: ICredentialDataDecryptedObject,
): Promise<((itemIndex: number) => Promise<void>) | undefined> {
	const isOne = context.getInputData().length <= 1;
	const isOfTool = isTool(context.getNode()) || isToolExecution(context);
	if (isOne && !isOfTool) return undefined;
	const raw = await readRaw(context);
	if (raw && hasOneValue(raw)) return undefined;
	const isOfAnother =
		isOfTool && (isItemUncertain(context) || looksAtOneOfSeveral(context, raw, undefined));
	if (isOne && !isOfAnother) return undefined;
	const first = JSON.stringify(credential);
	return async (itemIndex) => {
		if (itemIndex === 0 && !isOfAnother) return;
		const own = isOfAnother
			? undefined
			: await context.getCredentials(CREDENTIAL_TYPE, itemIndex).catch(() => undefined);
		if (JSON.stringify(own) === first) return;
		const problem = {
			field: 'Diyalog API credential',
			problem: 'is not the same for this item as for the first',
			advice:
				'An expression in it gives another value. Put Loop Over Items before this node, so that it gets one item at a time.',
		};
		throw invalidInputError(context.getNode(), problem, itemIndex);
	};
}
