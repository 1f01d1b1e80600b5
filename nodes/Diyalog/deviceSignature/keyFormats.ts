import { derCertificate } from './certificates';
import type { FoundCertificate } from './certificates';
import { derPublicKey, isDerPrivateKey } from './derKeys';
import { decodeBase64, decodeHex } from './encodings';
import { MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
import type { KeySource } from './enteredKeys';
import type { FoundKey } from './foundKey';
import { keyPrivate, keyTooLong, keyUnreadable, tooManyKeys } from './keyProblems';
import { isRawPrivateKey, rawPublicKey } from './rawKeys';
import type { RawType } from './rawKeys';

/* Public keys as texts: PEM, or their bytes as base64, base64url or hexadecimal. */

/** What one text held. */
export interface FoundInText {
	keys: FoundKey[];
	/** to be looked at together, with those of other texts: they may be a chain */
	certificates: FoundCertificate[];
}

interface Found extends FoundInText {
	rawType: RawType | undefined;
}

/** Line breaks and blanks, also as a masked field or a JSON text leaves them. */
const GAPS = /\\[nr]|\s/g;

function readBytes(bytes: Buffer, source: KeySource, found: Found): void {
	// Before they are compared with one another, which takes the square of their number.
	if (found.keys.length + found.certificates.length >= MAX_KEYS) throw tooManyKeys(source);
	const key = derPublicKey(bytes) ?? rawKeyOf(bytes, source, found.rawType);
	if (key) return void found.keys.push(key);
	const certificate = derCertificate(bytes);
	if (certificate) return void found.certificates.push(certificate);
	if (isDerPrivateKey(bytes)) throw keyPrivate(source);
	throw keyUnreadable(source, `${bytes.length} bytes that are no public key of a known form`);
}

/** A private key of one curve may be as long as a public one of another, so it is asked for first. */
function rawKeyOf(bytes: Buffer, source: KeySource, rawType?: RawType): FoundKey | undefined {
	if (isRawPrivateKey(bytes)) throw keyPrivate(source);
	return rawType && rawPublicKey(bytes, rawType);
}

const PEM_BEGIN = '-----BEGIN';
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const PUBLIC_LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']);
/** OpenSSL puts these beside a key; the key itself names its curve. */
const BESIDE_A_KEY = 'EC PARAMETERS';

/** A line of a block whose first or last line is gone, a key without any, and a JWK; names and fingerprints are none of these. */
const KEY_LIKE = /^[A-Za-z0-9+/_-]{40,}={0,2}$|"kty"/;
const WORDS_END = /(?:[\s,;]|\\[nr])+/;

/** What stands around the blocks, as OpenSSL writes it, is passed over; a key that stands there must not be. */
function requireWhole(text: string, blocks: number, source: KeySource): void {
	const beside = text.replace(PEM_BLOCK, ' ');
	const isDamaged = beside.includes('-----BEGIN') || beside.includes('-----END');
	if (isDamaged && blocks > 0) throw keyUnreadable(source, 'PEM that is damaged');
	if (blocks > 0 && beside.split(WORDS_END).some((word) => KEY_LIKE.test(word)))
		throw keyUnreadable(source, 'PEM with something beside it that may be a key');
}

function readPem(text: string, source: KeySource, found: Found): void {
	const all = [...text.matchAll(PEM_BLOCK)];
	requireWhole(text, all.length, source);
	const blocks = all.filter(([, label]) => label !== BESIDE_A_KEY);
	if (blocks.length === 0) throw keyUnreadable(source, 'PEM without a public key in it');
	if (blocks.length > MAX_KEYS) throw tooManyKeys(source);
	for (const [, label = '', body = ''] of blocks) {
		if (!PUBLIC_LABELS.has(label)) throw keyUnreadable(source, 'PEM of something else');
		const bytes = decodeBase64(body.replace(GAPS, ''));
		if (!bytes) throw keyUnreadable(source, 'PEM that is damaged');
		readBytes(bytes, source, found);
	}
}

/** Between several keys that are no PEM; neither base64 nor hexadecimal has them. */
const BETWEEN = /[,;]/;

function readBare(text: string, source: KeySource, found: Found): void {
	const parts = text.split(BETWEEN, MAX_KEYS + 1).map((part) => part.replace(GAPS, ''));
	if (parts.length > MAX_KEYS) throw tooManyKeys(source);
	for (const part of parts.filter((each) => each !== '')) {
		const bytes = decodeHex(part) ?? decodeBase64(part);
		if (!bytes) throw keyUnreadable(source, 'neither PEM, JSON, Base64 nor hexadecimal');
		const inner = bytes.toString('latin1');
		// A whole PEM file is often carried as base64.
		if (inner.includes(PEM_BEGIN)) readPem(requirePublic(inner, source), source, found);
		else readBytes(bytes, source, found);
	}
}

function requirePublic(text: string, source: KeySource): string {
	if (/PRIVATE KEY/.test(text)) throw keyPrivate(source);
	return text;
}

/**
 * Reads the public keys of a text.
 *
 * @param rawType what bare bytes may be; nothing unless given
 * @throws SettingsProblem that says what was found instead, or that a private key was
 */
export function keysInText(text: string, source: KeySource, rawType?: RawType): FoundInText {
	if (text.length > MAX_KEY_CHARACTERS) throw keyTooLong(source);
	requirePublic(text, source);
	const found: Found = { keys: [], certificates: [], rawType };
	if (text.includes(PEM_BEGIN)) readPem(text, source, found);
	else readBare(text, source, found);
	const { keys, certificates } = found;
	if (keys.length + certificates.length === 0)
		throw keyUnreadable(source, 'nothing but separators');
	return { keys, certificates };
}
