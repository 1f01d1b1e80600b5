import { deriveKey, fingerprint, isUnderOneOf } from '../lib/crypto';
import type { KeyPurpose } from '../lib/crypto';
import { lazily, z } from '../lib/zod';

/*
 * What the waiting node says to itself, or to the trigger, on a way that others may see and write on: as text with a MAC
 * under a key derived from the App Secret, bound to what it belongs to.
 */

export const sealedSchema = lazily(() => z.object({ text: z.string(), mac: z.string() }));

/** A value on its way. */
export type Sealed = z.output<ReturnType<typeof sealedSchema>>;

const macOf = (purpose: KeyPurpose, belongsTo: readonly string[], text: string, secret: string) =>
	fingerprint(deriveKey(secret, purpose), ...belongsTo, text);

/**
 * Seals a value.
 *
 * @param belongsTo for instance the execution's id
 */
export function seal(
	purpose: KeyPurpose,
	belongsTo: readonly string[],
	value: unknown,
	appSecret: string,
): Sealed {
	const text = JSON.stringify(value);
	return { text, mac: macOf(purpose, belongsTo, text, appSecret).toString('base64url') };
}

/**
 * Reads what {@link seal} sealed.
 *
 * @param sealed of unknown shape
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when nobody with the App Secret sealed it for this
 */
export function unseal(
	purpose: KeyPurpose,
	belongsTo: readonly string[],
	sealed: unknown,
	appSecrets: readonly string[],
): unknown {
	const { data } = sealedSchema().safeParse(sealed);
	if (!data) return undefined;
	const given = Buffer.from(data.mac, 'base64url');
	const isGenuine = isUnderOneOf(appSecrets, given, (secret) =>
		macOf(purpose, belongsTo, data.text, secret),
	);
	return isGenuine ? (JSON.parse(data.text) as unknown) : undefined;
}
