import { http } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';

/** A server that gives one answer to everything. */
export interface AnswerServer {
	url: string;
	/** how many requests it got */
	requests(): number;
	close(): Promise<void>;
}

export interface Answer {
	status: number;
	text: string;
	headers?: Readonly<Record<string, string>>;
}

/** Starts a server on a free port of loopback that gives the same answer to every request. */
export async function serveAnswer({ status, text, headers }: Answer): Promise<AnswerServer> {
	let count = 0;
	const server = http.createServer((request, response) => {
		count++;
		request.resume().on('end', () => response.writeHead(status, headers).end(text));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		requests: () => count,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
