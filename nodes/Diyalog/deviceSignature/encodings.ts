import { attempt } from './problem';

/* Bytes and JSON as texts carry them, read strictly: what is not exactly that is undefined. */

/** Node skips what is not base64 and forgives a wrong end; only the one writing that encodes the same is taken. */
export function decodeBase64url(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'base64url');
	return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Either alphabet, with the right padding or none. */
export function decodeBase64(text: string): Buffer | undefined {
	const unpadded = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
	return decodeBase64url(unpadded.replaceAll('+', '-').replaceAll('/', '_'));
}

/** Either case. */
export function decodeHex(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'hex');
	return bytes.toString('hex') === text.toLowerCase() ? bytes : undefined;
}

/** The bytes of a text may be written as these; base64 covers base64url. */
export type ByteEncoding = 'base64' | 'hex';

/** Reads bytes among which there may be blanks and line breaks, as Android's Base64.DEFAULT makes them. */
export function decodeBytes(text: string, encoding: ByteEncoding): Buffer | undefined {
	const packed = text.replace(/[ \t\r\n]/g, '');
	return encoding === 'hex' ? decodeHex(packed) : decodeBase64(packed);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws TypeError when the bytes are not UTF-8 */
export const decodeUtf8 = (bytes: Buffer): string => utf8.decode(bytes);

/** A text's bytes, or undefined for half a surrogate pair: its bytes would be those of another text. */
export function encodeUtf8(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'utf8');
	return bytes.toString('utf8') === text ? bytes : undefined;
}

/** Parses the JSON text of an object; undefined when it is anything else. */
export function parseObject(text: string): object | undefined {
	const json: unknown = attempt(() => JSON.parse(text));
	return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : undefined;
}

/** A string literal, or a character that opens, closes or parts something. */
const JSON_TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|[{}[\],]/g;

/**
 * Whether an object names one of its own members twice. Programs do not agree on which of the two counts (RFC 8259, 4).
 *
 * @param text the JSON text of an object, already found to be one
 */
export function repeatsName(text: string): boolean {
	const names = new Set<unknown>();
	let depth = 0;
	let mayBeName = false;
	for (const [token] of text.matchAll(JSON_TOKEN)) {
		if (token.startsWith('"')) {
			if (mayBeName) {
				// The same name can be written in many ways, with and without escapes.
				const name: unknown = JSON.parse(token);
				if (names.has(name)) return true;
				names.add(name);
			}
			mayBeName = false;
			continue;
		}
		if (token === '{' || token === '[') depth++;
		if (token === '}' || token === ']') depth--;
		mayBeName = depth === 1 && (token === '{' || token === ',');
	}
	return false;
}
