import { endsWithin } from '../../support/endsWithin';
import { randomUUID } from 'node:crypto';
import { runConcurrently } from '../../../nodes/Diyalog/actions/concurrency';
import { postJson } from '../../../tools/postJson';
import { sleepMs, waitFor } from '../../../tools/system';
import { OtpWebhooks, otpWorkflow } from '../../e2e/harness/otpScenario';
import type { Guess } from '../../e2e/harness/otpScenario';
import { ask, httpPost, trigger, webhook, workflow } from '../../e2e/harness/workflows';
import { postSigned } from '../../support/sign';
import { envelope, written } from '../../support/webhookBodies';
import { groupCpuMs } from '../presses/groupCpu';
import { ID } from '../wait/receiver';
import type { Receiver } from '../wait/receiver';
import type { Cost, Job } from './costs';
import { customerOf } from './site';
import type { Site } from './site';

/* The work that an n8n does for one code and for one question, and what each piece of it costs. */

const AT_ONCE = 10;
const SETTLES_WITHIN_MS = 300_000;
/** n8n stores a moment after it shows. */
const CALM_MS = 1_000;

/** A question that waits. */
export interface Question {
	id: string;
	messageId: string;
}

/** The workflows of a site. */
export class Work {
	private constructor(
		private readonly site: Site,
		private readonly receiver: Receiver,
		private readonly otp: OtpWebhooks,
		private readonly asking: { workflowId: string; url: string },
		private readonly triggerUrl: string,
	) {}

	static async publish(site: Site, receiver: Receiver): Promise<Work> {
		const { n8n, url, sandbox, credentialId } = site;
		await n8n.createWorkflow(otpWorkflow(credentialId));
		for (const path of OtpWebhooks.paths) await n8n.webhookUrl(path, url);
		const otp = new OtpWebhooks(`${url}/webhook`, (messageId) =>
			String(sandbox.messages().find((each) => each.messageId === messageId)?.mokValue),
		);
		const done = httpPost('Done', `=${receiver.url}/done-${ID}`, '{}');
		const asked = ask(credentialId, endsWithin(30, 'days'));
		const workflowId = await n8n.createWorkflow(workflow('Ask', [[webhook('ask'), asked, done]]));
		const triggerId = randomUUID();
		await n8n.createWorkflow(workflow('Presses', [[trigger(credentialId, triggerId)]]));
		const triggerUrl = await n8n.webhookUrl(`${triggerId}/webhook`, url);
		const asking = { workflowId, url: await n8n.webhookUrl('ask', url) };
		return new Work(site, receiver, otp, asking, triggerUrl);
	}

	private async executions(workflowId: string, ...status: string[]): Promise<number> {
		return await this.site.n8n.executionCount(workflowId, ...status);
	}

	/** Sends so many questions, until the last is on the phone. */
	private async sendQuestions(count: number): Promise<Question[]> {
		const { sandbox } = this.site;
		const known = sandbox.messages().length;
		const ids = Array.from({ length: count }, () => randomUUID());
		const askOne = async (index: number) => {
			await (await postJson(this.asking.url, { id: ids[index] })).text();
		};
		await runConcurrently(count, AT_ONCE, askOne, () => true);
		await waitFor('all questions', SETTLES_WITHIN_MS, () =>
			sandbox.messages().length >= known + count ? true : undefined,
		);
		const messages = sandbox.messages().slice(known);
		// Which message belongs to which call does not matter where all of them are answered.
		return ids.map((id, index) => ({ id, messageId: messages[index]?.messageId ?? '' }));
	}

	/** Sends so many questions, which wait afterwards. */
	async ask(count: number): Promise<Question[]> {
		const { workflowId } = this.asking;
		const before = await this.executions(workflowId, 'waiting');
		const questions = await this.sendQuestions(count);
		await waitFor('all questions wait', SETTLES_WITHIN_MS, async () =>
			(await this.executions(workflowId, 'waiting')) >= before + count ? true : undefined,
		);
		return questions;
	}

	/** The id of an execution that waits. */
	async waitingExecution(): Promise<string> {
		const [execution] = await this.site.n8n.executions(this.asking.workflowId, 'waiting');
		if (!execution) throw new Error('No execution waits');
		return execution.id;
	}

	async press({ messageId }: Question): Promise<void> {
		const body = envelope(written(`[${messageId}]:approve`));
		const response = await postSigned(this.triggerUrl, body, this.site.appSecret);
		await response.text();
		if (response.status !== 200) throw new Error(`A press was answered with ${response.status}`);
	}

	/** The time from a press until the workflow has gone on, in milliseconds. */
	async pressMs(): Promise<number> {
		const [question] = await this.ask(1);
		if (!question) throw new Error('Nothing was asked');
		await sleepMs(CALM_MS);
		const beginMs = performance.now();
		const pressed = this.press(question);
		const { atMs } = await this.receiver.arrival(`done-${question.id}`);
		await pressed;
		return atMs - beginMs;
	}

	/** Nobody asks n8n meanwhile how far it is: that would be most of its work. */
	private async cost(count: number, work: () => Promise<void>): Promise<Cost> {
		const { pids } = this.site;
		const cpu = async () => await Promise.all(pids.map(async ([, pid]) => await groupCpuMs(pid)));
		const before = await cpu();
		const beginMs = performance.now();
		await work();
		const seconds = (performance.now() - beginMs) / 1_000;
		await sleepMs(CALM_MS);
		const after = await cpu();
		const cpuMs: Cost['cpuMs'] = {};
		for (const [index, [role]] of pids.entries()) {
			const used = (after[index] ?? 0) - (before[index] ?? 0);
			cpuMs[role] = (cpuMs[role] ?? 0) + used / count;
		}
		return { perSecond: count / seconds, cpuMs };
	}

	/** Does each piece of work so many times. */
	async measure(count: number): Promise<Record<Job, Cost>> {
		const guesses: Guess[] = [];
		const send = async (index: number) => {
			guesses[index] = await this.otp.send(customerOf(index));
		};
		const verify = async (index: number) => {
			const { reason } = await this.otp.verify(guesses[index] as Guess);
			if (reason !== 'ok') throw new Error(`A right code was ${reason}`);
		};
		const all = async (one: (index: number) => Promise<void>) =>
			await runConcurrently(count, AT_ONCE, one, () => true);
		const codeSent = await this.cost(count, async () => await all(send));
		const codeVerified = await this.cost(count, async () => await all(verify));
		let questions: Question[] = [];
		const questionSent = await this.cost(count, async () => {
			questions = await this.sendQuestions(count);
		});
		const { workflowId } = this.asking;
		const answered = await this.executions(workflowId, 'success');
		const questionAnswered = await this.cost(count, async () => {
			await all(async (index) => await this.press(questions[index] as Question));
			for (const { id } of questions) await this.receiver.arrival(`done-${id}`);
		});
		await waitFor('all have ended', SETTLES_WITHIN_MS, async () =>
			(await this.executions(workflowId, 'success')) >= answered + count ? true : undefined,
		);
		return { codeSent, codeVerified, questionSent, questionAnswered };
	}
}
