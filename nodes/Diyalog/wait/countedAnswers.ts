import { z } from 'zod/v4';
import { deriveKey, equalBytes, hmacSha256 } from '../lib/crypto';
import { givenAnswersSchema } from './people';
import type { GivenAnswer } from './people';

/*
 * The answers that were counted so far, as they travel from the webhook of a waiting node, which can store nothing, into the
 * execution. They travel as an item, so a MAC shows that the webhook wrote them.
 */

const packedSchema = z.object({ answers: z.string(), mac: z.string() });

/** Answers on their way. */
export type PackedAnswers = z.output<typeof packedSchema>;

const macOf = (answers: string, turn: string, executionId: string, appSecret: string): Buffer =>
	hmacSha256(deriveKey(appSecret, 'counted answers'), `${executionId}\n${turn}\n${answers}`);

/** Packs the answers to one turn of an execution's question. */
export function packAnswers(
	answers: readonly GivenAnswer[],
	turn: string,
	executionId: string,
	appSecret: string,
): PackedAnswers {
	const text = JSON.stringify(answers);
	return { answers: text, mac: macOf(text, turn, executionId, appSecret).toString('base64url') };
}

/**
 * Reads answers that {@link packAnswers} packed.
 *
 * @param packed of unknown shape
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when nobody with the App Secret packed them for this turn of this execution
 */
export function unpackAnswers(
	packed: unknown,
	turn: string,
	executionId: string,
	appSecrets: readonly string[],
): GivenAnswer[] | undefined {
	const { data } = packedSchema.safeParse(packed);
	if (!data) return undefined;
	const given = Buffer.from(data.mac, 'base64url');
	const isGenuine = appSecrets.some(
		(secret) => secret !== '' && equalBytes(given, macOf(data.answers, turn, executionId, secret)),
	);
	return isGenuine ? givenAnswersSchema.safeParse(JSON.parse(data.answers)).data : undefined;
}
