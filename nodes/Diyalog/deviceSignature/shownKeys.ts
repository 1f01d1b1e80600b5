import { derCertificate } from './certificates';
import { derPublicKey } from './derKeys';
import { decodeBase64, decodeHex } from './encodings';
import { isOfPair, membersOfSet } from './jwk';
import { attempt } from './problem';
import { rawPublicKey } from './rawKeys';

/*
 * Whether a text is, or holds among others, a key that is made to be shown. It is asked of secrets: whatever is read as public
 * keys where the app signs with a pair must not become a secret, which everybody would know, where another method is chosen.
 */

/** The bytes of a key of OpenSSH begin so, and the name of its type stands in front of them. */
const SSH_BYTES = /^AAAA/;
const SSH_TYPE = /(?:ssh-|ecdsa-|sk-)./;
const SSH_BYTES_ALONE = /^\s*AAAA[BCEI]/;

/** The first line of an armoured block, with what it says to hold. */
const ARMOUR = /- ?BEGIN ([A-Z0-9 ]*)/g;
const SHOWN_IN_ARMOUR = ['PUBLIC KEY', 'CERTIFICATE'];

/**
 * Whether a text holds a key as it is written for people: a line of OpenSSH, its bytes, or an armoured block. It looks at each
 * character a few times at most: a text that was made for it would keep a pattern that goes back at work for seconds.
 */
function isWrittenForPeople(text: string): boolean {
	if (SSH_BYTES_ALONE.test(text)) return true;
	const words = text.split(/\s+/);
	if (words.some((word, at) => SSH_BYTES.test(word) && SSH_TYPE.test(words[at - 1] ?? '')))
		return true;
	return [...text.matchAll(ARMOUR)].some(([, held = '']) =>
		SHOWN_IN_ARMOUR.some((shown) => held.includes(shown)),
	);
}

/** Lists, sets and texts within texts; nobody reads keys further in. */
const MAX_DEPTH = 6;

/** A point of P-256, compressed: no key that is told from other bytes is shorter. */
const MIN_BYTES = 33;
const MIN_CHARACTERS = 44;

/** Hardly any other bytes are a point of a curve. Every 32 could be a key for Ed25519, so those are not asked for. */
const isKey = (bytes: Buffer): boolean =>
	(derPublicKey(bytes) ?? attempt(() => rawPublicKey(bytes, 'ec')) ?? derCertificate(bytes)) !==
	undefined;

/** What stands between commas, whatever blanks are in it, and each word. */
const partsOf = (text: string): Set<string> =>
	new Set([
		...text.split(/[,;]/).map((part) => part.replace(/\\[nr]|\s/g, '')),
		...text.split(/(?:[\s,;]|\\[nr])+/),
	]);

function isKeyInBytes(part: string, depth: number): boolean {
	const bytes = part.length < MIN_CHARACTERS ? undefined : (decodeHex(part) ?? decodeBase64(part));
	if (!bytes || bytes.length < MIN_BYTES) return false;
	return isKey(bytes) || isInText(bytes.toString('latin1'), depth + 1);
}

function isInText(text: string, depth: number): boolean {
	if (depth > MAX_DEPTH) return false;
	if (isWrittenForPeople(text)) return true;
	if (text.length < MIN_CHARACTERS) return false;
	const json = attempt((): unknown => JSON.parse(text));
	if (typeof json === 'object' || typeof json === 'string') return isInJson(json, depth + 1);
	return [...partsOf(text)].some((part) => isKeyInBytes(part, depth));
}

function isInJson(json: unknown, depth: number): boolean {
	if (depth > MAX_DEPTH) return false;
	if (typeof json === 'string') return isInText(json, depth + 1);
	if (isOfPair(json)) return true;
	const members = Array.isArray(json) ? json : membersOfSet(json);
	return members?.some((member) => isInJson(member, depth + 1)) ?? false;
}

export const showsPublicKey = (text: string): boolean => isInText(text, 0);
