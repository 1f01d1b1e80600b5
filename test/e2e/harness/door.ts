import { http, sleepMs } from '../../../tools/system';
import type { AddressInfo } from '../../../tools/system';

/** Stands in front of the sandbox: what it does with an answer of Diyalog's can be changed. */
export class Door {
	/** undefined lets the call through */
	refuse?: { status: number; headers: Record<string, string> };
	/** the message arrives, and the connection breaks off */
	breaksOff = false;
	/** how long an answer is held back; the message has arrived */
	holdMs = 0;
	/** which messages these two concern, by their body; all unless told otherwise */
	concerns: (body: string) => boolean = () => true;
	requests = 0;
	target = '';

	private readonly server = http.createServer((request, response) => {
		void (async () => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk as Buffer);
			this.requests++;
			if (this.refuse) {
				response.writeHead(this.refuse.status, this.refuse.headers).end('no');
				return;
			}
			const body = Buffer.concat(chunks);
			const isConcerned = this.concerns(body.toString());
			const answer = await fetch(`${this.target}${request.url}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body,
			});
			const text = await answer.text();
			if (this.breaksOff && isConcerned) return void response.destroy();
			// An answer for which nobody waits any more must not keep the tests from ending.
			await sleepMs(isConcerned ? this.holdMs : 0, undefined, { ref: false });
			response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
		})();
	});

	async open(): Promise<string> {
		await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}
