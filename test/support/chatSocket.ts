import { randomBytes } from 'node:crypto';
import { connect, sleepMs } from '../../tools/system';

/* What a stranger needs to write to the chat of n8n: a WebSocket (RFC 6455), and the number of an execution. */

const TEXT_FRAME = 0x81;
const MASKED = 0x80;

function frame(text: string): Buffer {
	const payload = Buffer.from(text);
	if (payload.length > 125) throw new Error('A longer frame is not needed here');
	const mask = randomBytes(4);
	const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
	return Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | payload.length]), mask, masked]);
}

/** Writes to the chat of an execution, and gives what n8n says in the first seconds. */
export async function writeToChat(
	url: string,
	executionId: string,
	chatInput: string,
): Promise<string> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	let said = '';
	socket.on('data', (data) => (said += data.toString('latin1')));
	socket.on('error', (error) => (said += String(error)));
	const session = new URLSearchParams({ sessionId: 's', executionId, isPublic: 'true' });
	const head = [
		`GET /chat?${session.toString()} HTTP/1.1`,
		`Host: ${hostname}:${port}`,
		'Upgrade: websocket',
		'Connection: Upgrade',
		'Sec-WebSocket-Version: 13',
		`Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
	];
	socket.write(`${head.join('\r\n')}\r\n\r\n`);
	await sleepMs(2_000);
	socket.write(frame(JSON.stringify({ sessionId: 's', action: 'sendMessage', chatInput })));
	await sleepMs(3_000);
	socket.destroy();
	return said;
}
