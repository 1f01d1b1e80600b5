import {
	constants,
	createHmac,
	createPublicKey,
	createSecretKey,
	timingSafeEqual,
	verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod/v4';

/*
 * Payloads that the company's own app signed on the customer's device. Diyalog leaves the format to the company, so two
 * common ones are verified: a JSON Web Signature in compact form, and `payload<separator>signature`.
 * What is trusted comes from the credential alone: of a token's header nothing is believed, only compared.
 * Sources: RFC 7515 (JWS), RFC 7518 (its algorithms), RFC 8037 (EdDSA), RFC 7519 (exp, nbf, iat)
 */

/** Whether the payload of a press was signed by the company's app. */
export type PayloadSignature = 'notChecked' | 'valid' | 'invalid';

/** A press as the webhook reports it. */
export interface SignedPress {
	messageId: string;
	payload: string;
	customerNo: string;
}

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

/** Diyalog's own tolerance for differing clocks. */
const CLOCK_TOLERANCE_S = 15 * 60;

/** RFC 7518, 3.3 and 3.5; demanded outside of a JWS as well. */
const MIN_RSA_BITS = 2048;

/** FIPS 186-5, 5.1: odd, above 2^16 and below 2^256. With 1 everybody can sign; small ones are forged where padding is read loosely. */
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 256n;

const isSafeExponent = (exponent = 0n): boolean =>
	exponent >= MIN_RSA_EXPONENT && exponent < MAX_RSA_EXPONENT && exponent % 2n === 1n;

/**
 * The y-coordinates of Ed25519's points of small order, also beyond the prime, in hexadecimal without the sign: for such a
 * key signatures are made without any secret.
 */
const SMALL_ORDER_POINTS: ReadonlySet<string> = new Set([
	`00${'00'.repeat(31)}`,
	`01${'00'.repeat(31)}`,
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
	`ec${'ff'.repeat(30)}7f`,
	`ed${'ff'.repeat(30)}7f`,
	`ee${'ff'.repeat(30)}7f`,
]);

function isSmallOrder(key: KeyObject): boolean {
	const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
	// The highest bit of the last byte is the sign of the other coordinate.
	const signless = point.map((byte, index) => (index === point.length - 1 ? byte & 0x7f : byte));
	return SMALL_ORDER_POINTS.has(Buffer.from(signless).toString('hex'));
}

type Hash = 'sha256' | 'sha384' | 'sha512';

/** The curves by OpenSSL's names; bytes are those of one coordinate. */
const CURVES = {
	prime256v1: { label: 'P-256', bytes: 32 },
	secp384r1: { label: 'P-384', bytes: 48 },
	secp521r1: { label: 'P-521', bytes: 66 },
} as const;

type Curve = keyof typeof CURVES;

const ALL_CURVES: readonly Curve[] = ['prime256v1', 'secp384r1', 'secp521r1'];

type Algorithm =
	| { family: 'hmac'; hash: Hash; minSecretBytes: number }
	| { family: 'rsa'; hash: Hash; padding: number; saltLength?: number }
	| { family: 'ecdsa'; hash: Hash; curves: readonly Curve[]; acceptsDer: boolean }
	| { family: 'ed25519' };

const hmac = (hash: Hash, minSecretBytes: number): Algorithm => ({
	family: 'hmac',
	hash,
	minSecretBytes,
});

const rsa = (hash: Hash): Algorithm => ({
	family: 'rsa',
	hash,
	padding: constants.RSA_PKCS1_PADDING,
});

const rsaPss = (hash: Hash, saltLength: number): Algorithm => ({
	family: 'rsa',
	hash,
	padding: constants.RSA_PKCS1_PSS_PADDING,
	saltLength,
});

/** In a JWS the hash decides about the curve, and the signature is the bare r and s. */
const jwsEcdsa = (hash: Hash, curve: Curve): Algorithm => ({
	family: 'ecdsa',
	hash,
	curves: [curve],
	acceptsDer: false,
});

const ecdsa = (hash: Hash): Algorithm => ({
	family: 'ecdsa',
	hash,
	curves: ALL_CURVES,
	acceptsDer: true,
});

const ed25519: Algorithm = { family: 'ed25519' };

const JWS_ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
	['HS256', hmac('sha256', 32)],
	['HS384', hmac('sha384', 48)],
	['HS512', hmac('sha512', 64)],
	['RS256', rsa('sha256')],
	['RS384', rsa('sha384')],
	['RS512', rsa('sha512')],
	['PS256', rsaPss('sha256', constants.RSA_PSS_SALTLEN_DIGEST)],
	['PS384', rsaPss('sha384', constants.RSA_PSS_SALTLEN_DIGEST)],
	['PS512', rsaPss('sha512', constants.RSA_PSS_SALTLEN_DIGEST)],
	['ES256', jwsEcdsa('sha256', 'prime256v1')],
	['ES384', jwsEcdsa('sha384', 'secp384r1')],
	['ES512', jwsEcdsa('sha512', 'secp521r1')],
	['EdDSA', ed25519],
]);

/** No standard rules the format with a separator, so salts of any length and both writings of ECDSA are understood. */
const SEPARATED_METHODS: ReadonlyMap<string, Algorithm> = new Map([
	['hmacSha256', hmac('sha256', 1)],
	['hmacSha384', hmac('sha384', 1)],
	['hmacSha512', hmac('sha512', 1)],
	['rsaSha256', rsa('sha256')],
	['rsaSha384', rsa('sha384')],
	['rsaSha512', rsa('sha512')],
	['rsaPssSha256', rsaPss('sha256', constants.RSA_PSS_SALTLEN_AUTO)],
	['rsaPssSha384', rsaPss('sha384', constants.RSA_PSS_SALTLEN_AUTO)],
	['rsaPssSha512', rsaPss('sha512', constants.RSA_PSS_SALTLEN_AUTO)],
	['ecdsaSha256', ecdsa('sha256')],
	['ecdsaSha384', ecdsa('sha384')],
	['ecdsaSha512', ecdsa('sha512')],
	['ed25519', ed25519],
]);

/** Which of the two is needed depends on the algorithm; that it is there is checked with it. */
const keyTexts = {
	payloadSignatureSecret: z.string().catch(''),
	payloadSignaturePublicKey: z.string().catch(''),
};

const algorithmNamed = (algorithms: ReadonlyMap<string, Algorithm>) =>
	z.string().transform((name, context) => {
		const algorithm = algorithms.get(name);
		if (algorithm) return { name, algorithm };
		context.addIssue({ code: 'custom', message: 'unknown' });
		return z.NEVER;
	});

const binding = z
	.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
	.default(true);

/** Fields of a scheme that is not chosen are not looked at: the editor keeps what was once entered there. */
const settingsSchema = z.discriminatedUnion('payloadSignature', [
	// Absent where the credential is older than the field. Empty is no choice: an expression may have failed to give one.
	z.object({ payloadSignature: z.literal('none').optional() }),
	z.object({
		payloadSignature: z.literal('jws'),
		payloadSignatureAlgorithm: algorithmNamed(JWS_ALGORITHMS),
		payloadSignatureBinding: binding,
		...keyTexts,
	}),
	z.object({
		payloadSignature: z.literal('separated'),
		payloadSignatureSeparator: z.string().default('.'),
		payloadSignatureMethod: algorithmNamed(SEPARATED_METHODS),
		payloadSignatureEncoding: z.enum(['hex', 'base64']).default('base64'),
		payloadSignatureBinding: binding,
		...keyTexts,
	}),
]);

type Settings = z.output<typeof settingsSchema>;
type JwsSettings = Extract<Settings, { payloadSignature: 'jws' }>;
type SeparatedSettings = Extract<Settings, { payloadSignature: 'separated' }>;
type Encoding = SeparatedSettings['payloadSignatureEncoding'];

/** The labels under which people know the fields. */
const FIELD_LABELS: Readonly<Record<string, string>> = {
	payloadSignature: 'Signed Payloads',
	payloadSignatureAlgorithm: 'Signature Algorithm',
	payloadSignatureSeparator: 'Separator',
	payloadSignatureMethod: 'Signature Method',
	payloadSignatureEncoding: 'Signature Encoding',
	payloadSignatureBinding: 'Signature Covers the Message ID',
};

/** The settings cannot work; stays inside this file. */
class SettingsProblem extends Error {
	override readonly name = 'SettingsProblem';

	constructor(
		readonly title: string,
		readonly advice: string,
	) {
		super(`${title}. ${advice}`);
	}
}

/** What an action gives, or undefined when it throws. */
function attempt<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		return undefined;
	}
}

function readSecret(secret: string, minBytes: number): KeyObject {
	const bytes = Buffer.from(secret, 'utf8');
	if (bytes.length === 0) {
		throw new SettingsProblem(
			'The Signing Secret is empty',
			'Enter the secret with which your app signs payloads in the Diyalog API credential.',
		);
	}
	if (bytes.length < minBytes) {
		throw new SettingsProblem(
			'The Signing Secret is too short for the chosen algorithm',
			`The algorithm needs at least ${minBytes} bytes. Let your app sign with a longer random secret and enter that one.`,
		);
	}
	return createSecretKey(bytes);
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const PUBLIC_LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']);

/** Puts the line breaks of a PEM block where OpenSSL wants them: a masked field loses them, copying may make them `\n`. */
function rewrapPem(label: string, body: string): string {
	const lines = body.replace(/\\n|\s/g, '').match(/.{1,64}/g) ?? [];
	return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Of a certificate only the key counts; its dates and its issuer say nothing about a key that was entered by hand. */
function readPublicKey(pem: string): KeyObject {
	const advice =
		'Enter one public key as PEM, beginning with -----BEGIN PUBLIC KEY-----, or one certificate, beginning with -----BEGIN CERTIFICATE-----, in the Diyalog API credential.';
	if (pem.trim() === '') throw new SettingsProblem('The Public Key is empty', advice);
	// Node would derive the public key from it without a word, and the private one would stay stored here.
	if (/PRIVATE KEY/.test(pem)) {
		throw new SettingsProblem(
			'The Public Key is a private key',
			'Enter the public key of the pair instead. The private key belongs only on the device: if others could see it, replace the pair.',
		);
	}
	const blocks = [...pem.matchAll(PEM_BLOCK)];
	if (blocks.length > 1) throw new SettingsProblem('The Public Key holds several keys', advice);
	const [, label = '', body = ''] = blocks[0] ?? [];
	const key = PUBLIC_LABELS.has(label)
		? attempt(() => createPublicKey(rewrapPem(label, body)))
		: undefined;
	if (!key) throw new SettingsProblem('The Public Key cannot be read', advice);
	return key;
}

function curveOf(key: KeyObject): Curve | undefined {
	const name = key.asymmetricKeyDetails?.namedCurve;
	return ALL_CURVES.find((curve) => curve === name);
}

function describeKey(key: KeyObject): string {
	const { namedCurve = 'an unnamed curve', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
	if (key.asymmetricKeyType === 'rsa') return `an RSA key of ${modulusLength} bits`;
	if (key.asymmetricKeyType !== 'ec') return `a key of the type ${key.asymmetricKeyType}`;
	const curve = curveOf(key);
	return `an elliptic-curve key on ${curve ? CURVES[curve].label : namedCurve}`;
}

function requireFit(key: KeyObject, fits: boolean, needed: string): void {
	if (fits) return;
	throw new SettingsProblem(
		'The Public Key does not fit the chosen algorithm',
		`The algorithm needs ${needed}; this is ${describeKey(key)}. Choose the algorithm with which your app signs and enter the public key of the same pair.`,
	);
}

/** Refuses a key that fits and yet protects nothing. */
function requireStrong(isStrong: boolean): void {
	if (isStrong) return;
	throw new SettingsProblem(
		'The Public Key is too weak: signatures could be forged',
		'Let a new pair of keys be made with the usual settings (RSA with the exponent 65537, or Ed25519) and enter its public key.',
	);
}

/** Whether these bytes carry this signature; may throw on what is none. */
type SignatureCheck = (signed: Buffer, signature: Buffer) => boolean;

type KeyTexts = Pick<JwsSettings, keyof typeof keyTexts>;

/** Reads the key that the algorithm needs, once, and binds it to the algorithm: no message can choose either of them. */
function prepareCheck(algorithm: Algorithm, texts: KeyTexts): SignatureCheck {
	if (algorithm.family === 'hmac') {
		const { hash, minSecretBytes } = algorithm;
		const secret = readSecret(texts.payloadSignatureSecret, minSecretBytes);
		return (signed, signature) => {
			const expected = createHmac(hash, secret).update(signed).digest();
			return signature.length === expected.length && timingSafeEqual(signature, expected);
		};
	}

	const key = readPublicKey(texts.payloadSignaturePublicKey);
	if (algorithm.family === 'rsa') {
		const { hash, padding, saltLength } = algorithm;
		const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
		const fits = key.asymmetricKeyType === 'rsa' && bits >= MIN_RSA_BITS;
		requireFit(key, fits, `an RSA key of at least ${MIN_RSA_BITS} bits`);
		requireStrong(isSafeExponent(key.asymmetricKeyDetails?.publicExponent));
		return (signed, signature) => verify(hash, signed, { key, padding, saltLength }, signature);
	}

	if (algorithm.family === 'ed25519') {
		requireFit(key, key.asymmetricKeyType === 'ed25519', 'an Ed25519 key');
		requireStrong(!isSmallOrder(key));
		return (signed, signature) => verify(null, signed, key, signature);
	}

	const { hash, curves, acceptsDer } = algorithm;
	const labels = curves.map((curve) => CURVES[curve].label).join(', ');
	const curve = curveOf(key);
	const fits = curve !== undefined && curves.includes(curve);
	requireFit(key, fits, `an elliptic-curve key on ${labels}`);
	const bareLength = curve ? 2 * CURVES[curve].bytes : 0;
	return (signed, signature) =>
		(signature.length === bareLength &&
			verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) ||
		(acceptsDer && verify(hash, signed, { key, dsaEncoding: 'der' }, signature));
}

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

/** What a reader makes of a press: the inner payload, or undefined when it is not to be trusted. */
type PayloadReader = (press: SignedPress, now: Date) => string | undefined;

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

function jwsReader(settings: JwsSettings): PayloadReader {
	const { name, algorithm } = settings.payloadSignatureAlgorithm;
	const isSigned = prepareCheck(algorithm, settings);
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

/** Characters that every signature is made of; - and _ are in base64url only, so base64 works with them as separators. */
const SIGNATURE_ONLY: Readonly<Record<Encoding, RegExp>> = {
	hex: /^[0-9a-f]*$/i,
	base64: /^[A-Za-z0-9+/=]*$/,
};

function readSeparator({
	payloadSignatureSeparator: separator,
	payloadSignatureEncoding: encoding,
}: SeparatedSettings): string {
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
function separatedReader(settings: SeparatedSettings): PayloadReader {
	const separator = readSeparator(settings);
	const isSigned = prepareCheck(settings.payloadSignatureMethod.algorithm, settings);
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

/** Whatever cannot be verified is invalid, also what makes a reader throw. */
const verifierOf =
	(read: PayloadReader): PayloadVerifier =>
	(press, now) => {
		const inner = attempt(() => read(press, now));
		return inner === undefined
			? { payloadSignature: 'invalid', payload: press.payload }
			: { payloadSignature: 'valid', payload: inner };
	};

function prepareVerifier(settings: Settings): PayloadVerifier {
	if (settings.payloadSignature === 'jws') return verifierOf(jwsReader(settings));
	if (settings.payloadSignature === 'separated') return verifierOf(separatedReader(settings));
	return ({ payload }) => ({ payloadSignature: 'notChecked', payload });
}

/**
 * Reads from the credential how the company's app signs payloads.
 *
 * @param credential its fields, of unknown shape
 * @returns a verifier that holds the key ready, or why these settings cannot work
 */
export function createPayloadVerifier(
	credential: Readonly<Record<string, unknown>>,
): VerifierSetup {
	const settings = settingsSchema.safeParse(credential);
	if (!settings.success) {
		const field = settings.error.issues[0]?.path[0] ?? 'payloadSignature';
		return {
			ok: false,
			title: `${FIELD_LABELS[String(field)] ?? 'Signed Payloads'} has a value that is not possible`,
			advice: 'Set the field anew in the Diyalog API credential.',
		};
	}
	try {
		return { ok: true, verify: prepareVerifier(settings.data) };
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
