import { BoundedSet } from '../lib/boundedMap';
import { deriveKey, fingerprint } from '../lib/crypto';

/*
 * Whether Diyalog reaches this n8n at all. It is known to the process only, and serves advice: nothing is decided by it.
 */

/** More credentials than one n8n has by far; only so that the set cannot grow for ever. */
const MAX_KNOWN = 1_000;

const known = new BoundedSet<string>(MAX_KNOWN);

const nameOf = (appSecret: string): string =>
	fingerprint(deriveKey(appSecret, 'known caller')).toString('base64');

/** The App Secret of the last call that was noted, so that a key is derived once and not for every call. */
let last: string | undefined;

/** Notes that a call was authenticated with an App Secret. */
export function noteCall(appSecret: string): void {
	if (appSecret === '' || appSecret === last) return;
	last = appSecret;
	known.add(nameOf(appSecret));
}

/** Whether this process has taken a call with an App Secret since it was started. */
export const hasTakenCall = (appSecret: string): boolean =>
	appSecret !== '' && known.has(nameOf(appSecret));
