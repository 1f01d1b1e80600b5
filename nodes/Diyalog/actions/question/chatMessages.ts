import { checkNodesApiVersion, NodeOperationError } from 'n8n-workflow';
import type { INodeType } from 'n8n-workflow';

/*
 * Early releases of n8n take any execution that waits for one of a chat. Their WebSocket /chat asks for its number alone, puts
 * what is written there in the place of the stored item and lets it out of the first output, which is that of an approval.
 */

/** It came with the release in which n8n looks for the method below before it takes a node for one of a chat: 2.39. */
const asksForMethod = typeof checkNodesApiVersion === 'function';

/** How the node takes a message of a chat: not at all. It keeps waiting. Where n8n asks for the method, there is none. */
export const onMessage: INodeType['onMessage'] = asksForMethod
	? undefined
	: async (context) => {
			throw new NodeOperationError(
				context.getNode(),
				'Somebody wrote to the chat of n8n about an execution that waits for an answer over Diyalog',
				{
					description:
						'Nothing was approved, and the execution waits on. Update n8n to 2.38.7 or later.',
				},
			);
		};
