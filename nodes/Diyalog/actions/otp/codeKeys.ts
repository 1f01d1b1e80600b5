import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';
import { deriveKeys } from '../../codes/keys';
import type { CodeKeys } from '../../codes/keys';
import { botTokenOf } from '../../transport/authenticate';
import { explainThrown } from '../../transport/client';
import { failureError } from '../errors';

/**
 * The keys for challenges, derived from the bot token.
 *
 * @param credentials a decrypted Diyalog API credential
 * @param itemIndex the item that needs them
 * @throws NodeApiError when it has no token
 */
export function codeKeysOf(
	node: INode,
	credentials: ICredentialDataDecryptedObject,
	itemIndex = 0,
): CodeKeys {
	try {
		return deriveKeys(botTokenOf(credentials));
	} catch (error) {
		throw failureError(node, explainThrown(error), itemIndex);
	}
}
