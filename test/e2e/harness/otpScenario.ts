import { z } from 'zod';
import type { WorkflowDefinition } from '../../../tools/n8n/n8n';
import { postJson } from '../../../tools/postJson';
import { ANSWERS_AT_THE_END, branches, node, send, verify, webhook, workflow } from './workflows';

/*
 * Sending and verifying codes through the webhooks of a running n8n, however many processes stand behind them.
 */

const SEND_PATH = 'otp-send';
const VERIFY_PATH = 'otp-verify';

/** Adds to an item through which output of Verify it has left. */
const left = (output: number) =>
	node(`Output ${output}`, 'n8n-nodes-base.set', 3.4, {
		mode: 'raw',
		jsonOutput: JSON.stringify({ output }),
		includeOtherFields: true,
		options: {},
	});

/** A workflow that sends a code to `customerNo` and one that verifies it, each behind a webhook. */
export function otpWorkflow(credentialId: string): WorkflowDefinition {
	const transaction = { payee: '={{ $json.body.payee }}' };
	const called = (path: string) => webhook(path, ANSWERS_AT_THE_END, { name: path });
	const sending = send(credentialId, {
		customerNo: '={{ $json.body.customerNo }}',
		message: '={{ "{code}, " + ($json.body.payee ?? "") }}',
		otpMode: 'generate',
		transaction,
		options: { resendLimits: { values: { maxCodes: 0 } } },
	});
	const verifying = verify(credentialId, {
		challenge: '={{ $json.body.challenge }}',
		code: '={{ $json.body.code }}',
		customerNo: '={{ $json.body.customerNo }}',
		transaction,
	});
	return workflow('OTP', [
		[called(SEND_PATH), sending],
		[called(VERIFY_PATH), verifying],
		...branches(verifying, [[left(0)], [left(1)]]),
	]);
}

const sentSchema = z.object({ challenge: z.string(), messageId: z.string() });
const verifiedSchema = z
	.object({ valid: z.boolean(), reason: z.string(), output: z.number() })
	.passthrough()
	.refine(({ valid, output }) => output === (valid ? 0 : 1), 'left through the wrong output');

/** The answer of Verify. */
export type Verified = z.output<typeof verifiedSchema>;

/** What is posted for verifying a code. */
export interface Guess {
	challenge: string;
	code: string;
	customerNo: string;
	payee?: string;
}

async function post(url: string, body: object): Promise<unknown> {
	const response = await postJson(url, body);
	const text = await response.text();
	if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
	const answer: unknown = JSON.parse(text);
	return answer;
}

/** The two webhooks of {@link otpWorkflow} in an n8n. */
export class OtpWebhooks {
	static readonly paths = [SEND_PATH, VERIFY_PATH];

	/**
	 * @param webhookUrl the address under which the instance answers webhooks, e.g. `http://127.0.0.1:5678/webhook`
	 * @param codeOf reads the code of a message on the phone
	 */
	constructor(
		private readonly webhookUrl: string,
		private readonly codeOf: (messageId: string) => string,
	) {}

	/** Sends a code to a customer; gives what is needed to verify it. */
	async send(customerNo: string, payee?: string): Promise<Guess> {
		const answer = await post(`${this.webhookUrl}/${SEND_PATH}`, { customerNo, payee });
		const { challenge, messageId } = sentSchema.parse(answer);
		return { challenge, code: this.codeOf(messageId), customerNo, payee };
	}

	async verify(guess: Guess): Promise<Verified> {
		return verifiedSchema.parse(await post(`${this.webhookUrl}/${VERIFY_PATH}`, guess));
	}

	/** Verifies all at the same time; how often each reason was the answer. */
	async verifyTogether(guesses: Guess[]): Promise<Record<string, number>> {
		const answers = await Promise.all(guesses.map(async (guess) => await this.verify(guess)));
		const counts: Record<string, number> = {};
		for (const { reason } of answers) counts[reason] = (counts[reason] ?? 0) + 1;
		return counts;
	}
}

/** So many guesses with different codes, none of them right. */
export const wrongGuesses = (otp: Guess, count: number): Guess[] =>
	Array.from({ length: count + 1 }, (_, index) => String(index).padStart(otp.code.length, '0'))
		.filter((code) => code !== otp.code)
		.slice(0, count)
		.map((code) => ({ ...otp, code }));
