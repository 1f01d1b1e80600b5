import type { IExecuteFunctions } from 'n8n-workflow';
import { deriveKeys } from '../otp/keys';
import type { OtpKeys } from '../otp/keys';
import { botTokenOf } from './authenticate';
import { CREDENTIAL_TYPE, explainThrown } from './client';
import { failureError } from './errors';

/**
 * The keys for challenges, derived from the bot token of the node's credential.
 *
 * @throws NodeApiError when the credential has no token
 */
export async function readOtpKeys(context: IExecuteFunctions): Promise<OtpKeys> {
	const credentials = await context.getCredentials(CREDENTIAL_TYPE);
	try {
		return deriveKeys(botTokenOf(credentials));
	} catch (error) {
		throw failureError(context.getNode(), explainThrown(error), 0);
	}
}
