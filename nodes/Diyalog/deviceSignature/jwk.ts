import { lazily, z } from '../lib/zod';
import { MAX_KEY_CHARACTERS } from './enteredKeys';

/*
 * Keys as JSON.
 * Sources: RFC 7517 (JWK, JWK set), RFC 7518, section 6, and RFC 8037 (their members)
 */

const text = lazily(() => z.string().max(MAX_KEY_CHARACTERS));

const jwkSchema = lazily(() =>
	z.object({
		kty: text(),
		kid: text().optional(),
		alg: text().optional(),
		use: text().optional(),
		key_ops: z.array(text()).optional(),
		crv: text().optional(),
		x: text().optional(),
		y: text().optional(),
		n: text().optional(),
		e: text().optional(),
		k: text().optional(),
	}),
);

export type Jwk = z.output<ReturnType<typeof jwkSchema>>;

/** @returns undefined for anything else */
export const readJwk = (entered: unknown): Jwk | undefined => jwkSchema().safeParse(entered).data;

const jwkSetSchema = lazily(() => z.object({ keys: z.array(z.unknown()) }));

/** What stands in a JWK set; undefined when this is none. */
export const membersOfSet = (entered: unknown): readonly unknown[] | undefined =>
	jwkSetSchema().safeParse(entered).data?.keys;

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
