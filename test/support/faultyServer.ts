import { z } from 'zod';
import { http, sleepMs } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';

/**
 * What a server does with one request. `delivers` tells whether a real Diyalog would have given the message to the
 * customer by then: it is counted as soon as the whole body was read.
 */
export type Behaviour =
	| { kind: 'accept'; contentType?: string; afterMs?: number }
	| { kind: 'resetOnConnect' }
	| { kind: 'resetBeforeBody' }
	| { kind: 'resetDuringBody' }
	| { kind: 'resetAfterBody' }
	| { kind: 'resetDuringAnswer' }
	| { kind: 'silence' }
	| { kind: 'slowAnswer' }
	| { kind: 'endlessAnswer' }
	| { kind: 'refuse'; status: number; text: string; headers?: Record<string, string> }
	| { kind: 'deliverAndAnswer'; status: number; text: string };

const idSchema = z.object({ messageId: z.string().default('') });

/** The body of SendOTP, or of SendMessage. */
const bodySchema = z.union([
	z.object({ message: idSchema }).transform(({ message }) => message),
	idSchema,
]);

/** A server that misbehaves as told, and counts what people would have received. */
export class FaultyServer {
	requests = 0;

	inFlight = 0;

	maxInFlight = 0;

	/** of the request that came last */
	lastBody = '';

	/** where the requests went, in their order */
	readonly paths: string[] = [];

	private readonly delivered = new Map<string, number>();

	private readonly server = http.createServer(
		(request, response) => void this.handle(request, response),
	);

	private constructor(private readonly behave: (requestNumber: number) => Behaviour) {
		this.server.on('connection', (socket) => {
			if (behave(this.requests + 1).kind !== 'resetOnConnect') return;
			this.requests++;
			socket.resetAndDestroy();
		});
	}

	/**
	 * @param behave what to do with the first, second, ... request
	 * @param port 0 for a free one
	 */
	static async start(
		behave: (requestNumber: number) => Behaviour,
		port = 0,
	): Promise<FaultyServer> {
		const faulty = new FaultyServer(behave);
		await new Promise<void>((resolve) => faulty.server.listen(port, '127.0.0.1', resolve));
		return faulty;
	}

	get url(): string {
		const { port } = this.server.address() as AddressInfo;
		return `http://127.0.0.1:${port}`;
	}

	/** How many times the person got the message. */
	times(messageId: string): number {
		return this.delivered.get(messageId) ?? 0;
	}

	/** How many messages people got. */
	get deliveries(): number {
		return [...this.delivered.values()].reduce((all, times) => all + times, 0);
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private async handle(
		request: InstanceType<typeof http.IncomingMessage>,
		response: InstanceType<typeof http.ServerResponse>,
	): Promise<void> {
		const behaviour = this.behave(++this.requests);
		this.paths.push(request.url ?? '');
		if (behaviour.kind === 'resetBeforeBody') return void request.socket.resetAndDestroy();
		this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
		response.once('close', () => this.inFlight--);
		const chunks: Buffer[] = [];
		for await (const chunk of request) {
			if (behaviour.kind === 'resetDuringBody') return void request.socket.resetAndDestroy();
			chunks.push(chunk as Buffer);
		}
		this.lastBody = Buffer.concat(chunks).toString();
		const { messageId } = bodySchema.parse(JSON.parse(this.lastBody));
		if (behaviour.kind === 'refuse') {
			response.writeHead(behaviour.status, behaviour.headers).end(behaviour.text);
			return;
		}
		this.delivered.set(messageId, this.times(messageId) + 1);
		if (behaviour.kind === 'accept') await sleepMs(behaviour.afterMs ?? 0);
		this.answer(behaviour, request, response);
	}

	private answer(
		behaviour: Behaviour,
		request: InstanceType<typeof http.IncomingMessage>,
		response: InstanceType<typeof http.ServerResponse>,
	): void {
		const accepted = '{"recipient_id":"243540663","message_id":"-7523925115459309081"}';
		switch (behaviour.kind) {
			case 'accept':
				response
					.writeHead(200, { 'content-type': behaviour.contentType ?? 'application/json' })
					.end(accepted);
				break;
			case 'deliverAndAnswer':
				response.writeHead(behaviour.status).end(behaviour.text);
				break;
			case 'resetAfterBody':
				request.socket.resetAndDestroy();
				break;
			case 'resetDuringAnswer':
				response.writeHead(200, { 'content-length': '1000' });
				response.write(accepted.slice(0, 20), () => request.socket.resetAndDestroy());
				break;
			case 'slowAnswer':
				response.writeHead(200, { 'content-length': '1000' });
				response.write(accepted.slice(0, 20));
				break;
			case 'endlessAnswer': {
				response.writeHead(200, { 'content-type': 'application/json' });
				const more = () => {
					while (!response.destroyed && response.write('x'.repeat(65_536)));
				};
				response.on('drain', more);
				more();
				break;
			}
			default:
				// Silence: the answer never comes.
				break;
		}
	}
}
