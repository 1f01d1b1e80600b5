import type { IWebhookFunctions } from 'n8n-workflow';
import { BoundedMap } from '../lib/boundedMap';
import { credentialIdOf, triggerIdOf } from './triggerId';

/*
 * n8n reads and decrypts a credential anew for every call, which is a quarter of what a call costs that starts nothing.
 * A trigger that is called many times in a second reads it once.
 */

/** Shorter than anybody takes to change a credential and to press a button after it. */
const KEPT_FOR_MS = 1_000;

/** More triggers than one n8n has by far; only so that the map cannot grow for ever. */
const MAX_KEPT = 1_000;

/** A decrypted credential; nothing is known of its fields. */
export type Credential = Readonly<Record<string, unknown>>;

interface Kept {
	/** also while it is being read, so that calls at the same time read it once */
	credential: Promise<Credential>;
	readAtMs: number;
	/** when a refused call had it read anew; such a call may come from anybody */
	checkedAtMs: number;
}

const kept = new BoundedMap<string, Kept>(MAX_KEPT);

async function readAnew(
	context: IWebhookFunctions,
	id: string,
	checkedAtMs: number,
): Promise<Credential> {
	const credential = context.getCredentials<Credential>('diyalogApi');
	kept.set(id, { credential, readAtMs: performance.now(), checkedAtMs });
	return await credential;
}

const isRecent = (atMs: number): boolean => performance.now() - atMs < KEPT_FOR_MS;

/**
 * Authenticates a call with the trigger's credential. If it was read less than a second ago it is not read again, unless
 * the call would be refused: then it may have changed meanwhile. Refused calls have it read once a second at most.
 *
 * @returns what the last attempt found
 * @throws what n8n throws when it cannot give the credential
 */
export async function withCredential<T extends { ok: boolean }>(
	context: IWebhookFunctions,
	authenticate: (credential: Credential) => T,
): Promise<T> {
	const id = JSON.stringify([triggerIdOf(context), credentialIdOf(context)]);
	const known = kept.get(id);
	if (!known || !isRecent(known.readAtMs))
		return authenticate(await readAnew(context, id, known?.checkedAtMs ?? -Infinity));
	const found = authenticate(await known.credential);
	if (found.ok || isRecent(kept.get(id)?.checkedAtMs ?? -Infinity)) return found;
	return authenticate(await readAnew(context, id, performance.now()));
}
