import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ALL_CURVES } from './curves';
import type { Curve } from './curves';
import type { FoundKey } from './foundKey';
import { attempt } from './problem';
import { keyOfPoint } from './rawKeys';

/* Keys in DER, whatever they were written in. */

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** What stands inside one value of ASN.1 that the bytes are as a whole; undefined where they are not. */
function contentOf(tag: number, der: Buffer): Buffer | undefined {
	const [first, length = 0] = der;
	if (first !== tag) return undefined;
	if (length < 0x80) return der.length === 2 + length ? der.subarray(2) : undefined;
	const lengthBytes = length - 0x80;
	const start = 2 + lengthBytes;
	if (lengthBytes < 1 || lengthBytes > 4 || der.length < start) return undefined;
	return der.length === start + der.readUIntBE(2, lengthBytes) ? der.subarray(start) : undefined;
}

/** Whether the bytes are one SEQUENCE with nothing behind it, which Node would not mind. */
export const isWholeSequence = (der: Buffer): boolean => contentOf(SEQUENCE, der) !== undefined;

/** How a SubjectPublicKeyInfo names elliptic-curve keys on each curve (RFC 5480, 2.1.1). */
const ALGORITHM_IDENTIFIERS: Readonly<Record<Curve, Buffer>> = {
	prime256v1: Buffer.from('301306072a8648ce3d020106082a8648ce3d030107', 'hex'),
	secp384r1: Buffer.from('301006072a8648ce3d020106052b81040022', 'hex'),
	secp521r1: Buffer.from('301006072a8648ce3d020106052b81040023', 'hex'),
};

/** A key on a curve, taken apart here: see FoundKey. */
function keyOnCurve(spki: Buffer): FoundKey | undefined {
	const content = contentOf(SEQUENCE, spki);
	for (const curve of ALL_CURVES) {
		const algorithm = ALGORITHM_IDENTIFIERS[curve];
		if (!content?.subarray(0, algorithm.length).equals(algorithm)) continue;
		const bits = contentOf(BIT_STRING, content.subarray(algorithm.length));
		// The first byte counts the unused bits at the end.
		if (bits?.[0] === 0) return keyOfPoint(curve, bits.subarray(1));
	}
	return undefined;
}

/** @param key as Node has read it; of one on a curve nothing but its export is asked */
export function keyAsFound(key: KeyObject): FoundKey | undefined {
	if (key.asymmetricKeyType !== 'ec') return { key, curve: undefined };
	const spki = attempt(() => key.export({ type: 'spki', format: 'der' }));
	return spki && (keyOnCurve(spki) ?? { key, curve: undefined });
}

/** Whether a failure says that a private key was found, encrypted. */
const isMissingPassphrase = (error: unknown): boolean =>
	typeof error === 'object' &&
	error !== null &&
	'code' in error &&
	error.code === 'ERR_MISSING_PASSPHRASE';

/** Whether the bytes are a private key as PKCS #8, encrypted or not, PKCS #1 or SEC 1. */
export function isDerPrivateKey(der: Buffer): boolean {
	if (!isWholeSequence(der)) return false;
	return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => {
		try {
			createPrivateKey({ key: der, format: 'der', type });
			return true;
		} catch (error) {
			return isMissingPassphrase(error);
		}
	});
}

/** Whether a public key is written as these bytes, and not only made of them. */
const isWrittenAs = (key: KeyObject, der: Buffer): boolean =>
	(['spki', 'pkcs1'] as const).some(
		(type) => attempt(() => key.export({ type, format: 'der' }))?.equals(der) === true,
	);

/** A key as SubjectPublicKeyInfo (RFC 5280) or PKCS #1 (RFC 8017, A.1.1). */
export function derPublicKey(der: Buffer): FoundKey | undefined {
	if (!isWholeSequence(der)) return undefined;
	const onCurve = keyOnCurve(der);
	if (onCurve) return onCurve;
	const key =
		attempt(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ??
		attempt(() => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }));
	// Of a private key Node makes the public one without a word.
	if (!key || (!isWrittenAs(key, der) && isDerPrivateKey(der))) return undefined;
	return keyAsFound(key);
}
