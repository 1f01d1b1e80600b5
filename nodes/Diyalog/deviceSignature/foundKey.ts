import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { ALL_CURVES, CURVES } from './curves';
import type { Curve } from './curves';
import { attempt } from './problem';

/** A public key that was found in what was entered; whether it is of any use is another question. */
export interface FoundKey {
	key: KeyObject;
	/**
	 * The curve, of keys on one of ours. Node is never asked for it: it ends the whole process over an elliptic-curve key
	 * whose point is the one at infinity (`asymmetricKeyDetails`, export as JWK, checking a bare r and s).
	 */
	curve: Curve | undefined;
}

/**
 * A key from the members of a JWK. The only way in which keys on curves are made here: coordinates name no point at
 * infinity, and a point beside the curve is refused.
 *
 * @returns undefined where the members are no public key
 */
export function keyOfMembers({ kty, crv, x, y, n, e }: JsonWebKey): FoundKey | undefined {
	const key = attempt(() => createPublicKey({ key: { kty, crv, x, y, n, e }, format: 'jwk' }));
	if (!key) return undefined;
	const isOnCurve = key.asymmetricKeyType === 'ec';
	const curve = isOnCurve ? ALL_CURVES.find((each) => CURVES[each].label === crv) : undefined;
	return { key, curve };
}
