/** Everything that a trigger can be told to take. */
export const ALL_EVENTS = [
	'buttonPressed',
	'messageDelivered',
	'messageRead',
	'messageSent',
	'other',
	'statusCallback',
	'textReceived',
];

/** Parts of a webhook body in the documented shape, with made-up ids. */
export interface EntryParts {
	/** epoch ms at which Diyalog sent the entry; now unless told otherwise */
	time?: number;
	/** epoch ms at which the event happened; a second earlier unless told otherwise */
	timestamp?: number;
	customerNo?: unknown;
	webhookId?: unknown;
}

/** One entry with one event, e.g. `{ message: { mid, text } }`. */
export function entry(event: object, parts: EntryParts = {}): object {
	const { time = Date.now(), customerNo = '70021', webhookId = 'OTP' } = parts;
	return {
		id: webhookId,
		time,
		messaging: [
			{
				sender: { id: '1614379680' },
				recipient: { appCustomerId: customerNo, id: '243540663' },
				timestamp: 'timestamp' in parts ? parts.timestamp : time - 1_000,
				...event,
			},
		],
	};
}

/** The entry of a text that a customer wrote, or of a press when it reads `[id]:payload`. */
export const written = (text: string, parts: EntryParts = {}): object =>
	entry({ message: { mid: 'transfer-18', text } }, parts);

/** A whole body. */
export const envelope = (...entries: unknown[]): string =>
	JSON.stringify({ object: 'dialog', entry: entries });
