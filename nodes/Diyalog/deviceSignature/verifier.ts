import { isEncrypted } from './encrypted';
import type { PayloadReader } from './format';
import { formatOf } from './formats';
import type { CheckedPayload, PayloadVerifier } from './press';
import { attempt, SettingsProblem } from './problem';
import { algorithmIn, keysFor, readSettings } from './settings';

/*
 * Payloads that the company's own app signed on the customer's device.
 * What is trusted was entered by the company: of what came with a payload nothing is believed, only compared.
 */

export type { CheckedPayload, PayloadSignature, PayloadVerifier } from './press';

/** A verifier, or why the settings cannot work: what is wrong, and what to do. Never holds a key or secret. */
export type VerifierSetup =
	| {
			ok: true;
			verify: PayloadVerifier;
			/** the thumbprints of the keys with which each signature is tried; null for a secret */
			keys: ReadonlyArray<string | null>;
	  }
	| { ok: false; title: string; advice: string };

const CHECKS_NOTHING: VerifierSetup = {
	ok: true,
	verify: ({ payload }) => ({ payloadSignature: 'notChecked', payload }),
	keys: [],
};

/** Whatever cannot be verified is invalid, also what makes a reader throw, and what has to cover a message ID that is not known. */
const verifierOf =
	(read: PayloadReader, isBound: boolean): PayloadVerifier =>
	(press, now): CheckedPayload => {
		const signed = attempt(() => read(press, now)) ?? 'malformed';
		const coversNothing = isBound && press.messageId === '' && typeof signed === 'object';
		const found = coversNothing ? 'otherMessage' : signed;
		if (typeof found === 'object') return { payloadSignature: 'valid', ...found };
		const { payload } = press;
		if (found === 'notChecked') return { payloadSignature: found, payload };
		const isUnreadable = found === 'malformed' && attempt(() => isEncrypted(payload)) === true;
		return { payloadSignature: 'invalid', payload, reason: isUnreadable ? 'encrypted' : found };
	};

/**
 * Reads from the credential how the company's app signs payloads.
 *
 * Nothing is checked (`notChecked`) when the credential has no format, when each person has keys of their own and nobody's
 * are given, and when a signature comes alone and nothing was issued that it could belong to, or too much to try it all.
 *
 * @param credential its fields, of unknown shape
 * @param personKeys one person's own keys, in place of the credential's: text, JWK, JWK set, or a list of these. Only
 * undefined means that none are given; of null, and of an empty text or list, the verifier says that there is no key.
 * @returns a verifier that holds the keys ready, or why these settings cannot work
 */
export function createPayloadVerifier(
	credential: Readonly<Record<string, unknown>>,
	personKeys?: unknown,
): VerifierSetup {
	try {
		const settings = readSettings(credential);
		if (!settings) return CHECKS_NOTHING;
		const format = formatOf(settings);
		const entered = keysFor(settings, personKeys);
		if (!entered) return CHECKS_NOTHING;
		const keys = algorithmIn(settings).prepare(entered);
		const verify = verifierOf(format(keys), settings.payloadSignatureBinding);
		return { ok: true, verify, keys: keys.map(({ thumbprint }) => thumbprint) };
	} catch (error) {
		if (error instanceof SettingsProblem) {
			return { ok: false, title: error.title, advice: error.advice };
		}
		return {
			ok: false,
			title: 'Signed payloads cannot be checked with these settings',
			advice: 'Enter key and algorithm anew in the Diyalog API credential.',
		};
	}
}

/** Whether the app signs with a secret, which whoever verifies has as well; of settings that cannot work nothing is said. */
export function signsWithSecret(credential: Readonly<Record<string, unknown>>): boolean {
	const settings = attempt(() => readSettings(credential));
	return settings !== undefined && algorithmIn(settings).keyField === 'payloadSignatureSecret';
}
