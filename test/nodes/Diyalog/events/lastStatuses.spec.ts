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

it('a call that began before the last one was stored reads an older text: what was taken since stays', () => {
	const before = new LastStatuses();
	before.add(APPROVED);
	const restarted = new LastStatuses();
	restarted.merge(before.toText());
	expect(restarted.add(CANCELLED)).toBe(true);
	restarted.merge(before.toText());
	expect(restarted.add(CANCELLED)).toBe(false);
	expect(restarted.add(APPROVED)).toBe(true);
});
