import type { AddressInfo } from '../../../tools/system';
import { http } from '../../../tools/system';

/** A load balancer on loopback, as it stands before several webhook processes. */
export interface RoundRobin {
	url: string;
	/** the processes behind it, in turn; without one it answers 502 */
	targets: string[];
	close(): Promise<void>;
}

/** Starts a load balancer that hands each call to the next of its targets, and repeats none. */
export async function startRoundRobin(): Promise<RoundRobin> {
	const targets: string[] = [];
	let next = 0;
	const server = http.createServer((request, response) => {
		const target = targets[next++ % targets.length];
		const fail = () => {
			if (!response.headersSent) response.writeHead(502);
			response.end();
		};
		if (target === undefined) return fail();
		const { method, headers, url = '/' } = request;
		const call = http.request(`${target}${url}`, { method, headers }, (answer) => {
			response.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(response);
		});
		call.on('error', fail);
		response.on('close', () => call.destroy());
		request.pipe(call);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		targets,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
