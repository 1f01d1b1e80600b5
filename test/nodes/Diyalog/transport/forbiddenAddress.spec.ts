import { serveAnswer } from '../../../support/answerServer';
import type { AnswerServer } from '../../../support/answerServer';
import { runDiyalogNode } from '../../../support/nodeRuntime';
import { env } from '../../../../tools/system';

/*
 * n8n's protection against server-side request forgery, switched on as an administrator does it. n8n reads the setting
 * with the first request, so it has a file of its own.
 */

const ENABLED = 'N8N_SSRF_PROTECTION_ENABLED';

let server: AnswerServer;

beforeAll(async () => {
	env[ENABLED] = 'true';
	server = await serveAnswer({ status: 200, text: '{"recipient_id":"1","message_id":"2"}' });
});

afterAll(async () => {
	delete env[ENABLED];
	await server.close();
});

it.each(['127.0.0.1', 'localhost'])(
	'%s is not allowed: said so, and nothing was sent',
	async (host) => {
		const { error } = await runDiyalogNode({
			parameters: {
				resource: 'otp',
				operation: 'send',
				otpMode: 'none',
				customerNo: '70021',
				message: 'Hello',
				options: {},
			},
			credentials: { serverUrl: server.url.replace('127.0.0.1', host), botToken: 'token' },
		});
		expect(error).toMatchObject({
			message: 'This n8n does not let workflows connect to the Diyalog server',
			description: expect.stringContaining('Nothing was sent.') as string,
		});
		expect(server.requests()).toBe(0);
	},
);
