/* eslint-disable @n8n/community-nodes/no-restricted-imports -- a server of tests; nothing here is published */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { fs, https, path, run, temporaryFolder } from '../../tools/system';

/** A TLS server that takes a request and then breaks the connection with bytes that are no TLS of this connection. */
export class FaultyTlsServer {
	/** what the client gets in place of an answer */
	breakWith: Buffer = Buffer.alloc(0);

	/** how many requests were read to their end */
	delivered = 0;

	private readonly clients = new Map<number | undefined, Socket>();

	private constructor(
		private readonly front: Server,
		private readonly inner: Server,
	) {}

	/** Starts it with a certificate of its own, which nobody trusts. */
	static async start(): Promise<FaultyTlsServer> {
		const folder = await temporaryFolder('tls');
		const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
		const subject = [
			'-subj',
			'/CN=127.0.0.1',
			'-days',
			'2',
			'-nodes',
			'-keyout',
			key,
			'-out',
			cert,
		];
		await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject]);
		const files = { key: await fs.readFile(key), cert: await fs.readFile(cert) };
		await fs.rm(folder, { recursive: true, force: true });

		const inner = https.createServer(files, (request) => {
			request.resume().once('end', () => {
				faulty.delivered++;
				faulty.clients.get(request.socket.remotePort)?.end(faulty.breakWith);
			});
		});
		inner.on('tlsClientError', () => undefined);
		await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve));
		const innerPort = (inner.address() as AddressInfo).port;
		const front = createServer((client) => {
			const upstream = connect(innerPort, '127.0.0.1', () =>
				faulty.clients.set(upstream.localPort, client),
			);
			client.on('error', () => undefined).pipe(upstream);
			upstream.on('error', () => undefined).pipe(client);
			client.once('close', () => upstream.destroy());
		});
		const faulty = new FaultyTlsServer(front, inner);
		await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
		return faulty;
	}

	get url(): string {
		return `https://127.0.0.1:${(this.front.address() as AddressInfo).port}/v1/bots/sendmok/token`;
	}

	async close(): Promise<void> {
		for (const client of this.clients.values()) client.destroy();
		await new Promise((resolve) => this.front.close(resolve));
		await new Promise((resolve) => this.inner.close(resolve));
	}
}
