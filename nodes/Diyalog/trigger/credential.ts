import type { IWebhookFunctions } from 'n8n-workflow';

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
	credential: Credential;
	readAtMs: number;
}

const kept = new Map<string, Kept>();

const keyOf = (context: IWebhookFunctions): string => {
	const { id, credentials } = context.getNode();
	return JSON.stringify([context.getWorkflow().id, id, credentials?.diyalogApi?.id]);
};

async function readAnew(context: IWebhookFunctions, key: string): Promise<Credential> {
	const readAtMs = performance.now();
	const credential = await context.getCredentials('diyalogApi');
	const [oldest] = kept.keys();
	if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
	kept.set(key, { credential, readAtMs });
	return credential;
}

/**
 * Authenticates a call with the trigger's credential. If it was read less than a second ago it is not read again, unless
 * the call would be refused: then it may have changed meanwhile.
 *
 * @returns what the last attempt found
 */
export async function withCredential<T extends { ok: boolean }>(
	context: IWebhookFunctions,
	authenticate: (credential: Credential) => T,
): Promise<T> {
	const key = keyOf(context);
	const recent = kept.get(key);
	if (recent && performance.now() - recent.readAtMs < KEPT_FOR_MS) {
		const found = authenticate(recent.credential);
		if (found.ok) return found;
	}
	return authenticate(await readAnew(context, key));
}
