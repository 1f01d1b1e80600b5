import { fromMessageId, resumeUrlOf } from '../../../../nodes/Diyalog/wait/resumeReference';
import { formatNamed } from '../../../support/signedFormats';
import { messageIdOf, SECRET, SignedQuestions } from '../../../support/signedQuestions';

/*
 * Whoever got a question has its messageId on the phone, and in it the resume address with n8n's signature. What is sent there
 * without a proof must cost no more than to be refused.
 */

const questions = new SignedQuestions();

it.each([
	['80 kB of numbers', `{"answers":[${'0,'.repeat(40_000)}0]}`],
	['900 kB of numbers', `{"answers":[${'0,'.repeat(450_000)}0]}`],
	['900 kB of empty objects', `{"answers":[${'{},'.repeat(300_000)}{}]}`],
])(
	'1. more answers than can be passed on together, %s: refused before they are looked at',
	async (_what, body) => {
		await questions.use(formatNamed('payload, separator, signature'));
		const asked = await questions.ask({});
		const reference = fromMessageId(messageIdOf(asked), [SECRET]);
		if (!reference) throw new Error('No reference');
		const url = resumeUrlOf(reference, `${questions.instance.url}/webhook-waiting`);
		const post = async (text: string) =>
			await fetch(url, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: text,
			});
		const msOf = async (text: string): Promise<number> => {
			const beganAt = performance.now();
			expect([400, 401, 413]).toContain((await post(text)).status);
			return performance.now() - beganAt;
		};
		await msOf('{}');
		// n8n reads the same under another name, of which nobody asks how many there are. Looking at each took seconds.
		const readMs = await msOf(body.replace('answers', 'another'));
		expect(await msOf(body)).toBeLessThan(10 * Math.max(readMs, 20));
		expect(asked.execution.continuations).toEqual([]);
	},
	60_000,
);
