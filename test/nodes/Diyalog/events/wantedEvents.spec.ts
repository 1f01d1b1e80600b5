import fc from 'fast-check';
import type { DiyalogEvent, EventName } from '../../../../nodes/Diyalog/events/events';
import { parseWebhook } from '../../../../nodes/Diyalog/events/parseWebhook';
import type { ParsedWebhook } from '../../../../nodes/Diyalog/events/parseWebhook';
import { ALL_EVENTS } from '../../../support/webhookBodies';

/* Leaving out what nobody asks for saves most of the work of a batch; it must never leave out anything else. */

const ids = { sender: { id: 1 }, recipient: { id: '2', appCustomerId: '70021' } };

const part = fc.oneof(
	fc.constant({ messageEcho: { mid: 'a' } }),
	fc.constant({ delivery: { mids: ['b'], watermark: 1_561_000_000_000 } }),
	fc.constant({ reads: { mids: [], watermark: 1_561_000_000_000 } }),
	fc.constant({ message: { mid: 'c', text: '[c]:approve' } }),
	fc.constant({ message: { mid: 'd', text: 'Hello' } }),
	fc.constant({ message: { mid: 'e' } }),
	fc.constant({ sticker: { id: 7 } }),
	fc.constant({}),
);
const element = fc
	.array(part, { minLength: 1, maxLength: 3 })
	.map((parts) => Object.assign({ ...ids, timestamp: 1_561_000_000_000 }, ...parts) as object);
const body = fc.array(element, { maxLength: 6 }).map((messaging) =>
	Buffer.from(
		JSON.stringify({
			object: 'dialog',
			entry: [{ id: 'OTP', time: 1_561_000_000_000, messaging }],
		}),
	),
);

function parsed(...given: Parameters<typeof parseWebhook>): ParsedWebhook {
	const reading = parseWebhook(...given);
	if (!reading.ok) throw new Error(reading.reason);
	return reading.parsed;
}

const NEVER_LEFT_OUT: readonly EventName[] = ['buttonPressed', 'textReceived', 'other'];

it('gives every event that is wanted, and every press, text and unknown one', () => {
	fc.assert(
		fc.property(body, fc.subarray([...ALL_EVENTS] as EventName[]), (rawBody, wanted) => {
			const asked = ({ event }: DiyalogEvent) =>
				wanted.includes(event) || NEVER_LEFT_OUT.includes(event);
			const eventsOf = (...given: Parameters<typeof parseWebhook>) =>
				parsed(...given)
					.entries.flatMap(({ events }) => events.map(({ event }) => event))
					.filter(asked);
			expect(eventsOf(rawBody, wanted)).toEqual(eventsOf(rawBody));
		}),
		{ numRuns: 500 },
	);
});

it('leaves out no receipt that is awaited, and every other', () => {
	const isAwaited = (mid: unknown) => mid === 'awaited' || mid === 17;
	const midsOf = (mids: unknown, field = 'delivery') => ({ ...ids, [field]: { mids } });
	const messaging = [
		midsOf(['other', 'awaited']),
		midsOf(['other']),
		midsOf([17], 'reads'),
		midsOf([]),
		midsOf([['awaited'], { awaited: 17 }, null]),
		midsOf('awaited'),
		{ ...ids, messageEcho: { mid: 'awaited' } },
	];
	const rawBody = Buffer.from(
		JSON.stringify({ object: 'dialog', entry: [{ id: 'OTP', time: 1, messaging }] }),
	);
	const { entries, malformed } = parsed(rawBody, ['buttonPressed'], isAwaited);
	expect(malformed).toBe(0);
	expect(entries.flatMap(({ events }) => events.map(({ event }) => event))).toMatchObject([
		{ event: 'messageDelivered', messageId: 'other' },
		{ event: 'messageDelivered', messageId: 'awaited' },
		{ event: 'messageRead', messageId: '17' },
	]);
});

it('checks nothing that is not wanted, and still counts what is malformed beside it', () => {
	const malformed = { ...ids, reads: { mids: 'none' } };
	const messaging = [malformed, malformed, { ...ids, message: 7 }];
	const rawBody = Buffer.from(
		JSON.stringify({ object: 'dialog', entry: [{ id: 'OTP', time: 1, messaging }] }),
	);
	expect(parsed(rawBody).malformed).toBe(3);
	expect(parsed(rawBody, ['buttonPressed']).malformed).toBe(1);
});
