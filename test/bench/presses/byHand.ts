import { node, webhook } from '../../e2e/harness/workflows';
import type { Row } from '../../e2e/harness/workflows';

/*
 * What somebody builds of n8n's own nodes to take presses: the Webhook node keeps the raw body, the Crypto node computes
 * its HMAC, IF compares it with X-Signature, a Code node makes events of the batch, and Remove Duplicates drops those
 * that were taken before. The Webhook node replies at once, which costs the least; it says 200 to forged calls as well.
 */

/** The nodes whose output tells what became of a call. */
export const BY_HAND = { read: 'Read the batch', end: 'Remove Duplicates' } as const;

/** The least that does the same for presses: the event's fields, and calls of any age refused. */
const CODE = `
const events = [];
for (const item of $input.all()) {
	for (const entry of item.json.body.entry) {
		if (Math.abs(Date.now() - entry.time) > 15 * 60 * 1000) continue;
		for (const { sender, recipient, timestamp, message } of entry.messaging) {
			const press = /^\\[([^\\]]*)\\]:([\\s\\S]*)$/.exec(message?.text ?? '');
			if (!press) continue;
			const [, messageId, payload] = press;
			events.push({
				json: {
					event: 'buttonPressed',
					messageId,
					payload,
					customerNo: recipient.appCustomerId,
					userId: recipient.id,
					botId: sender.id,
					webhookId: entry.id,
					occurredAt: new Date(timestamp).toISOString(),
					sentAt: new Date(entry.time).toISOString(),
					key: JSON.stringify([messageId, payload, recipient.id, timestamp]),
				},
			});
		}
	}
}
return events;`;

/** More than a benchmark sends; with its default of 10,000 the node fails as soon as it has seen so many. */
const HISTORY_SIZE = 1_000_000;

/** @param cryptoId the credential of the Crypto node, which holds the App Secret */
export function byHand(path: string, cryptoId: string): Row {
	const call = webhook(path, { options: { rawBody: true } });
	const hmac = node(
		'HMAC',
		'n8n-nodes-base.crypto',
		2,
		{
			action: 'hmac',
			binaryData: true,
			binaryPropertyName: 'data',
			type: 'SHA1',
			encoding: 'hex',
			dataPropertyName: 'signature',
		},
		{ credentials: { crypto: { id: cryptoId, name: 'Crypto' } } },
	);
	const compare = node('Compare', 'n8n-nodes-base.if', 2.3, {
		conditions: {
			options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 3 },
			combinator: 'and',
			conditions: [
				{
					leftValue: '={{ $json.headers["x-signature"] }}',
					rightValue: '={{ $json.signature }}',
					operator: { type: 'string', operation: 'equals' },
				},
			],
		},
		options: {},
	});
	const read = node(BY_HAND.read, 'n8n-nodes-base.code', 2, { jsCode: CODE });
	const dropRepeated = node(BY_HAND.end, 'n8n-nodes-base.removeDuplicates', 2, {
		operation: 'removeItemsSeenInPreviousExecutions',
		logic: 'removeItemsWithAlreadySeenKeyValues',
		dedupeValue: '={{ $json.key }}',
		options: { historySize: HISTORY_SIZE },
	});
	return [call, hmac, compare, read, dropRepeated];
}
