import { createHash } from 'node:crypto';
import { deriveKey, fingerprint, isUnderOneOf } from '../lib/crypto';
import { lazily, z } from '../lib/zod';
import { keyOf } from './targets';
import type { CallPath, Target } from './targets';

/*
 * The mark of a call that one trigger passes on to another. It says when the call was taken, and what became of the answers in
 * it, so that the receiver neither refuses it for its age nor passes answers on again. It holds for this body and this
 * receiver only, under a key derived from the App Secret: nobody else can claim anything with it.
 */

/** The header that carries it. */
export const MARK_HEADER = 'x-diyalog-passed-on';

/** The header with which a trigger replies to such a call. Whatever stands in front of n8n can say OK as well. */
export const TRIGGER_HEADER = 'x-diyalog-trigger';

/** Of a trigger that authenticates nothing, and so proves nothing. It only stops loops of such triggers. */
export const PLAIN_MARK = 'unproved';

/** Proxies and Node limit all headers of a call to 8 or 16 kB. */
const MAX_MARK_CHARACTERS = 4_096;

/** In base64 these become 3,868 characters; the MAC has 43. */
const MAX_CONTENT_BYTES = 2_900;

/** What became of an answer: whether the execution that waits has continued, null when nobody can tell, and why not. */
export type Told =
	| { resumed: true }
	| {
			resumed: false | null;
			notResumedReason: string;
	  };

/** What became of the answers in a call, by the fingerprints of their events. */
export interface ToldOutcomes {
	outcomes: ReadonlyMap<string, Told>;
	/** an event that is not among them was no answer */
	isComplete: boolean;
}

/** What a mark says. Times are epoch ms. */
export interface PassedOn extends ToldOutcomes {
	/** when the first trigger took the call */
	takenAtMs: number;
	/** when it was passed on; a mark is as fresh as that */
	passedOnAtMs: number;
	/** when it was passed on before, if the receiver may have taken it then */
	mayBeKnownSinceMs?: number;
}

/** What the mark belongs to. */
export interface Addressed extends Target {
	path: CallPath;
	body: Buffer;
}

/** True, or the reason; in a list when nobody can tell. */
const toldSchema = lazily(() => z.union([z.literal(true), z.string(), z.tuple([z.string()])]));

const contentSchema = lazily(() =>
	z.object({
		taken: z.number(),
		passedOn: z.number(),
		since: z.number().optional(),
		told: z.record(z.string(), toldSchema()),
		all: z.boolean(),
	}),
);

type Short = z.output<ReturnType<typeof toldSchema>>;

const shorten = (told: Told): Short => {
	if (told.resumed) return true;
	return told.resumed === null ? [told.notResumedReason] : told.notResumedReason;
};

function lengthen(short: Short): Told {
	if (short === true) return { resumed: true };
	if (typeof short === 'string') return { resumed: false, notResumedReason: short };
	return { resumed: null, notResumedReason: short[0] };
}

function macOf(content: string, { body, path, ...target }: Addressed, secret: string): Buffer {
	const digest = createHash('sha256').update(body).digest('base64url');
	return fingerprint(deriveKey(secret, 'passed-on call'), content, keyOf(target), path, digest);
}

/**
 * Marks a call. Outcomes that have no room are left out, and the mark says so.
 *
 * @param appSecret under which the call is genuine; undefined when nobody has authenticated it
 */
export function makeMark(
	{ takenAtMs, passedOnAtMs, mayBeKnownSinceMs, outcomes, isComplete }: PassedOn,
	addressed: Addressed,
	appSecret: string | undefined,
): string {
	if (appSecret === undefined) return PLAIN_MARK;
	const told: Record<string, Short> = {};
	const content = { taken: takenAtMs, passedOn: passedOnAtMs, since: mayBeKnownSinceMs };
	let bytes = Buffer.byteLength(JSON.stringify({ ...content, told, all: false }));
	let all = isComplete;
	for (const [event, outcome] of outcomes) {
		const short = shorten(outcome);
		bytes += Buffer.byteLength(JSON.stringify({ [event]: short }));
		if (bytes > MAX_CONTENT_BYTES) {
			all = false;
			break;
		}
		told[event] = short;
	}
	const text = Buffer.from(JSON.stringify({ ...content, told, all })).toString('base64url');
	return `${text}.${macOf(text, addressed, appSecret).toString('base64url')}`;
}

function parse(content: string): z.output<ReturnType<typeof contentSchema>> | undefined {
	try {
		return contentSchema().safeParse(JSON.parse(Buffer.from(content, 'base64url').toString())).data;
	} catch {
		return undefined;
	}
}

/**
 * Reads the mark of a call that was authenticated. Fails closed: without a secret no mark is genuine.
 *
 * @param mark the header
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when no trigger with the App Secret made it for this call and this receiver
 */
export function readMark(
	mark: string,
	addressed: Addressed,
	appSecrets: readonly string[],
): PassedOn | undefined {
	const [content = '', mac = '', ...others] = mark.split('.', 3);
	if (mark.length > MAX_MARK_CHARACTERS || others.length > 0) return undefined;
	const given = Buffer.from(mac, 'base64url');
	if (!isUnderOneOf(appSecrets, given, (secret) => macOf(content, addressed, secret)))
		return undefined;
	const said = parse(content);
	if (!said) return undefined;
	return {
		takenAtMs: said.taken,
		passedOnAtMs: said.passedOn,
		mayBeKnownSinceMs: said.since,
		outcomes: new Map(Object.entries(said.told).map(([event, short]) => [event, lengthen(short)])),
		isComplete: said.all,
	};
}
