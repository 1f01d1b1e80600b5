import { CredentialTestContext } from 'n8n-core';
import type { ICredentialTestFunctions } from 'n8n-workflow';
import { DiyalogApi } from '../../../../credentials/DiyalogApi.credentials';
import { Diyalog } from '../../../../nodes/Diyalog/Diyalog.node';
import { DiyalogTrigger } from '../../../../nodes/Diyalog/DiyalogTrigger.node';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { serveAnswer } from '../../../support/answerServer';
import type { AnswerServer } from '../../../support/answerServer';
import { freePort } from '../../../../tools/system';

const TOKEN = 'a/token+to=test';

let sandbox: Sandbox;

beforeAll(async () => {
	sandbox = await startSandbox({
		bots: [
			{ name: 'awake', token: TOKEN },
			{ name: 'asleep', token: 'asleep', active: false },
		],
	});
});

afterAll(async () => {
	expect(sandbox.messages()).toEqual([]);
	await sandbox.close();
});

async function testCredential(data: Record<string, string>) {
	const context: ICredentialTestFunctions = new CredentialTestContext({} as never);
	const { diyalogApiTest } = new Diyalog().methods.credentialTest;
	return await diyalogApiTest.call(context, { id: '1', name: 'Diyalog', type: 'diyalogApi', data });
}

it('no server is prefilled: the token goes only where somebody has said', () => {
	const server = new DiyalogApi().properties.find(({ name }) => name === 'serverUrl');
	expect(server).toMatchObject({ required: true, default: '' });
	expect(JSON.stringify(server)).not.toContain('dlgmessenger');
});

it('both nodes offer the same test', () => {
	expect(new DiyalogTrigger().methods.credentialTest).toEqual(new Diyalog().methods.credentialTest);
});

it('says that the token works, and reaches nobody', async () => {
	expect(await testCredential({ serverUrl: `${sandbox.url}/`, botToken: TOKEN })).toEqual({
		status: 'OK',
		message: 'The server is reachable and accepts the bot token. Nobody got a message.',
	});
	expect(sandbox.messages()).toEqual([]);
});

it.each([
	[
		'a refused token',
		{ botToken: 'another' },
		/^Diyalog did not accept the bot token \(HTTP 503\)\./,
	],
	['a bot that is off', { botToken: 'asleep' }, /^The bot is not active on the Diyalog server/],
	['an empty token', { botToken: '' }, /^The Bot Token is empty\./],
	[
		'an empty address',
		{ serverUrl: '' },
		/^The Server URL is empty\. Enter the address of your company's Diyalog server /,
	],
	['an address that is none', { serverUrl: 'bank' }, /^The Server URL is not a web address\./],
])('%s has its own sentence', async (_, overrides, message) => {
	const verdict = await testCredential({ serverUrl: sandbox.url, botToken: TOKEN, ...overrides });
	expect(verdict).toEqual({ status: 'Error', message: expect.stringMatching(message) as string });
	expect(verdict.message).not.toContain(TOKEN);
});

it('an unreachable server has its own sentence', async () => {
	const serverUrl = `http://127.0.0.1:${await freePort()}`;
	expect(await testCredential({ serverUrl, botToken: TOKEN })).toEqual({
		status: 'Error',
		message: expect.stringMatching(/^The Diyalog server refused the connection\./) as string,
	});
});

describe('what is no Diyalog server', () => {
	let server: AnswerServer;
	afterEach(async () => await server.close());

	it.each([
		[
			'a login page',
			200,
			'<html>Login</html>',
			/^The server's answer is not one of Diyalog's \(HTTP 200\)\./,
		],
		['a redirect', 302, '', /^The server's answer is not one of Diyalog's \(HTTP 302\)\./],
		['an unknown page', 404, 'Cannot POST /v1/bots/sendmok/a%2Ftoken', /\(HTTP 404\)\./],
		[
			'a proxy without its server',
			502,
			'Bad Gateway',
			/^The Diyalog server answered with HTTP 502/,
		],
	])('%s is told apart', async (_, status, text, message) => {
		server = await serveAnswer({ status, text, headers: { location: 'http://127.0.0.1:1/login' } });
		const verdict = await testCredential({ serverUrl: server.url, botToken: TOKEN });
		expect(verdict).toEqual({ status: 'Error', message: expect.stringMatching(message) as string });
		expect(server.requests()).toBe(1);
	});

	it('a server that refuses nobody is accepted with a word of caution', async () => {
		server = await serveAnswer({ status: 200, text: '{"recipient_id":"1","message_id":"2"}' });
		const verdict = await testCredential({ serverUrl: server.url, botToken: TOKEN });
		expect(verdict).toEqual({
			status: 'OK',
			message: expect.stringContaining('may be a test server') as string,
		});
	});
});
