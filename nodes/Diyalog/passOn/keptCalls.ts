import type { KeyObject } from 'node:crypto';
import { BoundedSet } from '../lib/boundedMap';
import { deriveKey, fingerprint, isUnderOneOf } from '../lib/crypto';
import { lazily, z } from '../lib/zod';
import type { ToldOutcomes } from './mark';
import type { CallPath } from './targets';

/*
 * Calls that other triggers have not taken yet: a line for each of them, in the order in which the calls came, and the text
 * that is stored of it. Each call has a MAC there, because what is stored can be edited, and a call that goes on is marked as
 * genuine. It bounds what is kept for each trigger by itself: one that is switched off for ever pushes out its own calls only.
 *
 * Several processes of one n8n share what is stored. Each call has one keeper, the process that passes it on: two that went
 * through the same line would soon post the same call at the same moment, and its receiver could take it twice.
 */

const MAX_CALLS = 500;
const MAX_CHARACTERS = 300_000;
/** A call that is larger is tried and not kept: a batch of 10 events has 5,000. */
const MAX_CHARACTERS_EACH = 30_000;
/** A workflow may be switched off for a night. What is older says nothing any more to whom it comes. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** Whose keeper has said nothing for so long gets another one: its process may have ended for good. */
const KEPT_BY_NOBODY_AFTER_MS = 10 * 60_000;
/** So far the clocks of processes may be apart. */
const CLOCKS_APART_MS = 60_000;
/** What was taken or given up, and another process may still write down. */
const MAX_SETTLED = 10_000;

/** A call that was authenticated. */
export interface Call extends ToldOutcomes {
	/** the same for the same call, but for status callbacks: of these the same one may come again, and mean something */
	id: string;
	path: CallPath;
	body: Buffer;
	contentType: string;
	/** the X-Signature header as it came; empty when there was none */
	signature: string;
	/** epoch ms */
	takenAtMs: number;
}

/** What is known of a call that a trigger has not taken yet. */
export interface Pending {
	/** it is stored; else it is being tried for the first time */
	isKept: boolean;
	isUnderWay: boolean;
	/** epoch ms; the trigger may have taken it since then, without anybody knowing */
	mayBeKnownSinceMs?: number;
	/** by the clock of the process; it was not taken then, though the trigger may take others */
	failedAtMs?: number;
	/** how often it was not taken since the trigger took another one */
	failures?: number;
	/** it may never be taken, because of what it holds */
	isStuck?: boolean;
}

/** Which process passes a call on. */
interface Keeper {
	process: string;
	/** epoch ms; of two that say they do it is the later one */
	sinceMs: number;
}

interface Entry {
	call: Call;
	keeper: Keeper;
	/** by the trigger's key */
	pending: Map<string, Pending>;
	/** as stored; undefined when it has to be made anew */
	text?: string;
	characters: number;
}

/** Calls that were given up. */
export interface Lost {
	target: string;
	why: 'tooOld' | 'tooMany' | 'notInList';
}

const storedSchema = lazily(() =>
	z.object({
		id: z.string(),
		path: z.enum(['webhook', 'updatemokstatus']),
		contentType: z.string(),
		signature: z.string(),
		takenAtMs: z.number(),
		outcomes: z.array(
			z.tuple([
				z.string(),
				z.union([
					z.object({ resumed: z.literal(true) }),
					z.object({
						resumed: z.union([z.literal(false), z.null()]),
						notResumedReason: z.string(),
					}),
				]),
			]),
		),
		isComplete: z.boolean(),
		keeper: z.object({ process: z.string(), sinceMs: z.number() }),
		/** the triggers' keys, and since when they may know it */
		waiting: z.array(z.tuple([z.string(), z.number().nullable()])),
	}),
);

const CALL_SEPARATOR = ',';
const PART_SEPARATOR = '.';

/** In base64, with what is stored beside the body; a little more than they are. */
const charactersOf = ({ body, signature, contentType, outcomes }: Call): number =>
	Math.ceil(
		((body.length + signature.length + contentType.length + 100 * outcomes.size + 400) * 4) / 3,
	);

/** A proxy that starts anew does not change the order; what fails more often may do so because of what it holds. */
const MAX_FAILURES_IN_LINE = 3;

/** 0 is in line; 1 lets others go first, because it fails; 2 fails though others are taken. */
function rankOf({ isStuck, failures = 0 }: Pending): number {
	if (isStuck) return 2;
	return failures >= MAX_FAILURES_IN_LINE ? 1 : 0;
}

function isBefore(one: Pending, other: Pending): boolean {
	const [rank, otherRank] = [rankOf(one), rankOf(other)];
	if (rank !== otherRank) return rank < otherRank;
	return rank > 0 && (one.failedAtMs ?? -Infinity) < (other.failedAtMs ?? -Infinity);
}

const macOf = (text: string, key: KeyObject): string =>
	fingerprint(key, text).toString('base64url');

const keyUnder = (secret: string): KeyObject => deriveKey(secret, 'kept call');

const keysUnder = (secrets: readonly string[]): ReadonlyMap<string, KeyObject> =>
	new Map(secrets.filter((secret) => secret !== '').map((secret) => [secret, keyUnder(secret)]));

function textsIn(stored: unknown): string[] {
	if (typeof stored !== 'string') return [];
	// More than may be there, but a text without end is not gone through.
	return stored.split(CALL_SEPARATOR, MAX_CALLS * 2).filter((each) => each !== '');
}

/** The calls that the triggers of one list have not taken yet. */
export class KeptCalls {
	/** the one that was taken first first */
	private readonly entries = new Map<string, Entry>();

	private readonly settled = new BoundedSet<string>(MAX_SETTLED);

	/**
	 * @param process tells this process from others, and from itself before a restart
	 * @param beganAtMs epoch ms; whoever kept a call before is taken to have ended
	 */
	constructor(
		private readonly process: string,
		private readonly beganAtMs: number,
	) {}

	/** as it is stored; undefined when it has to be put together again */
	private text: string | undefined = '';

	/** Whether any call in what was stored is genuine, and is to go to one of these triggers. */
	static isAnyFor(
		targets: readonly string[],
		stored: unknown,
		appSecrets: readonly string[],
	): boolean {
		if (targets.length === 0) return false;
		const keys = keysUnder(appSecrets);
		return textsIn(stored).some((text) =>
			readEntry(text, keys)?.waiting.some(([target]) => targets.includes(target)),
		);
	}

	/** Whether a call is small enough to be kept. */
	static hasRoomFor(call: Call): boolean {
		return charactersOf(call) <= MAX_CHARACTERS_EACH;
	}

	/**
	 * A trigger is to get a call, from this process.
	 *
	 * @returns false when it has got it, or it stands in line for it already
	 */
	add(call: Call, target: string, pending: Pending, nowMs: number): boolean {
		return this.put(call, target, pending, { process: this.process, sinceMs: nowMs });
	}

	private put(call: Call, target: string, pending: Pending, keeper: Keeper): boolean {
		const entry = this.entries.get(call.id);
		if (entry?.pending.has(target) || this.settled.has(`${call.id} ${target}`)) return false;
		const pendingOf = entry ?? {
			call,
			keeper,
			pending: new Map<string, Pending>(),
			characters: charactersOf(call),
		};
		if (this.isOwn({ keeper })) pendingOf.keeper = keeper;
		pendingOf.pending.set(target, pending);
		this.entries.set(call.id, pendingOf);
		this.change(pendingOf);
		return true;
	}

	/** Whether this trigger has taken the call, or does not get it any more. */
	wasSettled(id: string, target: string): boolean {
		return this.settled.has(`${id} ${target}`);
	}

	/** What is known of a call that this trigger has not taken. */
	pendingOf(id: string, target: string): Pending | undefined {
		return this.entries.get(id)?.pending.get(target);
	}

	/** Changes that, if it is still known. */
	update(id: string, target: string, changed: Partial<Pending>): void {
		const entry = this.entries.get(id);
		const pending = entry?.pending.get(target);
		if (!entry || !pending) return;
		Object.assign(pending, changed);
		this.change(entry);
	}

	/** The trigger has taken the call, or does not get it any more. */
	settle(id: string, target: string): void {
		this.settled.add(`${id} ${target}`);
		this.drop(id, target);
	}

	/** Forgets that the trigger is to get the call, so that its repetition is passed on. */
	drop(id: string, target: string): void {
		const entry = this.entries.get(id);
		if (!entry?.pending.delete(target)) return;
		this.change(entry);
		if (entry.pending.size === 0) this.remove(id);
	}

	private remove(id: string): void {
		this.entries.delete(id);
		this.text = undefined;
	}

	/**
	 * The call that is to be tried next for a trigger, of those that this process keeps: the first one in line, but one that fails again
	 * and again behind all others, and of these the one that failed first. So a call that is never taken holds up no other.
	 *
	 * @param isIdle leaves those out that are under way
	 */
	next(target: string, isIdle = false): Call | undefined {
		let next: { call: Call; pending: Pending } | undefined;
		for (const entry of this.entries.values()) {
			const pending = entry.pending.get(target);
			if (!pending?.isKept || (isIdle && pending.isUnderWay) || !this.isOwn(entry)) continue;
			if (!next || isBefore(pending, next.pending)) next = { call: entry.call, pending };
		}
		return next?.call;
	}

	/** A trigger has taken a call, so that others have their place in line again. */
	forgive(target: string): void {
		for (const { pending } of this.entries.values()) {
			const of = pending.get(target);
			if (of) of.failures = 0;
		}
	}

	private isOwn({ keeper }: Pick<Entry, 'keeper'>): boolean {
		return keeper.process === this.process;
	}

	/**
	 * Becomes the keeper of calls whose own one has ended, or nobody knows of. Who did not end reads it, and leaves them.
	 *
	 * @param isAlone nobody else is to pass anything on
	 * @returns whether there were any
	 */
	takeOver(nowMs: number, isAlone = false): boolean {
		let isAny = false;
		for (const entry of this.entries.values()) {
			const { sinceMs } = entry.keeper;
			const isAlive =
				sinceMs >= this.beganAtMs &&
				sinceMs >= nowMs - KEPT_BY_NOBODY_AFTER_MS &&
				sinceMs <= nowMs + CLOCKS_APART_MS;
			if ((isAlive && !isAlone) || this.isOwn(entry)) continue;
			entry.keeper = { process: this.process, sinceMs: nowMs };
			this.change(entry);
			isAny = true;
		}
		return isAny;
	}

	/**
	 * Of what this process keeps, gives up what is too old, what nobody is to get any more, and of what is too much the oldest.
	 *
	 * @param targets all that calls are passed on to
	 */
	limit(nowMs: number, targets: readonly string[]): Lost[] {
		const lost: Lost[] = [];
		const giveUp = (id: string, target: string, why: Lost['why']) => {
			lost.push({ target, why });
			this.settle(id, target);
		};
		const room = new Map<string, { calls: number; characters: number }>();
		// The newest keep their place.
		for (const [id, entry] of [...this.entries].reverse()) {
			const { call, pending, characters } = entry;
			for (const [target, { isKept }] of [...pending]) {
				if (!isKept) continue;
				const used = room.get(target) ?? { calls: 0, characters: 0 };
				used.calls++;
				used.characters += characters;
				room.set(target, used);
				if (!this.isOwn(entry)) continue;
				if (!targets.includes(target)) giveUp(id, target, 'notInList');
				else if (nowMs - call.takenAtMs > MAX_AGE_MS) giveUp(id, target, 'tooOld');
				else if (
					used.calls > MAX_CALLS / targets.length ||
					used.characters > MAX_CHARACTERS / targets.length
				)
					giveUp(id, target, 'tooMany');
			}
		}
		return lost;
	}

	/**
	 * All that is kept, to be stored.
	 *
	 * @param appSecret must not be empty
	 */
	toText(appSecret: string): string {
		if (this.text !== undefined) return this.text;
		const key = keyUnder(appSecret);
		this.text = [...this.entries.values()]
			.filter(({ pending }) => [...pending.values()].some(({ isKept }) => isKept))
			.map((entry) => (entry.text ??= textOf(entry, key)))
			.join(CALL_SEPARATOR);
		return this.text;
	}

	/**
	 * Reads what was stored before a restart, or by another process.
	 *
	 * @param stored what {@link toText} returned there; anything else is taken for nothing
	 * @param appSecrets the credential's App Secret, and the previous one; empty ones do not count
	 * @param isFromOthers they have written it: what is kept here and not in it, they may have passed on
	 * @returns how many calls nobody with one of these secrets has kept
	 */
	merge(
		stored: unknown,
		appSecrets: readonly string[],
		nowMs: number,
		isFromOthers = false,
	): number {
		const keys = keysUnder(appSecrets);
		let strange = 0;
		let isNew = false;
		const found = new Set<string>();
		for (const text of textsIn(stored)) {
			const read = readEntry(text, keys);
			if (!read) strange++;
			else {
				const { call, waiting, keeper } = read;
				call.takenAtMs = Math.min(call.takenAtMs, nowMs);
				found.add(call.id);
				this.leaveTo(keeper, call.id);
				for (const [target, since] of waiting) {
					const pending = {
						isKept: true,
						isUnderWay: false,
						// Whoever kept it may have been ended while it was tried.
						mayBeKnownSinceMs: since ?? call.takenAtMs,
					};
					isNew = this.put(call, target, pending, keeper) || isNew;
				}
			}
		}
		for (const [id, entry] of this.entries) {
			if (found.has(id)) continue;
			// What its keeper has settled.
			if (!this.isOwn(entry)) this.remove(id);
			else if (isFromOthers) this.doubt(entry);
		}
		if (isNew) this.sort();
		return strange;
	}

	/** Another process says that it keeps the call, later than it was said here. */
	private leaveTo(keeper: Keeper, id: string): void {
		const entry = this.entries.get(id);
		if (!entry || keeper.sinceMs <= entry.keeper.sinceMs) return;
		entry.keeper = keeper;
		this.doubt(entry);
	}

	/** Somebody else may have passed the call on since it was taken, without anybody knowing here. */
	private doubt(entry: Entry): void {
		for (const pending of entry.pending.values())
			pending.mayBeKnownSinceMs ??= entry.call.takenAtMs;
		this.change(entry);
	}

	/** The same of all calls. */
	doubtAll(): void {
		for (const entry of this.entries.values()) this.doubt(entry);
	}

	/** Leaves to another trigger what that one keeps as well, or has settled. */
	handOver(heir: KeptCalls): void {
		for (const [id, { pending }] of [...this.entries])
			for (const target of [...pending.keys()])
				if (heir.wasSettled(id, target) || heir.pendingOf(id, target)) this.drop(id, target);
	}

	private sort(): void {
		const sorted = [...this.entries].sort(
			([, one], [, other]) => one.call.takenAtMs - other.call.takenAtMs,
		);
		this.entries.clear();
		for (const [id, entry] of sorted) this.entries.set(id, entry);
	}

	private change(entry: Entry): void {
		entry.text = undefined;
		this.text = undefined;
	}
}

function textOf({ call, keeper, pending }: Entry, key: KeyObject): string {
	const { body, outcomes, ...rest } = call;
	const waiting = [...pending]
		.filter(([, { isKept }]) => isKept)
		.map(([target, { mayBeKnownSinceMs }]) => [target, mayBeKnownSinceMs ?? null]);
	const parts = [JSON.stringify({ ...rest, outcomes: [...outcomes], keeper, waiting }), body];
	const text = parts.map((part) => Buffer.from(part).toString('base64url')).join(PART_SEPARATOR);
	return `${text}${PART_SEPARATOR}${macOf(text, key)}`;
}

function readEntry(
	text: string,
	keys: ReadonlyMap<string, KeyObject>,
): { call: Call; keeper: Keeper; waiting: Array<[string, number | null]> } | undefined {
	const [about = '', body = '', mac = ''] = text.split(PART_SEPARATOR, 3);
	const signed = `${about}${PART_SEPARATOR}${body}`;
	const given = Buffer.from(mac, 'base64url');
	const isGenuine = isUnderOneOf([...keys.keys()], given, (secret) =>
		fingerprint(keys.get(secret) ?? keyUnder(secret), signed),
	);
	if (!isGenuine) return undefined;
	const json: unknown = JSON.parse(Buffer.from(about, 'base64url').toString());
	const { data } = storedSchema().safeParse(json);
	if (!data) return undefined;
	const { waiting, keeper, outcomes, ...rest } = data;
	const call = { ...rest, outcomes: new Map(outcomes), body: Buffer.from(body, 'base64url') };
	return { call, keeper, waiting };
}
