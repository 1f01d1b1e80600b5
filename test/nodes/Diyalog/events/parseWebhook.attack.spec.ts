import fc from 'fast-check';
import { parseStatusCallback, parseWebhook } from '../../../../nodes/Diyalog/events/parseWebhook';
import { entry, written } from '../../../support/webhookBodies';

/* Bodies that somebody with the secret could send, numbered: nothing is thrown, polluted, or taken without end. */

const NOW = Date.UTC(2026, 10, 24);

const FIELDS = ['object', 'entry', 'id', 'time', 'messaging', 'sender', 'recipient', 'timestamp'];
const MORE = ['appCustomerId', 'message', 'text', 'mid', 'mids', 'reads', 'delivery', 'watermark'];
const HOSTILE = [
	'__proto__',
	'constructor',
	'prototype',
	'toString',
	'valueOf',
	'toJSON',
	'length',
];
const key = fc.constantFrom(...FIELDS, ...MORE, ...HOSTILE, 'messageEcho', 'status', 'messageId');
const leaf = fc.oneof(
	fc.constantFrom('dialog', '[a]:x', 'OTP', '1e400', '-0', '9'.repeat(400), '\ud800', ''),
	fc.constantFrom(NOW, NOW / 1_000, -1, 1.5, 1e308, 8.64e15, -8.64e15, 9e15),
	fc.constantFrom(null, true, false),
	fc.string({ unit: 'binary' }),
);
/** JSON text, so that `__proto__` is a key like any other. */
const { json } = fc.letrec((tie) => ({
	json: fc.oneof(
		{ maxDepth: 6, withCrossShrink: true },
		leaf.map((value) => JSON.stringify(value)),
		fc.constantFrom('9007199254740993', '1e400', '-0', '12345678901234567890.5'),
		fc.array(tie('json') as fc.Arbitrary<string>, { maxLength: 4 }).map((all) => `[${all.join()}]`),
		fc
			.array(fc.tuple(key, tie('json') as fc.Arbitrary<string>), { maxLength: 5 })
			.map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`),
	),
})) as { json: fc.Arbitrary<string> };

const element = fc
	.tuple(fc.constantFrom(...FIELDS, ...MORE, ...HOSTILE, 'messageEcho'), json)
	.map(([name, value]) => {
		const whole = JSON.stringify(entry({ message: { mid: 'm', text: '[a]:x' } }, { time: NOW }));
		return whole.replace('"timestamp"', () => `${JSON.stringify(name)}:${value},"timestamp"`);
	});

const good = JSON.stringify(written('[good]:x', { time: NOW }));

it('1. entries of any shape beside a press: it is read, and nothing is thrown or polluted', () => {
	fc.assert(
		fc.property(fc.array(fc.oneof(json, element), { maxLength: 3 }), (strange) => {
			const body = Buffer.from(`{"object":"dialog","entry":[${[...strange, good].join()}]}`);
			const reading = parseWebhook(body);
			if (!reading.ok) throw new Error(reading.reason);
			const events = reading.parsed.entries.flatMap((each) => each.events);
			const own = Object.getOwnPropertyNames(Object.prototype).length;
			expect(own).toBe(PROTOTYPE_NAMES);
			for (const { event, fingerprint } of events) {
				expect(fingerprint.text).toMatch(/^[\w-]{10}$/);
				expect(Number.isSafeInteger(fingerprint.sentAtMs)).toBe(true);
				expect(JSON.stringify(event)).not.toContain('"__proto__"');
			}
			for (const field of reading.parsed.malformedFields) expect(field).toMatch(/^[a-zA-Z.]+$/);
			return events.some(({ event }) => 'messageId' in event && event.messageId === 'good');
		}),
		{ numRuns: 3_000 },
	);
});

const PROTOTYPE_NAMES = Object.getOwnPropertyNames(Object.prototype).length;

it('2. bytes of any kind, as a whole and in place of a part of a press', () => {
	const whole = Buffer.from(`{"object":"dialog","entry":[${good}]}`);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(whole.length), (bytes, at) => {
			parseWebhook(Buffer.from(bytes));
			parseStatusCallback(Buffer.from(bytes), new Date(NOW));
			const altered = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + 1)]);
			parseWebhook(altered);
			parseStatusCallback(altered, new Date(NOW));
		}),
		{ numRuns: 3_000 },
	);
});

it.each([
	['3. unended texts', '"'.repeat(1_000_000)],
	['4. unended escapes', `"${'\\'.repeat(1_000_000)}`],
	['5. digits', '1'.repeat(1_000_000)],
	['6. digits and dots', '1234567890123456.'.repeat(60_000)],
	['7. brackets', '['.repeat(1_000_000)],
	['8. long numbers', `[${'12345678901234567,'.repeat(50_000)}1]`],
	['9. a megabyte in one id', `{"object":"dialog","entry":[{"id":"${'1'.repeat(1_000_000)}"}]}`],
	[
		'10. a megabyte of digits as time',
		`{"object":"dialog","entry":[{"id":"1","time":"${'1'.repeat(1_000_000)}","messaging":[]}]}`,
	],
])('%s end at once', (_, text) => {
	const body = Buffer.from(text);
	// What is not linear takes minutes.
	expect(parseWebhook(body)).not.toMatchObject({ parsed: { malformed: 0 } });
	expect(parseStatusCallback(body, new Date(NOW)).ok).toBe(false);
});

it.each([
	[
		'11. message ids of one receipt',
		(count: number) => [{ delivery: { mids: Array(count).fill('a') } }],
	],
	[
		'12. message ids of many receipts',
		(count: number) => Array(count / 10).fill({ reads: { mids: Array(10).fill('a') } }),
	],
	['13. elements', (count: number) => Array(count).fill({})],
	['14. malformed message ids', (count: number) => [{ delivery: { mids: Array(count).fill({}) } }]],
])('%s count', (_, elements) => {
	const parse = (count: number) =>
		parseWebhook(
			Buffer.from(
				JSON.stringify({
					object: 'dialog',
					entry: [{ id: 1, time: NOW, messaging: elements(count) }],
				}),
			),
		).ok;
	expect(parse(1_000)).toBe(true);
	expect(parse(1_010)).toBe(false);
	expect(parse(100_000)).toBe(false);
});

it.each([
	['15. delivery', { delivery: null }],
	['16. reads', { reads: null }],
	['17. messageEcho', { messageEcho: null }],
	['18. mids', { delivery: { mids: null, watermark: NOW } }],
	['19. watermark', { reads: { mids: ['r'], watermark: null } }],
])('%s is null beside a press: the press is read', (_, parts) => {
	const strange = entry({ message: { mid: 'm', text: '[a]:x' }, ...parts }, { time: NOW });
	const reading = parseWebhook(Buffer.from(JSON.stringify({ object: 'dialog', entry: [strange] })));
	if (!reading.ok) throw new Error(reading.reason);
	const events = reading.parsed.entries.flatMap((each) => each.events);
	expect(reading.parsed.malformed).toBe(0);
	expect(events.map(({ event }) => event)).toContainEqual(
		expect.objectContaining({ event: 'buttonPressed', messageId: 'a' }),
	);
});

it.each([
	[
		'20. message, beside a receipt',
		{ message: null, delivery: { mids: ['a'] } },
		'messageDelivered',
	],
	['21. text and mid', { message: { mid: null, text: null } }, 'other'],
	['22. mid of a text', { message: { mid: null, text: 'hello' } }, 'textReceived'],
	['23. a receipt, beside something new', { delivery: null, seal: {} }, 'other'],
])('%s is null: it is as if it were not there', (_, parts, expected) => {
	const body = JSON.stringify({ object: 'dialog', entry: [entry(parts, { time: NOW })] });
	const reading = parseWebhook(Buffer.from(body), [], () => true);
	if (!reading.ok) throw new Error(reading.reason);
	const events = reading.parsed.entries.flatMap((each) => each.events);
	expect(events.map(({ event }) => event.event)).toEqual([expected]);
});

it('24. fields that are null are no types of an event', () => {
	const parts = { message: null, delivery: null, sticker: null, seal: {} };
	const body = JSON.stringify({ object: 'dialog', entry: [entry(parts, { time: NOW })] });
	const reading = parseWebhook(Buffer.from(body), [], () => true);
	if (!reading.ok) throw new Error(reading.reason);
	expect(reading.parsed.entries.flatMap((each) => each.events)).toEqual([
		expect.objectContaining({ event: expect.objectContaining({ types: ['seal'] }) }),
	]);
});
