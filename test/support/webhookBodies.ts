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
	/** the id in Diyalog; that of the sandbox's customers unless told otherwise */
	userId?: string;
	webhookId?: unknown;
}

/** As the sandbox names its customers. */
const USER_IDS = new Map<unknown, string>([
	['70022', '1588406039'],
	['123456789', '2074022437'],
]);

/** One entry with one event, e.g. `{ message: { mid, text } }`. */
export function entry(event: object, parts: EntryParts = {}): object {
	const { time = Date.now(), webhookId = 'OTP' } = parts;
	const customerNo = 'customerNo' in parts ? parts.customerNo : '70021';
	const userId = parts.userId ?? USER_IDS.get(customerNo) ?? '243540663';
	return {
		id: webhookId,
		time,
		messaging: [
			{
				sender: { id: '1614379680' },
				recipient: { appCustomerId: customerNo, id: userId },
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
