import { randomUUID } from 'node:crypto';
import type { IWebhookFunctions } from 'n8n-workflow';
import { BoundedMap } from '../lib/boundedMap';
import { rememberMessage } from '../messages/knownMessages';
import { textRequest } from '../messages/sendMessage';
import { DiyalogClient } from '../transport/client';
import type { Reply } from '../wait/replies';
import { toMessageId } from '../wait/resumeReference';
import type { ResumeReference } from '../wait/resumeReference';

/* What people are told after they have answered: sent by the trigger, which waits for none of it. */

/** What the trigger itself tells: the question is over. */
type Told = Reply | (Omit<Reply, 'kind'> & { kind: 'late' });

/** So often a person is told of one question. */
const MAX_TOLD: Readonly<Record<Told['kind'], number>> = { decided: 1, wrong: 3, late: 1 };

/** Some MB. */
const MAX_REMEMBERED = 10_000;

const told = new BoundedMap<string, number>(MAX_REMEMBERED);

const keyOf = (turn: string, { kind, userId }: Pick<Told, 'kind' | 'userId'>): string =>
	JSON.stringify([turn, kind, userId]);

/** Whoever decided a question, or was counted, need not be told that it is closed when the finger taps twice. */
export function answeredBy({ turn }: ResumeReference, userId: string): void {
	told.set(keyOf(turn, { kind: 'late', userId }), MAX_TOLD.late);
}

/** In front of the messageId of a reply that the question goes on behind: what is typed then still answers the question. */
const AGAIN_PREFIX = 'again';

const OPTIONS = { maxRetries: 1, timeoutMs: 10_000 };

/**
 * Tells people something about a question. It never rejects: what fails stands in the log.
 *
 * @param appSecret under which the reference is genuine
 */
export async function tell(
	context: IWebhookFunctions,
	{ reference, appSecret }: { reference: ResumeReference; appSecret: string },
	replies: readonly Told[],
): Promise<void> {
	const due = replies.filter((reply) => {
		const key = keyOf(reference.turn, reply);
		const before = told.get(key) ?? 0;
		told.set(key, before + 1);
		return before < MAX_TOLD[reply.kind];
	});
	if (due.length === 0) return;
	const which = `execution ${reference.executionId}`;
	const failed = (why: string) =>
		context.logger.error(
			`Diyalog Trigger: a reply about a question of ${which} was not sent: ${why}`,
		);
	try {
		const client = await DiyalogClient.create(context);
		const send = async ({ kind, userId, text, number = reference.number }: Told): Promise<void> => {
			const again =
				kind === 'wrong' && toMessageId({ ...reference, number }, AGAIN_PREFIX, appSecret);
			const messageId = again || randomUUID();
			rememberMessage(messageId);
			const outcome = await client.send(textRequest({ id: userId }, messageId, text), OPTIONS);
			if (!outcome.accepted) failed(`${outcome.failure.title}. ${outcome.failure.advice}`);
		};
		await Promise.all(due.map(send));
	} catch {
		failed('the Diyalog API credential of the trigger could not be used.');
	}
}
