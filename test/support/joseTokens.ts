import { randomBytes } from 'node:crypto';
import { args, print } from '../../tools/system';

/*
 * Keys and tokens made by the jose library, as JSON on standard output. A program of its own, run with tsx, because jose
 * is an ES module and jest loads none without a flag.
 *
 *     tsx test/support/joseTokens.ts '{"algorithms":["ES256"],"claims":{"payload":"approve"},"text":"approve"}'
 */

export interface JoseRequest {
	algorithms: readonly string[];
	/** content of the first token */
	claims: Record<string, unknown>;
	/** content of the second token */
	text: string;
}

/** A key, as text, and two tokens made with it. */
export interface JoseTokens {
	/** HMAC secret, empty for the others */
	secret: string;
	/** PEM, empty for HMAC */
	publicKey: string;
	privateKey: string;
	/** absent for HMAC */
	jwk?: object;
	claimsToken: string;
	textToken: string;
}

async function makeTokens(algorithm: string, { claims, text }: JoseRequest): Promise<JoseTokens> {
	const { CompactSign, SignJWT, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } =
		await import('jose');
	const secret = algorithm.startsWith('HS') ? randomBytes(32).toString('hex') : '';
	const pair = secret ? undefined : await generateKeyPair(algorithm, { extractable: true });
	const key = pair?.privateKey ?? Buffer.from(secret);
	const header = { alg: algorithm, kid: algorithm };
	return {
		secret,
		publicKey: pair ? await exportSPKI(pair.publicKey) : '',
		privateKey: pair ? await exportPKCS8(pair.privateKey) : '',
		jwk: pair && { ...(await exportJWK(pair.publicKey)), kid: algorithm },
		claimsToken: await new SignJWT(claims).setProtectedHeader(header).sign(key),
		textToken: await new CompactSign(Buffer.from(text)).setProtectedHeader(header).sign(key),
	};
}

async function main(): Promise<void> {
	const request: JoseRequest = JSON.parse(args[0] ?? '');
	const made = request.algorithms.map(
		async (algorithm) => [algorithm, await makeTokens(algorithm, request)] as const,
	);
	print(JSON.stringify(Object.fromEntries(await Promise.all(made))));
}

if (require.main === module) void main();
