import type { CheckingKey } from './algorithms';
import { encodeUtf8 } from './encodings';
import type { InvalidReason, SignatureEvidence, SignedPress } from './press';
import { attempt } from './problem';
import { algorithmIn } from './settings';
import type { FormatSettings } from './settings';

/* What every format is made of. */

/** A payload that was signed, and what proves it. */
export interface SignedPayload {
	payload: string;
	evidence: SignatureEvidence;
}

/** What a reader makes of a press: the inner payload, or why it is not to be trusted. May throw. */
export type PayloadReader = (
	press: SignedPress,
	now: Date,
) => SignedPayload | InvalidReason | 'notChecked';

/** A format, which reads with keys. */
export type PayloadFormat = (keys: readonly CheckingKey[]) => PayloadReader;

/**
 * Finds the key that has signed a text.
 *
 * @param kid by which the text names its key; only a hint: where no key has it, all are tried
 * @returns what proves it, or undefined when none of the keys has
 */
export type SignerFinder = (
	signedText: string,
	signature: Buffer,
	kid?: string,
) => SignatureEvidence | undefined;

/** @param settings name the format and the algorithm */
export const createSignerFinder =
	(settings: FormatSettings, keys: readonly CheckingKey[]): SignerFinder =>
	(signedText, signature, kid) => {
		const signed = encodeUtf8(signedText);
		if (!signed) return undefined;
		const named = kid === undefined ? [] : keys.filter((key) => key.kid === kid);
		for (const { thumbprint, check } of named.length > 0 ? named : keys) {
			const proven = attempt(() => check(signed, signature));
			if (!proven) continue;
			return {
				format: settings.payloadSignature,
				algorithm: algorithmIn(settings).name,
				keyThumbprint: thumbprint,
				signedText,
				signature: proven.toString('base64'),
			};
		}
		return undefined;
	};
