import { z } from 'zod/v4';
import { attempt, SettingsProblem } from './keys';
import type { FormatSettings, SettingsOf } from './settings';

/*
 * The formats in which a payload carries its signature. Diyalog leaves the format to the company, so two common ones are
 * verified: a JSON Web Signature in compact form, and `payload<separator>signature`.
 * Sources: RFC 7515 (JWS), RFC 7519 (exp, nbf, iat)
 */

/** A press as the webhook reports it. */
export interface SignedPress {
	messageId: string;
	payload: string;
	customerNo: string | null;
}

/** What a reader makes of a press: the inner payload, or undefined when it is not to be trusted. May throw. */
export type PayloadReader = (press: SignedPress, now: Date) => string | undefined;

/** Diyalog's own tolerance for differing clocks. */
const CLOCK_TOLERANCE_S = 15 * 60;

/** Node skips what is not base64 and forgives a wrong end; only the one writing that encodes the same is taken. */
function decodeBase64url(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'base64url');
	return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Either alphabet, with the right padding or none. */
function decodeBase64(text: string): Buffer | undefined {
	const unpadded = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
	return decodeBase64url(unpadded.replaceAll('+', '-').replaceAll('/', '_'));
}

function decodeHex(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'hex');
	return bytes.toString('hex') === text.toLowerCase() ? bytes : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text's bytes, or undefined for half a surrogate pair: its bytes would be those of another text. */
function encodeUtf8(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'utf8');
	return bytes.toString('utf8') === text ? bytes : undefined;
}

/** Parses the JSON text of an object; undefined when it is anything else. */
function parseObject(text: string): object | undefined {
	const json: unknown = attempt(() => JSON.parse(text));
	return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : undefined;
}

const numericDate = z.number().finite().optional();

const claimsSchema = z.object({
	payload: z.unknown().optional(),
	messageId: z.string().optional(),
	customerNo: z.string().optional(),
	exp: numericDate,
	nbf: numericDate,
	iat: numericDate,
});

type Claims = z.output<typeof claimsSchema>;

/** Written so that a clock without a time (NaN) accepts nothing that carries one. */
function isTimely({ exp, nbf, iat }: Claims, now: Date): boolean {
	const nowS = now.getTime() / 1_000;
	const hasBegun = (start: number | undefined) =>
		start === undefined || start <= nowS + CLOCK_TOLERANCE_S;
	const hasNotEnded = exp === undefined || nowS < exp + CLOCK_TOLERANCE_S;
	return hasNotEnded && hasBegun(nbf) && hasBegun(iat);
}

/** Reads the verified content of a JWS: claims, or without binding also a bare text. */
function readContent(
	content: string,
	isBound: boolean,
	press: SignedPress,
	now: Date,
): string | undefined {
	const object = parseObject(content);
	if (!object) return isBound ? undefined : content;
	const { data: claims } = claimsSchema.safeParse(object);
	if (!claims || !isTimely(claims, now)) return undefined;
	const { payload, messageId, customerNo } = claims;
	if (customerNo !== undefined && customerNo !== press.customerNo) return undefined;
	if (messageId !== undefined && messageId !== press.messageId) return undefined;
	if (typeof payload === 'string') return isBound && messageId === undefined ? undefined : payload;
	return isBound ? undefined : content;
}

function jwsReader(settings: SettingsOf<'jws'>): PayloadReader {
	const { name, keyField, prepare } = settings.payloadSignatureAlgorithm;
	const isSigned = prepare(settings[keyField]);
	const isBound = settings.payloadSignatureBinding;
	// No extension is understood, so none may be critical (RFC 7515, 4.1.11), whatever else `crit` may hold.
	const headerSchema = z.object({ alg: z.literal(name), crit: z.never().optional() });

	return (press, now) => {
		const parts = press.payload.split('.', 4);
		if (parts.length !== 3) return undefined;
		const [header, content, signature] = parts.map(decodeBase64url);
		if (!header || !content || !signature) return undefined;
		if (!headerSchema.safeParse(parseObject(utf8.decode(header))).success) return undefined;
		const signedText = press.payload.slice(0, press.payload.lastIndexOf('.'));
		if (!isSigned(Buffer.from(signedText, 'ascii'), signature)) return undefined;
		return readContent(utf8.decode(content), isBound, press, now);
	};
}

type Separated = SettingsOf<'separated'>;

/** Characters that every signature is made of; - and _ are in base64url only, so base64 works with them as separators. */
const SIGNATURE_ONLY: Readonly<Record<Separated['payloadSignatureEncoding'], RegExp>> = {
	hex: /^[0-9a-f]*$/i,
	base64: /^[A-Za-z0-9+/=]*$/,
};

function readSeparator({
	payloadSignatureSeparator: separator,
	payloadSignatureEncoding: encoding,
}: Separated): string {
	const advice =
		'Enter the characters that your app puts between payload and signature, e.g. a dot, in the Diyalog API credential.';
	if (separator === '') throw new SettingsProblem('The Separator is empty', advice);
	if (!SIGNATURE_ONLY[encoding].test(separator)) return separator;
	throw new SettingsProblem('The Separator can occur inside a signature', advice);
}

/**
 * With binding, `<messageId>:<payload>` is what was signed. Where ids hold colons, id `a` with payload `b:c` and id `a:b`
 * with payload `c` have the same signature; ids without colons, or a JWS, leave no such doubt.
 */
function separatedReader(settings: Separated): PayloadReader {
	const separator = readSeparator(settings);
	const { keyField, prepare } = settings.payloadSignatureMethod;
	const isSigned = prepare(settings[keyField]);
	const isBound = settings.payloadSignatureBinding;
	const decode = settings.payloadSignatureEncoding === 'hex' ? decodeHex : decodeBase64;

	return ({ messageId, payload }) => {
		const end = payload.lastIndexOf(separator);
		if (end === -1) return undefined;
		const inner = payload.slice(0, end);
		const signature = decode(payload.slice(end + separator.length));
		const signed = encodeUtf8(isBound ? `${messageId}:${inner}` : inner);
		return signature && signed && isSigned(signed, signature) ? inner : undefined;
	};
}

/**
 * Makes the reader of the format that is set, with its key held ready.
 *
 * @throws SettingsProblem when these settings cannot work
 */
export function createReader(settings: FormatSettings): PayloadReader {
	switch (settings.payloadSignature) {
		case 'jws':
			return jwsReader(settings);
		case 'separated':
			return separatedReader(settings);
	}
}
