import { decide } from './decide';
import type { DecisionSurroundings, RefusalReason, Wait } from './decide';
import type { Answer } from './passedOnAnswer';
import { canAnswer } from './people';
import type { GivenAnswer, Group } from './people';
import { decideByRule } from './rules';
import type { RuleDecision } from './rules';

/* A question to several people: each answer is judged as if that person alone had been asked, then the rule decides. */

/** A question to several people. */
export type GroupWait = Wait & { group: Group };

export const isGroupWait = (wait: Wait): wait is GroupWait => wait.group !== undefined;

/** All that is counted is stored anew with each answer: megabytes of many people would stall n8n. */
const MAX_TEXT_CHARACTERS = 10_000;

/** Twice as much for a payload with its signature, in Base64: a token may hold whatever its signer likes. */
const MAX_SIGNED_CHARACTERS = 20_000;

/** Whether an answer counts: it does, it was counted before, or why not. */
export type Counting =
	| { counts: true; given: GivenAnswer }
	| { counts: false; reason: RefusalReason | 'counted' };

const isGiven = (decision: string): decision is GivenAnswer['decision'] =>
	['approved', 'declined', 'reported', 'chosen', 'answered'].includes(decision);

/** As whom the answer to a message counts. Who was asked under two numbers may answer either message, and counts as the first. */
function countedAs({ people }: Group, number: number): number {
	const asked = people[number];
	return people.findIndex(
		(each) =>
			canAnswer(each) &&
			(each === asked || (each.userId !== undefined && each.userId === asked?.userId)),
	);
}

/**
 * Judges the answer of one of several people. The message that it answers says which of them was asked, and it has to come
 * from that very person. A person counts once, whatever numbers stand in the list.
 *
 * @param proof tells this answer from others
 */
export function countAnswer(
	wait: GroupWait,
	answer: Answer,
	proof: string,
	surroundings: DecisionSurroundings,
): Counting {
	const { people, answers } = wait.group;
	// It was counted, but the trigger has not heard of it.
	if (answers.some((given) => given.proof === proof)) return { counts: false, reason: 'counted' };
	const person = people[answer.number];
	const number = countedAs(wait.group, answer.number);
	if (answer.turn === wait.turn && number === -1) return { counts: false, reason: 'otherPerson' };
	const {
		customerNo = null,
		messageTo,
		userId,
		messageId = wait.messageId,
		sentAt = wait.sentAt,
		personKeys,
	} = person ?? {};
	const asked = { ...wait, customerNo, messageTo, userId, messageId, sentAt, personKeys };
	const verdict = decide(asked, answer, surroundings);
	if (!verdict.accepted) return { counts: false, reason: verdict.reason };
	const { decision, value, evidence } = verdict;
	// A code that is to be typed asks one person.
	if (!isGiven(decision)) return { counts: false, reason: 'otherKind' };
	const hasAnswered = answers.some(
		(given) => given.person === number || given.userId === answer.userId,
	);
	if (hasAnswered) return { counts: false, reason: 'alreadyAnswered' };
	const isTooLong =
		(value?.length ?? 0) > MAX_TEXT_CHARACTERS ||
		(evidence?.signedPayload.length ?? 0) > MAX_SIGNED_CHARACTERS;
	if (isTooLong) return { counts: false, reason: 'tooLong' };
	const { userId: who, occurredAt: respondedAt } = answer;
	const payloadSignature = evidence ? 'valid' : answer.payloadSignature;
	return {
		counts: true,
		given: {
			person: number,
			decision,
			value,
			userId: who,
			payloadSignature,
			respondedAt,
			...(evidence && { evidence }),
			proof,
		},
	};
}

/** How the question ends with the answers that were given so far; undefined while it goes on. */
export function decisionOf({ rule, people, answers }: Group): RuleDecision | undefined {
	return decideByRule(rule, people.length, people.filter(canAnswer).length, answers);
}
