import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SandboxConfig } from './config';

/** Only the sandbox's own files run; pictures of messages may come from anywhere over http(s). */
const PAGE_HEADERS = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"img-src http: https:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	'x-content-type-options': 'nosniff',
	'referrer-policy': 'no-referrer',
	'cross-origin-resource-policy': 'same-origin',
	'cache-control': 'no-store',
};

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A web page anywhere can make its visitor's browser call loopback addresses, and can point its own
 * domain there (DNS rebinding). Such a request carries the page's domain as Host, or its Origin.
 */
export function refuseStrangers(config: SandboxConfig) {
	const known = new Set([...LOOPBACK_NAMES, config.host, ...config.allowedHosts]);
	return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
		reply.headers(PAGE_HEADERS);
		const { host = '', origin } = request.headers;
		const name = hostnameOf(`http://${host}`);
		const foreignOrigin = origin !== undefined && origin !== `http://${host}`;
		if (name !== undefined && known.has(name) && !foreignOrigin) return;
		await reply
			.code(403)
			.type('text/plain')
			.send('The sandbox answers only under its own address. Add others to "allowedHosts".');
	};
}

function hostnameOf(url: string): string | undefined {
	return URL.canParse(url) ? new URL(url).hostname : undefined;
}
