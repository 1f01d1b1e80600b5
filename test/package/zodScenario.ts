import { serveAnswer } from '../support/answerServer';
import { runDiyalogNode } from '../support/nodeRuntime';
import { postSigned } from '../support/sign';
import { print } from '../../tools/system';
import { envelope, written } from '../support/webhookBodies';
import { serveTrigger } from '../support/webhookServer';

/* Run by zodMajors.spec.ts beside a copy of what is published, with the zod that lies there. */

const SECRET = 'app-secret-of-the-bot';

const send = async (serverUrl: string, parameters: Readonly<Record<string, string>>) => {
	const { items, error } = await runDiyalogNode({
		parameters: { resource: 'otp', operation: 'send', otpMode: 'given', ...parameters },
		credentials: { serverUrl, botToken: 'token', appSecret: SECRET },
	});
	return error?.message ?? items.map(({ json }) => [json.userId, json.diyalogMessageId]);
};

async function main(): Promise<void> {
	const text = '{"recipient_id":"2074022437","message_id":-7523925115459309081}';
	const diyalog = await serveAnswer({ status: 200, text });
	const sent = await send(diyalog.url, { customerNo: '70021', message: 'Pay?' });
	const refused = await send(diyalog.url, { customerNo: '70021', message: ' ' });
	const requests = diyalog.requests();
	await diyalog.close();

	const trigger = await serveTrigger({
		parameters: {
			events: ['buttonPressed'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
		credentials: { serverUrl: diyalog.url, botToken: 'token', appSecret: SECRET },
	});
	const body = envelope(written('[transfer-18]:approve'));
	const { status } = await postSigned(trigger.url, body, SECRET);
	const pressed = trigger.executions.flat().map(({ messageId, payload }) => [messageId, payload]);
	await trigger.close();
	print(JSON.stringify({ sent, refused, requests, status, pressed }));
}

void main();
