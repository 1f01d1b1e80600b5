import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/*
 * The signature of Diyalog's webhook: the SHA-1 HMAC "of each message", keyed with app_secret, in X-Signature.
 * Encoding and the exact bytes are not documented, so the raw body is taken, and hex (either case) and base64 are
 * understood, with or without `sha1=` in front.
 * Source: https://diyalog-im.github.io/docs/webhook
 */

const SHA1_BYTES = 20;
const HEX_DIGEST = /^[0-9a-f]{40}$/i;
/** 20 bytes are 27 characters and one `=`, which some encoders leave off; both alphabets of base64 are accepted. */
const BASE64_DIGEST = /^[A-Za-z0-9+/_-]{27}=?$/;

/** The HMAC that an X-Signature header carries, or undefined when it carries none. */
function decodeSignature(header: string): Buffer | undefined {
	const text = header.trim().replace(/^sha1=/i, '');
	if (HEX_DIGEST.test(text)) return Buffer.from(text, 'hex');
	if (BASE64_DIGEST.test(text)) return Buffer.from(text, 'base64');
	return undefined;
}

const hmacSha1 = (body: Buffer | string, secret: string): Buffer =>
	createHmac('sha1', secret).update(body).digest();

const fits = (given: Buffer, body: Buffer | string, secret: string): boolean =>
	given.length === SHA1_BYTES && timingSafeEqual(given, hmacSha1(body, secret));

/** Whether a webhook call comes from Diyalog; if not, why it cannot be told. */
export type SignatureVerdict = 'valid' | 'noSecret' | 'noHeader' | 'notASignature' | 'mismatch';

/**
 * Checks the X-Signature of a webhook call. Fails closed: without a secret nothing is valid.
 *
 * @param rawBody the body's bytes exactly as received
 * @param header the X-Signature header; undefined when there is none
 * @param appSecrets the webhook's app_secret, and while it is being changed the previous one; empty ones do not count
 */
export function verifySignature(
	rawBody: Buffer,
	header: string | undefined,
	appSecrets: readonly string[],
): SignatureVerdict {
	const secrets = appSecrets.filter((secret) => secret !== '');
	if (secrets.length === 0) return 'noSecret';
	if (header === undefined || header === '') return 'noHeader';
	const given = decodeSignature(header);
	if (!given) return 'notASignature';
	return secrets.some((secret) => fits(given, rawBody, secret)) ? 'valid' : 'mismatch';
}

/** Why a signature does not fit, as far as it can be found out. */
export type MismatchCause = 'bodyAltered' | 'secretHasBlanks' | 'otherSecret' | 'tooLarge';

/** Many times a batch of 10 events. A larger body is not written anew for a caller whom nobody knows. */
const MAX_EXPLAINED_BYTES = 16_384;

/** Deeper than any body that Diyalog documents by far. Laying out JSON costs its length times its depth. */
const MAX_EXPLAINED_DEPTH = 16;

/** Whether brackets nest at most so deep. Those within texts do not count: closing ones there would hide opening ones. */
function isShallow(json: string): boolean {
	let depth = 0;
	let isText = false;
	for (let at = 0; at < json.length && depth <= MAX_EXPLAINED_DEPTH; at++) {
		const character = json.charAt(at);
		if (character === '"') isText = !isText;
		else if (isText && character === '\\') at++;
		else if (!isText && (character === '{' || character === '[')) depth++;
		else if (!isText && (character === '}' || character === ']')) depth--;
	}
	return depth <= MAX_EXPLAINED_DEPTH;
}

function* rewritings(body: string): Generator<string> {
	yield body.trim();
	yield `${body}\n`;
	yield body.replaceAll('\r\n', '\n');
	yield body.replaceAll(/\r?\n/g, '\r\n');
	if (!isShallow(body)) return;
	try {
		const json: unknown = JSON.parse(body);
		yield JSON.stringify(json);
		yield JSON.stringify(json, null, 2);
	} catch {
		return;
	}
}

/**
 * Finds the likely cause of a mismatch for the operator's log: whether the signature fits the body as it may have been
 * before a proxy wrote it anew, or fits with a secret without the blanks that were pasted along.
 * It never makes a call valid. Whoever calls is unknown, so it takes no more than linear time, and only for small bodies.
 */
export function explainMismatch(
	rawBody: Buffer,
	header: string,
	appSecrets: readonly string[],
): MismatchCause {
	if (rawBody.length > MAX_EXPLAINED_BYTES) return 'tooLarge';
	const given = decodeSignature(header) ?? Buffer.alloc(0);
	const secrets = appSecrets.filter((secret) => secret !== '');
	if (secrets.some((secret) => fits(given, rawBody, secret.trim()))) return 'secretHasBlanks';
	for (const body of rewritings(rawBody.toString('utf8'))) {
		if (secrets.some((secret) => fits(given, body, secret))) return 'bodyAltered';
	}
	return 'otherSecret';
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Checks the Auth-Token of a status callback in constant time. Fails closed: an empty expected token fits nothing.
 *
 * @param given the Auth-Token header; undefined when there is none
 * @param expected the token that the administrator configured
 */
export function verifyAuthToken(given: string | undefined, expected: string): boolean {
	if (expected === '' || given === undefined) return false;
	return timingSafeEqual(sha256(given), sha256(expected));
}
