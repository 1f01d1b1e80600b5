import { z } from 'zod';
import type { ExecutionSummary } from '../tools/n8n/n8n';
import { postJson } from '../tools/postJson';
import { firstItemOf } from '../tools/n8n/executions';
import { filesHolding } from '../tools/n8n/secrets';
import { fs, print, waitFor } from '../tools/system';
import type { Demo } from './start';

/** One thing that has to be right, and what was found instead when it is not. */
interface Finding {
	what: string;
	right: boolean;
	found?: string;
}

const EXECUTION_WITHIN_MS = 30_000;

const sentSchema = z.object({
	customerNo: z.literal('70021'),
	messageId: z.string().uuid(),
	userId: z.literal('243540663'),
	diyalogMessageId: z.string().regex(/^-?\d+$/),
	sentAt: z.string().datetime(),
});

const pressedSchema = z.object({
	event: z.literal('buttonPressed'),
	messageId: z.string(),
	payload: z.literal('approve'),
	customerNo: z.literal('70021'),
	userId: z.literal('243540663'),
	botId: z.literal('1614379680'),
	webhookId: z.literal('OTP'),
	occurredAt: z.string().datetime(),
	sentAt: z.string().datetime(),
	payloadSignature: z.literal('notChecked'),
	lastDeliveredMessageId: z.string(),
});

const answeredSchema = z.object({
	data: z.object({ approved: z.literal(true) }),
	approved: z.literal(true),
	decision: z.literal('approved'),
});

async function callSendWorkflow({ n8n }: Demo, customerNo: string): Promise<unknown> {
	const response = await postJson(`${n8n.url}/webhook/send-otp`, { customerNo });
	const answer: unknown = await response.json();
	return answer;
}

async function finishedExecution(
	{ n8n }: Pick<Demo, 'n8n'>,
	workflowId: string,
	status: string,
): Promise<ExecutionSummary> {
	return await waitFor(`an execution with status ${status}`, EXECUTION_WITHIN_MS, async () =>
		(await n8n.executions(workflowId)).find((execution) => execution.status === status),
	);
}

async function checkCredentialTest({ n8n, credential }: Demo): Promise<Finding[]> {
	const cases = [
		{ what: 'the token works', data: credential, status: 'OK', says: /accepts the bot token/ },
		{
			what: 'the token is refused',
			data: { ...credential, botToken: 'wrong-token' },
			status: 'Error',
			says: /did not accept the bot token/,
		},
		{
			what: 'this is no Diyalog server',
			data: { ...credential, serverUrl: n8n.url },
			status: 'Error',
			says: /not one of Diyalog's/,
		},
		{
			what: 'the server is unreachable',
			data: { ...credential, serverUrl: 'http://127.0.0.1:1' },
			status: 'Error',
			says: /refused the connection/,
		},
	];
	const findings: Finding[] = [];
	for (const { what, data, status, says } of cases) {
		const verdict = await n8n.testCredential(data);
		const right = verdict.status === status && says.test(verdict.message);
		findings.push({ what: `credential test: ${what}`, right, found: JSON.stringify(verdict) });
	}
	return findings;
}

/** The main job: an OTP is sent, the customer presses Approve, the press starts the second workflow. */
async function checkSendAndPress(demo: Demo): Promise<Finding[]> {
	const { n8n, sandbox, workflows } = demo;
	const answer = await callSendWorkflow(demo, '70021');
	const sent = sentSchema.safeParse(answer);
	const sentFinding: Finding = {
		what: 'the node sent the OTP and put out its ids',
		right: sent.success,
		found: JSON.stringify(answer),
	};
	if (!sent.success) return [sentFinding];
	const { messageId } = sent.data;
	const times = sandbox.timesReceived({ customerNo: '70021', messageId });
	sandbox.pressButton({ messageId, button: 'Approve' });
	const { id } = await finishedExecution(demo, workflows.reacting, 'success');
	const data = await n8n.executionData(id);
	const item = firstItemOf(data, 'Button pressed');
	const pressed = pressedSchema.strict().safeParse(item);
	return [
		sentFinding,
		{ what: 'the customer got it once', right: times === 1, found: `${times} times` },
		{
			what: 'the press came out of the trigger as the right item',
			right: pressed.success && pressed.data.messageId === messageId,
			found: JSON.stringify(item),
		},
		{
			what: 'the workflow took the branch for Approve',
			right: firstItemOf(data, 'Carry out the transfer') !== undefined,
		},
	];
}

/** An example that asks on the phone: the tap continues the execution that waits for it. */
async function checkTap(
	{ n8n, sandbox, workflows }: Demo,
	path: string,
	workflow: keyof Demo['workflows'],
	request: Readonly<Record<string, string>>,
	deed: string,
): Promise<Finding> {
	const before = sandbox.messages().length;
	await postJson(`${n8n.url}/webhook/${path}`, request);
	const message = await waitFor(
		'the question',
		EXECUTION_WITHIN_MS,
		() => sandbox.messages()[before],
	);
	const workflowId = workflows[workflow];
	await finishedExecution({ n8n }, workflowId, 'waiting');
	sandbox.pressButton({ messageId: message.messageId, button: 'Onayla' });
	const { id } = await finishedExecution({ n8n }, workflowId, 'success');
	const item = firstItemOf(await n8n.executionData(id), deed);
	return {
		what: `${path}: the tap continued the execution that waited for it`,
		right: answeredSchema.safeParse(item).success,
		found: JSON.stringify(item),
	};
}

async function checkTaps(demo: Demo): Promise<Finding[]> {
	const payment = { amount: '90,00 TL', payee: 'Zeynep Işık' };
	return [
		await checkTap(
			demo,
			'approve-transfer',
			'approving',
			{ customerNo: '70022', ...payment },
			'Carry out the transfer',
		),
		await checkTap(demo, 'step-up-start', 'steppingUp', { customerNo: '70023', ...payment }, 'Pay'),
	];
}

/** One of the examples that verify a code: asked for, read on the phone, given wrong, right, and once more. */
async function checkCode(
	{ n8n, sandbox }: Demo,
	path: string,
	request: Readonly<Record<string, string>>,
): Promise<Finding> {
	const call = async (step: string, body: object) => {
		const response = await postJson(`${n8n.url}/webhook/${path}-${step}`, body);
		return { status: response.status, text: await response.text() };
	};
	const started = await call('start', request);
	const challenge = z
		.object({ challenge: z.string() })
		.catch({ challenge: '' })
		.parse(JSON.parse(started.text)).challenge;
	const message = sandbox
		.messages()
		.findLast(({ customerNo }) => customerNo === request.customerNo);
	const right = { ...request, challenge, code: message?.mokValue };
	const statuses: number[] = [];
	for (const body of [{ ...right, code: '' }, right, right]) {
		statuses.push((await call('finish', body)).status);
	}
	return {
		what: `examples/${path}: a wrong code is refused, the one on the phone accepted once`,
		right: statuses.join() === '401,200,401',
		found: `${started.text} ${statuses.join()}`,
	};
}

async function checkCodes(demo: Demo): Promise<Finding[]> {
	const payment = { amount: '1,250.00', currency: 'TRY', payee: 'City Waterworks' };
	return [
		await checkCode(demo, 'login', { customerNo: '70021' }),
		await checkCode(demo, 'payment', { customerNo: '70022', ...payment }),
		await checkCode(demo, 'reset', { customerNo: '123456789' }),
	];
}

async function checkRefusals(demo: Demo): Promise<Finding[]> {
	const { n8n, sandbox, workflows } = demo;
	await callSendWorkflow(demo, 'nobody');
	const { id } = await finishedExecution(demo, workflows.sending, 'error');
	const record = await n8n.executionData(id);
	const url = sandbox.config.bots[0]?.webhook.url ?? '';
	const forged = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'x-signature': '0'.repeat(40) },
		body: '{"object":"dialog","entry":[]}',
	});
	const executions = await n8n.executions(workflows.reacting);
	return [
		{
			what: 'an unknown customer is a clear error of the execution',
			right: record.includes('Diyalog does not know this person'),
		},
		{
			what: 'a forged call is answered with 401 and starts nothing',
			right: forged.status === 401 && executions.length === 1,
			found: `HTTP ${forged.status}, ${executions.length} executions`,
		},
	];
}

/** Nothing that n8n wrote may hold a secret: its database, its log and everything else in its folder. */
async function checkSecrets({ n8n, bot, sandbox }: Demo): Promise<Finding[]> {
	const folder = n8n.userFolder;
	const secrets = { 'bot token': bot.token, 'app secret': bot.webhook.appSecret };
	const findings: Finding[] = [];
	for (const [name, secret] of Object.entries(secrets)) {
		const { files, searched } = await filesHolding(folder, secret);
		findings.push({
			what: `the ${name} is in none of the ${searched} files that n8n wrote`,
			right: files.length === 0,
			found: files.join(', '),
		});
	}
	// The search itself has to be able to find something: a messageId stands in the stored executions.
	const known = sandbox.messages()[0]?.messageId ?? '';
	const { files } = await filesHolding(folder, known);
	const log = await fs.readFile(n8n.logFile, 'utf8');
	findings.push({
		what: 'the same search finds a messageId, and the log is that of level debug',
		right: files.length > 0 && log.includes('debug'),
		found: `${files.length} files`,
	});
	return findings;
}

/** Runs the demo once and prints what was checked; true when all of it is right. */
export async function checkDemo(demo: Demo): Promise<boolean> {
	const findings = [
		...(await checkCredentialTest(demo)),
		...(await checkSendAndPress(demo)),
		...(await checkTaps(demo)),
		...(await checkRefusals(demo)),
		...(await checkCodes(demo)),
		...(await checkSecrets(demo)),
	];
	for (const { what, right, found } of findings) {
		print(right ? `ok      ${what}` : `NOT OK  ${what}${found === undefined ? '' : `: ${found}`}`);
	}
	const failed = findings.filter(({ right }) => !right).length;
	print(`\n${findings.length - failed} of ${findings.length} checks passed.`);
	return failed === 0;
}
