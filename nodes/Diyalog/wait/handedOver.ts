/*
 * Which answers this process has told n8n to continue an execution with. n8n says afterwards only that the execution goes
 * on, not with which answer; so a trigger that got no clear reply looks here.
 */

/** Far more executions than can continue within the minutes in which anybody asks; only so that the map cannot grow for ever. */
const MAX_TURNS = 10_000;

const handedOver = new Map<string, Set<string>>();

/**
 * Notes that n8n is being told to continue an execution.
 *
 * @param turn of the message that was answered
 * @param answer what tells this answer from others, e.g. its proof
 */
export function noteHandedOver(turn: string, answer: string): void {
	const answers = handedOver.get(turn) ?? new Set<string>();
	answers.add(answer);
	handedOver.delete(turn);
	handedOver.set(turn, answers);
	const [oldest] = handedOver.keys();
	if (handedOver.size > MAX_TURNS && oldest !== undefined) handedOver.delete(oldest);
}

/** Whether n8n was told to continue by this answer and, as far as this process knows, by no other. */
export function isHandedOverAlone(turn: string, answer: string): boolean {
	const answers = handedOver.get(turn);
	return answers?.size === 1 && answers.has(answer);
}
