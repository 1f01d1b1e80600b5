import { z } from 'zod/v4';
import { deriveKey, equalBytes, hmacSha256 } from '../lib/crypto';

/*
 * What a trigger posts to a waiting execution of its own instance: the person's answer, and the proof that a trigger
 * with the same credential authenticated it. Holding the resume URL alone is worth nothing.
 */

const answerSchema = z.object({
	kind: z.enum(['press', 'text', 'receipt']),
	/** of the message that was answered */
	turn: z.string(),
	/** how many wrong answers had been given before that message was sent */
	attempt: z.number().int().min(0),
	/** null where Diyalog gives none, as for employees */
	customerNo: z.string().nullable(),
	/** the person's id in Diyalog */
	userId: z.string(),
	/** the button's payload, the text that the person wrote, or what became of the message: delivered or read */
	text: z.string(),
	payloadSignature: z.enum(['notChecked', 'valid', 'invalid']),
	/** when it happened, ISO 8601 */
	occurredAt: z.string(),
});

/** What a person answered to a message, as an authenticated trigger passes it on. */
export type Answer = z.output<typeof answerSchema>;

const passedOnSchema = z.object({ answer: z.string(), proof: z.string() });

/** The body of the trigger's call. The answer travels as text, so that the proof covers its very letters. */
export type PassedOnAnswer = z.output<typeof passedOnSchema>;

const proofOf = (answer: string, executionId: string, appSecret: string): Buffer =>
	hmacSha256(deriveKey(appSecret, 'passed-on answer'), `${executionId}\n${answer}`);

/**
 * Packs an answer for the execution that waits for it.
 *
 * @param appSecret the one under which the message's reference is genuine
 */
export function passOn(answer: Answer, executionId: string, appSecret: string): PassedOnAnswer {
	const text = JSON.stringify(answer);
	return { answer: text, proof: proofOf(text, executionId, appSecret).toString('base64url') };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/**
 * Reads what came to a waiting execution. Fails closed: without a secret nothing is proved.
 *
 * @param body of the call, of unknown shape
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when no trigger with this credential made it for this execution
 */
export function takePassedOn(
	body: unknown,
	executionId: string,
	appSecrets: readonly string[],
): Answer | undefined {
	const { data } = passedOnSchema.safeParse(body);
	if (!data) return undefined;
	const given = Buffer.from(data.proof, 'base64url');
	const isProved = appSecrets.some(
		(secret) => secret !== '' && equalBytes(given, proofOf(data.answer, executionId, secret)),
	);
	if (!isProved) return undefined;
	return answerSchema.safeParse(parseJson(data.answer)).data;
}

const receptionSchema = z.union([
	z.object({ accepted: z.literal(true) }),
	z.object({ accepted: z.literal(false), reason: z.string() }),
]);

/** What the waiting node answers to the trigger. n8n itself answers with a page when nothing waits any more. */
export type Reception = z.output<typeof receptionSchema>;

/** Reads the waiting node's answer; undefined when it is not one. */
export function readReception(text: string): Reception | undefined {
	return receptionSchema.safeParse(parseJson(text)).data;
}
