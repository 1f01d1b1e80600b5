import { randomUUID } from 'node:crypto';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INode,
	INodeParameters,
} from 'n8n-workflow';
import { http } from '../../tools/system';
import type { AddressInfo } from '../../tools/system';
import { TriggerUnderTest } from './nodeRuntime';
import { serve } from './webhookServer';
import type { WebhookServer } from './webhookServer';

/** A call as it came to the address of an n8n. */
export interface SeenCall {
	path: string;
	headers: http.IncomingHttpHeaders;
	body: Buffer;
	/** what was answered; undefined as long as nothing was */
	status?: number;
}

/** What is answered in place of a trigger: a status, another one's words, or nothing at all. */
export type Fault =
	| number
	| {
			status: number;
			text: string;
			location?: string;
			/** only calls whose body holds it are answered so */
			ifHolding?: string;
	  }
	| 'silence';

/** A trigger of this n8n. */
export interface Started {
	id: string;
	trigger: TriggerUnderTest;
	server: WebhookServer;
	url: string;
}

/** How a trigger of this n8n is set up; what is left out is as in a new workflow. */
export interface Setup {
	credentials: ICredentialDataDecryptedObject;
	parameters?: INodeParameters;
	/** what its workflow has stored */
	staticData?: IDataObject;
	workflowId?: string;
	/** what tells the node from others of its workflow, and stays when it has another name */
	nodeId?: string;
	/** what the whole workflow has stored */
	workflowData?: IDataObject;
	/** other nodes of the workflow */
	others?: INode[];
	/** the code of the trigger as another process has loaded it */
	Process?: typeof TriggerUnderTest;
	/** what n8n takes for its own address */
	knownUrl?: string;
	/** an n8n that starts again does not activate what was published before */
	isActivated?: boolean;
}

/** One address at which several triggers are reached, as an n8n has it: `/webhook/<id>/webhook`. */
export class OneN8n {
	readonly calls: SeenCall[] = [];

	/** by the beginning of a path */
	readonly faults = new Map<string, Fault>();

	/** what is taken out of replies on the way, in lower case */
	readonly removedHeaders: string[] = [];

	readonly started: WebhookServer[] = [];

	private readonly triggers = new Map<string, WebhookServer>();

	private constructor(
		private readonly server: http.Server,
		readonly url: string,
		private readonly waitingUrl: string | undefined,
	) {}

	/** @param waitingUrl where waiting executions are reached */
	static async start(waitingUrl?: string): Promise<OneN8n> {
		const server = http.createServer((request, response) => void one.handle(request, response));
		// On a busy machine it would end a connection at the moment at which a test uses it again.
		server.keepAliveTimeout = 0;
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		const one = new OneN8n(server, `http://127.0.0.1:${port}`, waitingUrl);
		return one;
	}

	/** Where a trigger is reached; nobody has to listen there. */
	urlOf(id: string, path = 'webhook', endpoint = 'webhook'): string {
		return `${this.url}/${endpoint}/${id}/${path}`;
	}

	/** A trigger that takes presses and texts of signed calls is published; it ends with this n8n. */
	async run(id: string, setup: Setup): Promise<Started> {
		const { staticData = {}, workflowId = randomUUID(), knownUrl = this.url } = setup;
		const { nodeId, workflowData = {}, Process = TriggerUnderTest } = setup;
		const settings = {
			credentials: setup.credentials,
			parameters: {
				events: ['buttonPressed', 'textReceived'],
				authentication: 'signature',
				options: {},
				...setup.parameters,
			},
			settings: { webhookId: id, ...(nodeId !== undefined && { id: nodeId }) },
		};
		const stored = JSON.parse(JSON.stringify(staticData)) as IDataObject;
		const trigger = new Process(settings, workflowId, stored, { url: knownUrl });
		if (setup.others) trigger.publishWith(setup.others);
		Object.assign(trigger.workflowData, JSON.parse(JSON.stringify(workflowData)));
		if (setup.isActivated === false) trigger.activate = async () => undefined;
		const server = await serve(trigger);
		this.started.push(server);
		this.publish(id, server);
		return { id, trigger, server, url: this.urlOf(id) };
	}

	/** A workflow is published, or with `webhook-test` listens in the editor. */
	publish(id: string, trigger: WebhookServer, endpoint = 'webhook'): void {
		this.triggers.set(`/${endpoint}/${id}`, trigger);
	}

	switchOff(id: string): void {
		this.triggers.delete(`/webhook/${id}`);
	}

	/** The calls that came to a trigger. */
	callsTo(id: string): SeenCall[] {
		return this.calls.filter(({ path }) => path.includes(`/${id}/`));
	}

	async close(): Promise<void> {
		for (const server of this.started) await server.close();
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private targetOf(path: string): string | undefined {
		if (path.startsWith('/webhook-waiting/')) return `${this.waitingUrl}${path}`;
		const [, place = '', last] = /^(.*)\/([^/]*)$/.exec(path) ?? [];
		const trigger = this.triggers.get(place);
		return last === 'webhook' ? trigger?.url : trigger?.statusUrl;
	}

	private async handle(request: http.IncomingMessage, response: http.ServerResponse) {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const { url: path = '', headers } = request;
		const seen: SeenCall = { path, headers, body: Buffer.concat(chunks) };
		this.calls.push(seen);
		const [, fault] = [...this.faults].find(([start]) => path.startsWith(start)) ?? [];
		if (fault === 'silence') return;
		const answer = (status: number, text: string, more = {}) => {
			seen.status = status;
			response.writeHead(status, more).end(text);
		};
		if (typeof fault === 'number') return answer(fault, 'It fails');
		if (fault && seen.body.includes(fault.ifHolding ?? ''))
			return answer(fault.status, fault.text, fault.location ? { location: fault.location } : {});
		const target = this.targetOf(path);
		if (target === undefined)
			return answer(404, '{"code":404,"message":"The requested webhook is not registered."}');
		const handedOn = http.request(target, { method: 'POST', headers }, (answered) => {
			const parts: Buffer[] = [];
			answered.on('data', (part: Buffer) => parts.push(part));
			answered.on('end', () => {
				const { statusCode = 0, headers: given } = answered;
				for (const name of this.removedHeaders) delete given[name];
				answer(statusCode, Buffer.concat(parts).toString(), given);
			});
		});
		handedOn.on('error', () => answer(502, 'Bad Gateway'));
		handedOn.end(seen.body);
	}
}
