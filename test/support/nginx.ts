import type { ChildProcess } from '../../tools/system';
import {
	ended,
	env,
	existsSync,
	fs,
	path,
	signalGroup,
	startProcess,
	temporaryFolder,
	waitFor,
} from '../../tools/system';

const STARTS_WITHIN_MS = 10_000;

const findNginx = (): string | undefined =>
	[...(env.PATH ?? '').split(path.delimiter), '/usr/sbin']
		.map((folder) => path.join(folder, 'nginx'))
		.find(existsSync);

/** Why nginx cannot be tested on this machine; undefined when it can. */
export const whyNoNginx = (): string | undefined =>
	findNginx() ? undefined : 'nginx (Debian package nginx-light) not installed';

/** Everything that nginx writes stays in its folder. */
const configuration = (port: number, server: string): string => `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen 127.0.0.1:${port};
		${server}
	}
}
`;

async function stop(child: ChildProcess, folder: string): Promise<void> {
	signalGroup(child, 'SIGKILL');
	await ended(child);
	await fs.rm(folder, { recursive: true, force: true });
}

/**
 * Starts an nginx on loopback.
 *
 * @param port a free one
 * @param server what stands in its one server block
 * @returns a function that ends it
 */
export async function startNginx(port: number, server: string): Promise<() => Promise<void>> {
	const program = findNginx();
	if (!program) throw new Error('nginx is not installed');
	const folder = await temporaryFolder('nginx');
	const configFile = path.join(folder, 'nginx.conf');
	await fs.writeFile(configFile, configuration(port, server));
	const logFile = path.join(folder, 'nginx.log');
	const nginxArgs = ['-p', folder, '-c', configFile, '-e', 'stderr'];
	const child = startProcess(program, nginxArgs, { cwd: folder, env, logFile });
	await waitFor('nginx answers', STARTS_WITHIN_MS, async () => {
		if (child.exitCode !== null) {
			throw new Error(`nginx ended at once:\n${await fs.readFile(logFile, 'utf8')}`);
		}
		return await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
	}).catch(async (error: unknown) => {
		await stop(child, folder);
		throw error;
	});
	return async () => await stop(child, folder);
}
