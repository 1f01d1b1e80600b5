import { authenticateRequest } from '../../../../nodes/Diyalog/transport/authenticate';

const request = { url: '/v1/bots/sendmok', method: 'POST' as const };

const urlFor = (serverUrl: unknown, botToken: unknown = 'token') =>
	authenticateRequest({ serverUrl, botToken } as never, request).url;

describe('authenticateRequest', () => {
	it.each([
		['https://api.dlgmessenger.com', 'https://api.dlgmessenger.com/v1/bots/sendmok/token'],
		['https://api.dlgmessenger.com/', 'https://api.dlgmessenger.com/v1/bots/sendmok/token'],
		['https://bank.example/diyalog', 'https://bank.example/diyalog/v1/bots/sendmok/token'],
		['https://bank.example/diyalog//', 'https://bank.example/diyalog/v1/bots/sendmok/token'],
		[' http://127.0.0.1:8080 ', 'http://127.0.0.1:8080/v1/bots/sendmok/token'],
		['HTTPS://Bank.Example:8443/a/b/', 'https://bank.example:8443/a/b/v1/bots/sendmok/token'],
	])('puts the token behind the API path of %s', (serverUrl, expected) => {
		expect(urlFor(serverUrl)).toBe(expected);
	});

	it.each([
		['a/b', 'a%2Fb'],
		['a?b#c', 'a%3Fb%23c'],
		['../admin', '..%2Fadmin'],
		['ğ+ =', 'ğ+ ='.replace(/.+/u, encodeURIComponent)],
		[' token\n', 'token'],
	])('encodes the token %j', (token, encoded) => {
		expect(urlFor('https://bank.example', token)).toBe(
			`https://bank.example/v1/bots/sendmok/${encoded}`,
		);
	});

	it('never follows a redirect, which would hand the token on', () => {
		const credentials = { serverUrl: 'https://bank.example', botToken: 'token' };
		expect(authenticateRequest(credentials, request).disableFollowRedirect).toBe(true);
	});

	it.each([
		['', 'Server URL is empty'],
		[undefined, 'Server URL is empty'],
		['api.dlgmessenger.com', 'Server URL is not a web address'],
		['ftp://bank.example', 'Server URL is not a web address'],
		['https://', 'Server URL is not a web address'],
		['https://bank.example?x=1', 'only a host and a path'],
		['https://bank.example/#x', 'only a host and a path'],
		['https://user:word@bank.example', 'only a host and a path'],
	])('refuses the server URL %j', (serverUrl, message) => {
		expect(() => urlFor(serverUrl)).toThrow(message);
	});

	it.each([
		['', 'Bot Token is empty'],
		['  ', 'Bot Token is empty'],
		[undefined, 'Bot Token is empty'],
		['.', 'Bot Token is not a token'],
		['..', 'Bot Token is not a token'],
	])('refuses the token %j', (token, message) => {
		const attempt = () =>
			authenticateRequest({ serverUrl: 'https://a.example', botToken: token } as never, request);
		expect(attempt).toThrow(message);
	});
});
