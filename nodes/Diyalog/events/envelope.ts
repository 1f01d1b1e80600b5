import { lazily, z } from '../lib/zod';
// The fourth generation, which zod 3.25 ships beside the third: it checks a batch in a fifth of the time.

/*
 * The body of Diyalog's webhook. Unknown fields are ignored, as Diyalog says that new ones will come. Ids are documented
 * as strings and partly shown as numbers, so both are understood; they leave here as strings.
 * Source: https://diyalog-im.github.io/docs/webhook
 */

const id = lazily(() => z.union([z.string(), z.number().int()]).transform(String));

/** Some servers write null for a field that they leave out. */
const optional = <T extends z.ZodType>(schema: T) =>
	schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

/** Employees have none, and what stands there for them is documented nowhere: nothing of it may cost an event. */
const customerNo = lazily(() =>
	id()
		.nullish()
		.catch(null)
		.transform((text): string | null => (text === undefined || text?.trim() === '' ? null : text)),
);

/** The last millisecond that a Date can hold. */
const MAX_EPOCH_MS = 8.64e15;

/** Milliseconds below this are from before 1973, seconds below this until the year 5138: so it tells which of both is meant. */
const SECONDS_BELOW = 1e11;
const MS_PER_SECOND = 1_000;

const NUMERIC = /^\d{1,20}(\.\d{1,20})?$/;

/** Times are documented as whole milliseconds; seconds, fractions and digits in a text say the same. */
function toEpochMs(value: unknown): unknown {
	if (value === null) return undefined;
	const epoch = typeof value === 'string' && NUMERIC.test(value) ? Number(value) : value;
	if (typeof epoch !== 'number') return epoch;
	return Math.floor(Math.abs(epoch) < SECONDS_BELOW ? epoch * MS_PER_SECOND : epoch);
}

const epochMs = lazily(() =>
	z
		.preprocess(toEpochMs, z.number().int().min(-MAX_EPOCH_MS).max(MAX_EPOCH_MS).optional())
		.optional(),
);

/** Its elements are counted before zod looks at any. */
const list = lazily(() => z.custom<unknown[]>(Array.isArray));

/** The frame: only that there is a list of entries; each entry is read by itself, so that a bad one costs no other. */
export const envelopeSchema = lazily(() =>
	z.object({
		object: z.literal('dialog'),
		entry: list(),
	}),
);

export const entrySchema = lazily(() =>
	z.object({
		id: id(),
		/** when Diyalog sent it */
		time: epochMs(),
		messaging: list(),
	}),
);

/** Message ids that were delivered or read; all earlier messages were as well. */
const receipt = lazily(() =>
	z.object({
		mids: optional(z.array(id())).transform((mids = []) => mids),
		watermark: epochMs(),
	}),
);

/**
 * One element of `messaging`. Sender is always the bot and recipient always the person, also when it was the person
 * who wrote.
 */
export const messagingSchema = lazily(() =>
	z.object({
		sender: z.object({ id: id() }),
		recipient: z.object({ id: id(), appCustomerId: customerNo() }),
		/** when it happened */
		timestamp: epochMs(),
		messageEcho: optional(z.object({ mid: id() })),
		delivery: optional(receipt()),
		reads: optional(receipt()),
		/** A message of another kind than text has no text; it is passed on as `other`. */
		message: optional(z.object({ mid: optional(id()), text: optional(z.string()) })),
	}),
);

/** One element of `messaging`, checked. */
export type Messaging = z.output<ReturnType<typeof messagingSchema>>;

/**
 * The older status callback, one at a time.
 * Source: the domain callbacks of Diyalog's documentation
 */
export const statusCallbackSchema = lazily(() =>
	z.object({
		messageId: id(),
		/** documented: Approved, Cancelled, SentToUser, ReceivedByUser, ReadByUser, Timeout */
		status: z.string().min(1),
		customerNo: id(),
		/** data signed by the device's private key; empty where nothing was signed */
		secretData: z.string().nullish(),
	}),
);
