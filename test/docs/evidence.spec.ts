import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { env, existsSync, fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';
import { runDiyalogNode } from '../support/nodeRuntime';
import { describeUnless } from '../support/skip';

/* What docs/evidence.md says about checking an answer with OpenSSL is done, line by line, with what the node gives. */

const missing = ['bash', 'openssl', 'jq'].filter(
	(program) =>
		!(env.PATH ?? '')
			.split(path.delimiter)
			.some((folder) => existsSync(path.join(folder, program))),
);
const reason = missing.length > 0 ? `there is no ${missing.join(', ')}` : undefined;

const text = async () => await fs.readFile(path.join(projectRoot, 'docs/evidence.md'), 'utf8');

/** The commands of the document, in its order. */
async function blocks(): Promise<string[]> {
	const found = [...(await text()).matchAll(/```sh\n([^`]*)```/g)].map(([, block = '']) => block);
	expect(found).toHaveLength(9);
	return found;
}

interface Case {
	method: string;
	key: { publicKey: KeyObject; privateKey: KeyObject };
	signature: (bytes: Buffer, key: KeyObject) => Buffer;
	/** which blocks, and what the last of them prints */
	checks: [which: number[], says: RegExp];
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const CASES: Case[] = [
	{
		method: 'ecdsaSha256',
		key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
		signature: (bytes, key) => sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
		checks: [[1], /^Verified OK$/m],
	},
	{
		method: 'rsaSha256',
		key: rsa,
		signature: (bytes, key) => sign('sha256', bytes, key),
		checks: [[1], /^Verified OK$/m],
	},
	{
		method: 'rsaPssSha256',
		key: rsa,
		signature: (bytes, key) =>
			sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }),
		checks: [[1, 2], /^Verified OK$/m],
	},
	{
		method: 'ed25519',
		key: generateKeyPairSync('ed25519'),
		signature: (bytes, key) => sign(null, bytes, key),
		checks: [[1, 3], /^Signature Verified Successfully$/m],
	},
];

/** What the operation Verify makes of a signed payload, as files in a folder of its own. */
async function evidenceOf(
	parameters: Record<string, string | boolean>,
	payload: string,
	publicKey: KeyObject,
): Promise<string> {
	const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
	const { items } = await runDiyalogNode({
		credentials: {},
		parameters: {
			resource: 'signedPayload',
			operation: 'verify',
			payload,
			messageId: 'transfer-17',
			signatureSettings: 'fields',
			payloadSignaturePublicKey: pem,
			...parameters,
		},
	});
	const folder = await temporaryFolder('evidence');
	const [item] = items;
	await fs.writeFile(path.join(folder, 'evidence.json'), JSON.stringify(item?.json.evidence));
	await fs.writeFile(path.join(folder, 'customer.pem'), pem);
	return folder;
}

/** What the commands print, whether they succeed or not. */
const shell = async (folder: string, commands: string): Promise<string> =>
	await run(
		'bash',
		[
			'-c',
			`{ ${commands}
} 2>&1`,
		],
		{ cwd: folder },
	).catch(String);

describeUnless(reason, 'the commands of docs/evidence.md', () => {
	it.each(CASES)('$method', async ({ method, key, signature, checks: [which, says] }) => {
		const payload = 'approve~tüm';
		const signed = `${payload}.${signature(Buffer.from(payload), key.privateKey).toString('base64')}`;
		const folder = await evidenceOf(
			{
				payloadSignature: 'separated',
				payloadSignatureMethod: method,
				payloadSignatureSeparator: '.',
				payloadSignatureBinding: false,
			},
			signed,
			key.publicKey,
		);
		const commands = await blocks();
		const [given, computed] = (await shell(folder, commands[0] ?? '')).trim().split('\n');
		expect(given).toMatch(/^[0-9a-f]{64}$/);
		expect(computed).toBe(given);
		const check = which.map((index) => commands[index]).join('');
		expect(await shell(folder, check)).toMatch(says);
		// Another key, and another text.
		const other = key.publicKey.asymmetricKeyType === 'rsa' ? CASES[0] : CASES[1];
		const evidence = await fs.readFile(path.join(folder, 'evidence.json'), 'utf8');
		await fs.writeFile(path.join(folder, 'evidence.json'), evidence.replaceAll('tüm', 'tum'));
		expect(await shell(folder, check)).not.toMatch(says);
		await fs.writeFile(path.join(folder, 'evidence.json'), evidence);
		const pem = other?.key.publicKey.export({ type: 'spki', format: 'pem' }) ?? '';
		await fs.writeFile(path.join(folder, 'customer.pem'), pem);
		expect(await shell(folder, check)).not.toMatch(says);
		await fs.rm(folder, { recursive: true });
	});

	describe('customer.pem of a key that is written in another way', () => {
		const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
		const spki = publicKey.export({ type: 'spki', format: 'der' });
		const base64 = (bytes: Buffer) => bytes.toString('base64');
		const compress = 'openssl ec -pubin -in customer.pem -conv_form compressed -out short.pem';
		it.each([
			['compressed', 5, 'customer.pem', undefined],
			['SubjectPublicKeyInfo in Base64', 6, 'key.txt', base64(spki)],
			['a point of X9.63', 7, 'key.txt', base64(spki.subarray(-65))],
			['a JWK', 8, 'key.json', JSON.stringify(publicKey.export({ format: 'jwk' }))],
		])('%s: the thumbprint is the one of the evidence', async (_what, block, file, written) => {
			const folder = await temporaryFolder('key');
			const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
			const keyThumbprint = createHash('sha256').update(spki).digest('hex');
			await fs.writeFile(path.join(folder, 'evidence.json'), JSON.stringify({ keyThumbprint }));
			await fs.writeFile(path.join(folder, 'customer.pem'), pem);
			const commands = await blocks();
			if (written === undefined) {
				await shell(folder, `${compress} && mv short.pem customer.pem`);
				const [given, computed] = (await shell(folder, commands[0] ?? '')).trim().split('\n');
				expect(given).toBe(keyThumbprint);
				expect(computed).not.toBe(given);
			} else {
				await fs.rm(path.join(folder, 'customer.pem'));
				await fs.writeFile(path.join(folder, file), written);
			}
			await shell(folder, commands[block] ?? '');
			expect((await shell(folder, commands[0] ?? '')).trim().split('\n')).toEqual([
				keyThumbprint,
				keyThumbprint,
			]);
			const made = await fs.readFile(path.join(folder, 'customer.pem'), 'utf8');
			expect(made.trim()).toBe(pem.trim());
			await fs.rm(folder, { recursive: true });
		});
	});

	it('what a JWS says', async () => {
		const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
		const claims = { payload: 'approve~x?>', messageId: 'transfer-17' };
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
		const head = `${part({ alg: 'ES256' })}.${part(claims)}`;
		const dsaEncoding = 'ieee-p1363';
		const bytes = sign('sha256', Buffer.from(head), { key: privateKey, dsaEncoding });
		const folder = await evidenceOf(
			{ payloadSignature: 'jws', payloadSignatureAlgorithm: 'ES256' },
			`${head}.${bytes.toString('base64url')}`,
			publicKey,
		);
		const commands = await blocks();
		expect(await shell(folder, commands[1] ?? '')).toMatch(/^Verified OK$/m);
		expect(JSON.parse(await shell(folder, commands[4] ?? ''))).toEqual(claims);
		await fs.rm(folder, { recursive: true });
	});
});
