import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import type { IDataObject } from 'n8n-workflow';
import type { AddressInfo } from '../../tools/system';
import { sleepMs } from '../../tools/system';
import { TriggerUnderTest } from './nodeRuntime';
import type { NodeSetup, WebhookName } from './nodeRuntime';

/** A real HTTP server that hands every call to a Diyalog Trigger, as n8n does. */
export interface WebhookServer {
	url: string;
	/** address of the older status callback */
	statusUrl: string;
	/** the items of every execution that was started */
	executions: IDataObject[][];
	/** errors that the trigger let escape; n8n would answer 500 */
	escaped: unknown[];
	/** how many bodies the trigger asked n8n to read */
	bodiesRead: number;
	/** as long as this is on, n8n cannot store an execution and answers 500 */
	isDiskFull: boolean;
	/** how long n8n takes to store an execution */
	storesAfterMs: number;
	/** n8n holds back what it is to store meanwhile, until this is settled */
	held: Promise<unknown> | undefined;
	/** how long n8n takes with its database before it asks the trigger */
	asksAfterMs: number;
	close(): Promise<void>;
}

/** n8n's own limit for a request (N8N_PAYLOAD_SIZE_MAX). */
const N8N_PAYLOAD_LIMIT = '16mb';

/** Activates a trigger and serves it on a free port of loopback. */
export async function serveTrigger(setup: NodeSetup): Promise<WebhookServer> {
	return await serve(new TriggerUnderTest(setup));
}

/** Activates the trigger and serves it on a free port of loopback. */
export async function serve(trigger: TriggerUnderTest): Promise<WebhookServer> {
	await trigger.activate();
	return await serveImported(trigger);
}

/** Serves a trigger of which nobody has asked whether it can be activated: its workflow was imported as published. */
export async function serveImported(trigger: TriggerUnderTest): Promise<WebhookServer> {
	const executions: IDataObject[][] = [];
	const escaped: unknown[] = [];

	const handle = async (request: Request, response: Response, name: WebhookName) => {
		const readRawBody = async (): Promise<void> => {
			await new Promise<void>((resolve, reject) => {
				readBody(request, response, (error?: unknown) => {
					if (error instanceof Error) reject(error);
					else resolve();
				});
			});
			// n8n keeps the bytes beside the parsed body.
			const rawBody: unknown = request.body;
			Object.assign(request, { rawBody: Buffer.isBuffer(rawBody) ? rawBody : undefined, body: {} });
		};
		// n8n reads what says that it is JSON, and leaves it to the node to have the rest read.
		if (/^application\/json/i.test(request.headers['content-type'] ?? '')) await readRawBody();
		Object.assign(request, {
			readRawBody: async () => {
				server.bodiesRead++;
				await readRawBody();
			},
		});
		await sleepMs(server.asksAfterMs);
		const { workflowData, webhookResponse, noWebhookResponse } = await trigger.call(
			request,
			response,
			name,
		);
		if (workflowData) await Promise.all([sleepMs(server.storesAfterMs), server.held]);
		if (workflowData && server.isDiskFull) {
			response.status(500).json({ message: 'There was a problem executing the workflow' });
			return;
		}
		if (workflowData)
			executions.push(...workflowData.map((items) => items.map(({ json }) => json)));
		if (noWebhookResponse) return;
		response.status(200).send(webhookResponse ?? trigger.responseDataOf(name));
	};

	const readBody = express.raw({ type: () => true, limit: N8N_PAYLOAD_LIMIT });
	const app = express();
	app.post('/webhook', async (request, response) => await handle(request, response, 'default'));
	app.post(
		'/updatemokstatus',
		async (request, response) => await handle(request, response, 'setup'),
	);
	app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
		escaped.push(error);
		if (response.headersSent) next(error);
		else response.status(500).end();
	});
	const listener = app.listen(0, '127.0.0.1');
	// On a busy machine it would end a connection at the moment at which a test uses it again.
	listener.keepAliveTimeout = 0;
	await new Promise((resolve) => listener.once('listening', resolve));
	const { port } = listener.address() as AddressInfo;
	const server: WebhookServer = {
		url: `http://127.0.0.1:${port}/webhook`,
		statusUrl: `http://127.0.0.1:${port}/updatemokstatus`,
		executions,
		escaped,
		bodiesRead: 0,
		isDiskFull: false,
		storesAfterMs: 0,
		held: undefined,
		asksAfterMs: 0,
		close: async () => {
			listener.closeAllConnections();
			await new Promise((resolve) => listener.close(resolve));
		},
	};
	return server;
}

/** The status callbacks that came out, each with whether it may be a repetition. */
export const statusesOf = ({ executions }: WebhookServer): unknown[] =>
	executions.flat().map(({ status, mayBeRepeated }) => [status, mayBeRepeated]);
