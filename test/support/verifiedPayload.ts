import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { runDiyalogNode } from './nodeRuntime';

/** What Verify Signed Payload says, or its error; it reaches no server. */
export async function verified(
	parameters: INodeParameters,
	credentials: Record<string, string | boolean>,
	input: IDataObject = {},
): Promise<IDataObject> {
	const { items, error } = await runDiyalogNode(
		{
			parameters: { resource: 'signedPayload', operation: 'verify', ...parameters },
			credentials: {
				serverUrl: 'http://127.0.0.1:9',
				botToken: 'token-of-the-bot',
				appSecret: 'app secret',
				...credentials,
			},
		},
		[{ json: input }],
	);
	return error ? { error: error.message } : (items[0]?.json ?? {});
}
