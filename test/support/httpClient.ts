import { http } from '../../tools/system';

export interface HttpAnswer {
	status: number;
	text: string;
}

/** A client that keeps its connections, for many small calls of one server. */
export class HttpClient {
	private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

	async post(
		url: string,
		body: Buffer,
		headers: Readonly<Record<string, string>>,
	): Promise<HttpAnswer> {
		return await new Promise((resolve, reject) => {
			const options = {
				agent: this.agent,
				method: 'POST',
				headers: { 'content-length': String(body.length), ...headers },
			};
			const request = http.request(url, options, (response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('end', () =>
					resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
				);
			});
			request.once('error', reject);
			request.end(body);
		});
	}

	close(): void {
		this.agent.destroy();
	}
}
