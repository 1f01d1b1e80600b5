import { JWS_ALGORITHMS, METHODS } from '../../../../nodes/Diyalog/deviceSignature/algorithms';
import { createPayloadVerifier } from '../../../../nodes/Diyalog/deviceSignature/verifier';
import { NOW, pressOf } from '../../../support/signedPayloads';
import { readVectors } from '../../../support/vectors';

/* Project Wycheproof's vectors: see test/vectors/wycheproof/README.md. */

type Verdict = 'valid' | 'invalid' | 'acceptable';

/** Number, text and signature in hexadecimal, and what an implementation ought to say. */
type Vector = [number: number, text: string, signature: string, verdict: Verdict];

interface Group {
	method: string;
	/** SubjectPublicKeyInfo, hexadecimal */
	spki: string;
	jwk?: object;
	tests: Vector[];
}

interface VectorFile {
	name: string;
	groups: Group[];
}

let files: VectorFile[];

beforeAll(async () => {
	files = await readVectors<VectorFile[]>('wycheproof/signatures.json.gz');
});

const textOf = (hex: string): string | undefined => {
	const bytes = Buffer.from(hex, 'hex');
	return Buffer.from(bytes.toString('utf8')).equals(bytes) ? bytes.toString('utf8') : undefined;
};

const credentialOf = (payloadSignatureMethod: string) => ({
	payloadSignature: 'signatureOnly',
	payloadSignatureMethod,
	payloadSignatureEncoding: 'hex',
	payloadSignatureBinding: false,
	payloadSignatureKeys: 'person',
});

type Checker = (text: string, signature: string) => boolean;

/** Checks bytes of which some are no text, so that the way of a press is not open to them. */
function byteChecker(method: string, entered: unknown, algorithms = METHODS): Checker {
	const sources = [{ name: 'The key', place: '', entered }];
	const [key] = algorithms.get(method)?.prepare({ sources, secretEncoding: 'text' }) ?? [];
	return (text, signature) => {
		try {
			return key?.check(Buffer.from(text, 'hex'), Buffer.from(signature, 'hex')) !== undefined;
		} catch {
			return false;
		}
	};
}

/** Checks as a question does, or undefined where the key is refused. */
function checkerOf(method: string, entered: unknown): Checker | undefined {
	const setup = createPayloadVerifier(credentialOf(method), entered);
	if (!setup.ok) return undefined;
	const ofBytes = byteChecker(method, entered);
	return (hex, signature) => {
		const text = textOf(hex);
		if (text === undefined) return ofBytes(hex, signature);
		const press = { ...pressOf(signature), issued: [text] };
		return setup.verify(press, NOW).payloadSignature === 'valid';
	};
}

/** How many vectors of each verdict came out how; "no key" where the key itself is refused. */
type Outcomes = Record<string, number>;

function outcomesOf({ name, groups }: VectorFile): Outcomes {
	const counted: Outcomes = {};
	for (const { method, spki, jwk, tests } of groups) {
		const check = checkerOf(method, spki);
		const checkJwk = jwk && checkerOf(method, jwk);
		const [first] = tests;
		if (first && checkJwk) expect(checkJwk(first[1], first[2])).toBe(check?.(first[1], first[2]));
		for (const [number, text, signature, verdict] of tests) {
			const isAccepted = check?.(text, signature);
			const isOtherSalt = OTHER_SALT[name]?.includes(number) ?? false;
			const kind = isOtherSalt ? 'other salt' : verdict;
			const outcome = isAccepted === undefined ? 'no key' : isAccepted ? 'accepted' : 'refused';
			counted[`${kind}, ${outcome}`] = (counted[`${kind}, ${outcome}`] ?? 0) + 1;
		}
	}
	return counted;
}

/**
 * Signatures that are right but for the length of their salt. RSA-PSS outside of a JWS takes salts of every length, as Java
 * and iOS do not agree about it; PS256 and PS512 take one length only, see below.
 */
const OTHER_SALT: Readonly<Record<string, readonly number[]>> = {
	rsa_pss_2048_sha256_mgf1_0_test: [67, 68],
	rsa_pss_2048_sha256_mgf1_32_test: [67, 68],
	rsa_pss_3072_sha256_mgf1_32_test: [67, 68],
	rsa_pss_4096_sha256_mgf1_32_test: [67, 68],
	rsa_pss_4096_sha512_mgf1_32_test: [136, 137],
};

const ecdsa = (valid: number, invalid: number, acceptable: number): Outcomes => ({
	'valid, accepted': valid,
	'invalid, refused': invalid,
	...(acceptable > 0 && { 'acceptable, refused': acceptable }),
});

/** The keys of these vectors have the exponent 3 or fewer than 2,048 bits. */
const rsa = (invalid: number, withWeakKey: number): Outcomes => ({
	'valid, accepted': 7,
	'invalid, refused': invalid,
	'acceptable, refused': 1,
	...(withWeakKey > 0 && { 'acceptable, no key': withWeakKey }),
});

const pss = (valid: number, invalid: number): Outcomes => ({
	'valid, accepted': valid,
	'invalid, refused': invalid,
	'other salt, accepted': 2,
});

const EXPECTED: ReadonlyArray<[string, Outcomes]> = [
	['ecdsa_secp256r1_sha256_test', ecdsa(147, 239, 1)],
	['ecdsa_secp256r1_sha256_p1363_test', ecdsa(146, 69, 4)],
	['ecdsa_secp256r1_sha512_test', ecdsa(216, 240, 1)],
	['ecdsa_secp256r1_sha512_p1363_test', ecdsa(215, 70, 4)],
	['ecdsa_secp384r1_sha384_test', ecdsa(168, 239, 1)],
	['ecdsa_secp384r1_sha384_p1363_test', ecdsa(167, 69, 3)],
	['ecdsa_secp384r1_sha512_test', ecdsa(205, 239, 2)],
	['ecdsa_secp384r1_sha512_p1363_test', ecdsa(204, 70, 3)],
	['ecdsa_secp521r1_sha512_test', ecdsa(206, 241, 0)],
	['ecdsa_secp521r1_sha512_p1363_test', ecdsa(205, 69, 3)],
	// Accepted are three with a hash that is shorter than the curve.
	['ecdsa_webcrypto_test', { ...ecdsa(248, 82, 7), 'acceptable, accepted': 3 }],
	['eddsa_test', ecdsa(84, 61, 0)],
	['rsa_signature_2048_sha256_test', rsa(230, 2)],
	['rsa_signature_2048_sha384_test', rsa(244, 0)],
	['rsa_signature_2048_sha512_test', rsa(231, 1)],
	['rsa_signature_3072_sha256_test', rsa(230, 1)],
	['rsa_signature_3072_sha384_test', rsa(231, 0)],
	['rsa_signature_3072_sha512_test', rsa(231, 1)],
	['rsa_signature_4096_sha384_test', rsa(231, 0)],
	['rsa_signature_4096_sha512_test', rsa(231, 0)],
	['rsa_sig_gen_misc_test', { 'valid, accepted': 72, 'acceptable, no key': 46 }],
	['rsa_pss_2048_sha256_mgf1_0_test', pss(61, 37)],
	['rsa_pss_2048_sha256_mgf1_32_test', pss(63, 38)],
	['rsa_pss_3072_sha256_mgf1_32_test', pss(63, 38)],
	['rsa_pss_4096_sha256_mgf1_32_test', pss(63, 38)],
	['rsa_pss_4096_sha512_mgf1_32_test', pss(132, 37)],
	['rsa_pss_misc_test', { 'valid, accepted': 18 }],
];

it('holds the files that are counted here', () => {
	expect(files.map(({ name }) => name)).toEqual(EXPECTED.map(([name]) => name));
	const counts = EXPECTED.flatMap(([, outcomes]) => Object.values(outcomes));
	expect(counts.reduce((sum, each) => sum + each, 0)).toBe(6_575);
});

const groupsOf = (name: string): Group[] => files.find((file) => file.name === name)?.groups ?? [];

it.each(EXPECTED)('%s', (name, outcomes) => {
	expect(outcomesOf({ name, groups: groupsOf(name) })).toEqual(outcomes);
});

/** In a JWS there is one encoding, one curve and one length of the salt for each algorithm. */
const AS_JWS: ReadonlyArray<[string, string, accepted: number]> = [
	['ES256', 'ecdsa_secp256r1_sha256_p1363_test', 146],
	['ES256', 'ecdsa_secp256r1_sha256_test', 0],
	['ES384', 'ecdsa_secp384r1_sha384_p1363_test', 167],
	['ES512', 'ecdsa_secp521r1_sha512_p1363_test', 205],
	['EdDSA', 'eddsa_test', 84],
	['PS256', 'rsa_pss_2048_sha256_mgf1_0_test', 1],
	['PS256', 'rsa_pss_2048_sha256_mgf1_32_test', 63],
	['PS256', 'rsa_pss_3072_sha256_mgf1_32_test', 63],
	['PS256', 'rsa_pss_4096_sha256_mgf1_32_test', 63],
	['PS512', 'rsa_pss_4096_sha512_mgf1_32_test', 0],
	['RS256', 'rsa_signature_3072_sha256_test', 7],
	['RS384', 'rsa_signature_3072_sha384_test', 7],
	['RS512', 'rsa_signature_3072_sha512_test', 7],
];

it.each(AS_JWS)('%s: %s', (algorithm, name, accepted) => {
	const found = groupsOf(name).flatMap(({ spki, tests }) => {
		let check: Checker;
		try {
			check = byteChecker(algorithm, spki, JWS_ALGORITHMS);
		} catch {
			return [];
		}
		return tests.filter(([, text, signature]) => check(text, signature));
	});
	expect(found.length).toBe(accepted);
	// The one exception is a salt as long as PS256 wants it, in a file whose keys are for none.
	const asWanted = name === 'rsa_pss_2048_sha256_mgf1_0_test' ? 'invalid' : 'valid';
	expect(new Set(found.map(([, , , verdict]) => verdict))).toEqual(
		new Set(accepted > 0 ? [asWanted] : []),
	);
});
