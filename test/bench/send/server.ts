import { args, fs, http, https, sleepMs } from '../../../tools/system';

/*
 * The other side of the benchmark, a process of its own: a Diyalog that accepts everything after a while.
 * Started with: HTTP port, HTTPS port, key file, certificate file.
 */

const ANSWER_AFTER_MS = 50;

/** Requests that wait to be accepted. Node's 511 would slow down a client that opens all connections at once. */
const BACKLOG = 4_096;

/** Ids as in Diyalog's documentation: 64-bit integers as text. */
const RECIPIENT_ID = '2074022437';
const FIRST_MESSAGE_ID = -7_523_925_115_459_309_081n;

let accepted = 0n;
let requests = 0;
let inFlight = 0;
let maxInFlight = 0;

/** What came since it was asked the last time. */
function takeStats(): string {
	const stats = JSON.stringify({ requests, maxInFlight });
	requests = 0;
	maxInFlight = inFlight;
	return stats;
}

async function accept(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
	requests++;
	inFlight++;
	maxInFlight = Math.max(maxInFlight, inFlight);
	const messageId = String(FIRST_MESSAGE_ID + accepted++);
	await new Promise((resolve) => request.resume().once('end', resolve));
	await sleepMs(ANSWER_AFTER_MS);
	// Before the answer leaves: the client may begin its next request as soon as it has this one's.
	inFlight--;
	response.setHeader('Content-Type', 'application/json');
	response.end(JSON.stringify({ recipient_id: RECIPIENT_ID, message_id: messageId }));
}

/** A POST to any path is a message; a GET asks for the statistics. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
	if (request.method === 'POST') void accept(request, response);
	else response.end(takeStats());
}

async function main(): Promise<void> {
	const [httpPort, httpsPort, keyFile = '', certFile = ''] = args;
	const [key, cert] = [await fs.readFile(keyFile), await fs.readFile(certFile)];
	const listen = { host: '127.0.0.1', backlog: BACKLOG };
	http.createServer(answer).listen({ ...listen, port: Number(httpPort) });
	https.createServer({ key, cert }, answer).listen({ ...listen, port: Number(httpsPort) });
}

void main();
