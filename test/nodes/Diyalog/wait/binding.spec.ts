import fc from 'fast-check';
import { decide, readWait } from '../../../../nodes/Diyalog/wait/decide';
import type { Wait } from '../../../../nodes/Diyalog/wait/decide';
import type { Answer } from '../../../../nodes/Diyalog/wait/passedOnAnswer';

/* Whose answer counts, over everything that wait and answer can know of a person. */

const NOW = new Date('2026-11-24T12:00:00.000Z');

const waitFor = (person: Pick<Wait, 'customerNo' | 'userId'>): Wait => ({
	turn: 'turn',
	...person,
	messageId: 'id',
	messageIdPrefix: '',
	sentAt: NOW.toISOString(),
	deadline: new Date(NOW.getTime() + 60_000).toISOString(),
	expectation: {
		kind: 'button',
		buttons: [{ payload: 'approve', title: 'Approve', decision: 'approved', value: 'approve' }],
		requireSignedPayload: false,
	},
	wrongCodes: 0,
});

const answerOf = (person: Pick<Answer, 'customerNo' | 'userId'>): Answer => ({
	kind: 'press',
	turn: 'turn',
	number: 0,
	...person,
	text: 'approve',
	payloadSignature: 'notChecked',
	occurredAt: NOW.toISOString(),
});

const verdict = (
	wait: Pick<Wait, 'customerNo' | 'userId'>,
	answer: Pick<Answer, 'customerNo' | 'userId'>,
): string => {
	const found = decide(waitFor(wait), answerOf(answer), {
		now: NOW,
		appSecrets: ['secret'],
		checkSignature: ({ payload }) => ({ payloadSignature: 'notChecked', payload }),
	});
	return found.accepted ? found.decision : found.reason;
};

const YES = 'approved';
const NO = 'otherPerson';

it.each<[Wait['customerNo'], Wait['userId'], Answer['customerNo'], string, string]>([
	// A customer, whose id Diyalog has told.
	['70021', '7', '70021', '7', YES],
	['70021', '7', null, '7', YES],
	['70021', '7', '70022', '7', NO],
	['70021', '7', '70021', '8', NO],
	['70021', '7', null, '8', NO],
	['70021', '7', '70022', '8', NO],
	// An employee, or somebody by the id: what stands in the place of the number means nothing.
	[null, '7', null, '7', YES],
	[null, '7', '70021', '7', YES],
	[null, '7', '70022', '7', YES],
	[null, '7', null, '8', NO],
	[null, '7', '70021', '8', NO],
	[null, '7', '70022', '8', NO],
	// A customer, as an earlier release has stored it.
	['70021', undefined, '70021', '7', YES],
	['70021', undefined, '70021', '8', YES],
	['70021', undefined, null, '7', NO],
	['70021', undefined, null, '8', NO],
	['70021', undefined, '70022', '7', NO],
	['70021', undefined, '70022', '8', NO],
	// Nobody.
	[null, undefined, null, '7', NO],
	[null, undefined, null, '8', NO],
	[null, undefined, '70021', '7', NO],
	[null, undefined, '70021', '8', NO],
	[null, undefined, '70022', '7', NO],
	[null, undefined, '70022', '8', NO],
])(
	'waiting for customer %j with id %j, customer %j with id %j answers: %s',
	(customerNo, userId, answerNo, answerId, expected) => {
		expect(verdict({ customerNo, userId }, { customerNo: answerNo, userId: answerId })).toBe(
			expected,
		);
	},
);

const text = fc.oneof(
	fc.constantFrom('7', '07', '7 ', '7.0', 'null', 'undefined', '', '70021', 'E100'),
	fc.string({ maxLength: 4 }),
);

it('no answer counts of which nothing fits, and none of which something does not fit', () => {
	fc.assert(
		fc.property(
			fc.option(text),
			fc.option(text, { nil: undefined }),
			fc.option(text),
			text,
			(customerNo, userId, answerNo, answerId) => {
				const wait = readWait(JSON.parse(JSON.stringify(waitFor({ customerNo, userId }))));
				// What was stored without a number or an id holds null or nothing, and never an empty text.
				if (customerNo === '' || userId === '') return wait === undefined;
				const compared = [
					...(userId === undefined ? [] : [userId === answerId]),
					...(customerNo === null || answerNo === null ? [] : [customerNo === answerNo]),
				];
				const counts = compared.length > 0 && compared.every(Boolean);
				return (
					wait !== undefined &&
					verdict(wait, { customerNo: answerNo, userId: answerId }) === (counts ? YES : NO)
				);
			},
		),
		{ numRuns: 5_000 },
	);
});

it.each([
	['none', undefined, true],
	['a customer', { appCustomerId: '70021' }, true],
	['an employee', { appStaffId: 'E100' }, true],
	['an id', { id: '7' }, true],
	['two at once', { appStaffId: 'E100', id: '7' }, false],
	['a number', { id: 7 }, false],
	['nothing', {}, false],
])('a stored wait that is replied to by %s, %j, is read: %j', (_what, messageTo, isRead) => {
	const stored: unknown = { ...waitFor({ customerNo: '70021', userId: '7' }), messageTo };
	expect(readWait(stored) !== undefined).toBe(isRead);
});
