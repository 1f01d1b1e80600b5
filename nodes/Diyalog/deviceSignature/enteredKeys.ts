/* Keys as they were entered, before anything of them is read. */

/** How the bytes of a secret are written. */
export type SecretEncoding = 'text' | 'base64' | 'hex';

/** Where keys stand: for sentences about them. */
export interface KeySource {
	/** beginning of a sentence: The Public Key */
	name: string;
	/** end of a sentence, with a blank in front, or nothing: where else they could be entered */
	place: string;
	/** a text, a JWK, a JWK set, or a list of these */
	entered: unknown;
}

export interface EnteredKeys {
	sources: readonly KeySource[];
	secretEncoding: SecretEncoding;
}
