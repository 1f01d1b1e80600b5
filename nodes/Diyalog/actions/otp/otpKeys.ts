import type { IExecuteFunctions } from 'n8n-workflow';
import { deriveKeys } from '../../codes/keys';
import type { CodeKeys } from '../../codes/keys';
import { botTokenOf } from '../../transport/authenticate';
import { CREDENTIAL_TYPE, explainThrown } from '../../transport/client';
import { failureError } from '../errors';

/**
 * The keys for challenges, derived from the bot token of the node's credential.
 *
 * @throws NodeApiError when the credential has no token
 */
export async function readOtpKeys(context: IExecuteFunctions): Promise<CodeKeys> {
	const credentials = await context.getCredentials(CREDENTIAL_TYPE);
	try {
		return deriveKeys(botTokenOf(credentials));
	} catch (error) {
		throw failureError(context.getNode(), explainThrown(error), 0);
	}
}
