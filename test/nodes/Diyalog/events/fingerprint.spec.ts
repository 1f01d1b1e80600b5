import { parseWebhook } from '../../../../nodes/Diyalog/events/parseWebhook';

/*
 * Fingerprints are stored in n8n's database. Those of events with a customer number are as every release makes them: with
 * others, a call that was recorded before an update could be played again after it.
 */

const SENT_AT = 1_795_435_201_000;
const CUSTOMER = { appCustomerId: '70021', id: '243540663' };
const READ = { reads: { mids: [] } };

function fingerprintOf(event: object, recipient: object): string | undefined {
	const element = { sender: { id: '1614379680' }, recipient, timestamp: SENT_AT - 1_000, ...event };
	const entry = { id: 'OTP', time: SENT_AT, messaging: [element] };
	const reading = parseWebhook(Buffer.from(JSON.stringify({ object: 'dialog', entry: [entry] })));
	return reading.ok ? reading.parsed.entries[0]?.events[0]?.fingerprint.text : reading.reason;
}

it.each<[string, string, object, object]>([
	['a press', 'VOw2osf21o', { message: { mid: 'transfer-18', text: '[transfer-17]:approve' } }, {}],
	['a text', 'sVDkRYTL8B', { message: { mid: 'transfer-18', text: 'Merhaba' } }, {}],
	['a message that was sent', 'Dqmx1DBqli', { messageEcho: { mid: 'transfer-17' } }, {}],
	[
		'a delivery',
		'UEzqyNeZPE',
		{ delivery: { mids: ['transfer-17'], watermark: SENT_AT - 1_000 } },
		{},
	],
	['a read', 'gevAgxSsG6', READ, {}],
	['numbers for ids', 'gevAgxSsG6', READ, { appCustomerId: 70021, id: 243540663 }],
	['something that is not known', 'oh1QDtrX5w', { typing: {} }, {}],
	[
		"an employee's number in its place",
		'vmd_42w6xu',
		READ,
		{ appCustomerId: 'E100', id: '3021457781' },
	],
])('%s has the fingerprint %s', (_what, expected, event, recipient) => {
	expect(fingerprintOf(event, { ...CUSTOMER, ...recipient })).toBe(expected);
});

it('events without a number have one fingerprint, however the number is missing, and other people have others', () => {
	const missing = [{}, { appCustomerId: null }, { appCustomerId: '' }, { appCustomerId: {} }];
	const prints = missing.map((number) => fingerprintOf(READ, { ...number, id: '243540663' }));
	expect(new Set(prints).size).toBe(1);
	expect(prints[0]).not.toBe(fingerprintOf(READ, CUSTOMER));
	expect(prints[0]).not.toBe(fingerprintOf(READ, { id: '243540664' }));
});
