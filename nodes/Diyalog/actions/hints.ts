import type { IExecuteFunctions } from 'n8n-workflow';

/** Of so many no one reads more; each is stored with the execution. */
const MAX_HINTS = 10;

/**
 * Advice that the editor shows beside the output of a run that went well. Each stands there once, however many items it is
 * meant for. It holds no text of a message and no code: n8n stores it with the execution.
 */
export function hintsOf(context: IExecuteFunctions): (message: string) => void {
	const given = new Set<string>();
	return (message) => {
		if (given.has(message) || given.size >= MAX_HINTS) return;
		given.add(message);
		context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	};
}
