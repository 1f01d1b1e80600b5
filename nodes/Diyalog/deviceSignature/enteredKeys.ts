/* Keys as they were entered, before anything of them is read. */

/** More phones than a person has, and more secrets than a rotation needs; each costs time with every signature. */
export const MAX_KEYS = 20;

/** Far more than the longest chain of certificates. */
export const MAX_KEY_CHARACTERS = 100_000;

/** How the bytes of a secret are written. */
export type SecretEncoding = 'text' | 'base64' | 'hex';

/** Where a key stands: for sentences about it. */
export interface KeySource {
	/** beginning of a sentence: The Public Key */
	name: string;
	/** end of a sentence, with a blank in front, or nothing: where another could be entered */
	place: string;
	/** a text, a JWK or a JWK set; a list of these where `eachOf` has not been asked */
	entered: unknown;
}

export interface EnteredKeys {
	sources: readonly KeySource[];
	secretEncoding: SecretEncoding;
}

/** What stands in a list, each by itself; what is no list, as it is. */
export function eachOf(source: KeySource): KeySource[] {
	const { name, entered } = source;
	if (!Array.isArray(entered) || entered.length === 0) return [source];
	const [first, ...others]: unknown[] = entered;
	if (others.length === 0) return [{ ...source, entered: first }];
	return entered.map((each: unknown, index) => ({
		...source,
		name: `${name} (number ${index + 1})`,
		entered: each,
	}));
}

/** Whether nothing was entered, in whatever way. */
export const isNothing = (entered: unknown): boolean =>
	entered === null ||
	entered === undefined ||
	(typeof entered === 'string' && entered.trim() === '') ||
	(Array.isArray(entered) && entered.length === 0);
