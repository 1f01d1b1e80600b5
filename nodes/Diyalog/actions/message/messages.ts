import { randomUUID } from 'node:crypto';
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { check } from '../../input/problem';
import type { Entered } from '../../input/shown';
import type { z } from '../../lib/zod';
import type { MessageInput } from '../../messages/messageInput';
import { recipientInItem } from '../../messages/recipient';
import { messageRequest } from '../../messages/sendMessage';
import type { MessageContent } from '../../messages/sendMessage';
import { requireValid } from '../errors';
import type { OperationRun } from '../operation';
import { parameterReader, readFields } from '../parameters';
import { DEFAULT_CONCURRENCY, DOCUMENT_CONCURRENCY } from '../sendOptions';
import { startSending } from '../sending';
import type { Message } from '../sending';
import type { SettledItems } from '../settled';

/** The ids that a press may name instead of the message's. */
function idsInside(content: MessageContent): string[] {
	if ('cards' in content) return content.cards.flatMap(({ messageId }) => messageId ?? []);
	if (!('buttons' in content) || content.templateMessageId === undefined) return [];
	return [content.templateMessageId];
}

/** What becomes of a checked message. */
function toMessage({ recipient, content, messageId = randomUUID() }: MessageInput): Message {
	return {
		messageId,
		otherIds: idsInside(content),
		recipient: recipientInItem(recipient),
		messageTo: recipient,
		request: messageRequest(recipient, content, messageId),
		text: 'text' in content ? content.text : undefined,
	};
}

/**
 * Makes messages of SendMessage of what was entered.
 *
 * @param fields of the operation, which name what cannot be sent
 */
export function messages(
	context: IExecuteFunctions,
	fields: readonly INodeProperties[],
): (schema: z.ZodType<MessageInput>, entered: Entered, itemIndex: number) => Message {
	const node = context.getNode();
	return (schema, entered, itemIndex) =>
		toMessage(requireValid(node, check(schema, entered, fields), itemIndex));
}

/**
 * Begins to send one message of SendMessage for each item. Few are on their way while one of them is large.
 *
 * @param schemaOf gives what may be entered for an item
 * @param isLarge whether what was entered takes much memory
 */
export async function startSendingMessages(
	context: IExecuteFunctions,
	settled: SettledItems,
	fields: readonly INodeProperties[],
	schemaOf: (
		entered: Entered,
		itemIndex: number,
	) => z.ZodType<MessageInput> | Promise<z.ZodType<MessageInput>>,
	isLarge: (entered: Entered) => boolean = () => false,
): Promise<OperationRun> {
	const read = parameterReader(context);
	const make = messages(context, fields);
	/** items on their way that are large, or of which that is not known yet */
	const large = new Set<number>();
	const prepare = async (itemIndex: number): Promise<Message> => {
		const entered = readFields(read, fields, itemIndex);
		if (!isLarge(entered)) large.delete(itemIndex);
		return make(await schemaOf(entered, itemIndex), entered, itemIndex);
	};
	const usual = () => (large.size > 0 ? DOCUMENT_CONCURRENCY : DEFAULT_CONCURRENCY);
	const { concurrency, execute } = await startSending(context, settled, () => prepare, usual);
	return {
		concurrency,
		async execute(itemIndex) {
			large.add(itemIndex);
			try {
				return await execute(itemIndex);
			} finally {
				large.delete(itemIndex);
			}
		},
	};
}
