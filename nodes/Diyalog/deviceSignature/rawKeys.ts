import { createECDH, createPrivateKey, createPublicKey, ECDH } from 'node:crypto';
import { ALL_CURVES, CURVES } from './curves';
import type { Curve } from './curves';
import { keyOfMembers } from './foundKey';
import type { FoundKey } from './foundKey';
import { attempt } from './problem';

/*
 * Keys as bare bytes, told apart by their length.
 * Sources: SEC 1, 2.3.3 (points as X9.63 and iOS have them), RFC 8032, 5.1.5 (Ed25519)
 */

const ED25519_BYTES = 32;

/** What a PKCS #8 puts in front of the seed (RFC 8410, 7). */
const ED25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The point in its usual writing: 4 and both coordinates. */
function wholePoint(curve: Curve, bytes: Buffer): Buffer | undefined {
	const { bytes: size } = CURVES[curve];
	const [form] = bytes;
	// CryptoKit's rawRepresentation: both coordinates and nothing else.
	if (bytes.length === 2 * size) return Buffer.concat([Buffer.from([4]), bytes]);
	if (bytes.length === 2 * size + 1 && form === 4) return bytes;
	if (bytes.length !== size + 1 || (form !== 2 && form !== 3)) return undefined;
	const whole = attempt(() => ECDH.convertKey(bytes, curve, undefined, undefined, 'uncompressed'));
	return Buffer.isBuffer(whole) ? whole : undefined;
}

/** The key whose point on this curve these bytes are; undefined where they are none. */
export function keyOfPoint(curve: Curve, bytes: Buffer): FoundKey | undefined {
	const point = wholePoint(curve, bytes);
	if (!point) return undefined;
	const { label: crv, bytes: size } = CURVES[curve];
	const x = point.subarray(1, 1 + size).toString('base64url');
	const y = point.subarray(1 + size).toString('base64url');
	return keyOfMembers({ kty: 'EC', crv, x, y });
}

/** Bare bytes say less than any other writing, so only what the algorithm needs is looked for in them. */
export type RawType = 'ec' | 'ed25519';

/** The key that these bytes are; undefined where they are none of this type. */
export function rawPublicKey(bytes: Buffer, type: RawType): FoundKey | undefined {
	if (type === 'ed25519') {
		if (bytes.length !== ED25519_BYTES) return undefined;
		return keyOfMembers({ kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') });
	}
	for (const curve of ALL_CURVES) {
		const found = keyOfPoint(curve, bytes);
		if (found) return found;
	}
	return undefined;
}

/** What iOS gives of a private key: the point, and behind it the number that it was made with. */
const isPointWithNumber = (bytes: Buffer): boolean =>
	ALL_CURVES.some((curve) => {
		const { bytes: size } = CURVES[curve];
		if (bytes.length !== 3 * size + 1) return false;
		const pair = createECDH(curve);
		return attempt(() => {
			pair.setPrivateKey(bytes.subarray(2 * size + 1));
			return pair.getPublicKey().equals(bytes.subarray(0, 2 * size + 1));
		});
	});

/** What NaCl calls a secret key: the seed, and behind it the public key. */
function isSeedWithKey(bytes: Buffer): boolean {
	if (bytes.length !== 2 * ED25519_BYTES) return false;
	const key = Buffer.concat([ED25519_PKCS8_PREFIX, bytes.subarray(0, ED25519_BYTES)]);
	const made = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
	return made.export({ format: 'jwk' }).x === bytes.subarray(ED25519_BYTES).toString('base64url');
}

/** Whether these bytes are a private key that says so itself; a bare number or seed does not. */
export const isRawPrivateKey = (bytes: Buffer): boolean =>
	isPointWithNumber(bytes) || isSeedWithKey(bytes);
