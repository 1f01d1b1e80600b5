import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';
import { botTokenOf } from '../transport/authenticate';
import { explainThrown } from '../transport/client';
import { failureError } from './errors';

/**
 * The bot token, for keys that are derived from it.
 *
 * @param credentials a decrypted Diyalog API credential
 * @param itemIndex the item that needs it
 * @throws NodeApiError when there is none
 */
export function requireBotToken(
	node: INode,
	credentials: ICredentialDataDecryptedObject,
	itemIndex: number,
): string {
	try {
		return botTokenOf(credentials);
	} catch (error) {
		throw failureError(node, explainThrown(error), itemIndex);
	}
}
