import { explainResponse, explainNoResponse } from '../../../../nodes/Diyalog/transport/failures';
import { retryAfterMs, waitBeforeRetryMs } from '../../../../nodes/Diyalog/transport/retry';

const NOW = new Date('2026-11-23T12:00:00Z');

describe('retryAfterMs', () => {
	it.each([
		['0', 0],
		['120', 120_000],
		[' 7 ', 7_000],
		['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
		['Mon, 23 Nov 2026 11:00:00 GMT', 0],
		['', undefined],
		['soon', undefined],
		['-5', undefined],
		['1.5', undefined],
		['99999999999999', undefined],
		[undefined, undefined],
		[['1'], undefined],
	])('%j is %p', (header, expected) => {
		expect(retryAfterMs(header, NOW)).toBe(expected);
	});
});

describe('waitBeforeRetryMs', () => {
	const refused = explainNoResponse('ECONNREFUSED');

	it('grows from try to try and is spread by chance', () => {
		const waits = (random: number) =>
			[0, 1, 2].map((retry) => waitBeforeRetryMs(refused, retry, () => random));
		expect(waits(0)).toEqual([250, 500, 1_000]);
		expect(waits(1)).toEqual([500, 1_000, 2_000]);
	});

	it('is never shorter than what the server asks for', () => {
		const busy = explainResponse({ status: 429, text: '', retryAfterMs: 2_000 });
		expect(waitBeforeRetryMs(busy, 0, () => 0)).toBe(2_000);
		expect(waitBeforeRetryMs(busy, 2, () => 1)).toBe(2_500);
	});

	it.each([
		['longer than a minute', explainResponse({ status: 429, text: '', retryAfterMs: 60_001 })],
		['uncertain', explainNoResponse('ECONNRESET')],
		[
			'refused for good',
			explainResponse({ status: 503, text: 'You may be using wrong token.', retryAfterMs: 0 }),
		],
	])('there is none when it would be %s', (_, failure) => {
		expect(waitBeforeRetryMs(failure, 0, () => 0)).toBeUndefined();
	});
});
