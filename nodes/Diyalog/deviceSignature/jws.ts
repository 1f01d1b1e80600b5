import { lazily, z } from '../lib/zod';
import { decodeBase64url, decodeUtf8, parseObject, repeatsName } from './encodings';
import { createSignerFinder } from './format';
import type { PayloadFormat } from './format';
import type { InvalidReason, SignedPress } from './press';
import type { SettingsOf } from './settings';

/*
 * A JSON Web Signature in compact form.
 * Sources: RFC 7515 (JWS), RFC 7519 (exp, nbf, iat)
 */

/** Diyalog's own tolerance for differing clocks. */
const CLOCK_TOLERANCE_S = 15 * 60;

const numericDate = lazily(() => z.number().finite().optional());

const claimsSchema = lazily(() =>
	z.object({
		payload: z.unknown().optional(),
		messageId: z.string().optional(),
		customerNo: z.string().optional(),
		exp: numericDate(),
		nbf: numericDate(),
		iat: numericDate(),
	}),
);

type Claims = z.output<ReturnType<typeof claimsSchema>>;

/** Written so that a clock without a time (NaN) accepts nothing that carries one. */
function untimelyReason({ exp, nbf, iat }: Claims, now: Date): InvalidReason | undefined {
	const nowS = now.getTime() / 1_000;
	const hasBegun = (start: number | undefined) =>
		start === undefined || start <= nowS + CLOCK_TOLERANCE_S;
	const hasNotEnded = exp === undefined || nowS < exp + CLOCK_TOLERANCE_S;
	if (!hasNotEnded) return 'expired';
	return hasBegun(nbf) && hasBegun(iat) ? undefined : 'notYetValid';
}

/** Reads the verified content of a JWS: claims, or without binding also a bare text. */
function readContent(
	content: string,
	isBound: boolean,
	press: SignedPress,
	now: Date,
): { payload: string } | InvalidReason {
	const object = parseObject(content);
	if (!object) return isBound ? 'malformed' : { payload: content };
	if (repeatsName(content)) return 'malformed';
	const { data: claims } = claimsSchema().safeParse(object);
	if (!claims) return 'malformed';
	const untimely = untimelyReason(claims, now);
	if (untimely) return untimely;
	const { payload, messageId, customerNo } = claims;
	if (customerNo !== undefined && customerNo !== press.customerNo) return 'otherCustomer';
	if (messageId !== undefined && messageId !== press.messageId) return 'otherMessage';
	if (typeof payload !== 'string') return isBound ? 'malformed' : { payload: content };
	return isBound && messageId === undefined ? 'otherMessage' : { payload };
}

/** Which key, algorithm and binding count is set; a header can only agree with it. */
export function jwsFormat(settings: SettingsOf<'jws'>): PayloadFormat {
	const { jwaNames } = settings.payloadSignatureAlgorithm;
	const isBound = settings.payloadSignatureBinding;
	// No extension is understood, so none may be critical (RFC 7515, 4.1.11), whatever else `crit` may hold.
	const headerSchema = z.object({
		alg: z.enum(jwaNames),
		kid: z.string().optional().catch(undefined),
		crit: z.never().optional(),
	});

	return (keys) => {
		const findSigner = createSignerFinder(settings, keys);
		return (press, now) => {
			const parts = press.payload.split('.', 4);
			if (parts.length !== 3) return 'malformed';
			const [header, content, signature] = parts.map(decodeBase64url);
			if (!header || !content || !signature) return 'malformed';
			const headerText = decodeUtf8(header);
			const { data: named } = headerSchema.safeParse(parseObject(headerText));
			if (!named || repeatsName(headerText)) return 'malformed';
			const signedText = press.payload.slice(0, press.payload.lastIndexOf('.'));
			const evidence = findSigner(signedText, signature, named.kid);
			if (!evidence) return 'signature';
			const read = readContent(decodeUtf8(content), isBound, press, now);
			return typeof read === 'string' ? read : { ...read, evidence };
		};
	};
}
