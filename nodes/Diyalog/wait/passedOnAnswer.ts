import { deriveKey, hmacSha256, isUnderOneOf } from '../lib/crypto';
import { lazily, listUpTo, z } from '../lib/zod';
import { MAX_PEOPLE } from './people';
import { sealedSchema } from './sealed';

/*
 * What a trigger posts to a waiting execution of its own instance: people's answers, each with the proof that a trigger
 * with the same credential authenticated it. Holding the resume URL alone is worth nothing.
 */

const answerSchema = lazily(() =>
	z.object({
		kind: z.enum(['press', 'text', 'receipt']),
		/** of the message that was answered */
		turn: z.string(),
		/** how many wrong answers had been given before that message was sent, or to which of several people it went */
		number: z.number().int().min(0),
		/** null where Diyalog gives none, as for employees */
		customerNo: z.string().nullable(),
		/** the person's id in Diyalog */
		userId: z.string(),
		/** the button's payload, the text that the person wrote, or what became of the message: delivered or read */
		text: z.string(),
		payloadSignature: z.enum(['notChecked', 'valid', 'invalid']),
		/** the button's payload as it came, where the trigger has taken a valid signature off it */
		signedPayload: z.string().optional(),
		/** when it happened, ISO 8601 */
		occurredAt: z.string(),
	}),
);

/** What a person answered to a message, as an authenticated trigger passes it on. */
export type Answer = z.output<ReturnType<typeof answerSchema>>;

/** So many answers to one question are passed on together at most. */
export const MAX_TOGETHER = MAX_PEOPLE;

const passedOnSchema = lazily(() => z.object({ answer: z.string(), proof: z.string() }));
const bodySchema = lazily(() => z.object({ answers: listUpTo(MAX_TOGETHER, passedOnSchema()) }));

/** One answer in the trigger's call. It travels as text, so that the proof covers its very letters. */
export type PassedOnAnswer = z.output<ReturnType<typeof passedOnSchema>>;

const proofOf = (text: string, executionId: string, appSecret: string): Buffer =>
	hmacSha256(deriveKey(appSecret, 'passed-on answer'), `${executionId}\n${text}`);

/**
 * Packs an answer for the execution that waits for it.
 *
 * @param appSecret the one under which the message's reference is genuine
 */
export function passOn(answer: Answer, executionId: string, appSecret: string): PassedOnAnswer {
	const text = JSON.stringify(answer);
	return { answer: text, proof: proofOf(text, executionId, appSecret).toString('base64url') };
}

/** The body of the trigger's call. */
export const bodyOf = (answers: readonly PassedOnAnswer[]): string => JSON.stringify({ answers });

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** An answer of a call; undefined in it when no trigger with this credential made it for this execution. */
export interface TakenAnswer {
	answer: Answer | undefined;
	/** tells this answer from others */
	proof: string;
}

/**
 * Reads what came to a waiting execution. Fails closed: without a secret nothing is proved.
 *
 * @param body of the call, of unknown shape
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns in the order of the call; nothing when it is none of a trigger
 */
export function takePassedOn(
	body: unknown,
	executionId: string,
	appSecrets: readonly string[],
): TakenAnswer[] {
	const { answers = [] } = bodySchema().safeParse(body).data ?? {};
	return answers.map(({ answer: text, proof }) => {
		const given = Buffer.from(proof, 'base64url');
		const isProved = isUnderOneOf(appSecrets, given, (secret) =>
			proofOf(text, executionId, secret),
		);
		return { answer: isProved ? answerSchema().safeParse(parseJson(text)).data : undefined, proof };
	});
}

const receptionSchema = lazily(() =>
	z.union([
		z.object({ accepted: z.literal(true) }),
		z.object({ accepted: z.literal(false), reason: z.string() }),
	]),
);

/** What the waiting node says of one answer. */
export type Reception = z.output<ReturnType<typeof receptionSchema>>;

const receptionsSchema = lazily(() =>
	z.object({
		receptions: listUpTo(MAX_TOGETHER, receptionSchema()),
		/** what the trigger is to tell people, sealed */
		replies: sealedSchema().optional(),
	}),
);

/** What the waiting node answers to the trigger. n8n itself answers with a page when nothing waits any more. */
export type Receptions = z.output<ReturnType<typeof receptionsSchema>>;

/**
 * Reads the waiting node's answer.
 *
 * @param count how many answers were passed on
 * @returns undefined when it is not one
 */
export function readReceptions(text: string, count: number): Receptions | undefined {
	const { data } = receptionsSchema().safeParse(parseJson(text));
	return data?.receptions.length === count ? data : undefined;
}
