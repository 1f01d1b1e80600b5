import type { IExecuteFunctions } from 'n8n-workflow';

/** Of so many no one reads more; each is stored with the execution. */
const MAX_HINTS = 10;

/**
 * Advice that the editor shows beside the output of a run that went well. Each stands there once, however many items it is
 * meant for. It holds no text of a message and no code: n8n stores it with the execution.
 */
export function hintsOf(context: IExecuteFunctions): (message: string | undefined) => void {
	const given = new Set<string>();
	return (message) => {
		if (message === undefined || given.has(message) || given.size >= MAX_HINTS) return;
		given.add(message);
		try {
			context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
		} catch {
			// Advice changes nothing of what it is about.
		}
	};
}

/**
 * About as much of a text as a phone shows while it is locked: four lines on iOS, and less on Android.
 * Source: https://doc.batch.com, optimal length of push notifications.
 */
const LOCK_SCREEN_CHARACTERS = 180;

/** What to do about a text that a phone does not show as a whole before it is opened; undefined for a shorter one. */
export const lengthHint = (text: string): string | undefined =>
	// The first of them tell it: a text may be far longer, and each item has one.
	[...text.slice(0, 2 * LOCK_SCREEN_CHARACTERS + 1)].length > LOCK_SCREEN_CHARACTERS
		? `The message is longer than about ${LOCK_SCREEN_CHARACTERS} characters. A locked phone shows no more, and often less, so put what matters first.`
		: undefined;
