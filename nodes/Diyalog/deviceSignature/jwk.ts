import { lazily, listUpTo, z } from '../lib/zod';
import { decodeBase64url } from './encodings';
import { MAX_KEY_CHARACTERS } from './enteredKeys';

/*
 * Keys as JSON.
 * Sources: RFC 7517 (JWK, JWK set), RFC 7518, section 6, and RFC 8037 (their members)
 */

const text = lazily(() => z.string().max(MAX_KEY_CHARACTERS));

/** Node skips what is not base64url and stops at the first =, so one key would have many writings. */
const bytes = lazily(() => text().refine((written) => decodeBase64url(written) !== undefined));

/** There are eight that anybody knows. */
const MAX_OPERATIONS = 20;

const jwkSchema = lazily(() =>
	z.object({
		kty: text(),
		kid: text().optional(),
		alg: text().optional(),
		use: text().optional(),
		key_ops: listUpTo(MAX_OPERATIONS, text()).optional(),
		crv: text().optional(),
		x: bytes().optional(),
		y: bytes().optional(),
		n: bytes().optional(),
		e: bytes().optional(),
		k: text().optional(),
	}),
);

export type Jwk = z.output<ReturnType<typeof jwkSchema>>;

/** @returns undefined for anything else */
export const readJwk = (entered: unknown): Jwk | undefined => jwkSchema().safeParse(entered).data;

/** What stands in a JWK set, as it came, however much that is; undefined when this is none. */
export function membersOfSet(entered: unknown): readonly unknown[] | undefined {
	if (typeof entered !== 'object' || entered === null || !('keys' in entered)) return undefined;
	const { keys } = entered;
	return Array.isArray(keys) ? keys : undefined;
}

/** Members that are read; of others a JWK may have any number. */
const READ_MEMBERS = [
	'kty',
	'kid',
	'alg',
	'use',
	'key_ops',
	'crv',
	'x',
	'y',
	'n',
	'e',
	'k',
	'keys',
];

/** A JWK within a set within a list, and its key_ops. */
const MAX_DEPTH = 4;

/**
 * How many characters there are to read in keys, at least one for each of their parts. It does not go on counting beyond the limit.
 * A text that is longer than one may be counts nothing: it is refused by itself.
 */
export function charactersIn(entered: unknown, limit: number, depth = 0): number {
	if (typeof entered === 'string') return entered.length > MAX_KEY_CHARACTERS ? 0 : entered.length;
	if (typeof entered !== 'object' || entered === null || depth > MAX_DEPTH) return 1;
	if (Array.isArray(entered) && entered.length > limit) return entered.length;
	const parts: Iterable<unknown> = Array.isArray(entered)
		? entered
		: READ_MEMBERS.map((member): unknown => Reflect.get(entered, member));
	let sum = 0;
	for (const part of parts) {
		if (part !== undefined) sum += Math.max(1, charactersIn(part, limit - sum, depth + 1));
		if (sum > limit) break;
	}
	return sum;
}

const PUBLIC_TYPES: ReadonlySet<unknown> = new Set(['EC', 'RSA', 'OKP']);

/** Whether an object calls itself a key of a pair, readable or not. */
export const isOfPair = (entered: unknown): boolean =>
	typeof entered === 'object' &&
	entered !== null &&
	'kty' in entered &&
	PUBLIC_TYPES.has(entered.kty);

/** What nobody but the device may know; k is the whole of a secret. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Whether a JWK holds more than a public key. */
export const hasPrivateMember = (entered: unknown): boolean =>
	typeof entered === 'object' &&
	entered !== null &&
	PRIVATE_MEMBERS.some((member) => Object.hasOwn(entered, member));

/** Whether what a JWK says of its own use lets it check signatures with an algorithm of these names. */
export const mayVerify = (
	{ alg, use, key_ops: operations }: Jwk,
	jwaNames: readonly string[],
): boolean =>
	(alg === undefined || jwaNames.includes(alg)) &&
	(use === undefined || use === 'sig') &&
	(operations === undefined || operations.includes('verify'));
