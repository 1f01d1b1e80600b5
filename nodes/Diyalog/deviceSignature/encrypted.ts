import { lazily, z } from '../lib/zod';
import { decodeBase64url, decodeUtf8, parseObject } from './encodings';

/* Payloads of which nothing can be read here: recognised only to say so. */

const encryptedHeader = lazily(() => z.object({ enc: z.string() }));
/** The JSON form of a JWE (RFC 7516, 7.2). */
const encryptedObject = lazily(() => z.object({ ciphertext: z.string() }));

const ARMOR = /^\s*-----BEGIN (PGP MESSAGE|CMS|PKCS7|ENCRYPTED MESSAGE)-----/;

/** Whether a payload is a JWE (RFC 7516), or an armored message of OpenPGP or CMS. May throw. */
export function isEncrypted(payload: string): boolean {
	if (ARMOR.test(payload)) return true;
	if (encryptedObject().safeParse(parseObject(payload)).success) return true;
	const parts = payload.split('.', 6);
	const header = parts.length === 5 ? decodeBase64url(parts[0] ?? '') : undefined;
	if (!header) return false;
	return encryptedHeader().safeParse(parseObject(decodeUtf8(header))).success;
}
