import { lazily, z } from '../lib/zod';
import type { RefusalReason, Wait } from './decide';
import type { Answer } from './passedOnAnswer';
import type { RuleDecision } from './rules';

/*
 * What people are told after they have answered. Diyalog can neither change nor delete a message, so its buttons stay. The
 * waiting node says what is to be told, and the trigger that passed the answers on sends it: the execution neither waits for
 * that nor can it fail by it. They travel sealed, or whoever stands between n8n and itself could make the bot tell anybody
 * anything.
 */

const replySchema = lazily(() =>
	z.object({
		kind: z.enum(['decided', 'wrong']),
		/** the person's id in Diyalog */
		userId: z.string(),
		text: z.string(),
		/** of the message that was answered wrongly, so that what the person writes next answers the same */
		number: z.number().int().min(0).optional(),
	}),
);

/** What one person is told: how a question was decided, or that an answer could not be used. */
export type Reply = z.output<ReturnType<typeof replySchema>>;

const repliesSchema = lazily(() => z.array(replySchema()));

/** Reads replies that the waiting node has sealed; nothing when they are none. */
export const readReplies = (unsealed: unknown): Reply[] =>
	repliesSchema().safeParse(unsealed).data ?? [];

/** What may stand for how a question was decided, in braces. */
const NAMES = ['answer', 'count', 'asked'] as const;

const NAMED = new RegExp(`\\{(${NAMES.join('|')})\\}`, 'g');

/** A text without the names that are filled in when the question is decided. */
export const withoutNames = (text: string): string => text.replace(NAMED, '.');

/** The words that stand on what was pressed; a text is told nobody. */
function labelOf({ expectation }: Wait, value: string | null): string {
	if (expectation.kind !== 'button') return '';
	return expectation.buttons.find((button) => button.value === value)?.title ?? '';
}

/**
 * What all who were asked are told of how the question was decided.
 *
 * @param wait with the answer that decided
 * @param userId of who gave it
 */
export function repliesWhenDecided(wait: Wait, { value }: RuleDecision, userId: string): Reply[] {
	const { decidedReply, group } = wait;
	if (!decidedReply) return [];
	const answers = group?.answers ?? [];
	const values: Readonly<Record<string, string>> = {
		answer: labelOf(wait, value),
		count: String(group ? answers.filter((given) => given.value === value).length : 1),
		asked: String(group?.people.length ?? 1),
	};
	const text = decidedReply.replace(NAMED, (_whole, name: string) => values[name] ?? '');
	const people = group ? group.people.map((person) => person.userId) : [userId];
	const known = new Set([...people, ...answers.map((given) => given.userId)]);
	return [...known].flatMap((each) =>
		each === undefined ? [] : [{ kind: 'decided' as const, userId: each, text }],
	);
}

/** Answers that the person meant, and that cannot be used. */
const WRONG: ReadonlyArray<RefusalReason | 'counted'> = ['otherKind', 'notIssued', 'notSigned'];

/** What a person is told whose answer could not be used. */
export const repliesToWrong = (
	{ wrongReply }: Wait,
	reason: RefusalReason | 'counted',
	{ userId, number }: Answer,
): Reply[] =>
	wrongReply && WRONG.includes(reason) ? [{ kind: 'wrong', userId, text: wrongReply, number }] : [];
