import { lazily, z } from '../lib/zod';
import { decodeBytes, parseObject, repeatsName } from './encodings';
import { createSignerFinder } from './format';
import type { PayloadFormat } from './format';
import { MAX_TRIES } from './press';
import { SettingsProblem } from './problem';
import type { SettingsOf } from './settings';

/* The formats that no standard rules: the payload as it is, and somewhere the bytes of a signature. */

type Plain = SettingsOf<'separated' | 'signatureOnly' | 'json'>;

/**
 * With binding, `<messageId>:<payload>` is what was signed. Where ids hold colons, id `a` with payload `b:c` and id `a:b`
 * with payload `c` have the same signature; ids without colons, or a JWS, leave no such doubt.
 */
const signedTextOf = (settings: Plain, messageId: string, payload: string): string =>
	settings.payloadSignatureBinding ? `${messageId}:${payload}` : payload;

/** The bytes of a signature, or undefined when the text is none. */
function decodeSignature(settings: Plain, text: string): Buffer | undefined {
	const bytes = decodeBytes(text, settings.payloadSignatureEncoding);
	return bytes && bytes.length > 0 ? bytes : undefined;
}

/** Characters that every signature is made of; - and _ are in base64url only, so base64 works with them as separators. */
const SIGNATURE_ONLY: Readonly<Record<Plain['payloadSignatureEncoding'], RegExp>> = {
	hex: /^[0-9a-f]*$/i,
	base64: /^[A-Za-z0-9+/=]*$/,
};

/** Looking for the last one takes the product of its length and the payload's. */
const MAX_SEPARATOR_CHARACTERS = 100;

function readSeparator({
	payloadSignatureSeparator: separator,
	payloadSignatureEncoding: encoding,
}: SettingsOf<'separated'>): string {
	const advice =
		'Enter the characters that your app puts between payload and signature, e.g. a dot, in the Diyalog API credential.';
	if (separator === '') throw new SettingsProblem('The Separator is empty', advice);
	if (separator.length > MAX_SEPARATOR_CHARACTERS) {
		const title = `The Separator is longer than ${MAX_SEPARATOR_CHARACTERS} characters`;
		throw new SettingsProblem(title, advice);
	}
	if (!SIGNATURE_ONLY[encoding].test(separator)) return separator;
	throw new SettingsProblem('The Separator can occur inside a signature', advice);
}

/**
 * `payload<separator>signature`
 *
 * @throws SettingsProblem when the separator cannot work
 */
export function separatedFormat(settings: SettingsOf<'separated'>): PayloadFormat {
	const separator = readSeparator(settings);

	return (keys) => {
		const findSigner = createSignerFinder(settings, keys);
		return ({ messageId, payload: given }) => {
			const end = given.lastIndexOf(separator);
			if (end === -1) return 'malformed';
			const payload = given.slice(0, end);
			const signature = decodeSignature(settings, given.slice(end + separator.length));
			if (!signature) return 'malformed';
			const evidence = findSigner(signedTextOf(settings, messageId, payload), signature);
			return evidence ? { payload, evidence } : 'signature';
		};
	};
}

/** The signature alone: which payload it belongs to is found among those that were issued. */
export const signatureOnlyFormat =
	(settings: SettingsOf<'signatureOnly'>): PayloadFormat =>
	(keys) => {
		const findSigner = createSignerFinder(settings, keys);
		return ({ messageId, payload: given, issued }) => {
			if (!issued || issued.length * keys.length > MAX_TRIES) return 'notChecked';
			const signature = decodeSignature(settings, given);
			if (!signature) return 'malformed';
			for (const payload of issued) {
				const evidence = findSigner(signedTextOf(settings, messageId, payload), signature);
				if (evidence) return { payload, evidence };
			}
			return 'signature';
		};
	};

const signedObjectSchema = lazily(() => z.object({ payload: z.string(), signature: z.string() }));

/** `{"payload": "...", "signature": "..."}`; further members mean nothing here. */
export const jsonFormat =
	(settings: SettingsOf<'json'>): PayloadFormat =>
	(keys) => {
		const findSigner = createSignerFinder(settings, keys);
		return ({ messageId, payload: given }) => {
			const object = parseObject(given);
			if (!object || repeatsName(given)) return 'malformed';
			const { data } = signedObjectSchema().safeParse(object);
			const signature = data && decodeSignature(settings, data.signature);
			if (!signature) return 'malformed';
			const { payload } = data;
			const evidence = findSigner(signedTextOf(settings, messageId, payload), signature);
			return evidence ? { payload, evidence } : 'signature';
		};
	};
