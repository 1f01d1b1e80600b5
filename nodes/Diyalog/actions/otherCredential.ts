import type { IExecuteFunctions, IWorkflowExecuteAdditionalData } from 'n8n-workflow';
import { z } from 'zod/v4';
import { CREDENTIAL_TYPE } from '../transport/client';
import type { DiyalogClient } from '../transport/client';

/*
 * An expression in the credential can give another server or token for each item, and the same number is somebody else's there.
 * The credential is read once, because n8n takes it from its database each time.
 */

/** What n8n reads credentials with. Nodes are not promised it; without it each item reads its own. */
const internalsSchema = z.object({
	additionalData: z.custom<IWorkflowExecuteAdditionalData>(
		(value) => typeof value === 'object' && value !== null && 'credentialsHelper' in value,
	),
});

/** No expression, or one that looks at nothing but what is the same for all items. */
const SAME_FOR_ALL = /^(?!=)|^=[^$]*(\$(secrets|vars|env|workflow|execution)\b[^$]*)*$/;

const hasOneValue = (stored: unknown): boolean =>
	typeof stored === 'object' && stored !== null
		? Object.values(stored).every(hasOneValue)
		: SAME_FOR_ALL.test(String(stored));

/** Whether the credential as it is stored has no expression that could look at an item. */
async function isSameForAll(context: IExecuteFunctions): Promise<boolean> {
	const { data: internals } = internalsSchema.safeParse(context);
	const details = context.getNode().credentials?.[CREDENTIAL_TYPE];
	if (!internals || !details) return false;
	const { additionalData } = internals;
	try {
		return hasOneValue(
			await additionalData.credentialsHelper.getDecrypted(
				additionalData,
				details,
				CREDENTIAL_TYPE,
				context.getMode(),
				context.getExecuteData(),
				true,
			),
		);
	} catch {
		return false;
	}
}

/**
 * What tells whether the credential of an item is another one than that of the first, with which it must not leave.
 *
 * @returns undefined when there is one for all
 */
export async function otherCredential(
	context: IExecuteFunctions,
	{ credentials }: DiyalogClient,
): Promise<((itemIndex: number) => Promise<boolean>) | undefined> {
	if (context.getInputData().length <= 1 || (await isSameForAll(context))) return undefined;
	const first = JSON.stringify(credentials);
	return async (itemIndex) => {
		if (itemIndex === 0) return false;
		try {
			return JSON.stringify(await context.getCredentials(CREDENTIAL_TYPE, itemIndex)) !== first;
		} catch {
			return true;
		}
	};
}
