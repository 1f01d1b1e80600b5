import { FINGERPRINT_CHARACTERS } from '../../../../nodes/Diyalog/events/fingerprint';
import type { CallbackFingerprint } from '../../../../nodes/Diyalog/events/fingerprint';
import { LastStatuses } from '../../../../nodes/Diyalog/events/lastStatuses';

/* Callbacks of one message, of which only the last one counts as a repetition. */

const callback = (status: string): CallbackFingerprint => ({
	subject: 'message'.padEnd(FINGERPRINT_CHARACTERS, '.'),
	text: status.padEnd(FINGERPRINT_CHARACTERS, '.'),
});
const APPROVED = callback('approved');
const CANCELLED = callback('cancelled');

it('two are under way together and n8n stores neither: the repetition of both is taken', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each, true)).toBe(true);
	statuses.forget(APPROVED);
	statuses.forget(CANCELLED);
	expect(statuses.toText()).toBe('');
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each)).toBe(true);
});

it('two are under way together, and the first is dealt with: that is stored', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) statuses.add(each, true);
	statuses.settle(APPROVED);
	const restarted = new LastStatuses();
	restarted.merge(statuses.toText());
	expect(restarted.add(APPROVED)).toBe(false);
	statuses.settle(CANCELLED);
	statuses.settle(APPROVED);
	expect(statuses.toText()).toBe(`${CANCELLED.subject}${CANCELLED.text}`);
});

it('one that n8n did not store in the end is not stored as dealt with', () => {
	const statuses = new LastStatuses();
	statuses.add(APPROVED);
	statuses.add(CANCELLED, true);
	statuses.settle(CANCELLED);
	statuses.forget(CANCELLED);
	expect(statuses.toText()).toBe(`${APPROVED.subject}${APPROVED.text}`);
	expect(statuses.add(CANCELLED)).toBe(true);
});

it('two have ended before n8n fails to store both: the repetition of both is taken', () => {
	const statuses = new LastStatuses();
	for (const each of [APPROVED, CANCELLED]) statuses.add(each, true);
	for (const each of [APPROVED, CANCELLED]) statuses.settle(each);
	for (const each of [APPROVED, CANCELLED]) statuses.forget(each);
	for (const each of [APPROVED, CANCELLED]) expect(statuses.add(each)).toBe(true);
});

describe('two processes count the statuses of one message', () => {
	const SUBJECT = 'subject-00';
	const status = (text: string) => ({ subject: SUBJECT, text: text.padEnd(10, '-') });

	it.each([1, 2, 3, 40])(
		'n8n fails to store a status %i times here, and stores it there: the one before is new afterwards, and not lost',
		(times) => {
			const [here, there] = [new LastStatuses(), new LastStatuses()];
			here.add(status('Approved'));
			there.merge(here.toText(), here.toCounts());
			for (let time = 0; time < times; time++) {
				expect(here.add(status('Cancelled'), true)).toBe(true);
				here.forget(status('Cancelled'));
			}
			expect(there.add(status('Cancelled'))).toBe(true);
			here.merge(there.toText(), there.toCounts());
			expect(here.add(status('Approved'))).toBe(true);
		},
	);

	it('three are under way together, and n8n stores none of them: what the other process has taken since is newer', () => {
		const [here, there] = [new LastStatuses(), new LastStatuses()];
		here.add(status('Approved'));
		there.merge(here.toText(), here.toCounts());
		const open = ['Cancelled', 'SentToUser', 'Failed'].map(status);
		for (const each of open) here.add(each, true);
		for (const each of open) here.forget(each);
		there.add(status('Cancelled'));
		here.merge(there.toText(), there.toCounts());
		expect(here.add(status('Approved'))).toBe(true);
	});
});
