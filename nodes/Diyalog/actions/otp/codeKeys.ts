import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';
import { deriveKeys } from '../../codes/keys';
import type { CodeKeys } from '../../codes/keys';
import { requireBotToken } from '../botToken';

/**
 * The keys for challenges, derived from the bot token.
 *
 * @param credentials a decrypted Diyalog API credential
 * @param itemIndex the item that needs them
 * @throws NodeApiError when it has no token
 */
export const codeKeysOf = (
	node: INode,
	credentials: ICredentialDataDecryptedObject,
	itemIndex = 0,
): CodeKeys => deriveKeys(requireBotToken(node, credentials, itemIndex));
