import Fastify from 'fastify';
import { waitFor } from '../../../tools/system';

/* Where a workflow of a benchmark reports how far it has got. */

export const ARRIVES_WITHIN_MS = 20_000;

/** Takes what the workflows report: where they can be continued, and that they were. */
export class Receiver {
	private readonly arrivals = new Map<string, { atMs: number; body: unknown }>();

	private readonly app = Fastify({ forceCloseConnections: true });

	url = '';

	static async start(): Promise<Receiver> {
		const receiver = new Receiver();
		receiver.app.post<{ Params: { key: string } }>('/:key', (request) => {
			receiver.arrivals.set(request.params.key, { atMs: performance.now(), body: request.body });
			return { ok: true };
		});
		receiver.url = await receiver.app.listen({ host: '127.0.0.1', port: 0 });
		return receiver;
	}

	async close(): Promise<void> {
		await this.app.close();
	}

	async arrival(key: string): Promise<{ atMs: number; body: unknown }> {
		return await waitFor(key, ARRIVES_WITHIN_MS, () => this.arrivals.get(key));
	}
}

/** Tells executions apart: the caller gives it. */
export const ID = '{{ $("Call").item.json.body.id }}';
