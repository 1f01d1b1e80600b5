import { closeAll, otp, send, start, TOKEN } from './support';
import { rawRequest } from '../support/rawRequest';

afterEach(closeAll);

describe('requests that a foreign web page could cause', () => {
	it.each([
		['the domain of the page as Host (DNS rebinding)', { host: 'evil.example' }, 403],
		['the domain and the right port', { host: 'evil.example:PORT' }, 403],
		['a Host that only begins alike', { host: '127.0.0.1.evil.example' }, 403],
		['a Host that is no host', { host: '[' }, 403],
		['a foreign Origin', { host: '127.0.0.1:PORT', origin: 'http://evil.example' }, 403],
		['a hidden Origin', { host: '127.0.0.1:PORT', origin: 'null' }, 403],
		[
			'another local server as Origin',
			{ host: '127.0.0.1:PORT', origin: 'http://127.0.0.1:1' },
			403,
		],
		['its own Host', { host: '127.0.0.1:PORT' }, 200],
		['its own Origin', { host: 'localhost:PORT', origin: 'http://localhost:PORT' }, 200],
		['a name that is allowed', { host: 'host.docker.internal:PORT' }, 200],
	])('%s', async (_what, headers, status) => {
		const { sandbox } = await start({ allowedHosts: ['host.docker.internal'] });
		const { port } = new URL(sandbox.url);
		const filled = Object.fromEntries(
			Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', port)]),
		);
		expect(await rawRequest(`${sandbox.url}/sandbox/messages`, filled)).toBe(status);
	});

	it('a form posted without asking the browser first', async () => {
		const { sandbox } = await start({ bots: [{ name: 'otp-bot', token: TOKEN }] });
		await send(sandbox);
		const body = JSON.stringify({ messageId: otp.messageId, button: 0 });
		const response = await fetch(`${sandbox.url}/sandbox/press`, {
			method: 'POST',
			headers: { 'content-type': 'text/plain' },
			body,
		});
		expect(response.status).toBe(415);
		expect(sandbox.messages()[0]?.presses).toEqual([]);
	});

	it('it listens on loopback only, unless told otherwise', async () => {
		const { sandbox } = await start();
		expect(new URL(sandbox.url).hostname).toBe('127.0.0.1');
	});
});
