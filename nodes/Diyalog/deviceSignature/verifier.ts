import { createReader } from './formats';
import type { PayloadReader, SignedPress } from './formats';
import { attempt, SettingsProblem } from './keys';
import { readSettings } from './settings';

/*
 * Payloads that the company's own app signed on the customer's device.
 * What is trusted comes from the credential alone: of what came with a payload nothing is believed, only compared.
 */

/** Whether the payload of a press was signed by the company's app. */
export type PayloadSignature = 'notChecked' | 'valid' | 'invalid';

export interface CheckedPayload {
	payloadSignature: PayloadSignature;
	/** the inner payload when the signature is valid, the payload as received otherwise */
	payload: string;
}

/** Checks one press; never throws. */
export type PayloadVerifier = (press: SignedPress, now: Date) => CheckedPayload;

/** A verifier, or why the settings cannot work: what is wrong, and what to do. Never holds a key or secret. */
export type VerifierSetup =
	| { ok: true; verify: PayloadVerifier }
	| { ok: false; title: string; advice: string };

const checkNothing: PayloadVerifier = ({ payload }) => ({
	payloadSignature: 'notChecked',
	payload,
});

/** Whatever cannot be verified is invalid, also what makes a reader throw. */
const verifierOf =
	(read: PayloadReader): PayloadVerifier =>
	(press, now) => {
		const inner = attempt(() => read(press, now));
		return inner === undefined
			? { payloadSignature: 'invalid', payload: press.payload }
			: { payloadSignature: 'valid', payload: inner };
	};

/**
 * Reads from the credential how the company's app signs payloads.
 *
 * @param credential its fields, of unknown shape
 * @returns a verifier that holds the key ready, or why these settings cannot work
 */
export function createPayloadVerifier(
	credential: Readonly<Record<string, unknown>>,
): VerifierSetup {
	try {
		const settings = readSettings(credential);
		return { ok: true, verify: settings ? verifierOf(createReader(settings)) : checkNothing };
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
