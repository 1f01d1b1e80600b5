import { REFUSED } from '../../../support/faults';
import { explainResponse, explainNoResponse } from '../../../../nodes/Diyalog/transport/failures';

describe('explainResponse', () => {
	it.each([
		[503, 'You may be using wrong token.', 'wrongToken'],
		[503, '{"error":"You may be using wrong token."}', 'wrongToken'],
		[500, 'Not delivered due to recepient not found.', 'unknownCustomer'],
		[500, 'Not delivered due to recipient not found.', 'unknownCustomer'],
		[500, 'Sender bot is not alive.', 'botNotAlive'],
		[
			400,
			"The request content was malformed: Object is missing required member 'x'",
			'malformedRequest',
		],
		[503, '<html>Service Unavailable</html>', 'serverError'],
		[500, '', 'serverError'],
		[502, 'Bad Gateway', 'serverError'],
		[429, 'Too many requests', 'tooManyRequests'],
		[401, 'Unauthorized', 'accessDenied'],
		[403, '', 'accessDenied'],
		[407, '', 'accessDenied'],
		[404, 'Cannot POST /v1/bots/sendmok/the-token', 'notDiyalog'],
		[302, '', 'notDiyalog'],
		[200, '<html>Login</html>', 'notDiyalog'],
	])('HTTP %i %j is %s', (status, text, kind) => {
		const failure = explainResponse({ status, text });
		expect(failure).toMatchObject({ kind, status });
		expect(failure.title).toMatch(/^[A-Z]/);
		expect(failure.advice).toMatch(/\.$/);
	});

	it('says that a message may have arrived where nobody can know', () => {
		for (const answer of [
			{ status: 200, text: '<html>Login</html>' },
			{ status: 502, text: 'Bad Gateway' },
		]) {
			expect(explainResponse(answer).uncertain).toBe(true);
		}
	});

	it('repeats nothing of an answer, which may show the address with its token', () => {
		const failure = explainResponse({
			status: 404,
			text: 'Cannot POST /v1/bots/sendmok/the-token',
		});
		expect(JSON.stringify(failure)).not.toContain('the-token');
	});

	it.each([
		['Exceeded max file size of 5MB', 'Exceeded max file size of 5MB'],
		['Exceeded max file size of 4.5 MiB.', 'Exceeded max file size of 4.5 MiB'],
		['exceeded max file size of 5242880 bytes', 'exceeded max file size of 5242880 bytes'],
		...[
			'/v1/bots/sendmessage/the-token',
			'the-token',
			'70021',
			'70021/the-token',
			'5MB-the-token',
			'5MBthe-token',
			'12345678901234567MB',
			'\u0665MB',
			'"Hello Ay\u015fe"',
			'',
		].map((rest) => [`Exceeded max file size of ${rest}`, 'Exceeded max file size']),
	])('quotes of %j the documented words and a size alone', (text, quoted) => {
		expect(explainResponse({ status: 400, text })).toMatchObject({
			kind: 'refusedFile',
			diyalogText: quoted,
		});
	});

	it('quotes of every refusal nothing that stands around or inside the documented words', () => {
		for (const [, status, text] of REFUSED) {
			const { diyalogText } = explainResponse({ status, text: `the-token${text}the-token` });
			expect(diyalogText).toEqual(expect.any(String));
			expect(diyalogText).not.toContain('the-token');
		}
	});
});

describe('explainNoResponse', () => {
	it.each([
		['ECONNREFUSED', 'unreachable', { repeatable: true }],
		['ENOTFOUND', 'unreachable', { repeatable: true }],
		['EAI_AGAIN', 'unreachable', { repeatable: true }],
		['DEPTH_ZERO_SELF_SIGNED_CERT', 'insecureConnection', {}],
		['CERT_HAS_EXPIRED', 'insecureConnection', {}],
		['EHOSTUNREACH', 'noAnswer', { uncertain: true }],
		['ETIMEDOUT', 'noAnswer', { uncertain: true }],
		['ECONNABORTED', 'noAnswer', { uncertain: true }],
		['ECONNRESET', 'noAnswer', { uncertain: true }],
		['EPIPE', 'noAnswer', { uncertain: true }],
		[undefined, 'noAnswer', { uncertain: true }],
	])('%s is %s', (code, kind, certainty) => {
		const { repeatable, uncertain, kind: found } = explainNoResponse(code);
		expect({ kind: found, repeatable, uncertain }).toEqual({ kind, ...certainty });
	});
});

describe('what may be sent again', () => {
	it.each([
		[429, 'Too many requests', undefined, true],
		[503, 'Service Unavailable', 2_000, true],
		[503, 'Service Unavailable', undefined, undefined],
		[503, 'You may be using wrong token.', 2_000, undefined],
		[500, 'Not delivered due to recepient not found.', undefined, undefined],
		[400, 'The request content was malformed: x', undefined, undefined],
		[502, 'Bad Gateway', undefined, undefined],
		[200, '<html>', undefined, undefined],
	])('HTTP %i %j with Retry-After %p: %p', (status, text, retryAfterMs, repeatable) => {
		expect(explainResponse({ status, text, retryAfterMs }).repeatable).toBe(repeatable);
	});
});
