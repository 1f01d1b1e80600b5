import { z } from 'zod';
import {
	ended,
	env,
	freePort,
	path,
	projectRoot,
	run,
	signalGroup,
	startProcess,
	waitFor,
} from '../../../tools/system';

const STARTS_WITHIN_MS = 30_000;

const statsSchema = z.object({ requests: z.number(), maxInFlight: z.number() });

/** What the server saw. */
export type ServerStats = z.output<typeof statsSchema>;

/** A running server, in a process of its own so that its CPU time is nobody else's. */
export interface AnsweringServer {
	urls: Readonly<Record<'http' | 'https', string>>;
	/** the certificate that a client of the https address has to trust */
	certFile: string;
	/** what the server saw since this was called the last time */
	takeStats(): Promise<ServerStats>;
	stop(): Promise<void>;
}

/** Makes a certificate for loopback; node:crypto makes keys, but no certificates. */
async function makeCertificate(folder: string): Promise<{ keyFile: string; certFile: string }> {
	const keyFile = path.join(folder, 'key.pem');
	const certFile = path.join(folder, 'cert.pem');
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
	const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
	const files = ['-keyout', keyFile, '-out', certFile];
	await run('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, ...files]);
	return { keyFile, certFile };
}

/**
 * Starts the server.
 *
 * @param folder takes its key, certificate and log
 */
export async function startAnsweringServer(folder: string): Promise<AnsweringServer> {
	const { keyFile, certFile } = await makeCertificate(folder);
	const ports = { http: await freePort(), https: await freePort() };
	const script = path.join(projectRoot, 'test', 'bench', 'send', 'server.ts');
	const scriptArgs = [String(ports.http), String(ports.https), keyFile, certFile];
	const child = startProcess('node', ['--import', 'tsx', script, ...scriptArgs], {
		cwd: projectRoot,
		env,
		logFile: path.join(folder, 'server.log'),
	});
	const url = `http://127.0.0.1:${ports.http}`;
	const takeStats = async () => statsSchema.parse(await (await fetch(url)).json());
	const stop = async () => {
		signalGroup(child, 'SIGKILL');
		await ended(child);
	};
	await waitFor('the answering server', STARTS_WITHIN_MS, async () => {
		if (child.exitCode !== null) throw new Error('The answering server ended at once');
		return await takeStats().catch(() => undefined);
	}).catch(async (error: unknown) => {
		await stop();
		throw error;
	});
	return {
		urls: { http: url, https: `https://127.0.0.1:${ports.https}` },
		certFile,
		takeStats,
		stop,
	};
}
