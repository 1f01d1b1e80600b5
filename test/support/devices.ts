import { webcrypto } from 'node:crypto';
import { env, existsSync, fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';

/* Keys and signatures as other programs make them. */

/** A signature, and its key in every form that its maker can give. */
export interface Signed {
	/** of the credential: a method, or of a JWS an algorithm */
	method: string;
	isJws: boolean;
	/** name and text, or JWK */
	forms: Array<[name: string, key: unknown]>;
	/** base64, for a JWS too; with or without line breaks */
	signature: string;
}

const base64 = (bytes: Buffer): string => bytes.toString('base64');

const isOnPath = (program: string): boolean =>
	(env.PATH ?? '').split(path.delimiter).some((folder) => existsSync(path.join(folder, program)));

/** Why no JDK can be asked on this machine; undefined when one can. A JRE runs no source. */
export const whyNoJdk = (): string | undefined =>
	isOnPath('javac') ? undefined : 'no JDK (Debian package default-jdk-headless) installed';

export const whyNoOpenSsl = (): string | undefined =>
	isOnPath('openssl') ? undefined : 'openssl (Debian package openssl) not installed';

interface JdkRow extends Omit<Signed, 'forms'> {
	/** names and texts in turn */
	forms: string[];
}

const inPairs = (forms: string[]): Array<[string, string]> =>
	forms.flatMap((name, index) => (index % 2 === 0 ? [[name, forms[index + 1] ?? '']] : []));

/**
 * What a JDK signs: a text with each method, and what a JWS signs with each algorithm.
 *
 * @param inputs header, dot and content by algorithm
 */
export async function signedByJdk(text: string, inputs: Record<string, string>): Promise<Signed[]> {
	const program = path.join(projectRoot, 'test/support/devices/Jdk.java');
	const asked = Object.entries(inputs).map((entry) => entry.join(' '));
	const given = [text, ...asked].map((each) => base64(Buffer.from(each)));
	const rows: JdkRow[] = JSON.parse(await run('java', [program, ...given]));
	return rows.map((row) => ({ ...row, forms: inPairs(row.forms) }));
}

/** OpenSSL in a folder of its own. */
export async function openOpenSsl() {
	const folder = await temporaryFolder('openssl');
	const at = (name: string): string => path.join(folder, name);
	const openssl = async (...options: string[]): Promise<string> =>
		await run('openssl', options, { cwd: folder });
	const read = async (name: string): Promise<Buffer> => await fs.readFile(at(name));
	const readText = async (name: string): Promise<string> => (await read(name)).toString('utf8');

	/** Each certificate is issued by one authority, so that all chains have the same root. */
	async function certify(name: string): Promise<void> {
		if (!existsSync(at('root.pem'))) {
			const options = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'root.key', '-subj', '/CN=Root'];
			await openssl('req', '-x509', ...options, '-out', 'root.pem');
		}
		await openssl('req', '-new', '-key', name, '-subj', '/CN=App', '-out', `${name}.csr`);
		const authority = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'];
		await openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-out', `${name}.crt`);
		await openssl('req', '-x509', '-key', name, '-subj', '/CN=App', '-out', `${name}.own.crt`);
	}

	async function formsOf(name: string, curve?: string): Promise<Signed['forms']> {
		await openssl('pkey', '-in', name, '-pubout', '-out', `${name}.pem`);
		await openssl('pkey', '-in', name, '-pubout', '-outform', 'DER', '-out', `${name}.der`);
		await certify(name);
		const pem = await readText(`${name}.pem`);
		const der = await read(`${name}.der`);
		const leaf = await readText(`${name}.crt`);
		const root = await readText('root.pem');
		const forms: Signed['forms'] = [
			['pkey -pubout', pem],
			['pkey -pubout, DER as Base64', base64(der)],
			['pkey -pubout, DER as hexadecimal in capitals', der.toString('hex').toUpperCase()],
			['the PEM file as Base64', base64(Buffer.from(pem))],
			['certificate', await readText(`${name}.own.crt`)],
			['certificate with -text', await openssl('x509', '-in', `${name}.own.crt`, '-text')],
			['certificate without PEM', leaf.replace(/-----[A-Z ]+-----/g, '')],
			['chain', leaf + root],
			['chain, the root first', root + leaf],
		];
		if (curve) {
			const { bytes } = { 'P-256': { bytes: 32 }, 'P-384': { bytes: 48 } }[curve] ?? { bytes: 66 };
			const point = der.subarray(-2 * bytes - 1);
			const short = Buffer.concat([
				Buffer.from([2 + ((der.at(-1) ?? 0) & 1)]),
				point.subarray(1, 1 + bytes),
			]);
			const parameters = await openssl('ecparam', '-name', curve);
			await openssl(
				...['pkey', '-in', name, '-pubout', '-ec_conv_form', 'compressed', '-out', `${name}.short`],
			);
			forms.push(
				['with EC PARAMETERS', parameters + pem],
				['compressed', await readText(`${name}.short`)],
				['X9.63 point as Base64', base64(point)],
				['X9.63 point, compressed', base64(short)],
				['both coordinates alone', base64(point.subarray(1))],
			);
		}
		return forms;
	}

	async function makeKey(name: string, ...options: string[]): Promise<void> {
		await openssl('genpkey', '-algorithm', ...options, '-out', name);
	}

	/** @param hash and its options; none where the algorithm needs none */
	async function sign(name: string, text: string, ...hash: string[]): Promise<string> {
		await fs.writeFile(at('text'), text);
		const { length } = hash;
		await (length > 0
			? openssl('dgst', ...hash, '-sign', name, '-out', 'signature', 'text')
			: openssl('pkeyutl', '-sign', '-inkey', name, '-rawin', '-in', 'text', '-out', 'signature'));
		return base64(await read('signature'));
	}

	/** What `openssl dgst -verify` says of a signature, and the thumbprint of the key. */
	async function judge(pem: string, text: string, signature: string) {
		await fs.writeFile(at('judged.pem'), pem);
		await fs.writeFile(at('judged.text'), text);
		await fs.writeFile(at('judged.signature'), Buffer.from(signature, 'base64'));
		await openssl('pkey', '-pubin', '-in', 'judged.pem', '-outform', 'DER', '-out', 'judged.der');
		const options = ['-sha256', '-verify', 'judged.pem', '-signature', 'judged.signature'];
		const said = await openssl('dgst', ...options, 'judged.text');
		const thumbprint = await openssl('dgst', '-sha256', '-r', 'judged.der');
		return { said: said.trim(), thumbprint: thumbprint.slice(0, 64) };
	}

	/** Certificates that have all issued one another. */
	async function certificatesOfOneKey(count: number): Promise<string[]> {
		await makeKey('authority', 'ED25519');
		const names = Array.from({ length: count }, (_, index) => `authority.${index}.crt`);
		for (const name of names) {
			await openssl('req', '-x509', '-key', 'authority', '-subj', '/CN=App', '-out', name);
		}
		return await Promise.all(names.map(readText));
	}

	return { makeKey, formsOf, sign, judge, certificatesOfOneKey };
}

/** What WebCrypto gives of a public key. */
export async function webCryptoForms(key: webcrypto.CryptoKey): Promise<Signed['forms']> {
	const { subtle } = webcrypto;
	const spki = Buffer.from(await subtle.exportKey('spki', key));
	const jwk = await subtle.exportKey('jwk', key);
	const forms: Signed['forms'] = [
		['spki', base64(spki)],
		['jwk', jwk],
		['jwk as text', JSON.stringify(jwk)],
		['jwk in a set', { keys: [jwk] }],
	];
	if (key.algorithm.name.startsWith('RSA')) return forms;
	const raw = Buffer.from(await subtle.exportKey('raw', key));
	return [...forms, ['raw', base64(raw)], ['raw as hexadecimal', raw.toString('hex')]];
}
